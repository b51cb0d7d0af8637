"""HaloSampler in place of a sampler: the cases of Qiskit's own samplers, abstract and compiled, over a noise-free device."""

from __future__ import annotations

import math
import re
from collections.abc import Callable

import numpy as np
import pytest
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister, transpile
from qiskit.circuit import Parameter, ParameterVector
from qiskit.circuit.library import UnitaryGate, real_amplitudes
from qiskit.primitives import BitArray, DataBin, PrimitiveResult, SamplerPubResult
from qiskit.primitives.containers.sampler_pub import SamplerPub
from qiskit.providers import JobStatus
from qiskit.providers.fake_provider import GenericBackendV2
from qiskit.transpiler import CouplingMap

from qiskit_halo.errors import HaloError, HaloTranspilerError, HaloValueError, HaloWarning
from qiskit_halo.options import HaloOptions
from qiskit_halo.primitives.sampler import HaloSampler
from qiskit_halo.verification.equivalence import outcome_distribution
from tests.samplers import ExactSampler, FailingSampler, tolerance
from tests.targets import make_target

BACKEND = GenericBackendV2(
    7, coupling_map=CouplingMap([[0, 1], [1, 2], [1, 3], [3, 5], [4, 5], [5, 6]]), control_flow=True, seed=42
)
SHOTS = 4000

Prepare = Callable[[QuantumCircuit], QuantumCircuit]


@pytest.fixture(params=["abstract", "compiled"])
def prepare(request: pytest.FixtureRequest) -> Prepare:
    """What the user does before running: nothing, or transpiling for the device."""
    if request.param == "abstract":
        return lambda circuit: circuit
    return lambda circuit: transpile(circuit, BACKEND, optimization_level=0, seed_transpiler=1)


@pytest.fixture
def sampler() -> HaloSampler:
    options = HaloOptions(max_batch_programs=16)  # small merged circuits compile sooner
    return HaloSampler(ExactSampler(seed=7), backend=BACKEND, options=options, seed_transpiler=1)


def bell() -> QuantumCircuit:
    circuit = QuantumCircuit(2, name="bell")
    circuit.h(0)
    circuit.cx(0, 1)
    circuit.measure_all()
    return circuit


def ansatz(reps: int = 2) -> QuantumCircuit:
    circuit = QuantumCircuit(2, name="ansatz")
    circuit.compose(real_amplitudes(2, reps=reps), inplace=True)
    circuit.measure_all()
    return circuit


def check(bits: BitArray, expected: dict[int, float], shots: int = SHOTS, index: tuple[int, ...] = ()) -> None:
    """The counts of one point are those of the exact distribution, within what sampling allows."""
    counts = bits.get_int_counts(index) if index else bits.get_int_counts()
    assert sum(counts.values()) == shots == bits.num_shots
    distance = sum(abs(counts.get(k, 0) / shots - expected.get(k, 0.0)) for k in {**counts, **expected}) / 2
    assert distance < tolerance(len(expected), shots)
    assert all(expected.get(key, 0.0) > 0 for key in counts)


def exact(circuit: QuantumCircuit, values: object = None) -> dict[int, float]:
    bound = circuit if values is None else circuit.assign_parameters(values)
    return {int(key, 2): value for key, value in outcome_distribution(bound, registers=["meas"]).items()}


