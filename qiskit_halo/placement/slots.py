"""Which qubit is taken when, as bits: one bit a qubit and slot of time, so that all places are tried at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.int64]
WordArray = npt.NDArray[np.uint64]

WORD = 64


class SlotGrid:
    """Free slots of every qubit; grows at its end as far as needed.

    Bit s of a number is slot s; in words it is bit s % 64 of word s // 64. The row of one qubit is one Python integer,
    because numpy would spend most of its time on the call; what is asked for many places at once is words.

    Args:
        num_qubits: Number of qubits.
        num_slots: Slots to start with.
    """

    def __init__(self, num_qubits: int, num_slots: int) -> None:
        self._num_words = max(1, -(-num_slots // WORD))
        self._free = [(1 << self.num_slots) - 1] * num_qubits
        # Of each span and qubit, whether its starts are known, and the starts.
        self._spans: dict[tuple[int, int], int] = {}
        self._is_known = np.zeros((0, num_qubits), dtype=np.bool_)
        self._starts = np.empty((0, self._num_words), dtype=np.uint64)

    @property
    def num_slots(self) -> int:
        """Slots that there are so far."""
        return self._num_words * WORD

    def grow(self, num_slots: int) -> None:
        """See to it that there are at least ``num_slots`` slots."""
        old = self.num_slots
        if num_slots > old:
            # Half as much again, so that growing is rare.
            self._num_words = -(-max(num_slots, old * 3 // 2) // WORD)
            more = ((1 << self.num_slots) - 1) ^ ((1 << old) - 1)
            self._free = [free | more for free in self._free]
            self._is_known[:] = False
            self._starts = np.empty((self._is_known.size, self._num_words), dtype=np.uint64)

    def book(self, qubit: int, start: int, stop: int) -> None:
        """Take slots ``[start, stop)`` of ``qubit``, all of which there must be; some may be taken already."""
        self._free[qubit] &= ~_span(start, stop)
        self._is_known[:, qubit] = False

    def is_free(self, qubit: int, start: int, stop: int) -> bool:
        """Return whether all slots ``[start, stop)`` of ``qubit`` are free."""
        span = _span(start, stop)
        return self._free[qubit] & span == span

    def first_cell(self, length: int, offset: int) -> int:
        """Return the number, for :meth:`starts`, that stands for slots ``[s + offset, s + offset + length)`` of qubit 0.

        Those of the other qubits follow. They stay the same as long as there is this grid.

        Args:
            length: At least 1.
            offset: May be negative.
        """
        num_spans, num_qubits = self._is_known.shape
        number = self._spans.setdefault((length, offset), len(self._spans))
        if number >= num_spans:
            more = max(64, num_spans)
            self._is_known = np.concatenate([self._is_known, np.zeros((more, num_qubits), dtype=np.bool_)])
            # Memory that nobody has written takes no room.
            cells = np.flatnonzero(self._is_known)
            room = np.empty((self._is_known.size, self._num_words), dtype=np.uint64)
            room[cells] = self._starts[cells]
            self._starts = room
        return number * num_qubits

    def starts(self, cells: IntArray) -> WordArray:
        """Return for each column of ``cells`` the slots s at which all of its spans are free.

        Slots at which a span would reach before the first are not; what lies behind the last slot is taken.

        Args:
            cells: int64, shape (num_sites, num_rows): see :meth:`first_cell`.

        Returns:
            uint64, shape (num_rows, num_words).
        """
        is_known = self._is_known.ravel()
        known = is_known[cells]
        if not known.all():
            again = list(dict.fromkeys(cells[~known].tolist()))
            self._starts[again] = self._find_starts(again)
            is_known[again] = True
        result: WordArray = np.bitwise_and.reduce(self._starts[cells], axis=0)
        return result

    def _find_starts(self, cells: Sequence[int]) -> WordArray:
        size, inside = self._num_words * 8, (1 << self.num_slots) - 1
        spans = list(self._spans)
        found = bytearray()
        for cell in cells:
            number, qubit = divmod(cell, len(self._free))
            length, offset = spans[number]
            runs = _first_of_runs(self._free[qubit], length)
            runs = runs >> offset if offset >= 0 else (runs << -offset) & inside
            found += runs.to_bytes(size, "little")
        return np.frombuffer(found, dtype="<u8").reshape(len(cells), self._num_words)


def _span(start: int, stop: int) -> int:
    return ((1 << stop) - 1) ^ ((1 << start) - 1) if stop > start else 0


def _first_of_runs(free: int, length: int) -> int:
    done, runs = 1, free
    while 2 * done <= length:
        runs &= runs >> done
        done *= 2
    return runs & (runs >> (length - done))


def runs_of(free: WordArray, length: int) -> WordArray:
    """Return the slots at which at least ``length`` set slots in a row begin; slots behind the end are not set.

    With a ``length`` below 1 it is as with 1.
    """
    done, runs = 1, free
    while done < length:
        step = min(done, length - done)
        runs = runs & _moved(runs, step)
        done += step
    return runs


def first_slots(words: WordArray) -> IntArray:
    """Return the first set slot of each row, -1 where there is none, shape (num_rows,)."""
    word = np.argmax(words != 0, axis=1)
    value = words[np.arange(len(words)), word]
    lowest = value & (~value + np.uint64(1))
    # A power of two up to 2**63 is exact in floating point.
    _, exponent = np.frexp(lowest.astype(np.float64))
    return np.where(value == 0, -1, word * WORD + exponent - 1).astype(np.int64)


def first_slot(words: WordArray) -> int:
    """Return the first set slot of one row, shape (num_words,), -1 if there is none."""
    value = int.from_bytes(words.astype("<u8", copy=False).tobytes(), "little")
    return (value & -value).bit_length() - 1


def pack_slots(free: npt.NDArray[np.bool_]) -> WordArray:
    """Return slots as words, shape (num_rows, num_slots) -> (num_rows, num_slots / 64)."""
    return np.packbits(free, axis=1, bitorder="little").view("<u8").astype(np.uint64)


def slots_from(first: int, num_slots: int) -> WordArray:
    """Return words in which slots ``[first, num_slots)`` are set, shape (num_slots / 64,)."""
    return np.frombuffer(_span(first, num_slots).to_bytes(num_slots // 8, "little"), dtype="<u8").astype(np.uint64)


def _moved(words: WordArray, slots: int) -> WordArray:
    """Return words whose slot s is slot ``s + slots`` of ``words``, unset where there is none."""
    if slots == 0:
        return words
    whole, bits = divmod(slots, WORD)
    width = words.shape[1]
    out = np.zeros_like(words)
    begin, end = max(0, -whole), min(width, width - whole)
    if begin < end:
        np.right_shift(words[:, begin + whole : end + whole], np.uint64(bits), out=out[:, begin:end])
    begin, end = max(0, -whole - 1), min(width, width - whole - 1)
    if bits and begin < end:
        out[:, begin:end] |= words[:, begin + whole + 1 : end + whole + 1] << np.uint64(WORD - bits)
    return out
