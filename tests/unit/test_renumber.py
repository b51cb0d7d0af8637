from __future__ import annotations

from qiskit.circuit import Parameter, QuantumCircuit

from qiskit_halo.fragments.renumber import BODY_NAME, canonical_parameter, canonical_variable, free_parameters, renumber


def test_parameters_count_by_first_use_and_those_of_one_expression_by_name():
    a, b, c, i = (Parameter(name) for name in ("a", "b", "c", "i"))
    circuit = QuantumCircuit(1, global_phase=a)
    circuit.rx(c + b, 0)
    with circuit.for_loop(range(2), i):
        circuit.rz(i * c, 0)
    assert free_parameters(circuit) == (b, c, a)


def test_our_own_names_are_the_same_each_time():
    assert canonical_parameter("x", 1) == canonical_parameter("x", 1)
    assert len({canonical_parameter("x", 1), canonical_parameter("x", 2), canonical_parameter("i", 1)}) == 3
    circuit = QuantumCircuit(1)
    flag, gap = circuit.add_var("flag", False), circuit.add_stretch("gap")
    assert canonical_variable(flag, 0) == canonical_variable(flag, 0)
    assert canonical_variable(gap, 0).name == canonical_variable(flag, 0).name == "v0"


def test_bits_take_the_order_given():
    circuit = QuantumCircuit(2, 2)
    circuit.cx(0, 1)
    circuit.measure(0, 1)
    out, variables, loops = renumber(list(circuit.data), circuit.qubits[::-1], circuit.clbits[::-1], ())
    assert [[out.find_bit(bit).index for bit in (*i.qubits, *i.clbits)] for i in out.data] == [[1, 0], [1, 0]]
    assert (out.name, variables, loops) == (BODY_NAME, (), ())
