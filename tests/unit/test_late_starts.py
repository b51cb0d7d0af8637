from __future__ import annotations

from qiskit_halo.timeline.late_starts import start_late
from qiskit_halo.timeline.turns import Turn, cut_into_turns
from tests.draft_samples import turn


def two_turns(piece: int = 0) -> list[Turn]:
    """Helper 1 at 0-50 and at 100-150, with qubit 0 alive throughout."""
    whole = turn(0, [(1, 0, 50), (0, 0, 200), (1, 100, 150)], piece=piece, lead=10)
    return cut_into_turns(whole, [True, False, False], [7] * 3)


def test_a_turn_moves_into_the_wait_behind_it() -> None:
    assert start_late(two_turns(), [0, 400], 1) == [300, 400]
    assert start_late(two_turns(), [0, 400], 64) == [256, 400]


def test_a_turn_moves_no_further_than_its_qubits_are_free() -> None:
    other = turn(1, [(1, 0, 100)], piece=1, lead=10)
    assert start_late([*two_turns(), other], [0, 400, 200], 1) == [140, 400, 200]
    assert start_late([*two_turns(), other], [0, 400, 60], 1) == [0, 400, 60]


def test_turns_before_it_follow() -> None:
    whole = turn(0, [(0, 0, 300), (1, 0, 50), (1, 100, 150), (1, 200, 250)], lead=10)
    turns = cut_into_turns(whole, [True, False], [15] * 4)
    assert start_late(turns, [0, 100, 700], 1) == [500, 600, 700]


def test_without_a_wait_nothing_moves() -> None:
    assert start_late(two_turns(), [30, 130], 1) == [30, 130]
    assert start_late([turn(0, [(0, 0, 10)])], [5], 1) == [5]
    assert start_late([], [], 1) == []
