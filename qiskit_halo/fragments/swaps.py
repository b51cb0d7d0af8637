"""SWAPs that cost less than three two-qubit gates, or keep fewer qubits waiting, given what stands before them."""

from __future__ import annotations

from collections.abc import Iterable

from qiskit.circuit import CircuitInstruction, Gate, Qubit
from qiskit.circuit.library import CXGate

_CX = CXGate()


def with_cheap_swaps(instructions: Iterable[CircuitInstruction], *, native: bool = False) -> list[CircuitInstruction]:
    """Return a routed circuit that starts in the ground state, with its SWAPs as early and as cheap as they can be.

    A gate on one qubit, or a reset, goes after the SWAPs that follow it, on the qubit where it then belongs. Before a SWAP it
    keeps both qubits waiting, after it only its own; and a qubit that is reset after a SWAP loses nothing by the SWAP's errors.

    A SWAP with a fresh qubit, one that nothing has been done to, takes two CX, as the third would find its control in the ground
    state (relaxed peephole optimization, arXiv:2012.07711), and leaves the other one fresh. Between two fresh qubits it is left out.

    Args:
        instructions: All of the circuit, in order.
        native: Whether the device has SWAPs, so that two CX would take more than one of them.
    """
    waiting: dict[Qubit, list[CircuitInstruction]] = {}
    touched: set[Qubit] = set()
    ordered: list[CircuitInstruction] = []
    for instruction in instructions:
        qubits = instruction.qubits
        if _is_single(instruction):
            waiting.setdefault(qubits[0], []).append(instruction)
            continue
        if instruction.name == "swap" and instruction.is_standard_gate():
            a, b = qubits
            waiting[a], waiting[b] = waiting.get(b, []), waiting.get(a, [])
            if a in touched and b in touched:
                ordered.append(instruction)
            elif a in touched or b in touched:
                old, new = (a, b) if a in touched else (b, a)
                moved = [CircuitInstruction(_CX, (old, new)), CircuitInstruction(_CX, (new, old))]
                ordered += [instruction] if native else moved
                touched.remove(old)
                touched.add(new)
            continue
        for qubit in qubits:
            singles = waiting.pop(qubit, [])
            ordered += [single.replace(qubits=(qubit,)) for single in singles]
            if singles or instruction.name != "barrier":
                touched.add(qubit)
        ordered.append(instruction)
    for qubit, singles in waiting.items():
        ordered += [single.replace(qubits=(qubit,)) for single in singles]
    return ordered


def _is_single(instruction: CircuitInstruction) -> bool:
    """Return whether ``instruction`` is a gate on one qubit or a reset."""
    if instruction.is_standard_gate():
        return len(instruction.qubits) == 1
    return instruction.name == "reset" or (len(instruction.qubits) == 1 and isinstance(instruction.operation, Gate))
