"""A timeline as a report: what each program got, and what the batch saves."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from qiskit_halo.device.crosstalk import CrosstalkModel
from qiskit_halo.device.model import DeviceModel
from qiskit_halo.placement.handover import reset_dt
from qiskit_halo.report import FormReport, HaloReport, LeaseReport, ProgramReport
from qiskit_halo.timeline.crosstalk import crosstalk_loss
from qiskit_halo.timeline.efficiency import measure_fullness
from qiskit_halo.timeline.timeline import TimedPiece, Timeline

REPETITION_DELAYS_US = (250, 50, 0)
"""IBM's default repetition delay, a short one, and none, where only packing counts."""


def summarize(
    timeline: Timeline,
    device: DeviceModel,
    metadata: Mapping[str, Any],
    resets: int,
    crosstalk: CrosstalkModel | None = None,
) -> HaloReport:
    """Return the report of a scheduled circuit.

    Args:
        timeline: When everything runs.
        device: The device.
        metadata: ``metadata["halo"]`` of the circuit: names, shots, and what the layout stage predicted.
        resets: Rounds at a hand-over.
        crosstalk: What programs cost each other, ``None`` for nothing.
    """
    own, planned = _by_owner(timeline), _planned_by_owner(metadata)
    owners = sorted(owner for owner in own if owner is not None)
    lost = _handover_loss(timeline, device, resets)
    if crosstalk is not None:
        for index, loss in enumerate(crosstalk_loss(timeline, device, crosstalk).tolist()):
            lost[index] = lost.get(index, 0.0) + loss
    programs = [
        _program(owner, own[owner], planned.get(owner, []), device, metadata, lost)
        for owner in (*owners, *([None] if None in own else []))
    ]
    used = sorted(dict.fromkeys(q for timed in timeline.pieces for q in timed.qubits))
    resets_dt = reset_dt(device)
    reset_s = max((int(resets_dt[q]) for q in used), default=0) * device.dt_s
    makespan_s = timeline.makespan_dt * device.dt_s
    lengths_s = [
        max(timed.timing.length_dt - timed.wait_dt for _, timed in own[owner]) * device.dt_s for owner in owners
    ]
    leases = _leases(timeline, device.dt_s)
    fullness = measure_fullness(leases, device.num_qubits, makespan_s, max(lengths_s, default=0.0))
    return HaloReport(
        programs=tuple(programs),
        leases=leases,
        num_qubits=device.num_qubits,
        couplers=device.couplers,
        makespan_s=makespan_s,
        reset_s=reset_s,
        num_qubits_used=len(used),
        num_handovers=_num_handovers(timeline),
        timing=_timing(timeline, device),
        policy=timeline.policy,
        qpu_time_ratios={
            str(delay): _ratio(lengths_s, makespan_s, reset_s, delay * 1e-6) for delay in REPETITION_DELAYS_US
        },
        volume_bound_s=fullness.volume_bound_s,
        packing_efficiency=fullness.efficiency,
        limited_by=fullness.limited_by,
    )


def _timing(timeline: Timeline, device: DeviceModel) -> str:
    if not device.has_durations:
        return "order only"
    # Without delays nothing holds an operation back until its time.
    held = "delay" in device.target.operation_names
    return "exact" if held and not any(timed.estimated for timed in timeline.pieces) else "estimated"


def _ratio(lengths_s: list[float], makespan_s: float, reset_s: float, delay_s: float) -> float:
    merged = makespan_s + reset_s + delay_s
    one_by_one = sum(length + reset_s + delay_s for length in lengths_s)
    return one_by_one / merged if merged > 0 else float(len(lengths_s))


def _num_handovers(timeline: Timeline) -> int:
    """Return how often a qubit passes to another program; what passes within one program does not count."""
    leases = sorted(
        (lease.qubit, timed.start_dt + lease.start_dt, index)
        for index, timed in enumerate(timeline.pieces)
        for lease in timed.leases
    )
    count = 0
    for (qubit, _, holder), (next_qubit, _, taker) in pairwise(leases):
        if qubit == next_qubit and holder != taker:
            owners = timeline.pieces[taker].piece.owners
            count += not owners or owners != timeline.pieces[holder].piece.owners
    return count


