"""One cell of the evaluation: one system runs one queue, and everything that tables need is measured."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from qiskit.providers import BackendV2

from benchmarks.evaluation.measures.device import Calibration
from benchmarks.evaluation.measures.extract import Ties
from benchmarks.evaluation.measures.isolation import Isolation, judge_isolation
from benchmarks.evaluation.measures.ledger import Ledger, read_ledger
from benchmarks.evaluation.measures.noisy import MAX_WIRES, Simulator, shots_for
from benchmarks.evaluation.measures.steps import read_steps
from benchmarks.evaluation.measures.time_model import CLOCKS, Clock
from benchmarks.evaluation.model import Batch, Job, System
from benchmarks.evaluation.names import RESET_MODELS, suffix_of
from benchmarks.evaluation.queueing import History, Remembered, simulate, turnaround_s
from benchmarks.evaluation.reference import Reference, fidelity, hellinger, reference_of
from benchmarks.evaluation.workloads import SCALING_SIZES, Workload

Record = dict[str, Any]
_LONE_DRAWS = 8


@dataclass(frozen=True)
class Settings:
    """What the figures of a cell depend on, besides the code.

    Attributes:
        seed: Of generators, arrivals, compilers and simulation.
        sample: Programs of a saturated queue whose noisy simulation is tried.
        source: ``"generators"``, or the name of the folder that the programs are from.
        device: Name of the backend.
    """

    seed: int
    sample: int
    source: str
    device: str


class _Bench:
    """One system on one device: compiled batches and what they show, each read once."""

    def __init__(self, system: System, backend: BackendV2, seed: int) -> None:
        self._calibration = Calibration(backend.target)
        self._ledgers: dict[int, tuple[Batch, Ledger]] = {}
        self._verdicts: dict[int, tuple[Batch, Isolation]] = {}
        self.choose = Remembered(lambda waiting: system.next_batch(waiting, backend, seed))

    def ledger(self, batch: Batch) -> Ledger:
        """Return what the batch's circuit shows; the circuit is kept, so that its id stays its own."""
        key = id(batch.circuit)
        if key not in self._ledgers:
            self._ledgers[key] = batch, read_ledger(batch.circuit, self._calibration)
        return self._ledgers[key][1]

    def isolation(self, batch: Batch) -> Isolation:
        """Return the verdict on the batch's circuit."""
        key = id(batch.circuit)
        if key not in self._verdicts:
            self._verdicts[key] = batch, judge_isolation(batch.circuit, self._calibration.target)
        return self._verdicts[key][1]

    def batch_s(self, batch: Batch, clock: Clock) -> float:
        ledger = self.ledger(batch)
        return clock.batch_s(batch.shots, ledger.makespan_s, ledger.reset_s)


def run_cell(
    system: System,
    workload: Workload,
    jobs: Sequence[Job],
    backend: BackendV2,
    settings: Settings,
    simulations: Path | None = None,
) -> Record:
    """Return everything measured of ``system`` on ``workload``, ready for JSON.

    Args:
        system: Runs the queue.
        workload: The queue.
        jobs: Its jobs, in order of arrival.
        backend: The device.
        settings: What the figures depend on.
        simulations: Folder of noisy simulations, to be used again by whoever meets the same circuit.
    """
    bench = _Bench(system, backend, settings.seed)
    record = _head(system.name, workload, jobs, settings)
    if workload.kind == "scaling":
        return record | _scaling(bench, jobs)
    clocks = CLOCKS if workload.kind == "poisson" else CLOCKS[:1]
    histories = [simulate(jobs, bench.choose, lambda batch, at=clock: bench.batch_s(batch, at)) for clock in clocks]
    record["failure"] = next((history.failure for history in histories if history.failure), "")
    record["finished"] = min(len(history.finish_s) for history in histories)
    if workload.kind == "poisson":
        record["arrivals"] = [
            _timing(jobs, history, clock, [len(bench.ledger(one.batch).qubits) for one in history.served])
            for history, clock in zip(histories, clocks, strict=True)
        ]
        return record
    served = [one.batch for one in histories[0].served]
    record["batches"] = [_describe(batch, bench.ledger(batch), bench.isolation(batch)) for batch in served]
    record["sample"] = _sample(served, jobs, Simulator(backend, settings.seed, simulations), bench, settings.sample)
    return record


def failed_cell(name: str, workload: Workload, jobs: Sequence[Job], settings: Settings, failure: str) -> Record:
    """Return the cell of a system that came to nothing at all."""
    record = _head(name, workload, jobs, settings) | {"failure": failure, "finished": 0}
    if workload.kind == "scaling":
        return record | {"points": []}
    if workload.kind == "poisson":
        empty = History(failure=failure)
        return record | {"arrivals": [_timing(jobs, empty, clock, []) for clock in CLOCKS]}
    return record | {"batches": [], "sample": []}


