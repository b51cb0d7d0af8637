from __future__ import annotations

import math

import numpy as np
import pytest
from qiskit.circuit import Parameter, Reset
from qiskit.circuit.library import CZGate, ECRGate, RZZGate, SXGate
from qiskit.providers import QubitProperties
from qiskit.transpiler import InstructionProperties, Target

from qiskit_halo.device.model import UNKNOWN_ERRORS, UNKNOWN_READOUT_ERROR, DeviceModel
from qiskit_halo.errors import HaloTranspilerError, HaloWarning
from tests.targets import global_target, make_target

NAN = float("nan")


def test_tables_hold_what_the_target_states():
    device = DeviceModel(make_target(3, gate=ECRGate, directed=True))
    np.testing.assert_array_equal(device.gates["ecr"].error, [[NAN, 1e-2, NAN], [NAN, NAN, 1e-2], [NAN, NAN, NAN]])
    np.testing.assert_array_equal(device.gates["ecr"].duration_dt, [[NAN, 300, NAN], [NAN, NAN, 300], [NAN, NAN, NAN]])
    np.testing.assert_array_equal(device.gates["sx"].error, [1e-3] * 3)
    assert sorted(device.gates) == ["ecr", "measure", "reset", "rz", "sx", "x"]
    assert (device.has_durations, device.has_calibration, device.has_reset) == (True, True, True)


def test_durations_in_ticks():
    device = DeviceModel(make_target(3, gate=ECRGate, directed=True, dt=2e-9))
    assert device.duration_dt("ecr", (0, 1)) == 150
    assert device.duration_dt("ecr", (1, 0)) == 150  # turned round, it takes what it takes
    assert device.duration_dt("ecr", (0, 2)) == 0
    assert device.duration_dt("measure", (1,)) == 500
    assert device.duration_dt("reset", (1,)) == 400
    assert device.duration_dt("unheard_of", (1,)) == 0
    assert device.duration_dt("sx", (0, 1)) == 0


def test_dead_and_excluded_qubits_and_couplers_are_not_usable():
    target = make_target(6)
    for pair in ((1, 2), (2, 1)):
        target.update_instruction_properties("cz", pair, InstructionProperties(error=1.0))
    target.update_instruction_properties("measure", (4,), InstructionProperties(error=1.0))
    device = DeviceModel(target, exclude_qubits=(0,))
    assert device.usable_qubits.tolist() == [False, True, True, True, False, True]
    assert device.couplers == ((2, 3),)
    assert device.distance[1, 2] == 1  # it is there, whether it works or not
    assert device.distance[0, 5] == 5


def test_a_coupler_with_one_gate_that_works_is_usable():
    target = make_target(3)
    target.update_instruction_properties("cz", (0, 1), InstructionProperties(error=1.0))
    target.update_instruction_properties("cz", (1, 0), InstructionProperties(error=1.0))
    target.add_instruction(RZZGate(Parameter("t")), {(1, 0): InstructionProperties(error=0.1)})
    assert DeviceModel(target).couplers == ((0, 1), (1, 2))


def test_a_qubit_that_cannot_be_measured_is_not_usable():
    target = make_target(3)
    partial = Target(num_qubits=3)
    for name in ("sx", "cz"):
        partial.add_instruction(target.operation_from_name(name), dict(target[name]), name=name)
    partial.add_instruction(
        target.operation_from_name("measure"), {(q,): InstructionProperties(error=0.01) for q in (0, 2)}
    )
    device = DeviceModel(partial)
    assert device.usable_qubits.tolist() == [True, False, True]
    assert not device.has_reset


