"""Where policies try orders out: book turns, then count what comes of it."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from qiskit_halo.device.crosstalk import CrosstalkModel
from qiskit_halo.device.model import DeviceModel
from qiskit_halo.errors import HaloTranspilerError
from qiskit_halo.options import HaloOptions
from qiskit_halo.placement.ledger import Footprint
from qiskit_halo.timeline.calendar import FOREVER, Calendar
from qiskit_halo.timeline.drafts import Draft
from qiskit_halo.timeline.late_starts import start_late
from qiskit_halo.timeline.leases import find_needs
from qiskit_halo.timeline.policies import Trial
from qiskit_halo.timeline.prices import TurnPrices, footprints_of, room_beside_handovers
from qiskit_halo.timeline.resets import HandOverTimes
from qiskit_halo.timeline.stretch import stretch
from qiskit_halo.timeline.success_floor import Floors
from qiskit_halo.timeline.turns import Turn, cut_into_turns, private_qubits, whole_turn
from qiskit_halo.units import ticks_within

REPAIRS = 3
"""Times that only the programs which wait too long are kept from waiting, before all are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """A timeline that a trial stands for.

    Args:
        starts_dt: Start of each turn.
        waits_dt: By how much each piece is longer than if it never waited.
        stretched: Index of a piece -> the piece as it runs, where it waits.
        below_floor: Programs below their floor.
    """

    starts_dt: tuple[int, ...]
    waits_dt: tuple[int, ...]
    stretched: Mapping[int, Draft]
    below_floor: tuple[Hashable, ...]


