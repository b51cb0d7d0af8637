"""Noisy simulation of a sample of members, each by itself, under either model of failing resets."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from qiskit.circuit import QuantumCircuit
from qiskit.primitives import SamplerPubResult
from qiskit.providers import BackendV2

from benchmarks.evaluation.measures.extract import Part
from benchmarks.evaluation.names import RESET_MODELS
from qiskit_halo import HaloError, LocalSampler

MAX_WIRES = 16
"""Wider components are not simulated: time grows as 2 to the number of wires."""
MAX_SHOTS, MIN_SHOTS, LOG2_WORK = 512, 64, 16

Outcomes = dict[str, float] | str
"""Outcome, clbit 0 of the user's circuit right-most -> share; or why there are none."""


def shots_for(program: QuantumCircuit) -> int:
    """Return the shots to simulate a program with: fewer for wide ones, the same for every system.

    They follow from the user's circuit alone, so that alone and merged are compared at equal shots.
    """
    return max(MIN_SHOTS, min(MAX_SHOTS, 2 ** max(0, LOG2_WORK - program.num_qubits)))


@dataclass(frozen=True)
class Simulator:
    """Simulates parts on one device; what is alike is simulated once, in this run and in any that uses the folder.

    The stream of a part follows from the part itself, so that outcomes do not depend on what was simulated before.

    Attributes:
        backend: The device.
        seed: Of all streams.
        folder: Where outcomes are kept, one file each; ``None`` keeps them nowhere.
    """

    backend: BackendV2
    seed: int
    folder: Path | None = None

    def simulate(self, part: Part, shots: int, reset_model: str) -> Outcomes:
        """Return what a part gives; without resets, both models are one."""
        if not any(instruction.name == "reset" for instruction in part.circuit.data):
            reset_model = RESET_MODELS[0]
        registers = [(register.name, register.size) for register in part.circuit.cregs]
        what = (self.backend.name, self.seed, reset_model, shots, registers, part.key)
        digest = hashlib.sha256(repr(what).encode()).hexdigest()
        path = None if self.folder is None else self.folder / f"{digest[:32]}.json"
        if path is not None and path.exists():
            found: Outcomes = json.loads(path.read_text(encoding="utf-8"))
            return found
        sampler = _sampler(self.backend, reset_model).with_seed(int(digest[:15], 16))
        try:
            found = _shares(part, sampler.run([part.circuit], shots=shots).result()[0])
        except HaloError as error:
            found = error.message
        if path is not None:
            _write(path, found)
        return found


def _write(path: Path, outcomes: Outcomes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(f".{os.getpid()}.partial")  # another process may be at the same part
    partial.write_text(json.dumps(outcomes) + "\n", encoding="utf-8")
    partial.replace(path)


@cache
def _sampler(backend: BackendV2, reset_model: str) -> LocalSampler:
    """Return the sampler of a backend, the same each time: it keeps the errors of every place that it has met."""
    if reset_model == "stays":
        return LocalSampler(backend)
    return _sampler(backend, "stays").with_reset_model("flips")


def _shares(part: Part, result: SamplerPubResult) -> dict[str, float]:
    names = [register.name for register in part.circuit.cregs if register.name != "everybody_else"]
    shown = [result.data[name].get_bitstrings() for name in reversed(names)]
    totals: dict[str, int] = {}
    for pieces in zip(*shown, strict=True):
        outcome = "".join(pieces)
        totals[outcome] = totals.get(outcome, 0) + 1
    shots = sum(totals.values())
    return {outcome: number / shots for outcome, number in sorted(totals.items())}
