"""How long operations take on physical qubits."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from qiskit.circuit import CircuitInstruction, ControlFlowOp, Duration, QuantumCircuit
from qiskit.circuit.classical import expr

from qiskit_halo.device.model import DeviceModel
from qiskit_halo.fragments.timing import as_soon_as_possible, timed_operations
from qiskit_halo.units import SECONDS_PER, seconds_to_dt

LOOP_ROUNDS = 8
"""Rounds that a loop of unknown length is assumed to take."""


class Durations:
    """Lengths of operations on physical qubits, in ticks.

    Where the device states no durations every operation on a qubit but a barrier takes one tick, so that times still
    order what happens.

    Args:
        device: The device.
    """

    def __init__(self, device: DeviceModel) -> None:
        self._device = device

    def of(self, instruction: CircuitInstruction, physical: Sequence[int]) -> int:
        """Return the length of ``instruction`` on ``physical`` qubits, one for each of its qubits."""
        name = instruction.name
        if name == "barrier":
            return 0
        if not self._device.has_durations:
            return 1 if physical else 0
        if name == "delay":
            delay = instruction.operation
            return self._stated(delay.duration, delay.unit)
        if instruction.is_control_flow():
            return self._control_flow(instruction.operation, physical)
        return self._device.duration_dt(name, tuple(physical))

    def of_all(
        self, instructions: Sequence[CircuitInstruction], sites: Sequence[tuple[int, ...]], physical: Sequence[int]
    ) -> list[int]:
        """Return the length of each of ``instructions``.

        Args:
            instructions: The body, in order.
            sites: Sites of each instruction.
            physical: Physical qubit of each site.
        """
        # An operation that the device states a length for takes the same each time on the same sites.
        gates = self._device.gates if self._device.has_durations else {}
        known: dict[tuple[str, tuple[int, ...]], int] = {}
        lengths = []
        for instruction, where in zip(instructions, sites, strict=True):
            name = instruction.name
            length = known.get((name, where))
            if length is None:
                length = self.of(instruction, [physical[site] for site in where])
                if name in gates:
                    known[name, where] = length
            lengths.append(length)
        return lengths

    def _stated(self, duration: object, unit: str) -> int:
        """Return the length that the user gave to a delay or box, the least where it is open."""
        if isinstance(duration, expr.Expr):
            least: float = duration.accept(_LeastTicks(self._device.dt_s))
            return max(0, round(least))
        if not isinstance(duration, (int, float)):
            return 0  # an unbound parameter
        if unit == "dt":
            return int(duration)
        return seconds_to_dt(float(duration) * SECONDS_PER[unit], self._device.dt_s)

    def _control_flow(self, operation: ControlFlowOp, physical: Sequence[int]) -> int:
        longest = max((self._block(block, physical) for block in operation.blocks), default=0)
        return int(self.of_branches(operation, np.array([longest], dtype=np.int64))[0])

    def of_branches(self, operation: ControlFlowOp, longest_dt: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Return the length of ``operation`` whose longest block takes ``longest_dt``, an array of any shape."""
        if operation.name == "box":
            stated = 0 if operation.duration is None else self._stated(operation.duration, operation.unit)
            return np.maximum(longest_dt, stated)
        return seconds_to_dt(self._device.feed_forward_s, self._device.dt_s) + rounds_of(operation) * longest_dt

    def _block(self, block: QuantumCircuit, physical: Sequence[int]) -> int:
        index = {qubit: i for i, qubit in enumerate(block.qubits)}
        qubits = [tuple(index[q] for q in instruction.qubits) for instruction in block.data]
        lengths = [self.of(i, [physical[q] for q in where]) for i, where in zip(block.data, qubits, strict=True)]
        operations = timed_operations(block.data, qubits, lengths)
        starts = as_soon_as_possible(operations)
        return max((s + o.duration_dt for s, o in zip(starts, operations, strict=True)), default=0)


def rounds_of(operation: ControlFlowOp) -> int:
    """Return how many times the blocks of ``operation`` run, a guess for a loop of unknown length."""
    if operation.name == "for_loop":
        return len(operation.params[0])
    return LOOP_ROUNDS if operation.name == "while_loop" else 1


class _LeastTicks(expr.ExprVisitor[float]):
    """The value of a duration expression in ticks, with every stretch as short as it may be."""

    def __init__(self, dt_s: float) -> None:
        self._dt_s = dt_s

    def visit_generic(self, node: expr.Expr, /) -> float:
        return 0.0

    def visit_value(self, node: expr.Value, /) -> float:
        if not isinstance(node.value, Duration):
            return float(node.value)
        unit, value = node.value.unit(), node.value.value()
        return float(value) if unit == "dt" else value * SECONDS_PER[unit] / self._dt_s

    def visit_cast(self, node: expr.Cast, /) -> float:
        value: float = node.operand.accept(self)
        return value

    def visit_binary(self, node: expr.Binary, /) -> float:
        left: float = node.left.accept(self)
        right: float = node.right.accept(self)
        if node.op == expr.Binary.Op.ADD:
            return left + right
        if node.op == expr.Binary.Op.SUB:
            return left - right
        if node.op == expr.Binary.Op.MUL:
            return left * right
        if node.op == expr.Binary.Op.DIV:
            return left / right if right else 0.0
        return 0.0
