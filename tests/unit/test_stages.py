from __future__ import annotations

from itertools import pairwise

import pytest
from qiskit.circuit import QuantumCircuit
from qiskit.transpiler import generate_preset_pass_manager
from qiskit.transpiler.layout import Layout
from qiskit.transpiler.passes import SabreLayout

from qiskit_halo.fragments.stages import FINAL_BARRIER, Stages, close, route_again, routed_draft, sabre
from tests.dense_oracle import brute_force, distance
from tests.targets import make_target


def tangle() -> QuantumCircuit:
    circuit = QuantumCircuit(4, 4)
    circuit.swap(0, 3)
    for first, second in ((0, 1), (1, 2), (2, 3), (3, 0), (0, 2), (1, 3)):
        circuit.ry(0.3 + first, first)
        circuit.cx(first, second)
    circuit.measure(range(4), range(4))
    return circuit


@pytest.mark.parametrize("level", [0, 1, 2, 3])
def test_the_stages_in_order_are_the_preset(level: int):
    target = make_target(5)
    stages = Stages(target, level, 7, {})
    wanted = generate_preset_pass_manager(level, target=target, seed_transpiler=7)
    wanted.scheduling = None
    compiled = stages.finish(stages.route(stages.prepare(tangle())))
    assert compiled.circuit == wanted.run(tangle())
    assert compiled.layout.initial_index_layout() == wanted.run(tangle()).layout.initial_index_layout()
    assert compiled.layout.final_index_layout() == wanted.run(tangle()).layout.final_index_layout()


@pytest.mark.parametrize("level", [0, 2])
def test_another_routing_has_the_same_outcomes(level: int):
    target = make_target(5)
    stages = Stages(target, level, 0, {})
    routed = route_again(close(stages.prepare(tangle())), sabre(target, seed=5))
    finished = stages.finish(routed)
    compiled = finished.circuit
    assert [i.label for i in compiled.data if i.name == "barrier"] == [FINAL_BARRIER]
    assert distance(brute_force(compiled), brute_force(tangle())) < 1e-12
    # Where qubits start and end holds through init's own permutation.
    starts, finals = finished.ends()
    assert len(set(starts)) == 4
    assert [measured(compiled)[clbit] for clbit in range(4)] == finals


def measured(circuit: QuantumCircuit) -> dict[int, int]:
    return {
        circuit.find_bit(i.clbits[0]).index: circuit.find_bit(i.qubits[0]).index
        for i in circuit.data
        if i.name == "measure"
    }


@pytest.mark.parametrize("level", [0, 1, 2, 3])
def test_a_circuit_over_the_target_is_finished_where_it_stands(level: int):
    circuit = QuantumCircuit(5, 2)
    circuit.cx(1, 2)
    circuit.swap(2, 3)
    circuit.measure([1, 3], [0, 1])
    finished = Stages(make_target(5), level, 0, {}).finish(routed_draft(circuit))
    starts, finals = finished.ends()
    assert distance(brute_force(finished.circuit), brute_force(circuit)) < 1e-12
    assert measured(finished.circuit) == {0: finals[1], 1: finals[3]}
    assert starts == finals  # level 3 may move all, but routes nothing


def test_drafts_that_stand_where_they_are_share_no_layout():
    first, second = routed_draft(QuantumCircuit(2)), routed_draft(QuantumCircuit(2))
    first.properties["layout"].swap(0, 1)
    assert second.properties["layout"] != first.properties["layout"]


def test_routing_starts_where_it_is_told_too():
    scrambled = [5, 0, 7, 2, 9, 4, 1, 8, 3, 6]
    circuit = QuantumCircuit(10)
    for _ in range(2):
        for first, second in pairwise(scrambled):
            circuit.cx(first, second)
            circuit.ry(0.3, second)
    target = make_target(10)
    prepared = Stages(target, 1, 0, {}).prepare(circuit)
    qubits = prepared.circuit.qubits
    start = Layout({qubits[qubit]: place for place, qubit in enumerate(scrambled)})
    one = SabreLayout(target, seed=3, max_iterations=1, swap_trials=1, layout_trials=1)
    swaps = [route_again(close(prepared), one, starts).circuit.count_ops().get("swap", 0) for starts in ([], [start])]
    assert swaps[0] > 0 == swaps[1]
    again = Stages(target, 1, 0, {}).route(prepared, [start])
    assert "swap" not in again.circuit.count_ops()


def test_a_prepared_circuit_serves_many_routings():
    target = make_target(5)
    stages = Stages(target, 2, 0, {})
    closed = close(stages.prepare(tangle()))
    first = stages.finish(route_again(closed, sabre(target, 1))).circuit
    stages.finish(route_again(closed, sabre(target, 2)))
    assert stages.finish(route_again(closed, sabre(target, 1))).circuit == first
