"""A key that is equal for circuits of equal structure, whatever their names, bits and objects."""

from __future__ import annotations

import hashlib
from collections.abc import Hashable

import numpy as np
from qiskit.circuit import (
    AnnotatedOperation,
    BoxOp,
    CircuitInstruction,
    ClassicalRegister,
    Clbit,
    ControlFlowOp,
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


def structure_key(circuit: QuantumCircuit) -> str:
    """Return a digest of everything in ``circuit`` that its compiled form can depend on.

    Qubits and clbits count by position, gates by name, parameters and, where they are not Qiskit's own, by
    definition. Literal angles belong to the key to the last bit; unbound parameters count by name.
    """
    return hashlib.sha256(repr(_circuit_token(circuit)).encode()).hexdigest()


def _circuit_token(circuit: QuantumCircuit) -> Hashable:
    qubits = {bit: index for index, bit in enumerate(circuit.qubits)}
    clbits = {bit: index for index, bit in enumerate(circuit.clbits)}
    return (
        circuit.num_qubits,
        circuit.num_clbits,
        _value_token(circuit.global_phase),
        tuple(
            (
                _instruction_token(instruction, clbits),
                tuple(qubits[bit] for bit in instruction.qubits),
                tuple(clbits[bit] for bit in instruction.clbits),
            )
            for instruction in circuit.data
        ),
    )


def _instruction_token(instruction: CircuitInstruction, clbits: dict[Clbit, int]) -> Hashable:
    if instruction.is_standard_gate() and not instruction.is_controlled_gate():
        return (instruction.name, instruction.label, tuple(_value_token(p) for p in instruction.params))
    operation = instruction.operation
    if isinstance(operation, ControlFlowOp):
        return _control_flow_token(operation, clbits)
    if isinstance(operation, Store):
        return ("store", _classical_token(operation.lvalue, clbits), _classical_token(operation.rvalue, clbits))
    return _operation_token(operation)


def _control_flow_token(operation: ControlFlowOp, clbits: dict[Clbit, int]) -> Hashable:
    own: Hashable = None
    if isinstance(operation, (IfElseOp, WhileLoopOp)):
        own = _classical_token(operation.condition, clbits)
    elif isinstance(operation, SwitchCaseOp):
        # Which labels lead to which block, not the labels alone: blocks are told apart by their place here.
        labels = tuple(tuple(map(repr, values)) for values, _ in operation.cases_specifier())
        own = (_classical_token(operation.target, clbits), labels)
    elif isinstance(operation, ForLoopOp):
        indices, loop_parameter, _ = operation.params
        own = (repr(indices), _value_token(loop_parameter))
    elif isinstance(operation, BoxOp):
        # Nothing is known of an annotation but that it is this one.
        own = (_value_token(operation.duration), operation.unit, tuple(map(id, operation.annotations)))
    return (operation.name, operation.label, own, tuple(_circuit_token(block) for block in operation.blocks))


def _operation_token(operation: Operation) -> Hashable:
    if isinstance(operation, AnnotatedOperation):
        return (operation.name, repr(operation.modifiers), _operation_token(operation.base_op))
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
        return (*own, id(operation))
    params = tuple(_value_token(p) for p in operation.params)
    if operation.name == "unitary" or operation.definition is None:
        # A matrix says it all, and its definition is a synthesis.
        return (*own, params)
    return (*own, params, _circuit_token(operation.definition))


def _value_token(value: object) -> Hashable:
    if isinstance(value, np.ndarray):
        return (value.shape, str(value.dtype), value.tobytes())
    if isinstance(value, ParameterExpression):
        return str(value)  # writes numbers to the last bit; its repr is an address
    if isinstance(value, expr.Expr):
        return _classical_token(value, {})
    if isinstance(value, QuantumCircuit):
        return _circuit_token(value)
    return repr(value)


def _classical_token(value: object, clbits: dict[Clbit, int]) -> Hashable:
    """Return a condition or expression with bits by position, variables by (canonical) name."""
    if isinstance(value, tuple):
        return tuple(_classical_token(item, clbits) for item in value)
    if isinstance(value, Clbit):
        return ("bit", clbits.get(value))
    if isinstance(value, ClassicalRegister):
        return ("bits", tuple(clbits.get(bit) for bit in value))
    if isinstance(value, expr.Var):
        inner = value.name if value.standalone else _classical_token(value.var, clbits)
        return ("var", inner, repr(value.type))
    if isinstance(value, expr.Expr):
        fields = [getattr(value, name, None) for name in ("op", "operand", "left", "right", "target", "index")]
        stated = getattr(value, "value", None)
        name = getattr(value, "name", None)
        # The type counts: a cast is told from another by it alone.
        return (
            type(value).__name__,
            repr(value.type),
            name,
            repr(stated),
            tuple(_classical_token(f, clbits) for f in fields),
        )
    return repr(value)
