"""What the time of each qubit is worth to the whole batch, so that nobody takes what others need more.

Pieces choose their places one after another, and each by itself would take the best. Packing made easy knows better: if
pieces could be split over places and leases lay anywhere in time, the best batch would be the solution of a linear program,
and its shadow prices say what one more slot of a qubit would gain all others. Those are the rents that pieces pay here. The
same program without the gain tells how short no batch can be.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import OptimizeResult, linprog
from scipy.sparse import csr_array, hstack

from qiskit_halo.placement.candidates import FloatArray, IntArray, ShapeCandidates
from qiskit_halo.placement.items import TOLERANCE, PackingItem
from qiskit_halo.placement.windows import Windows

MOST_PLACES = 4096
"""Places in the linear program, over all kinds of pieces: the time it takes grows faster than they do."""

AS_IT_IS = {"presolve": False}
"""Presolve finds nothing to leave out of these programs, and takes up to half of the time."""


class Rents:
    """What leases cost on each qubit.

    Args:
        per_slot: Mean success times programs that a slot is worth, shape (num_qubits,).
        num_slots: Slots of the batch: who needs a qubit for itself takes all of them.
        windows: What places take.
    """

    def __init__(self, per_slot: FloatArray, num_slots: float, windows: Windows) -> None:
        self._per_slot = per_slot
        self._num_slots = num_slots
        self._windows = windows
        self._known: dict[tuple[ShapeCandidates, tuple[int, ...]], FloatArray] = {}

    def at(self, price: float) -> Rents:
        """Return ``price`` times these rents.

        Where these are the shadow prices, who can choose between two places takes the one that fewer want if ``price`` is
        above 1, and the better one if it is below.
        """
        return Rents(price * self._per_slot, self._num_slots, self._windows)

    def of(self, shape: ShapeCandidates, exclusive: tuple[int, ...] = ()) -> FloatArray:
        """Return the rent of each place of ``shape``, shape (num_places,).

        Args:
            shape: The places.
            exclusive: Sites of the fragment whose qubit nobody else may have.
        """
        key = (shape, exclusive)
        if key not in self._known:
            rent = np.zeros(len(shape.places))
            for group in self._windows.of(shape):
                taken = self._taken(shape.sites, group.spans, exclusive)
                rent[group.holds] = self._per_slot[shape.places[group.holds]] @ taken
            self._known[key] = rent
        return self._known[key]

    def of_leases(self, qubits: IntArray, spans: Sequence[tuple[int, int]], exclusive: tuple[int, ...] = ()) -> float:
        """Return the rent of ``qubits``, one a site, each for the slots of its span."""
        return float(self._per_slot[qubits] @ self._taken(range(len(qubits)), spans, exclusive))

    def _taken(self, sites: Sequence[int], spans: Sequence[tuple[int, int]], exclusive: tuple[int, ...]) -> FloatArray:
        taken = [
            max(stop - start, self._num_slots) if site in exclusive else stop - start
            for site, (start, stop) in zip(sites, spans, strict=True)
        ]
        return np.array(taken, dtype=np.float64)


@dataclass(frozen=True, slots=True)
class RelaxedPacking:
    """Packing as a linear program: how many pieces of each kind go to each place.

    Args:
        slots: Slots that one piece takes of each qubit, shape (num_qubits, num_places).
        exclusive: 1 where nobody else may have the qubit, the same shape.
        worth: Success of all programs together that a piece at each place leaves: its log success, times what that is worth.
        balance: Equations, shape (num_equations, num_places): all pieces of a kind go somewhere, with all their parts.
        balanced: What each equation comes to.
        longest: Slots that the longest piece takes at least, wherever it goes.
        lead: Slots before tick 0 that hand-overs may lie in.
        windows: What places take.
    """

    slots: csr_array
    exclusive: csr_array
    worth: FloatArray
    balance: csr_array
    balanced: FloatArray
    longest: int
    lead: int
    windows: Windows

    @classmethod
    def of(cls, items: Sequence[PackingItem], num_qubits: int, windows: Windows, lead: int) -> RelaxedPacking:
        """Return the program for ``items``; those without a place that keeps their floor are left out.

        Args:
            items: What to place.
            num_qubits: Qubits of the device.
            windows: What places take.
            lead: Slots before tick 0 that hand-overs may lie in.
        """
        kinds: dict[tuple[object, ...], list[PackingItem]] = {}
        for item in items:
            kinds.setdefault(item.kind, []).append(item)
        writer = _Writer(windows)
        most = MOST_PLACES // max(1, len(kinds))
        for members in kinds.values():
            writer.add(members[0], len(members), most)
        return writer.program(num_qubits, lead)

    def least_slots(self) -> float:
        """Return how many slots every batch takes at least, about; 0 if that is not known.

        Of places with like times each counts as long as the longest, and of very many places not all count.
        """
        return self._solved(np.zeros(len(self.worth)), 1.0)[0]

    def best_slots(self, slot_cost: float) -> tuple[float, Rents | None]:
        """Return how long the batch is that is worth most, less what its slots cost, and the shadow prices in it.

        0 and ``None`` if that is not known; no prices where somebody needs a qubit for itself, which must be told how long
        the batch is.

        Args:
            slot_cost: Mean success times programs that a slot is worth.
        """
        length, prices = self._solved(-self.worth, slot_cost)
        if prices is None or self.exclusive.nnz:
            return length, None
        return length, Rents(prices, length + self.lead, self.windows)

    def _solved(self, place_costs: FloatArray, slot_cost: float) -> tuple[float, FloatArray | None]:
        """Return the slots of the batch that costs least, and what a slot of each qubit is worth in it.

        0 and ``None`` if there is nothing to place, or it is not known.
        """
        num_qubits, num_places = self.slots.shape
        if not num_places:
            return 0.0, None
        solved = linprog(
            np.append(place_costs, slot_cost),
            A_ub=hstack([self.slots, csr_array(np.full((num_qubits, 1), -1.0))], format="csr"),
            b_ub=np.full(num_qubits, float(self.lead)),
            bounds=[(0, None)] * num_places + [(self.longest, None)],
            A_eq=hstack([self.balance, csr_array((len(self.balanced), 1))], format="csr"),
            b_eq=self.balanced,
            method="highs",
            options=AS_IT_IS,
        )
        return (float(solved.x[-1]), _prices(solved)) if solved.success else (0.0, None)

    def rents(self, num_slots: float) -> Rents | None:
        """Return the shadow prices in a batch of ``num_slots`` slots, ``None`` if the pieces do not fit even when split."""
        if not len(self.worth):
            return None
        all_slots = num_slots + self.lead
        solved = linprog(
            -self.worth,
            # Whoever needs a qubit for itself takes all of its time.
            A_ub=self.slots.maximum(self.exclusive * all_slots),
            b_ub=np.full(self.slots.shape[0], all_slots),
            A_eq=self.balance,
            b_eq=self.balanced,
            method="highs",
            options=AS_IT_IS,
        )
        if not solved.success:
            return None
        return Rents(_prices(solved), all_slots, self.windows)


def _prices(solved: OptimizeResult) -> FloatArray:
    prices: FloatArray = np.maximum(0.0, -solved.ineqlin.marginals)
    return prices


class _Writer:
    """Writes the linear program, one kind of piece after another.

    Args:
        windows: What places take.
    """

    def __init__(self, windows: Windows) -> None:
        self._windows = windows
        self._worth: list[FloatArray] = []
        self._slots = _Entries()
        self._exclusive = _Entries()
        self._balance = _Entries()
        self._balanced: list[float] = []
        self._num_places = 0
        self._longest = 0

    def add(self, item: PackingItem, number: int, most: int) -> None:
        """Add places of ``number`` pieces like ``item``: about ``most`` of them, the best and some of all others."""
        num_parts = sum(len(candidates.shapes) for candidates in item.variants)
        firsts = []
        lengths = []
        for candidates, exclusive in zip(item.variants, item.exclusive_sites, strict=True):
            left = sum(shape.best for shape in candidates.shapes) - item.log_floor + TOLERANCE
            good = [int((shape.log_success >= shape.best - left).sum()) for shape in candidates.shapes]
            if good and all(good):
                first, *others = (
                    self._add_part(
                        shape, np.arange(0, count, -(-count * num_parts // max(1, most))), exclusive, item.weight
                    )
                    for shape, count in zip(candidates.shapes, good, strict=True)
                )
                firsts.append(first)
                lengths += [group.length for shape in candidates.shapes for group in self._windows.of(shape)]
                for other in others:
                    self._equate([(first, 1.0), (other, -1.0)], 0.0)
        if firsts:
            self._equate([(first, 1.0) for first in firsts], float(number))
            self._longest = max(self._longest, min(lengths))

    def program(self, num_qubits: int, lead: int) -> RelaxedPacking:
        """Return the program with all that was added."""
        size = (num_qubits, self._num_places)
        return RelaxedPacking(
            slots=self._slots.matrix(size),
            exclusive=self._exclusive.matrix(size),
            worth=np.concatenate([[], *self._worth]),
            balance=self._balance.matrix((len(self._balanced), self._num_places)),
            balanced=np.array(self._balanced),
            longest=self._longest,
            lead=lead,
            windows=self._windows,
        )

    def _add_part(self, shape: ShapeCandidates, rows: IntArray, exclusive: Sequence[int], weight: float) -> IntArray:
        """Add ``rows`` of the places of ``shape``; return which places of the program they are."""
        added = self._num_places + np.arange(len(rows))
        self._num_places += len(rows)
        self._worth.append(weight * shape.log_success[rows])
        for group in self._windows.of(shape):
            own = group.holds[rows]
            for site, qubits, (start, stop) in zip(shape.sites, shape.places[rows[own]].T, group.spans, strict=True):
                self._slots.add(qubits, added[own], stop - start)
                if site in exclusive:
                    self._exclusive.add(qubits, added[own], 1)
        return added

    def _equate(self, terms: Sequence[tuple[IntArray, float]], value: float) -> None:
        for places, factor in terms:
            self._balance.add(np.full(len(places), len(self._balanced)), places, factor)
        self._balanced.append(value)


class _Entries:
    """Entries of a sparse matrix."""

    def __init__(self) -> None:
        self._rows: list[IntArray] = []
        self._columns: list[IntArray] = []
        self._values: list[FloatArray] = []

    def add(self, rows: IntArray, columns: IntArray, value: float) -> None:
        self._rows.append(rows)
        self._columns.append(columns)
        self._values.append(np.full(len(rows), float(value)))

    def matrix(self, shape: tuple[int, int]) -> csr_array:
        none = np.zeros(0, dtype=np.int64)
        where = (np.concatenate([none, *self._rows]), np.concatenate([none, *self._columns]))
        return csr_array((np.concatenate([[], *self._values]), where), shape=shape)
