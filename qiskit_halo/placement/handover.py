"""How long a physical qubit takes to pass from one piece to the next."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from qiskit_halo.device.model import DeviceModel

IntArray = npt.NDArray[np.int64]


def reset_dt(device: DeviceModel) -> IntArray:
    """Return the ticks of one reset of each qubit, shape (num_qubits,)."""
    if not device.has_durations:
        # Like every other operation there: times count operations.
        return np.ones(device.num_qubits, dtype=np.int64)
    return device.reset_dt


def round_dt(device: DeviceModel) -> IntArray:
    """Return the ticks from the start of one reset to that of the next in a row, shape (num_qubits,).

    Resets start on the device's alignment, as every operation does.
    """
    return -(-reset_dt(device) // device.alignment) * device.alignment


def handover_dt(device: DeviceModel, rounds: int) -> IntArray:
    """Return the ticks from the first of ``rounds`` resets to where the next piece may use the qubit."""
    return rounds * round_dt(device)
