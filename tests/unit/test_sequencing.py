from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Mapping

import pytest
from qiskit.circuit import QuantumCircuit
from qiskit.transpiler import InstructionProperties

from qiskit_halo.device.model import DeviceModel
from qiskit_halo.options import HaloOptions
from qiskit_halo.placement import choices, sequencing
from qiskit_halo.placement.board import Board
from qiskit_halo.placement.candidates import find_candidates
from qiskit_halo.placement.choices import Choices, Room
from qiskit_halo.placement.crowding import Reservation
from qiskit_halo.placement.embeddings import Embedder
from qiskit_halo.placement.items import TOLERANCE, PackingItem
from qiskit_halo.placement.sequencing import OrderSearch
from tests.fragment_samples import bell, make_fragment
from tests.targets import make_target


def uneven_line(num_qubits: int) -> DeviceModel:
    """A line on which readout gets worse from end to end."""
    target = make_target(num_qubits)
    for qubit in range(num_qubits):
        properties = InstructionProperties(duration=1e-6, error=0.02 + 0.01 * qubit)
        target.update_instruction_properties("measure", (qubit,), properties)
    return DeviceModel(target)


def slow(num_qubits: int, gates: int) -> QuantumCircuit:
    """A chain that takes ``gates`` two-qubit gates longer."""
    circuit = QuantumCircuit(num_qubits, num_qubits)
    for _ in range(gates):
        circuit.cz(0, 1)
    return circuit.compose(bell(num_qubits), clbits=range(num_qubits))


def two_parts() -> QuantumCircuit:
    circuit = QuantumCircuit(3, 3)
    circuit.cz(0, 1)
    circuit.measure(range(3), range(3))
    return circuit


def item(
    device: DeviceModel, *circuits: QuantumCircuit, floor: float = 0.5, exclusive: tuple[int, ...] = ()
) -> PackingItem:
    embedder = Embedder(device)
    found = [
        find_candidates(make_fragment(circuit, range(circuit.num_qubits), device), device, embedder)
        for circuit in circuits
    ]
    found.sort(key=lambda candidates: -candidates.best)
    return PackingItem(
        variants=tuple(found),
        log_floor=found[0].best + math.log(floor),
        exclusive_sites=(exclusive,) * len(found),
        owners=(),
    )


def room_of(device: DeviceModel, items: list[PackingItem], horizon: int = 2**40, **options: object) -> Room:
    board = Board(device, HaloOptions(**{"resets": 1, **options}), items)
    return Room(
        num_qubits=device.num_qubits,
        windows=board.windows,
        handover_log=board.handover_log,
        origin=board.origin,
        horizon=board.origin + horizon,
    )


@dataclasses.dataclass
class Outcome:
    """What comes of pieces that follow one another on each qubit, told without the search's own code."""

    length: int
    log_success: dict[int, float]
    starts: list[int]
    keeps_floors: bool


def outcome(items: list[PackingItem], room: Room, places: Mapping[int, Reservation]) -> Outcome:
    free_from: dict[int, int] = {}
    log_success, starts, stop, keeps = {}, [], room.origin, True
    held: set[int] = set()
    for index, place in places.items():
        (shape,) = items[index].variants[place.variant].shapes
        (group,) = [group for group in room.windows.of(shape) if group.holds[place.row]]
        qubits = shape.places[place.row].tolist()
        start = max(room.origin, *(free_from.get(q, 0) - a for q, (a, _) in zip(qubits, group.spans, strict=True)))
        starts.append(start)
        resets = sum(float(room.handover_log[q]) for q in qubits if q in free_from)
        log_success[index] = float(shape.log_success[place.row]) + resets
        alone = {qubits[shape.sites.index(site)] for site in items[index].exclusive_sites[place.variant]}
        keeps &= log_success[index] >= items[index].log_floor - TOLERANCE
        keeps &= not held & set(qubits) and not alone & set(free_from)
        held |= alone
        free_from |= {q: start + b for q, (_, b) in zip(qubits, group.spans, strict=True)}
        stop = max(stop, start + group.length)
    return Outcome(stop - room.origin, log_success, starts, keeps)


def cost(log_success: Mapping[int, float], num_slots: float) -> float:
    """Short batches of good programs are good; a program that is left out is worth nothing."""
    return math.log(max(1.0, num_slots)) - 5 * sum(map(math.exp, log_success.values()))


def least_cost(items: list[PackingItem], room: Room) -> float:
    """The least cost of any order and any places that keep floors, by trying all of them."""
    every = [
        [Reservation(v, row) for v, variant in enumerate(i.variants) for row in range(len(variant.shapes[0].places))]
        for i in items
    ]
    best = math.inf
    for order in itertools.permutations(range(len(items))):
        for own in itertools.product(*(every[index] for index in order)):
            found = outcome(items, room, dict(zip(order, own, strict=True)))
            if found.keeps_floors:
                best = min(best, cost(found.log_success, found.length))
    return best


