"""Orders in which turns may take their qubits."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from fractions import Fraction

from qiskit_halo.timeline.turns import Turn


def round_robin_order(turns: Sequence[Turn]) -> list[int]:
    """Return the turns such that every program has its n-th before any has its (n+1)-th, in proportion to weights.

    The n-th turn of a program of weight w is due at n / w; turns go as they are due, and programs whose turns are due
    together go in the order of their first turns. So before the n-th turn of one program another one has at most
    floor(n * its weight / own weight) turns: a finite number, whatever comes later. Every round ends with each program
    that has turns left at least one turn further, so all are done after as many steps as there are turns.
    """
    count: dict[Hashable, int] = {}
    rank: dict[Hashable, int] = {}
    due: list[tuple[Fraction | float, int, int]] = []
    alike = len(dict.fromkeys(turn.weight for turn in turns)) < 2
    for index, turn in enumerate(turns):
        program = turn.program
        number = count[program] = count.get(program, 0) + 1
        # Exact: turns that are due together must not be told apart by rounding.
        when = number if alike else Fraction(number) / Fraction(turn.weight)
        due.append((when, rank.setdefault(program, len(rank)), index))
    return [index for _, _, index in sorted(due)]


def longest_first(turns: Sequence[Turn]) -> list[int]:
    """Return the turns piece by piece, the longest piece first."""
    length: dict[int, int] = {}
    for turn in turns:
        length[turn.piece] = length.get(turn.piece, 0) + turn.length_dt
    return sorted(range(len(turns)), key=lambda i: (-length[turns[i].piece], -turns[i].weight, i))


def busiest_first(turns: Sequence[Turn]) -> list[int]:
    """Return the turns piece by piece; pieces on the qubits that most is asked of come first."""
    load = _loads(turns)
    worst: dict[int, int] = {}
    for turn in turns:
        here = max((load[qubit] for qubit, _, _ in turn.intervals), default=0)
        worst[turn.piece] = max(worst.get(turn.piece, 0), here)
    length: dict[int, int] = {}
    for turn in turns:
        length[turn.piece] = length.get(turn.piece, 0) + turn.length_dt
    return sorted(
        range(len(turns)),
        key=lambda i: (-worst[turns[i].piece], -length[turns[i].piece], -turns[i].weight, i),
    )


def by_latest_start(turns: Sequence[Turn], starts_dt: Sequence[int]) -> list[int]:
    """Return the turns by how late each could start without making a timeline longer, the most urgent first.

    Who follows whom on each qubit stays as it is in the timeline. Booking in this order moves what is not urgent out of
    the way of what is (known as justification in project scheduling).

    Args:
        turns: All turns.
        starts_dt: Their starts in the timeline.
    """
    end = max((start + turn.length_dt for start, turn in zip(starts_dt, turns, strict=True)), default=0)
    latest = [end - turn.length_dt for turn in turns]
    next_on: dict[int, int] = {}  # qubit -> latest end of a lease there
    next_of: dict[int, int] = {}  # piece -> latest start of its following turn
    for index in sorted(range(len(turns)), key=lambda i: (-starts_dt[i], -turns[i].position, -i)):
        turn = turns[index]
        room = min((next_on.get(qubit, end) - stop for qubit, _, stop in turn.intervals), default=latest[index])
        latest[index] = min(latest[index], room, next_of.get(turn.piece, end) - turn.length_dt)
        next_of[turn.piece] = latest[index]
        for (qubit, begin, _), lead in zip(turn.intervals, turn.leads_dt, strict=True):
            next_on[qubit] = min(next_on.get(qubit, end), latest[index] + begin - lead)
    return sorted(range(len(turns)), key=lambda i: (latest[i], starts_dt[i], i))


def shortest_possible(turns: Sequence[Turn]) -> int:
    """Return a makespan that no order can beat: the longest piece, or all that the busiest qubit has to do."""
    length: dict[int, int] = {}
    for turn in turns:
        length[turn.piece] = length.get(turn.piece, 0) + turn.length_dt
    spared: dict[int, int] = {}
    for turn in turns:
        for (qubit, _, _), lead in zip(turn.intervals, turn.leads_dt, strict=True):
            spared[qubit] = max(spared.get(qubit, 0), lead)  # whoever is first needs no resets
    load = {qubit: total - spared[qubit] for qubit, total in _loads(turns).items()}
    return max(max(length.values(), default=0), max(load.values(), default=0))


def _loads(turns: Sequence[Turn]) -> dict[int, int]:
    """Return the ticks that the leases of each qubit take, hand-overs included."""
    load: dict[int, int] = {}
    for turn in turns:
        for (qubit, begin, end), lead in zip(turn.intervals, turn.leads_dt, strict=True):
            load[qubit] = load.get(qubit, 0) + end - begin + lead
    return load
