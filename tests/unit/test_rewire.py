from __future__ import annotations

from collections.abc import Callable

import pytest
from qiskit import qasm3
from qiskit.circuit import (
    AncillaRegister,
    ClassicalRegister,
    Clbit,
    Duration,
    ForLoopOp,
    Parameter,
    QuantumCircuit,
    QuantumRegister,
)
from qiskit.circuit.classical import expr, types

from qiskit_halo.rewire import Rewiring, Variable, empty_like, has_classical_side

FLAG = expr.Var.new("flag", types.Bool())
NUMBER = expr.Var.new("number", types.Uint(4))
LOCAL = expr.Var.new("local", types.Uint(4))
GAP = expr.Stretch.new("gap")
THETA = Parameter("theta")


def host(prefix: str) -> QuantumCircuit:
    """Two qubits, registers ``c`` and ``alias`` (bits 2 and 0 of ``c``), three variables."""
    c = ClassicalRegister(3, f"{prefix}c")
    circuit = QuantumCircuit(QuantumRegister(2, "q"), c)
    circuit.add_register(ClassicalRegister(bits=[c[2], c[0]], name=f"{prefix}alias"))
    for variable in variables(prefix)[:2]:
        circuit.add_uninitialized_var(variable)
    circuit.add_stretch(variables(prefix)[2])
    return circuit


def variables(prefix: str) -> tuple[Variable, ...]:
    """The variables of the circuit called ``prefix``; their identity is made from the name."""
    if not prefix:
        return FLAG, NUMBER, GAP, LOCAL
    return _OTHERS


_OTHERS = (
    expr.Var.new("new_flag", types.Bool()),
    expr.Var.new("new_number", types.Uint(4)),
    expr.Stretch.new("new_gap"),
    expr.Var.new("new_local", types.Uint(4)),
)


def condition_on_register(circuit: QuantumCircuit, prefix: str) -> None:
    with circuit.if_test((circuit.cregs[1], 2)) as otherwise:
        circuit.x(0)
    with otherwise:
        circuit.measure(1, 2)


def nested_conditions(circuit: QuantumCircuit, prefix: str) -> None:
    c, alias = circuit.cregs
    with circuit.switch(alias) as case:
        with case(0, 3), circuit.while_loop(expr.less(c, 5)):
            circuit.measure(0, 1)
            with circuit.if_test(expr.index(c, 2)):
                circuit.break_loop()
        with case(case.DEFAULT):
            circuit.x(1)


def expressions(circuit: QuantumCircuit, prefix: str) -> None:
    flag, number, *_ = variables(prefix)
    circuit.store(flag, expr.logic_not(circuit.clbits[1]))
    circuit.store(number, expr.bit_and(expr.cast(circuit.cregs[0], types.Uint(4)), 5))
    with circuit.if_test(expr.logic_or(flag, expr.equal(number, 3))):
        circuit.x(0)


def local_variables(circuit: QuantumCircuit, prefix: str) -> None:
    flag, number, _, local = variables(prefix)
    with circuit.if_test(flag):
        circuit.add_var(local, number)
        with circuit.if_test(expr.equal(local, 3)):
            circuit.x(0)


def loop_over_a_variable(circuit: QuantumCircuit, prefix: str) -> None:
    local = variables(prefix)[3]
    with circuit.for_loop(range(3), local), circuit.if_test(expr.equal(local, 1)):
        circuit.x(0)


def stretches(circuit: QuantumCircuit, prefix: str) -> None:
    gap = variables(prefix)[2]
    circuit.delay(expr.add(gap, Duration.us(1)), 0)
    with circuit.box(duration=expr.mul(2, gap), label="kept"):
        circuit.delay(gap, 1)


def plain(circuit: QuantumCircuit, prefix: str) -> None:
    circuit.rx(THETA, 0)
    circuit.cx(1, 0)
    circuit.measure(1, 2)


@pytest.mark.parametrize(
    "program",
    [
        condition_on_register,
        nested_conditions,
        expressions,
        local_variables,
        loop_over_a_variable,
        stretches,
        plain,
    ],
)
def test_operations_move_with_all_they_name(program: Callable[[QuantumCircuit, str], None]):
    source, wanted = host(""), host("new_")
    program(source, "")
    program(wanted, "new_")
    moved = wanted.copy_empty_like()
    names = dict(zip(variables(""), variables("new_"), strict=True))
    registers = {tuple(register): register for register in moved.cregs}
    rewiring = Rewiring(
        clbits=dict(zip(source.clbits, moved.clbits, strict=True)),
        register_of=registers.__getitem__,
        variable_of=names.__getitem__,
    )
    qubits = dict(zip(source.qubits, moved.qubits, strict=True))
    for instruction in source.data:
        moved.append(rewiring.instruction(instruction, [qubits[q] for q in instruction.qubits]))
    # Text, because circuits also compare the registers that a block holds without need.
    assert qasm3.dumps(moved, allow_aliasing=True) == qasm3.dumps(wanted, allow_aliasing=True)
    assert [i.operation.label for i in moved.data] == [i.operation.label for i in wanted.data]


