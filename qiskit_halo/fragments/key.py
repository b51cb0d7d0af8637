"""A key that is equal for circuits of equal structure, whatever their names, bits and objects."""

from __future__ import annotations

import hashlib
from collections.abc import Hashable, Mapping

import numpy as np
from qiskit.circuit import (
    AnnotatedOperation,
    BoxOp,
    CircuitInstruction,
    ClassicalRegister,
    Clbit,
    ControlFlowOp,
    Duration,
    ForLoopOp,
    IfElseOp,
    Instruction,
    Operation,
    ParameterExpression,
    QuantumCircuit,
    Store,
    SwitchCaseOp,
    WhileLoopOp,
)
from qiskit.circuit.classical import expr

_PLAIN = (bool, int, float, complex, str, type(None), range, tuple, np.generic, Duration)
"""Types whose ``repr`` says everything about a value."""


_LOCAL = "local:"


def structure_key(circuit: QuantumCircuit) -> str:
    """Return a digest of everything in ``circuit`` that its compiled form can depend on.

    Qubits and clbits count by position, gates by name, parameters and, where they are not Qiskit's own, by
    definition. Literal angles belong to the key to the last bit; unbound parameters count by name. See also
    :func:`is_portable`.
    """
    writer = TokenWriter()
    token = writer.circuit(circuit)
    digest = hashlib.sha256(repr(token).encode()).hexdigest()
    return digest if writer.portable else _LOCAL + digest


def is_portable(key: str) -> bool:
    """Return whether ``key`` means the same later and in other processes.

    It does not if the circuit holds an object that can be told from others by its identity alone.
    """
    return not key.startswith(_LOCAL)


class TokenWriter:
    """Writes circuits, instructions and expressions as nested tuples of plain values.

    How bits, variables and symbols are told apart is for subclasses to change.
    """

    def __init__(self) -> None:
        self.portable = True

    def bit(self, bit: Clbit, clbits: Mapping[Clbit, int]) -> Hashable:
        """Return what stands for a classical bit inside a condition or expression."""
        return clbits.get(bit)

    def variable(self, variable: expr.Var | expr.Stretch) -> Hashable:
        """Return what stands for a variable or stretch."""
        name: str = variable.name
        return name

    def symbolic(self, value: ParameterExpression) -> Hashable:
        """Return what stands for an expression of parameters."""
        return str(value)  # writes numbers to the last bit; its repr is an address

    def circuit(self, circuit: QuantumCircuit) -> Hashable:
        """Return a whole circuit, bits by position."""
        qubits = {bit: index for index, bit in enumerate(circuit.qubits)}
        clbits = {bit: index for index, bit in enumerate(circuit.clbits)}
        return (
            circuit.num_qubits,
            circuit.num_clbits,
            self.value(circuit.global_phase),
            tuple(
                (
                    self.instruction(instruction, clbits),
                    tuple(qubits[bit] for bit in instruction.qubits),
                    tuple(clbits[bit] for bit in instruction.clbits),
                )
                for instruction in circuit.data
            ),
        )

    def instruction(self, instruction: CircuitInstruction, clbits: Mapping[Clbit, int]) -> Hashable:
        """Return an instruction without the bits that it acts on."""
        if instruction.is_standard_gate():  # one with an open control is not
            return (instruction.name, instruction.label, tuple(self.value(p) for p in instruction.params))
        operation = instruction.operation
        if isinstance(operation, ControlFlowOp):
            blocks = tuple(self.circuit(block) for block in operation.blocks)
            return (*self.control_flow(operation, clbits), blocks)
        if isinstance(operation, Store):
            return ("store", self.classical(operation.lvalue, clbits), self.classical(operation.rvalue, clbits))
        return self._operation(operation)

    def control_flow(self, operation: ControlFlowOp, clbits: Mapping[Clbit, int]) -> tuple[str, str | None, Hashable]:
        """Return a control-flow operation without its blocks."""
        own: Hashable = None
        if isinstance(operation, (IfElseOp, WhileLoopOp)):
            own = self.classical(operation.condition, clbits)
        elif isinstance(operation, SwitchCaseOp):
            # Which labels lead to which block, not the labels alone: blocks are told apart by their place here.
            labels = tuple(tuple(map(repr, values)) for values, _ in operation.cases_specifier())
            own = (self.classical(operation.target, clbits), labels)
        elif isinstance(operation, ForLoopOp):
            indices, loop, _ = operation.params
            own = (repr(indices), self.value(loop))
        elif isinstance(operation, BoxOp):
            # Nothing is known of an annotation but that it is this one.
            self.portable &= not operation.annotations
            own = (self.value(operation.duration), operation.unit, tuple(map(id, operation.annotations)))
        return (operation.name, operation.label, own)

    def _operation(self, operation: Operation) -> Hashable:
        if isinstance(operation, AnnotatedOperation):
            return (operation.name, repr(operation.modifiers), self._operation(operation.base_op))
        own = (
            operation.name,
            type(operation).__qualname__,
            operation.num_qubits,
            getattr(operation, "ctrl_state", None),
            getattr(operation, "label", None),
            getattr(operation, "unit", None),
        )
        if not isinstance(operation, Instruction):
            # Nothing to compare by: equal only to itself.
            self.portable = False
            return (*own, id(operation))
        params = tuple(self.value(p) for p in operation.params)
        if operation.name == "unitary" or operation.definition is None:
            # A matrix says it all, and its definition is a synthesis.
            return (*own, params)
        return (*own, params, self.circuit(operation.definition))

    def value(self, value: object) -> Hashable:
        """Return a parameter of an operation."""
        if isinstance(value, np.ndarray):
            return (value.shape, str(value.dtype), value.tobytes())
        if isinstance(value, ParameterExpression):
            return self.symbolic(value)
        if isinstance(value, expr.Expr):
            return self.classical(value, {})
        if isinstance(value, QuantumCircuit):
            return self.circuit(value)
        self.portable &= isinstance(value, _PLAIN)
        return repr(value)

    def classical(self, value: object, clbits: Mapping[Clbit, int]) -> Hashable:
        """Return a condition or expression."""
        if isinstance(value, tuple):
            return tuple(self.classical(item, clbits) for item in value)
        if isinstance(value, Clbit):
            return ("bit", self.bit(value, clbits))
        if isinstance(value, ClassicalRegister):
            return ("bits", tuple(self.bit(bit, clbits) for bit in value))
        if isinstance(value, expr.Var):
            inner = self.variable(value) if value.standalone else self.classical(value.var, clbits)
            return ("var", inner, repr(value.type))
        if isinstance(value, expr.Stretch):
            return ("stretch", self.variable(value))
        if isinstance(value, expr.Expr):
            fields = [getattr(value, name, None) for name in ("op", "operand", "left", "right", "target", "index")]
            # The type counts: a cast is told from another by it alone.
            return (
                type(value).__name__,
                repr(value.type),
                repr(getattr(value, "value", None)),
                tuple(self.classical(field, clbits) for field in fields),
            )
        return repr(value)
