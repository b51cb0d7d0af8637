"""When each operation of one rigid piece starts, counted from the piece's own start.

Operations run as soon as they can, so that the last measurements are early; then whatever leaves its qubit in |0>
meanwhile (the first operations on a wire, or after a reset, with the one-qubit gates that follow them) moves as late as
the rest allows, because a qubit in |0> does not decay.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from qiskit.circuit import CircuitInstruction

from qiskit_halo.segments.resources import classical_resources
from qiskit_halo.units import round_down, round_up

Role = Literal["operation", "barrier", "reset", "delay"]

_ROLES: dict[str, Role] = {"barrier": "barrier", "reset": "reset", "delay": "delay"}


class TimedOperation(NamedTuple):
    """One operation as the scheduler sees it.

    Args:
        qubits: Indices of its qubits in the piece.
        others: Classical bits and variables it touches; anything hashable.
        duration_dt: Its length in ticks.
        role: What it does to a qubit in |0>: barriers, resets and delays leave it there, all else brings it to life.
    """

    qubits: tuple[int, ...]
    others: tuple[Hashable, ...]
    duration_dt: int
    role: Role = "operation"


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

    The piece is never longer than if every operation ran as soon as it can, and its qubits never wait longer in all
    while they are alive.

    Args:
        operations: In an order that respects their dependencies.
        num_qubits: Number of qubits of the piece.
        alignment: Every start is a multiple of this many ticks.
    """
    starts = as_soon_as_possible(operations, alignment)
    _delay_first_operations(operations, starts, alignment)
    shift = min(starts, default=0)
    starts = [start - shift for start in starts]
    durations = [duration for _, _, duration, _ in operations]
    stops = [start + duration for start, duration in zip(starts, durations, strict=True)]
    # The operations of a qubit follow each other: the first begins it, the last ends it.
    begin: dict[int, int] = {}
    end: dict[int, int] = {}
    for (qubits, _, _, _), start, stop in zip(operations, starts, stops, strict=True):
        for qubit in qubits:
            begin.setdefault(qubit, start)
            end[qubit] = stop
    return Timing(
        start_dt=tuple(starts),
        duration_dt=tuple(durations),
        length_dt=max(stops, default=0),
        busy_dt=tuple([(begin.get(qubit, 0), end.get(qubit, 0)) for qubit in range(num_qubits)]),
    )


def timed_operations(
    instructions: Sequence[CircuitInstruction], qubits: Sequence[tuple[int, ...]], durations_dt: Sequence[int]
) -> list[TimedOperation]:
    """Return what the scheduler needs to know of ``instructions``, given the qubits and length of each."""
    operations = []
    for instruction, where, duration in zip(instructions, qubits, durations_dt, strict=True):
        # Standard gates are most of a body, and touch nothing else.
        if instruction.is_standard_gate():
            operations.append(TimedOperation(where, (), duration))
        else:
            role = _ROLES.get(instruction.name, "operation")
            operations.append(TimedOperation(where, tuple(classical_resources(instruction)), duration, role))
    return operations


def as_soon_as_possible(operations: Sequence[TimedOperation], alignment: int = 1) -> list[int]:
    """Return the earliest start of each operation, a multiple of ``alignment``."""
    ready: dict[Hashable, int] = {}
    starts = []
    for qubits, others, duration, _ in operations:
        resources: tuple[Hashable, ...] = qubits + others if others else qubits
        start = 0
        for resource in resources:
            # A call of max() would take longer than all else here.
            known = ready.get(resource, 0)
            if known > start:
                start = known
        if alignment > 1:
            start = round_up(start, alignment)
        starts.append(start)
        stop = start + duration
        for resource in resources:
            ready[resource] = stop
    return starts


def _delay_first_operations(operations: Sequence[TimedOperation], starts: list[int], alignment: int) -> None:
    """Move operations later, in place, where that shortens the time that qubits wait while alive."""
    moves = movable(operations)
    next_start: dict[Hashable, int] = {}
    for index in range(len(operations) - 1, -1, -1):
        qubits, others, duration, _ = operations[index]
        resources: tuple[Hashable, ...] = qubits + others if others else qubits
        if index in moves:
            limits = [next_start[resource] for resource in resources if resource in next_start]
            if limits:
                latest = round_down(min(limits) - duration, alignment)
                starts[index] = max(starts[index], latest)
        start = starts[index]
        for resource in resources:
            next_start[resource] = start


def movable(operations: Sequence[TimedOperation]) -> dict[int, None]:
    """Return which operations start as late as what follows them lets.

    Moving an operation by one tick saves one on each qubit that it brings to life and that goes on afterwards, and
    costs one on each qubit whose life it ends; on all others it changes nothing. What costs nothing by itself, a barrier
    or an operation without qubits, moves too, so as not to be in the way of what comes before it; so do the gates of one
    qubit right after the one that brings it to life, which all move together.
    """
    saved, cost = _savings(operations)
    return dict.fromkeys(
        index
        for index, operation in enumerate(operations)
        if saved[index] > cost[index] or ((operation.role == "barrier" or not operation.qubits) and not cost[index])
    )


def _savings(operations: Sequence[TimedOperation]) -> tuple[list[int], list[int]]:
    """Return, for each operation, on how many qubits a later start saves live waiting, and on how many it costs some."""
    born = _at_the_edge(operations, range(len(operations)))
    ended = _at_the_edge(operations, range(len(operations) - 1, -1, -1))
    saved, cost = [0] * len(operations), [0] * len(operations)
    for index, qubits in born.items():
        saved[index] = sum(qubit not in ended.get(index, ()) for qubit in qubits)
    for index, qubits in ended.items():
        cost[index] = sum(qubit not in born.get(index, ()) for qubit in qubits)
    for index in _openings(operations):
        saved[index] = 1
    return saved, cost


def _openings(operations: Sequence[TimedOperation]) -> list[int]:
    """Return the operations of one live qubit before which there have been only such since it came to life."""
    found = []
    # Qubits that are alive, and whether all so far was on them alone.
    by_itself: dict[int, bool] = {}
    for index, (qubits, others, _, role) in enumerate(operations):
        if role == "reset":
            for qubit in qubits:
                by_itself.pop(qubit, None)
        elif len(qubits) == 1 and not others and role != "barrier":
            (qubit,) = qubits
            if by_itself.get(qubit):
                found.append(index)
            elif role == "operation":
                by_itself.setdefault(qubit, True)
        elif role == "operation":
            by_itself.update(dict.fromkeys(qubits, False))
    return found


def _at_the_edge(operations: Sequence[TimedOperation], order: range) -> dict[int, list[int]]:
    """Return the qubits of operations that no operation before them in ``order`` has brought to life, by operation."""
    alive: set[int] = set()
    edge = {}
    for index in order:
        qubits, _, _, role = operations[index]
        if role == "reset":
            # Neither waiting before a reset nor after it counts, so there is no reason to move one.
            alive.difference_update(qubits)
        elif not alive.issuperset(qubits):
            edge[index] = [qubit for qubit in qubits if qubit not in alive]
            if role == "operation":
                alive.update(qubits)
    return edge
