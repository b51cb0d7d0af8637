"""Put compiled programs into a physical circuit as they are: on given qubits, one after another where they meet."""

from __future__ import annotations

from collections.abc import Sequence

from qiskit.circuit import CircuitInstruction, QuantumCircuit, QuantumRegister, Reset

from qiskit_halo.programs.merge import MergedPrograms
from qiskit_halo.rewire import empty_like


def append_fixed(
    mapped: QuantumCircuit | None,
    merged: MergedPrograms,
    places: Sequence[Sequence[int]],
    *,
    num_qubits: int,
    resets: int,
    assume_clean: bool,
) -> QuantumCircuit:
    """Return ``mapped`` with the programs of ``merged`` after its own, each on its place.

    Where a qubit has been used before there are resets first, so that the programs follow each other there. When
    each of them starts is left to the scheduling stage.

    Args:
        mapped: A circuit over the physical qubits, or ``None``; it is not changed.
        merged: Compiled programs, merged, idle qubits included or not.
        places: For each program the physical qubit of each of its qubits.
        num_qubits: Physical qubits of the device.
        resets: Resets at a hand-over.
        assume_clean: Whether the first use of a qubit needs none.
    """
    source = merged.circuit
    out = QuantumCircuit(QuantumRegister(num_qubits, "q"), name="halo") if mapped is None else mapped.copy()
    out.global_phase += source.global_phase
    for register in source.cregs:
        out.add_register(register)
    for variable in source.iter_declared_vars():
        out.add_uninitialized_var(variable)
    for stretch in source.iter_declared_stretches():
        out.add_stretch(stretch)
    used = {qubit: None for instruction in out.data if instruction.name != "barrier" for qubit in instruction.qubits}
    program_of = {wire: program for program, wires in enumerate(merged.qubits) for wire in wires}
    physical = {
        source.qubits[wire]: out.qubits[place]
        for wires, qubits in zip(merged.qubits, places, strict=True)
        for wire, place in zip(wires, qubits, strict=True)
    }
    wire_of = {qubit: wire for wire, qubit in enumerate(source.qubits)}
    opened: dict[tuple[int, object], None] = {}
    for instruction in source.data:
        qubits = [physical[qubit] for qubit in instruction.qubits]
        for own, qubit in zip(instruction.qubits, qubits, strict=True):
            key = (program_of[wire_of[own]], qubit)
            if key in opened or instruction.name == "barrier":
                continue
            opened[key] = None
            if qubit in used or not assume_clean:
                for _ in range(resets):
                    out.append(CircuitInstruction(Reset(), (qubit,), ()), copy=False)
            used[qubit] = None
        out.append(instruction.replace(qubits=qubits), copy=False)
    return out


def compact(circuit: QuantumCircuit) -> tuple[QuantumCircuit, tuple[int, ...]]:
    """Return ``circuit`` without the qubits that it does nothing on, and which qubits are left, ascending."""
    index = {qubit: i for i, qubit in enumerate(circuit.qubits)}
    used = sorted(
        {index[q] for instruction in circuit.data if instruction.name != "barrier" for q in instruction.qubits}
    )
    small = empty_like(circuit, QuantumRegister(len(used), "q"))
    small_qubit = {circuit.qubits[q]: small.qubits[i] for i, q in enumerate(used)}
    for instruction in circuit.data:
        held = [small_qubit[qubit] for qubit in instruction.qubits if qubit in small_qubit]
        if len(held) == len(instruction.qubits):
            small.append(instruction.replace(qubits=held), copy=False)
        elif held:
            small.barrier(held)
    return small, tuple(used)
