"""A coupling map -> rows and columns, for square and heavy-hex devices."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from itertools import pairwise

from benchmarks.evaluation.model import SystemFailedError

Cell = tuple[int, int]
"""(row, column), from (0, 0); on a heavy-hex device bridges have rows of their own, so its rows of qubits are even."""


def find_lattice(num_qubits: int, couplers: Iterable[tuple[int, int]]) -> dict[Cell, int]:
    """Return the qubit of each cell that has one.

    Devices of both kinds number their qubits row by row, so a row is a run of qubits with consecutive numbers, each
    coupled to the next. Rows are either coupled directly (square), or by a single qubit between two of them (heavy-hex).
    What is coupled is in one column.

    Raises:
        SystemFailedError: The device is of neither kind.
    """
    near: list[set[int]] = [set() for _ in range(num_qubits)]
    for a, b in couplers:
        near[a].add(b)
        near[b].add(a)
    rows = _runs(near)
    row_of = {qubit: row for row in rows for qubit in row}
    if not rows:
        raise SystemFailedError("the device has no rows of coupled qubits, so no regions can be laid out")
    place: dict[int, Cell] = {rows[0][0]: (0, 0)}
    todo = deque([(rows[0], (0, 0))])
    while todo:
        row, (y, x) = todo.popleft()
        for offset, qubit in enumerate(row):
            if place.setdefault(qubit, (y, x + offset)) != (y, x + offset):
                raise _no_lattice(qubit)
        for offset, qubit in enumerate(row):
            for other in sorted(near[qubit]):
                if other not in row_of:  # a bridge
                    step = 1 if other > qubit else -1
                    if place.setdefault(other, (y + step, x + offset)) != (y + step, x + offset):
                        raise _no_lattice(other)
                    ends, step = sorted(near[other] - {qubit}), 2 * step
                elif row_of[other] is not row:
                    ends, step = [other], 1 if other > qubit else -1
                else:
                    continue
                for end in ends:
                    corner = y + step, x + offset - row_of[end].index(end) if end in row_of else -1
                    if end not in row_of or place.get(end, (y + step, x + offset)) != (y + step, x + offset):
                        raise _no_lattice(end)
                    first = row_of[end][0]
                    if first not in place:
                        place[first] = corner
                        todo.append((row_of[end], corner))
    if len(set(place.values())) < len(place):
        raise SystemFailedError("two qubits of the device fall on one cell of a grid, so no regions can be laid out")
    top = min(y for y, _ in place.values())
    left = min(x for _, x in place.values())
    return {(y - top, x - left): qubit for qubit, (y, x) in sorted(place.items())}


def _runs(near: list[set[int]]) -> list[tuple[int, ...]]:
    """Return the runs of at least two qubits; what is left over are bridges."""
    runs: list[list[int]] = [[0]] if near else []
    for before, qubit in pairwise(range(len(near))):
        if before in near[qubit]:
            runs[-1].append(qubit)
        else:
            runs.append([qubit])
    return [tuple(run) for run in runs if len(run) > 1]


def _no_lattice(qubit: int) -> SystemFailedError:
    return SystemFailedError(
        f"the couplers of qubit {qubit} do not fit into rows and columns; fixed regions are known for square and "
        "heavy-hex devices numbered row by row"
    )
