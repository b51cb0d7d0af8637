"""Calibration of a target, looked up one operation at a time."""

from __future__ import annotations

import math
from functools import cache, cached_property

from qiskit.circuit import CircuitInstruction
from qiskit.transpiler import Target

DEAD = 1e-12
"""What is left of the success of an operation whose error is 1."""


class Calibration:
    """What operations and waiting cost on one device, as logs of the share that survives."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self.num_qubits: int = target.num_qubits or 0
        self.log_gate = cache(self._log_gate)

    def _log_gate(self, name: str, qubits: tuple[int, ...]) -> float:
        """Return the log of 1 - error; an error that is not stated is taken as duration over T1."""
        if name == "reset" or name not in self.target.operation_names:
            return 0.0
        properties = self.target[name].get(qubits)
        if properties is None:
            return 0.0 if None in self.target[name] else math.log(DEAD)
        error = properties.error
        if error is None:
            t1 = min((self.t1_t2(qubit)[0] for qubit in qubits), default=math.inf)
            error = (properties.duration or 0.0) / t1
        return math.log(max(1 - error, DEAD))

    def is_dead(self, name: str, qubits: tuple[int, ...]) -> bool:
        """Return whether the target lacks the operation there, or states that it always fails."""
        return self.log_gate(name, qubits) <= math.log(DEAD)

    def log_instruction(self, instruction: CircuitInstruction, qubits: tuple[int, ...]) -> float:
        """Return :attr:`log_gate` of an operation; of control flow, the sum over all of its blocks."""
        if not instruction.is_control_flow():
            return float(self.log_gate(instruction.name, qubits)) if qubits else 0.0
        total = 0.0
        for block in instruction.operation.blocks:
            outer = dict(zip(block.qubits, qubits, strict=True))
            for inner in block.data:
                if inner.name not in ("barrier", "delay"):
                    total += self.log_instruction(inner, tuple(outer[bit] for bit in inner.qubits))
        return total

    def t1_t2(self, qubit: int) -> tuple[float, float]:
        """Return T1 and T2 in seconds, infinite where not stated, T2 no longer than physics allows."""
        properties = self.target.qubit_properties[qubit] if self.target.qubit_properties else None
        t1 = getattr(properties, "t1", None) or math.inf
        t2 = getattr(properties, "t2", None) or math.inf
        return t1, min(t2, 2 * t1)

    def log_idle(self, qubit: int, gap_s: float) -> float:
        """Return the log of the fidelity that waiting leaves."""
        t1, t2 = self.t1_t2(qubit)
        return math.log((1 + math.exp(-gap_s / t1) + 2 * math.exp(-gap_s / t2)) / 4)

    def log_handover(self, qubit: int, resets: int, *, flips: bool = False) -> float:
        """Return the log of the chance that ``resets`` resets of a qubit in an unknown state leave |0>.

        A reset is a measurement and a flip, so it fails as the readout does. One that fails leaves the state as it was; with
        ``flips`` it also flips a state that is clean already, so that at least one round's error is left.
        """
        error, excited = self._readout_error(qubit), 0.5
        for _ in range(resets):
            excited = excited * error + (1 - excited) * error * flips
        return math.log1p(-excited)

    def _readout_error(self, qubit: int) -> float:
        properties = self.target["measure"].get((qubit,)) if "measure" in self.target.operation_names else None
        return float((properties.error if properties is not None else None) or 0.0)

    @cached_property
    def reset_s(self) -> dict[int, float]:
        """Qubit -> duration of its reset in seconds; empty where the target states none."""
        if "reset" not in self.target.operation_names:
            return {}
        table = self.target["reset"]
        return {key[0]: float(value.duration or 0.0) for key, value in table.items() if key and value is not None}
