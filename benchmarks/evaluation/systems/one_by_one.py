"""What most people do: one program after the other, each with the whole device."""

from __future__ import annotations

import time

from qiskit import transpile
from qiskit.providers import BackendV2

from benchmarks.evaluation.model import Batch
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
            compiled = self._compiled.get(
                (member[1].circuit, backend),
                seed,
                lambda: transpile(merge([member[1]]).circuit, backend, optimization_level=3, seed_transpiler=seed),
            )
            return make_batch([member], compiled, backend.target, started)
