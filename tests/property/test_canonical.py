"""However a program is written down, its bodies are the same; and a body is never taken for another."""

from __future__ import annotations

from collections import Counter

from hypothesis import assume, given, settings
from hypothesis import strategies as st
from qiskit.circuit import CircuitInstruction, QuantumCircuit

from qiskit_halo.fragments.body import Body, BodyReader, extract_body
from qiskit_halo.segments.find import find_components
from qiskit_halo.segments.pieces import find_pieces, piece_instructions
from tests.dense_oracle import TooManyBranchesError, brute_force, distance
from tests.strategies import programs, relistings


def bodies(circuit: QuantumCircuit) -> list[Body]:
    segmentation = find_components(circuit)
    return [extract_body(circuit, segmentation, piece) for piece in find_pieces(segmentation)]


@settings(max_examples=150)
@given(st.data())
def test_a_program_written_in_another_order_has_the_same_keys(data: st.DataObject):
    program = data.draw(programs())
    other, place, _ = data.draw(relistings(program))
    first, second = bodies(program), bodies(other)
    assert Counter(body.key for body in first) == Counter(body.key for body in second)
    wires = Counter(tuple(sorted(place[wire] for wire in body.wires)) for body in first)
    assert wires == Counter(tuple(sorted(body.wires)) for body in second)


@settings(max_examples=150)
@given(st.data())
def test_bodies_of_one_key_have_the_same_outcomes_bit_by_bit(data: st.DataObject):
    program = data.draw(programs(max_operations=4))
    other, _, _ = data.draw(relistings(data.draw(programs(max_operations=4)) if data.draw(st.booleans()) else program))
    by_key = {body.key: body for body in bodies(program)}
    for body in bodies(other):
        twin = by_key.get(body.key)
        if twin is not None:
            try:
                assert distance(brute_force(body.circuit), brute_force(twin.circuit)) < 1e-12
            except TooManyBranchesError:
                assume(False)


@settings(max_examples=100)
@given(programs())
def test_every_operation_of_a_body_stands_where_it_stood(program: QuantumCircuit):
    segmentation = find_components(program)
    reader = BodyReader(program, segmentation)
    for piece in find_pieces(segmentation):
        body = reader.read(piece)
        wanted = Counter(_places(program, i) for i in piece_instructions(program, segmentation, piece))
        clbits = [program.find_bit(bit).index for bit in body.clbits]
        found: Counter[object] = Counter()
        for instruction in body.circuit.data:
            name, wires, bits = _places(body.circuit, instruction)
            places = ([body.wires[w] for w in wires], [clbits[b] for b in bits])
            loose = instruction.name == "barrier" or instruction.is_control_flow()
            found[name, *(tuple(sorted(p) if loose else p) for p in places)] += 1
        assert found == wanted
    assert sorted(w for p in find_pieces(segmentation) for w in p.wires) == sorted(
        w for p in find_pieces(segmentation) for w in reader.read(p).wires
    )


def _places(circuit: QuantumCircuit, instruction: CircuitInstruction) -> tuple[str, tuple[int, ...], tuple[int, ...]]:
    """What stands where; the bits of barriers and nested blocks are in no order."""
    loose = instruction.name == "barrier" or instruction.is_control_flow()
    bits = ([circuit.find_bit(bit).index for bit in own] for own in (instruction.qubits, instruction.clbits))
    wires, clbits = (tuple(sorted(own) if loose else own) for own in bits)
    return instruction.name, wires, clbits


@settings(max_examples=100)
@given(st.data())
def test_a_change_of_one_operation_changes_the_key(data: st.DataObject):
    program = data.draw(programs())
    changeable = [i for i, instruction in enumerate(program.data) if instruction.name in ("u", "cx", "swap", "ecr")]
    assume(changeable)
    index = data.draw(st.sampled_from(changeable))
    changed = program.copy()
    instruction = changed.data[index]
    if instruction.name == "u":
        theta, phi, lam = instruction.params
        changed.data[index] = instruction.replace(params=[theta + 1e-12, phi, lam])
    else:
        name = {"cx": "cz", "swap": "iswap", "ecr": "cx"}[instruction.name]
        other = QuantumCircuit(2)
        getattr(other, name)(0, 1)
        changed.data[index] = other.data[0].replace(qubits=instruction.qubits)
    assert Counter(body.key for body in bodies(program)) != Counter(body.key for body in bodies(changed))
