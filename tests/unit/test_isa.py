from __future__ import annotations

import pytest
from qiskit import transpile
from qiskit.circuit import QuantumCircuit
from qiskit.circuit.library import ECRGate

from qiskit_halo.primitives.isa import interactions, is_isa, supports
from tests.targets import make_target


def bell() -> QuantumCircuit:
    circuit = QuantumCircuit(2)
    circuit.h(0)
    circuit.cx(0, 1)
    circuit.measure_all()
    return circuit


def test_a_transpiled_circuit_is_one():
    target = make_target(4)
    assert is_isa(transpile(bell(), target=target), target)


def test_an_abstract_one_is_not():
    assert not is_isa(bell(), make_target(4))


def test_one_that_was_written_on_physical_qubits_is():
    circuit = QuantumCircuit(3, 1)  # as qiskit-experiments does for qubit 2
    circuit.sx(2)
    circuit.measure(2, 0)
    assert is_isa(circuit, make_target(5))
    assert not is_isa(circuit, make_target(2))


def test_one_that_was_transpiled_for_another_device_is_not():
    assert not is_isa(transpile(bell(), target=make_target(4, gate=ECRGate)), make_target(4))
    assert not is_isa(transpile(bell(), target=make_target(9)), make_target(4))


@pytest.mark.parametrize(
    ("qubits", "expected"), [((0, 1), True), ((1, 0), False), ((2, 1), False), ((0, 2), False), ((2, 3), True)]
)
def test_direction_and_coupling_count(qubits: tuple[int, int], expected: bool):
    circuit = QuantumCircuit(2, 1)
    circuit.ecr(0, 1)
    circuit.barrier()
    circuit.measure(0, 0)
    assert supports(circuit, make_target(4, gate=ECRGate, directed=True), qubits) is expected


def test_branches_are_looked_into():
    circuit = QuantumCircuit(2, 1)
    circuit.measure(0, 0)
    with circuit.if_test((0, 1)):
        circuit.h(1)
    assert not supports(circuit, make_target(2), (0, 1))
    fine = QuantumCircuit(2, 1)
    fine.measure(0, 0)
    with fine.if_test((0, 1)):
        fine.x(1)
    assert supports(fine, make_target(2), (0, 1))
    assert not supports(fine, make_target(2, control_flow=False), (0, 1))


def test_pairs_that_are_joined_are_found_in_branches_too():
    circuit = QuantumCircuit(4, 1)
    circuit.cz(3, 1)
    circuit.barrier()
    circuit.measure(0, 0)
    with circuit.if_test((0, 1)):
        circuit.cz(0, 2)
        circuit.barrier(1, 2)
    circuit.cz(1, 3)
    assert interactions(circuit, (10, 11, 12, 13)) == [(10, 12), (11, 13)]
