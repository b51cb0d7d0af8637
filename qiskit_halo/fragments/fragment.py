"""The compiled body of one rigid piece: ISA operations on local sites, with times and cost."""

from __future__ import annotations

from dataclasses import dataclass

import rustworkx as rx
from qiskit.circuit import QuantumCircuit

from qiskit_halo.fragments.success import Workload
from qiskit_halo.fragments.timing import Timing


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """Sites that are connected by two-qubit operations, and the couplers they need.

    Args:
        sites: Sites of the fragment, ascending.
        edges: Ascending pairs of positions in ``sites``, sorted.
    """

    sites: tuple[int, ...]
    edges: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fragment:
    """A compiled piece that can be moved to any place of the same shape.

    Args:
        circuit: Qubit s is site s; clbits, registers and variables are those of the body it was compiled from.
        home: Physical qubit of each site where it was compiled.
        start_sites: Site where each qubit of the body starts, ``None`` where compiling left it without operations.
        final_sites: Site where each qubit of the body ends.
        timing: Start times at home, in the order of ``circuit.data``.
        workload: What predicted success depends on.
        shapes: Connected parts, largest first.
        log_success: Log of the predicted success at home.
        reused: Pairs (qubit, earlier qubit) of the body: the first took over the wire of the second, after a reset.
            Where it does, ``start_sites`` holds the first and ``final_sites`` the last qubit of a wire only.
        variant: A short name that tells it from other compiled forms of the same body.
    """

    circuit: QuantumCircuit
    home: tuple[int, ...]
    start_sites: tuple[int | None, ...]
    final_sites: tuple[int | None, ...]
    timing: Timing
    workload: Workload
    shapes: tuple[Shape, ...]
    log_success: float
    reused: tuple[tuple[int, int], ...] = ()
    variant: str = ""

    @property
    def busy_dt(self) -> int:
        """Ticks that it holds its sites, summed over all of them."""
        return sum(stop - start for start, stop in self.timing.busy_dt)

    @property
    def num_sites(self) -> int:
        """Number of physical qubits it needs."""
        return len(self.home)


def find_shapes(num_sites: int, pairs: list[tuple[int, int]]) -> tuple[Shape, ...]:
    """Return the connected parts of a graph of sites, largest first.

    Args:
        num_sites: Number of sites.
        pairs: Pairs of sites joined by a two-qubit operation; repeats are allowed.
    """
    graph: rx.PyGraph[int, None] = rx.PyGraph(multigraph=False)
    graph.add_nodes_from(range(num_sites))
    graph.add_edges_from_no_data(pairs)
    edges = sorted(dict.fromkeys((min(pair), max(pair)) for pair in pairs))
    shapes = []
    for part in rx.connected_components(graph):
        sites = tuple(sorted(part))
        position = {site: index for index, site in enumerate(sites)}
        own = tuple((position[a], position[b]) for a, b in edges if a in position)
        shapes.append(Shape(sites=sites, edges=own))
    return tuple(sorted(shapes, key=lambda shape: (-len(shape.sites), shape.sites)))
