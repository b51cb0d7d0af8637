from __future__ import annotations

from qiskit.circuit import AncillaRegister, ClassicalRegister, QuantumCircuit, QuantumRegister

from qiskit_halo.multiprogram import MultiProgramCircuit
from qiskit_halo.placement.roles import find_helpers
from qiskit_halo.segments.find import find_components
from qiskit_halo.segments.pieces import find_pieces


def helpers_of(circuit: QuantumCircuit) -> list[tuple[int, ...]]:
    pieces = find_pieces(find_components(circuit))
    return find_helpers(circuit, pieces, circuit.metadata.get("halo"))


def test_a_wire_that_starts_late_or_ends_early_is_a_helper() -> None:
    circuit = QuantumCircuit(3, 1)
    circuit.h(0)
    circuit.cx(0, 1)
    circuit.cx(1, 2)
    circuit.cx(0, 1)
    circuit.measure(0, 0)
    assert helpers_of(circuit) == [(1, 2)]


def test_a_gate_comes_after_all_that_its_wires_have_done() -> None:
    circuit = QuantumCircuit(2, 2)
    circuit.h(0)
    circuit.h(0)
    circuit.cx(1, 0)
    circuit.measure([0, 1], [0, 1])
    assert helpers_of(circuit) == [(1,)]


def test_a_marked_wire_is_a_helper_however_long_it_lives() -> None:
    circuit = QuantumCircuit(QuantumRegister(1, "d"), AncillaRegister(1, "a"), ClassicalRegister(2, "c"))
    circuit.cx(0, 1)
    circuit.measure([0, 1], [0, 1])
    assert helpers_of(circuit) == [(1,)]


def test_each_program_is_measured_by_itself() -> None:
    circuit = QuantumCircuit(QuantumRegister(2, "q"), ClassicalRegister(1, "p0_c"), ClassicalRegister(1, "p1_c"))
    for _ in range(3):
        circuit.h(0)
    circuit.measure(0, 0)
    circuit.measure(1, 1)
    assert helpers_of(circuit) == [(), ()]


def test_operations_without_an_owner_are_programs_of_their_own() -> None:
    circuit = QuantumCircuit(2, 1)
    circuit.h(0)
    circuit.measure(0, 0)
    circuit.h(1)
    assert helpers_of(circuit) == [(), ()]


def test_folded_wires_keep_their_marks_and_start_counting_anew() -> None:
    program = QuantumCircuit(QuantumRegister(1, "d"), AncillaRegister(1, "a"), ClassicalRegister(2, "c"))
    program.cx(0, 1)
    program.measure([0, 1], [0, 1])
    folded = MultiProgramCircuit([program] * 2).fold(3)
    pieces = find_pieces(find_components(folded))
    roles = find_helpers(folded, pieces, folded.metadata["halo"])
    wires = folded.metadata["halo"]["fold"]["wires"]
    assert {(piece.owners[0], helpers) for piece, helpers in zip(pieces, roles, strict=True)} == {
        (k, (wires[k][1][0],)) for k in range(2)
    }


def test_a_folded_wire_that_also_holds_data_of_the_program_is_no_helper() -> None:
    program = QuantumCircuit(QuantumRegister(1, "d"), AncillaRegister(1, "a"), ClassicalRegister(2, "c"))
    program.measure(0, 0)
    program.measure(1, 1)
    folded = MultiProgramCircuit([program]).fold(1)
    assert folded.metadata["halo"]["fold"]["wires"] == [[[0, 0], [0, 1]]]
    assert helpers_of(folded) == [(), ()]
