"""Where a shape of couplers fits on a device."""

from __future__ import annotations

from itertools import islice

import numpy as np
import numpy.typing as npt
import rustworkx as rx

from qiskit_halo.device.model import DeviceModel
from qiskit_halo.fragments.fragment import Shape

IntArray = npt.NDArray[np.int64]

CALLS_PER_ANCHOR = 2_000
"""Bound of the subgraph search around one qubit, in steps: a count, so that results do not depend on speed."""

EMBEDDINGS_PER_ANCHOR = 24
"""Embeddings kept around one qubit."""


class Embedder:
    """Finds embeddings of shapes on one device, each distinct shape once.

    The search runs around every usable qubit by itself, within a ball just wide enough for the shape, so that its
    bound does not leave one side of the chip without embeddings.

    Args:
        device: The device.
    """

    def __init__(self, device: DeviceModel) -> None:
        self._device = device
        self._found: dict[tuple[int, tuple[tuple[int, int], ...]], IntArray] = {}

    def find(self, shape: Shape) -> IntArray:
        """Return distinct embeddings of ``shape``.

        Returns:
            int64, shape (num_embeddings, num_sites_of_shape): physical qubit of each site. Only usable qubits and
            couplers are used; the direction of couplers is not looked at.
        """
        key = (len(shape.sites), shape.edges)
        if key not in self._found:
            self._found[key] = self._search(len(shape.sites), shape.edges)
        return self._found[key]

    def _search(self, size: int, edges: tuple[tuple[int, int], ...]) -> IntArray:
        if size == 1:
            return np.flatnonzero(self._device.usable_qubits).astype(np.int64)[:, None]
        if size == 2:
            pairs = np.array(self._device.couplers, dtype=np.int64).reshape(-1, 2)
            return np.concatenate([pairs, pairs[:, ::-1]])
        pattern: rx.PyGraph[int, None] = rx.PyGraph(multigraph=False)
        pattern.add_nodes_from(range(size))
        pattern.add_edges_from_no_data(list(edges))
        radius = _radius(pattern)
        rows = [
            row
            for anchor in np.flatnonzero(self._device.usable_qubits).tolist()
            for row in self._around(anchor, pattern, size, radius)
        ]
        if not rows:
            return np.empty((0, size), dtype=np.int64)
        # The first occurrence of each embedding, in the order of the anchors.
        found = np.array(rows, dtype=np.int64)
        _, first = np.unique(found, axis=0, return_index=True)
        return found[np.sort(first)]

    def _around(self, anchor: int, pattern: rx.PyGraph[int, None], size: int, radius: int) -> list[list[int]]:
        graph = self._device.graph
        ball = {anchor: None}
        ring = [anchor]
        for _ in range(radius):
            ring = [
                q
                for q in dict.fromkeys(q for node in ring for q in sorted(graph.neighbors(node)))
                if q not in ball and self._device.usable_qubits[q]
            ]
            ball.update(dict.fromkeys(ring))
        if len(ball) < size:
            return []
        nodes = list(ball)
        part = graph.subgraph(nodes, preserve_attrs=False)
        mappings = rx.vf2_mapping(
            part,
            pattern,
            subgraph=True,
            induced=False,
            id_order=False,
            call_limit=CALLS_PER_ANCHOR,
        )
        rows = []
        for mapping in islice(mappings, EMBEDDINGS_PER_ANCHOR):
            row = [0] * size
            for node, site in mapping.items():
                row[site] = part[node]
            rows.append(row)
        return rows


def _radius(pattern: rx.PyGraph[int, None]) -> int:
    """Return the hops from the pattern's centre to its farthest site."""
    return int(np.min(np.max(rx.distance_matrix(pattern), axis=1)))
