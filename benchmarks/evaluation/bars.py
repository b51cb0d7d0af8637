"""The bars of the evaluation, each beside the figure that was reached."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from scipy.stats import spearmanr

from benchmarks.evaluation.families.suites import MEDIUM, SMALL
from benchmarks.evaluation.measures.time_model import CLOCKS
from benchmarks.evaluation.names import ALONE, GRID_SPACE, GRID_TIME, OURS, RESET_MODELS, TOLD, suffix_of
from benchmarks.evaluation.rows import Row

CLOCK = CLOCKS[0]  # 250 us, no overhead


@dataclass(frozen=True)
class Bar:
    """One bar: what, where, the figure (NaN if it cannot be told), and the least that it should be."""

    what: str
    where: str
    figure: float
    least: float
    note: str = ""

    @property
    def met(self) -> bool:
        return self.figure >= self.least


def queue_bars(workload: str, suite: str, rows: Mapping[str, Row]) -> list[Bar]:
    """Return the bars of one saturated queue; a system that failed makes the figure NaN and is named."""
    medium = suite in (*MEDIUM, "medium")
    if not medium and suite not in (*SMALL, "small"):
        return []
    faster, fidelity = (15, 0.90) if medium else (40, 0.97)
    ours = rows.get(OURS)
    bars = [_throughput(workload, rows, OURS, ALONE, faster)]
    bars += [_fidelity(workload, ours, model, fidelity) for model in RESET_MODELS]
    if TOLD in rows:
        bars += [
            _throughput(workload, rows, TOLD, ALONE, faster),
            _fidelity(workload, rows[TOLD], RESET_MODELS[1], fidelity),
        ]
    if medium:
        return bars
    bars += [_throughput(workload, rows, OURS, GRID_SPACE, 5), _throughput(workload, rows, OURS, GRID_TIME, 2)]
    for what, least, field in (
        ("busy qubit-time over volume, 250 us included", 10, "busy_delay"),
        ("busy qubit-time over volume, no delay", 1.5, "busy"),
    ):
        grid = rows.get(GRID_SPACE)
        figure = getattr(ours, field) / getattr(grid, field) if ours and grid and grid.batches else math.nan
        bars.append(Bar(f"{what}, over {GRID_SPACE}", workload, figure, least))
    return bars


def _fidelity(workload: str, row: Row | None, reset_model: str, least: float) -> Bar:
    fidelity = getattr(row, f"fidelity{suffix_of(reset_model)}") if row is not None else None
    return Bar(
        f"mean fidelity over one by one, a failing reset {reset_model}{_whose(row.system) if row else ''}",
        workload,
        fidelity.ratio if fidelity is not None and fidelity.count else math.nan,
        least,
        f"+- {fidelity.error:.3f}, {fidelity.count} programs simulated" if fidelity is not None else "",
    )


def _whose(system: str) -> str:
    return "" if system == OURS else f", {system.removeprefix(OURS).lstrip(', ')}"


def _throughput(workload: str, rows: Mapping[str, Row], system: str, other: str, least: float) -> Bar:
    ours, theirs = rows.get(system), rows.get(other)
    what = f"throughput over {other}{_whose(system)}"
    failed = [row.system for row in (ours, theirs) if row is not None and row.failure]
    if ours is None or theirs is None or failed or not theirs.throughput(CLOCK):
        return Bar(what, workload, math.nan, least, f"failed: {', '.join(failed)}" if failed else "not run")
    return Bar(what, workload, ours.throughput(CLOCK) / theirs.throughput(CLOCK), least)


def rank_bars(samples: Sequence[Mapping[str, Any]]) -> list[Bar]:
    """Return how well predicted success ranks noisy simulation, over all programs and placements.

    The last figure is of a prediction that is told what hand-overs cost where failing resets flip.
    """
    what = "Spearman of predicted success and noisy simulation"
    return [
        _rank(f"{what}, a failing reset stays", samples, "predicted", "fidelity"),
        _rank(f"{what}, a failing reset flips", samples, "predicted", "fidelity_flips"),
        _rank(f"{what}, flips, priced at hand-overs", samples, "predicted_flips", "fidelity_flips"),
    ]


def _rank(what: str, samples: Sequence[Mapping[str, Any]], predicted: str, fidelity: str) -> Bar:
    pairs = [(one[predicted], one[fidelity]) for one in samples if one[fidelity] is not None]
    figure = float(spearmanr(*zip(*pairs, strict=True)).statistic) if len(pairs) > 2 else math.nan
    return Bar(what, "all cells", figure, 0.9, f"{len(pairs)} programs and placements")
