"""What the compiler's fixed numbers were chosen by: each with others beside it.

    python -m benchmarks.choices --programs FOLDER [--only routings starts ways lists mirrors homes regions markets orders openings bound exact weak chance] [--seeds 3]

``--programs`` is the folder of HALO's suites as OpenQASM 2. All on FakeTorino but ways and homes. Success is predicted, "alone" is plain
``transpile(optimization_level=3, seed_transpiler=0)``.
"""

from __future__ import annotations

import argparse
import math
import statistics
import time
import warnings
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from importlib.util import find_spec
from itertools import product
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
from qiskit import QuantumCircuit, transpile
from qiskit.providers import BackendV2
from qiskit_ibm_runtime.fake_provider import FakeFez, FakeSherbrooke, FakeTorino

from benchmarks._machine import describe
from benchmarks._optimum import Batch, least_cost
from benchmarks._workloads import draw
from benchmarks.evaluation.workloads import Workload
from benchmarks.packing import References, around, compile_batch, keeps_floor
from qiskit_halo import HaloOptions, HaloReport, MultiProgramCircuit, generate_halo_pass_manager
from qiskit_halo.device.model import DeviceModel
from qiskit_halo.fragments import routing, settings, single, stages, timing
from qiskit_halo.fragments.body import Body, BodyReader
from qiskit_halo.fragments.lines import in_line
from qiskit_halo.fragments.mirrors import mirror_gates
from qiskit_halo.fragments.settings import CompileSettings
from qiskit_halo.placement import catalogue, packing, sequencing, space_manager
from qiskit_halo.placement.board import Board
from qiskit_halo.placement.candidates import Candidates
from qiskit_halo.placement.catalogue import Catalogue
from qiskit_halo.placement.filling import PlacedItem, Recompile, fill
from qiskit_halo.placement.items import PackingItem
from qiskit_halo.placement.rents import RelaxedPacking
from qiskit_halo.segments.find import find_components
from qiskit_halo.segments.pieces import find_pieces

SOLVER_SECONDS = 60.0


def routings(folder: Path, seeds: int, backend: BackendV2) -> None:
    print(
        "routings of each body at level 2: its best success over that alone, over the programs of 100 small ones a draw"
    )
    references = References(backend)
    for number in (8, 12, 16, 24):
        cpu_s, share = 0.0, {}
        with patch.object(settings, "NUM_VARIANTS", (1, 4, number, 16)):
            for seed in range(seeds):
                programs = draw(folder, "small", 100, seed)
                packed = compile_batch(programs, backend, HaloOptions(cache=False))
                cpu_s += packed.cpu_s / seeds
                for own in packed.report.programs:
                    if own.index is not None and own.success_alone is not None:
                        name = programs[own.index].name
                        ratio = own.success_alone / references.alone(programs[own.index])
                        share[name] = min(ratio, share.get(name, math.inf))
        print(
            f"  {number:3d}: least {min(share.values()):.3f}, mean {statistics.mean(share.values()):.3f} of "
            f"{len(share)} programs, {cpu_s:.1f} s CPU a batch",
            flush=True,
        )


def starts(folder: Path, seeds: int, backend: BackendV2) -> None:
    print(
        "starts of SABRE, as many as a part has qubits but so many at most, and routings in a row that only repeat, after which none "
        "follow: best success of each body over that with the first, each seed of the compiler; CPU of finding forms and places"
    )
    programs = [random_program(seed) for seed in range(20)]
    for seed in range(seeds):
        programs += draw(folder, "small", 100, seed)
    variants = {
        f"{most:2d} starts, {repeats:4d} repeats": [
            patch.object(stages, "_SABRE_MOST_STARTS", most),
            patch.object(routing, "REPEATS", repeats),
        ]
        for most, repeats in ((20, 1_000), (20, 2), (10, 1_000), (10, 3), (10, 2), (6, 2))
    }
    _compare(programs, DeviceModel(backend.target), variants, 5)


