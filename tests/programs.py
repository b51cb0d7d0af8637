"""Hand-made programs, one for each thing that a merge must get right."""

from __future__ import annotations

import math
from collections.abc import Sequence

from qiskit.circuit import (
    AncillaRegister,
    ClassicalRegister,
    Clbit,
    Parameter,
    ParameterVector,
    QuantumCircuit,
    QuantumRegister,
)
from qiskit.circuit.classical import expr, types
from qiskit.circuit.library import UnitaryGate
from qiskit.quantum_info import random_unitary


def teleported() -> QuantumCircuit:
    """Mid-circuit measurements, a barrier, a user's delay, resets in the middle and at the end, an unmeasured qubit."""
    circuit = QuantumCircuit(QuantumRegister(3, "q"), ClassicalRegister(2, "m"), ClassicalRegister(1, "out"))
    circuit.ry(0.7, 0)
    circuit.h(1)
    circuit.cx(1, 2)
    circuit.barrier()
    circuit.cx(0, 1)
    circuit.measure([0, 1], [0, 1])
    circuit.reset(1)
    circuit.delay(80, 2)
    circuit.measure(2, 2)
    circuit.reset(2)
    circuit.h(1)
    return circuit


def shared_registers() -> QuantumCircuit:
    """Registers that share bits in odd orders, loose bits, and names that are no identifiers."""
    circuit = QuantumCircuit(QuantumRegister(3, "q"))
    circuit.add_bits([Clbit() for _ in range(4)])
    circuit.add_register(ClassicalRegister(bits=[circuit.clbits[2], circuit.clbits[0]], name="a b"))
    circuit.add_register(ClassicalRegister(bits=[circuit.clbits[0], circuit.clbits[1]], name="p0_c"))
    circuit.h(0)
    circuit.cx(0, 1)
    circuit.ry(0.4, 2)
    circuit.measure([0, 1, 2, 0], [0, 1, 2, 3])
    return circuit


def swapped() -> QuantumCircuit:
    """User SWAPs, a global phase, a unitary, and a helper that is never measured."""
    circuit = QuantumCircuit(QuantumRegister(3, "q"), AncillaRegister(1, "anc"), ClassicalRegister(3, "c"))
    circuit.global_phase = 0.3
    circuit.append(UnitaryGate(random_unitary(4, seed=3)), [0, 1])
    circuit.swap(0, 2)
    circuit.cx(0, 3)
    circuit.cx(2, 3)
    circuit.swap(1, 2)
    circuit.measure([0, 1, 2], [2, 0, 1])
    return circuit


def own_gates(angle: float) -> QuantumCircuit:
    """A gate named ``oracle`` and its controlled form, and a composite in a composite that hides a reset."""
    oracle = QuantumCircuit(1, name="oracle", global_phase=0.2)
    oracle.rx(angle, 0)
    hidden = QuantumCircuit(2, 1, name="inner")
    hidden.cx(0, 1)
    hidden.reset(1)
    hidden.measure(0, 0)
    outer = QuantumCircuit(2, 1, name="outer")
    outer.ry(angle, 0)
    outer.append(hidden.to_instruction(), [1, 0], [0])
    circuit = QuantumCircuit(3, 2)
    circuit.h(0)
    circuit.append(oracle.to_gate().control(1), [0, 1])
    circuit.append(oracle.to_gate(), [2])
    circuit.append(outer.to_instruction(), [1, 2], [0])
    circuit.measure(2, 1)
    return circuit


def swept() -> QuantumCircuit:
    """An unbound parameter and a vector with more than ten elements, whose names other programs use too."""
    theta, phi = Parameter("theta"), ParameterVector("phi", 11)
    circuit = QuantumCircuit(2, 2)
    circuit.ry(theta, 0)
    for element in phi:
        circuit.ry(element, 1)
    circuit.cx(0, 1)
    circuit.measure([0, 1], [0, 1])
    return circuit


def single() -> QuantumCircuit:
    """One qubit."""
    circuit = QuantumCircuit(1, 1)
    circuit.ry(1.1, 0)
    circuit.measure(0, 0)
    return circuit


def branching(constructs: Sequence[str]) -> QuantumCircuit:
    """Nested control flow of the kinds in ``constructs``, on bits, registers and expressions, and a variable."""
    circuit = QuantumCircuit(QuantumRegister(3, "q"), ClassicalRegister(2, "c"), ClassicalRegister(1, "d"))
    flag = circuit.add_var(expr.Var.new("v", types.Bool()), False)
    circuit.ry(0.9, 0)
    circuit.measure(0, 0)
    circuit.store(flag, expr.lift(circuit.clbits[0]))
    if "if_else" in constructs:
        with circuit.if_test((circuit.clbits[0], 1)) as otherwise:
            circuit.x(1)
            with circuit.if_test(expr.logic_not(flag)):
                circuit.x(2)
        with otherwise:
            circuit.ry(0.5, 1)
    circuit.measure(1, 1)
    if "switch_case" in constructs:
        with circuit.switch(circuit.cregs[0]) as case:
            with case(3):
                circuit.x(2)
            with case(case.DEFAULT):
                circuit.ry(0.2, 2)
    if "for_loop" in constructs:
        with circuit.for_loop(range(1, 3)) as index:
            circuit.ry(0.3 * index, 2)
    circuit.measure(2, 2)
    return circuit


def all_programs(constructs: Sequence[str]) -> list[QuantumCircuit]:
    """Every program above; the same object comes twice."""
    one = single()
    plain = [teleported(), shared_registers(), swapped(), own_gates(0.4), own_gates(math.pi / 3), swept(), swept()]
    dynamic = [branching(constructs)] * 2 if "if_else" in constructs else []
    return [*plain, one, one, *dynamic]
