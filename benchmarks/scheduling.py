"""Scheduling in figures: does it always finish, against Qiskit's ALAP, the policies side by side, and how long it takes.

    python -m benchmarks.scheduling --programs FOLDER [--seeds 5] [--only alap,policies,speed,suites]

Everything is on FakeTorino. ``alap`` and ``policies`` schedule one placed circuit in several ways, and judge each by its
start times alone. ``suites`` compiles batches of each of HALO's suites, filled up to a share of the device's qubits with
data qubits as HALO fills them, and compares every program's exact outcomes with its own circuit's. Medians over draws.
"""

from __future__ import annotations

import argparse
import random
import statistics
import time
import warnings
from collections.abc import Callable, Iterable
from pathlib import Path

from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister
from qiskit.circuit import Reset
from qiskit.transpiler import PassManager, Target
from qiskit_ibm_runtime.fake_provider import FakeTorino

from benchmarks._judge import Verdict, judge, schedule_by_qiskit
from benchmarks._machine import describe
from benchmarks._workloads import draw
from qiskit_halo import (
    HaloOptions,
    HaloReport,
    HaloScheduling,
    HaloTranspilerError,
    HaloValueError,
    HaloWarning,
    MultiProgramCircuit,
    generate_halo_pass_manager,
    verify_isolation,
)
from qiskit_halo.segments.find import find_components
from qiskit_halo.verification.equivalence import distribution_distance

SUITES = (
    "multiXsmall",
    "multiXmedium",
    "qecsmall",
    "qecmedium",
    "randomsmall",
    "randommedium",
    "arithsmall",
    "arithmedium",
)
RESEARCH_CODE = {
    "multiXmedium": "no progress 6/6",
    "arithsmall": "no progress 6/6",
    "arithmedium": "no progress 4/6",
    "randomsmall": "crash 3/6",
}
"""What HALO's research code does with six batches of these suites at a ratio of 0.8."""
FEWEST, MOST = 12, 30
"""Programs of a batch of one suite."""
SETTINGS = (
    ("packed", 0, 0.9),
    ("round_robin", 0, 0.9),
    ("round_robin", 100, 0.5),
    ("auto", 0, 0.9),
    ("auto", 100, 0.5),
)
"""(policy, microseconds that a program may wait, floor of predicted success)"""
MAX_QUBITS = 20
"""Programs whose exact simulation needs more entangled wires than this are counted, not compared."""


def place(
    programs: list[QuantumCircuit], backend: FakeTorino, options: HaloOptions
) -> tuple[MultiProgramCircuit, QuantumCircuit]:
    """Return a batch and its circuit before scheduling."""
    batch = MultiProgramCircuit(programs, options=options)
    passes = generate_halo_pass_manager(2, backend, options=options, seed_transpiler=0)
    passes.scheduling = None
    return batch, passes.run(batch.circuit)


def schedule(placed: QuantumCircuit, target: Target, **options: object) -> tuple[QuantumCircuit, HaloReport]:
    """Return a placed circuit as the halo stage schedules it, and its report."""
    circuit = PassManager([HaloScheduling(target, HaloOptions(**options))]).run(placed)
    return circuit, HaloReport.from_dict(circuit.metadata["halo"]["report"])


def compare_with_alap(folder: Path, seeds: int) -> None:
    """Live idle time, success and makespan over those of Qiskit's ALAP on the same placed circuit."""
    print(
        "\nAgainst Qiskit's ALAP on the same placed circuit, ours / ALAP (bars: idle 0.50, makespan 1.05, success > 0)"
    )
    print("programs  live idle us (ALAP)  live idle  makespan  mean success: ours    ALAP  difference")
    backend = FakeTorino()
    for count in (40, 100):
        rows = []
        for seed in range(seeds):
            _, placed = place(draw(folder, "small", count, seed), backend, HaloOptions())
            ours, alap = (
                judge(circuit, backend.target)
                for circuit in (schedule(placed, backend.target)[0], schedule_by_qiskit(placed, backend.target))
            )
            rows.append(
                (
                    alap.live_idle_s * 1e6,
                    ours.live_idle_s / alap.live_idle_s,
                    ours.makespan_s / alap.makespan_s,
                    mean_success(ours),
                    mean_success(alap),
                    mean_success(ours) - mean_success(alap),
                )
            )
        print("{:8d}  {:19.0f}  {:9.3f}  {:8.3f}  {:18.4f}  {:6.4f}  {:10.4f}".format(count, *medians(rows)))


def mean_success(verdict: Verdict) -> float:
    return statistics.mean(verdict.success.values())


