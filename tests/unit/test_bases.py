from __future__ import annotations

import numpy as np
import pytest
from qiskit import transpile
from qiskit.circuit import ClassicalRegister, QuantumCircuit, QuantumRegister
from qiskit.primitives import BitArray

from qiskit_halo.errors import HaloValueError
from qiskit_halo.primitives.bases import REGISTER, Basis, expectations, group_terms, measure_in
from qiskit_halo.primitives.isa import is_isa
from qiskit_halo.verification.equivalence import outcome_distribution
from tests.targets import make_target


def test_terms_that_commute_qubit_by_qubit_share_a_basis():
    bases = group_terms(["IZ", "ZI", "ZZ", "XX", "II"], grouping=True)
    assert sorted((basis.qubits, basis.paulis, tuple(sorted(basis.terms))) for basis in bases) == [
        ((0, 1), "XX", ("XX",)),
        ((0, 1), "ZZ", ("IZ", "ZI", "ZZ")),
    ]


def test_or_each_has_its_own():
    bases = group_terms(["IZ", "ZI"], grouping=False)
    assert sorted((basis.qubits, basis.paulis, basis.terms) for basis in bases) == [
        ((0,), "Z", ("IZ",)),
        ((1,), "Z", ("ZI",)),
    ]


def test_projectors_are_measured_in_the_basis_of_their_pauli():
    (basis,) = group_terms(["0+", "1-", "Z+", "IX"], grouping=True)
    assert (basis.qubits, basis.paulis) == ((0, 1), "XZ")
    assert sorted(basis.terms) == ["0+", "1-", "IX", "Z+"]


def test_identities_need_no_measurement():
    assert group_terms(["II", "II"], grouping=True) == []


@pytest.mark.parametrize(("letter", "gates"), [("X", ["h"]), ("Y", ["s", "h"][::-1]), ("Z", [])])
def test_the_plus_one_state_of_each_basis_gives_0(letter: str, gates: list[str]):
    circuit = QuantumCircuit(2)
    circuit.x(0)
    for gate in gates:
        getattr(circuit, gate)(1)
    measured = measure_in(circuit, Basis(qubits=(1,), paulis=letter, terms=(f"{letter}I",)), make_target(4))
    assert outcome_distribution(measured, registers=[REGISTER]) == {"0": pytest.approx(1.0)}
    assert circuit.num_clbits == 0  # the input is untouched


def test_a_compiled_circuit_stays_one():
    target = make_target(3)
    circuit = QuantumCircuit(2)
    circuit.h(0)
    circuit.cx(0, 1)
    isa = transpile(circuit, target=target, initial_layout=[2, 1], seed_transpiler=1)
    assert is_isa(measure_in(isa, Basis(qubits=(1, 2), paulis="XY", terms=("YXI",)), target), target)


def test_a_register_of_the_same_name_is_refused():
    circuit = QuantumCircuit(QuantumRegister(1), ClassicalRegister(1, REGISTER))
    with pytest.raises(HaloValueError, match=f"has a register '{REGISTER}'"):
        measure_in(circuit, Basis(qubits=(0,), paulis="Z", terms=("Z",)), make_target(2))


def test_means_and_variances_of_pauli_and_projector_terms():
    # Qubits 0 and 2 are measured: bit 0 is qubit 0. Shots 00, 01, 11, 11 (qubit 2 first).
    bits = BitArray.from_samples(["00", "01", "11", "11"], num_bits=2)
    terms = ("ZIZ", "IIZ", "1IZ", "0I0", "1I1")
    found = expectations(bits, Basis(qubits=(0, 2), paulis="ZZ", terms=terms))
    expected = {
        "ZIZ": [1, -1, 1, 1],
        "IIZ": [1, -1, -1, -1],
        "1IZ": [0, 0, -1, -1],
        "0I0": [1, 0, 0, 0],
        "1I1": [0, 0, 1, 1],
    }
    for term, values in expected.items():
        assert found[term] == (pytest.approx(np.mean(values)), pytest.approx(np.var(values)))


def test_more_than_eight_bits_and_a_sweep():
    rng = np.random.default_rng(3)
    values = rng.integers(0, 2, (2, 50, 11)).astype(bool)
    bits = BitArray.from_bool_array(values, order="little")
    (mean, variance) = expectations(bits, Basis(qubits=tuple(range(11)), paulis="Z" * 11, terms=("Z" * 10 + "I",)))[
        "Z" * 10 + "I"
    ]
    expected = 1 - 2.0 * (values[..., 1:].sum(axis=-1) % 2)
    assert mean.tolist() == pytest.approx(expected.mean(axis=-1).tolist())
    assert variance.tolist() == pytest.approx(expected.var(axis=-1).tolist())
