from __future__ import annotations

from itertools import pairwise, permutations

import numpy as np
import pytest
import rustworkx as rx
from hypothesis import given
from hypothesis import strategies as st
from qiskit import transpile
from qiskit.circuit import Parameter, QuantumCircuit
from qiskit.quantum_info import Operator
from qiskit.transpiler.passes import ElidePermutations

from qiskit_halo.fragments import mirrors
from qiskit_halo.fragments.mirrors import mirror_gates

STAR = [(0, 1), (0, 2), (0, 3)]
LINE = [(0, 1), (1, 2), (2, 3), (3, 4), (4, 5)]


def graph(couplers: list[tuple[int, int]]) -> rx.PyGraph:
    found: rx.PyGraph = rx.PyGraph(multigraph=False)
    found.extend_from_edge_list(couplers)
    return found


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


def test_a_ring_takes_six_gates_on_a_star():
    found = mirror_gates(ring(), graph(STAR), 2)
    assert found is not None
    assert found.count_ops()["swap"] == 2
    assert np.allclose(Operator(found).data, Operator(ring()).data)
    rest = without_swaps(found)
    assert num_cx(rest) == 6
    degrees = [sum(q in pair for pair in pairs(rest)) for q in range(4)]
    assert sorted(degrees) == [1, 1, 1, 3]


def test_no_more_gates_than_asked_for():
    assert mirror_gates(ring(), graph(STAR), 1) is None


def test_what_fits_is_left_alone():
    assert mirror_gates(ring(6), graph([*LINE, (5, 0)]), 9) is None


def test_what_cannot_fit_is_left_alone():
    assert mirror_gates(ring(), graph([(0, 1), (2, 3)]), 9) is None


def test_gates_with_open_angles_are_not_mirrored():
    circuit = QuantumCircuit(4)
    for a, b in pairwise([0, 1, 2, 3, 0]):
        circuit.rzz(Parameter(f"t{a}"), a, b)
    assert mirror_gates(circuit, graph(STAR), 9) is None
    bound = circuit.assign_parameters([0.1, 0.2, 0.3, 0.4])
    found = mirror_gates(bound, graph(STAR), 9)
    assert found is not None
    assert np.allclose(Operator(found).data, Operator(bound).data)


def test_an_iswap_is_cheaper_mirrored():
    # Mirrored it is one CX. The ring of two CX and two of them: 2 + 4 gates, and fewer mirrored.
    circuit = QuantumCircuit(4)
    circuit.cx(0, 1)
    circuit.iswap(1, 2)
    circuit.iswap(2, 3)
    circuit.cx(3, 0)
    found = mirror_gates(circuit, graph(STAR), -2)
    assert found is not None
    assert num_cx(without_swaps(found)) == 4
    assert mirror_gates(circuit, graph(STAR), -3) is None


def test_control_flow_keeps_its_pairs():
    circuit = QuantumCircuit(4, 1)
    circuit.measure(0, 0)
    with circuit.if_test((circuit.clbits[0], 1)):
        circuit.cx(0, 1)
    circuit.cx(1, 2)
    circuit.cx(2, 3)
    circuit.cx(3, 0)
    found = mirror_gates(circuit, graph(STAR), 9)
    assert found is not None
    block = next(i for i in without_swaps(found).data if i.is_control_flow())
    assert num_cx(block.operation.blocks[0]) == 1


def test_bounds(monkeypatch: pytest.MonkeyPatch):
    circuit = ring()
    for _ in range(mirrors.MAX_MEETINGS - 4):
        circuit.cx(3, 0)
    assert mirror_gates(circuit, graph(STAR), 9) is not None
    longer = circuit.copy()
    longer.cx(3, 0)
    assert mirror_gates(longer, graph(STAR), 9) is None
    monkeypatch.setattr(mirrors, "MAX_STATES", 4)
    assert mirror_gates(circuit, graph(STAR), 9) is None


@given(
    meetings=st.lists(st.lists(st.integers(0, 4), min_size=2, max_size=2, unique=True), min_size=1, max_size=9),
    kinds=st.lists(st.sampled_from(["cx", "cz", "iswap", "cp", "ecr"]), min_size=9, max_size=9),
    couplers=st.sampled_from([STAR, LINE, [(0, 1), (1, 2), (2, 3), (2, 4), (4, 5), (5, 0)]]),
    most=st.integers(0, 6),
)
def test_the_same_unitary_on_coupled_pairs(meetings, kinds, couplers, most):
    circuit = QuantumCircuit(5)
    for (a, b), kind in zip(meetings, kinds, strict=False):
        if kind == "cp":
            circuit.cp(0.7, a, b)
        else:
            getattr(circuit, kind)(a, b)
        circuit.t(a)
    found = mirror_gates(circuit, graph(couplers), most)
    if found is None:
        return
    assert np.allclose(Operator(found).data, Operator(circuit).data)
    rest = without_swaps(found)
    places = {place for coupler in couplers for place in coupler}
    wires = sorted({wire for pair in pairs(rest) for wire in pair})
    coupled = {*couplers, *((b, a) for a, b in couplers)}
    assert any(
        all((chosen[wires.index(a)], chosen[wires.index(b)]) in coupled for a, b in pairs(rest))
        for chosen in permutations(places, len(wires))
    )
    basis = {"basis_gates": ["cx", "u"], "optimization_level": 0}
    assert num_cx(transpile(rest, **basis)) <= num_cx(transpile(circuit, **basis)) + most


@pytest.mark.parametrize("size", [2, 3])
def test_the_same_choice_every_time(size):
    first = mirror_gates(ring(4), graph(STAR), size)
    assert first == mirror_gates(ring(4), graph(STAR), size)
