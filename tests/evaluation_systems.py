"""Two plain systems for tests of the evaluation, and ones that fail."""

from __future__ import annotations

import time
from collections.abc import Sequence

from qiskit import transpile
from qiskit.providers import BackendV2

from benchmarks.evaluation.measures.steps import read_steps
from benchmarks.evaluation.model import Batch, Job, System, SystemFailedError
from benchmarks.evaluation.names import ALONE, OURS
from qiskit_halo import HaloReport, MultiProgramCircuit, generate_halo_pass_manager

Waiting = Sequence[tuple[int, Job]]


class Alone:
    """The first in the queue, by Qiskit alone."""

    name = ALONE

    def next_batch(self, queue: Waiting, backend: BackendV2, seed: int) -> Batch:
        index, job = queue[0]
        started = time.process_time()
        merged = MultiProgramCircuit([job.circuit]).circuit
        circuit = transpile(merged, backend, optimization_level=3, seed_transpiler=seed, scheduling_method="alap")
        compile_s = time.process_time() - started
        makespan = max(s.stop_s for s in read_steps(circuit, backend.target) if not s.passive)
        return Batch(circuit, (index,), job.shots, makespan, compile_s)


class Merged:
    """Up to ``most`` of the queue in one circuit, by qiskit-halo."""

    name = OURS

    def __init__(self, most: int = 100) -> None:
        self.most = most

    def next_batch(self, queue: Waiting, backend: BackendV2, seed: int) -> Batch:
        chosen = queue[: self.most]
        started = time.process_time()
        merged = MultiProgramCircuit([job.circuit for _, job in chosen])
        circuit = generate_halo_pass_manager(2, backend, seed_transpiler=seed).run(merged.circuit)
        compile_s = time.process_time() - started
        report = HaloReport.from_dict(circuit.metadata["halo"]["report"])
        shots = min(job.shots for _, job in chosen)
        return Batch(circuit, tuple(index for index, _ in chosen), shots, report.makespan_s, compile_s, {"merged": 1})


class Failing:
    """Serves the first two jobs, then gives up."""

    name = "failing"

    def next_batch(self, queue: Waiting, backend: BackendV2, seed: int) -> Batch:
        if queue[0][0] >= 2:
            raise SystemFailedError("no progress: 3 helpers asked for, 0 free")
        return Alone().next_batch(queue, backend, seed)


def all_systems() -> dict[str, System]:
    return {system.name: system for system in (Alone(), Merged(), Failing())}
