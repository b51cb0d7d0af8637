"""Compact parts of a region: SABRE finds good routings there faster than on a whole device."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from qiskit_halo.device.model import DeviceModel

ANCHORS = 40
"""Qubits tried as the centre of a part, spread evenly over the region."""


def compact_part(device: DeviceModel, region: Sequence[int], size: int) -> tuple[int, ...]:
    """Return ``size`` connected qubits of ``region``, ascending: those with most couplers, then best readout.

    Args:
        device: The device.
        region: Connected physical qubits.
        size: Number of qubits wanted, at most that of the region.
    """
    inside = dict.fromkeys(region)
    neighbours = {q: sorted(n for n in device.graph.neighbors(q) if n in inside) for q in region}
    best: tuple[tuple[int, float], tuple[int, ...]] | None = None
    for index in range(0, len(region), max(1, len(region) // ANCHORS)):
        part = _ball(neighbours, region[index], size)
        couplers = sum(1 for q in part for other in neighbours[q] if other in part)
        score = (couplers, -float(device.readout_error[list(part)].sum()))
        if best is None or score > best[0]:
            best = (score, tuple(sorted(part)))
    return () if best is None else best[1]


def _ball(neighbours: Mapping[int, Sequence[int]], anchor: int, size: int) -> dict[int, None]:
    part = {anchor: None}
    for qubit in (queue := [anchor]):
        if len(part) >= size:
            break
        new = [other for other in neighbours[qubit] if other not in part][: size - len(part)]
        part.update(dict.fromkeys(new))
        queue += new
    return part
