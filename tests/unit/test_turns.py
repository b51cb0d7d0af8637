from __future__ import annotations

from qiskit_halo.timeline.turns import Turn, in_given_order, round_robin


def turn(*owners: int) -> Turn:
    return Turn(owners=owners, qubits=(0,), busy_dt=((0, 10),), length_dt=10)


def test_given_order_is_as_given() -> None:
    assert in_given_order([turn(1), turn(0), turn(1)]) == [0, 1, 2]


def test_every_program_has_its_first_turn_before_any_has_its_second() -> None:
    turns = [turn(0), turn(0), turn(0), turn(1), turn(2), turn(1)]
    assert round_robin(turns) == [0, 3, 4, 1, 5, 2]


def test_joined_programs_take_turns_as_one() -> None:
    assert round_robin([turn(0, 1), turn(0, 1), turn(2)]) == [0, 2, 1]


def test_each_piece_without_an_owner_is_a_program_of_its_own() -> None:
    assert round_robin([turn(0), turn(0), turn(), turn()]) == [0, 2, 3, 1]


def test_no_turns() -> None:
    assert round_robin([]) == []
