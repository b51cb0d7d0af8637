from __future__ import annotations

import math

import pytest
from qiskit.circuit import ClassicalRegister, QuantumCircuit, QuantumRegister
from qiskit.providers import QubitProperties

from qiskit_halo.device.model import DeviceModel
from qiskit_halo.fragments.success import log_idle
from qiskit_halo.options import HaloOptions
from qiskit_halo.timeline.drafts import Draft, make_drafts
from qiskit_halo.timeline.stretch import stretch
from tests.targets import make_target

FOREVER = 1 << 62


@pytest.fixture
def device() -> DeviceModel:
    return DeviceModel(make_target(3, qubit_properties=[QubitProperties(t1=1e-4, t2=5e-5) for _ in range(3)]))


@pytest.fixture
def draft(device: DeviceModel) -> Draft:
    """Data qubits 0 and 2; helper 1 comes twice. Qubit 2 is measured without regard to the second time."""
    circuit = QuantumCircuit(QuantumRegister(3, "q"), ClassicalRegister(4, "p0_c"))
    circuit.cz(0, 1)
    circuit.cz(1, 2)
    circuit.measure(1, 0)
    circuit.reset(1)
    circuit.cz(0, 1)
    circuit.measure([0, 1, 2], [1, 2, 3])
    (found,), exact = make_drafts(circuit, device, HaloOptions())
    assert exact
    spans = [(lease.qubit, lease.start_dt, lease.stop_dt) for lease in found.leases]
    assert spans == [(0, 0, 3700), (1, 0, 1600), (1, 1600, 3700), (2, 300, 1600)]
    return found


def test_only_what_depends_on_the_awaited_qubit_waits(device: DeviceModel, draft: Draft) -> None:
    booked = [(0, FOREVER), (0, 1600), (2600, 4700), (300, FOREVER)]
    found = stretch(draft, booked, device)
    assert found is not None
    spans = [(lease.qubit, lease.start_dt, lease.stop_dt) for lease in found.leases]
    assert spans == [(0, 0, 4700), (1, 0, 1600), (1, 2600, 4700), (2, 300, 1600)]
    assert found.timing.length_dt == 4700
    before, after = (float(log_idle(t, device.t1_s, device.t2_s)[0]) for t in (2100e-9, 3100e-9))
    assert math.isclose(found.log_success - draft.log_success, after - before, rel_tol=1e-9)


def test_without_a_shift_nothing_changes(device: DeviceModel, draft: Draft) -> None:
    found = stretch(draft, [(lease.start_dt, lease.stop_dt) for lease in draft.leases], device)
    assert found is not None
    assert (found.timing, found.leases) == (draft.timing, draft.leases)
    assert found.log_success == pytest.approx(draft.log_success)


def test_a_piece_that_would_outstay_its_booking_cannot_wait(device: DeviceModel, draft: Draft) -> None:
    booked = [(0, FOREVER), (0, 1600), (2600, 4699), (300, FOREVER)]
    assert stretch(draft, booked, device) is None


def test_first_operations_move_up_to_what_they_wait_for(device: DeviceModel) -> None:
    """A qubit that is only used once the wait is over comes to life after it, if its booking allows."""
    circuit = QuantumCircuit(QuantumRegister(3, "q"), ClassicalRegister(2, "p0_c"))
    circuit.sx(0)
    circuit.cz(0, 1)
    circuit.measure([0, 1], [0, 1])
    with_branch = circuit
    (piece,), _ = make_drafts(with_branch, device, HaloOptions())
    found = stretch(piece, [(0, FOREVER), (1040, 2340)], device)
    assert found is not None
    assert [(lease.start_dt, lease.stop_dt) for lease in found.leases] == [(1000, 2340), (1040, 2340)]
