"""With a buffer, a program also waits for what runs near its qubits."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from qiskit_halo.device.model import DeviceModel
from qiskit_halo.segments.find import BarrierLink, Segmentation

IntArray = npt.NDArray[np.int64]


def part_strangers(segmentation: Segmentation) -> Segmentation:
    """Return ``segmentation`` with barriers that hold no operations without an owner.

    A barrier of a program holds such operations to it, next to it. With a buffer they count as somebody else's, who
    must keep away; when they run makes no difference to any outcome.
    """
    barriers = []
    for barrier in segmentation.barriers:
        owned = [s for s in barrier.segments if segmentation.components[segmentation.segments[s].component].owners]
        if owned:
            barriers.append(BarrierLink(position=barrier.position, segments=tuple(owned)))
    return dataclasses.replace(segmentation, barriers=tuple(barriers))


class QuietTimes:
    """When the surroundings of each qubit fall quiet; grows while pieces are placed one after another.

    Pieces of one program may be near each other at any time. Pieces without an owner are strangers to all.

    Args:
        device: The device, for its distances.
        buffer: Hops that programs which are active at the same time must be more than apart; 0 lets them touch.
    """

    def __init__(self, device: DeviceModel, buffer: int) -> None:
        self._near: npt.NDArray[np.bool_] | None = device.distance <= buffer if buffer else None
        self._never = np.zeros(device.num_qubits, dtype=np.int64)
        self._owners: list[frozenset[int]] = []
        self._until: list[IntArray] = []

    def ready_dt(self, owners: Sequence[int]) -> IntArray:
        """Return the first tick at which a piece of ``owners`` may be active on each qubit, shape (num_qubits,)."""
        own = frozenset(owners)
        foreign = [until for other, until in zip(self._owners, self._until, strict=True) if not own & other]
        return np.max(foreign, axis=0) if foreign else self._never

    def add(self, owners: Sequence[int], qubits: Sequence[int], stop_dt: int) -> None:
        """Note that a piece of ``owners`` is active on ``qubits`` until ``stop_dt``."""
        if self._near is not None and len(qubits):
            around = self._near[list(qubits)].any(axis=0)
            self._owners.append(frozenset(owners))
            self._until.append(np.where(around, stop_dt, 0).astype(np.int64))
