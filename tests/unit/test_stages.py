from __future__ import annotations

import pytest
from qiskit.circuit import QuantumCircuit
from qiskit.transpiler import generate_preset_pass_manager

from qiskit_halo.fragments.stages import Stages
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
@pytest.mark.parametrize("settled", [False, True])
def test_another_routing_has_the_same_outcomes(level: int, settled: bool):
    target = make_target(5)
    stages = Stages(target, level, 0, {})
    prepared = stages.prepare(tangle())
    routed = stages.route_again(prepared, seed=5)
    if settled:
        routed = stages.settle(routed)
    finished = stages.finish(routed)
    compiled = finished.circuit
    assert not [i for i in compiled.data if i.name == "barrier"]
    assert set(compiled.count_ops()) <= set(target.operation_names)
    assert distance(brute_force(compiled), brute_force(tangle())) < 1e-12
    # Where qubits start and end holds through init's own permutation.
    start, final = finished.layout.initial_index_layout(), finished.layout.final_index_layout()
    assert sorted(start) == list(range(5))
    measured = {
        compiled.find_bit(i.clbits[0]).index: compiled.find_bit(i.qubits[0]).index
        for i in compiled.data
        if i.name == "measure"
    }
    assert [measured[clbit] for clbit in range(4)] == final[:4]


def test_a_prepared_circuit_serves_many_routings():
    stages = Stages(make_target(5), 2, 0, {})
    prepared = stages.prepare(tangle())
    first = stages.finish(stages.route_again(prepared, 1)).circuit
    stages.finish(stages.route_again(prepared, 2))
    assert stages.finish(stages.route_again(prepared, 1)).circuit == first
