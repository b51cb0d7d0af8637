"""Plans that a compiled batch proves wrong are made anew, with less room."""

from __future__ import annotations

import pytest
from qiskit.circuit import QuantumCircuit

from qiskit_halo.errors import HaloTranspilerError, HaloWarning
from qiskit_halo.options import HaloOptions
from qiskit_halo.primitives.compiled import BatchCompiler
from qiskit_halo.primitives.fitting import BatchFitter
from qiskit_halo.primitives.workload import coerce_pubs, gather_workload
from tests.targets import make_target


def line(num_qubits: int, name: str = "line") -> QuantumCircuit:
    circuit = QuantumCircuit(num_qubits, name=name)
    circuit.h(0)
    for qubit in range(1, num_qubits):
        circuit.cx(qubit - 1, qubit)
    circuit.measure_all()
    return circuit


def fit(pubs: list, num_qubits: int = 6, **options: object):
    target = make_target(num_qubits)
    made = HaloOptions(**{"success_floor": 0.0, "max_batch_programs": 12, **options})
    compiler = BatchCompiler(target, made, optimization_level=1, seed=0)
    workload = gather_workload(coerce_pubs(pubs, 100), target)
    return BatchFitter(target, made, compiler).fit(workload, None)


def test_the_plan_has_the_makespans_of_the_compiled_circuits():
    plan, compiled = fit([line(2), line(3)])
    for batch, own in zip(plan.batches, compiled, strict=True):
        assert (batch.makespan_s, batch.reset_s) == (own.report.makespan_s, own.report.reset_s)
        assert len(own.report.programs) == len(batch.slots)


def test_batches_keep_to_their_length():
    free, _ = fit([(line(3), None, 600)])
    plan, _ = fit([(line(3), None, 600)], max_duration_s=free.batches[0].makespan_s / 2)
    assert all(batch.makespan_s <= free.batches[0].makespan_s / 2 for batch in plan.batches)
    assert plan.batches[0].num_copies < free.batches[0].num_copies


def test_a_program_that_is_too_long_by_itself_is_warned_about():
    with pytest.warns(HaloWarning, match="more than max_duration_s=1e-07: a program is longer by itself"):
        plan, _ = fit([line(2)], max_duration_s=1e-7)
    assert len(plan.batches[0].slots) == 1


def test_side_by_side_no_more_copies_than_find_room():
    plan, compiled = fit([(line(3), None, 600)], num_qubits=10, sharing="none")
    assert 1 < len(plan.batches[0].slots) <= 3
    report = compiled[0].report
    used = [qubit for program in report.programs for qubit in program.qubits]
    assert len(used) == len(set(used))


def test_the_error_names_the_pub():
    with pytest.raises(HaloTranspilerError, match=r"pub 1 \('wide'\): the circuit \('wide'\) needs 9 connected"):
        fit([line(2), line(9, "wide")])


def test_more_circuits_than_a_batch_holds_are_planned_by_rough_figures():
    circuits = []
    for index in range(5):
        circuit = line(2)
        circuit.rz(0.1 * index, 0)
        circuit.measure_all(add_bits=False)
        circuits.append(circuit)
    plan, _ = fit(circuits, max_batch_programs=2)
    assert len(plan.batches) == 3
    assert sorted(p for batch in plan.batches for p in batch.programs) == [0, 1, 2, 3, 4]
