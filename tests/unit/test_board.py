from __future__ import annotations

import dataclasses
import math

import pytest
from qiskit.circuit import QuantumCircuit
from qiskit.circuit.library import ECRGate
from qiskit.transpiler import InstructionProperties

from qiskit_halo.device.model import DeviceModel
from qiskit_halo.options import HaloOptions
from qiskit_halo.placement.board import NO_LIMIT, Board
from qiskit_halo.placement.candidates import find_candidates
from qiskit_halo.placement.embeddings import Embedder
from qiskit_halo.placement.items import PackingItem, Spot
from qiskit_halo.placement.windows import SLOTS_PER_LEASE
from tests.fragment_samples import bell, make_fragment
from tests.targets import make_target

RESET_LOG = math.log(0.99)  # one round, with 2 % readout error


def item(
    device: DeviceModel, circuit: QuantumCircuit, *, floor: float = 0.9, exclusive: tuple[int, ...] = ()
) -> PackingItem:
    home = tuple(range(circuit.num_qubits))
    found = find_candidates(make_fragment(circuit, home, device), device, Embedder(device))
    log_floor = found.best + math.log(floor) if floor else -math.inf
    return PackingItem(variants=(found,), log_floor=log_floor, exclusive_sites=(exclusive,), owners=())


def board_of(device: DeviceModel, items: list[PackingItem], **options: object) -> Board:
    return Board(device, HaloOptions(**{"resets": 1, **options}), items)


def found(board: Board, index: int, limit: int) -> Spot:
    spot = board.find(index, limit)
    assert spot is not None
    return spot


def test_slots_divide_a_middling_lease_and_start_on_the_alignment() -> None:
    device = DeviceModel(make_target(2))
    board = board_of(device, [item(device, bell())])
    assert board.slot_dt == round((1340 + 800) / SLOTS_PER_LEASE)
    aligned = DeviceModel(make_target(2, acquire_alignment=16))
    assert board_of(aligned, [item(aligned, bell())]).slot_dt % 16 == 0
    ticks = DeviceModel(make_target(2, durations=False))
    assert board_of(ticks, [item(ticks, bell())]).slot_dt == 1
    assert board_of(device, []).slot_dt > 0


def test_resets_before_a_first_use_lie_before_the_start_of_a_clean_device() -> None:
    device = DeviceModel(make_target(2))
    clean = board_of(device, [item(device, bell())])
    spot = found(clean, 0, clean.stop)
    assert spot.start == clean.origin > 0
    assert all(0 <= begin < clean.origin for begin, _ in spot.spans[:1])
    dirty = board_of(device, [item(device, bell())], assume_clean=False)
    spot = found(dirty, 0, dirty.stop)
    assert dirty.origin == 0
    assert spot.start * dirty.slot_dt >= 800
    assert spot.spans[0][0] >= 0


def test_within_the_limit_success_counts_and_beyond_it_time() -> None:
    target = make_target(2)
    target.update_instruction_properties("measure", (1,), InstructionProperties(duration=1e-6, error=0.05))
    device = DeviceModel(target)
    board = board_of(device, [item(device, bell(1), floor=0.5)] * 2)
    board.put(0, found(board, 0, board.stop))
    early, late = found(board, 1, board.stop), found(board, 1, NO_LIMIT)
    assert (early.qubits, early.start) == ((1,), board.origin)
    assert late.qubits == (0,)
    assert late.start > board.stop
    assert found(board, 1, late.stop) == late
    assert found(board, 1, late.stop - 1) == early


def test_a_floor_is_kept_or_given_up() -> None:
    device = DeviceModel(make_target(1))
    board = board_of(device, [item(device, bell(1), floor=1.0)] * 2)
    board.put(0, found(board, 0, board.stop))
    assert board.find(1, NO_LIMIT) is None
    spot = board.find_anywhere(1)
    assert spot is not None
    assert spot.log_success == pytest.approx(math.log(0.999 * 0.98) + RESET_LOG)


def test_what_is_unused() -> None:
    device = DeviceModel(make_target(4), exclude_qubits=(3,))
    board = board_of(device, [item(device, bell())])
    assert board.unused.tolist() == [True, True, True, False]
    spot = found(board, 0, board.stop)
    board.put(0, spot)
    assert [q for q in range(4) if not board.unused[q]] == sorted((*spot.qubits, 3))


