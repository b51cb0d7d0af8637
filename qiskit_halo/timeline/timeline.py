"""The frozen result of scheduling: when each piece runs, and every reset between pieces."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from qiskit.circuit import CircuitInstruction, QuantumCircuit

from qiskit_halo.device.model import DeviceModel
from qiskit_halo.fragments.timing import Timing
from qiskit_halo.options import HaloOptions
from qiskit_halo.segments.pieces import Piece
from qiskit_halo.timeline.arbitrate import arbitrate
from qiskit_halo.timeline.drafts import Draft, is_open, make_drafts
from qiskit_halo.timeline.leases import Lease, restrict_barrier
from qiskit_halo.timeline.policies import Policy
from qiskit_halo.timeline.resets import HandOver, HandOverTimes, find_handovers


@dataclass(frozen=True, slots=True, kw_only=True)
class TimedPiece:
    """One rigid piece on the device, with its times.

    Args:
        piece: Which segments of the circuit it holds.
        instructions: Its operations, in order.
        sites: For each of them, the positions of its qubits in ``qubits``.
        qubits: Physical qubits, ascending.
        timing: Start times from the start of the piece.
        leases: Which qubits it holds when, from the start of the piece.
        log_success: Log of its predicted success, hand-overs left out.
        start_dt: Start of the piece in the merged circuit.
        wait_dt: How much longer it is because it waits for others.
        estimated: Whether it holds operations whose length is known only on the device or later (control flow, stretches,
            delays with a parameter), so that its times are a bound.
    """

    piece: Piece
    instructions: tuple[CircuitInstruction, ...]
    sites: tuple[tuple[int, ...], ...]
    qubits: tuple[int, ...]
    timing: Timing
    leases: tuple[Lease, ...]
    log_success: float
    start_dt: int
    wait_dt: int
    estimated: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """All leases of all physical qubits.

    Args:
        pieces: By start.
        handovers: By piece.
        makespan_dt: End of the last operation.
        policy: Name of the policy that decided who goes when.
        exact: Whether the device and the circuit state how long each operation takes, and delays can hold operations
            back, so that these times are kept.
        scrub_gate: Gate that scrubs qubits at hand-overs, ``None`` if they are not scrubbed.
    """

    pieces: tuple[TimedPiece, ...]
    handovers: tuple[HandOver, ...]
    makespan_dt: int
    policy: str
    exact: bool
    scrub_gate: str | None = None


def make_timeline(
    circuit: QuantumCircuit,
    device: DeviceModel,
    options: HaloOptions,
    *,
    metadata: Mapping[str, Any] | None = None,
    policy: Policy | None = None,
) -> Timeline:
    """Return when each piece of a physical circuit runs.

    Args:
        circuit: A circuit over the physical qubits of ``device``.
        device: The device.
        options: How to share it.
        metadata: ``metadata["halo"]`` of the circuit.
        policy: The user's own policy, in place of ``options.policy``.

    Raises:
        HaloTranspilerError: ``weights`` does not give one number a program, a policy breaks the rules, or ``scrub`` is
            asked for and the device has no X.
    """
    times = HandOverTimes(device, options)
    drafts, exact = make_drafts(circuit, device, options)
    plan = arbitrate(drafts, device, options, times, exact=exact, metadata=metadata, policy=policy)
    order = sorted(range(len(drafts)), key=lambda i: (plan.starts_dt[i], i))
    pieces = tuple(_timed(plan.drafts[i], plan.starts_dt[i], plan.waits_dt[i], exact) for i in order)
    ends = [timed.start_dt + timed.timing.length_dt for timed in pieces]
    return Timeline(
        pieces=pieces,
        handovers=find_handovers(pieces, options, times),
        makespan_dt=max(ends, default=0),
        policy=plan.policy,
        exact=exact,
        scrub_gate=times.scrub_gate,
    )


def _timed(draft: Draft, start_dt: int, wait_dt: int, exact: bool) -> TimedPiece:
    timing = draft.timing
    instructions: tuple[CircuitInstruction, ...] = draft.instructions
    sites = draft.sites
    if draft.held != draft.sites:
        kept = [i for i, held in enumerate(draft.held) if held or instructions[i].name != "barrier"]
        instructions = tuple(restrict_barrier(instructions[i], draft.sites[i], draft.held[i]) for i in kept)
        sites = tuple(draft.held[i] for i in kept)
        timing = dataclasses.replace(
            timing,
            start_dt=tuple(timing.start_dt[i] for i in kept),
            duration_dt=tuple(timing.duration_dt[i] for i in kept),
        )
    return TimedPiece(
        piece=draft.piece,
        instructions=instructions,
        sites=sites,
        qubits=draft.qubits,
        timing=timing,
        leases=draft.leases,
        log_success=draft.log_success,
        start_dt=start_dt,
        wait_dt=wait_dt,
        estimated=not exact and any(map(is_open, instructions)),
    )
