"""Couplers of square and heavy-hex devices, numbered row by row as the vendors do."""

from __future__ import annotations

Couplers = list[tuple[int, int]]


def heavy_hex(rows: int, columns: int, *, start: int = 0, dangling: bool = False) -> tuple[int, Couplers]:
    """Return number of qubits and couplers of rows joined by bridges at columns 0, 4, 8 ... and 2, 6, 10 ... in turn.

    ``start`` is added to the columns of bridges. With ``dangling``, bridges hang below the last row too.
    """
    couplers: Couplers = []
    first = 0
    for row in range(rows):
        couplers += [(first + x, first + x + 1) for x in range(columns - 1)]
        bridges = range(start + 2 * (row % 2), columns, 4)
        below = first + columns + len(bridges)
        if row < rows - 1 or dangling:
            for number, x in enumerate(bridges, start=first + columns):
                couplers.append((first + x, number))
                if row < rows - 1:
                    couplers.append((number, below + x))
            first = below
        else:
            first += columns
    return first, couplers


def square(rows: int, columns: int) -> tuple[int, Couplers]:
    """Return number of qubits and couplers of a full grid."""
    across = [(y * columns + x, y * columns + x + 1) for y in range(rows) for x in range(columns - 1)]
    down = [(y * columns + x, (y + 1) * columns + x) for y in range(rows - 1) for x in range(columns)]
    return rows * columns, across + down
