"""What the primitives save, and what they cost on the host; each figure beside its reference and its bar.

    python -m benchmarks.primitives [--only cut gradient adaptive single overhead sweep] [--programs FOLDER] [--seed 0]

All on FakeTorino at a repetition delay of 250 us. QPU times are modelled: executions x (makespan + reset + delay), with
the makespans of the compiled circuits. "One by one" is every program alone, with its own length. Noisy figures are from
the local sampler. ``--programs`` takes HALO's suites for the shot-adaptive case; without it there are GHZ states and
random circuits. The cut circuit needs qiskit-addon-cutting.
"""

from __future__ import annotations

import argparse
import math
import statistics
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
from qiskit import QuantumCircuit, transpile
from qiskit.circuit.library import real_amplitudes
from qiskit.circuit.random import random_circuit
from qiskit.primitives import (
    BaseSamplerV2,
    BitArray,
    DataBin,
    PrimitiveJob,
    PrimitiveResult,
    SamplerPubLike,
    SamplerPubResult,
)
from qiskit.primitives.containers.sampler_pub import SamplerPub
from qiskit.quantum_info import SparsePauliOp, Statevector
from qiskit_ibm_runtime.fake_provider import FakeTorino

from benchmarks._machine import describe
from benchmarks._workloads import draw
from qiskit_halo import (
    HaloEstimator,
    HaloOptions,
    HaloReport,
    HaloSampler,
    LocalSampler,
    MultiProgramCircuit,
    generate_halo_pass_manager,
)

DELAY_S = 250e-6


