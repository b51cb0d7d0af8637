from __future__ import annotations

import types
import warnings

import pytest
from qiskit.circuit import QuantumCircuit
from qiskit.primitives import BackendSamplerV2, StatevectorSampler
from qiskit.providers.fake_provider import GenericBackendV2
from qiskit.transpiler import Target

from qiskit_halo.errors import HaloValueError, HaloWarning
from qiskit_halo.options import HaloOptions
from qiskit_halo.primitives.local import LocalSampler
from qiskit_halo.primitives.wrapped import (
    check_options,
    default_shots,
    find_backend,
    find_target,
    fixed_seed,
    rep_delay_s,
)

BACKEND = GenericBackendV2(3, seed=1)


def fake(**groups: object) -> types.SimpleNamespace:
    """A sampler with nested options, as the runtime has them."""
    return types.SimpleNamespace(
        options=types.SimpleNamespace(
            **{
                name: types.SimpleNamespace(**group) if isinstance(group, dict) else group
                for name, group in groups.items()
            }
        )
    )


def test_backends_are_found_as_property_method_or_not_at_all():
    assert find_backend(BackendSamplerV2(backend=BACKEND)) is BACKEND
    assert find_backend(types.SimpleNamespace(backend=lambda: BACKEND)) is BACKEND
    assert find_backend(StatevectorSampler()) is None


def test_aer_is_found():
    aer = pytest.importorskip("qiskit_aer.primitives")
    sampler = aer.SamplerV2.from_backend(BACKEND)
    assert find_target(sampler, None, None).num_qubits == 3
    assert (default_shots(sampler), fixed_seed(aer.SamplerV2(seed=4))) == (1024, 4)


@pytest.mark.parametrize("module", ["sampler", "executor_sampler.sampler"])
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_the_runtime_is_found(module: str):
    runtime = pytest.importorskip(f"qiskit_ibm_runtime.{module}")
    kind = getattr(runtime, "SamplerV2", None) or runtime.Sampler
    sampler = kind(mode=BACKEND)
    assert find_target(sampler, None, None) is find_backend(sampler).target
    assert default_shots(sampler) == 4096
    sampler.options.default_shots = 77
    sampler.options.execution.rep_delay = 1e-4
    assert (default_shots(sampler), rep_delay_s(sampler)) == (77, 1e-4)


def test_shots_and_seeds_are_those_of_each_sampler():
    assert default_shots(BackendSamplerV2(backend=BACKEND, options={"default_shots": 5})) == 5
    assert default_shots(StatevectorSampler(default_shots=6)) == 6
    assert default_shots(LocalSampler(None, noise=False, default_shots=7)) == 7
    assert default_shots(types.SimpleNamespace()) == 1024
    assert fixed_seed(BackendSamplerV2(backend=BACKEND, options={"seed_simulator": 3})) == 3
    assert fixed_seed(fake(simulator={"seed_simulator": 9})) == 9
    assert fixed_seed(BackendSamplerV2(backend=BACKEND)) is None


def test_the_device_is_asked_for_once():
    with pytest.raises(HaloValueError, match="give either a backend or a target, not both"):
        find_target(StatevectorSampler(), BACKEND, BACKEND.target)
    with pytest.raises(HaloValueError, match="StatevectorSampler does not say which device it runs on"):
        find_target(StatevectorSampler(), None, None)
    with pytest.raises(HaloValueError, match="the target states no number of qubits"):
        find_target(StatevectorSampler(), None, Target())
    assert find_target(StatevectorSampler(), BACKEND, None) is BACKEND.target


class TestOptionsOfTheRuntime:
    @pytest.mark.parametrize(
        "sampler", [fake(execution={"meas_type": "avg_kerneled"}), fake(run_options={"meas_return": "avg"})]
    )
    def test_averaged_shots_are_refused(self, sampler):
        if isinstance(sampler.options.__dict__.get("run_options"), types.SimpleNamespace):
            sampler.options.run_options = dict(vars(sampler.options.run_options))
        with pytest.raises(HaloValueError, match="the sampler averages over shots"):
            check_options(sampler, [], HaloOptions())

    def test_qubits_that_are_not_initialised_are_refused_unless_they_are_reset(self):
        sampler = fake(execution={"init_qubits": False})
        with pytest.raises(HaloValueError, match=r"set HaloOptions\(assume_clean=False\)"):
            check_options(sampler, [], HaloOptions())
        check_options(sampler, [], HaloOptions(assume_clean=False))

    @pytest.mark.parametrize("name", ["enable_gates", "enable_measure"])
    def test_twirling_is_warned_about(self, name: str):
        with pytest.warns(HaloWarning, match="its layers span all programs"):
            check_options(fake(twirling={name: True}), [], HaloOptions())

    def test_decoupling_is_warned_about_only_where_users_have_delays(self):
        waiting = QuantumCircuit(1, 1)
        with waiting.if_test((0, 1)):
            waiting.delay(10, 0)
        sampler = fake(dynamical_decoupling={"enable": True})
        with pytest.warns(HaloWarning, match="writes pulses into the users' own delays"):
            check_options(sampler, [waiting], HaloOptions())
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            check_options(sampler, [QuantumCircuit(1)], HaloOptions())

    def test_what_is_not_set_is_fine(self):
        check_options(fake(execution={}, twirling={"enable_gates": object()}), [], HaloOptions())