def compare_policies(folder: Path, seeds: int) -> None:
    """Makespan, waiting, success and fairness of every policy on the same placed circuit."""
    print("\nPolicies on the same placed circuit; slowdown: end of a program / its length alone")
    print(
        "workload                   policy       wait allowed us  floor  makespan us  waited us  mean success  slowdown mean  worst"
    )
    backend = FakeTorino()
    for name, make in (
        ("100 small", lambda seed: place(draw(folder, "small", 100, seed), backend, HaloOptions())[1]),
        (
            "12 helpers, data apart",
            lambda seed: place(draw(folder, "helpers", 12, seed), backend, HaloOptions(sharing="helpers"))[1],
        ),
        ("helpers by hand, 6 rounds", lambda seed: by_hand(backend.target, 6, seed)),
    ):
        placements = [make(seed) for seed in range(seeds)]
        lengths = [lengths_alone(placed, backend.target) for placed in placements]
        for policy, max_wait_us, floor in SETTINGS:
            rows = []
            for placed, alone in zip(placements, lengths, strict=True):
                _, report = schedule(
                    placed, backend.target, policy=policy, max_wait_s=max_wait_us * 1e-6, success_floor=floor
                )
                own = [p for p in report.programs if p.index is not None]
                slowdowns = [(p.start_s + p.length_s) / alone[p.index] for p in own]
                rows.append(
                    (
                        report.makespan_s * 1e6,
                        sum(p.wait_s for p in own) * 1e6,
                        statistics.mean(p.success_merged for p in own),
                        statistics.mean(slowdowns),
                        max(slowdowns),
                    )
                )
            print(
                "{:25s}  {:11s}  {:15d}  {:5.2f}  {:11.1f}  {:9.1f}  {:12.4f}  {:13.2f}  {:5.2f}".format(
                    name, policy, max_wait_us, floor, *medians(rows)
                )
            )


def by_hand(target: Target, rounds: int, seed: int) -> QuantumCircuit:
    """Return HALO's pattern without routing: three programs around each helper, each needing it again and again.

    A program has one data qubit and measures its phase by the helper, round after round, with idle work in between.
    """
    rng = random.Random(seed)
    neighbours: dict[int, list[int]] = {}
    for (a, b), properties in target["cz"].items():
        if properties.error < 0.05:
            neighbours.setdefault(a, []).append(b)
    taken: set[int] = set()
    groups = []
    for helper, around in sorted(neighbours.items()):
        if len(around) == 3 and not taken & {helper, *around}:
            taken |= {helper, *around}
            groups.append((helper, sorted(around)))
    members = [(helper, data) for helper, around in groups for data in around]
    circuit = QuantumCircuit(
        QuantumRegister(target.num_qubits, "q"),
        *(ClassicalRegister(rounds + 1, f"p{k}_c") for k in range(len(members))),
    )
    for round_index in range(rounds):
        for program, (helper, data) in enumerate(members):
            for _ in range(rng.randrange(60)):
                circuit.sx(data)
            circuit.reset(helper)
            circuit.sx(helper)
            circuit.cz(helper, data)
            circuit.sx(helper)
            circuit.measure(helper, program * (rounds + 1) + round_index)
    for program, (_, data) in enumerate(members):
        circuit.measure(data, program * (rounds + 1) + rounds)
    return circuit


def lengths_alone(placed: QuantumCircuit, target: Target) -> dict[int, float]:
    """Return how long each program takes where it is, with nobody else on the device."""
    own: dict[int, list[int]] = {}
    for component in find_components(placed).components:
        for owner in component.owners:
            own.setdefault(owner, []).extend(component.operations)
    resets = [position for position, instruction in enumerate(placed.data) if instruction.name == "reset"]
    lengths = {}
    for owner, positions in own.items():
        alone = placed.copy_empty_like()
        for position in sorted([*positions, *resets]):
            alone.append(placed.data[position])
        lengths[owner] = schedule(alone, target, policy="packed")[1].makespan_s
    return lengths


