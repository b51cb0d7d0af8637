"""Other places on the device for circuits that are compiled already: same gates, other qubits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice

import numpy as np
import numpy.typing as npt
import rustworkx as rx
from qiskit.circuit import QuantumCircuit
from qiskit.transpiler import Target

from qiskit_halo.device.model import DeviceModel
from qiskit_halo.fragments.measure import sites_of, time_on
from qiskit_halo.options import HaloOptions
from qiskit_halo.placement.handover import handover_dt
from qiskit_halo.primitives.isa import interactions, supports
from qiskit_halo.primitives.workload import Kind

MOST_PLACES = 1024
"""Places looked at for one circuit."""

MOST_STEPS = 200_000
"""Steps of the search for them: a bound by count, so that the same input finds the same places."""


def find_places(
    kinds: Sequence[Kind],
    small: Mapping[str, tuple[QuantumCircuit, tuple[int, ...]]],
    target: Target,
    options: HaloOptions,
) -> list[tuple[int, ...]]:
    """Return the physical qubits of each circuit: where it can start soonest, among places that keep its floor.

    Of places that are free at the same time the one with the best predicted success is taken. A circuit whose shape
    fits nowhere else stays where it was compiled for.

    Args:
        kinds: The circuits, repeats included.
        small: Key of a circuit -> the circuit without idle qubits, and its own physical qubits.
        target: The device.
        options: ``success_floor``, ``weak_success``, ``resets`` and ``exclude_qubits`` matter here.
    """
    device = DeviceModel(target, options.exclude_qubits, reset_model=options.reset_model)
    known = {kind.key: _scored_places(*small[kind.key], device, target, options) for kind in kinds}
    lengths = {key: _length_dt(*small[key], device) for key in known}
    handover = handover_dt(device, options.resets)
    free = np.zeros(device.num_qubits, dtype=np.int64)
    chosen = []
    for kind in kinds:
        places, score = known[kind.key]
        starts = free[places].max(axis=1)
        best = int(np.lexsort((-score, starts))[0])
        free[places[best]] = starts[best] + lengths[kind.key] + handover[places[best]]
        chosen.append(tuple(int(q) for q in places[best]))
    return chosen


def _scored_places(
    circuit: QuantumCircuit, home: tuple[int, ...], device: DeviceModel, target: Target, options: HaloOptions
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """Return places that keep the floor, shape (num_places, num_qubits), and the log of their predicted success."""
    pairs = interactions(circuit, tuple(range(circuit.num_qubits)))
    shape: rx.PyGraph[int, None] = rx.PyGraph(multigraph=False)
    shape.add_nodes_from(range(circuit.num_qubits))
    shape.add_edges_from_no_data(pairs)
    mappings = rx.vf2_mapping(device.graph, shape, subgraph=True, induced=False, id_order=False, call_limit=MOST_STEPS)
    found = {home: None}
    for mapping in islice(mappings, MOST_PLACES):
        by_site = {site: qubit for qubit, site in mapping.items()}
        place = tuple(by_site[site] for site in range(circuit.num_qubits))
        if all(device.usable_qubits[list(place)]) and supports(circuit, target, place):
            found[place] = None
    places = np.array(list(found), dtype=np.int64)
    _, workload, _ = time_on(circuit.data, sites_of(circuit), home, device)
    score = workload.log_success(device, places)
    best = float(score.max())
    kept = np.isfinite(score) & (score >= best + options.log_share(best))
    kept[0] |= not kept.any()
    return places[kept], score[kept]


def _length_dt(circuit: QuantumCircuit, home: tuple[int, ...], device: DeviceModel) -> int:
    timing, _, _ = time_on(circuit.data, sites_of(circuit), home, device)
    return timing.length_dt
