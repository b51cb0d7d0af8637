"""Where barriers must keep neighbours apart, because nothing else holds planned times on the device."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from qiskit.circuit import CircuitInstruction, Qubit

from qiskit_halo.device.model import DeviceModel
from qiskit_halo.timeline.timeline import Timeline


def find_fences(
    timeline: Timeline, device: DeviceModel, buffer: int, physical: Mapping[Qubit, int]
) -> dict[int, tuple[int, ...]]:
    """Return for each piece that needs a barrier before it the physical qubits of that barrier, ascending.

    With a buffer, a piece starts after those of other programs near it have ended. Delays see to that, unless the
    circuit has operations whose length is only known on the device, or the device has no delays or states no lengths.

    Args:
        timeline: When everything runs.
        device: The device.
        buffer: Hops that programs which are active at the same time must be more than apart.
        physical: Physical qubit of each qubit of the circuit.
    """
    if not buffer or _times_hold(timeline, device, physical):
        return {}
    fences: dict[int, tuple[int, ...]] = {}
    for index, timed in enumerate(timeline.pieces):
        hops = device.distance[np.array(timed.qubits, dtype=np.int64)]
        around = dict.fromkeys(np.argwhere(hops <= buffer)[:, 1].tolist())
        own = frozenset(timed.piece.owners)
        foreign = [q for other in timeline.pieces[:index] if not own & set(other.piece.owners) for q in other.qubits]
        held = dict.fromkeys(q for q in foreign if q in around)
        if held:
            fences[index] = tuple(sorted(dict.fromkeys((*timed.qubits, *held))))
    return fences


def _times_hold(timeline: Timeline, device: DeviceModel, physical: Mapping[Qubit, int]) -> bool:
    if "delay" not in device.target.operation_names or not device.has_durations:
        return False
    return not any(
        timed.estimated or not _is_known(instruction, device, physical)
        for timed in timeline.pieces
        for instruction in timed.instructions
    )


def _is_known(instruction: CircuitInstruction, device: DeviceModel, physical: Mapping[Qubit, int]) -> bool:
    """Return whether the device states how long ``instruction`` takes."""
    if instruction.name in ("barrier", "delay"):
        return True
    table = device.gates.get(instruction.name)
    if table is None:
        return False
    return not np.isnan(table.duration_dt[tuple(physical[qubit] for qubit in instruction.qubits)])
