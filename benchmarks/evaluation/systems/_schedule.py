"""A compiled circuit -> the same circuit with start times and delays, by Qiskit's own analyses."""

from __future__ import annotations

from qiskit.circuit import QuantumCircuit
from qiskit.transpiler import PassManager, Target
from qiskit.transpiler.passes import ALAPScheduleAnalysis, ASAPScheduleAnalysis, PadDelay, TimeUnitConversion

from benchmarks.evaluation.model import SystemFailedError

_PASSIVE = ("barrier", "delay")


def schedule(circuit: QuantumCircuit, target: Target) -> tuple[QuantumCircuit, float]:
    """Return ``circuit`` padded with delays, and the length of one shot in seconds.

    Qiskit has two analyses, as soon and as late as possible. Both give the same length, that of the longest chain of
    operations, but qubits wait in different places; we take the one in which qubits in use wait less, which is never
    worse for the system.

    Raises:
        SystemFailedError: The circuit has control flow, which Qiskit's analyses refuse.
    """
    if any(instruction.is_control_flow() for instruction in circuit.data):
        raise SystemFailedError("the circuit has control flow, which Qiskit cannot schedule; leave such programs out")
    both = [
        PassManager([TimeUnitConversion(target=target), analysis(target=target), PadDelay(target=target)]).run(circuit)
        for analysis in (ALAPScheduleAnalysis, ASAPScheduleAnalysis)
    ]
    best = min(both, key=waiting_dt)
    return best, makespan_s(best, target)


def makespan_s(circuit: QuantumCircuit, target: Target) -> float:
    """Return the end of the last operation of a scheduled circuit, delays and barriers apart."""
    wire = {qubit: index for index, qubit in enumerate(circuit.qubits)}
    end = 0.0
    for instruction, start in zip(circuit.data, circuit.op_start_times, strict=True):
        if instruction.name not in _PASSIVE:
            qubits = tuple(wire[qubit] for qubit in instruction.qubits)
            end = max(end, start * target.dt + (target[instruction.name][qubits].duration or 0.0))
    return end


def waiting_dt(circuit: QuantumCircuit) -> int:
    """Return the time, summed over qubits, that a qubit waits between two operations and is not reset before the next."""
    waited = 0
    since: dict[object, int] = {}  # qubit in use -> time that it has waited since its last operation
    for instruction in circuit.data:
        if instruction.name == "barrier":
            continue
        for qubit in instruction.qubits:
            if instruction.name == "delay":
                if qubit in since:
                    since[qubit] += int(instruction.operation.duration)
            elif instruction.name == "reset":
                since.pop(qubit, None)
            else:
                waited += since.get(qubit, 0)
                since[qubit] = 0
    return waited
