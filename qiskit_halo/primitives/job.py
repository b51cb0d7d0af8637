"""A job whose work is done by other jobs, each of which runs some batches."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from qiskit.primitives import BasePrimitiveJob, PrimitiveResult
from qiskit.providers import JobStatus

from qiskit_halo.batch_plan import BatchPlan
from qiskit_halo.errors import HaloError

logger = logging.getLogger(__name__)

T = TypeVar("T")
S = TypeVar("S")

_OF_THE_PLAN = ("plan", "qpu_time_s", "one_by_one_s", "ratio", "job_ids")


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmittedRun:
    """A job of the wrapped sampler.

    Args:
        job: The job.
        batches: Batch that each of its pubs belongs to; a batch may have several pubs, all in one job.
    """

    job: BasePrimitiveJob[Any, Any]
    batches: tuple[int, ...]


class HaloJob(BasePrimitiveJob[PrimitiveResult[T], JobStatus], Generic[T]):
    """What the primitives of this package return.

    Batches that are finished are not lost when another one fails: see :meth:`partial_result`.

    ``metadata`` holds the plan and the QPU-time model, as JSON: ``"plan"`` is
    :meth:`BatchPlan.to_dict <qiskit_halo.batch_plan.BatchPlan.to_dict>`; ``"qpu_time_s"``, ``"one_by_one_s"`` and
    ``"ratio"`` are modelled; ``"job_ids"`` are those of the wrapped sampler; ``"reports"`` say what was compiled, one
    for each batch.

    Args:
        runs: The jobs of the wrapped sampler.
        plan: What they run.
        assemble: Batch -> the results of its pubs, for the finished ones, to one result for each pub or ``None``.
        metadata: Further entries of :attr:`metadata`.
    """

    def __init__(
        self,
        runs: Sequence[SubmittedRun],
        plan: BatchPlan,
        assemble: Callable[[dict[int, list[Any]]], list[T | None]],
        metadata: dict[str, Any],
    ) -> None:
        super().__init__(
            str(uuid.uuid4()),
            plan=plan.to_dict(),
            qpu_time_s=plan.qpu_time_s,
            one_by_one_s=plan.one_by_one_s,
            ratio=plan.ratio,
            job_ids=[run.job.job_id() for run in runs],
            **metadata,
        )
        self._runs = tuple(runs)
        self._plan = plan
        self._assemble = assemble
        self._result: PrimitiveResult[T] | None = None

    @property
    def jobs(self) -> tuple[BasePrimitiveJob[Any, Any], ...]:
        """The jobs of the wrapped sampler."""
        return tuple(run.job for run in self._runs)

    @property
    def plan(self) -> BatchPlan:
        """Which programs share which batch; makespans are those of the compiled circuits."""
        return self._plan

    def then(self, change: Callable[[list[T | None]], list[S | None]]) -> HaloJob[S]:
        """Return the same job with other results: ``change`` makes them from these, ``None`` for missing ones."""

        def assemble(found: dict[int, list[Any]]) -> list[S | None]:
            return change(self._assemble(found))

        extra = {name: value for name, value in self.metadata.items() if name not in _OF_THE_PLAN}
        return HaloJob(self._runs, self._plan, assemble, extra)

    def result(self) -> PrimitiveResult[T]:
        """Wait for all batches and return one result for each pub, in order.

        Raises:
            HaloError: A job of the wrapped sampler failed, or its result cannot be split; the message names the
                batches and says what that job said.
        """
        if self._result is None:
            found, errors = self._collect()
            if errors:
                batches, error = errors[0]
                reason = " ".join((str(error) or type(error).__name__).split())
                raise HaloError(f"{self._name(batches)}: {type(error).__name__}: {reason}") from error
            self._result = PrimitiveResult(self._assemble(found), metadata={"version": 2, "halo": self.metadata})
        return self._result

    def partial_result(self) -> list[T | None]:
        """Wait for all batches and return one result for each pub, ``None`` where a batch that it needs failed."""
        found, errors = self._collect()
        for batches, error in errors:
            logger.warning("%s failed: %s", self._name(batches), type(error).__name__)
        return self._assemble(found)

    def status(self) -> JobStatus:
        """Return the status of all batches together; an error or a cancelled batch is that of the whole."""
        found = [_status(run.job) for run in self._runs]
        for decisive in (JobStatus.ERROR, JobStatus.CANCELLED):
            if decisive in found:
                return decisive
        if all(status == JobStatus.DONE for status in found):
            return JobStatus.DONE
        if any(status in (JobStatus.RUNNING, JobStatus.DONE) for status in found):
            return JobStatus.RUNNING
        return found[0]

    def done(self) -> bool:
        """Return whether all batches have finished well."""
        return self.status() is JobStatus.DONE

    def running(self) -> bool:
        """Return whether some batch is running, or some are done and others wait."""
        return self.status() is JobStatus.RUNNING

    def cancelled(self) -> bool:
        """Return whether a batch was cancelled."""
        return self.status() is JobStatus.CANCELLED

    def in_final_state(self) -> bool:
        """Return whether no batch will change any more."""
        return all(run.job.in_final_state() for run in self._runs)

    def cancel(self) -> bool:
        """Cancel every batch that has not ended; return whether some job took it."""
        taken = [run.job.cancel() for run in self._runs if not run.job.in_final_state()]
        # The runtime's jobs return nothing where it worked.
        return any(answer is not False for answer in taken)

    def _collect(self) -> tuple[dict[int, list[Any]], list[tuple[tuple[int, ...], Exception]]]:
        found: dict[int, list[Any]] = {}
        errors: list[tuple[tuple[int, ...], Exception]] = []
        for run in self._runs:
            try:
                result = run.job.result()
                for index, own in list(zip(run.batches, result, strict=True)):
                    found.setdefault(index, []).append(own)
            except Exception as error:  # whatever the sampler's provider raises
                errors.append((run.batches, error))
        return found, errors

    def _name(self, batches: Sequence[int]) -> str:
        total = len(self._plan.batches)
        programs = sorted({p for index in batches for p in self._plan.batches[index].programs})
        names = [self._plan.names[program] for program in programs]
        listed = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
        batches = tuple(dict.fromkeys(batches))
        which = f"batch {batches[0]}" if len(batches) == 1 else f"batches {', '.join(map(str, batches))}"
        return f"{which} of {total} ({listed}) failed"


def _status(job: BasePrimitiveJob[Any, Any]) -> JobStatus:
    """Return the status of a job, which the runtime gives as a word."""
    found = job.status()
    if isinstance(found, JobStatus):
        return found
    return JobStatus.__members__.get(str(found).upper(), JobStatus.RUNNING)
