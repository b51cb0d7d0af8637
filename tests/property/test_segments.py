"""Whatever the circuit: it is cut and joined without loss, by structure alone, and its pieces can be put back."""

from __future__ import annotations

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st
from qiskit.circuit import QuantumCircuit, QuantumRegister

from qiskit_halo.fragments.body import extract_body, put_back
from qiskit_halo.fragments.key import structure_key
from qiskit_halo.multiprogram import MultiProgramCircuit
from qiskit_halo.rewire import empty_like
from qiskit_halo.segments.find import find_components
from qiskit_halo.segments.helpers import find_helper_wires
from qiskit_halo.segments.pieces import find_pieces, piece_instructions
from qiskit_halo.verification._factors import multiply, total_variation
from qiskit_halo.verification.equivalence import distribution_distance, outcome_factors
from tests.strategies import batches, programs

NOT_HELD = ("reset", "barrier")


@settings(max_examples=60)
@given(batches())
def test_segments_and_components_hold_every_operation_once(batch: list[QuantumCircuit]):
    circuit = MultiProgramCircuit(batch).circuit
    found = find_components(circuit)
    on_wires = Counter(
        (position, circuit.find_bit(qubit).index)
        for position, instruction in enumerate(circuit.data)
        if instruction.name not in NOT_HELD
        for qubit in instruction.qubits
    )
    assert on_wires == Counter((p, s.wire) for s in found.segments for p in s.operations)
    held = [p for p, instruction in enumerate(circuit.data) if instruction.name not in NOT_HELD]
    assert sorted(p for c in found.components for p in c.operations) == held
    assert sorted(s for c in found.components for s in c.segments) == list(range(len(found.segments)))
    for index, component in enumerate(found.components):
        operations = {p for s in component.segments for p in found.segments[s].operations}
        assert operations <= set(component.operations)
        assert {found.segments[s].component for s in component.segments} <= {index}


@settings(max_examples=60)
@given(batches())
def test_segments_of_a_wire_are_parted_by_resets(batch: list[QuantumCircuit]):
    circuit = MultiProgramCircuit(batch).circuit
    found = find_components(circuit)
    for wire, qubit in enumerate(circuit.qubits):
        events = [
            (position, instruction.name == "reset")
            for position, instruction in enumerate(circuit.data)
            if instruction.name != "barrier" and qubit in instruction.qubits
        ]
        told = []
        for segment in (s for s in found.segments if s.wire == wire):
            told += [(position, True) for position in segment.resets]
            told += [(position, False) for position in segment.operations]
        while events and events[-1][1]:
            events.pop()  # resets at the end open no segment
        assert told == events


@settings(max_examples=60)
@given(batches())
def test_components_and_pieces_of_a_merged_circuit_have_one_owner_at_most(batch: list[QuantumCircuit]):
    circuit = MultiProgramCircuit(batch).circuit
    found = find_components(circuit)
    assert all(len(component.owners) <= 1 for component in found.components)
    pieces = find_pieces(found)
    assert sorted(c for piece in pieces for c in piece.components) == list(range(len(found.components)))
    for piece in pieces:
        owners = {owner for c in piece.components for owner in found.components[c].owners}
        assert owners == set(piece.owners)


def keys_by_owner(circuit: QuantumCircuit) -> dict[tuple[int, ...], Counter[str]]:
    found = find_components(circuit)
    keys: dict[tuple[int, ...], Counter[str]] = {}
    for piece in find_pieces(found):
        key = structure_key(extract_body(circuit, found, piece).circuit)
        keys.setdefault(piece.owners, Counter())[key] += 1
    return keys


@settings(max_examples=60)
@given(batches(), st.randoms(use_true_random=False))
def test_bodies_do_not_depend_on_where_their_program_stands(batch: list[QuantumCircuit], random):
    order = list(range(len(batch)))
    random.shuffle(order)
    before = keys_by_owner(MultiProgramCircuit(batch).circuit)
    after = keys_by_owner(MultiProgramCircuit([batch[index] for index in order]).circuit)
    assert after.get(()) == before.get(())
    for new, old in enumerate(order):
        assert after.get((new,)) == before.get((old,))


@settings(max_examples=40)
@given(batches())
def test_helpers_do_not_depend_on_other_programs(batch: list[QuantumCircuit]):
    circuit = MultiProgramCircuit(batch).circuit
    together = {circuit.qubits[wire] for wire in find_helper_wires(circuit)}
    alone = 0
    for program in batch:
        own = MultiProgramCircuit([program]).circuit
        alone += len(find_helper_wires(own))
    assert len(together) == alone


def rebuilt(circuit: QuantumCircuit) -> QuantumCircuit:
    """The circuit from the bodies of its pieces, one after the other, each on fresh qubits."""
    found = find_components(circuit)
    bodies = [extract_body(circuit, found, piece) for piece in find_pieces(found)]
    out = empty_like(circuit, QuantumRegister(max(1, sum(len(body.wires) for body in bodies)), "w"))
    first = 0
    for body in bodies:
        qubits = out.qubits[first : first + len(body.wires)]
        first += len(body.wires)
        instructions, phase = put_back(body.circuit, body, out, qubits)
        out.global_phase += phase
        for instruction in instructions:
            out.append(instruction)
    return out


@settings(max_examples=60)
@given(batches())
def test_bodies_put_back_give_every_program_its_outcomes(batch: list[QuantumCircuit]):
    circuit = rebuilt(MultiProgramCircuit(batch).circuit)
    for index, program in enumerate(batch):
        assert distribution_distance(program, circuit, index) < 1e-12


@settings(max_examples=60)
@given(programs())
def test_bodies_of_an_unmerged_circuit_put_back_give_its_outcomes(program: QuantumCircuit):
    first, second = (multiply(outcome_factors(circuit), 1, 1 << 20) for circuit in (program, rebuilt(program)))
    assert total_variation(first, second) < 1e-12


@settings(max_examples=60)
@given(batches())
def test_pieces_hold_every_instruction_but_opening_and_closing_resets(batch: list[QuantumCircuit]):
    circuit = MultiProgramCircuit(batch).circuit
    found = find_components(circuit)
    told = Counter()
    for piece in find_pieces(found):
        for instruction in piece_instructions(circuit, found, piece):
            told[instruction.name] += 1
    wanted = Counter(instruction.name for instruction in circuit.data if instruction.name not in NOT_HELD)
    assert {name: count for name, count in told.items() if name not in NOT_HELD} == wanted
    assert told["reset"] <= sum(1 for i in circuit.data if i.name == "reset")
