from __future__ import annotations

from qiskit.circuit import QuantumCircuit

from qiskit_halo.device.model import DeviceModel
from qiskit_halo.placement.quiet import QuietTimes, part_strangers
from qiskit_halo.segments.find import find_components
from tests.targets import make_target


def test_qubits_within_the_buffer_wait_for_the_end() -> None:
    times = QuietTimes(DeviceModel(make_target(6)), 2)
    times.add((0,), (0, 1), 100)
    assert times.ready_dt((1,)).tolist() == [100, 100, 100, 100, 0, 0]
    times.add((1,), (5,), 70)
    assert times.ready_dt((2,)).tolist() == [100, 100, 100, 100, 70, 70]


def test_a_program_does_not_wait_for_itself_and_strangers_wait_for_all() -> None:
    times = QuietTimes(DeviceModel(make_target(3)), 1)
    times.add((0,), (0,), 100)
    times.add((), (2,), 50)
    assert times.ready_dt((0,)).tolist() == [0, 50, 50]
    assert times.ready_dt((0, 1)).tolist() == [0, 50, 50]
    assert times.ready_dt(()).tolist() == [100, 100, 50]


def test_without_a_buffer_nobody_waits() -> None:
    times = QuietTimes(DeviceModel(make_target(2)), 0)
    times.add((0,), (0, 1), 100)
    assert times.ready_dt((1,)).tolist() == [0, 0]


def test_a_piece_without_qubits_disturbs_nobody() -> None:
    times = QuietTimes(DeviceModel(make_target(2)), 1)
    times.add((0,), (), 100)
    assert times.ready_dt((1,)).tolist() == [0, 0]


def test_barriers_let_go_of_operations_without_an_owner() -> None:
    circuit = QuantumCircuit(4, 2)
    circuit.measure([0, 1], [0, 1])
    circuit.h(2)
    circuit.h(3)
    circuit.barrier(0, 1, 2)
    circuit.barrier(2, 3)
    parted = part_strangers(find_components(circuit))
    assert [(b.position, b.segments) for b in parted.barriers] == [(4, (0, 1))]
