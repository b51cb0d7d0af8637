"""How full a batch is, and what keeps it from being shorter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from qiskit_halo.report import LeaseReport

FULL = 0.8
"""Share of the makespan from which a qubit, or the whole device, counts as taken all the time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fullness:
    """How full a batch is.

    Args:
        volume_bound_s: The makespan in seconds if all this work kept every qubit busy all the time.
        efficiency: Busy qubit-time, resets of hand-overs included, over qubits times makespan.
        limited_by: ``"longest program"`` where the batch is about as long as one of its programs; ``"qubits"`` where
            the whole device is taken; ``"good qubits"`` where some qubits are taken all the time while others are
            idle, because no program keeps its floor there; ``"fit"`` where no qubit is taken all the time, but what is
            free does not fit together.
    """

    volume_bound_s: float
    efficiency: float
    limited_by: str


def measure_fullness(leases: Sequence[LeaseReport], num_qubits: int, makespan_s: float, longest_s: float) -> Fullness:
    """Return how full a batch is.

    Args:
        leases: Every lease, resets included.
        num_qubits: Qubits of the device.
        makespan_s: End of the last operation.
        longest_s: Length of the longest program.
    """
    busy_s = [0.0] * num_qubits
    for lease in leases:
        busy_s[lease.qubit] += lease.stop_s - lease.start_s
    bound_s = sum(busy_s) / num_qubits
    efficiency = bound_s / makespan_s if makespan_s > 0 else 0.0
    if longest_s >= FULL * makespan_s:
        limit = "longest program"
    elif efficiency >= FULL:
        limit = "qubits"
    else:
        limit = "good qubits" if max(busy_s) >= FULL * makespan_s else "fit"
    return Fullness(volume_bound_s=bound_s, efficiency=efficiency, limited_by=limit)
