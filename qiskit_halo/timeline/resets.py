"""How long a qubit takes to pass from one piece to another, and which resets lie between."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from qiskit_halo.device.model import DeviceModel
from qiskit_halo.errors import HaloTranspilerError
from qiskit_halo.options import HaloOptions
from qiskit_halo.placement.handover import round_dt
from qiskit_halo.units import round_up

if TYPE_CHECKING:
    from qiskit_halo.timeline.timeline import TimedPiece

SCRUB_GATES = ("x", "sx")
"""Gates that make an X, the better first: one ``x``, or two ``sx``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HandOver:
    """What is put before a lease because another piece had the qubit, or because nobody vouches for it.

    Args:
        qubit: Physical qubit.
        piece_index: Position in :attr:`Timeline.pieces` of the piece that takes the qubit over.
        rounds: Number of resets.
        start_dt: Start of the first of them.
        stop_dt: End of the last, which is where the lease begins.
        first_use: Whether nobody had the qubit before.
        scrub_dt: Start of the random X, right after the lease before; ``None`` without one: the user has not asked for it,
            or the qubit stays with its owner.
    """

    qubit: int
    piece_index: int
    rounds: int
    start_dt: int
    stop_dt: int
    first_use: bool
    scrub_dt: int | None = None


class HandOverTimes:
    """Ticks between the leases of a qubit.

    Args:
        device: The device.
        options: ``resets`` and ``scrub`` matter here.

    Raises:
        HaloTranspilerError: ``scrub`` is asked for and the device has no gate that makes an X.
    """

    def __init__(self, device: DeviceModel, options: HaloOptions) -> None:
        self._rounds = options.resets
        self.alignment = device.alignment
        self.round_dt: list[int] = round_dt(device).tolist()
        self.scrub_dt: list[int] = [0] * device.num_qubits
        self.scrub_gate: str | None = None
        if options.scrub:
            self.scrub_gate = _scrub_gate(device)
            pulses = 1 if self.scrub_gate == "x" else 2
            self.scrub_dt = [
                pulses
                * round_up(device.duration_dt(self.scrub_gate, (q,)) if device.has_durations else 1, device.alignment)
                for q in range(device.num_qubits)
            ]

    @property
    def tail_dt(self) -> int:
        """Most ticks from the end of a lease to the end of the scrub that follows it."""
        return max(self.scrub_dt, default=0) + self.alignment - 1 if self.scrub_gate else 0

    def lead_dt(self, qubit: int, own_resets: int = 0) -> int:
        """Return the ticks between the end of another piece's lease and the begin of one that has resets of its own.

        At least one step of the device's alignment, so that time alone tells which of two leases is first.
        """
        missing = max(0, self._rounds - own_resets)
        # The scrub starts on a multiple of the alignment, which the lease before may not have ended on.
        scrub = self.scrub_dt[qubit] + self.alignment - 1 if self.scrub_gate else 0
        return max(scrub + missing * self.round_dt[qubit], self.alignment)


def find_handovers(pieces: Sequence[TimedPiece], options: HaloOptions, times: HandOverTimes) -> tuple[HandOver, ...]:
    """Return every hand-over of a timeline, by piece, then by qubit.

    Between two leases of one piece its own resets are enough. Pieces of one program are handed over like others: each
    lease starts in |0>, and what a reset leaves is priced in the same way.
    """
    leases = sorted(
        (lease.qubit, timed.start_dt + lease.start_dt, timed.start_dt + lease.stop_dt, index, lease.resets)
        for index, timed in enumerate(pieces)
        for lease in timed.leases
    )
    found: list[HandOver] = []
    before = (-1, -1, 0)
    for qubit, start, stop, index, own_resets in leases:
        first_use = before[0] != qubit
        holder, released = before[1:]
        before = (qubit, index, stop)
        if (first_use and options.assume_clean) or (not first_use and holder == index):
            continue
        rounds = max(0, options.resets - own_resets)
        owners = pieces[index].piece.owners
        scrub = options.scrub and not first_use and (not owners or owners != pieces[holder].piece.owners)
        found.append(
            HandOver(
                qubit=qubit,
                piece_index=index,
                rounds=rounds,
                start_dt=start - rounds * times.round_dt[qubit],
                stop_dt=start,
                first_use=first_use,
                scrub_dt=round_up(released, times.alignment) if scrub else None,
            )
        )
    return tuple(sorted(found, key=lambda handover: (handover.piece_index, handover.qubit, handover.start_dt)))


def _scrub_gate(device: DeviceModel) -> str:
    for name in SCRUB_GATES:
        if name in device.gates:
            return name
    raise HaloTranspilerError(
        f"scrub=True needs a gate {' or '.join(SCRUB_GATES)}, and the device has neither; leave scrub off"
    )