def ways(folder: Path, seeds: int, backend: BackendV2) -> None:
    print(
        "what helps routing: best success of each body over that with all of it, each seed of the compiler, "
        "and of bodies of twelve qubits or more; CPU of finding forms and places"
    )
    programs = []
    for seed in range(seeds):
        programs += [*draw(folder, "small", 100, seed), *draw(folder, "helpers", 6, seed)]
    variants = {
        "all": [],
        "no starts along a line": [patch.object(routing, "line_starts", lambda *_: [])],
        "SWAPs as they come": [patch.object(routing, "with_cheap_swaps", lambda data, **_: list(data))],
        "no spare routings": [patch.object(single, "MOST_SPARE", 0)],
        "none of these": [
            patch.object(routing, "line_starts", lambda *_: []),
            patch.object(routing, "with_cheap_swaps", lambda data, **_: list(data)),
            patch.object(single, "MOST_SPARE", 0),
        ],
    }
    for own in (backend, FakeFez()):
        print(f"  {own.name}")
        _compare(programs, DeviceModel(own.target), variants, 3)


def lists(folder: Path, seeds: int, backend: BackendV2) -> None:
    print(
        "order of qubits: two-qubit gates of plain transpile(optimization_level=2), least and most of four seeds: of programs as they "
        "are written, of their bodies, of these with those qubits near each other that meet"
    )
    named = {program.name: program for suite in ("small", "helpers") for program in draw(folder, suite, 100, 0)}
    for name in sorted(named):
        widths = {body.circuit.num_qubits: body.circuit for body in bodies_of(named[name])}
        if max(widths, default=0) < 9:
            continue
        body = widths[max(widths)]
        place = {qubit: index for index, qubit in enumerate(in_line(body))}
        near = body.copy_empty_like().compose(body, [place[qubit] for qubit in body.qubits])
        shown = []
        for circuit in (named[name], body, near):
            gates = [
                transpile(circuit, backend, optimization_level=2, seed_transpiler=seed).num_nonlocal_gates()
                for seed in range(4)
            ]
            shown.append(f"{min(gates)}-{max(gates)}")
        print(f"  {name:40s} {', '.join(shown)}", flush=True)


def _compare(
    programs: Sequence[QuantumCircuit], device: DeviceModel, variants: Mapping[str, Sequence[Any]], seeds: int
) -> None:
    """Print success and CPU time with each set of patches, over those of the first; in turns, as machines change their pace."""
    bodies = {body.key: body for program in programs for body in bodies_of(program)}
    is_wide = [body.circuit.num_qubits >= 12 for body in bodies.values()]
    best: dict[str, list[list[float]]] = {name: [] for name in variants}
    cpu_s: dict[str, list[float]] = {name: [] for name in variants}
    for seed in range(seeds):
        for name, patches in variants.items():
            with ExitStack() as stack:
                for own in patches:
                    stack.enter_context(own)
                found, seconds = _best(bodies, device, seed)
            best[name].append(found)
            cpu_s[name].append(seconds)
    (first, usual), *_ = best.items()
    for name, found_by_seed in best.items():
        gains = [[b - u for b, u in zip(*own, strict=True)] for own in zip(found_by_seed, usual, strict=True)]
        wide = [gain for own in gains for gain, kept in zip(own, is_wide, strict=True) if kept]
        shown = ", ".join(f"{math.exp(statistics.mean(own)):.4f}" for own in gains)
        mean = math.exp(statistics.mean(map(statistics.mean, gains)))
        ratio = statistics.median(a / b for a, b in zip(cpu_s[name], cpu_s[first], strict=True))
        told = f", wide ones {math.exp(statistics.mean(wide)):.4f}" if wide else ""
        print(
            f"  {name:25s}: {shown}, mean {mean:.4f} of {len(bodies)} bodies{told}; {ratio:.2f} times the CPU",
            flush=True,
        )


