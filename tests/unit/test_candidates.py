from __future__ import annotations

import math

import numpy as np
import pytest
from qiskit.circuit import QuantumCircuit
from qiskit.transpiler import InstructionProperties
from qiskit.transpiler.coupling import CouplingMap

from qiskit_halo.device.model import DeviceModel
from qiskit_halo.fragments.measure import sites_of, time_on
from qiskit_halo.placement.candidates import KEPT_PER_QUBIT, MOST_PLACES, Candidates, find_candidates
from qiskit_halo.placement.embeddings import Embedder
from tests.fragment_samples import bell, make_fragment
from tests.targets import make_target

BELL_LOG = math.log(0.999) + math.log(0.99) + 2 * math.log(0.98)


def candidates(circuit: QuantumCircuit, home: tuple[int, ...], device: DeviceModel) -> Candidates:
    return find_candidates(make_fragment(circuit, home, device), device, Embedder(device))


def test_places_of_a_pair_with_scores_and_busy_times() -> None:
    found = candidates(bell(), (1, 2), DeviceModel(make_target(3)))
    (shape,) = found.shapes
    assert (shape.sites, shape.home_row) == ((0, 1), 0)
    assert shape.places.tolist() == [[1, 2], [0, 1], [1, 0], [2, 1]]
    assert shape.log_success == pytest.approx([BELL_LOG] * 4)
    assert shape.busy_start_dt.tolist() == [[0, 40]] * 4
    assert shape.busy_stop_dt.tolist() == [[1340, 1340]] * 4
    assert shape.length_dt.tolist() == [1340] * 4
    assert found.best == pytest.approx(BELL_LOG)


def test_places_that_lack_an_operation_are_left_out() -> None:
    target = make_target(3)
    target.update_instruction_properties("sx", (0,), InstructionProperties(duration=4e-8, error=1.0))
    (shape,) = candidates(bell(), (1, 2), DeviceModel(target)).shapes
    assert sorted(map(tuple, shape.places.tolist())) == [(1, 2), (2, 1)]


def test_a_fragment_that_works_nowhere_has_no_places() -> None:
    target = make_target(1)
    target.update_instruction_properties("sx", (0,), InstructionProperties(duration=4e-8, error=1.0))
    found = candidates(bell(1), (0,), DeviceModel(target))
    assert (found.shapes[0].places.shape, found.shapes[0].home_row) == ((0, 1), -1)
    assert (found.shapes[0].best, found.best) == (-math.inf, -math.inf)


def test_the_best_place_comes_first_and_counts() -> None:
    target = make_target(2)
    target.update_instruction_properties("measure", (1,), InstructionProperties(duration=1e-6, error=0.5))
    device = DeviceModel(target)
    found = candidates(bell(1), (1,), device)
    (shape,) = found.shapes
    assert found.fragment.log_success == pytest.approx(math.log(0.999 * 0.5))
    assert (shape.places.tolist(), shape.home_row) == ([[0], [1]], 1)
    assert shape.best == found.best == pytest.approx(math.log(0.999 * 0.98))


def test_times_at_a_place_are_those_of_its_qubits() -> None:
    target = make_target(2)
    target.update_instruction_properties("measure", (1,), InstructionProperties(duration=5e-6, error=0.02))
    (shape,) = candidates(bell(1), (0,), DeviceModel(target)).shapes
    assert (shape.places.tolist(), shape.length_dt.tolist()) == ([[0], [1]], [1040, 5040])
    assert shape.busy_stop_dt.tolist() == [[1040], [5040]]


def three_sites() -> QuantumCircuit:
    circuit = QuantumCircuit(3, 3)
    circuit.sx(0)
    circuit.cz(1, 2)
    circuit.measure(range(3), range(3))
    return circuit


def test_connected_parts_are_placed_by_themselves() -> None:
    found = candidates(three_sites(), (0, 1, 2), DeviceModel(make_target(4)))
    pair, single = found.shapes
    assert (pair.sites, single.sites) == ((1, 2), (0,))
    assert single.places.tolist() == [[0], [1], [2], [3]]
    assert found.best == pytest.approx(math.log(0.999) + math.log(0.99) + 3 * math.log(0.98))
    row = pair.places.tolist().index([3, 2])
    assert found.qubits([row, 1]).tolist() == [1, 3, 2]


def test_parts_together_are_timed_together() -> None:
    target = make_target(4)
    target.update_instruction_properties("measure", (3,), InstructionProperties(duration=5e-6, error=0.02))
    device = DeviceModel(target)
    circuit = three_sites()
    # The first sx of the single site waits for the pair's measurement of the same clbit.
    circuit.measure(1, 0)
    found = candidates(circuit, (0, 1, 2), device)
    for rows in ([0, 0], [found.shapes[0].places.tolist().index([2, 3]), 1]):
        place = found.qubits(rows)
        timing, _, log_success = time_on(circuit.data, sites_of(circuit), place.tolist(), device)
        table = found.table_at(rows)
        assert table.length_dt.tolist() == [timing.length_dt]
        assert np.stack([table.busy_start_dt[0], table.busy_stop_dt[0]], axis=1).tolist() == [
            list(span) for span in timing.busy_dt
        ]
        assert table.log_success == pytest.approx([log_success])


def test_two_parts_cannot_both_have_the_best_qubit() -> None:
    target = make_target(2)
    target.update_instruction_properties("measure", (1,), InstructionProperties(duration=1e-6, error=0.3))
    circuit = QuantumCircuit(2, 2)
    circuit.measure([0, 1], [0, 1])
    found = candidates(circuit, (0, 1), DeviceModel(target))
    assert [shape.best for shape in found.shapes] == pytest.approx([math.log(0.98)] * 2)
    assert found.best == pytest.approx(math.log(0.98 * 0.7))


def test_of_many_places_the_best_the_home_and_some_around_every_qubit_are_kept() -> None:
    pairs = sorted({(min(pair), max(pair)) for pair in CouplingMap.from_grid(8, 8).get_edges()})
    target = make_target(64, pairs)
    for qubit in range(8):
        target.update_instruction_properties("measure", (qubit,), InstructionProperties(duration=1e-6, error=0.4))
    home = (0, 1, 2, 3, 4)
    (shape,) = candidates(bell(5), home, DeviceModel(target)).shapes
    assert MOST_PLACES <= len(shape.places) <= MOST_PLACES + KEPT_PER_QUBIT * 64 + 1
    assert shape.places[shape.home_row].tolist() == list(home)
    assert (np.diff(shape.log_success) <= 0).all()
    assert len({tuple(place) for place in shape.places.tolist()}) == len(shape.places)
    firsts, counts = np.unique(shape.places[:, 0], return_counts=True)
    assert firsts.tolist() == list(range(64))
    assert counts.min() >= KEPT_PER_QUBIT


def test_a_fragment_without_qubits_has_no_shapes() -> None:
    found = candidates(QuantumCircuit(), (), DeviceModel(make_target(2)))
    assert (found.shapes, found.best) == ((), 0.0)


def test_shapes_are_told_apart_by_identity() -> None:
    device = DeviceModel(make_target(2))
    one, two = candidates(bell(1), (0,), device), candidates(bell(1), (0,), device)
    assert len({one.shapes[0]: None, two.shapes[0]: None}) == 2
