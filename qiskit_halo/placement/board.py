"""The device over time while pieces are placed on it: who has which qubit when, and where another piece fits."""

from __future__ import annotations

import bisect
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from qiskit_halo.device.model import DeviceModel
from qiskit_halo.options import HaloOptions
from qiskit_halo.placement.candidates import Candidates, FloatArray, IntArray
from qiskit_halo.placement.handover import handover_dt
from qiskit_halo.placement.order import OrderGraph
from qiskit_halo.placement.quiet import Surroundings
from qiskit_halo.placement.slots import SlotGrid, WordArray, first_slots, slots_from
from qiskit_halo.placement.windows import Windows, slot_windows

SLOTS_PER_LEASE = 24
"""Slots that a middling lease takes, resets included: finer costs time, coarser wastes some of every lease."""

RETRIES = 8
"""Places tried for one piece whose choice turns out to be impossible, before it simply comes after all others."""


LATEST = np.iinfo(np.int64).max
NO_LIMIT = LATEST - 1
"""Limit of whoever may end as late as it wants."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PackingItem:
    """One rigid piece to place.

    Args:
        variants: Where each compiled form of it can go, the one with the best predicted success first.
        log_floor: Least log of its predicted success; its best is that of the first variant.
        exclusive_sites: For each variant, sites whose qubit nobody else may use in this batch.
        owners: Programs it belongs to; empty if anonymous.
    """

    variants: tuple[Candidates, ...]
    log_floor: float
    exclusive_sites: tuple[tuple[int, ...], ...]
    owners: tuple[int, ...]

    @property
    def log_best(self) -> float:
        """Log of its best predicted success on the empty device."""
        return self.variants[0].best


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """A place and a time for one piece.

    Args:
        variant: Which of the item's variants.
        qubits: Physical qubit of each site.
        start: First slot.
        stop: Slot after the last operation.
        spans: For each site the slots ``[start, stop)`` that are taken on its qubit, hand-over resets before it included.
        log_success: Log of the predicted success there, resets of the qubits that were in use included.
    """

    variant: int
    qubits: tuple[int, ...]
    start: int
    stop: int
    spans: tuple[tuple[int, int], ...]
    log_success: float


class Board:
    """Leases of all qubits, in slots of ``slot_dt`` ticks.

    Tick 0 is slot ``origin``: the resets before a first use at tick 0 lie before it where qubits are trusted to be clean.

    Args:
        device: The device.
        options: ``resets``, ``assume_clean`` and ``buffer`` matter here.
        items: What is to be placed.
    """

    def __init__(self, device: DeviceModel, options: HaloOptions, items: Sequence[PackingItem]) -> None:
        self.items = list(items)
        self.handover_dt = handover_dt(device, options.resets)
        self.slot_dt = _slot_dt(items, self.handover_dt, device.alignment)
        longest_reset = int(self.handover_dt.max(initial=0))
        self.origin = -(-longest_reset // self.slot_dt) if options.assume_clean else 0
        self.spots: dict[int, Spot] = {}
        self._device = device
        self._handover_log = device.log_reset_success(options.resets)
        self._grid = SlotGrid(device.num_qubits, self.origin + 8 * SLOTS_PER_LEASE)
        self._order = OrderGraph()
        self._surroundings = Surroundings(device, options.buffer)
        self._num_leases = np.zeros(device.num_qubits, dtype=np.int64)
        self._num_exclusive = np.zeros(device.num_qubits, dtype=np.int64)
        self._stops: list[int] = []
        self._windows: dict[tuple[int, int], Windows] = {}

    @property
    def stop(self) -> int:
        """Slot after the last operation of all."""
        return self._stops[-1] if self._stops else self.origin

    @property
    def unused(self) -> npt.NDArray[np.bool_]:
        """Usable qubits that nobody has a lease of."""
        free: npt.NDArray[np.bool_] = (self._num_leases == 0) & self._device.usable_qubits
        return free

    def find(self, index: int, limit: int) -> Spot | None:
        """Return the best spot for item ``index`` that keeps its floor, ``None`` if there is none.

        That is the spot with the best predicted success of those that end by slot ``limit``, or where there is no such
        spot, the one that ends first. The item must not be on the board.
        """
        return self._best_of(index, limit, self.items[index].log_floor)

    def find_anywhere(self, index: int) -> Spot | None:
        """Return the spot with the best predicted success for item ``index``, floor or not, as early as it can be."""
        return self._best_of(index, NO_LIMIT, -np.inf)

    def replace(self, index: int, item: PackingItem) -> None:
        """Let ``item`` stand for item ``index``, which must not be on the board."""
        self.items[index] = item

    def put(self, index: int, spot: Spot) -> None:
        """Book ``spot`` for item ``index``."""
        item = self.items[index]
        for qubit, (start, stop) in zip(spot.qubits, spot.spans, strict=True):
            self._grid.book(qubit, start, stop)
            self._num_leases[qubit] += 1
        self._order.add(index, spot.qubits, spot.spans, spot.start)
        for site in item.exclusive_sites[spot.variant]:
            self._num_exclusive[spot.qubits[site]] += 1
        bisect.insort(self._stops, spot.stop)
        self._surroundings.add(item.owners, spot.qubits, spot.start, spot.stop)
        self.spots[index] = spot

    def in_order(self) -> list[int]:
        """Return the items on the board such that on every qubit each comes after those before it."""
        return self._order.sorted({index: spot.start for index, spot in self.spots.items()})

    def _best_of(self, index: int, limit: int, log_floor: float) -> Spot | None:
        item = self.items[index]
        best: Spot | None = None
        for variant, candidates in enumerate(item.variants):
            if best is not None and best.stop <= limit and candidates.best <= best.log_success:
                continue
            spot = self._find_variant(item, variant, limit, log_floor)
            if spot is not None and (best is None or _rank(spot, limit) < _rank(best, limit)):
                best = spot
        return best

    def _find_variant(self, item: PackingItem, variant: int, limit: int, log_floor: float) -> Spot | None:
        candidates = item.variants[variant]
        if not candidates.shapes:
            return Spot(variant=variant, qubits=(), start=self.origin, stop=self.origin, spans=(), log_success=0.0)
        # So much room that the end of all others is a start to fall back on.
        length = -(-max(int(shape.length_dt.max(initial=0)) for shape in candidates.shapes) // self.slot_dt)
        self._grid.grow(self.stop + self.origin + 2 * length + 2)
        banned: list[int] = []
        for _ in range(RETRIES):
            rows, slots = self._rows(item, variant, limit, log_floor, banned)
            if rows is None:
                return None
            spot = self._spot(item, variant, rows, slots)
            if spot is not None and spot.log_success >= log_floor - 1e-9:
                return spot
            banned.append(rows[0])
        return None

    def _rows(
        self, item: PackingItem, variant: int, limit: int, log_floor: float, banned: Sequence[int]
    ) -> tuple[list[int] | None, WordArray]:
        """Return the row of each connected part's place, one part after another, and the slots they may start at."""
        candidates = item.variants[variant]
        exclusive = item.exclusive_sites[variant]
        penalty = np.where(self._num_leases > 0, self._handover_log, 0.0)
        closed = self._num_exclusive > 0
        quiet = self._surroundings.quiet(item.owners, self._grid.num_slots)
        common = slots_from(self.origin, self._grid.num_slots)
        rows: list[int] = []
        for number, shape in enumerate(candidates.shapes):
            # Each connected part gives up the same share of what it can lose.
            share = shape.best / candidates.best if candidates.best < 0 else 1 / len(candidates.shapes)
            score = shape.log_success + penalty[shape.places].sum(axis=1)
            good = (score >= log_floor * share - 1e-9) & ~closed[shape.places].any(axis=1)
            alone = [position for position, site in enumerate(shape.sites) if site in exclusive]
            if alone:
                good &= (self._num_leases[shape.places[:, alone]] == 0).all(axis=1)
            if number == 0:
                good[list(banned)] = False
            row, common = self._choose(
                self._windows_of(candidates, number), shape.places, good, score, common, quiet, limit
            )
            if row is None:
                return None, common
            closed = closed.copy()
            closed[shape.places[row]] = True
            rows.append(row)
        return rows, common

    def _choose(
        self,
        windows: Windows,
        places: IntArray,
        good: npt.NDArray[np.bool_],
        score: FloatArray,
        common: WordArray,
        quiet: WordArray | None,
        limit: int,
    ) -> tuple[int | None, WordArray]:
        """Return the row to take, ``None`` if there is none, and the slots of ``common`` that it may start at."""
        best: tuple[float, float, float, int] | None = None
        best_words = common
        for group in windows.groups:
            rows = group.rows[good[group.rows]]
            if not len(rows):
                continue
            words = np.repeat(common[None, :], len(rows), axis=0)
            still = None if quiet is None else self._surroundings.starts(quiet, group.length)
            for qubits, (start, stop) in zip(places[rows].T, group.spans, strict=True):
                words &= self._grid.starts(qubits, stop - start, start)
                if still is not None:
                    words &= still[qubits]
            starts = first_slots(words)
            ends = starts + group.length
            late = np.where(starts < 0, LATEST, np.maximum(ends, limit))
            pick = int(np.lexsort((rows, ends, -score[rows], late))[0])
            if starts[pick] < 0:
                continue
            key = (int(late[pick]), float(-score[rows[pick]]), int(ends[pick]), int(rows[pick]))
            if best is None or key < best:
                best, best_words = key, words[pick]
        return (None if best is None else best[3]), best_words

    def _spot(self, item: PackingItem, variant: int, rows: Sequence[int], words: WordArray) -> Spot | None:
        """Return the spot at the first of the slots, ``None`` if it is not free there by true times."""
        candidates = item.variants[variant]
        qubits = candidates.qubits(rows)
        table = candidates.table_at(rows)
        start = int(first_slots(words[None, :])[0])
        slot = self.slot_dt
        first = (table.busy_start_dt[0] - self.handover_dt[qubits]) // slot
        last = -(-table.busy_stop_dt[0] // slot)
        spans = tuple((start + int(a), start + int(b)) for a, b in zip(first, last, strict=True))
        own = tuple(int(qubit) for qubit in qubits)
        if len(rows) > 1 and not all(
            a >= 0 and self._grid.is_free(q, a, b) for q, (a, b) in zip(own, spans, strict=True)
        ):
            return None
        if not self._order.accepts(own, spans, start):
            return None
        used = self._num_leases[qubits] > 0
        return Spot(
            variant=variant,
            qubits=own,
            start=start,
            stop=start - (-int(table.length_dt[0]) // slot),
            spans=spans,
            log_success=float(table.log_success[0]) + float(self._handover_log[qubits[used]].sum()),
        )

    def _windows_of(self, candidates: Candidates, number: int) -> Windows:
        key = (id(candidates), number)
        if key not in self._windows:
            self._windows[key] = slot_windows(candidates.shapes[number], self.handover_dt, self.slot_dt)
        return self._windows[key]


def _rank(spot: Spot, limit: int) -> tuple[int, float, int]:
    return max(spot.stop, limit), -spot.log_success, spot.stop


def _slot_dt(items: Sequence[PackingItem], handover: IntArray, alignment: int) -> int:
    lengths = [item.variants[0].fragment.timing.length_dt for item in items]
    middling = (float(np.median(lengths)) if lengths else 0.0) + float(np.median(handover))
    return max(1, round(middling / SLOTS_PER_LEASE / alignment)) * alignment
