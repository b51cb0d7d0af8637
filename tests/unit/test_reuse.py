from __future__ import annotations

import pytest
from qiskit.circuit import CircuitInstruction, QuantumCircuit

from qiskit_halo.fragments import reuse as module
from qiskit_halo.fragments.reuse import Reuse, find_reuse
from tests.dense_oracle import brute_force, distance


def depth(instruction: CircuitInstruction) -> float:
    return {"barrier": 0, "reset": 2, "measure": 5}.get(instruction.name, 1)


def found(circuit: QuantumCircuit, resets: int = 1, **options: bool) -> tuple[Reuse, ...]:
    reuses = find_reuse(circuit, resets, depth, **options)
    for reuse in reuses:
        assert distance(brute_force(circuit), brute_force(reuse.circuit)) < 1e-12
        assert reuse.circuit.num_qubits == circuit.num_qubits - len(reuse.takeovers)
        assert sorted(set(reuse.wires)) == list(range(reuse.circuit.num_qubits))
    return reuses


def places(circuit: QuantumCircuit) -> list[tuple[str, list[int]]]:
    return [(i.name, [circuit.find_bit(q).index for q in i.qubits]) for i in circuit.data]


def parities(rounds: int) -> QuantumCircuit:
    """Two data qubits, joined from the start to the end, and a fresh helper for each round."""
    circuit = QuantumCircuit(2 + rounds, rounds + 2)
    circuit.cz(0, 1)
    for index in range(rounds):
        circuit.cx([0, 1], 2 + index)
        circuit.measure(2 + index, index)
    circuit.cz(0, 1)
    circuit.measure([0, 1], [rounds, rounds + 1])
    return circuit


def test_a_helper_takes_over_after_resets():
    (reuse,) = found(parities(2), resets=3)
    assert (reuse.takeovers, reuse.wires) == (((3, 2),), (0, 1, 2, 2))
    assert places(reuse.circuit) == [
        ("cz", [0, 1]),
        ("cx", [0, 2]),
        ("cx", [1, 2]),
        ("measure", [2]),
        *[("reset", [2])] * 3,
        ("cx", [0, 2]),
        ("cx", [1, 2]),
        ("measure", [2]),
        ("cz", [0, 1]),
        ("measure", [0]),
        ("measure", [1]),
    ]


def test_all_that_is_possible_comes_last():
    amounts = [len(reuse.takeovers) for reuse in found(parities(5))]
    assert amounts == sorted(set(amounts))
    assert amounts[-1] == 4
    (only,) = found(parities(5), only_max=True)
    assert only == found(parities(5))[-1]


def length(circuit: QuantumCircuit) -> float:
    ready: dict[object, float] = {}
    for instruction in circuit.data:
        bits = (*instruction.qubits, *instruction.clbits)
        stop = max(ready.get(bit, 0) for bit in bits) + depth(instruction)
        ready.update(dict.fromkeys(bits, stop))
    return max(ready.values())


def test_what_costs_no_time_comes_first():
    circuit = QuantumCircuit(6, 3)
    circuit.cx(0, 1)
    for _ in range(20):
        circuit.x(5)
    for qubit in (2, 3, 4):
        circuit.cx(5, qubit)
        circuit.measure(qubit, qubit - 2)
    first, *_, last = found(circuit)
    assert length(first.circuit) == length(circuit)
    assert len(first.takeovers) >= 2  # both of the pair were done long before
    assert length(last.circuit) > length(circuit)


def test_partners_in_common_are_preferred():
    circuit = QuantumCircuit(5, 1)
    circuit.cx(2, 3)
    circuit.cx(0, 2)
    circuit.cx(1, 3)
    circuit.cx(0, 1)
    circuit.cx(2, 3)
    circuit.cx(4, 2)
    # 4 is going to meet 2, which 0 and 3 have met and 1 has not; all three are done at the same time.
    assert found(circuit)[0].takeovers[0] == (4, 0)


