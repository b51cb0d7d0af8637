from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from qiskit.transpiler import InstructionProperties

from qiskit_halo.device.model import DeviceModel
from qiskit_halo.options import HaloOptions
from qiskit_halo.placement.board import NO_LIMIT, Board
from qiskit_halo.placement.filling import fill
from qiskit_halo.placement.items import PackingItem
from qiskit_halo.placement.rents import RelaxedPacking
from tests.fragment_samples import bell
from tests.targets import make_target
from tests.unit.test_packing import item, no_other, pinned, run, two_pairs, worse_readout


def relaxed(device: DeviceModel, items: list[PackingItem]) -> tuple[RelaxedPacking, Board]:
    board = Board(device, HaloOptions(), items)
    return RelaxedPacking.of(items, device.num_qubits, board.windows, board.origin), board


def lease_slots(board: Board, moving: PackingItem) -> list[int]:
    """Slots that each site of the item takes."""
    (shape,) = moving.variants[0].shapes
    (group,) = board.windows.of(shape)
    return [stop - start for start, stop in group.spans]


def test_work_is_spread_over_all_qubits_that_it_may_use() -> None:
    device = DeviceModel(make_target(3))
    items = [item(device, bell(1)) for _ in range(7)]
    program, board = relaxed(device, items)
    (slots,) = lease_slots(board, items[0])
    # Seven leases on three qubits, two and a third on each; the resets of the first may lie before tick 0.
    assert board.origin > 0
    assert program.least_slots() == pytest.approx(7 / 3 * slots - board.origin)


def test_a_place_below_the_floor_is_no_place() -> None:
    device = DeviceModel(worse_readout(2, 1, 0.3))
    items = [item(device, bell(1), floor=0.9) for _ in range(4)]
    program, board = relaxed(device, items)
    assert program.least_slots() == pytest.approx(4 * lease_slots(board, items[0])[0] - board.origin)


def test_all_parts_of_a_piece_count() -> None:
    device = DeviceModel(make_target(4))
    program, board = relaxed(device, [item(device, two_pairs())])
    shapes = item(device, two_pairs()).variants[0].shapes
    assert len(shapes) == 2
    (group,) = board.windows.of(shapes[0])
    # Both pairs are taken at once. One of them alone could be split over both, and take half the time.
    slots = [stop - start for start, stop in group.spans]
    assert program.longest == group.length
    unbound = dataclasses.replace(program, longest=0)
    assert min(slots) <= unbound.least_slots() + board.origin <= max(slots)
    assert min(slots) > max(slots) / 2


def test_the_dearer_a_slot_the_shorter_the_batch() -> None:
    device = DeviceModel(worse_readout(2, 1, 0.05))
    items = [item(device, bell(1), floor=0.5) for _ in range(4)]
    program, board = relaxed(device, items)
    (slots,) = lease_slots(board, items[0])
    gain = program.worth.max() - program.worth.min()
    # All four on the better qubit, or two on each; a lease moved from one to the other takes one slot for each of its own.
    assert program.best_slots(0.5 * gain / slots)[0] == pytest.approx(4 * slots - board.origin)
    least = pytest.approx(program.least_slots())
    assert program.best_slots(1.5 * gain / slots)[0] == least == pytest.approx(2 * slots - board.origin)
    assert relaxed(device, [])[0].best_slots(1.0) == (0.0, None)


def test_the_best_length_comes_with_the_rents_of_that_time() -> None:
    device = DeviceModel(worse_readout(2, 1, 0.05))
    items = [item(device, bell(1), floor=0.5) for _ in range(4)]
    program, board = relaxed(device, items)
    (slots,) = lease_slots(board, items[0])
    gain = program.worth.max() - program.worth.min()
    # At three quarters of the time that all take on the better qubit one slot there is worth what a moved lease loses.
    (shape,) = items[0].variants[0].shapes
    unbound = dataclasses.replace(program, longest=3 * slots - board.origin)
    length, rents = unbound.best_slots(1.5 * gain / slots)
    assert length == pytest.approx(3 * slots - board.origin)
    known = program.rents(length)
    assert rents is not None
    assert known is not None
    assert rents.of(shape).tolist() == pytest.approx(known.of(shape).tolist())
    assert max(rents.of(shape)) == pytest.approx(gain)
    # A qubit that one needs for itself costs it all slots of the batch, and how many those are is not known beforehand.
    alone = [dataclasses.replace(items[0], exclusive_sites=((0,),)), *items[1:]]
    assert relaxed(device, alone)[0].best_slots(gain / slots)[1] is None


