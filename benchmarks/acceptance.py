"""Is every compiled program still the program that its user wrote, and isolated from all others?

    python -m benchmarks.acceptance [--programs FOLDER] [--sources ...] [--devices ...] [--stages ...] [--levels ...]
                                    [--minutes 40]

Merges batches of programs, compiles them for several devices at every level with our stages together, each alone and as
one pass manager, and judges each finished circuit: isolation and dead couplers by two checkers that share no code with
the compiler nor with each other, and every program's exact outcome distribution against its own circuit's. Sources are
HALO's suites (given their folder), circuits of MQT Bench (if ``mqt.bench`` is installed) and random dynamic circuits.

Cases come in a random order that the seed fixes, so that a run cut short by ``--minutes`` has looked everywhere. Programs
that are too entangled to be simulated exactly are compiled and checked for isolation, and counted as not simulated.
Batches at which Qiskit's own stages fail too, without ours, are counted as refused. Run it from the root of the
repository: one of the checkers is the tests' own.
"""

from __future__ import annotations

import argparse
import itertools
import random
import sys
import time
import traceback
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from qiskit import QuantumCircuit, transpile
from qiskit.providers.fake_provider import GenericBackendV2
from qiskit.transpiler import CouplingMap, Target
from qiskit_ibm_runtime.fake_provider import FakeFez, FakeNighthawk, FakeSherbrooke, FakeTorino

from benchmarks._dynamic import random_dynamic
from benchmarks._machine import describe
from benchmarks._workloads import HALO_SUITES, load_mqt, load_suite
from qiskit_halo import (
    HaloValueError,
    HaloWarning,
    IsolationError,
    MultiProgramCircuit,
    generate_halo_pass_manager,
    verify_isolation,
)
from qiskit_halo.verification.equivalence import MergedOutcomes, outcome_factors
from qiskit_halo.verification.isolation import find_joined_programs
from tests.finished_circuit import check_isolated, check_supported, read_finished

TOLERANCE = 1e-9
MAX_OUTCOMES, MAX_QUBITS = 1 << 14, 17
"""What the exact simulation of one program may hold: outcomes, and log2 of amplitudes."""

BATCH_QUBITS = 160
"""Program qubits in a batch: more than a device has, so that qubits are shared."""

DEVICES: dict[str, Callable[[], Target]] = {
    "torino": lambda: FakeTorino().target,
    "sherbrooke": lambda: FakeSherbrooke().target,
    "fez": lambda: FakeFez().target,
    "nighthawk": lambda: FakeNighthawk().target,
    "grid": lambda: GenericBackendV2(64, coupling_map=CouplingMap.from_grid(8, 8), control_flow=True, seed=1).target,
}
STAGES = ("both", "layout", "layout+alap", "scheduling", "manager")
SOURCES = (*HALO_SUITES, "mqt", "dynamic")


@dataclass(slots=True)
class Tally:
    """Sums over cases; grows while the study runs."""

    cases: int = 0
    programs: int = 0
    simulated: int = 0
    worst: float = 0.0
    wrong: int = 0
    violations: int = 0
    failures: int = 0
    refused: int = 0
    seconds: float = 0.0

    def line(self) -> str:
        return (
            f"{self.cases:6d} {self.programs:9d} {self.simulated:10d} {self.worst:10.1e} {self.wrong:6d} "
            f"{self.violations:11d} {self.failures:9d} {self.refused:8d} {self.seconds:9.0f}"
        )


HEADER = " cases  programs  simulated   worst TV  wrong  violations  failures  refused  compile s"