def _head(name: str, workload: Workload, jobs: Sequence[Job], settings: Settings) -> Record:
    return {
        "system": name,
        "workload": workload.name,
        "kind": workload.kind,
        "suite": workload.suite,
        "settings": asdict(settings),
        "jobs": [
            {"program": job.circuit.name, "suite": job.suite, "shots": job.shots, "arrival_s": job.arrival_s}
            for job in jobs
        ],
    }


def _describe(batch: Batch, ledger: Ledger, isolation: Isolation) -> Record:
    facts = {name: value for name, value in batch.facts.items() if isinstance(value, int | float | str)}
    return {
        "members": list(batch.members),
        "shots": batch.shots,
        "compile_s": batch.compile_s,
        "stated_makespan_s": batch.makespan_s,
        **{name: value for name, value in vars(ledger).items() if name not in ("qubits", "success", "success_flips")},
        "num_qubits": len(ledger.qubits),
        "success": [ledger.success.get(place, 1.0) for place in range(len(batch.members))],
        "joined": isolation.joined,
        "violation": isolation.violation,
        "facts": facts,
    }


def _timing(jobs: Sequence[Job], history: History, clock: Clock, num_qubits: Sequence[int]) -> Record:
    mean, late = turnaround_s(jobs, history)
    served = history.served
    span = served[-1].finish_s - jobs[0].arrival_s if served else 0.0
    busy = [(one.finish_s - one.start_s, number) for one, number in zip(served, num_qubits, strict=True)]
    return {
        "rep_delay_s": clock.rep_delay_s,
        "overhead_s": clock.overhead_s,
        "batches": len(served),
        "failure": history.failure,
        "turnaround_mean_s": mean,
        "turnaround_p95_s": late,
        "programs_per_s": len(history.finish_s) / span if span else 0.0,
        "device_busy": sum(time for time, _ in busy) / span if span else 0.0,
        "qubits_while_busy": sum(time * n for time, n in busy) / (sum(time for time, _ in busy) or 1.0),
    }


def _sample(
    served: Sequence[Batch], jobs: Sequence[Job], simulator: Simulator, bench: _Bench, size: int
) -> list[Record]:
    """Return the noisy simulation of a sample of jobs, the same jobs for every system."""
    seed = simulator.seed
    chosen = sorted(random.Random(f"sample {seed}").sample(range(len(jobs)), min(size, len(jobs))))
    where = {member: (batch, place) for batch in reversed(served) for place, member in enumerate(batch.members)}
    references: dict[int, Reference | None] = {}  # jobs of one program share its circuit
    ties: dict[int, Ties] = {}
    records: list[Record] = []
    for index in chosen:
        if index not in where:
            continue  # the system failed before it came to this job
        batch, place = where[index]
        circuit = jobs[index].circuit
        if id(batch.circuit) not in ties:
            ties[id(batch.circuit)] = Ties(batch.circuit, read_steps(batch.circuit, simulator.backend.target))
        if id(circuit) not in references:
            references[id(circuit)] = reference_of(circuit)
        part, shots, ideal = ties[id(batch.circuit)].part(place, circuit), shots_for(circuit), references[id(circuit)]
        record: Record = {
            "job": index,
            "wires": part.num_wires,
            "shots": shots,
            "predicted": bench.ledger(batch).success.get(place, 1.0),
            "predicted_flips": bench.ledger(batch).success_flips.get(place, 1.0),
            **{f"fidelity{suffix_of(model)}": None for model in RESET_MODELS},
        }
        if ideal is not None:
            record |= {"floor": ideal.floor(shots, seed), "ceiling": ideal.ceiling(shots, seed)}
            for model in RESET_MODELS if part.num_wires <= MAX_WIRES else ():
                outcomes = simulator.simulate(part, shots, model)
                if isinstance(outcomes, str):
                    record["failure"] = outcomes
                else:
                    record[f"fidelity{suffix_of(model)}"] = fidelity(ideal.distribution, outcomes)
                    record[f"hellinger{suffix_of(model)}"] = hellinger(ideal.distribution, outcomes)
        records.append(record)
    return records


def _scaling(bench: _Bench, jobs: Sequence[Job]) -> Record:
    """Return members and makespan of the first batch of queues of growing length; short queues are averaged."""
    points: list[Record] = []
    failure = ""
    for size in SCALING_SIZES:
        for draw in range(max(1, _LONE_DRAWS // size)):
            queue = [(index, jobs[index]) for index in range(draw * size, (draw + 1) * size)]
            try:
                batch = bench.choose(queue)
            except Exception as error:  # reported, as in `simulate`
                failure = failure or " ".join(f"{size} waiting: {type(error).__name__}: {error}".split())
                continue
            ledger = bench.ledger(batch)
            points.append(
                {
                    "waiting": size,
                    "members": len(batch.members),
                    "makespan_s": ledger.makespan_s,
                    "reset_s": ledger.reset_s,
                    "compile_s": batch.compile_s,
                }
            )
    return {"failure": failure, "finished": len(points), "points": points}
