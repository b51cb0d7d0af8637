"""HaloEstimator in place of an estimator: the cases of Qiskit's own, abstract and compiled, over a noise-free device."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from qiskit import QuantumCircuit, transpile
from qiskit.circuit import Parameter
from qiskit.circuit.library import real_amplitudes
from qiskit.primitives import BackendEstimatorV2, PrimitiveResult, PubResult, StatevectorEstimator
from qiskit.primitives.containers.bindings_array import BindingsArray
from qiskit.primitives.containers.estimator_pub import EstimatorPub
from qiskit.primitives.containers.observables_array import ObservablesArray
from qiskit.providers.basic_provider import BasicSimulator
from qiskit.providers.fake_provider import GenericBackendV2
from qiskit.quantum_info import SparseObservable, SparsePauliOp, Statevector
from qiskit.transpiler import CouplingMap

from qiskit_halo.errors import HaloError, HaloValueError
from qiskit_halo.options import HaloOptions
from qiskit_halo.primitives.estimator import HaloEstimator, shots_for
from tests.samplers import ExactSampler, FailingSampler

BACKEND = GenericBackendV2(
    7, coupling_map=CouplingMap([[0, 1], [1, 2], [1, 3], [3, 5], [4, 5], [5, 6]]), control_flow=True, seed=42
)
PRECISION = 0.02
OPTIONS = HaloOptions(max_batch_programs=16)
HAMILTONIANS = (
    SparsePauliOp.from_list([("II", 1), ("IZ", 2), ("XI", 3)]),
    SparsePauliOp.from_list([("IZ", 1)]),
    SparsePauliOp.from_list([("ZI", 1), ("ZZ", 1)]),
)
VALUES = ([0, 1, 1, 2, 3, 5], [0, 1, 1, 2, 3, 5, 8, 13], [1, 2, 3, 4, 5, 6])
H2 = SparsePauliOp.from_list([("II", -1.0523), ("IZ", 0.39793), ("ZI", -0.39793), ("ZZ", -0.01128), ("XX", 0.18093)])

Prepare = Callable[..., tuple]


@pytest.fixture(params=["abstract", "compiled"])
def prepare(request: pytest.FixtureRequest) -> Prepare:
    """(circuit, observables...) as the user hands them over."""

    def as_it_is(circuit, *observables):
        return circuit, *observables

    def compiled(circuit, *observables):
        isa = transpile(circuit, BACKEND, optimization_level=0, seed_transpiler=1)
        return isa, *(observable.apply_layout(isa.layout) for observable in observables)

    return as_it_is if request.param == "abstract" else compiled


@pytest.fixture(params=[True, False], ids=["grouped", "apart"])
def estimator(request: pytest.FixtureRequest) -> HaloEstimator:
    return HaloEstimator(
        ExactSampler(seed=5),
        backend=BACKEND,
        options=OPTIONS,
        default_precision=PRECISION,
        abelian_grouping=request.param,
        seed_transpiler=1,
    )


def check(result: PubResult, exact: object, weight: float = 1.0, precision: float = PRECISION) -> None:
    """Values lie within 6.1 standard errors, which one in 1e9 normal draws exceeds, of the exact ones."""
    exact = np.asarray(exact)
    assert result.data.evs.shape == exact.shape
    assert np.all(np.abs(result.data.evs - exact) <= 6.1 * weight * precision)
    assert np.all(result.data.stds <= weight * precision * (1 + 1e-9))


def psi(reps: int) -> QuantumCircuit:
    return real_amplitudes(2, reps=reps)


def value(circuit: QuantumCircuit, operator: SparsePauliOp, values: object = None) -> float:
    bound = circuit if values is None else circuit.assign_parameters(values)
    return float(Statevector(bound).expectation_value(operator).real)


def test_single_values_lists_and_several_pubs(estimator: HaloEstimator, prepare: Prepare):
    one, *own = prepare(psi(2), *HAMILTONIANS)
    two, *other = prepare(psi(3), *HAMILTONIANS)
    result = estimator.run(
        [
            (one, own[0], [VALUES[0]]),
            (two, other[0], VALUES[1]),
            (one, [own[1], own[2]], VALUES[0]),
            (one, [own[0], own[2]], [VALUES[0], VALUES[2]]),
        ]
    ).result()
    assert isinstance(result, PrimitiveResult)
    assert all(isinstance(pub, PubResult) for pub in result)
    a, b, c = HAMILTONIANS
    check(result[0], [value(psi(2), a, VALUES[0])], weight=5)
    check(result[1], value(psi(3), a, VALUES[1]), weight=5)
    check(result[2], [value(psi(2), b, VALUES[0]), value(psi(2), c, VALUES[0])], weight=2)
    check(result[3], [value(psi(2), a, VALUES[0]), value(psi(2), c, VALUES[2])], weight=5)


def test_pubs_as_objects(estimator: HaloEstimator, prepare: Prepare):
    circuit, first, _, third = prepare(psi(2), *HAMILTONIANS)
    observables = ObservablesArray.coerce([first, third])
    bindings = BindingsArray.coerce({tuple(circuit.parameters): [VALUES[0], VALUES[2]]})
    result = estimator.run(iter([EstimatorPub(circuit, observables, bindings)])).result()
    check(result[0], [value(psi(2), HAMILTONIANS[0], VALUES[0]), value(psi(2), HAMILTONIANS[2], VALUES[2])], weight=5)


def test_no_parameters(estimator: HaloEstimator, prepare: Prepare):
    bound = psi(2).assign_parameters(VALUES[0])
    circuit, observable = prepare(bound, H2)
    check(estimator.run([(circuit, observable)]).result()[0], value(bound, H2), weight=2)
    for empty, shape in ((None, ()), ([], ()), ([[]], (1,)), (np.array([]), ()), (np.array([[]]), (1,))):
        assert estimator.run([(circuit, observable, empty)]).result()[0].data.evs.shape == shape


@pytest.mark.parametrize("written", [[np.pi], np.array([np.pi])])
def test_one_parameter(estimator: HaloEstimator, prepare: Prepare, written: object):
    circuit = QuantumCircuit(1)
    circuit.ry(Parameter("x"), 0)
    circuit, observable = prepare(circuit, SparsePauliOp("Z"))
    result = estimator.run([(circuit, observable, written)]).result()[0]
    assert result.data.evs == pytest.approx(-1)
    assert result.metadata["target_precision"] == PRECISION


@pytest.mark.parametrize(
    ("flip", "label", "expected"),
    [("", "II", 1), ("x", "II", 1), ("", "ZI", 1), ("x", "ZI", 1), ("", "IZ", 1), ("x", "IZ", -1)],
)
def test_qubits_are_in_order(estimator: HaloEstimator, prepare: Prepare, flip: str, label: str, expected: int):
    circuit = QuantumCircuit(2)
    if flip:
        circuit.x(0)
    circuit, observable = prepare(circuit, SparsePauliOp(label))
    result = estimator.run([(circuit, observable)]).result()[0]
    assert (result.data.evs, result.data.stds) == (expected, 0)


def test_identities_alone_are_not_run(estimator: HaloEstimator):
    result = estimator.run([(QuantumCircuit(2), SparsePauliOp("II", [0.5]))]).result()[0]
    assert (result.data.evs, result.data.stds) == (0.5, 0)
    assert estimator.sampler.sampler.calls == []


@pytest.mark.parametrize(
    ("observable_shape", "value_shape"), [((), (3, 2)), ((2, 1), (3,)), ((2,), (3, 1)), ((2,), (2,)), ((2, 3), ())]
)
def test_broadcasting_is_qiskits(estimator: HaloEstimator, observable_shape, value_shape, rng):
    labels = np.array(["XI", "IY", "ZZ", "YX", "ZI", "XX"])[: math.prod(observable_shape)].reshape(observable_shape)
    values = rng.uniform(0, 3, (*value_shape, 6))
    circuit = psi(2)
    expected = StatevectorEstimator().run([(circuit, labels.tolist(), values)], precision=0.0).result()[0].data.evs
    check(estimator.run([(circuit, labels.tolist(), values)]).result()[0], expected)


def test_precision_decides_shots_and_errors(estimator: HaloEstimator, prepare: Prepare):
    circuit, observable = prepare(psi(2), HAMILTONIANS[0])
    result = estimator.run(
        [(circuit, observable, [VALUES[0]]), (circuit, observable, [VALUES[0]], 0.05)], precision=0.04
    ).result()
    assert [pub.metadata["shots"] for pub in result] == [625, 400]
    assert [pub.metadata["target_precision"] for pub in result] == [0.04, 0.05]
    check(result[0], [value(psi(2), HAMILTONIANS[0], VALUES[0])], weight=5, precision=0.04)
    check(result[1], [value(psi(2), HAMILTONIANS[0], VALUES[0])], weight=5, precision=0.05)


def test_standard_errors_are_those_of_qiskits_estimator():
    """From the same shots the same error: the variance of each term, weighted and added."""
    circuit = psi(2).assign_parameters(VALUES[0])
    halo = HaloEstimator(ExactSampler(seed=3), backend=BACKEND, options=OPTIONS).run([(circuit, H2)], precision=0.005)
    theirs = BackendEstimatorV2(backend=BasicSimulator(), options={"seed_simulator": 3})
    other = theirs.run([(circuit, H2)], precision=0.005).result()[0]
    ours = halo.result()[0]
    assert ours.data.stds == pytest.approx(float(other.data.stds), rel=0.02)
    assert abs(ours.data.evs - other.data.evs) < 6.1 * math.sqrt(2) * 0.005
    assert {k: v for k, v in ours.metadata.items() if k != "halo"} == other.metadata


def test_terms_of_weight_zero_are_taken_as_qiskit_takes_them(estimator: HaloEstimator):
    pub = (psi(2), [SparsePauliOp.from_list([("II", 0), ("IZ", 0), ("XI", 0)])], [VALUES[0]])
    try:
        expected = StatevectorEstimator().run([pub], precision=0.05).result()[0]
    except ValueError:  # an empty observable, since Qiskit 2.1
        with pytest.raises(ValueError, match="pub 0: Empty observable"):
            estimator.run([pub])
    else:
        assert estimator.run([pub], precision=0.05).result()[0].data.evs.tolist() == expected.data.evs.tolist()


def test_projectors():
    circuit = psi(2).assign_parameters(VALUES[0])
    labels = ["0+", "1-", "r0", "lZ", "I1"]
    estimator = HaloEstimator(ExactSampler(seed=3), backend=BACKEND, options=OPTIONS, default_precision=PRECISION)
    observables = [SparseObservable.from_list([(label, 1.0)]) for label in labels]
    expected = [value(circuit, SparsePauliOp.from_sparse_observable(observable)) for observable in observables]
    check(estimator.run([(circuit, observables)]).result()[0], expected)


def test_a_circuit_that_measures_by_itself(estimator: HaloEstimator):
    circuit = QuantumCircuit(2, 1)
    circuit.h(0)
    circuit.measure(0, 0)
    with circuit.if_test((0, 1)):
        circuit.x(1)
    result = estimator.run([(circuit, ["ZZ", "IZ"])]).result()[0]
    check(result, [1.0, 0.0])


def test_everything_shares_merged_circuits():
    estimator = HaloEstimator(ExactSampler(seed=3), backend=BACKEND, default_precision=0.05)
    job = estimator.run([(psi(2), H2, np.random.default_rng(1).uniform(0, 3, (12, 6)))])
    assert job.plan.num_programs == 24  # two bases of twelve points
    assert len(job.plan.batches) == 1
    assert job.plan.ratio > 10
    assert job.result().metadata["halo"]["ratio"] == job.plan.ratio


class TestErrors:
    @pytest.mark.parametrize(
        "pub",
        [
            (QuantumCircuit(1), "II"),
            (QuantumCircuit(1), "I", [[1e4]]),
            (QuantumCircuit(2), "II", [[1, 2]]),
            (QuantumCircuit(1), ["I", "II"]),
            (QuantumCircuit(1), 1j * SparsePauliOp("Z")),
            (QuantumCircuit(1), "I", None, 0),
            (QuantumCircuit(1), "I", None, -1),
        ],
    )
    def test_pubs_that_make_no_sense(self, estimator: HaloEstimator, pub: tuple):
        with pytest.raises(ValueError, match="pub 1: "):
            estimator.run([(QuantumCircuit(1), "Z"), pub])
        assert estimator.sampler.sampler.calls == []

    @pytest.mark.parametrize("precision", [0, -1])
    def test_precision_of_the_call(self, estimator: HaloEstimator, precision: float):
        with pytest.raises(ValueError, match="pub 0: "):
            estimator.run([(QuantumCircuit(1), "Z")], precision=precision)

    def test_a_pub_in_place_of_a_list(self, estimator: HaloEstimator):
        with pytest.raises(ValueError, match="An invalid Estimator pub-like was given"):
            estimator.run((QuantumCircuit(1), "Z"))

    def test_a_circuit_that_does_not_compile(self, estimator: HaloEstimator):
        wide = QuantumCircuit(9, name="wide")
        wide.h(0)
        wide.cx(0, range(1, 9))
        with pytest.raises(HaloError, match=r"pub 1 \('wide'\): .* needs 9 connected"):
            estimator.run([(QuantumCircuit(1), "Z"), (wide, "Z" * 9)])

    def test_a_register_of_ours(self, estimator: HaloEstimator):
        from qiskit.circuit import ClassicalRegister, QuantumRegister

        circuit = QuantumCircuit(QuantumRegister(1), ClassicalRegister(1, "__halo_basis"))
        with pytest.raises(HaloValueError, match="pub 0: the circuit has a register"):
            estimator.run([(circuit, "Z")])

    def test_a_batch_that_fails(self):
        options = HaloOptions(max_batch_programs=1, max_copies=1, max_executions=500)
        inner = FailingSampler(ExactSampler(), broken=[1])
        job = HaloEstimator(inner, backend=BACKEND, options=options, default_precision=0.05).run(
            [(QuantumCircuit(1), "Z"), (QuantumCircuit(1), "X")]
        )
        with pytest.raises(HaloError, match=r"batch 1 of 2 \(pub 1 circuit-\d+\[0\]\) failed: RuntimeError"):
            job.result()
        first, second = job.partial_result()
        assert first.data.evs == 1.0
        assert second is None


def test_precision_and_shots():
    assert [shots_for(p) for p in (1.0, 0.5, 0.015625, 0.01)] == [1, 4, 4096, 10000]
