"""Compile distinct programs here, in a process pool, and on a Dask cluster.

    python -m benchmarks.parallel [--programs FOLDER] [--suite small] [--count 100] [--workers 2] [--level 2]

Without a folder the programs are random circuits of 5 to 9 qubits. Prints, for each way: wall time until every distinct
body is compiled (nothing cached; workers have been started and have loaded the compiler), speed-up over serial, and
whether the results are the same to the byte. ``pip install 'dask[distributed]'`` for the last row; it is left out without it.
"""

from __future__ import annotations

import argparse
import importlib.util
import time
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from qiskit import QuantumCircuit, generate_preset_pass_manager
from qiskit_ibm_runtime.fake_provider import FakeTorino

from benchmarks._machine import describe
from benchmarks._workloads import draw
from qiskit_halo import MultiProgramCircuit
from qiskit_halo.device.model import DeviceModel
from qiskit_halo.device.region import connected_regions
from qiskit_halo.fragments.body import BodyReader
from qiskit_halo.fragments.compile import FragmentCompiler
from qiskit_halo.fragments.serialize import fragments_to_bytes
from qiskit_halo.fragments.settings import CompileSettings
from qiskit_halo.segments.find import find_components
from qiskit_halo.segments.pieces import find_pieces


def random_programs(count: int, seed: int) -> list[QuantumCircuit]:
    """Return distinct programs of 5 to 9 qubits and 40 two-qubit gates."""
    rng = np.random.default_rng(seed)
    programs = []
    for index in range(count):
        width = int(rng.integers(5, 10))
        circuit = QuantumCircuit(width, width, name=f"random {index}")
        for _ in range(40):
            first, second = rng.choice(width, 2, replace=False).tolist()
            circuit.ry(float(rng.uniform(0, np.pi)), first)
            circuit.cx(first, second)
        circuit.measure(range(width), range(width))
        programs.append(circuit)
    return programs


@contextmanager
def dask_executor(workers: int) -> Iterator[Executor]:
    from distributed import Client, LocalCluster

    with (
        LocalCluster(n_workers=workers, threads_per_worker=1, dashboard_address=None) as cluster,
        Client(cluster) as client,
    ):
        yield client.get_executor()


@contextmanager
def no_executor(workers: int) -> Iterator[None]:
    yield None


def find_bodies(device: DeviceModel, programs: list[QuantumCircuit], level: int) -> list[tuple[QuantumCircuit, str]]:
    """Return the distinct bodies of the programs, merged and prepared as the layout stage sees them."""
    preset = generate_preset_pass_manager(level, target=device.target, seed_transpiler=0)
    circuit = preset.init.run(MultiProgramCircuit(programs).circuit)
    segmentation = find_components(circuit)
    reader = BodyReader(circuit, segmentation)
    bodies = [reader.read(piece) for piece in find_pieces(segmentation)]
    return [(body.circuit, f"body {index}") for index, body in enumerate({b.key: b for b in bodies}.values())]


def measure(
    device: DeviceModel, bodies: list[tuple[QuantumCircuit, str]], level: int, executor: Executor | None
) -> tuple[float, bytes]:
    """Return the seconds until every body is compiled, and all results as bytes."""
    region = connected_regions(device)[0]
    started = time.perf_counter()
    compiler = FragmentCompiler(device, CompileSettings(optimization_level=level), executor=executor)
    compiler.prepare([(body, name, region) for body, name in bodies])
    results = [compiler.compile(body, region, name) for body, name in bodies]
    return time.perf_counter() - started, b"".join(fragments_to_bytes(fragments) for fragments in results)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--programs", type=Path, help="folder with HALO's suites as OpenQASM 2")
    parser.add_argument("--suite", default="small")
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--level", type=int, default=2)
    arguments = parser.parse_args()
    print(describe())
    if arguments.programs is None:
        programs = random_programs(arguments.count, seed=0)
    else:
        programs = draw(arguments.programs, arguments.suite, arguments.count, seed=0)
    device = DeviceModel(FakeTorino().target)
    bodies = find_bodies(device, programs, arguments.level)
    print(f"{len(bodies)} distinct bodies of {arguments.count} programs, FakeTorino, level {arguments.level}, no cache")
    ways: list[tuple[str, Any]] = [("serial", no_executor), ("ProcessPoolExecutor", ProcessPoolExecutor)]
    if importlib.util.find_spec("distributed") is not None:
        ways.append(("Dask LocalCluster", dask_executor))
    print(f"{'way':22s} workers  wall s  speed-up  same bytes")
    warm_up = find_bodies(device, random_programs(8 * arguments.workers, seed=1), arguments.level)
    serial_s, expected = 0.0, b""
    for name, make in ways:
        workers = 1 if make is no_executor else arguments.workers
        with make(workers) as executor:
            measure(device, warm_up, arguments.level, executor)  # start the workers and load the compiler
            seconds, found = measure(device, bodies, arguments.level, executor)
        serial_s, expected = (seconds, found) if make is no_executor else (serial_s, expected)
        print(f"{name:22s} {workers:7d} {seconds:7.2f} {serial_s / seconds:9.2f}  {found == expected}", flush=True)


if __name__ == "__main__":
    main()
