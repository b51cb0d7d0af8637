"""When each operation of one rigid piece starts, counted from the piece's own start.

Operations run as soon as they can, so that the last measurements are early; then whatever leaves its qubit in |0>
meanwhile (the first operations on a wire) moves as late as the rest allows, because a qubit in |0> does not decay.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from qiskit.circuit import CircuitInstruction, ControlFlowOp, QuantumCircuit
from qiskit.circuit.classical import expr

from qiskit_halo.device.model import DeviceModel
from qiskit_halo.segments.resources import classical_resources
from qiskit_halo.units import SECONDS_PER, round_down, round_up, seconds_to_dt

FEED_FORWARD_S = 0.7e-6
"""Assumed latency between a measurement and an operation that depends on it inside a shot."""

LOOP_ROUNDS = 8
"""Rounds that a loop of unknown length is assumed to take."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TimedOperation:
    """One operation as the scheduler sees it.

    Args:
        qubits: Indices of its qubits in the piece.
        others: Classical bits and variables it touches; anything hashable.
        duration_dt: Its length in ticks.
    """

    qubits: tuple[int, ...]
    others: tuple[Hashable, ...]
    duration_dt: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """Start times of a piece.

    Args:
        start_dt: Start of each operation, in the order given, from the start of the piece.
        duration_dt: Length of each operation.
        length_dt: End of the last operation.
        busy_dt: For each qubit of the piece, the half-open interval from its first to its last operation.
    """

    start_dt: tuple[int, ...]
    duration_dt: tuple[int, ...]
    length_dt: int
    busy_dt: tuple[tuple[int, int], ...]


def schedule(operations: Sequence[TimedOperation], num_qubits: int, alignment: int = 1) -> Timing:
    """Return start times that keep the given order on every qubit and classical resource.

    Args:
        operations: In an order that respects their dependencies.
        num_qubits: Number of qubits of the piece.
        alignment: Every start is a multiple of this many ticks.
    """
    starts = _as_soon_as_possible(operations, alignment)
    _delay_first_operations(operations, starts, alignment)
    busy: list[tuple[int, int] | None] = [None] * num_qubits
    for operation, start in zip(operations, starts, strict=True):
        stop = start + operation.duration_dt
        for qubit in operation.qubits:
            span = busy[qubit]
            busy[qubit] = (start, stop) if span is None else (min(span[0], start), max(span[1], stop))
    shift = min((span[0] for span in busy if span is not None), default=0)
    shift = round_down(shift, alignment)
    spans = tuple((0, 0) if span is None else (span[0] - shift, span[1] - shift) for span in busy)
    return Timing(
        start_dt=tuple(max(0, start - shift) for start in starts),
        duration_dt=tuple(operation.duration_dt for operation in operations),
        length_dt=max((stop for _, stop in spans), default=0),
        busy_dt=spans,
    )


def timed_operations(
    instructions: Sequence[CircuitInstruction], qubits: Sequence[tuple[int, ...]], durations_dt: Sequence[int]
) -> list[TimedOperation]:
    """Return what the scheduler needs to know of ``instructions``, given the qubits and length of each."""
    return [
        TimedOperation(qubits=where, others=tuple(classical_resources(instruction)), duration_dt=duration)
        for instruction, where, duration in zip(instructions, qubits, durations_dt, strict=True)
    ]


class Durations:
    """Lengths of operations on physical qubits, in ticks.

    Where the device states no durations every operation but a barrier takes one tick, so that times still order
    what happens.

    Args:
        device: The device.
    """

    def __init__(self, device: DeviceModel) -> None:
        self._device = device

    def of(self, instruction: CircuitInstruction, physical: Sequence[int]) -> int:
        """Return the length of ``instruction`` on ``physical`` qubits, one for each of its qubits."""
        operation = instruction.operation
        name = operation.name
        if name == "barrier":
            return 0
        if not self._device.has_durations:
            return 1
        if name == "delay":
            return self._delay(operation.duration, operation.unit)
        if isinstance(operation, ControlFlowOp):
            return self._control_flow(operation, physical)
        return self._device.duration_dt(name, tuple(physical))

    def _delay(self, duration: object, unit: str) -> int:
        if isinstance(duration, expr.Expr) or not isinstance(duration, (int, float)):
            # A stretch is as short as it may be; an unbound parameter is not known yet.
            return 0
        if unit == "dt":
            return int(duration)
        return seconds_to_dt(float(duration) * SECONDS_PER[unit], self._device.dt_s)

    def _control_flow(self, operation: ControlFlowOp, physical: Sequence[int]) -> int:
        longest = max((self._block(block, physical) for block in operation.blocks), default=0)
        rounds = 1
        if operation.name == "for_loop":
            rounds = len(tuple(operation.params[0]))
        elif operation.name == "while_loop":
            rounds = LOOP_ROUNDS
        latency = 0 if operation.name == "box" else seconds_to_dt(FEED_FORWARD_S, self._device.dt_s)
        return latency + rounds * longest

    def _block(self, block: QuantumCircuit, physical: Sequence[int]) -> int:
        index = {qubit: i for i, qubit in enumerate(block.qubits)}
        qubits = [tuple(index[q] for q in instruction.qubits) for instruction in block.data]
        lengths = [self.of(i, [physical[q] for q in where]) for i, where in zip(block.data, qubits, strict=True)]
        operations = timed_operations(block.data, qubits, lengths)
        return max(
            (s + o.duration_dt for s, o in zip(_as_soon_as_possible(operations, 1), operations, strict=True)),
            default=0,
        )


def _as_soon_as_possible(operations: Sequence[TimedOperation], alignment: int) -> list[int]:
    ready: dict[Hashable, int] = {}
    starts = []
    for operation in operations:
        resources = (*operation.qubits, *operation.others)
        start = round_up(max((ready.get(resource, 0) for resource in resources), default=0), alignment)
        starts.append(start)
        for resource in resources:
            ready[resource] = start + operation.duration_dt
    return starts


def _delay_first_operations(operations: Sequence[TimedOperation], starts: list[int], alignment: int) -> None:
    """Move operations later, in place, where that shortens the time that qubits wait while alive.

    Moving an operation by one tick saves one on each qubit that it is the first to use and that goes on
    afterwards, and costs one on each qubit that it is the last to use; on all others it changes nothing.
    """
    first = _first_users(operations)
    next_start: dict[Hashable, int] = {}
    for index in range(len(operations) - 1, -1, -1):
        operation = operations[index]
        resources = (*operation.qubits, *operation.others)
        limits = [next_start[resource] for resource in resources if resource in next_start]
        saved = sum(1 for q in operation.qubits if first[q] == index and q in next_start)
        cost = sum(1 for q in operation.qubits if first[q] != index and q not in next_start)
        if limits and saved > cost:
            latest = round_down(min(limits) - operation.duration_dt, alignment)
            starts[index] = max(starts[index], latest)
        for resource in resources:
            next_start[resource] = starts[index]


def _first_users(operations: Sequence[TimedOperation]) -> dict[int, int]:
    first: dict[int, int] = {}
    for index, operation in enumerate(operations):
        for qubit in operation.qubits:
            first.setdefault(qubit, index)
    return first
