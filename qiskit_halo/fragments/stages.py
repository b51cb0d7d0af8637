"""Qiskit's own stages for one target, run one after another, so that trials share what they have in common."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from qiskit.circuit import QuantumCircuit
from qiskit.converters import circuit_to_dag, dag_to_circuit
from qiskit.dagcircuit import DAGCircuit, DAGOpNode
from qiskit.passmanager import (
    ConditionalController,
    FlowControllerLinear,
    PassManagerState,
    PropertySet,
    Task,
    WorkflowStatus,
)
from qiskit.transpiler import PassManager, Target, TranspileLayout, generate_preset_pass_manager
from qiskit.transpiler.passes import (
    ApplyLayout,
    BarrierBeforeFinalMeasurements,
    FilterOpNodes,
    SabreLayout,
    VF2PostLayout,
)

_FINAL_BARRIER = "qiskit_halo.before_final_measurements"

# More rounds than Qiskit's level 2 and fewer swap trials in each: on HALO's small suites as good in half the time.
_SABRE_ROUNDS, _SABRE_SWAP_TRIALS, _SABRE_LAYOUT_TRIALS = 4, 5, 20

# As Qiskit's own routing stage takes them at levels 1 and 2.
_SETTLE_CALLS, _SETTLE_TRIALS = 50_000, 2_500


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A circuit between two stages.

    Args:
        circuit: The circuit so far.
        properties: What the passes so far have noted.
        layout: Where its qubits start and end, once that is known.
    """

    circuit: QuantumCircuit
    properties: Mapping[str, Any]
    layout: TranspileLayout | None = None


class Stages:
    """The stages of Qiskit's preset pass manager for one target, scheduling left out: times are ours to set.

    Args:
        target: Connected qubits.
        optimization_level: Level of the preset, 0 to 3.
        seed: Seed of its random parts.
        extra: Other keywords of :func:`~qiskit.transpiler.generate_preset_pass_manager`.
    """

    def __init__(self, target: Target, optimization_level: int, seed: int, extra: Mapping[str, Any]) -> None:
        self._target = target
        preset = generate_preset_pass_manager(optimization_level, target=target, seed_transpiler=seed, **extra)
        self._front = _joined(preset.pre_init, preset.init)
        self._middle = _joined(preset.layout, preset.routing)
        self._back = _joined(preset.translation, preset.optimization)

    def prepare(self, body: QuantumCircuit) -> Draft:
        """Return ``body`` after everything that comes before layout; independent of the target's couplers."""
        indices = {qubit: index for index, qubit in enumerate(body.qubits)}
        known = {"original_qubit_indices": indices, "num_input_qubits": body.num_qubits}
        return _run(self._front, Draft(circuit=body, properties=known))

    def route(self, prepared: Draft) -> Draft:
        """Return ``prepared`` on the qubits of the target, as the preset lays it out and routes it."""
        return _run(self._middle, prepared)

    def route_again(self, prepared: Draft, seed: int) -> Draft:
        """Return ``prepared`` on the qubits of the target, laid out and routed by SABRE alone with another seed."""
        passes = FlowControllerLinear(
            [
                BarrierBeforeFinalMeasurements(_FINAL_BARRIER),
                SabreLayout(
                    self._target,
                    seed=seed,
                    max_iterations=_SABRE_ROUNDS,
                    swap_trials=_SABRE_SWAP_TRIALS,
                    layout_trials=_SABRE_LAYOUT_TRIALS,
                ),
                FilterOpNodes(_is_no_barrier_of_ours),
            ]
        )
        return _run(passes, prepared)

    def settle(self, routed: Draft) -> Draft:
        """Return ``routed`` on the qubits of the target where Qiskit expects least error, with the same gates."""
        passes = FlowControllerLinear(
            [
                VF2PostLayout(
                    self._target,
                    seed=-1,
                    call_limit=_SETTLE_CALLS,
                    max_trials=_SETTLE_TRIALS,
                    strict_direction=False,
                ),
                ConditionalController(ApplyLayout(), condition=_found_better),
            ]
        )
        return _run(passes, routed)

    def finish(self, routed: Draft) -> Draft:
        """Return ``routed`` in the operations of the target, optimized."""
        return _run(self._back, routed)


def _joined(*stages: PassManager | None) -> Task[DAGCircuit, DAGCircuit]:
    return FlowControllerLinear([stage.to_flow_controller() for stage in stages if stage is not None])


def _run(passes: Task[DAGCircuit, DAGCircuit], draft: Draft) -> Draft:
    # Not by PassManager.run, which rewrites the layout that passes have noted: the stages after it then fail.
    state = PassManagerState(workflow_status=WorkflowStatus(), property_set=PropertySet(draft.properties))
    dag, state = passes.execute(circuit_to_dag(draft.circuit), state)
    return Draft(
        circuit=dag_to_circuit(dag, copy_operations=False),
        properties=dict(state.property_set),
        layout=TranspileLayout.from_property_set(dag, state.property_set),
    )


def _is_no_barrier_of_ours(node: DAGOpNode) -> bool:
    return bool(node.label != _FINAL_BARRIER)


def _found_better(properties: PropertySet) -> bool:
    return properties["post_layout"] is not None
