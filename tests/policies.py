"""Policies that only tests need."""

from __future__ import annotations

from collections.abc import Sequence

from qiskit_halo.timeline.policies import Attempt, Trial
from qiskit_halo.timeline.turns import Turn


class AsGiven:
    """The order of the circuit, so that a test can say who comes first; nobody waits."""

    name = "as given"

    def choose(self, turns: Sequence[Turn], attempt: Attempt) -> Trial:
        return attempt(range(len(turns)), may_wait=False)


class InOrder:
    """A given order of turns; they may wait."""

    name = "in order"

    def __init__(self, order: Sequence[int]) -> None:
        self.order = order

    def choose(self, turns: Sequence[Turn], attempt: Attempt) -> Trial:
        return attempt(self.order)
