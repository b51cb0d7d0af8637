"""Turns: a program's operations up to its next hand-over."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field

import numpy as np

from qiskit_halo.device.model import DeviceModel
from qiskit_halo.timeline.leases import Lease
from qiskit_halo.timeline.resets import HandOverTimes


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """Part of a rigid piece that takes its qubits all together or not at all.

    Args:
        owners: Programs it belongs to; empty if anonymous.
        piece: Index of the piece.
        position: How many turns of the same piece come before it.
        offset_dt: Where it begins, in ticks from the start of the piece if that never waits.
        length_dt: Ticks from there to the piece's next turn, or to its end.
        leases: What it takes; times count from the start of the piece if that never waits.
        leads_dt: For each lease, the ticks that a hand-over takes before it.
        weight: Share of the turns that its program has.
    """

    owners: tuple[int, ...]
    piece: int
    position: int
    offset_dt: int
    length_dt: int
    leases: tuple[Lease, ...]
    leads_dt: tuple[int, ...]
    weight: float = 1.0
    intervals: tuple[tuple[int, int, int], ...] = field(init=False, repr=False, compare=False)
    """(qubit, first tick, end) of each lease, counted from the start of the turn."""

    def __post_init__(self) -> None:
        offset = self.offset_dt
        intervals = tuple((lease.qubit, lease.start_dt - offset, lease.stop_dt - offset) for lease in self.leases)
        object.__setattr__(self, "intervals", intervals)

    @property
    def span_dt(self) -> int:
        """Ticks from its start until all its qubits are free again; some may outlast the start of the next turn."""
        return max(self.length_dt, max((stop for _, _, stop in self.intervals), default=0))

    @property
    def program(self) -> Hashable:
        """Whose turn it is. Anonymous pieces are programs of their own: nobody can tell which belong together."""
        return self.owners or ("anonymous", self.piece)


def whole_turn(
    owners: tuple[int, ...],
    piece: int,
    leases: Sequence[Lease],
    length_dt: int,
    times: HandOverTimes,
    weight: float = 1.0,
) -> Turn:
    """Return a piece as one turn: it takes all its qubits at once and never waits."""
    return Turn(
        owners=owners,
        piece=piece,
        position=0,
        offset_dt=0,
        length_dt=length_dt,
        leases=tuple(leases),
        leads_dt=tuple(times.lead_dt(lease.qubit, lease.resets) for lease in leases),
        weight=weight,
    )


def cut_into_turns(turn: Turn, is_private: Sequence[bool], needs: Sequence[int]) -> list[Turn]:
    """Return the turns of a whole piece: it may wait between two of them.

    A cut is only where every qubit that the piece holds at that moment is private, that is, nobody else uses it or
    anything near it, or will be released by itself: what is still to happen to it, such as the rest of a measurement,
    depends on nothing that the piece takes at the cut or later. So whoever waits holds nothing that others want until
    the wait is over: of the four conditions of a deadlock, hold-and-wait never occurs. Whatever the order in which
    turns go, the next one of any program can run once those booked before it have ended, and each of these ends by
    itself, at the time it is booked for.

    Args:
        turn: The whole piece.
        is_private: For each physical qubit, whether this piece is the only one to use it.
        needs: For each lease, the bit set of the leases that its end depends on, by position in ``turn.leases``.
    """
    order = sorted(range(len(turn.leases)), key=lambda i: (turn.leases[i].start_dt, i))
    later = (1 << len(order)) - 1
    groups: list[list[int]] = []
    cuts: list[int] = []
    held: list[int] = []  # leases so far of qubits that others want too
    for index in order:
        lease = turn.leases[index]
        now = lease.start_dt
        if not groups:
            groups.append([])
            cuts.append(0)
        elif not is_private[lease.qubit] and now > cuts[-1]:
            held = [i for i in held if turn.leases[i].stop_dt > now]
            # Private leases that begin at this very moment belong to the turn too.
            first = [i for i in groups[-1] if turn.leases[i].start_dt == now]
            taken = later | sum(1 << i for i in first)
            if len(first) < len(groups[-1]) and not any(needs[i] & taken for i in held):
                groups[-1] = [i for i in groups[-1] if turn.leases[i].start_dt < now]
                groups.append(first)
                cuts.append(now)
        groups[-1].append(index)
        later &= ~(1 << index)
        if not is_private[lease.qubit]:
            held.append(index)
    if len(groups) < 2:
        return [turn]
    return [
        Turn(
            owners=turn.owners,
            piece=turn.piece,
            position=position,
            offset_dt=cut,
            length_dt=end - cut,
            leases=tuple(turn.leases[i] for i in sorted(group)),
            leads_dt=tuple(turn.leads_dt[i] for i in sorted(group)),
            weight=turn.weight,
        )
        for position, (group, cut, end) in enumerate(zip(groups, cuts, [*cuts[1:], turn.length_dt], strict=True))
    ]


def private_qubits(turns: Sequence[Turn], device: DeviceModel, buffer: int) -> list[list[bool]]:
    """Return, for each whole piece and each physical qubit, whether nobody else uses the qubit, or one near it.

    Args:
        turns: Every piece as one turn.
        device: The device, for its distances.
        buffer: Hops that programs which are active at the same time must be more than apart.
    """
    users = np.zeros(device.num_qubits, dtype=np.int64)
    by_program: dict[Hashable, np.ndarray[tuple[int], np.dtype[np.bool_]]] = {}
    for turn in turns:
        qubits = list(dict.fromkeys(lease.qubit for lease in turn.leases))
        users[qubits] += 1
        by_program.setdefault(turn.program, np.zeros(device.num_qubits, dtype=bool))[qubits] = True
    only_one = users == 1
    if not buffer:
        shared = only_one.tolist()
        return [shared for _ in turns]
    near = (device.distance <= buffer).astype(np.int64)
    programs_near = near @ np.sum(list(by_program.values()), axis=0, dtype=np.int64) if by_program else users
    alone = {program: (programs_near == near @ own).tolist() for program, own in by_program.items()}
    return [[one and quiet for one, quiet in zip(only_one.tolist(), alone[t.program], strict=True)] for t in turns]
