from __future__ import annotations

import math
from itertools import combinations, pairwise, permutations

import numpy as np
import pytest
import rustworkx as rx
from hypothesis import given
from hypothesis import strategies as st
from qiskit import transpile
from qiskit.circuit import Parameter, QuantumCircuit
from qiskit.circuit.library import XXPlusYYGate
from qiskit.quantum_info import Operator
from qiskit.transpiler.passes import ElidePermutations

from qiskit_halo.fragments import mirrors
from qiskit_halo.fragments.mirrors import Couplings, mirror_gates

STAR = [(0, 1), (0, 2), (0, 3)]
LINE = [(0, 1), (1, 2), (2, 3), (3, 4), (4, 5)]


def couplings(pairs: list[tuple[int, int]]) -> Couplings:
    graph: rx.PyGraph = rx.PyGraph(multigraph=False)
    graph.extend_from_edge_list(pairs)
    return Couplings.of(graph)


def ring(num_qubits: int = 4) -> QuantumCircuit:
    circuit = QuantumCircuit(num_qubits)
    for a, b in pairwise([*range(num_qubits), 0]):
        circuit.cx(a, b)
    return circuit


def without_swaps(circuit: QuantumCircuit) -> QuantumCircuit:
    return ElidePermutations()(circuit)


def pairs(circuit: QuantumCircuit) -> set[tuple[int, ...]]:
    found = set()
    for instruction in circuit.data:
        if len(instruction.qubits) == 2 and instruction.name != "barrier":
            found.add(tuple(sorted(circuit.find_bit(q).index for q in instruction.qubits)))
    return found


def num_cx(circuit: QuantumCircuit) -> int:
    return sum(len(i.qubits) == 2 and i.name != "barrier" for i in circuit.data)


def test_shortest_cycles():
    assert couplings(STAR).shortest_cycle == couplings([]).shortest_cycle == math.inf
    assert couplings([*LINE, (5, 0)]).shortest_cycle == 6
    assert couplings([*LINE, (5, 0), (1, 4)]).shortest_cycle == 4
    assert couplings([*LINE, (3, 5), (5, 0)]).shortest_cycle == 3


def test_a_ring_takes_six_gates_on_a_star():
    found = mirror_gates(ring(), couplings(STAR))
    assert found is not None
    assert found.count_ops()["swap"] == 2
    assert np.allclose(Operator(found).data, Operator(ring()).data)
    rest = without_swaps(found)
    assert num_cx(rest) == 6
    degrees = [sum(q in pair for pair in pairs(rest)) for q in range(4)]
    assert sorted(degrees) == [1, 1, 1, 3]


