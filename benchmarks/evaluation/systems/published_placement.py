"""HALO's space manager: a greedy start, then simulated annealing."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from benchmarks.evaluation.systems.published_cost import Cost, Hops
from benchmarks.evaluation.systems.published_process import Process

RESTARTS, STEPS = 30, 800
COOLING = 0.995
MOVE_SHARE = 0.3
RADIUS = 2

Position = NDArray[np.int64]
"""Physical qubit of each data qubit, process by process."""


def place_data(
    processes: Sequence[Process], hops: Hops, seed: int, *, restarts: int = RESTARTS, steps: int = STEPS
) -> list[list[int]]:
    """Return the physical qubits of each process's data qubits.

    The best placement that any restart met is kept. Not said, and taken as: restarts differ in the qubit that the first process
    grows from; the first restart takes a qubit in the middle of the device.
    """
    cost = Cost(processes, hops)
    rng = np.random.default_rng(seed)
    middle = int(hops.distance.sum(axis=1).argmin())
    best, lowest = greedy(processes, hops, middle), math.inf
    for restart in range(restarts):
        first = middle if restart == 0 else int(rng.integers(len(hops.distance)))
        position, reached = anneal(cost, greedy(processes, hops, first), rng, steps)
        if reached < lowest:
            best, lowest = position, reached
    return [best[members].tolist() for members in cost.members]


def greedy(processes: Sequence[Process], hops: Hops, first: int) -> Position:
    """Return a start: seeds as far apart as possible, then each process takes the free qubits nearest to its seed.

    Processes grow in turns, a qubit each, so that the last one is not left with what lies far apart.
    """
    distance = hops.distance
    seeds = [first]
    gap = distance[first].copy()
    for _ in processes[1:]:
        gap[seeds] = -1
        seeds.append(int(gap.argmax()))
        gap = np.minimum(gap, distance[seeds[-1]])
    free = np.ones(len(distance), dtype=bool)
    free[seeds] = False
    grown = [[seed] for seed in seeds]
    for size in range(1, max(process.num_data for process in processes)):
        for process, mine in zip(processes, grown, strict=True):
            if size < process.num_data:
                qubits = np.flatnonzero(free)
                mine.append(int(qubits[distance[mine[0], qubits].argmin()]))
                free[mine[-1]] = False
    return np.array(
        [qubit for process, mine in zip(processes, grown, strict=True) for qubit in mine[: process.num_data]],
        dtype=np.int64,
    )


def anneal(cost: Cost, start: Position, rng: np.random.Generator, steps: int) -> tuple[Position, float]:
    """Return the best placement met, and its cost.

    A step moves a data qubit to a free qubit within two hops (three times in ten), or swaps it with one of its own process
    within two hops; if there is none, the step does nothing.
    """
    within = cost.hops.distance <= RADIUS
    position = start
    passing = np.stack([cost.passing(process, position) for process in range(len(cost.members))])
    current = cost.of(position, passing)
    best, lowest = position, current
    temperature = max(1.0, 0.1 * abs(current))
    for _ in range(steps):
        temperature *= COOLING
        proposal = _propose(cost, position, within, rng)
        if proposal is None:
            continue
        moved, new = proposal
        process = int(cost.owner[moved])
        other = passing.copy()
        other[process] = cost.passing(process, new)
        after = cost.of(new, other)
        if after <= current or rng.random() < math.exp((current - after) / temperature):
            position, passing, current = new, other, after
            if current < lowest:
                best, lowest = position, current
    return best, lowest


def _propose(
    cost: Cost, position: Position, within: NDArray[np.bool_], rng: np.random.Generator
) -> tuple[int, Position] | None:
    """Return a data qubit, and the placement after its move."""
    moved = int(rng.integers(len(position)))
    near = within[position[moved]]
    new = position.copy()
    if rng.random() < MOVE_SHARE:
        near = near.copy()
        near[position] = False
        free = np.flatnonzero(near)
        if not len(free):
            return None
        new[moved] = free[rng.integers(len(free))]
        return moved, new
    mates = cost.members[cost.owner[moved]]
    mates = mates[near[position[mates]] & (mates != moved)]
    if not len(mates):
        return None
    mate = mates[rng.integers(len(mates))]
    new[moved], new[mate] = position[mate], position[moved]
    return moved, new
