"""When the qubits of a fragment are taken, in slots, for places with like times together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from qiskit_halo.placement.candidates import IntArray, ShapeCandidates

MOST_GROUPS = 2
"""Groups of places; within one, all are taken to last as long as the longest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowGroup:
    """Places that take the same slots.

    Args:
        rows: Rows of the places, ascending.
        spans: For each site, the slots that are taken, from the start of the piece: hand-over resets before it included,
            so that the first may be negative.
        length: Slots from the start of the piece to its end.
    """

    rows: IntArray
    spans: tuple[tuple[int, int], ...]
    length: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Windows:
    """All places of one connected part, grouped."""

    groups: tuple[WindowGroup, ...]


def slot_windows(shape: ShapeCandidates, handover_dt: IntArray, slot_dt: int) -> Windows:
    """Return what the places of ``shape`` take, in slots of ``slot_dt`` ticks, rounded outwards.

    Args:
        shape: The places.
        handover_dt: Ticks of the resets before a lease of each qubit.
        slot_dt: Ticks of one slot.
    """
    starts = (shape.busy_start_dt - handover_dt[shape.places]) // slot_dt
    stops = -(-shape.busy_stop_dt // slot_dt)
    lengths = -(-shape.length_dt // slot_dt)
    signature = np.column_stack([lengths, starts, stops])
    distinct, group_of = np.unique(signature, axis=0, return_inverse=True)
    group_of = group_of.reshape(-1)
    if len(distinct) > MOST_GROUPS:
        # Sorted by length: like with like.
        share = np.arange(len(distinct)) * MOST_GROUPS // len(distinct)
        group_of = share[group_of]
    groups = []
    for number in range(int(group_of.max(initial=-1)) + 1):
        rows = np.flatnonzero(group_of == number)
        if not len(rows):
            continue
        begin, end = starts[rows].min(axis=0).tolist(), stops[rows].max(axis=0).tolist()
        groups.append(
            WindowGroup(rows=rows, spans=tuple(zip(begin, end, strict=True)), length=int(lengths[rows].max(initial=0)))
        )
    return Windows(groups=tuple(groups))