def test_only_what_others_want_has_a_rent() -> None:
    device = DeviceModel(worse_readout(3, 2, 0.05))
    held = pinned(item(device, bell(1), home=(0,)))
    free = item(device, bell(1), floor=0.5)
    program, board = relaxed(device, [held, held, free])
    (slots,) = lease_slots(board, free)
    roomy = program.rents(10.0 * slots)
    assert roomy is not None
    (shape,) = free.variants[0].shapes
    assert roomy.of(shape).tolist() == [0.0] * len(shape.places)
    # In the time of two leases qubit 0 is for the two that can go nowhere else; nobody needs the worse qubit 2.
    program, board = relaxed(device, [held, held, free, free, free])
    tight = program.rents(2.0 * slots - board.origin)
    assert tight is not None
    rents = dict(zip(shape.places[:, 0].tolist(), tight.of(shape).tolist(), strict=True))
    assert rents[0] > 0
    assert rents[2] == pytest.approx(0.0, abs=1e-12)
    # What the third free one loses on qubit 2 is what the time of a better qubit is worth.
    assert rents[1] == pytest.approx(shape.log_success[0] - shape.log_success[-1])
    assert tight.of_leases(np.array([1]), [(0, slots)]) == pytest.approx(rents[1])
    assert tight.at(0.5).of(shape).tolist() == pytest.approx((0.5 * tight.of(shape)).tolist())


def test_who_needs_a_qubit_for_itself_pays_for_all_its_time() -> None:
    target = worse_readout(3, 2, 0.05)
    target.update_instruction_properties("measure", (1,), InstructionProperties(duration=1e-6, error=0.02))
    device = DeviceModel(target)
    items = [item(device, bell(1), floor=0.5, exclusive=(0,)) for _ in range(3)]
    program, _ = relaxed(device, items)
    (shape,) = items[0].variants[0].shapes
    for num_slots in (100.0, 1000.0):
        rents = program.rents(num_slots)
        assert rents is not None
        # Three of them have three qubits: each is worth what the worst of them would lose less there.
        gaps = shape.log_success - shape.log_success[-1]
        assert rents.of(shape, (0,)).tolist() == pytest.approx(gaps.tolist(), abs=1e-9)
        qubits, spans = shape.places[0], [(0, 5)]
        assert rents.of_leases(qubits, spans, (0,)) == pytest.approx(gaps[0])
        assert rents.of_leases(qubits, spans) < gaps[0] / 2


def test_weak_programs_make_way() -> None:
    device = DeviceModel(worse_readout(2, 1, 0.05))
    strong = item(device, bell(1), floor=0.5, owners=(0,))
    weak = dataclasses.replace(strong, weight=0.01, owners=(1,))
    items = [weak, strong]
    program, board = relaxed(device, items)
    rents = program.rents(program.least_slots())
    assert rents is not None
    # The strong one can pay what the better qubit costs; to the weak one the same success is worth a hundredth of it.
    dear = board.blank(rents.at(1.05))
    spots = [dear.find(index, NO_LIMIT) for index in range(2)]
    assert [spot and spot.qubits for spot in spots] == [(1,), (0,)]
    (shape,) = strong.variants[0].shapes
    for index, weight in enumerate((0.01, 1.0)):
        spot = dear.find_at(index, 0, 0)
        assert spot is not None
        assert spot.rent == pytest.approx(1.05 * rents.of(shape)[0] / weight)


