"""Times of a piece that waits between its turns, and what the waiting costs."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from qiskit_halo.device.model import DeviceModel
from qiskit_halo.fragments.success import measure_workload
from qiskit_halo.fragments.timing import TimedOperation, Timing, as_soon_as_possible, schedule, timed_operations
from qiskit_halo.timeline.drafts import Draft
from qiskit_halo.timeline.leases import delay_resets, find_leases


def stretch(draft: Draft, booked_dt: Sequence[tuple[int, int]], device: DeviceModel) -> Draft | None:
    """Return ``draft`` with each lease inside what was booked for it, all else as early as that allows.

    Measurements and whatever does not depend on an awaited qubit do not wait with it. Returns ``None`` in the odd case
    that some lease would end after its booking: this piece cannot wait.

    Args:
        draft: The piece as it runs without waiting.
        booked_dt: For each of its leases, the interval that it may fill, from the start of the piece.
        device: The device.
    """
    operations = timed_operations(draft.instructions, draft.sites, draft.timing.duration_dt)
    gates = _gates(draft, [start for start, _ in booked_dt])
    for operation_index, gate in gates.values():
        own = operations[operation_index]
        operations[operation_index] = own._replace(others=(*own.others, *gate.others))
    # Whatever happens, something stands at 0, so that times keep counting from there.
    extra = [TimedOperation(qubits=(), others=(), duration_dt=0), *(gate for _, gate in gates.values())]
    everything = [*extra, *operations]
    for timing in (
        schedule(everything, len(draft.qubits), device.alignment),
        _plain(everything, draft.timing, device.alignment),
    ):
        own_timing = delay_resets(
            draft.instructions,
            draft.held,
            Timing(
                start_dt=timing.start_dt[len(extra) :],
                duration_dt=draft.timing.duration_dt,
                length_dt=timing.length_dt,
                busy_dt=timing.busy_dt,
            ),
            device.alignment,
        )
        leases = find_leases(draft.instructions, draft.held, own_timing, draft.qubits, lend=True)
        if all(
            start <= lease.start_dt and lease.stop_dt <= stop
            for lease, (start, stop) in zip(leases, booked_dt, strict=True)
        ):
            workload = measure_workload(draft.instructions, draft.sites, own_timing, len(draft.qubits), device)
            return dataclasses.replace(
                draft,
                timing=own_timing,
                leases=leases,
                workload=workload,
                log_success=float(workload.log_success(device, np.array([draft.qubits], dtype=np.int64))[0]),
            )
    return None


def _gates(draft: Draft, starts_dt: Sequence[int]) -> dict[int, tuple[int, TimedOperation]]:
    """Return for each lease its first operation, and one without qubits that ends when the lease may begin."""
    lease_at = {(lease.qubit, lease.start_dt): index for index, lease in enumerate(draft.leases)}
    found: dict[int, tuple[int, TimedOperation]] = {}
    for position, (where, start) in enumerate(zip(draft.held, draft.timing.start_dt, strict=True)):
        for site in where:
            index = lease_at.get((draft.qubits[site], start))
            if index is not None and index not in found:
                gate = TimedOperation(qubits=(), others=(("lease", index),), duration_dt=starts_dt[index])
                found[index] = (position, gate)
    return found


def _plain(operations: Sequence[TimedOperation], timing: Timing, alignment: int) -> Timing:
    starts = as_soon_as_possible(operations, alignment)
    ends = [start + operation.duration_dt for start, operation in zip(starts, operations, strict=True)]
    return dataclasses.replace(timing, start_dt=tuple(starts), length_dt=max(ends))
