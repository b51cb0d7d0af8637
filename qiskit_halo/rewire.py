"""Move operations onto other classical bits, registers and variables, inside nested blocks too.

:meth:`qiskit.circuit.QuantumCircuit.compose` maps the conditions of nested blocks but not the bits of the blocks
themselves, so that a nested condition ends up on a bit that its block does not hold. Here both move together: after
rewiring, a block holds the very bits of the circuit around it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

from qiskit.circuit import (
    CircuitInstruction,
    ClassicalRegister,
    Clbit,
    ControlFlowOp,
    Delay,
    ForLoopOp,
    IfElseOp,
    Operation,
    Parameter,
    QuantumCircuit,
    QuantumRegister,
    Qubit,
    Store,
    SwitchCaseOp,
    WhileLoopOp,
)
from qiskit.circuit.classical import expr

from qiskit_halo.wide import blank_circuit

Variable: TypeAlias = expr.Var | expr.Stretch
_T = TypeVar("_T")


def _itself(value: _T) -> _T:
    return value


@dataclass(frozen=True, slots=True, kw_only=True)
class Rewiring:
    """Where the classical side of one circuit goes in another.

    Args:
        clbits: Clbit of the source -> clbit of the destination.
        register_of: Destination bits, in order -> a register of the destination that holds exactly them.
        variable_of: Variable or stretch of the source -> that of the destination. Variables that a nested block
            declares for itself are asked for too.
        loop_of: Parameter of a loop of the source -> that of the destination; asked for inner loops first. Other
            parameters stay as they are.
    """

    clbits: Mapping[Clbit, Clbit]
    register_of: Callable[[tuple[Clbit, ...]], ClassicalRegister]
    variable_of: Callable[[Variable], Variable]
    loop_of: Callable[[Parameter], Parameter] = _itself

    def instruction(self, instruction: CircuitInstruction, qubits: list[Qubit]) -> CircuitInstruction:
        """Return ``instruction`` on ``qubits`` and on the destination's classical side."""
        if instruction.is_standard_gate():
            return instruction.replace(qubits=qubits)
        clbits = [self.clbits[bit] for bit in instruction.clbits]
        if not has_classical_side(instruction):
            return instruction.replace(qubits=qubits, clbits=clbits)
        operation = self._operation(instruction.operation, clbits)
        return instruction.replace(operation=operation, qubits=qubits, clbits=clbits)

    def _operation(self, operation: Operation, clbits: list[Clbit]) -> Operation:
        if isinstance(operation, ControlFlowOp):
            return self._control_flow(operation, clbits)
        if isinstance(operation, Store):
            return Store(self._expression(operation.lvalue), self._expression(operation.rvalue))
        return Delay(self._expression(operation.duration), operation.unit)

    def _control_flow(self, operation: ControlFlowOp, clbits: list[Clbit]) -> ControlFlowOp:
        blocks = [self._block(block, clbits) for block in operation.blocks]
        if isinstance(operation, ForLoopOp):
            return self._for_loop(operation, blocks[0])
        moved = operation.replace_blocks(blocks)
        if isinstance(operation, (IfElseOp, WhileLoopOp)):
            moved.condition = self._condition(operation.condition)
        elif isinstance(operation, SwitchCaseOp):
            moved.target = self._condition(operation.target)
        elif isinstance(getattr(operation, "duration", None), expr.Expr):
            moved.duration = self._expression(operation.duration)
        return moved

    def _for_loop(self, operation: ForLoopOp, block: QuantumCircuit) -> ForLoopOp:
        indices, loop, _ = operation.params
        if isinstance(loop, expr.Var):
            loop = self.variable_of(loop)
        elif isinstance(loop, Parameter):
            old, loop = loop, self.loop_of(loop)
            if loop != old:
                block = block.assign_parameters({old: loop}, strict=False)
        return ForLoopOp(indices, loop, block, label=operation.label)

    def _block(self, block: QuantumCircuit, clbits: list[Clbit]) -> QuantumCircuit:
        registers: dict[ClassicalRegister, None] = {}

        def register_of(bits: tuple[Clbit, ...]) -> ClassicalRegister:
            register = self.register_of(bits)
            registers[register] = None
            return register

        inner = Rewiring(
            clbits=dict(zip(block.clbits, clbits, strict=True)),
            register_of=register_of,
            variable_of=self.variable_of,
            loop_of=self.loop_of,
        )
        data = [inner.instruction(instruction, list(instruction.qubits)) for instruction in block.data]
        moved = QuantumCircuit(
            block.qubits,
            clbits,
            *block.qregs,
            name=block.name,
            global_phase=block.global_phase,
            metadata=block.metadata,
        )
        for register in registers:
            moved.add_register(register)
        add_variables(moved, block, self.variable_of)
        append_all(moved, data)
        return moved

    def _condition(
        self, condition: tuple[Clbit | ClassicalRegister, int] | Clbit | ClassicalRegister | expr.Expr
    ) -> object:
        if isinstance(condition, tuple):
            return (self._bits(condition[0]), condition[1])
        if isinstance(condition, expr.Expr):
            return self._expression(condition)
        return self._bits(condition)

    def _bits(self, bits: Clbit | ClassicalRegister) -> Clbit | ClassicalRegister:
        if isinstance(bits, Clbit):
            return self.clbits[bits]
        return self.register_of(tuple(self.clbits[bit] for bit in bits))

    def _expression(self, node: expr.Expr) -> expr.Expr:
        return node.accept(_Mover(self._bits, self.variable_of))


