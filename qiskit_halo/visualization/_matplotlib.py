"""Matplotlib, imported only when a picture is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qiskit_halo.errors import HaloError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as FigureType


LEGEND_INCHES = 2.9
"""Width that a legend beside the axes takes."""


def legend_height(num_entries: int) -> float:
    """Return the inches that a figure needs for a legend of so many lines, title and frame included."""
    return 0.7 + 0.2 * num_entries


def axes_and_figure(ax: Axes | None, *, size_inches: tuple[float, float]) -> tuple[Axes, FigureType]:
    """Return ``ax`` and its figure, or fresh ones of the given size.

    A fresh figure is a plain object, not known to pyplot: it needs no display, leaves no global state
    and is freed with its last reference.

    Raises:
        HaloError: Matplotlib is not installed.
    """
    if ax is not None:
        return ax, root_figure(ax)
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise HaloError(
            "pictures need matplotlib, which is not installed; run: pip install 'qiskit-halo[visualization]'"
        ) from error
    figure = Figure(figsize=size_inches, layout="constrained")
    return figure.add_subplot(), figure


def root_figure(ax: Axes) -> FigureType:
    """Return the figure of ``ax``, also where ``ax`` sits in a subfigure."""
    figure: Any = ax.figure
    root: FigureType = figure.figure
    return root


def points_per_unit(ax: Axes) -> tuple[float, float]:
    """Return how many typographic points one data unit takes along x and y, for the current limits."""
    figure, box = root_figure(ax), ax.get_position()
    left, right = ax.get_xlim()
    bottom, top = ax.get_ylim()
    return (
        72 * figure.get_figwidth() * box.width / abs(right - left),
        72 * figure.get_figheight() * box.height / abs(top - bottom),
    )
