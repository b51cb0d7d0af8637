"""Compact parts of a region: SABRE finds good routings there faster than on a whole device."""

from __future__ import annotations

from collections.abc import Sequence

from qiskit_halo.device.model import DeviceModel

ANCHORS = 64
"""Qubits tried as the centre of a part, spread evenly over the region."""


def compact_part(device: DeviceModel, region: Sequence[int], size: int) -> tuple[int, ...]:
    """Return ``size`` connected qubits of ``region``, ascending: those with most couplers, then best readout.

    Args:
        device: The device.
        region: Connected physical qubits.
        size: Number of qubits wanted, at most that of the region.
    """
    inside = dict.fromkeys(region)
    best: tuple[tuple[int, float], tuple[int, ...]] | None = None
    for index in range(0, len(region), max(1, len(region) // ANCHORS)):
        part = _ball(device, inside, region[index], size)
        couplers = sum(1 for q in part for other in device.graph.neighbors(q) if other in part)
        score = (couplers, -float(device.readout_error[list(part)].sum()))
        if best is None or score > best[0]:
            best = (score, tuple(sorted(part)))
    return () if best is None else best[1]


def _ball(device: DeviceModel, inside: dict[int, None], anchor: int, size: int) -> dict[int, None]:
    part = {anchor: None}
    for qubit in (queue := [anchor]):
        for other in sorted(device.graph.neighbors(qubit)):
            if other in inside and other not in part and len(part) < size:
                part[other] = None
                queue.append(other)
    return part
