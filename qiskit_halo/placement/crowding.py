"""Where qubits are short, choose places for as many pieces as possible, all at once.

One piece after another gets stuck a few short of what there is room for. A linear program sees all of them: so much of each
piece goes to each place that no qubit is given away more than once. Where its solution is whole, and on the sparse graphs of
devices most of it is, it is taken; what is left is solved again, until all is decided.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.optimize import linprog
from scipy.sparse import csr_array, vstack

from qiskit_halo.placement.candidates import FloatArray, IntArray
from qiskit_halo.placement.items import TOLERANCE, PackingItem

MOST_NODES = 4096
"""Places looked at, over all pieces; the best of each kind of piece are kept."""

WHOLE = 1 - 1e-6
"""Share of a piece from which on it is whole."""

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
        items: What to place.
        num_qubits: Qubits of the device.
        keep_floor: Whether only places count that leave an item its floor.
        forms: Which forms count; longer ones are perhaps narrower.
    """
    members: dict[tuple[object, ...], list[int]] = {}
    for index, item in enumerate(items):
        if all(len(variant.shapes) == 1 for variant in item.variants):
            members.setdefault(item.kind, []).append(index)
    groups = list(members.values())
    if not groups:
        return {}
    nodes = Places.of([items[group[0]] for group in groups], num_qubits, keep_floor, forms)
    chosen = choose_places(nodes, np.array([len(group) for group in groups]))
    found: dict[int, Reservation] = {}
    waiting = [iter(group) for group in groups]
    for node in chosen:
        found[next(waiting[nodes.kind[node]])] = Reservation(int(nodes.variant[node]), int(nodes.row[node]))
    return found


@dataclass(frozen=True, slots=True)
class Places:
    """Places: what kind of item each is for, where to find it, its success, its qubits and those it needs for itself."""

    kind: IntArray
    variant: IntArray
    row: IntArray
    log_success: FloatArray
    held: BoolArray
    alone: BoolArray

    @classmethod
    def of(cls, kinds: Sequence[PackingItem], num_qubits: int, keep_floor: bool, forms: Forms) -> Places:
        """Return the places of one item of each kind."""
        each = max(1, MOST_NODES // len(kinds))
        columns: list[tuple[int, int, int]] = []
        log_success: list[float] = []
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
                        log_success.append(float(shape.log_success[row]))
                        held.append(mask)
                        alone.append(exclusively)
        table = np.array(columns, dtype=np.int64).reshape(-1, 3)
        size = (len(columns), num_qubits)
        return cls(
            kind=table[:, 0],
            variant=table[:, 1],
            row=table[:, 2],
            log_success=np.array(log_success),
            held=np.array(held, dtype=np.bool_).reshape(size),
            alone=np.array(alone, dtype=np.bool_).reshape(size),
        )

    def conflicts_with(self, node: int) -> BoolArray:
        """Return which places cannot be had together with ``node``, itself among them; shape (num_nodes,)."""
        conflicts = np.zeros(len(self.kind), dtype=np.bool_)
        conflicts |= self.held[:, self.alone[node]].any(axis=1)
        conflicts |= self.alone[:, self.held[node]].any(axis=1)
        conflicts[node] = True
        return conflicts

    def limits(self, nodes: IntArray) -> csr_array:
        """Return how much of each qubit each of ``nodes`` takes of 1, shape (num_qubits, num_nodes)."""
        alone, held = self.alone[nodes], self.held[nodes]
        # Those who share a qubit rule out who needs it for itself: together they may take all of it.
        shares = (held & ~alone) * alone.any(axis=0) / np.maximum(1, held.sum(axis=0))
        return csr_array((alone + shares).T)


def choose_places(nodes: Places, number: IntArray) -> list[int]:
    """Return places that can be had together, as many as are found, and of as many the best.

    Args:
        nodes: The places.
        number: How many items there are of each kind.
    """
    left = number.copy()
    free: BoolArray = np.ones(len(nodes.kind), dtype=np.bool_)
    spread = np.ptp(nodes.log_success) if len(nodes.kind) else 0.0
    # One more piece outweighs the success of all the others.
    bonus = (nodes.log_success - nodes.log_success.min(initial=0.0)) / max(spread, 1e-12) / (2 * number.sum() + 1)
    chosen: list[int] = []
    while len(open_nodes := np.flatnonzero(free & (left[nodes.kind] > 0))):
        share = _relaxed(nodes, open_nodes, left, 1 + bonus[open_nodes])
        parts = np.where(share < WHOLE, share, 0.0)
        decided = share >= WHOLE
        decided[parts.argmax()] |= parts.any() or not decided.any()
        for node in open_nodes[decided].tolist():
            if free[node] and left[nodes.kind[node]] > 0:
                chosen.append(node)
                left[nodes.kind[node]] -= 1
                free &= ~nodes.conflicts_with(node)
    return sorted(chosen)


def _relaxed(nodes: Places, open_nodes: IntArray, left: IntArray, weight: FloatArray) -> FloatArray:
    """Return how much of a piece goes to each of ``open_nodes`` if pieces can be split, shape (len(open_nodes),)."""
    kind = nodes.kind[open_nodes]
    of_kind = csr_array((np.ones(len(kind)), (kind, np.arange(len(kind)))), shape=(len(left), len(kind)))
    solved = linprog(
        -weight,
        A_ub=vstack([nodes.limits(open_nodes), of_kind], format="csr"),
        b_ub=np.concatenate([np.ones(nodes.held.shape[1]), left]),
        bounds=(0, 1),
        method="highs",
    )
    assert solved.success, "nowhere is a solution"
    share: FloatArray = solved.x
    return share
