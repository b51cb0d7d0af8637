"""Whether a batch keeps its programs apart, by the project's own checker."""

from __future__ import annotations

from dataclasses import dataclass

from qiskit.circuit import QuantumCircuit
from qiskit.transpiler import Target

from qiskit_halo import HaloError, verify_isolation
from qiskit_halo.verification.isolation import find_joined_programs


@dataclass(frozen=True)
class Isolation:
    """Verdict on one batch.

    Attributes:
        joined: Programs that operations tie to another one.
        violation: The first violation, with the number of the others; empty if there is none.
    """

    joined: int
    violation: str


def judge_isolation(circuit: QuantumCircuit, target: Target) -> Isolation:
    """Return the verdict, one reset at a hand-over asked for; operations that the device lacks count as violations."""
    joined = 0
    try:
        joined = sum(len(group) for group in find_joined_programs(circuit))
        verify_isolation(circuit, target=target, resets=1)
    except HaloError as error:
        return Isolation(joined, error.message)
    return Isolation(joined, "")
