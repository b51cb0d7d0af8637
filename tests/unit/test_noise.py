"""What a device does wrong, read from its target: Aer's own errors, under labels of ours."""

from __future__ import annotations

from typing import get_args

import numpy as np
import pytest
from qiskit.quantum_info import SuperOp
from qiskit.transpiler import InstructionProperties
from qiskit_aer.noise import NoiseModel, QuantumError, thermal_relaxation_error
from qiskit_ibm_runtime.fake_provider import FakeManilaV2

from qiskit_halo.device.model import DeviceModel
from qiskit_halo.errors import HaloValueError
from qiskit_halo.options import ResetModel
from qiskit_halo.primitives.noise import DeviceNoise
from tests.noisy_oracle import reset_error
from tests.targets import TargetBackend, global_target, make_target, noisy_backend


@pytest.fixture(scope="module")
def manila() -> FakeManilaV2:
    return FakeManilaV2()


@pytest.fixture(scope="module")
def model(manila: FakeManilaV2) -> NoiseModel:
    return NoiseModel.from_backend(manila)


def error_of(noise: DeviceNoise, label: str | None) -> QuantumError:
    assert label is not None
    return noise.model([label], {})._default_quantum_errors[label]


def is_close(first: object, second: object) -> bool:
    return np.allclose(SuperOp(first).data, SuperOp(second).data, atol=1e-9)


def test_gates_are_those_of_aers_model(manila: FakeManilaV2, model: NoiseModel) -> None:
    noise = DeviceNoise(manila)
    compared = 0
    for name, errors in model._local_quantum_errors.items():
        if name in ("reset", "delay", "measure"):
            continue
        for wires, error in errors.items():
            assert is_close(error_of(noise, noise.gate(name, wires)), error), (name, wires)
            compared += 1
    assert compared >= 20


def test_labels_name_a_place_once() -> None:
    noise = DeviceNoise(noisy_backend(3))
    labels = [noise.gate("cz", (0, 1)), noise.gate("cz", (1, 0)), noise.gate("sx", (0,)), noise.gate("sx", (1,))]
    labels += [noise.delay(0, 1e-6), noise.delay(0, 2e-6), noise.reset(0), noise.readout(0)]
    labels += [noise.handover(0, 1, reused=True)]
    assert len(set(labels)) == len(labels)
    assert noise.gate("cz", (0, 1)) == labels[0]


def test_virtual_gates_have_no_error() -> None:
    assert DeviceNoise(noisy_backend(1)).gate("rz", (0,)) is None


def test_a_dead_gate_has_the_worst_error_there_is() -> None:
    backend = TargetBackend(make_target(2))
    backend.target.update_instruction_properties("cz", (0, 1), InstructionProperties(duration=3e-7, error=1.0))
    noise = DeviceNoise(backend)
    fidelity = np.trace(SuperOp(error_of(noise, noise.gate("cz", (0, 1)))).data).real / 16
    assert fidelity == pytest.approx(0, abs=1e-12)
    assert noise.gate("cz", (1, 0)) != noise.gate("cz", (0, 1))


def test_readout_is_that_of_aers_model(manila: FakeManilaV2, model: NoiseModel) -> None:
    noise = DeviceNoise(manila)
    for wire in range(5):
        stated = model._local_readout_errors[(wire,)].probabilities
        assert np.allclose(noise.readout_error(wire).probabilities, stated)
        # The same error, on a qubit that is measured next.
        channel = SuperOp(error_of(noise, noise.readout(wire))).data
        for prepared in (0, 1):
            populations = channel[:, 3 * prepared].reshape(2, 2).diagonal().real
            assert np.allclose(populations, stated[prepared])


def test_resets_fail_as_often_as_readout_does_if_nothing_is_stated(manila: FakeManilaV2, model: NoiseModel) -> None:
    noise = DeviceNoise(manila)
    for wire in range(5):
        assert noise.reset_error(wire) == pytest.approx(reset_error(manila, model, wire), abs=1e-15)
    assert DeviceNoise(noisy_backend(2)).reset_error(1) == 0.02


def backend_with_reset_error(error: float | None) -> TargetBackend:
    backend = noisy_backend(1)
    backend.target.update_instruction_properties("reset", (0,), InstructionProperties(duration=1e-6, error=error))
    return backend


@pytest.mark.parametrize(("stated", "error"), [(0.3, 0.3), (0.0, 0.0), (None, 0.02), (float("nan"), 0.02), (1.5, 1.0)])
def test_the_error_that_the_target_states_for_a_reset_is_believed(stated: float | None, error: float) -> None:
    assert DeviceNoise(backend_with_reset_error(stated)).reset_error(0) == error


@pytest.mark.parametrize("error", [0.3, 1.0])
def test_a_reset_that_fails_leaves_populations_as_they_were(error: float) -> None:
    noise = DeviceNoise(backend_with_reset_error(error))
    expected = np.zeros((4, 4))
    expected[0, 0] = 1.0
    expected[:, 3] = [1 - error, 0, 0, error]
    channel = SuperOp(error_of(noise, noise.reset(0))).data
    assert np.allclose(channel, expected, atol=1e-12), "and what was between 0 and 1 is lost"


