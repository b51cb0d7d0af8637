from __future__ import annotations

import itertools

import numpy as np
import pytest
import rustworkx as rx
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from qiskit.transpiler import InstructionProperties
from qiskit.transpiler.coupling import CouplingMap

from qiskit_halo.device.model import DeviceModel
from qiskit_halo.fragments.fragment import Shape
from qiskit_halo.placement.embeddings import KEPT_PER_ANCHOR, Embedder
from tests.targets import make_target

PAIR = Shape(sites=(0, 1), edges=((0, 1),))
PATH = Shape(sites=(0, 1, 2), edges=((0, 1), (1, 2)))
TRIANGLE = Shape(sites=(0, 1, 2), edges=((0, 1), (0, 2), (1, 2)))


def ring(size: int) -> Shape:
    edges = sorted((min(i, (i + 1) % size), max(i, (i + 1) % size)) for i in range(size))
    return Shape(sites=tuple(range(size)), edges=tuple(edges))


def found(device: DeviceModel, shape: Shape) -> list[tuple[int, ...]]:
    return sorted(map(tuple, Embedder(device).find(shape).tolist()))


def by_vf2(device: DeviceModel, shape: Shape) -> list[tuple[int, ...]]:
    """Every embedding, by rustworkx."""
    pattern: rx.PyGraph = rx.PyGraph(multigraph=False)
    pattern.add_nodes_from(range(len(shape.sites)))
    pattern.add_edges_from_no_data(list(shape.edges))
    usable = device.graph.subgraph(np.flatnonzero(device.usable_qubits).tolist())
    mappings = rx.graph_vf2_mapping(usable, pattern, subgraph=True, induced=False)
    embeddings = ({site: usable[node] for node, site in mapping.items()} for mapping in mappings)
    return sorted(tuple(embedding[site] for site in range(len(shape.sites))) for embedding in embeddings)


def heavy_hex() -> list[tuple[int, int]]:
    return sorted({(min(pair), max(pair)) for pair in CouplingMap.from_heavy_hex(3).get_edges()})


def grid() -> list[tuple[int, int]]:
    return sorted({(min(pair), max(pair)) for pair in CouplingMap.from_grid(4, 4).get_edges()})


@st.composite
def couplings(draw: st.DrawFn) -> list[tuple[int, int]]:
    kind = draw(st.sampled_from(["heavy-hex", "grid", "random"]))
    if kind == "random":
        pairs = [(b, a) for a in range(8) for b in range(a)]
        return draw(st.lists(st.sampled_from(pairs), unique=True, max_size=14))
    return heavy_hex() if kind == "heavy-hex" else grid()


@st.composite
def shapes(draw: st.DrawFn) -> Shape:
    """A small connected shape."""
    size = draw(st.integers(1, 5))
    tree = [(draw(st.integers(0, site - 1)), site) for site in range(1, size)]
    more = draw(st.lists(st.sampled_from(list(itertools.combinations(range(size), 2))), max_size=2)) if tree else []
    renamed = draw(st.permutations(range(size)))
    edges = sorted({(min(renamed[a], renamed[b]), max(renamed[a], renamed[b])) for a, b in [*tree, *more]})
    return Shape(sites=tuple(range(size)), edges=tuple(edges))


@settings(max_examples=150)
@given(couplings(), shapes(), st.data())
def test_small_shapes_are_found_everywhere(pairs: list[tuple[int, int]], shape: Shape, data: st.DataObject) -> None:
    num_qubits = 1 + max((max(pair) for pair in pairs), default=0)
    target = make_target(num_qubits, pairs, directed=True)
    excluded = data.draw(st.lists(st.integers(0, num_qubits - 1), unique=True, max_size=2))
    for pair in data.draw(st.lists(st.sampled_from(pairs), unique=True, max_size=2)) if pairs else ():
        target.update_instruction_properties("cz", pair, InstructionProperties(duration=3e-7, error=1.0))
    device = DeviceModel(target, exclude_qubits=excluded)
    expected = by_vf2(device, shape)
    # No partial embedding may have been cut off either: there are no more of those than this.
    degree = max((len(device.graph.neighbors(q)) for q in range(num_qubits)), default=0)
    assume(len(shape.sites) < 4 or degree ** (len(shape.sites) - 1) <= KEPT_PER_ANCHOR or pairs == heavy_hex())
    assert found(device, shape) == expected


@pytest.mark.parametrize(
    ("coupling", "size"),
    [(CouplingMap.from_heavy_hex(5), 12), (CouplingMap.from_grid(4, 4), 4), (CouplingMap.from_grid(4, 4), 6)],
)
def test_rings_are_found_everywhere(coupling: CouplingMap, size: int) -> None:
    pairs = sorted({(min(pair), max(pair)) for pair in coupling.get_edges()})
    device = DeviceModel(make_target(coupling.size(), pairs))
    expected = by_vf2(device, ring(size))
    assert expected
    assert found(device, ring(size)) == expected


