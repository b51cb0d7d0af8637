"""Leases over time: one row a qubit, one bar a lease."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qiskit_halo.report import HaloReport, LeaseReport
from qiskit_halo.visualization._colours import (
    MAX_LEGEND,
    OUTLINE,
    RESET,
    RESET_HATCH,
    program_colours,
    text_colour,
)
from qiskit_halo.visualization._explain import batch_line, program_line
from qiskit_halo.visualization._matplotlib import (
    axes_and_figure,
    legend_height,
    points_per_unit,
    root_figure,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_ROW_INCHES = 0.14
_LEGEND_INCHES = 5.0
_BAR = 0.84
# Average width of a character of matplotlib's default font, as a share of the font size.
_CHARACTER_WIDTH = 0.62
_SMALLEST_FONT = 4.5


def plot_timeline(report: HaloReport, *, ax: Axes | None = None) -> Figure:
    """Draw who holds which physical qubit when.

    Bars are leases, coloured as in :func:`plot_placement` and labelled with the program's index and name where they
    fit. Dark hatched bars are the resets of hand-overs. With few programs the legend gives for each its predicted success
    here of that alone, its floor, and how long it waits. The second line of the title says how full the device is; the
    dashed line is where the batch would end if all this work kept every qubit busy.

    Args:
        report: The compiled batch.
        ax: Draw here instead of on a new figure.

    Returns:
        The figure; save it with ``figure.savefig("timeline.png")``.

    Raises:
        HaloError: Matplotlib is not installed.
    """
    qubits = sorted({lease.qubit for lease in report.leases})
    rows = {qubit: row for row, qubit in enumerate(qubits)}
    legend = 0 < len(report.programs) <= MAX_LEGEND
    height = min(26.0, max(3.0, 1.2 + _ROW_INCHES * len(qubits)))
    if legend:
        height = max(height, legend_height(len(report.programs) + 1))
    ax, figure = axes_and_figure(ax, size_inches=(14.0 + (_LEGEND_INCHES if legend else 0.0), height))
    scale = 1.0 if report.timing == "order only" else 1e6
    _frame(ax, report, qubits, scale)
    colours = program_colours(report)
    programs = [lease for lease in report.leases if lease.kind == "program"]
    resets = [lease for lease in report.leases if lease.kind != "program"]
    _draw_bars(
        ax,
        programs,
        rows,
        scale,
        facecolors=[colours[lease.program] for lease in programs],
        edgecolors="white",
    )
    _draw_bars(ax, resets, rows, scale, facecolors=RESET, edgecolors=RESET_HATCH, hatch="/////")
    _draw_labels(ax, report, programs, rows, scale, colours)
    _draw_legend(ax, report, colours, named=legend, has_resets=bool(resets))
    return figure


def _frame(ax: Axes, report: HaloReport, qubits: list[int], scale: float) -> None:
    ax.set_xlim(0, report.makespan_s * scale or 1.0)
    ax.set_ylim(len(qubits) - 0.4, -0.6)
    step = max(1, round(len(qubits) * 7 / (72 * max(2.0, root_figure(ax).get_figheight() - 1.0))))
    ax.set_yticks(range(0, len(qubits), step), [str(qubit) for qubit in qubits[::step]], fontsize=6.5)
    ax.tick_params(axis="y", length=0)
    ax.set_ylabel("physical qubit")
    ax.set_xlabel("operation" if report.timing == "order only" else "time (µs)")
    ax.grid(axis="x", color="#DDDDDD", linewidth=0.6)
    ax.set_axisbelow(True)
    for side in ("top", "right", "left"):
        ax.spines[side].set_visible(False)
    named = sum(p.index is not None for p in report.programs)
    note = {"exact": "", "estimated": ", times estimated", "order only": ", order only"}.get(report.timing, "")
    span = "" if report.timing == "order only" else f" in {report.makespan_s * 1e6:.1f} µs"
    title = (
        f"{named} program{'s' * (named != 1)} on {len(qubits)} qubits{span}, {report.num_handovers} hand-overs{note}"
    )
    why = batch_line(report)
    ax.set_title(f"{title}\n{why}" if why else title, fontsize=11)
    if report.volume_bound_s is not None:
        ax.axvline(report.volume_bound_s * scale, color=OUTLINE, linestyle="--", linewidth=1.0, zorder=3)


def _draw_bars(ax: Axes, leases: list[LeaseReport], rows: dict[int, int], scale: float, **style: Any) -> None:
    """Add all bars as one collection: a thousand single patches would take seconds to draw."""
    from matplotlib.collections import PolyCollection

    corners = []
    for lease in leases:
        left, right = lease.start_s * scale, lease.stop_s * scale
        top, bottom = rows[lease.qubit] - _BAR / 2, rows[lease.qubit] + _BAR / 2
        corners.append([(left, top), (right, top), (right, bottom), (left, bottom)])
    ax.add_collection(PolyCollection(corners, linewidths=0.4, **style))


def _draw_labels(
    ax: Axes,
    report: HaloReport,
    leases: list[LeaseReport],
    rows: dict[int, int],
    scale: float,
    colours: dict[int | None, str],
) -> None:
    per_x, per_y = points_per_unit(ax)
    size = min(8.0, 0.72 * _BAR * per_y)
    if size < _SMALLEST_FONT:
        return
    names = {p.index: p.name for p in report.programs}
    for lease in leases:
        if lease.program is None:
            continue
        room = int((lease.stop_s - lease.start_s) * scale * per_x / (_CHARACTER_WIDTH * size)) - 1
        label = _fitting((f"{lease.program} {names.get(lease.program, '')}".strip(), str(lease.program)), room)
        if label:
            ax.text(
                (lease.start_s + lease.stop_s) / 2 * scale,
                rows[lease.qubit],
                label,
                ha="center",
                va="center_baseline",
                fontsize=size,
                color=text_colour(colours[lease.program]),
                clip_on=True,
            )


def _fitting(labels: tuple[str, ...], room: int) -> str:
    """Return the first label of at most ``room`` characters, or nothing."""
    return next((label for label in labels if len(label) <= room), "")


def _draw_legend(
    ax: Axes, report: HaloReport, colours: dict[int | None, str], *, named: bool, has_resets: bool
) -> None:
    """Explain the colours beside the bars; unless ``named``, only those that belong to no program, below them."""
    from matplotlib.patches import Patch

    handles = [
        Patch(facecolor=colours[p.index], label=program_line(p)) for p in report.programs if named or p.index is None
    ]
    if has_resets:
        handles.append(Patch(facecolor=RESET, edgecolor=RESET_HATCH, hatch="/////", label="reset"))
    if named:
        ax.legend(handles=handles, loc="upper left", bbox_to_anchor=(1.0, 1.0), frameon=False, fontsize=8.5)
    elif handles:
        ax.legend(handles=handles, loc="upper right", bbox_to_anchor=(1.0, -0.02), ncols=2, frameon=False, fontsize=9)
