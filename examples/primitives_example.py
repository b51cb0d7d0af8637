"""HaloSampler and HaloEstimator in place of a sampler and an estimator, and what they save."""

import numpy as np
from qiskit import QuantumCircuit
from qiskit.circuit.library import real_amplitudes
from qiskit_ibm_runtime.fake_provider import FakeTorino

from qiskit_halo import HaloEstimator, HaloOptions, HaloSampler, LocalSampler


def ghz(num_qubits: int) -> QuantumCircuit:
    """Return a circuit whose qubits are all 0 or all 1."""
    circuit = QuantumCircuit(num_qubits, name=f"ghz {num_qubits}")
    circuit.h(0)
    for qubit in range(1, num_qubits):
        circuit.cx(qubit - 1, qubit)
    circuit.measure_all()
    return circuit


def main() -> None:
    """Run circuits with very different shots, then a sweep of expectation values."""
    backend = FakeTorino()
    wrapped = LocalSampler(backend, noise=False, seed=1)  # in a session of IBM's: SamplerV2(mode=backend)
    options = HaloOptions(max_batch_programs=40)

    sampler = HaloSampler(wrapped, backend=backend, options=options)
    job = sampler.run([(ghz(2), None, 8000), (ghz(4), None, 500), (ghz(6), None, 2000)])
    for pub in job.result():
        print(pub.metadata["shots"], "shots:", dict(sorted(pub.data.meas.get_counts().items())))
    print(job.plan.table())

    estimator = HaloEstimator(wrapped, backend=backend, options=options)
    ansatz = real_amplitudes(2, reps=1)
    values = np.linspace(0, np.pi, 10)[:, None] * np.ones(ansatz.num_parameters)
    job = estimator.run([(ansatz, [["ZZ"], ["XX"]], values)], precision=0.05)
    print("ZZ and XX along the sweep:")
    print(np.round(job.result()[0].data.evs, 2))
    print(f"modelled QPU time {job.plan.ratio:.0f} times less than one by one")


if __name__ == "__main__":
    main()
