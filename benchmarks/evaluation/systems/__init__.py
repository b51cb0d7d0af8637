"""The systems that are compared, under one roof: same queue, same device, same seed, same scheduling of what they compile."""

from __future__ import annotations

from benchmarks.evaluation.model import System
from benchmarks.evaluation.names import TOLD
from benchmarks.evaluation.systems.by_hand import ByHand
from benchmarks.evaluation.systems.fixed_grid import FixedGrid
from benchmarks.evaluation.systems.halo import QiskitHalo
from benchmarks.evaluation.systems.halo_published import HaloPublished
from benchmarks.evaluation.systems.one_by_one import OneByOne
from benchmarks.evaluation.systems.qc_parallelizer import QcParallelizer
from qiskit_halo import HaloOptions


def all_systems() -> dict[str, System]:
    """Return one new object of each system, by its name, in the order of the tables."""
    systems: tuple[System, ...] = (
        OneByOne(),
        ByHand(),
        FixedGrid("space"),
        FixedGrid("space and time"),
        FixedGrid("noise-aware"),
        HaloPublished(),
        QcParallelizer(),
        QiskitHalo("qiskit-halo none", HaloOptions(sharing="none")),
        QiskitHalo("qiskit-halo helpers", HaloOptions(sharing="helpers")),
        QiskitHalo("qiskit-halo all", HaloOptions(sharing="all")),
        QiskitHalo(TOLD, HaloOptions(sharing="all", reset_model="flips", resets=1)),
        QiskitHalo("qiskit-halo all, round robin", HaloOptions(sharing="all", policy="round_robin")),
        QiskitHalo("qiskit-halo all, packed", HaloOptions(sharing="all", policy="packed")),
    )
    return {system.name: system for system in systems}
