"""How much room for others a place takes away: where space is all there is, small corners are filled first."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from qiskit_halo.placement.candidates import FloatArray, IntArray

NOISE = 0.3
"""Share by which the worth of a qubit varies from one try to the next."""


class Snugness:
    """Ranks places by the room that they leave.

    This is the greedy rule for large independent sets: take what rules out least. It is quick and often one short of what
    there is, so that several tries, each with the worth of qubits a little changed, find more than one.

    Args:
        near: bool, shape (num_qubits, num_qubits): which qubits nobody else can have if one is taken, itself included.
        trial: Number of the try; the first has no noise.
    """

    def __init__(self, near: npt.NDArray[np.bool_], trial: int) -> None:
        self._near = near
        noise = np.random.default_rng(trial).random(len(near)) if trial else np.zeros(len(near))
        self._worth = 1 + NOISE * noise

    def rank(self, places: IntArray, possible: npt.NDArray[np.bool_]) -> FloatArray:
        """Return minus the worth of the qubits that each place takes from others, shape (num_places,).

        A qubit is worth the number of places that it is part of.

        Args:
            places: int64, shape (num_places, num_sites).
            possible: Which of them can still be had.
        """
        worth = self._worth * np.bincount(places[possible].ravel(), minlength=len(self._near))
        taken = np.zeros((len(places), len(self._near)), dtype=bool)
        for column in places.T:
            taken |= self._near[column]
        result: FloatArray = -(taken @ worth)
        return result
