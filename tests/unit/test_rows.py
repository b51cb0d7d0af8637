"""The place that a board takes for a part, against a search through all places and starts, slot by slot."""

from __future__ import annotations

import math
from typing import cast

import numpy as np
import numpy.typing as npt
import pytest

from qiskit_halo.device.crosstalk import CrosstalkModel
from qiskit_halo.device.model import DeviceModel
from qiskit_halo.options import HaloOptions
from qiskit_halo.placement import rows
from qiskit_halo.placement.candidates import Candidates, ShapeCandidates
from qiskit_halo.placement.crosstalk import BoardCrosstalk, Query
from qiskit_halo.placement.rows import LATEST, RowChooser
from qiskit_halo.placement.slots import SlotGrid, first_slot, pack_slots
from qiskit_halo.placement.windows import Windows
from tests.targets import make_target
from tests.unit.test_packing import item

NUM_QUBITS, NUM_SLOTS, SLOT_DT = 5, 128, 10


class Case:
    """A part with places of two lengths on a grid with some slots taken."""

    def __init__(self, seed: int) -> None:
        rng = np.random.default_rng(seed)
        num_places, num_sites = int(rng.integers(1, 9)), int(rng.integers(1, 4))
        starts = rng.integers(0, 60, (num_places, num_sites))
        long = rng.random(num_places) < 0.5
        stops = starts + 40 + 200 * long[:, None]
        self.shape = ShapeCandidates(
            sites=tuple(range(num_sites)),
            places=np.array([rng.permutation(NUM_QUBITS)[:num_sites] for _ in range(num_places)]),
            log_success=np.zeros(num_places),
            busy_start_dt=starts,
            busy_stop_dt=stops,
            length_dt=stops.max(axis=1),
            home_row=0,
        )
        self.windows = Windows(rng.integers(0, 30, NUM_QUBITS), SLOT_DT)
        self.grid = SlotGrid(NUM_QUBITS, NUM_SLOTS)
        self.free = np.ones((NUM_QUBITS, NUM_SLOTS), dtype=np.bool_)
        for _ in range(int(rng.integers(0, 12))):
            qubit, start = int(rng.integers(NUM_QUBITS)), int(rng.integers(NUM_SLOTS - 20))
            stop = start + int(rng.integers(1, 40))
            self.grid.book(qubit, start, min(stop, NUM_SLOTS))
            self.free[qubit, start:stop] = False
        self.common = rng.random(NUM_SLOTS) < 0.7
        self.quiet = rng.random((NUM_QUBITS, NUM_SLOTS)) < 0.97
        self.value = rng.choice([0.0, -0.1, -0.2], num_places)
        self.good = rng.random(num_places) < 0.8
        self.limit = int(rng.integers(0, NUM_SLOTS))
        self.query = Query(cast("Candidates", None), self.shape, self.value, self.value, -math.inf, ())

    def possible_starts(self, row: int, quiet: npt.NDArray[np.bool_] | None) -> tuple[list[int], int]:
        """All slots that the part may start at on one place, and how many it takes from there."""
        (group,) = (group for group in self.windows.of(self.shape) if group.holds[row])
        found = []
        for slot in np.flatnonzero(self.common).tolist():
            leases = [
                (qubit, slot + start, slot + stop)
                for qubit, (start, stop) in zip(self.shape.places[row].tolist(), group.spans, strict=True)
            ]
            inside = all(begin >= 0 and end <= NUM_SLOTS for _, begin, end in leases)
            is_free = inside and all(self.free[qubit, begin:end].all() for qubit, begin, end in leases)
            is_quiet = quiet is None or (
                slot + group.length <= NUM_SLOTS
                and all(quiet[qubit, slot : slot + group.length].all() for qubit, *_ in leases)
            )
            if is_free and is_quiet:
                found.append(slot)
        return found, group.length


@pytest.mark.parametrize("seed", range(150))
@pytest.mark.parametrize("near", [False, True])
@pytest.mark.parametrize("together", [1, 2, rows.BEST_FIRST])
def test_the_best_of_those_in_time_else_the_one_that_ends_first(
    seed: int, near: bool, together: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rows, "BEST_FIRST", together)
    case = Case(seed)
    quiet = case.quiet if near else None
    ranked = []
    for row in np.flatnonzero(case.good).tolist():
        starts, length = case.possible_starts(row, quiet)
        if starts:
            end = starts[0] + length
            ranked.append((max(end, case.limit), -case.value[row], end, row, starts))
    chooser = RowChooser(case.grid, None, case.windows)
    words = pack_slots(case.common[None, :])[0]
    row, found = chooser.choose(case.query, case.good, words, None if quiet is None else pack_slots(quiet), case.limit)
    if not ranked:
        assert row is None
        return
    *_, wanted, starts = min(ranked)
    assert row == wanted
    assert first_slot(found) == starts[0]


class Priced:
    """Notes which places it is asked to price, with how long each takes."""

    def __init__(self) -> None:
        self.seen: list[tuple[int, int, int]] = []

    def choose(
        self,
        query: Query,
        rows: npt.NDArray[np.int64],
        words: npt.NDArray[np.uint64],
        lengths: npt.NDArray[np.int64],
        limit: int,
    ) -> None:
        self.seen = list(zip(rows.tolist(), map(first_slot, words), lengths.tolist(), strict=True))


@pytest.mark.parametrize("seed", range(40))
def test_crosstalk_prices_all_places_the_best_without_a_price_first(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "BEST_FIRST", 1)  # of what others lose blocks know nothing
    case = Case(seed)
    priced = Priced()
    chooser = RowChooser(case.grid, cast("BoardCrosstalk", priced), case.windows)
    chooser.choose(case.query, case.good, pack_slots(case.common[None, :])[0], None, case.limit)
    wanted = []
    for row in np.flatnonzero(case.good).tolist():
        starts, length = case.possible_starts(row, None)
        start = starts[0] if starts else -1
        end = start + length
        wanted.append((max(end, case.limit) if starts else LATEST, -case.value[row], end, (row, start, length)))
    assert priced.seen == [entry for *_, entry in sorted(wanted)]


def test_a_price_knows_how_long_each_place_takes() -> None:
    device = DeviceModel(make_target(4))
    (candidates,) = item(device).variants
    (shape,) = candidates.shapes
    options = HaloOptions(readout_crosstalk=0.01)
    model = CrosstalkModel.of(device, options)
    assert model is not None
    priced = BoardCrosstalk(device, options, model, SLOT_DT, lambda index: 0.0)
    nothing = np.zeros(len(shape.places))
    query = Query(candidates, shape, nothing, nothing, -math.inf, (0,))
    words = pack_slots(np.ones((2, NUM_SLOTS), dtype=np.bool_))
    found = priced.choose(query, np.array([0, 1]), words, np.array([30, 10]), limit=0)
    assert found is not None
    (end, _, stop, row), _ = found
    assert (end, stop, row) == (10, 10, 1)
