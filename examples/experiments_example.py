"""T1 and randomized benchmarking with qiskit-experiments, whose circuits stay on the qubits that they characterise.

Needs: pip install 'qiskit-halo[experiments,runtime,aer]'
"""

import warnings

import numpy as np
from qiskit_experiments.library import T1, StandardRB
from qiskit_ibm_runtime.fake_provider import FakeTorino

from qiskit_halo import HaloSampler, LocalSampler


class Recording(HaloSampler):
    """Remembers its last job, because experiments do not hand it out."""

    def run(self, pubs, **keywords):
        """Run as usual."""
        self.last = super().run(pubs, **keywords)
        return self.last


def main() -> None:
    """Print what each experiment finds and what it costs."""
    backend = FakeTorino()
    qubit = 5
    sampler = Recording(LocalSampler(backend, seed=1), backend=backend)
    experiments = {
        "T1": T1((qubit,), delays=np.linspace(1e-6, 3e-4, 12)),
        "EPC": StandardRB((qubit,), lengths=[1, 100, 300, 600], num_samples=5, seed=1),
    }
    for name, experiment in experiments.items():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the analysis speaks of fits
            data = experiment.run(sampler=sampler, backend=backend, shots=1000).block_for_results()
            value = data.analysis_results(name, dataframe=False).value
        plan = sampler.last.plan
        print(f"{name} of qubit {qubit}: {value.nominal_value:.3g} +- {value.std_dev:.1g}")
        print(f"  {plan.num_programs} circuits on one qubit: QPU time {plan.ratio:.1f} times less than one by one")
    print(f"T1 by calibration: {backend.target.qubit_properties[qubit].t1:.3g}")


if __name__ == "__main__":
    main()