@dataclass(slots=True)
class Study:
    """The study: programs, targets and tallies."""

    programs: Path | None
    seed: int
    targets: dict[str, Target] = field(default_factory=dict)
    loaded: dict[tuple[str, str], list[QuantumCircuit]] = field(default_factory=dict)
    simulable: dict[int, bool] = field(default_factory=dict)
    tallies: dict[tuple[str, str], Tally] = field(default_factory=dict)

    def target(self, device: str) -> Target:
        if device not in self.targets:
            self.targets[device] = DEVICES[device]()
        return self.targets[device]

    def source(self, source: str, device: str) -> list[QuantumCircuit]:
        """Return the programs of a source; dynamic ones have the constructs of the device."""
        constructs = tuple(sorted(self.target(device).operation_names)) if source == "dynamic" else ()
        key = (source, " ".join(constructs))
        if key not in self.loaded:
            if source == "dynamic":
                self.loaded[key] = [random_dynamic(1000 * self.seed + index, constructs) for index in range(60)]
            elif source == "mqt":
                self.loaded[key] = load_mqt()
            else:
                self.loaded[key] = load_suite(self.programs, source) if self.programs else []
        return self.loaded[key]

    def can_simulate(self, circuit: QuantumCircuit) -> bool:
        if id(circuit) not in self.simulable:
            try:
                outcome_factors(circuit, max_outcomes=MAX_OUTCOMES, max_qubits=MAX_QUBITS)
                self.simulable[id(circuit)] = True
            except HaloValueError:
                self.simulable[id(circuit)] = False
        return self.simulable[id(circuit)]

    def run(self, source: str, device: str, stages: str, level: int, batch: list[QuantumCircuit]) -> str:
        """Compile and judge one batch; return what to say of it, nothing if all is well."""
        tallies = [
            self.tallies.setdefault(key, Tally())
            for key in (("source", source), ("device", device), ("stages", stages), ("level", str(level)), ("all", ""))
        ]
        case = _Case(target=self.target(device), stages=stages, level=level, batch=batch)
        problem = case.judge(self.can_simulate)
        for tally in tallies:
            tally.cases += 1
            tally.programs += len(batch)
            tally.simulated += case.simulated
            tally.worst = max(tally.worst, case.worst)
            tally.wrong += case.wrong
            tally.violations += case.violations
            tally.failures += case.failed
            tally.refused += case.refused
            tally.seconds += case.seconds
        return problem


@dataclass(slots=True)
class _Case:
    """One batch on one device, and what came of it."""

    target: Target
    stages: str
    level: int
    batch: list[QuantumCircuit]
    simulated: int = 0
    worst: float = 0.0
    wrong: int = 0
    violations: int = 0
    failed: int = 0
    refused: int = 0
    seconds: float = 0.0

    def judge(self, can_simulate: Callable[[QuantumCircuit], bool]) -> str:
        mpc = MultiProgramCircuit(self.batch)
        began = time.process_time()
        try:
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                finished = compile_with(self.stages, mpc, self.target, self.level)
        except BaseException as error:
            # Qiskit's panics are no Exceptions.
            if isinstance(error, KeyboardInterrupt):
                raise
            if _fails(lambda: compile_with("qiskit", mpc, self.target, self.level)):
                self.refused = 1
                return ""
            self.failed = 1
            return "".join(traceback.format_exception_only(error)).strip()[:300]
        finally:
            self.seconds = time.process_time() - began
        said = " ".join(str(w.message) for w in caught if issubclass(w.category, HaloWarning))
        problems = [*self._isolation(finished, said, mpc.names), *self._outcomes(finished, can_simulate)]
        return "; ".join(problems)

    def _isolation(self, finished: QuantumCircuit, said: str, names: Sequence[str]) -> Iterator[str]:
        alone = self.stages == "scheduling"
        joined = find_joined_programs(finished) if alone else ()
        try:
            if not alone:
                verify_isolation(finished, target=self.target, resets=2)
            check_isolated(read_finished(finished), resets=2, joined=joined)
            check_supported(finished, self.target, dead_allowed=alone)
        except (IsolationError, AssertionError) as error:
            self.violations += 1
            yield str(error)
        silent = [names[index] for group in joined for index in group if repr(names[index]) not in said]
        if silent:
            self.violations += 1
            yield f"no warning names the joined programs {', '.join(silent)}"

    def _outcomes(self, finished: QuantumCircuit, can_simulate: Callable[[QuantumCircuit], bool]) -> Iterator[str]:
        outcomes = MergedOutcomes(finished, max_outcomes=4 * MAX_OUTCOMES, max_qubits=MAX_QUBITS + 2)
        for index, circuit in enumerate(self.batch):
            if not can_simulate(circuit):
                continue
            try:
                found = outcomes.distance(circuit, index)
            except HaloValueError:
                continue  # joined with others by Qiskit's routing, or routed through more qubits than fit
            self.simulated += 1
            self.worst = max(self.worst, found)
            if found > TOLERANCE:
                self.wrong += 1
                yield f"program {index} ({circuit.name}) is {found:.2g} off"


