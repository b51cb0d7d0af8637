"""The layout stage plugin: ``transpile(..., layout_method="halo")``."""

from __future__ import annotations

from qiskit.transpiler import PassManager
from qiskit.transpiler.passes import (
    ApplyLayout,
    EnlargeWithAncilla,
    FullAncillaAllocation,
    SetLayout,
)
from qiskit.transpiler.passmanager_config import PassManagerConfig
from qiskit.transpiler.preset_passmanagers.plugin import PassManagerStagePlugin

from qiskit_halo.passes.check_initial_layout import CheckInitialLayout
from qiskit_halo.passes.halo_layout import HaloLayout
from qiskit_halo.plugins.target import target_of


class HaloLayoutPlugin(PassManagerStagePlugin):
    """Builds the layout stage named ``halo``."""

    def pass_manager(
        self, pass_manager_config: PassManagerConfig, optimization_level: int | None = None
    ) -> PassManager:
        """Return the stage: :class:`HaloLayout`, or the user's own ``initial_layout`` if one is given."""
        config = pass_manager_config
        target = target_of(config)
        if config.initial_layout is not None:
            # As in Qiskit's own plugins, the user's layout wins: no place is left to choose.
            return PassManager(
                [
                    CheckInitialLayout(),
                    SetLayout(config.initial_layout),
                    FullAncillaAllocation(target),
                    EnlargeWithAncilla(),
                    ApplyLayout(),
                ]
            )
        return PassManager(
            [
                HaloLayout(
                    target,
                    optimization_level=2 if optimization_level is None else optimization_level,
                    seed=config.seed_transpiler,
                    compile_options={
                        "approximation_degree": config.approximation_degree,
                        "unitary_synthesis_method": config.unitary_synthesis_method,
                        "unitary_synthesis_plugin_config": config.unitary_synthesis_plugin_config,
                        "hls_config": config.hls_config,
                    },
                )
            ]
        )
