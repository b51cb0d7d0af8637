"""A physical circuit as timed steps: what acts where, from when to when."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from qiskit.circuit import CircuitInstruction, QuantumCircuit
from qiskit.transpiler import Target

SECONDS = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9, "ps": 1e-12}


@dataclass(frozen=True)
class Step:
    """One operation.

    Attributes:
        position: Index in ``circuit.data``.
        name: Of the operation.
        qubits: Physical qubits.
        clbits: Indices that it reads or writes.
        start_s: Start, operations as soon as their qubits and clbits are free.
        stop_s: End.
    """

    position: int
    name: str
    qubits: tuple[int, ...]
    clbits: tuple[int, ...]
    start_s: float
    stop_s: float
    instruction: CircuitInstruction

    @property
    def passive(self) -> bool:
        """Whether it does nothing to any state that the programs know of."""
        return self.name in ("barrier", "delay")


def read_steps(circuit: QuantumCircuit, target: Target) -> list[Step]:
    """Return every operation of ``circuit``, timed as soon as possible; its delays hold operations back.

    A branch takes as long as its longest block, a loop as one round of it.
    """
    qubit_at = {bit: index for index, bit in enumerate(circuit.qubits)}
    clbit_at = {bit: index for index, bit in enumerate(circuit.clbits)}
    qubit_free = [0.0] * circuit.num_qubits
    clbit_free = [0.0] * circuit.num_clbits
    steps = []
    for position, instruction in enumerate(circuit.data):
        qubits = tuple(qubit_at[bit] for bit in instruction.qubits)
        clbits = tuple(clbit_at[bit] for bit in instruction.clbits)
        start = max([*(qubit_free[q] for q in qubits), *(clbit_free[c] for c in clbits)], default=0.0)
        stop = start + duration_s(instruction, qubits, target)
        for qubit in qubits:
            qubit_free[qubit] = stop
        for clbit in clbits:
            clbit_free[clbit] = stop
        steps.append(Step(position, instruction.name, qubits, clbits, start, stop, instruction))
    return steps


def duration_s(instruction: CircuitInstruction, qubits: tuple[int, ...], target: Target) -> float:
    """Return how long an operation takes, 0 if the target does not say."""
    operation: Any = instruction.operation
    if instruction.name == "barrier":
        return 0.0
    if instruction.name == "delay":
        if operation.unit == "dt":
            return float(operation.duration * (target.dt or 0.0))
        return float(operation.duration * SECONDS[operation.unit])
    if instruction.is_control_flow():
        return max((_block_s(block, qubits, target) for block in operation.blocks), default=0.0)
    properties = target[instruction.name].get(qubits) if instruction.name in target.operation_names else None
    return float(properties.duration or 0.0) if properties is not None else 0.0


def _block_s(block: QuantumCircuit, qubits: tuple[int, ...], target: Target) -> float:
    free = dict.fromkeys(block.qubits, 0.0)
    outer = dict(zip(block.qubits, qubits, strict=True))
    for instruction in block.data:
        start = max((free[bit] for bit in instruction.qubits), default=0.0)
        stop = start + duration_s(instruction, tuple(outer[bit] for bit in instruction.qubits), target)
        free.update(dict.fromkeys(instruction.qubits, stop))
    return max(free.values(), default=0.0)
