"""The chip, each qubit coloured by the programs that use it."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from qiskit_halo.errors import HaloValueError
from qiskit_halo.report import HaloReport
from qiskit_halo.visualization._colours import (
    COUPLER,
    FREE,
    MAX_LEGEND,
    OUTLINE,
    RESET,
    RESET_HATCH,
    program_colours,
    text_colour,
)
from qiskit_halo.visualization._coordinates import Coordinates, qubit_coordinates
from qiskit_halo.visualization._matplotlib import LEGEND_INCHES, axes_and_figure, legend_height, points_per_unit
from qiskit_halo.visualization._occupancy import qubit_users, qubits_in_reset

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_UNIT_INCHES = 0.72
_RADIUS = 0.42
# Share of the radius that the ring of slices takes, and the most slices whose program can be printed in them.
_RING = 0.55
_MOST_LABELLED_SLICES = 8


def plot_placement(report: HaloReport, *, at_s: float | None = None, ax: Axes | None = None) -> Figure:
    """Draw the chip, coloured by program.

    A qubit that several programs use one after another is drawn as a ring with one slice a program,
    clockwise from the top in order of time. A qubit that is being reset is dark.

    Args:
        report: The compiled batch.
        at_s: Show this instant, in seconds from the start of the merged circuit; ``None`` shows the whole
            batch.
        ax: Draw here instead of on a new figure.

    Returns:
        The figure; save it with ``figure.savefig("chip.png")``.

    Raises:
        HaloValueError: ``at_s`` lies outside of the batch.
        HaloError: Matplotlib is not installed.
    """
    if at_s is not None and not 0 <= at_s <= report.makespan_s:
        raise HaloValueError(
            f"at_s = {at_s:g} lies outside of the batch, which runs from 0 to {report.makespan_s:g} seconds"
        )
    points = _spread(qubit_coordinates(report.num_qubits, report.couplers))
    users = qubit_users(report, at_s=at_s)
    resetting = qubits_in_reset(report, at_s=at_s)
    legend = 0 < len(report.programs) <= MAX_LEGEND
    entries = len(report.programs) + bool(resetting) if legend else 0
    ax, figure = axes_and_figure(ax, size_inches=_size(points, num_legend_entries=entries))
    _frame(ax, points)
    colours = program_colours(report)
    _draw_couplers(ax, report, points, users, colours)
    for qubit, point in enumerate(points):
        if qubit in resetting:
            _draw_disc(ax, point, RESET, hatched=True)
        else:
            _draw_disc(ax, point, colours[users[qubit][0]] if len(users[qubit]) == 1 else FREE)
        if len(users[qubit]) > 1:
            _draw_ring(ax, point, users[qubit], colours)
    _draw_numbers(ax, points, users, colours, resetting)
    _draw_names(ax, report, points, users)
    _title(ax, report, users, at_s)
    _draw_legend(ax, report, colours, named=legend, has_resets=bool(resetting))
    return figure


def _spread(points: Coordinates) -> Coordinates:
    """Return ``points`` scaled so that no two circles touch."""
    if len(points) < 2:
        return points
    distance = np.linalg.norm(points[:, None] - points[None], axis=2)
    np.fill_diagonal(distance, np.inf)
    return points / min(1.0, max(float(distance.min()), 0.2))


def _size(points: Coordinates, *, num_legend_entries: int) -> tuple[float, float]:
    width, height = (np.ptp(points, axis=0) + 2.0) * _UNIT_INCHES
    shrink = min(1.0, 16 / max(width, height))
    return (
        max(6.0, width * shrink) + (LEGEND_INCHES if num_legend_entries else 0.0),
        max(3.0, height * shrink + 0.5, legend_height(num_legend_entries)),
    )


def _frame(ax: Axes, points: Coordinates) -> None:
    low, high = points.min(axis=0) - 1.0, points.max(axis=0) + 1.0
    ax.set_xlim(low[0], high[0])
    ax.set_ylim(low[1], high[1])
    # At the top, where the legend hangs, if the legend is what makes the figure high.
    ax.set_aspect("equal", anchor="N")
    ax.set_axis_off()


def _draw_couplers(
    ax: Axes,
    report: HaloReport,
    points: Coordinates,
    users: list[tuple[int | None, ...]],
    colours: dict[int | None, str],
) -> None:
    """Draw each coupler, in a program's colour where that program alone holds both of its ends."""
    from matplotlib.collections import LineCollection

    lines = [points[[a, b]] for a, b in report.couplers]
    owned = [users[a] == users[b] and len(users[a]) == 1 for a, b in report.couplers]
    ax.add_collection(
        LineCollection(
            lines,
            colors=[
                colours[users[a][0]] if own else COUPLER for own, (a, _) in zip(owned, report.couplers, strict=True)
            ],
            linewidths=[5.0 if own else 1.5 for own in owned],
            zorder=1,
        )
    )


