"""HaloBackend in place of a backend."""

from __future__ import annotations

import pytest
from qiskit import transpile
from qiskit.circuit import ClassicalRegister, Clbit, Parameter, QuantumCircuit, QuantumRegister
from qiskit.providers import JobStatus
from qiskit.providers.fake_provider import GenericBackendV2
from qiskit.result import Result

from qiskit_halo.errors import HaloError, HaloValueError
from qiskit_halo.options import HaloOptions
from qiskit_halo.primitives.backend import HaloBackend
from tests.samplers import ExactSampler, FailingSampler, tolerance

DEVICE = GenericBackendV2(5, coupling_map=[[0, 1], [1, 2], [2, 3], [3, 4]], seed=42)
SHOTS = 3000


@pytest.fixture
def backend() -> HaloBackend:
    return HaloBackend(DEVICE, sampler=ExactSampler(seed=1), options=HaloOptions(max_batch_programs=12))


def ghz(num_qubits: int) -> QuantumCircuit:
    circuit = QuantumCircuit(num_qubits, name=f"ghz_{num_qubits}")
    circuit.h(0)
    for qubit in range(1, num_qubits):
        circuit.cx(qubit - 1, qubit)
    circuit.measure_all()
    return circuit


def test_counts_of_each_circuit(backend: HaloBackend):
    circuits = transpile([ghz(2), ghz(3)], backend, seed_transpiler=1)
    job = backend.run(circuits, shots=SHOTS)
    result = job.result()
    assert isinstance(result, Result)
    assert job.status() is JobStatus.DONE
    assert result.success
    assert job.result() is result
    for circuit, counts in zip(circuits, result.get_counts(), strict=True):
        width = circuit.num_clbits
        assert sum(counts.values()) == SHOTS
        assert set(counts) == {"0" * width, "1" * width}
        assert abs(counts["0" * width] / SHOTS - 0.5) < tolerance(2, SHOTS)
    assert result.get_counts("ghz_3") == result.get_counts(1)


def test_circuits_run_within_one_merged_circuit(backend: HaloBackend):
    job = backend.run(transpile([ghz(2)] * 6, backend, seed_transpiler=1), shots=SHOTS)
    ((pub,),) = backend.sampler.sampler.calls
    assert pub.shots < SHOTS
    assert job.halo_job.plan.ratio > 4
    assert job.metadata["ratio"] == job.halo_job.plan.ratio


def test_memory_has_the_same_shots(backend: HaloBackend):
    job = backend.run(ghz(2), shots=50, memory=True)
    memory = job.result().get_memory()
    counts = job.result().get_counts()
    assert len(memory) == 50
    assert {word: memory.count(word) for word in set(memory)} == dict(counts)
    with pytest.raises(Exception, match="No memory"):
        backend.run(ghz(2), shots=50).result().get_memory()


def test_registers_and_loose_bits_show_as_they_do_alone(backend: HaloBackend):
    circuit = QuantumCircuit(QuantumRegister(2), ClassicalRegister(2, "a"), ClassicalRegister(1, "b"))
    circuit.x(0)
    circuit.measure([0, 0], [0, 2])
    loose = QuantumCircuit(QuantumRegister(1), ClassicalRegister(1, "a"), [Clbit(), Clbit()])
    loose.x(0)
    loose.measure(0, 2)
    shared = QuantumCircuit(1, 2)
    shared.add_register(ClassicalRegister(bits=shared.clbits[::-1], name="again"))
    shared.x(0)
    shared.measure(0, 0)
    assert backend.run([circuit, loose, shared], shots=20).result().get_counts() == [
        {"1 01": 20},
        {"100": 20},
        {"01": 20},
    ]


def test_nothing_measured_is_all_zeros(backend: HaloBackend):
    result = backend.run([QuantumCircuit(1, 2), QuantumCircuit(2)], shots=20).result()
    assert result.get_counts(0) == {"00": 20}
    assert result.data(1) == {"counts": {}}


def test_defaults_are_those_of_options(backend: HaloBackend):
    assert sum(backend.run(ghz(2)).result().get_counts().values()) == 1024
    backend.set_options(shots=30, memory=True)
    assert len(backend.run(ghz(2)).result().get_memory()) == 30


def test_it_looks_like_the_device(backend: HaloBackend):
    assert backend.target is DEVICE.target
    assert backend.num_qubits == 5
    assert backend.max_circuits is None
    assert backend.name == f"halo({DEVICE.name})"


def test_qiskits_own_sampler_is_used_if_none_is_given():
    pytest.importorskip("qiskit_aer")
    counts = HaloBackend(DEVICE, options=HaloOptions(max_batch_programs=4)).run(ghz(2), shots=100).result().get_counts()
    assert sum(counts.values()) == 100


def test_input_is_checked(backend: HaloBackend):
    open_circuit = QuantumCircuit(1, name="open")
    open_circuit.ry(Parameter("a"), 0)
    with pytest.raises(HaloValueError, match=r"circuit 1 \('open'\) has 1 unbound parameters"):
        backend.run([ghz(2), open_circuit])
    with pytest.raises(HaloValueError, match="circuit 0 must be a QuantumCircuit, not str"):
        backend.run(["ghz"])
    with pytest.raises(HaloValueError, match=r"HaloBackend\.run takes shots and memory, not meas_level, seed"):
        backend.run(ghz(2), seed=1, meas_level=1)


def test_errors_of_batches_come_through():
    backend = HaloBackend(DEVICE, sampler=FailingSampler(ExactSampler(), broken=[0]))
    job = backend.run(ghz(2), shots=10)
    assert job.status() is JobStatus.ERROR
    assert job.cancel() is False
    with pytest.raises(HaloError, match=r"batch 0 of 1 \(circuit 0 ghz_2\) failed"):
        job.result()
