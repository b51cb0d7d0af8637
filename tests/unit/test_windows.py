from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from qiskit_halo.placement.candidates import ShapeCandidates
from qiskit_halo.placement.windows import (
    MOST_GROUPS,
    MOST_SLOTS,
    SLOTS_PER_LEASE,
    _ranks,
    slot_length_dt,
    slot_spans,
    slot_windows,
)

HANDOVER = np.array([800, 800, 1600])


def shape_of(places: list[list[int]], busy: list[list[tuple[int, int]]], length: list[int]) -> ShapeCandidates:
    times = np.array(busy, dtype=np.int64).reshape(len(places), -1, 2)
    return ShapeCandidates(
        sites=tuple(range(times.shape[1])),
        places=np.array(places, dtype=np.int64).reshape(times.shape[:2]),
        log_success=np.zeros(len(places)),
        busy_start_dt=times[:, :, 0],
        busy_stop_dt=times[:, :, 1],
        length_dt=np.array(length, dtype=np.int64),
        home_row=0,
    )


def test_slots_are_as_fine_as_the_usual_lease_needs_and_the_longest_allows() -> None:
    usual = SLOTS_PER_LEASE * 160
    assert slot_length_dt([usual] * 9, np.zeros(3, dtype=np.int64), 16) == 160
    assert slot_length_dt([usual] * 8 + [160 * MOST_SLOTS], np.zeros(3, dtype=np.int64), 16) == 160
    assert slot_length_dt([usual] * 8 + [160 * MOST_SLOTS + 1], np.zeros(3, dtype=np.int64), 16) == 176
    assert slot_length_dt([], np.zeros(3, dtype=np.int64), 16) == 16


def test_spans_hold_the_resets_before_and_are_rounded_outwards() -> None:
    first, last = slot_spans(np.array([0, 40, 950]), np.array([100, 101, 1000]), HANDOVER, 100)
    assert (first.tolist(), last.tolist()) == ([-8, -8, -7], [1, 2, 10])


def test_a_lease_takes_a_slot_even_if_it_takes_no_time() -> None:
    first, last = slot_spans(np.array([200]), np.array([200]), np.array([0]), 100)
    assert (first.tolist(), last.tolist()) == ([2], [3])


def test_places_with_like_times_are_together() -> None:
    shape = shape_of([[0], [2], [1]], [[(0, 100)], [(0, 100)], [(0, 100)]], [100, 100, 100])
    same, more = slot_windows(shape, HANDOVER, 100)
    assert (same.holds.nonzero()[0].tolist(), same.spans, same.length) == ([1], ((-16, 1),), 1)
    assert (more.holds.nonzero()[0].tolist(), more.spans, more.length) == ([0, 2], ((-8, 1),), 1)


def test_many_times_share_a_few_windows_by_length() -> None:
    lengths = [100, 400, 200, 300]
    shape = shape_of([[0]] * 4, [[(0, length)] for length in lengths], lengths)
    short, long = slot_windows(shape, HANDOVER, 100)
    assert (short.holds.nonzero()[0].tolist(), short.spans, short.length) == ([0, 2], ((-8, 2),), 2)
    assert (long.holds.nonzero()[0].tolist(), long.spans, long.length) == ([1, 3], ((-8, 4),), 4)


def test_without_places_there_are_no_windows() -> None:
    empty = ShapeCandidates(
        sites=(0,),
        places=np.zeros((0, 1), dtype=np.int64),
        log_success=np.zeros(0),
        busy_start_dt=np.zeros((0, 1), dtype=np.int64),
        busy_stop_dt=np.zeros((0, 1), dtype=np.int64),
        length_dt=np.zeros(0, dtype=np.int64),
        home_row=-1,
    )
    assert slot_windows(empty, HANDOVER, 100) == ()


@given(
    st.lists(
        st.tuples(st.integers(0, 2), st.integers(0, 900), st.integers(0, 900), st.integers(0, 200)),
        min_size=1,
        max_size=12,
    ),
    st.integers(1, 300),
)
def test_every_place_lies_within_its_window(times: list[tuple[int, int, int, int]], slot_dt: int) -> None:
    busy = [[(start, start + duration)] for _, start, duration, _ in times]
    lengths = [start + duration + rest for _, start, duration, rest in times]
    shape = shape_of([[qubit] for qubit, *_ in times], busy, lengths)
    windows = slot_windows(shape, HANDOVER, slot_dt)
    assert len(windows) <= MOST_GROUPS
    assert sorted(row for window in windows for row in window.holds.nonzero()[0].tolist()) == list(range(len(times)))
    for window in windows:
        ((begin, end),) = window.spans
        for row in window.holds.nonzero()[0].tolist():
            ((start, stop),) = busy[row]
            assert begin * slot_dt <= start - HANDOVER[times[row][0]]
            assert end * slot_dt >= stop
            assert window.length * slot_dt >= lengths[row]


def test_places_are_ranked_by_all_their_times_however_far_apart() -> None:
    rng = np.random.default_rng(0)
    for width, most in ((1, 3), (9, 2), (9, 2**31), (40, 2**20), (3, 1)):
        rows = rng.integers(-most, most, (50, width))[rng.integers(0, 50, 200)]
        distinct, rank = np.unique(rows, axis=0, return_inverse=True)
        found = _ranks(rows)
        assert (found[0], found[1].tolist()) == (len(distinct), rank.reshape(-1).tolist())
