from __future__ import annotations

import pytest

from qiskit_halo.device.model import DeviceModel
from qiskit_halo.options import HaloOptions
from qiskit_halo.timeline.arbitrate import arbitrate
from qiskit_halo.timeline.turns import Turn
from tests.targets import make_target

RESET = 800


def turn(owner: int, qubits: tuple[int, ...], length: int, *, late: dict[int, int] | None = None) -> Turn:
    """A turn that is busy on all its qubits all the time, from ``late`` on where that is given."""
    late = late or {}
    busy = tuple((late.get(qubit, 0), length) for qubit in qubits)
    return Turn(owners=(owner,) if owner >= 0 else (), qubits=qubits, busy_dt=busy, length_dt=length)


def test_turns_on_other_qubits_run_at_once() -> None:
    device = DeviceModel(make_target(4))
    assert arbitrate([turn(0, (0, 1), 100), turn(1, (2, 3), 50)], device, HaloOptions()) == ([0, 1], [0, 0])


@pytest.mark.parametrize("resets", [1, 2, 3])
def test_a_qubit_passes_on_after_its_resets(resets: int) -> None:
    device = DeviceModel(make_target(1))
    turns = [turn(0, (0,), 100), turn(1, (0,), 50)]
    assert arbitrate(turns, device, HaloOptions(resets=resets)) == ([0, 1], [0, 100 + resets * RESET])


def test_a_qubit_that_is_needed_late_is_reset_meanwhile() -> None:
    device = DeviceModel(make_target(2))
    turns = [turn(0, (0,), 100), turn(1, (0, 1), 5000, late={0: 1500})]
    assert arbitrate(turns, device, HaloOptions(resets=2))[1] == [0, 200]


def test_first_uses_are_reset_without_trust() -> None:
    device = DeviceModel(make_target(2))
    turns = [turn(0, (0, 1), 100, late={1: 90})]
    assert arbitrate(turns, device, HaloOptions(assume_clean=False)) == ([0], [1600])
    assert arbitrate(turns, device, HaloOptions(assume_clean=True)) == ([0], [0])


def test_round_robin_is_taken_where_it_ends_first() -> None:
    device = DeviceModel(make_target(2))
    turns = [turn(0, (0,), 100), turn(0, (0,), 3000), turn(1, (0, 1), 100), turn(2, (1,), 3000)]
    # As given: 100, then 3000, then 100, then 3000. Round robin runs the two long ones side by side.
    assert arbitrate(turns, device, HaloOptions(resets=1)) == ([0, 2, 3, 1], [0, 1800, 900, 1800])


def test_the_given_order_is_taken_where_both_end_together() -> None:
    device = DeviceModel(make_target(1))
    turns = [turn(0, (0,), 100), turn(0, (0,), 300), turn(1, (0,), 200)]
    assert arbitrate(turns, device, HaloOptions(resets=1)) == ([0, 1, 2], [0, 900, 2000])


def test_a_buffer_parts_programs_in_time() -> None:
    device = DeviceModel(make_target(4))
    turns = [turn(0, (0,), 100), turn(1, (1,), 50), turn(2, (3,), 70)]
    assert arbitrate(turns, device, HaloOptions(buffer=0))[1] == [0, 0, 0]
    assert arbitrate(turns, device, HaloOptions(buffer=1))[1] == [0, 100, 0]
    assert arbitrate(turns, device, HaloOptions(buffer=2))[1] == [0, 100, 150]


def test_a_buffer_lets_a_program_be_next_to_itself_and_nobody_next_to_strangers() -> None:
    device = DeviceModel(make_target(2))
    options = HaloOptions(buffer=1)
    assert arbitrate([turn(0, (0,), 100), turn(0, (1,), 100)], device, options)[1] == [0, 0]
    assert arbitrate([turn(-1, (0,), 100), turn(-1, (1,), 100)], device, options)[1] == [0, 100]


def test_starts_are_aligned() -> None:
    device = DeviceModel(make_target(1, pulse_alignment=48))
    assert arbitrate([turn(0, (0,), 100), turn(1, (0,), 50)], device, HaloOptions(resets=1))[1] == [0, 960]


def test_no_turns() -> None:
    assert arbitrate([], DeviceModel(make_target(1)), HaloOptions()) == ([], [])
