from __future__ import annotations

import numpy as np
import pytest
from qiskit import transpile
from qiskit.circuit import AncillaRegister, ClassicalRegister, Operation, Parameter, QuantumCircuit, QuantumRegister

from qiskit_halo.errors import HaloValueError
from qiskit_halo.primitives.workload import coerce_pubs, gather_workload
from tests.targets import make_target

TARGET = make_target(5)


def coin(name: str = "coin", register: str = "c") -> QuantumCircuit:
    circuit = QuantumCircuit(QuantumRegister(1, "q"), ClassicalRegister(1, register), name=name)
    circuit.ry(Parameter("a"), 0)
    circuit.measure(0, 0)
    return circuit


def gather(*pubs: object):
    return gather_workload(coerce_pubs(pubs, 100), TARGET)


def test_points_are_programs_in_c_order():
    circuit = coin()
    work = gather((circuit, np.arange(6.0).reshape(2, 3, 1), 7), (circuit, [9.0]))
    assert len(work.kinds) == 1
    assert work.pub.tolist() == [0] * 6 + [1]
    assert work.point.tolist() == [0, 1, 2, 3, 4, 5, 0]
    assert work.values[0][work.value_row].ravel().tolist() == [0, 1, 2, 3, 4, 5, 9]
    assert work.shots == (7,) * 6 + (100,)
    assert work.names[5] == "pub 0 coin[1, 2]"
    assert work.names[6] == "pub 1 coin"


def test_circuits_of_equal_structure_are_one_kind():
    assert len(gather((coin("one"), [1.0]), (coin("two"), [2.0])).kinds) == 1


def test_what_a_result_shows_tells_kinds_apart():
    marked = QuantumCircuit(AncillaRegister(1, "q"), ClassicalRegister(1, "c"))
    marked.ry(Parameter("a"), 0)
    marked.measure(0, 0)
    other = coin()
    other = other.assign_parameters({other.parameters[0]: Parameter("b")})
    work = gather((coin(), [1.0]), (coin(register="d"), [1.0]), (marked, [1.0]), (other, [1.0]))
    assert len(work.kinds) == 4


def test_compiled_circuits_come_last_and_keep_their_own():
    flip = QuantumCircuit(1)
    flip.h(0)
    flip.measure_all()
    isa = transpile(flip, target=TARGET, initial_layout=[3])
    work = gather(isa, flip, isa)
    assert [kind.fixed for kind in work.kinds] == [False, True]
    assert work.kind.tolist() == [1, 0, 1]
    assert [kind.label for kind in work.kinds] == [f"pub 1 ({flip.name!r})", f"pub 0 ({isa.name!r})"]


def test_parameters_of_delays_are_bound_before_compiling():
    wait = Parameter("t")
    circuit = QuantumCircuit(1)
    circuit.x(0)
    circuit.delay(wait, 0, unit="us")
    circuit.measure_all()
    work = gather((circuit, [[1.0], [2.0], [1.0]]))
    assert [kind.circuit.num_parameters for kind in work.kinds] == [0, 0]
    assert work.kind.tolist() == [0, 1, 0]


def test_what_measures_nothing_is_no_program():
    idle = QuantumCircuit(1, 1)
    empty = QuantumCircuit(1)
    flip = QuantumCircuit(1, 1)
    flip.measure(0, 0)
    with pytest.warns(UserWarning, match="The circuit of pub 1 has no classical registers"):
        work = gather(idle, empty, flip, (coin(), np.zeros((0, 1))))
    assert work.pub.tolist() == [2]


def test_the_users_notes_are_not_merged():
    circuit = coin()
    circuit.metadata = {"secret": object()}
    (kind,) = gather((circuit, [1.0])).kinds
    assert kind.circuit.metadata == {}
    assert "secret" in circuit.metadata


@pytest.mark.parametrize(
    ("pubs", "kind", "message"),
    [
        ([QuantumCircuit(1, 1), (QuantumCircuit(1, 1), [1.0])], HaloValueError, r"pub 1: Length of \(\) inconsistent"),
        ([coin()], HaloValueError, r"pub 0: The number of values \(0\)"),
        ([(coin(), [1.0], 0)], HaloValueError, "pub 0: shots must be positive"),
        ([(coin(), [1.0], 2.5)], TypeError, "pub 0: shots must be an integer"),
        (coin(), HaloValueError, "pub 0: An invalid Sampler pub-like was given"),
    ],
)
def test_errors_name_the_pub(pubs: object, kind: type[Exception], message: str):
    with pytest.raises(kind, match=message):
        coerce_pubs(pubs, 10)


def test_an_object_that_only_its_identity_tells_apart_makes_a_kind_of_its_own_each_time():
    class Opaque(Operation):
        name, num_qubits, num_clbits = "opaque", 1, 0

        def copy(self):
            return self

    circuit = QuantumCircuit(1, 1)
    circuit.append(Opaque(), [0])
    circuit.measure(0, 0)
    first, second = gather(circuit, circuit), gather(circuit)
    assert len(first.kinds) == 1
    assert first.kinds[0].key != second.kinds[0].key