class TestResults:
    def test_one_circuit(self, sampler: HaloSampler, prepare: Prepare):
        result = sampler.run([prepare(bell())], shots=SHOTS).result()
        assert isinstance(result, PrimitiveResult)
        assert len(result) == 1
        assert isinstance(result[0], SamplerPubResult)
        assert isinstance(result[0].data, DataBin)
        check(result[0].data.meas, {0: 0.5, 3: 0.5})

    def test_it_is_really_run_in_copies(self, sampler: HaloSampler):
        job = sampler.run([bell()], shots=SHOTS)
        assert job.plan.batches[0].num_copies > 10
        assert job.plan.ratio > 10
        ((pub,),) = sampler.sampler.calls
        assert pub.shots < SHOTS / 10

    def test_the_same_circuit_many_times_and_runs_again(self, sampler: HaloSampler, prepare: Prepare):
        circuit = prepare(bell())
        for _ in range(2):
            result = sampler.run([circuit, circuit, circuit], shots=SHOTS).result()
            assert len(result) == 3
            for pub in result:
                check(pub.data.meas, {0: 0.5, 3: 0.5})

    def test_one_and_two_qubits_in_order(self, sampler: HaloSampler, prepare: Prepare):
        circuits = []
        for num_qubits in (1, 2):
            for value in range(2**num_qubits):
                circuit = QuantumCircuit(num_qubits)
                circuit.x([q for q in range(num_qubits) if value >> q & 1]) if value else None
                circuit.measure_all()
                circuits.append(prepare(circuit))
        result = sampler.run(circuits, shots=50).result()
        assert [pub.data.meas.get_int_counts() for pub in result] == [{v: 50} for v in (0, 1, 0, 1, 2, 3)]

    def test_measurements_in_reverse_order(self, sampler: HaloSampler, prepare: Prepare):
        x, y = Parameter("x"), Parameter("y")
        circuit = QuantumCircuit(3, 3)
        circuit.rx(x, 0)
        circuit.rx(y, 1)
        circuit.x(2)
        circuit.measure([0, 1, 2], [2, 1, 0])
        circuit = prepare(circuit)
        result = sampler.run([(circuit, [0, 0]), (circuit, [np.pi / 2, 0])], shots=SHOTS).result()
        check(result[0].data.c, {1: 1.0})
        check(result[1].data.c, {1: 0.5, 5: 0.5})

    def test_a_unitary(self, sampler: HaloSampler, prepare: Prepare):
        for matrix, expected in ((np.eye(2), 0), ([[0, 1], [1, 0]], 1)):
            circuit = QuantumCircuit(1)
            circuit.append(UnitaryGate(matrix), [0])
            circuit.measure_all()
            result = sampler.run([prepare(circuit)], shots=20).result()
            assert result[0].data.meas.get_int_counts() == {expected: 20}

    def test_as_many_qubits_as_the_device(self, sampler: HaloSampler, prepare: Prepare):
        circuit = QuantumCircuit(7)
        circuit.h(range(7))
        circuit.measure_all()
        result = sampler.run([prepare(circuit)], shots=SHOTS).result()
        check(result[0].data.meas, dict.fromkeys(range(128), 1 / 128))

    def test_an_iterator_and_no_pubs(self, sampler: HaloSampler, prepare: Prepare):
        assert len(sampler.run(iter([prepare(bell()), prepare(bell())]), shots=10).result()) == 2
        job = sampler.run([])
        assert len(job.result()) == 0
        assert job.done()


