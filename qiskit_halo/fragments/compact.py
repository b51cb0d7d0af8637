"""A compiled circuit on no more qubits than it uses."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from qiskit.circuit import CONTROL_FLOW_OP_NAMES, Barrier, CircuitInstruction, QuantumCircuit, QuantumRegister, Qubit

from qiskit_halo.fragments.jumps import JUMPS
from qiskit_halo.fragments.measure import sites_of
from qiskit_halo.rewire import append_all, empty_like

_NOT_PAIRS = ("barrier", *JUMPS)

BLOCK_NAME = "block"
"""Name of every nested block of a body."""


@dataclass(frozen=True, slots=True)
class Compact:
    """A circuit on the qubits it really uses, and what it holds: Qiskit makes a new object of each instruction asked for.

    Args:
        circuit: Qubit s is site s.
        used: Which qubit each site was.
        instructions: What the circuit holds, in order.
        sites: Sites of each instruction.
    """

    circuit: QuantumCircuit
    used: list[int]
    instructions: list[CircuitInstruction]
    sites: list[tuple[int, ...]]


def compact(compiled: QuantumCircuit) -> Compact:
    """Return ``compiled`` on the qubits it really uses."""
    data = list(compiled.data)
    names = [instruction.name for instruction in data]
    held: set[Qubit] = set()
    for name, instruction in zip(names, data, strict=True):
        if name != "barrier":
            held.update(instruction.qubits)
    qubits = compiled.qubits
    used = [index for index, qubit in enumerate(qubits) if qubit in held]
    circuit = empty_like(compiled, QuantumRegister(len(used), "site"))
    site_of = {qubits[q]: site for site, q in enumerate(used)}
    wires = circuit.qubits
    instructions, sites = [], []
    # Many stand on the same qubits.
    known: dict[tuple[Qubit, ...], tuple[tuple[int, ...], tuple[Qubit, ...]]] = {}
    for name, instruction in zip(names, data, strict=True):
        source = instruction.qubits
        if source not in known:
            # Only a barrier may hold a qubit that is not used.
            where = tuple([site_of[q] for q in source if q in site_of])
            known[source] = where, tuple([wires[site] for site in where])
        where, place = known[source]
        if name == "barrier":
            if not where:
                continue
            moved = CircuitInstruction(Barrier(len(where), instruction.label), place, ())
        else:
            moved = instruction.replace(qubits=place)
            if moved.is_control_flow():
                moved = _with_plain_names(moved)
        instructions.append(moved)
        sites.append(where)
    append_all(circuit, instructions)
    return Compact(circuit, used, instructions, sites)


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


def _with_plain_names(instruction: CircuitInstruction) -> CircuitInstruction:
    """Return control flow whose blocks have no name that counts how many circuits there were before."""
    blocks = []
    for block in instruction.operation.blocks:
        named = block.copy_empty_like(BLOCK_NAME)
        append_all(named, (_with_plain_names(i) if i.is_control_flow() else i for i in block.data))
        blocks.append(named)
    return instruction.replace(operation=instruction.operation.replace_blocks(blocks))
