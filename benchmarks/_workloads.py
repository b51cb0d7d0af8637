"""Programs for the benchmarks: HALO's own where they are at hand, the project's examples otherwise."""

from __future__ import annotations

import random
from pathlib import Path

from qiskit import QuantumCircuit, QuantumRegister, qasm2
from qiskit.circuit import AncillaRegister

SUITES = {
    "small": ("multiXsmall", "qecsmall", "randomsmall"),
    "helpers": ("arithsmall", "multiXmedium", "qecmedium"),
    "medium": ("multiXmedium", "qecmedium", "randommedium", "arithmedium"),
}
HALO_SUITES = tuple(f"{kind}{size}" for kind in ("arith", "multiX", "qec", "random") for size in ("small", "medium"))
LEFT_OUT = ("fivequbit", "surface_d3")
"""Programs of qecmedium whose listed stabilizers do not commute: their outcomes are noise by themselves."""


def load(path: Path) -> QuantumCircuit:
    """Return one OpenQASM 2 program, its ``helper`` register marked as helpers."""
    source = qasm2.load(path, custom_instructions=qasm2.LEGACY_CUSTOM_INSTRUCTIONS)
    registers = [
        AncillaRegister(register.size, "helper")
        if register.name == "helper"
        else QuantumRegister(register.size, register.name)
        for register in source.qregs
    ]
    circuit = QuantumCircuit(*registers, *source.cregs, name=path.stem)
    circuit.compose(source, inplace=True)
    return circuit


def draw(folder: Path, suites: str, count: int, seed: int) -> list[QuantumCircuit]:
    """Return ``count`` programs drawn with replacement from the suites, by ``seed``."""
    names = SUITES.get(suites, (suites,))
    files = [
        path for name in names for path in sorted((folder / name).glob("*.qasm")) if not path.name.startswith(LEFT_OUT)
    ]
    if not files:
        raise SystemExit(f"no programs of {', '.join(names)} in {folder}; give their folder with --programs")
    rng = random.Random(seed)
    chosen = [rng.choice(files) for _ in range(count)]
    loaded = {path: load(path) for path in dict.fromkeys(chosen)}
    return [loaded[path] for path in chosen]


def load_suite(folder: Path, suite: str) -> list[QuantumCircuit]:
    """Return all programs of one of HALO's suites, by name."""
    return [load(path) for path in sorted((folder / suite).glob("*.qasm"))]


def load_mqt(most_operations: int = 700) -> list[QuantumCircuit]:
    """Return small circuits of MQT Bench, none if the package is not installed.

    Longer ones than ``most_operations`` are left out: they are the same few algorithms, and only take time.
    """
    try:
        from mqt.bench import BenchmarkLevel, get_benchmark
        from mqt.bench.benchmarks import get_available_benchmark_names
    except ImportError:
        return []
    found = []
    for name in get_available_benchmark_names():
        # The codes exist in these two sizes only; some algorithms take hours to write down in them.
        for size in (13, 17) if name.endswith("_code") else (3, 4, 5, 6, 8):
            try:
                circuit = get_benchmark(name, BenchmarkLevel.INDEP, size)
            except ValueError:  # no instance of that size
                continue
            if not circuit.num_clbits:
                circuit.measure_all()
            if circuit.size() <= most_operations:
                circuit.name = f"{name}_{size}"
                found.append(circuit)
    return found
