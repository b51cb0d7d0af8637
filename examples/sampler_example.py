"""Programs with parameters and different shots, run by any sampler; here locally, without and with noise."""

from math import pi

from qiskit import QuantumCircuit
from qiskit.circuit import Parameter
from qiskit_ibm_runtime.fake_provider import FakeManilaV2

from qiskit_halo import LocalSampler, MultiProgramCircuit, generate_halo_pass_manager

ANGLE = Parameter("angle")


def coin() -> QuantumCircuit:
    """Return a coin that shows 1 with probability sin²(angle / 2)."""
    circuit = QuantumCircuit(1, name="coin")
    circuit.ry(ANGLE, 0)
    circuit.measure_all()
    return circuit


def main() -> None:
    """Give each user's PUB, with its own values and shots, its own result."""
    backend = FakeManilaV2()
    batch = MultiProgramCircuit(
        [(coin(), {ANGLE: angle}, shots) for angle, shots in ((pi / 3, 4000), (pi / 2, 2000), (pi, 1000))],
        names=["a quarter", "a half", "always"],
    )
    isa = generate_halo_pass_manager(1, backend, seed_transpiler=1).run(batch.circuit)
    for noise in (False, True):
        sampler = LocalSampler(backend, noise=noise, seed=1)
        result = sampler.run([isa], shots=batch.shots).result()
        print("with noise" if noise else "without noise")
        for program, own in zip(batch.programs, batch.split(result[0]), strict=True):
            counts = own.data.meas.get_counts()
            print(f"  {program.name}: 1 in {counts.get('1', 0) / own.data.meas.num_shots:.3f} of the shots")


if __name__ == "__main__":
    main()
