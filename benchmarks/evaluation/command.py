"""The evaluation by one command: queues through every system, tables, pictures, bars.

    python -m benchmarks evaluation [--quick] [--source FOLDER] [--out FOLDER] [--systems ...] [--workloads ...]

Cells that are there are not made again, so a stopped run goes on where it was. All figures are modelled or simulated:
QPU time is shots x (makespan + reset + repetition delay) + overhead, fidelity is from noisy simulation.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

from benchmarks._machine import describe
from benchmarks.evaluation.cells import Settings
from benchmarks.evaluation.names import QUICK, VARIANTS
from benchmarks.evaluation.report import write_report
from benchmarks.evaluation.runner import backend_of, run
from benchmarks.evaluation.systems import all_systems
from benchmarks.evaluation.tables import number
from benchmarks.evaluation.workloads import RUNS, VARIED

RESULTS = Path(__file__).parents[1] / "results"
SAMPLE = {"full": 40, "quick": 10}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--quick", action="store_true", help="few and short queues, fewer systems")
    parser.add_argument(
        "--source", type=Path, help="folder with HALO's suites as OpenQASM 2, instead of our generators"
    )
    parser.add_argument("--out", type=Path, help="default: benchmarks/results/full or quick, or named after the source")
    parser.add_argument("--systems", nargs="+", metavar="NAME", help="only these")
    parser.add_argument("--workloads", nargs="+", metavar="NAME", help="only these")
    parser.add_argument("--sample", type=int, help="programs of a queue whose noisy simulation is tried")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="FakeTorino", help="a class of qiskit_ibm_runtime.fake_provider")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument(
        "--tables-only", action="store_true", help="run nothing, make tables of the cells that are there"
    )


def evaluate(arguments: argparse.Namespace) -> None:
    started = time.perf_counter()
    name = "quick" if arguments.quick else "full"
    source = arguments.source
    folder = arguments.out or RESULTS / (name if source is None else f"{name}_{source.resolve().name}")
    workloads = RUNS[name]()
    if arguments.workloads:
        workloads = _chosen(arguments.workloads, {workload.name: workload for workload in workloads}, "workload")
    systems = all_systems()
    names = [system for system in systems if not arguments.quick or system in QUICK]
    if arguments.systems:
        names = _chosen(arguments.systems, {system: system for system in systems}, "system")
    settings = Settings(
        seed=arguments.seed,
        sample=SAMPLE[name] if arguments.sample is None else arguments.sample,
        source="generators" if source is None else source.resolve().name,
        device=arguments.device,
    )
    print(describe())
    cells = [
        (workload, system)
        for workload in workloads
        for system in names
        if arguments.systems or arguments.quick or workload.name in VARIED or system not in VARIANTS
    ]
    if not arguments.tables_only:
        run(
            cells,
            all_systems,
            settings,
            folder=folder,
            source=source,
            processes=arguments.processes,
        )
    folder.mkdir(parents=True, exist_ok=True)
    bars = write_report(folder, workloads, names, backend_of(arguments.device).num_qubits)
    for bar in bars:
        verdict = "met" if bar.met else "MISSED"
        print(f"{bar.what:60s} {bar.where:28s} {number(bar.figure):>8s}  >= {bar.least:<5g} {verdict:7s} {bar.note}")
    print(f"tables, pictures and summary are in {folder}; {(time.perf_counter() - started) / 60:.1f} minutes")


def _chosen(asked: list[str], known: dict[str, Any], what: str) -> list[Any]:
    unknown = [name for name in asked if name not in known]
    if unknown:
        raise SystemExit(f"no {what} is called {unknown[0]!r}; there are: {', '.join(known)}")
    return [known[name] for name in asked]