def test_bits_may_be_permuted():
    source = QuantumCircuit(1, 3)
    source.add_register(ClassicalRegister(bits=source.clbits[:2], name="two"))
    with source.if_test((source.clbits[1], 0)), source.if_test((source.cregs[1], 1)):
        source.measure(0, 0)
    other = QuantumCircuit(1, 3)
    a, b, c = other.clbits
    two = ClassicalRegister(bits=[b, c], name="two")
    rewiring = Rewiring(
        clbits=dict(zip(source.clbits, [b, c, a], strict=True)),
        register_of={(b, c): two}.__getitem__,
        variable_of=lambda variable: variable,
    )
    moved = rewiring.instruction(source.data[0], list(other.qubits))
    assert moved.operation.condition == (c, 0)
    (block,) = moved.operation.blocks
    (inner,) = block.data
    assert block.cregs == [two]
    assert inner.operation.condition == (two, 1)
    (measure,) = inner.operation.blocks[0].data
    assert measure.clbits == (b,)


def test_loop_parameters_are_renamed_from_the_inside_out():
    i, j, new_i, new_j = (Parameter(name) for name in ("i", "j", "new_i", "new_j"))

    def loops(first: Parameter, second: Parameter) -> QuantumCircuit:
        circuit = QuantumCircuit(1)
        with circuit.for_loop((1, 2), first):
            with circuit.for_loop((3,), second):
                circuit.rx(first + second * THETA, 0)
            circuit.rz(first, 0)
        return circuit

    source, asked = loops(i, j), []
    renamed = {i: new_i, j: new_j}

    def loop_of(loop: Parameter) -> Parameter:
        asked.append(loop)
        return renamed[loop]

    rewiring = Rewiring(clbits={}, register_of={}.__getitem__, variable_of={}.__getitem__, loop_of=loop_of)
    moved = QuantumCircuit(1)
    moved.append(rewiring.instruction(source.data[0], list(moved.qubits)))
    assert moved == loops(new_i, new_j)
    assert asked == [j, i]
    assert source == loops(i, j)


def test_an_unused_loop_parameter_is_renamed_too():
    body, i, new = QuantumCircuit(1), Parameter("i"), Parameter("new")
    body.x(0)
    circuit = QuantumCircuit(1)
    circuit.append(ForLoopOp(range(2), i, body), [0])
    rewiring = Rewiring(clbits={}, register_of={}.__getitem__, variable_of={}.__getitem__, loop_of=lambda _: new)
    moved = rewiring.instruction(circuit.data[0], list(circuit.qubits))
    assert moved.operation.params[:2] == [range(2), new]


def test_classical_side():
    circuit = host("")
    circuit.x(0)
    circuit.measure(0, 0)
    circuit.delay(10, 0)
    circuit.delay(GAP, 0)
    circuit.store(FLAG, True)
    with circuit.box():
        circuit.x(0)
    assert [has_classical_side(i) for i in circuit.data] == [False, False, False, True, True, True]


def test_empty_like_keeps_the_classical_side_and_nothing_else():
    source = host("")
    source.add_bits([Clbit()])
    source.name, source.metadata, source.global_phase = "mine", {"note": 1}, 0.5
    condition_on_register(source, "")
    register = AncillaRegister(4, "w")
    empty = empty_like(source, register)
    assert list(empty.data) == []
    assert empty.qregs == [register]
    assert (empty.clbits, empty.cregs) == (source.clbits, source.cregs)
    assert list(empty.iter_vars()) == [FLAG, NUMBER]
    assert list(empty.iter_stretches()) == [GAP]
    assert (empty.name, empty.metadata, empty.global_phase) == ("mine", {"note": 1}, 0.5)


def test_empty_like_keeps_inputs_and_captures():
    taken, given = expr.Var.new("taken", types.Bool()), expr.Var.new("given", types.Bool())
    inputs, captures = QuantumCircuit(1, inputs=[given]), QuantumCircuit(1, captures=[taken])
    register = QuantumRegister(1, "w")
    assert list(empty_like(inputs, register).iter_input_vars()) == [given]
    assert list(empty_like(captures, register).iter_captured_vars()) == [taken]
