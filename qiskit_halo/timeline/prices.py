"""What pieces that run at the same time cost each other, while they are booked one after another."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence

from qiskit_halo.device.crosstalk import CrosstalkModel
from qiskit_halo.device.model import DeviceModel
from qiskit_halo.fragments.activity import find_activity
from qiskit_halo.options import HaloOptions
from qiskit_halo.placement.handover import round_dt
from qiskit_halo.placement.items import TOLERANCE
from qiskit_halo.placement.ledger import Footprint, Ledger, footprint, outline
from qiskit_halo.timeline.drafts import Draft
from qiskit_halo.timeline.turns import Turn


class TurnPrices:
    """Books whole pieces; no program loses more to others than its floor leaves room for.

    Args:
        model: What disturbs what.
        footprints: What each piece does on its qubits, see :func:`footprints_of`.
        room: Program -> log of what it can lose, at least 0.
    """

    def __init__(self, model: CrosstalkModel, footprints: Sequence[Footprint], room: Mapping[Hashable, float]) -> None:
        self._footprints = footprints
        self._room = room
        self._ledger = Ledger(model)
        self.lost: dict[Hashable, float] = {}
        """Program -> log of what it loses so far, at most 0."""

    def affordable(self, turn: Turn, start: int) -> int:
        """Return ``start`` if everybody keeps a floor when ``turn`` starts there, else the next tick worth trying."""
        price = self._ledger.price(self._footprints[turn.piece], start, turn.owners)
        if price.clear_at is None:
            return start
        lost: dict[Hashable, float] = {turn.program: price.suffered}
        for program, log in price.inflicted:
            lost[program] = lost.get(program, 0.0) + log
        if all(not log or self._room[p] + self.lost.get(p, 0.0) + log >= -TOLERANCE for p, log in lost.items()):
            return start
        return price.clear_at

    def book(self, turn: Turn, start: int) -> None:
        """Book ``turn`` at ``start``."""
        own = self._footprints[turn.piece]
        price = self._ledger.price(own, start, turn.owners)
        for program, log in ((turn.program, price.suffered), *price.inflicted):
            self.lost[program] = self.lost.get(program, 0.0) + log
        self._ledger.add(own, start, turn.program, turn.owners)


def room_beside_handovers(
    room: Mapping[Hashable, float], turns: Sequence[Turn], footprints: Sequence[Footprint]
) -> dict[Hashable, float]:
    """Return ``room`` less what each program may lose to the resets that come before its own leases, at least 0."""
    left = dict(room)
    for turn, own in zip(turns, footprints, strict=True):
        left[turn.program] = max(0.0, left[turn.program] + sum(log for _, log in own.handover_log))
    return left


def footprints_of(
    drafts: Sequence[Draft], model: CrosstalkModel, device: DeviceModel, options: HaloOptions
) -> list[Footprint]:
    """Return what each piece does on its qubits, in ticks from its start, resets of hand-overs included."""
    step = round_dt(device).tolist()
    found = []
    for draft in drafts:
        site = {qubit: position for position, qubit in enumerate(draft.qubits)}
        handovers = []
        for lease in draft.leases:
            rounds = max(0, options.resets - lease.resets)
            if rounds:
                first = lease.start_dt - rounds * step[lease.qubit]
                handovers.append((site[lease.qubit], first, lease.start_dt, rounds))
        activity = find_activity(draft.instructions, draft.sites, draft.timing)
        found.append(footprint(outline(activity, handovers), dict(enumerate(draft.qubits)), model))
    return found
