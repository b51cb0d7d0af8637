"""Put one piece after another on a board."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy.typing as npt
from numpy import bool_

from qiskit_halo.placement.board import Board
from qiskit_halo.placement.crowding import Reservation
from qiskit_halo.placement.items import TOLERANCE, PackingItem, Spot


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


@dataclass(slots=True)
class Filling:
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
    def length(self) -> int:
        """Slots from tick 0 to the end of the last operation."""
        return self.board.stop - self.board.origin

    def placed(self) -> list[PlacedItem | None]:
        """Return where each item went, in the order given; ``None`` for those that found no place."""
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


def fill(
    board: Board,
    order: Sequence[int],
    recompile: Recompile,
    limit: int | None,
    reserved: Mapping[int, Reservation] = MappingProxyType({}),
) -> Filling:
    """Return a board with all items on it, put there in ``order``, those with a place reserved first.

    Args:
        board: A board with nothing on it.
        order: Indices of items.
        recompile: Called when no known place of an item is free.
        limit: Slot by which all should end; ``None`` to end as early as possible.
        reserved: Where some items go.
    """
    filling = Filling(board, {}, {})
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


def remembering(recompile: Recompile) -> Recompile:
    """Return ``recompile`` with a memory: boards that are filled one after another often ask for the same."""
    known: dict[tuple[int, bytes], PackingItem | None] = {}

    def remembered(index: int, free: npt.NDArray[bool_]) -> PackingItem | None:
        key = (index, free.tobytes())
        if key not in known:
            known[key] = recompile(index, free)
        return known[key]

    return remembered
