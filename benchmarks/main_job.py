"""The main job in figures: compile many small programs into one circuit, and compare with each alone.

    python -m benchmarks.main_job --programs FOLDER [--count 40] [--level 2] [--seeds 3]

Prints, for each draw: process CPU time of the compilation (cold: a fresh device and nothing cached), modelled
QPU-time ratios, and predicted success of every program over the same program alone under plain
``transpile(optimization_level=3, seed_transpiler=0)``. References that use a dead coupler are left out and counted.
"""

from __future__ import annotations

import argparse
import statistics
import time
from pathlib import Path

from qiskit import transpile
from qiskit_ibm_runtime.fake_provider import FakeTorino

from benchmarks._machine import describe
from benchmarks._workloads import draw
from qiskit_halo import (
    HaloOptions,
    HaloReport,
    MultiProgramCircuit,
    generate_halo_pass_manager,
    predict_success,
    verify_isolation,
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--programs", type=Path, required=True, help="folder with HALO's suites as OpenQASM 2")
    parser.add_argument("--suite", default="small")
    parser.add_argument("--count", type=int, default=40)
    parser.add_argument("--level", type=int, default=2)
    parser.add_argument("--seeds", type=int, default=3)
    arguments = parser.parse_args()
    print(describe())
    print(
        f"{arguments.count} programs of '{arguments.suite}' on FakeTorino, level {arguments.level}; "
        "success: merged over alone at level 3"
    )
    print("draw  CPU s  makespan us   x250    x50     x0   mean  median  worst  dead refs  hand-overs")
    for seed in range(arguments.seeds):
        backend = FakeTorino()
        target = backend.target
        programs = draw(arguments.programs, arguments.suite, arguments.count, seed)
        mpc = MultiProgramCircuit(programs)
        started = time.process_time()
        passes = generate_halo_pass_manager(
            arguments.level, backend, options=HaloOptions(cache=False), seed_transpiler=0
        )
        compiled = passes.run(mpc.circuit)
        cpu_s = time.process_time() - started
        verify_isolation(compiled, target=target, resets=2)
        report = HaloReport.from_dict(compiled.metadata["halo"]["report"])
        merged = [p.success_merged for p in report.programs if p.index is not None]
        alone: dict[int, float] = {}
        for program in {id(p): p for p in programs}.values():
            reference = transpile(program, backend, optimization_level=3, seed_transpiler=0)
            alone[id(program)] = predict_success(reference, target).get(0, 1.0)
        ratios = [m / alone[id(p)] for m, p in zip(merged, programs, strict=True) if alone[id(p)] > 0]
        times = report.qpu_time_ratios
        print(
            f"{seed:4d} {cpu_s:6.2f} {report.makespan_s * 1e6:12.1f} {times['250']:6.1f} {times['50']:6.1f} "
            f"{times['0']:6.2f} {statistics.mean(ratios):6.3f} {statistics.median(ratios):7.3f} {min(ratios):6.3f} "
            f"{len(merged) - len(ratios):10d} {report.num_handovers:11d}"
        )


if __name__ == "__main__":
    main()
