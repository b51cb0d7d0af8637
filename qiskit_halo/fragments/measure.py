"""Time a body on given physical qubits, and what it asks of them there."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from qiskit.circuit import CircuitInstruction, QuantumCircuit

from qiskit_halo.device.model import DeviceModel
from qiskit_halo.fragments.durations import Durations
from qiskit_halo.fragments.success import Workload, measure_workload
from qiskit_halo.fragments.timing import Timing, schedule, timed_operations


def sites_of(circuit: QuantumCircuit) -> list[tuple[int, ...]]:
    """Return the qubit indices of each instruction of ``circuit``."""
    index = {qubit: i for i, qubit in enumerate(circuit.qubits)}
    return [tuple(index[qubit] for qubit in instruction.qubits) for instruction in circuit.data]


def time_on(
    instructions: Sequence[CircuitInstruction],
    sites: Sequence[tuple[int, ...]],
    physical: Sequence[int],
    device: DeviceModel,
) -> tuple[Timing, Workload, float]:
    """Return the times, the workload and the log of the predicted success of a body on ``physical`` qubits.

    Args:
        instructions: The body, in order.
        sites: Sites of each instruction.
        physical: Physical qubit of each site.
        device: The device.
    """
    durations = Durations(device)
    timed = timed_operations(
        instructions,
        sites,
        [durations.of(i, [physical[s] for s in where]) for i, where in zip(instructions, sites, strict=True)],
    )
    timing = schedule(timed, len(physical), device.alignment)
    workload = measure_workload(instructions, sites, timing, len(physical), device)
    place = np.array([physical], dtype=np.int64)
    return timing, workload, float(workload.log_success(device, place)[0])