def test_unknown_errors_come_from_coherence_or_a_ranking():
    target = make_target(2, errors=False)
    device = DeviceModel(target)
    assert not device.has_calibration
    assert device.gates["cz"].error[0, 1] == UNKNOWN_ERRORS[2]
    assert device.gates["sx"].error[0] == UNKNOWN_ERRORS[1]
    assert device.readout_error[0] == UNKNOWN_READOUT_ERROR
    assert np.isnan(device.gates["reset"].error).all()

    known = DeviceModel(make_target(2, errors=False, qubit_properties=[QubitProperties(t1=1e-5)] * 2))
    assert known.gates["cz"].error[0, 1] == pytest.approx(2 * 300e-9 / 1e-5)
    assert known.gates["sx"].error[0] == pytest.approx(40e-9 / 1e-5)

    silent = DeviceModel(make_target(2))
    target = make_target(2)
    target.update_instruction_properties("cz", (0, 1), InstructionProperties(error=NAN))
    assert DeviceModel(target).gates["cz"].error[0, 1] == UNKNOWN_ERRORS[2]
    assert silent.gates["cz"].error[0, 1] == 1e-2


def test_coherence_is_clamped_and_gaps_are_infinite():
    properties = [
        QubitProperties(t1=1e-4, t2=5e-4),
        QubitProperties(t1=1e-4),
        QubitProperties(t1=NAN, t2=0.0),
        QubitProperties(),
    ]
    device = DeviceModel(make_target(4, qubit_properties=properties))
    assert device.t1_s.tolist() == [1e-4, 1e-4, math.inf, math.inf]
    assert device.t2_s.tolist() == [2e-4, 2e-4, math.inf, math.inf]


def test_resets():
    target = make_target(2)
    target.update_instruction_properties("reset", (1,), InstructionProperties(duration=900e-9, error=0.1))
    device = DeviceModel(target)
    assert device.reset_dt.tolist() == [800, 900]
    np.testing.assert_allclose(np.exp(device.log_reset_success(2)), [1 - 0.02**2 / 2, 1 - 0.1**2 / 2])
    flipping = DeviceModel(target, reset_model="flips")
    for rounds in (1, 2, 3):
        np.testing.assert_allclose(np.exp(flipping.log_reset_success(rounds)), [1 - 0.02, 1 - 0.1])


def test_a_reset_of_unknown_length_takes_as_long_as_a_measurement():
    target = Target(num_qubits=2, dt=1e-9)
    full = make_target(2)
    target.add_instruction(SXGate(), dict(full["sx"]))
    target.add_instruction(full.operation_from_name("measure"), dict(full["measure"]))
    target.add_instruction(Reset(), {(0,): None, (1,): None})
    device = DeviceModel(target)
    assert device.reset_dt.tolist() == [1000, 1000]
    assert device.duration_dt("reset", (0,)) == 1000


@pytest.mark.parametrize("missing", [{"dt": None}, {"durations": False}])
def test_without_ticks_or_durations_only_order_is_known(missing: dict[str, object]):
    device = DeviceModel(make_target(2, **missing))
    assert not device.has_durations
    assert device.reset_dt.tolist() == [0, 0]


def test_operations_stated_once_count_for_all_qubits():
    device = DeviceModel(global_target(3))
    assert device.couplers == ((0, 1), (0, 2), (1, 2))
    assert device.usable_qubits.all()
    assert device.distance[0, 2] == 1
    off_diagonal = ~np.eye(3, dtype=bool)
    assert (device.gates["cz"].error[off_diagonal] == UNKNOWN_ERRORS[2]).all()
    assert np.isnan(np.diag(device.gates["cz"].error)).all()


def test_alignment_is_the_common_multiple():
    assert DeviceModel(make_target(1, pulse_alignment=4, acquire_alignment=6)).alignment == 12
    assert DeviceModel(make_target(1, pulse_alignment=4, acquire_alignment=1, granularity=16)).alignment == 16


def test_missing_calibration_is_said():
    with pytest.warns(HaloWarning, match="the device states no errors: all qubits count alike"):
        DeviceModel(make_target(2, errors=False)).warn_about_gaps()
    DeviceModel(make_target(2)).warn_about_gaps()  # a warning is an error


def test_bad_devices_are_refused():
    target = Target()
    target.add_instruction(CZGate())
    with pytest.raises(HaloTranspilerError, match="the target states no number of qubits"):
        DeviceModel(target)
    with pytest.raises(HaloTranspilerError, match="names qubit 3, but the device has qubits 0 to 2"):
        DeviceModel(make_target(3), exclude_qubits=(1, 3))
