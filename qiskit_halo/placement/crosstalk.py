"""Places and starts on a board by what programs that run at the same time cost each other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from qiskit_halo.device.crosstalk import CrosstalkModel
from qiskit_halo.device.model import DeviceModel
from qiskit_halo.fragments.activity import find_activity
from qiskit_halo.fragments.measure import sites_of
from qiskit_halo.options import HaloOptions
from qiskit_halo.placement.candidates import Candidates, FloatArray, IntArray, ShapeCandidates
from qiskit_halo.placement.handover import handover_dt
from qiskit_halo.placement.items import TOLERANCE
from qiskit_halo.placement.ledger import Footprint, Ledger, Outline, footprint, outline
from qiskit_halo.placement.slots import WORD, WordArray, first_slot, first_slots, slots_from

BEST_ROWS = 32
"""Places that are priced, the best without a price first, if one of them will do."""

MOST_ROWS = 128
"""Places that are priced at most."""

MOST_STARTS = 8
"""Starts that are priced at one place: each is past the end of something that the one before overlaps."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What a piece costs at some place and start.

    Args:
        own_log: Log of what it loses itself, at most 0.
        others_log: Log of what others lose, at most 0.
        ruins: Whether it pushes another below its floor.
        clear_at: The first later start that could cost less, ``None`` if none does.
    """

    own_log: float
    others_log: float
    ruins: bool
    clear_at: int | None


@dataclass(frozen=True, slots=True)
class Query:
    """One connected part of a piece that looks for a place.

    Args:
        candidates: The fragment.
        shape: The part of it.
        score: Log of its predicted success on each place of the part, crosstalk left out.
        value: The same less the rent of the qubits there: of two places that will do, the one with more is taken.
        log_floor: Least log of its predicted success.
        owners: Whose it is.
    """

    candidates: Candidates
    shape: ShapeCandidates
    score: FloatArray
    value: FloatArray
    log_floor: float
    owners: tuple[int, ...]


Found = tuple[tuple[int, float, int, int], WordArray]
"""What is least for the best choice (end, but at least the limit; -value; end; row), and the slots that remain."""


class BoardCrosstalk:
    """Prices pieces on a board; grows as they are put there.

    Args:
        device: The device.
        options: ``resets`` matters here.
        model: What disturbs what.
        slot_dt: Ticks of one slot.
        room: Index of an item on the board -> log of what it can still lose.
    """

    def __init__(
        self,
        device: DeviceModel,
        options: HaloOptions,
        model: CrosstalkModel,
        slot_dt: int,
        room: Callable[[int], float],
    ) -> None:
        self._model = model
        self._slot_dt = slot_dt
        self._rounds = options.resets
        self._handover_dt = int(handover_dt(device, options.resets).max(initial=0))
        self._room = room
        self._ledger = Ledger(model)
        self._outlines: dict[Candidates, Outline] = {}
        self._is_taken = np.zeros(device.num_qubits, dtype=np.bool_)

    def cost(self, candidates: Candidates, qubits: Sequence[int], start: int, owners: tuple[int, ...]) -> Cost:
        """Return what a whole fragment costs on ``qubits`` from slot ``start`` on."""
        return self._cost(self._footprint(candidates, range(len(qubits)), qubits), start, owners)

    def put(
        self, index: int, candidates: Candidates, qubits: Sequence[int], start: int, owners: tuple[int, ...]
    ) -> dict[int, float]:
        """Book item ``index``; return the log of what each other item loses to it."""
        own = self._footprint(candidates, range(len(qubits)), qubits)
        lost = _by_item(self._ledger.price(own, start, owners).inflicted)
        self._ledger.add(own, start, index, owners)
        self._is_taken[list(qubits)] = True
        return lost

    def choose(self, query: Query, rows: IntArray, words: WordArray, lengths: IntArray, limit: int) -> Found | None:
        """Return the best place and start at which nobody falls below a floor, ``None`` if none is found.

        Of the best places by themselves the best with its price; later starts are tried too. Only where all of those
        would ruin somebody do worse places come.

        Args:
            query: What is to be placed.
            rows: Rows of places, the best without a price first.
            words: Slots that the piece may start at there, shape (num_rows, num_words).
            lengths: Slots from its start to its end there, shape (num_rows,).
            limit: Slot by which it should end.
        """
        best: tuple[tuple[int, float, int, int], int, int] | None = None
        words = words[:MOST_ROWS]
        num_slots = words.shape[1] * WORD
        firsts = first_slots(words).tolist()
        for number, (row, length, start) in enumerate(zip(rows.tolist(), lengths.tolist(), firsts, strict=False)):
            score, value = float(query.score[row]), float(query.value[row])
            # A price only makes worse, and rows are ascending in what they are without one.
            if start < 0 or (
                best is not None and (number >= BEST_ROWS or _key(value, start, length, limit, row) > best[0])
            ):
                break
            own = self._footprint(query.candidates, query.shape.sites, query.shape.places[row].tolist())
            allowed = words[number]
            for _ in range(MOST_STARTS):
                cost = self._cost(own, start, query.owners)
                if not cost.ruins and score + cost.own_log >= query.log_floor - TOLERANCE:
                    key = _key(value + cost.own_log + cost.others_log, start, length, limit, row)
                    if best is None or key < best[0]:
                        best = key, number, start
                if cost.clear_at is None or cost.clear_at >= num_slots:
                    break
                allowed = allowed & slots_from(cost.clear_at, num_slots)
                start = first_slot(allowed)
                if start < 0 or (best is not None and _key(value, start, length, limit, row) > best[0]):
                    break
        if best is None:
            return None
        key, number, start = best
        return key, words[number] & slots_from(start, num_slots)

    def _cost(self, own: Footprint, start: int, owners: tuple[int, ...]) -> Cost:
        price = self._ledger.price(own, start, owners)
        lost = _by_item(price.inflicted)
        handover = sum(log for qubit, log in own.handover_log if self._is_taken[qubit])
        return Cost(
            own_log=price.suffered + handover,
            others_log=sum(lost.values()),
            # Whoever has nothing left to lose must lose nothing.
            ruins=any(log < -max(self._room(index), 0.0) - TOLERANCE for index, log in lost.items()),
            clear_at=price.clear_at,
        )

    def _footprint(self, candidates: Candidates, sites: Sequence[int], qubits: Sequence[int]) -> Footprint:
        if candidates not in self._outlines:
            fragment = candidates.fragment
            circuit = fragment.circuit
            activity = find_activity(circuit.data, sites_of(circuit), fragment.timing)
            resets = [
                (site, start - self._handover_dt, start, self._rounds)
                for site, (start, _) in enumerate(fragment.timing.busy_dt)
            ]
            self._outlines[candidates] = outline(activity, resets, self._slot_dt)
        return footprint(self._outlines[candidates], dict(zip(sites, qubits, strict=True)), self._model)


def _key(value: float, start: int, length: int, limit: int, row: int) -> tuple[int, float, int, int]:
    return max(start + length, limit), -value, start + length, row


def _by_item(inflicted: Sequence[tuple[object, float]]) -> dict[int, float]:
    lost: dict[int, float] = {}
    for holder, log in inflicted:
        assert isinstance(holder, int), "the ledger of a board holds items"
        lost[holder] = lost.get(holder, 0.0) + log
    return lost