class RandomSampler(BaseSamplerV2):
    """Random bits at no cost, so that only the host's work is left."""

    def run(self, pubs: Iterable[SamplerPubLike], *, shots: int | None = None) -> PrimitiveJob:
        job = PrimitiveJob(self._run, [SamplerPub.coerce(pub, shots) for pub in pubs])
        job._submit()
        return job

    def _run(self, pubs: list[SamplerPub]) -> PrimitiveResult:
        rng = np.random.default_rng(0)
        results = []
        for pub in pubs:
            fields = {
                register.name: BitArray(
                    rng.integers(0, 2 ** min(8, register.size), (*pub.shape, pub.shots, -(-register.size // 8)), "u1"),
                    register.size,
                )
                for register in pub.circuit.cregs
            }
            results.append(SamplerPubResult(DataBin(shape=pub.shape, **fields)))
        return PrimitiveResult(results)


def line(what: str, value: float, bar: str, note: str = "") -> None:
    print(f"  {what:58s} {value:10.4g}   bar {bar:12s} {note}")


def ghz(num_qubits: int) -> QuantumCircuit:
    circuit = QuantumCircuit(num_qubits, name=f"ghz_{num_qubits}")
    circuit.h(0)
    for qubit in range(1, num_qubits):
        circuit.cx(qubit - 1, qubit)
    circuit.measure_all()
    return circuit


def cut(backend: FakeTorino, seed: int, _: Path | None) -> None:
    """All subexperiments of an 8-qubit circuit whose two gates between halves are cut: 144 circuits of 4 qubits."""
    from qiskit_addon_cutting import generate_cutting_experiments, partition_problem, reconstruct_expectation_values

    rng = np.random.default_rng(seed)
    circuit = QuantumCircuit(8)
    for layer in range(3):
        for qubit in range(8):
            circuit.ry(rng.uniform(0, np.pi), qubit)
        for qubit in range(7) if layer < 2 else ():
            circuit.cz(qubit, qubit + 1)
    observable = SparsePauliOp(["ZIIIIIII", "IIIZZIII", "XIIIIIIX", "IIIIIIZZ"], [1.0, 0.5, 0.7, -1.0])
    exact = float(Statevector(circuit).expectation_value(observable).real)
    problem = partition_problem(circuit=circuit, partition_labels="AAAABBBB", observables=observable.paulis)
    experiments, coefficients = generate_cutting_experiments(problem.subcircuits, problem.subobservables, np.inf)
    flat = [own for label in sorted(experiments) for own in experiments[label]]
    shots = 2000

    def reconstruct(results: list[SamplerPubResult]) -> float:
        found, start = {}, 0
        for label in sorted(experiments):
            stop = start + len(experiments[label])
            found[label] = PrimitiveResult(results[start:stop])
            start = stop
        terms = reconstruct_expectation_values(found, coefficients, problem.subobservables)
        return float(np.dot(terms, observable.coeffs).real)

    alone = [transpile(own, backend, optimization_level=3, seed_transpiler=0) for own in flat]
    halo, single = [], []
    for run in range(3):
        job = HaloSampler(LocalSampler(backend, seed=run), backend=backend).run(flat, shots=shots)
        halo.append(reconstruct(list(job.result())))
        single.append(reconstruct(list(LocalSampler(backend, seed=100 + run).run(alone, shots=shots).result())))
    line(f"{len(flat)} subexperiments: QPU time, one by one over halo", job.plan.ratio, ">= 30")
    line("  |reconstructed - exact|, halo", abs(statistics.mean(halo) - exact), "as alone", f"exact {exact:.4f}")
    line("  |reconstructed - exact|, each compiled alone, level 3", abs(statistics.mean(single) - exact), "")
    line("  spread of one reconstruction over runs", max(statistics.stdev(halo), statistics.stdev(single)), "")


def gradient(backend: FakeTorino, seed: int, _: Path | None) -> None:
    """Parameter-shift gradient of a VQE in one call: 20 parameters x 2 shifts x 3 bases."""
    circuit = real_amplitudes(5, reps=3)
    terms = [letter * 2 for letter in "XYZ"]
    operator = SparsePauliOp.from_sparse_list(
        [(term, [qubit, qubit + 1], 1.0) for term in terms for qubit in range(4)], num_qubits=5
    )
    rng = np.random.default_rng(seed)
    start = rng.uniform(0, np.pi, circuit.num_parameters)
    shifts = np.concatenate([np.eye(20), -np.eye(20)]) * np.pi / 2
    estimator = HaloEstimator(LocalSampler(backend, noise=False, seed=seed), backend=backend)
    job = estimator.run([(circuit, operator, start + shifts)], precision=1 / 64)
    values = job.result()[0].data.evs
    exact = [float(Statevector(circuit.assign_parameters(start + s)).expectation_value(operator).real) for s in shifts]
    found, expected = (np.subtract(v[:20], v[20:]) / 2 for v in (values, np.array(exact)))
    line(f"{job.plan.num_programs} programs: QPU time, one by one over halo", job.plan.ratio, ">= 40")
    line("  largest error of a component, noise-free", float(np.abs(found - expected).max()), "", "sampling: 0.05")


def adaptive(backend: FakeTorino, seed: int, folder: Path | None) -> None:
    """30 programs whose shots spread from 200 to 20 000."""
    rng = np.random.default_rng(seed)
    if folder is not None:
        programs = draw(folder, "small", 30, seed)
    else:
        programs = [ghz(3 + index % 5) for index in range(15)]
        programs += [random_circuit(4, 3, max_operands=2, measure=True, seed=seed + index) for index in range(15)]
    shots = [int(number) for number in rng.permutation(np.geomspace(200, 20_000, 30).round())]
    sampler = HaloSampler(RandomSampler(), backend=backend)
    job = sampler.run([(program, None, number) for program, number in zip(programs, shots, strict=True)])
    got = [sum(next(iter(pub.data.values())).get_counts().values()) for pub in job.result()]
    passes = generate_halo_pass_manager(2, backend, seed_transpiler=0)

    def time_s(own: list[QuantumCircuit], number: int) -> float:
        report = HaloReport.from_dict(passes.run(MultiProgramCircuit(own).circuit).metadata["halo"]["report"])
        return number * (report.makespan_s + report.reset_s + DELAY_S)

    largest = time_s(programs, max(shots))
    rule, left = 0.0, list(shots)
    while any(left):
        active = [index for index, number in enumerate(left) if number]
        step = min(left[index] for index in active)
        rule += time_s([programs[index] for index in active], step)
        left = [max(0, number - step) for number in left]
    print(job.plan.table())
    line("QPU time over least remaining shots, carry over", job.plan.qpu_time_s / rule, "")
    line("QPU time over most shots for all", job.plan.qpu_time_s / largest, "")
    line("QPU time over the better of them", job.plan.qpu_time_s / min(rule, largest), "<= 0.6")
    line("programs with exactly their shots", sum(g == s for g, s in zip(got, shots, strict=True)), "30")


def single(backend: FakeTorino, seed: int, _: Path | None) -> None:
    """One 5-qubit circuit, 10 000 shots, nothing else to run."""
    circuit, shots = ghz(5), 10_000
    sampler = HaloSampler(LocalSampler(backend, seed=seed), backend=backend)
    job = sampler.run([circuit], shots=shots)
    pub = job.result()[0]
    line(
        "QPU time, 10 000 shots of it alone over halo",
        job.plan.ratio,
        ">= 30",
        f"{job.plan.batches[0].num_copies} copies",
    )
    line("  least predicted success of a copy over the best", pub.metadata["halo"]["least_success_kept"], ">= 0.9")
    alone = HaloSampler(LocalSampler(backend, seed=seed), backend=backend, options=HaloOptions(max_copies=1))
    good = [
        sum(result.data.meas.get_counts().get(key, 0) for key in ("00000", "11111")) / shots
        for result in (pub, alone.run([circuit], shots=shots).result()[0])
    ]
    line("  share of right outcomes, all copies", good[0], ">= 0.9 x", f"best place alone {good[1]:.4f}")
    line("  of that alone", good[0] / good[1], ">= 0.9", f"sampling: {1 / math.sqrt(shots):.3f}")


def overhead(backend: FakeTorino, seed: int, _: Path | None) -> None:
    """Host time of a run whose merged circuits are known, the sampler's own left out."""
    rng = np.random.default_rng(seed)
    sampler = HaloSampler(RandomSampler(), backend=backend, options=HaloOptions(cache=False))
    programs = [ghz(3 + index % 4) for index in range(50)]
    for program in programs:
        program.rz(rng.uniform(0, 1), 0)  # after the measurement: 50 different circuits
    for number in (200, 20_000):
        pubs = [(program, None, number) for program in programs]
        seconds = []
        for _run in range(4):
            start = time.perf_counter()
            job = sampler.run(pubs)
            middle = time.perf_counter()
            for own in job.jobs:
                own.result()
            waited = time.perf_counter()
            job.result()
            seconds.append(middle - start + time.perf_counter() - waited)
        warm = statistics.median(seconds[1:])
        bar_ms = 10 + number * 1e-3
        line(
            f"ms a program, {number} shots each, warm", warm / 50 * 1e3, f"<= {bar_ms:.1f}", f"cold {seconds[0]:.1f} s"
        )


def sweep(backend: FakeTorino, seed: int, _: Path | None) -> None:
    """1000 points of a 4-qubit circuit."""
    circuit = real_amplitudes(4, reps=1)
    circuit.measure_all()
    values = np.random.default_rng(seed).uniform(0, np.pi, (1000, circuit.num_parameters))
    start = time.perf_counter()
    job = HaloSampler(RandomSampler(), backend=backend, options=HaloOptions(cache=False)).run(
        [(circuit, values)], shots=1000
    )
    middle = time.perf_counter()
    for own in job.jobs:
        own.result()
    waited = time.perf_counter()
    job.result()
    total = middle - start + time.perf_counter() - waited
    line(
        "seconds to plan, compile and split 1000 points, cold",
        total,
        "<= 20",
        f"split {time.perf_counter() - waited:.2f}",
    )
    line("QPU time, one by one over halo", job.plan.ratio, "")
    print(job.plan.table())


CASES: dict[str, Callable[[FakeTorino, int, Path | None], None]] = {
    "cut": cut,
    "gradient": gradient,
    "adaptive": adaptive,
    "single": single,
    "overhead": overhead,
    "sweep": sweep,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=sorted(CASES), default=list(CASES))
    parser.add_argument("--programs", type=Path, help="folder with HALO's suites as OpenQASM 2")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    print(describe())
    for name in arguments.only:
        print(f"{name}: {CASES[name].__doc__}")
        CASES[name](FakeTorino(), arguments.seed, arguments.programs)


if __name__ == "__main__":
    main()
