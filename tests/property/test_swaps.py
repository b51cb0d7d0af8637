"""Cheaper SWAPs change no outcome, whatever stands around them."""

from __future__ import annotations

from hypothesis import assume, given, settings
from hypothesis import strategies as st
from qiskit.circuit import QuantumCircuit

from qiskit_halo.fragments.swaps import with_cheap_swaps
from tests.dense_oracle import TooManyBranchesError, brute_force, distance
from tests.strategies import programs


@settings(max_examples=200)
@given(programs(max_qubits=4, max_operations=8), st.data())
def test_outcomes_stay(program: QuantumCircuit, data: st.DataObject):
    circuit = program.copy_empty_like()
    pair = st.lists(st.sampled_from(circuit.qubits), min_size=2, max_size=2, unique=True)
    for instruction in program.data:
        if circuit.num_qubits > 1 and data.draw(st.booleans()):
            circuit.swap(*data.draw(pair))
        circuit.append(instruction)
    if circuit.num_qubits > 1:
        circuit.swap(*data.draw(pair))
    cheap = circuit.copy_empty_like()
    for instruction in with_cheap_swaps(circuit.data):
        cheap.append(instruction)
    try:
        # What the qubits hold counts too, phases and all.
        for own in (circuit, cheap):
            own.sx(own.qubits)
            own.t(own.qubits)
            own.sx(own.qubits)
            own.measure_all(inplace=True)
        assert distance(brute_force(circuit), brute_force(cheap)) < 1e-12
    except TooManyBranchesError:
        assume(False)
    assert _two_qubit_gates(cheap) <= _two_qubit_gates(circuit)


def _two_qubit_gates(circuit: QuantumCircuit) -> int:
    return sum(3 if i.name == "swap" else 1 for i in circuit.data if len(i.qubits) == 2 and i.name != "barrier")