@pytest.mark.parametrize(("flips_0", "leaves_1"), [(0.1, 0.3), (0.3, 0.1), (0.2, 0.2), (0.0, 0.4), (0.4, 0.0)])
def test_a_reset_that_flips_is_a_measurement_and_an_x(flips_0: float, leaves_1: float) -> None:
    backend = TargetBackend(make_target(1))
    properties = InstructionProperties(duration=1e-6, error=(flips_0 + leaves_1) / 2)
    properties.prob_meas1_prep0, properties.prob_meas0_prep1 = flips_0, leaves_1
    backend.target.update_instruction_properties("measure", (0,), properties)
    noise = DeviceNoise(backend, "flips")
    expected = np.zeros((4, 4))
    expected[:, 0] = [1 - flips_0, 0, 0, flips_0]
    expected[:, 3] = [1 - leaves_1, 0, 0, leaves_1]
    channel = SuperOp(error_of(noise, noise.reset(0))).data
    assert np.allclose(channel, expected, atol=1e-12), "and what was between 0 and 1 is lost"
    excited = 0.5
    for rounds in (1, 2, 3):
        excited = excited * leaves_1 + (1 - excited) * flips_0
        handed = SuperOp(error_of(noise, noise.handover(0, rounds, reused=True))).data
        assert handed[3, 0] == pytest.approx(excited)


def test_a_reset_that_flips_has_the_error_that_is_stated() -> None:
    assert DeviceNoise(backend_with_reset_error(0.3), "flips").reset_rates(0) == (0.3, 0.3)
    assert DeviceNoise(backend_with_reset_error(0.3)).reset_rates(0) == (0.0, 0.3)
    noise = DeviceNoise(noisy_backend(2), "flips")
    assert noise.reset_rates(1) == (0.02, 0.02)
    first = SuperOp(error_of(noise, noise.handover(0, 2, reused=False))).data
    assert first[3, 0] == pytest.approx(0.02 * 0.98 + 0.02 * 0.02), "a clean qubit does not stay clean"


@pytest.mark.parametrize("rounds", [1, 2, 3])
@pytest.mark.parametrize("reset_model", get_args(ResetModel))
def test_resets_fail_as_predicted_success_has_it(reset_model: ResetModel, rounds: int) -> None:
    backend = noisy_backend(4)
    noise, device = DeviceNoise(backend, reset_model), DeviceModel(backend.target, reset_model=reset_model)
    for wire in range(4):
        flips = SuperOp(error_of(noise, noise.handover(wire, rounds, reused=True))).data
        assert 1 - flips[3, 0] == pytest.approx(np.exp(device.log_reset_success(rounds)[wire]), abs=1e-12)


def test_a_target_that_tells_0_and_1_apart_is_believed() -> None:
    backend = noisy_backend(2)
    properties = InstructionProperties(duration=1e-6, error=0.03)
    properties.prob_meas1_prep0, properties.prob_meas0_prep1 = 0.01, 0.05
    backend.target.update_instruction_properties("measure", (1,), properties)
    noise = DeviceNoise(backend)
    assert noise.reset_error(1) == pytest.approx(0.03)
    assert np.allclose(noise.readout_error(1).probabilities, [[0.99, 0.01], [0.05, 0.95]])
    assert noise.reset_error(0) == 0.02


@pytest.mark.parametrize("target", [global_target(3), make_target(3, errors=False, durations=False)])
def test_a_device_without_calibration_has_no_errors(target: object) -> None:
    noise = DeviceNoise(TargetBackend(target))
    assert noise.reset_error(0) == 0
    assert noise.readout_error(2) is None
    assert noise.gate("cz", (0, 1)) is noise.readout(1) is noise.delay(0, 1e-3) is None
    assert noise.handover(0, 2, reused=True) is None


def test_waiting_relaxes_with_the_times_of_the_qubit() -> None:
    noise = DeviceNoise(noisy_backend(4))
    for wire, (t1_s, t2_s) in enumerate([(100e-6, 60e-6), (80e-6, 120e-6), (50e-6, 100e-6), (40e-6, 80e-6)]):
        expected = thermal_relaxation_error(t1_s, t2_s, 1e-6)
        assert is_close(error_of(noise, noise.delay(wire, 1e-6)), expected), "T2 is cut to 2 T1"
    assert noise.delay(0, 0.0) is None


@pytest.mark.parametrize(
    ("name", "wires", "place"), [("h", (0,), "'h' on qubit 0"), ("cz", (0, 2), "'cz' on qubits 0, 2")]
)
def test_what_the_device_does_not_have(name: str, wires: tuple[int, ...], place: str) -> None:
    with pytest.raises(HaloValueError, match=f"the device has no {place}; compile the circuit for it"):
        DeviceNoise(noisy_backend(3)).gate(name, wires)


def test_a_handover_counts_rounds_and_what_was_there_before() -> None:
    noise = DeviceNoise(noisy_backend(2))
    assert noise.handover(0, 0, reused=True) is None
    assert noise.handover(0, 1, reused=False) is None
    flips = SuperOp(error_of(noise, noise.handover(0, 2, reused=True))).data
    assert flips[3, 0] == pytest.approx(0.5 * 0.02**2)


def test_a_model_holds_what_was_asked_for_only() -> None:
    noise = DeviceNoise(noisy_backend(3))
    used, _ = noise.gate("sx", (0,)), noise.gate("sx", (1,))
    model = noise.model([used, used], {1: 2})
    assert list(model._default_quantum_errors) == [used]
    assert list(model._local_readout_errors) == [(1,)]
