"""With a buffer, a program also waits for what runs near its qubits."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from qiskit_halo.device.model import DeviceModel
from qiskit_halo.placement.slots import WORD, WordArray, pack_slots
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


class Surroundings:
    """Slots in which somebody is active near each qubit, of all pieces on a board.

    Pieces of one program may be near each other at any time. Pieces without an owner are strangers to all.

    Args:
        device: The device, for its distances.
        buffer: Hops that programs which are active at the same time must be more than apart; 0 lets them touch.
    """

    def __init__(self, device: DeviceModel, buffer: int) -> None:
        self._near: npt.NDArray[np.bool_] | None = device.distance <= buffer if buffer else None
        self._active = np.zeros((device.num_qubits, 0), dtype=np.int32)
        self._own: dict[int, list[tuple[tuple[int, ...], int, int]]] = {}

    def quiet(self, owners: Sequence[int], num_slots: int) -> WordArray | None:
        """Return the slots in which nobody but ``owners`` is active near each qubit; ``None`` if all are."""
        return None if self._near is None else pack_slots(self._foreign(self._near, owners, num_slots) == 0)

    def is_quiet(self, owners: Sequence[int], qubits: Sequence[int], start: int, stop: int) -> bool:
        """Return whether nobody but ``owners`` is active near ``qubits`` in slots ``[start, stop)``, or at ``start``."""
        if self._near is None:
            return True
        stop = max(stop, start + 1)
        return not self._foreign(self._near, owners, stop)[list(qubits), start:stop].any()

    def add(self, owners: Sequence[int], qubits: Sequence[int], start: int, stop: int) -> None:
        """Note that a piece of ``owners`` is active on ``qubits`` in slots ``[start, stop)``."""
        if self._near is None or not qubits:
            return
        self._grow(stop)
        self._active[_around(self._near, qubits), start:stop] += 1
        for owner in owners:
            self._own.setdefault(owner, []).append((tuple(qubits), start, stop))

    def _foreign(self, near: npt.NDArray[np.bool_], owners: Sequence[int], num_slots: int) -> npt.NDArray[np.int32]:
        """Return how many pieces of others than ``owners`` are active near each qubit, shape (num_qubits, num_slots)."""
        self._grow(num_slots)
        foreign = self._active[:, :num_slots]
        own = dict.fromkeys(entry for owner in owners for entry in self._own.get(owner, ()))
        if own:
            foreign = foreign.copy()
            for qubits, start, stop in own:
                foreign[_around(near, qubits), start:stop] -= 1
        return foreign

    def _grow(self, num_slots: int) -> None:
        missing = num_slots - self._active.shape[1]
        if missing > 0:
            self._active = np.pad(self._active, ((0, 0), (0, missing + 4 * WORD)))


def _around(near: npt.NDArray[np.bool_], qubits: Sequence[int]) -> IntArray:
    return np.flatnonzero(near[list(qubits)].any(axis=0))


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