class TestParameters:
    CASES = (
        [0] * 6,
        [1] * 6,
        [0, 1, 1, 2, 3, 5],
        [1, 2, 3, 4, 5, 6],
    )

    def test_values_bind_to_their_parameters(self, sampler: HaloSampler, prepare: Prepare):
        circuit = ansatz()
        result = sampler.run([(prepare(circuit), values) for values in self.CASES], shots=SHOTS).result()
        for pub, values in zip(result, self.CASES, strict=True):
            assert pub.data.meas.shape == ()
            check(pub.data.meas, exact(circuit, values))

    @pytest.mark.parametrize("shape", [(), (1,), (3,), (2, 3), (2, 1, 2)])
    def test_sweeps_of_any_shape(self, sampler: HaloSampler, prepare: Prepare, shape: tuple[int, ...], rng):
        circuit = ansatz()
        values = rng.uniform(0, 3, (*shape, 6))
        result = sampler.run([(prepare(circuit), values)], shots=SHOTS).result()
        bits = result[0].data.meas
        assert (bits.shape, bits.num_shots, bits.num_bits) == (shape, SHOTS, 2)
        assert bits.array.dtype == np.uint8
        for index in np.ndindex(shape):
            check(bits, exact(circuit, values[index]), index=index)

    def test_an_empty_sweep(self, sampler: HaloSampler):
        result = sampler.run([(ansatz(), np.zeros((0, 6))), bell()], shots=10).result()
        assert result[0].data.meas.array.shape == (0, 10, 1)
        assert result[1].data.meas.num_shots == 10

    @pytest.mark.parametrize("key", ["name", "object"])
    @pytest.mark.parametrize("value", [np.pi, np.array(np.pi), [np.pi], np.array([np.pi])])
    def test_ways_to_write_one_parameter(self, sampler: HaloSampler, prepare: Prepare, key: str, value: object):
        angle = Parameter("x")
        circuit = QuantumCircuit(1, 1)
        circuit.ry(angle, 0)
        circuit.measure(0, 0)
        values = {"x" if key == "name" else angle: value}
        result = sampler.run([(prepare(circuit), values)], shots=30).result()
        assert result[0].data.c.shape == SamplerPub.coerce((circuit, values)).shape
        assert result[0].data.c.get_int_counts() == {1: 30}

    def test_more_than_ten_elements_of_a_vector_stay_in_order(self, sampler: HaloSampler, prepare: Prepare):
        angles = ParameterVector("t", 12)
        circuit = QuantumCircuit(2)
        for index, angle in enumerate(angles):
            circuit.rx(angle, index % 2)
        circuit.measure_all()
        values = np.zeros(12)
        values[10] = np.pi  # acts on qubit 0
        result = sampler.run([(prepare(circuit), values)], shots=20).result()
        assert result[0].data.meas.get_int_counts() == {1: 20}

    def test_a_parameter_that_no_outcome_depends_on(self, sampler: HaloSampler):
        circuit = QuantumCircuit(1)
        circuit.rz(Parameter("a"), 0)
        circuit.measure_all()
        result = sampler.run([(circuit, [[0.1], [0.2]])], shots=20).result()
        assert result[0].data.meas.shape == (2,)

    def test_the_structure_is_compiled_once_and_kept(self, sampler: HaloSampler, monkeypatch: pytest.MonkeyPatch):
        circuit = ansatz()
        job = sampler.run([(circuit, np.zeros((30, 6)))], shots=10)
        ((pub,),) = sampler.sampler.calls
        assert pub.shape == (job.plan.batches[0].num_rows,) == (2,)
        assert pub.circuit.num_parameters == 6 * len(job.plan.batches[0].slots)
        monkeypatch.setattr(type(sampler._compiler), "_compile", None)  # must not be called again
        assert sampler.run([(circuit, np.ones((30, 6)))], shots=10).plan == job.plan

    def test_a_delay_with_a_parameter(self, sampler: HaloSampler):
        wait = Parameter("t")
        circuit = QuantumCircuit(1)
        circuit.x(0)
        circuit.delay(wait, 0, unit="us")
        circuit.measure_all()
        result = sampler.run([(circuit, [[1.0], [2.0]])], shots=20).result()
        assert result[0].data.meas.shape == (2,)
        assert result[0].data.meas.get_int_counts() == {1: 40}


