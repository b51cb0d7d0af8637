"""VQE on a small Hamiltonian with qiskit-algorithms, and a whole gradient in one call.

Needs: pip install 'qiskit-halo[algorithms,runtime,aer]'
"""

import numpy as np
from qiskit.circuit.library import real_amplitudes
from qiskit.quantum_info import SparsePauliOp
from qiskit_algorithms import VQE, NumPyMinimumEigensolver
from qiskit_algorithms.gradients import ParamShiftEstimatorGradient
from qiskit_algorithms.optimizers import COBYLA
from qiskit_ibm_runtime.fake_provider import FakeTorino

from qiskit_halo import HaloEstimator, HaloOptions, LocalSampler

HAMILTONIAN = SparsePauliOp.from_list(
    [("II", -1.0524), ("IZ", 0.3979), ("ZI", -0.3979), ("ZZ", -0.0113), ("XX", 0.1809)]
)
"""Molecular hydrogen at its equilibrium distance, on two qubits."""


def main() -> None:
    """Print the energy that VQE finds, and what one gradient costs."""
    backend = FakeTorino()
    options = HaloOptions(max_batch_programs=16)  # copies cost time to simulate, unlike on a QPU
    sampler = LocalSampler(backend, noise=False, seed=1)
    estimator = HaloEstimator(sampler, backend=backend, options=options, default_precision=0.03)
    ansatz = real_amplitudes(2, reps=1)
    start = np.full(ansatz.num_parameters, 0.1)

    vqe = VQE(estimator, ansatz, COBYLA(maxiter=40, rhobeg=0.5), initial_point=start)
    found = vqe.compute_minimum_eigenvalue(HAMILTONIAN)
    exact = NumPyMinimumEigensolver().compute_minimum_eigenvalue(HAMILTONIAN)
    print(f"VQE {found.eigenvalue.real:.3f}, exact {exact.eigenvalue.real:.3f}")

    gradient = ParamShiftEstimatorGradient(estimator).run([ansatz], [HAMILTONIAN], [start]).result()
    print("gradient", np.round(gradient.gradients[0], 2))

    shifts = np.concatenate([np.eye(ansatz.num_parameters), -np.eye(ansatz.num_parameters)]) * np.pi / 2
    job = estimator.run([(ansatz, HAMILTONIAN, start + shifts)])
    print(f"{job.plan.num_programs} programs: modelled QPU time {job.plan.ratio:.0f} times less than one by one")


if __name__ == "__main__":
    main()