def compile_with(stages: str, mpc: MultiProgramCircuit, target: Target, level: int) -> QuantumCircuit:
    """Compile a batch with our stages in some of their places."""
    if stages == "manager":
        return generate_halo_pass_manager(level, target=target, seed_transpiler=7).run(mpc.circuit)
    methods = {
        "both": {"layout_method": "halo", "scheduling_method": "halo"},
        "layout": {"layout_method": "halo"},
        "layout+alap": {"layout_method": "halo", "scheduling_method": "alap"},
        "scheduling": {"layout_method": "sabre", "scheduling_method": "halo"},
        "qiskit": {"layout_method": "sabre"},
    }[stages]
    folded = mpc.fold(target.num_qubits)
    return transpile(folded, target=target, optimization_level=level, seed_transpiler=7, **methods)


def _fails(attempt: Callable[[], object]) -> bool:
    try:
        attempt()
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            raise
        return True
    return False


def make_batches(
    programs: Sequence[QuantumCircuit], target: Target, rng: random.Random
) -> Iterator[list[QuantumCircuit]]:
    """Yield batches of ``BATCH_QUBITS`` program qubits at most, of those programs that fit the device."""
    batch: list[QuantumCircuit] = []
    for circuit in rng.sample(list(programs), len(programs)):
        if circuit.num_qubits > target.num_qubits:
            continue
        if batch and sum(c.num_qubits for c in batch) + circuit.num_qubits > BATCH_QUBITS:
            yield batch
            batch = []
        batch.append(circuit)
    if batch:
        yield batch


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--programs", type=Path, help="folder with HALO's suites as OpenQASM 2; left out without it")
    parser.add_argument("--sources", nargs="+", choices=SOURCES, default=SOURCES)
    parser.add_argument("--devices", nargs="+", choices=DEVICES, default=tuple(DEVICES))
    parser.add_argument("--stages", nargs="+", choices=STAGES, default=STAGES)
    parser.add_argument("--levels", nargs="+", type=int, choices=range(4), default=(0, 1, 2, 3))
    parser.add_argument("--minutes", type=float, default=40, help="start no further case after this many")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    study = Study(programs=arguments.programs, seed=arguments.seed)
    rng = random.Random(arguments.seed)
    cases = [
        (source, device, stages, level, batch)
        for source, device, stages, level in itertools.product(
            arguments.sources, arguments.devices, arguments.stages, arguments.levels
        )
        if not (stages == "layout+alap" and source in ("dynamic", "mqt"))  # Qiskit's schedulers refuse control flow
        for batch in make_batches(study.source(source, device), study.target(device), rng)
    ]
    rng.shuffle(cases)
    print(describe())
    left = [source for source in arguments.sources if not study.source(source, arguments.devices[0])]
    if left:
        print(f"left out, for want of programs: {', '.join(left)}")
    began = time.monotonic()
    done = 0
    for source, device, stages, level, batch in cases:
        if time.monotonic() - began > 60 * arguments.minutes:
            break
        problem = study.run(source, device, stages, level, batch)
        done += 1
        if problem:
            names = " ".join(circuit.name for circuit in batch)
            print(f"PROBLEM {source} {device} {stages} level {level}: {problem}\n    in {names}", flush=True)
    print(f"{done} of {len(cases)} cases in {(time.monotonic() - began) / 60:.0f} minutes")
    print(f"{'':22s}{HEADER}")
    for key in sorted(study.tallies, key=lambda key: (key[0] == "all", key)):
        print(f"{' '.join(key):22s}{study.tallies[key].line()}")
    total = study.tallies.get(("all", ""), Tally())
    return int(bool(total.wrong or total.violations or total.failures))


if __name__ == "__main__":
    sys.exit(main())