class TestRegisters:
    @pytest.mark.parametrize(
        ("sizes", "measured", "expected"),
        [
            ((1, 2, 3), ([0, 1, 2, 2], [0, 2, 4, 5]), ({0: 0.5, 1: 0.5}, {0: 0.5, 2: 0.5}, {0: 0.5, 6: 0.5})),
            ((1, 5, 3), ([0, 1, 2, 2], [0, 2, 4, 5]), ({0: 0.5, 1: 0.5}, dict.fromkeys((0, 2, 24, 26), 0.25), {0: 1})),
            ((1, 2, 3), ([1], [5]), ({0: 1}, {0: 1}, {0: 0.5, 4: 0.5})),
            ((1, 2, 3), ([0, 1, 2], [5, 5, 5]), ({0: 1}, {0: 1}, {0: 0.5, 4: 0.5})),
            ((1, 2, 3), ([], []), ({0: 1}, {0: 1}, {0: 1})),
        ],
    )
    def test_several(self, sampler: HaloSampler, prepare: Prepare, sizes, measured, expected):
        registers = [ClassicalRegister(size, name) for size, name in zip(sizes, "abc", strict=True)]
        circuit = QuantumCircuit(QuantumRegister(3), *registers)
        circuit.h(range(3))
        circuit.measure(*measured)
        data = sampler.run([prepare(circuit)], shots=SHOTS).result()[0].data
        assert list(data) == ["a", "b", "c"]
        for register, counts in zip(registers, expected, strict=True):
            assert data[register.name].num_bits == register.size
            check(data[register.name], counts)

    def test_registers_that_conditions_read(self, sampler: HaloSampler, prepare: Prepare):
        first, second = ClassicalRegister(1, "c1"), ClassicalRegister(1, "c2")
        inner = QuantumCircuit(QuantumRegister(3, "q"), first, second)
        inner.ry(np.pi / 4, 2)
        inner.cx(2, 1)
        inner.cx(0, 1)
        inner.h(0)
        inner.measure(0, first)
        inner.measure(1, second)
        with inner.if_test((first, 1)):
            inner.z(2)
        with inner.if_test((second, 1)):
            inner.x(2)
        circuit = QuantumCircuit(5, 5)
        circuit.compose(inner, [0, 2, 3], [2, 4], inplace=True)
        data = sampler.run([prepare(circuit)], shots=SHOTS).result()[0].data
        one = math.sin(np.pi / 8) ** 2
        names = [register.name for register in circuit.cregs]
        check(data[names[0]], {0: (1 - one) / 2, 4: (1 - one) / 2, 16: one / 2, 20: one / 2})
        check(data[names[1]], {0: 0.5, 1: 0.5})
        check(data[names[2]], {0: 1 - one, 1: one})

    def test_none(self, sampler: HaloSampler, prepare: Prepare):
        with pytest.warns(UserWarning, match="no classical registers"):
            result = sampler.run([prepare(QuantumCircuit(2)), prepare(bell())], shots=10).result()
        assert len(result[0].data) == 0
        assert result[1].data.meas.num_shots == 10

    def test_an_empty_one(self, sampler: HaloSampler, prepare: Prepare):
        circuit = QuantumCircuit(QuantumRegister(1), ClassicalRegister(0, "c1"), ClassicalRegister(1, "c2"))
        circuit.h(0)
        circuit.measure(0, 0)
        data = sampler.run([prepare(circuit)], shots=SHOTS).result()[0].data
        assert data.c1.array.shape == (SHOTS, 0)
        check(data.c2, {0: 0.5, 1: 0.5})

    def test_an_empty_circuit_with_registers(self, sampler: HaloSampler, prepare: Prepare):
        data = sampler.run([prepare(QuantumCircuit(5, 4))], shots=20).result()[0].data
        assert data.c.get_int_counts() == {0: 20}
        assert sampler.sampler.calls == []


