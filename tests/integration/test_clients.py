"""Packages that run circuits through primitives get from ours what they get from the wrapped ones.

Each needs its extra: pip install '.[cutting,algorithms,experiments]'.
"""

from __future__ import annotations

import runpy
import warnings
from pathlib import Path

import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit.circuit.library import real_amplitudes
from qiskit.primitives import PrimitiveResult
from qiskit.providers.fake_provider import GenericBackendV2
from qiskit.quantum_info import SparsePauliOp, Statevector

from qiskit_halo.options import HaloOptions
from qiskit_halo.primitives.estimator import HaloEstimator
from qiskit_halo.primitives.sampler import HaloSampler
from tests.samplers import ExactSampler

EXAMPLES = Path(__file__).parents[2] / "examples"
BACKEND = GenericBackendV2(9, coupling_map=[[q, q + 1] for q in range(8)], seed=3)
OPTIONS = HaloOptions(max_batch_programs=24, success_floor=0.0)

# What other packages warn about is not ours to change.
pytestmark = pytest.mark.filterwarnings("ignore")


def needs(package: str, extra: str) -> None:
    pytest.importorskip(package, reason=f"{package} is not installed; pip install 'qiskit-halo[{extra}]'")


def test_subexperiments_of_a_cut_circuit_reconstruct_it():
    needs("qiskit_addon_cutting", "cutting")
    from qiskit_addon_cutting import generate_cutting_experiments, partition_problem, reconstruct_expectation_values

    circuit = QuantumCircuit(6)
    for layer in range(2):
        for qubit in range(6):
            circuit.ry(0.4 + 0.2 * qubit + layer, qubit)
        for qubit in range(5) if layer == 0 else ():
            circuit.cz(qubit, qubit + 1)
    observable = SparsePauliOp(["ZIIIII", "IIZZII", "IIIIZZ"], [1.0, 0.5, -1.0])
    problem = partition_problem(circuit=circuit, partition_labels="AAABBB", observables=observable.paulis)
    experiments, coefficients = generate_cutting_experiments(problem.subcircuits, problem.subobservables, np.inf)
    labels = sorted(experiments)

    def reconstruct(sampler) -> float:
        job = sampler.run([own for label in labels for own in experiments[label]], shots=4000)
        found = iter(job.result())
        results = {label: PrimitiveResult([next(found) for _ in experiments[label]]) for label in labels}
        terms = reconstruct_expectation_values(results, coefficients, problem.subobservables)
        return float(np.dot(terms, observable.coeffs).real)

    exact = float(Statevector(circuit).expectation_value(observable).real)
    # Quasi-probabilities of one cut CZ add up to 3: each term has a standard error of at most 3 / sqrt(shots).
    tolerance = 6.1 * 3 * float(np.abs(observable.coeffs).sum()) / np.sqrt(4000)
    assert abs(reconstruct(ExactSampler(seed=1)) - exact) < tolerance
    assert abs(reconstruct(HaloSampler(ExactSampler(seed=2), backend=BACKEND, options=OPTIONS)) - exact) < tolerance


class TestAlgorithms:
    HAMILTONIAN = SparsePauliOp.from_list(
        [("II", -1.0524), ("IZ", 0.3979), ("ZI", -0.3979), ("ZZ", -0.0113), ("XX", 0.1809)]
    )

    def test_vqe_finds_the_ground_state(self):
        needs("qiskit_algorithms", "algorithms")
        from qiskit_algorithms import VQE, NumPyMinimumEigensolver
        from qiskit_algorithms.optimizers import COBYLA

        estimator = HaloEstimator(ExactSampler(seed=3), backend=BACKEND, options=OPTIONS, default_precision=0.02)
        ansatz = real_amplitudes(2, reps=1)
        vqe = VQE(estimator, ansatz, COBYLA(maxiter=40, rhobeg=0.5), initial_point=np.full(4, 0.1))
        found = vqe.compute_minimum_eigenvalue(self.HAMILTONIAN)
        exact = NumPyMinimumEigensolver().compute_minimum_eigenvalue(self.HAMILTONIAN)
        assert abs(found.eigenvalue.real - exact.eigenvalue.real) < 0.15

    def test_parameter_shift_gradients_are_exact(self):
        needs("qiskit_algorithms", "algorithms")
        from qiskit_algorithms.gradients import ParamShiftEstimatorGradient

        ansatz = real_amplitudes(2, reps=1)
        values = [0.3, 0.7, 1.1, 1.9]

        def energy(shift: np.ndarray) -> float:
            bound = ansatz.assign_parameters(np.add(values, shift))
            return float(Statevector(bound).expectation_value(self.HAMILTONIAN).real)

        exact = [(energy(e) - energy(-e)) / 2 for e in np.eye(4) * np.pi / 2]
        estimator = HaloEstimator(ExactSampler(seed=4), backend=BACKEND, options=OPTIONS, default_precision=0.02)
        found = ParamShiftEstimatorGradient(estimator).run([ansatz], [self.HAMILTONIAN], [values]).result()
        # Terms but the identity weigh 1 together; a component is half the difference of two values.
        assert np.abs(found.gradients[0] - np.array(exact)).max() < 6.1 * 0.02


class TestExperiments:
    def test_t1_is_that_of_the_qubit(self):
        needs("qiskit_experiments", "experiments")
        needs("qiskit_aer", "aer")
        from qiskit_experiments.library import T1
        from qiskit_ibm_runtime.fake_provider import FakeTorino

        from qiskit_halo.primitives.local import LocalSampler

        backend, qubit = FakeTorino(), 5
        t1 = backend.target.qubit_properties[qubit].t1
        experiment = T1((qubit,), delays=np.linspace(1e-6, 2 * t1, 10))
        sampler = HaloSampler(LocalSampler(backend, seed=2), backend=backend, options=OPTIONS)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            data = experiment.run(sampler=sampler, backend=backend, shots=2000).block_for_results()
            found = data.analysis_results("T1", dataframe=False).value
        assert abs(found.nominal_value - t1) < 6.1 * found.std_dev

    def test_randomized_benchmarking_stays_on_its_qubit_and_sees_no_error_where_there_is_none(self):
        needs("qiskit_experiments", "experiments")
        from qiskit_experiments.library import StandardRB

        inner = ExactSampler(seed=5)
        sampler = HaloSampler(inner, backend=BACKEND, options=OPTIONS)
        experiment = StandardRB((4,), lengths=[1, 20, 50], num_samples=2, seed=1)
        data = experiment.run(sampler=sampler, backend=BACKEND, shots=500, analysis=None).block_for_results()
        assert [own["counts"] for own in data.data()] == [{"0": 500}] * 6
        used = {
            pub.circuit.find_bit(qubit).index
            for call in inner.calls
            for pub in call
            for instruction in pub.circuit.data
            if instruction.name not in ("barrier", "delay")
            for qubit in instruction.qubits
        }
        assert used == {4}


@pytest.mark.parametrize(
    ("name", "package", "extra"),
    [
        ("cutting_example", "qiskit_addon_cutting", "cutting"),
        ("algorithms_example", "qiskit_algorithms", "algorithms"),
        ("experiments_example", "qiskit_experiments", "experiments"),
    ],
)
def test_example_prints_its_qpu_time(name: str, package: str, extra: str, capsys: pytest.CaptureFixture[str]):
    needs(package, extra)
    runpy.run_path(str(EXAMPLES / f"{name}.py"), run_name="__main__")
    assert "times less than one by one" in capsys.readouterr().out
