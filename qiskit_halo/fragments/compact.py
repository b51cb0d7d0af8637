"""A compiled circuit on no more qubits than it uses."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from qiskit.circuit import CONTROL_FLOW_OP_NAMES, Barrier, CircuitInstruction, QuantumCircuit, QuantumRegister, Qubit

from qiskit_halo.fragments.jumps import JUMPS
from qiskit_halo.fragments.measure import sites_of
from qiskit_halo.rewire import append_all, empty_like

_NOT_PAIRS = ("barrier", *JUMPS)

BLOCK_NAME = "block"
"""Name of every nested block of a body."""


def compact(compiled: QuantumCircuit) -> tuple[QuantumCircuit, list[int]]:
    """Return the circuit on the qubits it really uses, and which those were."""
    data = list(compiled.data)
    held: set[Qubit] = set()
    for instruction in data:
        if instruction.name != "barrier":
            held.update(instruction.qubits)
    qubits = compiled.qubits
    used = [index for index, qubit in enumerate(qubits) if qubit in held]
    circuit = empty_like(compiled, QuantumRegister(len(used), "site"))
    site_of = {qubits[q]: qubit for q, qubit in zip(used, circuit.qubits, strict=True)}
    append_all(circuit, [moved for i in data if (moved := _on_sites(i, site_of)) is not None])
    return circuit, used


def two_qubit_pairs(circuit: QuantumCircuit) -> Iterator[tuple[int, int]]:
    """Return the qubit indices of every two-qubit operation of ``circuit``, nested blocks included."""
    return pairs_of(circuit.data, sites_of(circuit))


def pairs_of(instructions: Iterable[CircuitInstruction], sites: Iterable[tuple[int, ...]]) -> Iterator[tuple[int, int]]:
    """Yield what :func:`two_qubit_pairs` does of ``instructions`` on ``sites``."""
    for instruction, where in zip(instructions, sites, strict=True):
        if len(where) < 2 or instruction.name in _NOT_PAIRS:
            continue
        if instruction.is_control_flow():
            for block in instruction.operation.blocks:
                yield from ((where[a], where[b]) for a, b in two_qubit_pairs(block))
        else:
            yield (where[0], where[1])


def num_pairs(circuit: QuantumCircuit) -> int:
    """Return the number of pairs that :func:`two_qubit_pairs` yields, directives left out."""
    if CONTROL_FLOW_OP_NAMES.isdisjoint(circuit.count_ops()):
        # Qiskit looks into no blocks.
        number: int = circuit.num_nonlocal_gates()
        return number
    return sum(1 for _ in two_qubit_pairs(circuit))


def control_flow_names(circuit: QuantumCircuit) -> Iterator[str]:
    """Yield the name of every control-flow construct of ``circuit``, nested blocks included."""
    for instruction in circuit.data:
        if instruction.name in JUMPS:
            yield instruction.name
        elif instruction.is_control_flow():
            yield instruction.name
            for block in instruction.operation.blocks:
                yield from control_flow_names(block)


def _on_sites(instruction: CircuitInstruction, site_of: dict[object, object]) -> CircuitInstruction | None:
    if instruction.name != "barrier":
        moved = instruction.replace(qubits=[site_of[q] for q in instruction.qubits])
        return _with_plain_names(moved) if instruction.is_control_flow() else moved
    held = [site_of[q] for q in instruction.qubits if q in site_of]
    return CircuitInstruction(Barrier(len(held), instruction.label), held, ()) if held else None


def _with_plain_names(instruction: CircuitInstruction) -> CircuitInstruction:
    """Return control flow whose blocks have no name that counts how many circuits there were before."""
    blocks = []
    for block in instruction.operation.blocks:
        named = block.copy_empty_like(BLOCK_NAME)
        append_all(named, (_with_plain_names(i) if i.is_control_flow() else i for i in block.data))
        blocks.append(named)
    return instruction.replace(operation=instruction.operation.replace_blocks(blocks))