def _by_owner(timeline: Timeline) -> dict[int | None, list[tuple[int, TimedPiece]]]:
    """Return the pieces of each program, with their positions; ``None`` stands for all that belongs to no program."""
    found: dict[int | None, list[tuple[int, TimedPiece]]] = {}
    for index, timed in enumerate(timeline.pieces):
        for owner in timed.piece.owners or (None,):
            found.setdefault(owner, []).append((index, timed))
    return found


def _planned_by_owner(metadata: Mapping[str, Any]) -> dict[int | None, list[Mapping[str, Any]]]:
    """Return the entries of the layout stage for each program."""
    found: dict[int | None, list[Mapping[str, Any]]] = {}
    for piece in metadata.get("placement", {}).get("pieces", ()):
        for owner in piece["programs"] or (None,):
            found.setdefault(owner, []).append(piece)
    return found


def _program(
    owner: int | None,
    own: Sequence[tuple[int, TimedPiece]],
    planned: Sequence[Mapping[str, Any]],
    device: DeviceModel,
    metadata: Mapping[str, Any],
    lost: Mapping[int, float],
) -> ProgramReport:
    """Return the entry of one program; ``None`` stands for all that belongs to no program."""
    entries = metadata.get("programs", ())
    entry = entries[owner] if owner is not None and 0 <= owner < len(entries) else {}
    log_success = sum(timed.log_success + lost.get(index, 0.0) for index, timed in own)
    start = min(t.start_dt for _, t in own)
    stop = max(t.start_dt + t.timing.length_dt for _, t in own)
    qubits = sorted(dict.fromkeys(q for _, t in own for q in t.qubits))
    wires = dict.fromkeys(wire for piece in planned for wire in piece["wires"])
    helpers = dict.fromkeys(wire for piece in planned for wire in piece["helpers"])
    num_helpers = max(len(helpers), len(entry.get("helpers", ())))
    default_name = "(unmeasured)" if owner is None else "(unnamed)" if owner < 0 else f"program {owner}"
    return ProgramReport(
        index=None if owner is None or owner < 0 else owner,
        name=entry.get("name", default_name),
        shots=entry.get("shots"),
        qubits=tuple(qubits),
        num_data=entry.get("num_qubits", len(wires) or len(qubits)) - num_helpers,
        num_helpers=num_helpers,
        start_s=start * device.dt_s,
        length_s=(stop - start) * device.dt_s,
        wait_s=sum(timed.wait_dt for _, timed in own) * device.dt_s,
        # The merged place may beat what the search on the empty device found: then that is the best known.
        success_alone=max(math.prod(p["success_alone"] for p in planned), math.exp(log_success)) if planned else None,
        success_merged=math.exp(log_success),
        success_floor=math.prod(piece["success_floor"] for piece in planned) if planned else None,
        forms=tuple(FormReport(**form) for piece in planned for form in piece["forms"]),
    )


def _handover_loss(timeline: Timeline, device: DeviceModel, resets: int) -> dict[int, float]:
    """Return, for each piece, the log of the chance that the resets before it all leave |0>."""
    log_reset = device.log_reset_success(resets)
    loss: dict[int, float] = {}
    for handover in timeline.handovers:
        if not handover.first_use and handover.rounds == resets:
            loss[handover.piece_index] = loss.get(handover.piece_index, 0.0) + float(log_reset[handover.qubit])
    return loss


def _leases(timeline: Timeline, dt_s: float) -> tuple[LeaseReport, ...]:
    leases = [
        LeaseReport(
            qubit=lease.qubit,
            program=timed.piece.owners[0] if timed.piece.owners and timed.piece.owners[0] >= 0 else None,
            kind="program",
            start_s=(timed.start_dt + lease.start_dt) * dt_s,
            stop_s=(timed.start_dt + lease.stop_dt) * dt_s,
        )
        for timed in timeline.pieces
        for lease in timed.leases
    ]
    leases += [
        LeaseReport(qubit=h.qubit, program=None, kind="reset", start_s=h.start_dt * dt_s, stop_s=h.stop_dt * dt_s)
        for h in timeline.handovers
    ]
    return tuple(sorted(leases, key=lambda lease: (lease.qubit, lease.start_s, lease.kind)))
