"""Give everything in a piece a name that depends on its place alone."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

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

from qiskit_halo.rewire import Rewiring, Variable, append_all

_NAMESPACE = uuid.UUID("6a0d4c52-3f5c-5d0e-9d5d-1c7f1f0a7a11")

BODY_NAME = "body"


def renumber(
    instructions: Sequence[CircuitInstruction],
    qubits: Sequence[Qubit],
    clbits: Sequence[Clbit],
    variables: Sequence[Variable],
) -> tuple[QuantumCircuit, tuple[Variable, ...], tuple[Parameter, ...]]:
    """Return ``instructions`` on fresh bits, registers ``r0``, ..., variables ``v0``, ... and loop parameters of our own.

    The source's variables and loop parameters come second and third. Variables that a nested block declares for itself
    are renamed too, and listed after the others.
    """
    canonical = QuantumCircuit(len(qubits), name=BODY_NAME)
    canonical.add_bits([Clbit() for _ in clbits])
    own_variables: dict[Variable, Variable] = {}

    def variable_of(variable: Variable) -> Variable:
        if variable not in own_variables:
            own_variables[variable] = canonical_variable(variable, len(own_variables))
        return own_variables[variable]

    own_loops: dict[Parameter, Parameter] = {}

    def loop_of(loop: Parameter) -> Parameter:
        return own_loops.setdefault(loop, canonical_parameter("i", len(own_loops)))

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
    moved = [rewiring.instruction(i, [to_qubit[qubit] for qubit in i.qubits]) for i in instructions]
    append_all(canonical, moved)
    return canonical, tuple(own_variables), tuple(own_loops)


def free_parameters(circuit: QuantumCircuit) -> tuple[Parameter, ...]:
    """Return the unbound parameters of ``circuit`` in order of first use, those of one expression by name."""
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


def canonical_parameter(kind: str, index: int) -> Parameter:
    """Return our own parameter number ``index`` of a kind: ``x`` for an unbound one, ``i`` for that of a loop."""
    # A parameter's uuid decides the order in which Qiskit lists it: fix it with the name. Loops and unbound parameters
    # are renamed one after the other, and no two may share a name meanwhile: a user's own must not look like this.
    return Parameter(f"_halo_{kind}{index}", uuid=_uuid(kind, index))


def canonical_variable(variable: Variable, index: int) -> Variable:
    """Return our own variable or stretch number ``index``, of the type of ``variable``."""
    if isinstance(variable, expr.Stretch):
        return expr.Stretch(_uuid("v", index), f"v{index}")
    return expr.Var(_uuid("v", index), variable.type, name=f"v{index}")


def _uuid(kind: str, index: int) -> uuid.UUID:
    return uuid.uuid5(_NAMESPACE, f"{kind}{index}")
