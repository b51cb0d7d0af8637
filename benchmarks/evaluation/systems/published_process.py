"""A program as HALO sees it: data qubits that it holds to the end, helper qubits from first to last use."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import combinations

from qiskit.circuit import CircuitInstruction, QuantumCircuit

from benchmarks.evaluation.model import SystemFailedError
from qiskit_halo import MultiProgramCircuit


@dataclass(frozen=True)
class Process:
    """One program; qubits are numbered, data first, then helpers.

    Attributes:
        circuit: The program on ``num_data`` + ``num_helpers`` wires, its registers named ``p0_...``.
        num_data: Data qubits.
        wires: Qubits of each instruction; a barrier only has those that are in use.
        opens: Per instruction, the helpers that it uses first.
        closes: Per instruction, the helpers that it uses last.
        weights: Two-qubit interactions of each pair of qubits, ascending.
    """

    circuit: QuantumCircuit
    num_data: int
    wires: tuple[tuple[int, ...], ...]
    opens: tuple[tuple[int, ...], ...]
    closes: tuple[tuple[int, ...], ...]
    weights: dict[tuple[int, int], int]

    @property
    def instructions(self) -> list[CircuitInstruction]:
        """The program, in its own order."""
        return self.circuit.data

    def data_near(self, helper: int) -> dict[int, int]:
        """Return the data qubits that a helper interacts with, and how often."""
        return {a: n for (a, b), n in self.weights.items() if b == helper and a < self.num_data}


def read_process(program: QuantumCircuit) -> Process:
    """Return a program as HALO sees it. A helper is released at its last use, as HALO's programs do it themselves.

    Raises:
        SystemFailedError: It has control flow, for which HALO has no instructions.
    """
    circuit = MultiProgramCircuit([program]).circuit  # data registers first, helper registers last
    if any(instruction.is_control_flow() for instruction in circuit.data):
        raise SystemFailedError(f"{program.name} has control flow, which HALO cannot run; leave such programs out")
    num_data = circuit.num_qubits - circuit.num_ancillas
    wire = {qubit: index for index, qubit in enumerate(circuit.qubits)}
    wires = [tuple(wire[qubit] for qubit in instruction.qubits) for instruction in circuit.data]
    first: dict[int, int] = {}
    last: dict[int, int] = {}
    weights: Counter[tuple[int, int]] = Counter()
    for position, (instruction, qubits) in enumerate(zip(circuit.data, wires, strict=True)):
        if instruction.name == "barrier":
            continue
        for qubit in qubits:
            first.setdefault(qubit, position)
            last[qubit] = position
        weights.update(combinations(sorted(qubits), 2))
    opens: list[list[int]] = [[] for _ in wires]
    closes: list[list[int]] = [[] for _ in wires]
    for helper in range(num_data, circuit.num_qubits):
        if helper in first:
            opens[first[helper]].append(helper)
            closes[last[helper]].append(helper)
    held = [
        tuple(q for q in qubits if q < num_data or (q in first and first[q] <= position <= last[q]))
        for position, qubits in enumerate(wires)
    ]
    return Process(
        circuit=circuit,
        num_data=num_data,
        wires=tuple(held),
        opens=tuple(map(tuple, opens)),
        closes=tuple(map(tuple, closes)),
        weights=dict(sorted(weights.items())),
    )
