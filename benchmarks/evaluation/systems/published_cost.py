"""HALO's cost of a placement of data qubits, and the distances that it is made of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import rustworkx as rx
from numpy.typing import NDArray

from benchmarks.evaluation.systems.published_process import Process

INTRA, INTER, HELPER, COMPACT, PATH = 0.5, -0.3, 1.0, 0.3, 0.3
"""Weights of the terms, as published."""


@dataclass(frozen=True)
class Hops:
    """Distances on a device, dead couplers included: HALO looks at no calibration.

    Attributes:
        distance: Hops between qubits, shape (qubits, qubits); the number of qubits where there is no way.
        interior: Whether the third qubit is inside the shortest path from the first to the second, shape (qubits, qubits,
            qubits); of several shortest paths the one with the lowest qubit next.
    """

    distance: NDArray[np.float64]
    interior: NDArray[np.bool_]

    @property
    def largest(self) -> float:
        """The largest distance, D in the cost."""
        return max(1.0, float(self.distance.max()))


def find_hops(num_qubits: int, couplers: Iterable[tuple[int, int]]) -> Hops:
    """Return the distances and paths of a device."""
    graph = rx.PyGraph(multigraph=False)
    graph.add_nodes_from(range(num_qubits))
    graph.add_edges_from_no_data(sorted({(min(pair), max(pair)) for pair in couplers}))
    distance = rx.distance_matrix(graph)
    distance[(distance == 0) & ~np.eye(num_qubits, dtype=bool)] = num_qubits
    interior = np.zeros((num_qubits,) * 3, dtype=bool)
    near = [sorted(graph.neighbors(qubit)) for qubit in range(num_qubits)]
    starts, ends = np.nonzero((distance > 1) & (distance < num_qubits))
    for place in np.argsort(distance[starts, ends], kind="stable"):  # short paths first: long ones are made of them
        a, b = int(starts[place]), int(ends[place])
        step = next(qubit for qubit in near[a] if distance[qubit, b] == distance[a, b] - 1)
        interior[a, b] = interior[step, b]
        interior[a, b, step] = True
    return Hops(distance, interior)


class Cost:
    """The published cost, 0.5·intra − 0.3·inter + 1.0·helper + 0.3·compact + 0.3·path, for the data qubits of a batch.

    With distances d, largest distance D, and P processes: intra = Σ w(i, j) d(i, j) / (D Σ pairs), inter = Σ over pairs of
    processes of their mean d, over D, helper = Σ w(i) d(i, nearest free) / (D Σ w), compact = Σ mean d within a process /
    (P D), path = share of interior qubits of shortest paths, one a pair of data qubits of a process, that others own.
    Not said, and taken as: w(i, j) counts two-qubit gates between data qubits, w(i) those of a data qubit with helpers, and
    the pairs of a process are all pairs of its data qubits.

    Args:
        processes: The batch.
        hops: The device.
    """

    def __init__(self, processes: Sequence[Process], hops: Hops) -> None:
        self.hops = hops
        self.owner = np.repeat(np.arange(len(processes)), [process.num_data for process in processes])
        starts = np.concatenate([[0], np.cumsum([process.num_data for process in processes])])
        self.members = [np.arange(starts[k], starts[k + 1]) for k in range(len(processes))]
        self.pairs = [
            tuple(start + index for index in np.triu_indices(process.num_data, 1))
            for start, process in zip(starts, processes, strict=False)
        ]
        self._linear = self._linear_terms(processes, starts) / hops.largest
        self._helper = np.zeros(len(self.owner))
        for start, process in zip(starts, processes, strict=False):
            for (a, b), weight in process.weights.items():
                if a < process.num_data <= b:
                    self._helper[start + a] += weight
        self._asking = np.flatnonzero(self._helper)
        self._helper_scale = hops.largest * float(self._helper.sum() or 1.0)

    def _linear_terms(self, processes: Sequence[Process], starts: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return what each distance between two data qubits, each pair met twice, adds to the cost, times D."""
        same = self.owner[:, None] == self.owner
        sizes = np.bincount(self.owner, minlength=len(processes))[self.owner]
        inter = np.where(same, 0.0, 1.0 / (sizes[:, None] * sizes))
        pairs = np.maximum(1, sizes * (sizes - 1) / 2)
        compact = np.where(same, 1.0 / (pairs * len(processes)), 0.0)
        intra = np.zeros_like(inter)
        for start, process in zip(starts, processes, strict=False):
            for (a, b), weight in process.weights.items():
                if b < process.num_data:
                    intra[start + a, start + b] = intra[start + b, start + a] = weight
        num_pairs = max(1, sum(len(first) for first, _ in self.pairs))
        return (INTRA * intra / num_pairs + INTER * inter + COMPACT * compact) / 2

    def passing(self, process: int, position: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return how many paths of a process have each physical qubit inside, shape (qubits,)."""
        first, second = self.pairs[process]
        return self.hops.interior[position[first], position[second]].sum(axis=0)

    def of(self, position: NDArray[np.int64], passing: NDArray[np.int64]) -> float:
        """Return the cost.

        Args:
            position: Physical qubit of each data qubit, process by process.
            passing: :meth:`passing` of each process, shape (processes, qubits).
        """
        distance = self.hops.distance
        cost = float((self._linear * distance[position[:, None], position]).sum())
        if len(self._asking):
            free = np.ones(len(distance), dtype=bool)
            free[position] = False
            to_free = distance[position[self._asking][:, None], np.flatnonzero(free)].min(
                axis=1, initial=self.hops.largest
            )
            cost += HELPER * float(to_free @ self._helper[self._asking]) / self._helper_scale
        inside = int(passing.sum())
        if inside:
            others = passing[:, position].sum() - passing[self.owner, position].sum()
            cost += PATH * float(others) / inside
        return cost
