"""The places that one piece can choose from, side by side in arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from qiskit_halo.placement.candidates import FloatArray, IntArray
from qiskit_halo.placement.crowding import Reservation
from qiskit_halo.placement.items import TOLERANCE, PackingItem
from qiskit_halo.placement.windows import Windows

MOST_CHOICES = 256
"""Places of one piece, the best of all its forms."""

BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """The empty board.

    Args:
        num_qubits: Qubits of the device.
        windows: What places take.
        handover_log: Log of the success of a hand-over on each qubit.
        origin: Slot of tick 0.
        horizon: Slot by which all should end.
    """

    num_qubits: int
    windows: Windows
    handover_log: FloatArray
    origin: int
    horizon: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """Places of one piece that keep its floor, best first; narrower ones padded with a qubit behind the last.

    Args:
        found: Form and row of each.
        qubits: Shape (width, num_choices).
        starts: First slot that is taken, from the start of the piece; same shape.
        stops: The one after the last; same shape.
        alone: Whether nobody else may have the qubit; same shape. ``None`` if that is nowhere so.
        lengths: Slots from start to end, shape (num_choices,).
        log_success: Same shape.
        log_floor: Least log of success.
    """

    found: list[Reservation]
    qubits: IntArray
    starts: IntArray
    stops: IntArray
    alone: BoolArray | None
    lengths: IntArray
    log_success: FloatArray
    log_floor: float

    @classmethod
    def of(cls, item: PackingItem, room: Room) -> Choices | None:
        """Return the places of ``item``; ``None`` if there are none, or if it has several parts."""
        if any(len(candidates.shapes) != 1 for candidates in item.variants):
            return None
        width = max(len(candidates.shapes[0].sites) for candidates in item.variants)
        found: list[Reservation] = []
        tables: list[npt.NDArray[np.int64]] = []
        logs: list[FloatArray] = []
        for number, (candidates, exclusive) in enumerate(zip(item.variants, item.exclusive_sites, strict=True)):
            (shape,) = candidates.shapes
            alone = np.isin(shape.sites, exclusive)
            for group in room.windows.of(shape):
                rows = np.flatnonzero(group.holds & (shape.log_success >= item.log_floor - TOLERANCE))
                starts, stops = np.array(group.spans, dtype=np.int64).reshape(-1, 2).T
                table = np.zeros((len(rows), 5, width), dtype=np.int64)
                table[:, 0] = room.num_qubits
                table[:, 0, : len(shape.sites)] = shape.places[rows]
                for column, values in enumerate((starts, stops, alone), start=1):
                    table[:, column, : len(shape.sites)] = values
                table[:, 4] = group.length
                tables.append(table)
                logs.append(shape.log_success[rows])
                found += [Reservation(number, row) for row in rows.tolist()]
        if not found:
            return None
        log_success = np.concatenate(logs)
        best = np.argsort(-log_success, kind="stable")[:MOST_CHOICES]
        qubits, starts, stops, alone, lengths = np.ascontiguousarray(np.concatenate(tables)[best].transpose(1, 2, 0))
        return cls(
            found=[found[choice] for choice in best.tolist()],
            qubits=qubits,
            starts=starts,
            stops=stops,
            alone=alone.astype(np.bool_) if alone.any() else None,
            lengths=lengths[0],
            log_success=log_success[best],
            log_floor=item.log_floor - TOLERANCE,
        )
