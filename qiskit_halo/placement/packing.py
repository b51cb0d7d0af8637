"""Choose a place and a provisional time for every piece of a batch.

Every program keeps its floor of predicted success if it can; beyond that a batch is better the more success its programs
have and the less time it takes on the device, at a fixed rate of exchange. The board is filled one piece after another, those
with most to lose first. What keeps the first from taking what others need more are rents: the best places cost what they are
worth to all others.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy.typing as npt
from numpy import bool_

from qiskit_halo.device.model import DeviceModel
from qiskit_halo.options import DEFAULT_REP_DELAY_S, HaloOptions
from qiskit_halo.placement.board import NO_LIMIT, Board
from qiskit_halo.placement.crowding import Forms, Reservation, reserve
from qiskit_halo.placement.items import TOLERANCE, PackingItem, Spot
from qiskit_halo.placement.rents import RelaxedPacking
from qiskit_halo.units import seconds_to_dt

EXCHANGE = 4.0
"""Percent of QPU time that one percent of success is worth.

Shots make up for success as its square: with 2 a batch would tell as much as it can in a second. Twice that, since fidelity
comes first (``benchmarks/choices.py``).
"""

MARKETS = ((1.7, 1.9), (1.0, 1.1), (1.2, 1.35), (2.5, 3.0))
"""Shares of the least time that any batch takes: that for which rents are found, and that by which all should end."""

FEW = 64
"""Items up to which boards are filled in all these ways; with more of them the first is within a percent of the best."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedItem:
    """Where and when a piece goes.

    Args:
        item: What was placed: another than the one given if it was compiled again.
        spot: Where.
        start_dt: Provisional start in ticks.
        below_floor: Whether no place left it its floor.
        rank: How many items come before it in an order that holds on every qubit.
    """

    item: PackingItem
    spot: Spot
    start_dt: int
    below_floor: bool
    rank: int


Recompile = Callable[[int, npt.NDArray[bool_]], PackingItem | None]
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
    recompile = _once(recompile)
    blank = Board(device, options, items)
    best = _best_valued(blank, device, recompile, _delay_slots(device, options, blank.slot_dt))
    if (best.lost and _could_fit(items, device)) or (options.sharing == "none" and best.squeezed):
        best = _roomiest(blank, device, recompile, best)
    return best.placed()


def _best_valued(blank: Board, device: DeviceModel, recompile: Recompile, delay: float) -> _Filling:
    """Return the best of boards with and without rents."""
    items = blank.items
    relaxed = RelaxedPacking.of(items, device.num_qubits, blank.windows)
    least = relaxed.least_slots()
    fillings = []
    for for_rents, for_all in MARKETS:
        rents = relaxed.rents(for_rents * least)
        if rents is not None:
            limit = blank.origin + int(for_all * least)
            filling = _fill(blank.blank(rents), _by_loss(items), recompile, limit)
            if len(items) > FEW and filling.board.stop <= limit and not any(filling.faults):
                return filling
            fillings.append(filling)
        if len(items) > FEW:
            break
    fillings.append(_fill(blank.blank(), _by_area(items), recompile, None))
    if len(items) <= FEW:
        fillings.append(_fill(blank.blank(), _by_loss(items), recompile, NO_LIMIT))
    return min(fillings, key=lambda filling: (filling.faults, filling.cost(delay)))


def _delay_slots(device: DeviceModel, options: HaloOptions, slot_dt: int) -> float:
    """Return the repetition delay in slots, 0 where ticks have no length."""
    if not device.has_durations:
        return 0.0
    delay_s = DEFAULT_REP_DELAY_S if options.rep_delay_s is None else options.rep_delay_s
    return seconds_to_dt(delay_s, device.dt_s) / slot_dt


def _could_fit(items: Sequence[PackingItem], device: DeviceModel) -> bool:
    """Return whether there are as many qubits as all items together need for themselves, wherever they lie."""
    needed = sum(min(map(len, item.exclusive_sites)) for item in items)
    return needed <= int(device.usable_qubits.sum())


def _roomiest(blank: Board, device: DeviceModel, recompile: Recompile, best: _Filling) -> _Filling:
    """Return the best of boards on which places were chosen for many items at once, or ``best`` if none is better."""
    tries: tuple[tuple[bool, Forms], ...] = (
        (True, "best"), (True, "short"), (True, "all"), (False, "short"), (False, "all"),
    )  # fmt: skip
    for keep_floor, forms in tries:
        reserved = reserve(blank.items, device.num_qubits, keep_floor=keep_floor, forms=forms)
        roomy = _fill(blank.blank(), _by_area(blank.items), recompile, None, reserved)
        shorter = roomy.faults == best.faults and not best.lost and roomy.board.stop < best.board.stop
        if roomy.faults < best.faults or shorter:
            best = roomy
        if not roomy.lost:
            break
    return best