def test_another_form_takes_the_place_of_an_item() -> None:
    device = DeviceModel(make_target(2))
    board = board_of(device, [item(device, bell())])
    board.replace(0, item(device, bell(1)))
    board.put(0, found(board, 0, board.stop))
    assert len(board.spots[0].qubits) == 1


def test_the_best_of_several_forms_that_is_in_time() -> None:
    device = DeviceModel(make_target(2))
    long = QuantumCircuit(1, 1)
    long.delay(5000, 0)
    long.measure(0, 0)
    short = QuantumCircuit(1, 1)
    for _ in range(10):
        short.sx(0)
    short.measure(0, 0)
    good, fast = item(device, long, floor=0), item(device, short, floor=0)
    both = dataclasses.replace(
        good, variants=(*good.variants, *fast.variants), exclusive_sites=(*good.exclusive_sites, *fast.exclusive_sites)
    )
    board = board_of(device, [both])
    assert found(board, 0, board.stop).variant == 1
    assert found(board, 0, NO_LIMIT).variant == 0


DISASTER = (((0, 1), (2, 3), 60.0),)


def owned(moving: PackingItem, owner: int, *places: tuple[int, ...]) -> PackingItem:
    moving = dataclasses.replace(moving, owners=(owner,))
    return pinned(moving, places[0]) if places else moving


