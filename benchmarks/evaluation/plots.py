"""Pictures of the evaluation; each is a figure of its own, nothing global is touched."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter, ScalarFormatter

from benchmarks.evaluation.bars import CLOCK
from benchmarks.evaluation.names import ALONE, suffix_of
from benchmarks.evaluation.rows import Row

PUBLISHED = (
    ("randomsmall", 0.73, 0.738 / 0.916, 3.25),
    ("randommedium", 0.91, 0.318 / 0.759, 3.71),
    ("multiXsmall", 0.74, 0.115 / 0.694, 1.26),
    ("multiXsmall", 0.42, 0.353 / 0.694, None),
    ("qecsmall", 0.89, 0.135 / 0.847, 1.79),
)
"""HALO's logs on hardware: suite, share of qubits used, fidelity over one by one, throughput over one by one."""
MARKERS = "osD^vP*Xhp<>8"

TOP = 2.0
"""Where pictures of fidelity over one by one end."""


def plot_trade_off(rows: Mapping[str, Sequence[Row]], num_qubits: int, path: Path, reset_model: str) -> None:
    """Draw fidelity over one by one against share of qubits used, and against throughput.

    A filled marker is noisy simulation; an empty one predicted success, where too little could be simulated. What lies above
    the picture stands at its edge with its value.

    Args:
        rows: Queue -> its rows.
        num_qubits: Of the device.
        path: File to write.
        reset_model: What a reset that fails does in the simulation.
    """
    figure = Figure(figsize=(12, 5), layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True)
    systems = list(dict.fromkeys(row.system for own in rows.values() for row in own if row.system != ALONE))
    for index, system in enumerate(systems):
        colour, marker = f"C{index % 10}", MARKERS[index % len(MARKERS)]
        shown = False
        for own in rows.values():
            alone = next((row for row in own if row.system == ALONE), None)
            row = next((row for row in own if row.system == system), None)
            if row is None or alone is None or not row.batches:
                continue
            fidelity = row.fidelity_flips if reset_model == "flips" else row.fidelity
            simulated = fidelity is not None and fidelity.count >= 10
            y = fidelity.ratio if simulated and fidelity is not None else row.predicted_ratio
            style = {"color": colour, "marker": marker, "ls": "", "mfc": colour if simulated else "none"}
            label = None if shown else system
            for axes, x in (
                (left, row.qubits / num_qubits),
                (right, row.throughput(CLOCK) / alone.throughput(CLOCK)),
            ):
                axes.plot(x, min(y, TOP), label=label if axes is left else None, clip_on=False, **style)
                if y > TOP:
                    note = {"xytext": (0, -12), "textcoords": "offset points", "fontsize": 7, "ha": "center"}
                    axes.annotate(f"{y:.1f}", (x, TOP), **note)
            shown = True
    _draw_published(left, right)
    for axes, label in (
        (left, "share of the qubits used"),
        (right, "throughput over one by one (250 us, no overhead)"),
    ):
        axes.set_xlabel(label)
        axes.axhline(1, color="0.8", lw=1, zorder=0)
        axes.grid(alpha=0.3)
    right.set_xscale("log")
    right.set_xlim(left=0.8)
    right.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    right.xaxis.set_major_formatter(ScalarFormatter())
    right.xaxis.set_minor_formatter(NullFormatter())
    left.set_ylabel(f"fidelity over one by one, a failing reset {reset_model}")
    left.set_xlim(0, 1.02)
    left.set_ylim(0, TOP)
    figure.legend(loc="outside right upper", fontsize=8)
    figure.savefig(path, dpi=120)


def _draw_published(left: Axes, right: Axes) -> None:
    style = {"color": "k", "marker": "+", "ls": "", "ms": 9}
    for index, (suite, share, ratio, throughput) in enumerate(PUBLISHED):
        left.plot(share, ratio, label=None if index else "HALO, its own hardware logs", **style)
        left.annotate(suite, (share, ratio), xytext=(-4, 4), textcoords="offset points", fontsize=7, ha="right")
        if throughput is not None:
            right.plot(throughput, ratio, **style)
            place = {"xytext": (0, 6 - 15 * (index % 2)), "textcoords": "offset points"}
            right.annotate(suite, (throughput, ratio), fontsize=7, ha="center", **place)


def plot_prediction(samples: Sequence[tuple[str, Mapping[str, Any]]], title: str, path: Path, reset_model: str) -> None:
    """Draw predicted success against the fidelity of noisy simulation, one point a program and placement.

    Args:
        samples: System and sampled program; those that were not simulated are left out.
        title: Shown above, with the rank correlation.
        path: File to write.
        reset_model: What a reset that fails does in the simulation.
    """
    name = f"fidelity{suffix_of(reset_model)}"
    figure = Figure(figsize=(6.5, 5.5), layout="constrained")
    axes = figure.add_subplot()
    shown = [(system, one) for system, one in samples if one[name] is not None]
    for index, system in enumerate(dict.fromkeys(system for system, _ in shown)):
        own = [one for other, one in shown if other == system]
        axes.plot(
            [one["predicted"] for one in own],
            [one[name] for one in own],
            ls="",
            marker=MARKERS[index % len(MARKERS)],
            ms=4,
            alpha=0.5,
            color=f"C{index % 10}",
            label=system,
        )
    axes.plot([0, 1], [0, 1], color="0.6", lw=1, zorder=0)
    axes.set(xlim=(0, 1.02), ylim=(0, 1.02), xlabel="predicted success", ylabel="fidelity, noisy simulation")
    axes.set_title(title, fontsize=10)
    axes.grid(alpha=0.3)
    if shown:
        axes.legend(fontsize=7, loc="upper left")
    figure.savefig(path, dpi=120)
