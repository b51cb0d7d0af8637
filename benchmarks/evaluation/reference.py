"""What a perfect device gives, and what a useless one scores."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from qiskit.circuit import QuantumCircuit

from qiskit_halo import HaloError
from qiskit_halo.verification.equivalence import outcome_distribution

MAX_OUTCOMES = 1 << 16
MAX_QUBITS = 22
REPEATS = 8
"""Draws that floor and ceiling are averaged over."""


def fidelity(first: Mapping[str, float], second: Mapping[str, float]) -> float:
    """Return 1 - total variation of two distributions that each sum to 1."""
    return math.fsum(min(value, second.get(key, 0.0)) for key, value in first.items())


def hellinger(first: Mapping[str, float], second: Mapping[str, float]) -> float:
    """Return the Hellinger fidelity, the squared overlap of the square roots, as Qiskit defines it."""
    return math.fsum(math.sqrt(value * second.get(key, 0.0)) for key, value in first.items()) ** 2


def frequencies(counts: Mapping[str, int]) -> dict[str, float]:
    """Return counts as shares."""
    total = sum(counts.values())
    return {key: number / total for key, number in counts.items()}


@dataclass(frozen=True)
class Reference:
    """A program's exact outcomes.

    Attributes:
        distribution: Outcome, clbit 0 right-most -> probability.
        num_clbits: Bits of an outcome.
    """

    distribution: Mapping[str, float]
    num_clbits: int

    def floor(self, shots: int, seed: int) -> float:
        """Return the mean :func:`fidelity` that ``shots`` shots of a uniformly random device score."""
        rng = np.random.default_rng([seed, 0])
        scores = []
        for _ in range(REPEATS):
            bits = rng.integers(0, 2, (shots, self.num_clbits), dtype=np.uint8)
            rows, counts = np.unique(bits, axis=0, return_counts=True)
            keys = ["".join(map(str, row)) for row in rows.tolist()]
            scores.append(fidelity(self.distribution, dict(zip(keys, (counts / shots).tolist(), strict=True))))
        return float(np.mean(scores))

    def ceiling(self, shots: int, seed: int) -> float:
        """Return the mean :func:`fidelity` that ``shots`` shots of a perfect device score."""
        rng = np.random.default_rng([seed, 1])
        keys = list(self.distribution)
        weights = np.array([self.distribution[key] for key in keys])
        drawn = rng.multinomial(shots, weights / weights.sum(), size=REPEATS) / shots
        scores = [fidelity(self.distribution, dict(zip(keys, row, strict=True))) for row in drawn.tolist()]
        return float(np.mean(scores))


def reference_of(circuit: QuantumCircuit) -> Reference | None:
    """Return the exact outcomes of a program, ``None`` if there are too many to compute."""
    try:
        distribution = outcome_distribution(circuit, max_outcomes=MAX_OUTCOMES, max_qubits=MAX_QUBITS)
    except HaloError:
        return None
    return Reference(distribution, circuit.num_clbits)
