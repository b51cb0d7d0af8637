"""HALO's helper scheduling: processes take turns, and take free qubits as helpers while there are any."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.evaluation.model import SystemFailedError
from benchmarks.evaluation.systems.published_process import Process


class DeadlockError(SystemFailedError):
    """Every process waits for a helper that another one holds, for ever."""


@dataclass(frozen=True)
class Issue:
    """One instruction as it is sent.

    Attributes:
        process: Whose.
        position: Of the instruction in the process.
        qubits: Physical qubits that it acts on.
        resets: Physical qubits to reset before, because somebody had them as a helper.
    """

    process: int
    position: int
    qubits: tuple[int, ...]
    resets: tuple[int, ...]


def hand_out(
    processes: Sequence[Process], data: Sequence[Sequence[int]], num_qubits: int, distance: NDArray[np.float64]
) -> list[Issue]:
    """Return all instructions in the order in which they are sent: one a process a round.

    A helper takes, at its first use, the free qubit nearest to the data qubits that it interacts with, each counted as often
    as they interact; one that meets helpers only (published: not said) goes near those of them that have a qubit, or else near
    all data qubits of its process. An instruction that needs more helpers than are free waits, and so does its process;
    it holds none of them meanwhile. A qubit is free again after the last use, with one reset. We send that reset when the qubit
    is taken the next time, so that nobody waits for one that nobody needs.

    Args:
        processes: The batch.
        data: Physical qubit of each data qubit, by process.
        num_qubits: Of the device; all that hold no data are helpers.
        distance: Hops between physical qubits.

    Raises:
        DeadlockError: A whole round sent nothing. Nothing would ever change after that, so no clock is needed to tell.
    """
    place = [dict(enumerate(qubits)) for qubits in data]
    taken = {qubit for qubits in data for qubit in qubits}
    free = [qubit for qubit in range(num_qubits) if qubit not in taken]
    dirty: set[int] = set()
    done = [0] * len(processes)
    issues: list[Issue] = []
    waiting = [index for index, process in enumerate(processes) if process.wires]
    while waiting:
        before = len(issues)
        for index in waiting:
            process, position, mine = processes[index], done[index], place[index]
            if len(process.opens[position]) > len(free):
                continue
            resets = []
            for helper in process.opens[position]:
                qubit = _nearest(free, _wanted(process, helper, mine), distance)
                free.remove(qubit)
                mine[helper] = qubit
                if qubit in dirty:
                    resets.append(qubit)
            issues.append(Issue(index, position, tuple(mine[q] for q in process.wires[position]), tuple(resets)))
            for helper in process.closes[position]:
                qubit = mine.pop(helper)
                free.append(qubit)
                dirty.add(qubit)
            done[index] += 1
        if len(issues) == before:
            held = sum(len(mine) for mine in place) - len(taken)
            raise DeadlockError(
                f"{len(waiting)} of {len(processes)} processes wait for helpers, {len(free)} qubits are free, and they "
                f"hold {held}: no progress for ever"
            )
        waiting = [index for index in waiting if done[index] < len(processes[index].wires)]
    return issues


def _wanted(process: Process, helper: int, mine: dict[int, int]) -> list[tuple[int, int]]:
    """Return physical qubits that a helper should be near to, each with its weight."""
    near = process.data_near(helper)
    if not near:
        others = {a if b == helper else b: n for (a, b), n in process.weights.items() if helper in (a, b)}
        near = {other: n for other, n in others.items() if other in mine} or dict.fromkeys(range(process.num_data), 1)
    return [(mine[qubit], weight) for qubit, weight in near.items()]


def _nearest(free: Iterable[int], wanted: Sequence[tuple[int, int]], distance: NDArray[np.float64]) -> int:
    return min(free, key=lambda qubit: (sum(weight * distance[qubit, near] for near, weight in wanted), qubit))
