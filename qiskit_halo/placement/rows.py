"""Which place of one part of a piece to take, and when it may start there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from qiskit_halo.placement.candidates import FloatArray, IntArray, ShapeCandidates
from qiskit_halo.placement.crosstalk import BoardCrosstalk, Found, Query
from qiskit_halo.placement.slots import SlotGrid, WordArray, first_slots, runs_of
from qiskit_halo.placement.windows import Windows

LATEST = np.iinfo(np.int64).max

BEST_FIRST = 32
"""Places looked at together, the best first: twice as many after them only count where none of these is free in time."""


class RowChooser:
    """Finds the best place of a part on a board.

    Args:
        grid: Which slots are free; the board books them.
        crosstalk: What places cost others, if that counts.
        windows: What places take.
    """

    def __init__(self, grid: SlotGrid, crosstalk: BoardCrosstalk | None, windows: Windows) -> None:
        self._grid = grid
        self._crosstalk = crosstalk
        self._windows = windows
        self._needs: dict[ShapeCandidates, _Needs] = {}

    def choose(
        self, query: Query, good: npt.NDArray[np.bool_], common: WordArray, quiet: WordArray | None, limit: int
    ) -> tuple[int | None, WordArray]:
        """Return the row to take, ``None`` if there is none, and the slots of ``common`` that it may start at.

        That is the row with the best value of those that can end by slot ``limit``, or where there is no such row, the
        one that ends first.

        Args:
            query: The part, with score and value of each of its places.
            good: Which rows may be taken.
            common: Slots that the piece may start at as far as its other parts go.
            quiet: For each qubit, slots in which nobody else is near; ``None`` if that does not matter.
            limit: Slot by which it should end.
        """
        best: Found | None = None
        for rows in self._best_first(query.value, good):
            found = self._best_of(query, rows, common, quiet, limit) if len(rows) else None
            if found is not None and (best is None or found[0] < best[0]):
                best = found
            if best is not None and best[0][0] <= limit:
                break
        return (None, common) if best is None else (best[0][3], best[1])

    def _best_first(self, value: FloatArray, good: npt.NDArray[np.bool_]) -> Iterator[IntArray]:
        rows, number = np.flatnonzero(good), BEST_FIRST
        # What others lose is not in the value, so that it does not tell which are the best.
        while self._crosstalk is None and len(rows) > number:
            worse = -value[rows]
            # Of equals the one that ends first is the best, so that they belong together.
            last = np.partition(worse, number - 1)[number - 1]
            yield rows[worse <= last]
            rows, number = rows[worse > last], 2 * number
        yield rows

    def _best_of(
        self, query: Query, rows: IntArray, common: WordArray, quiet: WordArray | None, limit: int
    ) -> Found | None:
        needs = self._needs_of(query.shape)
        words = self._grid.starts(needs.cells[:, rows]) & common
        if quiet is not None:
            still = np.stack([runs_of(quiet, group.length) for group in self._windows.of(query.shape)])
            words &= np.bitwise_and.reduce(still[needs.groups[rows], query.shape.places[rows].T], axis=0)
        lengths = needs.lengths[rows]
        starts = first_slots(words)
        ends = starts + lengths
        late = np.where(starts < 0, LATEST, np.maximum(ends, limit))
        worse = -query.value[rows]
        if self._crosstalk is not None:
            ranked = np.lexsort((rows, ends, worse, late))
            return self._crosstalk.choose(query, rows[ranked], words[ranked], lengths[ranked], limit)
        pick = _least(late, worse, ends)
        if starts[pick] < 0:
            return None
        return (int(late[pick]), float(worse[pick]), int(ends[pick]), int(rows[pick])), words[pick]

    def _needs_of(self, shape: ShapeCandidates) -> _Needs:
        known = self._needs.get(shape)
        if known is None:
            cells = np.empty(shape.places.T.shape, dtype=np.int64)
            groups, lengths = np.zeros((2, len(shape.places)), dtype=np.int64)
            for number, group in enumerate(self._windows.of(shape)):
                first = np.array([self._grid.first_cell(stop - start, start) for start, stop in group.spans])
                cells[:, group.holds] = first[:, None] + shape.places[group.holds].T
                groups[group.holds], lengths[group.holds] = number, group.length
            known = self._needs[shape] = _Needs(cells=cells, groups=groups, lengths=lengths)
        return known


@dataclass(frozen=True, slots=True, kw_only=True)
class _Needs:
    """What each place of a part needs to be free.

    Args:
        cells: Slots of its qubits, shape (num_sites, num_places), as the grid numbers them.
        groups: Its window group, shape (num_places,).
        lengths: Slots from the start of the piece to its end, shape (num_places,).
    """

    cells: IntArray
    groups: IntArray
    lengths: IntArray


def _least(*keys: IntArray | FloatArray) -> int:
    """Return the first index with the least entry of the first key, of those with the least of the second, and so on."""
    first, *others = keys
    left = np.flatnonzero(first == first.min())
    for key in others:
        if len(left) == 1:
            break
        own = key[left]
        left = left[own == own.min()]
    return int(left[0])
