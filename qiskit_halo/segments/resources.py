"""What an instruction touches besides its qubits: classical bits and classical variables."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

from qiskit.circuit import CircuitInstruction, ClassicalRegister, Clbit, ControlFlowOp, Store
from qiskit.circuit.classical import expr

ClassicalResource: TypeAlias = Clbit | expr.Var | expr.Stretch


def classical_resources(instruction: CircuitInstruction) -> dict[ClassicalResource, None]:
    """Return the clbits, variables and stretches that ``instruction`` reads or writes, in a fixed order.

    Conditions and expressions of nested blocks count. The dictionary is an ordered set.
    """
    found: dict[ClassicalResource, None] = dict.fromkeys(instruction.clbits)
    # Most of a circuit is plain operations: do not build their Python objects.
    name = instruction.name
    if name == "delay":
        for duration in instruction.params:
            if isinstance(duration, expr.Expr):
                _add_expression(duration, found)
        return found
    if name != "store" and not instruction.is_control_flow():
        return found
    operation = instruction.operation
    if isinstance(operation, ControlFlowOp):
        # Bits of a block are its own: those it shares with the outside are in `instruction.clbits`.
        _add_condition(operation, found)
        for block in operation.blocks:
            found.update(dict.fromkeys(block.iter_captures()))
    elif isinstance(operation, Store):
        _add_expression(operation.lvalue, found)
        _add_expression(operation.rvalue, found)
    return found


def _conditions(operation: ControlFlowOp) -> Iterator[Clbit | ClassicalRegister | expr.Expr]:
    condition = getattr(operation, "condition", None)
    if condition is not None:
        yield condition[0] if isinstance(condition, tuple) else condition
    target = getattr(operation, "target", None)
    if target is not None:
        yield target
    duration = getattr(operation, "duration", None)
    if isinstance(duration, expr.Expr):
        yield duration


def _add_condition(operation: ControlFlowOp, found: dict[ClassicalResource, None]) -> None:
    for node in _conditions(operation):
        if isinstance(node, Clbit):
            found[node] = None
        elif isinstance(node, ClassicalRegister):
            found.update(dict.fromkeys(node))
        else:
            _add_expression(node, found)


def _add_expression(node: expr.Expr, found: dict[ClassicalResource, None]) -> None:
    for identifier in expr.iter_identifiers(node):
        if isinstance(identifier, expr.Var) and isinstance(identifier.var, Clbit):
            found[identifier.var] = None
        elif isinstance(identifier, expr.Var) and isinstance(identifier.var, ClassicalRegister):
            found.update(dict.fromkeys(identifier.var))
        else:
            found[identifier] = None
