"""The queues of the evaluation, by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from qiskit import transpile
from qiskit.providers import BackendV2

from benchmarks.evaluation import arrivals
from benchmarks.evaluation.families.suites import MEDIUM, SMALL, programs_of
from benchmarks.evaluation.model import Job
from benchmarks.evaluation.reference import reference_of
from qiskit_halo import predict_success

SCALING_SIZES = (1, 2, 4, 8, 16, 32, 64, 128)


@dataclass(frozen=True)
class Workload:
    """A queue.

    Attributes:
        kind: ``"saturated"``: all wait at time 0; ``"poisson"``: they arrive; ``"scaling"``: queues of several lengths,
            each for one batch, from which the day is simulated.
        suite: Suite or mix.
        count: Jobs of a saturated queue.
        duration_s: Length of a Poisson process.
        spread_shots: Whether shots spread from 100 to 10 000.
    """

    kind: str
    suite: str
    count: int = 0
    duration_s: float = 0.0
    spread_shots: bool = False

    @property
    def name(self) -> str:
        """As cells and tables are named after it."""
        size = {"saturated": f"{self.count}", "poisson": f"{self.duration_s:.0f}s", "scaling": "up"}[self.kind]
        return f"{self.kind}-{self.suite}-{size}" + ("-shots" if self.spread_shots else "")

    def jobs(self, seed: int, source: Path | None, backend: BackendV2) -> list[Job]:
        """Return the jobs, in order of arrival; of medium suites, only programs that this device can run at all.

        Raises:
            SuiteMissingError: The suite cannot be made here.
        """
        programs = programs_of(self.suite, seed, source)
        if self.suite in (*MEDIUM, "medium"):
            programs = above_floor(programs, backend, seed)
        if self.kind == "poisson":
            return arrivals.poisson(programs, self.duration_s, seed, spread_shots=self.spread_shots)
        return arrivals.saturated(programs, self.count or max(SCALING_SIZES), seed)


def above_floor(programs: arrivals.Programs, backend: BackendV2, seed: int) -> arrivals.Programs:
    """Return the programs whose fidelity alone can be expected to exceed twice that of a random device.

    Expected is s + (1 - s) x floor, with the predicted success s of the program alone at level 3. A program whose exact
    outcomes are too many to compute, or of which nothing is left, does not pass.
    """
    kept = []
    for suite, circuit in programs:
        reference = reference_of(circuit)
        if reference is None:
            continue
        alone = transpile(circuit, backend, optimization_level=3, seed_transpiler=seed)
        success = predict_success(alone, backend.target).get(0, 1.0)
        floor = reference.floor(arrivals.SHOTS, seed)
        if success + (1 - success) * floor > 2 * floor:
            kept.append((suite, circuit))
    return kept


def _saturated(*suites: str, count: int) -> list[Workload]:
    return [Workload("saturated", suite, count=count) for suite in suites]


def full() -> list[Workload]:
    """Return the queues of the full run, those with a bar first."""
    return [
        *_saturated(*SMALL, "small", count=100),
        *_saturated(*MEDIUM, count=100),
        *_saturated(*SMALL, "small", count=300),
        *_saturated("medium", "mqt", "cut", count=100),
        Workload("scaling", "small"),
        *(Workload("poisson", suite, duration_s=40) for suite in SMALL),
        Workload("poisson", "small", duration_s=80),
        Workload("poisson", "small", duration_s=40, spread_shots=True),
    ]


def quick() -> list[Workload]:
    """Return few and short queues, one of each kind."""
    return [*_saturated("small", count=20), Workload("poisson", "small", duration_s=10), Workload("scaling", "small")]


VARIED = ("saturated-small-100", "poisson-small-80s")
"""The queues that go through every system of the full run."""

RUNS: dict[str, Callable[[], list[Workload]]] = {"full": full, "quick": quick}
