from __future__ import annotations

from collections.abc import Callable

import pytest
from qiskit.circuit import ClassicalRegister, Parameter, ParameterVector, QuantumCircuit, QuantumRegister
from qiskit.circuit.classical import expr, types

from qiskit_halo.fragments import body as body_module
from qiskit_halo.fragments.body import Body, BodyReader, extract_body, put_back
from qiskit_halo.fragments.key import structure_key
from qiskit_halo.fragments.memory import Memory
from qiskit_halo.rewire import empty_like
from qiskit_halo.segments.find import find_components
from qiskit_halo.segments.pieces import find_pieces

Program = Callable[[QuantumCircuit, int, str], None]
"""(circuit, first qubit and clbit, prefix of the names)."""


def bodies(circuit: QuantumCircuit) -> list[Body]:
    segmentation = find_components(circuit)
    return [extract_body(circuit, segmentation, piece) for piece in find_pieces(segmentation)]


def conditions(circuit: QuantumCircuit, first: int, prefix: str) -> None:
    bits = circuit.clbits[first : first + 2]
    register = ClassicalRegister(bits=bits[::-1], name=f"{prefix}c")
    circuit.add_register(register)
    circuit.measure(first, bits[0])
    with circuit.if_test((register, 2)), circuit.if_test(expr.less(register, 3)):
        circuit.x(first + 1)
    circuit.measure(first + 1, bits[1])


def variables(circuit: QuantumCircuit, first: int, prefix: str) -> None:
    flag = circuit.add_var(f"{prefix}flag", False)
    gap = circuit.add_stretch(f"{prefix}gap")
    circuit.delay(gap, first)
    circuit.measure(first, first)
    circuit.store(flag, circuit.clbits[first])
    with circuit.if_test(flag):
        local = circuit.add_var(f"{prefix}local", expr.lift(3, types.Uint(4)))
        with circuit.if_test(expr.equal(local, 3)):
            circuit.x(first + 1)
    circuit.delay(gap, first + 1)


def parameters(circuit: QuantumCircuit, first: int, prefix: str) -> None:
    theta, vector = Parameter(f"{prefix}theta"), ParameterVector(f"{prefix}v", 11)
    circuit.rx(theta + vector[10], first)
    with circuit.for_loop((1, 2)) as i:
        circuit.ry(i * theta, first)
        with circuit.for_loop((3, 4)) as j:
            circuit.rz(i + j * vector[2], first)
    circuit.measure(first, first)


def resets(circuit: QuantumCircuit, first: int, prefix: str) -> None:
    circuit.reset(first)
    circuit.measure(first, first)
    circuit.barrier(first, first + 1)
    circuit.reset(first)
    circuit.h(first)
    circuit.cx(first, first + 1)
    circuit.measure(first, first)


PROGRAMS: list[Program] = [conditions, variables, parameters, resets]


@pytest.mark.parametrize("program", PROGRAMS)
def test_copies_under_other_names_and_elsewhere_are_equal(program: Program):
    circuit = QuantumCircuit(5, 5)
    program(circuit, 0, "a_")
    program(circuit, 3, "z_")
    first, second = bodies(circuit)
    assert structure_key(first.circuit) == structure_key(second.circuit)
    assert first.key == second.key == structure_key(first.circuit)
    assert sorted(first.wires) in ([0], [0, 1])
    assert second.wires == tuple(wire + 3 for wire in first.wires)
    place = {bit: index for index, bit in enumerate(circuit.clbits)}
    assert [place[bit] for bit in second.clbits] == [place[bit] + 3 for bit in first.clbits]


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_body_put_back_is_the_piece(program: Program):
    circuit = QuantumCircuit(5, 5)
    program(circuit, 0, "a_")
    (body,) = bodies(circuit)
    out = empty_like(circuit, QuantumRegister(5, "q"))
    instructions, phase = put_back(body.circuit, body, out, [out.qubits[wire] for wire in body.wires])
    for instruction in instructions:
        out.append(instruction)
    assert phase == 0
    assert out.parameters == circuit.parameters
    wanted = circuit.copy()
    if wanted.data[0].name == "reset":
        del wanted.data[0]  # a piece starts in |0>
    # In the order of the body: by layer, then by qubit. Its own names are back.
    assert structure_key(bodies(out)[0].circuit) == structure_key(body.circuit)
    assert sorted(map(structure_key_of_one(out), out.data)) == sorted(map(structure_key_of_one(wanted), wanted.data))


