from __future__ import annotations

from qiskit.circuit import ClassicalRegister, Clbit, QuantumCircuit, QuantumRegister
from qiskit.circuit.classical import expr, types
from qiskit.circuit.library import GlobalPhaseGate

from qiskit_halo.segments.find import (
    UNNAMED,
    BarrierLink,
    Component,
    Segment,
    Segmentation,
    find_components,
    owners_of_clbits,
)


def test_a_whole_circuit():
    circuit = QuantumCircuit(QuantumRegister(4, "q"), ClassicalRegister(2, "p0_c"), ClassicalRegister(1, "p1_c"))
    circuit.reset(0)  # 0
    circuit.h(0)  # 1
    circuit.cx(0, 1)  # 2
    circuit.measure(0, 0)  # 3
    circuit.barrier()  # 4
    circuit.reset(0)  # 5
    circuit.reset(0)  # 6
    circuit.x(0)  # 7
    circuit.measure(0, 2)  # 8
    circuit.h(3)  # 9
    circuit.reset(1)  # 10
    assert find_components(circuit) == Segmentation(
        segments=(
            Segment(wire=0, resets=(0,), operations=(1, 2, 3), component=0),
            Segment(wire=0, resets=(5, 6), operations=(7, 8), component=1),
            Segment(wire=1, resets=(), operations=(2,), component=0),
            Segment(wire=3, resets=(), operations=(9,), component=2),
        ),
        components=(
            Component(segments=(0, 2), operations=(1, 2, 3), clbits=(0,), variables=(), owners=(0,)),
            Component(segments=(1,), operations=(7, 8), clbits=(2,), variables=(), owners=(1,)),
            Component(segments=(3,), operations=(9,), clbits=(), variables=(), owners=()),
        ),
        barriers=(BarrierLink(position=4, segments=(0, 2, 3)),),
    )


def test_nothing_at_all():
    circuit = QuantumCircuit(2)
    circuit.barrier()
    circuit.reset(0)
    assert find_components(circuit) == Segmentation(segments=(), components=(), barriers=())


def components(circuit: QuantumCircuit) -> list[tuple[tuple[int, ...], tuple[int, ...]]]:
    """Operations and owners of each component."""
    return [(c.operations, c.owners) for c in find_components(circuit).components]


def test_a_condition_joins_across_a_reset():
    circuit = QuantumCircuit(1, 2)
    circuit.measure(0, 0)  # 0
    circuit.reset(0)
    with circuit.if_test((0, 1)):  # 2
        circuit.x(0)
    circuit.reset(0)
    circuit.measure(0, 1)  # 4
    assert components(circuit) == [((0, 2), (UNNAMED,)), ((4,), (UNNAMED,))]


def test_a_reset_inside_control_flow_does_not_cut():
    circuit = QuantumCircuit(2, 2)
    circuit.measure(0, 0)
    with circuit.if_test((0, 1)):
        circuit.reset(1)
    circuit.measure(1, 1)
    assert components(circuit) == [((0, 1, 2), (UNNAMED,))]


def test_a_reset_hidden_in_a_composite_does_not_cut():
    inner = QuantumCircuit(1)
    inner.reset(0)
    circuit = QuantumCircuit(1, 2)
    circuit.measure(0, 0)
    circuit.append(inner.to_instruction(), [0])
    circuit.measure(0, 1)
    assert components(circuit) == [((0, 1, 2), (UNNAMED,))]


def test_variables_and_stretches_join_and_name_the_owner():
    circuit = QuantumCircuit(3, 1)
    flag = expr.Var.new("p4_flag", types.Bool())
    circuit.add_uninitialized_var(flag)
    gap = circuit.add_stretch("p2_gap")
    circuit.store(flag, True)  # 0
    with circuit.if_test(flag):  # 1
        circuit.x(0)
    circuit.delay(gap, 1)  # 2
    circuit.delay(gap, 2)  # 3
    assert components(circuit) == [((0, 1), (4,)), ((2, 3), (2,))]
    assert [c.variables for c in find_components(circuit).components] == [("p4_flag",), ("p2_gap",)]


def test_operations_on_variables_alone_are_one_component():
    circuit = QuantumCircuit(1)
    flag = circuit.add_var("p4_flag", False)  # 0
    circuit.store(flag, True)  # 1
    circuit.x(0)  # 2
    circuit.store(flag, False)  # 3
    assert components(circuit) == [((0, 1, 3), (4,)), ((2,), ())]


def test_operations_that_touch_nothing_stand_alone():
    circuit = QuantumCircuit(1)
    circuit.append(GlobalPhaseGate(0.5), [])
    circuit.append(GlobalPhaseGate(0.5), [])
    assert components(circuit) == [((0,), ()), ((1,), ())]


def test_programs_joined_by_a_gate_have_two_owners():
    circuit = QuantumCircuit(QuantumRegister(2), ClassicalRegister(1, "p3_c"), ClassicalRegister(1, "p1_c"))
    circuit.cx(0, 1)
    circuit.measure([0, 1], [0, 1])
    assert components(circuit) == [((0, 1, 2), (1, 3))]


def test_owners_of_clbits():
    first = ClassicalRegister(2, "p0_c")
    circuit = QuantumCircuit(first, ClassicalRegister(1, "plain"), [Clbit()])
    circuit.add_register(ClassicalRegister(bits=[first[1]], name="p2_alias"))
    assert owners_of_clbits(circuit) == [(0,), (0, 2), (UNNAMED,), (UNNAMED,)]