def _draw_disc(ax: Axes, point: Coordinates, colour: str, *, hatched: bool = False) -> None:
    from matplotlib.patches import Circle

    ax.add_patch(
        Circle(
            (float(point[0]), float(point[1])),
            _RADIUS,
            facecolor=colour,
            edgecolor=RESET_HATCH if hatched else COUPLER if colour == FREE else OUTLINE,
            linewidth=0.8,
            hatch="////" if hatched else None,
            zorder=2,
        )
    )


def _draw_ring(ax: Axes, point: Coordinates, held: tuple[int | None, ...], colours: dict[int | None, str]) -> None:
    """Draw one slice a program, clockwise from the top, with its index while slices are wide enough."""
    from matplotlib.patches import Wedge

    centre = (float(point[0]), float(point[1]))
    width = 360 / len(held)
    unit = points_per_unit(ax)[0]
    for place, program in enumerate(held):
        # Wedges count anticlockwise from the right.
        stop = 90 - place * width
        ax.add_patch(
            Wedge(
                centre,
                _RADIUS,
                stop - width,
                stop,
                width=_RING * _RADIUS,
                facecolor=colours[program],
                edgecolor="white",
                linewidth=0.5,
                zorder=3,
            )
        )
        if program is None or len(held) > _MOST_LABELLED_SLICES:
            continue
        angle = math.radians(stop - width / 2)
        reach = _RADIUS * (1 - _RING / 2)
        ax.text(
            centre[0] + reach * math.cos(angle),
            centre[1] + reach * math.sin(angle),
            str(program),
            ha="center",
            va="center_baseline",
            color=text_colour(colours[program]),
            fontsize=min(8.0, unit * _RADIUS * (0.34 if len(held) < 5 else 0.26)),
            zorder=4,
        )


def _draw_numbers(
    ax: Axes,
    points: Coordinates,
    users: list[tuple[int | None, ...]],
    colours: dict[int | None, str],
    resetting: Iterable[int],
) -> None:
    dark = frozenset(resetting)
    unit = points_per_unit(ax)[0]
    for qubit, (x, y) in enumerate(points):
        held = users[qubit]
        if qubit in dark:
            colour = "white"
        elif len(held) == 1:
            colour = text_colour(colours[held[0]])
        else:
            colour = "black" if held else "#8A8A8A"
        ax.text(
            float(x),
            float(y),
            str(qubit),
            ha="center",
            va="center",
            color=colour,
            fontsize=min(10.0, unit * _RADIUS * (0.36 if len(held) > 1 else 0.56)),
            fontweight="bold" if len(held) > 1 else "normal",
            zorder=4,
        )


def _draw_names(ax: Axes, report: HaloReport, points: Coordinates, users: list[tuple[int | None, ...]]) -> None:
    """Name each program that holds all of its visible qubits alone, above the highest of them."""
    from matplotlib.patheffects import withStroke

    homes: dict[int | None, list[int]] = {}
    for qubit, held in enumerate(users):
        for program in held:
            homes.setdefault(program, []).append(qubit)
    names = {p.index: p.name for p in report.programs if p.index is not None}
    for index, qubits in homes.items():
        if index not in names or any(len(users[qubit]) > 1 for qubit in qubits):
            continue
        top = max(qubits, key=lambda qubit: (points[qubit][1], -points[qubit][0]))
        ax.text(
            float(points[top][0]),
            float(points[top][1]) + _RADIUS + 0.05,
            _short(f"{index} {names[index]}"),
            ha="center",
            va="bottom",
            fontsize=7,
            fontweight="bold",
            path_effects=[withStroke(linewidth=2.0, foreground="white")],
            zorder=5,
        )


def _short(text: str, longest: int = 20) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "…"


def _title(ax: Axes, report: HaloReport, users: list[tuple[int | None, ...]], at_s: float | None) -> None:
    programs = {program for held in users for program in held if program is not None}
    used = sum(bool(held) for held in users)
    most = max((len(held) for held in users), default=0)
    when = "whole batch" if at_s is None else f"at {at_s * 1e6:.2f} µs"
    if report.timing == "order only" and at_s is not None:
        when = f"at operation {math.floor(at_s)}"
    shared = f", at most {most} programs on one qubit" if most > 1 else ""
    noun = "program" if len(programs) == 1 else "programs"
    ax.set_title(f"{len(programs)} {noun} on {used} of {report.num_qubits} qubits ({when}{shared})", fontsize=11)


def _draw_legend(
    ax: Axes, report: HaloReport, colours: dict[int | None, str], *, named: bool, has_resets: bool
) -> None:
    """Explain the colours beside the chip; unless ``named``, only those that belong to no program, below it."""
    from matplotlib.patches import Patch

    handles = [
        Patch(
            facecolor=colours[p.index],
            edgecolor=OUTLINE,
            label=p.name if p.index is None else f"{p.index} {_short(p.name, 22)}",
        )
        for p in report.programs
        if named or p.index is None
    ]
    if has_resets:
        handles.append(Patch(facecolor=RESET, edgecolor=RESET_HATCH, hatch="////", label="being reset"))
    if named:
        ax.legend(handles=handles, loc="upper left", bbox_to_anchor=(1.0, 1.0), frameon=False, fontsize=9)
    elif handles:
        ax.legend(handles=handles, loc="lower right", frameon=False, fontsize=9)
