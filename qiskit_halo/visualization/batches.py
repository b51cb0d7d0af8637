"""A plan of batches: which programs run together, in how many copies, and for how long."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from qiskit_halo.batch_plan import BatchPlan
from qiskit_halo.visualization._colours import FREE, OUTLINE, PALETTE, text_colour
from qiskit_halo.visualization._matplotlib import axes_and_figure, points_per_unit

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_CELLS = 20_000
"""Cells drawn one by one; a larger batch is drawn by its first rows, as many as this allows."""

_FONT = 6.5
_LABEL_ROOM = 1.1
# Average width of a character of matplotlib's default font, as a share of the font size.
_CHARACTER = 0.7
# Share of a batch's width that is left white before the next one.
_GAP = 0.004


def plot_batches(plan: BatchPlan, *, ax: Axes | None = None) -> Figure:
    """Draw a plan: one block a batch, as wide as its modelled QPU time and as high as its merged circuit has slots.

    Cells are coloured by the program that gets their shots and labelled with its index, and with the number of its
    copies, where that fits; rows of parameter values stand side by side. White cells give shots to nobody.

    Args:
        plan: The plan.
        ax: Draw here instead of on a new figure.

    Returns:
        The figure; save it with ``figure.savefig("batches.png")``.

    Raises:
        HaloError: Matplotlib is not installed.
    """
    ax, figure = axes_and_figure(ax, size_inches=(12.0, 5.0))
    from matplotlib.collections import PolyCollection

    highest = max((len(batch.slots) for batch in plan.batches), default=1)
    total_ms = plan.qpu_time_s * 1e3 or 1.0
    ax.set_xlim(0, total_ms)
    ax.set_ylim(0, highest)
    ax.set_xlabel("modelled QPU time (ms)")
    ax.set_ylabel("circuits in the merged circuit")
    ax.set_title(
        f"{plan.num_programs} programs, {sum(plan.shots)} shots: {plan.qpu_time_s * 1e3:.3g} ms, "
        f"one by one {plan.one_by_one_s * 1e3:.3g} ms",
        fontsize=9,
    )
    boxes, colours, labels = [], [], []
    start = 0.0
    for batch in plan.batches:
        width = plan.batch_time_s(batch) * 1e3
        shown = batch.cells[: max(1, MOST_CELLS // max(1, len(batch.slots)))]
        step = (width - _GAP * total_ms) / len(shown)
        for row, cells in enumerate(shown):
            left = start + row * step
            slot = 0
            for program, run in groupby(cells):
                copies = len(list(run))
                top = slot + copies
                boxes.append([(left, slot), (left + step, slot), (left + step, top), (left, top)])
                colours.append(FREE if program is None else PALETTE[program % len(PALETTE)])
                if program is not None:
                    text = str(program) if copies == 1 else f"{program} x{copies}"
                    labels.append((left + step / 2, slot + copies / 2, step, copies, program, text))
                slot = top
        start += width
    ax.add_collection(PolyCollection(boxes, facecolors=colours, edgecolors=OUTLINE, linewidths=0.4))
    across, up = points_per_unit(ax)
    for x, y, step, copies, program, text in labels:
        if copies * up >= _FONT * _LABEL_ROOM and step * across >= _FONT * _CHARACTER * len(text):
            colour = text_colour(PALETTE[program % len(PALETTE)])
            ax.text(x, y, text, fontsize=_FONT, ha="center", va="center", color=colour)
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)
    return figure
