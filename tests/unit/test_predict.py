"""Predicted success of a compiled circuit, read from the circuit alone."""

from __future__ import annotations

import pytest
from qiskit.circuit import QuantumCircuit

from qiskit_halo.timeline.predict import predict_success
from tests.targets import make_target


@pytest.mark.parametrize("rounds", [1, 2])
def test_resets_of_the_program_are_priced_by_the_model_asked_for(rounds: int) -> None:
    # Both segments of qubit 0 meet qubit 1, so that they are one piece.
    circuit = QuantumCircuit(2, 2)
    circuit.cz(0, 1)
    circuit.measure(0, 0)
    for _ in range(rounds):
        circuit.reset(0)
    circuit.cz(0, 1)
    circuit.measure(0, 1)
    target = make_target(2)
    rest = (1 - 0.01) ** 2 * (1 - 0.02) ** 2
    assert predict_success(circuit, target) == {0: pytest.approx(rest * (1 - 0.02**rounds / 2))}
    assert predict_success(circuit, target, reset_model="flips") == {0: pytest.approx(rest * (1 - 0.02))}
