"""Qiskit's own stages for one target, run one after another, so that trials share what they have in common."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from qiskit.circuit import QuantumCircuit, Qubit
from qiskit.converters import circuit_to_dag, dag_to_circuit
from qiskit.dagcircuit import DAGCircuit
from qiskit.passmanager import FlowControllerLinear, PassManagerState, PropertySet, WorkflowStatus
from qiskit.passmanager.base_tasks import Task
from qiskit.transpiler import PassManager, Target, TranspileLayout, generate_preset_pass_manager
from qiskit.transpiler.layout import Layout
from qiskit.transpiler.passes import BarrierBeforeFinalMeasurements, ElidePermutations, SabreLayout

FINAL_BARRIER = "qiskit_halo.before_final_measurements"
"""Label of the barrier that keeps routing from moving qubits that are measured already."""

# More rounds than Qiskit's level 2 and fewer swap trials in each: on HALO's small suites as good in half the time. On few
# qubits there are few starts, and more of them find nothing more.
_SABRE_ROUNDS, _SABRE_MOST_STARTS, _SABRE_STARTS_A_SWAP_TRIAL = 4, 10, 4


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

    def ends(self) -> tuple[list[int], list[int]]:
        """Return the qubit where each qubit of the first circuit starts, and the one where it ends."""
        if self.layout is None:
            return list(range(self.circuit.num_qubits)), list(range(self.circuit.num_qubits))
        return (
            self.layout.initial_index_layout(filter_ancillas=True),
            self.layout.final_index_layout(filter_ancillas=True),
        )


class Stages:
    """The stages of Qiskit's preset pass manager for one target, scheduling left out: times are ours to set.

    Args:
        target: Connected qubits.
        optimization_level: Level of the preset, 0 to 3.
        seed: Seed of its random parts.
        extra: Other keywords of :func:`~qiskit.transpiler.generate_preset_pass_manager`.
    """

    def __init__(self, target: Target, optimization_level: int, seed: int, extra: Mapping[str, Any]) -> None:
        preset = generate_preset_pass_manager(optimization_level, target=target, seed_transpiler=seed, **extra)
        self._front = _joined(preset.pre_init, preset.init)
        self._middle = _joined(preset.layout, preset.routing)
        self._back = _joined(preset.translation, preset.optimization)

    def prepare(self, body: QuantumCircuit) -> Draft:
        """Return ``body`` after everything that comes before layout."""
        indices = {qubit: index for index, qubit in enumerate(body.qubits)}
        known = {"original_qubit_indices": indices, "num_input_qubits": body.num_qubits}
        return _run(self._front, Draft(circuit=body, properties=known))

    def route(self, prepared: Draft, starts: Sequence[Layout] = ()) -> Draft:
        """Return ``prepared`` on the qubits of the target, as the preset lays it out and routes it.

        Args:
            prepared: What :meth:`prepare` returned.
            starts: Layouts that SABRE starts from besides its own, as far as they go.
        """
        return _run(self._middle, _starting_at(prepared, starts))

    def finish(self, routed: Draft) -> Draft:
        """Return ``routed`` in the operations of the target, optimized."""
        return _run(self._back, routed)


def close(prepared: Draft) -> Draft:
    """Return ``prepared`` with a barrier before its final measurements, ready for :func:`route_again`."""
    return _run(BarrierBeforeFinalMeasurements(FINAL_BARRIER), prepared)


def elide_swaps(prepared: Draft) -> Draft:
    """Return ``prepared`` with its SWAPs left out, which is kept in mind as where its qubits end."""
    return _run(ElidePermutations(), prepared)


def sabre(couplings: Target, seed: int) -> SabreLayout:
    """Return a pass for :func:`route_again`; making one takes Qiskit as long as routing a few gates.

    Args:
        couplings: Any target with the couplings to use.
        seed: Seed of SABRE.
    """
    starts = min(_SABRE_MOST_STARTS, couplings.num_qubits)
    return SabreLayout(
        couplings,
        seed=seed,
        max_iterations=_SABRE_ROUNDS,
        swap_trials=max(1, starts // _SABRE_STARTS_A_SWAP_TRIAL),
        layout_trials=starts,
    )


def route_again(closed: Draft, router: SabreLayout, starts: Sequence[Layout] = ()) -> Draft:
    """Return ``closed`` laid out and routed by SABRE alone; its final barrier is still there.

    Args:
        closed: What :func:`close` returned.
        router: What :func:`sabre` returned.
        starts: As in :meth:`Stages.route`.
    """
    return _run(router, _starting_at(closed, starts))


def routed_draft(circuit: QuantumCircuit) -> Draft:
    """Return a circuit over the qubits of a target, for :meth:`Stages.finish`: each of its qubits stays where it is."""
    properties = {
        "layout": _in_place(tuple(circuit.qubits)).copy(),
        "original_qubit_indices": {qubit: index for index, qubit in enumerate(circuit.qubits)},
        "num_input_qubits": circuit.num_qubits,
    }
    return Draft(circuit=circuit, properties=properties)


def _starting_at(draft: Draft, starts: Sequence[Layout]) -> Draft:
    return dataclasses.replace(draft, properties={**draft.properties, "sabre_starting_layouts": list(starts)})


def _joined(*stages: PassManager | None) -> Task[DAGCircuit, DAGCircuit]:
    return FlowControllerLinear([stage.to_flow_controller() for stage in stages if stage is not None])


@lru_cache(maxsize=8)
def _in_place(qubits: tuple[Qubit, ...]) -> Layout:
    """Return the layout that leaves ``qubits`` where they are; for a whole device that takes long to make."""
    return Layout({qubit: index for index, qubit in enumerate(qubits)})


def _run(passes: Task[DAGCircuit, DAGCircuit], draft: Draft) -> Draft:
    # Not by PassManager.run, which rewrites the layout that passes have noted: the stages after it then fail.
    state = PassManagerState(workflow_status=WorkflowStatus(), property_set=PropertySet(draft.properties))
    dag, state = passes.execute(circuit_to_dag(draft.circuit), state)
    return Draft(
        circuit=dag_to_circuit(dag, copy_operations=False),
        properties=dict(state.property_set),
        layout=TranspileLayout.from_property_set(dag, state.property_set),
    )