class Desk:
    """Tries orders of turns.

    Args:
        drafts: The pieces, in the order that the circuit gives them.
        device: The device.
        options: How to share it.
        times: How long hand-overs take.
        exact: Whether times will be kept on the device. If not, no piece waits by plan.
        metadata: ``metadata["halo"]`` of the circuit.

    Raises:
        HaloTranspilerError: ``weights`` does not give one number a program.
    """

    def __init__(
        self,
        drafts: Sequence[Draft],
        device: DeviceModel,
        options: HaloOptions,
        times: HandOverTimes,
        *,
        exact: bool,
        metadata: Mapping[str, Any],
    ) -> None:
        self._drafts = drafts
        self._device = device
        self._options = options
        weight_of = _weights(drafts, options.weights, metadata)
        self._wholes = [
            whole_turn(d.piece.owners, i, d.leases, d.timing.length_dt, times, weight_of(d.piece.owners))
            for i, d in enumerate(drafts)
        ]
        self._tail_dt = times.tail_dt
        self._crosstalk = CrosstalkModel.of(device, options)
        # What pieces cost each other is known for pieces as a whole.
        may_wait = exact and self._crosstalk is None
        self._max_wait_dt = ticks_within(options.max_wait_s, device.dt_s) if may_wait else 0
        self._limit_dt = FOREVER
        if options.max_duration_s is not None and device.has_durations:
            self._limit_dt = ticks_within(options.max_duration_s, device.dt_s)
        self._private: list[list[bool]] = []
        self.turns: list[Turn] = self._wholes
        if self._max_wait_dt:
            self._private = private_qubits(self._wholes, device, options.buffer)
            self.turns = [
                turn
                for whole, draft in zip(self._wholes, drafts, strict=True)
                for turn in cut_into_turns(
                    whole, self._private[whole.piece], find_needs(draft.instructions, draft.sites, draft.held)
                )
            ]
        self._of_piece: list[list[int]] = [[] for _ in drafts]
        for index, turn in enumerate(self.turns):
            self._of_piece[turn.piece].append(index)
        self._floors = Floors(self._wholes, drafts, device, options, metadata)
        self._footprints: list[Footprint] = []
        self._room: dict[Hashable, float] = {}
        if self._crosstalk is not None:
            self._footprints = footprints_of(drafts, self._crosstalk, device, options)
            self._room = room_beside_handovers(self._floors.room(), self._wholes, self._footprints)
        self.outcomes: dict[Trial, Outcome] = {}
        starts, lost = self._book(range(len(self.turns)), [True] * len(drafts))
        self._floors.lower_to(self._success(starts, {}, lost))
        self.given = self._judge(tuple(range(len(self.turns))), starts, {}, lost, may_wait=False)

    def attempt(self, order: Iterable[int], may_wait: bool = True) -> Trial:
        """Book the turns in ``order``, each as early as its qubits allow; see :class:`~.policies.Policy`.

        Pieces of programs that would wait more than ``max_wait_s`` in all, or miss their floor by waiting, take all their
        turns at once instead.

        Raises:
            HaloTranspilerError: ``order`` is not a permutation that keeps the turns of each piece in order.
        """
        checked = tuple(order)
        self._check(checked)
        may_wait = may_wait and self._max_wait_dt > 0
        rigid = [not may_wait or len(own) < 2 for own in self._of_piece]
        for repair in range(REPAIRS + 1):
            starts, lost = self._book(checked, rigid)
            stretched, impatient = self._stretch(starts)
            if not impatient:
                break
            for piece in impatient if repair + 1 < REPAIRS else range(len(rigid)):
                rigid[piece] = True
        return self._judge(checked, starts, stretched, lost, may_wait=may_wait)

    def promoted(self, trial: Trial) -> list[int]:
        """Return the order of ``trial`` with the programs below their floor first: who is first needs no resets."""
        below = dict.fromkeys(self.outcomes[trial].below_floor)
        return sorted(trial.order, key=lambda index: self.turns[index].program not in below)

    def start_of(self, piece: int, outcome: Outcome) -> int:
        """Return the start of a piece."""
        return outcome.starts_dt[self._of_piece[piece][0]]

    def _check(self, order: Sequence[int]) -> None:
        seen: dict[int, int] = {}
        for index in order:
            turn = self.turns[index] if 0 <= index < len(self.turns) else None
            if turn is None or turn.position != seen.get(turn.piece, 0):
                raise HaloTranspilerError(
                    f"the order of a policy has turn {index} where it cannot be; give each of the {len(self.turns)} "
                    "turns once, those of a piece by position"
                )
            seen[turn.piece] = turn.position + 1
        if len(order) != len(self.turns):
            raise HaloTranspilerError(
                f"the order of a policy has {len(order)} of {len(self.turns)} turns; give each of them once"
            )

    def _book(self, order: Sequence[int], rigid: Sequence[bool]) -> tuple[list[int], Mapping[Hashable, float]]:
        """Return the start of each turn, and the log of what each program loses to others beside it."""
        prices = None if self._crosstalk is None else TurnPrices(self._crosstalk, self._footprints, self._room)
        calendar = Calendar(self._device, self._options, self._tail_dt, prices)
        starts = [0] * len(self.turns)
        for index in order:
            turn = self.turns[index]
            if not rigid[turn.piece]:
                earliest = starts[index - 1] + self.turns[index - 1].length_dt if turn.position else 0
                starts[index] = calendar.earliest(turn, earliest)
                calendar.book(turn, starts[index])
            elif not turn.position:
                whole = self._wholes[turn.piece]
                start = calendar.earliest(whole)
                calendar.book(whole, start)
                for own in self._of_piece[turn.piece]:
                    starts[own] = start + self.turns[own].offset_dt
        if not all(rigid) and not self._options.buffer:
            # With a buffer, moving a turn could bring it next to somebody.
            starts = start_late(self.turns, starts, self._device.alignment)
        return starts, {} if prices is None else prices.lost

    def _waits(self, starts: Sequence[int]) -> list[int]:
        return [
            starts[own[-1]] - self.turns[own[-1]].offset_dt - starts[own[0]] if len(own) > 1 else 0
            for own in self._of_piece
        ]

    def _stretch(self, starts: Sequence[int]) -> tuple[dict[int, Draft], list[int]]:
        """Return the pieces that wait, as they then run, and those of programs that may not wait so."""
        stretched: dict[int, Draft] = {}
        impatient: dict[int, None] = {}
        wait_of: dict[Hashable, int] = {}
        for piece, wait in enumerate(self._waits(starts)):
            if not wait:
                continue
            found = stretch(self._drafts[piece], self._booked(piece, starts), self._device)
            if found is None:
                impatient[piece] = None
            else:
                stretched[piece] = found
            program = self._wholes[piece].program
            wait_of[program] = wait_of.get(program, 0) + wait
        if stretched:
            below = dict.fromkeys(self._floors.below(self._success(starts, stretched, {})))
            for piece in stretched:
                program = self._wholes[piece].program
                if wait_of[program] > self._max_wait_dt or program in below:
                    impatient[piece] = None
        return stretched, list(impatient)

    def _booked(self, piece: int, starts: Sequence[int]) -> list[tuple[int, int]]:
        """Return the interval of each lease of a piece, from the piece's start; what is private has no end."""
        own = self._of_piece[piece]
        later = {
            lease: starts[index] - self.turns[index].offset_dt - starts[own[0]]
            for index in own
            for lease in self.turns[index].leases
        }
        return [
            (
                lease.start_dt + later[lease],
                FOREVER if self._private[piece][lease.qubit] else lease.stop_dt + later[lease],
            )
            for lease in self._drafts[piece].leases
        ]

    def _success(
        self, starts: Sequence[int], stretched: Mapping[int, Draft], lost: Mapping[Hashable, float]
    ) -> dict[Hashable, float]:
        first: dict[int, tuple[int, int]] = {}
        for start, turn in zip(starts, self.turns, strict=True):
            for qubit, begin, _ in turn.intervals:
                known = first.get(qubit)
                if known is None or start + begin < known[0]:
                    first[qubit] = (start + begin, turn.piece)
        logs = [stretched.get(i, draft).log_success for i, draft in enumerate(self._drafts)]
        found = self._floors.log_success(logs, {qubit: piece for qubit, (_, piece) in first.items()})
        return {program: log + lost.get(program, 0.0) for program, log in found.items()} if lost else found

    def _judge(
        self,
        order: tuple[int, ...],
        starts: Sequence[int],
        stretched: Mapping[int, Draft],
        lost: Mapping[Hashable, float],
        *,
        may_wait: bool,
    ) -> Trial:
        success = self._success(starts, stretched, lost)
        below = self._floors.below(success)
        ends: dict[Hashable, int] = {}
        weights: dict[Hashable, float] = {}
        for piece, own in enumerate(self._of_piece):
            program = self._wholes[piece].program
            end = starts[own[-1]] + self.turns[own[-1]].length_dt
            ends[program] = max(ends.get(program, 0), end)
            weights[program] = self._wholes[piece].weight
        trial = Trial(
            order=order,
            starts_dt=tuple(starts),
            may_wait=may_wait,
            makespan_dt=max(ends.values(), default=0),
            num_below_floor=len(below),
            num_late=sum(end > self._limit_dt for end in ends.values()),
            log_success=sum(success.values()),
            weighted_end_dt=sum(weights[p] * end for p, end in ends.items()) / sum(weights.values()) if ends else 0.0,
        )
        self.outcomes[trial] = Outcome(
            starts_dt=tuple(starts),
            waits_dt=tuple(self._waits(starts)),
            stretched=stretched,
            below_floor=below,
        )
        return trial


class _Weights:
    def __init__(self, weights: Sequence[float] | None) -> None:
        self._weights = weights

    def __call__(self, owners: Sequence[int]) -> float:
        if self._weights is None:
            return 1.0
        own = [self._weights[owner] for owner in owners if owner >= 0]
        # What belongs to nobody gives way to everybody.
        return max(own) if own else min(self._weights)


def _weights(drafts: Sequence[Draft], weights: Sequence[float] | None, metadata: Mapping[str, Any]) -> _Weights:
    """Return the weight of pieces by their owners.

    Raises:
        HaloTranspilerError: There is not one weight a program.
    """
    if weights is not None:
        seen = 1 + max((owner for draft in drafts for owner in draft.piece.owners), default=-1)
        known = metadata.get("programs")
        wanted = seen if known is None else max(seen, len(known))
        if len(weights) != wanted:
            raise HaloTranspilerError(f"weights gives {len(weights)} numbers for {wanted} programs; give one a program")
    return _Weights(weights)
