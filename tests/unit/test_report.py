from __future__ import annotations

import json

import pytest

from qiskit_halo.errors import HaloValueError
from qiskit_halo.report import HaloReport, LeaseReport, ProgramReport


@pytest.fixture
def report() -> HaloReport:
    program = ProgramReport(
        index=0,
        name="ann",
        shots=None,
        qubits=(3, 5),
        num_data=1,
        num_helpers=1,
        start_s=1e-6,
        length_s=2e-6,
        wait_s=1e-7,
        success_alone=0.9,
        success_merged=None,
    )
    lease = LeaseReport(qubit=3, program=None, kind="reset", start_s=0.0, stop_s=1e-6)
    return HaloReport(
        programs=(program,),
        leases=(lease,),
        num_qubits=7,
        couplers=((3, 5),),
        makespan_s=3e-6,
        reset_s=1e-6,
        num_qubits_used=2,
        num_handovers=1,
        timing="exact",
        policy="packed",
        qpu_time_ratios={"250": 1.0},
    )


def test_report_survives_json(report: HaloReport):
    assert HaloReport.from_dict(json.loads(json.dumps(report.to_dict()))) == report


def test_report_of_another_version_is_refused(report: HaloReport):
    with pytest.raises(HaloValueError, match="report version 2 is not 1; compile the circuit again"):
        HaloReport.from_dict({**report.to_dict(), "version": 2})


def test_a_subclass_is_written_too(report: HaloReport):
    class Mine(HaloReport):
        pass

    values = report.to_dict()
    assert Mine.from_dict(values).to_dict() == values
