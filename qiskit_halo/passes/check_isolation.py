"""The last step of the scheduling stage: is the finished circuit isolated?"""

from __future__ import annotations

from qiskit.dagcircuit import DAGCircuit
from qiskit.transpiler import Target
from qiskit.transpiler.basepasses import AnalysisPass

from qiskit_halo.options import HaloOptions
from qiskit_halo.passes.context import options_for
from qiskit_halo.verification.isolation import verify_isolation
from qiskit_halo.wide import circuit_of


class CheckIsolation(AnalysisPass):
    """Raise unless the programs of a finished circuit are isolated from each other.

    The check reads only the circuit and shares no code with the passes it judges. It runs where the halo layout ran;
    where another layout did, routing may have joined programs, and :class:`HaloScheduling` has said so.

    Reads ``halo_placement``. Writes ``halo_isolation`` (:class:`~qiskit_halo.verification.isolation.IsolationReport`),
    ``None`` if nothing was checked.

    Args:
        target: The device, for its couplers and distances.
        options: ``resets`` and ``buffer`` matter here; ``None`` takes those of each circuit, else the defaults.

    Raises:
        IsolationError: Two programs share more than a device.
    """

    def __init__(self, target: Target, options: HaloOptions | None = None) -> None:
        super().__init__()
        self.target = target
        self.options = options

    def run(self, dag: DAGCircuit) -> None:
        """Check the circuit."""
        self.property_set["halo_isolation"] = None
        if self.property_set["halo_placement"] is None:
            return
        options = options_for(dag, self.options)
        # Read-only: sharing operations with the circuit is safe.
        circuit = circuit_of(dag)
        self.property_set["halo_isolation"] = verify_isolation(
            circuit, target=self.target, resets=options.resets, buffer=options.buffer
        )
