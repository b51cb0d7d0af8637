"""Lay out and route a body in several ways, and choose those that are worth compiling to the end."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from qiskit.circuit import CircuitInstruction, Gate, QuantumCircuit, QuantumRegister
from qiskit.transpiler import Target

from qiskit_halo.device.model import DeviceModel
from qiskit_halo.fragments.compact import num_pairs
from qiskit_halo.fragments.estimate import Estimate, LossEstimator
from qiskit_halo.fragments.lines import in_line, line_starts
from qiskit_halo.fragments.mirrors import Couplings, mirror_gates
from qiskit_halo.fragments.parts import Parts
from qiskit_halo.fragments.reuse import Reuse, find_reuse
from qiskit_halo.fragments.stages import (
    FINAL_BARRIER,
    Draft,
    Stages,
    close,
    elide_swaps,
    route_again,
    routed_draft,
)
from qiskit_halo.fragments.swaps import with_cheap_swaps
from qiskit_halo.options import Reusing
from qiskit_halo.rewire import append_all, empty_like

MIRRORED = 3
"""For so many routings of a body one is tried of it with mirrored gates, if they are of use."""

REPEATS = 2
"""Routings in a row that only give again what is known, after which no more are tried."""

WORTH = 0.2
"""Estimated loss of log success beyond the best form's at which a form is not worth having, however narrow it is."""


@dataclass(frozen=True, slots=True)
class Routing:
    """A body laid out and routed, not yet compiled to the end.

    Args:
        draft: The circuit as it was routed.
        instructions: What it comes to with cheap SWAPs.
        places: For each of its qubits, the number within the region.
        reuse: Which qubits of the body share a wire.
        estimate: What it will lose.
        name: What tells it from others of the same reuse.
        is_trial: Whether it is a trial of ours on a part of the region, with a final barrier, or Qiskit's own.
        is_mirrored: Whether gates exchange their qubits. It may then hold gates that the device cannot express.
    """

    draft: Draft
    instructions: Sequence[CircuitInstruction]
    places: tuple[int, ...]
    reuse: Reuse | None
    estimate: Estimate
    name: str
    is_trial: bool
    is_mirrored: bool = False

    def on_region(self, size: int) -> Draft:
        """Return the routed circuit over the ``size`` qubits of the whole region."""
        source = self.draft.circuit
        if not self.is_trial:
            circuit = source.copy_empty_like()
            append_all(circuit, self.instructions)
            return dataclasses.replace(self.draft, circuit=circuit)
        circuit = empty_like(source, QuantumRegister(size, "q"))
        inside = {own: circuit.qubits[place] for own, place in zip(source.qubits, self.places, strict=True)}
        append_all(circuit, (i.replace(qubits=[inside[q] for q in i.qubits]) for i in self.instructions))
        return routed_draft(circuit)

    def ends(self, finished: Draft) -> tuple[list[int], list[int]]:
        """Return where each wire starts and where it ends, in numbers of the region, once all is done.

        Args:
            finished: What became of :meth:`on_region`.
        """
        starts, finals = finished.ends()
        if not self.is_trial:
            return starts, finals
        # Finishing counts from the region; from the wires to there is what routing did.
        before, after = self.draft.ends()
        return [starts[self.places[q]] for q in before], [finals[self.places[q]] for q in after]

    def alive_s(self) -> dict[int, float]:
        """Return how long each qubit of the region is alive, in seconds; those that are not used are left out."""
        # Qiskit lays nothing out where all qubits are coupled: there are as many as the body has.
        numbers = zip(self.draft.circuit.qubits, self.places, strict=False)
        return {place: self.estimate.alive_s[q] for q, place in numbers if q in self.estimate.alive_s}


class Routings(NamedTuple):
    """The routings of a body.

    Args:
        chosen: Those worth compiling to the end, the most promising first.
        spare: Others, the most promising first, for when none of these is as good as its estimate.
    """

    chosen: list[Routing]
    spare: list[Routing]


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutingSettings:
    """How much to try.

    Args:
        num_variants: Most routings of a body that needs SWAPs at all; a third as many, of the body with mirrored gates, come on top.
        num_finished: How many of them are compiled to the end, and half as many, rounded up, of those with mirrored gates.
        seed: First seed.
        reuse: Whether qubits of one body may share a wire.
        resets: Rounds of reset between two qubits of one wire.
    """

    num_variants: int
    num_finished: int
    seed: int
    reuse: Reusing
    resets: int


