"""What is already decided: outcomes that nothing reads any more, with their probabilities."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from qiskit_halo.errors import HaloValueError
from qiskit_halo.verification._merge import equal_histories

IntArray = NDArray[np.int64]


class Histories:
    """A table of histories; mutable, part of an ensemble.

    Args:
        num_bits: Bits of one history.

    Attributes:
        words: uint64, shape (num_histories, num_words): bit b of a history is bit ``b % 64`` of word ``b // 64``.
        branch: int64, shape (num_histories,): the branch that goes on from a history.
        weights: float, shape (num_histories,): its probability.
        forgot: Whether two histories may have become equal since the last merge.
    """

    def __init__(self, num_bits: int) -> None:
        num_words = 1 + max(0, num_bits - 1) // 64
        self.words: NDArray[np.uint64] = np.zeros((1, num_words), dtype=np.uint64)
        self.branch: IntArray = np.zeros(1, dtype=np.int64)
        self.weights: NDArray[np.float64] = np.ones(1)
        self.forgot = False

    def weight_of_branches(self, num_branches: int) -> NDArray[np.float64]:
        """Return the total probability of each branch."""
        return np.bincount(self.branch, weights=self.weights, minlength=num_branches).astype(np.float64)

    def spread(
        self,
        possible: NDArray[np.bool_],
        probability: NDArray[np.float64],
        new_branch: IntArray,
        max_histories: int,
    ) -> float:
        """Go on with every possible outcome of a measurement; return the probability of those left out.

        Args:
            possible: shape (num_branches, num_outcomes): the outcomes to keep.
            probability: Likewise: their probabilities in each branch.
            new_branch: Likewise: the branch that each kept one becomes.
            max_histories: Largest number of histories.
        """
        history, outcome = np.nonzero(possible[self.branch])
        if len(history) > max_histories:
            raise HaloValueError(
                f"the exact simulation has {len(history)} outcomes so far where {max_histories} are allowed; "
                "raise max_outcomes, or ask for fewer registers"
            )
        before = float(self.weights.sum())
        old = self.branch[history]
        self.weights = self.weights[history] * probability[old, outcome]
        self.words = self.words[history]
        self.branch = new_branch[old, outcome]
        return max(0.0, before - float(self.weights.sum()))

    def write(self, bit: int, value: NDArray[np.uint8] | None) -> None:
        """Set one bit to a value per branch, or clear it where the branches now hold it (``None``)."""
        word, mask = self.words[:, bit // 64], np.uint64(1 << bit % 64)
        if (word & mask).any():
            self.forgot = True
            word &= ~mask
        if value is not None:
            word |= np.where(value[self.branch], mask, np.uint64(0))

    def select(self, chosen: NDArray[np.bool_]) -> Histories:
        """Return the histories of the chosen branches, which are counted anew."""
        part = Histories.__new__(Histories)
        mine = chosen[self.branch]
        part.words = self.words[mine]
        part.branch = (np.cumsum(chosen) - 1)[self.branch[mine]]
        part.weights = self.weights[mine]
        part.forgot = self.forgot
        return part

    def append(self, other: Histories, offset: int) -> None:
        """Add the histories of other branches, whose numbers go up by ``offset``."""
        self.words = np.concatenate([self.words, other.words])
        self.branch = np.concatenate([self.branch, other.branch + offset])
        self.weights = np.concatenate([self.weights, other.weights])
        self.forgot = True

    def merge(self) -> None:
        """Join equal histories."""
        if self.forgot and len(self.weights) > 1:
            first, classes = equal_histories(self.words, self.branch)
            self.weights = np.bincount(classes, weights=self.weights).astype(np.float64)
            self.words = self.words[first]
            self.branch = self.branch[first]
        self.forgot = False
