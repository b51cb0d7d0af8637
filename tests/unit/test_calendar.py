from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from qiskit_halo.device.model import DeviceModel
from qiskit_halo.options import HaloOptions
from qiskit_halo.timeline.calendar import MOST_GAPS, Calendar
from qiskit_halo.timeline.turns import Turn
from tests.draft_samples import turn
from tests.targets import make_target

LEAD = 10


def calendar(num_qubits: int = 3, *, alignment: int = 1, **options: object) -> Calendar:
    device = DeviceModel(make_target(num_qubits, pulse_alignment=alignment))
    return Calendar(device, HaloOptions(**options))  # type: ignore[arg-type]


def book(desk: Calendar, *turns: Turn) -> list[int]:
    starts = []
    for each in turns:
        starts.append(desk.earliest(each))
        desk.book(each, starts[-1])
    return starts


def test_holes_are_used_with_the_hand_overs_on_both_sides() -> None:
    late = turn(0, [(0, 100, 120), (1, 0, 120)], lead=LEAD)
    assert book(calendar(), late, turn(1, [(0, 0, 90)], lead=LEAD)) == [0, 0]
    assert book(calendar(), late, turn(1, [(0, 0, 91)], lead=LEAD)) == [0, 130]
    assert book(calendar(), late, turn(1, [(0, 0, 20)], lead=LEAD), turn(2, [(0, 0, 60)], lead=LEAD)) == [0, 0, 30]
    assert book(calendar(), late, turn(1, [(0, 0, 20)], lead=LEAD), turn(2, [(0, 0, 61)], lead=LEAD)) == [0, 0, 130]


def test_all_qubits_are_taken_together() -> None:
    turns = [turn(0, [(0, 0, 50)], lead=LEAD), turn(1, [(1, 0, 80)], lead=LEAD)]
    assert book(calendar(), *turns, turn(2, [(0, 0, 5), (1, 3, 5)], lead=LEAD)) == [0, 0, 87]


def test_starts_are_aligned_also_in_holes() -> None:
    desk = calendar(alignment=16)
    late = turn(0, [(0, 160, 170), (1, 0, 170)], lead=LEAD)
    assert book(desk, late, turn(1, [(0, 0, 20)], lead=LEAD), turn(2, [(0, 0, 20)], lead=LEAD)) == [0, 0, 32]


def test_not_before() -> None:
    assert calendar(alignment=16).earliest(turn(0, [(0, 0, 5)]), 17) == 32


def test_first_uses_without_trust_take_a_hand_over() -> None:
    assert book(calendar(assume_clean=False), turn(0, [(0, 3, 5)], lead=LEAD)) == [7]


def test_forgotten_holes_cost_time_only() -> None:
    desk = calendar(1)
    wide = [turn(0, [(0, 1000 * i, 1000 * i + 1)], lead=LEAD) for i in range(1, MOST_GAPS + 3)]
    for each in wide:
        desk.book(each, 0)
    # The holes before the first of them are gone, those after them are not.
    start = desk.earliest(turn(1, [(0, 0, 500)], lead=LEAD))
    assert 0 < start < 1000 * MOST_GAPS


def fits(at: int, leases: list[tuple[int, int, int]], booked: list[tuple[int, int, int]], clean: bool) -> bool:
    for qubit, begin, end in leases:
        start, stop = at + begin, at + end
        others = [(a, b) for q, a, b in booked if q == qubit]
        if any(start < b + LEAD and a < stop + LEAD for a, b in others):
            return False
        if not clean and not any(b <= start for _, b in others) and start < LEAD:
            return False
    return True


@given(
    st.lists(
        st.lists(st.tuples(st.integers(0, 2), st.integers(0, 30), st.integers(0, 30)), min_size=1, max_size=3),
        max_size=12,
    ),
    st.sampled_from([1, 8]),
    st.booleans(),
)
def test_every_turn_gets_the_first_start_that_fits(
    specs: list[list[tuple[int, int, int]]], alignment: int, clean: bool
) -> None:
    """Against a search of every start, lease by lease."""
    desk = calendar(alignment=alignment, assume_clean=clean)
    booked: list[tuple[int, int, int]] = []
    for number, spec in enumerate(specs):
        leases = sorted({q: (q, begin, begin + length) for q, begin, length in spec}.values())
        each = turn(number, leases, lead=LEAD)
        start = desk.earliest(each)

        assert fits(start, leases, booked, clean)
        earlier = [at for at in range(0, start, alignment) if fits(at, leases, booked, clean)]
        # Holes without room for one tick beside the resets are not kept.
        assert not earlier or any(begin == end for _, begin, end in leases)
        desk.book(each, start)
        booked += [(qubit, start + begin, start + end) for qubit, begin, end in leases]