class TestCrosstalk:
    """Two pieces of 1340 ticks whose gate takes 300; one of them on (0, 1), the other on (2, 3)."""

    @pytest.mark.parametrize("hurry", [False, True])
    @pytest.mark.parametrize("first", [(0, 1), (2, 3)])
    def test_nobody_falls_below_the_floor_whoever_came_first(self, first: tuple[int, int], hurry: bool) -> None:
        device = DeviceModel(make_target(4))
        second = (2, 3) if first == (0, 1) else (0, 1)
        items = [owned(item(device, bell()), 0, first), owned(item(device, bell()), 1, second)]
        plain, priced = board_of(device, items), board_of(device, items, crosstalk=DISASTER)
        for board in (plain, priced):
            board.put(0, found(board, 0, NO_LIMIT))
        assert found(plain, 1, NO_LIMIT).start == plain.origin
        spot = found(priced, 1, priced.stop if hurry else NO_LIMIT)
        # As early as it goes: when the gate of the first is over, not when its measurements are.
        assert 300 <= (spot.start - priced.origin) * priced.slot_dt <= 300 + 3 * priced.slot_dt
        priced.put(1, spot)
        assert [priced.spots[i].log_success for i in (0, 1)] == [i.log_best for i in items]

    @pytest.mark.parametrize("first", [(0, 1), (2, 3)])
    def test_a_start_is_as_much_later_as_the_gates_overlap(self, first: tuple[int, int]) -> None:
        def late_gate(num_pulses: int) -> QuantumCircuit:
            circuit = QuantumCircuit(2, 2)
            for _ in range(num_pulses):
                circuit.sx(0)
            circuit.cz(0, 1)
            circuit.measure([0, 1], [0, 1])
            return circuit

        device = DeviceModel(make_target(4))
        second = (2, 3) if first == (0, 1) else (0, 1)
        # Gates in [1000, 1300) and [800, 1100).
        items = [
            owned(item(device, late_gate(25)), 0, first),
            owned(item(device, late_gate(20)), 1, second),
        ]
        board = board_of(device, items, crosstalk=DISASTER)
        board.put(0, found(board, 0, NO_LIMIT))
        start_dt = (found(board, 1, NO_LIMIT).start - board.origin) * board.slot_dt
        assert 500 <= start_dt <= 500 + 3 * board.slot_dt

    def test_all_parts_of_a_piece_together_leave_others_their_floor(self) -> None:
        device = DeviceModel(make_target(3))
        pair = QuantumCircuit(2, 2)
        pair.measure([0, 1], [0, 1])
        living = owned(hold(device, 1, 3000), 0)
        living = dataclasses.replace(living, log_floor=living.log_best + math.log(0.9))
        board = board_of(device, [living, owned(item(device, pair), 1)], readout_crosstalk=0.08)
        board.put(0, found(board, 0, NO_LIMIT))
        # One readout beside the first is within its floor, two are not.
        board.put(1, found(board, 1, board.stop))
        assert board.spots[0].log_success >= living.log_floor

    def test_what_the_floor_can_bear_is_charged_to_whoever_suffers(self) -> None:
        device = DeviceModel(make_target(4))
        lost = math.log(0.97 / 0.99)
        for first, second, expected in (((0, 1), (2, 3), [lost, 0.0]), ((2, 3), (0, 1), [0.0, lost])):
            items = [owned(item(device, bell()), 0, first), owned(item(device, bell()), 1, second)]
            board = board_of(device, items, crosstalk=(((0, 1), (2, 3), 3.0),))
            for index in (0, 1):
                # At the limit there is no time to make way.
                board.put(index, found(board, index, board.stop))
            assert [board.spots[i].start for i in (0, 1)] == [board.origin] * 2
            change = [board.spots[i].log_success - items[i].log_best for i in (0, 1)]
            assert change == pytest.approx(expected)

    def test_with_time_to_spare_even_a_small_price_is_saved(self) -> None:
        device = DeviceModel(make_target(4))
        items = [owned(item(device, bell()), 0, (0, 1)), owned(item(device, bell()), 1, (2, 3))]
        board = board_of(device, items, crosstalk=(((0, 1), (2, 3), 3.0),))
        board.put(0, found(board, 0, NO_LIMIT))
        assert found(board, 1, NO_LIMIT).start > board.origin

    def test_another_place_is_better_than_another_time(self) -> None:
        device = DeviceModel(make_target(7))
        near = [(a, b, 60.0) for a in ((0, 1), (2, 3)) for b in ((0, 1), (2, 3)) if a != b]
        items = [owned(item(device, bell()), 0, (0, 1)), owned(item(device, bell()), 1)]
        plain, priced = board_of(device, items), board_of(device, items, crosstalk=near)
        for board in (plain, priced):
            board.put(0, found(board, 0, NO_LIMIT))
        assert sorted(found(plain, 1, plain.stop).qubits) == [2, 3]
        spot = found(priced, 1, priced.stop)
        assert spot.start == priced.origin
        assert sorted(spot.qubits) not in ([0, 1], [2, 3])

    def test_pieces_of_one_program_are_no_strangers(self) -> None:
        device = DeviceModel(make_target(4))
        items = [owned(item(device, bell()), 0, (0, 1)), owned(item(device, bell()), 0, (2, 3))]
        board = board_of(device, items, crosstalk=DISASTER, readout_crosstalk=0.5)
        board.put(0, found(board, 0, NO_LIMIT))
        assert found(board, 1, NO_LIMIT).start == board.origin

    @pytest.mark.parametrize("first", [0, 1])
    def test_a_readout_waits_for_a_live_neighbour(self, first: int) -> None:
        device = DeviceModel(make_target(2))
        items = [owned(hold(device, first, 3000), 0), owned(item(device, bell(1)), 1, (1 - first,))]
        items[0] = dataclasses.replace(items[0], log_floor=items[0].log_best + math.log(0.9))
        plain, priced = board_of(device, items), board_of(device, items, readout_crosstalk=0.2)
        for board in (plain, priced):
            board.put(0, found(board, 0, NO_LIMIT))
        assert found(plain, 1, NO_LIMIT).start == plain.origin
        assert (found(priced, 1, NO_LIMIT).start - priced.origin) * priced.slot_dt >= 4040 - 1040

    def test_a_piece_too_poor_for_the_price_of_all_places_comes_after_all(self) -> None:
        device = DeviceModel(make_target(4))
        items = [owned(item(device, bell(), floor=1.0), 0, (0, 1)), owned(item(device, bell(), floor=1.0), 1, (2, 3))]
        board = board_of(device, items, crosstalk=DISASTER, readout_crosstalk=0.01)
        board.put(0, found(board, 0, NO_LIMIT))
        spot = found(board, 1, NO_LIMIT)
        board.put(1, spot)
        assert [board.spots[i].log_success for i in (0, 1)] == [i.log_best for i in items]


def hold(device: DeviceModel, qubit: int, ticks: int) -> PackingItem:
    circuit = QuantumCircuit(1, 1)
    circuit.sx(0)
    circuit.delay(ticks, 0)
    circuit.measure(0, 0)
    return pinned(item(device, circuit, floor=0), (qubit,))


def pinned(moving: PackingItem, place: tuple[int, ...]) -> PackingItem:
    (candidates,) = moving.variants
    (shape,) = candidates.shapes
    row = [shape.places.tolist().index(list(place))]
    only = dataclasses.replace(
        shape,
        places=shape.places[row],
        log_success=shape.log_success[row],
        busy_start_dt=shape.busy_start_dt[row],
        busy_stop_dt=shape.busy_stop_dt[row],
        length_dt=shape.length_dt[row],
        home_row=-1,
    )
    return dataclasses.replace(moving, variants=(dataclasses.replace(candidates, shapes=(only,)),))


