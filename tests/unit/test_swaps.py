from __future__ import annotations

from collections.abc import Callable

import pytest
from qiskit.circuit import Gate, QuantumCircuit

from qiskit_halo.fragments.swaps import with_cheap_swaps


def cheap(build: Callable[[QuantumCircuit], object], *, native: bool = False) -> list[tuple[str, tuple[int, ...]]]:
    circuit = QuantumCircuit(3, 3)
    build(circuit)
    found = with_cheap_swaps(circuit.data, native=native)
    return [(i.name, tuple(circuit.find_bit(q).index for q in i.qubits)) for i in found]


def touch(circuit: QuantumCircuit) -> None:
    """Do something to every qubit that is neither a gate on one qubit nor a reset."""
    circuit.measure(range(circuit.num_qubits), range(circuit.num_qubits))


TOUCHED = [("measure", (0,)), ("measure", (1,)), ("measure", (2,))]


@pytest.mark.parametrize("name", ["x", "reset"])
def test_what_is_done_to_one_qubit_goes_after_a_swap_and_with_its_qubit(name: str):
    def build(circuit: QuantumCircuit) -> None:
        touch(circuit)
        getattr(circuit, name)(0)
        circuit.swap(0, 1)
        circuit.swap(1, 2)
        circuit.cx(2, 0)

    assert cheap(build) == [*TOUCHED, ("swap", (0, 1)), ("swap", (1, 2)), (name, (2,)), ("cx", (2, 0))]


def test_the_order_on_one_qubit_stays():
    def build(circuit: QuantumCircuit) -> None:
        touch(circuit)
        circuit.h(0)
        circuit.reset(0)
        circuit.append(Gate("mine", 1, []), [0])
        circuit.z(1)
        circuit.swap(0, 1)

    assert cheap(build) == [*TOUCHED, ("swap", (0, 1)), ("z", (0,)), ("h", (1,)), ("reset", (1,)), ("mine", (1,))]


def test_measurements_delays_and_barriers_stay_before():
    def build(circuit: QuantumCircuit) -> None:
        touch(circuit)
        circuit.x(0)
        circuit.measure(0, 0)
        circuit.y(1)
        circuit.delay(100, 1)
        circuit.z(2)
        circuit.barrier(2)
        circuit.swap(0, 1)
        circuit.swap(1, 2)

    before = [("x", (0,)), ("measure", (0,)), ("y", (1,)), ("delay", (1,)), ("z", (2,)), ("barrier", (2,))]
    assert cheap(build) == [*TOUCHED, *before, ("swap", (0, 1)), ("swap", (1, 2))]


@pytest.mark.parametrize(("old", "new"), [(0, 1), (1, 0)])
def test_a_swap_with_a_fresh_qubit_takes_two_gates_and_leaves_the_other_fresh(old: int, new: int):
    def build(circuit: QuantumCircuit) -> None:
        circuit.cx(old, 2)
        circuit.swap(0, 1)
        circuit.swap(2, old)

    moved = [("cx", (old, new)), ("cx", (new, old))]
    assert cheap(build) == [("cx", (old, 2)), *moved, ("cx", (2, old)), ("cx", (old, 2))]


def test_where_a_swap_is_one_gate_it_stays():
    def build(circuit: QuantumCircuit) -> None:
        circuit.cx(0, 2)
        circuit.swap(0, 1)
        circuit.swap(0, 2)

    assert cheap(build, native=True) == [("cx", (0, 2)), ("swap", (0, 1)), ("swap", (0, 2))]


def test_two_fresh_qubits_have_nothing_to_exchange():
    def build(circuit: QuantumCircuit) -> None:
        circuit.x(0)
        circuit.barrier(1, 2)
        circuit.swap(0, 1)
        circuit.cx(1, 2)

    assert cheap(build) == [("barrier", (1, 2)), ("x", (1,)), ("cx", (1, 2))]


def test_a_gate_before_a_barrier_leaves_its_qubit_fresh_no_more():
    def build(circuit: QuantumCircuit) -> None:
        circuit.x(0)
        circuit.barrier(0)
        circuit.swap(0, 1)

    assert cheap(build) == [("x", (0,)), ("barrier", (0,)), ("cx", (0, 1)), ("cx", (1, 0))]


def test_control_flow_touches_its_qubits():
    def build(circuit: QuantumCircuit) -> None:
        with circuit.if_test((0, 1)):
            circuit.x(0)
        circuit.swap(0, 1)

    assert cheap(build) == [("if_else", (0,)), ("cx", (0, 1)), ("cx", (1, 0))]
