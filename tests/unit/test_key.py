from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from qiskit.circuit import (
    AnnotatedOperation,
    ClassicalRegister,
    ControlModifier,
    InverseModifier,
    Operation,
    Parameter,
    PowerModifier,
    QuantumCircuit,
)
from qiskit.circuit.classical import expr, types
from qiskit.circuit.library import Initialize, RXGate, UnitaryGate, XGate, ZGate
from qiskit.quantum_info import Clifford

from qiskit_halo.fragments.key import structure_key

Build = Callable[[], QuantumCircuit]


def gates(*operations: Operation, phase: float = 0.0) -> QuantumCircuit:
    circuit = QuantumCircuit(3, global_phase=phase)
    for operation in operations:
        circuit.append(operation, range(operation.num_qubits))
    return circuit


def custom(angle: float) -> Operation:
    inner = QuantumCircuit(1, name="oracle")
    inner.rx(angle, 0)
    return inner.to_gate()


def with_condition(condition: Callable[[QuantumCircuit], object]) -> QuantumCircuit:
    circuit = QuantumCircuit(1, 4)
    circuit.add_register(ClassicalRegister(bits=circuit.clbits[2:], name="pair"))
    circuit.add_uninitialized_var(expr.Var.new("flag", types.Bool()))
    with circuit.if_test(condition(circuit)):
        circuit.x(0)
    return circuit


def with_cases(*cases: tuple[int, ...]) -> QuantumCircuit:
    circuit = QuantumCircuit(1, 2)
    blocks = []
    for name in ("x", "h"):
        block = QuantumCircuit(1, 2)
        getattr(block, name)(0)
        blocks.append(block)
    circuit.switch(circuit.cregs[0], list(zip(cases, blocks, strict=True)), [0], [0, 1])
    return circuit


def with_loop(indices: range | tuple[int, ...], angle: float = 0.3) -> QuantumCircuit:
    circuit = QuantumCircuit(1)
    with circuit.for_loop(indices, Parameter("i")) as i:
        circuit.rx(angle * i, 0)
    return circuit


def with_delay(duration: float, unit: str) -> QuantumCircuit:
    circuit = QuantumCircuit(1)
    circuit.delay(duration, 0, unit)
    return circuit


def with_box(duration: float, unit: str) -> QuantumCircuit:
    circuit = QuantumCircuit(1)
    with circuit.box(duration=duration, unit=unit):
        circuit.x(0)
    return circuit


def with_store(value: int) -> QuantumCircuit:
    circuit = QuantumCircuit(1)
    circuit.add_var("number", expr.lift(value, types.Uint(4)))
    return circuit


