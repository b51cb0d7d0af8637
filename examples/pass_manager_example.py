"""More wires than the device has qubits, with options, through a pass manager; pictures of what came out."""

from pathlib import Path
from tempfile import gettempdir

from qiskit import QuantumCircuit
from qiskit_ibm_runtime.fake_provider import FakeGuadalupeV2

from qiskit_halo import (
    HaloOptions,
    HaloReport,
    MultiProgramCircuit,
    generate_halo_pass_manager,
    plot_placement,
    plot_timeline,
)


def ghz(num_qubits: int) -> QuantumCircuit:
    """Return a GHZ state: all 0 or all 1."""
    circuit = QuantumCircuit(num_qubits, name=f"ghz_{num_qubits}")
    circuit.h(0)
    for qubit in range(1, num_qubits):
        circuit.cx(qubit - 1, qubit)
    circuit.measure_all()
    return circuit


def main() -> None:
    """Pack 25 wires onto 16 qubits: some programs start when others have finished."""
    backend = FakeGuadalupeV2()
    batch = MultiProgramCircuit([ghz(2 + k % 5) for k in range(7)], shots=1000)
    passes = generate_halo_pass_manager(2, backend, options=HaloOptions(success_floor=0.8), seed_transpiler=1)
    isa = passes.run(batch.circuit)
    report = HaloReport.from_dict(isa.metadata["halo"]["report"])
    print(f"{batch.circuit.num_qubits} wires on {report.num_qubits} qubits, {report.num_handovers} hand-overs")
    for program in report.programs:
        print(
            f"{program.name}: qubits {program.qubits}, starts at {program.start_s * 1e6:.2f} µs, "
            f"predicted success {program.success_alone:.3f} alone, {program.success_merged:.3f} merged"
        )
    folder = Path(gettempdir())
    for name, figure in (("halo_chip", plot_placement(report)), ("halo_timeline", plot_timeline(report))):
        path = folder / f"{name}.png"
        figure.savefig(path, dpi=130)
        print(path)


if __name__ == "__main__":
    main()
