"""The device over time while pieces are placed on it: who has which qubit when, and where another piece fits."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from qiskit_halo.device.crosstalk import CrosstalkModel
from qiskit_halo.device.model import DeviceModel
from qiskit_halo.options import HaloOptions
from qiskit_halo.placement.crosstalk import BoardCrosstalk, Query
from qiskit_halo.placement.handover import handover_dt
from qiskit_halo.placement.items import TOLERANCE, PackingItem, Spot, Terms
from qiskit_halo.placement.order import OrderGraph
from qiskit_halo.placement.quiet import Surroundings
from qiskit_halo.placement.rents import Rents
from qiskit_halo.placement.rows import LATEST, RowChooser
from qiskit_halo.placement.slots import SlotGrid, WordArray, first_slot, slots_from
from qiskit_halo.placement.windows import SLOTS_PER_LEASE, Windows, slot_length_dt, slot_spans
from qiskit_halo.units import seconds_to_dt

RETRIES = 8
"""Places tried for one piece whose choice turns out to be impossible, before it simply comes after all others."""

NO_LIMIT = LATEST - 1
"""Limit of whoever may end as late as it wants."""


class Board:
    """Leases of all qubits, in slots of ``slot_dt`` ticks.

    Tick 0 is slot ``origin``: the resets before a first use at tick 0 lie before it where qubits are trusted to be clean.

    Args:
        device: The device.
        options: ``resets``, ``assume_clean``, ``buffer``, ``max_duration_s`` and crosstalk matter here.
        items: What is to be placed.
        windows: Those of another board for the same items, if there is one.
        rents: What leases cost; ``None`` if each piece may take what is best for itself.
    """

    def __init__(
        self,
        device: DeviceModel,
        options: HaloOptions,
        items: Sequence[PackingItem],
        windows: Windows | None = None,
        rents: Rents | None = None,
    ) -> None:
        self.items = list(items)
        self.handover_dt = handover_dt(device, options.resets)
        lengths = [item.variants[0].fragment.timing.length_dt for item in items]
        self.slot_dt = slot_length_dt(lengths, self.handover_dt, device.alignment)
        longest_reset = int(self.handover_dt.max(initial=0))
        self.origin = -(-longest_reset // self.slot_dt) if options.assume_clean else 0
        # Without durations ticks count operations, and no limit in seconds can be kept.
        limit_s = options.max_duration_s if device.has_durations else None
        limit_dt = None if limit_s is None else seconds_to_dt(limit_s, device.dt_s)
        self.horizon = NO_LIMIT if limit_dt is None else self.origin + limit_dt // self.slot_dt
        """Slot by which everybody should end, whatever the rest of the batch takes."""
        self.stop = self.origin
        """Slot after the last operation of all."""
        self.spots: dict[int, Spot] = {}
        """Where each item on the board is; success is kept up to date when another takes a qubit before it."""
        self._device = device
        self._options = options
        self._given = tuple(items)
        self.handover_log = device.log_reset_success(options.resets)
        """What a hand-over of each qubit costs whoever has it next."""
        self._handover_slots = -(-longest_reset // self.slot_dt)
        self._grid = SlotGrid(device.num_qubits, self.origin + 8 * SLOTS_PER_LEASE)
        self._order = OrderGraph()
        self._surroundings = Surroundings(device, options.buffer)
        self._num_leases = np.zeros(device.num_qubits, dtype=np.int64)
        # What a hand-over costs on each qubit: nothing where nobody was.
        self._penalty = np.zeros(device.num_qubits)
        self._is_exclusive = np.zeros(device.num_qubits, dtype=np.bool_)
        model = CrosstalkModel.of(device, options)
        self._crosstalk = None if model is None else BoardCrosstalk(device, options, model, self.slot_dt, self._room)
        self.windows = windows or Windows(self.handover_dt, self.slot_dt)
        """What places take."""
        self._rents = rents
        self._chooser = RowChooser(self._grid, self._crosstalk, self.windows)

    def blank(self, rents: Rents | None = None) -> Board:
        """Return another board for the items that this one was made for, with nothing on it."""
        return Board(self._device, self._options, self._given, self.windows, rents)

    @property
    def unused(self) -> npt.NDArray[np.bool_]:
        """Usable qubits that nobody has a lease of."""
        free: npt.NDArray[np.bool_] = (self._num_leases == 0) & self._device.usable_qubits
        return free

    def find(self, index: int, limit: int) -> Spot | None:
        """Return the best spot for item ``index`` that keeps its floor, ``None`` if there is none.

        That is the spot with the best predicted success, less rent, of those that end by slot ``limit``, or where there is
        no such spot, the one that ends first. The item must not be on the board.
        """
        return self._best_of(index, Terms(limit, self.items[index].log_floor))

    def find_anywhere(self, index: int) -> Spot | None:
        """Return the spot with the best predicted success for item ``index``, floor or not, as early as it can be."""
        return self._best_of(index, Terms(NO_LIMIT, pays=False))

    def find_at(self, index: int, variant: int, row: int) -> Spot | None:
        """Return the first spot for item ``index`` with the first part of one of its forms on one place."""
        return self._find_variant(self.items[index], variant, Terms(self.horizon), only=row)

    def replace(self, index: int, item: PackingItem) -> None:
        """Let ``item`` stand for item ``index``, which must not be on the board."""
        self.items[index] = item

    def put(self, index: int, spot: Spot) -> None:
        """Book ``spot`` for item ``index``."""
        item = self.items[index]
        for qubit, (start, stop) in zip(spot.qubits, spot.spans, strict=True):
            first = self._order.first(qubit)
            if first is not None and start < first[0]:
                self._lose(first[1], float(self.handover_log[qubit]))
            self._grid.book(qubit, start, stop)
            self._num_leases[qubit] += 1
            self._penalty[qubit] = self.handover_log[qubit]
        self._order.add(index, spot.qubits, spot.spans, spot.start)
        for site in item.exclusive_sites[spot.variant]:
            self._is_exclusive[spot.qubits[site]] = True
        self.stop = max(self.stop, spot.stop)
        self._surroundings.add(item.owners, spot.qubits, spot.start, spot.stop)
        self.spots[index] = spot
        self._keep_first(index)
        if self._crosstalk is not None and spot.qubits:
            lost = self._crosstalk.put(index, item.variants[spot.variant], spot.qubits, spot.start, item.owners)
            for other, log in lost.items():
                self._lose(other, log)
                self._keep_first(other)

    def in_order(self) -> list[int]:
        """Return the items on the board such that on every qubit each comes after those before it."""
        return self._order.sorted({index: spot.start for index, spot in self.spots.items()})

    def _best_of(self, index: int, terms: Terms) -> Spot | None:
        item = self.items[index]
        best: Spot | None = None
        for variant, candidates in enumerate(item.variants):
            if best is not None and best.stop <= terms.limit and candidates.best <= best.value:
                continue
            spot = self._find_variant(item, variant, terms)
            if spot is not None and (best is None or spot.rank(terms.limit) < best.rank(terms.limit)):
                best = spot
        return best

    def _find_variant(self, item: PackingItem, variant: int, terms: Terms, *, only: int | None = None) -> Spot | None:
        candidates = item.variants[variant]
        if not candidates.shapes:
            stop = self.origin - (-candidates.fragment.timing.length_dt // self.slot_dt)
            return Spot(variant=variant, qubits=(), start=self.origin, stop=stop, spans=(), log_success=0.0)
        # So much room that the end of all others is a start to fall back on.
        length = sum(self.windows.longest(shape) for shape in candidates.shapes)
        self._grid.grow(self.stop + self._handover_slots + (length if self._crosstalk is None else 2 * length) + 2)
        banned: list[int] = []
        for _ in range(RETRIES):
            rows, slots = self._rows(item, variant, terms, self.origin, only=only, banned=banned)
            if not rows:
                if not banned:
                    return None
                break
            spot = self._spot(item, variant, terms, rows, slots) if len(rows) == len(candidates.shapes) else None
            if spot is not None and spot.log_success >= terms.log_floor - TOLERANCE:
                return spot
            banned.append(rows[0])
        # After all others nobody is in the way, and at home no part of the piece is in the way of another.
        after = self.stop + (self._handover_slots if self._crosstalk is not None else 0)
        for at_home in (False, True):
            rows, slots = self._rows(item, variant, terms, after, only=only, at_home=at_home)
            spot = self._spot(item, variant, terms, rows, slots) if len(rows) == len(candidates.shapes) else None
            if spot is not None and spot.log_success >= terms.log_floor - TOLERANCE:
                return spot
        return None

    def _rows(
        self,
        item: PackingItem,
        variant: int,
        terms: Terms,
        earliest: int,
        *,
        only: int | None = None,
        banned: Sequence[int] = (),
        at_home: bool = False,
    ) -> tuple[list[int], WordArray]:
        """Return the row of each connected part's place and the slots they may start at.

        Parts choose one after another, the largest first, up to the first that finds no place.

        Args:
            item: What to place.
            variant: Which of its variants.
            terms: What counts.
            earliest: First slot that it may start at.
            only: Row that the first part must take, if not any.
            banned: Rows that the first part may not take.
            at_home: Whether parts may only lie where the fragment was compiled.
        """
        shapes, exclusive = item.variants[variant].shapes, item.exclusive_sites[variant]
        closed, quiet = self._is_exclusive.copy(), self._surroundings.quiet(item.owners, self._grid.num_slots)
        common = slots_from(earliest, self._grid.num_slots)
        rows: list[int] = []
        # What the parts may lose in all against the best place of each; a part may take all that is left.
        left = sum(shape.best for shape in shapes) - terms.log_floor + TOLERANCE
        for number, shape in enumerate(shapes):
            # Places are sorted, the best first, and resets only make them worse.
            enough = len(shape.places) - int(np.searchsorted(shape.log_success[::-1], shape.best - left))
            places = shape.places[:enough]
            score = shape.log_success[:enough] + self._penalty[places].sum(axis=1)
            good = score >= shape.best - left
            if closed.any():
                good &= ~closed[places].any(axis=1)
            alone = [position for position, site in enumerate(shape.sites) if site in exclusive]
            if alone:
                good &= (self._num_leases[places[:, alone]] == 0).all(axis=1)
            if at_home:
                good &= np.arange(enough) == shape.home_row
            if number == 0 and banned:
                good[[row for row in banned if row < enough]] = False
            if number == 0 and only is not None:
                good &= np.arange(enough) == only
            value = score
            if self._rents is not None and terms.pays:
                value = score - self._rents.of(shape, exclusive)[:enough] / item.weight
            query = Query(item.variants[variant], shape, score, value, shape.best - left, item.owners)
            row, common = self._chooser.choose(query, good, common, quiet, terms.limit)
            if row is None:
                break
            left -= shape.best - float(score[row])
            closed[shape.places[row]] = True
            rows.append(row)
        return rows, common

    def _spot(
        self, item: PackingItem, variant: int, terms: Terms, rows: Sequence[int], words: WordArray
    ) -> Spot | None:
        """Return the spot at the first of the slots, ``None`` if it is not free there by true times."""
        candidates = item.variants[variant]
        own = candidates.qubits(rows)
        table = candidates.table_at(rows)
        start = first_slot(words)
        first, last = slot_spans(table.busy_start_dt[0], table.busy_stop_dt[0], self.handover_dt[own], self.slot_dt)
        spans = tuple(zip((start + first).tolist(), (start + last).tolist(), strict=True))
        stop = start - (-int(table.length_dt[0]) // self.slot_dt)
        qubits = tuple(own.tolist())
        if len(rows) > 1 and not (
            all(a >= 0 and self._grid.is_free(q, a, b) for q, (a, b) in zip(qubits, spans, strict=True))
            and self._surroundings.is_quiet(item.owners, qubits, start, stop)
        ):
            return None
        if not self._order.accepts(qubits, spans, start):
            return None
        firsts = [self._order.first(qubit) for qubit in qubits]
        second = [known is not None and known[0] <= begin for known, (begin, _) in zip(firsts, spans, strict=True)]
        log_success = float(table.log_success[0]) + float(self.handover_log[own[second]].sum())
        if self._crosstalk is not None:
            cost = self._crosstalk.cost(candidates, qubits, start, item.owners)
            if cost.ruins:
                return None
            log_success += cost.own_log
        rent = 0.0
        if self._rents is not None and terms.pays:
            rent = self._rents.of_leases(own, spans, item.exclusive_sites[variant]) / item.weight
        return Spot(
            variant=variant,
            qubits=qubits,
            start=start,
            stop=stop,
            spans=spans,
            log_success=log_success,
            rent=rent,
        )

    def _lose(self, index: int, log: float) -> None:
        """Let item ``index`` pay for what another is about to do: have a qubit before it, or disturb it."""
        self.spots[index] = dataclasses.replace(self.spots[index], log_success=self.spots[index].log_success + log)

    def _room(self, index: int) -> float:
        return self.spots[index].log_success - self.items[index].log_floor

    def _keep_first(self, index: int) -> None:
        """See to it that nobody comes before item ``index`` on its qubits, if it cannot pay for the resets."""
        spot = self.spots[index]
        firsts = [
            q for q, span in zip(spot.qubits, spot.spans, strict=True) if self._order.first(q) == (span[0], index)
        ]
        if spot.log_success + float(self.handover_log[firsts].sum()) < self.items[index].log_floor - TOLERANCE:
            for qubit, (start, _) in zip(spot.qubits, spot.spans, strict=True):
                if qubit in firsts:
                    self._grid.book(qubit, 0, start)
