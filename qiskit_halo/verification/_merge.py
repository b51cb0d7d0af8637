"""Pure array helpers of the ensemble: which wires are unentangled, which branches and histories are equal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from qiskit.circuit.classical import expr

ComplexArray = NDArray[np.complex128]
IntArray = NDArray[np.int64]

#: A wire counts as unentangled if the state without its entanglement differs by less than this (2-norm).
SPLIT_TOLERANCE = 1e-12
#: Two branches are one if their states differ by less than this (2-norm, up to a phase).
EQUAL_TOLERANCE = 1e-11
#: States are rounded to this step to look for equal ones.
_GRID = 1e-9


def factor_out(amplitudes: ComplexArray, axis: int) -> tuple[ComplexArray, ComplexArray] | None:
    """Split one wire off a group if it is unentangled in every branch.

    Args:
        amplitudes: shape (num_branches, 2, 2, ...), normalised in each branch.
        axis: The axis of the wire, at least 1.

    Returns:
        The wire's own amplitudes, shape (num_branches, 2), and those of the other wires; or ``None``.
    """
    size = len(amplitudes)
    flat = np.moveaxis(amplitudes, axis, 1).reshape(size, 2, -1)
    low, high = flat[:, 0], flat[:, 1]
    low_norm, high_norm = _norms(low), _norms(high)
    overlap = np.matmul(low.conj()[:, None, :], high[:, :, None])[:, 0, 0]
    # Cheap test first: the determinant of the reduced state. It cannot see residues below 1e-8, so it only rejects.
    if (low_norm * high_norm - np.abs(overlap) ** 2 > 1e-10).any():
        return None
    use_low = low_norm >= high_norm
    rest: ComplexArray = np.where(use_low[:, None], low, high)
    other = np.where(use_low[:, None], high, low)
    scale = np.maximum(low_norm, high_norm)
    ratio = np.where(use_low, overlap, overlap.conj()) / scale
    if (_norms(other - ratio[:, None] * rest) > SPLIT_TOLERANCE**2).any():
        return None
    pair: ComplexArray = np.stack([np.ones(size, dtype=np.complex128), ratio], axis=1)
    pair[~use_low] = pair[~use_low, ::-1]
    single: ComplexArray = pair / np.sqrt(_norms(pair))[:, None]
    scaled: ComplexArray = rest / np.sqrt(_norms(rest))[:, None]
    return single, scaled.reshape((size,) + (2,) * (amplitudes.ndim - 2))


def _norms(rows: ComplexArray) -> NDArray[np.float64]:
    squares: NDArray[np.float64] = np.einsum("bi,bi->b", rows.real, rows.real)
    squares += np.einsum("bi,bi->b", rows.imag, rows.imag)
    return squares


def equal_branches(
    states: Sequence[ComplexArray],
    bits: NDArray[np.uint8],
    values: Mapping[expr.Var, NDArray[np.object_]],
) -> tuple[IntArray, IntArray] | None:
    """Find branches with the same future.

    Args:
        states: Amplitudes of each group, shape (num_branches, ...).
        bits: Live clbits, shape (num_branches, num_clbits).
        values: Variables, shape (num_branches,) each.

    Returns:
        ``None`` if all differ. Otherwise the branch that stands for each class, and the class of each branch.
    """
    size = len(bits)
    flats = [_fix_phase(state.reshape(size, -1)) for state in states]
    codes = [bits.astype(np.int64), *(value_codes(value)[:, None] for value in values.values())]
    signature = np.zeros(size, dtype=np.uint64)
    for place, rows in enumerate((*codes, *(np.rint(f.view(np.float64) / _GRID).astype(np.int64) for f in flats))):
        signature += rows.view(np.uint64) @ _mixers(rows.shape[1], place)
    _, first, inverse = np.unique(signature, return_index=True, return_inverse=True)
    if len(first) == size:
        return None
    stands_for = first[inverse]
    # Equal signatures are a hint; only equal states and values are joined.
    different = np.zeros(size, dtype=np.bool_)
    for rows in codes:
        different |= (rows != rows[stands_for]).any(axis=1)
    for flat in flats:
        different |= _norms(flat - flat[stands_for]) > EQUAL_TOLERANCE**2
    stands_for[different] = np.flatnonzero(different)
    representatives, classes = np.unique(stands_for, return_inverse=True)
    return representatives, classes


def _fix_phase(flat: ComplexArray) -> ComplexArray:
    """Return the states with the first large amplitude made real and positive."""
    magnitude = np.abs(flat)
    # An odd fraction of the largest: exact halves and square roots are common amplitudes, and ties would be noise.
    place = np.argmax(magnitude > 0.3719 * magnitude.max(axis=1)[:, None], axis=1)
    rows = np.arange(len(flat))
    phase = flat[rows, place].conj() / magnitude[rows, place]
    return np.ascontiguousarray(flat * phase[:, None])


def value_codes(values: NDArray[np.object_]) -> IntArray:
    """Return the same small integer for equal values."""
    known: dict[object, int] = {}
    return np.array([known.setdefault(value, len(known)) for value in values], dtype=np.int64)


@lru_cache(maxsize=256)
def _mixers(length: int, place: int) -> NDArray[np.uint64]:
    return np.random.default_rng([length, place]).integers(0, 2**63, size=length, dtype=np.uint64) | np.uint64(1)


def equal_histories(words: NDArray[np.uint64], branch: IntArray) -> tuple[IntArray, IntArray]:
    """Return one index for each distinct (words, branch) pair, and the class of every row."""
    columns = words
    if branch.any():
        columns = np.concatenate([words, branch.astype(np.uint64)[:, None]], axis=1)
    _, first, classes = np.unique(as_keys(columns), return_index=True, return_inverse=True)
    return first, classes


def as_keys(words: NDArray[np.uint64]) -> NDArray[Any]:
    """Return one sortable key a row."""
    words = np.ascontiguousarray(words)
    if words.shape[1] == 1:
        return words[:, 0]
    return words.view(np.dtype((np.void, words.itemsize * words.shape[1]))).ravel()


def coarsest(blocks: Sequence[Sequence[int]]) -> list[list[int]]:
    """Return the finest partition in which no block is cut, wires ascending."""
    merged: list[set[int]] = []
    for block in blocks:
        joined = set(block)
        apart = []
        for other in merged:
            if joined & other:
                joined |= other
            else:
                apart.append(other)
        merged = [*apart, joined]
    return sorted(sorted(block) for block in merged)