def _once(recompile: Recompile) -> Recompile:
    """Return ``recompile`` with a memory: boards that are filled one after another often ask for the same."""
    known: dict[tuple[int, bytes], PackingItem | None] = {}

    def remembered(index: int, free: npt.NDArray[bool_]) -> PackingItem | None:
        key = (index, free.tobytes())
        if key not in known:
            known[key] = recompile(index, free)
        return known[key]

    return remembered


def _by_area(items: Sequence[PackingItem]) -> list[int]:
    """Most qubit-time first, which makes the shortest batches."""
    areas = [sum(stop - start for start, stop in i.variants[0].fragment.timing.busy_dt) for i in items]
    return sorted(range(len(items)), key=lambda i: (-areas[i], i))


def _by_loss(items: Sequence[PackingItem]) -> list[int]:
    """Least predicted success first: the same share of what it loses anyway is most for these."""
    return sorted(range(len(items)), key=lambda i: (items[i].log_best, i))


@dataclass(slots=True)
class _Filling:
    """A filled board, and which items found no good place on it; grows while it is filled."""

    board: Board
    low: dict[int, None]
    lost: dict[int, None]

    @property
    def faults(self) -> tuple[int, int, int]:
        """How many items have no place, how many are below their floor, and how many end too late; worst first."""
        late = sum(spot.stop > self.board.horizon for spot in self.board.spots.values())
        return len(self.lost), len(self.low), late

    def cost(self, delay: float) -> float:
        """Return what is less for a better batch: log of QPU time, with ``delay`` slots a shot, and of success."""
        items, spots = self.board.items, self.board.spots
        lost = sum(items[index].log_best - spot.log_success for index, spot in spots.items())
        # Anonymous pieces are programs of their own.
        num_programs = len({items[index].owners or index for index in spots})
        length = self.board.stop - self.board.origin + delay
        return math.log(max(length, 1.0)) + EXCHANGE * lost / max(1, num_programs)

    @property
    def squeezed(self) -> bool:
        """Whether an item has a form that is longer than its best one, as narrow forms are."""
        for index, spot in self.board.spots.items():
            lengths = [variant.fragment.timing.length_dt for variant in self.board.items[index].variants]
            if lengths[spot.variant] > lengths[0]:
                return True
        return False

    def placed(self) -> list[PlacedItem | None]:
        board = self.board
        result: list[PlacedItem | None] = [None] * len(board.items)
        for rank, index in enumerate(board.in_order()):
            spot = board.spots[index]
            result[index] = PlacedItem(
                item=board.items[index],
                spot=spot,
                start_dt=(spot.start - board.origin) * board.slot_dt,
                below_floor=index in self.low,
                rank=rank,
            )
        return result


def _fill(
    board: Board,
    order: Sequence[int],
    recompile: Recompile,
    limit: int | None,
    reserved: Mapping[int, Reservation] = MappingProxyType({}),
) -> _Filling:
    """Return a board with all items on it, put there in ``order``, those with a place reserved first.

    Args:
        board: A board with nothing on it.
        order: Indices of items.
        recompile: Called when no known place of an item is free.
        limit: Slot by which all should end; ``None`` to end as early as possible.
        reserved: Where some items go.
    """
    filling = _Filling(board, {}, {})
    for index in order:
        place = reserved.get(index)
        spot = None if place is None else board.find_at(index, place.variant, place.row)
        if spot is not None:
            board.put(index, spot)
            if spot.log_success < board.items[index].log_floor - TOLERANCE:
                filling.low[index] = None
    for index in order:
        if index in board.spots:
            continue
        aim = min(board.horizon, board.stop if limit is None else limit)
        spot = board.find(index, aim)
        if spot is None:
            filling.low[index] = None
            spot = board.find_anywhere(index)
        if spot is None:
            other = recompile(index, board.unused)
            if other is not None:
                board.replace(index, other)
                spot = board.find(index, aim)
                if spot is not None:
                    del filling.low[index]
                else:
                    spot = board.find_anywhere(index)
        if spot is None:
            del filling.low[index]
            filling.lost[index] = None
        else:
            board.put(index, spot)
    return filling
