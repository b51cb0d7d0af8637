"""Make every reset and measurement of a circuit visible, and leave only operations known by name.

Definitions are put in the place of the user's own gates and of instructions that are not gates, in
control-flow blocks too. High-level gates that Qiskit may synthesise with the help of idle qubits are
synthesised here, while the program is still alone and has only its own qubits to borrow.
"""

from __future__ import annotations

from collections.abc import Iterable

from qiskit.circuit import (
    AnnotatedOperation,
    CircuitInstruction,
    ClassicalRegister,
    Clbit,
    ControlFlowOp,
    QuantumCircuit,
)
from qiskit.circuit.library.standard_gates import get_standard_gate_name_mapping
from qiskit.exceptions import QiskitError
from qiskit.transpiler import PassManager
from qiskit.transpiler.passes import HighLevelSynthesis

from qiskit_halo.errors import HaloValueError
from qiskit_halo.programs.scan import Content, is_composite, is_plain_gate, scan
from qiskit_halo.rewire import Rewiring, Variable


def flatten(circuit: QuantumCircuit, label: str) -> tuple[QuantumCircuit, Content]:
    """Return an equal circuit without composite and high-level operations, and what it is made of.

    The result has the qubits, clbits, registers, variables and global phase of ``circuit``; it is ``circuit`` itself
    if there is nothing to do. Unitaries, opaque operations and Qiskit's own gates on one or two qubits stay.

    Args:
        circuit: The circuit; not changed.
        label: How to speak of it in errors.

    Raises:
        HaloValueError: An operation cannot be synthesised.
    """
    content = scan(circuit)
    if content.composite:
        circuit = _without_composites(circuit)
        content = scan(circuit)
    if content.high_level:
        circuit = _synthesise(circuit, content.opaque, label)
    return circuit, content


def _without_composites(circuit: QuantumCircuit) -> QuantumCircuit:
    flat = circuit.copy_empty_like()
    _append_all(flat, circuit.data)
    return flat


def _append_all(flat: QuantumCircuit, data: Iterable[CircuitInstruction]) -> None:
    for instruction in data:
        if is_plain_gate(instruction):
            flat._append(instruction)  # nothing to check: it comes from a circuit on the same bits
            continue
        operation = instruction.operation
        if isinstance(operation, ControlFlowOp):
            blocks = [_without_composites(block) for block in operation.blocks]
            flat.append(instruction.replace(operation=operation.replace_blocks(blocks)), copy=False)
        elif not is_composite(operation):
            flat.append(instruction, copy=False)
        elif isinstance(operation, AnnotatedOperation):
            flat.append(instruction.replace(operation=_with_flat_base(operation)), copy=False)
        else:
            _inline(flat, instruction)


def _inline(flat: QuantumCircuit, instruction: CircuitInstruction) -> None:
    """Append the definition of ``instruction`` in its place."""
    definition = instruction.operation.definition
    flat.global_phase += definition.global_phase
    qubits = dict(zip(definition.qubits, instruction.qubits, strict=True))
    moves = Rewiring(
        clbits=dict(zip(definition.clbits, instruction.clbits, strict=True)),
        register_of=lambda bits: _register_of(flat, bits),
        variable_of=_same,
    )
    _append_all(flat, (moves.instruction(inner, [qubits[q] for q in inner.qubits]) for inner in definition.data))


def _register_of(circuit: QuantumCircuit, bits: tuple[Clbit, ...]) -> ClassicalRegister:
    for register in circuit.cregs:
        if tuple(register) == bits:
            return register
    taken = {register.name for register in (*circuit.cregs, *circuit.qregs)}
    name = next(name for name in (f"hidden_{n}" for n in range(len(taken) + 1)) if name not in taken)
    register = ClassicalRegister(bits=bits, name=name)
    circuit.add_register(register)
    return register


def _same(variable: Variable) -> Variable:
    return variable


def _with_flat_base(operation: AnnotatedOperation) -> AnnotatedOperation:
    """Return ``operation`` over a base whose name no library knows, so that its definition is what counts."""
    base = operation.base_op
    if isinstance(base, AnnotatedOperation):
        return AnnotatedOperation(_with_flat_base(base), operation.modifiers)
    body = QuantumCircuit(base.num_qubits, name="halo_base")
    _inline(body, CircuitInstruction(base, body.qubits, ()))
    return AnnotatedOperation(body.to_gate(), operation.modifiers)


def _synthesise(circuit: QuantumCircuit, opaque: Iterable[str], label: str) -> QuantumCircuit:
    # Unitaries are synthesised without ancillas, so they may wait until the target is known.
    keep = [*get_standard_gate_name_mapping(), "unitary", *opaque]
    try:
        flat = PassManager([HighLevelSynthesis(basis_gates=keep)]).run(circuit)
    except QiskitError as error:
        raise HaloValueError(f"{label}: {' '.join(error.message.split())}") from error
    flat.metadata = circuit.metadata
    return flat
