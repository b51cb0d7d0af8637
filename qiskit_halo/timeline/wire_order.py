"""The order in which pieces already follow each other on the wires of a circuit."""

from __future__ import annotations

import heapq
from collections.abc import Sequence

from qiskit_halo.segments.find import Segmentation
from qiskit_halo.segments.pieces import Piece


def in_wire_order(pieces: Sequence[Piece], segmentation: Segmentation) -> list[int]:
    """Return the indices of ``pieces`` such that each comes after those that have its wires before it.

    The layout stage plans who comes after whom. The order of operations in the circuit does not tell: operations on
    other wires are listed wherever they fit, and passes list them anew. Pieces that are free to go either way stay
    as they are given.

    Two pieces may each have one wire first, in a circuit that somebody else laid out. Any order is right for these, since
    every segment starts in |0>: the first given goes first.

    Args:
        pieces: Every piece of a circuit.
        segmentation: The circuit, cut.
    """
    piece_of = {component: index for index, piece in enumerate(pieces) for component in piece.components}
    after: list[dict[int, None]] = [{} for _ in pieces]
    for before, then in zip(segmentation.segments, segmentation.segments[1:], strict=False):
        first, second = piece_of[before.component], piece_of[then.component]
        if before.wire == then.wire and first != second:
            after[first][second] = None
    waits_for = [0] * len(pieces)
    for followers in after:
        for follower in followers:
            waits_for[follower] += 1
    ready = [index for index, count in enumerate(waits_for) if not count]
    left = dict.fromkeys(range(len(pieces)))
    order: list[int] = []
    while left:
        index = heapq.heappop(ready) if ready else next(iter(left))
        if index not in left:
            continue
        del left[index]
        order.append(index)
        for follower in after[index]:
            waits_for[follower] -= 1
            if not waits_for[follower]:
                heapq.heappush(ready, follower)
    return order
