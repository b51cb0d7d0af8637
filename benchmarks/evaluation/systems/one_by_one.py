"""What most people do: one program after the other, each with the whole device."""

from __future__ import annotations

import time
from dataclasses import replace

from qiskit import transpile
from qiskit.providers import BackendV2

from benchmarks.evaluation.model import Batch, Job
from benchmarks.evaluation.systems._common import Memo, Waiting, make_batch, merge, reported


class OneByOne:
    """``transpile`` at its highest level, alone: the reference for fidelity."""

    name = "one by one"

    def __init__(self) -> None:
        self._compiled = Memo()

    def next_batch(self, queue: Waiting, backend: BackendV2, seed: int) -> Batch:
        """Return the oldest job alone. A circuit seen before is not compiled again."""
        started = time.process_time()
        member = queue[0]
        with reported():
            first: Batch = self._compiled.get(
                (member[1].circuit, backend), seed, lambda: self._compile(member, backend, seed, started)
            )
        spent_s = time.process_time() - started
        return replace(first, members=(member[0],), shots=member[1].shots, compile_s=spent_s)

    def _compile(self, member: tuple[int, Job], backend: BackendV2, seed: int, started_s: float) -> Batch:
        merged = merge([member[1]]).circuit
        compiled = transpile(merged, backend, optimization_level=3, seed_transpiler=seed)
        return make_batch([member], compiled, backend.target, started_s)
