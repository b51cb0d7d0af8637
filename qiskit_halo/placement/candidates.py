"""Every place where a fragment may go, with its times and its predicted success there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from qiskit_halo.device.model import DeviceModel
from qiskit_halo.fragments.fragment import Fragment
from qiskit_halo.fragments.places import PlaceScorer, PlaceTable
from qiskit_halo.placement.embeddings import Embedder

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]

MOST_PLACES = 1024
"""Places kept for one connected part."""

KEPT_PER_QUBIT = 2
"""Places kept, good or not, for each qubit that the first site may lie on: where the good ones are taken, some must do."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ShapeCandidates:
    """Places for one connected part of a fragment, best first.

    Times are those at the place itself, with the other parts where the fragment was compiled.

    Args:
        sites: Sites of the fragment that the part covers.
        places: int64, shape (num_places, len(sites)): physical qubit of each of these sites.
        log_success: Shape (num_places,), finite, descending: places that lack an operation are left out.
        busy_start_dt: Shape (num_places, len(sites)): first tick of each site, from the start of the fragment.
        busy_stop_dt: Same shape: end of the last operation of each site.
        length_dt: Shape (num_places,): length of the whole fragment.
        home_row: Row of the place where the fragment was compiled, -1 if it lacks an operation itself.
    """

    sites: tuple[int, ...]
    places: IntArray
    log_success: FloatArray
    busy_start_dt: IntArray
    busy_stop_dt: IntArray
    length_dt: IntArray
    home_row: int

    @property
    def best(self) -> float:
        """Log of the best predicted success on the empty device, minus infinity without places."""
        return float(self.log_success[0]) if len(self.log_success) else -np.inf


@dataclass(frozen=True, kw_only=True, eq=False)
class Candidates:
    """Places for a whole fragment.

    Args:
        fragment: What goes there.
        device: The device.
        shapes: One entry for each of its connected parts, largest first.
        best: Log of its best predicted success on the empty device, by true durations there.
    """

    fragment: Fragment
    device: DeviceModel
    shapes: tuple[ShapeCandidates, ...]
    best: float

    @cached_property
    def scorer(self) -> PlaceScorer:
        """Times and scores the whole fragment anywhere."""
        return PlaceScorer(self.fragment.circuit, self.fragment.workload, self.device)

    def qubits(self, rows: Sequence[int]) -> IntArray:
        """Return the physical qubit of each site where part i lies on its place ``rows[i]``."""
        qubits = np.zeros(self.fragment.num_sites, dtype=np.int64)
        for shape, row in zip(self.shapes, rows, strict=True):
            qubits[list(shape.sites)] = shape.places[row]
        return qubits

    def table_at(self, rows: Sequence[int]) -> PlaceTable:
        """Return times and success where part i lies on its place ``rows[i]``, as a table with one row."""
        if len(self.shapes) == 1:
            (shape,), (row,) = self.shapes, rows
            return PlaceTable(
                busy_start_dt=shape.busy_start_dt[row : row + 1],
                busy_stop_dt=shape.busy_stop_dt[row : row + 1],
                length_dt=shape.length_dt[row : row + 1],
                log_success=shape.log_success[row : row + 1],
            )
        return self.scorer.table(self.qubits(rows)[None, :])


def find_candidates(fragment: Fragment, device: DeviceModel, embedder: Embedder) -> Candidates:
    """Return every known place of ``fragment``; where it was compiled is always among them."""
    scorer = PlaceScorer(fragment.circuit, fragment.workload, device)
    home = np.array(fragment.home, dtype=np.int64)
    shapes = []
    for shape in fragment.shapes:
        sites = list(shape.sites)
        known = np.concatenate([home[None, sites], embedder.find(shape)])
        # Row 0 is home. By the times there first, and as if all waits were short, which is quick: it only tells which of many
        # places deserve more.
        own = fragment.workload.restricted(sites)
        likely = _most_likely(own.log_success_of_short_waits(device, known), known)
        places = np.repeat(home[None, :], len(likely), axis=0)
        places[:, sites] = known[likely]
        table = scorer.table(places, sites)
        order = np.lexsort((np.arange(len(likely)), -table.log_success))
        order = order[np.isfinite(table.log_success[order])]
        (home_rows,) = np.nonzero(likely[order] == 0)
        shapes.append(
            ShapeCandidates(
                sites=shape.sites,
                places=places[:, sites][order],
                log_success=table.log_success[order],
                busy_start_dt=table.busy_start_dt[order],
                busy_stop_dt=table.busy_stop_dt[order],
                length_dt=table.length_dt[order],
                home_row=int(home_rows[0]) if len(home_rows) else -1,
            )
        )
    found = Candidates(fragment=fragment, device=device, shapes=tuple(shapes), best=fragment.log_success)
    if not shapes or not all(len(shape.places) for shape in shapes):
        return found
    rows = [0] * len(shapes)
    qubits = found.qubits(rows).tolist()
    if len(dict.fromkeys(qubits)) < len(qubits):
        # The best places of two parts share a qubit: the best of both is not known, only what home gives.
        return found
    return replace(found, best=max(found.best, float(found.table_at(rows).log_success[0])))


def _most_likely(score: FloatArray, places: IntArray) -> IntArray:
    """Return the rows worth a closer look: distinct, possible, row 0, the best of all and the best around each qubit.

    Only row 0 may be there twice.
    """
    distinct = np.flatnonzero(np.isfinite(score) & ((places != places[0]).any(axis=1) | (np.arange(len(places)) == 0)))
    ranked = distinct[np.lexsort((distinct, -score[distinct]))]
    if len(ranked) <= MOST_PLACES:
        return ranked
    anchors = places[ranked, 0]
    by_anchor = np.argsort(anchors, kind="stable")
    own = anchors[by_anchor]
    nth = np.arange(len(own)) - np.searchsorted(own, own)
    kept: npt.NDArray[np.bool_] = ranked == 0
    kept[:MOST_PLACES] = True
    kept[by_anchor[nth < KEPT_PER_QUBIT]] = True
    return ranked[kept]
