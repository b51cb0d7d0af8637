"""Rounds of syndrome extraction with an injected error, one fresh helper a measurement."""

from __future__ import annotations

import random

from qiskit.circuit import AncillaRegister, ClassicalRegister, QuantumCircuit, QuantumRegister

from benchmarks.evaluation.families.codes import Code


def extraction(code: Code, rounds: int, error: str) -> QuantumCircuit:
    """Return ``rounds`` rounds on data in |0...0>, the error injected after the first one.

    Bit ``round * len(code.stabilizers) + i`` is stabilizer ``i``. A stabilizer that anticommutes with the error differs
    between the first and the later rounds; all others repeat.

    Args:
        code: What to measure.
        rounds: At least 2, or the error is never seen.
        error: Pauli string, character ``i`` for data qubit ``i``.
    """
    count = len(code.stabilizers)
    data = QuantumRegister(code.num_data, "q")
    helper = AncillaRegister(count * rounds, "helper")
    circuit = QuantumCircuit(
        data, helper, ClassicalRegister(count * rounds, "c"), name=f"{code.name}_rounds_{rounds}_error_{error}"
    )
    for bit in range(count * rounds):
        stabilizer = code.stabilizers[bit % count]
        if bit == count:
            for qubit, pauli in enumerate(error):
                if pauli != "I":
                    getattr(circuit, pauli.lower())(data[qubit])
        circuit.h(helper[bit])
        for qubit, pauli in enumerate(stabilizer):
            if pauli != "I":
                getattr(circuit, f"c{pauli.lower()}")(helper[bit], data[qubit])
        circuit.h(helper[bit])
        circuit.measure(helper[bit], bit)
    return circuit


def extractions(codes: tuple[Code, ...], errors_each: int, seed: int) -> list[QuantumCircuit]:
    """Return each code with 2 and 3 rounds and ``errors_each`` different one-qubit errors, drawn by ``seed``."""
    rng = random.Random(f"syndromes {seed}")
    circuits = []
    for code in codes:
        errors = [
            "I" * qubit + pauli + "I" * (code.num_data - 1 - qubit) for qubit in range(code.num_data) for pauli in "XYZ"
        ]
        for rounds in (2, 3):
            circuits += [extraction(code, rounds, error) for error in rng.sample(errors, errors_each)]
    return circuits
