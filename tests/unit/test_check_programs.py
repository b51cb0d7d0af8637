from __future__ import annotations

import pytest
from qiskit.circuit import QuantumCircuit
from qiskit.converters import circuit_to_dag

from qiskit_halo.errors import HaloTranspilerError
from qiskit_halo.multiprogram import MultiProgramCircuit
from qiskit_halo.passes.check_programs import CheckPrograms
from tests.targets import global_target, make_target


def program(*, inner: str = "if_else", name: str = "dyn") -> QuantumCircuit:
    circuit = QuantumCircuit(1, 1, name=name)
    circuit.measure(0, 0)
    with circuit.if_test((circuit.clbits[0], 1)):
        if inner == "for_loop":
            with circuit.for_loop(range(2)):
                circuit.x(0)
        circuit.x(0)
    circuit.measure(0, 0)
    return circuit


def check(programs: list[QuantumCircuit], **target: object) -> None:
    CheckPrograms(make_target(1, **target)).run(circuit_to_dag(MultiProgramCircuit(programs).circuit))


def test_a_device_with_the_construct() -> None:
    check([program()])


def test_the_program_and_the_construct_are_named() -> None:
    plain = QuantumCircuit(1, 1, name="plain")
    plain.measure(0, 0)
    with pytest.raises(HaloTranspilerError, match=r"Program 1 \('dyn'\) uses if_else, which this device does not have"):
        check([plain, program()], control_flow=False)
    check([plain], control_flow=False)


def test_nested_constructs_count() -> None:
    nested = MultiProgramCircuit([program(), program(inner="for_loop", name="loop")]).circuit
    with pytest.raises(HaloTranspilerError, match=r"Program 1 \('loop'\) uses for_loop"):
        CheckPrograms(global_target(2)).run(circuit_to_dag(nested))
