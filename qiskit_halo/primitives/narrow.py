"""An order of operations that keeps few qubits alive at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from qiskit_halo.segments.resources import ClassicalResource

_TRIALS, _TRIAL_SEED, _JITTER = 16, 20, 1.2


@dataclass(frozen=True, slots=True, kw_only=True)
class LifeKey:
    """A stretch of a wire with a state of its own.

    Args:
        wire: Index of the wire in the circuit.
        rounds: Resets before it.
        reused: Whether somebody else's qubit state went before those resets.
        segment: Index of the segment that begins it.
    """

    wire: int
    rounds: int
    reused: bool
    segment: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StepDraft:
    """One operation, or the resets of one life, before it has a place in the order.

    Args:
        position: Position of the operation in the circuit, or ``None`` for resets.
        lives: The lives it acts on, in the order of the operation's qubits.
        rounds: Number of resets; 0 for an operation.
        resources: Classical bits and variables that it reads or writes.
    """

    position: int | None
    lives: tuple[LifeKey, ...]
    rounds: int
    resources: tuple[ClassicalResource, ...]


def narrow(steps: Sequence[StepDraft]) -> list[StepDraft]:
    """Return ``steps`` in an order that keeps few lives open at a time.

    The best of several greedy orders, which take the step that opens fewest and closes most lives: from the front,
    from the back (a circuit read backwards opens lives where it closed them), and both again with small random
    preferences, from a fixed seed. Finding the best order of all is NP-hard.
    """
    rng = np.random.default_rng(_TRIAL_SEED)
    blocks = _blocks(steps)
    heads = [block[-1] for block in blocks]
    best, least = list(range(len(heads))), _most_open(heads)
    for trial in range(_TRIALS):
        preference = (rng.random(len(heads)) * _JITTER if trial else np.zeros(len(heads))).tolist()
        forward = _greedy_order(heads, preference)
        backward = [len(heads) - 1 - number for number in reversed(_greedy_order(heads[::-1], preference))]
        for order in (forward, backward):
            found = _most_open([heads[number] for number in order])
            if found < least:
                best, least = order, found
    return [step for number in best for step in blocks[number]]


def _blocks(steps: Sequence[StepDraft]) -> list[list[StepDraft]]:
    """Return the steps in blocks: one on a single life waits for the next on it that acts on more, or on a classical bit.

    Such steps never decide how many lives are open, and they are most of a circuit.
    """
    blocks: list[list[StepDraft]] = []
    waiting: dict[LifeKey, list[StepDraft]] = {}
    for step in steps:
        if len(step.lives) == 1 and not step.resources:
            waiting.setdefault(step.lives[0], []).append(step)
        else:
            blocks.append([*(own for life in step.lives for own in waiting.pop(life, ())), step])
    return [*blocks, *waiting.values()]


def _greedy_order(steps: Sequence[StepDraft], preference: Sequence[float]) -> list[int]:
    """Return the indices of ``steps`` in the order that one greedy choice after the other makes."""
    waits_for = [0] * len(steps)
    followers: list[list[int]] = [[] for _ in steps]
    remaining: dict[LifeKey, int] = {}
    latest: dict[LifeKey | ClassicalResource, int] = {}
    for number, step in enumerate(steps):
        before = dict.fromkeys(latest[key] for key in (*step.lives, *step.resources) if key in latest)
        waits_for[number] = len(before)
        for other in before:
            followers[other].append(number)
        for key in (*step.lives, *step.resources):
            latest[key] = number
        for life in step.lives:
            remaining[life] = remaining.get(life, 0) + 1

    opened: set[LifeKey] = set()
    ready = [number for number, count in enumerate(waits_for) if not count]
    order: list[int] = []
    while ready:
        best = min(ready, key=lambda number: (_growth(steps[number], opened, remaining) + preference[number], number))
        ready.remove(best)
        order.append(best)
        opened.update(steps[best].lives)
        for life in steps[best].lives:
            remaining[life] -= 1
        for follower in followers[best]:
            waits_for[follower] -= 1
            if not waits_for[follower]:
                ready.append(follower)
    return order


def _growth(step: StepDraft, opened: set[LifeKey], remaining: dict[LifeKey, int]) -> int:
    opens = sum(life not in opened for life in step.lives)
    closes = sum(remaining[life] == 1 for life in step.lives)
    return opens - closes


def _most_open(steps: Sequence[StepDraft]) -> int:
    """Return how many lives are open at once, at most."""
    last = {life: number for number, step in enumerate(steps) for life in step.lives}
    opened: set[LifeKey] = set()
    most = 0
    for number, step in enumerate(steps):
        opened.update(step.lives)
        most = max(most, len(opened))
        opened.difference_update(life for life in step.lives if last[life] == number)
    return most
