from __future__ import annotations

import math

import pytest
from qiskit.circuit import QuantumCircuit
from qiskit.transpiler import InstructionProperties

from qiskit_halo.device.model import DeviceModel
from qiskit_halo.fragments import measure
from qiskit_halo.fragments.fragment import Shape, find_shapes
from qiskit_halo.fragments.measure import Stopwatch, sites_of, time_on
from qiskit_halo.fragments.memory import Memory
from tests.targets import make_target


def test_sites():
    circuit = QuantumCircuit(3, 1)
    circuit.cx(2, 0)
    circuit.measure(1, 0)
    assert sites_of(circuit) == [(2, 0), (1,)]


def test_times_and_success_depend_on_the_place():
    target = make_target(4, pulse_alignment=16)
    target.update_instruction_properties("cz", (3, 2), InstructionProperties(duration=600e-9, error=0.05))
    device = DeviceModel(target)
    circuit = QuantumCircuit(2, 1)
    circuit.sx(1)
    circuit.cz(0, 1)
    circuit.measure(1, 0)
    for physical, length, success in (((0, 1), 48 + 304 + 1000, 0.99), ((3, 2), 48 + 608 + 1000, 0.95)):
        timing, workload, log_success = time_on(circuit.data, sites_of(circuit), physical, device)
        assert timing.length_dt == length
        assert log_success == pytest.approx(math.log(0.999 * success * 0.98))
        assert workload.two_qubit == (("cz", 0, 1, 1),)


def test_shapes_are_the_connected_parts():
    assert find_shapes(6, [(4, 1), (1, 4), (5, 1), (3, 2)]) == (
        Shape(sites=(1, 4, 5), edges=((0, 1), (0, 2))),
        Shape(sites=(2, 3), edges=((0, 1),)),
        Shape(sites=(0,), edges=()),
    )
    assert find_shapes(0, []) == ()


def test_copies_are_timed_once_and_only_copies() -> None:
    target = make_target(4, errors=True)
    for qubit, duration in ((2, 40e-9), (3, 90e-9)):
        target.update_instruction_properties("sx", (qubit,), InstructionProperties(duration=duration, error=1e-3))
    device = DeviceModel(target)

    def body(first: int, second: int, *, apart: bool = False) -> QuantumCircuit:
        circuit = QuantumCircuit(2, 3)
        circuit.sx(0)
        circuit.measure(0, first)
        # The second waits for the first only if they write the same bit.
        circuit.measure(1, second)
        if apart:
            circuit.delay(70, 1)
            circuit.sx(1)
        return circuit

    stopwatch = Stopwatch(device)
    for circuit, physical in (
        (body(0, 1), (0, 1)),
        (body(2, 0), (1, 2)),  # a copy on other qubits and bits
        (body(0, 0), (0, 1)),  # not a copy: both write one bit
        (body(0, 1), (3, 0)),  # nor this: slower there
        (body(0, 1, apart=True), (0, 1)),
        (body(0, 1, apart=True), (1, 0)),
    ):
        assert stopwatch.time(circuit.data, sites_of(circuit), physical) == time_on(
            circuit.data, sites_of(circuit), physical, device
        )
    assert len(stopwatch._known) == 3


def test_stopwatches_share_what_they_remember_and_tell_devices_apart(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(measure, "MEMORY", Memory(3))
    circuit = QuantumCircuit(2, 1)
    circuit.sx(0)
    circuit.cz(0, 1)
    circuit.measure(1, 0)
    sites = sites_of(circuit)
    plain = make_target(2)
    # The same ticks in each, and other seconds, other starts or other gates that count.
    slow = make_target(2, dt=2e-9)
    for name in ("sx", "cz", "measure"):
        for qargs, entry in plain[name].items():
            slow.update_instruction_properties(
                name, qargs, InstructionProperties(duration=2 * entry.duration, error=entry.error)
            )
    bare = make_target(2)
    without_sx = type(bare)(num_qubits=2, dt=1e-9)
    for name in ("cz", "measure"):
        without_sx.add_instruction(bare.operation_from_name(name), dict(bare[name]), name=name)
    devices = [DeviceModel(target) for target in (plain, slow, make_target(2, acquire_alignment=64), without_sx)]
    for device in (*devices, *devices):
        found = Stopwatch(device, remembers=True).time(circuit.data, sites, (0, 1))
        assert found == time_on(circuit.data, sites, (0, 1), device)
    known = len(measure.MEMORY._entries)
    first, second = (Stopwatch(devices[0], remembers=True).time(circuit.data, sites, (0, 1)) for _ in range(2))
    assert first[0] is second[0]
    forgetful = Stopwatch(devices[0]).time(circuit.data, sites, (0, 1))
    assert forgetful == first
    assert forgetful[0] is not first[0]
    assert len(measure.MEMORY._entries) == known == 3


def test_a_body_on_more_sites_than_it_uses_is_another(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(measure, "MEMORY", Memory(3))
    device = DeviceModel(make_target(3))
    circuit = QuantumCircuit(1)
    circuit.sx(0)
    for physical in ((0,), (0, 1), (0, 1, 2)):
        stopwatch = Stopwatch(device, remembers=True)
        found = stopwatch.time(circuit.data, sites_of(circuit), physical)
        assert found == time_on(circuit.data, sites_of(circuit), physical, device)
        assert len(found[0].busy_dt) == len(physical)


def test_long_bodies_are_not_kept(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(measure, "MEMORY", Memory(3))
    circuit = QuantumCircuit(1)
    for _ in range(measure.MOST_OPERATIONS + 1):
        circuit.sx(0)
    Stopwatch(DeviceModel(make_target(1)), remembers=True).time(circuit.data, sites_of(circuit), (0,))
    assert not measure.MEMORY._entries
