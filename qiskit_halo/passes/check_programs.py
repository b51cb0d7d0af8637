"""Checks that can be made before anything is compiled, with the name of the program that fails them."""

from __future__ import annotations

from collections.abc import Iterator

from qiskit.circuit import QuantumCircuit
from qiskit.dagcircuit import DAGCircuit
from qiskit.transpiler import Target
from qiskit.transpiler.basepasses import AnalysisPass

from qiskit_halo.errors import HaloTranspilerError
from qiskit_halo.ownership import program_label
from qiskit_halo.passes.context import halo_metadata
from qiskit_halo.segments.find import find_components
from qiskit_halo.wide import circuit_of


class CheckPrograms(AnalysisPass):
    """Raise if a program uses control flow that the device does not have.

    Qiskit's own check says which construct, but not whose.

    Args:
        target: The device.

    Raises:
        HaloTranspilerError: A construct is missing.
    """

    def __init__(self, target: Target) -> None:
        super().__init__()
        self.target = target

    def run(self, dag: DAGCircuit) -> None:
        """Check the circuit."""
        if not any(node.is_control_flow() for node in dag.op_nodes(include_directives=False)):
            return
        circuit = circuit_of(dag)
        for component in find_components(circuit).components:
            for position in component.operations:
                for construct in _constructs(circuit, position):
                    if construct not in self.target.operation_names:
                        raise HaloTranspilerError(
                            f"{program_label(component.owners, halo_metadata(dag))} uses {construct}, which this "
                            "device does not have; unroll it, or take a device that has it"
                        )


def _constructs(circuit: QuantumCircuit, position: int) -> Iterator[str]:
    instruction = circuit.data[position]
    if instruction.is_control_flow():
        yield instruction.name
        for block in instruction.operation.blocks:
            for inner in range(len(block.data)):
                yield from _constructs(block, inner)
