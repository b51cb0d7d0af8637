"""Noisy simulation of a sample of members, each by itself."""

from __future__ import annotations

import zlib
from collections.abc import Mapping

from qiskit.circuit import QuantumCircuit
from qiskit.providers import BackendV2

from benchmarks.evaluation.measures.extract import Part
from qiskit_halo import LocalSampler

MAX_WIRES = 16
"""Wider components are not simulated: time grows as 2 to the number of wires."""
MAX_SHOTS, MIN_SHOTS, LOG2_WORK = 1000, 128, 20


def shots_for(program: QuantumCircuit) -> int:
    """Return the shots to simulate a program with: fewer for wide ones, the same for every system.

    They follow from the user's circuit alone, so that alone and merged are compared at equal shots.
    """
    return max(MIN_SHOTS, min(MAX_SHOTS, 2 ** max(0, LOG2_WORK - program.num_qubits)))


class NoisySimulation:
    """Counts of parts on one device; a part that was seen before is not simulated again."""

    def __init__(self, backend: BackendV2, seed: int) -> None:
        self._backend = backend
        self._seed = seed
        self._known: dict[tuple[object, ...], Mapping[str, float]] = {}

    def frequencies(self, part: Part, shots: int) -> Mapping[str, float]:
        """Return outcome -> share; clbit 0 of the user's circuit is right-most."""
        key = (shots, *part.key)
        if key not in self._known:
            # Each part has a stream of its own, whichever others are simulated and in whatever order.
            seed = zlib.crc32(repr((self._seed, key)).encode())
            sampler = LocalSampler(self._backend, seed=seed)
            data = sampler.run([part.circuit], shots=shots).result()[0].data
            names = [register.name for register in part.circuit.cregs if register.name != "everybody_else"]
            shown = [data[name].get_bitstrings() for name in reversed(names)]
            totals: dict[str, int] = {}
            for pieces in zip(*shown, strict=True):
                outcome = "".join(pieces)
                totals[outcome] = totals.get(outcome, 0) + 1
            self._known[key] = {outcome: number / shots for outcome, number in sorted(totals.items())}
        return self._known[key]