class TestShots:
    def test_the_pubs_own_win_over_the_calls_over_the_defaults(self):
        inner = ExactSampler(default_shots=33)
        sampler = HaloSampler(inner, backend=BACKEND, options=HaloOptions(max_batch_programs=8))
        pubs = [SamplerPub(bell(), shots=100), (bell(), None, 200), bell()]
        assert [pub.data.meas.num_shots for pub in sampler.run(pubs, shots=50).result()] == [100, 200, 50]
        assert [pub.data.meas.num_shots for pub in sampler.run(pubs).result()] == [100, 200, 33]
        inner.default_shots = 44
        assert sampler.run([bell()]).result()[0].data.meas.num_shots == 44

    def test_totals_are_exact_whatever_the_spread(self, sampler: HaloSampler, prepare: Prepare):
        shots = [1, 7, 100, 2999, 3001]
        result = sampler.run([(prepare(bell()), None, number) for number in shots]).result()
        assert [sum(pub.data.meas.get_counts().values()) for pub in result] == shots

    def test_limits_lead_to_several_batches_and_jobs(self):
        inner = ExactSampler()
        options = HaloOptions(max_batch_programs=3, max_executions=700, max_circuits=4)
        sampler = HaloSampler(inner, backend=BACKEND, options=options)
        circuit = ansatz()
        values = np.linspace(0, 1, 20 * 6).reshape(20, 6)
        job = sampler.run([(circuit, values), bell()], shots=250)
        for index, point in enumerate(values):
            check(job.result()[0].data.meas, exact(circuit, point), shots=250, index=(index,))
        assert len(inner.calls) > 1
        for call in inner.calls:
            assert sum(pub.parameter_values.size * pub.shots for pub in call) <= 700
            assert sum(pub.parameter_values.size for pub in call) <= 4

    def test_a_device_that_takes_one_circuit_a_job(self):
        class Small(GenericBackendV2):
            max_circuits = 1

        inner = ExactSampler()
        sampler = HaloSampler(inner, backend=Small(5, seed=1), options=HaloOptions(max_batch_programs=8))
        result = sampler.run([(ansatz(), np.zeros((30, 6)))], shots=5).result()
        assert result[0].data.meas.get_int_counts() == {0: 150}
        assert all(pub.parameter_values.size == 1 for call in inner.calls for pub in call)

    def test_a_sampler_that_takes_one_number_of_shots_a_job(self):
        class Picky(ExactSampler):
            def run(self, pubs, *, shots=None):
                pubs = list(pubs)
                if len({pub.shots for pub in pubs}) > 1:
                    raise ValueError("one number of shots, please")
                return super().run(pubs, shots=shots)

        inner = Picky()
        sampler = HaloSampler(inner, backend=BACKEND, options=HaloOptions(max_batch_programs=1, max_copies=1))
        flip = QuantumCircuit(1)
        flip.x(0)
        flip.measure_all()
        result = sampler.run([(flip, None, 10), (bell(), None, 20)]).result()
        assert [pub.data.meas.num_shots for pub in result] == [10, 20]
        assert len(inner.calls) == 2


class TestWithoutSharing:
    @pytest.mark.parametrize("sharing", ["none", "helpers"])
    def test_programs_are_side_by_side(self, sharing: str, prepare: Prepare):
        sampler = HaloSampler(
            ExactSampler(),
            backend=BACKEND,
            options=HaloOptions(sharing=sharing, success_floor=0.0, max_batch_programs=8),
        )
        job = sampler.run([prepare(bell())] * 5, shots=SHOTS)
        for pub in job.result():
            check(pub.data.meas, {0: 0.5, 3: 0.5})
        if sharing == "none":
            assert all("reset" not in pub.circuit.count_ops() for call in sampler.sampler.calls for pub in call)

    def test_a_device_without_reset(self, prepare: Prepare):
        plain = make_target(6)
        del plain._gate_map["reset"]
        assert "reset" not in plain.operation_names
        sampler = HaloSampler(
            ExactSampler(), target=plain, options=HaloOptions(success_floor=0.0, max_batch_programs=8)
        )
        circuit = transpile(bell(), target=plain, seed_transpiler=1)
        with pytest.warns(HaloWarning, match="the device has no reset"):
            result = sampler.run([bell(), circuit, circuit], shots=SHOTS).result()
        for pub in result:
            check(pub.data.meas, {0: 0.5, 3: 0.5})


