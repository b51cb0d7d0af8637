"""Connected parts of a device, and targets that hold nothing else."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import rustworkx as rx
from qiskit.circuit import ControlFlowOp
from qiskit.providers import QubitProperties
from qiskit.transpiler import InstructionProperties, Target

from qiskit_halo.device.model import DEAD_ERROR, DeviceModel

APART = 1e-12
"""What is added to one error of each qubit for each one before it: where qubits without two-qubit gates could lie on any of
several that are equal to the last digit, Qiskit's search for a layout takes another each time.
"""


def connected_regions(device: DeviceModel) -> list[tuple[int, ...]]:
    """Return the connected parts of the usable device, largest first, each ascending."""
    parts = [
        tuple(sorted(part)) for part in rx.connected_components(device.graph) if device.usable_qubits[list(part)].all()
    ]
    return sorted(parts, key=lambda part: (-len(part), part))


def grow_region(
    device: DeviceModel, free: npt.NDArray[np.bool_], size: int, quality: npt.NDArray[np.float64]
) -> tuple[int, ...] | None:
    """Return ``size`` connected free qubits grown from the best place, or ``None`` if there are none.

    Args:
        device: The device.
        free: bool, shape (num_qubits,): qubits that may be taken.
        size: Number of qubits wanted.
        quality: Shape (num_qubits,): larger is better; the region grows by its best neighbour each time.
    """
    order = sorted(np.flatnonzero(free).tolist(), key=lambda q: (-quality[q], q))
    tried: dict[int, None] = {}
    for seed in order:
        if seed in tried:
            continue
        region = {seed: None}
        frontier = dict.fromkeys(q for q in device.graph.neighbors(seed) if free[q])
        while frontier and len(region) < size:
            best = min(frontier, key=lambda q: (-quality[q], q))
            del frontier[best]
            region[best] = None
            frontier.update(dict.fromkeys(q for q in device.graph.neighbors(best) if free[q] and q not in region))
        if len(region) >= size:
            return tuple(sorted(region))
        # The whole connected part is too small: no seed inside it can do better.
        tried.update(region)
    return None


def region_target(device: DeviceModel, qubits: Sequence[int], *, symmetric: bool = False) -> Target:
    """Return a target with only ``qubits``, renumbered 0, 1, ... in the order given, and no dead operation.

    A target without its dead couplers and qubits, rather than one that lists them, because Qiskit's passes use
    couplers whose error is 1, and its router fails on a target that falls apart.

    Args:
        device: The device.
        qubits: Physical qubits to keep.
        symmetric: Also list every directed gate the other way round, as if it cost the same.
    """
    source = device.target
    local = {qubit: index for index, qubit in enumerate(qubits)}
    properties = source.qubit_properties
    target = Target(
        num_qubits=len(qubits),
        dt=source.dt,
        granularity=source.granularity,
        min_length=source.min_length,
        pulse_alignment=source.pulse_alignment,
        acquire_alignment=source.acquire_alignment,
        qubit_properties=None if properties is None else [properties[q] or QubitProperties() for q in qubits],
    )
    telling = _telling_errors(source)
    for name in source.operation_names:
        operation = source.operation_from_name(name)
        everywhere = source[name]
        is_control_flow = isinstance(operation, type) and issubclass(operation, ControlFlowOp)
        if is_control_flow or everywhere is None or None in everywhere:
            target.add_instruction(operation, name=name)
            continue
        # Wider gates have no place in a shape of couplers; every device that has one has two-qubit gates too.
        kept = {
            tuple(local[q] for q in qargs): entry
            for qargs, entry in everywhere.items()
            if len(qargs) <= 2 and all(q in local for q in qargs) and not _is_dead(device, qargs, entry)
        }
        for index, qubit in enumerate(qubits):
            if telling.get(qubit) == name and (index,) in kept:
                kept[index,] = _apart(kept[index,], index)
        if symmetric:
            kept |= {qargs[::-1]: entry for qargs, entry in kept.items() if qargs[::-1] not in kept}
        if kept:
            target.add_instruction(operation, kept, name=name)
    return target


def _telling_errors(target: Target) -> dict[int, str]:
    """Return the operation that tells each qubit apart: measurement, or else the first one that states an error there."""
    names = sorted(target.operation_names, key=lambda name: name != "measure")
    telling: dict[int, str] = {}
    for name in names:
        for qargs, entry in (target[name] or {}).items():
            if qargs is not None and len(qargs) == 1 and entry is not None and entry.error is not None:
                telling.setdefault(qargs[0], name)
    return telling


def _apart(entry: InstructionProperties, qubit: int) -> InstructionProperties:
    return InstructionProperties(duration=entry.duration, error=entry.error + APART * qubit)


def _is_dead(device: DeviceModel, qargs: tuple[int, ...], entry: object) -> bool:
    error = getattr(entry, "error", None)
    return (error is not None and error >= DEAD_ERROR) or not all(device.usable_qubits[q] for q in qargs)