class Router:
    """Routes bodies on one device.

    Args:
        device: The device.
        estimator: Ranks routings.
        settings: How much to try.
    """

    def __init__(self, device: DeviceModel, estimator: LossEstimator, settings: RoutingSettings) -> None:
        self._device = device
        self._estimator = estimator
        self._settings = settings
        self._parts = Parts(device)
        self._couplings: dict[tuple[int, ...], Couplings] = {}
        self._has_swap = "swap" in device.target.operation_names
        # From a few fixed gates Qiskit could only build a mirror gate approximately.
        self._can_mirror = settings.num_variants > 1 and _has_rotations(device.target)

    def route(self, body: QuantumCircuit, stages: Stages, region: tuple[int, ...]) -> Routings:
        """Return the routings of ``body``.

        Args:
            body: A circuit of its own, no wider than the region.
            stages: Qiskit's stages for the region.
            region: Connected physical qubits.
        """
        forced = self._settings.reuse == "max"
        amounts = self._amounts(body)
        chosen, spare = Routings([], []) if forced and amounts else self._plain(body, stages, region)
        pending = list(amounts)
        while pending:
            reuse = pending.pop()
            limit = math.inf if forced else min(routing.estimate.loss for routing in chosen) + WORTH
            # What it loses by waiting alone, before any SWAP, may be too much already.
            if self._estimator.of(reuse.circuit.data, reuse.circuit.qubits).loss > limit:
                continue
            routings = self._reused(reuse, stages, region)
            best = min(routings, key=lambda routing: routing.estimate.loss)
            if best.estimate.loss <= limit:
                chosen.append(best)
                del pending[1:]  # the narrowest that is worth it, and the one that costs no time
        return Routings(_by_loss(chosen), spare)

    def _amounts(self, body: QuantumCircuit) -> tuple[Reuse, ...]:
        mode = self._settings.reuse
        if mode == "none" or not self._device.has_reset:
            return ()
        duration = self._estimator.seconds if self._device.has_durations else _unit_length
        return find_reuse(body, self._settings.resets, duration, only_max=mode == "max")

    def _plain(self, body: QuantumCircuit, stages: Stages, region: tuple[int, ...]) -> Routings:
        """Return the routings of ``body`` on wires of its own: Qiskit's, and others if it needs SWAPs."""
        prepared = stages.prepare(body)
        seed = self._settings.seed
        order = in_line(prepared.circuit)
        draft = stages.route(prepared, line_starts(order, self._parts.line(region, len(order))))
        instructions = self._cheap(draft)
        estimate = self._estimator.of(instructions, draft.circuit.qubits)
        own = Routing(draft, instructions, tuple(range(len(region))), None, estimate, f"seed {seed}", False)
        if num_pairs(draft.circuit) == num_pairs(prepared.circuit):
            return Routings([own], [])  # With no SWAP, routing again can only give the same gates elsewhere.
        settings = self._settings
        found = _by_loss(self._tried(prepared, None, region, settings.num_variants - 1, own))
        mirrored = self._mirrored(prepared, region) if self._can_mirror else None
        others: list[Routing] = []
        if mirrored is not None:
            trials = max(1, settings.num_variants // MIRRORED)
            others = _by_loss(self._tried(mirrored, None, region, trials, None, is_mirrored=True))
        # Mirrored ones beside the others, not in place of them: estimates compare like with like at best.
        plain, more = settings.num_finished, -(-settings.num_finished // 2)
        return Routings(found[:plain] + others[:more], _by_loss([*found[plain:], *others[more:]]))

    def _mirrored(self, prepared: Draft, region: tuple[int, ...]) -> Draft | None:
        """Return the body with gates that exchange their qubits, ``None`` if that does not promise to spare SWAPs."""
        bare = elide_swaps(prepared)
        if region not in self._couplings:
            self._couplings[region] = Couplings.of(self._device.graph.subgraph(region))
        circuit = mirror_gates(bare.circuit, self._couplings[region])
        return None if circuit is None else elide_swaps(dataclasses.replace(bare, circuit=circuit))

    def _reused(self, reuse: Reuse, stages: Stages, region: tuple[int, ...]) -> list[Routing]:
        prepared = stages.prepare(reuse.circuit)
        return self._tried(prepared, reuse, region, max(1, self._settings.num_variants // 4), None)

    def _tried(
        self,
        prepared: Draft,
        reuse: Reuse | None,
        region: tuple[int, ...],
        trials: int,
        own: Routing | None,
        *,
        is_mirrored: bool = False,
    ) -> list[Routing]:
        """Return ``own`` and routings on parts of the region that differ from it and from each other."""
        # Routings that are alike up to where they stand lose the same, to the last bit.
        found = {} if own is None else {own.estimate.loss: own}
        closed = close(prepared)
        order = in_line(closed.circuit)
        number = {qubit: index for index, qubit in enumerate(region)}
        needed = num_pairs(prepared.circuit)
        kind = "mirrored, " if is_mirrored else ""
        repeats = 0
        for trial in range(trials):
            part = self._parts.part(region, len(order), trial)
            seed = self._settings.seed + 1 + trial
            starts = line_starts(order, self._parts.line(part, len(order)))
            draft = route_again(closed, self._parts.sabre(part, seed), starts)
            instructions = self._cheap(draft)
            estimate = self._estimator.of(instructions, draft.circuit.qubits)
            repeats = repeats + 1 if estimate.loss in found else 0
            if not repeats:
                places = tuple(number[q] for q in part)
                name = f"{kind}seed {seed}"
                found[estimate.loss] = Routing(draft, instructions, places, reuse, estimate, name, True, is_mirrored)
            if repeats == REPEATS or num_pairs(draft.circuit) == needed:
                break
        return list(found.values())

    def _cheap(self, draft: Draft) -> list[CircuitInstruction]:
        cheap = with_cheap_swaps(draft.circuit.data, native=self._has_swap)
        return [instruction for instruction in cheap if instruction.label != FINAL_BARRIER]


def _has_rotations(target: Target) -> bool:
    """Return whether a one-qubit gate of ``target`` takes an angle."""
    return any(isinstance(own, Gate) and own.num_qubits == 1 and own.params for own in target.operations)


def _by_loss(routings: Sequence[Routing]) -> list[Routing]:
    return sorted(routings, key=lambda routing: routing.estimate.loss)


def _unit_length(instruction: CircuitInstruction) -> float:
    """Return the length of an operation where the device states none: the body's length is then its depth."""
    return 0.0 if instruction.name == "barrier" else 1.0
