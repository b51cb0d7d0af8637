"""Compile one body alone, as well as Qiskit can: the one place below the passes that runs pass managers."""

from __future__ import annotations

import dataclasses
import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from qiskit.circuit import QuantumCircuit
from qiskit.transpiler import Target
from qiskit.transpiler.exceptions import TranspilerError

from qiskit_halo.device.model import DeviceModel
from qiskit_halo.device.region import region_target
from qiskit_halo.errors import HaloTranspilerError
from qiskit_halo.fragments.compact import compact, control_flow_names, pairs_of
from qiskit_halo.fragments.estimate import LossEstimator
from qiskit_halo.fragments.fragment import Fragment, find_shapes
from qiskit_halo.fragments.jumps import count_loop_swaps, has_jumps
from qiskit_halo.fragments.measure import time_on
from qiskit_halo.fragments.routing import Router, Routing, Routings, RoutingSettings
from qiskit_halo.fragments.settings import NUM_VARIANTS, CompileSettings
from qiskit_halo.fragments.settle import Settler
from qiskit_halo.fragments.stages import Draft, Stages
from qiskit_halo.fragments.variants import pareto_front
from qiskit_halo.rewire import has_variables

logger = logging.getLogger(__name__)

MOST_SPARE = 8
"""Routings that are compiled to the end on top, at most, while what there is does worse than on median qubits."""


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a body is compiled.

    Args:
        region: Connected physical qubits.
        target: They alone, renumbered.
        stages: Qiskit's stages for them.
    """

    region: tuple[int, ...]
    target: Target
    stages: Stages


class BodyCompiler:
    """Compiles bodies for regions of one device, one at a time; keeps the pass managers of the regions.

    What it returns for a body does not depend on what it was asked before.

    Args:
        device: The device.
        settings: How to compile.
    """

    def __init__(self, device: DeviceModel, settings: CompileSettings) -> None:
        self._device = device
        self._settings = settings
        estimator = LossEstimator(device)
        self._settler = Settler(device, estimator)
        usual = RoutingSettings(
            num_variants=settings.trials,
            num_finished=max(1, settings.trials // 5),
            seed=settings.seed,
            reuse=settings.reuse,
            resets=settings.resets,
        )
        # Of loops that must not be routed one routing in several leaves them alone, and any may be the one.
        many = max(settings.trials, NUM_VARIANTS[2])
        careful = dataclasses.replace(usual, num_variants=many, num_finished=many, reuse="none")
        self._router = Router(device, estimator, usual)
        self._careful_router = Router(device, estimator, careful)
        self._places: dict[tuple[tuple[int, ...], int, bool], _Place] = {}

    def compile(self, body: QuantumCircuit, region: Sequence[int], name: str) -> tuple[Fragment, ...]:
        """Return the compiled forms of ``body`` on ``region`` that no other beats, the best predicted success first.

        Args:
            body: A circuit of its own, no wider than the region.
            region: Connected physical qubits, without repeats.
            name: What to call it in an error: the program's index and name.

        Raises:
            HaloTranspilerError: The body holds an operation that the device lacks, or a loop that cannot be routed.
        """
        # Qiskit's pass for directed gates crashes on circuits with variables: it must find nothing to do there.
        # Lower levels look for a layout too little, so that loops which must not be routed would have to be.
        jumps = has_jumps(body)
        level = max(2, self._settings.optimization_level) if jumps else self._settings.optimization_level
        router = self._careful_router if jumps else self._router
        place = self._place(tuple(region), level, symmetric=has_variables(body))
        _check_control_flow(body, place.target, name)
        try:
            fragments = self._fragments(body, router.route(body, place.stages, place.region), place)
        except TranspilerError as error:
            raise HaloTranspilerError(f"{name} cannot be compiled for this device: {error.message}") from error
        if not fragments:
            raise HaloTranspilerError(
                f"{name} has a loop with break_loop or continue_loop whose gates do not fit the couplers as they are, "
                "and Qiskit's routing is wrong for such a loop; rewrite it with if_test, or use fewer pairs of qubits in it"
            )
        front = pareto_front(fragments)
        logger.debug(
            "%s: %d forms, best %d sites, %d dt", name, len(front), front[0].num_sites, front[0].timing.length_dt
        )
        return front

    def _fragments(self, body: QuantumCircuit, routings: Routings, place: _Place) -> list[Fragment]:
        """Return what ``routings`` come to: those chosen, and of the spare ones as many as it takes to be as good as estimated."""
        chosen, spare = (_unharmed(body, own) for own in routings)
        found = [self._finished(routing, place, body.num_qubits) for routing in chosen]
        # On qubits like most of the device's. A body that is no better off where its gates fit best has been unlucky.
        par = -min([routing.estimate.loss for routing in (*chosen, *spare)], default=0.0)
        for routing in spare[:MOST_SPARE]:
            if any(fragment is not None and fragment.log_success > par for fragment in found):
                break
            found.append(self._finished(routing, place, body.num_qubits))
        return [fragment for fragment in found if fragment is not None]

    def _finished(self, routing: Routing, place: _Place, num_qubits: int) -> Fragment | None:
        """Return the fragment, ``None`` where the device cannot express what mirroring made of the gates."""
        try:
            return self._finish(routing, place, num_qubits)
        except TranspilerError:
            if not routing.is_mirrored:
                raise
            return None

    def _finish(self, routing: Routing, place: _Place, num_qubits: int) -> Fragment:
        compiled = place.stages.finish(routing.on_region(len(place.region)))
        small = compact(compiled.circuit)
        data, sites, used = small.instructions, small.sites, small.used
        pairs = list(pairs_of(data, sites))
        reads = Counter(
            where[0] for instruction, where in zip(data, sites, strict=True) if instruction.name == "measure"
        )
        alive = routing.alive_s()
        alive_s = [alive.get(q, 0.0) for q in used]
        home = self._settler.settle(pairs, reads, alive_s, [place.region[q] for q in used], place.target, place.region)
        timing, workload, log_success = time_on(data, sites, home, self._device)
        starts, finals = _ends(routing, compiled, used, num_qubits)
        reuse = routing.reuse
        return Fragment(
            circuit=small.circuit,
            home=home,
            start_sites=starts,
            final_sites=finals,
            timing=timing,
            workload=workload,
            shapes=find_shapes(len(home), pairs),
            log_success=log_success,
            reused=() if reuse is None else reuse.takeovers,
            variant=routing.name if reuse is None else f"reuse {len(reuse.takeovers)}, {routing.name}",
        )

    def _place(self, region: tuple[int, ...], level: int, symmetric: bool) -> _Place:
        # Building the stages takes as long as compiling a small program.
        key = (region, level, symmetric)
        if key not in self._places:
            target = region_target(self._device, region, symmetric=symmetric)
            stages = Stages(target, level, self._settings.seed, self._settings.extra)
            self._places[key] = _Place(region, target, stages)
        return self._places[key]


def _unharmed(body: QuantumCircuit, routings: Sequence[Routing]) -> Sequence[Routing]:
    """Return the routings that leave alone the loops which must not be routed."""
    if not has_jumps(body):
        return routings
    own = count_loop_swaps(body)
    return [routing for routing in routings if count_loop_swaps(routing.draft.circuit) <= own]


def _ends(
    routing: Routing, compiled: Draft, used: Sequence[int], num_qubits: int
) -> tuple[tuple[int | None, ...], tuple[int | None, ...]]:
    """Return the site where each qubit of the body starts, and where each ends."""
    site_of = {qubit: site for site, qubit in enumerate(used)}
    starts, finals = routing.ends(compiled)
    reuse = routing.reuse
    wires = range(num_qubits) if reuse is None else reuse.wires
    later = {} if reuse is None else dict(reuse.takeovers)
    earlier = dict.fromkeys(later.values())
    return (
        tuple(None if q in later else site_of.get(starts[wire]) for q, wire in enumerate(wires)),
        tuple(None if q in earlier else site_of.get(finals[wire]) for q, wire in enumerate(wires)),
    )


def _check_control_flow(body: QuantumCircuit, target: Target, name: str) -> None:
    for construct in control_flow_names(body):
        if construct not in target.operation_names:
            raise HaloTranspilerError(
                f"{name} uses {construct}, which this device does not have; "
                "unroll it, or take a device with it in target.operation_names"
            )
