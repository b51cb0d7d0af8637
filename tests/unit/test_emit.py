from __future__ import annotations

import pytest
from qiskit.circuit import ClassicalRegister, Parameter, QuantumCircuit, QuantumRegister
from qiskit.circuit.classical import expr
from qiskit.circuit.library import ECRGate
from qiskit.quantum_info import Operator

from qiskit_halo.device.model import DeviceModel
from qiskit_halo.options import HaloOptions
from qiskit_halo.placement.emit import emit_placement
from tests.fragment_samples import place
from tests.targets import make_target


def two_programs() -> QuantumCircuit:
    circuit = QuantumCircuit(
        QuantumRegister(2, "q"), ClassicalRegister(1, "p0_c"), ClassicalRegister(1, "p1_c"), name="batch"
    )
    circuit.metadata = {"mine": 1}
    circuit.sx(0)
    circuit.measure(0, 0)
    circuit.x(1)
    circuit.measure(1, 1)
    return circuit


def widened(circuit: QuantumCircuit, qubit: int, num_qubits: int) -> QuantumCircuit:
    wide = QuantumCircuit(num_qubits)
    wide.compose(circuit, [qubit], inplace=True)
    return wide


def steps(circuit: QuantumCircuit) -> list[tuple[str, tuple[int, ...]]]:
    return [(i.name, tuple(circuit.find_bit(q).index for q in i.qubits)) for i in circuit.data]


def test_pieces_follow_each_other_with_resets_between() -> None:
    circuit = two_programs()
    device = DeviceModel(make_target(3))
    out = emit_placement(circuit, place(circuit, (2,), (2,)), device, HaloOptions(resets=3))
    assert steps(out) == [
        ("sx", (2,)),
        ("measure", (2,)),
        *[("reset", (2,))] * 3,
        ("x", (2,)),
        ("measure", (2,)),
    ]
    assert (out.num_qubits, out.cregs, out.name, out.metadata) == (3, circuit.cregs, "batch", {"mine": 1})
    assert [instruction.clbits for instruction in out.data if instruction.name == "measure"] == [
        (circuit.clbits[0],),
        (circuit.clbits[1],),
    ]


def test_qubits_of_their_own_need_no_reset_unless_they_are_not_trusted() -> None:
    circuit = two_programs()
    device, placement = DeviceModel(make_target(3)), place(circuit, (2,), (0,))
    assert "reset" not in emit_placement(circuit, placement, device, HaloOptions()).count_ops()
    dirty = emit_placement(circuit, placement, device, HaloOptions(assume_clean=False, resets=2))
    assert steps(dirty)[:3] == [("reset", (2,)), ("reset", (2,)), ("sx", (2,))]
    assert dirty.count_ops()["reset"] == 4


def test_a_directed_gate_is_turned_round() -> None:
    circuit = QuantumCircuit(2, global_phase=0.25)
    circuit.ecr(0, 1)
    device = DeviceModel(make_target(2, gate=ECRGate, directed=True))
    out = emit_placement(circuit, place(circuit, (1, 0), num_qubits=2), device, HaloOptions())
    assert ("ecr", (0, 1)) in steps(out)
    assert Operator(out) == Operator(circuit.reverse_bits().copy())


def test_variables_and_conditions_come_back_as_they_were() -> None:
    circuit = QuantumCircuit(QuantumRegister(1, "q"), ClassicalRegister(2, "p0_c"))
    flag = circuit.add_var("p0_flag", expr.lift(False))
    circuit.measure(0, 0)
    circuit.store(flag, expr.lift(circuit.clbits[0]))
    with circuit.if_test((circuit.cregs[0], 1)):
        circuit.x(0)
    with circuit.if_test(flag):
        circuit.x(0)
    circuit.measure(0, 1)
    device = DeviceModel(make_target(1))
    out = emit_placement(circuit, place(circuit, (0,), num_qubits=1), device, HaloOptions())
    assert list(out.iter_declared_vars()) == [flag]
    assert [i.operation.condition for i in out.data if i.name == "if_else"] == [(circuit.cregs[0], 1), flag]


def test_a_condition_on_a_bit_comes_back_on_that_bit() -> None:
    circuit = QuantumCircuit(QuantumRegister(1, "q"), ClassicalRegister(3, "p0_c"))
    circuit.measure(0, 2)
    with circuit.if_test((circuit.clbits[2], 1)):
        circuit.x(0)
    circuit.measure(0, 1)
    out = emit_placement(circuit, place(circuit, (1,)), DeviceModel(make_target(3)), HaloOptions())
    (branch,) = (instruction for instruction in out.data if instruction.name == "if_else")
    assert branch.clbits == (circuit.clbits[2],)
    assert branch.operation.condition == (circuit.clbits[2], 1)
    assert branch.operation.blocks[0].clbits == [circuit.clbits[2]]


def test_a_stretch_comes_back_as_it_was() -> None:
    circuit = QuantumCircuit(1, 1)
    wait = circuit.add_stretch("p0_wait")
    circuit.x(0)
    circuit.delay(wait, 0)
    circuit.measure(0, 0)
    out = emit_placement(circuit, place(circuit, (1,), num_qubits=2), DeviceModel(make_target(2)), HaloOptions())
    assert list(out.iter_declared_stretches()) == [wait]
    assert [i.operation.duration for i in out.data if i.name == "delay"] == [wait]


def test_a_parameter_comes_back_by_its_name() -> None:
    circuit = QuantumCircuit(1, global_phase=0.25)
    angle = Parameter("angle")
    circuit.rz(2 * angle, 0)
    out = emit_placement(circuit, place(circuit, (2,)), DeviceModel(make_target(3)), HaloOptions())
    assert list(out.parameters) == [angle]
    assert Operator(out.assign_parameters([0.5])) == Operator(widened(circuit.assign_parameters([0.5]), 2, 3))


@pytest.mark.parametrize("num_qubits", [1, 4])
def test_nothing_to_place(num_qubits: int) -> None:
    circuit = QuantumCircuit(2, 1, global_phase=0.5)
    out = emit_placement(circuit, place(circuit), DeviceModel(make_target(num_qubits)), HaloOptions())
    assert (out.num_qubits, out.num_clbits, out.global_phase, len(out.data)) == (num_qubits, 1, 0.5, 0)
