"""Search for the batches that cost the least modelled QPU time.

What is chosen for a batch is its number of rows B and shots a row S. Each program then needs ceil(shots / S) cells, a
circuit as many slots as its programs' cells fill B rows, and the batch costs

    B · S · (makespan(slots) + reset + repetition delay).

Few executions of a merged circuit with many copies cost less than many executions of a narrow one, because the
repetition delay is paid once an execution. The search starts with all programs in one batch and splits batches as long
as that saves something: by shots (who asks for few does not ride along for the many), by circuits (where the delay is
short, programs that are too wide for each other run apart), or by carrying over (all run for some shots, those that
want more go on in a further batch).
Everything is bounded by counts, so that equal input gives an equal plan.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from qiskit_halo.primitives.estimates import MakespanModel

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]

MAX_BATCHES = 8
"""Batches that splitting for less QPU time may lead to; limits may force more. Each one is compiled."""

LEAST_SAVING = 0.05
"""A split must save this share of the whole: a further merged circuit costs time on the host."""

LEVELS = 4
"""Places tried for each way of splitting a batch."""

ROW_COST_S = 0.01
"""What a further set of parameter values counts: it is a circuit to bind and to load. Weighs in choosing only."""

MOST_ROW_PARTS = 64
"""Rows that are looked at when rows are merged."""

SHOT_FACTORS = (1.0, 1.02, 1.05, 1.1, 1.2, 1.35, 1.5, 2.0, 3.0)
ROW_FACTORS = np.array([1.0, 1.05, 1.1, 1.25, 1.5, 2.0, 3.0, 4.0, 8.0, 16.0])
COPIES_TRIED = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a batch may not exceed.

    Args:
        programs: Slots of a batch.
        copies: Cells of one program in one row; ``None`` for no limit.
        shots: Shots of a row; ``None`` for no limit.
        makespan_s: Length of a batch; ``None`` for no limit. A program that is longer by itself runs alone.
        overhead_s: Reset and repetition delay, once an execution.
    """

    programs: int
    copies: int | None
    shots: int | None
    makespan_s: float | None
    overhead_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """One batch, before its cells are given to programs.

    Args:
        wanted: Shots that each program gets in it, shape (num_programs,).
        slots: Slots of each circuit, shape (num_circuits,).
        rows: Rows.
        shots: Shots of each row.
        makespan_s: Modelled length.
        cost_s: Modelled QPU time.
    """

    wanted: IntArray
    slots: IntArray
    rows: int
    shots: int
    makespan_s: float
    cost_s: float