def structure_key_of_one(circuit: QuantumCircuit) -> Callable[..., str]:
    """A key of one instruction that names, unlike those of bodies, its variables and parameters."""

    def key(instruction: object) -> str:
        alone = circuit.copy_empty_like()
        alone.append(instruction)
        return structure_key(alone)

    return key


def test_independent_operations_may_be_interleaved_in_any_way():
    operations = [("h", 0), ("x", 1), ("z", 0), ("y", 1)]
    keys = set()
    for order in ([0, 1, 2, 3], [1, 0, 2, 3], [0, 2, 1, 3], [1, 3, 0, 2]):
        circuit = QuantumCircuit(2, 2)
        for index in order:
            name, qubit = operations[index]
            getattr(circuit, name)(qubit)
        circuit.cx(0, 1)
        circuit.measure([0, 1], [0, 1])
        (body,) = bodies(circuit)
        keys.add(structure_key(body.circuit))
    assert len(keys) == 1


def test_two_reads_of_a_bit_keep_their_order():
    circuit = QuantumCircuit(2, 1)
    circuit.measure(1, 0)
    with circuit.if_test((0, 1)):
        circuit.x(1)
    circuit.measure(0, 0)
    with circuit.if_test((0, 1)):
        circuit.z(0)
    (body,) = bodies(circuit)
    assert [i.name for i in body.circuit.data] == ["measure", "if_else", "measure", "if_else"]


def test_the_numbers_of_a_body_do_not_clash_with_names_of_the_user():
    circuit = QuantumCircuit(1, 1)
    names = [Parameter(name) for name in ("x1", "x0", "_halo_x1", "_halo_x0")]
    for parameter in names:
        circuit.rx(parameter, 0)
    circuit.measure(0, 0)
    (body,) = bodies(circuit)
    assert list(body.parameters) == names
    out = empty_like(circuit, QuantumRegister(1, "q"))
    instructions, _ = put_back(body.circuit, body, out, out.qubits)
    assert [i.params for i in instructions[:-1]] == [[parameter] for parameter in names]


def test_a_parameter_that_compiling_dropped_stays_away():
    circuit = QuantumCircuit(1, 1)
    theta, phi = Parameter("theta"), Parameter("phi")
    circuit.rz(theta, 0)
    circuit.rx(phi, 0)
    circuit.measure(0, 0)
    (body,) = bodies(circuit)
    compiled = body.circuit.copy_empty_like()
    for instruction in body.circuit.data[1:]:
        compiled.append(instruction)
    instructions, _ = put_back(compiled, body, circuit, circuit.qubits)
    assert [i.params for i in instructions] == [[phi], []]


def test_a_body_keeps_no_name_of_its_program():
    circuit = QuantumCircuit(QuantumRegister(1, "secret"), ClassicalRegister(1, "secret_c"), name="secret")
    circuit.metadata = {"secret": 1}
    theta = Parameter("secret_theta")
    circuit.rx(theta, 0)
    circuit.measure(0, 0)
    (body,) = bodies(circuit)
    assert body.circuit.metadata in (None, {})
    names = [body.circuit.name, *(r.name for r in body.circuit.qregs), *(r.name for r in body.circuit.cregs)]
    names += [p.name for p in body.circuit.parameters]
    assert not [name for name in names if "secret" in name]


def read_all(circuit: QuantumCircuit, *, remembers: bool) -> list[Body]:
    segmentation = find_components(circuit)
    reader = BodyReader(circuit, segmentation, remembers=remembers)
    return [reader.read(piece) for piece in find_pieces(segmentation)]


def test_readers_share_bodies_and_tell_zeros_of_either_sign_apart(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(body_module, "MEMORY", Memory(9))

    def turned(angle: float) -> QuantumCircuit:
        circuit = QuantumCircuit(1, 1)
        circuit.rz(angle, 0)
        circuit.measure(0, 0)
        return circuit

    for angle in (0.0, -0.0, 0.5, 0.0):
        (found,) = read_all(turned(angle), remembers=True)
        (plain,) = read_all(turned(angle), remembers=False)
        assert (found.key, found.wires) == (plain.key, plain.wires)
        assert str(found.circuit.data[0].params[0]) == str(plain.circuit.data[0].params[0])
        assert read_all(turned(angle), remembers=True)[0].circuit is found.circuit
        assert plain.circuit is not found.circuit
    assert len(body_module.MEMORY._entries) == 3


def test_long_bodies_are_not_kept(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(body_module, "MEMORY", Memory(9))
    circuit = QuantumCircuit(1, 1)
    for _ in range(body_module.MOST_OPERATIONS + 1):
        circuit.x(0)
    read_all(circuit, remembers=True)
    assert not body_module.MEMORY._entries