THETA, PHI = Parameter("theta"), Parameter("phi")
DIFFERENT: dict[str, tuple[Build, Build]] = {
    "angle, last bit": (lambda: gates(RXGate(0.1)), lambda: gates(RXGate(np.nextafter(0.1, 1)))),
    "coefficient, last bit": (
        lambda: gates(RXGate(THETA * 0.1)),
        lambda: gates(RXGate(THETA * np.nextafter(0.1, 1))),
    ),
    "parameter": (lambda: gates(RXGate(THETA)), lambda: gates(RXGate(PHI))),
    "global phase": (lambda: gates(XGate()), lambda: gates(XGate(), phase=0.1)),
    "label": (lambda: gates(XGate()), lambda: gates(XGate(label="mine"))),
    "definition": (lambda: gates(custom(0.1)), lambda: gates(custom(0.2))),
    "controlled definition": (lambda: gates(custom(0.1).control()), lambda: gates(custom(0.2).control())),
    "control state": (lambda: gates(XGate().control(1)), lambda: gates(XGate().control(1, ctrl_state=0))),
    "annotated base": (
        lambda: gates(AnnotatedOperation(XGate(), ControlModifier(1))),
        lambda: gates(AnnotatedOperation(ZGate(), ControlModifier(1))),
    ),
    "annotation": (
        lambda: gates(AnnotatedOperation(RXGate(0.1), InverseModifier())),
        lambda: gates(AnnotatedOperation(RXGate(0.1), PowerModifier(2))),
    ),
    "unitary": (
        lambda: gates(UnitaryGate(np.diag([1, 1j]))),
        lambda: gates(UnitaryGate(np.diag([1, -1j]))),
    ),
    "initial state": (lambda: gates(Initialize("01")), lambda: gates(Initialize("10"))),
    "clifford": (lambda: gates(Clifford(XGate())), lambda: gates(Clifford(ZGate()))),
    "condition value": (
        lambda: with_condition(lambda c: (c.clbits[0], 1)),
        lambda: with_condition(lambda c: (c.clbits[0], 0)),
    ),
    "condition bit": (
        lambda: with_condition(lambda c: (c.clbits[0], 1)),
        lambda: with_condition(lambda c: (c.clbits[1], 1)),
    ),
    "condition register": (
        lambda: with_condition(lambda c: expr.equal(c.cregs[0], 3)),
        lambda: with_condition(lambda c: expr.equal(expr.cast(c.cregs[1], types.Uint(4)), 3)),
    ),
    "operator": (
        lambda: with_condition(lambda c: expr.less(c.cregs[0], 3)),
        lambda: with_condition(lambda c: expr.less_equal(c.cregs[0], 3)),
    ),
    "constant": (
        lambda: with_condition(lambda c: expr.less(c.cregs[0], 3)),
        lambda: with_condition(lambda c: expr.less(c.cregs[0], 4)),
    ),
    "type of a cast": (
        lambda: with_condition(lambda c: expr.cast(expr.cast(c.cregs[0], types.Uint(2)), types.Bool())),
        lambda: with_condition(lambda c: expr.cast(expr.cast(c.cregs[0], types.Uint(3)), types.Bool())),
    ),
    "index": (
        lambda: with_condition(lambda c: expr.index(c.cregs[0], 0)),
        lambda: with_condition(lambda c: expr.index(c.cregs[0], 1)),
    ),
    "cases": (lambda: with_cases((0,), (1, 2)), lambda: with_cases((0, 1), (2,))),
    "loop indices": (lambda: with_loop(range(2)), lambda: with_loop(range(3))),
    "loop body": (lambda: with_loop((1, 4), 0.3), lambda: with_loop((1, 4), 0.4)),
    "delay": (lambda: with_delay(5, "ns"), lambda: with_delay(6, "ns")),
    "delay unit": (lambda: with_delay(5, "ns"), lambda: with_delay(5, "us")),
    "box unit": (lambda: with_box(5, "ns"), lambda: with_box(5, "us")),
    "stored value": (lambda: with_store(1), lambda: with_store(2)),
    "width": (lambda: QuantumCircuit(2), lambda: QuantumCircuit(3)),
    "clbits": (lambda: QuantumCircuit(2, 1), lambda: QuantumCircuit(2, 2)),
}


@pytest.mark.parametrize("case", DIFFERENT)
def test_what_compiling_can_tell_apart_differs(case: str):
    first, second = DIFFERENT[case]
    a, b = first(), second()
    assert structure_key(a) != structure_key(b)


@pytest.mark.parametrize("case", [case for case in DIFFERENT if case != "clifford"])
def test_two_builds_of_one_circuit_are_equal(case: str):
    for build in DIFFERENT[case]:
        assert structure_key(build()) == structure_key(build())


def test_names_and_registers_do_not_count():
    first = QuantumCircuit(2, 2, name="one", metadata={"a": 1})
    second = QuantumCircuit(2, name="two")
    second.add_register(ClassicalRegister(1, "x"), ClassicalRegister(1, "y"))
    for circuit in (first, second):
        circuit.h(0)
        circuit.measure([0, 1], [0, 1])
    assert structure_key(first) == structure_key(second)


def test_where_an_operation_stands_counts():
    keys = []
    for pair in ((0, 1), (1, 0)):
        circuit = QuantumCircuit(2, 2)
        circuit.cx(*pair)
        circuit.measure(0, pair[0])
        keys.append(structure_key(circuit))
    assert keys[0] != keys[1]
