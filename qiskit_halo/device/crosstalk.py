"""Measured crosstalk of a device: which couplers and readouts disturb whom, and what that costs."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Self

import numpy as np

from qiskit_halo.device.model import DEAD_ERROR, DeviceModel
from qiskit_halo.errors import HaloTranspilerError
from qiskit_halo.options import HaloOptions

Coupler = tuple[int, int]
"""Two qubits, ascending."""

MOST_ERROR = 1 - 1e-6
"""However large the factor, a gate that works alone has some chance left: success is never 0, its log always finite."""


class CrosstalkModel:
    """What programs that run at the same time cost each other.

    Args:
        device: The device.
        options: ``crosstalk`` and ``readout_crosstalk`` matter here.

    Raises:
        HaloTranspilerError: The table names a coupler that the device lacks.
    """

    def __init__(self, device: DeviceModel, options: HaloOptions) -> None:
        self._device = device
        self._error: dict[tuple[str, int, int], float] = {}
        disturbed_by: dict[Coupler, list[tuple[Coupler, float]]] = {}
        disturbs: dict[Coupler, list[tuple[Coupler, float]]] = {}
        for victim, other, factor in options.crosstalk:
            for coupler in (victim, other):
                if max(coupler) >= device.num_qubits or device.distance[coupler] != 1:
                    raise HaloTranspilerError(
                        f"crosstalk names coupler {coupler}, which this device of {device.num_qubits} qubits does not "
                        "have; give the table of this device"
                    )
            # Nobody's gates get better because others drive theirs: a factor below 1 is noise of its measurement.
            if factor > 1:
                disturbed_by.setdefault(victim, []).append((other, factor))
                disturbs.setdefault(other, []).append((victim, factor))
        self.disturbed_by: Mapping[Coupler, Sequence[tuple[Coupler, float]]] = disturbed_by
        """Coupler -> the couplers that disturb it, and by what factor its error grows."""
        self.disturbs: Mapping[Coupler, Sequence[tuple[Coupler, float]]] = disturbs
        """Coupler -> the couplers that it disturbs, and by what factor their error grows."""
        self.log_read = math.log1p(-options.readout_crosstalk)
        """Log of what a live qubit keeps at each measurement or reset of a neighbour."""
        self.neighbours: Sequence[Sequence[int]] = [
            np.flatnonzero(row == 1).tolist() if options.readout_crosstalk else [] for row in device.distance
        ]
        """Qubits next to each qubit; empty if readout costs them nothing."""

    @classmethod
    def of(cls, device: DeviceModel, options: HaloOptions) -> Self | None:
        """Return the model that ``options`` ask for, ``None`` if they ask for none."""
        return cls(device, options) if options.crosstalk or options.readout_crosstalk else None

    def error(self, name: str, first: int, second: int) -> float:
        """Return the error of a two-qubit gate when nobody disturbs it, either way round; 0 if it is not known to work."""
        key = (name, first, second)
        if key not in self._error:
            table = self._device.gates.get(name)
            known = (
                []
                if table is None or table.error.ndim != 2
                else [table.error[first, second], table.error.T[first, second]]
            )
            works = [float(error) for error in known if error < DEAD_ERROR]
            self._error[key] = works[0] if works else 0.0
        return self._error[key]


def disturbed_log(error: float, factor: float) -> float:
    """Return the log of the success that a gate loses when its error is multiplied by ``factor``, at most 0.

    Examples:
        >>> round(disturbed_log(0.01, 5), 6)
        -0.041243
    """
    if factor <= 1 or error >= MOST_ERROR:
        return 0.0
    return math.log1p(-min(error * factor, MOST_ERROR)) - math.log1p(-error)
