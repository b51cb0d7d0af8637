"""Put the instructions of a piece in an order that depends on the numbers of its bits alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from qiskit.circuit import CircuitInstruction, Clbit, ControlFlowOp, QuantumCircuit, Qubit
from qiskit.circuit.classical import expr

from qiskit_halo.fragments.compact import BLOCK_NAME
from qiskit_halo.fragments.jumps import JUMPS
from qiskit_halo.rewire import add_variables, append_all
from qiskit_halo.segments.resources import classical_resources

Resource: TypeAlias = Qubit | Clbit | expr.Var | expr.Stretch


def sort_instructions(
    instructions: Sequence[CircuitInstruction], rank: Mapping[Resource, int]
) -> list[CircuitInstruction]:
    """Return ``instructions`` by layer, then by the least of their resources, with their loose bits in order too.

    Args:
        instructions: In an order that respects their dependencies.
        rank: Number of each qubit, classical bit and variable.
    """
    layer: dict[Resource, int] = {}
    keys = []
    for index, instruction in enumerate(instructions):
        resources = (*instruction.qubits, *classical_resources(instruction))
        depth = max((layer.get(resource, 0) for resource in resources), default=0)
        layer.update(dict.fromkeys(resources, depth + 1))
        # Instructions of one layer share no resource; those without any keep their own order.
        keys.append((depth, min((rank[resource] for resource in resources), default=len(rank)), index))
    return [_with_bits_in_order(instructions[index], rank) for _, _, index in sorted(keys)]


def _with_bits_in_order(instruction: CircuitInstruction, rank: Mapping[Resource, int]) -> CircuitInstruction:
    if instruction.name != "barrier" and instruction.name not in JUMPS and not instruction.is_control_flow():
        return instruction
    qubits = sorted(instruction.qubits, key=rank.__getitem__)
    clbits = sorted(instruction.clbits, key=rank.__getitem__)
    if not instruction.is_control_flow() or not instruction.operation.blocks:
        return instruction.replace(qubits=qubits, clbits=clbits)
    operation: ControlFlowOp = instruction.operation
    outside = (*instruction.qubits, *instruction.clbits)
    blocks = [_sorted_block(block, outside, rank) for block in operation.blocks]
    return instruction.replace(operation=operation.replace_blocks(blocks), qubits=qubits, clbits=clbits)


def _sorted_block(
    block: QuantumCircuit, outside: Sequence[Qubit | Clbit], rank: Mapping[Resource, int]
) -> QuantumCircuit:
    """Return a nested block with its bits in the order of those that they stand for outside."""
    inner_rank = dict(rank)
    inner_rank.update({own: rank[bit] for own, bit in zip((*block.qubits, *block.clbits), outside, strict=True)})
    place = {own: Qubit() for own in sorted(block.qubits, key=inner_rank.__getitem__)}
    # No name of the user's, nor one that counts how many circuits there were before.
    moved = QuantumCircuit(
        list(place.values()),
        sorted(block.clbits, key=inner_rank.__getitem__),
        *block.cregs,
        name=BLOCK_NAME,
        global_phase=block.global_phase,
    )
    add_variables(moved, block)
    instructions = sort_instructions(block.data, inner_rank)
    append_all(moved, (inner.replace(qubits=[place[q] for q in inner.qubits]) for inner in instructions))
    return moved
