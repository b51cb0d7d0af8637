from __future__ import annotations

from collections import Counter
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from qiskit_halo.timeline.orders import (
    busiest_first,
    by_latest_start,
    longest_first,
    round_robin_order,
    shortest_possible,
)
from tests.draft_samples import turn


def own(*owners: int, weights: dict[int, float] | None = None) -> list:
    weights = weights or {}
    return [turn(o, [(0, 0, 10)], piece=i, weight=weights.get(o, 1.0)) for i, o in enumerate(owners)]


class TestRoundRobin:
    def test_every_program_has_its_first_turn_before_any_has_its_second(self) -> None:
        assert round_robin_order(own(0, 0, 0, 1, 2, 1)) == [0, 3, 4, 1, 5, 2]

    def test_each_piece_without_an_owner_is_a_program_of_its_own(self) -> None:
        assert round_robin_order(own(0, 0, -1, -1)) == [0, 2, 3, 1]

    def test_turns_come_in_proportion_to_weights(self) -> None:
        assert round_robin_order(own(0, 0, 0, 1, 1, 1, weights={1: 2.0})) == [3, 0, 4, 5, 1, 2]

    def test_turns_that_are_due_together_are_not_told_apart_by_rounding(self) -> None:
        # 3 / 0.3 and 1 / 0.1 are both ten only with exact arithmetic of these floats' ratios.
        assert round_robin_order(own(0, 1, 1, 1, weights={0: 0.25, 1: 0.75})) == [1, 2, 0, 3]

    @given(
        st.lists(st.integers(0, 3), max_size=30),
        st.lists(st.floats(0.01, 100, allow_nan=False), min_size=4, max_size=4),
    )
    def test_nobody_starves(self, owners: list[int], weights: list[float]) -> None:
        """Before the n-th turn of a program another one has at most floor(n * its weight / own weight)."""
        order = round_robin_order(own(*owners, weights=dict(enumerate(weights))))
        assert sorted(order) == list(range(len(owners)))
        had: Counter[int] = Counter()
        for index in order:
            me = owners[index]
            had[me] += 1
            for other in range(4):
                if other != me:
                    assert had[other] <= had[me] * Fraction(weights[other]) / Fraction(weights[me])

    def test_no_turns(self) -> None:
        assert round_robin_order([]) == []


def test_longest_first() -> None:
    turns = [turn(0, [(0, 0, 10)], piece=0), turn(1, [(0, 0, 30)], piece=1), turn(2, [(0, 0, 10)], piece=2, weight=2.0)]
    assert longest_first(turns) == [1, 2, 0]


def test_busiest_first() -> None:
    turns = [
        turn(0, [(0, 0, 100)], piece=0, lead=5),
        turn(1, [(1, 0, 60)], piece=1, lead=5),
        turn(2, [(1, 0, 70), (2, 0, 10)], piece=2, lead=5),
    ]
    assert busiest_first(turns) == [2, 1, 0]


def test_the_bound_is_the_longest_piece_or_the_busiest_qubit() -> None:
    turns = [turn(0, [(0, 0, 100)], piece=0, lead=7), turn(1, [(0, 0, 50)], piece=1, lead=7)]
    assert shortest_possible(turns) == 157
    assert shortest_possible([*turns, turn(2, [(1, 0, 900)], piece=2)]) == 900
    assert shortest_possible([]) == 0


def test_latest_starts_keep_who_follows_whom() -> None:
    turns = [
        turn(0, [(0, 0, 100)], piece=0, lead=10),
        turn(1, [(1, 0, 40)], piece=1, lead=10),
        turn(2, [(0, 0, 200), (1, 150, 200)], piece=2, lead=10),
    ]
    # Ends at 310: piece 2 from 110, piece 0 from 0, and piece 1 may start as late as 110 + 150 - 10 - 40.
    assert by_latest_start(turns, [0, 0, 110]) == [0, 2, 1]
    assert by_latest_start([], []) == []
