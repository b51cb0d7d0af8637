"""A day of 10 000 small jobs, simulated from how long each system's batches are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.evaluation.arrivals import SHOTS
from benchmarks.evaluation.measures.time_model import Clock


@dataclass(frozen=True)
class Service:
    """How a system serves a queue, from measured batches.

    Attributes:
        waiting: Lengths of queue that were tried, ascending.
        members: Mean members of the batch that the system made of each.
        cycle_s: Mean makespan and reset of that batch.
    """

    waiting: tuple[int, ...]
    members: tuple[float, ...]
    cycle_s: tuple[float, ...]

    @classmethod
    def from_points(cls, points: Sequence[Mapping[str, Any]]) -> Service:
        """Return the service that the points of a ``scaling`` cell describe."""
        sizes = sorted({point["waiting"] for point in points})
        own = [[point for point in points if point["waiting"] == size] for size in sizes]
        return cls(
            tuple(sizes),
            tuple(float(np.mean([point["members"] for point in group])) for group in own),
            tuple(float(np.mean([point["makespan_s"] + point["reset_s"] for point in group])) for group in own),
        )

    def serve(self, waiting: int) -> tuple[int, float]:
        """Return how many of ``waiting`` jobs go together, and the length of a shot; straight lines between points."""
        members = float(np.interp(waiting, self.waiting, self.members))
        return max(1, min(waiting, round(members))), float(np.interp(waiting, self.waiting, self.cycle_s))


def simulate_day(times_s: Sequence[float], service: Service, clock: Clock) -> dict[str, float]:
    """Return turnaround and load over a day of jobs of equal shots, served in order of arrival."""
    arrivals = np.asarray(times_s)
    finish = np.empty_like(arrivals)
    first, now, busy, batches = 0, 0.0, 0.0, 0
    while first < len(arrivals):
        now = max(now, float(arrivals[first]))
        members, cycle_s = service.serve(int(np.searchsorted(arrivals, now, side="right")) - first)
        length = clock.batch_s(SHOTS, cycle_s, 0.0)
        finish[first : first + members] = now + length
        first, now, busy, batches = first + members, now + length, busy + length, batches + 1
    turnaround = finish - arrivals
    return {
        "batches": batches,
        "turnaround_mean_s": float(np.mean(turnaround)),
        "turnaround_p95_s": float(np.percentile(turnaround, 95)),
        "device_busy_s": busy,
        "last_finish_s": now,
    }
