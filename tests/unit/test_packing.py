from __future__ import annotations

import dataclasses
import math
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pytest
from qiskit.circuit import QuantumCircuit
from qiskit.transpiler import InstructionProperties, Target

from qiskit_halo.device.model import DeviceModel
from qiskit_halo.options import HaloOptions
from qiskit_halo.placement import packing, rows
from qiskit_halo.placement.candidates import find_candidates
from qiskit_halo.placement.crowding import Reservation
from qiskit_halo.placement.embeddings import Embedder
from qiskit_halo.placement.filling import Filling, PlacedItem
from qiskit_halo.placement.items import PackingItem
from qiskit_halo.placement.packing import pack
from qiskit_halo.placement.rents import RelaxedPacking, Rents
from qiskit_halo.placement.sequencing import OrderSearch
from tests.fragment_samples import bell, make_fragment
from tests.targets import make_target

BELL_LENGTH = 1340
RESET = 800

SLOTS = 250
"""Ticks by which a provisional start may be late at most, with the lengths used here: leases are rounded to slots."""


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
    return PackingItem(variants=(candidates,), log_floor=log_floor, exclusive_sites=(exclusive,), owners=owners)


def no_other(index: int, free: npt.NDArray[np.bool_]) -> None:
    return None


def run(device: DeviceModel, items: list[PackingItem], **options: object) -> list[tuple[tuple[int, ...], int]]:
    placed = pack(items, device, HaloOptions(**options), no_other)
    assert all(p is not None for p in placed)
    return [(p.spot.qubits, p.start_dt) for p in placed if p is not None]


def follows(start: int, earliest: int) -> bool:
    return earliest <= start <= earliest + SLOTS


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
    first, (qubits, start) = run(device, [item(device), item(device)], resets=resets)
    assert (first, qubits) == (((0, 1), 0), (0, 1))
    assert follows(start, BELL_LENGTH + resets * RESET)


def test_without_trust_the_first_use_waits_for_resets_too() -> None:
    device = DeviceModel(make_target(2))
    # The second qubit is first used 40 ticks later, but the first needs both resets before 0.
    ((qubits, start),) = run(device, [item(device)], assume_clean=False)
    assert qubits == (0, 1)
    assert follows(start, 2 * RESET)


def test_the_longest_goes_first_and_ranks_tell_the_order() -> None:
    device = DeviceModel(make_target(3))
    placed = pack([item(device, bell(1)), item(device, bell(3))], device, HaloOptions(), no_other)
    assert [p and p.rank for p in placed] == [1, 0]
    assert [p and p.spot.qubits for p in placed] == [(0,), (0, 1, 2)]
    assert placed[0] is not None
    assert follows(placed[0].start_dt, BELL_LENGTH + 2 * RESET)


def long_on(device: DeviceModel, qubit: int) -> PackingItem:
    """9000 ticks on ``qubit`` and nowhere else, where nobody follows."""
    circuit = QuantumCircuit(1, 1)
    for _ in range(200):
        circuit.sx(0)
    circuit.measure(0, 0)
    return pinned(item(device, circuit, home=(qubit,), exclusive=(0,), floor=0))


def pinned(moving: PackingItem) -> PackingItem:
    """The same with its home as the only place."""
    (found,) = moving.variants
    shapes = []
    for shape in found.shapes:
        home = [shape.home_row]
        shapes.append(
            dataclasses.replace(
                shape,
                places=shape.places[home],
                log_success=shape.log_success[home],
                busy_start_dt=shape.busy_start_dt[home],
                busy_stop_dt=shape.busy_stop_dt[home],
                length_dt=shape.length_dt[home],
                home_row=0,
            )
        )
    return dataclasses.replace(moving, variants=(dataclasses.replace(found, shapes=tuple(shapes)),))


@pytest.mark.parametrize("few", [0, packing.FEW])
def test_a_worse_place_is_taken_where_it_saves_more_time_than_it_loses(
    few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packing, "FEW", few)

    def on_the_worse(number: int, error: float, delay_s: float) -> int:
        device = DeviceModel(worse_readout(2, 1, error))
        short = item(device, bell(1), floor=0.5)
        return [qubits for qubits, _ in run(device, [short] * number, rep_delay_s=delay_s)].count((1,))

    # One after the other takes more than twice as long, which is little beside a long repetition delay.
    assert on_the_worse(2, 0.05, delay_s=0.0) == 1
    assert on_the_worse(2, 0.05, delay_s=1e-3) == 0
    assert on_the_worse(2, 0.02, delay_s=1e-3) == 1
    assert on_the_worse(20, 0.05, delay_s=0.0) == 10
    assert on_the_worse(20, 0.05, delay_s=1e-2) == 0


