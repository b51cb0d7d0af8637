"""Choose a place and a provisional time for every fragment, longest first, on a skyline of free times.

The aim is the shortest makespan in which every program keeps its floor of predicted success, and then the best
success within that makespan: each fragment takes its most successful place among those that end before the batch
does anyway, and only where there is none does it make the batch longer, by as little as it can.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from qiskit_halo.device.model import DeviceModel
from qiskit_halo.fragments.timing import Timing
from qiskit_halo.options import HaloOptions
from qiskit_halo.placement.candidates import Candidates, FloatArray, IntArray, ShapeCandidates, time_at
from qiskit_halo.placement.handover import handover_dt
from qiskit_halo.placement.quiet import QuietTimes
from qiskit_halo.units import round_up

NEVER = np.iinfo(np.int64).max // 4
"""Ready time of a qubit that is not to be had in this batch."""

RETRIES = 16
"""Places tried for one piece before the best of them is taken although it misses the floor."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PackingItem:
    """One rigid piece to place.

    Args:
        candidates: Where its fragment can go.
        log_floor: Least log of its predicted success; its best is ``candidates.best``.
        exclusive_sites: Sites whose qubit nobody else may use in this batch.
        owners: Programs it belongs to; empty if anonymous.
    """

    candidates: Candidates
    log_floor: float
    exclusive_sites: tuple[int, ...]
    owners: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedItem:
    """Where and when a piece goes.

    Args:
        candidates: The fragment that was placed: another than the item's if it was compiled again.
        qubits: Physical qubit of each site.
        timing: Times of the fragment on these qubits.
        start_dt: Provisional start of the fragment.
        log_success: Log of its predicted success there, hand-over resets included.
        below_floor: Whether no place left it its floor.
        rank: How many items were placed before it: on every qubit, leases follow in this order.
    """

    candidates: Candidates
    qubits: tuple[int, ...]
    timing: Timing
    start_dt: int
    log_success: float
    below_floor: bool
    rank: int


Recompile = Callable[[int, npt.NDArray[np.bool_]], PackingItem | None]
"""(item index, free qubits) -> the same piece compiled for a free region, if there is one."""


def pack(
    items: Sequence[PackingItem], device: DeviceModel, options: HaloOptions, recompile: Recompile
) -> list[PlacedItem | None]:
    """Return a place for each item, in order; ``None`` where nothing is free.

    Args:
        items: What to place.
        device: The device.
        options: ``resets``, ``buffer``, ``max_duration_s`` and ``assume_clean`` matter here.
        recompile: Called when no known place of an item is free.
    """
    skyline = _Skyline(device, options)
    order = sorted(range(len(items)), key=lambda i: (-_length(items[i]), -_num_sites(items[i]), i))
    placed: list[PlacedItem | None] = [None] * len(items)
    for index in order:
        item: PackingItem | None = items[index]
        choice = skyline.choose(items[index])
        if choice is None:
            item = recompile(index, skyline.free_for_all)
            choice = None if item is None else skyline.choose(item)
        if item is not None and choice is not None:
            skyline.take(item, choice)
        placed[index] = choice
    return placed


def _length(item: PackingItem) -> int:
    return item.candidates.fragment.timing.length_dt


def _num_sites(item: PackingItem) -> int:
    return item.candidates.fragment.num_sites


