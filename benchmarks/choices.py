"""What the compiler's fixed numbers were chosen by: each with others beside it.

    python -m benchmarks.choices --programs FOLDER [--only routings regions slack orders] [--seeds 3]

``--programs`` is the folder of HALO's suites as OpenQASM 2. All on FakeTorino, orders on FakeSherbrooke too. Success is predicted, "alone" is plain
``transpile(optimization_level=3, seed_transpiler=0)``.
"""

from __future__ import annotations

import argparse
import math
import statistics
import warnings
from collections.abc import Callable
from pathlib import Path
from unittest.mock import patch

import numpy as np
from qiskit.providers import BackendV2
from qiskit_ibm_runtime.fake_provider import FakeSherbrooke, FakeTorino

from benchmarks._machine import describe
from benchmarks._workloads import draw
from benchmarks.packing import References, compile_batch
from qiskit_halo import HaloOptions, MultiProgramCircuit
from qiskit_halo.device.model import DeviceModel
from qiskit_halo.fragments import settings
from qiskit_halo.fragments.body import Body, BodyReader
from qiskit_halo.fragments.settings import CompileSettings
from qiskit_halo.placement import catalogue, packing
from qiskit_halo.placement.candidates import Candidates
from qiskit_halo.placement.catalogue import Catalogue
from qiskit_halo.segments.find import find_components
from qiskit_halo.segments.pieces import find_pieces


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


def regions(folder: Path, seeds: int, backend: BackendV2) -> None:
    print("other regions: bodies of programs with helpers that have a good place clear of their best one")
    device = DeviceModel(backend.target)
    bodies: dict[str, Body] = {}
    for seed in range(seeds):
        for program in {p.name: p for p in draw(folder, "helpers", 40, seed)}.values():
            circuit = MultiProgramCircuit([program]).circuit
            segmentation = find_components(circuit)
            reader = BodyReader(circuit, segmentation, least_resets=2)
            for body in map(reader.read, find_pieces(segmentation)):
                if body.circuit.num_qubits > 2:
                    bodies.setdefault(body.key, body)
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


def has_two_places(forms: tuple[Candidates, ...], device: DeviceModel) -> bool:
    taken = np.zeros(device.num_qubits, dtype=bool)
    taken[forms[0].qubits([0] * len(forms[0].shapes))] = True
    floor = forms[0].best + math.log(HaloOptions().success_floor)
    for form in forms:
        shape = form.shapes[0]
        if not taken[shape.places[shape.log_success >= floor]].any(axis=1).all():
            return True
    return False


def slack(folder: Path, seeds: int, backend: BackendV2) -> None:
    print(
        "slack for better places: 100 small programs, QPU time one by one over merged at 250 / 50 / 0 us, success over alone"
    )
    references = References(backend)
    for share in (0.0, 1 / 6, 1 / 4, 1 / 3, 1 / 2):
        times, success, lost = [], [], []
        with patch.object(packing, "SLACK", share):
            for seed in range(seeds):
                programs = draw(folder, "small", 100, seed)
                report = compile_batch(programs, backend, HaloOptions()).report
                times.append([report.qpu_time_ratios[delay] for delay in ("250", "50", "0")])
                success.append(statistics.mean(references.ratios(programs, report)))
                own = [p for p in report.programs if p.index is not None and p.success_merged and p.success_alone]
                lost.append(1 - statistics.mean(p.success_merged / p.success_alone for p in own))  # type: ignore[operator]
        shown = " / ".join(f"{statistics.median(own):.1f}" for own in zip(*times, strict=True))
        print(
            f"  {share:.2f}: {shown}, {statistics.median(success):.3f}; {statistics.mean(lost):.4f} of their own best lost",
            flush=True,
        )


def orders(folder: Path, seeds: int, backend: BackendV2) -> None:
    print("a second order: makespan with it over that without, each draw")
    for device in (backend, FakeSherbrooke()):
        for count in (20, 40, 100):
            ratios = []
            for seed in range(seeds):
                programs, makespans = draw(folder, "small", count, seed), []
                for few in (0, 10**6):
                    with patch.object(packing, "FEW", few), patch.object(packing, "SLACK", 0.0):
                        makespans.append(compile_batch(programs, device, HaloOptions()).report.makespan_s)
                ratios.append(makespans[1] / makespans[0])
            shown = " ".join(f"{ratio:.3f}" for ratio in ratios)
            print(f"  {device.name}, {count:3d} programs: {shown}", flush=True)


PARTS: dict[str, Callable[[Path, int, BackendV2], None]] = {
    own.__name__: own for own in (routings, regions, slack, orders)
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
