"""When the qubits of a fragment are taken, in slots, for places with like times together."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from qiskit_halo.placement.candidates import IntArray, ShapeCandidates

SLOTS_PER_LEASE = 24
"""Slots that a middling lease takes, resets included: finer costs time, coarser wastes some of every lease."""

MOST_SLOTS = 4096
"""Slots that the longest piece takes at most. Beside one of a hundred times the usual length others need no fine time."""

MOST_GROUPS = 2
"""Groups of places; within one, all are taken to last as long as the longest."""

_MOST_CODES = 2**62


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowGroup:
    """Places that take the same slots.

    Args:
        holds: bool, shape (num_places,): which places of the part they are.
        spans: For each site, the slots that are taken, from the start of the piece: hand-over resets before it included,
            so that the first may be negative.
        length: Slots from the start of the piece to its end.
    """

    holds: npt.NDArray[np.bool_]
    spans: tuple[tuple[int, int], ...]
    length: int


def slot_length_dt(lengths_dt: Sequence[int], handover_dt: IntArray, alignment: int) -> int:
    """Return the ticks of one slot for pieces of these lengths, a multiple of ``alignment``."""
    middling = (float(np.median(lengths_dt)) if lengths_dt else 0.0) + float(np.median(handover_dt))
    longest = max(lengths_dt, default=0)
    return max(1, round(middling / SLOTS_PER_LEASE / alignment), -(-longest // (MOST_SLOTS * alignment))) * alignment


def slot_spans(
    busy_start_dt: IntArray, busy_stop_dt: IntArray, handover_dt: IntArray, slot_dt: int
) -> tuple[IntArray, IntArray]:
    """Return the first slot of each lease, resets before it included, and the one after its last, rounded outwards.

    All arrays have the same shape. A lease takes one slot at least: nothing else may run where a qubit is held for an
    operation that takes no time.
    """
    first = (busy_start_dt - handover_dt) // slot_dt
    return first, np.maximum(-(-busy_stop_dt // slot_dt), first + 1)


def slot_windows(shape: ShapeCandidates, handover_dt: IntArray, slot_dt: int) -> tuple[WindowGroup, ...]:
    """Return what the places of ``shape`` take, in slots of ``slot_dt`` ticks, rounded outwards.

    Args:
        shape: The places.
        handover_dt: Ticks of the resets before a lease of each qubit.
        slot_dt: Ticks of one slot.
    """
    starts, stops = slot_spans(shape.busy_start_dt, shape.busy_stop_dt, handover_dt[shape.places], slot_dt)
    lengths = -(-shape.length_dt // slot_dt)
    num_distinct, rank = _ranks(np.column_stack([lengths, starts, stops]))
    num_groups = min(num_distinct, MOST_GROUPS)
    # Sorted by length: like with like.
    group_of = rank * num_groups // max(1, num_distinct)
    groups = []
    for number in range(num_groups):
        holds = group_of == number
        begin, end = starts[holds].min(axis=0).tolist(), stops[holds].max(axis=0).tolist()
        spans = tuple(zip(begin, end, strict=True))
        groups.append(WindowGroup(holds=holds, spans=spans, length=int(lengths[holds].max())))
    return tuple(groups)


def _ranks(rows: IntArray) -> tuple[int, IntArray]:
    """Return how many distinct rows there are, and for each row how many of them come before it.

    As ``numpy.unique`` with ``axis=0``, which compares rows number by number and takes longer than all else that is done for a
    place: here each row becomes one number.
    """
    if not len(rows):
        return 0, np.zeros(0, dtype=np.int64)
    digits = rows - rows.min(axis=0)
    bases: list[int] = (digits.max(axis=0) + 1).tolist()
    if math.prod(bases) > _MOST_CODES and len(bases) > 1:
        half = len(bases) // 2
        (_, left), (num_right, right) = _ranks(rows[:, :half]), _ranks(rows[:, half:])
        code = left * num_right + right
    else:
        code = digits @ np.cumprod([1, *bases[:0:-1]])[::-1]
    distinct, rank = np.unique(code, return_inverse=True)
    return len(distinct), rank


class Windows:
    """What the places of parts take, found once for each part.

    Args:
        handover_dt: Ticks of the resets before a lease of each qubit.
        slot_dt: Ticks of one slot.
    """

    def __init__(self, handover_dt: IntArray, slot_dt: int) -> None:
        self._handover_dt = handover_dt
        self._slot_dt = slot_dt
        self._known: dict[ShapeCandidates, tuple[WindowGroup, ...]] = {}

    def of(self, shape: ShapeCandidates) -> tuple[WindowGroup, ...]:
        """Return the result of :func:`slot_windows`."""
        if shape not in self._known:
            self._known[shape] = slot_windows(shape, self._handover_dt, self._slot_dt)
        return self._known[shape]

    def longest(self, shape: ShapeCandidates) -> int:
        """Return the most slots from the start of a piece to its end, over all its places; 0 without places."""
        return max((group.length for group in self.of(shape)), default=0)