@pytest.mark.parametrize(
    "programs",
    [
        [[bell(3)], [slow(2, 6)], [bell(2)]],
        [[slow(2, 9)], [slow(2, 4)], [slow(3, 2)]],
        [[bell(3)], [bell(3)], [slow(2, 12)]],
        [[slow(3, 3)], [slow(2, 2)], [slow(2, 3)], [bell(3)]],
        # Forms of other widths.
        [[bell(2), slow(3, 1)], [slow(2, 4), bell(3)], [slow(3, 1), slow(2, 3)]],
        [[slow(3, 2), slow(2, 9)], [slow(3, 2), slow(2, 9)], [slow(2, 3)]],
    ],
)
def test_few_pieces_get_the_best_order_and_places_there_are(programs: list[list[QuantumCircuit]]) -> None:
    device = uneven_line(4)
    items = [item(device, *forms) for forms in programs]
    room = room_of(device, items)
    believed: list[float] = []

    def noted(log_success: Mapping[int, float], num_slots: float) -> float:
        believed.append(cost(log_success, num_slots))
        return believed[-1]

    best = OrderSearch(items, room, noted).best(60.0)
    found = outcome(items, room, best)
    assert sorted(best) == list(range(len(items)))
    assert found.keeps_floors
    assert found.starts == sorted(found.starts)
    assert cost(found.log_success, found.length) == pytest.approx(min(believed), abs=1e-9)
    assert min(believed) == pytest.approx(least_cost(items, room), abs=1e-9)


@pytest.mark.parametrize("exclusive", [0, 1, 2])
def test_qubits_that_one_needs_for_itself_are_nobody_elses(exclusive: int) -> None:
    device = uneven_line(4)
    items = [
        item(device, program, exclusive=(0,) if number == exclusive else ())
        for number, program in enumerate([bell(3), slow(2, 6), bell(2)])
    ]
    room = room_of(device, items)
    best = OrderSearch(items, room, cost).best(60.0)
    assert sorted(best) == [0, 1, 2]
    assert outcome(items, room, best).keeps_floors


def test_a_shorter_form_is_taken_where_others_wait() -> None:
    device = uneven_line(2)
    items = [item(device, bell(2), slow(2, 20)), item(device, bell(2))]
    # The long form is the better one here.
    variants = items[0].variants
    better = dataclasses.replace(variants[1].shapes[0], log_success=variants[0].shapes[0].log_success + 1e-3)
    items[0] = dataclasses.replace(items[0], variants=(dataclasses.replace(variants[1], shapes=(better,)), variants[0]))
    room = room_of(device, items)
    assert OrderSearch(items, room, cost).best(50.0)[0].variant == 1


def test_who_cannot_pay_for_resets_comes_first() -> None:
    device = DeviceModel(make_target(2))
    items = [item(device, slow(2, 1), floor=0.5), item(device, bell(2), floor=1.0), item(device, slow(2, 2), floor=0.5)]
    # Whatever success and time are worth.
    best = OrderSearch(items, room_of(device, items), lambda *_: 0.0).best(100.0)
    assert next(iter(best)) == 1
    assert len(best) == 3


def test_pieces_without_a_place_that_keeps_their_floor_are_left_out() -> None:
    device = DeviceModel(make_target(2))
    strict = item(device, bell(2), floor=1.0)
    room = room_of(device, [strict, strict])
    assert len(OrderSearch([strict, strict], room, cost).best(100.0)) == 1
    nowhere = dataclasses.replace(strict, log_floor=0.0)
    assert OrderSearch([nowhere], room, cost).best(100.0) == {}


def test_pieces_in_several_parts_are_left_out() -> None:
    device = DeviceModel(make_target(4))
    items = [item(device, two_parts()), item(device, bell(2))]
    assert list(OrderSearch(items, room_of(device, items), cost).best(100.0)) == [1]


@pytest.mark.parametrize("worth", [1, 50])
def test_nobody_ends_after_the_horizon_who_need_not_whatever_success_is_worth(worth: int) -> None:
    device = uneven_line(4)
    items = [item(device, bell(2)), item(device, bell(2))]
    length = outcome(items, room_of(device, items), {0: Reservation(0, 0)}).length
    room = room_of(device, items, horizon=length)
    places = OrderSearch(items, room, lambda log_success, _: -worth * sum(log_success.values())).best(10.0 * length)
    assert outcome(items, room, places).length == length


def test_a_program_with_a_piece_that_is_left_out_is_worth_something() -> None:
    device = DeviceModel(make_target(4))
    items = [item(device, two_parts()), item(device, bell(2))]
    seen: list[Mapping[int, float]] = []

    def noted(log_success: Mapping[int, float], num_slots: float) -> float:
        seen.append(log_success)
        return num_slots

    OrderSearch(items, room_of(device, items), noted).best(100.0)
    assert all(log_success[0] == items[0].log_best for log_success in seen)


def test_the_best_places_of_all_forms_can_be_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    device = uneven_line(4)
    two = item(device, bell(2), slow(2, 1))
    room = room_of(device, [two])
    monkeypatch.setattr(choices, "MOST_CHOICES", 3)
    few = Choices.of(two, room)
    monkeypatch.undo()
    known = Choices.of(two, room)
    assert few is not None
    assert known is not None
    assert len(known.found) == 12
    assert few.found == known.found[:3]
    assert list(known.log_success) == sorted(known.log_success, reverse=True)
    assert {place.variant for place in known.found} == {0, 1}


def test_equal_pieces_get_equal_places(monkeypatch: pytest.MonkeyPatch) -> None:
    device = uneven_line(4)
    items = [item(device, bell(2)), item(device, slow(2, 3)), item(device, bell(3))]
    room = room_of(device, items)
    found = [list(OrderSearch(items, room, cost).best(60.0).items()) for _ in range(2)]
    assert found[0] == found[1]
    monkeypatch.setattr(sequencing, "TRIES", 0)
    first_guess = OrderSearch(items, room, cost).best(60.0)
    worse = outcome(items, room, first_guess)
    better = outcome(items, room, dict(found[0]))
    assert cost(better.log_success, better.length) < cost(worse.log_success, worse.length)