class TestErrors:
    def test_nothing_is_sent(self, sampler: HaloSampler):
        wide = QuantumCircuit(9, name="wide")
        wide.h(0)
        wide.cx(0, range(1, 9))
        wide.measure_all()
        with pytest.raises(HaloTranspilerError, match=r"pub 1 \('wide'\): the circuit \('wide'\) needs 9 connected"):
            sampler.run([bell(), wide])
        with pytest.raises(HaloValueError, match="pub 1: "):
            sampler.run([bell(), (bell(), [1.0, 2.0])])
        assert sampler.sampler.calls == []

    def test_values_that_do_not_fit(self, sampler: HaloSampler):
        for pub in (ansatz(), (ansatz(), []), (ansatz(), None), (ansatz(), [1.0]), (ansatz(), [1.0] * 100)):
            with pytest.raises(ValueError, match="pub 0: "):
                sampler.run([pub])

    @pytest.mark.parametrize("shots", [0, -1])
    def test_shots_that_are_no_shots(self, sampler: HaloSampler, shots: int):
        for call in (
            lambda: sampler.run([bell()], shots=shots),
            lambda: sampler.run([(bell(), None, shots)]),
            lambda: sampler.run([SamplerPub(bell(), shots=shots)]),
        ):
            with pytest.raises(ValueError, match="shots must be positive"):
                call()

    def test_a_circuit_in_place_of_a_list(self, sampler: HaloSampler):
        with pytest.raises(ValueError, match="An invalid Sampler pub-like was given"):
            sampler.run(bell())
        with pytest.raises(ValueError, match="Note that if you want to run a single pub"):
            sampler.run((ansatz(), [0, 1]))

    def test_a_control_flow_that_the_device_lacks(self):
        sampler = HaloSampler(ExactSampler(), target=make_target(3, control_flow=False))
        circuit = QuantumCircuit(1, 1, name="branch")
        circuit.measure(0, 0)
        with circuit.if_test((0, 1)):
            circuit.x(0)
        with pytest.raises(HaloError, match=r"pub 0 \('branch'\): .*if_else"):
            sampler.run([circuit])

    def test_a_job_that_fails_names_its_batch_and_loses_nothing_else(self):
        inner = FailingSampler(ExactSampler(), broken=[1])
        options = HaloOptions(max_batch_programs=1, max_copies=1, max_executions=60)
        sampler = HaloSampler(inner, backend=BACKEND, options=options)
        flip = QuantumCircuit(1, name="flip")
        flip.x(0)
        flip.measure_all()
        job = sampler.run([(flip, None, 50), (bell(), None, 60)])
        assert job.status() is JobStatus.ERROR
        with pytest.raises(HaloError, match=re.escape("batch 1 of 2 (pub 1 bell) failed: RuntimeError: the queue was")):
            job.result()
        first, second = job.partial_result()
        assert first.data.meas.get_int_counts() == {1: 50}
        assert second is None

    def test_options_and_weights_are_checked(self, sampler: HaloSampler):
        with pytest.raises(HaloValueError, match="options must be HaloOptions or None, not dict"):
            HaloSampler(ExactSampler(), backend=BACKEND, options={})
        with pytest.raises(HaloValueError, match="there are 1 weights for 2 pubs"):
            sampler.run([bell(), bell()], weights=[1])
        with pytest.raises(HaloValueError, match="pub 1: its weight must be positive, not 0"):
            sampler.run([bell(), bell()], weights=[1, 0])

    def test_a_seed_that_would_draw_the_same_shots_twice_is_warned_about(self):
        inner = ExactSampler()
        inner.seed = 3
        options = HaloOptions(max_executions=100, max_batch_programs=1, max_copies=1)
        sampler = HaloSampler(inner, backend=BACKEND, options=options)
        with pytest.warns(HaloWarning, match="may draw the same shots"):
            sampler.run([bell()], shots=250)


class TestMetadata:
    def test_each_pub_has_its_own_notes(self, sampler: HaloSampler, prepare: Prepare):
        first, second = bell(), bell()
        second.metadata = {"a": 1}
        result = sampler.run([(prepare(first), None, 10), (prepare(second), None, 20)]).result()
        assert result.metadata["version"] == 2
        for pub, shots, notes in zip(result, (10, 20), ({}, {"a": 1}), strict=True):
            assert (pub.metadata["shots"], pub.metadata["circuit_metadata"]) == (shots, notes)
            assert pub.metadata["halo"]["cells"] >= 1

    def test_the_job_tells_the_plan_and_the_time(self, sampler: HaloSampler):
        job = sampler.run([bell()], shots=1000)
        assert job.status() in (JobStatus.RUNNING, JobStatus.DONE, JobStatus.QUEUED)
        assert job.result().metadata["halo"] == job.metadata
        assert job.metadata["ratio"] == pytest.approx(job.plan.one_by_one_s / job.plan.qpu_time_s)
        assert job.metadata["plan"]["batches"][0]["makespan_s"] == job.metadata["reports"][0]["makespan_s"]
        assert job.status() is JobStatus.DONE
        assert job.in_final_state()

    def test_every_copy_keeps_its_floor(self, sampler: HaloSampler):
        result = sampler.run([bell()], shots=1000).result()
        assert result[0].metadata["halo"]["least_success_kept"] >= 0.9 - 1e-9

    def test_the_repetition_delay_of_the_device_counts(self):
        backend = GenericBackendV2(5, seed=1)
        backend.default_rep_delay = 1e-3
        inner = ExactSampler()
        inner.backend = backend
        assert HaloSampler(inner).options.rep_delay_s == 1e-3
        assert HaloSampler(inner, options=HaloOptions(rep_delay_s=0.0)).options.rep_delay_s == 0.0


