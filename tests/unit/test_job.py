from __future__ import annotations

import types
from concurrent.futures import CancelledError

import pytest
from qiskit.primitives import PrimitiveResult
from qiskit.providers import JobStatus

from qiskit_halo.batch_plan import BatchPlan, PlannedBatch
from qiskit_halo.errors import HaloError
from qiskit_halo.primitives.job import HaloJob, SubmittedRun


class FakeJob:
    def __init__(self, status: object = JobStatus.DONE, result: object = None, answer: object = True) -> None:
        self._status, self._result, self._answer = status, result, answer
        self.cancelled_times = 0

    def job_id(self) -> str:
        return "id"

    def status(self) -> object:
        return self._status

    def in_final_state(self) -> bool:
        return str(getattr(self._status, "name", self._status)) in ("DONE", "ERROR", "CANCELLED")

    def result(self) -> object:
        if isinstance(self._result, Exception):
            raise self._result
        return self._result

    def cancel(self) -> object:
        self.cancelled_times += 1
        return self._answer


def make_job(*jobs: FakeJob) -> HaloJob:
    batch = PlannedBatch(slots=(0,), cells=((0,),), shots=10, makespan_s=1e-6, reset_s=0.0)
    plan = BatchPlan(
        batches=(batch,) * len(jobs),
        names=("pub 0 bell",),
        shots=(10 * len(jobs),),
        circuits=(0,),
        rep_delay_s=1e-6,
        one_by_one_s=1e-3,
    )
    runs = [SubmittedRun(job=job, batches=(index,)) for index, job in enumerate(jobs)]
    return HaloJob(
        runs, plan, lambda found: [found.get(index, [None])[0] for index in range(len(jobs))], {"reports": []}
    )


@pytest.mark.parametrize(
    ("statuses", "expected"),
    [
        ([JobStatus.DONE, JobStatus.DONE], JobStatus.DONE),
        ([JobStatus.DONE, JobStatus.QUEUED], JobStatus.RUNNING),
        ([JobStatus.QUEUED, JobStatus.RUNNING], JobStatus.RUNNING),
        ([JobStatus.QUEUED, JobStatus.QUEUED], JobStatus.QUEUED),
        ([JobStatus.DONE, JobStatus.ERROR, JobStatus.CANCELLED], JobStatus.ERROR),
        ([JobStatus.RUNNING, JobStatus.CANCELLED], JobStatus.CANCELLED),
        (["DONE", "DONE"], JobStatus.DONE),  # the runtime speaks in words
        (["QUEUED"], JobStatus.QUEUED),
        ([], JobStatus.DONE),
    ],
)
def test_status_is_that_of_all(statuses: list[object], expected: JobStatus):
    job = make_job(*map(FakeJob, statuses))
    assert job.status() is expected
    assert job.done() is (expected is JobStatus.DONE)
    assert job.running() is (expected is JobStatus.RUNNING)
    assert job.cancelled() is (expected is JobStatus.CANCELLED)


def test_results_are_collected_once():
    job = make_job(FakeJob(result=["a"]), FakeJob(result=["b"]))
    result = job.result()
    assert isinstance(result, PrimitiveResult)
    assert list(result) == ["a", "b"]
    assert job.result() is result
    assert result.metadata["halo"] == job.metadata


def test_a_failure_names_its_batch_and_says_why_and_the_others_are_kept():
    cause = RuntimeError("the queue\nwas lost")
    job = make_job(FakeJob(result=["a"]), FakeJob(JobStatus.ERROR, result=cause))
    message = r"batch 1 of 2 \(pub 0 bell\) failed: RuntimeError: the queue was lost"
    with pytest.raises(HaloError, match=message) as caught:
        job.result()
    assert caught.value.__cause__ is cause
    assert job.partial_result() == ["a", None]


def test_an_error_without_words_is_named_by_its_kind():
    with pytest.raises(HaloError, match="failed: CancelledError: CancelledError"):
        make_job(FakeJob(result=CancelledError())).result()


def test_a_result_with_too_few_pubs_is_an_error():
    with pytest.raises(HaloError, match="batch 0 of 1"):
        make_job(FakeJob(result=[])).result()


def test_cancel_reaches_what_has_not_ended():
    jobs = [FakeJob(JobStatus.DONE), FakeJob(JobStatus.RUNNING), FakeJob("QUEUED", answer=None)]
    job = make_job(*jobs)
    assert job.cancel() is True
    assert [own.cancelled_times for own in jobs] == [0, 1, 1]
    assert make_job(FakeJob(JobStatus.RUNNING, answer=False)).cancel() is False
    assert make_job(FakeJob()).cancel() is False


def test_metadata_holds_plan_and_model():
    job = make_job(FakeJob())
    assert job.metadata["plan"] == job.plan.to_dict()
    assert job.metadata["ratio"] == job.plan.ratio
    assert job.metadata["job_ids"] == ["id"]
    assert isinstance(job.jobs[0], FakeJob)
    assert types.SimpleNamespace(**job.metadata).qpu_time_s == job.plan.qpu_time_s
