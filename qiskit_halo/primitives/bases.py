"""Observables -> circuits that measure them, and shots -> expectation values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from qiskit.circuit import ClassicalRegister, QuantumCircuit
from qiskit.primitives import BitArray
from qiskit.quantum_info import Pauli, PauliList
from qiskit.transpiler import PassManager, Target
from qiskit.transpiler.passes import Optimize1qGatesDecomposition

from qiskit_halo.errors import HaloValueError
from qiskit_halo.primitives.isa import is_isa

REGISTER = "__halo_basis"

# A projector is diagonal in the basis of its Pauli: the bit that counts, and which value of it.
LETTERS = {"0": "Z", "1": "Z", "+": "X", "-": "X", "r": "Y", "l": "Y", "X": "X", "Y": "Y", "Z": "Z"}
"""Letter of an observable's term -> Pauli that is measured; the identity is not measured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Basis:
    """Terms that one circuit measures together.

    Args:
        qubits: Measured qubits, ascending; bit i of the register is that of ``qubits[i]``.
        paulis: Pauli of each of these qubits.
        terms: Terms of observables whose letters all fit to it, most significant qubit first.
    """

    qubits: tuple[int, ...]
    paulis: str
    terms: tuple[str, ...]


def group_terms(terms: Sequence[str], *, grouping: bool) -> list[Basis]:
    """Return bases in which all ``terms`` are measured.

    Args:
        terms: Letters ``IXYZ01+-rl``, one for each qubit, the first one for the last qubit. Terms of identities only
            need no measurement and are left out.
        grouping: Whether terms that commute qubit by qubit share a basis, as Qiskit's own grouping has it.
    """
    by_pauli: dict[str, list[str]] = {}
    for term in sorted(dict.fromkeys(terms)):
        pauli = "".join(LETTERS.get(letter, "I") for letter in term)
        if pauli.strip("I"):
            by_pauli.setdefault(pauli, []).append(term)
    if not by_pauli:
        return []
    measured = PauliList(sorted(by_pauli))
    groups = measured.group_commuting(qubit_wise=True) if grouping else [PauliList(pauli) for pauli in measured]
    bases = []
    for group in groups:
        joined = Pauli((np.logical_or.reduce(group.z), np.logical_or.reduce(group.x))).to_label()
        qubits = [qubit for qubit, letter in enumerate(reversed(joined)) if letter != "I"]
        bases.append(
            Basis(
                qubits=tuple(qubits),
                paulis="".join(joined[-1 - qubit] for qubit in qubits),
                terms=tuple(term for label in group.to_labels() for term in by_pauli[label]),
            )
        )
    return bases


def measure_in(circuit: QuantumCircuit, basis: Basis, target: Target) -> QuantumCircuit:
    """Return ``circuit`` followed by a measurement in ``basis``, into a register named :data:`REGISTER`.

    The turn into the basis of a compiled circuit is written in the device's own gates, so that it stays one.

    Raises:
        HaloValueError: The circuit has a register of that name.
    """
    if any(register.name == REGISTER for register in circuit.cregs):
        raise HaloValueError(
            f"the circuit has a register {REGISTER!r}, which the estimator needs; give it another name"
        )
    turn = QuantumCircuit(circuit.num_qubits)
    for qubit, letter in zip(basis.qubits, basis.paulis, strict=True):
        if letter == "Y":
            turn.sdg(qubit)
        if letter in "XY":
            turn.h(qubit)
    if is_isa(circuit, target):
        turn = PassManager([Optimize1qGatesDecomposition(target=target)]).run(turn)
    measured = circuit.copy()
    register = ClassicalRegister(len(basis.qubits), REGISTER)
    measured.add_register(register)
    measured.compose(turn, inplace=True)
    measured.measure(basis.qubits, register)
    return measured


def expectations(bits: BitArray, basis: Basis) -> Mapping[str, tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]]:
    """Return the mean and the variance of one shot of each term of ``basis``, each of shape ``bits.shape``.

    A Pauli is +1 or -1 in each shot, a projector 1 or 0, and a term their product.
    """
    shots = np.unpackbits(bits.array, axis=-1, bitorder="big")[..., ::-1]  # [..., shot, bit], bit 0 first
    num_qubits = len(basis.terms[0])
    column = {qubit: index for index, qubit in enumerate(basis.qubits)}
    found = {}
    for term in basis.terms:
        letters = {qubit: term[num_qubits - 1 - qubit] for qubit in column}
        signed = [column[qubit] for qubit, letter in letters.items() if letter in "XYZ"]
        zeros = [column[qubit] for qubit, letter in letters.items() if letter in "0+r"]
        ones = [column[qubit] for qubit, letter in letters.items() if letter in "1-l"]
        value = 1.0 - 2.0 * (shots[..., signed].sum(axis=-1) % 2)
        if zeros or ones:
            value = value * ((shots[..., zeros] == 0).all(axis=-1) & (shots[..., ones] == 1).all(axis=-1))
        mean = value.mean(axis=-1)
        found[term] = (mean, (value**2).mean(axis=-1) - mean**2)
    return found
