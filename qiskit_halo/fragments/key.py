"""A key that is equal for circuits of equal structure, whatever their names, bits and objects."""

from __future__ import annotations

import hashlib
from collections.abc import Hashable

import numpy as np
from qiskit.circuit import (
    CircuitInstruction,
    ClassicalRegister,
    Clbit,
    ControlFlowOp,
    ParameterExpression,
    QuantumCircuit,
    Store,
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
        return (instruction.name, tuple(_value_token(p) for p in instruction.params))
    operation = instruction.operation
    if isinstance(operation, ControlFlowOp):
        return (
            operation.name,
            _classical_token(getattr(operation, "condition", None), clbits),
            _classical_token(getattr(operation, "target", None), clbits),
            repr(operation.params[:2]) if operation.name == "for_loop" else None,
            repr(tuple(operation.cases())) if operation.name == "switch_case" else None,
            _value_token(getattr(operation, "duration", None)),
            tuple(_circuit_token(block) for block in operation.blocks),
        )
    if isinstance(operation, Store):
        return ("store", _classical_token(operation.lvalue, clbits), _classical_token(operation.rvalue, clbits))
    own = (
        operation.name,
        type(operation).__qualname__,
        operation.num_qubits,
        getattr(operation, "ctrl_state", None),
        getattr(operation, "label", None),
        getattr(operation, "unit", None),
    )
    if instruction.is_standard_gate() or operation.name in ("measure", "reset", "barrier", "delay"):
        duration = operation.duration if operation.name == "delay" else None
        return (*own, _value_token(duration), tuple(_value_token(p) for p in instruction.params))
    params = getattr(operation, "params", None)
    definition = getattr(operation, "definition", None)
    if definition is None and params is None:
        # Nothing to compare by: equal only to itself.
        return (*own, "object", id(operation))
    return (
        *own,
        tuple(_value_token(p) for p in params or ()),
        None if definition is None else _circuit_token(definition),
    )


def _value_token(value: object) -> Hashable:
    if isinstance(value, np.ndarray):
        return (value.shape, str(value.dtype), value.tobytes())
    if isinstance(value, ParameterExpression):
        return str(value)
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
        return (type(value).__name__, name, repr(stated), tuple(_classical_token(f, clbits) for f in fields))
    return repr(value)
