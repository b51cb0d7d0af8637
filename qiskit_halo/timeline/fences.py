"""Where barriers must keep neighbours apart, because nothing else holds planned times on the device."""

from __future__ import annotations

import numpy as np

from qiskit_halo.device.model import DeviceModel
from qiskit_halo.timeline.timeline import Timeline


def find_fences(timeline: Timeline, device: DeviceModel, buffer: int) -> dict[int, tuple[int, ...]]:
    """Return for each piece that needs a barrier before it the physical qubits of that barrier, ascending.

    With a buffer, a piece starts after those of other programs near it have ended. Delays see to that, unless times are
    not exact: the circuit has operations whose length is only known on the device, or the device has no delays or
    states no lengths.

    Args:
        timeline: When everything runs.
        device: The device.
        buffer: Hops that programs which are active at the same time must be more than apart.
    """
    if not buffer or timeline.exact:
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
