"""How likely each program is to succeed under a timeline, and how likely it must be."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np

from qiskit_halo.device.model import DeviceModel
from qiskit_halo.options import HaloOptions
from qiskit_halo.timeline.drafts import Draft
from qiskit_halo.timeline.turns import Turn

TOLERANCE = 1e-9
"""Rounding of sums of logarithms: what lies this little below the floor lies on it."""


class Floors:
    """Least predicted success of each program, as far as timing decides it.

    A program must keep ``success_floor`` of its own best, less if it is weak, which the layout stage has noted, or of what
    it has at its place where nobody noted any. One that its place already puts below that must not lose anything more.

    Args:
        turns: Every piece as one turn, by index of the piece.
        drafts: The pieces.
        device: The device.
        options: ``success_floor``, ``weak_success``, ``resets`` and ``assume_clean`` matter here.
        metadata: ``metadata["halo"]`` of the circuit.
    """

    def __init__(
        self,
        turns: Sequence[Turn],
        drafts: Sequence[Draft],
        device: DeviceModel,
        options: HaloOptions,
        metadata: Mapping[str, Any],
    ) -> None:
        self._programs = [turn.program for turn in turns]
        self._qubits = [np.array(draft.qubits, dtype=np.int64) for draft in drafts]
        self._log_reset = device.log_reset_success(options.resets)
        self._trusted = options.assume_clean
        # Every piece pays for the resets of all its qubits, unless it has one first.
        self._log_taken_over = [float(self._log_reset[qubits].sum()) for qubits in self._qubits]
        best = _best_alone(metadata)
        self._log_pieces = [draft.log_success for draft in drafts]
        at_place: dict[Hashable, float] = {}
        for program, draft in zip(self._programs, drafts, strict=True):
            at_place[program] = at_place.get(program, 0.0) + draft.log_success
        log_best = {program: best.get(program, here) for program, here in at_place.items()}
        self._least = {program: log + options.log_share(log) for program, log in log_best.items()}

    def room(self) -> dict[Hashable, float]:
        """Return the log of what each program can lose besides all hand-overs that it may have to pay for, at least 0."""
        total: dict[Hashable, float] = {}
        for program, here, taken in zip(self._programs, self._log_pieces, self._log_taken_over, strict=True):
            total[program] = total.get(program, 0.0) + here + taken
        return {program: max(0.0, log - self._least[program]) for program, log in total.items()}

    def log_success(self, log_pieces: Sequence[float], first_pieces: Mapping[int, int]) -> dict[Hashable, float]:
        """Return the log of the predicted success of each program, hand-overs included.

        Args:
            log_pieces: Log of the predicted success of each piece by itself, by index of the piece.
            first_pieces: Qubit -> the piece that uses it first.
        """
        handover = list(self._log_taken_over)
        if self._trusted:
            for qubit, piece in first_pieces.items():
                handover[piece] -= float(self._log_reset[qubit])
        total: dict[Hashable, float] = {}
        for program, own, taken in zip(self._programs, log_pieces, handover, strict=True):
            total[program] = total.get(program, 0.0) + own + taken
        return total

    def lower_to(self, found: Mapping[Hashable, float]) -> None:
        """Ask of no program more than it has in ``found``: what is missing there is not a matter of timing."""
        for program, log_success in found.items():
            self._least[program] = min(self._least[program], log_success)

    def below(self, found: Mapping[Hashable, float]) -> tuple[Hashable, ...]:
        """Return the programs that ``found`` puts below their floor."""
        return tuple(program for program, value in found.items() if value < self._least[program] - TOLERANCE)


def _best_alone(metadata: Mapping[str, Any]) -> dict[Hashable, float]:
    """Return the log of the best predicted success of each program on the empty device, as the layout stage noted it."""
    best: dict[Hashable, float] = {}
    for piece in metadata.get("placement", {}).get("pieces", ()):
        owners = tuple(piece["programs"])
        alone = piece["success_alone"]
        # Nobody can tell which anonymous piece is which.
        if owners:
            best[owners] = best.get(owners, 0.0) + (math.log(alone) if alone > 0 else -math.inf)
    return best
