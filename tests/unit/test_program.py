"""What a user hands over -> checked programs."""

from __future__ import annotations

import numpy as np
import pytest
from qiskit.circuit import AncillaQubit, AncillaRegister, Parameter, QuantumCircuit, QuantumRegister
from qiskit.circuit.classical import expr, types
from qiskit.primitives.containers.sampler_pub import SamplerPub

from qiskit_halo.errors import HaloValueError
from qiskit_halo.programs.load import load_programs
from qiskit_halo.programs.names import Namespace, stable_uuid, to_identifier, unique_names
from qiskit_halo.programs.program import describe


def measured(name: str = "bell") -> QuantumCircuit:
    circuit = QuantumCircuit(1, 1, name=name)
    circuit.measure(0, 0)
    return circuit


def rotated() -> tuple[QuantumCircuit, Parameter]:
    theta = Parameter("theta")
    circuit = QuantumCircuit(1, 1, name="rotated")
    circuit.rx(theta, 0)
    circuit.measure(0, 0)
    return circuit, theta


# ------------------------------------------------------------------------------------------- programs


def test_a_circuit_becomes_a_private_copy():
    circuit = measured()
    (program,) = load_programs([circuit])
    circuit.x(0)
    assert len(program.circuit.data) == 1
    assert (program.index, program.name, program.shots, program.num_qubits) == (0, "bell", 1024, 1)


def test_a_block_changed_later_does_not_change_the_program():
    circuit = measured()
    with circuit.if_test((0, 1)):
        circuit.x(0)
    (program,) = load_programs([circuit])
    circuit.data[-1].operation.blocks[0].y(0)
    assert dict(program.circuit.data[-1].operation.blocks[0].count_ops()) == {"x": 1}


def test_helpers_are_the_qubits_of_ancilla_registers():
    circuit = QuantumCircuit(QuantumRegister(1), AncillaRegister(2), QuantumRegister(1))
    circuit.add_bits([AncillaQubit()])
    circuit.measure_all()
    (program,) = load_programs([circuit])
    assert program.helpers == (1, 2, 4)


def test_one_object_given_twice_is_copied_once():
    circuit = measured()
    first, second = load_programs([circuit, circuit])
    assert first.circuit is second.circuit


def test_a_program_cannot_be_changed():
    (program,) = load_programs([measured()])
    with pytest.raises(AttributeError):
        program.shots = 5


@pytest.mark.parametrize("programs", [[], (), iter(())])
def test_no_programs(programs):
    with pytest.raises(HaloValueError, match="there are no programs; give at least one"):
        load_programs(programs)


def test_one_circuit_instead_of_a_list():
    with pytest.raises(HaloValueError, match=r"not one circuit; write \[circuit\]"):
        load_programs(measured())


@pytest.mark.parametrize(
    ("thing", "found"),
    [("H 0", "not str"), (None, "not NoneType"), (("H 0",), r"not tuple \(str\)"), ((), r"not tuple \(\)")],
)
def test_not_a_circuit(thing, found):
    with pytest.raises(HaloValueError, match=f"Program 1 must be a QuantumCircuit or a sampler PUB .*{found}"):
        load_programs([measured(), thing])


def test_errors_name_the_program_by_the_users_name():
    with pytest.raises(HaloValueError, match=r"Program 1 \('bo'\) must be a QuantumCircuit"):
        load_programs([measured(), 3], names=["ann", "bo"])


def test_no_measurement():
    with pytest.raises(HaloValueError, match=r"Program 1 \('quiet'\) has no measurement"):
        load_programs([measured(), QuantumCircuit(2, 2, name="quiet")])


def test_a_measurement_in_a_block_or_a_composite_counts():
    inside = QuantumCircuit(1, 1)
    with inside.for_loop(range(2)), inside.if_test((0, 0)):
        inside.measure(0, 0)
    hidden = QuantumCircuit(1, 1)
    outer = QuantumCircuit(1, 1)
    outer.append(measured().to_instruction(), [0], [0])
    hidden.append(outer.to_instruction(), [0], [0])
    assert len(load_programs([inside, hidden])) == 2


def test_input_variables_are_refused():
    circuit = QuantumCircuit(1, 1, inputs=[expr.Var.new("a", types.Bool())], name="asks")
    circuit.measure(0, 0)
    with pytest.raises(HaloValueError, match=r"Program 0 \('asks'\) has input variables a, .* add_var"):
        load_programs([circuit])


def test_captured_variables_are_refused():
    circuit = QuantumCircuit(1, 1, captures=[expr.Stretch.new("s"), expr.Var.new("a", types.Bool())])
    circuit.measure(0, 0)
    with pytest.raises(HaloValueError, match=r"Program 0 .* captures a, s from an outer circuit"):
        load_programs([circuit])


# ----------------------------------------------------------------------------------------------- PUBs


@pytest.mark.parametrize("values", [[0.5], (0.5,), np.array([0.5]), {"theta": 0.5}])
def test_a_pub_is_bound(values):
    circuit, theta = rotated()
    (program,) = load_programs([(circuit, values)])
    assert program.circuit.data[0].operation.params == [0.5]
    assert circuit.parameters == {theta}


def test_a_pub_object_is_taken():
    circuit, _ = rotated()
    first, second = load_programs([SamplerPub.coerce((circuit, [0.5], 7)), SamplerPub.coerce(measured())])
    assert (first.shots, second.shots) == (7, 1024)


def test_the_shots_of_a_pub_win():
    circuit, _ = rotated()
    loaded = load_programs([(circuit, [0.5], 7), (measured(), None, 8), (measured(),)], shots=[1, 2, 3])
    assert [program.shots for program in loaded] == [7, 8, 3]