def test_a_swap_is_taken_where_mirrors_cost_more(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(mirrors, "SWAP_COST", 0.9)
    assert mirror_gates(ring(), couplings(STAR)) is None


def test_what_fits_is_left_alone():
    assert mirror_gates(ring(6), couplings([*LINE, (5, 0)])) is None


def test_a_cycle_that_fits_is_left_alone():
    # A star of three is there too, on which two mirrors would do.
    assert mirror_gates(ring(), couplings([(0, 1), (1, 2), (2, 3), (3, 0), (0, 4)])) is None


def test_barriers_need_no_coupler():
    circuit = QuantumCircuit(3)
    circuit.cx(0, 1)
    circuit.cx(1, 2)
    circuit.barrier(0, 2)
    assert mirror_gates(circuit, couplings(LINE)) is None


@pytest.mark.parametrize("angle", [0.0, 5e-5])
def test_what_takes_no_cx_or_loses_its_angle_is_not_mirrored(angle: float):
    circuit = QuantumCircuit(4)
    for a, b in pairwise([0, 1, 2, 3, 0]):
        circuit.rzz(angle, a, b)
    assert mirror_gates(circuit, couplings(STAR)) is None


def test_distances_in_a_chain_of_squares():
    # 2**40 shortest ways lead from one end to the other.
    corners = range(0, 160, 4)
    pairs = [p for c in corners for p in ((c, c + 1), (c, c + 2), (c + 1, c + 4), (c + 2, c + 4))]
    assert mirrors._distance(frozenset(pairs), 0, 160) == 80


def test_where_nothing_is_coupled_mirrors_are_of_no_use():
    assert mirror_gates(ring(), couplings([])) is None


def test_some_pairs_may_wait_for_a_swap():
    # All pairs of four qubits, twice: no choice of mirrors makes a tree of them.
    circuit = QuantumCircuit(4)
    for a, b in [*combinations(range(4), 2)] * 2:
        circuit.cx(a, b)
    found = mirror_gates(circuit, couplings(STAR))
    assert found is not None
    assert np.allclose(Operator(found).data, Operator(circuit).data)
    assert model_cost(found, STAR) < model_cost(circuit, STAR)
    assert len(pairs(without_swaps(found))) > 3


def test_gates_with_open_angles_are_not_mirrored():
    circuit = QuantumCircuit(4)
    for a, b in pairwise([0, 1, 2, 3, 0]):
        circuit.rzz(Parameter(f"t{a}"), a, b)
    assert mirror_gates(circuit, couplings(STAR)) is None
    bound = circuit.assign_parameters([0.1, 0.2, 0.3, 0.4])
    found = mirror_gates(bound, couplings(STAR))
    assert found is not None
    assert np.allclose(Operator(found).data, Operator(bound).data)


def test_gates_of_more_qubits_are_not_mirrored():
    circuit = ring()
    circuit.ccx(0, 1, 2)
    found = mirror_gates(circuit, couplings(STAR))
    assert found is not None
    assert found.count_ops()["ccx"] == 1
    assert np.allclose(Operator(found).data, Operator(circuit).data)


def test_an_iswap_is_cheaper_mirrored():
    circuit = QuantumCircuit(4)
    circuit.cx(0, 1)
    circuit.iswap(1, 2)
    circuit.iswap(2, 3)
    circuit.cx(3, 0)
    found = mirror_gates(circuit, couplings(STAR))
    assert found is not None
    assert num_cx(without_swaps(found)) == 4


def test_the_same_gate_with_another_angle_has_another_price():
    circuit = QuantumCircuit(3)
    circuit.append(XXPlusYYGate(0.3), (0, 1))
    circuit.append(XXPlusYYGate(math.pi), (1, 2))  # an iSWAP but for phases
    found = mirror_gates(circuit, couplings(LINE))
    assert found is not None
    assert num_cx(without_swaps(found)) == 2  # the first as it is


def test_a_mirror_that_turns_out_dear_is_not_taken(monkeypatch: pytest.MonkeyPatch):
    # Mirrored the iSWAP saves a gate, but then the last pair has no coupler; with one choice at a time that comes late.
    circuit = QuantumCircuit(4)
    circuit.cx(0, 2)
    circuit.iswap(0, 1)
    circuit.cx(0, 3)
    monkeypatch.setattr(mirrors, "BEAM", 1)
    assert mirror_gates(circuit, couplings(STAR)) is None


def test_control_flow_keeps_its_pairs():
    circuit = QuantumCircuit(4, 1)
    circuit.measure(0, 0)
    with circuit.if_test((circuit.clbits[0], 1)):
        circuit.cx(0, 1)
    circuit.cx(1, 2)
    circuit.cx(2, 3)
    circuit.cx(3, 0)
    found = mirror_gates(circuit, couplings(STAR))
    assert found is not None
    block = next(i for i in without_swaps(found).data if i.is_control_flow())
    assert num_cx(block.operation.blocks[0]) == 1


def test_bounds(monkeypatch: pytest.MonkeyPatch):
    circuit = ring()
    for _ in range(mirrors.MAX_MEETINGS - 4):
        circuit.cx(3, 0)
    assert mirror_gates(circuit, couplings(STAR)) is not None
    longer = circuit.copy()
    longer.cx(3, 0)
    assert mirror_gates(longer, couplings(STAR)) is None
    monkeypatch.setattr(mirrors, "BEAM", 1)
    assert mirror_gates(circuit, couplings(STAR)) is None


@given(
    meetings=st.lists(st.lists(st.integers(0, 4), min_size=2, max_size=2, unique=True), min_size=1, max_size=9),
    kinds=st.lists(st.sampled_from(["cx", "cz", "iswap", "cp", "ecr"]), min_size=9, max_size=9),
    coupled=st.sampled_from([STAR, LINE, [(0, 1), (1, 2), (2, 3), (2, 4), (4, 5), (5, 0)]]),
)
def test_the_same_unitary_for_less(meetings, kinds, coupled):
    circuit = QuantumCircuit(5)
    for (a, b), kind in zip(meetings, kinds, strict=False):
        if kind == "cp":
            circuit.cp(0.7, a, b)
        else:
            getattr(circuit, kind)(a, b)
        circuit.t(a)
    found = mirror_gates(circuit, couplings(coupled))
    assert found == mirror_gates(circuit, couplings(coupled))
    if found is None:
        return
    assert np.allclose(Operator(found).data, Operator(circuit).data)
    assert model_cost(found, coupled) < model_cost(circuit, coupled)


def model_cost(circuit: QuantumCircuit, coupled: list[tuple[int, int]]) -> float:
    """CX gates, and 2.5 each time a pair meets that finds no coupler beside those before it, by trying all places.

    SWAPs cost nothing and exchange wires.
    """
    basis = transpile(circuit, basis_gates=["cx", "u", "swap"], optimization_level=0)
    both_ways = {*coupled, *((b, a) for a, b in coupled)}
    places = sorted({place for pair in coupled for place in pair})
    wire = list(range(circuit.num_qubits))
    kept: list[tuple[int, int]] = []
    last: dict[int, int] = {}
    cost = float(basis.count_ops().get("cx", 0))
    for instruction in basis.data:
        if len(instruction.qubits) != 2:
            continue
        first, second = (circuit.find_bit(q).index for q in instruction.qubits)
        if instruction.name == "swap":
            wire[first], wire[second] = wire[second], wire[first]
            continue
        a, b = sorted((wire[first], wire[second]))
        again = last.get(a) == b and last.get(b) == a
        last[a], last[b] = b, a
        if again or (a, b) in kept:
            continue
        wires = sorted({wire for pair in [*kept, (a, b)] for wire in pair})
        if any(
            all((chosen[wires.index(x)], chosen[wires.index(y)]) in both_ways for x, y in [*kept, (a, b)])
            for chosen in permutations(places, len(wires))
        ):
            kept.append((a, b))
        else:
            cost += 2.5
    return cost
