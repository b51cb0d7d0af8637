"""Tables of the evaluation as Markdown."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from benchmarks.evaluation.arrivals import day
from benchmarks.evaluation.bars import Bar
from benchmarks.evaluation.day import Service, simulate_day
from benchmarks.evaluation.measures.time_model import CLOCKS
from benchmarks.evaluation.names import ALONE
from benchmarks.evaluation.rows import Row

DAY_JOBS = 10_000


def markdown(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table, first column left, others right."""
    lines = [header, ["---", *["---:"] * (len(header) - 1)], *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "/") for cell in line) + " |" for line in lines) + "\n"


def number(value: float | None, digits: int = 3) -> str:
    """Return a figure for a table; a dash where there is none."""
    if value is None or math.isnan(value):
        return "-"
    return f"{value:.{digits}g}" if abs(value) < 10**digits else f"{value:.0f}"


def quality_table(rows: Sequence[Row]) -> str:
    """Return fidelity, space, sharing and correctness of each system on one queue."""
    header = [
        *("system", "finished", "batches", "qubits", "packing", "busy", "shared between / within", "2q / alone"),
        *("crossing", "joined", "violations", "dead gates", "compile s", "predicted", "predicted / alone"),
        *("fidelity", "alone", "ratio", "+-", "Hellinger", "floor", "ceiling", "simulated", "not simulated"),
        *("flips: fidelity", "alone", "ratio", "+-", "Hellinger", "simulated"),
    ]
    lines = []
    for row in rows:
        line = [
            row.system,
            f"{row.finished}/{row.jobs}",
            f"{row.batches}",
            number(row.qubits),
            number(row.packing),
            number(row.busy_delay),
            f"{row.between} / {row.within}",
            number(row.two_qubit_ratio),
            *(f"{value}" for value in (row.crossing, row.joined, row.violations, row.dead)),
            number(row.compile_s),
            number(row.predicted),
            number(row.predicted_ratio),
        ]
        fidelity = row.fidelity
        if fidelity is None:
            line += ["-"] * 9
        else:
            values = (fidelity.mean, fidelity.alone, fidelity.ratio, fidelity.error)
            values += (fidelity.hellinger, fidelity.floor, fidelity.ceiling)
            line += [*map(number, values), f"{fidelity.count}", f"{fidelity.wide}"]
        flips = row.fidelity_flips
        if flips is None:
            line += ["-"] * 6
        else:
            values = (flips.mean, flips.alone, flips.ratio, flips.error, flips.hellinger)
            line += [*map(number, values), f"{flips.count}"]
        lines.append(line)
    return markdown(header, lines) + _footnotes(rows)


def _footnotes(rows: Sequence[Row]) -> str:
    notes = [f"* **{row.system} failed** after {row.finished} programs: {row.failure}" for row in rows if row.failure]
    notes += [f"* {row.system}, first violation: {row.violation}" for row in rows if row.violation]
    for row in rows:
        if row.facts:
            notes.append(f"* {row.system}: " + ", ".join(f"{k} {number(v)}" for k, v in sorted(row.facts.items())))
    return "\n" + "\n".join(notes) + "\n" if notes else ""


def throughput_table(rows: Sequence[Row]) -> str:
    """Return programs per modelled second at every clock, and in brackets the ratio to one by one."""
    alone = next((row for row in rows if row.system == ALONE), None)
    header = ["system", *(f"{clock.rep_delay_s * 1e6:.0f} us, {clock.overhead_s:.0f} s" for clock in CLOCKS)]
    lines = []
    for row in rows:
        line = [row.system + (" (failed)" if row.failure else "")]
        for clock in CLOCKS:
            value = row.throughput(clock)
            base = alone.throughput(clock) if alone is not None else 0.0
            line.append(number(value) + (f" ({number(value / base)}x)" if base else ""))
        lines.append(line)
    return markdown(header, lines)


def arrivals_table(records: Sequence[Mapping[str, Any]]) -> str:
    """Return turnaround of each system at each clock under one arrival process."""
    header = ["system", *(f"{clock.rep_delay_s * 1e6:.0f} us, {clock.overhead_s:.0f} s" for clock in CLOCKS)]
    lines = []
    for record in records:
        line = [record["system"]]
        for own in record["arrivals"]:
            if own["failure"]:
                line.append("failed")
                continue
            line.append(
                f"{number(own['turnaround_mean_s'])} / {number(own['turnaround_p95_s'])} s, {own['batches']} b, "
                f"{own['device_busy']:.0%}, {own['qubits_while_busy']:.0f} q"
            )
        lines.append(line)
    notes = [f"* **{record['system']} failed**: {record['failure']}" for record in records if record["failure"]]
    legend = (
        "Turnaround mean / 95th percentile, batches, share of the time that the device is busy, qubits used then.\n"
    )
    return legend + "\n" + markdown(header, lines) + ("\n" + "\n".join(notes) + "\n" if notes else "")


def day_table(records: Sequence[Mapping[str, Any]], seed: int) -> str:
    """Return a simulated day of 10 000 small jobs for each system, at 250 us."""
    clocks = [clock for clock in CLOCKS if clock.rep_delay_s == CLOCKS[0].rep_delay_s]
    times = day(DAY_JOBS, seed)
    header = ["system", *(f"{clock.overhead_s:.0f} s a job" for clock in clocks)]
    lines = []
    for record in records:
        line = [record["system"]]
        for clock in clocks if record["points"] else ():
            own = simulate_day(times, Service.from_points(record["points"]), clock)
            line.append(
                f"{number(own['turnaround_mean_s'])} / {number(own['turnaround_p95_s'])} s, {own['batches']:.0f} b, "
                f"{own['device_busy_s'] / 3600:.2f} h"
            )
        lines.append([*line, *["failed"] * (len(header) - len(line))])
    notes = [f"* {record['system']}: {record['failure']}" for record in records if record["failure"]]
    legend = "Turnaround mean / 95th percentile, batches, hours that the device is busy.\n"
    return legend + "\n" + markdown(header, lines) + ("\n" + "\n".join(notes) + "\n" if notes else "")


def bars_table(bars: Sequence[Bar]) -> str:
    """Return every bar beside its figure."""
    lines = [
        [bar.what, bar.where, number(bar.figure), f">= {bar.least:g}", "met" if bar.met else "missed", bar.note]
        for bar in bars
    ]
    return markdown(["bar", "queue", "figure", "bar", "", "note"], lines)
