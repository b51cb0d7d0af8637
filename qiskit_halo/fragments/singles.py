"""Which goes first, a SWAP or what is done to one of its qubits."""

from __future__ import annotations

from collections.abc import Iterable

from qiskit.circuit import CircuitInstruction, Gate, Qubit


def swaps_first(instructions: Iterable[CircuitInstruction]) -> list[CircuitInstruction]:
    """Return ``instructions`` with gates on one qubit and resets after the SWAPs that follow them, where their qubit then is.

    A SWAP that comes after a gate on one of its qubits keeps the other one waiting for that gate as well; after the SWAP the
    gate keeps nobody waiting but its own qubit. A qubit that is reset after a SWAP loses nothing by the SWAP's errors, nor by
    waiting in between.
    """
    waiting: dict[Qubit, list[CircuitInstruction]] = {}
    ordered: list[CircuitInstruction] = []
    for instruction in instructions:
        qubits = instruction.qubits
        if is_single(instruction):
            waiting.setdefault(qubits[0], []).append(instruction)
            continue
        if instruction.name == "swap" and instruction.is_standard_gate():
            a, b = qubits
            waiting[a], waiting[b] = waiting.get(b, []), waiting.get(a, [])
        else:
            for qubit in qubits:
                ordered += [single.replace(qubits=(qubit,)) for single in waiting.pop(qubit, ())]
        ordered.append(instruction)
    for qubit, singles in waiting.items():
        ordered += [single.replace(qubits=(qubit,)) for single in singles]
    return ordered


def is_single(instruction: CircuitInstruction) -> bool:
    """Return whether ``instruction`` is a gate on one qubit or a reset."""
    if instruction.is_standard_gate():
        return len(instruction.qubits) == 1
    return instruction.name == "reset" or (len(instruction.qubits) == 1 and isinstance(instruction.operation, Gate))
