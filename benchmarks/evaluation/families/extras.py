"""Programs beyond HALO's, from packages that need not be installed; importing them raises ``ImportError``."""

from __future__ import annotations

import numpy as np
from qiskit.circuit import QuantumCircuit
from qiskit.quantum_info import SparsePauliOp


def mqt_programs(seed: int) -> list[QuantumCircuit]:
    """Return MQT Bench's circuits on 3 to 6 qubits that have no free parameters and measure something.

    Those with control flow are left out: Qiskit's own schedulers, which most systems here rest on, refuse them.
    """
    del seed  # they are fixed
    from mqt.bench import BenchmarkLevel, get_benchmark
    from mqt.bench.benchmarks import get_available_benchmark_names

    programs = []
    for name in get_available_benchmark_names():
        for size in (3, 4, 5, 6):
            try:
                circuit = get_benchmark(benchmark=name, level=BenchmarkLevel.INDEP, circuit_size=size)
            except Exception:  # not every benchmark exists in every size, and each says so in its own way
                continue
            if circuit.num_parameters == 0 and circuit.num_clbits and not circuit.has_control_flow_op():
                circuit.name = f"{name}_{size}"
                programs.append(circuit)
    return programs


def cut_programs(seed: int) -> list[QuantumCircuit]:
    """Return all subexperiments of an 8-qubit circuit with two gates between its halves cut."""
    from qiskit_addon_cutting import generate_cutting_experiments, partition_problem

    rng = np.random.default_rng(seed)
    circuit = QuantumCircuit(8)
    for layer in range(3):
        for qubit in range(8):
            circuit.ry(rng.uniform(0, np.pi), qubit)
        for qubit in range(7) if layer < 2 else ():
            circuit.cz(qubit, qubit + 1)
    observable = SparsePauliOp(["ZIIIIIII", "IIIZZIII"])
    problem = partition_problem(circuit=circuit, partition_labels="AAAABBBB", observables=observable.paulis)
    experiments, _ = generate_cutting_experiments(problem.subcircuits, problem.subobservables, np.inf)
    flat = [own for label in sorted(experiments) for own in experiments[label]]
    for index, own in enumerate(flat):
        own.name = f"cut_{index}"
    return flat
