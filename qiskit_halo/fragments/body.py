"""Lift rigid pieces out of a circuit: small circuits of their own, numbered by structure alone.

Two programs that are the same apart from their names, the order in which their qubits are declared, or where they
stand in the merged circuit, give equal bodies, so that each distinct body is compiled once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

from qiskit.circuit import (
    CONTROL_FLOW_OP_NAMES,
    Barrier,
    CircuitInstruction,
    ClassicalRegister,
    Clbit,
    Delay,
    Measure,
    Parameter,
    ParameterExpression,
    QuantumCircuit,
    Qubit,
    Reset,
)

from qiskit_halo.fragments.canonical import canonical_order
from qiskit_halo.fragments.key import structure_key
from qiskit_halo.fragments.memory import Memory
from qiskit_halo.fragments.renumber import canonical_parameter, canonical_variable, free_parameters, renumber
from qiskit_halo.rewire import Rewiring, Variable
from qiskit_halo.segments.find import Segmentation
from qiskit_halo.segments.pieces import Piece, piece_instructions


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """A piece as a circuit of its own, and how its bits map back.

    Args:
        circuit: Numbered and ordered by structure alone. Equal bodies may share it: it must not be changed.
        key: Its :func:`~qiskit_halo.fragments.key.structure_key`.
        wires: Wire of the source circuit for each qubit.
        clbits: Clbit of the source circuit for each clbit.
        variables: Variables and stretches of the source; the body's are named ``v0``, ``v1``, ... in this order.
        parameters: Unbound parameters of the source, in order of first use; the body's are named ``_halo_x0``, ...
        loops: Parameters of ``for`` loops of the source; the body's are named ``_halo_i0``, ...
    """

    circuit: QuantumCircuit
    key: str
    wires: tuple[int, ...]
    clbits: tuple[Clbit, ...]
    variables: tuple[Variable, ...] = ()
    parameters: tuple[Parameter, ...] = ()
    loops: tuple[Parameter, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Template:
    """The body of plain instructions, for all pieces that write the same ones.

    Args:
        circuit: As in :class:`Body`.
        key: As in :class:`Body`.
        qubits: For each qubit, how many others the source writes before it.
        clbits: For each clbit, how many others the source writes before it.
    """

    circuit: QuantumCircuit
    key: str
    qubits: tuple[int, ...]
    clbits: tuple[int, ...]


_NOT_PLAIN = CONTROL_FLOW_OP_NAMES | {"store"}

MEMORY_ENTRIES, MOST_OPERATIONS = 256, 1_000
"""Bodies that a process keeps, and the longest of them."""

MEMORY: Memory[str, _Template] = Memory(MEMORY_ENTRIES)
"""Bodies that readers of this process have seen, by how they are written; numbers count to the last digit and sign."""


class BodyReader:
    """Lifts the pieces of one circuit out of it; looks at each distinct piece once.

    Args:
        circuit: Where the pieces are.
        segmentation: The circuit, cut.
        data: ``circuit.data``, or a list of it.
        least_resets: Rounds between an anonymous component of a piece and another one on the same wire.
        remembers: Whether bodies are kept for other readers of the process.
    """

    def __init__(
        self,
        circuit: QuantumCircuit,
        segmentation: Segmentation,
        data: Sequence[CircuitInstruction] | None = None,
        *,
        least_resets: int = 1,
        remembers: bool = False,
    ) -> None:
        self._remembers = remembers
        self._least_resets = least_resets
        self._circuit = circuit
        self._data = circuit.data if data is None else data
        self._segmentation = segmentation
        self._wire_of: dict[Qubit, int] = {qubit: wire for wire, qubit in enumerate(circuit.qubits)}
        self._templates: dict[Hashable, _Template] = {}

    def read(self, piece: Piece) -> Body:
        """Return ``piece`` as a circuit of its own.

        Resets between two segments of the piece on one wire are kept; those that open its first segment on a wire are
        not: a piece starts in |0>, and whoever places it sees to that.
        """
        instructions = piece_instructions(self._circuit, self._segmentation, piece, self._least_resets, self._data)
        qubits: dict[Qubit, int] = {}
        clbits: dict[Clbit, int] = {}
        written = _as_written(instructions, qubits, clbits)
        if written is None:
            return self._lift(instructions, [self._circuit.qubits[w] for w in piece.wires], piece)
        if written not in self._templates:
            self._templates[written] = self._template(written, instructions, qubits, clbits)
        template = self._templates[written]
        source_qubits, source_clbits = list(qubits), list(clbits)
        return Body(
            circuit=template.circuit,
            key=template.key,
            wires=tuple(self._wire_of[source_qubits[place]] for place in template.qubits),
            clbits=tuple(source_clbits[place] for place in template.clbits),
        )

    def _template(
        self,
        written: Hashable,
        instructions: list[CircuitInstruction],
        qubits: dict[Qubit, int],
        clbits: dict[Clbit, int],
    ) -> _Template:
        if not self._remembers or len(instructions) > MOST_OPERATIONS:
            return _template(instructions, qubits, clbits)
        # By text, since 0 and -0 are equal as numbers: what is compiled must not depend on what came before.
        key = hashlib.sha256(repr(written).encode()).hexdigest()
        template = MEMORY.get(key)
        if template is None:
            template = _template(instructions, qubits, clbits)
            MEMORY.put(key, template)
        return template

    def _lift(self, instructions: list[CircuitInstruction], qubits: list[Qubit], piece: Piece) -> Body:
        order = canonical_order(instructions, qubits, [self._circuit.clbits[index] for index in piece.clbits])
        canonical, variables, loops = renumber(order.instructions, order.qubits, order.clbits, order.variables)
        parameters = free_parameters(canonical)
        if parameters:
            canonical = canonical.assign_parameters(
                {parameter: canonical_parameter("x", index) for index, parameter in enumerate(parameters)}
            )
        return Body(
            circuit=canonical,
            key=structure_key(canonical),
            wires=tuple(self._wire_of[qubit] for qubit in order.qubits),
            clbits=order.clbits,
            variables=variables,
            parameters=parameters,
            loops=loops,
        )


def extract_body(circuit: QuantumCircuit, segmentation: Segmentation, piece: Piece, *, least_resets: int = 1) -> Body:
    """Return ``piece`` of ``circuit`` as a circuit of its own; for many pieces see :class:`BodyReader`."""
    return BodyReader(circuit, segmentation, least_resets=least_resets).read(piece)


def is_plain(compiled: QuantumCircuit, body: Body) -> bool:
    """Return whether a compiled body names nothing of its source but qubits and clbits."""
    return not (body.parameters or body.variables) and _NOT_PLAIN.isdisjoint(compiled.count_ops())


def put_back(
    compiled: QuantumCircuit, body: Body, out: QuantumCircuit, qubits: Sequence[Qubit]
) -> tuple[list[CircuitInstruction], ParameterExpression | float]:
    """Return a compiled body on the bits, variables and parameters of its source, and its global phase.

    Args:
        compiled: Compiled form of ``body.circuit``; its clbits and variables are the body's.
        body: Where it came from.
        out: The circuit that will hold the instructions: it has the source's classical bits and registers.
        qubits: Qubit of ``out`` for each qubit of ``compiled``.
    """
    if body.parameters:
        # Compiling may have dropped a parameter that no outcome depends on.
        source = {canonical_parameter("x", index): parameter for index, parameter in enumerate(body.parameters)}
        compiled = compiled.assign_parameters(source, strict=False)
    source_loops = {canonical_parameter("i", index): loop for index, loop in enumerate(body.loops)}
    to_qubit = dict(zip(compiled.qubits, qubits, strict=True))
    source_variables = {canonical_variable(v, index): v for index, v in enumerate(body.variables)}
    rewiring = Rewiring(
        clbits=dict(zip(compiled.clbits, body.clbits, strict=True)),
        register_of=_register_finder(out),
        variable_of=lambda variable: source_variables.get(variable, variable),
        loop_of=lambda loop: source_loops.get(loop, loop),
    )
    instructions = []
    places: dict[tuple[Qubit, ...], list[Qubit]] = {}
    for instruction in compiled.data:
        held = instruction.qubits
        if held not in places:
            places[held] = [to_qubit[qubit] for qubit in held]
        instructions.append(rewiring.instruction(instruction, places[held]))
    return instructions, compiled.global_phase


def _template(instructions: list[CircuitInstruction], qubits: dict[Qubit, int], clbits: dict[Clbit, int]) -> _Template:
    order = canonical_order(instructions, list(qubits), list(clbits))
    circuit, _, _ = renumber(order.instructions, order.qubits, order.clbits, ())
    return _Template(
        circuit=circuit,
        key=structure_key(circuit),
        qubits=tuple(qubits[qubit] for qubit in order.qubits),
        clbits=tuple(clbits[clbit] for clbit in order.clbits),
    )


def _as_written(
    instructions: Sequence[CircuitInstruction], qubits: dict[Qubit, int], clbits: dict[Clbit, int]
) -> Hashable | None:
    """Return plain instructions as they are written, ``None`` if one is not plain; number their bits as they come.

    Equal for pieces that are equal up to the bits they stand on. Plain are Qiskit's own gates with literal angles,
    measurements, resets, barriers and delays of a stated length: everything whose parameters say all there is to say.
    """
    written = []
    for instruction in instructions:
        params = instruction.params
        if instruction.is_standard_gate():
            if params and any(isinstance(value, ParameterExpression) for value in params):
                return None
        else:
            operation = instruction.operation
            # A subclass may mean something else, but Qiskit's own singletons do not.
            kind = getattr(operation, "base_class", None)
            if kind is Delay and isinstance(operation.duration, (int, float)):
                params = (operation.duration, operation.unit)
            elif kind not in (Measure, Reset, Barrier):
                return None
        places = [qubits.setdefault(qubit, len(qubits)) for qubit in instruction.qubits]
        places += [clbits.setdefault(clbit, len(clbits)) for clbit in instruction.clbits]
        written.append((instruction.name, instruction.label, tuple(params), tuple(places)))
    return tuple(written)


def _register_finder(circuit: QuantumCircuit) -> Callable[[tuple[Clbit, ...]], ClassicalRegister]:
    """Return a lookup of registers by their bits; every register that a source names is in its circuit."""
    by_bits: dict[tuple[Clbit, ...], ClassicalRegister] = {}

    def find(bits: tuple[Clbit, ...]) -> ClassicalRegister:
        if not by_bits:  # few bodies ask, and a merged circuit has many registers
            by_bits.update({tuple(register): register for register in circuit.cregs})
        return by_bits[bits]

    return find
