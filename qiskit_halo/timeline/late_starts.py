"""Start a turn late rather than let the one after it wait: who has not started does not decay."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from qiskit_halo.timeline.turns import Turn
from qiskit_halo.units import round_down


def start_late(turns: Sequence[Turn], starts_dt: Sequence[int], alignment: int) -> list[int]:
    """Return starts such that turns which are followed by a wait are moved into it, as far as their qubits are free.

    No piece ends later, and who follows whom on each qubit stays as it is.

    Args:
        turns: All turns, by piece, then by position.
        starts_dt: Start of each.
        alignment: Every start is a multiple of this many ticks.
    """
    starts = list(starts_dt)
    leases = sorted(
        (qubit, starts[index] + begin, index, place)
        for index, turn in enumerate(turns)
        for place, (qubit, begin, _) in enumerate(turn.intervals)
    )
    follower: dict[tuple[int, int], tuple[int, int]] = {}
    for (qubit, _, index, place), (next_qubit, _, next_index, next_place) in pairwise(leases):
        if qubit == next_qubit:
            follower[index, place] = (next_index, next_place)
    # From the last turn of the timeline to the first, so that what follows has moved already.
    for index in sorted(range(len(turns)), key=lambda i: (-starts[i], -turns[i].position)):
        turn = turns[index]
        if index + 1 == len(turns) or turns[index + 1].piece != turn.piece:
            continue
        room = starts[index + 1] - starts[index] - turn.length_dt
        for place, (_, _, end) in enumerate(turn.intervals):
            if room <= 0:
                break
            after = follower.get((index, place))
            if after is not None and turns[after[0]].piece != turn.piece:
                then = turns[after[0]]
                ready = starts[after[0]] + then.intervals[after[1]][1] - then.leads_dt[after[1]]
                room = min(room, ready - starts[index] - end)
        starts[index] += max(0, round_down(room, alignment))
    return starts