def _best(bodies: Mapping[str, Body], device: DeviceModel, seed: int) -> tuple[list[float], float]:
    """Return the best log success of each body, and the CPU time of finding forms and places."""
    forms_of = Catalogue(device, HaloOptions(cache=False), CompileSettings(seed=1000 * seed), None)
    began = time.process_time()
    found = forms_of.find(list(bodies.values()), list(bodies))
    return [forms[0].best for forms in found], time.process_time() - began


def mirrors(folder: Path, seeds: int, backend: BackendV2) -> None:
    print(
        "mirrored gates: two-qubit gates of the form of each body that has fewest, and best success, without and with"
    )
    device = DeviceModel(backend.target)
    programs = [around(4, [(0, 1), (1, 2), (2, 3), (3, 0)]), *(random_program(seed) for seed in range(20))]
    for suite in ("small", "arithsmall"):
        for seed in range(seeds):
            programs += draw(folder, suite, 100, seed)
    bodies = {body.key: (program, body) for program in programs for body in bodies_of(program)}
    found = []
    for use in (False, True):
        with patch.object(routing, "mirror_gates", mirror_gates if use else lambda *_: None):
            catalogue = Catalogue(device, HaloOptions(cache=False), CompileSettings(), None)
            found.append(catalogue.find([body for _, body in bodies.values()], list(bodies)))
    changed, gains = 0, []
    for (program, body), before, after in zip(bodies.values(), *found, strict=True):
        gates = [min(gates_of(form) for form in forms) for forms in (before, after)]
        best = [math.exp(forms[0].best) for forms in (before, after)]
        gains.append(best[1] / best[0] if best[0] else 1.0)
        if gates[0] != gates[1] or best[0] != best[1]:
            changed += 1
            print(
                f"    {program.name}, {body.circuit.num_qubits} qubits: {gates[0]} {best[0]:.4f}, {gates[1]} {best[1]:.4f}"
            )
    print(
        f"  {changed} of {len(bodies)} bodies change, success {statistics.mean(gains):.4f} times that without",
        flush=True,
    )


def homes(folder: Path, seeds: int, backend: BackendV2) -> None:
    print(
        "qubits that bodies are compiled on, doubled until there are so many for each qubit of the body: best success of each body "
        "over that on 128, 8, each seed of the compiler; CPU of finding forms and places"
    )
    programs = [random_program(seed) for seed in range(20)]
    for seed in range(seeds):
        programs += draw(folder, "small", 100, seed)
    variants = {
        f"{least} qubits, {room} for each": [patch.multiple(catalogue, LEAST_REGION=least, ROOM=room)]
        for least, room in ((128, 8), (64, 8), (64, 6), (48, 6), (32, 8))
    }
    for own in (backend, FakeFez(), FakeSherbrooke()):
        print(f"  {own.name}")
        _compare(programs, DeviceModel(own.target), variants, 3)


def random_program(seed: int) -> QuantumCircuit:
    """Return twelve CX between random pairs of four to six qubits."""
    rng = np.random.default_rng(seed)
    num_qubits = int(rng.integers(4, 7))
    circuit = QuantumCircuit(num_qubits, num_qubits, name=f"random {seed}")
    for _ in range(12):
        a, b = (int(qubit) for qubit in rng.choice(num_qubits, 2, replace=False))
        circuit.ry(float(rng.uniform(0, math.pi)), a)
        circuit.cx(a, b)
    circuit.measure(range(num_qubits), range(num_qubits))
    return circuit


def gates_of(form: Candidates) -> int:
    return sum(times for *_, times in form.fragment.workload.two_qubit)


def regions(folder: Path, seeds: int, backend: BackendV2) -> None:
    print("other regions: bodies of programs with helpers that have a good place clear of their best one")
    device = DeviceModel(backend.target)
    bodies: dict[str, Body] = {}
    for seed in range(seeds):
        for program in {p.name: p for p in draw(folder, "helpers", 40, seed)}.values():
            bodies |= {body.key: body for body in bodies_of(program)}
    usual: list[float] = []
    for number in (0, 1, 2, 3):
        with patch.object(catalogue, "MORE_REGIONS", number):
            found = Catalogue(device, HaloOptions(cache=False), CompileSettings(), None).find(
                list(bodies.values()), list(bodies)
            )
        best = [forms[0].best for forms in found]
        usual = usual or best
        gain = math.exp(statistics.mean(b - u for b, u in zip(best, usual, strict=True)))
        clear = sum(has_two_places(forms, device) for forms in found)
        print(f"  {number}: {clear} of {len(found)}, best success {gain:.3f} times that of none on average", flush=True)


