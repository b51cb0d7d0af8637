"""The queue of one device as a sequence of events: jobs arrive, a system takes some, the device is busy, results leave."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from benchmarks.evaluation.model import Batch, Job, SystemFailedError

Waiting = Sequence[tuple[int, Job]]


@dataclass(frozen=True)
class Served:
    """One batch as it ran, from ``start_s`` to ``finish_s``."""

    batch: Batch
    start_s: float
    finish_s: float


@dataclass
class History:
    """What happened to a queue.

    Attributes:
        served: Batches in the order that they ran.
        finish_s: Index of a job -> when it had all its shots.
        failure: Why the system stopped before the queue was empty; empty if it did not.
    """

    served: list[Served] = field(default_factory=list)
    finish_s: dict[int, float] = field(default_factory=dict)
    failure: str = ""


def simulate(jobs: Sequence[Job], choose: Callable[[Waiting], Batch], duration_s: Callable[[Batch], float]) -> History:
    """Run a queue: whenever the device is free and somebody waits, ``choose`` names the next batch, which runs at once.

    A member that has not had all its shots waits on, in its old place, for the rest. Time to compile is not modelled:
    it can overlap with the batch before.

    Args:
        jobs: In order of arrival.
        choose: The system; what it raises ends the run and becomes :attr:`History.failure`.
        duration_s: Time that a batch keeps the device.
    """
    history = History()
    left = {index: job.shots for index, job in enumerate(jobs)}
    now = 0.0
    while left:
        now = max(now, min(jobs[index].arrival_s for index in left))
        waiting = [(i, replace(jobs[i], shots=shots)) for i, shots in left.items() if jobs[i].arrival_s <= now]
        try:
            batch = choose(waiting)
            _check(batch, waiting)
        except Exception as error:  # whatever a system trips over is its result, never a gap in the table
            history.failure = " ".join(f"{type(error).__name__}: {error}".split())
            return history
        finish = now + duration_s(batch)
        history.served.append(Served(batch, now, finish))
        for member in batch.members:
            left[member] -= batch.shots
            if left[member] <= 0:
                del left[member]
                history.finish_s[member] = finish
        now = finish
    return history


def _check(batch: Batch, waiting: Waiting) -> None:
    known = {index for index, _ in waiting}
    if not batch.members or batch.shots < 1:
        raise SystemFailedError(f"a batch of {len(batch.members)} members and {batch.shots} shots makes no progress")
    if len(set(batch.members)) < len(batch.members) or not known.issuperset(batch.members):
        raise SystemFailedError("a batch has a member twice, or one that does not wait")


def turnaround_s(jobs: Sequence[Job], history: History) -> tuple[float | None, float | None]:
    """Return mean and 95th percentile of finish minus arrival over the finished jobs, ``None`` if there are none."""
    times = [finish - jobs[index].arrival_s for index, finish in sorted(history.finish_s.items())]
    if not times:
        return None, None
    return float(np.mean(times)), float(np.percentile(times, 95))


class Remembered:
    """A system that is asked only once for the same waiting circuits and shots.

    Arrival processes at several speeds of the clock meet the same small queues again and again. Names and arrival times
    are not part of the question: no system may decide by them.
    """

    def __init__(self, choose: Callable[[Waiting], Batch]) -> None:
        self._choose = choose
        self._known: dict[tuple[tuple[int, int], ...], tuple[Batch, tuple[int, ...]]] = {}

    def __call__(self, waiting: Waiting) -> Batch:
        key = tuple((id(job.circuit), job.shots) for _, job in waiting)
        if key not in self._known:
            batch = self._choose(waiting)
            place = {index: position for position, (index, _) in enumerate(waiting)}
            if not set(batch.members) <= set(place):
                return batch  # refused by the caller's check
            self._known[key] = batch, tuple(place[member] for member in batch.members)
        batch, places = self._known[key]
        return replace(batch, members=tuple(waiting[position][0] for position in places))
