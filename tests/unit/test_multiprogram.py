"""The public class: many programs in, one circuit out, and back."""

from __future__ import annotations

import copy
import pickle

import pytest
from qiskit.circuit import ClassicalRegister, Parameter, QuantumCircuit, QuantumRegister
from qiskit.primitives import BackendSamplerV2, StatevectorSampler
from qiskit.providers.basic_provider import BasicSimulator

from qiskit_halo.errors import HaloValueError
from qiskit_halo.multiprogram import MultiProgramCircuit
from qiskit_halo.options import HaloOptions


def constant(value: int, size: int, name: str = "constant") -> QuantumCircuit:
    """A circuit that always gives ``value`` in register ``c``."""
    circuit = QuantumCircuit(QuantumRegister(size, "q"), ClassicalRegister(size, "c"), name=name)
    for qubit in range(size):
        if value >> qubit & 1:
            circuit.x(qubit)
    circuit.measure(range(size), range(size))
    return circuit


def test_there_and_back():
    mpc = MultiProgramCircuit([constant(1, 2), constant(6, 3), constant(0, 1)], shots=[10, 30, 20])
    assert mpc.shots == 30
    result = StatevectorSampler(seed=1).run([mpc.circuit], shots=mpc.shots).result()
    for given in (result, result[0], result[0].data):
        split = mpc.split(given)
        assert [program.data.c.get_counts() for program in split] == [{"01": 10}, {"110": 30}, {"0": 20}]


def test_folded_and_back():
    mpc = MultiProgramCircuit([constant(k, 3) for k in range(8)], shots=5)
    folded = mpc.fold(4)
    result = BackendSamplerV2(backend=BasicSimulator()).run([folded], shots=mpc.shots).result()
    assert [p.data.c.get_counts() for p in mpc.split(result)] == [{f"{k:03b}": 5} for k in range(8)]


def test_counts_and_back():
    mpc = MultiProgramCircuit([constant(1, 2), constant(6, 3)], shots=9)
    assert mpc.split_counts({"110 01": 9}) == [{"01": 9}, {"110": 9}]


def test_splitting_does_not_depend_on_the_metadata_of_the_circuit():
    mpc = MultiProgramCircuit([constant(1, 2)], shots=9)
    result = StatevectorSampler(seed=1).run([mpc.circuit], shots=9).result()
    mpc.circuit.metadata["halo"]["programs"].clear()
    mpc.circuit.metadata = {}
    assert mpc.split(result)[0].data.c.get_counts() == {"01": 9}
    assert mpc.split_counts({"01": 9}) == [{"01": 9}]


def test_what_it_says_about_itself():
    mpc = MultiProgramCircuit([constant(1, 2, "a"), constant(1, 3, "a")], shots=[3, 4])
    assert repr(mpc) == "<MultiProgramCircuit: 2 programs, 5 qubits, 4 shots>"
    assert mpc.names == ("a", "a_1")
    assert [program.name for program in mpc.programs] == ["a", "a_1"]
    assert [program.index for program in mpc.programs] == [0, 1]
    assert mpc.circuit is mpc.circuit
    assert type(mpc.circuit) is QuantumCircuit
    assert mpc.circuit.name == "halo"


def test_it_cannot_be_changed():
    mpc = MultiProgramCircuit([constant(0, 1)])
    with pytest.raises(AttributeError, match="cannot be changed"):
        mpc.shots = 3
    with pytest.raises(AttributeError, match="cannot be changed"):
        mpc.anything = 3
    with pytest.raises(AttributeError, match="cannot be changed"):
        del mpc._merged
    with pytest.raises(TypeError):
        mpc.parameters[0]["x"] = 1


def test_parameters_are_given_per_program():
    theta = Parameter("t")
    circuit = QuantumCircuit(1, 1)
    circuit.rx(theta, 0)
    circuit.measure(0, 0)
    mpc = MultiProgramCircuit([circuit, (circuit, [0.2]), circuit])
    assert [{a.name: b.name for a, b in m.items()} for m in mpc.parameters] == [
        {"t": "p0_t"},
        {},
        {"t": "p2_t"},
    ]
    bound = mpc.circuit.assign_parameters({mpc.parameters[0][theta]: 1, mpc.parameters[2][theta]: 2})
    assert [i.operation.params for i in bound.data if i.name == "rx"] == [[1.0], [0.2], [2.0]]


@pytest.mark.parametrize("clone", [copy.copy, copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
def test_copies_are_equal(clone):
    mpc = MultiProgramCircuit(
        [constant(1, 2), (constant(2, 2), None, 5)], names=["a", "b"], options=HaloOptions(resets=1)
    )
    again = clone(mpc)
    assert again.circuit == mpc.circuit
    assert again.circuit.metadata == mpc.circuit.metadata
    assert (again.names, again.shots) == (mpc.names, mpc.shots)


def test_options_must_be_options():
    with pytest.raises(HaloValueError, match="options must be HaloOptions or None, not dict"):
        MultiProgramCircuit([constant(0, 1)], options={"resets": 2})


def test_arguments_but_the_programs_are_by_keyword():
    with pytest.raises(TypeError):
        MultiProgramCircuit([constant(0, 1)], 100)


def test_weights_are_one_a_program():
    circuit = QuantumCircuit(1, 1)
    circuit.measure(0, 0)
    with pytest.raises(HaloValueError, match="weights gives 3 numbers for 2 programs; give one a program"):
        MultiProgramCircuit([circuit, circuit], options=HaloOptions(weights=(1, 2, 3)))
