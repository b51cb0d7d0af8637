"""Local simulation in figures: a full chip by LocalSampler, beside Aer running the same programs one by one.

    python -m benchmarks.local_sampler --programs FOLDER [--count 100] [--shots 1000] [--seed 0]

Prints process CPU time and wall time of LocalSampler for the merged circuit, without and with noise; and of Aer, with
its model of the whole device, for each program compiled alone. Building Aer's model is timed apart. Aer's share is
shown by program, slowest first, for the programs that take half of its time; ``--no-aer`` leaves all of it out.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from qiskit import QuantumCircuit, transpile
from qiskit_aer import AerSimulator
from qiskit_aer.noise import NoiseModel
from qiskit_ibm_runtime.fake_provider import FakeTorino

from benchmarks._machine import describe
from benchmarks._workloads import draw
from qiskit_halo import LocalSampler, MultiProgramCircuit, generate_halo_pass_manager


def timed(run: Callable[[], Any]) -> tuple[float, float]:
    """Return process CPU seconds and wall seconds."""
    cpu, wall = time.process_time(), time.perf_counter()
    run()
    return time.process_time() - cpu, time.perf_counter() - wall


def run_by_aer(simulator: AerSimulator, circuit: QuantumCircuit, shots: int) -> None:
    """Run one compiled program; Aer leaves idle qubits out by itself."""
    result = simulator.run(circuit, shots=shots).result()
    if not result.success:
        raise RuntimeError(result.status)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--programs", type=Path, required=True, help="folder with HALO's suites as OpenQASM 2")
    parser.add_argument("--suite", default="small")
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--shots", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--no-aer", action="store_true")
    arguments = parser.parse_args()
    print(describe())
    print(f"{arguments.count} programs of '{arguments.suite}' on FakeTorino, {arguments.shots} shots")

    backend = FakeTorino()
    programs = draw(arguments.programs, arguments.suite, arguments.count, arguments.seed)
    mpc = MultiProgramCircuit(programs, shots=arguments.shots)
    isa = generate_halo_pass_manager(2, backend, seed_transpiler=0).run(mpc.circuit)
    mine = {}
    for noise in (False, True):
        sampler = LocalSampler(backend, noise=noise, seed=1)
        mine[noise] = timed(lambda sampler=sampler: sampler.run([isa], shots=mpc.shots).result())
        label = "with noise" if noise else "without noise"
        print(f"LocalSampler, {label:14s} CPU {mine[noise][0]:7.1f} s   wall {mine[noise][1]:7.1f} s")
    if arguments.no_aer:
        return

    models: list[NoiseModel] = []
    built = timed(lambda: models.append(NoiseModel.from_backend(backend)))
    simulator = AerSimulator(noise_model=models[0], seed_simulator=1)
    compiled = {id(p): transpile(p, backend, optimization_level=2, seed_transpiler=0) for p in programs}
    each = [(timed(lambda p=p: run_by_aer(simulator, compiled[id(p)], arguments.shots)), p.name) for p in programs]
    cpu, wall = (sum(time[kind] for time, _ in each) for kind in (0, 1))
    print(f"Aer, its noise model          CPU {built[0]:7.1f} s   wall {built[1]:7.1f} s")
    print(f"Aer, programs one by one      CPU {cpu:7.1f} s   wall {wall:7.1f} s")
    print(f"Aer / LocalSampler, with noise, without building the model: CPU x{cpu / mine[True][0]:.1f}")
    shown = 0.0
    for (seconds, _), name in sorted(each, reverse=True):
        if shown > cpu / 2:
            break
        shown += seconds
        print(f"    {name:40s} CPU {seconds:6.1f} s")


if __name__ == "__main__":
    main()
