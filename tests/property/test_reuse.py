"""Sharing wires inside a program is a partial trace: no outcome changes."""

from __future__ import annotations

from collections import Counter

from hypothesis import assume, given, settings
from hypothesis import strategies as st
from qiskit.circuit import QuantumCircuit

from qiskit_halo.fragments.body import extract_body
from qiskit_halo.fragments.reuse import find_reuse
from qiskit_halo.segments.find import find_components
from qiskit_halo.segments.pieces import find_pieces
from tests.dense_oracle import TooManyBranchesError, brute_force, distance
from tests.strategies import programs


@settings(max_examples=150)
@given(programs(max_qubits=5, max_operations=7), st.integers(1, 2), st.sampled_from([1.0, 3.0]))
def test_outcomes_and_operations_stay(program: QuantumCircuit, resets: int, length: float):
    segmentation = find_components(program)
    for piece in find_pieces(segmentation):
        body = extract_body(program, segmentation, piece).circuit
        before = body.copy()
        found = find_reuse(body, resets, lambda i: length if i.name == "measure" else 1.0)
        assert body == before
        assert len(found) <= 3
        for reuse in found:
            assert reuse.circuit.num_qubits == body.num_qubits - len(reuse.takeovers)
            told, wanted = Counter(i.name for i in reuse.circuit.data), Counter(i.name for i in body.data)
            assert told.pop("reset") == wanted.pop("reset", 0) + resets * len(reuse.takeovers)
            assert told == wanted
            earlier = [first for _, first in reuse.takeovers]
            assert len(set(earlier)) == len(earlier)
            assert all(reuse.wires[first] == reuse.wires[later] for later, first in reuse.takeovers)
            try:
                assert distance(brute_force(body), brute_force(reuse.circuit)) < 1e-12
            except TooManyBranchesError:
                assume(False)
