from __future__ import annotations

import pytest
from qiskit.circuit import ClassicalRegister, QuantumCircuit, QuantumRegister
from qiskit.converters import circuit_to_dag

from qiskit_halo.errors import IsolationError
from qiskit_halo.options import HaloOptions
from qiskit_halo.passes.check_isolation import CheckIsolation
from qiskit_halo.placement.placement import Placement
from tests.targets import make_target


def circuit(resets: int) -> QuantumCircuit:
    shared = QuantumCircuit(QuantumRegister(2, "q"), ClassicalRegister(1, "p0_c"), ClassicalRegister(1, "p1_c"))
    shared.measure(0, 0)
    for _ in range(resets):
        shared.reset(0)
    shared.measure(0, 1)
    return shared


def check(shared: QuantumCircuit, options: HaloOptions | None = None, *, laid_out: bool = True) -> CheckIsolation:
    passed = CheckIsolation(make_target(2), options)
    passed.property_set["halo_placement"] = Placement(pieces=()) if laid_out else None
    passed.run(circuit_to_dag(shared))
    return passed


def test_the_report_is_kept() -> None:
    assert check(circuit(2)).property_set["halo_isolation"].fewest_resets == 2


def test_resets_are_those_of_the_options_or_of_the_circuit() -> None:
    with pytest.raises(IsolationError, match="after 1 consecutive resets where 2 are required"):
        check(circuit(1))
    check(circuit(1), HaloOptions(resets=1))
    carried = circuit(2)
    carried.metadata = {"halo": {"options": {"resets": 3}}}
    with pytest.raises(IsolationError, match="after 2 consecutive resets where 3 are required"):
        check(carried)


def test_a_buffer_is_checked_too() -> None:
    near = QuantumCircuit(QuantumRegister(2, "q"), ClassicalRegister(1, "p0_c"), ClassicalRegister(1, "p1_c"))
    near.measure([0, 1], [0, 1])
    check(near)
    with pytest.raises(IsolationError, match="active at the same time"):
        check(near, HaloOptions(buffer=1))


def test_circuits_that_somebody_else_laid_out_are_not_judged() -> None:
    assert check(circuit(0), laid_out=False).property_set["halo_isolation"] is None
