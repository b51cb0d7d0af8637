from __future__ import annotations

import math

import pytest
from qiskit.circuit import QuantumCircuit
from qiskit.transpiler import InstructionProperties

from qiskit_halo.device.model import DeviceModel
from qiskit_halo.fragments.fragment import Shape, find_shapes
from qiskit_halo.fragments.measure import sites_of, time_on
from tests.targets import make_target


def test_sites():
    circuit = QuantumCircuit(3, 1)
    circuit.cx(2, 0)
    circuit.measure(1, 0)
    assert sites_of(circuit) == [(2, 0), (1,)]


def test_times_and_success_depend_on_the_place():
    target = make_target(4, pulse_alignment=16)
    target.update_instruction_properties("cz", (3, 2), InstructionProperties(duration=600e-9, error=0.05))
    device = DeviceModel(target)
    circuit = QuantumCircuit(2, 1)
    circuit.sx(1)
    circuit.cz(0, 1)
    circuit.measure(1, 0)
    for physical, length, success in (((0, 1), 48 + 304 + 1000, 0.99), ((3, 2), 48 + 608 + 1000, 0.95)):
        timing, workload, log_success = time_on(circuit.data, sites_of(circuit), physical, device)
        assert timing.length_dt == length
        assert log_success == pytest.approx(math.log(0.999 * success * 0.98))
        assert workload.two_qubit == (("cz", 0, 1, 1),)


def test_shapes_are_the_connected_parts():
    assert find_shapes(6, [(4, 1), (1, 4), (5, 1), (3, 2)]) == (
        Shape(sites=(1, 4, 5), edges=((0, 1), (0, 2))),
        Shape(sites=(2, 3), edges=((0, 1),)),
        Shape(sites=(0,), edges=()),
    )
    assert find_shapes(0, []) == ()
