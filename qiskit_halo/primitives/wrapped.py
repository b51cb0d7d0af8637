"""What the sampler that does the work says about itself: device, shots, and options that a merged circuit cannot take."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from typing import Any

from qiskit.circuit import QuantumCircuit
from qiskit.primitives import BaseSamplerV2
from qiskit.providers import BackendV2
from qiskit.transpiler import Target

from qiskit_halo.errors import HaloValueError, HaloWarning
from qiskit_halo.options import HaloOptions

FALLBACK_SHOTS = 1024
"""Qiskit's own default."""

RUNTIME_SHOTS = 4096
"""What qiskit-ibm-runtime takes where ``options.default_shots`` is not set."""


def find_backend(sampler: BaseSamplerV2) -> BackendV2 | None:
    """Return the backend that ``sampler`` runs on, as far as it says."""
    for name in ("backend", "_backend"):
        found = getattr(sampler, name, None)
        if callable(found) and not isinstance(found, BackendV2):
            found = found()
        if isinstance(found, BackendV2):
            return found
    return None


def find_target(sampler: BaseSamplerV2, backend: BackendV2 | None, target: Target | None) -> Target:
    """Return the device to compile for.

    Raises:
        HaloValueError: It is given twice, or not at all and the sampler does not say, or it states no qubits.
    """
    if backend is not None and target is not None:
        raise HaloValueError("give either a backend or a target, not both")
    if target is None:
        backend = backend or find_backend(sampler)
        if backend is None:
            raise HaloValueError(
                f"{type(sampler).__name__} does not say which device it runs on; give HaloSampler a backend or a target"
            )
        target = backend.target
    if not target.num_qubits:
        raise HaloValueError(
            "the target states no number of qubits; give the backend or target of a device whose qubits are counted"
        )
    return target


def default_shots(sampler: BaseSamplerV2) -> int:
    """Return the shots that ``sampler`` takes for a pub that does not say."""
    options = getattr(sampler, "options", None)
    for holder, name in ((options, "default_shots"), (sampler, "default_shots"), (sampler, "_default_shots")):
        found = getattr(holder, name, None)
        if isinstance(found, int) and not isinstance(found, bool):
            return found
    return RUNTIME_SHOTS if hasattr(options, "default_shots") else FALLBACK_SHOTS


def fixed_seed(sampler: BaseSamplerV2) -> Any:
    """Return the seed of a simulator behind ``sampler``, ``None`` if there is none to be seen."""
    options = getattr(sampler, "options", None)
    found = (
        getattr(sampler, "seed", None),
        getattr(options, "seed_simulator", None),
        getattr(getattr(options, "simulator", None), "seed_simulator", None),
    )
    return next((seed for seed in found if isinstance(seed, int)), None)


def rep_delay_s(sampler: BaseSamplerV2) -> float | None:
    """Return the repetition delay in seconds that ``sampler`` or its backend sets, ``None`` if neither does."""
    own = _option(sampler, "execution", "rep_delay")
    if isinstance(own, (int, float)):
        return float(own)
    default = getattr(find_backend(sampler), "default_rep_delay", None)
    return float(default) if isinstance(default, (int, float)) else None


def check_options(sampler: BaseSamplerV2, circuits: Iterable[QuantumCircuit], options: HaloOptions) -> None:
    """Refuse options of ``sampler`` that make results of a merged circuit wrong, warn about those that blur them.

    Raises:
        HaloValueError: Shots are averaged, or qubits start in an unknown state although they are taken for clean.
    """
    run_options = getattr(getattr(sampler, "options", None), "run_options", None) or {}
    averaged = isinstance(run_options, dict) and run_options.get("meas_return") == "avg"
    if averaged or _option(sampler, "execution", "meas_type") == "avg_kerneled":
        raise HaloValueError(
            "the sampler averages over shots, but the programs of a batch have different ones; "
            "ask it for single shots (meas_type 'classified' or 'kerneled') and average each program's own"
        )
    if _option(sampler, "execution", "init_qubits") is False and options.assume_clean:
        raise HaloValueError(
            "the sampler does not initialise qubits (execution.init_qubits is False), so a program would start from what "
            "another left; set HaloOptions(assume_clean=False), which resets every qubit before its first use"
        )
    if any(_option(sampler, "twirling", name) is True for name in ("enable_gates", "enable_measure")):
        warnings.warn(
            "the sampler twirls: its layers span all programs of a merged circuit, so that start times are not kept and "
            "programs wait for each other; results stay right",
            HaloWarning,
            stacklevel=3,
        )
    if _option(sampler, "dynamical_decoupling", "enable") is True and any(map(_has_delay, circuits)):
        warnings.warn(
            "the sampler's dynamical decoupling writes pulses into the users' own delays; turn it off, or results of "
            "programs that measure what happens in a delay are wrong",
            HaloWarning,
            stacklevel=3,
        )


def _option(sampler: BaseSamplerV2, group: str, name: str) -> Any:
    return getattr(getattr(getattr(sampler, "options", None), group, None), name, None)


def _has_delay(circuit: QuantumCircuit) -> bool:
    return any(
        instruction.name == "delay"
        or (instruction.is_control_flow() and any(map(_has_delay, instruction.operation.blocks)))
        for instruction in circuit.data
    )
