"""Choose a place and a provisional time for every piece of a batch.

Every program keeps its floor of predicted success if it can; beyond that a batch is better the more success its programs
have and the less time it takes on the device, at a fixed rate of exchange. The board is filled one piece after another, those
with most to lose first. What keeps the first from taking what others need more are rents: the best places cost what they are
worth to all others.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from qiskit_halo.device.model import DeviceModel
from qiskit_halo.options import DEFAULT_REP_DELAY_S, HaloOptions
from qiskit_halo.placement.board import NO_LIMIT, Board
from qiskit_halo.placement.choices import Room
from qiskit_halo.placement.crowding import Forms, reserve
from qiskit_halo.placement.filling import Filling, PlacedItem, Recompile, fill, remembering
from qiskit_halo.placement.items import PackingItem
from qiskit_halo.placement.rents import RelaxedPacking, Rents
from qiskit_halo.placement.sequencing import OrderSearch
from qiskit_halo.units import seconds_to_dt

EXCHANGE = 10.0
"""Percent of QPU time that one point of mean success is worth, which is one shot in a hundred.

Shots make up for success as its square: with 2 a batch of good programs would tell as much as it can in a second. Five times
that, since fidelity comes first (``benchmarks/choices.py``).
"""

MARKETS = ((1.7, 1.9), (1.0, 1.1), (1.2, 1.35), (2.5, 3.0))
"""Shares of the least time that any batch takes: that for which rents are found, and that by which all should end."""

TIGHT = (1.02, 1.12)
"""The same where many pieces wait for few places."""

FEW = 64
"""Items up to which boards are filled in all these ways; with more of them the linear program says which way is best."""

FEWEST = 16
"""Items up to which a search goes through a thousand orders: with more of them rents know better who should come where."""

WORTH_SEARCHING = 0.01
"""What the best board must lack for that, in log QPU time for each piece, against one on which nobody waits or gives way: the time
of a search grows with the square of the pieces.
"""

PRICES = (0.5, 1.05)
"""Shares of the shadow prices that leases cost: at half of them most take the better of two places that are worth the same,
and who comes late is kept in time by the limit. Above them all leave it to those who need it.
"""

WASTE = 1.25
"""How much longer than by the linear program batches are let be: rigid pieces leave gaps."""

USUAL = 1.5
"""Share of the least time that the best length is guessed at; a linear program then puts it right."""

LATE, ROOMY = 1.1, 1.1
"""How much longer still they may turn out, and how many times the least the best length must be, for no other way to be tried."""

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
        if any(best.faults):
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
        # What a shot takes besides the makespan: the reset before it and the repetition delay.
        self._overhead_slots = 0.0
        # Without durations ticks count operations.
        if device.has_durations:
            delay_s = DEFAULT_REP_DELAY_S if options.rep_delay_s is None else options.rep_delay_s
            overhead_dt = seconds_to_dt(delay_s, device.dt_s) + int(
                device.reset_dt[device.usable_qubits].max(initial=0)
            )
            self._overhead_slots = overhead_dt / self._blank.slot_dt

    @property
    def could_fit(self) -> bool:
        """Whether there are as many qubits as all items together need for themselves, wherever they lie."""
        needed = sum(min(map(len, item.exclusive_sites)) for item in self._items)
        return needed <= int(self._device.usable_qubits.sum())

    def badness(self, filling: Filling) -> tuple[tuple[int, int, int], float]:
        """Return what is least for the best board: faults, then the log of QPU time less what success is worth."""
        return filling.faults, self._cost(
            {index: spot.log_success for index, spot in filling.board.spots.items()}, filling.length
        )

    def _cost(self, log_success: Mapping[int, float], num_slots: float) -> float:
        """Return the log of QPU time less what success is worth."""
        return math.log(max(num_slots + self._overhead_slots, 1.0)) - EXCHANGE * self._mean_success(log_success)

    def one_by_one(self) -> Filling:
        """Return the best of boards on which each piece takes what is best for it at some rent, or without any."""
        relaxed = RelaxedPacking.of(self._items, self._device.num_qubits, self._blank.windows, self._blank.origin)
        return self._of_few(relaxed) if len(self._items) <= FEW else self._of_many(relaxed)

    def _of_few(self, relaxed: RelaxedPacking) -> Filling:
        """Return the best of boards at many rents, and without."""
        least = relaxed.least_slots()
        fillings: list[Filling] = []
        for for_rents, for_all in MARKETS:
            rents = relaxed.rents(for_rents * least)
            if rents is not None:
                fillings += [self._at_rents(rents.at(price), for_all * least) for price in PRICES]
        unhurried = fill(self._blank.blank(), _by_loss(self._items), self._recompile, NO_LIMIT)
        best = min((*fillings, unhurried, self._shortest()), key=self.badness)
        # If nobody had to wait or to give way.
        ideal = self._cost({index: item.log_best for index, item in enumerate(self._items)}, least)
        faults, cost = self.badness(best)
        if len(self._items) <= FEWEST and (any(faults) or cost > ideal + WORTH_SEARCHING * len(self._items)):
            best = min(best, self._in_best_order(least), key=self.badness)
        return best

    def _in_best_order(self, least: float) -> Filling:
        """Return the board filled in the best order that a search finds."""
        room = Room(
            num_qubits=self._device.num_qubits,
            windows=self._blank.windows,
            handover_log=self._blank.handover_log,
            origin=self._blank.origin,
            horizon=self._blank.horizon,
        )
        places = OrderSearch(self._items, room, self._cost).best(least)
        rest = [index for index in _by_loss(self._items) if index not in places]
        return fill(self._blank.blank(), [*places, *rest], self._recompile, None, places)

    def _of_many(self, relaxed: RelaxedPacking) -> Filling:
        """Return the board that the linear program points to, or if it falls short of that, the best of a few."""
        least = relaxed.least_slots()
        length, rents = self._best_length(relaxed, USUAL * least)
        limit = min(WASTE * length, float(self._blank.horizon - self._blank.origin))
        fillings: list[Filling] = []
        if length <= least + 0.5:
            # Where no success is worth more time than there must be, only the shortest boards are worth filling.
            rents = None
        elif rents is None or limit < WASTE * length:
            rents = relaxed.rents(limit / WASTE)
        if rents is not None:
            filling = self._at_rents(rents.at(PRICES[0]), limit)
            if length > ROOMY * least and filling.length <= LATE * limit and not any(filling.faults):
                return filling
            fillings.append(filling)
        # Pieces wait for few places: all must leave to others what only those can use.
        for_rents, for_all = TIGHT
        rents = relaxed.rents(for_rents * least)
        if rents is not None:
            fillings.append(self._at_rents(rents.at(PRICES[1]), for_all * least))
        return min((*fillings, self._shortest()), key=self.badness)

    def _shortest(self) -> Filling:
        """Return the board without rents that is filled as short as can be."""
        return fill(self._blank.blank(), _by_area(self._items), self._recompile, None)

    def _at_rents(self, rents: Rents, num_slots: float) -> Filling:
        """Return the board filled at ``rents``; all should end within ``num_slots`` slots from tick 0."""
        limit = self._blank.origin + int(num_slots)
        return fill(self._blank.blank(rents), _by_loss(self._items), self._recompile, limit)

    def _best_length(self, relaxed: RelaxedPacking, guess: float) -> tuple[float, Rents | None]:
        """Return the slots at which success and QPU time are worth the same, as far as the linear program can tell, and rents.

        Args:
            relaxed: The linear program.
            guess: About that many.
        """
        # What one slot more adds to the log of QPU time, in success of all programs together; less the longer it is.
        qpu_slots = max(WASTE * guess + self._overhead_slots, 1.0)
        return relaxed.best_slots(self._num_programs * WASTE / (EXCHANGE * qpu_slots))

    def _mean_success(self, log_success: Mapping[int, float]) -> float:
        """Return the mean success of the programs whose pieces have these; a program that lacks a piece has none."""
        programs = np.zeros(self._num_programs)
        for index, program in enumerate(self._program_of):
            programs[program] += log_success.get(index, -math.inf)
        return float(np.exp(programs).mean()) if len(programs) else 0.0

    def all_at_once(self) -> Filling:
        """Return the best of boards on which places are chosen for all pieces together, whoever can have one."""
        fillings: list[Filling] = []
        for keep_floor, forms in CROWDS:
            reserved = reserve(self._items, self._device.num_qubits, keep_floor=keep_floor, forms=forms)
            fillings.append(fill(self._blank.blank(), _by_area(self._items), self._recompile, None, reserved))
            if not any(fillings[-1].faults):
                break
        return min(fillings, key=self.badness)


def _by_area(items: Sequence[PackingItem]) -> list[int]:
    """Most qubit-time first, which makes the shortest batches."""
    areas = [sum(stop - start for start, stop in i.variants[0].fragment.timing.busy_dt) for i in items]
    return sorted(range(len(items)), key=lambda i: (-areas[i], i))


def _by_loss(items: Sequence[PackingItem]) -> list[int]:
    """Least predicted success first: the same share of what it loses anyway is most for these."""
    return sorted(range(len(items)), key=lambda i: (items[i].log_best, i))
