"""The frozen result of the space manager: which physical qubit each site of each piece uses, and when."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from qiskit_halo.fragments.body import Body
from qiskit_halo.fragments.fragment import Fragment
from qiskit_halo.segments.pieces import Piece


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedPiece:
    """One rigid piece in its place.

    Args:
        piece: What was placed.
        body: The piece as a circuit of its own.
        fragment: Its compiled form.
        qubits: Physical qubit of each site.
        helpers: Wires of the piece that are helpers of its program, marked or inferred, ascending.
        start_dt: Provisional start; scheduling sets the final one.
        log_best: Log of its best predicted success on the empty device.
        log_success: Log of its predicted success here.
        log_floor: Least log of its predicted success.
        forms: (fragment, log of its best predicted success) of each compiled form that it could have taken.
    """

    piece: Piece
    body: Body
    fragment: Fragment
    qubits: tuple[int, ...]
    helpers: tuple[int, ...]
    start_dt: int
    log_best: float
    log_success: float
    log_floor: float
    forms: tuple[tuple[Fragment, float], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """Every piece in its place, in an order in which the pieces can follow each other on every qubit."""

    pieces: tuple[PlacedPiece, ...]

    def to_dict(self, dt_s: float) -> dict[str, Any]:
        """Return the placement as plain JSON values, for ``metadata["halo"]["placement"]``."""
        return {
            "pieces": [
                {
                    "programs": list(placed.piece.owners),
                    "wires": list(placed.piece.wires),
                    "helpers": list(placed.helpers),
                    "qubits": list(placed.qubits),
                    "start_s": placed.start_dt * dt_s,
                    "success_alone": math.exp(placed.log_best),
                    "success_placed": math.exp(placed.log_success),
                    "success_floor": math.exp(placed.log_floor),
                    "forms": [
                        {
                            "name": form.variant,
                            "num_qubits": form.num_sites,
                            "length_s": form.timing.length_dt * dt_s,
                            "success": math.exp(log_best),
                            "chosen": form is placed.fragment,
                        }
                        for form, log_best in placed.forms
                    ],
                }
                for placed in self.pieces
            ]
        }