@pytest.mark.parametrize(
    "build",
    [
        lambda c: c.cx([0, 1], [1, 2]),  # 1 is alive throughout, 0 meets it before 2 does: only 2 may follow 0
        lambda c: [c.cx(0, 1), c.cx(1, 2), c.cx(2, 0)],
    ],
    ids=["chain", "ring"],
)
def test_no_qubit_follows_one_that_it_was_needed_for(build):
    circuit = QuantumCircuit(3, 3)
    build(circuit)
    circuit.measure(range(3), range(3))
    takeovers = [pair for reuse in found(circuit) for pair in reuse.takeovers]
    assert (0, 2) not in takeovers
    assert (1, 0) not in takeovers


def test_a_barrier_keeps_its_order_and_holds_a_wire_once():
    circuit = QuantumCircuit(3, 2)
    circuit.x(0)
    circuit.measure(0, 0)
    circuit.barrier(0, 1, 2)
    circuit.h(1)
    circuit.cx(1, 2)
    circuit.measure(2, 1)
    (reuse,) = found(circuit)
    assert reuse.takeovers == ((2, 0),)
    assert places(reuse.circuit)[2:5] == [("reset", [0]), ("barrier", [0, 1]), ("h", [1])]
    # What stands behind it cannot come before it.
    circuit = QuantumCircuit(2, 2)
    circuit.x(0)
    circuit.barrier()
    circuit.x(1)
    circuit.measure([1, 0], [1, 0])
    assert not [pair for reuse in found(circuit) for pair in reuse.takeovers if pair == (0, 1)]


def test_classical_order_counts():
    circuit = QuantumCircuit(2, 1)
    circuit.h(0)
    circuit.measure(0, 0)
    with circuit.if_test((0, 1)):
        circuit.x(1)
    circuit.measure(1, 0)
    (reuse,) = found(circuit)
    assert reuse.takeovers == ((1, 0),)


def test_a_delay_is_part_of_a_life():
    circuit = QuantumCircuit(2, 2)
    circuit.delay(100, 0)
    circuit.cx(1, 0)
    circuit.delay(50, 1)
    circuit.measure(0, 0)
    assert found(circuit) == ()


def test_nothing_to_share():
    assert found(QuantumCircuit(0)) == ()
    assert found(QuantumCircuit(1)) == ()
    ring = QuantumCircuit(2, 2)
    ring.cx(0, 1)
    ring.measure([0, 1], [0, 1])
    assert found(ring) == ()


def test_long_bodies_are_left_alone(monkeypatch: pytest.MonkeyPatch):
    assert found(parities(3))
    monkeypatch.setattr(module, "MAX_OPERATIONS", 5)
    assert found(parities(3)) == ()


def meetings(*pairs: tuple[int, int]) -> QuantumCircuit:
    """Gates between pairs of qubits; each is measured after its last."""
    num_qubits = 1 + max(qubit for pair in pairs for qubit in pair)
    circuit = QuantumCircuit(num_qubits, num_qubits)
    for index, pair in enumerate(pairs):
        circuit.cx(*pair)
        for qubit in pair:
            if not any(qubit in later for later in pairs[index + 1 :]):
                circuit.measure(qubit, qubit)
    return circuit


@pytest.mark.parametrize("body", [parities(4), meetings((2, 3), (1, 3), (0, 2), (3, 1))])
def test_a_copy_of_lives_grows_by_itself(body: QuantumCircuit):
    lives, fresh = (module._Lives(body, module._dependencies(body), 2.0, depth) for _ in range(2))
    assert lives.copy().choose(save_time=False)
    assert (lives.possible() == fresh.possible()).all()
    assert (lives._needed == fresh._needed).all()
    assert (lives._partners == fresh._partners).all()
    assert lives.choose(save_time=True) == fresh.choose(save_time=True)
