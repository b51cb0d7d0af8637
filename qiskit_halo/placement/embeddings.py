"""Where a shape of couplers fits on a device."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import rustworkx as rx

from qiskit_halo.device.model import DeviceModel
from qiskit_halo.fragments.fragment import Shape

IntArray = npt.NDArray[np.int64]

KEPT_PER_ANCHOR = 48
"""Embeddings kept, of those whose centre lies on one qubit: a count, so that results do not depend on speed."""


class Embedder:
    """Finds embeddings of shapes on one device, each distinct shape once.

    The search grows all embeddings at once, site by site from the centre of the shape, and keeps the best by calibration
    for each qubit that the centre may lie on. So it is complete for small shapes, its bound leaves no side of the
    chip without embeddings, and cost grows with the number of qubits. A subgraph search qubit by qubit
    (rustworkx's VF2) takes ten times as long for the same embeddings, and its bound keeps whichever come first.

    Args:
        device: The device.
    """

    def __init__(self, device: DeviceModel) -> None:
        self._device = device
        self._found: dict[tuple[int, tuple[tuple[int, int], ...]], IntArray] = {}
        self._neighbours = _neighbour_table(device)
        self._log_qubit = np.log1p(-np.clip(device.readout_error, 0.0, 1 - 1e-9))
        self._log_coupler = device.log_coupler_success

    def find(self, shape: Shape) -> IntArray:
        """Return distinct embeddings of ``shape``.

        Returns:
            int64, shape (num_embeddings, num_sites_of_shape): physical qubit of each site. Only usable qubits and
            couplers are used; the direction of couplers is not looked at.
        """
        key = (len(shape.sites), shape.edges)
        if key not in self._found:
            self._found[key] = self._grow(len(shape.sites), shape.edges)
        return self._found[key]

    def _grow(self, size: int, edges: tuple[tuple[int, int], ...]) -> IntArray:
        order, bonds, hops = _growing_order(size, edges)
        rows = np.flatnonzero(self._device.usable_qubits).astype(np.int64)[:, None]
        score = self._log_qubit[rows[:, 0]]
        for held, near in zip(bonds[1:], hops[1:], strict=True):
            source, column = np.nonzero(self._neighbours[rows[:, held[0]]] >= 0)
            new = self._neighbours[rows[source, held[0]], column]
            # Sites are no further apart on the device than in the shape: who strays closes no ring.
            away = self._device.distance[rows[source], new[:, None]]
            fits = ((away > 0) & (away <= near)).all(axis=1)
            for other in held[1:]:
                fits &= np.isfinite(self._log_coupler[rows[source, other], new])
            source, new = source[fits], new[fits]
            score = score[source] + self._log_qubit[new]
            for other in held:
                score = score + self._log_coupler[rows[source, other], new]
            rows = np.column_stack([rows[source], new])
            kept = _best_by_anchor(rows[:, 0], score)
            rows, score = rows[kept], score[kept]
        placed = np.empty_like(rows)
        placed[:, order] = rows
        return placed


def _neighbour_table(device: DeviceModel) -> IntArray:
    """Return the usable neighbours of each qubit, shape (num_qubits, largest degree), filled up with -1."""
    lists = [sorted(device.graph.neighbors(qubit)) for qubit in range(device.num_qubits)]
    table = np.full((device.num_qubits, max((len(row) for row in lists), default=0)), -1, dtype=np.int64)
    for qubit, row in enumerate(lists):
        table[qubit, : len(row)] = row
    return table


def _growing_order(
    size: int, edges: tuple[tuple[int, int], ...]
) -> tuple[list[int], list[list[int]], list[npt.NDArray[np.float64]]]:
    """Return sites from the centre outwards.

    Returns:
        The sites; for each the positions of those before it that it is coupled to; and for each its hops in the shape
        to every site before it.
    """
    pattern: rx.PyGraph[int, None] = rx.PyGraph(multigraph=False)
    pattern.add_nodes_from(range(size))
    pattern.add_edges_from_no_data(list(edges))
    distance = rx.distance_matrix(pattern)
    centre = int(np.argmin(np.max(distance, axis=1)))
    position = {centre: 0}
    for index in range(1, size):
        # Sites with most bonds first: each rules out embeddings early.
        rest = [site for site in range(size) if site not in position]
        bound = {site: sum(other in position for other in pattern.neighbors(site)) for site in rest}
        position[max(rest, key=lambda s: (bound[s], -distance[centre, s], -s))] = index
    order = list(position)
    bonds = [
        sorted(position[other] for other in pattern.neighbors(site) if position[other] < position[site])
        for site in order
    ]
    return order, bonds, [distance[site, order[:index]] for index, site in enumerate(order)]


def _best_by_anchor(anchors: IntArray, score: npt.NDArray[np.float64]) -> IntArray:
    """Return the rows with the best scores of each anchor, ascending."""
    if np.bincount(anchors).max(initial=0) <= KEPT_PER_ANCHOR:
        return np.arange(len(anchors))
    ranked = np.lexsort((-score, anchors))  # of equal ones the first is first
    own = anchors[ranked]
    first = np.searchsorted(own, own)
    return np.sort(ranked[np.arange(len(own)) - first < KEPT_PER_ANCHOR])
