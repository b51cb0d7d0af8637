from __future__ import annotations

import pytest
from qiskit.circuit import QuantumCircuit

from qiskit_halo.device.model import DeviceModel
from qiskit_halo.errors import HaloTranspilerError
from qiskit_halo.fragments.compile import CompileSettings, FragmentCompiler
from qiskit_halo.fragments.jumps import count_loop_swaps, has_jumps
from qiskit_halo.verification.equivalence import outcome_distribution
from tests.dense_oracle import brute_force, distance
from tests.targets import make_target


def restless(*pairs: tuple[int, int]) -> QuantumCircuit:
    """A loop over ``pairs`` that is left as soon as qubit 0 is measured as 1."""
    circuit = QuantumCircuit(3, 3)
    circuit.x(1)
    with circuit.for_loop(range(2)):
        for pair in pairs:
            circuit.cx(*pair)
        circuit.h(0)
        circuit.measure(0, 0)
        with circuit.if_test((circuit.clbits[0], 1)):
            circuit.break_loop()
        circuit.cx(1, 2)
    circuit.measure([1, 2], [1, 2])
    return circuit


def test_jumps_are_found_in_nested_loops():
    assert has_jumps(restless())
    circuit = QuantumCircuit(3, 3)
    with circuit.if_test((circuit.clbits[1], 0)), circuit.for_loop(range(2)):
        circuit.continue_loop()
    assert has_jumps(circuit)


def test_a_loop_without_jumps_has_none():
    circuit = QuantumCircuit(2, 1)
    with circuit.for_loop(range(2)):
        circuit.swap(0, 1)
    assert not has_jumps(circuit)
    assert count_loop_swaps(circuit) == 0


def test_only_swaps_in_the_body_of_such_a_loop_count():
    circuit = QuantumCircuit(3, 3)
    circuit.swap(0, 1)
    with circuit.for_loop(range(2)):
        circuit.swap(0, 1)
        with circuit.if_test((circuit.clbits[0], 0)):
            circuit.swap(1, 2)
            circuit.break_loop()
    assert count_loop_swaps(circuit) == 2


@pytest.mark.parametrize("level", [0, 1, 2, 3])
def test_such_a_loop_is_right_where_its_gates_fit_the_couplers(level: int):
    """Also at level 0, which would lay it out so that it has to be routed."""
    circuit = restless((2, 0), (1, 2))
    device = DeviceModel(make_target(4))
    compiler = FragmentCompiler(device, CompileSettings(optimization_level=level))
    fragment, *_ = compiler.compile(circuit, range(4), "Program 0 ('ann')")
    found, wanted = outcome_distribution(fragment.circuit), brute_force(circuit)
    assert distance(found, wanted) < 1e-12


def test_such_a_loop_is_refused_where_they_do_not():
    compiler = FragmentCompiler(DeviceModel(make_target(4)), CompileSettings())
    with pytest.raises(HaloTranspilerError, match=r"Program 0 \('ann'\) has a loop with break_loop .* if_test"):
        compiler.compile(restless((0, 1), (0, 2)), range(4), "Program 0 ('ann')")
