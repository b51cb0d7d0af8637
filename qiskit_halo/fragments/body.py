"""Lift one rigid piece out of a circuit: a small circuit of its own, numbered by structure alone.

Two programs that are the same apart from their names, or from where they stand in the merged circuit, give equal
bodies, so that each distinct body is compiled once.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from qiskit.circuit import (
    CircuitInstruction,
    ClassicalRegister,
    Clbit,
    Parameter,
    ParameterExpression,
    QuantumCircuit,
    Qubit,
)
from qiskit.circuit.classical import expr

from qiskit_halo.rewire import Rewiring, Variable
from qiskit_halo.segments.find import Segmentation
from qiskit_halo.segments.pieces import Piece, piece_instructions
from qiskit_halo.segments.resources import classical_resources

_NAMESPACE = uuid.UUID("6a0d4c52-3f5c-5d0e-9d5d-1c7f1f0a7a11")


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """A piece as a circuit of its own, and how its bits map back.

    Args:
        circuit: Qubit i is the piece's i-th wire, clbit j its j-th classical bit, both ascending in the source.
        wires: Wire of the source circuit for each qubit.
        clbits: Clbit of the source circuit for each clbit.
        variables: Variables and stretches of the source; the body's are named ``v0``, ``v1``, ... in this order.
        parameters: Unbound parameters of the source, in order of first use; the body's are named ``_halo_x0``, ...
        loops: Parameters of ``for`` loops of the source; the body's are named ``_halo_i0``, ...
    """

    circuit: QuantumCircuit
    wires: tuple[int, ...]
    clbits: tuple[Clbit, ...]
    variables: tuple[Variable, ...]
    parameters: tuple[Parameter, ...]
    loops: tuple[Parameter, ...]


def extract_body(circuit: QuantumCircuit, segmentation: Segmentation, piece: Piece, *, least_resets: int = 1) -> Body:
    """Return ``piece`` of ``circuit`` as a circuit of its own.

    Resets between two segments of the piece on one wire are kept; those that open its first segment on a wire are
    not: a piece starts in |0>, and whoever places it sees to that.

    Args:
        circuit: The circuit that the piece was found in.
        segmentation: The circuit, cut.
        piece: What to lift out.
        least_resets: Rounds between an anonymous component of the piece and another one on the same wire.
    """
    qubits = [circuit.qubits[wire] for wire in piece.wires]
    instructions = _in_canonical_order(piece_instructions(circuit, segmentation, piece, least_resets), qubits)
    clbits = tuple(circuit.clbits[index] for index in piece.clbits)
    canonical, variables, loops = _renumber(instructions, qubits, clbits, _variables(instructions))
    parameters = _parameters(canonical)
    if parameters:
        canonical = canonical.assign_parameters({p: _canonical_parameter("x", i) for i, p in enumerate(parameters)})
    return Body(
        circuit=canonical,
        wires=piece.wires,
        clbits=clbits,
        variables=variables,
        parameters=parameters,
        loops=loops,
    )


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
        source = {_canonical_parameter("x", index): parameter for index, parameter in enumerate(body.parameters)}
        compiled = compiled.assign_parameters(source, strict=False)
    source_loops = {_canonical_parameter("i", index): loop for index, loop in enumerate(body.loops)}
    to_qubit = dict(zip(compiled.qubits, qubits, strict=True))
    source_variables = {_canonical_variable(v, index): v for index, v in enumerate(body.variables)}
    rewiring = Rewiring(
        clbits=dict(zip(compiled.clbits, body.clbits, strict=True)),
        register_of=_register_finder(out),
        variable_of=lambda variable: source_variables.get(variable, variable),
        loop_of=lambda loop: source_loops.get(loop, loop),
    )
    instructions = [
        rewiring.instruction(instruction, [to_qubit[qubit] for qubit in instruction.qubits])
        for instruction in compiled.data
    ]
    return instructions, compiled.global_phase


def _in_canonical_order(instructions: list[CircuitInstruction], qubits: Sequence[Qubit]) -> list[CircuitInstruction]:
    """Order by layer, then by first qubit: independent of how the source circuit interleaved its wires."""
    number = {qubit: index for index, qubit in enumerate(qubits)}
    layer: dict[object, int] = {}
    keys = []
    for index, instruction in enumerate(instructions):
        resources = (*instruction.qubits, *classical_resources(instruction))
        depth = max((layer.get(resource, 0) for resource in resources), default=0)
        layer.update(dict.fromkeys(resources, depth + 1))
        # Operations of one layer share no qubit; those without any keep their own order.
        first = min((number[qubit] for qubit in instruction.qubits), default=len(number))
        keys.append((depth, first, index))
    return [instructions[index] for _, _, index in sorted(keys)]


def _variables(instructions: list[CircuitInstruction]) -> tuple[Variable, ...]:
    found: dict[Variable, None] = {}
    for instruction in instructions:
        for resource in classical_resources(instruction):
            if not isinstance(resource, Clbit):
                found[resource] = None
    return tuple(found)


def _uuid(kind: str, index: int) -> uuid.UUID:
    return uuid.uuid5(_NAMESPACE, f"{kind}{index}")


def _canonical_parameter(kind: str, index: int) -> Parameter:
    # A parameter's uuid decides the order in which Qiskit lists it: fix it with the name. Loops and unbound parameters
    # are renamed one after the other, and no two may share a name meanwhile: a user's own must not look like this.
    return Parameter(f"_halo_{kind}{index}", uuid=_uuid(kind, index))


def _canonical_variable(variable: Variable, index: int) -> Variable:
    if isinstance(variable, expr.Stretch):
        return expr.Stretch(_uuid("v", index), f"v{index}")
    return expr.Var(_uuid("v", index), variable.type, name=f"v{index}")


def _renumber(
    instructions: Sequence[CircuitInstruction],
    qubits: Sequence[Qubit],
    clbits: Sequence[Clbit],
    variables: Sequence[Variable],
) -> tuple[QuantumCircuit, tuple[Variable, ...], tuple[Parameter, ...]]:
    """Return ``instructions`` on fresh bits, registers ``r0``, ..., variables ``v0``, ... and loop parameters of our own.

    The source's variables and loop parameters come second and third. Variables that a nested block declares for itself
    are renamed too, and listed after the others.
    """
    canonical = QuantumCircuit(len(qubits))
    canonical.add_bits([Clbit() for _ in clbits])
    own_variables: dict[Variable, Variable] = {}

    def variable_of(variable: Variable) -> Variable:
        if variable not in own_variables:
            own_variables[variable] = _canonical_variable(variable, len(own_variables))
        return own_variables[variable]

    own_loops: dict[Parameter, Parameter] = {}

    def loop_of(loop: Parameter) -> Parameter:
        return own_loops.setdefault(loop, _canonical_parameter("i", len(own_loops)))

    for variable in map(variable_of, variables):
        if isinstance(variable, expr.Stretch):
            canonical.add_stretch(variable)
        else:
            canonical.add_uninitialized_var(variable)
    registers: dict[tuple[Clbit, ...], ClassicalRegister] = {}

    def register_of(bits: tuple[Clbit, ...]) -> ClassicalRegister:
        if bits not in registers:
            registers[bits] = ClassicalRegister(bits=bits, name=f"r{len(registers)}")
            canonical.add_register(registers[bits])
        return registers[bits]

    rewiring = Rewiring(
        clbits=dict(zip(clbits, canonical.clbits, strict=True)),
        register_of=register_of,
        variable_of=variable_of,
        loop_of=loop_of,
    )
    to_qubit = dict(zip(qubits, canonical.qubits, strict=True))
    for instruction in instructions:
        moved = rewiring.instruction(instruction, [to_qubit[qubit] for qubit in instruction.qubits])
        canonical.append(moved, copy=False)
    return canonical, tuple(own_variables), tuple(own_loops)


def _register_finder(circuit: QuantumCircuit) -> Callable[[tuple[Clbit, ...]], ClassicalRegister]:
    """Return a lookup of registers by their bits; every register that a source names is in its circuit."""
    by_bits: dict[tuple[Clbit, ...], ClassicalRegister] = {}

    def find(bits: tuple[Clbit, ...]) -> ClassicalRegister:
        if not by_bits:  # few bodies ask, and a merged circuit has many registers
            by_bits.update({tuple(register): register for register in circuit.cregs})
        return by_bits[bits]

    return find


def _parameters(circuit: QuantumCircuit) -> tuple[Parameter, ...]:
    if not circuit.num_parameters:
        return ()
    unbound = dict.fromkeys(circuit.parameters)
    found: dict[Parameter, None] = {}
    for instruction in circuit.data:
        for value in instruction.params:
            # Blocks are among the values too; the parameter of a loop is not free outside it.
            if isinstance(value, (ParameterExpression, QuantumCircuit)):
                used = sorted(value.parameters, key=lambda parameter: parameter.name)
                found.update(dict.fromkeys(parameter for parameter in used if parameter in unbound))
    return tuple({**found, **unbound})
