"""When each physical qubit is free, holes included."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Sequence
from operator import itemgetter

from qiskit_halo.device.model import DeviceModel
from qiskit_halo.options import HaloOptions
from qiskit_halo.timeline.prices import TurnPrices
from qiskit_halo.timeline.turns import Turn

FOREVER = 1 << 62

_LATEST_END = itemgetter(1)

MOST_GAPS = 32
"""Holes remembered of each qubit; the earliest is forgotten first, so that booking stays linear in the leases.

The time after the last lease is never forgotten, so every turn can always be booked."""


class Calendar:
    """The free time of every qubit; grows while turns are booked one after another.

    A booked turn never moves. Hence nothing can be starved or deadlocked by what is booked later.

    Args:
        device: The device: alignment and distances.
        options: ``assume_clean`` and ``buffer`` matter here.
        tail_dt: Ticks after the end of a turn in which its qubits are still active: a scrub.
        prices: What turns would lose to each other, if that matters; turns are whole pieces then.
    """

    def __init__(
        self, device: DeviceModel, options: HaloOptions, tail_dt: int = 0, prices: TurnPrices | None = None
    ) -> None:
        self._prices = prices
        self._alignment = device.alignment
        self._clean = options.assume_clean
        # Per qubit, ascending: (end of the lease before, latest end of a lease here, whether nobody was there before).
        self._gaps: list[list[tuple[int, int, bool]]] = [[(0, FOREVER, True)] for _ in range(device.num_qubits)]
        self._near = _neighbourhoods(device, options.buffer)
        # Per qubit, by start: (start, stop, owners) of whoever runs on it or near it; and the longest of them.
        self._active: list[list[tuple[int, int, tuple[int, ...]]]] = [[] for _ in range(device.num_qubits)]
        self._longest = 0
        self._tail_dt = tail_dt

    def earliest(self, turn: Turn, not_before: int = 0) -> int:
        """Return the first tick at which all qubits of ``turn`` can be taken together."""
        start = -(-not_before // self._alignment) * self._alignment
        while True:
            start = self._free(turn, start)
            later = self._quiet(turn, start) if self._near else start
            if later == start and self._prices is not None:
                later = -(-self._prices.affordable(turn, start) // self._alignment) * self._alignment
            if later == start:
                return start
            start = later

    def book(self, turn: Turn, start: int) -> None:
        """Take all qubits of ``turn`` at ``start``, which :meth:`earliest` has found or which is later on free qubits."""
        for (qubit, begin, end), lead in zip(turn.intervals, turn.leads_dt, strict=True):
            gaps = self._gaps[qubit]
            index = bisect_left(gaps, start + end, key=_LATEST_END)
            free, limit, clean = gaps[index]
            rest = [(free, start + begin - lead, clean), (start + end, limit, False)]
            # Room for one tick beside the resets is the least that can be of use.
            gaps[index : index + 1] = [
                gap for gap in rest if gap[1] - gap[0] > (0 if gap[2] and self._clean else lead) or gap[1] == FOREVER
            ]
            if len(gaps) > MOST_GAPS:
                del gaps[0]
        if self._near:
            self._enter(turn, start)
        if self._prices is not None:
            self._prices.book(turn, start)

    def _free(self, turn: Turn, start: int) -> int:
        """Return the first start from ``start`` on at which every lease of ``turn`` falls into a gap."""
        step = self._alignment
        intervals, leads = turn.intervals, turn.leads_dt
        # A gap that is too early or too short for one start is so for all later ones: never look back.
        positions = [0] * len(intervals)
        agreed = index = 0
        while agreed < len(intervals):
            qubit, begin, end = intervals[index]
            gaps = self._gaps[qubit]
            position = positions[index]
            while True:
                free, limit, clean = gaps[position]
                first = free - begin if clean and self._clean else free + leads[index] - begin
                found = start if first <= start else -(-first // step) * step
                if found + end <= limit:
                    break
                position += 1
            positions[index] = position
            agreed = agreed + 1 if found == start else 1
            start = found
            index = index + 1 if index + 1 < len(intervals) else 0
        return start

    def _quiet(self, turn: Turn, start: int) -> int:
        """Return the first start from ``start`` on at which nobody else is active on or near the qubits of ``turn``."""
        own = frozenset(turn.owners)
        latest = start
        stop = start + max(turn.span_dt + self._tail_dt, 1)
        for qubit, _, _ in turn.intervals:
            active = self._active[qubit]
            for index in range(bisect_left(active, (start - self._longest,)), len(active)):
                other_start, other_stop, owners = active[index]
                if other_start >= stop:
                    break
                if other_stop > start and not own & frozenset(owners):
                    latest = max(latest, other_stop)
        return -(-latest // self._alignment) * self._alignment

    def _enter(self, turn: Turn, start: int) -> None:
        length = max(turn.span_dt + self._tail_dt, 1)
        stop = start + length
        self._longest = max(self._longest, length)
        around = dict.fromkeys(near for qubit, _, _ in turn.intervals for near in self._near[qubit])
        for qubit in around:
            insort(self._active[qubit], (start, stop, turn.owners))


def _neighbourhoods(device: DeviceModel, buffer: int) -> Sequence[Sequence[int]]:
    if not buffer:
        return ()
    return [[int(q) for q in (row <= buffer).nonzero()[0]] for row in device.distance]
