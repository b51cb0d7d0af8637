"""Noisy simulation of a sample of members, each by itself."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from qiskit.circuit import QuantumCircuit
from qiskit.primitives import SamplerPubResult
from qiskit.providers import BackendV2

from benchmarks.evaluation.measures.extract import Part
from qiskit_halo import HaloError, LocalSampler

MAX_WIRES = 16
"""Wider components are not simulated: time grows as 2 to the number of wires."""
MAX_SHOTS, MIN_SHOTS, LOG2_WORK = 1000, 128, 18

Outcomes = dict[str, float] | str
"""Outcome, clbit 0 of the user's circuit right-most -> share; or why there are none."""


def shots_for(program: QuantumCircuit) -> int:
    """Return the shots to simulate a program with: fewer for wide ones, the same for every system.

    They follow from the user's circuit alone, so that alone and merged are compared at equal shots.
    """
    return max(MIN_SHOTS, min(MAX_SHOTS, 2 ** max(0, LOG2_WORK - program.num_qubits)))


def simulate_parts(parts: Sequence[tuple[Part, int]], backend: BackendV2, seed: int) -> list[Outcomes]:
    """Return what each part gives at its number of shots; parts that are alike are simulated once."""
    distinct = {(shots, *part.key): (part, shots) for part, shots in parts}
    sampler = _sampler(backend, seed)
    pubs = [(part.circuit, None, shots) for part, shots in distinct.values()]
    found: list[Outcomes]
    try:
        # In one run each pub has a stream of its own.
        results = list(sampler.run(pubs).result()) if pubs else []
        found = [_shares(part, result) for (part, _), result in zip(distinct.values(), results, strict=True)]
    except HaloError:  # of one of them: the others count nevertheless
        found = [_alone(sampler, part, shots) for part, shots in distinct.values()]
    outcomes = dict(zip(distinct, found, strict=True))
    return [outcomes[shots, *part.key] for part, shots in parts]


@cache
def _sampler(backend: BackendV2, seed: int) -> LocalSampler:
    """Return the sampler of a backend, the same each time: it keeps the errors of every place that it has met."""
    return LocalSampler(backend, seed=seed)


def _alone(sampler: LocalSampler, part: Part, shots: int) -> Outcomes:
    try:
        return _shares(part, sampler.run([part.circuit], shots=shots).result()[0])
    except HaloError as error:
        return error.message


def _shares(part: Part, result: SamplerPubResult) -> dict[str, float]:
    names = [register.name for register in part.circuit.cregs if register.name != "everybody_else"]
    shown = [result.data[name].get_bitstrings() for name in reversed(names)]
    totals: dict[str, int] = {}
    for pieces in zip(*shown, strict=True):
        outcome = "".join(pieces)
        totals[outcome] = totals.get(outcome, 0) + 1
    shots = sum(totals.values())
    return {outcome: number / shots for outcome, number in sorted(totals.items())}
