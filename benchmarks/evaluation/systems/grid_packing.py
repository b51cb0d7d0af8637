"""Which programs of a queue go on which regions of a fixed grid, by HyperQ's rules: places, halves, turns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Protocol

from benchmarks.evaluation.systems.grid_regions import Grid, Region, Shape

CEILING = 36
"""Most programs in one circuit."""
HALF_WIDTH = 3
"""Widest program that fits on a run of a region."""
RESET_LAYERS = 50
"""What a second turn on a region costs, in layers of a circuit."""


class Candidate(Protocol):
    """A program that waits, compiled for areas when somebody asks."""

    num_qubits: int
    shapes: tuple[Shape, ...]

    def depth(self, shape: Shape) -> int:
        """Return the layers of the version for an area of this shape."""
        ...

    def half_depth(self) -> int:
        """Return the layers of the version for a run of three qubits."""
        ...

    def sensitive(self) -> bool:
        """Return whether the program is kept off bad regions."""
        ...


@dataclass(frozen=True)
class Seat:
    """Where one program is.

    Attributes:
        position: Of the program in the queue.
        shape: Of its area.
        place: Upper left region of the area.
        half: 0 or 1 if the program only has the upper or lower run of its region, else ``None``.
        turn: 0, or 1 if it comes after others there.
    """

    position: int
    shape: Shape
    place: Region
    half: int | None = None
    turn: int = 0

    @property
    def regions(self) -> tuple[Region, ...]:
        """Regions of the area, row by row."""
        return _block(self.place, self.shape)


class Packing:
    """One circuit's worth of a queue.

    Args:
        grid: The regions.
        queue: Programs, oldest first.
        in_time: Whether a region may serve two programs, one after the other.
        bad: Regions where sensitive programs may not go, and where others go first; no regions: all are alike.
    """

    def __init__(self, grid: Grid, queue: Sequence[Candidate], *, in_time: bool, bad: Sequence[Region] = ()) -> None:
        self.seats: list[Seat] = []
        self._grid = grid
        self._queue = queue
        self._bad = tuple(bad)
        self._waiting = list(range(len(queue)))
        self._depth = dict.fromkeys(grid.regions, 0)
        self._uses = dict.fromkeys(grid.regions, 0)
        self._fill_space()
        self._share_halves(turn=0)
        if in_time:
            self._fill_time()
            self._share_halves(turn=1)

    def _fill_space(self) -> None:
        """Give each program, oldest first, the first free area of its first shape, else of its second."""
        for position in list(self._waiting):
            if self._is_full() or all(self._uses.values()):
                return
            seat = self._free_seat(position)
            if seat is not None:
                self._sit(seat, self._queue[position].depth(seat.shape))

    def _free_seat(self, position: int) -> Seat | None:
        program = self._queue[position]
        free = sum(not uses for uses in self._uses.values())
        seats = [
            Seat(position, shape, place)
            for shape in program.shapes
            if shape[0] * shape[1] <= free
            for place in self._grid.areas(shape)
            if not any(self._uses[region] for region in _block(place, shape))
        ]
        if not seats:
            return None
        if not self._bad:
            return seats[0]
        if program.sensitive():
            return next((seat for seat in seats if not self._num_bad(seat)), None)
        return max(seats, key=self._num_bad)  # the first of equals

    def _fill_time(self) -> None:
        """Let programs that wait come second on regions that would idle, as long as the longest region lasts."""
        longest = max(self._depth.values())
        if longest - min(self._depth.values()) < RESET_LAYERS:
            return
        left = {region: 0 if depth == longest else 2 - self._uses[region] for region, depth in self._depth.items()}
        for position in list(self._waiting):
            if self._is_full() or not any(left.values()):
                return
            for seat, base in self._second_seats(position, left):
                depth = base + self._queue[position].depth(seat.shape) + RESET_LAYERS
                if depth < longest:
                    self._sit(seat, depth)
                    for region in seat.regions:
                        left[region] -= 1
                    break

    def _second_seats(self, position: int, left: dict[Region, int]) -> Iterator[tuple[Seat, int]]:
        """Yield the areas where a region has a turn left each, and the deepest region of each."""
        for shape in self._queue[position].shapes:
            for place in self._grid.areas(shape):
                regions = _block(place, shape)
                if all(left[region] > 0 for region in regions):
                    yield Seat(position, shape, place, turn=1), max(self._depth[region] for region in regions)

    def _share_halves(self, turn: int) -> None:
        """Seat the oldest narrow programs that wait beside the narrow ones of this turn, a run of the region each."""
        for index, host in enumerate(list(self.seats)):
            if self._is_full():
                return
            if host.turn != turn or self._queue[host.position].num_qubits > HALF_WIDTH or len(host.regions) > 1:
                continue
            guest = next((p for p in self._waiting if self._queue[p].num_qubits <= HALF_WIDTH), None)
            if guest is None:
                return
            self.seats[index] = replace(host, half=0)
            depth = max(self._depth[host.place], self._queue[guest].half_depth())
            self._sit(replace(host, position=guest, half=1), depth)

    def _sit(self, seat: Seat, depth: int) -> None:
        self.seats.append(seat)
        self._waiting.remove(seat.position)
        for region in seat.regions:
            self._depth[region] = depth
            self._uses[region] += seat.half is None

    def _num_bad(self, seat: Seat) -> int:
        return sum(region in self._bad for region in seat.regions)

    def _is_full(self) -> bool:
        return len(self.seats) >= CEILING


def choose_shapes(grid: Grid, num_qubits: int) -> tuple[Shape, ...]:
    """Return the smallest shape that holds a program, and the same shape lying down if that holds it too."""
    first = next((shape for shape in grid.shapes if grid.templates[shape][0] >= num_qubits), None)
    if first is None:
        return ()
    other = first[::-1]
    return (first, other) if other != first and grid.templates.get(other, (0,))[0] >= num_qubits else (first,)


def _block(place: Region, shape: Shape) -> tuple[Region, ...]:
    return tuple((place[0] + i, place[1] + j) for i, j in product(range(shape[0]), range(shape[1])))
