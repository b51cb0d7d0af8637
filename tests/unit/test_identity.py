from __future__ import annotations

from collections.abc import Callable

import pytest
from qiskit.circuit import Instruction
from qiskit.circuit.library import CXGate
from qiskit.providers import QubitProperties
from qiskit.transpiler import InstructionProperties, Target
from qiskit.transpiler.passes.synthesis.high_level_synthesis import HLSConfig

from qiskit_halo.device.model import DeviceModel
from qiskit_halo.fragments import identity as module
from qiskit_halo.fragments.identity import compiler_identity
from qiskit_halo.fragments.settings import CompileSettings
from tests.targets import make_target

SETTINGS = CompileSettings()


def of(target: Target, settings: CompileSettings = SETTINGS, **options: object) -> str | None:
    return compiler_identity(DeviceModel(target, **options), settings)


def test_equal_devices_are_one():
    assert of(make_target(4)) == of(make_target(4)) is not None


def changed(**properties: float) -> Target:
    target = make_target(4)
    old = target["cz"][0, 1]
    new = InstructionProperties(**{"duration": old.duration, "error": old.error, **properties})
    target.update_instruction_properties("cz", (0, 1), new)
    return target


@pytest.mark.parametrize(
    "build",
    [
        lambda: make_target(5),
        lambda: changed(error=0.011),
        lambda: changed(duration=301e-9),
        lambda: make_target(4, gate=CXGate),
        lambda: make_target(4, directed=True),
        lambda: make_target(4, dt=2e-9),
        lambda: make_target(4, pulse_alignment=8),
        lambda: make_target(4, control_flow=False),
        lambda: make_target(4, qubit_properties=[QubitProperties(t1=1e-4, t2=1e-4)] * 4),
    ],
)
def test_another_calibration_is_another_device(build: Callable[[], Target]):
    assert of(build()) != of(make_target(4))


def test_what_the_device_model_is_told_counts():
    assert of(make_target(4), exclude_qubits=(1,)) != of(make_target(4))
    assert of(make_target(4), feed_forward_s=1e-6) != of(make_target(4))


@pytest.mark.parametrize(
    "change",
    [
        {"optimization_level": 1},
        {"seed": 1},
        {"num_variants": 3},
        {"reuse": "none"},
        {"resets": 1},
        {"extra": {"approximation_degree": 0.9}},
    ],
)
def test_settings_count(change: dict[str, object]):
    assert of(make_target(4), CompileSettings(**change)) != of(make_target(4))


def test_code_and_versions_count(monkeypatch: pytest.MonkeyPatch):
    before = of(make_target(4))
    for name in ("_versions", "_sources", "schema"):
        with monkeypatch.context() as patch:
            patch.setattr(module, name, lambda: "another")
            assert of(make_target(4)) != before
    with monkeypatch.context() as patch:
        patch.setattr(module, "FORMAT", 2)
        assert of(make_target(4)) != before
    monkeypatch.setenv("QISKIT_SABRE_ALL_THREADS", "1")
    assert of(make_target(4)) != before


def test_sources_are_found():
    assert len(module._sources()) == 64


def test_what_cannot_be_told_has_no_identity():
    assert of(make_target(4), CompileSettings(extra={"hls_config": HLSConfig()})) is None
    target = make_target(4)
    target.add_instruction(Instruction("own", 1, 0, [object()]), {(0,): None})
    assert of(target) is None
