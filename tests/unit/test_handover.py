from __future__ import annotations

from qiskit.transpiler import InstructionProperties

from qiskit_halo.device.model import DeviceModel
from qiskit_halo.placement.handover import handover_dt, reset_dt, round_dt
from tests.targets import make_target


def test_rounds_follow_each_other_without_a_gap() -> None:
    target = make_target(2)
    target.update_instruction_properties("reset", (1,), InstructionProperties(duration=1e-6))
    device = DeviceModel(target)
    assert (reset_dt(device).tolist(), round_dt(device).tolist()) == ([800, 1000], [800, 1000])
    assert handover_dt(device, 3).tolist() == [2400, 3000]


def test_each_round_starts_aligned() -> None:
    device = DeviceModel(make_target(1, pulse_alignment=16, acquire_alignment=24))
    assert (reset_dt(device).tolist(), round_dt(device).tolist()) == ([800], [816])
    assert handover_dt(device, 2).tolist() == [1632]


def test_without_durations_a_reset_counts_as_one_operation() -> None:
    device = DeviceModel(make_target(2, dt=None))
    assert handover_dt(device, 2).tolist() == [2, 2]
