"""Whether finished circuits are what they must be: isolated, made of what the device has, exact for every program.

    python -m benchmarks.acceptance --programs FOLDER [--suites ...] [--devices ...] [--levels ...] [--ways ...]

For each suite of HALO (and, with ``--mqt N``, N of MQT Bench's circuits, if that package is installed) all distinct
programs are merged in batches, compiled, and judged from the finished circuit alone: the isolation check with the
target and two resets, and the total variation between each program's exact outcome distribution and that of its own
circuit. Programs whose exact distribution is too large to compute are counted, not judged.
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections.abc import Iterator
from pathlib import Path

from qiskit import QuantumCircuit, transpile
from qiskit.providers.fake_provider import GenericBackendV2
from qiskit.transpiler import CouplingMap, Target
from qiskit_ibm_runtime import fake_provider

from benchmarks._machine import describe
from benchmarks._workloads import load
from qiskit_halo import HaloError, MultiProgramCircuit, generate_halo_pass_manager, verify_isolation
from qiskit_halo.verification.equivalence import distribution_distance

SUITES = [
    "multiXsmall",
    "qecsmall",
    "randomsmall",
    "arithsmall",
    "multiXmedium",
    "qecmedium",
    "randommedium",
    "arithmedium",
]
DEVICES = ["FakeTorino", "FakeSherbrooke", "FakeFez", "FakeNighthawk", "grid"]
WAYS = ("both", "layout", "manager")


def target_of(name: str) -> Target:
    if name == "grid":
        return GenericBackendV2(100, coupling_map=CouplingMap.from_grid(10, 10), control_flow=True, seed=1).target
    return getattr(fake_provider, name)().target


def compile_batch(batch: MultiProgramCircuit, target: Target, level: int, way: str) -> QuantumCircuit:
    if way == "manager":
        return generate_halo_pass_manager(level, target=target, seed_transpiler=0).run(batch.circuit)
    return transpile(
        batch.fold(target.num_qubits),
        target=target,
        layout_method="halo",
        scheduling_method="halo" if way == "both" else "default",
        optimization_level=level,
        seed_transpiler=0,
    )


def mqt_programs(count: int) -> list[QuantumCircuit]:
    """Circuits of MQT Bench on 3 to 5 qubits, none if it is not installed."""
    try:
        from mqt.bench import BenchmarkLevel, get_benchmark
        from mqt.bench.benchmarks import get_available_benchmark_names
    except ImportError:
        print("MQT Bench is not installed: left out")
        return []
    programs = []
    for name in get_available_benchmark_names():
        for size in (3, 4, 5):
            try:
                circuit = get_benchmark(benchmark=name, level=BenchmarkLevel.INDEP, circuit_size=size)
            except Exception as error:
                print(f"{name} on {size} qubits: {type(error).__name__}")
                continue
            if circuit.num_parameters == 0 and circuit.num_clbits:
                programs.append(circuit)
    return programs[:count]


def batches(programs: list[QuantumCircuit], size: int) -> Iterator[list[QuantumCircuit]]:
    for start in range(0, len(programs), size):
        yield programs[start : start + size]


def judge(suite: str, programs: list[QuantumCircuit], device: str, level: int, way: str, size: int) -> None:
    target = target_of(device)
    checked = skipped = violations = 0
    worst = 0.0
    failures: dict[str, None] = {}
    started = time.process_time()
    for programs_of_batch in batches(programs, size):
        batch = MultiProgramCircuit(programs_of_batch)
        try:
            compiled = compile_batch(batch, target, level, way)
        except HaloError as error:
            failures[error.message[:110]] = None
            continue
        try:
            verify_isolation(compiled, target=target, resets=2)
        except HaloError as error:
            violations += 1
            failures[error.message[:110]] = None
        for k, program in enumerate(programs_of_batch):
            try:
                distance = distribution_distance(program, compiled, k, max_outcomes=1 << 16, max_qubits=18)
            except HaloError:
                skipped += 1
                continue
            checked += 1
            worst = max(worst, distance)
    print(
        f"{suite:14s} {device:15s} {level:5d} {way:8s} {checked:8d} {skipped:9d} {worst:9.1e} {violations:10d} "
        f"{time.process_time() - started:7.1f}  {'; '.join(failures)}",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--programs", type=Path, required=True, help="folder with HALO's suites as OpenQASM 2")
    parser.add_argument("--suites", nargs="*", default=SUITES)
    parser.add_argument("--devices", nargs="*", default=DEVICES)
    parser.add_argument("--levels", nargs="*", type=int, default=[0, 1, 2, 3])
    parser.add_argument("--ways", nargs="*", choices=WAYS, default=list(WAYS))
    parser.add_argument("--mqt", type=int, default=0)
    parser.add_argument("--batch", type=int, default=20, help="programs merged at a time")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    print(describe())
    workloads = {
        suite: [load(path) for path in sorted((arguments.programs / suite).glob("*.qasm"))]
        for suite in arguments.suites
    }
    if arguments.mqt:
        workloads["MQT Bench"] = mqt_programs(arguments.mqt)
    print("suite          device          level way       checked too large  worst TV violations   CPU s  failures")
    for suite, programs in workloads.items():
        for device in arguments.devices:
            for level in arguments.levels:
                for way in arguments.ways:
                    judge(suite, programs, device, level, way, arguments.batch)


if __name__ == "__main__":
    main()
