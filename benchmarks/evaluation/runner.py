"""Run every cell that is not there yet, on several processes."""

from __future__ import annotations

import os
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import asdict
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory

from qiskit.providers import BackendV2
from qiskit_ibm_runtime import fake_provider

from benchmarks._machine import describe
from benchmarks.evaluation.cells import Settings, failed_cell, run_cell
from benchmarks.evaluation.families.suites import SuiteMissingError
from benchmarks.evaluation.model import Job, System
from benchmarks.evaluation.store import Store
from benchmarks.evaluation.workloads import Workload
from qiskit_halo.fragments import body, measure
from qiskit_halo.fragments.cache import DIRECTORY_VARIABLE, MEMORY

Systems = Callable[[], dict[str, System]]
ONE_THREAD = {"OMP_NUM_THREADS": "1", "RAYON_NUM_THREADS": "1", "QISKIT_PARALLEL": "FALSE"}


def run(
    cells: Sequence[tuple[Workload, str]],
    systems: Systems,
    settings: Settings,
    *,
    folder: Path,
    source: Path | None = None,
    processes: int = 1,
) -> None:
    """Make every missing one of ``cells`` in ``folder`` and say so, one line each.

    Args:
        cells: Queues and names of systems, in the order that they are run.
        systems: Makes the systems; a module-level function, since processes import it.
        settings: What the figures depend on; a cell made with other settings is made again.
        folder: Of the cells.
        source: Folder of OpenQASM 2 suites instead of our own generators.
        processes: More than one runs cells side by side, each with one thread.
    """
    store = Store(folder)
    todo = [(workload, name) for workload, name in cells if store.read(workload.name, name, asdict(settings)) is None]
    print(f"{len(cells) - len(todo)} cells are there, {len(todo)} to make", flush=True)
    if processes == 1:
        for workload, name in todo:
            print(make_cell(workload, systems, name, settings, folder, source), flush=True)
        return
    os.environ.update(ONE_THREAD)
    tasks = [(workload, systems, name, settings, folder, source) for workload, name in todo]
    while tasks:
        tasks, suspects = _side_by_side(tasks, processes)
        for task in suspects:  # a process died: whose fault it was shows when each has one of its own
            _, more = _side_by_side([task], 1)
            if more:
                print(_record_death(*task), flush=True)


Task = tuple[Workload, Systems, str, Settings, Path, Path | None]


def _side_by_side(tasks: Sequence[Task], processes: int) -> tuple[list[Task], list[Task]]:
    """Make cells until all are made or a process dies; return those not begun, and those that were under way then."""
    waiting = list(reversed(tasks))
    running: dict[Future[str], Task] = {}
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        try:
            while waiting or running:
                while waiting and len(running) < processes:
                    task = waiting[-1]
                    running[pool.submit(make_cell, *task)] = task
                    waiting.pop()
                done, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in done:
                    print(future.result(), flush=True)
                    del running[future]
        except BrokenProcessPool:
            return list(reversed(waiting)), list(running.values())
    return [], []


def _record_death(
    workload: Workload, systems: Systems, name: str, settings: Settings, folder: Path, source: Path | None
) -> str:
    """Write the cell of a system whose process died, so that it is in the tables."""
    del systems
    jobs = _jobs(workload, settings.seed, source, settings.device)
    record = failed_cell(name, workload, jobs, settings, "its process died without a word")
    Store(folder).write({**record, "elapsed_s": 0.0, "cpu_s": 0.0, "machine": describe()})
    return f"{workload.name:34s} {name:28s} {record['failure']}"


def make_cell(
    workload: Workload, systems: Systems, name: str, settings: Settings, folder: Path, source: Path | None
) -> str:
    """Make one cell and return a line that says how it went."""
    warnings.simplefilter("ignore")
    started, cpu = time.perf_counter(), time.process_time()
    backend = backend_of(settings.device)
    try:
        jobs = _jobs(workload, settings.seed, source, settings.device)
    except SuiteMissingError as error:
        return f"{workload.name:34s} {name:28s} left out: {error}"
    store = Store(folder)
    with nothing_compiled():
        record = run_cell(systems()[name], workload, jobs, backend, settings, store.simulations)
    record["elapsed_s"] = time.perf_counter() - started
    record["cpu_s"] = time.process_time() - cpu
    record["machine"] = describe()
    store.write({**record, "system": name})
    return f"{workload.name:34s} {name:28s} {record['elapsed_s']:7.1f} s, CPU {record['cpu_s']:7.1f} s  {record['failure']}"


@contextmanager
def nothing_compiled() -> Iterator[None]:
    """Begin without compiled programs of other cells or earlier runs, so that compile time does not depend on them."""
    before = os.environ.get(DIRECTORY_VARIABLE)
    for memory in (MEMORY, body.MEMORY, measure.MEMORY):
        memory.clear()
    with TemporaryDirectory() as folder:
        os.environ[DIRECTORY_VARIABLE] = folder
        try:
            yield
        finally:
            if before is None:
                del os.environ[DIRECTORY_VARIABLE]
            else:
                os.environ[DIRECTORY_VARIABLE] = before


@cache
def backend_of(name: str) -> BackendV2:
    """Return a backend of the fake provider, the same object each time."""
    return getattr(fake_provider, name)()


@cache
def _jobs(workload: Workload, seed: int, source: Path | None, device: str) -> list[Job]:
    jobs = workload.jobs(seed, source, backend_of(device))
    if not jobs:
        raise SuiteMissingError(f"no program of {workload.suite!r} does better than twice a random device")
    return jobs
