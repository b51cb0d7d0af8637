"""Distributions over independent groups of clbits, as arrays."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qiskit_halo.errors import HaloValueError
from qiskit_halo.verification._merge import as_keys


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeFactor:
    """The joint distribution of some of the asked clbits, independent of the others.

    Args:
        places: Positions, in the list of asked clbits, of those that this factor holds, ascending.
        words: uint64, shape (num_outcomes, num_words): the value of the clbit at position ``p`` in outcome ``o`` is bit
            ``p % 64`` of ``words[o, p // 64]``. Bits of other positions are 0.
        probabilities: float, shape (num_outcomes,), each above 0.
    """

    places: tuple[int, ...]
    words: NDArray[np.uint64]
    probabilities: NDArray[np.float64]


def multiply(factors: Sequence[OutcomeFactor], num_words: int, max_outcomes: int) -> OutcomeFactor:
    """Return the joint distribution of independent factors.

    Raises:
        HaloValueError: It has more than ``max_outcomes`` outcomes.
    """
    total = math.prod(len(factor.probabilities) for factor in factors)
    if total > max_outcomes:
        raise HaloValueError(
            f"the joint distribution of {len(factors)} independent groups of clbits has {total} outcomes where "
            f"{max_outcomes} are allowed; raise max_outcomes, ask for fewer registers, or use outcome_factors"
        )
    words = np.zeros((1, num_words), dtype=np.uint64)
    probabilities = np.ones(1)
    for factor in factors:
        words = (words[:, None, :] | factor.words[None, :, :]).reshape(-1, num_words)
        probabilities = np.outer(probabilities, factor.probabilities).ravel()
    places = sorted(place for factor in factors for place in factor.places)
    return OutcomeFactor(places=tuple(places), words=words, probabilities=probabilities)


def total_variation(first: OutcomeFactor, second: OutcomeFactor) -> float:
    """Return half the sum of absolute differences; a clbit that a factor does not hold is 0 there."""
    keys = as_keys(np.concatenate([first.words, second.words]))
    signed = np.concatenate([first.probabilities, -second.probabilities])
    _, classes = np.unique(keys, return_inverse=True)
    return 0.5 * float(np.abs(np.bincount(classes.ravel(), weights=signed)).sum())
