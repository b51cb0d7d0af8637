"""Which place of one part of a piece to take, and when it may start there."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from qiskit_halo.placement.candidates import FloatArray, IntArray
from qiskit_halo.placement.crosstalk import BoardCrosstalk, Found, Query
from qiskit_halo.placement.slots import SlotGrid, WordArray, first_slots, runs_of
from qiskit_halo.placement.windows import WindowGroup, Windows

LATEST = np.iinfo(np.int64).max

BEST_FIRST = 128
"""Places looked at together, the best first: those after them only count where none of these is free in time."""


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
            for group in self._windows.of(query.shape):
                own = rows[group.holds[rows]]
                found = self._best_of(query, group, own, common, quiet, limit) if len(own) else None
                if found is not None and (best is None or found[0] < best[0]):
                    best = found
            if best is not None and best[0][0] <= limit:
                break
        return (None, common) if best is None else (best[0][3], best[1])

    def _best_first(self, value: FloatArray, good: npt.NDArray[np.bool_]) -> Iterator[IntArray]:
        rows = np.flatnonzero(good)
        # What others lose is not in the value, so that it does not tell which are the best.
        while self._crosstalk is None and len(rows) > BEST_FIRST:
            worse = -value[rows]
            # Of equals the one that ends first is the best, so that they belong together.
            last = np.partition(worse, BEST_FIRST - 1)[BEST_FIRST - 1]
            yield rows[worse <= last]
            rows = rows[worse > last]
        yield rows

    def _best_of(
        self,
        query: Query,
        group: WindowGroup,
        rows: IntArray,
        common: WordArray,
        quiet: WordArray | None,
        limit: int,
    ) -> Found | None:
        words = np.repeat(common[None, :], len(rows), axis=0)
        still = None if quiet is None else runs_of(quiet, group.length)
        for qubits, (start, stop) in zip(query.shape.places[rows].T, group.spans, strict=True):
            words &= self._grid.starts(qubits, stop - start, start)
            if still is not None:
                words &= still[qubits]
        ends = (starts := first_slots(words)) + group.length
        late = np.where(starts < 0, LATEST, np.maximum(ends, limit))
        ranked = np.lexsort((rows, ends, -query.value[rows], late))
        pick = int(ranked[0])
        if starts[pick] < 0:
            return None
        if self._crosstalk is not None:
            return self._crosstalk.choose(query, rows[ranked], words[ranked], group.length, limit)
        return (int(late[pick]), float(-query.value[rows[pick]]), int(ends[pick]), int(rows[pick])), words[pick]
