"""Read a circuit as a flat list of steps on integer wires, with nothing hidden inside composite instructions."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from typing import Any, NamedTuple, cast

from qiskit.circuit import (
    AnnotatedOperation,
    Barrier,
    CircuitInstruction,
    Clbit,
    ControlFlowOp,
    ControlledGate,
    Delay,
    ForLoopOp,
    Gate,
    Measure,
    QuantumCircuit,
    Qubit,
    Reset,
    Store,
)
from qiskit.circuit.classical import expr

from qiskit_halo.errors import HaloValueError
from qiskit_halo.verification._expressions import identifiers

ClbitMap = Mapping[Clbit, int]
QubitMap = Mapping[Qubit, int]

#: Steps that carry no quantum or classical information.
PASSIVE = frozenset({"barrier", "delay"})


class Step(NamedTuple):
    """One operation that cannot be looked into further; a tuple, because a circuit has very many.

    Args:
        position: Index in ``circuit.data`` of the outermost operation it belongs to.
        kind: ``"gate"``, ``"measure"``, ``"reset"``, ``"barrier"``, ``"delay"``, ``"store"``, ``"control"`` (control
            flow with blocks), ``"jump"`` (break and continue) or ``"opaque"`` (an instruction without definition).
        name: Name of the operation.
        qubits: Wires of the outermost circuit, in the order of the operation.
        source: The operation as found, for parameters, matrix and blocks.
        clbits: Bit of the circuit or block it stands in -> clbit index of the outermost circuit.
        reads: Clbits of the outermost circuit that decide something, inside blocks too.
        writes: Clbits that receive a value, inside blocks too.
        variables: Variables read or written, inside blocks too.
        blocks: Steps of each block of control flow.
    """

    position: int
    kind: str
    name: str
    qubits: tuple[int, ...]
    source: CircuitInstruction
    clbits: ClbitMap
    reads: tuple[int, ...] = ()
    writes: tuple[int, ...] = ()
    variables: tuple[expr.Var, ...] = ()
    blocks: tuple[tuple[Step, ...], ...] = ()

    @property
    def passive(self) -> bool:
        """Whether the step only shapes time: a barrier or a delay."""
        return self.kind in PASSIVE

    def describe(self) -> str:
        """Return the operation as error messages name it."""
        return f"operation {self.position} ({self.name})"


def block_steps(
    circuit: QuantumCircuit, qubits: QubitMap, clbits: ClbitMap, position: int | None = None
) -> Iterator[Step]:
    """Yield the steps of a circuit, a block or a definition whose bits map to those of the outermost circuit."""
    for index, instruction in enumerate(circuit.data):
        place = index if position is None else position
        if instruction.is_standard_gate():
            wires = tuple([qubits[bit] for bit in instruction.qubits])
            yield Step(place, "gate", instruction.name, wires, instruction, clbits)
        else:
            yield from steps_of(instruction, qubits, clbits, place)


def inner_maps(
    body: QuantumCircuit, outer: CircuitInstruction, qubits: Sequence[int], clbits: ClbitMap
) -> tuple[dict[Qubit, int], ClbitMap]:
    """Return the bit maps inside a block or definition.

    Bits map by position. A condition inside a block may also name bits of a surrounding circuit directly,
    so those stay visible behind the block's own.
    """
    inner = {bit: clbits[host] for bit, host in zip(body.clbits, outer.clbits, strict=False)}
    # Nobody writes into it: only its first map need be one that could be written.
    both: ClbitMap = ChainMap(inner, cast("MutableMapping[Clbit, int]", clbits))
    return dict(zip(body.qubits, qubits, strict=True)), both


def steps_of(instruction: CircuitInstruction, qubits: QubitMap, clbits: ClbitMap, position: int) -> Iterator[Step]:
    """Yield the steps of one operation: itself, or what it is made of."""
    wires = tuple([qubits[bit] for bit in instruction.qubits])
    name = instruction.name
    operation: Any = instruction.operation
    kind = _leaf_kind(operation)
    if kind == "control":
        yield _control(instruction, wires, clbits, position)
    elif kind is None:
        body = operation.definition
        inner_qubits, inner_clbits = inner_maps(body, instruction, wires, clbits)
        yield from block_steps(body, inner_qubits, inner_clbits, position)
    else:
        reads: tuple[int, ...] = ()
        writes: tuple[int, ...] = ()
        variables: tuple[expr.Var, ...] = ()
        if kind == "store":
            read_bits, read_vars = identifiers(operation.rvalue)
            write_bits, write_vars = identifiers(operation.lvalue)
            reads, writes = _indices(read_bits, clbits), _indices(write_bits, clbits)
            variables = tuple(dict.fromkeys([*write_vars, *read_vars]))
        elif kind == "measure":
            writes = (clbits[instruction.clbits[0]],)
        elif instruction.clbits and kind == "opaque":
            reads = writes = _indices(instruction.clbits, clbits)
        yield Step(
            position=position,
            kind=kind,
            name=name,
            qubits=wires,
            reads=reads,
            writes=writes,
            variables=variables,
            source=instruction,
            clbits=clbits,
        )


def _leaf_kind(operation: Any) -> str | None:
    """Return the kind of an operation that is not opened, or ``None`` for a composite one."""
    for kind, types in _KINDS:
        if isinstance(operation, types):
            return kind
    if isinstance(operation, (ControlledGate, AnnotatedOperation)):
        return "gate"
    if isinstance(operation, Gate) and type(operation).__module__.startswith("qiskit.circuit.library"):
        # One gate as its author meant it. Its definition may be a costly synthesis (a unitary, a permutation).
        return "gate"
    if operation.name in ("break_loop", "continue_loop"):
        return "jump"
    if getattr(operation, "definition", None) is None:
        return "gate" if hasattr(operation, "to_matrix") else "opaque"
    return None


_KINDS: tuple[tuple[str, type], ...] = (
    ("measure", Measure),
    ("reset", Reset),
    ("barrier", Barrier),
    ("delay", Delay),
    ("store", Store),
    ("control", ControlFlowOp),
)


def _control(instruction: CircuitInstruction, wires: tuple[int, ...], clbits: ClbitMap, position: int) -> Step:
    operation: Any = instruction.operation
    target = getattr(operation, "condition", None)
    if operation.name == "switch_case":
        target = operation.target
    bits, variables = identifiers(target) if target is not None else ([], [])
    reads = list(_indices(bits, clbits))
    writes: list[int] = []
    blocks = []
    for body in operation.blocks:
        inner_qubits, inner_clbits = inner_maps(body, instruction, wires, clbits)
        steps = tuple(block_steps(body, inner_qubits, inner_clbits, position))
        blocks.append(steps)
        for step in steps:
            reads.extend(step.reads)
            writes.extend(step.writes)
            variables.extend(step.variables)
    if isinstance(operation, ForLoopOp) and isinstance(operation.params[1], expr.Var):
        variables.append(operation.params[1])
    touched = dict.fromkeys([*reads, *writes])
    # A bit handed to the block and neither read nor written there still ties the operation to its owner.
    reads.extend(index for index in _indices(instruction.clbits, clbits) if index not in touched)
    return Step(
        position=position,
        kind="control",
        name=operation.name,
        qubits=wires,
        reads=tuple(dict.fromkeys(reads)),
        writes=tuple(dict.fromkeys(writes)),
        variables=tuple(dict.fromkeys(variables)),
        source=instruction,
        clbits=clbits,
        blocks=tuple(blocks),
    )


def _indices(bits: Sequence[Clbit], clbits: ClbitMap) -> tuple[int, ...]:
    try:
        return tuple(clbits[bit] for bit in bits)
    except KeyError as missing:
        raise HaloValueError(
            f"a condition reads {missing.args[0]!r}, which is no clbit of the circuit; add its register first"
        ) from None
