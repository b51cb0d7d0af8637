"""Fixed regions of a device, and the areas that neighbouring regions form, as HyperQ lays them out."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise, product

from benchmarks.evaluation.model import SystemFailedError
from benchmarks.evaluation.systems.grid_lattice import Cell, find_lattice

PITCH = 4
"""Cells from one region to the next: three of its own, and one of spacers."""
_UPPER = ((0, 0), (0, 1), (0, 2))
_LOWER = ((2, 0), (2, 1), (2, 2))
_CORE = (*_UPPER, (1, 1), *_LOWER)
"""Two runs of three and the bridge between their middles: HyperQ's region of seven qubits."""

Shape = tuple[int, int]
"""Regions down and across."""
Region = tuple[int, int]
"""(row, column) of a region."""


@dataclass(frozen=True)
class Grid:
    """The regions of a device.

    A region is a window of 3 x 3 cells that holds the core; windows stand four cells apart, from the offset that gives
    most regions, the first of equals. On a 127-qubit or 133-qubit heavy-hex device these are HyperQ's regions, qubit by qubit.

    HyperQ is described for one device. Read into it for others:

    * on a square grid the two cells beside the bridge exist, and belong to the region: nine qubits;
    * spacers beside each other lie in the column between two windows, wherever there is a qubit in a row of theirs;
    * spacers below each other lie in the row between two windows: under the window if there are qubits, else, as in
      HyperQ, the bridge one column to the left of it, and the two qubits that it joins (to the right, if the device
      has more of them there).

    Attributes:
        num_qubits: Of the device.
        couplers: Of the device, in ascending order of their qubits.
        lattice: Qubit of each cell.
        corner: Cell of the upper left corner of region (0, 0).
        regions: Qubits of each region, cell by cell.
    """

    num_qubits: int
    couplers: frozenset[tuple[int, int]]
    lattice: dict[Cell, int]
    corner: Cell
    regions: dict[Region, tuple[int, ...]]

    @cached_property
    def shapes(self) -> tuple[Shape, ...]:
        """Shapes of areas that the device has, fewest qubits first."""
        rows, columns = (1 + max(place[axis] for place in self.regions) for axis in (0, 1))
        sizes = {
            shape: len(next(iter(self._areas(shape)), ()))
            for shape in product(range(1, rows + 1), range(1, columns + 1))
        }
        return tuple(sorted((shape for shape in sizes if sizes[shape]), key=lambda shape: (sizes[shape], shape)))

    @cached_property
    def templates(self) -> dict[Shape, tuple[int, tuple[tuple[int, int], ...]]]:
        """Per shape, number of qubits and the couplers inside, by place in the area: the same for all its areas."""
        return {shape: self._template(next(self._areas(shape))) for shape in self.shapes}

    def areas(self, shape: Shape) -> dict[Region, tuple[int, ...]]:
        """Return the areas of a shape, by their upper left region, row by row: its qubits, in the order of the template.

        The qubits are those of its regions row by row, then the spacers beside each other row by row, then those below
        each other.
        """
        return self._known_areas[shape]

    @cached_property
    def _known_areas(self) -> dict[Shape, dict[Region, tuple[int, ...]]]:
        known: dict[Shape, dict[Region, tuple[int, ...]]] = {}
        for shape in self.shapes:
            size, couplers = self.templates[shape]
            found = {place: self._area(place, shape) for place in sorted(self.regions)}
            known[shape] = {
                place: area
                for place, area in found.items()
                if len(area) == size and set(couplers) <= set(self._template(area)[1])
            }
        return known

    @cached_property
    def half_places(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Places, in a region, of its upper and its lower run: each may hold a program of at most three qubits."""
        size = len(next(iter(self.regions.values())))
        return (0, 1, 2), (size - 3, size - 2, size - 1)

    def _areas(self, shape: Shape) -> Iterator[tuple[int, ...]]:
        return (area for place in sorted(self.regions) if (area := self._area(place, shape)))

    def _area(self, place: Region, shape: Shape) -> tuple[int, ...]:
        """Return the qubits of an area, or none if it is not all there and connected."""
        own = [(place[0] + i, place[1] + j) for i, j in product(range(shape[0]), range(shape[1]))]
        if not all(region in self.regions for region in own):
            return ()
        qubits = [qubit for region in own for qubit in self.regions[region]]
        for i, j in own:
            if (i, j + 1) in own:
                qubits += self._beside(i, j)
        for i, j in own:
            if (i + 1, j) in own:
                qubits += self._below(i, j, self._side)
        area = tuple(dict.fromkeys(qubits))
        return area if _connected(len(area), self._template(area)[1]) else ()

    def _beside(self, i: int, j: int) -> list[int]:
        """Return the spacers between a region and the one to its right."""
        y, x = self._corner_of(i, j)
        return self._qubits((y + row, x + 3) for row in range(3))

    def _below(self, i: int, j: int, side: int) -> list[int]:
        """Return the spacers between a region and the one below."""
        y, x = self._corner_of(i, j)
        under = self._qubits((y + 3, x + column) for column in range(3))
        return under or self._qubits((y + row, x + side) for row in (2, 3, 4))

    @cached_property
    def _side(self) -> int:
        """Column, from a window's first, where spacers below each other are: the same for all, so that no two share."""
        pairs = [(i, j) for i, j in self.regions if (i + 1, j) in self.regions]
        return max((-1, 3), key=lambda side: sum(len(self._below(i, j, side)) == 3 for i, j in pairs))

    def _corner_of(self, i: int, j: int) -> Cell:
        return self.corner[0] + PITCH * i, self.corner[1] + PITCH * j

    def _qubits(self, cells: Iterable[Cell]) -> list[int]:
        return [self.lattice[cell] for cell in cells if cell in self.lattice]

    def _template(self, area: tuple[int, ...]) -> tuple[int, tuple[tuple[int, int], ...]]:
        place = {qubit: index for index, qubit in enumerate(area)}
        inside = ((place[a], place[b]) for a, b in self.couplers if a in place and b in place)
        return len(area), tuple(sorted((min(pair), max(pair)) for pair in inside))


def find_grid(num_qubits: int, couplers: Iterable[tuple[int, int]]) -> Grid:
    """Return the regions of a device.

    Raises:
        SystemFailedError: It is neither square nor heavy-hex, or too small for one region.
    """
    edges = frozenset((min(pair), max(pair)) for pair in couplers)
    lattice = find_lattice(num_qubits, edges)
    best: dict[Region, tuple[int, ...]] = {}
    corner = (0, 0)
    for offset in product(range(PITCH), repeat=2):
        found = _windows(lattice, edges, offset)
        if len(found) > len(best):
            best, corner = found, offset
    if not best:
        raise SystemFailedError(
            f"the device of {num_qubits} qubits has no region: two runs of three qubits and a bridge between their middles"
        )
    return Grid(num_qubits, edges, lattice, corner, best)


def _windows(
    lattice: dict[Cell, int], couplers: frozenset[tuple[int, int]], offset: Cell
) -> dict[Region, tuple[int, ...]]:
    """Return the windows that hold the core, all with the same cells: those that most of them have."""
    height = 1 + max(y for y, _ in lattice)
    width = 1 + max(x for _, x in lattice)
    shapes: dict[tuple[Cell, ...], dict[Region, tuple[int, ...]]] = {}
    for i, y in enumerate(range(offset[0], height - 2, PITCH)):
        for j, x in enumerate(range(offset[1], width - 2, PITCH)):
            cells = {cell: lattice.get((y + cell[0], x + cell[1])) for cell in product(range(3), repeat=2)}
            present = tuple(cell for cell, qubit in cells.items() if qubit is not None)
            if all(cell in present for cell in _CORE) and _has_core(cells, couplers):
                shapes.setdefault(present, {})[i, j] = tuple(cells[cell] for cell in present)
    return max(shapes.values(), key=len, default={})


def _has_core(cells: dict[Cell, int], couplers: frozenset[tuple[int, int]]) -> bool:
    pairs = [*pairwise(_UPPER), *pairwise(_LOWER), ((0, 1), (1, 1)), ((1, 1), (2, 1))]
    return all((min(cells[a], cells[b]), max(cells[a], cells[b])) in couplers for a, b in pairs)


def _connected(size: int, couplers: Iterable[tuple[int, int]]) -> bool:
    near: list[list[int]] = [[] for _ in range(size)]
    for a, b in couplers:
        near[a].append(b)
        near[b].append(a)
    seen, todo = {0}, deque([0])
    while todo:
        for other in near[todo.popleft()]:
            if other not in seen:
                seen.add(other)
                todo.append(other)
    return len(seen) == size
