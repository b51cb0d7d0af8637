"""Circuits that are compiled already: they stay on the qubits that they were compiled for."""

from __future__ import annotations

from qiskit.circuit import QuantumCircuit
from qiskit.transpiler import Target

_WIDE_BUT_EMPTY = ("barrier", "store", "break_loop", "continue_loop")
"""Operations that a target need not list, and that join no qubits."""


def is_isa(circuit: QuantumCircuit, target: Target) -> bool:
    """Return whether ``circuit`` is over the physical qubits of ``target``, with nothing but its operations.

    A circuit counts as one over physical qubits if it went through a transpiler's layout, or has as many qubits as the
    device: a narrow circuit of the device's gates is still an abstract one, whose qubits may go anywhere.
    """
    if circuit.num_qubits > target.num_qubits:
        return False
    if circuit.layout is None and circuit.num_qubits != target.num_qubits:
        return False
    return supports(circuit, target, tuple(range(circuit.num_qubits)))


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
