from __future__ import annotations

import pytest

from qiskit_halo.batch_plan import BatchPlan, PlannedBatch
from qiskit_halo.visualization._colours import FREE
from qiskit_halo.visualization.batches import MOST_CELLS, plot_batches

matplotlib = pytest.importorskip("matplotlib")


def make_plan(*batches: PlannedBatch) -> BatchPlan:
    return BatchPlan(
        batches=batches, names=("a", "b"), shots=(80, 40), circuits=(0, 1), rep_delay_s=1e-4, one_by_one_s=1.0
    )


def test_a_cell_is_a_box_and_batches_follow_each_other():
    first = PlannedBatch(slots=(0, 0, 1), cells=((0, 0, 1), (0, None, 1)), shots=10, makespan_s=0.0, reset_s=0.0)
    second = PlannedBatch(slots=(0,), cells=((0,),), shots=20, makespan_s=0.0, reset_s=0.0)
    figure = plot_batches(make_plan(first, second))
    (ax,) = figure.axes
    (boxes,) = ax.collections
    assert len(boxes.get_paths()) == 6  # two copies side by side are one box
    assert (boxes.get_facecolor() == matplotlib.colors.to_rgba(FREE)).all(axis=1).sum() == 1
    # Both take 2 ms.
    assert ax.get_xlim() == pytest.approx((0.0, 4.0))
    assert boxes.get_paths()[5].vertices[0].tolist() == pytest.approx([2.0, 0.0])
    assert ax.get_ylim() == (0, 3)
    assert [text.get_text() for text in ax.texts] == ["0 x2", "1", "0", "1", "0"]
    assert ax.get_title() == "2 programs, 120 shots: 4 ms, one by one 1e+03 ms"


def test_many_rows_are_drawn_by_the_first_ones():
    batch = PlannedBatch(slots=(0, 1) * 50, cells=((0, 1) * 50,) * 1000, shots=1, makespan_s=0.0, reset_s=0.0)
    (ax,) = plot_batches(make_plan(batch)).axes
    assert len(ax.collections[0].get_paths()) == MOST_CELLS
    assert not ax.texts


def test_an_empty_plan_and_axes_of_the_users_own():
    figure = matplotlib.figure.Figure()
    ax = figure.add_subplot()
    assert plot_batches(make_plan(), ax=ax) is figure
