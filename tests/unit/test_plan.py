"""How one component is simulated: which operations, which lives, on how many slots."""

from __future__ import annotations

import pytest
from qiskit.circuit import ClassicalRegister, QuantumCircuit, QuantumRegister

from qiskit_halo.primitives.plan import ComponentPlan, find_openings, plan_component
from qiskit_halo.segments.find import find_components


def plans(circuit: QuantumCircuit, *, noisy: bool = True, fold_above: int = 16) -> list[ComponentPlan]:
    """Plan every component, in the order of the circuit."""
    segmentation = find_components(circuit)
    openings = find_openings(circuit, segmentation)
    return [
        plan_component(circuit, segmentation, openings, index, noisy=noisy, fold_above=fold_above)
        for index in range(len(segmentation.components))
    ]


def positions(plan: ComponentPlan) -> list[int | None]:
    return [step.position for step in plan.steps]


def test_what_happens_before_each_segment() -> None:
    circuit = QuantumCircuit(2, 3)
    circuit.reset(0)
    circuit.x(0)
    circuit.measure(0, 0)
    circuit.reset(0)
    circuit.delay(100, 0)
    circuit.reset([0, 0])
    circuit.x(0)
    circuit.measure(0, 1)
    circuit.measure(1, 2)
    segmentation = find_components(circuit)
    openings = find_openings(circuit, segmentation)
    found = [
        (s.wire, s.operations[0], o.rounds, o.previous) for s, o in zip(segmentation.segments, openings, strict=True)
    ]
    # The delay between resets is nobody's: the resets on both sides count together.
    assert found == [(0, 1, 1, None), (0, 4, 1, 0), (0, 7, 3, 0), (1, 9, 0, None)]


def test_a_stretch_that_belongs_to_a_component_is_not_passed_over() -> None:
    """A component may wait with a stretch of its own between its resets; those must not count twice."""
    circuit = QuantumCircuit(1, 1)
    pause = circuit.add_stretch("pause")
    circuit.measure(0, 0)
    circuit.delay(pause, 0)
    circuit.reset(0)
    circuit.delay(pause, 0)
    circuit.reset(0)
    circuit.measure(0, 0)
    (plan,) = plans(circuit)
    assert sum(step.rounds for step in plan.steps) == 2


def test_operations_that_no_bit_depends_on_are_left_out() -> None:
    circuit = QuantumCircuit(3, 1)
    circuit.h(0)  # 0
    circuit.cx(0, 1)  # 1
    circuit.measure(0, 0)  # 2
    circuit.x(0)  # 3
    circuit.cx(1, 2)  # 4
    (plan,) = plans(circuit)
    assert positions(plan) == [0, 1, 2]
    assert (plan.num_slots, [life.wire for life in plan.lives]) == (2, [0, 1])


def test_own_resets_are_part_of_the_simulation_where_they_may_fail() -> None:
    circuit = QuantumCircuit(1, 2)
    circuit.h(0)
    circuit.measure(0, 0)
    circuit.reset([0, 0])
    circuit.h(0)
    with circuit.if_test((0, 1)):
        circuit.x(0)
    circuit.measure(0, 1)
    (noisy,) = plans(circuit)
    assert [(step.position, step.rounds) for step in noisy.steps] == [
        (0, 0), (1, 0), (None, 2), (4, 0), (5, 0), (6, 0),
    ]  # fmt: skip
    assert len(noisy.lives) == 1
    (ideal,) = plans(circuit, noisy=False)
    assert positions(ideal) == [0, 1, 4, 5, 6]
    assert [(life.wire, life.rounds) for life in ideal.lives] == [(0, 0), (0, 2)]


def test_whoever_comes_after_others_begins_a_new_life() -> None:
    circuit = QuantumCircuit(QuantumRegister(1), ClassicalRegister(1, "p0_c"), ClassicalRegister(1, "p1_c"))
    circuit.x(0)
    circuit.measure(0, 0)
    circuit.reset([0, 0])
    circuit.measure(0, 1)
    first, second = plans(circuit)
    assert [(life.rounds, life.reused) for life in first.lives] == [(0, False)]
    assert [(life.rounds, life.reused) for life in second.lives] == [(2, True)]


def test_a_clean_qubit_that_is_reset_is_not_one_that_somebody_had() -> None:
    circuit = QuantumCircuit(1, 1)
    circuit.delay(10, 0)
    circuit.reset(0)
    circuit.measure(0, 0)
    plan = plans(circuit)[-1]
    assert [(life.rounds, life.reused) for life in plan.lives] == [(1, False)]


@pytest.mark.parametrize(("fold_above", "slots"), [(5, 5), (4, 2)])
def test_few_qubits_are_held_at_a_time_where_there_are_too_many(fold_above: int, slots: int) -> None:
    circuit = QuantumCircuit(5, 5)
    circuit.h(0)
    for qubit in range(4):
        circuit.cx(qubit, qubit + 1)
    circuit.measure(range(5), range(5))
    (plan,) = plans(circuit, fold_above=fold_above)
    assert plan.num_slots == slots
    assert len(plan.lives) == 5
    assert sorted(positions(plan)) == list(range(10))


def test_every_life_is_begun_once_by_the_first_step_on_it() -> None:
    circuit = QuantumCircuit(4, 4)
    for qubit in range(3):
        circuit.cx(qubit, qubit + 1)
    circuit.measure(range(4), range(4))
    (plan,) = plans(circuit, fold_above=1)
    begun = [life for step in plan.steps for life in step.first]
    assert begun == list(range(len(plan.lives)))
    seen: set[int] = set()
    for step in plan.steps:
        assert set(step.first) == set(step.lives) - seen
        seen.update(step.lives)


def test_delays_of_nobody_are_passed_over_even_if_a_stretch_joins_them() -> None:
    circuit = QuantumCircuit(2, 2)
    pause = circuit.add_stretch("pause")
    circuit.measure(0, 0)
    circuit.reset(0)
    circuit.delay(pause, 0)
    circuit.delay(pause, 1)
    circuit.reset(0)
    circuit.measure(0, 1)
    last = plans(circuit)[-1]
    assert [(life.rounds, life.reused) for life in last.lives] == [(2, True)]


def test_measured_lives_that_go_on_have_a_slot_of_their_own() -> None:
    """Their readout error is tied to the slot; that of a last measurement is not."""
    circuit = QuantumCircuit(6, 6)
    for qubit in range(5):
        circuit.cx(qubit, qubit + 1)
    circuit.measure(2, 2)
    circuit.x(2)
    with circuit.if_test((0, 0)):
        circuit.measure(4, 4)
    circuit.measure(range(6), range(6))
    (plan,) = plans(circuit, fold_above=1)
    assert sorted(plan.exclusive.values()) == [2, 4]
    for slot, wire in plan.exclusive.items():
        assert [life.wire for life in plan.lives if life.slot == slot] == [wire]
    assert plan.num_slots < 6
    ends = {step.position for step in plan.steps if step.last}
    measured_last = {k for k, i in enumerate(circuit.data) if i.name == "measure"} - {5}
    assert ends == measured_last
    (ideal,) = plans(circuit, noisy=False, fold_above=1)
    assert ideal.exclusive == {}
