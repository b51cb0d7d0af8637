"""Search for the order in which a few pieces take their places.

Where large pieces wait for the same qubits, nearly all depends on who comes first, and boards are too slow to try more than
a few orders: they know every hole. Here a piece follows the last one on each of its qubits, which is told so quickly that a
thousand orders can be tried, by simulated annealing (Kirkpatrick et al., Science 220, 671 (1983)). The best one is then filled
on a board, holes and all.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from qiskit_halo.placement.candidates import FloatArray, IntArray
from qiskit_halo.placement.choices import BoolArray, Choices, Room
from qiskit_halo.placement.crowding import Reservation
from qiskit_halo.placement.items import PackingItem

TRIES = 160
"""Orders tried for each piece."""

LIMITS = (1.0, 1.1, 1.2, 1.35, 1.5, 1.7, 2.0)
"""Shares of the least time by which pieces should end that can choose: they take the best of the places that let them."""

HEAT = 0.1
"""Badness that a change may add at first and still be kept one time in three or so; falls to nothing."""

FAULT = 100.0
"""Badness of a piece without a place that keeps its floor, or one that ends too late: nothing makes up for it, as on boards."""

NEW_LIMIT, HURRY = 0.1, 0.4
"""Shares of the changes that give all another limit, and that make one piece take the place that ends first, or no longer; the
others move a piece to another position.
"""

SEED = 0
"""Of the changes: equal pieces on equal boards go to equal places."""

NEVER = 2**62

Badness = Callable[[Mapping[int, float], float], float]
"""What is least for the best order, by the log of the success of each piece and the slots of the whole."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Step:
    """What the first pieces of an order leave to the next.

    Args:
        index: The last of them, -1 where there is none.
        choice: Which place it took; ``None`` if none keeps its floor.
        start: Its first slot.
        front: First free slot of each qubit, with one more behind the last that is always free.
        handover_log: What a hand-over there costs by now: nothing on unused qubits.
        closed: Whether somebody has the qubit for itself; ``None`` if that is nowhere so.
        stop: End of all.
        log_success: Of each piece so far, and of those that no order is tried for.
        faults: Pieces without a place, or that end too late.
    """

    index: int
    choice: int | None
    start: int
    front: IntArray
    handover_log: FloatArray
    closed: BoolArray | None
    stop: int
    log_success: dict[int, float]
    faults: int


@dataclass(frozen=True, slots=True)
class _Plan:
    """What a schedule is decoded from.

    Args:
        order: Pieces, the first to choose first.
        limit: Slot by which those should end that can choose.
        hurried: Those that take the place that ends first instead.
    """

    order: tuple[int, ...]
    limit: int
    hurried: frozenset[int]


