from __future__ import annotations

import dataclasses
import math

import numpy as np
import numpy.typing as npt
import pytest
from qiskit.circuit import QuantumCircuit
from qiskit.transpiler import InstructionProperties, Target

from qiskit_halo.device.model import DeviceModel
from qiskit_halo.options import HaloOptions
from qiskit_halo.placement.candidates import find_candidates
from qiskit_halo.placement.embeddings import Embedder
from qiskit_halo.placement.packing import PackingItem, PlacedItem, pack
from tests.fragment_samples import bell, make_fragment
from tests.targets import make_target

BELL_LENGTH = 1340
RESET = 800


def item(
    device: DeviceModel,
    circuit: QuantumCircuit | None = None,
    *,
    home: tuple[int, ...] | None = None,
    floor: float = 0.9,
    exclusive: tuple[int, ...] = (),
    owners: tuple[int, ...] = (),
) -> PackingItem:
    circuit = bell() if circuit is None else circuit
    fragment = make_fragment(circuit, home or tuple(range(circuit.num_qubits)), device)
    candidates = find_candidates(fragment, device, Embedder(device))
    log_floor = candidates.best + math.log(floor) if floor else -math.inf
    return PackingItem(candidates=candidates, log_floor=log_floor, exclusive_sites=exclusive, owners=owners)


def no_other(index: int, free: npt.NDArray[np.bool_]) -> None:
    return None


def run(device: DeviceModel, items: list[PackingItem], **options: object) -> list[tuple[tuple[int, ...], int]]:
    placed = pack(items, device, HaloOptions(**options), no_other)
    assert all(p is not None for p in placed)
    return [(p.qubits, p.start_dt) for p in placed if p is not None]


def worse_readout(num_qubits: int, bad: int, error: float) -> Target:
    target = make_target(num_qubits)
    target.update_instruction_properties("measure", (bad,), InstructionProperties(duration=1e-6, error=error))
    return target


def test_free_qubits_come_before_shared_ones() -> None:
    device = DeviceModel(make_target(4))
    assert run(device, [item(device), item(device)]) == [((0, 1), 0), ((2, 3), 0)]


@pytest.mark.parametrize("resets", [1, 2, 3])
def test_who_comes_after_waits_for_the_resets(resets: int) -> None:
    device = DeviceModel(make_target(2))
    second = BELL_LENGTH + resets * RESET
    assert run(device, [item(device), item(device)], resets=resets) == [((0, 1), 0), ((0, 1), second)]


def test_without_trust_the_first_use_waits_for_resets_too() -> None:
    device = DeviceModel(make_target(2))
    # The second qubit is first used 40 ticks later, but the first needs both resets before 0.
    assert run(device, [item(device)], assume_clean=False) == [((0, 1), 2 * RESET)]


def test_the_longest_goes_first_and_ranks_tell_the_order() -> None:
    device = DeviceModel(make_target(3))
    placed = pack([item(device, bell(1)), item(device, bell(3))], device, HaloOptions(), no_other)
    assert [p and p.rank for p in placed] == [1, 0]
    # The first qubit of the chain is measured 300 ticks before the others.
    assert [p and (p.qubits, p.start_dt) for p in placed] == [((0,), 1340 + 2 * RESET), ((0, 1, 2), 0)]


def long_on(device: DeviceModel, qubit: int) -> PackingItem:
    """9000 ticks on ``qubit`` and nowhere else, where nobody follows."""
    circuit = QuantumCircuit(1, 1)
    for _ in range(200):
        circuit.sx(0)
    circuit.measure(0, 0)
    return pinned(item(device, circuit, home=(qubit,), exclusive=(0,), floor=0))


def pinned(moving: PackingItem) -> PackingItem:
    """The same with its home as the only place."""
    shapes = tuple(
        dataclasses.replace(shape, places=shape.places[:1], log_success=shape.log_success[:1])
        for shape in moving.candidates.shapes
    )
    return dataclasses.replace(moving, candidates=dataclasses.replace(moving.candidates, shapes=shapes))


def test_the_batch_is_as_short_as_it_can_be() -> None:
    device = DeviceModel(worse_readout(2, 1, 0.05))
    short = item(device, bell(1), floor=0.5)
    assert run(device, [short, short]) == [((0,), 0), ((1,), 0)]


def test_within_the_makespan_the_best_place_wins() -> None:
    device = DeviceModel(worse_readout(3, 1, 0.05))
    short = item(device, bell(1), floor=0.5)
    assert run(device, [long_on(device, 2), short, short])[1:] == [((0,), 0), ((0,), 1040 + 2 * RESET)]


def test_a_limit_on_the_duration_is_kept_where_it_can_be() -> None:
    device = DeviceModel(worse_readout(3, 1, 0.05))
    short = item(device, bell(1), floor=0.5)
    placed = run(device, [long_on(device, 2), short, short], max_duration_s=2e-6)
    assert placed == [((2,), 0), ((0,), 0), ((1,), 0)]


