"""A list of programs -> one circuit in which each keeps to its own bits."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from qiskit.circuit import ClassicalRegister, Clbit, QuantumCircuit

from qiskit_halo.options import HaloOptions
from qiskit_halo.programs.flatten import flatten
from qiskit_halo.programs.metadata import ProgramEntry, copy_user_metadata, write_metadata
from qiskit_halo.programs.names import Namespace
from qiskit_halo.programs.program import Program
from qiskit_halo.programs.registers import ProgramRegisters, plan_registers
from qiskit_halo.programs.scan import Content
from qiskit_halo.programs.symbols import MergedParameters, Symbols
from qiskit_halo.rewire import Rewiring
from qiskit_halo.wide import blank_circuit

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class MergedPrograms:
    """One circuit made of many programs.

    Args:
        circuit: The merged circuit, with ``metadata["halo"]``.
        parameters: Per program, the user's parameters and vectors -> the merged ones.
        qubits: Per program, the merged qubit index of each qubit of the user's circuit.
    """

    circuit: QuantumCircuit
    parameters: tuple[MergedParameters, ...]
    qubits: tuple[tuple[int, ...], ...]


def merge_programs(programs: Sequence[Program], *, options: HaloOptions | None = None) -> MergedPrograms:
    """Return one circuit that runs all ``programs`` side by side, one wire a qubit.

    Program ``k``'s classical register ``c`` becomes ``p<k>_c``; registers that share bits, and bits in no
    register, get base registers as the metadata says. Data registers come first, helper registers last. The
    operations are those of program 0, then of program 1, and so on, with every reset and measurement at top level
    or in control flow, never inside a composite instruction.

    Args:
        programs: Checked programs, indexed from 0.
        options: Written into the metadata for the compiler.

    Raises:
        HaloValueError: A program's metadata is not JSON, or an operation of its own cannot be synthesised.
    """
    namespaces = [Namespace(program.index) for program in programs]
    plans = [plan_registers(p.circuit, names) for p, names in zip(programs, namespaces, strict=True)]
    merged = blank_circuit(
        *(register for plan in plans for register in plan.data),
        *(register for plan in plans for register in plan.helpers),
        *(register for plan in plans for register in plan.classical),
        name="halo",
    )
    bodies: dict[int, tuple[QuantumCircuit, Content]] = {}  # programs that share a circuit object share the work
    entries, parameters = [], []
    for program, plan, namespace in zip(programs, plans, namespaces, strict=True):
        key = id(program.circuit)
        if key not in bodies:
            bodies[key] = flatten(program.circuit, str(program))
        body, content = bodies[key]
        symbols = Symbols(namespace)
        body = symbols.with_parameters(body)
        aliases: list[str] = []
        if content.classical:
            aliases = _append_classical(merged, body, plan, namespace, symbols)
        else:  # no Python per operation
            merged.compose(body, plan.qubits, plan.clbits, inplace=True)
        parameters.append(symbols.parameters)
        entries.append(_entry(program, plan, aliases))
    merged.metadata = write_metadata(entries, options=options)
    logger.info("merged %d programs: %d qubits", len(programs), merged.num_qubits)
    position = {bit: index for index, bit in enumerate(merged.qubits)}
    return MergedPrograms(
        circuit=merged,
        parameters=tuple(parameters),
        qubits=tuple(tuple(position[bit] for bit in plan.qubits) for plan in plans),
    )


def _append_classical(
    merged: QuantumCircuit,
    body: QuantumCircuit,
    plan: ProgramRegisters,
    namespace: Namespace,
    symbols: Symbols,
) -> list[str]:
    """Append a body with control flow or variables; return the names of the alias registers that it needed.

    ``compose`` cannot do it: it refuses variables of equal names and leaves the blocks on other clbits than
    their conditions.
    """
    for variable in body.iter_declared_vars():
        merged.add_uninitialized_var(symbols.variable_of(variable))
    for stretch in body.iter_declared_stretches():
        merged.add_stretch(symbols.variable_of(stretch))
    registers = {tuple(register): register for register in plan.classical}
    aliases: list[str] = []

    def register_of(bits: tuple[Clbit, ...]) -> ClassicalRegister:
        if bits not in registers:
            name = namespace.claim_one(f"{plan.names.get(bits, 'bits')}_alias")
            registers[bits] = ClassicalRegister(bits=bits, name=name)
            merged.add_register(registers[bits])
            aliases.append(name)
        return registers[bits]

    qubits = dict(zip(body.qubits, plan.qubits, strict=True))
    moves = Rewiring(
        clbits=dict(zip(body.clbits, plan.clbits, strict=True)),
        register_of=register_of,
        variable_of=symbols.variable_of,
    )
    merged.global_phase += body.global_phase
    for instruction in body.data:
        if instruction.is_control_flow():
            instruction = symbols.with_plain_blocks(instruction)
        # append() would check every argument again, at four times the price.
        merged._append(moves.instruction(instruction, [qubits[bit] for bit in instruction.qubits]))
    return aliases


def _entry(program: Program, plan: ProgramRegisters, aliases: list[str]) -> ProgramEntry:
    return ProgramEntry(
        index=program.index,
        name=program.name,
        circuit_name=program.circuit.name or "",
        shots=program.shots,
        metadata=copy_user_metadata(program),
        num_qubits=program.num_qubits,
        helpers=list(program.helpers),
        registers=list(plan.entries),
        merged_registers=[[register.name, len(register)] for register in plan.classical],
        aliases=aliases,
    )
