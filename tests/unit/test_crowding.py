"""Places chosen for many pieces at once: as many as an exhaustive search finds, and none that others rule out."""

from __future__ import annotations

import dataclasses
import math
from itertools import combinations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from qiskit.circuit import QuantumCircuit

from qiskit_halo.device.model import DeviceModel
from qiskit_halo.options import HaloOptions
from qiskit_halo.placement.candidates import find_candidates
from qiskit_halo.placement.crowding import Places, choose_places, reserve
from qiskit_halo.placement.embeddings import Embedder
from qiskit_halo.placement.items import PackingItem
from qiskit_halo.placement.packing import pack
from tests.fragment_samples import bell, make_fragment
from tests.targets import make_target
from tests.unit.test_packing import worse_readout


def items_of(
    device: DeviceModel, circuit: QuantumCircuit, number: int, *, floor: float = 0.0, exclusive: bool = True
) -> list[PackingItem]:
    found = find_candidates(make_fragment(circuit, range(circuit.num_qubits), device), device, Embedder(device))
    log_floor = found.best + math.log(floor) if floor else -math.inf
    sites = tuple(range(circuit.num_qubits)) if exclusive else ()
    return [
        PackingItem(variants=(found,), log_floor=log_floor, exclusive_sites=(sites,), owners=(k,))
        for k in range(number)
    ]


def qubits_of(items: list[PackingItem], device: DeviceModel, **options: bool) -> list[tuple[int, ...]]:
    found = reserve(items, device.num_qubits, **{"keep_floor": True, "forms": "all", **options})
    return [
        tuple(sorted(items[index].variants[place.variant].shapes[0].places[place.row].tolist()))
        for index, place in sorted(found.items())
    ]


def test_a_line_is_filled_to_its_end() -> None:
    device = DeviceModel(make_target(12))
    found = qubits_of(items_of(device, bell(3), 6), device)
    assert sorted(found) == [(0, 1, 2), (3, 4, 5), (6, 7, 8), (9, 10, 11)]


def test_where_one_after_another_gets_stuck() -> None:
    """A star of paths: the best place for the first is the middle, which leaves less room than any other."""
    couplers = [(0, 1), (0, 2), (0, 3), (1, 4), (2, 5), (3, 6), (4, 7), (5, 8), (6, 9)]
    device = DeviceModel(make_target(10, couplers))
    items = items_of(device, bell(3), 3)
    assert len(qubits_of(items, device)) == 3
    placed = pack(items, device, HaloOptions(sharing="none", success_floor=0.0), lambda index, free: None)
    assert all(item is not None for item in placed)


def test_only_places_that_keep_the_floor_if_asked() -> None:
    device = DeviceModel(make_target(6))
    device.gates["sx"].error[:2] = 0.5
    items = items_of(device, bell(2), 3, floor=0.9)
    found = qubits_of(items, device)
    assert len(found) == 2
    assert all(qubits != (0, 1) for qubits in found)
    assert len(qubits_of(items, device, keep_floor=False)) == 3


def test_who_shares_everything_rules_out_nobody() -> None:
    device = DeviceModel(make_target(3))
    assert len(qubits_of(items_of(device, bell(2), 3, exclusive=False), device)) == 2, "one item a place"
    assert len(qubits_of(items_of(device, bell(2), 3), device)) == 1


def test_pieces_in_parts_are_left_out() -> None:
    device = DeviceModel(make_target(4))
    apart = QuantumCircuit(2, 2)
    apart.measure([0, 1], [0, 1])
    assert qubits_of(items_of(device, apart, 2), device) == []


@given(st.data())
def test_as_many_as_there_can_be(data: st.DataObject) -> None:
    """Pieces on a small device: at most a piece less than an exhaustive search finds, and as a rule as many."""
    size = data.draw(st.integers(3, 8))
    held = np.zeros((size, 6), dtype=bool)
    for node in range(size):
        held[node, data.draw(st.sets(st.integers(0, 5), min_size=1, max_size=3).map(sorted))] = True
    alone = held & np.array([data.draw(st.booleans()) for _ in range(size)])[:, None]
    kind = np.array(data.draw(st.lists(st.integers(0, 1), min_size=size, max_size=size)))
    number = np.array(data.draw(st.tuples(st.integers(1, 4), st.integers(0, 4))))
    log_success = -np.array([data.draw(st.sampled_from([0.0, 0.1, 0.5])) for _ in range(size)])
    rows = np.arange(size)
    places = Places(kind=kind, variant=0 * rows, row=rows, log_success=log_success, held=held, alone=alone)
    conflicts = (alone.astype(int) @ held.T > 0) | (held.astype(int) @ alone.T > 0)
    np.fill_diagonal(conflicts, False)
    found = choose_places(places, number)
    assert is_possible(np.array(found, dtype=int), conflicts, kind, number)
    most = max(
        len(nodes)
        for count in range(size + 1)
        for nodes in combinations(range(size), count)
        if is_possible(np.array(nodes, dtype=int), conflicts, kind, number)
    )
    assert len(found) >= most - 1
    # Nothing more can be added.
    for node in set(range(size)) - set(found):
        assert not is_possible(np.array([*found, node]), conflicts, kind, number)


def test_of_as_many_the_best() -> None:
    device = DeviceModel(make_target(7))
    device.gates["sx"].error[0] = 0.2
    found = qubits_of(items_of(device, bell(2), 3), device)
    assert sorted(found) == [(1, 2), (3, 4), (5, 6)]


def is_possible(
    nodes: npt.NDArray[np.int64],
    conflicts: npt.NDArray[np.bool_],
    kind: npt.NDArray[np.int64],
    number: npt.NDArray[np.int64],
) -> bool:
    return not conflicts[np.ix_(nodes, nodes)].any() and bool((np.bincount(kind[nodes], minlength=2) <= number).all())


@pytest.mark.parametrize("repeat", range(2))
def test_the_same_every_time(repeat: int) -> None:
    device = DeviceModel(make_target(9, [(a, a + 1) for a in range(8)] + [(0, 8)]))
    assert qubits_of(items_of(device, bell(2), 9), device) == qubits_of(items_of(device, bell(2), 9), device)


def test_only_items_with_the_same_floor_take_each_others_place() -> None:
    device = DeviceModel(worse_readout(2, 1, 0.3))
    easy, strict = items_of(device, bell(1), 1, floor=0.5) + items_of(device, bell(1), 1, floor=0.99)
    strict = dataclasses.replace(strict, variants=easy.variants)
    assert qubits_of([easy, strict], device) == [(1,), (0,)]
    assert qubits_of([strict, easy], device) == [(0,), (1,)]
