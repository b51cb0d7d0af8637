from __future__ import annotations

from qiskit.circuit import QuantumCircuit

from qiskit_halo.device.model import DeviceModel
from qiskit_halo.fragments.measure import sites_of, time_on
from qiskit_halo.timeline.leases import delay_resets, find_leases, find_needs, restrict_barrier, trim_barriers
from tests.draft_samples import lease
from tests.targets import make_target


def leases(circuit: QuantumCircuit, *, lend: bool = True) -> list[tuple[int, int, int, int]]:
    """(qubit, start, stop, own resets), on qubits 10, 11, ... of the device."""
    device = DeviceModel(make_target(20))
    physical = [10 + q for q in range(circuit.num_qubits)]
    timing, _, _ = time_on(circuit.data, sites_of(circuit), physical, device)
    sites = sites_of(circuit)
    held = trim_barriers(circuit.data, sites, front=lend)
    if lend:
        timing = delay_resets(circuit.data, held, timing, alignment=1)
    found = find_leases(circuit.data, held, timing, physical, lend=lend)
    return [(each.qubit, each.start_dt, each.stop_dt, each.resets) for each in found]


def test_a_qubit_is_held_from_its_first_operation_to_its_last() -> None:
    circuit = QuantumCircuit(3, 1)
    circuit.sx(0)
    circuit.cz(0, 1)
    circuit.measure(0, 0)
    assert leases(circuit) == [(10, 0, 1340, 0), (11, 40, 340, 0)]


def rounds() -> QuantumCircuit:
    circuit = QuantumCircuit(2, 2)
    circuit.cz(0, 1)
    circuit.measure(1, 0)
    circuit.reset(1)
    circuit.reset(1)
    for _ in range(100):
        circuit.sx(0)
    circuit.cz(0, 1)
    circuit.measure([0, 1], [1, 0])
    return circuit


def test_a_reset_of_the_program_lends_the_qubit() -> None:
    assert leases(rounds()) == [(10, 0, 5600, 0), (11, 0, 1300, 0), (11, 2700, 5600, 2)]
    assert leases(rounds(), lend=False) == [(10, 0, 5600, 0), (11, 0, 5600, 0)]


def test_barriers_hold_no_qubit_that_is_done() -> None:
    circuit = QuantumCircuit(2, 2)
    circuit.measure(1, 0)
    for _ in range(100):
        circuit.sx(0)
    circuit.barrier()
    circuit.measure(0, 1)
    circuit.barrier()
    assert leases(circuit) == [(10, 0, 5000, 0), (11, 0, 1000, 0)]
    assert leases(circuit, lend=False) == [(10, 0, 5000, 0), (11, 0, 1000, 0)]


def test_barriers_before_the_first_operation_hold_where_times_do_not() -> None:
    circuit = QuantumCircuit(2, 2)
    circuit.sx(0)
    circuit.barrier()
    for _ in range(100):
        circuit.sx(0)
    circuit.cz(0, 1)
    circuit.measure(0, 1)
    assert leases(circuit) == [(10, 0, 5340, 0), (11, 4040, 4340, 0)]
    assert leases(circuit, lend=False) == [(10, 0, 5340, 0), (11, 40, 4340, 0)]


def test_a_barrier_after_a_reset_does_not_take_the_qubit_back() -> None:
    circuit = QuantumCircuit(2, 2)
    circuit.cz(0, 1)
    circuit.measure(1, 0)
    circuit.reset(1)
    circuit.barrier()
    for _ in range(100):
        circuit.sx(0)
    circuit.cz(0, 1)
    circuit.measure([0, 1], [1, 0])
    # The barrier is at 2100; the reset comes right before the second cz.
    assert leases(circuit) == [(10, 0, 7400, 0), (11, 0, 1300, 0), (11, 5300, 7400, 1)]


def test_a_barrier_keeps_the_qubits_that_it_holds_and_its_label() -> None:
    circuit = QuantumCircuit(3, 1)
    circuit.sx([0, 1, 2])
    circuit.barrier(label="mine")
    circuit.cz(0, 1)
    circuit.barrier()
    held = trim_barriers(circuit.data, sites_of(circuit), front=True)
    assert held == [(0,), (1,), (2,), (0, 1), (0, 1), ()]
    kept = restrict_barrier(circuit.data[3], (0, 1, 2), held[3])
    assert (kept.name, kept.label, list(kept.qubits)) == ("barrier", "mine", circuit.qubits[:2])
    assert restrict_barrier(circuit.data[4], (0, 1), held[4]) == circuit.data[4]


def test_a_piece_without_barriers_is_left_alone() -> None:
    circuit = rounds()
    assert trim_barriers(circuit.data, sites_of(circuit), front=True) == sites_of(circuit)


def needs(circuit: QuantumCircuit) -> list[set[int]]:
    sites = sites_of(circuit)
    found = find_needs(circuit.data, sites, trim_barriers(circuit.data, sites, front=True))
    return [{i for i in range(len(found)) if each >> i & 1} for each in found]


def test_the_end_of_a_lease_depends_on_what_came_before_its_last_operation() -> None:
    # Leases: qubit 0; qubit 1 twice.
    assert needs(rounds()) == [{0, 1, 2}, {0, 1}, {0, 1, 2}]


def test_measurements_barriers_and_bits_carry_dependence() -> None:
    circuit = QuantumCircuit(3, 1)
    circuit.measure(0, 0)
    circuit.measure(1, 0)
    circuit.x(2)
    assert needs(circuit) == [{0}, {0, 1}, {2}]
    circuit.barrier()
    circuit.x(2)
    # Qubits 0 and 1 are done before the barrier; qubit 2 goes on when they are.
    assert needs(circuit) == [{0}, {0, 1}, {0, 1, 2}]


def test_nothing_is_held_without_operations() -> None:
    assert leases(QuantumCircuit(2)) == []
    assert lease(1, 2, 3).resets == 0
