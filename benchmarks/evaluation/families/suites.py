"""The suites of the evaluation: HALO's eight by our own generators, or any folder of OpenQASM 2 files."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from qiskit.circuit import QuantumCircuit

from benchmarks._workloads import LEFT_OUT, load
from benchmarks.evaluation.families import arithmetic, codes, ladders, mixed, syndromes
from benchmarks.evaluation.families.extras import cut_programs, mqt_programs

GENERATORS: dict[str, Callable[[int], list[QuantumCircuit]]] = {
    "multiXsmall": partial(ladders.ladders, ladders.SMALL),
    "multiXmedium": partial(ladders.ladders, ladders.MEDIUM),
    "qecsmall": partial(syndromes.extractions, codes.SMALL, 3),
    "qecmedium": partial(syndromes.extractions, codes.MEDIUM, 3),
    "randomsmall": lambda seed: [mixed.mixed(shape, seed) for shape in mixed.SMALL],
    "randommedium": lambda seed: [mixed.mixed(shape, seed) for shape in mixed.MEDIUM],
    "arithsmall": lambda seed: [arithmetic.draw_arithmetic(s, i, seed) for s in arithmetic.SMALL for i in range(2)],
    "arithmedium": lambda seed: [arithmetic.draw_arithmetic(s, i, seed) for s in arithmetic.MEDIUM for i in range(2)],
    "mqt": mqt_programs,
    "cut": cut_programs,
}
SMALL = ("multiXsmall", "qecsmall", "randomsmall", "arithsmall")
MEDIUM = ("multiXmedium", "qecmedium", "randommedium", "arithmedium")
OPTIONAL = ("mqt", "cut")
MIXES = {"small": SMALL, "medium": MEDIUM, "mixed": (*SMALL, *MEDIUM)}


class SuiteMissingError(Exception):
    """A suite cannot be made here: a package or a folder is missing. The message says which."""


def programs_of(suite: str, seed: int, source: Path | None = None) -> list[tuple[str, QuantumCircuit]]:
    """Return the distinct programs of a suite or mix, each with the suite that it is from.

    Args:
        suite: A key of :data:`GENERATORS` or :data:`MIXES`.
        seed: Of the generators; files are what they are.
        source: Folder with one folder of OpenQASM 2 files a suite, instead of our own generators. Programs whose
            stabilizers do not commute are left out: their outcomes are noise by themselves.

    Raises:
        SuiteMissingError: As said there.
    """
    found = []
    for name in MIXES.get(suite, (suite,)):
        if source is None or name in OPTIONAL:
            found += [(name, circuit) for circuit in _generate(name, seed)]
            continue
        files = [path for path in sorted((source / name).glob("*.qasm")) if not path.name.startswith(LEFT_OUT)]
        if not files:
            raise SuiteMissingError(f"no OpenQASM 2 files of suite {name!r} in {source}")
        found += [(name, load(path)) for path in files]
    return found


def _generate(name: str, seed: int) -> list[QuantumCircuit]:
    try:
        return GENERATORS[name](seed)
    except ImportError as error:
        raise SuiteMissingError(f"suite {name!r} needs a package that is not installed: {error.name}") from error
