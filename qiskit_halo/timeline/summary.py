"""A timeline as a report: what each program got, and what the batch saves."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from qiskit_halo.device.model import DeviceModel
from qiskit_halo.report import HaloReport, LeaseReport, ProgramReport
from qiskit_halo.timeline.timeline import TimedPiece, Timeline

REPETITION_DELAYS_US = (250, 50, 0)
"""IBM's default repetition delay, a short one, and none, where only packing counts."""


def summarize(timeline: Timeline, device: DeviceModel, metadata: Mapping[str, Any], resets: int) -> HaloReport:
    """Return the report of a scheduled circuit.

    Args:
        timeline: When everything runs.
        device: The device.
        metadata: ``metadata["halo"]`` of the circuit: names, shots, and what the layout stage predicted.
        resets: Rounds at a hand-over.
    """
    dt = device.dt_s
    groups: dict[tuple[int, ...], list[TimedPiece]] = {}
    for timed in timeline.pieces:
        groups.setdefault(timed.piece.owners, []).append(timed)
    anonymous = groups.pop((), [])
    alone = _success_alone(metadata)
    lost = _handover_loss(timeline, device, resets)
    programs = [
        _program(owners, member, timeline, device, metadata, alone, lost)
        for owners in sorted(groups)
        for member in ([owners[0]] if len(owners) == 1 else owners)
    ]
    programs.sort(key=lambda p: -1 if p.index is None else p.index)
    programs += [_program((), None, timeline, device, metadata, alone, lost)] if anonymous else []
    used = sorted(dict.fromkeys(q for timed in timeline.pieces for q in timed.qubits))
    reset_s = float(max((device.reset_dt[q] for q in used), default=0)) * dt
    makespan_s = timeline.makespan_dt * dt
    lengths = [max(t.timing.length_dt for t in pieces) * dt for owners, pieces in groups.items() for _ in owners]
    estimated = any(timed.estimated for timed in timeline.pieces)
    return HaloReport(
        programs=tuple(programs),
        leases=_leases(timeline, dt),
        num_qubits=device.num_qubits,
        couplers=device.couplers,
        makespan_s=makespan_s,
        reset_s=reset_s,
        num_qubits_used=len(used),
        num_handovers=sum(1 for h in timeline.handovers if not h.first_use),
        timing="order only" if not device.has_durations else "estimated" if estimated else "exact",
        qpu_time_ratios={
            str(delay): _ratio(lengths, makespan_s, reset_s, delay * 1e-6) for delay in REPETITION_DELAYS_US
        },
    )


def _ratio(lengths_s: list[float], makespan_s: float, reset_s: float, delay_s: float) -> float:
    merged = makespan_s + reset_s + delay_s
    one_by_one = sum(length + reset_s + delay_s for length in lengths_s)
    return one_by_one / merged if merged > 0 else float(len(lengths_s))


def _program(
    owners: tuple[int, ...],
    member: int | None,
    timeline: Timeline,
    device: DeviceModel,
    metadata: Mapping[str, Any],
    alone: Mapping[tuple[int, ...], float],
    lost: Mapping[int, float],
) -> ProgramReport:
    entries = metadata.get("programs", ())
    entry = entries[member] if member is not None and 0 <= member < len(entries) else {}
    own = [(i, timed) for i, timed in enumerate(timeline.pieces) if timed.piece.owners == owners]
    log_success = sum(
        float(t.workload.log_success(device, np.array([t.qubits], dtype=np.int64))[0]) + lost.get(i, 0.0)
        for i, t in own
    )
    start = min(t.start_dt for _, t in own)
    stop = max(t.start_dt + t.timing.length_dt for _, t in own)
    qubits = sorted(dict.fromkeys(q for _, t in own for q in t.qubits))
    num_helpers = len(entry["helpers"]) if "helpers" in entry else 0
    default_name = "(unmeasured)" if member is None else "(unnamed)" if member < 0 else f"program {member}"
    return ProgramReport(
        index=None if member is None or member < 0 else member,
        name=entry.get("name", default_name),
        shots=entry.get("shots"),
        qubits=tuple(qubits),
        num_data=entry["num_qubits"] - num_helpers if "num_qubits" in entry else len(qubits),
        num_helpers=num_helpers,
        start_s=start * device.dt_s,
        length_s=(stop - start) * device.dt_s,
        # The merged place may beat what the search on the empty device found: then that is the best known.
        success_alone=max(alone[owners], math.exp(log_success)) if owners in alone else None,
        success_merged=math.exp(log_success),
    )


def _success_alone(metadata: Mapping[str, Any]) -> dict[tuple[int, ...], float]:
    """Return the best predicted success of each group of programs, as the layout stage found it."""
    found: dict[tuple[int, ...], float] = {}
    for piece in metadata.get("placement", {}).get("pieces", ()):
        owners = tuple(piece["programs"])
        found[owners] = found.get(owners, 1.0) * piece["success_alone"]
    return found


def _handover_loss(timeline: Timeline, device: DeviceModel, resets: int) -> dict[int, float]:
    """Return, for each piece, the log of the chance that the resets before it all leave |0>."""
    log_reset = device.log_reset_success(resets)
    loss: dict[int, float] = {}
    for handover in timeline.handovers:
        if not handover.first_use:
            loss[handover.piece_index] = loss.get(handover.piece_index, 0.0) + float(log_reset[handover.qubit])
    return loss


def _leases(timeline: Timeline, dt_s: float) -> tuple[LeaseReport, ...]:
    leases = [
        LeaseReport(
            qubit=qubit,
            program=timed.piece.owners[0] if timed.piece.owners and timed.piece.owners[0] >= 0 else None,
            kind="program",
            start_s=(timed.start_dt + busy) * dt_s,
            stop_s=(timed.start_dt + stop) * dt_s,
        )
        for timed in timeline.pieces
        for qubit, (busy, stop) in zip(timed.qubits, timed.timing.busy_dt, strict=True)
    ]
    leases += [
        LeaseReport(qubit=h.qubit, program=None, kind="reset", start_s=h.start_dt * dt_s, stop_s=h.stop_dt * dt_s)
        for h in timeline.handovers
    ]
    return tuple(sorted(leases, key=lambda lease: (lease.qubit, lease.start_s, lease.kind)))