def fill(items: list[PackingItem], device: DeviceModel) -> Board:
    board = board_of(device, items)
    for index in range(len(items)):
        board.put(index, found(board, index, board.stop))
    return board


@pytest.mark.parametrize("floor", [0.9, 0.975])
def test_who_is_no_longer_first_pays_for_the_resets_if_it_can(floor: float) -> None:
    device = DeviceModel(make_target(2))
    pair = pinned(item(device, bell(), floor=floor), (0, 1))
    board = fill([hold(device, 0, 9000), pair, hold(device, 1, 10)], device)
    spots = [board.spots[index] for index in range(3)]
    assert spots[2].start == board.origin
    assert spots[2].log_success == pytest.approx(board.items[2].log_best)
    assert spots[1].log_success == pytest.approx(pair.log_best + 2 * RESET_LOG)
    assert board.in_order() == [0, 2, 1]


def test_nobody_comes_before_one_that_cannot_pay() -> None:
    device = DeviceModel(make_target(2))
    # Two resets cost 2 %: the pair pays for the one after the first, and has no more to give.
    pair = pinned(item(device, bell(), floor=0.985), (0, 1))
    board = fill([hold(device, 0, 9000), pair, hold(device, 1, 10)], device)
    assert board.spots[1].log_success == pytest.approx(pair.log_best + RESET_LOG)
    assert board.spots[2].start > board.spots[1].start
    assert board.spots[2].log_success == pytest.approx(board.items[2].log_best + RESET_LOG)
    assert board.in_order() == [0, 1, 2]


def test_a_piece_in_a_hole_delays_nobody() -> None:
    device = DeviceModel(make_target(2))
    pair = pinned(item(device, bell(), floor=0), (0, 1))
    board = fill([hold(device, 0, 9000), pair], device)
    stop = board.stop
    board.items.append(hold(device, 1, 10))
    board.put(2, found(board, 2, board.stop))
    assert board.stop == stop


def test_a_piece_without_qubits_runs_at_once() -> None:
    device = DeviceModel(make_target(1))
    circuit = QuantumCircuit(0, 2)
    with circuit.if_test((0, 1)):
        pass
    board = board_of(device, [item(device, circuit), item(device, bell(1))])
    spot = found(board, 0, board.stop)
    assert (spot.qubits, spot.start, spot.spans) == ((), board.origin, ())
    assert (spot.stop - spot.start) * board.slot_dt >= 700
    board.put(0, spot)
    assert board.stop == spot.stop
    assert board.in_order() == [0]


def test_the_horizon_is_the_longest_duration_allowed() -> None:
    device = DeviceModel(make_target(1))
    board = board_of(device, [item(device, bell(1))], max_duration_s=2e-6)
    assert board.horizon == board.origin + 2000 // board.slot_dt
    assert board_of(device, [item(device, bell(1))]).horizon == NO_LIMIT
    ticks = DeviceModel(make_target(1, durations=False))
    assert board_of(ticks, [item(ticks, bell(1))], max_duration_s=2e-6).horizon == NO_LIMIT


def one_after_the_other() -> QuantumCircuit:
    """Two connected parts, the second of which waits for the first: they share a clbit."""
    circuit = QuantumCircuit(2, 1)
    circuit.measure([0, 1], [0, 0])
    return circuit


