"""Shots against exact distributions."""

from __future__ import annotations

import math
from collections.abc import Mapping

from qiskit.circuit import QuantumCircuit
from qiskit.primitives import BitArray, DataBin

FALSE_ALARM = 1e-9


def tolerance(num_outcomes: int, num_shots: int) -> float:
    """Return the total variation that shots of the right distribution exceed once in a thousand million times.

    T. Weissman et al., Inequalities for the L1 deviation of the empirical distribution, HPL-2003-97R1.
    """
    return math.sqrt((num_outcomes * math.log(2) - math.log(FALSE_ALARM)) / (2 * num_shots))


def joint_counts(data: DataBin) -> dict[str, int]:
    """Return counts of all registers together, in their order, spaces between."""
    arrays = [data[name] for name in data]
    assert all(isinstance(array, BitArray) and array.shape == () for array in arrays)
    counts: dict[str, int] = {}
    for shot in zip(*(array.get_bitstrings() for array in arrays), strict=True):
        counts[" ".join(shot)] = counts.get(" ".join(shot), 0) + 1
    return counts


def register_distribution(circuit: QuantumCircuit, exact: Mapping[str, float]) -> dict[str, float]:
    """Return a distribution over all clbits, clbit 0 right-most, as one over registers, keyed as ``joint_counts``."""
    index_of = {bit: index for index, bit in enumerate(circuit.clbits)}
    found: dict[str, float] = {}
    for key, probability in exact.items():
        bits = key[::-1]
        joint = " ".join("".join(bits[index_of[bit]] for bit in reversed(register)) for register in circuit.cregs)
        found[joint] = found.get(joint, 0.0) + probability
    return found


def assert_follows(counts: Mapping[str, int], exact: Mapping[str, float]) -> None:
    """Fail unless ``counts`` can be shots from ``exact``."""
    num_shots = sum(counts.values())
    possible = {key: probability for key, probability in exact.items() if probability > 1e-12}
    assert set(counts) <= set(possible), sorted(set(counts) - set(possible))
    distance = sum(abs(counts.get(key, 0) / num_shots - share) for key, share in possible.items()) / 2
    assert distance < tolerance(len(possible), num_shots), (distance, counts, possible)