class TestCompiledCircuits:
    def test_they_stay_on_their_qubits(self, sampler: HaloSampler):
        circuit = transpile(bell(), BACKEND, initial_layout=[5, 6], optimization_level=1, seed_transpiler=1)
        job = sampler.run([circuit, bell()], shots=500)
        ((pub,),) = sampler.sampler.calls
        own = [slot for slot, kind in enumerate(job.plan.batches[0].slots) if kind == 1]
        for slot in own:
            assert job.metadata["reports"][0]["programs"][slot]["qubits"] == [5, 6]
        gates = [i for i in circuit.data if i.name not in ("barrier", "measure")]
        theirs = [i.name for i in pub.circuit.data if pub.circuit.find_bit(i.qubits[0]).index in (5, 6)]
        for name in {i.name for i in gates}:
            assert theirs.count(name) >= len(own) * sum(1 for i in gates if i.name == name)

    def test_they_may_move_if_asked_to(self):
        circuit = transpile(bell(), BACKEND, initial_layout=[5, 6], optimization_level=1, seed_transpiler=1)
        options = HaloOptions(move_isa=True, success_floor=0.0, max_batch_programs=16)
        sampler = HaloSampler(ExactSampler(seed=3), backend=BACKEND, options=options)
        job = sampler.run([circuit], shots=SHOTS)
        check(job.result()[0].data.meas, {0: 0.5, 3: 0.5})
        places = {tuple(p["qubits"]) for p in job.metadata["reports"][0]["programs"]}
        assert len(places) == 2  # of the six couplers two fit side by side
        ((pub,),) = sampler.sampler.calls
        names = sorted(set(circuit.count_ops()) - {"barrier"})
        for name in names:
            copies = len(job.plan.batches[0].slots)
            assert pub.circuit.count_ops()[name] == copies * circuit.count_ops()[name]


class TestScrubbing:
    def test_shots_are_spread_over_draws_and_put_together(self):
        inner = ExactSampler(seed=3)
        options = HaloOptions(scrub=True, max_batch_programs=8)
        sampler = HaloSampler(inner, backend=BACKEND, options=options)
        circuit = ansatz()
        values = np.linspace(0, 1, 12 * 6).reshape(12, 6)
        job = sampler.run([(circuit, values), (bell(), None, 333)], shots=250)
        result = job.result()
        for index, point in enumerate(values):
            check(result[0].data.meas, exact(circuit, point), shots=250, index=(index,))
        check(result[1].data.meas, {0: 0.5, 3: 0.5}, shots=333)
        (call,) = inner.calls
        assert len(call) > len(job.plan.batches)
        drawn = {tuple(i.name for i in pub.circuit.data if i.label == "halo_scrub") for pub in call}
        assert len(drawn) > 1
        assert {i.name for pub in call for i in pub.circuit.data if i.label == "halo_scrub"} == {"x", "delay"}


def test_weights_of_the_options_are_those_of_pubs():
    options = HaloOptions(weights=(1.0, 5.0), max_batch_programs=1, max_copies=1)
    job = HaloSampler(ExactSampler(), backend=BACKEND, options=options).run(
        [ansatz().assign_parameters([0] * 6), bell()]
    )
    assert [batch.programs for batch in job.plan.batches] == [(1,), (0,)]
