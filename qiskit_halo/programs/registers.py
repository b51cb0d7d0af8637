"""Bits and registers of one program -> those of the merged circuit."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from qiskit.circuit import AncillaRegister, ClassicalRegister, Clbit, QuantumCircuit, QuantumRegister, Qubit

from qiskit_halo.programs.metadata import RegisterEntry
from qiskit_halo.programs.names import Namespace
from qiskit_halo.programs.program import marked_helpers

# How a register without a name is called: bits that are in no register of the user's.
_LOOSE_CLBITS = "loose"
_LOOSE_QUBITS = "loose_qubits"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgramRegisters:
    """Where the bits of one program are in the merged circuit.

    Samplers read a classical register as ``size`` bits from its first one, so base registers are fresh,
    contiguous and never share a bit, whatever the user's registers did.

    Args:
        data: Quantum registers of the data qubits.
        helpers: Registers of the helper qubits.
        classical: Base classical registers.
        qubits: Merged qubits by the user's qubit index.
        clbits: Merged clbits by the user's clbit index.
        entries: The user's classical registers for the metadata, in the user's order.
        names: Bits of each user's classical register, merged and in order -> the user's name for it.
    """

    data: tuple[QuantumRegister, ...]
    helpers: tuple[AncillaRegister, ...]
    classical: tuple[ClassicalRegister, ...]
    qubits: tuple[Qubit, ...]
    clbits: tuple[Clbit, ...]
    entries: tuple[RegisterEntry, ...]
    names: dict[tuple[Clbit, ...], str]


def plan_registers(circuit: QuantumCircuit, namespace: Namespace) -> ProgramRegisters:
    """Return fresh registers for every bit of ``circuit``, named in ``namespace``.

    Args:
        circuit: The user's circuit.
        namespace: The names of the program; the classical registers must be the first to claim theirs.
    """
    classical = _partition(circuit.clbits, [(r.name, tuple(r)) for r in circuit.cregs], _LOOSE_CLBITS)
    quantum = _partition(circuit.qubits, [(r.name, tuple(r)) for r in circuit.qregs], _LOOSE_QUBITS)
    marked = dict.fromkeys(circuit.qubits[index] for index in marked_helpers(circuit))
    parts = []  # (wanted name, bits, is helper)
    for name, bits in quantum:
        data = [bit for bit in bits if bit not in marked]
        helpers = [bit for bit in bits if bit in marked]
        if data:
            parts.append((name, data, False))
        if helpers:
            parts.append((f"{name}_helpers" if data else name, helpers, True))
    names = namespace.claim([name for name, _ in classical] + [name for name, _, _ in parts])
    cregs = [ClassicalRegister(len(bits), name) for (_, bits), name in zip(classical, names, strict=False)]
    clbit_of = {
        bit: (register, index)
        for (_, bits), register in zip(classical, cregs, strict=True)
        for index, bit in enumerate(bits)
    }
    qregs: list[QuantumRegister] = []
    ancillas: list[AncillaRegister] = []
    qubit_of: dict[Qubit, Qubit] = {}
    for (_, bits, is_helper), name in zip(parts, names[len(classical) :], strict=True):
        register = AncillaRegister(len(bits), name) if is_helper else QuantumRegister(len(bits), name)
        (ancillas if is_helper else qregs).append(register)
        qubit_of.update(zip(bits, register, strict=True))
    entries = tuple(
        RegisterEntry(
            name=register.name,
            size=len(register),
            bits=[[clbit_of[bit][0].name, clbit_of[bit][1]] for bit in register],
        )
        for register in circuit.cregs
    )
    merged = {bit: register[index] for bit, (register, index) in clbit_of.items()}
    return ProgramRegisters(
        data=tuple(qregs),
        helpers=tuple(ancillas),
        classical=tuple(cregs),
        qubits=tuple(qubit_of[bit] for bit in circuit.qubits),
        clbits=tuple(merged[bit] for bit in circuit.clbits),
        entries=entries,
        names={tuple(merged[bit] for bit in register): register.name for register in circuit.cregs},
    )


def _partition(
    bits: Iterable[Qubit | Clbit], registers: Iterable[tuple[str, tuple[Qubit | Clbit, ...]]], loose: str
) -> list[tuple[str, list[Qubit | Clbit]]]:
    """Give each bit to the first register that holds it, and the rest to ``loose``; drop what is empty."""
    seen: set[Qubit | Clbit] = set()
    parts = []
    for name, members in [*registers, (loose, tuple(bits))]:
        new = [bit for bit in members if bit not in seen]
        seen.update(new)
        if new:
            parts.append((name, new))
    return parts
