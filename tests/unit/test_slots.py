from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qiskit_halo.placement.slots import WORD, SlotGrid, first_slot, first_slots, pack_slots, runs_of, slots_from

NUM_QUBITS = 3
ALL = np.arange(NUM_QUBITS)
BoolArray = npt.NDArray[np.bool_]


def unpacked(words: npt.NDArray[np.uint64]) -> BoolArray:
    """The slots of each row as booleans."""
    return np.unpackbits(np.atleast_2d(words).astype("<u8").view(np.uint8), axis=1, bitorder="little").astype(bool)


def starts_by_hand(free: BoolArray, length: int, offset: int) -> BoolArray:
    result = np.zeros_like(free)
    for qubit, row in enumerate(free):
        for slot in range(len(row)):
            begin, end = slot + offset, slot + offset + length
            result[qubit, slot] = begin >= 0 and end <= len(row) and row[begin:end].all()
    return result


def starts_of(grid: SlotGrid, qubits: npt.NDArray[np.int64], length: int, offset: int) -> npt.NDArray[np.uint64]:
    return grid.starts((grid.first_cell(length, offset) + qubits)[None, :])


@st.composite
def bookings(draw: st.DrawFn) -> list[tuple[int, int, int]]:
    entries = []
    for _ in range(draw(st.integers(0, 6))):
        start = draw(st.integers(0, 127))
        entries.append((draw(st.integers(0, NUM_QUBITS - 1)), start, draw(st.integers(start, 128))))
    return entries


@settings(max_examples=80)
@given(
    st.lists(st.tuples(bookings(), st.integers(1, 140), st.integers(-140, 140), st.integers(0, 200)), max_size=4),
    st.integers(1, 3),
)
def test_starts_are_those_of_a_table_of_booleans(
    steps: list[tuple[list[tuple[int, int, int]], int, int, int]], again: int
) -> None:
    grid = SlotGrid(NUM_QUBITS, 100)
    free = np.ones((NUM_QUBITS, 128), dtype=bool)
    for booked, length, offset, more in steps:
        for qubit, start, stop in booked:
            grid.book(qubit, start, stop)
            free[qubit, start:stop] = False
        for _ in range(again):  # found again from what is known of other qubits
            starts = starts_of(grid, ALL, length, offset)
            np.testing.assert_array_equal(unpacked(starts), starts_by_hand(free, length, offset))
        both = grid.starts(np.stack([grid.first_cell(length, offset) + ALL, grid.first_cell(7, 3) + ALL[::-1]]))
        wanted_of_both = starts_by_hand(free, length, offset) & starts_by_hand(free, 7, 3)[::-1]
        np.testing.assert_array_equal(unpacked(both), wanted_of_both)
        np.testing.assert_array_equal(runs_of(pack_slots(free), length), starts_of(grid, ALL, length, 0))
        rows = unpacked(starts)
        wanted = [int(np.argmax(row)) if row.any() else -1 for row in rows]
        assert first_slots(starts).tolist() == wanted
        assert [first_slot(row) for row in starts] == wanted
        grid.grow(more)
        free = np.pad(free, ((0, 0), (0, grid.num_slots - free.shape[1])), constant_values=True)


@given(st.integers(0, 127), st.integers(0, 128))
def test_free_means_every_slot(start: int, stop: int) -> None:
    grid = SlotGrid(1, 128)
    grid.book(0, 60, 70)
    assert grid.is_free(0, start, stop) == (not set(range(start, stop)) & set(range(60, 70)))


def test_what_lies_behind_the_last_slot_is_taken_until_the_grid_grows() -> None:
    grid = SlotGrid(1, 1)
    assert grid.num_slots == WORD
    assert not grid.is_free(0, 60, 65)
    assert first_slots(starts_of(grid, np.array([0]), 65, 0)).tolist() == [-1]
    grid.grow(65)
    assert grid.num_slots == 2 * WORD
    assert grid.is_free(0, 60, 65)
    assert first_slots(starts_of(grid, np.array([0]), 65, 0)).tolist() == [0]


@pytest.mark.parametrize("slot", [0, 1, 31, 32, 52, 53, 54, 62, 63, 64, 127])
def test_the_first_slot_is_exact_whatever_follows(slot: int) -> None:
    free = np.zeros((2, 128), dtype=bool)
    free[0, slot:] = True
    assert first_slots(pack_slots(free)).tolist() == [slot, -1]


def test_slots_from() -> None:
    assert np.flatnonzero(unpacked(slots_from(125, 128))[0]).tolist() == [125, 126, 127]
    assert not slots_from(128, 128).any()


@pytest.mark.parametrize("length", [0, 1])
def test_a_run_of_nothing_is_a_run_of_one(length: int) -> None:
    free = pack_slots(np.arange(64)[None, :] % 2 == 0)
    np.testing.assert_array_equal(runs_of(free, length), free)
