"""What a scheduled circuit costs its programs, by its start times alone: nothing here trusts a report."""

from __future__ import annotations

import math
from dataclasses import dataclass

from qiskit import QuantumCircuit
from qiskit.transpiler import PassManager, Target
from qiskit.transpiler.passes import ALAPScheduleAnalysis, PadDelay, TimeUnitConversion

from qiskit_halo.device.model import DeviceModel
from qiskit_halo.fragments.success import log_idle
from qiskit_halo.segments.find import find_components


@dataclass(frozen=True)
class Verdict:
    """One scheduled circuit.

    ``live_idle_s``: seconds that qubits wait between two operations of one segment, over all programs; ``success``:
    predicted success of each program, hand-overs left out; ``end_s``: when each program ends.
    """

    makespan_s: float
    live_idle_s: float
    success: dict[int, float]
    end_s: dict[int, float]


def judge(circuit: QuantumCircuit, target: Target) -> Verdict:
    """Return what the start times of ``circuit`` mean."""
    device = DeviceModel(target)
    owner_at = {
        position: component.owners[0] if component.owners else None
        for component in find_components(circuit).components
        for position in component.operations
    }
    wire = {qubit: index for index, qubit in enumerate(circuit.qubits)}
    last_end: dict[int, int | None] = {}
    idle, makespan = 0, 0
    logs: dict[int, float] = {}
    ends: dict[int, int] = {}
    for position, start in sorted(enumerate(circuit.op_start_times), key=lambda pair: (pair[1], pair[0])):
        instruction = circuit.data[position]
        name, qubits = instruction.name, tuple(wire[qubit] for qubit in instruction.qubits)
        if name in ("barrier", "delay"):
            continue
        stop = start + device.duration_dt(name, qubits)
        makespan = max(makespan, stop)
        if name == "reset":
            last_end[qubits[0]] = None
            continue
        owner = owner_at[position]
        loss = 0.0
        for qubit in qubits:
            before = last_end.get(qubit)
            if before is not None and start > before:
                idle += start - before
                loss += float(log_idle((start - before) * device.dt_s, device.t1_s[qubit], device.t2_s[qubit]))
            last_end[qubit] = stop
        error = device.gates[name].error[qubits]
        loss += math.log1p(-min(float(error), 1 - 1e-12))
        if owner is not None:
            logs[owner] = logs.get(owner, 0.0) + loss
            ends[owner] = max(ends.get(owner, 0), stop)
    return Verdict(
        makespan_s=makespan * device.dt_s,
        live_idle_s=idle * device.dt_s,
        success={owner: math.exp(value) for owner, value in sorted(logs.items())},
        end_s={owner: value * device.dt_s for owner, value in sorted(ends.items())},
    )


def schedule_by_qiskit(placed: QuantumCircuit, target: Target) -> QuantumCircuit:
    """Return ``placed`` as Qiskit's own as-late-as-possible stage schedules it."""
    passes = [TimeUnitConversion(target=target), ALAPScheduleAnalysis(target=target), PadDelay(target=target)]
    return PassManager(passes).run(placed)
