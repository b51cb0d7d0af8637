"""The scheduling stage plugin: ``transpile(..., scheduling_method="halo")``."""

from __future__ import annotations

from qiskit.transpiler import PassManager
from qiskit.transpiler.passmanager_config import PassManagerConfig
from qiskit.transpiler.preset_passmanagers.plugin import PassManagerStagePlugin

from qiskit_halo.passes.check_isolation import CheckIsolation
from qiskit_halo.passes.halo_scheduling import HaloScheduling
from qiskit_halo.plugins.target import target_of


class HaloSchedulingPlugin(PassManagerStagePlugin):
    """Builds the scheduling stage named ``halo``."""

    def pass_manager(
        self, pass_manager_config: PassManagerConfig, optimization_level: int | None = None
    ) -> PassManager:
        """Return the stage: :class:`HaloScheduling`, then :class:`CheckIsolation`."""
        target = target_of(pass_manager_config)
        return PassManager([HaloScheduling(target), CheckIsolation(target)])
