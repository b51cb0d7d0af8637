"""Whatever is packed, on whatever device: qubits are held by one piece at a time, and everybody keeps the floor."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from itertools import pairwise
from unittest.mock import patch

import numpy as np
import numpy.typing as npt
from hypothesis import given, settings
from hypothesis import strategies as st
from qiskit.circuit import QuantumCircuit
from qiskit.transpiler import InstructionProperties, PassManager, Target

from qiskit_halo.device.model import DeviceModel
from qiskit_halo.errors import HaloTranspilerError, HaloWarning
from qiskit_halo.fragments.measure import sites_of, time_on
from qiskit_halo.multiprogram import MultiProgramCircuit
from qiskit_halo.options import HaloOptions
from qiskit_halo.passes.halo_layout import HaloLayout
from qiskit_halo.passes.halo_scheduling import HaloScheduling
from qiskit_halo.placement import packing
from qiskit_halo.placement.candidates import find_candidates
from qiskit_halo.placement.embeddings import Embedder
from qiskit_halo.placement.filling import PlacedItem
from qiskit_halo.placement.handover import handover_dt
from qiskit_halo.placement.items import PackingItem
from qiskit_halo.placement.packing import pack
from qiskit_halo.verification.equivalence import distribution_distance
from qiskit_halo.verification.isolation import verify_isolation
from tests.dense_oracle import TooManyBranchesError, brute_force, distance
from tests.fragment_samples import make_fragment
from tests.strategies import programs
from tests.targets import make_target

NUM_QUBITS = 7


@st.composite
def targets(draw: st.DrawFn) -> Target:
    """A device of its own couplers, errors and, on some qubits, longer operations; gates may go one way only."""
    num_qubits = draw(st.integers(1, NUM_QUBITS))
    pairs = [(a, b) for a in range(num_qubits) for b in range(a)]
    couplers = draw(st.lists(st.sampled_from(pairs), unique=True, max_size=10)) if pairs else []
    couplers = [pair if draw(st.booleans()) else pair[::-1] for pair in couplers]
    states_durations = draw(st.sampled_from([True, True, False]))
    target = make_target(
        num_qubits,
        couplers,
        directed=draw(st.booleans()),
        durations=states_durations,
        acquire_alignment=draw(st.sampled_from([1, 1, 16])),
    )
    for name, duration_ns, error in (("measure", 1000, 0.02), ("sx", 40, 0.001), ("cz", 300, 0.01)):
        for qargs in list(target[name]) if name in target.operation_names else ():
            worse, longer = draw(st.sampled_from([(1, 1), (1, 1), (5, 1), (1, 3), (20, 2)]))
            duration = duration_ns * 1e-9 * longer if states_durations else None
            target.update_instruction_properties(
                name, qargs, InstructionProperties(duration=duration, error=error * worse)
            )
    return target


@st.composite
def bodies(draw: st.DrawFn, device: DeviceModel) -> tuple[QuantumCircuit, list[int]]:
    """A circuit of native operations on some usable qubits, and which those are; often of several connected parts."""
    usable = np.flatnonzero(device.usable_qubits).tolist()
    home = draw(st.permutations(usable))[: draw(st.integers(0 if draw(st.booleans()) else 1, min(4, len(usable))))]
    circuit = QuantumCircuit(len(home), 1)
    bonds = [(a, b) for a in range(len(home)) for b in range(a) if device.graph.has_edge(home[a], home[b])]
    for site in range(len(home)):
        circuit.sx(site)
    for _ in range(draw(st.integers(0, 8)) if home else 0):
        kind = draw(st.sampled_from(["sx", "cz", "cz", "measure", "reset", "delay", "rz"]))
        site = draw(st.integers(0, len(home) - 1))
        if kind == "cz":
            if bonds:
                circuit.cz(*draw(st.sampled_from(bonds)))
        elif kind == "delay":
            circuit.delay(draw(st.sampled_from([0, 500, 3000])), site)
        elif kind == "rz":
            circuit.rz(0.3, site)
        elif kind == "measure":
            circuit.measure(site, 0)
        else:
            getattr(circuit, kind)(site)
    return circuit, home


@dataclass(frozen=True)
class Batch:
    """What is packed."""

    device: DeviceModel
    options: HaloOptions
    items: list[PackingItem]


@st.composite
def all_options(draw: st.DrawFn) -> HaloOptions:
    return HaloOptions(
        sharing=draw(st.sampled_from(["all", "all", "helpers", "none"])),
        resets=draw(st.integers(1, 3)),
        buffer=draw(st.sampled_from([0, 0, 1, 2])),
        assume_clean=draw(st.booleans()),
        success_floor=draw(st.sampled_from([0.0, 0.5, 0.9, 0.99, 1.0])),
        max_duration_s=draw(st.sampled_from([None, None, 2e-6, 1e-5])),
    )


@st.composite
def packing_batches(draw: st.DrawFn) -> Batch:
    device = DeviceModel(draw(targets()))
    options = draw(all_options())
    embedder = Embedder(device)
    log_floor = math.log(options.success_floor) if options.success_floor else -math.inf
    kinds = []
    for _ in range(draw(st.integers(1, 4))):
        circuit, home = draw(bodies(device))
        kinds.append(find_candidates(make_fragment(circuit, home, device), device, embedder))
    items = []
    for _ in range(draw(st.integers(1, 7))):
        found = draw(st.sampled_from(kinds))
        sites = range(found.fragment.num_sites)
        exclusive: tuple[int, ...] = ()
        if options.sharing == "none":
            exclusive = tuple(sites)
        elif options.sharing == "helpers":
            exclusive = tuple(site for site in sites if draw(st.booleans()))
        owner = draw(st.sampled_from([(), (0,), (1,), (2,), (3,)]))
        items.append(
            PackingItem(variants=(found,), log_floor=found.best + log_floor, exclusive_sites=(exclusive,), owners=owner)
        )
    return Batch(device, options, items)


def recompile_nothing(index: int, free: npt.NDArray[np.bool_]) -> None:
    return None


def run(batch: Batch, items: list[PackingItem] | None = None, few: int = packing.FEW) -> list[PlacedItem | None]:
    with patch.object(packing, "FEW", few):
        return pack(batch.items if items is None else items, batch.device, batch.options, recompile_nothing)


@dataclass(frozen=True)
class Piece:
    """A placed item by true times, in ticks."""

    rank: int
    owners: tuple[int, ...]
    start: int
    stop: int
    leases: dict[int, tuple[int, int]]
    exclusive: tuple[int, ...]
    log_success: float
    log_floor: float
    below_floor: bool
    told: float


def pieces_of(batch: Batch, placed: list[PlacedItem | None]) -> list[Piece]:
    pieces = []
    for item in placed:
        if item is None:
            continue
        circuit = item.item.variants[item.spot.variant].fragment.circuit
        timing, _, log_success = time_on(circuit.data, sites_of(circuit), item.spot.qubits, batch.device)
        busy = [(item.start_dt + a, item.start_dt + b) for a, b in timing.busy_dt]
        pieces.append(
            Piece(
                rank=item.rank,
                owners=item.item.owners,
                start=item.start_dt,
                stop=item.start_dt + timing.length_dt,
                leases=dict(zip(item.spot.qubits, busy, strict=True)),
                exclusive=tuple(item.spot.qubits[s] for s in item.item.exclusive_sites[item.spot.variant]),
                log_success=log_success,
                log_floor=item.item.log_floor,
                below_floor=item.below_floor,
                told=item.spot.log_success,
            )
        )
    return sorted(pieces, key=lambda piece: piece.rank)


def is_lost_by_right(batch: Batch, index: int, placed: list[PlacedItem | None]) -> bool:
    """Whether no single place of the item is free of what is exclusive, whatever the time."""
    item = batch.items[index]
    used = {q for p in placed if p is not None for q in p.spot.qubits}
    held = {q for p in placed if p is not None for q in _exclusive(p)}
    (found,), (exclusive,) = item.variants, item.exclusive_sites
    for shape in found.shapes:
        alone = [position for position, site in enumerate(shape.sites) if site in exclusive]
        if not any(not held & set(row) and not used & {row[i] for i in alone} for row in shape.places.tolist()):
            return True
    # Several parts choose one after another, so that one may take what another needs: a bound, not a proof.
    return len(found.shapes) > 1 and bool(held or (used and exclusive))


def _exclusive(placed: PlacedItem) -> list[int]:
    return [placed.spot.qubits[site] for site in placed.item.exclusive_sites[placed.spot.variant]]


@settings(max_examples=250)
@given(packing_batches(), st.sampled_from([0, packing.FEW]))
def test_everything_that_a_packing_promises(batch: Batch, few: int):
    placed = run(batch, few=few)
    device, options = batch.device, batch.options
    pieces = pieces_of(batch, placed)
    assert [piece.rank for piece in pieces] == list(range(len(pieces)))
    for index, item in enumerate(placed):
        if item is None:
            assert is_lost_by_right(batch, index, placed)
        else:
            assert len(set(item.spot.qubits)) == len(item.spot.qubits)
            assert item.start_dt >= 0
            assert item.start_dt % device.alignment == 0
    handover = handover_dt(device, options.resets)
    log_reset = device.log_reset_success(options.resets)
    success = {piece.rank: piece.log_success for piece in pieces}
    for qubit in range(device.num_qubits):
        holders = [piece for piece in pieces if qubit in piece.leases]
        if not options.assume_clean and holders:
            assert holders[0].leases[qubit][0] >= handover[qubit]
        for before, after in pairwise(holders):
            assert after.leases[qubit][0] - handover[qubit] >= before.leases[qubit][1]
            success[after.rank] += log_reset[qubit]
        if any(qubit in piece.exclusive for piece in holders):
            assert len(holders) == 1
    for piece in pieces:
        np.testing.assert_allclose(piece.told, success[piece.rank], atol=1e-9)
        assert piece.below_floor or success[piece.rank] >= piece.log_floor - 1e-6
    if options.buffer:
        check_buffer(pieces, device, options.buffer)


def check_buffer(pieces: list[Piece], device: DeviceModel, buffer: int) -> None:
    for one in pieces:
        for two in pieces:
            foreign = one.rank < two.rank and not set(one.owners) & set(two.owners)
            if foreign and one.start < two.stop and two.start < one.stop:
                hops = device.distance[np.ix_(list(one.leases), list(two.leases))]
                assert (hops > buffer).all()


@settings(max_examples=60)
@given(packing_batches())
def test_the_same_batch_is_packed_the_same_way(batch: Batch):
    assert run(batch) == run(batch)


@settings(max_examples=60)
@given(packing_batches(), st.randoms(use_true_random=False))
def test_the_order_of_items_loses_none_where_all_is_shared(batch: Batch, random: object):
    if batch.options.sharing != "all":
        return
    shuffled = list(batch.items)
    random.shuffle(shuffled)
    assert all(item is not None for item in run(batch, shuffled))


@settings(max_examples=60)
@given(packing_batches())
def test_in_the_order_told_nobody_starts_later_than_planned(batch: Batch):
    """The timeline starts pieces one after another as soon as it can: with no buffer that keeps every plan."""
    handover = handover_dt(batch.device, batch.options.resets).tolist()
    free: dict[int, int] = {}
    for piece in pieces_of(batch, run(batch)):
        start = 0
        for qubit, (busy, _) in piece.leases.items():
            if qubit in free:
                start = max(start, free[qubit] + handover[qubit] - (busy - piece.start))
            elif not batch.options.assume_clean:
                start = max(start, handover[qubit] - (busy - piece.start))
        assert start <= piece.start
        for qubit, (_, stop) in piece.leases.items():
            free[qubit] = start + stop - piece.start


@st.composite
def wide_targets(draw: st.DrawFn) -> Target:
    """A connected device on which every program fits."""
    couplers = draw(
        st.sampled_from(
            [
                [(0, 1), (1, 2)],
                [(0, 1), (1, 2), (2, 3), (1, 4)],
                [(0, 1), (1, 2), (3, 4), (4, 5), (0, 3), (1, 4), (2, 5)],
                [(q, q + 1) for q in range(5)],
            ]
        )
    )
    target = make_target(
        1 + max(max(pair) for pair in couplers), couplers, acquire_alignment=draw(st.sampled_from([1, 16]))
    )
    for qubit in range(target.num_qubits):
        error = draw(st.sampled_from([0.02, 0.02, 0.1, 0.4]))
        target.update_instruction_properties("measure", (qubit,), InstructionProperties(duration=1e-6, error=error))
    return target


@settings(max_examples=80)
@given(wide_targets(), st.lists(programs(max_qubits=3, max_operations=4), min_size=2, max_size=3), all_options())
def test_merged_programs_stay_isolated_and_exact(target: Target, batch: list[QuantumCircuit], options: HaloOptions):
    merged = MultiProgramCircuit(batch).circuit
    passes = PassManager([HaloLayout(target, options, optimization_level=1), HaloScheduling(target, options)])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", HaloWarning)
        try:
            compiled = passes.run(merged)
        except HaloTranspilerError as error:
            if options.sharing == "all" or "finds no free qubits" not in str(error):
                raise
            return
    verify_isolation(compiled, target=target, resets=options.resets, buffer=options.buffer)
    for index, program in enumerate(batch):
        assert distribution_distance(program, compiled, index) < 1e-9
    try:
        alone, together = brute_force(merged), brute_force(compiled)
    except TooManyBranchesError:
        return
    assert distance(alone, together) < 1e-9
