"""The target of a pass manager's configuration."""

from __future__ import annotations

from qiskit.transpiler import Target
from qiskit.transpiler.passmanager_config import PassManagerConfig

from qiskit_halo.errors import HaloTranspilerError


def target_of(config: PassManagerConfig) -> Target:
    """Return the target of ``config``, built from its coupling map and basis gates if it has none.

    Raises:
        HaloTranspilerError: There is nothing to build it from.
    """
    if config.target is not None and config.target.num_qubits:
        return config.target
    if config.coupling_map is None:
        raise HaloTranspilerError(
            "halo needs to know the device; give transpile() a backend, a target, or a coupling_map and basis_gates"
        )
    basis = config.basis_gates or ["id", "rz", "sx", "x", "cx"]
    return Target.from_configuration(
        basis_gates=[*dict.fromkeys((*basis, "measure", "reset", "delay"))],
        coupling_map=config.coupling_map,
        instruction_durations=config.instruction_durations,
    )