def taken(device: DeviceModel, qubit: int, start_dt: int, stop_dt: int, buffer: int) -> tuple[Board, Spot]:
    """A board where qubits 0 and 1 are closed and ``qubit`` is taken for a while."""
    late = item(device, bell(1))
    closed = item(device, bell(1), exclusive=(0,))
    board = board_of(device, [item(device, one_after_the_other(), floor=0), late, closed, closed], buffer=buffer)
    for index, blocked in ((2, 0), (3, 1)):
        board.put(index, dataclasses.replace(found(board, index, board.stop), qubits=(blocked,)))
    start, stop = (board.origin + dt // board.slot_dt for dt in (start_dt, stop_dt))
    plan = found(board, 1, board.stop)
    board.find(0, NO_LIMIT)  # there must be slots to book
    spot = dataclasses.replace(plan, qubits=(qubit,), start=start, stop=stop, spans=((start, stop),))
    board.put(1, spot)
    return board, spot


@pytest.mark.parametrize(("qubit", "buffer"), [(3, 0), (4, 1)])
def test_parts_are_held_to_their_times_together(qubit: int, buffer: int) -> None:
    # With the other part at home the second part ends after 6000 ticks; with both on slow qubits, after 10000.
    target = make_target(8, [(3, 4)])
    for slow in (2, 3):
        target.update_instruction_properties("measure", (slow,), InstructionProperties(duration=5e-6, error=0.001))
    for never in (5, 6, 7):
        target.update_instruction_properties("measure", (never,), InstructionProperties(duration=1e-6, error=1.0))
    device = DeviceModel(target)
    board, other = taken(device, qubit, 7_000, 12_000, buffer)
    spot = found(board, 0, board.stop)
    lease = dict(zip(spot.qubits, spot.spans, strict=True))
    if buffer:
        assert spot.start >= other.stop or spot.stop <= other.start
    elif qubit in lease:
        begin, end = lease[qubit]
        assert begin >= other.stop or end <= other.start


def cz_and_ecr(device: DeviceModel) -> PackingItem:
    """A piece in two parts, compiled where couplers 2-3 and 0-1 are."""
    circuit = QuantumCircuit(4, 1)
    circuit.cz(0, 1)
    circuit.ecr(2, 3)
    circuit.measure([0, 2], [0, 0])
    places = find_candidates(make_fragment(circuit, (2, 3, 0, 1), device), device, Embedder(device))
    return PackingItem(variants=(places,), log_floor=-math.inf, exclusive_sites=((),), owners=())


def test_parts_that_cannot_agree_go_where_the_piece_was_compiled() -> None:
    pairs = [(a, b) for b in range(6) for a in range(b)]
    target = make_target(6, pairs)
    target.add_instruction(ECRGate(), {(0, 1): InstructionProperties(duration=3e-7, error=0.01)})
    for a, b in pairs:
        if a > 1:
            for pair in ((a, b), (b, a)):
                target.update_instruction_properties("cz", pair, InstructionProperties(duration=3e-7, error=0.2))
    device = DeviceModel(target)
    piece = cz_and_ecr(device)
    # Any of the best 16 places of the first part takes a qubit of the only coupler that the second can use.
    spot = found(board_of(device, [piece]), 0, NO_LIMIT)
    assert spot.qubits == (2, 3, 0, 1)


def test_a_hand_over_counts_where_places_are_compared() -> None:
    target = make_target(4, [(0, 1), (2, 3)])
    target.update_instruction_properties("measure", (3,), InstructionProperties(duration=1e-6, error=0.025))
    device = DeviceModel(target)
    board = board_of(device, [item(device, bell())] * 2)
    board.put(0, found(board, 0, NO_LIMIT))
    assert sorted(board.spots[0].qubits) == [0, 1]
    # Half a percent of readout is less than a reset.
    assert sorted(found(board, 1, NO_LIMIT).qubits) == [2, 3]


def test_only_the_first_part_is_bound_to_a_row() -> None:
    device = DeviceModel(make_target(3, []))
    circuit = QuantumCircuit(2, 1)
    circuit.measure([0, 1], [0, 0])
    board = board_of(device, [item(device, circuit)])
    first, second = board.items[0].variants[0].shapes
    for row, (qubit,) in enumerate(first.places.tolist()):
        spot = board.find_at(0, 0, row)
        assert spot is not None
        assert (spot.qubits[0], len(dict.fromkeys(spot.qubits))) == (qubit, 2)
    assert any(own == other for own, other in zip(first.places.tolist(), second.places.tolist(), strict=True))


def test_a_first_part_in_the_way_of_the_second_goes_elsewhere_at_once() -> None:
    target = make_target(6, [(0, 1), (2, 3), (4, 5)])
    target.add_instruction(ECRGate(), {(0, 1): InstructionProperties(duration=3e-7, error=0.01)})
    for pair in ((0, 1), (1, 0)):
        target.update_instruction_properties("cz", pair, InstructionProperties(duration=3e-7, error=1e-3))
    device = DeviceModel(target)
    piece = cz_and_ecr(device)
    board = board_of(device, [item(device, bell()), piece])
    (shape,) = board.items[0].variants[0].shapes
    blocker = board.find_at(0, 0, shape.places.tolist().index([4, 5]))
    assert blocker is not None
    board.put(0, blocker)
    spot = found(board, 1, NO_LIMIT)
    assert (sorted(spot.qubits), spot.start) == ([0, 1, 2, 3], board.origin)
