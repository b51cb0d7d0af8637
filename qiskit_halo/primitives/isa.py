"""Circuits that are compiled already: they stay on the qubits that they were compiled for."""

from __future__ import annotations

from qiskit.circuit import QuantumCircuit
from qiskit.transpiler import Target

_WIDE_BUT_EMPTY = ("barrier", "store", "break_loop", "continue_loop")
"""Operations that a target need not list, and that join no qubits."""


def is_isa(circuit: QuantumCircuit, target: Target) -> bool:
    """Return whether ``circuit`` can run on ``target`` as it stands: each operation is one of the device's there.

    It is what Qiskit's runtime asks of circuits. Whether a circuit went through a transpiler does not count: clients
    write circuits on physical qubits themselves, with no layout and no more wires than they need, and such a circuit
    must not be moved to other qubits.
    """
    return circuit.num_qubits <= target.num_qubits and supports(circuit, target, tuple(range(circuit.num_qubits)))


def supports(circuit: QuantumCircuit, target: Target, qubits: tuple[int, ...]) -> bool:
    """Return whether ``target`` has every operation of ``circuit``, nested blocks included, on ``qubits``.

    Args:
        circuit: The circuit.
        target: The device.
        qubits: Physical qubit of each qubit of the circuit.
    """
    physical = dict(zip(circuit.qubits, qubits, strict=True))
    for instruction in circuit.data:
        if instruction.name in _WIDE_BUT_EMPTY:
            continue
        where = tuple(physical[qubit] for qubit in instruction.qubits)
        if instruction.is_control_flow():
            if instruction.name not in target.operation_names:
                return False
            if not all(supports(block, target, where) for block in instruction.operation.blocks):
                return False
        elif not target.instruction_supported(instruction.name, where):
            return False
    return True


def interactions(circuit: QuantumCircuit, qubits: tuple[int, ...]) -> list[tuple[int, int]]:
    """Return the pairs of ``qubits`` that some operation joins, nested blocks included; ascending, each once.

    Args:
        circuit: The circuit.
        qubits: Number of each qubit of the circuit.
    """
    number = dict(zip(circuit.qubits, qubits, strict=True))
    pairs: dict[tuple[int, int], None] = {}
    for instruction in circuit.data:
        where = tuple(number[qubit] for qubit in instruction.qubits)
        if instruction.is_control_flow():
            for block in instruction.operation.blocks:
                pairs |= dict.fromkeys(interactions(block, where))
        elif len(where) == 2 and instruction.name not in _WIDE_BUT_EMPTY:
            pairs[min(where), max(where)] = None
    return sorted(pairs)
