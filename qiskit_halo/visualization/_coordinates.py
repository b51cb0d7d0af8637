"""Where to draw each qubit: coordinates from the couplers alone, without Graphviz."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import rustworkx as rx
from numpy.typing import NDArray

Coordinates = NDArray[np.float64]
Couplers = Sequence[tuple[int, int]]
Cell = tuple[int, int]

# A single row longer than this is folded, so that a long chain still fits on a page.
_LONGEST_LINE = 16
_STRESS_ROUNDS = 300


def qubit_coordinates(num_qubits: int, couplers: Couplers) -> Coordinates:
    """Return one point a qubit, with couplers about one unit long and qubit 0 at the top left.

    Most devices number their qubits row by row. Where that reading is free of contradictions (heavy-hex
    and square devices, lines) it gives the drawing that vendors print. Any other device is drawn such that
    distances on paper follow distances in hops (stress majorisation).

    Args:
        num_qubits: Qubits of the device; those without a coupler are drawn too.
        couplers: Pairs of coupled qubits.

    Returns:
        float array, shape (num_qubits, 2): ``[q, 0]`` grows to the right and ``[q, 1]`` upwards.

    References:
        Gansner, Koren and North, *Graph drawing by stress majorization*, GD 2004.
    """
    cells = row_cells(num_qubits, couplers)
    if cells is None:
        return _stress_drawing(num_qubits, couplers)
    if len({row for row, _ in cells}) == 1 and num_qubits > _LONGEST_LINE:
        cells = _folded_line(cells)
    return np.array([(column, -row) for row, column in cells], dtype=np.float64).reshape(-1, 2)


def row_cells(num_qubits: int, couplers: Couplers) -> list[Cell] | None:
    """Return the (row, column) of each qubit, or ``None`` if the numbering does not run along rows.

    Neighbours in number are neighbours in a row; every other coupler leads one row down, in the same column.
    """
    steps: list[list[tuple[int, Cell]]] = [[] for _ in range(num_qubits)]
    for pair in couplers:
        low, high = min(pair), max(pair)
        down, right = (0, 1) if high == low + 1 else (1, 0)
        steps[low].append((high, (down, right)))
        steps[high].append((low, (-down, -right)))
    parts = []
    seen: set[int] = set()
    for first in range(num_qubits):
        if first not in seen:
            part = _walk(first, steps)
            if part is None:
                return None
            seen.update(part)
            parts.append(part)
    cells: dict[int, Cell] = {}
    # The largest part first: it tells where qubits that lost all their couplers belong.
    for part in sorted(parts, key=lambda part: (-len(part), min(part))):
        down, right = _offset(part, cells)
        for qubit, (row, column) in part.items():
            cells[qubit] = (row + down, column + right)
    if len(set(cells.values())) < num_qubits:
        return None
    return [cells[qubit] for qubit in range(num_qubits)]


def _walk(first: int, steps: list[list[tuple[int, Cell]]]) -> dict[int, Cell] | None:
    """Return cells of the connected part of ``first``, relative to it; ``None`` on a contradiction."""
    cells = {first: (0, 0)}
    stack = [first]
    while stack:
        qubit = stack.pop()
        row, column = cells[qubit]
        for other, (down, right) in steps[qubit]:
            cell = (row + down, column + right)
            if other not in cells:
                cells[other] = cell
                stack.append(other)
            elif cells[other] != cell:
                return None
    return cells


def _offset(part: dict[int, Cell], cells: dict[int, Cell]) -> Cell:
    """Return the move that puts a part cut off by dead couplers where its numbers belong, if that is free."""
    if not cells:
        return (0, 0)
    taken = set(cells.values())
    columns = range(min(column for _, column in taken), max(column for _, column in taken) + 1)
    for qubit in sorted(part):
        for guess in _guesses(qubit, cells):
            down, right = guess[0] - part[qubit][0], guess[1] - part[qubit][1]
            moved = [(row + down, column + right) for row, column in part.values()]
            if all(column in columns for _, column in moved) and taken.isdisjoint(moved):
                return down, right
    lowest = max(row for row, _ in taken)
    return (
        lowest + 2 - min(row for row, _ in part.values()),
        columns.start - min(column for _, column in part.values()),
    )


def _guesses(qubit: int, cells: dict[int, Cell]) -> list[Cell]:
    """Return where ``qubit`` may lie: between its neighbours in number, else on in the same step."""
    guesses = []
    before, after = cells.get(qubit - 1), cells.get(qubit + 1)
    if before and after and before[0] == after[0] and (before[1] + after[1]) % 2 == 0:
        guesses.append((before[0], (before[1] + after[1]) // 2))
    for near, far in ((qubit - 1, qubit - 2), (qubit + 1, qubit + 2)):
        if near in cells and far in cells and cells[near][0] == cells[far][0]:
            guesses.append((cells[near][0], 2 * cells[near][1] - cells[far][1]))
    return guesses


def _folded_line(cells: list[Cell]) -> list[Cell]:
    """Return a single row as several, read to and fro, so that neighbours stay neighbours."""
    first = min(column for _, column in cells)
    width = max(_LONGEST_LINE, round(np.sqrt(len(cells))))
    folded = []
    for _, column in cells:
        row, place = divmod(column - first, width)
        folded.append((row, place if row % 2 == 0 else width - 1 - place))
    return folded


def _stress_drawing(num_qubits: int, couplers: Couplers) -> Coordinates:
    graph: rx.PyGraph[int, None] = rx.PyGraph(multigraph=False)
    graph.add_nodes_from(range(num_qubits))
    graph.add_edges_from_no_data([(a, b) for a, b in couplers])
    points = np.zeros((num_qubits, 2))
    left = 0.0
    parts = sorted((sorted(part) for part in rx.connected_components(graph)), key=lambda p: (-len(p), p))
    for part in parts:
        hops = np.asarray(rx.distance_matrix(graph.subgraph(part)))
        drawing = _upright(_majorise(hops))
        points[part] = drawing - drawing.min(axis=0) + (left, 0.0)
        left = float(points[part][:, 0].max()) + 1.0
    return points


def _majorise(hops: NDArray[np.float64]) -> Coordinates:
    """Return points whose distances follow ``hops``, weighted by 1 / hops^2."""
    num = len(hops)
    if num == 1:
        return np.zeros((1, 2))
    weights = np.zeros_like(hops)
    apart = hops > 0
    weights[apart] = hops[apart] ** -2
    laplacian = np.diag(weights.sum(axis=1)) - weights
    inverse = np.linalg.pinv(laplacian)
    points = _classical_scaling(hops)
    for _ in range(_STRESS_ROUNDS):
        distance = np.linalg.norm(points[:, None] - points[None], axis=2)
        pull = np.where(distance > 1e-9, -weights * hops / np.maximum(distance, 1e-9), 0.0)
        np.fill_diagonal(pull, -pull.sum(axis=1))
        points = inverse @ (pull @ points)
    return points


def _classical_scaling(hops: NDArray[np.float64]) -> Coordinates:
    """Return the two leading principal coordinates of squared distances: a good, deterministic start."""
    centre = np.eye(len(hops)) - 1 / len(hops)
    values, vectors = np.linalg.eigh(-0.5 * centre @ (hops**2) @ centre)
    # Points that coincide exactly would never part again; a ramp far below a hop separates them.
    ramp = np.linspace(0, 1e-3, len(hops))
    points: Coordinates = vectors[:, [-1, -2]] * np.sqrt(np.maximum(values[[-1, -2]], 0.0))
    return points + np.stack([ramp, ramp[::-1] ** 2], axis=1)


def _upright(points: Coordinates) -> Coordinates:
    """Return ``points`` turned into their smallest, widest box, with the first point at the top left."""
    best = points
    for degree in range(90):
        angle = np.radians(degree)
        turned = points @ np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        if np.prod(np.ptp(turned, axis=0)) < np.prod(np.ptp(best, axis=0)) - 1e-6:
            best = turned
    width, height = np.ptp(best, axis=0)
    if height > width + 1e-9:
        best = best[:, ::-1]
    middle = (best.min(axis=0) + best.max(axis=0)) / 2
    flips = np.where((best[0] - middle) * (1, -1) > 1e-9, -1.0, 1.0)
    upright: Coordinates = best * flips
    return upright
