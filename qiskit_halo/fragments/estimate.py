"""A quick guess of what a routed circuit will lose, to choose which routings are worth compiling to the end."""

from __future__ import annotations

from collections.abc import Hashable

import numpy as np
from qiskit.circuit import QuantumCircuit

from qiskit_halo.device.model import DEAD_ERROR, DeviceModel, GateTable
from qiskit_halo.fragments.durations import rounds_of

_TWO_QUBIT_GATES = {"swap": 3, "iswap": 2}
"""Two-qubit gates that others stand for; one for all that are not listed."""


class LossEstimate:
    """Ranks routed circuits by median errors and durations, whatever qubits of the device they stand on.

    Args:
        device: The device.
    """

    def __init__(self, device: DeviceModel) -> None:
        self._feed_forward_s = device.feed_forward_s
        self._gate_loss = _median_loss([table for table in device.gates.values() if table.error.ndim == 2])
        ticks = device.dt_s if device.has_durations else 0.0
        self._durations = {name: _median_duration([table]) * ticks for name, table in device.gates.items()}
        self._one_qubit_s = _median_duration([t for n, t in device.gates.items() if n in ("sx", "x", "u", "r")]) * ticks
        self._two_qubit_s = _median_duration([t for t in device.gates.values() if t.error.ndim == 2]) * ticks
        # The fidelity of a short wait falls by (1/T1 + 2/T2) / 4 a second.
        self._loss_per_s = float(np.median(0.25 / device.t1_s + 0.5 / device.t2_s))

    def of(self, circuit: QuantumCircuit) -> float:
        """Return the estimated loss of log success: two-qubit gates, and the time that qubits are alive."""
        gates, _, spans = self._walk(circuit)
        return gates * self._gate_loss + sum(stop - start for start, stop in spans) * self._loss_per_s

    def _walk(self, circuit: QuantumCircuit) -> tuple[float, float, list[tuple[float, float]]]:
        """Return the number of two-qubit gates, the length in seconds, and when each qubit is alive."""
        gates = 0.0
        ready: dict[Hashable, float] = {}
        alive: dict[Hashable, tuple[float, float]] = {}
        for instruction in circuit.data:
            name, qubits = instruction.name, instruction.qubits
            resources = (*qubits, *instruction.clbits)
            start = max([ready.get(resource, 0.0) for resource in resources], default=0.0)
            duration = 0.0
            if instruction.is_control_flow():
                rounds = rounds_of(instruction.operation)
                for block in instruction.operation.blocks:
                    inner, length, _ = self._walk(block)
                    gates += rounds * inner
                    duration = max(duration, rounds * length)
                duration += self._feed_forward_s if self._two_qubit_s else 0.0
            elif len(qubits) == 2 and name != "barrier":
                count = _TWO_QUBIT_GATES.get(name, 1)
                gates += count
                duration = count * self._two_qubit_s
            elif len(qubits) == 1:
                duration = self._durations.get(name, self._one_qubit_s if name not in ("barrier", "delay") else 0.0)
            stop = start + duration
            ready.update(dict.fromkeys(resources, stop))
            if name not in ("barrier", "reset"):
                for qubit in qubits:
                    alive[qubit] = (alive[qubit][0] if qubit in alive else start, stop)
        return gates, max(ready.values(), default=0.0), list(alive.values())


def _median_loss(tables: list[GateTable]) -> float:
    errors = np.concatenate([table.error[table.error < DEAD_ERROR] for table in tables]) if tables else np.empty(0)
    return float(-np.log1p(-np.median(errors))) if len(errors) else 0.0


def _median_duration(tables: list[GateTable]) -> float:
    stated = [table.duration_dt[~np.isnan(table.duration_dt)] for table in tables]
    durations = np.concatenate(stated) if stated else np.empty(0)
    return float(np.median(durations)) if len(durations) else 0.0
