"""Samplers for tests: one that draws from exact distributions and remembers what it was given, and one that fails."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np
from qiskit.circuit import QuantumCircuit
from qiskit.primitives import (
    BaseSamplerV2,
    BitArray,
    PrimitiveJob,
    PrimitiveResult,
    SamplerPubLike,
    SamplerPubResult,
)
from qiskit.primitives.containers.sampler_pub import SamplerPub

from qiskit_halo.primitives.shots import pack_registers
from qiskit_halo.results.fields import make_data_bin
from qiskit_halo.verification._factors import OutcomeFactor
from qiskit_halo.verification.equivalence import outcome_factors


class ExactSampler(BaseSamplerV2):
    """Draws every shot of every component of a circuit from its exact distribution; needs no simulator.

    ``calls`` holds the pubs of each call of :meth:`run`.
    """

    def __init__(self, *, seed: int = 0, default_shots: int = 1024) -> None:
        self.default_shots = default_shots
        self.calls: list[list[SamplerPub]] = []
        self._rng = np.random.default_rng(seed)

    def run(self, pubs: Iterable[SamplerPubLike], *, shots: int | None = None) -> PrimitiveJob[Any]:
        coerced = [SamplerPub.coerce(pub, self.default_shots if shots is None else shots) for pub in pubs]
        self.calls.append(coerced)
        job = PrimitiveJob(self._run, coerced)
        job._submit()
        return job

    def _run(self, pubs: list[SamplerPub]) -> PrimitiveResult[SamplerPubResult]:
        return PrimitiveResult([self._run_pub(pub) for pub in pubs], metadata={"version": 2})

    def _run_pub(self, pub: SamplerPub) -> SamplerPubResult:
        bound = np.ravel(np.asarray(pub.parameter_values.bind_all(pub.circuit), dtype=object))
        bits = np.array([self._draw(circuit, pub.shots) for circuit in bound], dtype=np.uint8)
        bits = bits.reshape(*pub.shape, pub.shots, pub.circuit.num_clbits)
        fields: dict[str, BitArray] = pack_registers(pub.circuit, bits)
        metadata = {"shots": pub.shots, "circuit_metadata": pub.circuit.metadata}
        return SamplerPubResult(make_data_bin(fields, pub.shape), metadata)

    def _draw(self, circuit: QuantumCircuit, shots: int) -> np.ndarray:
        bits = np.zeros((shots, circuit.num_clbits), dtype=np.uint8)
        for factor in outcome_factors(circuit):
            words = self._rng.choice(len(factor.probabilities), size=shots, p=factor.probabilities)
            for place, column in zip(factor.places, factor_bits(factor).T, strict=True):
                bits[:, place] = column[words]
        return bits


def factor_bits(factor: OutcomeFactor) -> np.ndarray:
    """Return the bits of each outcome, shape (num_outcomes, num_places), in the order of ``factor.places``."""
    columns = [(factor.words[:, place // 64] >> np.uint64(place % 64)) & np.uint64(1) for place in factor.places]
    return np.array(columns, dtype=np.uint8).T.reshape(len(factor.probabilities), len(factor.places))


class FailingSampler(BaseSamplerV2):
    """Hands its calls on, but the jobs of the calls in ``broken`` fail."""

    def __init__(self, sampler: BaseSamplerV2, *, broken: Iterable[int]) -> None:
        self._sampler = sampler
        self._broken = set(broken)
        self._calls = 0

    def run(self, pubs: Iterable[SamplerPubLike], *, shots: int | None = None) -> PrimitiveJob[Any]:
        call, self._calls = self._calls, self._calls + 1
        if call not in self._broken:
            return self._sampler.run(pubs, shots=shots)
        job = PrimitiveJob(_fail)
        job._submit()
        return job


def _fail() -> PrimitiveResult[SamplerPubResult]:
    raise RuntimeError("the queue\nwas lost")


def tolerance(num_outcomes: int, shots: int) -> float:
    """Return the total variation that sampling noise exceeds once in 1e9 tests (Weissman and others, 2003)."""
    return math.sqrt((num_outcomes * math.log(2) + math.log(1e9)) / (2 * shots))
