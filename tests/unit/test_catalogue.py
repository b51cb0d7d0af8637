"""Where bodies may go: compiled again where the first result has no second good place."""

from __future__ import annotations

import math

import pytest
from qiskit.circuit import QuantumCircuit

from qiskit_halo.device.model import DeviceModel
from qiskit_halo.fragments.body import Body, extract_body
from qiskit_halo.fragments.compile import CompileSettings
from qiskit_halo.multiprogram import MultiProgramCircuit
from qiskit_halo.options import HaloOptions
from qiskit_halo.placement import catalogue
from qiskit_halo.placement.candidates import Candidates
from qiskit_halo.placement.catalogue import Catalogue
from qiskit_halo.placement.space_manager import SpaceManager
from qiskit_halo.segments.find import find_components
from qiskit_halo.segments.pieces import find_pieces
from tests.executors import Here
from tests.fragment_samples import bell
from tests.targets import make_target

RING_AND_LINE = [(0, 1), (1, 2), (2, 3), (3, 0), (3, 4), (4, 5), (5, 6), (6, 7), (7, 8), (8, 9)]
SETTINGS = CompileSettings(optimization_level=1, num_variants=2, reuse="none")


def ring() -> QuantumCircuit:
    circuit = QuantumCircuit(4, 4, name="ring")
    for qubit in range(4):
        circuit.sx(qubit)
        circuit.cz(qubit, (qubit + 1) % 4)
        circuit.sx(qubit)
    circuit.measure(range(4), range(4))
    return circuit


def body_of(circuit: QuantumCircuit) -> Body:
    merged = MultiProgramCircuit([circuit]).circuit
    segmentation = find_components(merged)
    (piece,) = find_pieces(segmentation)
    return extract_body(merged, segmentation, piece)


def find(circuit: QuantumCircuit, couplers: list[tuple[int, int]], **options: object) -> tuple[Candidates, ...]:
    num_qubits = 1 + max(max(pair) for pair in couplers)
    device = DeviceModel(make_target(num_qubits, couplers))
    found = Catalogue(device, HaloOptions(cache=False, **options), SETTINGS, None)
    (first, second) = found.find([body_of(circuit)] * 2, ["Program 0", "Program 1"])
    assert first == second
    return first


def clear_of(candidates: Candidates, qubits: set[int], floor: float) -> list[set[int]]:
    (shape,) = candidates.shapes
    good = shape.places[shape.log_success >= floor].tolist()
    return [set(place) for place in good if not qubits & set(place)]


def test_bodies_are_compiled_on_few_qubits_of_a_large_device() -> None:
    device = DeviceModel(make_target(200))
    bodies = Catalogue(device, HaloOptions(cache=False), SETTINGS, None)
    assert [len(bodies._home(width)) for width in (1, 8, 9, 30)] == [64, 64, 200, 200]
    larger = Catalogue(DeviceModel(make_target(260)), HaloOptions(cache=False), SETTINGS, None)
    assert [len(larger._home(width)) for width in (8, 9, 16, 17)] == [64, 128, 128, 260]


def test_a_body_without_a_second_good_place_is_compiled_elsewhere_too() -> None:
    forms = find(ring(), RING_AND_LINE, success_floor=0.5)
    home = set(forms[0].fragment.home)
    assert home == {0, 1, 2, 3}
    floor = forms[0].best + math.log(0.5)
    assert [bool(clear_of(form, home, floor)) for form in forms] == [False] + [True] * (len(forms) - 1)
    assert len(forms) > 1
    assert [form.best for form in forms] == sorted((form.best for form in forms), reverse=True)


def test_so_that_two_of_its_kind_run_at_the_same_time() -> None:
    device = DeviceModel(make_target(10, RING_AND_LINE))
    batch = MultiProgramCircuit([ring(), ring()]).circuit
    options = HaloOptions(success_floor=0.5, rep_delay_s=0.0, cache=False)
    placement = SpaceManager(device, options, SETTINGS).place(batch, batch.metadata["halo"])
    one, other = placement.pieces
    assert (one.start_dt, other.start_dt) == (0, 0)
    assert not set(one.qubits) & set(other.qubits)


def test_a_body_with_another_good_place_is_compiled_once(monkeypatch: pytest.MonkeyPatch) -> None:
    regions = []
    compile_at = Catalogue._compiled

    def watched(self: Catalogue, body: Body, region: tuple[int, ...], label: str) -> tuple[Candidates, ...]:
        regions.append(region)
        return compile_at(self, body, region, label)

    monkeypatch.setattr(Catalogue, "_compiled", watched)
    find(bell(2), RING_AND_LINE)
    assert regions == [tuple(range(10))]
    # No region is left beside a body that fills the device, and there are so many tries.
    find(ring(), RING_AND_LINE[:4], success_floor=0.5)
    find(ring(), RING_AND_LINE, success_floor=1.0)
    assert regions[1] == (0, 1, 2, 3)
    assert 2 <= len(regions[2:]) <= 1 + catalogue.MORE_REGIONS


def test_an_executor_compiles_for_other_regions_too() -> None:
    device = DeviceModel(make_target(10, RING_AND_LINE))
    executor = Here()
    options = HaloOptions(success_floor=0.5, cache=False)
    far = Catalogue(device, options, SETTINGS, executor).find([body_of(ring())], ["Program 0"])
    here = Catalogue(device, options, SETTINGS, None).find([body_of(ring())], ["Program 0"])
    assert len(executor.tasks) == 2
    assert [form.best for form in far[0]] == [form.best for form in here[0]]
