"""What the space manager packs, how close to the limit and how fast; each figure beside its reference and its bar.

    python -m benchmarks.packing [--programs FOLDER] [--only small floor fez dense helpers levels speed large lines] [--seeds 5]

Success is that of a program in the merged circuit over the same program alone under plain ``transpile(optimization_level=3,
seed_transpiler=0)``, both predicted; references that use a dead coupler are left out and counted. Ratios are modelled QPU time
one by one over merged, at repetition delays of 250, 50 and 0 us. Figures are medians over draws, "worst" is the worst of all
draws. ``--programs`` is the folder of HALO's suites as OpenQASM 2; without it only ``lines`` can run. Times are process CPU
time: run it on a machine that does nothing else. ``lines`` gives the exact optimum too where OR-tools is installed.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import time
import warnings
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from qiskit import QuantumCircuit, transpile
from qiskit.providers import BackendV2
from qiskit.providers.fake_provider import GenericBackendV2
from qiskit.transpiler import CouplingMap
from qiskit_ibm_runtime.fake_provider import FakeFez, FakeTorino

from benchmarks._exact import most_paths
from benchmarks._machine import describe
from benchmarks._workloads import draw
from qiskit_halo import (
    HaloError,
    HaloLayout,
    HaloOptions,
    HaloReport,
    MultiProgramCircuit,
    generate_halo_pass_manager,
    predict_success,
    verify_isolation,
)
from qiskit_halo.report import ProgramReport

DELAYS = ("250", "50", "0")
REPEATS = 3
STAGES = ("compile + pack", "whole run")


class Seconds(NamedTuple):
    cpu: float
    wall: float


@dataclass(frozen=True)
class Packed:
    """A compiled batch: its report, its circuit, and the time that it took, on this process's CPU and on the wall.

    ``placed`` is the time until all forms are compiled and have their places and starts, ``whole`` the time until the merged
    circuit is scheduled, written and checked too.
    """

    report: HaloReport
    circuit: QuantumCircuit
    placed: Seconds
    whole: Seconds

    @property
    def cpu_s(self) -> float:
        return self.whole.cpu

    @property
    def alone_s(self) -> float:
        """Modelled QPU time of a shot of every program one by one, without repetition delay."""
        report = self.report
        return report.qpu_time_ratios["0"] * (report.makespan_s + report.reset_s)


def compile_batch(
    programs: Sequence[QuantumCircuit], backend: BackendV2, options: HaloOptions, executor: Executor | None = None
) -> Packed:
    batch = MultiProgramCircuit(programs)
    circuit = batch.circuit
    placed: list[Seconds] = []
    began, started = time.perf_counter(), time.process_time()

    def since() -> Seconds:
        return Seconds(time.process_time() - started, time.perf_counter() - began)

    def note(**run: Any) -> None:
        if isinstance(run["pass_"], HaloLayout):
            placed.append(since())

    passes = generate_halo_pass_manager(2, backend, options=options, seed_transpiler=0, executor=executor)
    compiled = passes.run(circuit, callback=note)
    whole = since()
    verify_isolation(compiled, target=backend.target, resets=options.resets, buffer=options.buffer)
    return Packed(HaloReport.from_dict(compiled.metadata["halo"]["report"]), compiled, placed[0], whole)


class References:
    """Predicted success of programs alone under plain transpile, each computed once."""

    def __init__(self, backend: BackendV2) -> None:
        self._backend = backend
        self._known: dict[str, float] = {}

    def ratios(self, programs: Sequence[QuantumCircuit], report: HaloReport) -> list[float]:
        merged = [p.success_merged for p in report.programs if p.index is not None]
        alone = [self.alone(program) for program in programs]
        return [m / a for m, a in zip(merged, alone, strict=True) if m is not None and a > 0]

    def alone(self, program: QuantumCircuit) -> float:
        """Return the predicted success of a program alone."""
        if program.name not in self._known:
            reference = transpile(program, self._backend, optimization_level=3, seed_transpiler=0)
            self._known[program.name] = predict_success(reference, self._backend.target).get(0, 1.0)
        return self._known[program.name]


def say(what: str, figure: object, bar: str = "", note: str = "") -> None:
    shown = f"{figure:.3g}" if isinstance(figure, float) else str(figure)
    print(f"  {what:58s} {shown:>22s}   bar {bar:24s} {note}", flush=True)


def pack_suite(
    folder: Path, suite: str, count: int, backend: BackendV2, options: HaloOptions, seeds: int, bars: dict[str, str]
) -> None:
    references = References(backend)
    ratios: list[list[float]] = []
    times: list[tuple[float, ...]] = []
    fullness: list[float] = []
    left_out = 0
    for seed in range(seeds):
        programs = draw(folder, suite, count, seed)
        packed = compile_batch(programs, backend, options)
        ratios.append(references.ratios(programs, packed.report))
        left_out += count - len(ratios[-1])
        times.append(tuple(packed.report.qpu_time_ratios[delay] for delay in DELAYS))
        fullness.append(packed.report.packing_efficiency or 0.0)
    middle = [statistics.median(own) for own in zip(*times, strict=True)]
    say("QPU time, one by one over merged, 250 / 50 / 0 us", " / ".join(f"{x:.1f}" for x in middle), bars["times"])
    spread = " ".join("/".join(f"{x:.1f}" for x in own) for own in times)
    say(
        "success, mean",
        statistics.median(map(statistics.mean, ratios)),
        bars.get("mean", ""),
        f"times of each draw: {spread}",
    )
    say("success, median", statistics.median(map(statistics.median, ratios)), bars.get("median", ""))
    say("success, worst", min(map(min, ratios)), bars.get("worst", ""), f"{left_out} references use a dead coupler")
    say("busy qubit-time / (qubits x makespan)", statistics.median(fullness), bars.get("fullness", ""))


def small(folder: Path, seeds: int) -> None:
    print("small: 100 small programs on FakeTorino (greedy prototype: 44 / 14.5 / 1.9 at 0.990, worst 0.85)")
    bars = {"times": ">= 60 / 25 / 3.6", "mean": ">= 0.98", "worst": ">= 0.80"}
    pack_suite(folder, "small", 100, FakeTorino(), HaloOptions(), seeds, bars)


def floor(folder: Path, seeds: int) -> None:
    print("floor: the same with success_floor=0.95")
    bars = {"times": ">= 52 / 20 / 2.8", "mean": ">= 1.00", "worst": ">= 0.90"}
    pack_suite(folder, "small", 100, FakeTorino(), HaloOptions(success_floor=0.95), seeds, bars)


def fez(folder: Path, seeds: int) -> None:
    print("fez: 100 small programs on FakeFez (prototype: 40 / 13 / 1.6 at 1.05, worst 0.81)")
    bars = {"times": ">= 58 / 23 / 3.2", "mean": ">= 1.00", "worst": ">= 0.80"}
    pack_suite(folder, "small", 100, FakeFez(), HaloOptions(), seeds, bars)


def dense(folder: Path, seeds: int) -> None:
    print("dense: 300 small programs on FakeTorino (prototype fills 0.19-0.30)")
    pack_suite(folder, "small", 300, FakeTorino(), HaloOptions(), seeds, {"times": "", "fullness": ">= 0.35"})


def helpers(folder: Path, seeds: int) -> None:
    print("helpers: 12 programs with helpers on FakeTorino (prototype: 6.9 / 3.1 / 1.1 at median 1.09)")
    bars = {"times": ">= 8 / 4.2 / 1.7", "median": ">= 1.1"}
    pack_suite(folder, "helpers", 12, FakeTorino(), HaloOptions(), seeds, bars)


def levels(folder: Path, seeds: int) -> None:
    print(
        "levels: 12 programs with helpers by sharing level, without a repetition delay; in as many batches as it takes"
    )
    backend = FakeTorino()
    references = References(backend)
    for keep_floors in (True, False):
        what = "as many as keep their floor" if keep_floors else "as many as fit, floor or not"
        print(f"  a batch holds {what}")
        faster, better, bounds = [], [], []
        for seed in range(seeds):
            programs = draw(folder, "helpers", 12, seed)
            seconds, success = {}, {}
            least_s = 0.0
            for level in ("none", "helpers", "all"):
                options = HaloOptions(sharing=level, rep_delay_s=0.0)
                batches = in_batches(programs, backend, options, keep_floors=keep_floors)
                seconds[level] = sum(packed.report.makespan_s + packed.report.reset_s for _, packed in batches)
                ratios = [ratio for own, packed in batches for ratio in references.ratios(own, packed.report)]
                success[level] = statistics.mean(ratios)
                alone_s = sum(packed.alone_s for _, packed in batches)
                if level == "helpers":
                    least_s = max(shortest_s(packed.report) for _, packed in batches)
                print(
                    f"    draw {seed} {level:8s} batches of {' + '.join(str(len(own)) for own, _ in batches):22s} "
                    f"{alone_s / seconds[level]:.2f} times less at 0 us, mean success {success[level]:.3f}",
                    flush=True,
                )
            faster.append(seconds["none"] / seconds["helpers"])
            better.append(success["helpers"] / success["none"])
            bounds.append(seconds["none"] / least_s)
        say(
            "QPU time at 0 us, 'none' over 'helpers'",
            statistics.median(faster),
            ">= 1.5",
            " ".join(f"{x:.2f}" for x in faster),
        )
        say(
            "  the same if nothing but the longest program took time",
            statistics.median(bounds),
            "",
            " ".join(f"{x:.2f}" for x in bounds),
        )
        say("mean success, 'helpers' over 'none'", statistics.median(better), ">= 0.9")


def shortest_s(report: HaloReport) -> float:
    """Return what a shot takes at least: the longest program, each in its shortest form that keeps its floor."""
    longest_s = 0.0
    for program in report.programs:
        floor = program.success_floor or 0.0
        lengths = [form.length_s for form in program.forms if form.success >= floor]
        longest_s = max(longest_s, min(lengths, default=program.length_s))
    return longest_s + report.reset_s


def in_batches(
    programs: list[QuantumCircuit], backend: BackendV2, options: HaloOptions, *, keep_floors: bool
) -> list[tuple[list[QuantumCircuit], Packed]]:
    """Return batches of as many programs as fit, in order.

    Args:
        programs: The programs.
        backend: The device.
        options: How they share it.
        keep_floors: Whether a batch may only hold more than one program if all keep their floor.
    """
    batches = []
    while programs:
        for size in range(len(programs), 0, -1):
            try:
                packed = compile_batch(programs[:size], backend, options)
            except HaloError:
                continue
            if keep_floors and size > 1 and not all(map(keeps_floor, packed.report.programs)):
                continue
            batches.append((programs[:size], packed))
            programs = programs[size:]
            break
        else:
            raise SystemExit(f"{programs[0].name} does not fit by itself")
    return batches


def keeps_floor(program: ProgramReport) -> bool:
    return (program.success_merged or 0.0) >= (program.success_floor or 0.0) - 1e-9


def speed(folder: Path, seeds: int) -> None:
    print("speed: 100 small programs on FakeTorino, level 2 (prototype 5.6-6.5 s)")
    # Whatever else a machine does only adds: of several runs the least says most of the code, the median most of the minute.
    cold, warm, distinct, plain_s = [], [], [], []
    for seed in range(seeds):
        backend = FakeTorino()
        backend.target  # noqa: B018, read before the clock starts: it is the user's
        programs = draw(folder, "small", 100, seed)
        kinds = list({program.name: program for program in programs}.values())
        distinct.append(len(kinds))
        # In turns with what is measured, since one machine is fast now and slow then.
        plain_s.append(min(_plain_s(kinds, backend) for _ in range(REPEATS)))
        cold.append(_times(programs, backend, HaloOptions(cache=False)))
        compile_batch(programs, backend, HaloOptions())
        warm.append(_times(programs, backend, HaloOptions()))
    for name, found, bar in (("cold", cold, "<= 4"), ("warm", warm, "<= 1")):
        # Axes: draws, runs, what was done, clocks. The prototype compiled and packed, but wrote no circuit and checked none.
        times = np.array(found)
        for which, of in ((f"least of {REPEATS}", np.min), ("median", np.median)):
            for part, (cpu_s, wall_s) in zip(STAGES, np.median(of(times, axis=1), axis=0), strict=True):
                say(f"CPU seconds, {name}, {part}, {which}", float(cpu_s), bar)
                say("  on the wall", float(wall_s), bar)
    say("distinct programs", statistics.median(distinct))
    each = [min(whole.cpu for _, whole in runs) / one_s for runs, one_s in zip(cold, plain_s, strict=True)]
    say("CPU seconds, cold, over plain transpile of each distinct one", statistics.median(each))
    workers = os.cpu_count() or 1
    pooled = []
    with ProcessPoolExecutor(workers) as pool:
        # Workers that are started and have loaded the compiler.
        compile_batch(draw(folder, "small", 8 * workers, seeds), FakeTorino(), HaloOptions(cache=False), pool)
        for seed in range(seeds):
            backend = FakeTorino()
            backend.target  # noqa: B018, see above
            programs = draw(folder, "small", 100, seed)
            packed = compile_batch(programs, backend, HaloOptions(cache=False), pool)
            pooled.append((packed.placed.wall, packed.whole.wall))
    for part, wall_s in zip(STAGES, np.median(pooled, axis=0), strict=True):
        say(f"seconds on the wall, cold, {part}, {workers} processes", float(wall_s), "<= 4")


def _plain_s(programs: Sequence[QuantumCircuit], backend: BackendV2) -> float:
    """Return the CPU time of plain transpile of each program alone, at the same level."""
    started = time.process_time()
    for program in programs:
        transpile(program, backend, optimization_level=2, seed_transpiler=0)
    return time.process_time() - started


def _times(
    programs: Sequence[QuantumCircuit], backend: BackendV2, options: HaloOptions
) -> list[tuple[Seconds, Seconds]]:
    """Return the times of some runs, by STAGES; what they return is dropped, as later runs would bear it."""
    times = []
    for _ in range(REPEATS):
        packed = compile_batch(programs, backend, options)
        times.append((packed.placed, packed.whole))
    return times


def large(folder: Path, seeds: int) -> None:
    coupling = CouplingMap.from_heavy_hex(21)
    print(f"large: small programs on a heavy-hex device of {coupling.size()} qubits, one draw")
    backend = GenericBackendV2(coupling.size(), basis_gates=["cz", "rz", "sx", "x"], coupling_map=coupling, seed=1)
    backend.target  # noqa: B018, see above
    each = {}
    for count in (100, 1000):
        packed = compile_batch(draw(folder, "small", count, 0), backend, HaloOptions(cache=False))
        each[count] = packed.cpu_s / count
        say(f"CPU seconds, {count} programs", packed.cpu_s, "<= 30" if count == 1000 else "")
        times = " / ".join(f"{packed.report.qpu_time_ratios[delay]:.0f}" for delay in DELAYS)
        say("QPU time, one by one over merged, 250 / 50 / 0 us", times)
    say("time a program, 1000 over 100", each[1000] / each[100], "< 1.5")
    say("memory, GB", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6, "<= 2")


def ghz(num_qubits: int) -> QuantumCircuit:
    return around(num_qubits, list(pairwise(range(num_qubits))))


def around(num_qubits: int, pairs: Sequence[tuple[int, int]]) -> QuantumCircuit:
    circuit = QuantumCircuit(num_qubits, num_qubits)
    circuit.h(0)
    for a, b in pairs:
        circuit.cx(a, b)
    circuit.measure(range(num_qubits), range(num_qubits))
    return circuit


def lines(folder: Path | None, seeds: int) -> None:
    print(
        "lines: space only, FakeTorino; qc-parallelizer 2.1.1: 68 % with a hop of buffer, 86 % without, 37 circuits/s"
    )
    backend = FakeTorino()
    ring = around(4, [(0, 1), (1, 2), (2, 3), (3, 0)])
    star = around(5, [(0, 1), (0, 2), (0, 3), (0, 4)])
    compile_batch([ghz(2)], backend, HaloOptions(cache=False))  # imports
    for name, circuit, wanted in (
        ("5-qubit lines", ghz(5), 40),
        ("4-qubit rings", ring, 20),
        ("5-qubit stars", star, 18),
    ):
        for buffer in (0, 1):
            options = HaloOptions(sharing="none", buffer=buffer, success_floor=0.0, reuse="none", cache=False)
            number, packed = most_that_fit(circuit, wanted, backend, options)
            used = number * circuit.num_qubits / backend.num_qubits
            at_once = fewest_rounds(packed.report)
            bar = {0: ">= 90 %", 1: ">= 75 %"}[buffer] if wanted == 40 else f">= {wanted} programs"
            say(
                f"{name}, {buffer} hops of buffer", f"{number} = {100 * used:.1f} %", bar,
                f"{number / packed.cpu_s:.0f} circuits/s (bar 60), {at_once} round(s) in time",
            )  # fmt: skip
            if wanted != 40:
                alone = gates_alone(circuit, backend)
                gates = sum(i.operation.num_qubits == 2 and i.name != "barrier" for i in packed.circuit.data)
                say("  two-qubit gates over each compiled alone", gates / (number * alone), "<= 1.00")
    optimum = most_paths(5, backend.target)
    for buffer, best in enumerate(optimum):
        say(
            f"exact optimum, all at one time, {buffer} hops of buffer",
            f"{best} = {500 * best / backend.num_qubits:.1f} %",
        )


def most_that_fit(circuit: QuantumCircuit, wanted: int, backend: BackendV2, options: HaloOptions) -> tuple[int, Packed]:
    """Return the most copies, ``wanted`` at most, that one batch takes, by bisection."""
    least, most, best = 0, wanted, None
    while least < most:
        middle = (least + most + 1) // 2
        try:
            best, least = compile_batch([circuit] * middle, backend, options), middle
        except HaloError:
            most = middle - 1
    if best is None:
        raise SystemExit(f"not one of {wanted} fits")
    return least, best


def fewest_rounds(report: HaloReport) -> int:
    """Return how many programs at most follow each other in time, one starting when the other has ended."""
    spans = sorted((p.start_s + p.length_s, p.start_s) for p in report.programs if p.index is not None)
    rounds, free_at = 0, -np.inf
    for stop, start in spans:
        if start >= free_at:
            rounds, free_at = rounds + 1, stop
    return rounds


def gates_alone(circuit: QuantumCircuit, backend: BackendV2) -> int:
    alone = transpile(circuit, backend, optimization_level=3, seed_transpiler=0)
    return sum(i.operation.num_qubits == 2 and i.name != "barrier" for i in alone.data)


PARTS: dict[str, Callable[..., None]] = {
    own.__name__: own for own in (small, floor, fez, dense, helpers, levels, speed, large, lines)
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--programs", type=Path, help="folder with HALO's suites as OpenQASM 2")
    parser.add_argument("--only", nargs="+", choices=list(PARTS), default=list(PARTS))
    parser.add_argument("--seeds", type=int, default=5)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    print(describe())
    for name in arguments.only:
        if arguments.programs is None and name != "lines":
            print(f"{name}: needs --programs, left out")
            continue
        PARTS[name](arguments.programs, arguments.seeds)


if __name__ == "__main__":
    main()
