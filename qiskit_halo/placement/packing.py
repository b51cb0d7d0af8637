"""Choose a place and a provisional time for every piece of a batch.

Every program keeps its floor of predicted success if it can; beyond that a batch is better the more success its programs
have and the less time it takes on the device, at a fixed rate of exchange. The board is filled one piece after another, those
with most to lose first. What keeps the first from taking what others need more are rents: the best places cost what they are
worth to all others.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import product

import numpy as np

from qiskit_halo.device.model import DeviceModel
from qiskit_halo.options import DEFAULT_REP_DELAY_S, HaloOptions
from qiskit_halo.placement.board import NO_LIMIT, Board
from qiskit_halo.placement.crowding import Forms, reserve
from qiskit_halo.placement.filling import Filling, PlacedItem, Recompile, fill, remembering
from qiskit_halo.placement.items import PackingItem
from qiskit_halo.placement.rents import RelaxedPacking
from qiskit_halo.units import seconds_to_dt

EXCHANGE = 8.0
"""Percent of QPU time that one point of mean success is worth, which is a percent of all shots.

Shots make up for success as its square: with 2 a batch of good programs would tell as much as it can in a second. Four times
that, since fidelity comes first (``benchmarks/choices.py``).
"""

MARKETS = ((1.7, 1.9), (1.0, 1.1), (1.2, 1.35), (2.5, 3.0))
"""Shares of the least time that any batch takes: that for which rents are found, and that by which all should end."""

FEW = 64
"""Items up to which boards are filled in all these ways; with more of them the linear program says which way is best."""

PRICES = (0.5, 1.05)
"""Shares of the shadow prices that leases cost: at half of them most take the better of two places that are worth the same,
and who comes late is kept in time by the limit. Above them all leave it to those who need it.
"""

WASTE = 1.25
"""How much longer than by the linear program batches are let be: rigid pieces leave gaps."""

LATE = 1.1
"""How much longer still they may turn out, before other ways are tried."""

CROWDS: tuple[tuple[bool, Forms], ...] = (
    (True, "best"),
    (True, "short"),
    (True, "all"),
    (False, "short"),
    (False, "all"),
)
"""Where places are chosen for many at once: whether they must keep floors, and of which forms; until all have found one."""


def pack(
    items: Sequence[PackingItem], device: DeviceModel, options: HaloOptions, recompile: Recompile
) -> list[PlacedItem | None]:
    """Return a place for each item, in order; ``None`` where nothing is free.

    Args:
        items: What to place.
        device: The device.
        options: ``sharing``, ``resets``, ``buffer``, ``rep_delay_s``, ``max_duration_s`` and ``assume_clean`` matter here.
        recompile: Called when no known place of an item is free.
    """
    packer = _Packer(items, device, options, recompile)
    ways = [packer.one_by_one, packer.all_at_once]
    if not packer.could_fit:
        ways = ways[:1]
    elif options.sharing == "none":
        # Nobody follows anybody: there is no time to trade, only room.
        ways.reverse()
    best = ways[0]()
    for way in ways[1:]:
        if best.lost:
            best = min(best, way(), key=packer.badness)
    return best.placed()


class _Packer:
    """The ways to pack the same items.

    Args:
        items: What to place.
        device: The device.
        options: See :func:`pack`.
        recompile: Called when no known place of an item is free.
    """

    def __init__(
        self, items: Sequence[PackingItem], device: DeviceModel, options: HaloOptions, recompile: Recompile
    ) -> None:
        self._items = items
        self._device = device
        self._recompile = remembering(recompile)
        self._blank = Board(device, options, items)
        # Anonymous pieces are programs of their own.
        programs: dict[tuple[int, ...] | int, int] = {}
        self._program_of = [
            programs.setdefault(item.owners or index, len(programs)) for index, item in enumerate(items)
        ]
        self._num_programs = len(programs)
        self._delay_slots = 0.0
        # Without durations ticks count operations.
        if device.has_durations:
            delay_s = DEFAULT_REP_DELAY_S if options.rep_delay_s is None else options.rep_delay_s
            self._delay_slots = seconds_to_dt(delay_s, device.dt_s) / self._blank.slot_dt

    @property
    def could_fit(self) -> bool:
        """Whether there are as many qubits as all items together need for themselves, wherever they lie."""
        needed = sum(min(map(len, item.exclusive_sites)) for item in self._items)
        return needed <= int(self._device.usable_qubits.sum())

    def badness(self, filling: Filling) -> tuple[tuple[int, int, int], float]:
        """Return what is least for the best board: faults, then the log of QPU time less what success is worth."""
        success = self._mean_success({index: spot.log_success for index, spot in filling.board.spots.items()})
        return filling.faults, math.log(max(filling.length + self._delay_slots, 1.0)) - EXCHANGE * success

    def one_by_one(self) -> Filling:
        """Return the best of boards on which each piece takes what is best for it at some rent, or without any."""
        relaxed = RelaxedPacking.of(self._items, self._device.num_qubits, self._blank.windows)
        fillings: list[Filling] = []
        if len(self._items) <= FEW:
            least = relaxed.least_slots()
            for (for_rents, for_all), price in product(MARKETS, PRICES):
                fillings += self._in_market(relaxed, for_rents * least, for_all * least, price)
            fillings.append(fill(self._blank.blank(), _by_loss(self._items), self._recompile, NO_LIMIT))
        else:
            limit = WASTE * self._best_length(relaxed)
            for filling in self._in_market(relaxed, limit / WASTE, limit, PRICES[0]):
                if filling.length <= LATE * limit and not any(filling.faults):
                    return filling
                # As short as it should be it cannot be: places may then be as good as in the time it takes.
                fillings += [filling, *self._in_market(relaxed, filling.length / WASTE, filling.length, PRICES[0])]
        fillings.append(fill(self._blank.blank(), _by_area(self._items), self._recompile, None))
        return min(fillings, key=self.badness)

    def _in_market(self, relaxed: RelaxedPacking, length: float, limit: float, price: float) -> list[Filling]:
        """Return the board filled at rents of a batch of ``length`` slots, if there can be one, by slot ``limit``."""
        rents = relaxed.rents(length, price)
        if rents is None:
            return []
        stop = self._blank.origin + int(limit)
        return [fill(self._blank.blank(rents), _by_loss(self._items), self._recompile, stop)]

    def _best_length(self, relaxed: RelaxedPacking) -> float:
        """Return the slots at which success and QPU time are worth the same, as far as the linear program can tell."""
        exchange = EXCHANGE * self._mean_success({index: item.log_best for index, item in enumerate(self._items)})
        length = 0.0
        for _ in range(3):
            # What one slot more adds to the log of QPU time, in log success of all programs.
            slot_cost = self._num_programs * WASTE / (exchange * max(WASTE * length + self._delay_slots, 1.0))
            length = relaxed.best_slots(slot_cost)
        return length

    def _mean_success(self, log_success: Mapping[int, float]) -> float:
        """Return the mean success of the programs whose pieces have these."""
        programs = np.zeros(self._num_programs)
        for index, log in log_success.items():
            programs[self._program_of[index]] += log
        return float(np.exp(programs).mean()) if len(programs) else 0.0

    def all_at_once(self) -> Filling:
        """Return the best of boards on which places are chosen for all pieces together, whoever can have one."""
        fillings: list[Filling] = []
        for keep_floor, forms in CROWDS:
            reserved = reserve(self._items, self._device.num_qubits, keep_floor=keep_floor, forms=forms)
            fillings.append(fill(self._blank.blank(), _by_area(self._items), self._recompile, None, reserved))
            if not fillings[-1].lost:
                break
        return min(fillings, key=self.badness)


def _by_area(items: Sequence[PackingItem]) -> list[int]:
    """Most qubit-time first, which makes the shortest batches."""
    areas = [sum(stop - start for start, stop in i.variants[0].fragment.timing.busy_dt) for i in items]
    return sorted(range(len(items)), key=lambda i: (-areas[i], i))


def _by_loss(items: Sequence[PackingItem]) -> list[int]:
    """Least predicted success first: the same share of what it loses anyway is most for these."""
    return sorted(range(len(items)), key=lambda i: (items[i].log_best, i))