def has_classical_side(instruction: CircuitInstruction) -> bool:
    """Return whether ``instruction`` names classical data other than the clbits it acts on."""
    if instruction.is_standard_gate():
        return False
    operation = instruction.operation
    return isinstance(operation, (ControlFlowOp, Store)) or (
        isinstance(operation, Delay) and isinstance(operation.duration, expr.Expr)
    )


def has_variables(circuit: QuantumCircuit) -> bool:
    """Return whether ``circuit``, or a block in it, has a classical variable or a stretch."""
    return bool(circuit.num_identifiers) or any(
        has_variables(block)
        for instruction in circuit.data
        if instruction.is_control_flow()
        for block in instruction.operation.blocks
    )


class _Mover(expr.ExprVisitor[expr.Expr]):
    """Rebuild an expression over other bits, registers and variables."""

    def __init__(
        self,
        bits: Callable[[Clbit | ClassicalRegister], Clbit | ClassicalRegister],
        variable_of: Callable[[Variable], Variable],
    ) -> None:
        self._bits = bits
        self._variable_of = variable_of

    def visit_var(self, node: expr.Var, /) -> expr.Expr:
        if node.standalone:
            return self._variable_of(node)
        return expr.Var(self._bits(node.var), node.type)

    def visit_stretch(self, node: expr.Stretch, /) -> expr.Expr:
        return self._variable_of(node)

    def visit_value(self, node: expr.Value, /) -> expr.Expr:
        return node

    def visit_unary(self, node: expr.Unary, /) -> expr.Expr:
        return expr.Unary(node.op, node.operand.accept(self), node.type)

    def visit_binary(self, node: expr.Binary, /) -> expr.Expr:
        return expr.Binary(node.op, node.left.accept(self), node.right.accept(self), node.type)

    def visit_cast(self, node: expr.Cast, /) -> expr.Expr:
        return expr.Cast(node.operand.accept(self), node.type, implicit=node.implicit)

    def visit_index(self, node: expr.Index, /) -> expr.Expr:
        return expr.Index(node.target.accept(self), node.index.accept(self), node.type)


def empty_like(circuit: QuantumCircuit, register: QuantumRegister) -> QuantumCircuit:
    """Return a circuit on ``register`` with the classical bits, registers and variables of ``circuit``, no operations.

    Name, metadata and global phase are taken over; the layout is not.
    """
    empty = blank_circuit(
        register,
        *circuit.cregs,
        clbits=circuit.clbits,
        name=circuit.name,
        global_phase=circuit.global_phase,
        metadata=circuit.metadata,
    )
    add_variables(empty, circuit)
    return empty


def add_variables(
    circuit: QuantumCircuit, source: QuantumCircuit, variable_of: Callable[[Variable], Variable] = _itself
) -> None:
    """Declare in ``circuit`` what ``source`` declares or takes from outside: variables and stretches.

    Args:
        circuit: A circuit that the caller has just made.
        source: The circuit to follow; initial values are not among what is copied.
        variable_of: Variable of ``source`` -> that of ``circuit``.
    """
    for variable in source.iter_input_vars():
        circuit.add_input(variable_of(variable))
    for variable in source.iter_captures():
        circuit.add_capture(variable_of(variable))
    for variable in source.iter_declared_vars():
        circuit.add_uninitialized_var(variable_of(variable))
    for stretch in source.iter_declared_stretches():
        circuit.add_stretch(variable_of(stretch))


def append_all(circuit: QuantumCircuit, instructions: Iterable[CircuitInstruction]) -> None:
    """Append instructions that are known to fit ``circuit``, without the checks that make ``append`` slow.

    Args:
        circuit: A circuit that the caller has just made.
        instructions: On bits, registers and variables of the circuit, each on distinct bits.
    """
    # All in one call: `_append` takes four times as long, and none of what it does besides matters in a new circuit.
    circuit._data.extend(list(instructions))