def bodies_of(program: QuantumCircuit) -> list[Body]:
    """Return the bodies of a program that are wider than two qubits."""
    circuit = MultiProgramCircuit([program]).circuit
    segmentation = find_components(circuit)
    reader = BodyReader(circuit, segmentation, least_resets=2)
    bodies = map(reader.read, find_pieces(segmentation))
    return [body for body in bodies if body.circuit.num_qubits > 2]


def has_two_places(forms: tuple[Candidates, ...], device: DeviceModel) -> bool:
    taken = np.zeros(device.num_qubits, dtype=bool)
    taken[forms[0].qubits([0] * len(forms[0].shapes))] = True
    floor = forms[0].best + math.log(HaloOptions().success_floor)
    for form in forms:
        shape = form.shapes[0]
        if not taken[shape.places[shape.log_success >= floor]].any(axis=1).all():
            return True
    return False


def markets(folder: Path, seeds: int, backend: BackendV2) -> None:
    print(
        f"rents at shares of the least time of any batch and of the shadow prices, limit {packing.WASTE} times as long: 100 "
        "small programs, QPU time one by one over merged at 250 / 50 / 0 us, success over alone"
    )
    references = References(backend)
    shares = (1.05, 1.15, 1.3, 1.5, 1.7)
    for price, share in (*product((1.05, 0.5, 0.0), shares), (None, None)):
        times, success = [], []
        with (
            patch.object(packing, "FEW", 0),
            patch.multiple(packing, PRICES=(price, price), ROOMY=0.0, LATE=math.inf),
            patch.object(
                packing._Packer,
                "_best_length",
                lambda _, lp, guess, fixed=share: ((fixed or 1.0) * lp.least_slots(), None),
            ),
            patch.object(RelaxedPacking, "rents", RelaxedPacking.rents if share else lambda *_: None),
        ):
            for seed in range(seeds):
                programs = draw(folder, "small", 100, seed)
                report = compile_batch(programs, backend, HaloOptions()).report
                times.append([report.qpu_time_ratios[delay] for delay in ("250", "50", "0")])
                success.append(statistics.mean(references.ratios(programs, report)))
        shown = " / ".join(f"{statistics.median(own):.1f}" for own in zip(*times, strict=True))
        name = "as short as can be" if share is None else f"{share:.2f} of the time, {price:.2f} of the prices"
        print(f"  {name}: {shown}, {statistics.median(success):.3f}", flush=True)


def orders(folder: Path, seeds: int, backend: BackendV2) -> None:
    print(
        "orders tried for each piece of a small batch: QPU time one by one over merged, success over alone, programs below their "
        "floor, by draws"
    )
    references = References(backend)
    for suite, sharing, delay_s in (("helpers", "all", 250e-6), ("helpers", "all", 0.0), ("helpers", "helpers", 0.0)):
        for tries in (0, 40, 160, 640):
            rows = []
            # Without a search boards alone are filled, as in larger batches.
            with patch.object(sequencing, "TRIES", tries), patch.object(packing, "FEWEST", 16 if tries else 0):
                for seed in range(seeds):
                    programs = draw(folder, suite, 12, seed)
                    options = HaloOptions(sharing=sharing, rep_delay_s=delay_s)
                    report = compile_batch(programs, backend, options).report
                    rows.append(
                        (
                            report.qpu_time_ratios[f"{round(delay_s * 1e6)}"],
                            statistics.mean(references.ratios(programs, report)),
                            sum(not keeps_floor(program) for program in report.programs),
                        )
                    )
            shown = ", ".join(f"{time:.2f} at {success:.2f} ({below})" for time, success, below in rows)
            print(f"  12 {suite}, sharing {sharing}, delay {delay_s * 1e6:.0f} us, {tries}: {shown}", flush=True)


