from __future__ import annotations

import numpy as np
import pytest
from qiskit.circuit import Parameter, QuantumCircuit
from qiskit.circuit.library import ECRGate, RZXGate
from qiskit.quantum_info import Operator

from qiskit_halo.device.model import DeviceModel
from qiskit_halo.fragments.direction import Turner
from tests.targets import make_target


def turned(circuit: QuantumCircuit, turner: Turner) -> QuantumCircuit:
    """``circuit`` on physical qubits 0, 1, ..., every gate in a direction that the device has."""
    physical = {qubit: index for index, qubit in enumerate(circuit.qubits)}
    instructions, phase = turner.turn(circuit.data, physical)
    out = circuit.copy_empty_like()
    out.global_phase += phase
    for instruction in instructions:
        out.append(instruction)
    return out


def directions(circuit: QuantumCircuit) -> list[tuple[int, ...]]:
    return [
        tuple(circuit.find_bit(q).index for q in instruction.qubits)
        for instruction in circuit.data
        if len(instruction.qubits) == 2
    ]


@pytest.fixture
def turner() -> Turner:
    return Turner(DeviceModel(make_target(3, gate=ECRGate, directed=True)))


def test_only_what_stands_wrong_is_turned(turner: Turner):
    circuit = QuantumCircuit(3)
    circuit.ecr(0, 1)
    circuit.ecr(2, 1)
    circuit.barrier(2, 0)
    circuit.rz(0.3, 2)
    out = turned(circuit, turner)
    assert directions(out) == [(0, 1), (1, 2), (2, 0)]
    assert out.data[0] == circuit.data[0]
    np.testing.assert_allclose(Operator(out).data, Operator(circuit).data, atol=1e-9)


def test_gates_in_nested_blocks_are_turned(turner: Turner):
    circuit = QuantumCircuit(3, 1)
    with circuit.if_test((0, 1)), circuit.if_test((0, 1)):
        circuit.ecr(2, 1)
    out = turned(circuit, turner)
    (outer,) = out.data
    (middle,) = outer.operation.blocks[0].data
    (block,) = middle.operation.blocks
    (wanted,) = circuit.data[0].operation.blocks[0].data[0].operation.blocks
    place = [outer.qubits[outer.operation.blocks[0].find_bit(q).index] for q in middle.qubits]
    found = [[place[block.find_bit(q).index] for q in i.qubits] for i in block.data if len(i.qubits) == 2]
    assert found == [[circuit.qubits[1], circuit.qubits[2]]]
    np.testing.assert_allclose(Operator(block).data, Operator(wanted).data, atol=1e-9)


def test_every_angle_gets_a_template_of_its_own():
    theta = Parameter("theta")
    turner = Turner(DeviceModel(make_target(2, gate=lambda: RZXGate(Parameter("a")), directed=True)))
    # One expression after the other, each gone when the next is made: their addresses may be equal.
    for factor in np.linspace(0.1, 1.0, 20):
        circuit = QuantumCircuit(2)
        circuit.rzx(theta * factor, 1, 0)
        out = turned(circuit, turner)
        assert directions(out) == [(0, 1)]
        values = {theta: 0.7}
        np.testing.assert_allclose(
            Operator(out.assign_parameters(values)).data,
            Operator(circuit.assign_parameters(values)).data,
            atol=1e-9,
        )