class OrderSearch:
    """Tries orders.

    Args:
        items: What to place.
        room: Where.
        badness: What is least for the best order.
    """

    def __init__(self, items: Sequence[PackingItem], room: Room, badness: Badness) -> None:
        self._room = room
        self._badness = badness
        kinds: dict[tuple[object, ...], Choices | None] = {}
        self._choices: dict[int, Choices] = {}
        for index, item in enumerate(items):
            if item.kind not in kinds:
                kinds[item.kind] = Choices.of(item, room)
            choices = kinds[item.kind]
            if choices is not None:
                self._choices[index] = choices
        # What is left out is somewhere on the board later, and its program worth something.
        left_out = {index: item.log_best for index, item in enumerate(items) if index not in self._choices}
        self._handover_log = np.append(room.handover_log, 0.0)
        self._blank = _Step(
            index=-1,
            choice=None,
            start=0,
            front=np.append(np.zeros(room.num_qubits, dtype=np.int64), -NEVER),
            handover_log=np.zeros(room.num_qubits + 1),
            closed=None,
            stop=room.origin,
            log_success=left_out,
            faults=0,
        )

    def best(self, least_slots: float) -> dict[int, Reservation]:
        """Return the place of each piece in the best schedule found, by index, in the order of their starts.

        Pieces in several parts are left out, and those without a place that keeps their floor.

        Args:
            least_slots: Slots that every batch takes, about.
        """
        rng = random.Random(SEED)
        limits = [self._room.origin + math.ceil(share * least_slots) for share in LIMITS]
        order = sorted(self._choices, key=lambda index: (self._choices[index].log_success[0], index))
        plan = _Plan(tuple(order), limits[len(limits) // 2], frozenset())
        steps = self._decoded(plan, [], 0)
        worth = self._worth(steps[-1])
        best, best_worth = steps, worth
        tries = TRIES * len(order) if len(order) > 1 else 0
        for number in range(tries):
            changed, same = _changed(plan, limits, rng)
            new = self._decoded(changed, steps, same)
            new_worth = self._worth(new[-1])
            heat = HEAT * (1 - number / tries)
            if new_worth <= worth or rng.random() < math.exp((worth - new_worth) / heat):
                plan, steps, worth = changed, new, new_worth
                if worth < best_worth:
                    best, best_worth = steps, worth
        return self._places(best)

    def _decoded(self, plan: _Plan, steps: Sequence[_Step], same: int) -> list[_Step]:
        """Return what there is after each piece of ``plan``.

        Args:
            plan: The plan.
            steps: The same of another plan.
            same: How many pieces the plans have in common at their beginning.
        """
        done = list(steps[: same + 1]) or [self._blank]
        for index in plan.order[same:]:
            done.append(self._next(done[-1], index, self._room.origin if index in plan.hurried else plan.limit))
        return done

    def _next(self, before: _Step, index: int, limit: int) -> _Step:
        """Return what there is when piece ``index`` has taken the best place that it can leave by slot ``limit``."""
        choices = self._choices[index]
        starts = np.maximum((before.front[choices.qubits] - choices.starts).max(axis=0), self._room.origin)
        log_success = choices.log_success + before.handover_log[choices.qubits].sum(axis=0)
        good = log_success >= choices.log_floor
        if before.closed is not None:
            good &= ~before.closed[choices.qubits].any(axis=0)
        if choices.alone is not None:
            good &= ~(choices.alone & (before.front > 0)[choices.qubits]).any(axis=0)
        ends = starts + choices.lengths
        ranks = np.where(good, np.maximum(ends, limit), NEVER)
        rank = ranks.min()
        if rank == NEVER:
            return replace(before, index=index, choice=None, faults=before.faults + 1)
        first = np.flatnonzero(ranks == rank)
        choice = int(first[np.argmax(log_success[first])])
        qubits, start, end = choices.qubits[:, choice], int(starts[choice]), int(ends[choice])
        front, handover_log, closed = before.front.copy(), before.handover_log.copy(), before.closed
        front[qubits] = start + choices.stops[:, choice]
        front[-1] = -NEVER
        handover_log[qubits] = self._handover_log[qubits]
        if choices.alone is not None:
            closed = np.zeros(len(front), dtype=np.bool_) if closed is None else closed.copy()
            closed[qubits[choices.alone[:, choice]]] = True
        return _Step(
            index=index,
            choice=choice,
            start=start,
            front=front,
            handover_log=handover_log,
            closed=closed,
            stop=max(before.stop, end),
            log_success={**before.log_success, index: float(log_success[choice])},
            faults=before.faults + (end > self._room.horizon),
        )

    def _worth(self, last: _Step) -> float:
        return last.faults * FAULT + self._badness(last.log_success, last.stop - self._room.origin)

    def _places(self, steps: Sequence[_Step]) -> dict[int, Reservation]:
        return {
            step.index: self._choices[step.index].found[step.choice]
            for step in sorted(steps[1:], key=lambda step: step.start)
            if step.choice is not None
        }


def _changed(plan: _Plan, limits: Sequence[int], rng: random.Random) -> tuple[_Plan, int]:
    """Return another plan, and how many pieces the two have in common at their beginning."""
    dice = rng.random()
    if dice < NEW_LIMIT:
        return replace(plan, limit=rng.choice(limits)), 0
    position = rng.randrange(len(plan.order))
    if dice < NEW_LIMIT + HURRY:
        return replace(plan, hurried=plan.hurried ^ {plan.order[position]}), position
    order = list(plan.order)
    new = rng.randrange(len(order))
    order.insert(new, order.pop(position))
    return replace(plan, order=tuple(order)), min(position, new)
