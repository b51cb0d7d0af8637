"""Pictures of leases over time."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from matplotlib.collections import PolyCollection
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from qiskit_halo.report import LeaseReport
from qiskit_halo.visualization._colours import PALETTE, RESET
from qiskit_halo.visualization.timeline import plot_timeline
from tests.report_samples import crowded_report, small_report


def bars(figure: Figure) -> list[PolyCollection]:
    return [c for c in figure.axes[0].collections if isinstance(c, PolyCollection)]


def spans(collection: PolyCollection) -> list[tuple[float, float, int]]:
    """Left and right in microseconds, and the row, of each bar."""
    return [
        (
            round(float(p.vertices[:, 0].min()), 6),
            round(float(p.vertices[:, 0].max()), 6),
            round(float(np.mean([p.vertices[:, 1].min(), p.vertices[:, 1].max()]))),
        )
        for p in collection.get_paths()
    ]


def test_one_bar_a_lease_at_its_time_and_row() -> None:
    programs, _ = bars(plot_timeline(small_report()))
    assert spans(programs) == [(0, 2, 0), (4, 8, 0), (0, 2, 1), (4, 8, 1), (0, 8, 2), (0, 8, 3)]
    colours = [c.lower() for c in PALETTE]
    assert [to_hex(c) for c in programs.get_facecolors()] == [colours[i] for i in (0, 2, 0, 2, 1, 1)]


def test_resets_are_dark_and_hatched() -> None:
    _, resets = bars(plot_timeline(small_report()))
    assert spans(resets) == [(2, 4, 0), (2, 4, 1)]
    assert to_hex(resets.get_facecolor()[0]) == RESET.lower()
    assert resets.get_hatch() == "/////"


def test_rows_are_the_qubits_in_use() -> None:
    axes = plot_timeline(small_report()).axes[0]
    assert [t.get_text() for t in axes.get_yticklabels()] == ["0", "1", "3", "4"]
    bottom, top = axes.get_ylim()
    assert bottom > top, "qubit 0 is the first row from the top"


def test_bars_say_the_program() -> None:
    labels = [t.get_text() for t in plot_timeline(small_report()).axes[0].texts]
    assert labels == ["0 ann", "2 cy", "0 ann", "2 cy", "1 bo", "1 bo"]


def test_labels_stay_inside_their_bars() -> None:
    leases = tuple(LeaseReport(qubit=q, program=1, kind="program", start_s=0.0, stop_s=q * 4e-8) for q in range(1, 60))
    figure = plot_timeline(small_report(leases=leases, num_qubits=60, makespan_s=8e-6))
    figure.draw_without_rendering()
    axes = figure.axes[0]
    rights = [axes.transData.transform((q * 0.04, 0))[0] for q in range(1, 60)]
    shown = {round(text.get_position()[1]): text for text in axes.texts}
    for row, text in shown.items():
        assert text.get_window_extent().x1 <= rights[row] + 0.5, f"row {row} overflows"
    assert {text.get_text() for text in shown.values()} == {"1", "1 bo"}
    assert min(shown) > 0, "the shortest bar has room for nothing"


def test_a_crowded_batch_is_labelled() -> None:
    assert len(plot_timeline(crowded_report(100)).axes[0].texts) > 300


def test_legend_only_while_it_helps() -> None:
    labels = [t.get_text() for t in plot_timeline(small_report()).axes[0].get_legend().get_texts()]
    assert [label.split(":")[0] for label in labels] == ["0 ann", "1 bo", "2 cy", "reset"]
    labels = [t.get_text() for t in plot_timeline(crowded_report(60)).axes[0].get_legend().get_texts()]
    assert labels == ["reset"], "what the dark bars are has to be said all the same"


def test_the_legend_says_why_programs_are_where_they_are() -> None:
    ann, bo, cy = small_report().programs
    programs = (
        replace(ann, success_merged=0.9, success_alone=0.95, success_floor=0.855),
        replace(bo, success_merged=0.8, success_alone=0.95, success_floor=0.855, wait_s=1.25e-6, name="b" * 40),
        replace(cy, success_merged=None),
        replace(cy, index=None, name="(unmeasured)"),
    )
    figure = plot_timeline(small_report(programs=programs))
    labels = [t.get_text() for t in figure.axes[0].get_legend().get_texts()]
    assert labels == [
        "0 ann: 0.90 of 0.95, floor 0.85",
        "1 " + "b" * 17 + "…: 0.80 of 0.95, floor 0.85 missed, waits 1.2 µs",
        "2 cy",
        "(unmeasured)",
        "reset",
    ]
    figure.draw_without_rendering()
    assert figure.axes[0].get_legend().get_window_extent().x1 <= figure.bbox.x1


def test_the_title_says_what_limits_the_batch() -> None:
    report = small_report(packing_efficiency=0.41, volume_bound_s=3.28e-6, limited_by="good qubits")
    axes = plot_timeline(report).axes[0]
    assert axes.get_title().splitlines()[1] == (
        "41 % of the qubit-time is busy, as much as 3.3 µs of every qubit; limited by: good qubits"
    )
    (bound,) = axes.lines
    assert bound.get_xdata() == pytest.approx([3.28, 3.28])


def test_title_and_axis_say_how_sure_times_are() -> None:
    exact = plot_timeline(small_report()).axes[0]
    assert exact.get_title() == "3 programs on 4 qubits in 8.0 µs, 2 hand-overs"
    assert exact.get_xlabel() == "time (µs)"
    assert plot_timeline(small_report(timing="estimated")).axes[0].get_title().endswith("times estimated")


def test_without_durations_the_axis_counts_operations() -> None:
    report = small_report(timing="order only", leases=(), makespan_s=8.0)
    axes = plot_timeline(report).axes[0]
    assert axes.get_xlabel() == "operation"
    assert axes.get_xlim() == (0, 8)


def test_draws_on_the_axes_given() -> None:
    figure = Figure()
    axes = figure.subplots()
    assert plot_timeline(small_report(), ax=axes) is figure
    assert len(axes.collections) == 2


def test_the_whole_legend_fits_however_few_the_rows() -> None:
    programs = tuple(replace(small_report().programs[0], index=k, name=f"prog_{k}") for k in range(18))
    figure = plot_timeline(small_report(programs=programs))
    figure.draw_without_rendering()
    legend = figure.axes[0].get_legend().get_window_extent()
    assert len(figure.axes[0].get_legend().get_texts()) == 19
    assert legend.y0 >= 0