def openings(folder: Path, seeds: int, backend: BackendV2) -> None:
    print(
        "one-qubit gates right after the first one of a qubit: mean success of 100 small programs merged, and alone under plain"
    )
    for name, of in (("as late as they can", timing._openings), ("as soon as they can", lambda _: [])):
        references = References(backend)
        merged, alone = [], []
        with patch.object(timing, "_openings", of):
            for seed in range(seeds):
                programs = draw(folder, "small", 100, seed)
                report = compile_batch(programs, backend, HaloOptions(cache=False)).report
                own = [program for program in report.programs if program.index is not None]
                merged.append(statistics.mean(program.success_merged or 0.0 for program in own))
                alone.append(statistics.mean(map(references.alone, programs)))
        shown = ", ".join(f"{own:.4f} and {other:.4f}" for own, other in zip(merged, alone, strict=True))
        print(f"  {name}: {shown}", flush=True)


def bound(folder: Path, seeds: int, backend: BackendV2) -> None:
    print(
        "makespan over the least of any batch by the linear program, each draw: no rents, and rents at that least time"
    )
    for suite, count in (("small", 100), ("helpers", 12), ("arithsmall", 100)):
        found: list[str] = []
        with patch.object(space_manager, "pack", lambda *given, seen=found: _watched(seen, *given)):
            for seed in range(seeds):
                compile_batch(draw(folder, suite, count, seed), backend, HaloOptions())
        print(f"  {count} {suite}: {', '.join(found)}", flush=True)


def _watched(
    seen: list[str], items: Sequence[PackingItem], device: DeviceModel, options: HaloOptions, recompile: Recompile
) -> list[PlacedItem | None]:
    """Pack as ever, and note how long boards filled in two ways are."""
    blank = Board(device, options, items)
    relaxed = RelaxedPacking.of(items, device.num_qubits, blank.windows, blank.origin)
    least = relaxed.least_slots()
    order = sorted(range(len(items)), key=lambda i: (items[i].log_best, i))
    boards = ((blank.blank(), None), (blank.blank(relaxed.rents(least)), blank.origin + int(1.1 * least)))
    stops = [fill(board, order, recompile, limit).board.stop for board, limit in boards]
    seen.append(" and ".join(f"{(stop - blank.origin) / least:.2f}" for stop in stops))
    return packing.pack(items, device, options, recompile)


def exact(folder: Path, seeds: int, backend: BackendV2) -> None:
    if find_spec("ortools") is None:
        print("exact: OR-tools is not installed; pip install ortools")
        return
    print(
        "small batches: how much more QPU time the packer takes, success at its rate of exchange, than the best that CP-SAT finds in "
        f"{SOLVER_SECONDS:.0f} s, and than it proves to be possible at most; how much more boards alone take, without a search; "
        "pieces, seconds of the packer and of CP-SAT"
    )
    for suite, count in (("helpers", 3), ("helpers", 4), ("small", 3), ("helpers", 12)):
        for delay_s in (250e-6, 0.0):
            found: list[str] = []
            with patch.object(space_manager, "pack", lambda *given, seen=found: _beside_optimum(seen, *given)):
                for seed in range(seeds):
                    compile_batch(draw(folder, suite, count, seed), backend, HaloOptions(rep_delay_s=delay_s))
            print(f"  {count} {suite}, delay {delay_s * 1e6:.0f} us: {'; '.join(found)}", flush=True)