def test_who_may_fall_below_its_floor_need_not_pay_as_well() -> None:
    device = DeviceModel(worse_readout(2, 1, 0.3))
    held, free = pinned(item(device, bell(1), home=(0,))), item(device, bell(1), floor=0.5)
    program, board = relaxed(device, [held, free])
    rents = program.rents(program.least_slots())
    assert rents is not None
    dear = board.blank(rents.at(5.0))
    found, anywhere = dear.find(1, NO_LIMIT), dear.find_anywhere(1)
    assert found is not None
    assert anywhere is not None
    assert (found.qubits, anywhere.qubits) == ((1,), (0,))
    assert anywhere.rent == 0.0


def test_no_batch_is_shorter_than_its_longest_piece() -> None:
    device = DeviceModel(make_target(12))
    program, board = relaxed(device, [item(device)])
    (spot,) = fill(board.blank(), [0], no_other, None).board.spots.values()
    assert program.least_slots() == spot.stop - spot.start


@pytest.mark.parametrize("number", [2, 4, 5])
def test_what_is_least_is_true(number: int) -> None:
    device = DeviceModel(make_target(2))
    program, board = relaxed(device, [item(device, bell(1)) for _ in range(number)])
    filling = fill(board.blank(), range(number), no_other, None)
    assert program.least_slots() <= filling.length
    if number % 2 == 0:
        # The first two have their resets before tick 0, or need none.
        assert program.least_slots() == pytest.approx(filling.length, abs=board.origin)


def test_forms_of_one_piece_stand_for_each_other() -> None:
    device = DeviceModel(make_target(2))
    first, second = (pinned(item(device, bell(1), home=(qubit,))) for qubit in range(2))
    both = dataclasses.replace(first, variants=(*first.variants, *second.variants), exclusive_sites=((), ()))
    one, board = relaxed(device, [first] * 4)
    two, _ = relaxed(device, [both] * 4)
    assert two.least_slots() + board.origin == pytest.approx((one.least_slots() + board.origin) / 2)
    # Alike but for the floor: here only the better form keeps it.
    strict = dataclasses.replace(both, log_floor=math.inf)
    mixed, _ = relaxed(device, [both, both, strict, strict])
    assert mixed.balanced.tolist() == [2.0]


def test_no_rents_where_not_even_parts_of_pieces_fit() -> None:
    device = DeviceModel(make_target(4))
    pairs = [item(device, exclusive=(0, 1)) for _ in range(3)]
    assert relaxed(device, pairs)[0].rents(1000.0) is None
    assert relaxed(device, pairs[:2])[0].rents(1000.0) is not None
    # Shared, all three follow one another.
    assert relaxed(device, [item(device)] * 3)[0].rents(1000.0) is not None


def test_nothing_to_place() -> None:
    program, _ = relaxed(DeviceModel(make_target(2)), [])
    assert program.least_slots() == 0.0
    assert program.rents(5.0) is None


def test_those_with_a_choice_leave_the_best_qubit_to_those_without() -> None:
    device = DeviceModel(worse_readout(2, 1, 0.05))
    held, free = pinned(item(device, bell(1), home=(0,))), item(device, bell(1), floor=0.5)
    items = [free, held]
    program, board = relaxed(device, items)
    least = program.least_slots()
    rents = program.rents(least)
    assert rents is not None
    limit = board.origin + int(least)
    # By itself the free one would take what the other needs; with rents it is as well off elsewhere.
    best, other = board.find(0, limit), board.blank(rents).find_at(0, 0, 1)
    assert best is not None
    assert best.qubits == (0,)
    assert other is not None
    priced = board.blank(rents).find_at(0, 0, 0)
    assert priced is not None
    assert other.value >= priced.value - 1e-9
    assert other.log_success < best.log_success
    assert run(device, items, rep_delay_s=0.0) == [((1,), 0), ((0,), 0)]


@pytest.mark.parametrize("most", [1, 3])
def test_few_places_of_many_still_tell_what_is_scarce(most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("qiskit_halo.placement.rents.MOST_PLACES", most)
    device = DeviceModel(make_target(6))
    program, board = relaxed(device, [item(device)] * 4)
    assert program.slots.shape[1] <= most
    assert program.least_slots() + board.origin >= max(lease_slots(board, item(device)))
