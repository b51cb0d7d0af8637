"""Three users' programs through ``qiskit.transpile``, on a model of a 133-qubit device."""

from qiskit import AncillaRegister, ClassicalRegister, QuantumCircuit, QuantumRegister, transpile
from qiskit_ibm_runtime.fake_provider import FakeTorino

from qiskit_halo import LocalSampler, MultiProgramCircuit, verify_isolation


def bell() -> QuantumCircuit:
    """Return a Bell pair: 00 and 11."""
    circuit = QuantumCircuit(2, 2, name="bell")
    circuit.h(0)
    circuit.cx(0, 1)
    circuit.measure([0, 1], [0, 1])
    return circuit


def ladder() -> QuantumCircuit:
    """Return a NOT with three controls, all 1, by way of one helper: the answer is 1."""
    circuit = QuantumCircuit(
        QuantumRegister(4, "q"), AncillaRegister(1, "anc"), ClassicalRegister(1, "answer"), name="ladder"
    )
    circuit.x([0, 1, 2])
    circuit.ccx(0, 1, 4)
    circuit.ccx(2, 4, 3)
    circuit.ccx(0, 1, 4)
    circuit.measure(3, 0)
    return circuit


def syndrome() -> QuantumCircuit:
    """Return two rounds of a parity check with one helper, on data of odd parity: the answer is 11."""
    circuit = QuantumCircuit(
        QuantumRegister(2, "data"), AncillaRegister(1, "anc"), ClassicalRegister(2, "rounds"), name="syndrome"
    )
    circuit.x(0)
    for bit in range(2):
        circuit.cx([0, 1], 2)
        circuit.measure(2, bit)
        circuit.reset(2)
    return circuit


def main() -> None:
    """Merge, compile, check, run, split."""
    backend = FakeTorino()
    batch = MultiProgramCircuit([bell(), ladder(), syndrome()], shots=[1000, 4000, 2000], names=["ann", "bo", "cy"])
    isa = transpile(batch.circuit, backend, layout_method="halo", scheduling_method="halo", seed_transpiler=1)
    verify_isolation(isa)
    result = LocalSampler(backend, seed=1).run([isa], shots=batch.shots).result()
    for program, own in zip(batch.programs, batch.split(result[0]), strict=True):
        counts = {name: dict(sorted(bits.get_counts().items())) for name, bits in own.data.items()}
        print(f"{program.name}: {counts}")


if __name__ == "__main__":
    main()
