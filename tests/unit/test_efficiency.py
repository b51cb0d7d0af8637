from __future__ import annotations

import pytest

from qiskit_halo.report import LeaseReport
from qiskit_halo.timeline.efficiency import measure_fullness


def lease(qubit: int, start_s: float, stop_s: float, kind: str = "program") -> LeaseReport:
    return LeaseReport(qubit=qubit, program=0, kind=kind, start_s=start_s, stop_s=stop_s)


def test_resets_count_as_busy() -> None:
    found = measure_fullness([lease(0, 0, 4), lease(0, 4, 5, "reset"), lease(1, 2, 3)], 3, 6.0, 1.0)
    assert (found.volume_bound_s, found.efficiency) == (pytest.approx(2.0), pytest.approx(1 / 3))


@pytest.mark.parametrize(
    ("leases", "longest_s", "limit"),
    [
        ([lease(0, 0, 10)], 9.0, "longest program"),
        ([lease(0, 0, 9), lease(1, 0, 9)], 3.0, "qubits"),
        ([lease(0, 0, 9), lease(1, 0, 2)], 3.0, "good qubits"),
        ([lease(0, 0, 5), lease(1, 5, 10)], 5.0, "fit"),
    ],
)
def test_what_limits(leases: list[LeaseReport], longest_s: float, limit: str) -> None:
    assert measure_fullness(leases, 2, 10.0, longest_s).limited_by == limit


def test_a_batch_that_takes_no_time() -> None:
    assert measure_fullness([], 2, 0.0, 0.0).efficiency == 0
