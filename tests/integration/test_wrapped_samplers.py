"""HaloSampler over every sampler there is: ours, Qiskit's, Aer's, and the runtime's in local mode."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter
from qiskit.primitives import BackendSamplerV2, BaseSamplerV2, StatevectorSampler
from qiskit.providers.fake_provider import GenericBackendV2

from qiskit_halo.errors import HaloError
from qiskit_halo.options import HaloOptions
from qiskit_halo.primitives.local import LocalSampler
from qiskit_halo.primitives.sampler import HaloSampler
from tests.samplers import tolerance

pytest.importorskip("qiskit_aer")
BACKEND = GenericBackendV2(5, coupling_map=[[0, 1], [1, 2], [2, 3], [3, 4]], seed=4)
SHOTS = 2000


def aer() -> BaseSamplerV2:
    from qiskit_aer.primitives import SamplerV2

    return SamplerV2.from_backend(BACKEND)


def classic_runtime() -> BaseSamplerV2:
    runtime = pytest.importorskip("qiskit_ibm_runtime")
    return runtime.SamplerV2(mode=BACKEND)


def executor_runtime() -> BaseSamplerV2:
    return pytest.importorskip("qiskit_ibm_runtime.executor_sampler.sampler").Sampler(mode=BACKEND)


SAMPLERS: dict[str, Callable[[], BaseSamplerV2]] = {
    "local": lambda: LocalSampler(BACKEND, seed=1),
    "qiskit": lambda: BackendSamplerV2(backend=BACKEND),
    "aer": aer,
    "runtime": classic_runtime,
    "executor": executor_runtime,
}


@pytest.mark.parametrize("name", SAMPLERS)
@pytest.mark.filterwarnings("ignore")  # of the runtime: its own deprecations and remarks
def test_counts_shapes_and_shots(name: str):
    angle = Parameter("a")
    circuit = QuantumCircuit(2, name="pair")
    circuit.ry(angle, 0)
    circuit.cx(0, 1)
    circuit.measure_all()
    options = HaloOptions(success_floor=0.0, max_batch_programs=6)
    sampler = HaloSampler(SAMPLERS[name](), backend=BACKEND, options=options)
    job = sampler.run([(circuit, [[0.0], [np.pi], [np.pi / 2], [np.pi]]), (circuit, [np.pi], 77)], shots=SHOTS)
    first, second = job.result()
    assert (first.data.meas.shape, first.data.meas.num_shots) == ((4,), SHOTS)
    assert second.data.meas.num_shots == 77
    # The device has errors of a few percent a program: only a mistake in the order is as large as this.
    for index, one in enumerate((0.0, 1.0, 0.5, 1.0)):
        counts = first.data.meas.get_counts(index)
        assert abs(counts.get("11", 0) / SHOTS - one) < 0.2 + tolerance(2, SHOTS)
    assert second.data.meas.get_counts().get("11", 0) > 50


def test_the_exact_simulator_takes_what_needs_no_reset():
    circuit = QuantumCircuit(2)
    circuit.h(0)
    circuit.cx(0, 1)
    circuit.measure_all()
    options = HaloOptions(sharing="none", success_floor=0.0, max_batch_programs=2)
    sampler = HaloSampler(StatevectorSampler(seed=1), backend=BACKEND, options=options)
    for pub in sampler.run([circuit, (circuit, None, 50)], shots=100).result():
        assert set(pub.data.meas.get_counts()) == {"00", "11"}


@pytest.mark.filterwarnings("ignore")
def test_qubits_whose_delay_the_runtime_refuses_can_be_left_out():
    """Its noise model takes no T2 above 2 T1, which qubit 6 of this device has."""
    runtime = pytest.importorskip("qiskit_ibm_runtime")
    from qiskit_ibm_runtime.fake_provider import FakeOslo

    backend, bad = FakeOslo(), 6
    circuit = QuantumCircuit(1)
    circuit.x(0)
    circuit.delay(1e-6, 0, unit="s")
    circuit.measure_all()
    there = QuantumCircuit(7, 1)
    there.compose(circuit.remove_final_measurements(inplace=False), [bad], inplace=True)
    there.measure(bad, 0)
    with pytest.raises(HaloError, match=r"failed: .*T_2"):
        HaloSampler(runtime.SamplerV2(mode=backend), options=HaloOptions(max_copies=1)).run([there], shots=10).result()
    options = HaloOptions(exclude_qubits=(bad,), move_isa=True, max_batch_programs=10, success_floor=0.0)
    job = HaloSampler(runtime.SamplerV2(mode=backend), options=options).run([circuit], shots=100)
    assert bad not in {q for own in job.metadata["reports"][0]["programs"] for q in own["qubits"]}
    assert job.result()[0].data.meas.get_counts()["1"] > 50
