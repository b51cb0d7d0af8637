"""The report as tables for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from qiskit_halo.report import HaloReport, ProgramReport

# Width where nobody's window tells it: a file or a pipe.
PIPE_WIDTH = 120

_NO_VALUE = "-"
_LONGEST_NAME = 32


def table_console() -> Console:
    """Return a console on standard output that keeps its columns apart also when piped."""
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=PIPE_WIDTH)


def report_table(
    report: HaloReport, *, outcomes: Mapping[int, str] | None = None, isolation: str | None = None
) -> RenderableType:
    """Return one row a program, and the figures of the batch below.

    Args:
        report: The compiled batch.
        outcomes: Index of a program -> its most frequent outcome, once it has run.
        isolation: What the isolation check said.
    """
    ordered = report.timing == "order only"
    unit = "ops" if ordered else "µs"
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("#", justify="right", no_wrap=True)
    table.add_column("program", overflow="ellipsis", no_wrap=True, max_width=_LONGEST_NAME)
    for heading in ("qubits", "helpers", f"start\n{unit}", f"length\n{unit}", "success\nalone", "\nmerged"):
        table.add_column(heading, justify="right", no_wrap=True)
    if outcomes is not None:
        # The only column that gives way on a narrow terminal.
        table.add_column("most frequent\noutcome")
    for program in report.programs:
        row = [Text(cell) for cell in _row(program, scale=1.0 if ordered else 1e6)]
        if outcomes is not None:
            outcome = _NO_VALUE if program.index is None else outcomes.get(program.index, _NO_VALUE)
            row.append(Text(outcome, no_wrap=True, overflow="ellipsis"))
        table.add_row(*row)
    return Group(table, Text(), *(Text(line) for line in _batch_lines(report, isolation)))


def _row(program: ProgramReport, *, scale: float) -> list[str]:
    return [
        _NO_VALUE if program.index is None else str(program.index),
        program.name,
        str(program.num_data + program.num_helpers),
        str(program.num_helpers),
        f"{program.start_s * scale:.2f}",
        f"{program.length_s * scale:.2f}",
        _share(program.success_alone),
        _share(program.success_merged),
    ]


def _share(value: float | None) -> str:
    return _NO_VALUE if value is None else f"{value:.3f}"


_LIMITS = {
    "longest program": "as long as its longest program",
    "qubits": "all qubits are taken",
    "good qubits": "the qubits on which programs keep their floors are taken",
    "fit": "what is free does not fit together",
}


def _fullness(report: HaloReport) -> str:
    """Return how full the batch is and what keeps it from being shorter."""
    if report.packing_efficiency is None or report.limited_by is None:
        return ""
    return f"; qubits busy {report.packing_efficiency:.0%} of it; {_LIMITS[report.limited_by]}"


def _batch_lines(report: HaloReport, isolation: str | None) -> Sequence[str]:
    """Return the figures of the whole batch, one a line."""
    programs = sum(program.index is not None for program in report.programs)
    if report.timing == "order only":
        makespan = "not known: the device states no durations"
    else:
        note = " (estimated: control flow)" if report.timing == "estimated" else ""
        makespan = f"{report.makespan_s * 1e6:.2f} µs{note}"
    ratios = ", ".join(f"{ratio:.1f} at {delay} µs" for delay, ratio in report.qpu_time_ratios.items())
    lines = [
        f"{programs} program{'s' if programs != 1 else ''} on {report.num_qubits_used} of {report.num_qubits} qubits, "
        f"{report.num_handovers} hand-overs",
        f"makespan: {makespan}{_fullness(report)}",
        f"QPU time, one by one / merged, by repetition delay: {ratios or 'not known'}",
        "success: as predicted, on an empty device and in the batch",
    ]
    if isolation is not None:
        lines.append(isolation)
    return lines
