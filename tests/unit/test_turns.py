from __future__ import annotations

from qiskit_halo.device.model import DeviceModel
from qiskit_halo.options import HaloOptions
from qiskit_halo.timeline.resets import HandOverTimes
from qiskit_halo.timeline.turns import Turn, cut_into_turns, private_qubits, whole_turn
from tests.draft_samples import lease, turn
from tests.targets import make_target


def cuts(
    whole: Turn, private: set[int], needs: dict[int, set[int]] | None = None, num_qubits: int = 8
) -> list[tuple[int, int, list[int]]]:
    """(offset, length, qubits) of each turn; unless ``needs`` says otherwise each lease depends on all of them."""
    parts = cut_into_turns(whole, [q in private for q in range(num_qubits)], bit_sets(whole, needs))
    assert [part.position for part in parts] == list(range(len(parts)))
    assert all(part.owners == whole.owners and part.weight == whole.weight for part in parts)
    return [(part.offset_dt, part.length_dt, [each.qubit for each in part.leases]) for part in parts]


def bit_sets(whole: Turn, needs: dict[int, set[int]] | None) -> list[int]:
    everything = set(range(len(whole.leases)))
    return [sum(1 << other for other in (needs or {}).get(i, everything)) for i in range(len(whole.leases))]


def test_leads_are_those_of_the_device_and_count_own_resets() -> None:
    device = DeviceModel(make_target(2))
    times = HandOverTimes(device, HaloOptions(resets=3))
    whole = whole_turn((4,), 7, [lease(0, 0, 10), lease(0, 50, 60, 1), lease(1, 20, 60, 4)], 60, times, 2.0)
    assert whole.leads_dt == (2400, 1600, 1)
    assert (whole.owners, whole.piece, whole.weight, whole.length_dt) == ((4,), 7, 2.0, 60)
    assert whole.intervals == ((0, 0, 10), (0, 50, 60), (1, 20, 60))


def test_a_program_is_owners_or_the_piece_itself() -> None:
    assert turn(3, [(0, 0, 1)]).program == (3,)
    assert turn(-1, [(0, 0, 1)], piece=5).program == ("anonymous", 5)


def test_a_helper_taken_round_by_round_makes_turns() -> None:
    # Qubit 0 is the program's own; helper 1 comes and goes.
    whole = turn(0, [(0, 0, 300), (1, 10, 50), (1, 100, 150), (1, 200, 250)])
    assert cuts(whole, {0}) == [(0, 10, [0]), (10, 90, [1]), (100, 100, [1]), (200, 100, [1])]
    parts = cut_into_turns(whole, [True, False], bit_sets(whole, None))
    assert [part.intervals for part in parts] == [((0, 0, 300),), ((1, 0, 40),), ((1, 0, 50),), ((1, 0, 50),)]


def test_no_cut_while_a_qubit_is_held_that_others_want() -> None:
    whole = turn(0, [(0, 0, 300), (1, 10, 50), (1, 100, 150)])
    assert cuts(whole, set()) == [(0, 300, [0, 1, 1])]
    # Helper 2 bridges the first gap of helper 1, not the second.
    bridged = turn(0, [(0, 0, 300), (1, 10, 50), (1, 100, 150), (1, 200, 250), (2, 40, 180)])
    assert cuts(bridged, {0}) == [(0, 10, [0]), (10, 190, [1, 1, 2]), (200, 100, [1])]


def test_a_measurement_in_progress_is_no_obstacle() -> None:
    # Helper 1 is read out from 30 to 130, while helper 2 is taken at 50: nothing that 1 still does depends on 2.
    whole = turn(0, [(0, 0, 300), (1, 0, 130), (2, 50, 150)])
    assert cuts(whole, {0}, {1: {0, 1}}) == [(0, 50, [0, 1]), (50, 250, [2])]
    assert cuts(whole, {0}, {1: {0, 1, 2}}) == [(0, 300, [0, 1, 2])]
    first, _ = cut_into_turns(whole, [True, False, False], bit_sets(whole, {1: {0, 1}}))
    assert (first.length_dt, first.span_dt) == (50, 300)


def test_what_begins_at_the_cut_belongs_to_the_turn_behind_it() -> None:
    whole = turn(0, [(0, 0, 300), (2, 50, 300), (1, 50, 150)])
    assert cuts(whole, {0, 2}) == [(0, 50, [0]), (50, 250, [2, 1])]
    assert cuts(turn(0, [(2, 50, 300), (1, 50, 150)]), {2}) == [(0, 300, [2, 1])]


def test_no_cut_for_what_nobody_else_wants() -> None:
    whole = turn(0, [(0, 0, 300), (1, 10, 50), (2, 100, 150), (1, 200, 250)])
    assert cuts(whole, {0, 2}) == [(0, 10, [0]), (10, 190, [1, 2]), (200, 100, [1])]
    assert cuts(whole, {0, 1, 2}) == [(0, 300, [0, 1, 2, 1])]


def test_nothing_is_before_the_first_lease() -> None:
    assert cuts(turn(0, [(1, 10, 50)], 60), set()) == [(0, 60, [1])]
    assert cuts(turn(0, [], 5), set()) == [(0, 5, [])]


def test_a_qubit_is_private_if_one_piece_uses_it() -> None:
    device = DeviceModel(make_target(4))
    turns = [turn(0, [(0, 0, 9), (1, 0, 9)], piece=0), turn(1, [(1, 0, 9), (3, 0, 9)], piece=1)]
    for found in private_qubits(turns, device, 0):
        assert found == [True, False, False, True]
    same = [turn(0, [(1, 0, 9)], piece=0), turn(0, [(1, 0, 9)], piece=1)]
    assert private_qubits(same, device, 0)[0][1] is False


def test_with_a_buffer_nobody_else_may_be_near_a_private_qubit() -> None:
    device = DeviceModel(make_target(4))
    turns = [turn(0, [(0, 0, 9)], piece=0), turn(1, [(1, 0, 9), (3, 0, 9)], piece=1), turn(1, [(2, 0, 9)], piece=2)]
    first, second, _ = private_qubits(turns, device, 1)
    assert not first[0]
    assert not second[1]
    assert second[3]
    assert private_qubits([], device, 1) == []
