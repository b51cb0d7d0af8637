"""Compiled forms of bodies, and every place where they may go."""

from __future__ import annotations

import math
from collections.abc import Sequence
from concurrent.futures import Executor
from contextlib import suppress

import numpy as np
import numpy.typing as npt

from qiskit_halo.device.model import DeviceModel
from qiskit_halo.device.region import connected_regions, grow_region
from qiskit_halo.errors import HaloTranspilerError
from qiskit_halo.fragments.body import Body
from qiskit_halo.fragments.compile import FragmentCompiler
from qiskit_halo.fragments.settings import CompileSettings
from qiskit_halo.options import HaloOptions
from qiskit_halo.placement.candidates import Candidates
from qiskit_halo.placement.embeddings import Embedder
from qiskit_halo.placement.known_places import known_candidates

MORE_REGIONS = 2
"""Other regions that a body is compiled in, at most."""

SPARE = 2
"""Qubits that a second region of a body has beyond its width: more give longer ways, fewer no choice."""

LEAST_REGION, ROOM = 64, 8
"""Fragments are compiled on this many qubits, doubled until there are ``ROOM`` for each qubit of the body."""


class Catalogue:
    """Compiles bodies for one device, and finds where the results may go.

    Args:
        device: The device.
        options: ``success_floor`` and ``cache`` matter here.
        settings: How to compile.
        executor: Who compiles; ``None`` does it in this process.
    """

    def __init__(
        self, device: DeviceModel, options: HaloOptions, settings: CompileSettings, executor: Executor | None
    ) -> None:
        self._device = device
        self._success_floor = options.success_floor
        self._compiler = FragmentCompiler(device, settings, use_cache=options.cache, executor=executor)
        self._embedder = Embedder(device)
        self._regions = connected_regions(device)
        self._widest = len(self._regions[0]) if self._regions else 0
        self._homes: dict[int, tuple[int, ...]] = {}
        self._quality = _qubit_quality(device)

    def find(self, bodies: Sequence[Body], labels: Sequence[str]) -> list[tuple[Candidates, ...]]:
        """Return the places of each body: of what it compiles to in one region, and in another if that is of use.

        Args:
            bodies: Equal ones may repeat.
            labels: What to call each in an error.

        Returns:
            For each body its forms, the one with the best predicted success first.

        Raises:
            HaloTranspilerError: A body is too wide for the device, or compiles to something that never works.
        """
        distinct = _distinct(bodies, labels)
        # Those that fit nowhere are left to fail in turn.
        fitting = [(body, label) for body, label in distinct if body.circuit.num_qubits <= self._widest]
        self._compiler.prepare([(body.circuit, label, self._home(body.circuit.num_qubits)) for body, label in fitting])
        found = {body.key: self._at_home(body, label) for body, label in distinct}
        tried: dict[str, tuple[int, ...]] = {}
        for _ in range(MORE_REGIONS):
            self._look_elsewhere(distinct, found, tried)
        return [found[body.key] for body in bodies]

    def _look_elsewhere(
        self,
        distinct: Sequence[tuple[Body, str]],
        found: dict[str, tuple[Candidates, ...]],
        tried: dict[str, tuple[int, ...]],
    ) -> None:
        """Add to ``found`` what bodies with one good place compile to in one more region, and to ``tried`` its qubits."""
        places = []
        for body, label in distinct:
            region = self._other_region(body, found[body.key], tried.get(body.key, ()))
            if region is not None:
                places.append((body, label, region))
        self._compiler.prepare([(body.circuit, label, region) for body, label, region in places])
        for body, label, region in places:
            tried[body.key] = (*tried.get(body.key, ()), *region)
            # What cannot be compiled there stays with what there is.
            with suppress(HaloTranspilerError):
                more = [form for form in self._compiled(body, region, label) if math.isfinite(form.best)]
                found[body.key] = _best_first((*found[body.key], *more))

    def find_on(self, free: npt.NDArray[np.bool_], body: Body, label: str) -> tuple[Candidates, ...]:
        """Return the places of what ``body`` compiles to on connected qubits of ``free``; none if too few of them are.

        Args:
            free: bool, shape (num_qubits,).
            body: What to place.
            label: What to call it in an error.
        """
        region = grow_region(self._device, free, max(1, body.circuit.num_qubits), self._quality)
        return self._compiled(body, region, label) if region else ()

    def _at_home(self, body: Body, label: str) -> tuple[Candidates, ...]:
        width = body.circuit.num_qubits
        if width > self._widest:
            raise HaloTranspilerError(
                f"{label} needs {width} connected qubits, but the largest connected part of the device that "
                f"works has {self._widest} of its {self._device.num_qubits}; take a larger device or exclude fewer"
            )
        found = self._compiled(body, self._home(width), label)
        if not math.isfinite(found[0].best):
            raise HaloTranspilerError(
                f"{label} compiles to an operation that never works on qubits {list(found[0].fragment.home)}; exclude them "
                "with exclude_qubits"
            )
        return found

    def _other_region(self, body: Body, found: Sequence[Candidates], tried: Sequence[int]) -> tuple[int, ...] | None:
        """Return a region clear of the best place of ``body`` if it has no good place there, ``None`` otherwise.

        A wide program that is compiled in one region seldom does well in another, where couplers form other patterns,
        and two of its kind could only run one after the other. Good is what keeps the whole share, also for weak programs:
        one more region is what helps them without costing them anything.
        """
        best = found[0]
        if not all(candidates.shapes for candidates in found):
            return None
        taken: npt.NDArray[np.bool_] = np.zeros(self._device.num_qubits, dtype=np.bool_)
        taken[best.qubits([0] * len(best.shapes))] = True
        floor = best.best + (math.log(self._success_floor) if self._success_floor > 0 else -math.inf)
        for candidates in found:
            shape = candidates.shapes[0]
            good = shape.log_success >= floor
            if not taken[shape.places[good]].any(axis=1).all():
                return None
        taken[list(tried)] = True
        free = self._device.usable_qubits & ~taken
        width = body.circuit.num_qubits
        return grow_region(self._device, free, width + SPARE, self._quality) or grow_region(
            self._device, free, width, self._quality
        )

    def _home(self, width: int) -> tuple[int, ...]:
        """Return the region where bodies of ``width`` qubits are compiled: the best part of the device, with room to spare.

        Embedding moves the result to wherever it fits; on a large device Qiskit's passes take most of their time for
        qubits that the body never sees.
        """
        size = LEAST_REGION
        while size < ROOM * width:
            size *= 2
        if 2 * size > len(self._regions[0]):
            return self._regions[0]
        if size not in self._homes:
            inside = np.zeros(self._device.num_qubits, dtype=bool)
            inside[list(self._regions[0])] = True
            home = grow_region(self._device, inside, size, self._quality)
            assert home is not None, "the region is connected and large enough"
            self._homes[size] = home
        return self._homes[size]

    def _compiled(self, body: Body, region: tuple[int, ...], label: str) -> tuple[Candidates, ...]:
        """Return the places of what ``body`` compiles to in ``region``."""
        fragments = self._compiler.compile(body.circuit, region, label, body.key)
        known = self._compiler.identity
        return _best_first([known_candidates(fragment, self._device, self._embedder, known) for fragment in fragments])


def _distinct(bodies: Sequence[Body], labels: Sequence[str]) -> list[tuple[Body, str]]:
    """Return the first of each kind of body."""
    first: dict[str, tuple[Body, str]] = {}
    for body, label in zip(bodies, labels, strict=True):
        first.setdefault(body.key, (body, label))
    return list(first.values())


def _best_first(found: Sequence[Candidates]) -> tuple[Candidates, ...]:
    return tuple(sorted(found, key=lambda candidates: -candidates.best))


def _qubit_quality(device: DeviceModel) -> npt.NDArray[np.float64]:
    """Return how good each qubit is: log success of its readout and, on average, of its couplers."""
    log_readout = np.log1p(-np.clip(device.readout_error, 0.0, 1 - 1e-9))
    coupled = np.isfinite(device.log_coupler_success)
    total = np.where(coupled, device.log_coupler_success, 0.0).sum(axis=1)
    quality: npt.NDArray[np.float64] = log_readout + total / np.maximum(1, coupled.sum(axis=1))
    return quality