def measure_speed(folder: Path, seeds: int) -> None:
    """Process CPU time of the scheduling stage, and how it grows."""
    print(
        "\nCPU seconds of the scheduling stage, isolation check left out (bars: 1 s for 20 000 operations; 10 x <= 12 x)"
    )
    print("programs  operations  seconds  seconds a 10 000 operations")
    backend = FakeTorino()
    _, placed = place(draw(folder, "small", 100, 0), backend, HaloOptions())
    seconds = []
    for copies in (1, 2, 5, 10):
        circuit = repeat(placed, copies)
        found = fastest(lambda c=circuit: schedule(c, backend.target), max(3, seeds // copies))
        seconds.append(found)
        number = len(circuit.data)
        print(f"{100 * copies:8d}  {number:10d}  {found:7.2f}  {found / number * 1e4:27.3f}")
    print(f"10 x the operations take {seconds[-1] / seconds[0]:.1f} x the time")


def repeat(placed: QuantumCircuit, copies: int) -> QuantumCircuit:
    """Return ``copies`` batches one after another on the same qubits, as programs of their own."""
    out = QuantumCircuit(QuantumRegister(placed.num_qubits, "q"))
    used = sorted({placed.find_bit(q).index for instruction in placed.data for q in instruction.qubits})
    programs = len(placed.metadata["halo"]["programs"])
    for copy in range(copies):
        bits = {}
        for register in placed.cregs:
            index, _, name = register.name[1:].partition("_")
            own = ClassicalRegister(register.size, f"p{int(index) + copy * programs}_{name}")
            out.add_register(own)
            bits.update(zip(register, own, strict=True))
        if copy:
            for qubit in used:
                out.append(Reset(), [qubit])
        for instruction in placed.data:
            qubits = [out.qubits[placed.find_bit(q).index] for q in instruction.qubits]
            clbits = [bits[bit] for bit in instruction.clbits]
            out.append(instruction.replace(qubits=qubits, clbits=clbits), copy=False)
    return out


def fastest(run: Callable[[], object], repeats: int) -> float:
    """Return the shortest CPU time of a few runs, the one least disturbed by the machine."""
    times = []
    for _ in range(repeats):
        started = time.process_time()
        run()
        times.append(time.process_time() - started)
    return min(times)


def run_suites(folder: Path, ratios: Iterable[float], seeds: int) -> None:
    """Compile batches of every suite; check that all finish, isolated, with every program's exact outcomes."""
    print("\nBatches filled with data qubits up to a ratio of the device; data qubits exclusive where they all fit,")
    print("else shared. Exact: largest distance of a program's outcomes from its own, by simulation of all branches")
    print(
        "suite         ratio  batches  programs  finished  isolated  data exclusive  compared  exact     research code"
    )
    backend = FakeTorino()
    for suite in SUITES:
        for ratio in ratios:
            totals = {"programs": 0, "finished": 0, "exclusive": 0, "compared": 0, "all": 0}
            worst = 0.0
            for seed in range(seeds):
                programs = fill(folder, suite, ratio * backend.num_qubits, seed)
                totals["programs"] += len(programs)
                compiled, exclusive, batch = compile_batch(programs, backend)
                totals["exclusive"] += exclusive
                totals["finished"] += 1
                verify_isolation(compiled, target=backend.target, resets=2)
                for index, program in enumerate(batch.programs):
                    totals["all"] += 1
                    try:
                        distance = distribution_distance(program.circuit, compiled, index, max_qubits=MAX_QUBITS)
                    except HaloValueError:
                        continue
                    totals["compared"] += 1
                    worst = max(worst, distance)
            print(
                f"{suite:12s}  {ratio:5.2f}  {seeds:7d}  {totals['programs'] / seeds:8.1f}  {totals['finished']:8d}  "
                f"{totals['finished']:8d}  {totals['exclusive']:14d}  {totals['compared']:4d}/{totals['all']:<4d} {worst:.1e}  "
                f"{RESEARCH_CODE.get(suite, '-') if ratio == 0.8 else '-'}",
                flush=True,
            )


def fill(folder: Path, suite: str, budget: float, seed: int) -> list[QuantumCircuit]:
    """Return programs in order of arrival, each taken if its data qubits still fit; at least a few, whatever they need."""
    taken: list[QuantumCircuit] = []
    used = 0
    for program in draw(folder, suite, MOST, seed):
        data = sum(register.size for register in program.qregs if register.name != "helper")
        if used + data <= budget or len(taken) < FEWEST:
            taken.append(program)
            used += data
    return taken


def compile_batch(
    programs: list[QuantumCircuit], backend: FakeTorino
) -> tuple[QuantumCircuit, bool, MultiProgramCircuit]:
    """Return the compiled batch, and whether data qubits are exclusive."""
    for sharing in ("helpers", "all"):
        options = HaloOptions(sharing=sharing, policy="round_robin", max_wait_s=20e-6)
        batch = MultiProgramCircuit(programs, options=options)
        try:
            compiled = generate_halo_pass_manager(1, backend, options=options, seed_transpiler=0).run(batch.circuit)
        except HaloTranspilerError:
            if sharing == "all":
                raise
            continue
        return compiled, sharing == "helpers", batch
    raise AssertionError("not reached")


def medians(rows: list[tuple[float, ...]]) -> list[float]:
    return [statistics.median(column) for column in zip(*rows, strict=True)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--programs", type=Path, required=True, help="folder with HALO's suites as OpenQASM 2")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--ratios", type=float, nargs="+", default=[0.5, 0.6, 0.7, 0.8, 0.9])
    parser.add_argument("--only", default="alap,policies,speed,suites")
    arguments = parser.parse_args()
    # Programs that miss their floor are a matter of placement; here they would only fill the screen.
    warnings.simplefilter("ignore", HaloWarning)
    print(describe())
    parts = arguments.only.split(",")
    if "alap" in parts:
        compare_with_alap(arguments.programs, arguments.seeds)
    if "policies" in parts:
        compare_policies(arguments.programs, arguments.seeds)
    if "speed" in parts:
        measure_speed(arguments.programs, arguments.seeds)
    if "suites" in parts:
        run_suites(arguments.programs, arguments.ratios, arguments.seeds)


if __name__ == "__main__":
    main()
