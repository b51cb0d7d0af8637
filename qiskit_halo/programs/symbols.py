"""Parameters, variables and stretches of one program -> those of the merged circuit."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from qiskit.circuit import (
    CircuitInstruction,
    ControlFlowOp,
    ForLoopOp,
    Parameter,
    ParameterVector,
    ParameterVectorElement,
    QuantumCircuit,
)
from qiskit.circuit.classical import expr

from qiskit_halo.ownership import owned_name
from qiskit_halo.programs.names import Namespace, stable_uuid, unique_names
from qiskit_halo.rewire import Variable

MergedParameters = Mapping[Parameter | ParameterVector, Parameter | ParameterVector]


class Symbols:
    """Gives each parameter, variable and stretch of one program its merged counterpart.

    Names are given out in the order of asking, which follows the circuit, so that they are the same in every
    build. Grows while the program is merged.
    """

    def __init__(self, namespace: Namespace) -> None:
        self._namespace = namespace
        self._variables: dict[Variable, Variable] = {}
        self._parameter_names: set[str] = set()
        self._parameters: dict[Parameter | ParameterVector, Parameter | ParameterVector] = {}

    @property
    def parameters(self) -> MergedParameters:
        """The user's parameters, vectors and elements of vectors -> the merged ones."""
        return MappingProxyType(self._parameters)

    def variable_of(self, variable: Variable) -> Variable:
        """Return the merged counterpart of a variable or stretch; the same one each time."""
        if variable not in self._variables:
            index = self._namespace.program_index
            name = self._namespace.claim_one(variable.name)
            if isinstance(variable, expr.Stretch):
                merged: Variable = expr.Stretch(stable_uuid(index, "stretch", name), name)
            else:
                merged = expr.Var(stable_uuid(index, "variable", name), variable.type, name=name)
            self._variables[variable] = merged
        return self._variables[variable]

    def with_parameters(self, circuit: QuantumCircuit) -> QuantumCircuit:
        """Return ``circuit`` with its own parameters replaced by the merged ones; itself if it has none."""
        if not circuit.num_parameters:
            return circuit
        for parameter in circuit.parameters:  # sorted by name, vectors by index
            if isinstance(parameter, ParameterVectorElement):
                merged_vector = self._vector_of(parameter.vector)
                self._parameters[parameter] = merged_vector[parameter.index]
            else:
                self._parameters[parameter] = self._new_parameter("parameter", parameter.name)
        return circuit.assign_parameters({old: self._parameters[old] for old in circuit.parameters})

    def with_plain_blocks(self, instruction: CircuitInstruction) -> CircuitInstruction:
        """Return a control-flow ``instruction`` in whose blocks nothing differs from build to build.

        Qiskit numbers blocks and loop parameters through the life of a process, and draws a random identity
        for the latter. Nobody outside a loop sees its parameter, so its name need not be kept.
        """
        operation: ControlFlowOp = instruction.operation
        if isinstance(operation, ForLoopOp):
            indices, loop, body = operation.params
            if isinstance(loop, Parameter):
                own = self._new_parameter("loop", "loop")
                body, loop = body.assign_parameters({loop: own}, strict=False), own
            plain: ControlFlowOp = ForLoopOp(indices, loop, self._plain_block(body), label=operation.label)
        else:
            plain = operation.replace_blocks([self._plain_block(block) for block in operation.blocks])
        return instruction.replace(operation=plain)

    def _plain_block(self, block: QuantumCircuit) -> QuantumCircuit:
        plain = block.copy_empty_like(name="block")
        plain.metadata = {}  # a block's notes are the user's own: they must not reach the other users
        for instruction in block.data:
            if instruction.is_control_flow():
                instruction = self.with_plain_blocks(instruction)
            plain.append(instruction, copy=False)
        return plain

    def _vector_of(self, vector: ParameterVector) -> ParameterVector:
        merged = self._parameters.get(vector)
        if merged is None:
            name = self._new_name(vector.name)
            root = stable_uuid(self._namespace.program_index, "vector", name)
            merged = self._parameters[vector] = ParameterVector(name, len(vector), uuid=root)
        return merged

    def _new_parameter(self, kind: str, wanted: str) -> Parameter:
        name = self._new_name(wanted)
        return Parameter(name, uuid=stable_uuid(self._namespace.program_index, kind, name))

    def _new_name(self, wanted: str) -> str:
        # Not an identifier on purpose: greek letters and spaces are common in the names of parameters.
        (name,) = unique_names([wanted], self._parameter_names)
        return owned_name(self._namespace.program_index, name)
