"""The QPU-time model, the same for every system."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

REP_DELAYS_US = (250, 50, 0)
"""IBM's default repetition delay, a short one, and none, where only packing counts."""
OVERHEADS_S = (0, 1, 10)


@dataclass(frozen=True)
class Clock:
    """What the machine adds to the circuits.

    Attributes:
        rep_delay_s: Wait after each shot.
        overhead_s: Time that each circuit sent costs, whatever is in it.
    """

    rep_delay_s: float
    overhead_s: float = 0.0

    def batch_s(self, shots: int, makespan_s: float, reset_s: float) -> float:
        """Return the time that one circuit takes: shots x (makespan + reset + repetition delay), and the overhead."""
        return shots * (makespan_s + reset_s + self.rep_delay_s) + self.overhead_s


CLOCKS = tuple(Clock(delay / 1e6, float(overhead)) for delay in REP_DELAYS_US for overhead in OVERHEADS_S)


def total_s(clock: Clock, runs: Sequence[tuple[int, float, float]]) -> float:
    """Return the time of (shots, makespan, reset) runs, one after the other."""
    return sum(clock.batch_s(*run) for run in runs)