def test_the_reset_before_a_shot_counts_as_time_like_the_delay() -> None:
    device = DeviceModel(make_target(2))
    for delay_s in (0.0, 1e-6):
        packer = packing._Packer([item(device)], device, HaloOptions(rep_delay_s=delay_s), no_other)
        assert packer._overhead_slots * packer._blank.slot_dt == pytest.approx(RESET + delay_s * 1e9)


@pytest.mark.parametrize("log_best", [-60.0, -800.0])
def test_programs_that_cannot_work_are_packed_by_time_alone(log_best: float) -> None:
    device = DeviceModel(make_target(2))
    good = item(device, bell(1))
    (found,) = good.variants
    (shape,) = found.shapes
    hopeless = dataclasses.replace(
        found, shapes=(dataclasses.replace(shape, log_success=shape.log_success + log_best),)
    )
    weak = dataclasses.replace(good, variants=(hopeless,), log_floor=-math.inf, weight=1e-6)
    number = packing.FEW + 1
    placed = run(device, [dataclasses.replace(weak, owners=(k,)) for k in range(number)])
    assert abs([qubits for qubits, _ in placed].count((0,)) - number / 2) <= 1


def test_success_of_a_program_is_that_of_all_its_pieces() -> None:
    device = DeviceModel(make_target(2))
    pieces = [item(device, bell(1), owners=owners) for owners in ((0,), (0,), (1,), (), ())]
    packer = packing._Packer(pieces, device, HaloOptions(), no_other)
    logs = dict(enumerate((-0.1, -0.2, -0.5, -1.0, -2.0)))
    wanted = [math.exp(log) for log in (-0.1 - 0.2, -0.5, -1.0, -2.0)]
    assert packer._mean_success(logs) == pytest.approx(sum(wanted) / 4)


def test_floors_are_kept_where_one_after_another_can() -> None:
    """Places for many at once are chosen first; who has several parts has none there, and others take its qubits."""
    target = make_target(3, couplers=[])
    target.update_instruction_properties("measure", (2,), InstructionProperties(duration=1e-6, error=0.3))
    device = DeviceModel(target)
    both = QuantumCircuit(2, 1)
    for qubit in (0, 1, 0, 1):
        both.measure(qubit, 0)
    pair = item(device, both, floor=0.7, exclusive=(0, 1), owners=(0,))
    single = item(device, bell(1), floor=0.6, exclusive=(0,), owners=(1,))
    (first, _), (second, _) = run(device, [pair, single], sharing="none")
    assert (sorted(first), second) == ([0, 1], (2,))


def test_within_the_makespan_the_best_place_wins() -> None:
    device = DeviceModel(worse_readout(3, 1, 0.05))
    short = item(device, bell(1), floor=0.5)
    _, first, (qubits, start) = run(device, [long_on(device, 2), short, short])
    assert (first, qubits) == (((0,), 0), (0,))
    assert follows(start, 1040 + 2 * RESET)


def test_a_limit_on_the_duration_is_kept_where_it_can_be() -> None:
    device = DeviceModel(worse_readout(3, 1, 0.05))
    short = item(device, bell(1), floor=0.5)
    placed = run(device, [long_on(device, 2), short, short], max_duration_s=2e-6)
    assert placed == [((2,), 0), ((0,), 0), ((1,), 0)]


def test_a_place_below_the_floor_is_waited_out() -> None:
    device = DeviceModel(worse_readout(2, 1, 0.3))
    first, (qubits, start) = run(device, [item(device, bell(1))] * 2)
    assert (first, qubits) == (((0,), 0), (0,))
    assert follows(start, 1040 + 2 * RESET)


def test_a_floor_that_nothing_keeps_is_told() -> None:
    device = DeviceModel(make_target(1))
    placed = pack([item(device, bell(1), floor=1.0)] * 2, device, HaloOptions(resets=1), no_other)
    assert [p and p.below_floor for p in placed] == [False, True]
    # One round on a qubit with 2 % readout error leaves 1 % excitation.
    assert placed[1] is not None
    assert placed[1].spot.log_success == pytest.approx(math.log(0.999 * 0.98 * 0.99))


