"""Whose turn it is: the order in which pieces take the qubits that they share."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One rigid piece that wants its qubits, all together or not at all.

    Args:
        owners: Programs it belongs to; empty if anonymous.
        qubits: Physical qubits, ascending.
        busy_dt: For each of them, its first and last tick (half-open) from the start of the piece.
        length_dt: Length of the piece.
    """

    owners: tuple[int, ...]
    qubits: tuple[int, ...]
    busy_dt: tuple[tuple[int, int], ...]
    length_dt: int


def in_given_order(turns: Sequence[Turn]) -> list[int]:
    """Return the turns as they stand."""
    return list(range(len(turns)))


def round_robin(turns: Sequence[Turn]) -> list[int]:
    """Return the turns such that every program has its n-th before any has its (n+1)-th.

    Within a round, programs go in the order of their first turn. A turn takes all its qubits at once and is never
    interrupted, so there is nothing to deadlock on: whatever the order, the first turn left can always run once
    those before it have ended, and every round ends with each program that has turns left one turn further.
    """
    queues: dict[object, deque[int]] = {}
    for index, turn in enumerate(turns):
        # Anonymous pieces are programs of their own: nobody can tell which belong together.
        queues.setdefault(turn.owners or ("anonymous", index), deque()).append(index)
    order: list[int] = []
    while queues:
        order += [queue.popleft() for queue in queues.values()]
        queues = {owner: queue for owner, queue in queues.items() if queue}
    return order
