from __future__ import annotations

import numpy as np
from qiskit.circuit import QuantumCircuit

from qiskit_halo.device.model import DeviceModel
from qiskit_halo.placement.quiet import QuietTimes, Surroundings, part_strangers
from qiskit_halo.placement.slots import pack_slots
from qiskit_halo.segments.find import find_components
from tests.targets import make_target


def test_qubits_within_the_buffer_wait_for_the_end() -> None:
    times = QuietTimes(DeviceModel(make_target(6)), 2)
    times.add((0,), (0, 1), 100)
    assert times.ready_dt((1,)).tolist() == [100, 100, 100, 100, 0, 0]
    times.add((1,), (5,), 70)
    assert times.ready_dt((2,)).tolist() == [100, 100, 100, 100, 70, 70]


def test_a_program_does_not_wait_for_itself_and_strangers_wait_for_all() -> None:
    times = QuietTimes(DeviceModel(make_target(3)), 1)
    times.add((0,), (0,), 100)
    times.add((), (2,), 50)
    assert times.ready_dt((0,)).tolist() == [0, 50, 50]
    assert times.ready_dt((0, 1)).tolist() == [0, 50, 50]
    assert times.ready_dt(()).tolist() == [100, 100, 50]


def test_without_a_buffer_nobody_waits() -> None:
    times = QuietTimes(DeviceModel(make_target(2)), 0)
    times.add((0,), (0, 1), 100)
    assert times.ready_dt((1,)).tolist() == [0, 0]


def test_a_piece_without_qubits_disturbs_nobody() -> None:
    times = QuietTimes(DeviceModel(make_target(2)), 1)
    times.add((0,), (), 100)
    assert times.ready_dt((1,)).tolist() == [0, 0]


def loud(surroundings: Surroundings, owners: tuple[int, ...], num_slots: int = 64) -> dict[int, list[int]]:
    """Slots in which somebody else is active, by qubit."""
    words = surroundings.quiet(owners, num_slots)
    assert words is not None
    bits = np.unpackbits(words.view(np.uint8), axis=1, bitorder="little")
    return {qubit: np.flatnonzero(row == 0).tolist() for qubit, row in enumerate(bits) if not row.all()}


def test_surroundings_are_loud_within_the_buffer_while_a_piece_runs() -> None:
    surroundings = Surroundings(DeviceModel(make_target(6)), 2)
    surroundings.add((0,), (0, 1), 3, 5)
    assert loud(surroundings, (1,)) == {0: [3, 4], 1: [3, 4], 2: [3, 4], 3: [3, 4]}
    surroundings.add((1,), (5,), 4, 6)
    assert loud(surroundings, (2,))[3] == [3, 4, 5]
    assert loud(surroundings, (0,)) == {3: [4, 5], 4: [4, 5], 5: [4, 5]}


def test_a_program_does_not_disturb_itself_and_strangers_disturb_all() -> None:
    surroundings = Surroundings(DeviceModel(make_target(3)), 1)
    surroundings.add((0, 1), (0,), 0, 1)
    surroundings.add((), (2,), 7, 8)
    for owners in ((0,), (1,), (0, 1), (1, 2)):
        assert loud(surroundings, owners) == {1: [7], 2: [7]}
    assert loud(surroundings, ()) == {0: [0], 1: [0, 7], 2: [7]}


def test_two_pieces_near_each_other_are_loud_until_both_have_ended() -> None:
    surroundings = Surroundings(DeviceModel(make_target(2)), 1)
    surroundings.add((0,), (0,), 0, 4)
    surroundings.add((0,), (0,), 2, 3)
    surroundings.add((1,), (1,), 3, 5)
    assert loud(surroundings, (0,)) == {0: [3, 4], 1: [3, 4]}
    assert loud(surroundings, (1,)) == {0: [0, 1, 2, 3], 1: [0, 1, 2, 3]}


def test_quiet_for_a_place_is_quiet_in_every_slot_of_it() -> None:
    surroundings = Surroundings(DeviceModel(make_target(4)), 1)
    surroundings.add((0,), (0,), 10, 12)
    for qubits, start, stop in (((0,), 9, 11), ((3, 1), 11, 12), ((1,), 10, 10)):
        assert not surroundings.is_quiet((1,), qubits, start, stop)
        assert surroundings.is_quiet((0,), qubits, start, stop)
    for qubits, start, stop in (((0,), 0, 10), ((1,), 12, 500), ((2, 3), 10, 12), ((1,), 12, 12)):
        assert surroundings.is_quiet((1,), qubits, start, stop)


def test_surroundings_grow_as_far_as_they_are_asked_about() -> None:
    surroundings = Surroundings(DeviceModel(make_target(1)), 1)
    surroundings.add((0,), (0,), 0, 1)
    surroundings.add((0,), (0,), 999, 1000)
    assert loud(surroundings, (1,), 1024) == {0: [0, 999]}
    assert loud(surroundings, (1,), 64) == {0: [0]}


def test_without_a_buffer_surroundings_are_always_quiet() -> None:
    surroundings = Surroundings(DeviceModel(make_target(2)), 0)
    surroundings.add((0,), (0, 1), 0, 9)
    assert surroundings.quiet((1,), 64) is None
    assert surroundings.is_quiet((1,), (0, 1), 0, 9)


def test_who_has_no_qubits_is_near_nobody() -> None:
    surroundings = Surroundings(DeviceModel(make_target(2)), 1)
    surroundings.add((0,), (), 0, 9)
    np.testing.assert_array_equal(surroundings.quiet((1,), 64), pack_slots(np.ones((2, 64), dtype=bool)))
    assert surroundings.is_quiet((1,), (), 0, 9)


def test_barriers_let_go_of_operations_without_an_owner() -> None:
    circuit = QuantumCircuit(4, 2)
    circuit.measure([0, 1], [0, 1])
    circuit.h(2)
    circuit.h(3)
    circuit.barrier(0, 1, 2)
    circuit.barrier(2, 3)
    parted = part_strangers(find_components(circuit))
    assert [(b.position, b.segments) for b in parted.barriers] == [(4, (0, 1))]
