from __future__ import annotations

from qiskit.circuit import AncillaRegister, ClassicalRegister, QuantumCircuit, QuantumRegister

from qiskit_halo.segments.helpers import find_helper_wires


def test_marked_and_inferred():
    circuit = QuantumCircuit(QuantumRegister(4, "q"), AncillaRegister(1, "a"), ClassicalRegister(5, "c"))
    circuit.h([0, 4])
    circuit.cx(0, 1)  # wire 1 begins later, wire 2 begins late and ends early, wire 3 is never used
    circuit.cx(1, 2)
    circuit.cx(0, 1)
    circuit.measure([0, 1, 4], [0, 1, 4])
    circuit.measure(4, 4)
    circuit.measure(4, 4)
    circuit.x(4)
    assert list(find_helper_wires(circuit)) == [1, 2, 4]


def test_resets_and_barriers_do_not_count():
    circuit = QuantumCircuit(2, 2)
    circuit.reset(0)
    circuit.barrier(0)
    circuit.cx(0, 1)
    circuit.reset(1)
    circuit.measure([0, 1], [0, 1])
    circuit.reset(1)
    assert list(find_helper_wires(circuit)) == []


def test_each_program_is_measured_by_its_own_length():
    circuit = QuantumCircuit(QuantumRegister(3), ClassicalRegister(2, "p0_c"), ClassicalRegister(1, "p1_c"))
    for _ in range(5):
        circuit.cx(0, 1)
    circuit.measure([0, 1], [0, 1])
    circuit.measure(2, 2)
    assert list(find_helper_wires(circuit)) == []


def test_anonymous_parts_do_not_depend_on_each_other():
    circuit = QuantumCircuit(2)
    circuit.x(0)
    circuit.h(1)
    circuit.x(1)
    assert list(find_helper_wires(circuit)) == []
