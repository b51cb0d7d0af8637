"""What a circuit is made of, inside composite instructions and control-flow blocks too."""

from __future__ import annotations

from dataclasses import dataclass, field

from qiskit.circuit import (
    AnnotatedOperation,
    Barrier,
    CircuitInstruction,
    ControlFlowOp,
    ControlledGate,
    Delay,
    Gate,
    Instruction,
    Measure,
    Operation,
    QuantumCircuit,
    Reset,
    Store,
)
from qiskit.circuit.classical import expr

_PLAIN = (Measure, Reset, Barrier, Store)


@dataclass(slots=True)
class Content:
    """What :func:`scan` found; grows during one scan, then only read.

    Args:
        measures: Something is measured.
        composite: Some operation must be replaced by its definition.
        high_level: Some operation must be synthesised within its own program.
        classical: There is control flow, or a variable or stretch.
        opaque: Names of operations of the user's own that have no definition; the target has to know them.
    """

    measures: bool = False
    composite: bool = False
    high_level: bool = False
    classical: bool = False
    opaque: dict[str, None] = field(default_factory=dict)


def scan(circuit: QuantumCircuit) -> Content:
    """Return what ``circuit`` is made of."""
    content = Content()
    content.classical = bool(circuit.num_vars or circuit.num_stretches)
    _scan(circuit, content)
    return content


def measures(circuit: QuantumCircuit) -> bool:
    """Return whether ``circuit`` measures anything."""
    # Nearly every circuit ends with measurements.
    return any(isinstance(i.operation, Measure) for i in circuit.data[-1:]) or scan(circuit).measures


def _scan(circuit: QuantumCircuit, content: Content) -> None:
    for instruction in circuit.data:
        # Most of a circuit is standard gates: do not build their Python objects.
        if is_plain_gate(instruction):
            continue
        operation = instruction.operation
        if isinstance(operation, _PLAIN):
            content.measures |= isinstance(operation, Measure)
            content.classical |= isinstance(operation, Store)
        elif isinstance(operation, Delay):
            content.classical |= isinstance(operation.duration, expr.Expr)
        elif isinstance(operation, ControlFlowOp):
            content.classical = True
            for block in operation.blocks:
                _scan(block, content)
        elif is_composite(operation):
            content.composite = True
            if isinstance(operation, AnnotatedOperation):
                content.high_level = True
            else:
                _scan(operation.definition, content)
        elif is_high_level(operation):
            content.high_level = True
        elif isinstance(operation, Instruction) and not is_library(operation):
            content.opaque[operation.name] = None


def is_plain_gate(instruction: CircuitInstruction) -> bool:
    """Return whether ``instruction`` is a standard gate that can be taken as it is."""
    # A global phase acts on no qubit, so that nobody could tell later whose it is. "mcx" is synthesised with ancillas.
    return instruction.is_standard_gate() and bool(instruction.qubits) and instruction.name != "mcx"


def is_composite(operation: Operation) -> bool:
    """Return whether ``operation`` must be replaced by its definition when programs are merged.

    So are instructions that are not gates, because they may hide a reset or a measurement, and gates that the
    user made, because the transpiler tells gates apart by their names: two programs may each have
    their own ``oracle``, and one may even have its own ``h``.
    """
    if isinstance(operation, AnnotatedOperation):
        return is_composite(operation.base_op)
    if not isinstance(operation, Instruction) or isinstance(operation, (*_PLAIN, Delay, ControlFlowOp)):
        return False
    if getattr(operation, "_directive", False):
        return False
    if isinstance(operation, Gate) and is_library(operation) and operation.num_qubits:
        return False
    return operation.definition is not None


def is_high_level(operation: Operation) -> bool:
    """Return whether Qiskit's synthesis of ``operation`` may borrow idle qubits.

    Qiskit synthesises such operations before layout and takes any idle wire of the circuit as an ancilla, hence
    in a merged circuit another program's.
    """
    if isinstance(operation, AnnotatedOperation):
        return True
    if operation.num_qubits < 3 or operation.name == "unitary":
        return False
    return not isinstance(operation, Instruction) or (isinstance(operation, Gate) and is_library(operation))


def is_library(operation: Instruction) -> bool:
    """Return whether the class of ``operation`` says what it does: one of Qiskit's own, not made by the user."""
    kind = operation.base_class
    if kind in (Gate, ControlledGate, Instruction):
        return False
    return str(kind.__module__).split(".", maxsplit=1)[0] == "qiskit"
