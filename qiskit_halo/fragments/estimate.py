"""A quick guess of what a routed circuit will lose, to choose which routings are worth compiling to the end."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from qiskit.circuit import CONTROL_FLOW_OP_NAMES, CircuitInstruction, Clbit, Qubit

from qiskit_halo.device.model import DEAD_ERROR, DeviceModel, GateTable
from qiskit_halo.fragments.durations import rounds_of
from qiskit_halo.fragments.success import idle_loss

_TWO_QUBIT_GATES = {"swap": 3, "iswap": 2}
"""Two-qubit gates that others stand for; one for all that are not listed."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a circuit is likely to lose, wherever it stands.

    Args:
        loss: Loss of log success by two-qubit gates and by time.
        alive_s: Seconds that each qubit is alive.
    """

    loss: float
    alive_s: Mapping[Qubit, float]


class LossEstimator:
    """Estimates by median errors and durations, whatever qubits of the device a circuit stands on.

    Args:
        device: The device.

    Attributes:
        per_second: Loss of log success of a qubit that waits, a second.
    """

    def __init__(self, device: DeviceModel) -> None:
        self._feed_forward_s = device.feed_forward_s
        self._gate_loss = _median_loss([table for table in device.gates.values() if table.error.ndim == 2])
        dt_s = device.dt_s if device.has_durations else 0.0
        self._seconds = {n: _median_duration([t]) * dt_s for n, t in device.gates.items() if t.error.ndim == 1}
        self._seconds |= {"delay": 0.0}
        self._one_qubit_s = _median_duration([t for n, t in device.gates.items() if n in ("sx", "x", "u", "r")]) * dt_s
        self._two_qubit_s = _median_duration([t for t in device.gates.values() if t.error.ndim == 2]) * dt_s
        self.per_second = float(np.median(idle_loss(device)))

    def of(self, instructions: Iterable[CircuitInstruction], qubits: Sequence[Qubit]) -> Estimate:
        """Return the estimate for a circuit that holds ``instructions`` over ``qubits``."""
        gates, _, alive_s = self._walk(instructions, qubits)
        return Estimate(gates * self._gate_loss + sum(alive_s.values()) * self.per_second, alive_s)

    def seconds(self, instruction: CircuitInstruction) -> float:
        """Return the usual length of an operation, 0 where the device states no durations."""
        if instruction.is_control_flow():
            longest: float = max(
                (self._walk(block.data, block.qubits)[1] for block in instruction.operation.blocks), default=0.0
            )
            return (self._feed_forward_s if self._two_qubit_s else 0.0) + rounds_of(instruction.operation) * longest
        name, width = instruction.name, len(instruction.qubits)
        if name == "barrier" or not width:
            return 0.0
        if width == 1:
            return self._seconds.get(name, self._one_qubit_s)
        return _TWO_QUBIT_GATES.get(name, 1) * self._two_qubit_s

    def _walk(
        self, instructions: Iterable[CircuitInstruction], all_qubits: Sequence[Qubit]
    ) -> tuple[float, float, dict[Qubit, float]]:
        """Return the number of two-qubit gates, the length in seconds, and how long each qubit is alive."""
        gates = 0.0
        # By number: bits take longer to look up.
        number = {qubit: index for index, qubit in enumerate(all_qubits)}
        ready = [0.0] * len(number)
        told: dict[Clbit, float] = {}
        last: dict[int, float] = {}
        alive: dict[int, float] = {}
        lengths: dict[tuple[str, int], float] = {}
        # Of gates on one qubit, which are most: they wait for nothing else.
        single: dict[str, float] = {}
        for instruction in instructions:
            name = instruction.name
            where = instruction.qubits
            if name in single and len(where) == 1 and not instruction.clbits:
                qubit = number[where[0]]
                start = ready[qubit]
                ready[qubit] = stop = start + single[name]
                alive[qubit] = alive.get(qubit, 0.0) + stop - last.get(qubit, start)
                last[qubit] = stop
                continue
            qubits = [number[qubit] for qubit in where]
            if name == "barrier":
                now = max([ready[qubit] for qubit in qubits], default=0.0)
                for qubit in qubits:
                    ready[qubit] = now
                continue
            clbits = instruction.clbits
            start = 0.0
            for qubit in qubits:
                # A call of max() would take longer than all else here.
                if ready[qubit] > start:
                    start = ready[qubit]
            for clbit in clbits:
                start = max(start, told.get(clbit, 0.0))
            width = len(qubits)
            length = lengths.get((name, width))
            if length is None:
                own = self._seconds.get(name)
                length = self.seconds(instruction) if own is None else own
                if name not in CONTROL_FLOW_OP_NAMES:
                    lengths[name, width] = length
                    if width == 1 and name != "reset":
                        single[name] = length
            stop = start + length
            for clbit in clbits:
                told[clbit] = stop
            if width > 1:
                gates += self._gates_of(instruction)
            if name == "reset":
                for qubit in qubits:
                    ready[qubit] = stop
                    last.pop(qubit, None)  # What is reset remembers nothing of its wait.
                continue
            for qubit in qubits:
                ready[qubit] = stop
                alive[qubit] = alive.get(qubit, 0.0) + stop - last.get(qubit, start)
                last[qubit] = stop
        whole = max([*ready, *told.values()], default=0.0)
        return gates, whole, {all_qubits[qubit]: seconds for qubit, seconds in alive.items()}

    def _gates_of(self, instruction: CircuitInstruction) -> float:
        if not instruction.is_control_flow():
            return _TWO_QUBIT_GATES.get(instruction.name, 1)
        operation = instruction.operation
        return rounds_of(operation) * sum(self._walk(block.data, block.qubits)[0] for block in operation.blocks)


def _median_loss(tables: list[GateTable]) -> float:
    errors = np.concatenate([table.error[table.error < DEAD_ERROR] for table in tables]) if tables else np.empty(0)
    return float(-np.log1p(-np.median(errors))) if len(errors) else 0.0


def _median_duration(tables: list[GateTable]) -> float:
    stated = [table.duration_dt[~np.isnan(table.duration_dt)] for table in tables]
    durations = np.concatenate(stated) if stated else np.empty(0)
    return float(np.median(durations)) if len(durations) else 0.0