class BatchSearch:
    """Finds batches for programs.

    Args:
        circuits: Circuit of each program, shape (num_programs,).
        model: Makespan of a batch.
        limits: What it may not exceed.
        weights: Weight of each program: where not all fit into one batch, the heavy ones come first.
        parametrized: Whether each circuit has parameters, shape (num_circuits,).
    """

    def __init__(
        self,
        circuits: IntArray,
        model: MakespanModel,
        limits: Limits,
        weights: FloatArray,
        parametrized: npt.NDArray[np.bool_],
    ) -> None:
        self._circuits = circuits
        self._model = model
        self._limits = limits
        self._weights = weights
        self._parametrized = parametrized

    def run(self, shots: IntArray) -> list[Draft]:
        """Return the batches in which each program gets its ``shots``, shape (num_programs,), in no special order."""
        parts = [self._batches(shots)]
        open_parts = [True]
        while any(open_parts) and sum(map(len, parts)) < MAX_BATCHES:
            total = sum(map(_cost, parts))
            best: tuple[float, int, list[list[Draft]]] | None = None
            for index, part in enumerate(parts):
                if not open_parts[index]:
                    continue
                halves = self._best_split(part) if _cost(part) - self._bound(part) >= LEAST_SAVING * total else None
                saving = 0.0 if halves is None else _cost(part) - sum(map(_cost, halves))
                if halves is None or saving < LEAST_SAVING * total:
                    open_parts[index] = False
                elif best is None or saving > best[0]:
                    best = (saving, index, halves)
            if best is not None:
                _, index, halves = best
                parts[index : index + 1] = halves
                open_parts[index : index + 1] = [True] * len(halves)
        together = [draft for part in parts for draft in part]
        circuits = np.unique(self._circuits)
        if len(circuits) <= MAX_BATCHES and len(together) < len(circuits):
            # Programs that leave no room for each other gain nothing step by step, only if all run apart.
            apart = [draft for c in circuits for draft in self._batches(np.where(self._circuits == c, shots, 0))]
            if _cost(apart) < _cost(together):
                return apart
        return together

    def _bound(self, part: list[Draft]) -> float:
        """Return what the shots of ``part`` cost at least: each its share of a full batch."""
        wanted = np.sum([draft.wanted for draft in part], axis=0)
        share = self._model.least_s(self._circuits) + self._limits.overhead_s / self._limits.programs
        return float((wanted * share).sum())

    def _best_split(self, part: list[Draft]) -> list[list[Draft]] | None:
        wanted = np.sum([draft.wanted for draft in part], axis=0)
        best: list[list[Draft]] | None = None
        for first, second in self._splits(wanted):
            halves = [self._batches(first), self._batches(second)]
            if best is None or sum(map(_cost, halves)) < sum(map(_cost, best)):
                best = halves
        return best

    def _splits(self, wanted: IntArray) -> Iterator[tuple[IntArray, IntArray]]:
        """Yield ways of giving ``wanted`` in two parts, neither of them empty."""
        values = np.unique(wanted[wanted > 0])
        for limit in _spread(values[:-1], LEVELS).tolist():
            yield np.where(wanted <= limit, wanted, 0), np.where(wanted > limit, wanted, 0)
            yield np.minimum(wanted, limit), wanted - np.minimum(wanted, limit)
        circuits = self._in_order(wanted)
        if len(circuits) > 1:
            first = np.isin(self._circuits, circuits[: len(circuits) // 2])
            yield np.where(first, wanted, 0), np.where(first, 0, wanted)

    def _batches(self, wanted: IntArray) -> list[Draft]:
        """Return one batch, or as many as the limits ask for."""
        circuits = self._in_order(wanted)
        count = -(-len(circuits) // self._limits.programs)
        while True:
            drafts = [
                self._draft(np.where(np.isin(self._circuits, part), wanted, 0))
                for part in np.array_split(circuits, count)
            ]
            found = [draft for draft in drafts if draft is not None]
            if len(found) == len(drafts):
                return found
            count = min(2 * count, len(circuits))

    def _in_order(self, wanted: IntArray) -> IntArray:
        """Return the circuits in use: heavy programs first, then those with most shots."""
        used = np.flatnonzero(wanted)
        circuits = self._circuits[used]
        heaviest, most = np.zeros(self._model.num_circuits), np.zeros(self._model.num_circuits)
        np.maximum.at(heaviest, circuits, self._weights[used])
        np.maximum.at(most, circuits, wanted[used])
        own = np.unique(circuits)
        order: IntArray = own[np.lexsort((own, -most[own], -heaviest[own]))]
        return order

    def _draft(self, wanted: IntArray) -> Draft | None:
        """Return the cheapest batch in which each program gets ``wanted``, ``None`` if no limits can be kept."""
        used = np.flatnonzero(wanted)
        # Programs of one circuit that want equal shots count together.
        width = int(wanted.max()) + 1
        pairs, count = np.unique(self._circuits[used] * width + wanted[used], return_counts=True)
        owner, values = pairs // width, pairs % width
        circuits, starts = np.unique(owner, return_index=True)
        tried = self._row_shots(values, count)
        cells = -(-values // tried[:, None])
        # The same cells with fewer shots each, if rounding up left some over.
        shots = (-(-values // cells)).max(axis=1)
        needed = np.add.reduceat(cells * count, starts, axis=1)
        rows = self._row_counts(needed, cells.max(axis=1))
        slots = -(-needed[:, None, :] // rows[:, :, None])
        makespan = self._model.makespan_s(slots, circuits)
        cost = rows * shots[:, None] * (makespan + self._limits.overhead_s)
        total = slots.sum(axis=-1)
        allowed = (total <= self._limits.programs) & (self._model.fits(slots, circuits) | (total == 1))
        if self._limits.makespan_s is not None:
            # A single copy of a single circuit cannot be made shorter.
            allowed &= (makespan <= self._limits.makespan_s) | (total == 1)
        if not allowed.any():
            return None
        extra = ROW_COST_S * rows if self._parametrized[circuits].any() else 0.0
        weighed = np.where(allowed, cost + extra, np.inf)
        # Of equal cost: fewer slots are compiled sooner, and more shots a row make fewer cells.
        near = np.argwhere(weighed <= weighed.min() * (1 + 1e-9))
        row, column = min(near.tolist(), key=lambda at: (int(total[*at]), -int(shots[at[0]]), at))
        per_row, num_rows = int(shots[row]), int(rows[row, column])
        merged = self._fewest_rows(values, count, starts, slots[row, column], per_row, num_rows)
        every = np.zeros(self._model.num_circuits, dtype=np.int64)
        every[circuits] = slots[row, column]
        return Draft(
            wanted=wanted,
            slots=every,
            rows=num_rows // merged,
            shots=per_row * merged,
            makespan_s=float(makespan[row, column]),
            cost_s=float(cost[row, column]),
        )

    def _fewest_rows(
        self, values: IntArray, count: IntArray, starts: IntArray, slots: IntArray, shots: int, rows: int
    ) -> int:
        """Return how many rows can be one, with as many shots, so that the same slots do: fewer cells to handle."""
        for merged in (rows // parts for parts in range(1, min(rows, MOST_ROW_PARTS) + 1) if rows % parts == 0):
            if self._limits.shots is not None and merged * shots > self._limits.shots:
                continue
            needed = np.add.reduceat(-(-values // (shots * merged)) * count, starts)
            most = int((-(-values // (shots * merged))).max())
            few_copies = self._limits.copies is None or -(-most // (rows // merged)) <= self._limits.copies
            if few_copies and (-(-needed // (rows // merged)) <= slots).all():
                return merged
        return 1

    def _row_shots(self, values: IntArray, count: IntArray) -> IntArray:
        """Return numbers of shots to try for a row."""
        longest = int(values.max())
        limit = min(longest, self._limits.shots or longest)
        fewest = -(-int((values * count).sum()) // self._limits.programs)
        tried = {limit, 1, int(np.gcd.reduce(values)), *_spread(np.unique(values), 2 * LEVELS).tolist()}
        tried.update(-(-longest // copies) for copies in COPIES_TRIED if copies <= self._limits.programs)
        tried.update(int(np.ceil(fewest * factor)) for factor in SHOT_FACTORS)
        return np.array(sorted({min(shots, limit) for shots in tried}), dtype=np.int64)

    def _row_counts(self, needed: IntArray, most_cells: IntArray) -> IntArray:
        """Return numbers of rows to try, shape (num_tried_shots, ...), for circuits that need ``needed`` cells."""
        low, high = np.ones(len(needed), dtype=np.int64), needed.max(axis=1)
        while (low < high).any():
            middle = (low + high) // 2
            fits = (-(-needed // middle[:, None])).sum(axis=1) <= self._limits.programs
            low, high = np.where(fits, low, middle + 1), np.where(fits, middle, high)
        if self._limits.copies is not None:
            low = np.maximum(low, -(-most_cells // self._limits.copies))
        most = np.maximum(low, needed.max(axis=1))
        rows: IntArray = np.minimum(np.ceil(low[:, None] * ROW_FACTORS).astype(np.int64), most[:, None])
        return np.concatenate([rows, most[:, None]], axis=1)


def _cost(drafts: Sequence[Draft]) -> float:
    return sum(draft.cost_s for draft in drafts)


def _spread(values: IntArray | FloatArray, count: int) -> npt.NDArray[np.float64 | np.int64]:
    """Return at most ``count`` of ``values``, evenly spread and in order."""
    if len(values) <= count:
        return values
    picks = np.unique(np.linspace(0, len(values) - 1, count).round().astype(np.int64))
    return values[picks]
