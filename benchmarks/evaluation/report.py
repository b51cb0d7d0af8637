"""Tables, bars, pictures and a summary from whatever cells there are."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.evaluation.bars import Bar, queue_bars, rank_bars
from benchmarks.evaluation.names import ALONE, RESET_MODELS, suffix_of
from benchmarks.evaluation.plots import plot_prediction, plot_trade_off
from benchmarks.evaluation.rows import Row, make_row
from benchmarks.evaluation.store import Store
from benchmarks.evaluation.tables import (
    arrivals_table,
    bars_table,
    day_table,
    quality_table,
    throughput_table,
)
from benchmarks.evaluation.workloads import Workload

Record = Mapping[str, Any]


def write_report(folder: Path, workloads: Sequence[Workload], systems: Sequence[str], num_qubits: int) -> list[Bar]:
    """Write ``tables.md``, ``summary.json`` and the pictures into ``folder``, and return the bars.

    Args:
        folder: With the cells; others than those of ``workloads`` and ``systems`` are not looked at.
        workloads: In the order of the tables.
        systems: In the order of the rows.
        num_qubits: Of the device.
    """
    store = Store(folder)
    cells: dict[str, list[Record]] = {}
    for workload in workloads:
        found = [store.read(workload.name, system) for system in systems]
        cells[workload.name] = [record for record in found if record is not None]
    rows = {
        workload.name: _rows(cells[workload.name], num_qubits)
        for workload in workloads
        if workload.kind == "saturated" and cells[workload.name]
    }
    samples = [(r["system"], one) for own in cells.values() for r in own for one in r.get("sample", ())]
    bars = [
        bar
        for workload in workloads
        if workload.name in rows
        for bar in queue_bars(workload.name, workload.suite, {row.system: row for row in rows[workload.name]})
    ]
    ranks = rank_bars([one for _, one in samples])
    bars += ranks
    text = _text(workloads, cells, rows, bars)
    (folder / "tables.md").write_text(text, encoding="utf-8")
    (folder / "summary.json").write_text(json.dumps(_summary(cells, rows, bars), indent=1) + "\n", encoding="utf-8")
    for model, rank in zip(RESET_MODELS, ranks, strict=False):
        suffix = suffix_of(model)
        plot_trade_off(rows, num_qubits, folder / f"trade_off{suffix}.png", model)
        title = f"A failing reset {model}: Spearman {rank.figure:.3f}, {rank.note}"
        plot_prediction(samples, title, folder / f"prediction{suffix}.png", model)
    return bars


def _rows(records: Sequence[Record], num_qubits: int) -> list[Row]:
    alone = next((record for record in records if record["system"] == ALONE), None)
    return [make_row(record, alone, num_qubits) for record in records]


def _text(
    workloads: Sequence[Workload],
    cells: Mapping[str, Sequence[Record]],
    rows: Mapping[str, Sequence[Row]],
    bars: Sequence[Bar],
) -> str:
    every = [record for own in cells.values() for record in own]
    if not every:
        return "No cells yet.\n"
    settings, seconds = every[0]["settings"], sum(record["elapsed_s"] for record in every)
    parts = [
        f"# Evaluation\n\nSettings: {json.dumps(settings)}. Machine: {every[0]['machine']}. "
        f"{len(every)} cells, {seconds / 60:.1f} minutes of one process in all.\n",
        f"## Bars\n\n{bars_table(bars)}",
    ]
    for workload in workloads:
        own = cells[workload.name]
        if not own:
            parts.append(f"## {workload.name}\n\nNot run.\n")
        elif workload.kind == "saturated":
            table = rows[workload.name]
            parts.append(
                f"## {workload.name}\n\nPrograms per modelled second, by repetition delay and overhead a job\n\n"
                f"{throughput_table(table)}\n{quality_table(table)}"
            )
        elif workload.kind == "poisson":
            parts.append(f"## {workload.name}: {len(own[0]['jobs'])} jobs\n\n{arrivals_table(own)}")
        else:
            parts.append(f"## A day of 10 000 jobs of {workload.suite!r}\n\n{day_table(own, settings['seed'])}")
    return "\n".join(parts)


def _summary(cells: Mapping[str, Sequence[Record]], rows: Mapping[str, Sequence[Row]], bars: Sequence[Bar]) -> Any:
    return _finite(
        {
            "bars": [dataclasses.asdict(bar) | {"met": bar.met} for bar in bars],
            "queues": {name: [dataclasses.asdict(row) for row in own] for name, own in rows.items()},
            "arrivals": {
                name: {record["system"]: record["arrivals"] for record in own if "arrivals" in record}
                for name, own in cells.items()
                if any("arrivals" in record for record in own)
            },
        }
    )


def _finite(value: Any) -> Any:
    """Return JSON values with ``None`` for numbers that are none."""
    if isinstance(value, dict):
        return {key: _finite(own) for key, own in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(own) for own in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
