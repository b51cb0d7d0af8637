from __future__ import annotations

import pytest
from qiskit.circuit import ClassicalRegister, QuantumCircuit, QuantumRegister

from qiskit_halo.device.model import DeviceModel
from qiskit_halo.options import HaloOptions
from qiskit_halo.timeline.drafts import Draft, make_drafts
from tests.targets import make_target


def drafts_of(circuit: QuantumCircuit, *, cache: bool = True) -> list[Draft]:
    device = DeviceModel(make_target(circuit.num_qubits))
    drafts, exact = make_drafts(circuit, device, HaloOptions(cache=cache))
    assert exact
    return sorted(drafts, key=lambda draft: draft.piece.owners)


def programs(num_qubits: int) -> QuantumCircuit:
    return QuantumCircuit(QuantumRegister(num_qubits, "q"), ClassicalRegister(2, "p0_c"), ClassicalRegister(2, "p1_c"))


def leases_of(draft: Draft) -> list[tuple[int, int, int]]:
    return [(lease.qubit, lease.start_dt, lease.stop_dt) for lease in draft.leases]


def test_a_reset_lends_a_qubit_and_a_wait_as_long_does_not() -> None:
    circuit = programs(2)
    circuit.x([0, 1])
    circuit.measure([0, 1], [0, 2])
    circuit.reset(0)
    circuit.delay(800, 1, "dt")
    circuit.measure([0, 1], [0, 2])
    first, second = drafts_of(circuit)
    assert first.timing == second.timing
    assert leases_of(first) == [(0, 0, 1040), (0, 1040, 2840)]
    assert leases_of(second) == [(1, 0, 2840)]


def test_a_barrier_and_a_gate_that_takes_no_time_are_told_apart() -> None:
    circuit = programs(4)
    for program, first in enumerate((0, 2)):
        circuit.x(first)
        circuit.barrier(first) if program == 0 else circuit.rz(0.5, first)
        circuit.cz(first, first + 1)
        circuit.measure([first, first + 1], [first, first + 1])
        circuit.barrier(first) if program == 0 else circuit.rz(0.5, first)
    with_barriers, with_gates = drafts_of(circuit)
    assert with_barriers.timing == with_gates.timing
    # A barrier after the last operation holds nothing.
    assert with_barriers.held[-1] == ()
    assert with_gates.held[-1] == (0,)


@pytest.mark.parametrize("cache", [False, True])
def test_copies_share_what_does_not_depend_on_the_place(cache: bool) -> None:
    circuit = programs(4)
    for first in (0, 2):
        circuit.x(first)
        circuit.cz(first, first + 1)
        circuit.measure([first, first + 1], [first, first + 1])
    one, other = drafts_of(circuit, cache=cache)
    assert one.timing is other.timing
    assert one.held is other.held
    assert leases_of(one) == [(0, 0, 1340), (1, 40, 1340)]
    assert leases_of(other) == [(2, 0, 1340), (3, 40, 1340)]
