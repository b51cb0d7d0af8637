"""Why a batch is as it is, in the few words that a picture has room for."""

from __future__ import annotations

from qiskit_halo.report import HaloReport, ProgramReport

_LONGEST_NAME = 18


def program_line(program: ProgramReport) -> str:
    """Return a program's index and name, its predicted success here and alone, its floor, and how long it waits."""
    name = program.name if len(program.name) <= _LONGEST_NAME else program.name[: _LONGEST_NAME - 1] + "…"
    if program.index is None:
        return name
    line = f"{program.index} {name}"
    if program.success_merged is None or program.success_alone is None:
        return line
    line += f": {program.success_merged:.2f} of {program.success_alone:.2f}"
    if program.success_floor is not None:
        line += f", floor {program.success_floor:.2f}"
        # As in the report's own sums: what differs by rounding alone is kept.
        line += " missed" if program.success_merged < program.success_floor - 1e-9 else ""
    return line + (f", waits {program.wait_s * 1e6:.1f} µs" if program.wait_s else "")


def batch_line(report: HaloReport) -> str:
    """Return how full the device is and what keeps the batch from being shorter; empty if the report does not know."""
    parts = []
    if report.packing_efficiency is not None:
        busy = f"{100 * report.packing_efficiency:.0f} % of the qubit-time is busy"
        if report.volume_bound_s is not None and report.timing != "order only":
            busy += f", as much as {report.volume_bound_s * 1e6:.1f} µs of every qubit"
        parts.append(busy)
    if report.limited_by is not None:
        parts.append(f"limited by: {report.limited_by}")
    return "; ".join(parts)