def test_exclusive_sites_are_nobody_elses() -> None:
    device = DeviceModel(make_target(3))
    placed = pack(
        [item(device, exclusive=(0, 1)), item(device), item(device, bell(1))], device, HaloOptions(), no_other
    )
    assert [p and p.spot.qubits for p in placed] == [(0, 1), None, (2,)]


def test_no_search_for_room_where_there_cannot_be_any(monkeypatch: pytest.MonkeyPatch) -> None:
    device = DeviceModel(make_target(4))
    asked: list[int] = []
    monkeypatch.setattr(packing, "reserve", lambda items, *_, **__: asked.append(len(items)) or {})
    placed = pack([item(device, exclusive=(0, 1)) for _ in range(3)], device, HaloOptions(sharing="none"), no_other)
    assert sum(p is None for p in placed) == 1
    assert asked == []
    # Two pairs have as many qubits as a star of four, but both need its middle.
    star = DeviceModel(make_target(4, [(0, 1), (0, 2), (0, 3)]))
    items = [item(star, exclusive=(0, 1)) for _ in range(2)]
    assert None in pack(items, star, HaloOptions(sharing="none"), no_other)
    assert asked


@pytest.mark.parametrize("together", [1, 3])
def test_it_makes_no_difference_how_many_places_are_looked_at_together(
    together: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    device = DeviceModel(worse_readout(9, 4, 0.1))
    items = [item(device, bell(width), owners=(width,)) for width in (3, 2, 1, 2, 3, 2, 1, 2, 2, 3)]
    usual = run(device, items)
    monkeypatch.setattr(rows, "BEST_FIRST", together)
    assert run(device, items) == usual


def test_an_exclusive_site_needs_a_fresh_qubit() -> None:
    device = DeviceModel(make_target(2))
    placed = pack([item(device), item(device, bell(1), exclusive=(0,))], device, HaloOptions(), no_other)
    assert [p is None for p in placed].count(True) == 1


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
    assert (len(placed[1].spot.qubits), placed[1].item.variants[0].fragment.num_sites) == (1, 1)


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
    qubits, start = placed[1]
    assert qubits == (2, 3)
    assert follows(start, second)


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
    assert starts[0] == 0
    assert all(start % 48 == 0 for start in starts)
    assert all(follows(later - earlier, 1872) for earlier, later in pairwise(starts))


def test_a_limit_that_one_cannot_keep_still_binds_the_others() -> None:
    device = DeviceModel(worse_readout(3, 1, 0.05))
    short = item(device, bell(1), floor=0.5)
    for batch in ([short, long_on(device, 2), short], [short, short, long_on(device, 2)]):
        shorts = [p for p in run(device, batch, max_duration_s=2e-6) if p[0] != (2,)]
        assert sorted(shorts) == [((0,), 0), ((1,), 0)]


def test_whoever_comes_before_another_makes_it_pay_for_the_resets() -> None:
    # The pair waits for the long one on qubit 0; the short ones fit before it on qubit 1.
    device = DeviceModel(make_target(2))
    long = pinned(item(device, long_circuit(), home=(0,), floor=0.9))
    pair = pinned(item(device, bell(), home=(0, 1), floor=0.9))
    short = pinned(item(device, bell(1), home=(1,), floor=0.9))
    placed = pack([pair, long, short], device, HaloOptions(resets=1), no_other)
    by_rank = {p.rank: p for p in placed if p is not None}
    used: dict[int, int] = {}
    for rank in range(3):
        placed_item = by_rank[rank]
        resets = sum(qubit in used for qubit in placed_item.spot.qubits)
        used.update(dict.fromkeys(placed_item.spot.qubits, rank))
        alone = placed_item.item.log_best
        assert placed_item.spot.log_success == pytest.approx(alone + resets * math.log(0.99))


def long_circuit() -> QuantumCircuit:
    circuit = QuantumCircuit(1, 1)
    circuit.sx(0)
    circuit.delay(9000, 0)
    circuit.measure(0, 0)
    return circuit


def test_nobody_comes_before_one_that_cannot_pay_for_the_resets() -> None:
    device = DeviceModel(make_target(2))
    long = pinned(item(device, long_circuit(), home=(0,), floor=0.9))
    # One reset costs 1 %: on qubit 0 it fits within the floor, on both it does not.
    pair = pinned(item(device, bell(), home=(0, 1), floor=0.985))
    short = pinned(item(device, bell(1), home=(1,), floor=0.9))
    placed = pack([long, pair, short], device, HaloOptions(resets=1), no_other)
    assert [p and p.below_floor for p in placed] == [False, False, False]
    assert all(p is not None and p.spot.log_success >= p.item.log_floor - 1e-9 for p in placed)


def two_pairs() -> QuantumCircuit:
    """Two connected parts that a shared clbit keeps together."""
    circuit = QuantumCircuit(4, 1)
    circuit.cz(0, 1)
    circuit.cz(2, 3)
    circuit.measure([0, 1, 2, 3], [0] * 4)
    return circuit


def test_one_part_does_not_take_the_only_room_of_another() -> None:
    # The middle pair is the best, but leaves none for the other.
    target = make_target(4)
    for pair in ((0, 1), (1, 0), (2, 3), (3, 2)):
        target.update_instruction_properties("cz", pair, InstructionProperties(duration=3e-7, error=0.05))
    device = DeviceModel(target)
    for floor in (0.0, 0.9):
        for exclusive in ((), (0, 1, 2, 3)):
            ((qubits, _),) = run(device, [item(device, two_pairs(), floor=floor, exclusive=exclusive)])
            assert sorted(qubits) == [0, 1, 2, 3]


def test_a_part_may_lose_what_the_others_leave() -> None:
    # Each part alone would have qubit 0; the floor is that of both together.
    device = DeviceModel(worse_readout(2, 1, 0.3))
    circuit = QuantumCircuit(2, 2)
    circuit.measure([0, 1], [0, 1])
    (placed,) = pack([item(device, circuit, floor=1.0)], device, HaloOptions(), no_other)
    assert placed is not None
    assert not placed.below_floor
    assert placed.spot.log_success == pytest.approx(math.log(0.98 * 0.7))


def test_parts_without_errors_may_go_anywhere() -> None:
    target = make_target(2)
    for name in ("sx", "measure"):
        for qubit in range(2):
            duration = {"sx": 4e-8, "measure": 1e-6}[name]
            target.update_instruction_properties(name, (qubit,), InstructionProperties(duration=duration, error=0.0))
    device = DeviceModel(target)
    circuit = QuantumCircuit(2, 2)
    circuit.sx(0)
    circuit.measure([0, 1], [0, 1])
    for floor in (0.0, 1.0):
        ((qubits, start),) = run(device, [item(device, circuit, floor=floor)])
        assert (sorted(qubits), start) == ([0, 1], 0)


def test_a_lost_item_is_worse_than_one_below_its_floor() -> None:
    # The narrow one loses more and chooses first: with its best qubit it would take the only pair of the wide one.
    target = make_target(3, [(0, 1)])
    target.update_instruction_properties("measure", (2,), InstructionProperties(duration=1e-6, error=0.3))
    device = DeviceModel(target)
    circuit = bell()
    circuit.delay(5000, [0, 1])
    circuit.measure([0, 1], [0, 1])
    wide = item(device, circuit, exclusive=(0, 1))
    circuit = QuantumCircuit(1, 1)
    for _ in range(120):
        circuit.sx(0)
    circuit.measure(0, 0)
    narrow = item(device, circuit, exclusive=(0,))
    assert narrow.log_best < wide.log_best
    placed = pack([narrow, wide], device, HaloOptions(), no_other)
    assert [p and (p.spot.qubits, p.below_floor) for p in placed] == [((2,), True), ((0, 1), False)]


def test_pieces_with_holes_do_not_come_before_each_other() -> None:
    device = DeviceModel(make_target(4, []))
    # Site 0 is done after 1000 ticks, site 1 begins after 11000: one clbit keeps them in order.
    holed = QuantumCircuit(3, 1)
    holed.measure(0, 0)
    for _ in range(10):
        holed.measure(2, 0)
    holed.measure(1, 0)
    crossing = pinned(item(device, holed, home=(0, 1, 2), floor=0))
    back = pinned(item(device, holed, home=(1, 0, 3), floor=0))
    starts = sorted(start for _, start in run(device, [crossing, back]))
    # Each lies in the holes of the other at tick 0, but no order of the two is right on both qubits.
    assert starts[0] == 0
    assert starts[1] >= 12000 + 2 * RESET


@pytest.mark.parametrize("assume_clean", [True, False])
def test_there_is_always_room_after_all_others(assume_clean: bool) -> None:
    device = DeviceModel(make_target(1))
    placed = run(device, [item(device, bell(1), floor=0.5)] * 40, resets=3, assume_clean=assume_clean)
    starts = sorted(start for _, start in placed)
    assert all(follows(later - earlier, 1040 + 3 * RESET) for earlier, later in pairwise(starts))


def test_without_durations_times_count_operations() -> None:
    device = DeviceModel(make_target(2, durations=False))
    assert run(device, [item(device), item(device)], max_duration_s=1e-9) == [((0, 1), 0), ((0, 1), 3 + 2)]


def test_a_piece_without_qubits_takes_nothing() -> None:
    device = DeviceModel(make_target(1))
    assert run(device, [item(device, QuantumCircuit(), home=())]) == [((), 0)]


def only_on(moving: PackingItem, qubits: tuple[int, ...]) -> PackingItem:
    """The same with these as its only places, for items of one qubit."""
    (found,) = moving.variants
    (shape,) = found.shapes
    rows = np.isin(shape.places[:, 0], qubits)
    kept = {
        name: getattr(shape, name)[rows]
        for name in ("places", "log_success", "busy_start_dt", "busy_stop_dt", "length_dt")
    }
    return dataclasses.replace(
        moving, variants=(dataclasses.replace(found, shapes=(dataclasses.replace(shape, **kept, home_row=-1),)),)
    )


def test_other_forms_count_before_somebody_goes_below_its_floor() -> None:
    target = worse_readout(3, 2, 0.3)
    target.update_instruction_properties("measure", (1,), InstructionProperties(duration=1e-6, error=0.03))
    device = DeviceModel(target)
    any_place = item(device, bell(1), floor=0.8, exclusive=(0,))
    first, other = only_on(any_place, (0,)), only_on(any_place, (1,))
    either = dataclasses.replace(
        first, variants=(*first.variants, *other.variants), exclusive_sites=((0,), (0,)), owners=(0,)
    )
    # Taking the best form of each, the first has qubit 0 and the second only the bad one.
    choosy = dataclasses.replace(only_on(any_place, (0, 2)), owners=(1,), log_floor=any_place.log_floor)
    packer = packing._Packer([either, choosy], device, HaloOptions(sharing="none"), no_other)
    filling = packer.all_at_once()
    assert filling.faults == (0, 0, 0)
    assert {index: spot.qubits for index, spot in filling.board.spots.items()} == {0: (1,), 1: (0,)}


def test_items_are_of_one_kind_if_nothing_tells_them_apart() -> None:
    device = DeviceModel(make_target(2))
    one = item(device, bell(1), owners=(0,))
    assert dataclasses.replace(one, owners=(1,)).kind == one.kind
    for other in ({"log_floor": -5.0}, {"exclusive_sites": ((0,),)}, {"weight": 0.5}):
        assert dataclasses.replace(one, **other).kind != one.kind
    assert item(device, bell(1)).kind != one.kind


def test_a_program_that_lacks_a_piece_has_no_success() -> None:
    device = DeviceModel(make_target(3))
    items = [item(device, bell(1), owners=(0,)), item(device, bell(2), owners=(0,)), item(device, bell(1), owners=(1,))]
    packer = packing._Packer(items, device, HaloOptions(), no_other)
    assert packer._mean_success({0: 0.0, 1: math.log(0.5), 2: 0.0}) == pytest.approx(0.75)
    assert packer._mean_success({0: 0.0, 2: 0.0}) == pytest.approx(0.5)


def test_orders_are_searched_where_a_few_wait_for_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    searched: list[int] = []

    def best(search: OrderSearch, least_slots: float) -> dict[int, Reservation]:
        searched.append(len(search._choices))
        return {}

    monkeypatch.setattr(OrderSearch, "best", best)
    narrow, wide = DeviceModel(make_target(2)), DeviceModel(make_target(40))
    options = HaloOptions(rep_delay_s=0.0)
    pack([item(wide)] * packing.FEWEST, wide, options, no_other)
    assert searched == []
    # Floors that leave nothing for the resets of a hand-over: all but one end below theirs.
    strict = item(narrow, floor=1.0)
    pack([strict] * packing.FEWEST, narrow, options, no_other)
    assert searched == [packing.FEWEST]
    pack([strict] * (packing.FEWEST + 1), narrow, options, no_other)
    assert searched == [packing.FEWEST]


def test_the_order_found_is_taken_if_it_is_better_than_all_boards(monkeypatch: pytest.MonkeyPatch) -> None:
    device = DeviceModel(make_target(2))
    packer = packing._Packer([item(device)] * 3, device, HaloOptions(rep_delay_s=0.0), no_other)
    found = packer._in_best_order(100.0)
    assert found.faults == (0, 0, 0)
    assert sorted(spot.start for spot in found.board.spots.values()) == [
        spot.start for spot in found.board.spots.values()
    ]
    monkeypatch.setattr(packing._Packer, "_in_best_order", lambda *_: found)
    monkeypatch.setattr(packing, "WORTH_SEARCHING", -1.0)
    monkeypatch.setattr(packing._Packer, "badness", lambda _, filling: ((0, 0, 0), 0.0 if filling is found else 1.0))
    assert packer.one_by_one() is found


@pytest.mark.parametrize(("num_items", "is_searched"), [(3, True), (6, False)])
def test_the_more_pieces_the_more_a_search_must_promise(
    num_items: int, is_searched: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    device = DeviceModel(make_target(2))
    searched: list[float] = []
    packer = packing._Packer([item(device)] * num_items, device, HaloOptions(), no_other)
    monkeypatch.setattr(packing._Packer, "_in_best_order", lambda own, least: searched.append(least) or own._shortest())
    # Between what is worth a search for three pieces and for six.
    monkeypatch.setattr(packing._Packer, "_cost", lambda *_: 0.0)
    monkeypatch.setattr(packing._Packer, "badness", lambda *_: ((0, 0, 0), 4.5 * packing.WORTH_SEARCHING))
    packer.one_by_one()
    assert bool(searched) == is_searched


class Watched:
    """Notes what boards a packer fills at rents, and makes the first ones faulty."""

    def __init__(self, packer: packing._Packer, monkeypatch: pytest.MonkeyPatch, num_faulty: int = 0) -> None:
        self.limits: list[float] = []
        at_rents = packer._at_rents

        def watched(rents: Rents, num_slots: float) -> Filling:
            filling = at_rents(rents, num_slots)
            self.limits.append(num_slots)
            if len(self.limits) <= num_faulty:
                filling.low[0] = None
            return filling

        monkeypatch.setattr(packer, "_at_rents", watched)


def many(device: DeviceModel, **options: float) -> packing._Packer:
    items = [item(device, bell(1), floor=0.5)] * (packing.FEW + 1)
    return packing._Packer(items, device, HaloOptions(**options), no_other)


def test_large_batches_are_filled_once_if_that_is_as_it_should_be(monkeypatch: pytest.MonkeyPatch) -> None:
    device = DeviceModel(worse_readout(2, 1, 0.05))
    packer = many(device, rep_delay_s=1e-2)
    watched = Watched(packer, monkeypatch)
    packer.one_by_one()
    assert len(watched.limits) == 1
    packer = many(device, rep_delay_s=1e-2)
    watched = Watched(packer, monkeypatch, num_faulty=1)
    assert packer.one_by_one().faults == (0, 0, 0)
    assert len(watched.limits) == 2


def test_rents_are_those_of_the_time_that_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    device = DeviceModel(worse_readout(2, 1, 0.05))
    asked: list[float] = []
    rents_of = RelaxedPacking.rents

    def rents(self: RelaxedPacking, num_slots: float) -> Rents | None:
        asked.append(num_slots)
        return rents_of(self, num_slots)

    monkeypatch.setattr(RelaxedPacking, "rents", rents)
    packer = many(device, rep_delay_s=1e-2)
    packer.one_by_one()
    # The best length came with its own.
    assert asked == []
    packer = many(device, rep_delay_s=1e-2, max_duration_s=1.2e-4)
    packer.one_by_one()
    assert asked[0] * packing.WASTE == pytest.approx(packer._blank.horizon - packer._blank.origin)


def test_where_places_are_few_all_must_end_close_to_the_least(monkeypatch: pytest.MonkeyPatch) -> None:
    device = DeviceModel(make_target(2))
    held = pinned(item(device, bell(1)))
    packer = packing._Packer([held] * (packing.FEW + 1), device, HaloOptions(), no_other)
    watched = Watched(packer, monkeypatch)
    filling = packer.one_by_one()
    least = RelaxedPacking.of([held] * (packing.FEW + 1), 2, packer._blank.windows, packer._blank.origin).least_slots()
    assert watched.limits == [pytest.approx(packing.TIGHT[1] * least)]
    assert filling.length == pytest.approx(least, abs=1)
