from __future__ import annotations

import json

import pytest

from qiskit_halo.batch_plan import BatchPlan, PlannedBatch, Share
from qiskit_halo.errors import HaloValueError


def make_plan() -> BatchPlan:
    """Two circuits; program 0 is replicated and carried over, program 1 fits in one cell."""
    return BatchPlan(
        batches=(
            PlannedBatch(slots=(0, 0, 1), cells=((0, 0, 1), (0, None, None)), shots=40, makespan_s=3e-6, reset_s=1e-6),
            PlannedBatch(slots=(0,), cells=((0,),), shots=50, makespan_s=2e-6, reset_s=1e-6),
        ),
        names=("ann", "bo"),
        shots=(150, 30),
        circuits=(0, 1),
        rep_delay_s=6e-6,
        one_by_one_s=5e-3,
    )


def test_shares_add_up_to_what_was_asked_for():
    first, second = make_plan().shares()
    assert first == (
        Share(batch=0, row=0, slot=0, shots=40),
        Share(batch=0, row=0, slot=1, shots=40),
        Share(batch=0, row=1, slot=0, shots=40),
        Share(batch=1, row=0, slot=0, shots=30),
    )
    assert second == (Share(batch=0, row=0, slot=2, shots=30),)


def test_a_cell_too_many_gives_nothing():
    plan = make_plan()
    batch = PlannedBatch(slots=(0,), cells=((0,),), shots=9, makespan_s=0, reset_s=0)
    more = BatchPlan(
        batches=(*plan.batches, batch),
        names=plan.names,
        shots=plan.shots,
        circuits=plan.circuits,
        rep_delay_s=0,
        one_by_one_s=0,
    )
    assert more.shares() == plan.shares()


def test_times_follow_the_model():
    plan = make_plan()
    # 80 executions of 3 + 1 + 6 us, and 50 of 2 + 1 + 6 us.
    assert plan.qpu_time_s == pytest.approx(80 * 10e-6 + 50 * 9e-6)
    assert plan.ratio == pytest.approx(5e-3 / 1.25e-3)


def test_a_batch_knows_what_it_holds():
    batch = make_plan().batches[0]
    assert (batch.num_rows, batch.executions, batch.programs, batch.num_copies) == (2, 80, (0, 1), 2)


def test_the_plan_is_json_and_comes_back():
    plan = make_plan()
    assert BatchPlan.from_dict(json.loads(json.dumps(plan.to_dict()))) == plan


def test_another_version_is_refused():
    with pytest.raises(HaloValueError, match=r"plan version 2 is not 1; plan the batches again"):
        BatchPlan.from_dict({**make_plan().to_dict(), "version": 2})


def test_the_table_has_a_line_a_batch_and_a_total():
    lines = make_plan().table().splitlines()
    assert lines[0].split() == ["batch", "programs", "circuits", "rows", "shots", "makespan", "us", "QPU", "time", "ms"]
    assert lines[1].split() == ["0", "2", "3", "2", "40", "3.00", "0.80"]
    assert lines[3] == "2 programs, 180 shots: 1.25 ms of QPU time, 4.0 times less than one by one"