def _beside_optimum(
    seen: list[str], items: Sequence[PackingItem], device: DeviceModel, options: HaloOptions, recompile: Recompile
) -> list[PlacedItem | None]:
    """Pack as ever, and note what the packer's own measure leaves to gain."""
    start = time.perf_counter()
    packer = packing._Packer(items, device, options, recompile)
    best = packer.one_by_one()
    middle = time.perf_counter()
    with patch.object(packing, "FEWEST", 0):
        unsearched = packer.badness(packer.one_by_one())[1] - packer.badness(best)[1]
    began = time.perf_counter()
    optimum = least_cost(Batch.of(packer), 2 * best.length, SOLVER_SECONDS)
    times = f"{len(items)} pieces, {middle - start:.1f} and {time.perf_counter() - began:.0f} s"
    if any(best.faults) or optimum is None:
        seen.append(f"nothing found or floors broken ({times})")
    else:
        gaps = [math.expm1(packer.badness(best)[1] - cost) for cost in (optimum.found, optimum.bound)]
        seen.append(f"{gaps[0]:+.1%} and {gaps[1]:+.1%}, {math.expm1(unsearched):+.1%} without a search ({times})")
    return best.placed()


def weak(folder: Path, seeds: int, backend: BackendV2) -> None:
    print(
        "success up to which programs count as weak: QPU time one by one over merged at 250 / 50 / 0 us, and mean success: "
        "merged, alone, the median of programs over plain"
    )
    references = References(backend)
    for suite, count in (("arithsmall", 100), ("multiXmedium", 100), ("helpers", 12)):
        for limit in (0.0, 0.05, 0.1, 0.2):
            times, success = [], []
            for seed in range(seeds):
                programs = draw(folder, suite, count, seed)
                report = compile_batch(programs, backend, HaloOptions(weak_success=limit)).report
                times.append([report.qpu_time_ratios[delay] for delay in ("250", "50", "0")])
                success.append(
                    (
                        statistics.mean(program.success_merged or 0.0 for program in report.programs),
                        statistics.mean(program.success_alone or 0.0 for program in report.programs),
                        statistics.median(references.ratios(programs, report)),
                    )
                )
            shown = " / ".join(f"{statistics.median(own):.1f}" for own in zip(*times, strict=True))
            kept = ", ".join(f"{statistics.median(own):.4f}" for own in zip(*success, strict=True))
            print(f"  {count} {suite}, {limit:.2f}: {shown}; {kept}", flush=True)
        weakest = Counter(round(program.success_alone or 0.0, 4) for program in report.programs)
        told = ", ".join(f"{times} of {alone:.4f}" for alone, times in sorted(weakest.items())[:4])
        print(f"    weakest programs of the last draw, by success alone: {told}", flush=True)


def chance(folder: Path, seeds: int, backend: BackendV2) -> None:
    print(
        "the evaluation's queue of 100 arithmetic programs by seed of the compiler: QPU time one by one over merged at 250 us"
    )
    programs = [job.circuit for job in Workload("saturated", "arithsmall", count=100).jobs(0, None, backend)]
    found = []
    for seed in range(6):
        passes = generate_halo_pass_manager(2, backend, options=HaloOptions(cache=False), seed_transpiler=seed)
        compiled = passes.run(MultiProgramCircuit(programs).circuit)
        found.append(HaloReport.from_dict(compiled.metadata["halo"]["report"]).qpu_time_ratios["250"])
    print(f"  {', '.join(f'{ratio:.1f}' for ratio in found)}, median {statistics.median(found):.1f}", flush=True)


PARTS: dict[str, Callable[[Path, int, BackendV2], None]] = {
    own.__name__: own
    for own in (
        routings,
        starts,
        ways,
        lists,
        mirrors,
        homes,
        regions,
        markets,
        orders,
        openings,
        bound,
        exact,
        weak,
        chance,
    )
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--programs", type=Path, required=True, help="folder with HALO's suites as OpenQASM 2")
    parser.add_argument("--only", nargs="+", choices=list(PARTS), default=list(PARTS))
    parser.add_argument("--seeds", type=int, default=3)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    print(describe())
    for name in arguments.only:
        PARTS[name](arguments.programs, arguments.seeds, FakeTorino())


if __name__ == "__main__":
    main()
