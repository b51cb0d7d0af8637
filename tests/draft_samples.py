"""Pieces for tests of who goes when: nothing but leases."""

from __future__ import annotations

from collections.abc import Sequence

from qiskit_halo.fragments.success import Workload
from qiskit_halo.fragments.timing import Timing
from qiskit_halo.segments.pieces import Piece
from qiskit_halo.timeline.drafts import Draft
from qiskit_halo.timeline.leases import Lease
from qiskit_halo.timeline.turns import Turn


def lease(qubit: int, start: int, stop: int, resets: int = 0) -> Lease:
    return Lease(qubit=qubit, start_dt=start, stop_dt=stop, resets=resets)


def draft(
    owner: int,
    leases: Sequence[tuple[int, ...]],
    length: int | None = None,
    *,
    log_success: float = 0.0,
) -> Draft:
    """A piece of program ``owner`` (anonymous if negative) with leases (qubit, start, stop[, own resets])."""
    own = tuple(lease(*each) for each in leases)
    wires = tuple(sorted({each.qubit for each in own}))
    end = max((each.stop_dt for each in own), default=0) if length is None else length
    return Draft(
        piece=Piece(
            owners=(owner,) if owner >= 0 else (),
            components=(),
            segments=(),
            operations=(),
            barriers=(),
            wires=wires,
            clbits=(),
        ),
        instructions=(),
        sites=(),
        held=(),
        timing=Timing(start_dt=(), duration_dt=(), length_dt=end, busy_dt=()),
        leases=own,
        workload=Workload(one_qubit=(), two_qubit=(), resets=(), gaps=()),
        log_success=log_success,
    )


def turn(
    owner: int,
    leases: Sequence[tuple[int, ...]],
    length: int | None = None,
    *,
    piece: int = 0,
    lead: int = 0,
    weight: float = 1.0,
) -> Turn:
    """A whole piece as one turn; every hand-over takes ``lead`` ticks."""
    own = tuple(lease(*each) for each in leases)
    return Turn(
        owners=(owner,) if owner >= 0 else (),
        piece=piece,
        position=0,
        offset_dt=0,
        length_dt=max((each.stop_dt for each in own), default=0) if length is None else length,
        leases=own,
        leads_dt=(lead,) * len(own),
        weight=weight,
    )
