"""What a compiled body depends on besides the body: the device by content, the settings, and the code that compiles."""

from __future__ import annotations

import hashlib
import os
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import qiskit
from qiskit.circuit import Instruction
from qiskit.transpiler import Target

from qiskit_halo.device.model import DeviceModel
from qiskit_halo.fragments.key import TokenWriter
from qiskit_halo.fragments.serialize import schema
from qiskit_halo.fragments.settings import CompileSettings

FORMAT = 1
"""Raised when what is kept means something else than before."""

_COMPILING = ("device", "fragments", "segments", "options.py", "rewire.py", "units.py", "wide.py")
"""Parts of the package that a compiled body depends on."""


def compiler_identity(device: DeviceModel, settings: CompileSettings) -> str | None:
    """Return a digest of all that compiled bodies depend on besides body and region.

    Args:
        device: The device; its target counts by content, so that a new calibration is another device.
        settings: How bodies are compiled.

    Returns:
        ``None`` if device or settings hold objects that can be told from others by their identity alone.
    """
    target, how = _target_token(device.target), settings.to_json()
    if target is None or how is None:
        return None
    # Qiskit's own setting for more SABRE trials.
    environment = os.environ.get("QISKIT_SABRE_ALL_THREADS")
    own = (device.exclude_qubits, device.feed_forward_s, device.reset_model)
    return _digest(FORMAT, _versions(), _sources(), schema(), environment, target, own, how)


def _target_token(target: Target) -> str | None:
    writer = TokenWriter()
    operations = []
    for name in sorted(target.operation_names):
        operation = target.operation_from_name(name)
        kind = operation.__qualname__ if isinstance(operation, type) else _operation_token(operation, writer)
        everywhere = target[name]
        costs = None if everywhere is None else sorted(_cost(qargs, entry) for qargs, entry in everywhere.items())
        operations.append((name, kind, costs))
    qubits = [(getattr(q, "t1", None), getattr(q, "t2", None)) for q in target.qubit_properties or ()]
    timing = (target.dt, target.granularity, target.min_length, target.pulse_alignment, target.acquire_alignment)
    return _digest(target.num_qubits, timing, qubits, operations) if writer.portable else None


def _operation_token(operation: Instruction, writer: TokenWriter) -> object:
    """Return what an operation of a target is; parameters are free there and count by their number only."""
    params = [None if getattr(p, "parameters", None) else writer.value(p) for p in operation.params]
    return (operation.name, type(operation).__qualname__, operation.num_qubits, operation.num_clbits, params)


def _cost(qargs: tuple[int, ...] | None, entry: object) -> tuple[object, ...]:
    return (repr(qargs), repr(getattr(entry, "duration", None)), repr(getattr(entry, "error", None)))


@cache
def _versions() -> tuple[str, ...]:
    try:
        return qiskit.__version__, version("qiskit-halo")
    except PackageNotFoundError:  # run from its sources
        return qiskit.__version__, ""


@cache
def _sources() -> str:
    """Return a digest of the code that compiles: in a working copy it changes between two versions."""
    root = Path(__file__).parents[1]
    found = [
        path for part in _COMPILING for path in ([root / part] if part.endswith(".py") else (root / part).glob("*.py"))
    ]
    try:
        return _digest(*((path.relative_to(root).as_posix(), path.read_bytes()) for path in sorted(found)))
    except OSError:
        return ""  # no plain files: an installed version then says it all


def _digest(*values: object) -> str:
    return hashlib.sha256(repr(values).encode()).hexdigest()
