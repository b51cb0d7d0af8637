"""Give the cells of a batch to programs, and cut batches that are too large for one job."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from qiskit_halo.options import HaloOptions
from qiskit_halo.primitives.batch_search import Draft, FloatArray, IntArray

Cells = tuple[tuple[int | None, ...], ...]


def fill_cells(draft: Draft, circuits: IntArray, weights: FloatArray, along_rows: npt.NDArray[np.bool_]) -> Cells:
    """Return ``cells[row][slot]``: the program that each cell gives its shots to.

    Slots are in order of circuit. The cells of a program follow each other down one slot, then the next, so that no
    row has more of them than it must. Where a circuit has parameters and copies are welcome they go along a row first:
    simulators with a fixed seed may draw the same shots in every row of a sweep, but never for two copies in one merged
    circuit. Heavy programs get the first cells.

    Args:
        draft: The batch.
        circuits: Circuit of each program.
        weights: Weight of each program.
        along_rows: For each circuit, whether the cells of a program go along a row first.
    """
    cells = np.full((draft.rows, int(draft.slots.sum())), -1, dtype=np.int64)
    first_slot = 0
    for circuit in np.flatnonzero(draft.slots).tolist():
        count = int(draft.slots[circuit])
        programs = np.flatnonzero((circuits == circuit) & (draft.wanted > 0))
        programs = programs[np.lexsort((programs, -weights[programs]))]
        owners = np.repeat(programs, -(-draft.wanted[programs] // draft.shots))
        block = np.full(draft.rows * count, -1, dtype=np.int64)
        block[: len(owners)] = owners
        cells[:, first_slot : first_slot + count] = (
            block.reshape(draft.rows, count) if along_rows[circuit] else block.reshape(count, draft.rows).T
        )
        first_slot += count
    return tuple(tuple(None if p < 0 else p for p in row) for row in cells.tolist() if max(row) >= 0)


def within_limits(cells: Cells, shots: int, options: HaloOptions, open_parameters: bool) -> list[Cells]:
    """Return ``cells`` in parts of whole rows, each of which one job can take.

    Args:
        cells: The rows.
        shots: Shots of each row, no more than ``max_executions``.
        options: ``max_executions`` and ``max_circuits`` matter here.
        open_parameters: Whether each row counts as a circuit of its own.
    """
    most = len(cells)
    if options.max_executions is not None:
        most = min(most, options.max_executions // shots)
    if options.max_circuits is not None and open_parameters:
        most = min(most, options.max_circuits)
    return [cells[start : start + most] for start in range(0, len(cells), most)]
