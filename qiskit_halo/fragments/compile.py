"""Compile one body alone, as well as Qiskit can: the one place below the passes that runs pass managers."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from qiskit.circuit import QuantumCircuit
from qiskit.transpiler import Target
from qiskit.transpiler.exceptions import TranspilerError

from qiskit_halo.device.model import DeviceModel
from qiskit_halo.device.region import region_target
from qiskit_halo.errors import HaloTranspilerError
from qiskit_halo.fragments.compact import compact, control_flow_names, two_qubit_pairs
from qiskit_halo.fragments.estimate import LossEstimate
from qiskit_halo.fragments.fragment import Fragment, find_shapes
from qiskit_halo.fragments.measure import sites_of, time_on
from qiskit_halo.fragments.neighbourhood import compact_part
from qiskit_halo.fragments.stages import Draft, Stages
from qiskit_halo.fragments.variants import pareto_front

logger = logging.getLogger(__name__)


NUM_VARIANTS = (1, 4, 8, 16)
"""Routings tried of each body, by optimization level."""

PART_SIZES = ((1, 4), (3, 4), (2, 4))
"""Sizes of the parts of a region that routings are tried on, as (a, b): a times the width of the body, plus b.

Small parts give long lines, larger ones branches and rings. None is best for all programs.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class CompileSettings:
    """How fragments are compiled.

    Args:
        optimization_level: Level of Qiskit's preset pass manager, 0 to 3.
        seed: First seed of its random parts.
        num_variants: Routings tried of each body that needs SWAPs at all, Qiskit's own first; ``None`` takes what suits
            the level. Routing is random and one run can be bad; the third that looks best is compiled to the end.
        extra: Other keywords of :func:`~qiskit.transpiler.generate_preset_pass_manager`.
    """

    optimization_level: int = 2
    seed: int = 0
    num_variants: int | None = None
    extra: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.num_variants is not None and self.num_variants < 1:
            raise HaloTranspilerError(f"num_variants must be at least 1, not {self.num_variants}")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Routing:
    """A body laid out and routed, not yet compiled to the end."""

    draft: Draft
    part: tuple[int, ...]
    variant: str


class FragmentCompiler:
    """Compiles bodies for regions of one device; keeps the pass managers of the regions.

    Args:
        device: The device.
        settings: How to compile.
    """

    def __init__(self, device: DeviceModel, settings: CompileSettings) -> None:
        self._device = device
        self._settings = settings
        self._num_variants = settings.num_variants or NUM_VARIANTS[settings.optimization_level]
        self._estimate = LossEstimate(device)
        self._targets: dict[tuple[tuple[int, ...], bool], Target] = {}
        self._stages: dict[tuple[tuple[int, ...], bool], Stages] = {}
        self._parts: dict[tuple[tuple[int, ...], int], tuple[int, ...]] = {}

    def compile(self, body: QuantumCircuit, region: Sequence[int], name: str) -> tuple[Fragment, ...]:
        """Return the compiled forms of ``body`` on ``region`` that no other beats, the best predicted success first.

        Args:
            body: A circuit of its own, no wider than the region.
            region: Connected physical qubits, without repeats.
            name: What to call it in an error: the program's index and name.

        Raises:
            HaloTranspilerError: The body holds an operation that the device lacks.
        """
        region = tuple(region)
        # Qiskit's pass for directed gates crashes on circuits with variables: it must find nothing to do there.
        symmetric = bool(body.num_identifiers)
        _check_control_flow(body, self._target(region, symmetric), name)
        try:
            fragments = [
                self._finish(routing, body.num_qubits, symmetric) for routing in self._route(body, region, symmetric)
            ]
        except TranspilerError as error:
            raise HaloTranspilerError(f"{name} cannot be compiled for this device: {error.message}") from error
        front = pareto_front(fragments)
        logger.debug(
            "%s: %d forms, best %d sites, %d dt", name, len(front), front[0].num_sites, front[0].timing.length_dt
        )
        return front

    def _route(self, body: QuantumCircuit, region: tuple[int, ...], symmetric: bool) -> list[_Routing]:
        """Return the most promising routings of ``body``, one alone where nothing had to be routed."""
        stages = self._stages_on(region, symmetric)
        prepared = stages.prepare(body)
        own = _Routing(draft=stages.route(prepared), part=region, variant="qiskit")
        needed = sum(1 for _ in two_qubit_pairs(prepared.circuit))
        if sum(1 for _ in two_qubit_pairs(own.draft.circuit)) == needed:
            return [own]  # No SWAP: routing again can only give the same gates elsewhere.
        found = {self._estimate.of(own.draft.circuit): own}
        for trial in range(self._num_variants - 1):
            part = self._part(region, body.num_qubits, trial)
            seed = self._settings.seed + 1 + trial
            draft = self._stages_on(part, symmetric).route_again(prepared, seed)
            # Routings that are alike up to where they stand are estimated alike, to the last bit.
            found.setdefault(self._estimate.of(draft.circuit), _Routing(draft=draft, part=part, variant=f"seed {seed}"))
        return [found[loss] for loss in sorted(found)[: 1 + self._num_variants // 3]]

    def _finish(self, routing: _Routing, num_qubits: int, symmetric: bool) -> Fragment:
        stages = self._stages_on(routing.part, symmetric)
        draft = routing.draft if routing.variant == "qiskit" else stages.settle(routing.draft)
        compiled = stages.finish(draft)
        circuit, used = compact(compiled.circuit)
        home = tuple(routing.part[q] for q in used)
        site_of = {qubit: site for site, qubit in enumerate(used)}
        timing, workload, log_success = time_on(circuit.data, sites_of(circuit), home, self._device)
        layout = compiled.layout
        start = layout.initial_index_layout(filter_ancillas=True) if layout else list(range(num_qubits))
        final = layout.final_index_layout(filter_ancillas=True) if layout else start
        return Fragment(
            circuit=circuit,
            home=home,
            start_sites=tuple(site_of.get(q) for q in start),
            final_sites=tuple(site_of.get(q) for q in final),
            timing=timing,
            workload=workload,
            shapes=find_shapes(len(home), list(two_qubit_pairs(circuit))),
            log_success=log_success,
            variant=routing.variant,
        )

    def _part(self, region: tuple[int, ...], width: int, trial: int) -> tuple[int, ...]:
        """Return the part of ``region`` for one trial."""
        times, more = PART_SIZES[trial % len(PART_SIZES)]
        # In steps, so that bodies of similar width share a part and its pass managers.
        size = -(-(times * width + more) // 8) * 8
        if size >= len(region):
            return region
        if (region, size) not in self._parts:
            self._parts[region, size] = compact_part(self._device, region, size)
        return self._parts[region, size]

    def _target(self, part: tuple[int, ...], symmetric: bool) -> Target:
        if (part, symmetric) not in self._targets:
            self._targets[part, symmetric] = region_target(self._device, part, symmetric=symmetric)
        return self._targets[part, symmetric]

    def _stages_on(self, part: tuple[int, ...], symmetric: bool) -> Stages:
        # Building them takes as long as compiling a small program.
        if (part, symmetric) not in self._stages:
            self._stages[part, symmetric] = Stages(
                self._target(part, symmetric),
                self._settings.optimization_level,
                self._settings.seed,
                self._settings.extra,
            )
        return self._stages[part, symmetric]


def _check_control_flow(body: QuantumCircuit, target: Target, name: str) -> None:
    for construct in control_flow_names(body):
        if construct not in target.operation_names:
            raise HaloTranspilerError(
                f"{name} uses {construct}, which this device does not have; "
                "unroll it, or take a device with it in target.operation_names"
            )
