"""qiskit-halo."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable

from qiskit.circuit import QuantumCircuit
from qiskit.providers import BackendV2

from benchmarks.evaluation.model import Batch
from benchmarks.evaluation.systems._common import Waiting, count_dead_gates, least_shots, merge, reported
from qiskit_halo import HaloOptions, HaloReport, HaloTranspilerError, HaloWarning, generate_halo_pass_manager


class QiskitHalo:
    """Everybody who waits, up to ``options.max_batch_programs``, in one circuit by :func:`generate_halo_pass_manager`.

    With ``sharing="all"`` they always fit. Otherwise qubits are reserved for the batch, and as many of the oldest are
    taken as find room.

    Args:
        name: Name in tables.
        options: How to share.
        level: Optimization level.
    """

    def __init__(self, name: str, options: HaloOptions, level: int = 2) -> None:
        self.name = name
        self.options = options
        self.level = level

    def next_batch(self, queue: Waiting, backend: BackendV2, seed: int) -> Batch:
        """Return the oldest jobs that fit.

        Raises:
            SystemFailedError: The oldest does not fit on the empty device.
        """
        started = time.process_time()
        most = min(len(queue), self.options.max_batch_programs)
        tries: dict[int, tuple[QuantumCircuit, int]] = {}

        def attempt(count: int) -> HaloTranspilerError | None:
            try:
                tries[count] = self._compile(queue[:count], backend, seed)
            except HaloTranspilerError as error:
                return error
            return None

        with reported():
            count = largest(attempt, self._guess(queue[:most], backend.num_qubits), most)
        circuit, warned = tries[count]
        report = HaloReport.from_dict(circuit.metadata["halo"]["report"])
        members = queue[:count]
        return Batch(
            circuit=circuit,
            members=tuple(index for index, _ in members),
            shots=least_shots([job for _, job in members]),
            makespan_s=report.makespan_s,
            compile_s=time.process_time() - started,
            facts={
                "dead_gates": count_dead_gates(circuit, backend.target),
                "handovers": report.num_handovers,
                "tries": len(tries),
                "warnings": warned,
            },
        )

    def _guess(self, queue: Waiting, room: int) -> int:
        """Return how many of the oldest have no more qubits to reserve than there are, at least 1."""
        for count, (_, job) in enumerate(queue):
            if self.options.sharing != "all":
                room -= job.circuit.num_qubits
            if self.options.sharing == "helpers":
                room += job.circuit.num_ancillas
            if room < 0:
                return max(1, count)
        return len(queue)

    def _compile(self, members: Waiting, backend: BackendV2, seed: int) -> tuple[QuantumCircuit, int]:
        """Return the compiled circuit, and how many warnings came with it."""
        passes = generate_halo_pass_manager(self.level, backend, options=self.options, seed_transpiler=seed)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", HaloWarning)
            circuit = passes.run(merge([job for _, job in members]).circuit)
        return circuit, sum(issubclass(warning.category, HaloWarning) for warning in caught)


def largest(attempt: Callable[[int], Exception | None], guess: int, most: int) -> int:
    """Return the largest count up to ``most`` that works, if whatever is smaller works too.

    Args:
        attempt: Tries a count; returns why it does not work, or ``None``.
        guess: Where to start, from 1 to ``most``.
        most: Not tried beyond.

    Raises:
        Exception: What ``attempt`` returned for a count of 1.
    """
    works, fails = 0, most + 1
    count, step = guess, 1
    while fails - works > 1:
        error = attempt(count)
        if error is None:
            works = count
        elif count == 1:
            raise error
        else:
            fails = count
        if works and fails <= most:
            count = (works + fails) // 2
        else:  # only one side is known yet: longer and longer steps to the other
            count = min(most, works + step) if works else max(1, fails - step)
            step *= 2
    return works