def test_a_place_below_the_floor_is_waited_out() -> None:
    device = DeviceModel(worse_readout(2, 1, 0.3))
    assert run(device, [item(device, bell(1))] * 2) == [((0,), 0), ((0,), 1040 + 2 * RESET)]


def test_a_floor_that_nothing_keeps_is_told() -> None:
    device = DeviceModel(make_target(1))
    placed = pack([item(device, bell(1), floor=1.0)] * 2, device, HaloOptions(resets=1), no_other)
    assert [p and p.below_floor for p in placed] == [False, True]
    # One round on a qubit with 2 % readout error leaves 1 % excitation.
    assert placed[1] is not None
    assert placed[1].log_success == pytest.approx(math.log(0.999 * 0.98 * 0.99))


def test_exclusive_sites_are_nobody_elses() -> None:
    device = DeviceModel(make_target(3))
    placed = pack(
        [item(device, exclusive=(0, 1)), item(device), item(device, bell(1))], device, HaloOptions(), no_other
    )
    assert [p and p.qubits for p in placed] == [(0, 1), None, (2,)]


def test_an_exclusive_site_needs_a_fresh_qubit() -> None:
    device = DeviceModel(make_target(2))
    placed = pack([item(device), item(device, bell(1), exclusive=(0,))], device, HaloOptions(), no_other)
    assert [p and p.qubits for p in placed] == [(0, 1), None]


def test_a_piece_compiled_again_brings_its_own_exclusive_sites() -> None:
    # The path 0-1-2 fits nowhere after 2 is taken; another form of it does.
    device = DeviceModel(make_target(6, [(0, 1), (1, 2), (2, 3), (3, 4), (3, 5)]))
    blocker = pinned(item(device, bell(3), home=(1, 2, 3), exclusive=(0, 1, 2)))
    path = item(device, bell(3), floor=0, exclusive=(0, 1, 2))
    asked: list[tuple[int, list[bool]]] = []
    singles = QuantumCircuit(1, 1)
    singles.measure(0, 0)

    def recompile(index: int, free: npt.NDArray[np.bool_]) -> PackingItem:
        asked.append((index, free.tolist()))
        return item(device, singles, home=(4,), floor=0, exclusive=(0,))

    placed: list[PlacedItem | None] = pack([blocker, path], device, HaloOptions(), recompile)
    assert asked == [(1, [True, False, False, False, True, True])]
    assert placed[1] is not None
    assert (len(placed[1].qubits), placed[1].candidates.fragment.num_sites) == (1, 1)


def test_parts_of_one_piece_get_different_qubits() -> None:
    device = DeviceModel(make_target(2))
    circuit = QuantumCircuit(2, 2)
    circuit.measure([0, 1], [0, 1])
    ((qubits, start),) = run(device, [item(device, circuit)])
    assert (sorted(qubits), start) == ([0, 1], 0)


@pytest.mark.parametrize(("buffer", "second"), [(0, 0), (1, BELL_LENGTH), (2, BELL_LENGTH)])
def test_a_buffer_keeps_neighbours_from_running_at_the_same_time(buffer: int, second: int) -> None:
    device = DeviceModel(make_target(4))
    placed = run(device, [item(device, owners=(0,)), item(device, owners=(1,))], buffer=buffer)
    assert placed[0] == ((0, 1), 0)
    assert placed[1] == ((2, 3), second)


def test_a_buffer_is_kept_by_distance_where_there_is_room() -> None:
    device = DeviceModel(make_target(5))
    placed = run(device, [item(device, owners=(0,)), item(device, owners=(1,))], buffer=1)
    assert [start for _, start in placed] == [0, 0]
    assert sorted(q for qubits, _ in placed for q in qubits) == [0, 1, 3, 4]


def test_a_buffer_is_between_programs_not_within_one() -> None:
    device = DeviceModel(make_target(4))
    assert run(device, [item(device, owners=(0,)), item(device, owners=(0,))], buffer=1) == [((0, 1), 0), ((2, 3), 0)]


def test_starts_are_aligned() -> None:
    device = DeviceModel(make_target(1, pulse_alignment=16, acquire_alignment=24))
    starts = [start for _, start in run(device, [item(device, bell(1))] * 3, resets=1)]
    # Aligned to 48 a measurement starts at 48 and ends at 1048; a reset is 816 long, and the next start divides by 48.
    assert starts == [0, 1872, 3744]


def test_without_durations_times_count_operations() -> None:
    device = DeviceModel(make_target(2, durations=False))
    assert run(device, [item(device), item(device)], max_duration_s=1e-9) == [((0, 1), 0), ((0, 1), 3 + 2)]


def test_a_piece_without_qubits_takes_nothing() -> None:
    device = DeviceModel(make_target(1))
    assert run(device, [item(device, QuantumCircuit(), home=())]) == [((), 0)]
