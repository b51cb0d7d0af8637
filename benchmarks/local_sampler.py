"""How long ``LocalSampler`` takes for a chip full of programs, beside Aer alone, one program at a time.

    python -m benchmarks.local_sampler --programs FOLDER [--suite small] [--count 100] [--shots 1000]

Draws programs, compiles them into one circuit for FakeTorino, and samples it with the device's noise. The reference is
what a user has without this package: each program compiled alone with ``transpile(optimization_level=2)`` and run on
``AerSimulator.from_backend``. Compilation is not in the times; building the noise is, and is shown apart for Aer. The
reference's noise is simpler: resets do not fail, and idle time is not noise, since those circuits are not scheduled.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

from qiskit import transpile
from qiskit_aer import AerSimulator
from qiskit_ibm_runtime.fake_provider import FakeTorino

from benchmarks._machine import describe
from benchmarks._workloads import draw
from qiskit_halo import LocalSampler, MultiProgramCircuit, generate_halo_pass_manager


def timed(run: Callable[[], Any]) -> tuple[Any, float, float]:
    """Return what ``run`` returns, and the seconds it took: by the clock, and of this process's CPU time."""
    wall, cpu = time.perf_counter(), time.process_time()
    result = run()
    return result, time.perf_counter() - wall, time.process_time() - cpu


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--programs", type=Path, required=True, help="folder with HALO's suites as OpenQASM 2")
    parser.add_argument("--suite", default="small")
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--shots", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    print(f"{describe()}, qiskit-aer {version('qiskit-aer')}")
    print(
        f"{arguments.count} programs of '{arguments.suite}' (draw {arguments.seed}) on FakeTorino, level 2, "
        f"{arguments.shots} shots"
    )
    backend = FakeTorino()
    programs = draw(arguments.programs, arguments.suite, arguments.count, arguments.seed)
    merged = MultiProgramCircuit(programs).circuit
    compiled = generate_halo_pass_manager(2, backend, seed_transpiler=0).run(merged)
    alone = transpile(programs, backend, optimization_level=2, seed_transpiler=0, num_processes=1)

    def sample(noise: bool) -> None:
        LocalSampler(backend, noise=noise, seed=1).run([compiled], shots=arguments.shots).result()

    def run_alone(simulator: AerSimulator) -> None:
        for circuit in alone:
            result = simulator.run(circuit, shots=arguments.shots, seed_simulator=1).result()
            if not result.success:
                raise RuntimeError(result.status)

    simulator, model_s, model_cpu_s = timed(lambda: AerSimulator.from_backend(backend))
    rows = {
        "LocalSampler, noise": timed(lambda: sample(True))[1:],
        "LocalSampler, no noise": timed(lambda: sample(False))[1:],
        "Aer's model of the whole chip": (model_s, model_cpu_s),
        "Aer, noise, one by one": timed(lambda: run_alone(simulator))[1:],
        "Aer, no noise, one by one": timed(lambda: run_alone(AerSimulator()))[1:],
    }
    print(f"{'':30s}   seconds     CPU s")
    for name, (wall_s, cpu_s) in rows.items():
        print(f"{name:30s} {wall_s:9.2f} {cpu_s:9.2f}")
    for noise, reference in (("noise", "Aer, noise, one by one"), ("no noise", "Aer, no noise, one by one")):
        ratio = rows[f"LocalSampler, {noise}"][1] / rows[reference][1]
        print(f"CPU of LocalSampler over Aer one by one, {noise}: {ratio:.2f}")


if __name__ == "__main__":
    main()
