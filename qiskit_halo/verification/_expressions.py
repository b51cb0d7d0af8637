"""Classical expressions and conditions: what they read, and their value.

The values follow OpenQASM 3: unsigned integers wrap at their width, and casts to a narrower width drop the
high bits.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable
from typing import Any, Protocol

from qiskit.circuit import ClassicalRegister, Clbit
from qiskit.circuit.classical import expr, types

from qiskit_halo.errors import HaloValueError

Condition = tuple[Clbit, bool] | tuple[ClassicalRegister, int] | expr.Expr
Value = bool | int | float


class Environment(Protocol):
    """The classical values that an expression sees."""

    def clbit(self, bit: Clbit) -> bool:
        """Return the value of one bit."""

    def variable(self, var: expr.Var) -> Value:
        """Return the value of one variable."""


def identifiers(target: Any) -> tuple[list[Clbit], list[expr.Var]]:
    """Return the clbits and the variables that a condition, switch target or expression mentions."""
    if isinstance(target, tuple):
        target = target[0]
    if isinstance(target, Clbit):
        return [target], []
    if isinstance(target, ClassicalRegister):
        return list(target), []
    clbits: list[Clbit] = []
    variables: list[expr.Var] = []
    for var in expr.iter_vars(target):
        if var.standalone:
            variables.append(var)
        else:
            clbits.extend([var.var] if isinstance(var.var, Clbit) else var.var)
    return clbits, variables


def evaluate_condition(condition: Any, environment: Environment) -> Value:
    """Return the value of a condition (pair or expression) or of a switch target (bit, register, expression)."""
    if isinstance(condition, tuple):
        target, expected = condition
        return _read(target, environment) == int(expected)
    if isinstance(condition, (Clbit, ClassicalRegister)):
        return _read(condition, environment)
    return evaluate(condition, environment)


def evaluate(node: expr.Expr, environment: Environment) -> Value:
    """Return the value of a classical expression.

    Raises:
        HaloValueError: The expression divides by zero or needs a time (a duration or stretch), whose value
            only a scheduler knows.
    """
    if isinstance(node, expr.Value):
        if isinstance(node.value, (bool, int, float)):
            return node.value
        raise HaloValueError(f"the expression {node} compares durations, which have no value before scheduling")
    if isinstance(node, expr.Var):
        return environment.variable(node) if node.standalone else _typed(_read(node.var, environment), node.type)
    if isinstance(node, expr.Cast):
        return _cast(evaluate(node.operand, environment), node.type)
    if isinstance(node, expr.Unary):
        return _unary(node, evaluate(node.operand, environment))
    if isinstance(node, expr.Binary):
        return _binary(node, evaluate(node.left, environment), lambda: evaluate(node.right, environment))
    if isinstance(node, expr.Index):
        value = int(evaluate(node.target, environment))
        return bool(value >> int(evaluate(node.index, environment)) & 1)
    raise HaloValueError(f"the classical expression {node} has no value that can be computed before scheduling")


def _read(target: Clbit | ClassicalRegister, environment: Environment) -> int:
    bits: Iterable[Clbit] = [target] if isinstance(target, Clbit) else target
    return sum(environment.clbit(bit) << place for place, bit in enumerate(bits))


def _typed(value: int, kind: types.Type) -> Value:
    return bool(value) if isinstance(kind, types.Bool) else value


def _cast(value: Value, kind: types.Type) -> Value:
    if isinstance(kind, types.Bool):
        return bool(value)
    if isinstance(kind, types.Float):
        return float(value)
    return _wrap(int(value), kind)


def _wrap(value: Value, kind: types.Type) -> Value:
    return int(value) & ((1 << kind.width) - 1) if isinstance(kind, types.Uint) else value


def _unary(node: expr.Unary, value: Value) -> Value:
    if node.op is expr.Unary.Op.LOGIC_NOT:
        return not value
    if node.op is expr.Unary.Op.NEGATE:
        return _wrap(-value, node.type)
    if isinstance(node.type, types.Bool):
        return not value
    return _wrap(~int(value), node.type)


_BINARY: dict[Any, Callable[[Any, Any], Any]] = {
    expr.Binary.Op.BIT_AND: operator.and_,
    expr.Binary.Op.BIT_OR: operator.or_,
    expr.Binary.Op.BIT_XOR: operator.xor,
    expr.Binary.Op.EQUAL: operator.eq,
    expr.Binary.Op.NOT_EQUAL: operator.ne,
    expr.Binary.Op.LESS: operator.lt,
    expr.Binary.Op.LESS_EQUAL: operator.le,
    expr.Binary.Op.GREATER: operator.gt,
    expr.Binary.Op.GREATER_EQUAL: operator.ge,
    expr.Binary.Op.SHIFT_LEFT: operator.lshift,
    expr.Binary.Op.SHIFT_RIGHT: operator.rshift,
    expr.Binary.Op.ADD: operator.add,
    expr.Binary.Op.SUB: operator.sub,
    expr.Binary.Op.MUL: operator.mul,
}


def _binary(node: expr.Binary, left: Value, right: Callable[[], Value]) -> Value:
    if node.op is expr.Binary.Op.LOGIC_AND:
        return bool(left) and bool(right())
    if node.op is expr.Binary.Op.LOGIC_OR:
        return bool(left) or bool(right())
    if node.op is expr.Binary.Op.DIV:
        divisor = right()
        if divisor == 0:
            raise HaloValueError(f"the classical expression {node} divides by zero")
        return left / divisor if isinstance(node.type, types.Float) else int(left) // int(divisor)
    return _wrap(_BINARY[node.op](left, right()), node.type)
