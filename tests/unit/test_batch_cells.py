from __future__ import annotations

import numpy as np
import pytest

from qiskit_halo.options import HaloOptions
from qiskit_halo.primitives.batch_cells import fill_cells, within_limits
from qiskit_halo.primitives.batch_search import Draft


def draft(wanted: list[int], slots: list[int], rows: int, shots: int) -> Draft:
    return Draft(wanted=np.array(wanted), slots=np.array(slots), rows=rows, shots=shots, makespan_s=0.0, cost_s=0.0)


def fill(draft: Draft, circuits: list[int], *, along: bool = False, weights: list[float] | None = None):
    count = len(draft.slots)
    heavy = np.ones(len(circuits)) if weights is None else np.array(weights)
    return fill_cells(draft, np.array(circuits), heavy, np.full(count, along))


def test_cells_follow_each_other_down_a_slot():
    # Program 0 needs three cells of 10 shots, program 1 one; program 2 has a circuit of its own.
    found = fill(draft([25, 10, 5], [2, 1], rows=2, shots=10), [0, 0, 1])
    assert found == ((0, 0, 2), (0, 1, None))


def test_or_along_a_row():
    found = fill(draft([25, 10, 5], [2, 1], rows=2, shots=10), [0, 0, 1], along=True)
    assert found == ((0, 0, 2), (0, 1, None))
    wide = fill(draft([20, 20], [2], rows=2, shots=10), [0, 0], along=True)
    assert wide == ((0, 0), (1, 1))
    assert fill(draft([20, 20], [2], rows=2, shots=10), [0, 0]) == ((0, 1), (0, 1))


def test_heavy_programs_get_the_first_cells():
    assert fill(draft([10, 10], [1], rows=2, shots=10), [0, 0], weights=[1, 2]) == ((1,), (0,))


def test_rows_that_nobody_needs_are_dropped():
    assert fill(draft([10], [1], rows=5, shots=10), [0]) == ((0,),)


@pytest.mark.parametrize(
    ("options", "open_parameters", "sizes"),
    [
        ({}, True, [7]),
        ({"max_executions": 30}, True, [3, 3, 1]),
        ({"max_circuits": 2}, True, [2, 2, 2, 1]),
        ({"max_circuits": 2}, False, [7]),
        ({"max_circuits": 2, "max_executions": 10}, True, [1] * 7),
    ],
)
def test_large_batches_are_cut_between_rows(options: dict, open_parameters: bool, sizes: list[int]):
    cells = tuple((row,) for row in range(7))
    found = within_limits(cells, 10, HaloOptions(**options), open_parameters)
    assert [len(part) for part in found] == sizes
    assert tuple(row for part in found for row in part) == cells
