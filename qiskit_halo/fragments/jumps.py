"""Loops that are left or restarted early must not be routed: Qiskit's router gets them wrong.

It brings the qubits of a loop back to their places at the end of the loop's body, which ``break_loop`` and
``continue_loop`` jump over, and so the operations that follow stand on the wrong qubits.
"""

from __future__ import annotations

from collections.abc import Iterator

from qiskit.circuit import QuantumCircuit

JUMPS = ("break_loop", "continue_loop")
"""Operations that stand on every qubit of their loop and touch none."""

_LOOPS = ("for_loop", "while_loop")


def has_jumps(circuit: QuantumCircuit) -> bool:
    """Return whether a loop of ``circuit`` is left or restarted early."""
    return next(_bodies_with_jumps(circuit), None) is not None


def count_loop_swaps(circuit: QuantumCircuit) -> int:
    """Return the number of swaps in the bodies of loops that are left or restarted early."""
    return sum(_num_swaps(body) for body in _bodies_with_jumps(circuit))


def _bodies_with_jumps(circuit: QuantumCircuit) -> Iterator[QuantumCircuit]:
    for instruction in circuit.data:
        if instruction.is_control_flow():
            for block in instruction.operation.blocks:
                if instruction.name in _LOOPS and _jumps(block):
                    yield block
                else:
                    yield from _bodies_with_jumps(block)


def _jumps(block: QuantumCircuit) -> bool:
    return any(
        instruction.name in JUMPS or (instruction.is_control_flow() and any(map(_jumps, instruction.operation.blocks)))
        for instruction in block.data
    )


def _num_swaps(block: QuantumCircuit) -> int:
    return sum(
        sum(map(_num_swaps, instruction.operation.blocks))
        if instruction.is_control_flow()
        else instruction.name == "swap"
        for instruction in block.data
    )
