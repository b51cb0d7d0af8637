from __future__ import annotations

import math

import pytest
from qiskit.circuit import QuantumCircuit
from qiskit.transpiler import InstructionProperties

from qiskit_halo.device.model import DeviceModel
from qiskit_halo.placement.candidates import find_candidates, time_at
from qiskit_halo.placement.embeddings import Embedder
from tests.fragment_samples import bell, make_fragment
from tests.targets import make_target

BELL_LOG = math.log(0.999) + math.log(0.99) + 2 * math.log(0.98)


def test_places_of_a_pair_with_scores_and_busy_times() -> None:
    device = DeviceModel(make_target(3))
    found = find_candidates(make_fragment(bell(), (1, 2), device), device, Embedder(device))
    (shape,) = found.shapes
    assert shape.places.tolist() == [[1, 2], [0, 1], [1, 2], [1, 0], [2, 1]]
    assert shape.log_success == pytest.approx([BELL_LOG] * 5)
    assert (shape.busy_start_dt.tolist(), shape.busy_stop_dt.tolist()) == ([0, 40], [1340, 1340])
    assert found.best == pytest.approx(BELL_LOG)


def test_places_that_lack_an_operation_are_left_out() -> None:
    target = make_target(3)
    target.update_instruction_properties("sx", (0,), InstructionProperties(duration=4e-8, error=1.0))
    device = DeviceModel(target)
    (shape,) = find_candidates(make_fragment(bell(), (1, 2), device), device, Embedder(device)).shapes
    assert sorted(map(tuple, shape.places.tolist())) == [(1, 2), (1, 2), (2, 1)]


def test_the_best_place_counts_by_its_own_times() -> None:
    target = make_target(2)
    target.update_instruction_properties("measure", (1,), InstructionProperties(duration=1e-6, error=0.5))
    device = DeviceModel(target)
    fragment = make_fragment(bell(1), (1,), device)
    found = find_candidates(fragment, device, Embedder(device))
    assert fragment.log_success == pytest.approx(math.log(0.999 * 0.5))
    assert found.best == pytest.approx(math.log(0.999 * 0.98))
    assert found.shapes[0].best == found.best


def test_connected_parts_are_placed_by_themselves() -> None:
    device = DeviceModel(make_target(4))
    circuit = QuantumCircuit(3, 3)
    circuit.sx(0)
    circuit.cz(1, 2)
    circuit.measure(range(3), range(3))
    found = find_candidates(make_fragment(circuit, (0, 1, 2), device), device, Embedder(device))
    assert [shape.sites for shape in found.shapes] == [(1, 2), (0,)]
    assert found.shapes[1].places.tolist() == [[0], [0], [1], [2], [3]]
    assert found.best == pytest.approx(math.log(0.999) + math.log(0.99) + 3 * math.log(0.98))


def test_times_at_a_place_are_those_of_its_qubits() -> None:
    target = make_target(2)
    target.update_instruction_properties("measure", (1,), InstructionProperties(duration=5e-6, error=0.1))
    device = DeviceModel(target)
    timing, log_success = time_at(make_fragment(bell(1), (0,), device), [1], device)
    assert timing.busy_dt == ((0, 5040),)
    assert log_success == pytest.approx(math.log(0.999 * 0.9))


def test_a_fragment_without_qubits_has_no_shapes() -> None:
    device = DeviceModel(make_target(2))
    found = find_candidates(make_fragment(QuantumCircuit(), (), device), device, Embedder(device))
    assert (found.shapes, found.best) == ((), 0.0)