def test_unbound_parameters_stay():
    circuit, theta = rotated()
    (program,) = load_programs([circuit])
    assert program.circuit.parameters == {theta}


@pytest.mark.parametrize("values", [[[0.1], [0.2]], [[0.1]]])
def test_a_parameter_sweep_is_refused(values):
    circuit, _ = rotated()
    shape = (len(values),)
    with pytest.raises(HaloValueError, match=rf"Program 1 is a PUB with a parameter sweep of shape \({shape[0]},\)"):
        load_programs([measured(), (circuit, values)])


@pytest.mark.parametrize("pub", [({"theta": 0.1},), (None,), ()])
def test_a_wrong_number_of_values_is_refused(pub):
    circuit, _ = rotated()
    circuit.rz(Parameter("phi"), 0)
    given = len(pub[0]) if pub and pub[0] else 0
    message = rf"Program 0 \('ann'\): The number of values \({given}\) does not match the number of parameters \(2\)"
    with pytest.raises(HaloValueError, match=message) as caught:
        load_programs([(circuit, *pub)], names=["ann"])
    assert "sampler.run" not in caught.value.message


def test_values_of_another_shape_are_refused():
    circuit, _ = rotated()
    circuit.rz(Parameter("phi"), 0)
    with pytest.raises(HaloValueError, match=r"Program 0 \('ann'\): .*inconsistent"):
        load_programs([(circuit, [0.1])], names=["ann"])


def test_a_pub_that_is_too_long_is_refused():
    with pytest.raises(HaloValueError, match="Program 0 must be a QuantumCircuit or a sampler PUB"):
        load_programs([(measured(), None, 3, 4)])


# ---------------------------------------------------------------------------------------------- shots


@pytest.mark.parametrize("shots", [0, -1, 1.5, True, None, "9"])
def test_shots_that_are_no_positive_whole_number(shots):
    with pytest.raises(HaloValueError, match="shots must be a whole number of at least 1, not"):
        load_programs([measured()], shots=shots)


@pytest.mark.parametrize("shots", [0, -1, 1.5, True, None, "9"])
def test_one_of_many_shots_is_wrong(shots):
    with pytest.raises(HaloValueError, match=r"Program 1 \('bo'\): shots must be a whole number"):
        load_programs([measured(), measured()], shots=[5, shots], names=["ann", "bo"])


@pytest.mark.parametrize("shots", [0, -1, 1.5, True])
def test_the_shots_of_a_pub_are_wrong(shots):
    with pytest.raises(HaloValueError, match="Program 0: shots must be a whole number of at least 1"):
        load_programs([(measured(), None, shots)])


@pytest.mark.parametrize("shots", [[], [1], [1, 2, 3]])
def test_not_one_number_of_shots_a_program(shots):
    with pytest.raises(HaloValueError, match=f"there are {len(shots)} numbers of shots for 2 programs"):
        load_programs([measured(), measured()], shots=shots)


def test_shots_may_be_numpy_numbers():
    assert [p.shots for p in load_programs([measured()] * 2, shots=np.array([3, 4]))] == [3, 4]
    assert [p.shots for p in load_programs([measured()] * 2, shots=np.int64(5))] == [5, 5]


# ---------------------------------------------------------------------------------------------- names


def test_default_names_are_made_unique():
    names = [measured("bell"), measured("bell"), measured("bell_1"), measured("bell")]
    assert [p.name for p in load_programs(names)] == ["bell", "bell_2", "bell_1", "bell_3"]


def test_given_names_may_be_any_text():
    names = ["", "a b", "α\n"]
    assert [p.name for p in load_programs([measured()] * 3, names=names)] == names


@pytest.mark.parametrize("names", [[], ["a"], ["a", "b", "c"]])
def test_a_wrong_number_of_names(names):
    with pytest.raises(HaloValueError, match=f"there are {len(names)} names for 2 programs"):
        load_programs([measured(), measured()], names=names)


def test_duplicate_names():
    with pytest.raises(HaloValueError, match="programs 0 and 2 are both named 'a'"):
        load_programs([measured()] * 3, names=["a", "b", "a"])


def test_a_name_that_is_no_string():
    with pytest.raises(HaloValueError, match="the name of program 1 must be a string, not 7"):
        load_programs([measured()] * 2, names=["a", 7])


def test_one_string_instead_of_names():
    with pytest.raises(HaloValueError, match="not the string 'ab'"):
        load_programs([measured()] * 2, names="ab")


def test_errors_are_one_line():
    for name in ("α\nβ", "x"):
        with pytest.raises(HaloValueError) as caught:
            load_programs([QuantumCircuit(1, name=name)])
        assert "\n" not in caught.value.message
    assert describe(0, "α\nβ") == "Program 0 ('α\\nβ')"


def test_identifiers_change_as_little_as_possible():
    given = ["c", "1st", "a b", "é", "a-é", "", "²", "ﬁt"]
    assert [to_identifier(name) for name in given] == ["c", "1st", "a_b", "é", "a__", "", "2", "fit"]
    assert all(f"p0_{to_identifier(name)}".isidentifier() for name in given)


def test_names_that_need_no_change_are_kept():
    assert Namespace(3).claim(["a b", "a_b", "a-b"]) == ["p3_a_b_1", "p3_a_b", "p3_a_b_2"]


def test_unique_names_stay_linear_for_equal_names():
    assert unique_names(["x"] * 2000, set())[-1] == "x_1999"


def test_identities_depend_on_program_kind_and_name():
    made = {stable_uuid(k, kind, name) for k in (0, 1) for kind in ("a", "b") for name in ("x", "y")}
    assert len(made) == 8
    assert stable_uuid(0, "a", "x") == stable_uuid(0, "a", "x")
