"""Circuits of many bits are made as Qiskit makes them, but in time proportional to their number."""

from __future__ import annotations

from unittest.mock import patch

from hypothesis import given
from hypothesis import strategies as st
from qiskit.circuit import (
    AncillaQubit,
    AncillaRegister,
    ClassicalRegister,
    Clbit,
    QuantumCircuit,
    QuantumRegister,
    Qubit,
)
from qiskit.converters import circuit_to_dag, dag_to_circuit

from qiskit_halo import wide
from qiskit_halo.wide import blank_circuit, circuit_of
from tests.strategies import programs


def assert_same(found: QuantumCircuit, expected: QuantumCircuit) -> None:
    assert type(found) is QuantumCircuit
    assert found == expected
    assert found.data == expected.data
    for kind in ("qubits", "clbits", "ancillas", "qregs", "cregs", "name", "metadata", "global_phase"):
        assert getattr(found, kind) == getattr(expected, kind), kind
    assert found.__dict__.keys() == expected.__dict__.keys()
    found.add_register(ClassicalRegister(1, "more"))
    found.measure(0, found.num_clbits - 1)
    assert found.find_bit(found.clbits[-1]).index == found.num_clbits - 1


def test_bits_of_all_kinds() -> None:
    qubits, clbits = [Qubit(), AncillaQubit(), Qubit()], [Clbit(), Clbit()]
    registers = [
        QuantumRegister(bits=qubits[2:], name="late"),
        AncillaRegister(bits=[qubits[1], AncillaQubit()], name="anc"),
        AncillaRegister(2, "more_anc"),
        ClassicalRegister(bits=clbits[::-1], name="c"),
        ClassicalRegister(1, "d"),
    ]
    assert_same(
        blank_circuit(*registers, qubits=qubits, clbits=clbits, name="x", global_phase=0.3, metadata={"a": 1}),
        QuantumCircuit(qubits, clbits, *registers, name="x", global_phase=0.3, metadata={"a": 1}),
    )


@given(programs(), st.sampled_from([-1, wide.SMALL]))
def test_circuits_of_dags(circuit: QuantumCircuit, small: int) -> None:
    dag = circuit_to_dag(circuit)
    with patch.object(wide, "SMALL", small):
        assert_same(circuit_of(dag), dag_to_circuit(dag, copy_operations=False))


def test_what_it_is_for() -> None:
    """Qiskit asks for the table of all bits once for each ancilla; counted, not timed."""
    asked = []

    class Watched(QuantumCircuit):
        @property
        def _qubit_indices(self) -> object:
            asked.append(1)
            return super()._qubit_indices

    Watched(AncillaRegister(50, "a"))
    assert len(asked) == 50, "if Qiskit has become faster, blank_circuit is not needed any more"
