"""What people do to save time: circuits side by side in one, and the transpiler sees to the rest."""

from __future__ import annotations

import time

from qiskit import transpile
from qiskit.providers import BackendV2

from benchmarks.evaluation.model import Batch, SystemFailedError
from benchmarks.evaluation.systems._common import Waiting, make_batch, merge, reported


class ByHand:
    """Merge in the order of the queue until the next program has no room left; ``transpile`` the whole at level 2.

    Level 3 takes forty times as long for such circuits (37 s against 0.9 s for 130 qubits). Layout and routing see one
    circuit, so two-qubit gates between programs appear.
    """

    name = "merged by hand"

    def next_batch(self, queue: Waiting, backend: BackendV2, seed: int) -> Batch:
        """Return as many of the oldest jobs as the device has qubits for.

        Raises:
            SystemFailedError: The oldest is wider than the device.
        """
        started = time.process_time()
        room, count = backend.num_qubits, 0
        while count < len(queue) and queue[count][1].circuit.num_qubits <= room:
            room -= queue[count][1].circuit.num_qubits
            count += 1
        if not count:
            job = queue[0][1]
            raise SystemFailedError(
                f"{job.name} has {job.circuit.num_qubits} qubits, the device {backend.num_qubits}: it cannot be placed"
            )
        members = queue[:count]
        with reported():
            merged = merge([job for _, job in members]).circuit
            compiled = transpile(merged, backend, optimization_level=2, seed_transpiler=seed)
            return make_batch(members, compiled, backend.target, started)
