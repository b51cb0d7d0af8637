"""Circuits of very many bits, made in time proportional to their number.

While bits and registers are added, Qiskit asks for the table of all bits of the circuit once for each clbit given by itself and
for each ancilla, and writes that table anew each time: with a thousand programs this takes longer than their compilation.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from qiskit.circuit import AncillaRegister, CircuitInstruction, Clbit, QuantumCircuit, Qubit, Register
from qiskit.converters import dag_to_circuit
from qiskit.dagcircuit import DAGCircuit

SMALL = 10_000
"""Ancillas times qubits up to which Qiskit's own conversion is the faster one: it makes no object of any gate."""


class _Growing(QuantumCircuit):
    """A circuit that is being made: what Qiskit asks of the table, it answers from a set of its own.

    Should Qiskit one day ask elsewhere, circuits come out the same, only later.
    """

    _listed: Mapping[Any, None] = {}

    @property
    def _qubit_indices(self) -> Mapping[Any, None]:
        return self._listed

    @property
    def _clbit_indices(self) -> Mapping[Any, None]:
        return self._listed


def blank_circuit(
    *registers: Register, qubits: Sequence[Qubit] = (), clbits: Sequence[Clbit] = (), **keywords: Any
) -> QuantumCircuit:
    """Return an empty circuit, as ``QuantumCircuit(qubits, clbits, *registers, **keywords)`` does.

    Args:
        registers: Quantum and classical registers, of bits listed before or of new ones.
        qubits: Distinct qubits that come first.
        clbits: Distinct clbits that come first.
        keywords: Name, metadata and global phase.
    """
    circuit = _Growing(**keywords)
    circuit.add_bits(qubits)
    circuit.add_bits(clbits)
    circuit._listed = dict.fromkeys(qubits)
    circuit.add_register(*registers)
    del circuit._listed
    circuit.__class__ = QuantumCircuit
    return circuit


def circuit_of(dag: DAGCircuit) -> QuantumCircuit:
    """Return the circuit of ``dag``, as ``dag_to_circuit(dag, copy_operations=False)`` does."""
    ancillas = sum(register.size for register in dag.qregs.values() if isinstance(register, AncillaRegister))
    if dag.num_vars or dag.num_stretches or ancillas * len(dag.qubits) <= SMALL:
        return dag_to_circuit(dag, copy_operations=False)
    circuit = blank_circuit(
        *dag.qregs.values(),
        *dag.cregs.values(),
        qubits=dag.qubits,
        clbits=dag.clbits,
        name=dag.name or None,
        global_phase=dag.global_phase,
        metadata=dag.metadata or {},
    )
    circuit._data.extend([CircuitInstruction(node.op, node.qargs, node.cargs) for node in dag.topological_op_nodes()])
    return circuit
