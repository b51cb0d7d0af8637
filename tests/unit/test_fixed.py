from __future__ import annotations

from qiskit.circuit import QuantumCircuit
from qiskit.circuit.classical import expr, types

from qiskit_halo.primitives.fixed import append_fixed, compact
from qiskit_halo.programs.load import load_programs
from qiskit_halo.programs.merge import merge_programs


def flip(num_qubits: int, qubit: int) -> QuantumCircuit:
    circuit = QuantumCircuit(num_qubits, 1)
    circuit.x(qubit)
    circuit.measure(qubit, 0)
    return circuit


def names_on(circuit: QuantumCircuit, qubit: int) -> list[str]:
    return [i.name for i in circuit.data if circuit.qubits[qubit] in i.qubits]


def test_idle_qubits_are_left_out():
    circuit = QuantumCircuit(5, 1)
    circuit.cx(4, 2)
    circuit.barrier()
    circuit.measure(2, 0)
    small, home = compact(circuit)
    assert home == (2, 4)
    assert [(i.name, [small.find_bit(q).index for q in i.qubits]) for i in small.data] == [
        ("cx", [1, 0]),
        ("barrier", [0, 1]),
        ("measure", [0]),
    ]


def test_programs_that_meet_follow_each_other_with_resets_between():
    merged = merge_programs(load_programs([flip(1, 0), flip(1, 0), flip(1, 0)], shots=1))
    out = append_fixed(None, merged, [(2,), (2,), (0,)], num_qubits=3, resets=2, assume_clean=True)
    assert names_on(out, 2) == ["x", "measure", "reset", "reset", "x", "measure"]
    assert names_on(out, 0) == ["x", "measure"]
    assert [register.name for register in out.cregs] == ["p0_c", "p1_c", "p2_c"]


def test_without_trust_the_first_use_is_reset_too():
    merged = merge_programs(load_programs([flip(1, 0)], shots=1))
    out = append_fixed(None, merged, [(1,)], num_qubits=2, resets=3, assume_clean=False)
    assert names_on(out, 1) == ["reset", "reset", "reset", "x", "measure"]


def test_they_come_after_what_is_there_and_bring_their_variables():
    mapped = flip(2, 1)
    mapped.global_phase = 0.25
    circuit = QuantumCircuit(1, 1)
    variable = circuit.add_var("v", expr.lift(False, types.Bool()))
    circuit.measure(0, 0)
    circuit.store(variable, expr.lift(circuit.clbits[0]))
    with circuit.if_test(variable):
        circuit.x(0)
    merged = merge_programs(load_programs([circuit], shots=1))
    out = append_fixed(mapped, merged, [(1,)], num_qubits=2, resets=1, assume_clean=True)
    assert names_on(out, 1) == ["x", "measure", "reset", "measure", "if_else"]
    assert [v.name for v in out.iter_declared_vars()] == ["p0_v"]
    assert out.global_phase == 0.25
    assert len(mapped.data) == 2  # the input is untouched


def test_a_program_of_its_own_resets_is_not_reset_again():
    circuit = QuantumCircuit(1, 2)
    circuit.measure(0, 0)
    circuit.reset(0)
    circuit.measure(0, 1)
    merged = merge_programs(load_programs([circuit], shots=1))
    out = append_fixed(None, merged, [(0,)], num_qubits=1, resets=2, assume_clean=True)
    assert names_on(out, 0) == ["measure", "reset", "measure"]
