"""Who holds which qubit, read from a report."""

from __future__ import annotations

from qiskit_halo.report import HaloReport


def qubit_users(report: HaloReport, *, at_s: float | None = None) -> list[tuple[int | None, ...]]:
    """Return for each qubit the programs that hold it, in order of time, each once.

    Args:
        report: The compiled batch.
        at_s: Only those that hold it at this time, in seconds; ``None`` takes the whole batch.

    Examples:
        >>> from qiskit_halo.report import HaloReport, LeaseReport
        >>> def lease(program, start_s, stop_s):
        ...     return LeaseReport(qubit=1, program=program, kind="program", start_s=start_s, stop_s=stop_s)
        >>> report = HaloReport(
        ...     programs=(), leases=(lease(7, 0.0, 1e-6), lease(2, 2e-6, 3e-6)), num_qubits=2,
        ...     couplers=((0, 1),), makespan_s=3e-6, reset_s=1e-6, num_qubits_used=1, num_handovers=1,
        ...     timing="exact", policy="packed", qpu_time_ratios={})
        >>> qubit_users(report), qubit_users(report, at_s=2.5e-6)
        ([(), (7, 2)], [(), (2,)])
    """
    users: list[dict[int | None, None]] = [{} for _ in range(report.num_qubits)]
    for lease in sorted(report.leases, key=lambda lease: (lease.qubit, lease.start_s)):
        if lease.kind == "program" and (at_s is None or lease.start_s <= at_s < lease.stop_s):
            users[lease.qubit].setdefault(lease.program)
    return [tuple(held) for held in users]


def qubits_in_reset(report: HaloReport, *, at_s: float | None) -> frozenset[int]:
    """Return the qubits that are being reset at ``at_s``; none for the whole batch (``None``)."""
    if at_s is None:
        return frozenset()
    return frozenset(
        lease.qubit for lease in report.leases if lease.kind == "reset" and lease.start_s <= at_s < lease.stop_s
    )