def test_the_bound_leaves_no_side_of_the_device_without_embeddings() -> None:
    pairs = sorted({(min(pair), max(pair)) for pair in CouplingMap.from_grid(7, 7).get_edges()})
    device = DeviceModel(make_target(49, pairs))
    path = Shape(sites=tuple(range(9)), edges=tuple((i, i + 1) for i in range(8)))
    rows = Embedder(device).find(path)
    centres, counts = np.unique(rows[:, 4], return_counts=True)
    assert centres.tolist() == list(range(49))
    assert counts.max() <= KEPT_PER_ANCHOR
    assert len({tuple(row) for row in rows.tolist()}) == len(rows)
    coupled = device.log_coupler_success
    assert np.isfinite(coupled[rows[:, :-1], rows[:, 1:]]).all()
    assert (np.sort(rows, axis=1)[:, 1:] != np.sort(rows, axis=1)[:, :-1]).all()


def test_the_bound_keeps_the_best_by_calibration() -> None:
    pairs = sorted({(min(pair), max(pair)) for pair in CouplingMap.from_grid(5, 5).get_edges()})
    target = make_target(25, pairs)
    for pair in pairs:
        if not set(pair) <= {0, 1, 2, 3, 4, 9, 14, 19, 24}:
            for qargs in (pair, pair[::-1]):
                target.update_instruction_properties("cz", qargs, InstructionProperties(duration=3e-7, error=0.3))
    path = Shape(sites=tuple(range(9)), edges=tuple((i, i + 1) for i in range(8)))
    assert (0, 1, 2, 3, 4, 9, 14, 19, 24) in found(DeviceModel(target), path)


def test_a_single_site_fits_on_every_usable_qubit() -> None:
    device = DeviceModel(make_target(4), exclude_qubits=(1,))
    assert found(device, Shape(sites=(3,), edges=())) == [(0,), (2,), (3,)]


def test_a_pair_fits_on_every_coupler_both_ways_round() -> None:
    device = DeviceModel(make_target(3, directed=True))
    assert found(device, PAIR) == [(0, 1), (1, 0), (1, 2), (2, 1)]


def test_a_path_fits_along_a_line_and_a_triangle_does_not() -> None:
    device = DeviceModel(make_target(4))
    assert found(device, PATH) == [(0, 1, 2), (1, 2, 3), (2, 1, 0), (3, 2, 1)]
    assert found(device, TRIANGLE) == []


def test_columns_follow_the_sites_of_the_shape() -> None:
    device = DeviceModel(make_target(4, [(0, 1), (0, 2), (0, 3)]))
    star = Shape(sites=(0, 1, 2, 3), edges=((0, 2), (1, 2), (2, 3)))
    assert {row[2] for row in found(device, star)} == {0}


@pytest.mark.parametrize("num_qubits", [1, 3])
def test_a_device_without_couplers_takes_single_sites_only(num_qubits: int) -> None:
    device = DeviceModel(make_target(num_qubits, []))
    assert found(device, Shape(sites=(0,), edges=())) == [(qubit,) for qubit in range(num_qubits)]
    assert found(device, PAIR) == []
    assert found(device, PATH) == []


@pytest.mark.parametrize("shape", [PAIR, PATH])
def test_excluded_qubits_and_dead_couplers_are_not_used(shape: Shape) -> None:
    target = make_target(7, [*((q, q + 1) for q in range(6))])
    for pair in ((2, 3), (3, 2)):
        target.update_instruction_properties("cz", pair, InstructionProperties(duration=3e-7, error=1.0))
    device = DeviceModel(target, exclude_qubits=(6,))
    rows = found(device, shape)
    assert rows
    assert all({row_part <= 2 for row_part in row} in ({True}, {False}) and 6 not in row for row in rows)


def test_no_bond_of_a_ring_lies_on_a_dead_coupler() -> None:
    target = make_target(4, [(0, 1), (1, 2), (0, 2), (2, 3), (0, 3)])
    for pair in ((0, 1), (1, 0)):
        target.update_instruction_properties("cz", pair, InstructionProperties(duration=3e-7, error=1.0))
    assert {tuple(sorted(row)) for row in found(DeviceModel(target), TRIANGLE)} == {(0, 2, 3)}
    assert found(DeviceModel(target), ring(4)) == []


def test_each_shape_is_searched_once() -> None:
    embedder = Embedder(DeviceModel(make_target(4)))
    assert embedder.find(PATH) is embedder.find(Shape(sites=(4, 5, 6), edges=PATH.edges))
