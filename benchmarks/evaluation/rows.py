"""What a cell of a saturated queue says, as one row of numbers beside the same jobs one by one."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.evaluation.measures.time_model import CLOCKS, Clock, total_s
from benchmarks.evaluation.names import suffix_of

Record = Mapping[str, Any]
TWICE_FLOOR = 2.0


@dataclass(frozen=True)
class Fidelity:
    """Noisy simulation of a sample: of the programs that were simulated here and alone, at equal shots.

    Attributes:
        count: Programs compared.
        mean: Mean fidelity here.
        alone: Mean fidelity of the same programs one by one.
        error: Standard error of ``mean / alone``, from the spread of the paired differences.
        hellinger, floor, ceiling: Means over the same programs.
        wide: Programs of the sample that were not simulated here: too wide, or no exact outcomes, or failed.
        left_out: Programs simulated here whose reference was not, or uses a dead coupler, or is below twice its floor.
    """

    count: int
    mean: float
    alone: float
    error: float
    hellinger: float
    floor: float
    ceiling: float
    wide: int
    left_out: int

    @property
    def ratio(self) -> float:
        return self.mean / self.alone if self.alone else math.nan


@dataclass(frozen=True)
class Row:
    """One system on one saturated queue.

    Attributes:
        seconds: Modelled time of the queue at each clock of :data:`CLOCKS`.
        qubits: Qubits used, weighted by time.
        packing: Busy qubit-time, resets of hand-overs included, over qubits x makespan.
        busy: Busy qubit-time over qubits x makespan.
        busy_delay: Busy qubit-time over qubits x (makespan + 250 us).
        predicted: Mean predicted success; of the same programs one by one in ``predicted_alone``.
        fidelity: By noisy simulation in which a reset that fails leaves the qubit as it was.
        fidelity_flips: By one in which it also flips a qubit in 0.
        predicted_ratio: Mean over programs of predicted success over that alone; references with dead couplers left out.
    """

    system: str
    failure: str
    jobs: int
    finished: int
    batches: int
    seconds: tuple[float, ...]
    qubits: float
    packing: float
    busy: float
    busy_delay: float
    between: int
    within: int
    two_qubit_ratio: float
    crossing: int
    dead: int
    joined: int
    violations: int
    violation: str
    compile_s: float
    predicted: float
    predicted_alone: float
    predicted_ratio: float
    fidelity: Fidelity | None
    fidelity_flips: Fidelity | None
    facts: Mapping[str, float]

    def throughput(self, clock: Clock) -> float:
        """Return finished programs per modelled second."""
        seconds = self.seconds[CLOCKS.index(clock)]
        return self.finished / seconds if seconds else 0.0


def make_row(record: Record, alone: Record | None, num_qubits: int) -> Row:
    """Return the row of a cell.

    Args:
        record: The cell.
        alone: The same queue one by one; ``None`` leaves ratios NaN and the fidelity without reference.
        num_qubits: Of the device.
    """
    batches = record["batches"]
    runs = [(batch["shots"], batch["makespan_s"], batch["reset_s"]) for batch in batches]
    weights = [shots * makespan for shots, makespan, _ in runs]
    busy = sum(batch["shots"] * batch["busy_s"] for batch in batches)
    resets = sum(batch["shots"] * batch["resets_s"] for batch in batches)
    volume = num_qubits * sum(weights) or math.inf
    waiting = num_qubits * sum(shots * CLOCKS[0].rep_delay_s for shots, _, _ in runs)
    times = [CLOCKS[0].batch_s(*run) for run in runs]
    success = success_of(record)
    own_alone = success_of(alone) if alone is not None else {}
    gates_alone = _two_qubit_of(alone) if alone is not None else {}
    dead_alone = dead_jobs(alone) if alone is not None else set()
    gates = sum(gates_alone.get(member, 0) for batch in batches for member in batch["members"])
    ratios = [
        success[job] / own_alone[job]
        for job in success
        if job not in dead_alone and own_alone.get(job, 0.0) > 0  # a share of nothing says nothing
    ]
    common = [job for job in success if job in own_alone]
    return Row(
        system=record["system"],
        failure=record["failure"],
        jobs=len(record["jobs"]),
        finished=record["finished"],
        batches=len(batches),
        seconds=tuple(total_s(clock, runs) for clock in CLOCKS),
        qubits=_mean([batch["num_qubits"] for batch in batches], times),
        packing=(busy + resets) / volume,
        busy=busy / volume,
        busy_delay=busy / (volume + waiting),
        between=sum(batch["between"] for batch in batches),
        within=sum(batch["within"] for batch in batches),
        two_qubit_ratio=sum(batch["two_qubit"] for batch in batches) / gates if gates else math.nan,
        crossing=sum(batch["crossing"] for batch in batches),
        dead=sum(batch["dead"] for batch in batches),
        joined=sum(batch["joined"] for batch in batches),
        violations=sum(bool(batch["violation"]) for batch in batches),
        violation=next((batch["violation"] for batch in batches if batch["violation"]), ""),
        compile_s=sum(batch["compile_s"] for batch in batches),
        predicted=_mean(list(success.values())),
        predicted_alone=_mean([own_alone[job] for job in common]),
        predicted_ratio=_mean(ratios),
        fidelity=_fidelity(record, alone, dead_alone, "stays"),
        fidelity_flips=_fidelity(record, alone, dead_alone, "flips"),
        facts=_sum_facts(batches),
    )


def success_of(record: Record) -> dict[int, float]:
    """Return job -> predicted success in the first batch that it was in."""
    found: dict[int, float] = {}
    for batch in record["batches"]:
        for member, value in zip(batch["members"], batch["success"], strict=True):
            found.setdefault(member, value)
    return found


def dead_jobs(alone: Record) -> set[int]:
    """Return the jobs whose circuit alone uses an operation that always fails."""
    return {member for batch in alone["batches"] if batch["dead"] for member in batch["members"]}


def _two_qubit_of(alone: Record) -> dict[int, int]:
    return {batch["members"][0]: batch["two_qubit"] for batch in alone["batches"]}


def _fidelity(record: Record, alone: Record | None, dead: set[int], reset_model: str) -> Fidelity | None:
    if alone is None:
        return None
    name, hellinger = f"fidelity{suffix_of(reset_model)}", f"hellinger{suffix_of(reset_model)}"
    reference = {one["job"]: one for one in alone["sample"] if one[name] is not None and one["job"] not in dead}
    simulated = [one for one in record["sample"] if one[name] is not None]
    pairs = [
        (one, reference[one["job"]])
        for one in simulated
        if one["job"] in reference and reference[one["job"]][name] > TWICE_FLOOR * one["floor"]
    ]
    own = np.array([one[name] for one, _ in pairs])
    other = np.array([one[name] for _, one in pairs])
    spread = float(np.std(own - other, ddof=1) / math.sqrt(len(pairs))) if len(pairs) > 1 else math.nan
    mean_alone = _mean(other.tolist())
    return Fidelity(
        count=len(pairs),
        mean=_mean(own.tolist()),
        alone=mean_alone,
        error=spread / mean_alone if pairs else math.nan,
        hellinger=_mean([one[hellinger] for one, _ in pairs]),
        floor=_mean([one["floor"] for one, _ in pairs]),
        ceiling=_mean([one["ceiling"] for one, _ in pairs]),
        wide=len(record["sample"]) - len(simulated),
        left_out=len(simulated) - len(pairs),
    )


def _mean(values: Sequence[float], weights: Sequence[float] | None = None) -> float:
    return float(np.average(values, weights=weights)) if len(values) else math.nan


def _sum_facts(batches: Sequence[Record]) -> dict[str, float]:
    """Return the sums of the numbers that a system notes itself, such as deadlocks."""
    totals: dict[str, float] = {}
    for batch in batches:
        for name, value in batch["facts"].items():
            if isinstance(value, int | float):
                totals[name] = totals.get(name, 0) + value
    return totals
