"""Where qubits are short, choose places for as many pieces as possible, all at once.

Places of which no two can be had together are the edges of a graph, and the most pieces are a largest independent set. One
piece after another gets stuck a few short of it. The local search here follows Andrade, Resende and Werneck, "Fast local
search for the maximum independent set problem" (J. Heuristics 18, 2012): let a place in for the one that it rules out,
see what has become free, and go on from there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from qiskit_halo.placement.candidates import FloatArray, IntArray
from qiskit_halo.placement.items import TOLERANCE, PackingItem

MOST_NODES = 4096
"""Places looked at, over all pieces; the best of each kind of piece are kept."""

STEPS, STEPS_PER_NODE, STARTS = 12_000, 40, 6
"""Places let in before the search ends, at most and for each place looked at; it starts anew now and then, since some
starts lead nowhere."""

YOUNGEST_OF = 4
"""Places drawn at each step, of which the one longest out is let in."""

LEAP = 0.03
"""Share of steps that let any place in, whatever it rules out."""

BoolArray = npt.NDArray[np.bool_]

Forms = Literal["best", "short", "all"]
"""Which forms of an item count: the one with the best success, those that are no longer than it, or all."""


@dataclass(frozen=True, slots=True)
class Reservation:
    """The place meant for one item: row ``row`` of the only part of its variant ``variant``."""

    variant: int
    row: int


def reserve(items: Sequence[PackingItem], num_qubits: int, *, keep_floor: bool, forms: Forms) -> dict[int, Reservation]:
    """Return places for as many items as the search finds room for, by index of the item.

    Only qubits count, not times: of two items with a qubit in common that either needs for itself, one is left out.
    Items in several parts are left out too.

    Args:
        items: What to place; those with the same variants are interchangeable.
        num_qubits: Qubits of the device.
        keep_floor: Whether only places count that leave an item its floor.
        forms: Which forms count; longer ones are perhaps narrower.
    """
    members: dict[tuple[int, ...], list[int]] = {}
    for index, item in enumerate(items):
        if all(len(variant.shapes) == 1 for variant in item.variants):
            members.setdefault(tuple(id(variant) for variant in item.variants), []).append(index)
    groups = list(members.values())
    if not groups:
        return {}
    nodes = _Nodes.of([items[group[0]] for group in groups], num_qubits, keep_floor, forms)
    search = _Search(nodes.conflicts(), nodes.kind, np.array([len(group) for group in groups]))
    found: dict[int, Reservation] = {}
    waiting = [iter(group) for group in groups]
    for node in np.flatnonzero(search.run()).tolist():
        found[next(waiting[nodes.kind[node]])] = Reservation(int(nodes.variant[node]), int(nodes.row[node]))
    return found


@dataclass(frozen=True, slots=True)
class _Nodes:
    """Places as columns: what kind of item each is for, where to find it, its qubits and those it needs for itself."""

    kind: IntArray
    variant: IntArray
    row: IntArray
    held: BoolArray
    alone: BoolArray

    @classmethod
    def of(cls, kinds: Sequence[PackingItem], num_qubits: int, keep_floor: bool, forms: Forms) -> _Nodes:
        each = max(1, MOST_NODES // len(kinds))
        columns: list[tuple[int, int, int]] = []
        held: list[BoolArray] = []
        alone: list[BoolArray] = []
        for kind, item in enumerate(kinds):
            own = 0
            seen: dict[bytes, None] = {}
            usual_dt = item.variants[0].fragment.timing.length_dt
            for number, variant in enumerate(item.variants[:1] if forms == "best" else item.variants):
                if forms == "short" and variant.fragment.timing.length_dt > usual_dt:
                    continue
                (shape,) = variant.shapes
                exclusive = [
                    position for position, site in enumerate(shape.sites) if site in item.exclusive_sites[number]
                ]
                for row, qubits in enumerate(shape.places):
                    if own == each or (keep_floor and shape.log_success[row] < item.log_floor - TOLERANCE):
                        break
                    mask, exclusively = np.zeros((2, num_qubits), dtype=np.bool_)
                    mask[qubits] = True
                    exclusively[qubits[exclusive]] = True
                    key = mask.tobytes() + exclusively.tobytes()
                    if key not in seen:
                        seen[key] = None
                        own += 1
                        columns.append((kind, number, row))
                        held.append(mask)
                        alone.append(exclusively)
        table = np.array(columns, dtype=np.int64).reshape(-1, 3)
        size = (len(columns), num_qubits)
        return cls(
            kind=table[:, 0],
            variant=table[:, 1],
            row=table[:, 2],
            held=np.array(held, dtype=np.bool_).reshape(size),
            alone=np.array(alone, dtype=np.bool_).reshape(size),
        )

    def conflicts(self) -> BoolArray:
        """Return which pairs of places cannot both be had, shape (num_nodes, num_nodes)."""
        shared = (self.alone.astype(np.float32) @ self.held.astype(np.float32).T) > 0
        both: BoolArray = shared | shared.T
        np.fill_diagonal(both, False)
        return both


class _Search:
    """A local search for many nodes without conflict, no more of each kind than there are items; lives for one run."""

    def __init__(self, conflicts: BoolArray, kind: IntArray, number: IntArray) -> None:
        self._conflicts = conflicts
        self._neighbours = [np.flatnonzero(row) for row in conflicts]
        self._kind = kind
        self._left = number.copy()
        self._wanted = int(number.sum())
        self._inside: BoolArray = np.zeros(len(kind), dtype=np.bool_)
        self._blockers = np.zeros(len(kind), dtype=np.int64)
        self._rng = np.random.default_rng(0)

    def run(self) -> BoolArray:
        """Return the largest set found."""
        best, best_set = -1, self._inside.copy()
        left_at = np.zeros(len(self._kind), dtype=np.int64)
        steps = min(STEPS, STEPS_PER_NODE * len(self._kind))
        # Drawn together: a draw of its own takes longer than a step.
        for step, draws in enumerate(self._rng.random((steps, 1 + YOUNGEST_OF))):
            if step % (steps // STARTS) == 0:
                for inside in np.flatnonzero(self._inside).tolist():
                    self._take_out(inside)
                left_at[:] = 0
            else:
                node = self._next(left_at, draws)
                if node is None:
                    break
                for other in self._in_the_way(node):
                    self._take_out(other)
                    left_at[other] = step
                self._let_in(node)
            self._fill()
            size = int(self._inside.sum())
            if size > best:
                best, best_set = size, self._inside.copy()
            if best == self._wanted:
                break
        return best_set

    def _fill(self) -> None:
        """Let in free nodes until there are none, those first that rule out fewest others."""
        while True:
            free = np.flatnonzero((self._blockers == 0) & ~self._inside & (self._left[self._kind] > 0))
            if not len(free):
                return
            ruled_out = self._conflicts[free][:, free].sum(axis=1) if len(free) > 1 else np.zeros(1)
            least = free[ruled_out == ruled_out.min()]
            self._let_in(self._draw(least))

    def _next(self, left_at: IntArray, draws: FloatArray) -> int | None:
        outside = ~self._inside & (self._left[self._kind] > 0)
        one_for_one = np.flatnonzero(outside & (self._blockers == 1))
        if len(one_for_one) and draws[0] >= LEAP:
            drawn = one_for_one[(draws[1:] * len(one_for_one)).astype(np.int64)]
            return int(drawn[left_at[drawn].argmin()])
        choices = np.flatnonzero(outside)
        return self._draw(choices) if len(choices) else None

    def _draw(self, nodes: IntArray) -> int:
        return int(nodes[self._rng.integers(len(nodes))])

    def _in_the_way(self, node: int) -> list[int]:
        neighbours = self._neighbours[node]
        found: list[int] = neighbours[self._inside[neighbours]].tolist()
        return found

    def _let_in(self, node: int) -> None:
        self._inside[node] = True
        self._left[self._kind[node]] -= 1
        self._blockers[self._neighbours[node]] += 1

    def _take_out(self, node: int) -> None:
        self._inside[node] = False
        self._left[self._kind[node]] += 1
        self._blockers[self._neighbours[node]] -= 1
