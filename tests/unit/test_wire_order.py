from __future__ import annotations

from qiskit.circuit import ClassicalRegister, QuantumCircuit, QuantumRegister

from qiskit_halo.segments.find import find_components
from qiskit_halo.segments.pieces import find_pieces
from qiskit_halo.timeline.wire_order import in_wire_order


def order_of(circuit: QuantumCircuit) -> list[tuple[int, ...]]:
    segmentation = find_components(circuit)
    pieces = find_pieces(segmentation)
    return [pieces[index].owners for index in in_wire_order(pieces, segmentation)]


def batch(num_qubits: int, num_programs: int) -> QuantumCircuit:
    return QuantumCircuit(
        QuantumRegister(num_qubits, "q"), *(ClassicalRegister(2, f"p{k}_c") for k in range(num_programs))
    )


def test_wires_tell_the_order_not_the_list_of_operations() -> None:
    circuit = batch(2, 2)
    # Program 1 is named first in the circuit, but gets wire 0 from program 0.
    circuit.h(1)
    circuit.measure(0, 0)
    circuit.reset(0)
    circuit.cx(1, 0)
    circuit.measure([0, 1], [2, 3])
    assert order_of(circuit) == [(0,), (1,)]


def test_pieces_that_share_nothing_stay_as_they_are() -> None:
    circuit = batch(3, 3)
    for k in (2, 0, 1):
        circuit.measure(k, 2 * k)
    assert order_of(circuit) == [(2,), (0,), (1,)]


def test_a_long_chain() -> None:
    circuit = batch(2, 4)
    for k in (3, 1, 0, 2):
        circuit.reset(0)
        circuit.measure(0, 2 * k)
    assert order_of(circuit) == [(3,), (1,), (0,), (2,)]


def test_each_first_on_one_wire() -> None:
    circuit = batch(2, 2)
    circuit.measure(0, 0)
    circuit.measure(1, 2)
    circuit.reset(0)
    circuit.reset(1)
    circuit.h(1)
    circuit.h(0)
    circuit.measure(1, 1)
    circuit.measure(0, 3)
    # With operations that join each program's two segments:
    with circuit.if_test((circuit.cregs[0], 1)):
        circuit.x(1)
    with circuit.if_test((circuit.cregs[1], 1)):
        circuit.x(0)
    assert order_of(circuit) == [(0,), (1,)]


def test_no_pieces() -> None:
    assert order_of(QuantumCircuit(2)) == []
