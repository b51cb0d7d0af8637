"""Choose a place and a provisional time for every piece of a batch.

The aim is the shortest makespan in which every program keeps its floor of predicted success, and then the best success
within a little more than that makespan. The board is filled twice, each time one piece after another: first as tightly as
it goes, which tells how long the batch must be; then again within that time and some slack, those with most to lose
choosing first.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy.typing as npt
from numpy import bool_

from qiskit_halo.device.model import DeviceModel
from qiskit_halo.options import HaloOptions
from qiskit_halo.placement.board import Board
from qiskit_halo.placement.crowding import Forms, Reservation, reserve
from qiskit_halo.placement.items import TOLERANCE, PackingItem, Spot

SLACK = 1 / 4
"""Share of the shortest makespan found that may be spent on better places.

Fidelity comes first: at the usual repetition delay, which is several makespans long, a quarter of a makespan is six percent
of the QPU time, and it buys back a quarter of what programs lose to each other (``benchmarks/choices.py``).
"""

FEW = 128
"""Items up to which a second order is tried: with more of them it saves a percent of the makespan at most, else three."""


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
    orders = [_by_area(items), _by_length(items)] if len(items) <= FEW else [_by_area(items)]
    tightest = min(
        (_fill(blank, order, recompile, None) for order in orders),
        key=lambda filling: (filling.faults, filling.board.stop),
    )
    if tightest.lost and not _could_fit(items, device):
        return tightest.placed()
    if tightest.lost or (options.sharing == "none" and tightest.squeezed):
        roomiest = _roomiest(blank, device, recompile, tightest)
        if tightest.lost or roomiest is not tightest:
            return roomiest.placed()
    board = tightest.board
    limit = board.stop + int((board.stop - board.origin) * SLACK)
    for order in (_by_loss(items), _by_area(items)):
        best = _fill(blank, order, recompile, limit)
        if best.board.stop <= limit and best.faults <= tightest.faults:
            return best.placed()
    return tightest.placed()


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
        roomy = _fill(blank, _by_area(blank.items), recompile, None, reserved)
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


def _by_length(items: Sequence[PackingItem]) -> list[int]:
    fragments = [item.variants[0].fragment for item in items]
    return sorted(range(len(items)), key=lambda i: (-fragments[i].timing.length_dt, -fragments[i].num_sites, i))


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
    blank: Board,
    order: Sequence[int],
    recompile: Recompile,
    limit: int | None,
    reserved: Mapping[int, Reservation] = MappingProxyType({}),
) -> _Filling:
    """Return a board with all items on it, put there in ``order``, those with a place reserved first.

    Args:
        blank: A board for the items, which stays as it is.
        order: Indices of items.
        recompile: Called when no known place of an item is free.
        limit: Slot by which all should end; ``None`` to end as early as possible.
        reserved: Where some items go.
    """
    filling = _Filling(blank.blank(), {}, {})
    board = filling.board
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
