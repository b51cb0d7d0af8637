"""The space manager: pieces of a circuit in, a place for each out."""

from __future__ import annotations

import logging
import math
import warnings
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from typing import Any

import numpy as np
import numpy.typing as npt
from qiskit.circuit import QuantumCircuit

from qiskit_halo.device.model import DeviceModel
from qiskit_halo.errors import HaloTranspilerError, HaloWarning
from qiskit_halo.fragments.body import Body, BodyReader
from qiskit_halo.fragments.fragment import Fragment
from qiskit_halo.fragments.settings import CompileSettings
from qiskit_halo.options import HaloOptions
from qiskit_halo.ownership import program_label
from qiskit_halo.placement.candidates import Candidates
from qiskit_halo.placement.catalogue import Catalogue
from qiskit_halo.placement.filling import PlacedItem
from qiskit_halo.placement.items import PackingItem
from qiskit_halo.placement.packing import pack
from qiskit_halo.placement.placement import PlacedPiece, Placement
from qiskit_halo.placement.quiet import part_strangers
from qiskit_halo.placement.roles import find_helpers
from qiskit_halo.segments.find import find_components
from qiskit_halo.segments.pieces import Piece, find_pieces

logger = logging.getLogger(__name__)

LEAST_LOSS = 1e-3
"""Loss counted for every piece besides its own, so that one that can lose nothing by itself may still be reset."""

LEAST_WEIGHT = 1e-6
"""Success of a program that hopeless ones count like, so that a rent can be told in theirs."""


class SpaceManager:
    """Places the pieces of one circuit on one device.

    Args:
        device: The device.
        options: How to share it.
        settings: How to compile fragments.
        executor: Who compiles them; ``None`` does it in this process.
    """

    def __init__(
        self,
        device: DeviceModel,
        options: HaloOptions,
        settings: CompileSettings,
        executor: Executor | None = None,
    ) -> None:
        self._device = device
        self._options = options
        self._catalogue = Catalogue(device, options, settings, executor)

    def place(self, circuit: QuantumCircuit, metadata: Mapping[str, Any] | None) -> Placement:
        """Return a place for every piece of ``circuit``.

        Args:
            circuit: Any circuit over virtual qubits.
            metadata: ``metadata["halo"]`` of the circuit, for the names of its programs.

        Raises:
            HaloTranspilerError: A program is too wide for the device, or is left without qubits.
        """
        data = list(circuit.data)
        segmentation = find_components(circuit, data)
        if self._options.buffer:
            segmentation = part_strangers(segmentation)
        pieces = find_pieces(segmentation)
        labels = [program_label(piece.owners, metadata) for piece in pieces]
        reader = BodyReader(
            circuit, segmentation, data, least_resets=self._options.resets, remembers=self._options.cache
        )
        bodies = [reader.read(piece) for piece in pieces]
        candidates = self._catalogue.find(bodies, labels)
        log_best = _log_best(pieces, candidates)
        floors = _log_floors(pieces, candidates, log_best, self._options)
        helpers = find_helpers(circuit, pieces, metadata, data)

        def item_of(index: int, variants: tuple[Candidates, ...]) -> PackingItem:
            return PackingItem(
                variants=variants,
                log_floor=floors[index],
                exclusive_sites=tuple(
                    self._exclusive_sites(bodies[index], variant.fragment, helpers[index]) for variant in variants
                ),
                owners=pieces[index].owners,
                weight=max(LEAST_WEIGHT, math.exp(log_best[index])),
            )

        def recompile(index: int, free: npt.NDArray[np.bool_]) -> PackingItem | None:
            found = self._catalogue.find_on(free, bodies[index], labels[index])
            return item_of(index, found) if found else None

        items = [item_of(index, found) for index, found in enumerate(candidates)]
        placed = pack(items, self._device, self._options, recompile)
        self._complain(labels, placed)
        chosen = [(i, item) for i, item in enumerate(placed) if item is not None]
        # Packing goes longest first; in that order every piece comes after those whose qubits it takes over.
        order = sorted(chosen, key=lambda pair: (pair[1].rank, pair[0]))
        return Placement(
            pieces=tuple(
                PlacedPiece(
                    piece=pieces[i],
                    body=bodies[i],
                    fragment=item.item.variants[item.spot.variant].fragment,
                    qubits=item.spot.qubits,
                    helpers=helpers[i],
                    start_dt=item.start_dt,
                    log_best=max(candidates[i][0].best, item.spot.log_success),
                    log_success=item.spot.log_success,
                    log_floor=floors[i],
                    forms=tuple((variant.fragment, variant.best) for variant in item.item.variants),
                )
                for i, item in order
            )
        )

    def _exclusive_sites(self, body: Body, fragment: Fragment, helpers: Sequence[int]) -> tuple[int, ...]:
        if self._options.sharing == "all":
            return ()
        if self._options.sharing == "none":
            return tuple(range(fragment.num_sites))
        # Routing may end a data qubit on another site than it starts on: both are its own.
        ends = zip(body.wires, fragment.start_sites, fragment.final_sites, strict=True)
        data = dict.fromkeys(site for wire, *sites in ends if wire not in helpers for site in sites)
        return tuple(sorted(site for site in data if site is not None))

    def _complain(self, labels: list[str], placed: list[PlacedItem | None]) -> None:
        for label, item in zip(labels, placed, strict=True):
            if item is None:
                advice = "share more" if self._device.has_reset else "take a device that has a reset"
                raise HaloTranspilerError(
                    f"{label} finds no free qubits on this device of {self._device.num_qubits} with "
                    f"sharing={self._options.sharing!r}; {advice}, or leave it for a later batch"
                )
        low = dict.fromkeys(
            label for label, item in zip(labels, placed, strict=True) if item is not None and item.below_floor
        )
        if low:
            warnings.warn(
                f"{', '.join(low)}: no free place keeps {self._options.success_floor:g} of the best predicted "
                "success; lower success_floor, share more, or merge fewer programs",
                HaloWarning,
                stacklevel=2,
            )


def _log_best(pieces: Sequence[Piece], candidates: Sequence[tuple[Candidates, ...]]) -> list[float]:
    """Return the log of the best predicted success of the program that each piece belongs to; anonymous ones are their own."""
    total: dict[tuple[int, ...], float] = {}
    for piece, found in zip(pieces, candidates, strict=True):
        total[piece.owners] = total.get(piece.owners, 0.0) + found[0].best
    return [
        total[piece.owners] if piece.owners else found[0].best for piece, found in zip(pieces, candidates, strict=True)
    ]


def _log_floors(
    pieces: Sequence[Piece],
    candidates: Sequence[tuple[Candidates, ...]],
    log_best: Sequence[float],
    options: HaloOptions,
) -> list[float]:
    """Return the least log success of each piece, such that each program as a whole keeps its floor.

    A piece may lose in proportion to what it loses anyway.
    """
    losses = [LEAST_LOSS - found[0].best for found in candidates]
    total: dict[tuple[int, ...], float] = {}
    for piece, loss in zip(pieces, losses, strict=True):
        total[piece.owners] = total.get(piece.owners, 0.0) + loss
    return [
        found[0].best + options.log_share(best) * (loss / total[piece.owners] if piece.owners else 1.0)
        for piece, found, loss, best in zip(pieces, candidates, losses, log_best, strict=True)
    ]
