from __future__ import annotations

import math

import pytest
from qiskit.circuit import QuantumCircuit
from qiskit.circuit.library import CXGate
from qiskit.providers import QubitProperties

from qiskit_halo.device.model import DeviceModel
from qiskit_halo.fragments.estimate import LossEstimator
from qiskit_halo.options import FEED_FORWARD_S
from tests.targets import make_target

GATE = -math.log1p(-1e-2)
COHERENCE = [QubitProperties(t1=1e-4, t2=1e-4)] * 3
PER_S = 0.25 / 1e-4 + 0.5 / 1e-4


def loss(circuit: QuantumCircuit, **target: object) -> float:
    return LossEstimator(DeviceModel(make_target(3, **target))).of(circuit.data, circuit.qubits).loss


def test_two_qubit_gates_count_and_a_swap_is_three():
    circuit = QuantumCircuit(3)
    circuit.cx(0, 1)
    circuit.swap(1, 2)
    circuit.barrier()
    assert loss(circuit) == pytest.approx(4 * GATE)


def test_time_alive_counts():
    circuit = QuantumCircuit(2, 1)
    circuit.h(0)  # 40 ns
    circuit.cx(0, 1)  # 300 ns
    circuit.barrier()
    circuit.measure(0, 0)  # 1000 ns
    expected = GATE + (1340e-9 + 300e-9) * PER_S
    assert loss(circuit, qubit_properties=COHERENCE) == pytest.approx(expected)
    assert loss(circuit, qubit_properties=COHERENCE, durations=False) == pytest.approx(GATE)


def test_a_reset_is_not_life():
    circuit = QuantumCircuit(1)
    circuit.x(0)
    circuit.reset(0)
    assert loss(circuit, qubit_properties=COHERENCE) == pytest.approx(40e-9 * PER_S)


def test_no_reset_is_life_however_many_there_are():
    circuit = QuantumCircuit(1)
    for _ in range(2):
        circuit.x(0)
        circuit.reset(0)
    assert loss(circuit, qubit_properties=COHERENCE) == pytest.approx(2 * 40e-9 * PER_S)


def test_a_measurement_waits_for_its_clbit():
    circuit = QuantumCircuit(2, 1)
    circuit.x([0, 1])
    circuit.measure([0, 1], [0, 0])
    expected = (1040e-9 + 2040e-9) * PER_S
    assert loss(circuit, qubit_properties=COHERENCE) == pytest.approx(expected)


def test_blocks_count_with_their_rounds():
    circuit = QuantumCircuit(2, 1)
    with circuit.for_loop(range(5)):
        circuit.cx(0, 1)
    expected = 5 * GATE + 2 * (1500e-9 + FEED_FORWARD_S) * PER_S
    assert loss(circuit, qubit_properties=COHERENCE) == pytest.approx(expected)


def test_a_device_without_couplers_or_errors():
    circuit = QuantumCircuit(1)
    circuit.x(0)
    assert LossEstimator(DeviceModel(make_target(1, errors=False))).of(circuit.data, circuit.qubits).loss == 0
    # Dead couplers say nothing about the others.
    target = make_target(3, gate=CXGate)
    target.update_instruction_properties("cx", (0, 1), type(target["cx"][0, 1])(error=1.0, duration=3e-7))
    pair = QuantumCircuit(2)
    pair.cx(0, 1)
    assert LossEstimator(DeviceModel(target)).of(pair.data, pair.qubits).loss == pytest.approx(GATE)


def test_which_qubit_is_alive_for_how_long():
    circuit = QuantumCircuit(3, 1)
    circuit.x(0)
    circuit.cx(0, 1)
    circuit.barrier(label="ours")
    circuit.measure(1, 0)
    estimate = LossEstimator(DeviceModel(make_target(3))).of(circuit.data, circuit.qubits)
    a, b, _ = circuit.qubits
    assert estimate.alive_s == {a: pytest.approx(340e-9), b: pytest.approx(1300e-9)}


def test_usual_lengths():
    circuit = QuantumCircuit(2, 1)
    circuit.t(0)
    circuit.swap(0, 1)
    circuit.measure(0, 0)
    circuit.reset(0)
    circuit.barrier()
    circuit.delay(500, 0)
    with circuit.if_test((0, 1)):
        circuit.cx(0, 1)
    seconds = LossEstimator(DeviceModel(make_target(2))).seconds
    expected = [40e-9, 900e-9, 1000e-9, 800e-9, 0, 0, FEED_FORWARD_S + 300e-9]
    assert [seconds(instruction) for instruction in circuit.data] == pytest.approx(expected)