class _Skyline:
    """When each physical qubit is free again; grows while packing."""

    def __init__(self, device: DeviceModel, options: HaloOptions) -> None:
        self._device = device
        self._free_dt = np.zeros(device.num_qubits, dtype=np.int64)
        self._quiet = QuietTimes(device, options.buffer)
        self._used = np.zeros(device.num_qubits, dtype=bool)
        self._closed = ~device.usable_qubits
        self._handover_dt = handover_dt(device, options.resets)
        self._handover_log = device.log_reset_success(options.resets)
        self._clean = options.assume_clean
        self._alignment = device.alignment
        # Without durations ticks count operations, and no limit in seconds can be kept.
        limit_s = options.max_duration_s if device.has_durations else None
        self._limit_dt = NEVER if limit_s is None else limit_s / device.dt_s
        self._makespan_dt = 0
        self._num_placed = 0

    @property
    def free_for_all(self) -> npt.NDArray[np.bool_]:
        """Qubits that nothing has used so far."""
        free: npt.NDArray[np.bool_] = ~(self._used | self._closed)
        return free

    def choose(self, item: PackingItem) -> PlacedItem | None:
        """Return the best place and time for ``item``, or ``None`` if every known place is taken for good.

        A place is chosen by the times where the fragment was compiled, then timed truly; one that turns out below
        the floor is put aside and the next taken, a bounded number of times.
        """
        banned: list[list[int]] = [[] for _ in item.candidates.shapes]
        fallback: PlacedItem | None = None
        for _ in range(RETRIES):
            rows = self._rows(item, banned)
            if rows is None:
                break
            placed = self._time(item, rows)
            if not placed.below_floor:
                return placed
            if fallback is None or placed.log_success > fallback.log_success:
                fallback = placed
            for own, row in zip(banned, rows, strict=True):
                own.append(row)
        return fallback

    def _rows(self, item: PackingItem, banned: Sequence[Sequence[int]]) -> list[int] | None:
        """Return the row of each connected part's place, chosen one part after another, largest first."""
        candidates = item.candidates
        length = candidates.fragment.timing.length_dt
        ready = self._ready()
        quiet = self._quiet.ready_dt(item.owners)
        penalty = np.where(self._used, self._handover_log, 0.0)
        taken = np.zeros(self._device.num_qubits, dtype=bool)
        start, rows = 0, []
        for shape, aside in zip(candidates.shapes, banned, strict=True):
            # Each connected part gives up the same share of what it can lose.
            share = shape.best / candidates.best if candidates.best < 0 else 1 / len(candidates.shapes)
            starts = self._starts(shape, ready, quiet, item.exclusive_sites, taken, start)
            if len(aside) < len(starts):
                starts[list(aside)] = NEVER
            score = shape.log_success + penalty[shape.places].sum(axis=1)
            row = self._best(starts, score, item.log_floor * share, length)
            if row is None:
                return None
            start = int(starts[row])
            taken[shape.places[row]] = True
            rows.append(row)
        return rows

    def _time(self, item: PackingItem, rows: Sequence[int]) -> PlacedItem:
        candidates = item.candidates
        fragment = candidates.fragment
        qubits = np.zeros(fragment.num_sites, dtype=np.int64)
        for shape, row in zip(candidates.shapes, rows, strict=True):
            qubits[list(shape.sites)] = shape.places[row]
        timing, log_success = time_at(fragment, qubits.tolist(), self._device)
        log_success += float(self._handover_log[qubits[self._used[qubits]]].sum())
        begins = np.array([busy for busy, _ in timing.busy_dt], dtype=np.int64)
        ready = np.maximum(self._ready()[qubits] - begins, self._quiet.ready_dt(item.owners)[qubits])
        start = int(ready.max(initial=0))
        return PlacedItem(
            candidates=candidates,
            qubits=tuple(int(q) for q in qubits),
            timing=timing,
            start_dt=round_up(start, self._alignment),
            log_success=log_success,
            # Rounding: the best place must pass its own floor.
            below_floor=log_success < item.log_floor - 1e-9,
            rank=self._num_placed,
        )

    def take(self, item: PackingItem, choice: PlacedItem) -> None:
        """Book the leases of ``choice``."""
        timing = choice.timing
        qubits = np.array(choice.qubits, dtype=np.int64)
        stops = np.array([stop for _, stop in timing.busy_dt], dtype=np.int64)
        self._free_dt[qubits] = np.maximum(self._free_dt[qubits], choice.start_dt + stops)
        self._used[qubits] = True
        self._num_placed += 1
        self._closed[qubits[list(item.exclusive_sites)]] = True
        end = choice.start_dt + timing.length_dt
        self._makespan_dt = max(self._makespan_dt, end)
        self._quiet.add(item.owners, choice.qubits, end)

    def _ready(self) -> IntArray:
        first_use = 0 if self._clean else self._handover_dt
        ready = np.where(self._used, self._free_dt + self._handover_dt, first_use)
        return np.where(self._closed, NEVER, ready)

    def _starts(
        self,
        shape: ShapeCandidates,
        ready: IntArray,
        quiet: IntArray,
        exclusive: tuple[int, ...],
        taken: npt.NDArray[np.bool_],
        earliest: int,
    ) -> IntArray:
        """Return the first tick at which the fragment could start on each place, ``NEVER`` where it cannot."""
        ready = np.maximum(ready[shape.places] - shape.busy_start_dt, quiet[shape.places])
        starts = np.maximum(earliest, ready.max(axis=1))
        starts = -(-starts // self._alignment) * self._alignment
        lost = taken[shape.places].any(axis=1)
        alone = [position for position, site in enumerate(shape.sites) if site in exclusive]
        if alone:
            lost |= self._used[shape.places[:, alone]].any(axis=1)
        return np.where(lost | (starts >= NEVER // 2), NEVER, starts)

    def _best(self, starts: IntArray, score: FloatArray, floor: float, length: int) -> int | None:
        """Return the row to take, ``None`` if there is none."""
        possible = starts < NEVER
        if not possible.any():
            return None
        ends = starts + length
        good = possible & (score >= floor - 1e-9)
        if not good.any():
            rows = np.flatnonzero(possible)
            return int(rows[np.lexsort((starts[rows], -score[rows]))[0]])
        in_time = good & (ends <= self._limit_dt)
        rows = np.flatnonzero(in_time if in_time.any() else good)
        within = rows[ends[rows] <= self._makespan_dt]
        if len(within):
            return int(within[np.lexsort((starts[within], -score[within]))[0]])
        return int(rows[np.lexsort((-score[rows], ends[rows]))[0]])
