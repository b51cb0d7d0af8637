"""Classical bits, registers and variables of a circuit, all as bits of the circuit that is simulated."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from qiskit.circuit import ClassicalRegister, Clbit, QuantumCircuit
from qiskit.circuit.classical import expr, types

from qiskit_halo.errors import HaloValueError


class ClassicalResources:
    """The bits and registers of a simulated circuit, as far as they are known: mutable, one for all its blocks."""

    def __init__(self, bits: Iterable[Clbit]) -> None:
        self.bits = list(bits)
        self._registers: dict[tuple[Clbit, ...], ClassicalRegister] = {}
        self._variables: dict[expr.Var, Clbit | ClassicalRegister] = {}

    @property
    def registers(self) -> list[ClassicalRegister]:
        """Every register, in the order in which they were first named."""
        return list(self._registers.values())

    @property
    def size(self) -> int:
        """Number of bits and registers."""
        return len(self.bits) + len(self._registers)

    def register(self, bits: tuple[Clbit, ...]) -> ClassicalRegister:
        """Return the register over exactly these bits."""
        if bits not in self._registers:
            self._registers[bits] = ClassicalRegister(name=f"r{len(self._registers)}", bits=bits)
        return self._registers[bits]

    def holder(self, variable: expr.Var) -> Clbit | ClassicalRegister:
        """Return the bit or register that holds ``variable``, a new one if it has none.

        Raises:
            HaloValueError: Its type is not a truth value or an unsigned number.
        """
        if variable not in self._variables:
            kind = variable.type.kind
            if kind not in (types.Bool, types.Uint):
                raise HaloValueError(
                    f"variable {variable.name!r} is a {kind.__name__}, which cannot be simulated locally; "
                    "use Bool or Uint"
                )
            bits = tuple(Clbit() for _ in range(1 if kind is types.Bool else variable.type.width))
            self.bits.extend(bits)
            self._variables[variable] = bits[0] if kind is types.Bool else self.register(bits)
        return self._variables[variable]


class ClassicalScope:
    """What the names inside one block mean, as bits of the simulated circuit.

    Aer reads bits and registers, but its classical variables fail (an error for a truth value, an abort of the whole
    process for a number), so each variable becomes bits of its own behind those of the component.
    """

    def __init__(self, resources: ClassicalResources, bits: Mapping[Clbit, Clbit]) -> None:
        """Name the bits of one block.

        Args:
            resources: Bits and registers of the simulated circuit.
            bits: Bit of this scope -> bit of the simulated circuit.
        """
        self._resources = resources
        self._bits = bits

    def enter(self, body: QuantumCircuit, clbits: Sequence[Clbit]) -> ClassicalScope:
        """Return the scope of ``body``, whose classical bits are ``clbits`` of the simulated circuit, in order."""
        bits = {**self._bits, **dict(zip(body.clbits, clbits, strict=True))}
        return ClassicalScope(self._resources, bits)

    def clbit(self, bit: Clbit) -> Clbit:
        """Return the bit of the simulated circuit that ``bit`` means here."""
        return self._bits[bit]

    def condition(self, condition: Any) -> Any:
        """Return a condition or switch target, with every name resolved."""
        if isinstance(condition, tuple):
            left, value = condition
            return self.condition(left), value
        if isinstance(condition, Clbit):
            return self._bits[condition]
        if isinstance(condition, ClassicalRegister):
            return self._resources.register(tuple(self._bits[bit] for bit in condition))
        return self.expression(condition)

    def expression(self, node: expr.Expr) -> expr.Expr:
        """Return an expression, with every name resolved.

        Raises:
            HaloValueError: Aer cannot evaluate it.
        """
        if isinstance(node, expr.Index) and isinstance(node.index, expr.Value) and isinstance(node.target, expr.Var):
            register = self._holder(node.target)
            assert isinstance(register, ClassicalRegister)
            return expr.lift(register[node.index.value])
        if isinstance(node.type, types.Uint) and node.type.width > _WIDEST_NUMBER:
            raise HaloValueError(
                f"an expression has a number of {node.type.width} bits, and more than {_WIDEST_NUMBER} cannot be "
                "simulated locally; compare the register as a whole, as (register, value), or use a smaller one"
            )
        if isinstance(node, expr.Value):
            return node
        if isinstance(node, expr.Var):
            return expr.lift(self._holder(node))
        if isinstance(node, expr.Unary):
            return expr.Unary(node.op, self.expression(node.operand), node.type)
        if isinstance(node, expr.Cast):
            return expr.Cast(self.expression(node.operand), node.type, implicit=node.implicit)
        if isinstance(node, expr.Binary) and node.op.name not in _UNKNOWN_TO_AER:
            return expr.Binary(node.op, self.expression(node.left), self.expression(node.right), node.type)
        kind = node.op.name if isinstance(node, expr.Binary) else type(node).__name__.lower()
        raise HaloValueError(f"the classical operation {kind!r} cannot be simulated locally; compute it another way")

    def _holder(self, variable: expr.Var) -> Clbit | ClassicalRegister:
        if variable.standalone:
            return self._resources.holder(variable)
        found: Clbit | ClassicalRegister = self.condition(variable.var)
        return found


_WIDEST_NUMBER = 32
"""Aer's expressions drop higher bits without a word."""
_UNKNOWN_TO_AER = frozenset({"SHIFT_LEFT", "SHIFT_RIGHT", "ADD", "SUB", "MUL", "DIV"})
