from __future__ import annotations

from qiskit.circuit import ClassicalRegister, Duration, QuantumCircuit
from qiskit.circuit.classical import expr, types

from qiskit_halo.segments.resources import classical_resources


def test_every_kind_of_operation():
    circuit = QuantumCircuit(2, 4)
    a, b, c, d = circuit.clbits
    pair = ClassicalRegister(bits=[d, b], name="pair")
    circuit.add_register(pair)
    flag = circuit.add_var("flag", False)
    gap = circuit.add_stretch("gap")
    circuit.data.clear()  # the store of the initial value
    wanted = []

    circuit.cx(0, 1)
    wanted.append([])
    circuit.measure(0, c)
    wanted.append([c])
    circuit.store(flag, expr.equal(pair, 2))
    wanted.append([flag, d, b])
    circuit.delay(expr.add(gap, Duration.ns(5)), 0)
    wanted.append([gap])
    circuit.delay(5, 0)
    wanted.append([])
    with circuit.if_test((a, 1)):
        circuit.x(0)
    wanted.append([a])
    with circuit.box(duration=gap):
        circuit.x(0)
    wanted.append([gap])

    assert [sorted(map(repr, classical_resources(i))) for i in circuit.data] == [
        sorted(map(repr, resources)) for resources in wanted
    ]


def test_what_nested_blocks_touch_counts():
    circuit = QuantumCircuit(1, 3)
    a, b, c = circuit.clbits
    flag = circuit.add_var("flag", False)
    other = circuit.add_var("other", False)
    circuit.data.clear()
    with circuit.switch(a) as case, case(case.DEFAULT), circuit.while_loop(expr.logic_or(b, flag)):
        local = circuit.add_var("local", True)
        circuit.store(other, local)
        circuit.measure(0, c)
    (instruction,) = circuit.data
    assert set(classical_resources(instruction)) == {a, b, c, flag, other}


def test_loop_variables_stay_inside():
    circuit = QuantumCircuit(1, 1)
    loop = expr.Var.new("i", types.Uint(4))
    with circuit.for_loop(range(2), loop), circuit.if_test(expr.equal(loop, 1)):
        circuit.x(0)
    assert list(classical_resources(circuit.data[0])) == []
