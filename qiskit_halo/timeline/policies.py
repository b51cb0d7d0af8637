"""Who goes next: the policies that order turns on shared qubits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from qiskit_halo.options import PolicyName
from qiskit_halo.timeline.orders import (
    busiest_first,
    by_latest_start,
    longest_first,
    round_robin_order,
    shortest_possible,
)
from qiskit_halo.timeline.turns import Turn

JUSTIFICATIONS = 8
"""Most times that the best order is justified again; it mostly stops improving after three."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Trial:
    """What comes of taking turns in some order.

    Args:
        order: Indices of the turns, in the order in which they took their qubits.
        starts_dt: Start of each turn, by its index.
        may_wait: Whether a piece may wait between its turns.
        makespan_dt: End of the last operation.
        num_below_floor: How many programs are below their floor of predicted success because of this order.
        num_late: How many programs end after ``max_duration_s``.
        log_success: Log of the predicted success of all programs together.
        weighted_end_dt: Mean end of the programs, by weight.
    """

    order: tuple[int, ...]
    starts_dt: tuple[int, ...]
    may_wait: bool
    makespan_dt: int
    num_below_floor: int
    num_late: int
    log_success: float
    weighted_end_dt: float

    @property
    def cost(self) -> tuple[float, ...]:
        """What the policies of this package minimise: floor, horizon, makespan, success, then early ends."""
        return (
            self.num_below_floor,
            self.num_late,
            self.makespan_dt,
            # Rounding must not decide: sums of equal logs come out differently in another order.
            -round(self.log_success, 9),
            self.weighted_end_dt,
        )


Attempt = Callable[..., Trial]
"""``attempt(order, may_wait=True)``: book the turns one after another, each as early as its qubits allow."""


class Policy(Protocol):
    """Decides in which order turns take the qubits that they share.

    Any order will do: turns are booked one after another, each at the first time at which all its qubits are free,
    holes before turns booked earlier included. Hence every order gives a valid timeline, and a policy is only ever a
    matter of taste.
    """

    @property
    def name(self) -> str:
        """What reports call it."""

    def choose(self, turns: Sequence[Turn], attempt: Attempt) -> Trial:
        """Return one of the trials that ``attempt`` has made.

        Args:
            turns: What wants to run, in the order of the circuit: by piece, then by position.
            attempt: ``attempt(order, may_wait=True)`` tries a permutation of the indices of ``turns`` in which the turns
                of a piece keep their order. Without ``may_wait`` a piece takes all its turns with the first of them.
        """


class RoundRobin:
    """HALO's policy: every program has its n-th turn before any has its (n+1)-th; with weights, in proportion.

    Who waits between two turns holds nothing that others want (see
    :func:`~qiskit_halo.timeline.turns.cut_into_turns`), and no program starves (see
    :func:`~qiskit_halo.timeline.orders.round_robin_order`).
    """

    name = "round_robin"

    def choose(self, turns: Sequence[Turn], attempt: Attempt) -> Trial:
        """Return the trial of the fair order."""
        return attempt(round_robin_order(turns))


class Packed:
    """The shortest makespan that a bounded search finds. Nobody waits, and it is never longer than as given."""

    name = "packed"

    def choose(self, turns: Sequence[Turn], attempt: Attempt) -> Trial:
        """Return the best of several orders: as given, by size, and what justifying makes of the best of them."""
        least = shortest_possible(turns)
        best = attempt(range(len(turns)), may_wait=False)
        for make_order in (busiest_first, longest_first):
            if best.cost[:3] <= (0, 0, least):
                return best
            best = min(best, attempt(make_order(turns), may_wait=False), key=lambda trial: trial.cost)
        for _ in range(JUSTIFICATIONS):
            if best.cost[:3] <= (0, 0, least):
                break
            trial = attempt(by_latest_start(turns, best.starts_dt), may_wait=False)
            if trial.cost >= best.cost:
                break
            best = trial
        return best


class Auto:
    """Whichever of the two scores better: floor and horizon first, then makespan, then predicted success."""

    name = "auto"

    def choose(self, turns: Sequence[Turn], attempt: Attempt) -> Trial:
        """Return the better trial; a round robin in which nobody waits is tried too."""
        order = round_robin_order(turns)
        trials = [Packed().choose(turns, attempt), attempt(order, may_wait=False)]
        if any(turn.position for turn in turns):
            trials.append(attempt(order))
        return min(trials, key=lambda trial: trial.cost)


POLICIES: dict[PolicyName, Policy] = {"auto": Auto(), "packed": Packed(), "round_robin": RoundRobin()}
