"""HALO as published (arXiv:2602.07191), from a description of its method and research code."""

from __future__ import annotations

import time
from collections.abc import Sequence

from qiskit import transpile
from qiskit.circuit import QuantumCircuit
from qiskit.providers import BackendV2

from benchmarks.evaluation.model import Batch, Job, SystemFailedError
from benchmarks.evaluation.systems._common import Memo, Waiting, blank, make_batch, merge, own_clbits, reported
from benchmarks.evaluation.systems.published_cost import Hops, find_hops
from benchmarks.evaluation.systems.published_helpers import DeadlockError, Issue, hand_out
from benchmarks.evaluation.systems.published_placement import RESTARTS, STEPS, place_data
from benchmarks.evaluation.systems.published_process import Process, read_process

RATIO = 0.8
"""Share of the device's qubits that data may fill."""
LEVEL = 3


class HaloPublished:
    """Data qubits placed by annealing, helpers handed out in turns, and Qiskit routes the whole.

    A batch is everybody, in the order of the queue, whose data qubits still fit into 0.8 of the device. Helper demand is not
    looked at, so that some batches never end: all processes wait for helpers that others hold. As published the machine then stands
    still for ever. We count it (``deadlocks``), send the newest process back to the queue and try again, which gives HALO
    throughput where it has none; a process that blocks even itself is a failure.

    Not taken over, since they only do harm: un-merging by order of emission (registers have names here), the counter of free
    helpers that drifts and ends some batches with a crash, the wait for 80 % fill or 40 s.

    Args:
        restarts: Of the annealing.
        steps: Of each restart.
    """

    name = "HALO as published"

    def __init__(self, restarts: int = RESTARTS, steps: int = STEPS) -> None:
        self._restarts = restarts
        self._steps = steps
        self._hops = Memo()
        self._processes = Memo()

    def next_batch(self, queue: Waiting, backend: BackendV2, seed: int) -> Batch:
        """Return the batch of the oldest jobs that fits by HALO's rule and ends.

        Raises:
            SystemFailedError: Nobody's data qubits fit, or the oldest process alone waits for itself.
        """
        started = time.process_time()
        with reported():
            hops: Hops = self._hops.get((backend,), 0, lambda: find_hops(backend.num_qubits, backend.coupling_map))
            members = self._admit(queue, backend.num_qubits)
            processes = [self._process(job.circuit) for _, job in members]
            count, deadlocks = largest_that_ends(processes, hops)
            members, processes = members[:count], processes[:count]
            data = place_data(processes, hops, seed, restarts=self._restarts, steps=self._steps)
            issues = hand_out(processes, data, backend.num_qubits, hops.distance)
            joint, handovers = _build(members, processes, issues, backend.num_qubits)
            compiled = transpile(
                joint,
                backend,
                optimization_level=LEVEL,
                initial_layout=list(range(backend.num_qubits)),
                seed_transpiler=seed,
            )
            facts = {"deadlocks": deadlocks, "resets": handovers, "data_qubits": sum(map(len, data))}
            return make_batch(members, compiled, backend.target, started, facts)

    def _process(self, circuit: QuantumCircuit) -> Process:
        return self._processes.get((circuit,), 0, lambda: read_process(circuit))

    def _admit(self, queue: Waiting, num_qubits: int) -> list[tuple[int, Job]]:
        """Return everybody, oldest first, whose data qubits still fit."""
        room = int(RATIO * num_qubits)
        members = []
        for member in queue:
            needed = self._process(member[1].circuit).num_data
            if needed <= room:
                members.append(member)
                room -= needed
        if not members:
            raise SystemFailedError(
                f"{queue[0][1].name} has more data qubits than {RATIO:g} of the device's {num_qubits}: the queue stands still"
            )
        return members


def largest_that_ends(processes: Sequence[Process], hops: Hops) -> tuple[int, int]:
    """Return how many of the first processes end when run together, and how many larger batches never would.

    Whether a batch ends depends on the number of free qubits only, not on which they are, so this needs no placement.

    Raises:
        DeadlockError: The first process alone never ends.
    """
    num_qubits = len(hops.distance)
    for count in range(len(processes), 0, -1):
        qubits = iter(range(num_qubits))
        anywhere = [[next(qubits) for _ in range(process.num_data)] for process in processes[:count]]
        try:
            hand_out(processes[:count], anywhere, num_qubits, hops.distance)
        except DeadlockError:
            if count == 1:
                raise
        else:
            return count, len(processes) - count
    raise ValueError("no processes")


def _build(
    members: Waiting, processes: Sequence[Process], issues: Sequence[Issue], num_qubits: int
) -> tuple[QuantumCircuit, int]:
    """Return the joint circuit on physical qubits, not routed yet, and its number of resets at hand-overs."""
    merged = merge([job for _, job in members]).circuit
    circuit = blank(merged, num_qubits)
    clbits = [own_clbits(merged, process.circuit, place) for place, process in enumerate(processes)]
    resets = 0
    for issue in issues:
        for qubit in issue.resets:
            circuit.reset(qubit)
            resets += 1
        instruction = processes[issue.process].instructions[issue.position]
        if instruction.name == "barrier":
            circuit.barrier(issue.qubits)
        else:
            own = [clbits[issue.process][bit] for bit in instruction.clbits]
            circuit.append(instruction.operation, issue.qubits, own)
    circuit.global_phase = sum(process.circuit.global_phase for process in processes)
    return circuit, resets
