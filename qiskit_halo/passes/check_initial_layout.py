"""A user's own layout makes sense only where a wire is one qubit of one program."""

from __future__ import annotations

from qiskit.dagcircuit import DAGCircuit
from qiskit.transpiler.basepasses import AnalysisPass

from qiskit_halo.errors import HaloTranspilerError
from qiskit_halo.passes.context import halo_metadata


class CheckInitialLayout(AnalysisPass):
    """Raise if a folded circuit is given an ``initial_layout``.

    Raises:
        HaloTranspilerError: The circuit is folded.
    """

    def run(self, dag: DAGCircuit) -> None:
        """Check the circuit."""
        if halo_metadata(dag).get("folded"):
            raise HaloTranspilerError(
                "initial_layout cannot be used with a folded circuit, whose wires pass from program to program; "
                "leave it out, or merge fewer programs so that MultiProgramCircuit.circuit fits the device"
            )
