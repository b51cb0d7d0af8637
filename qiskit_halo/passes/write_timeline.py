"""Write a timeline as a circuit: resets at hand-overs, delays in every gap, a start time for every operation."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from qiskit.circuit import Barrier, CircuitInstruction, Delay, QuantumCircuit, Qubit, Reset
from qiskit.circuit.classical import expr
from qiskit.converters import circuit_to_dag
from qiskit.dagcircuit import DAGCircuit, DAGOpNode

from qiskit_halo.device.model import DeviceModel
from qiskit_halo.placement.handover import reset_dt, round_dt
from qiskit_halo.timeline.fences import find_fences
from qiskit_halo.timeline.timeline import Timeline


@dataclass(frozen=True, slots=True, kw_only=True)
class _Event:
    """One operation at its time; ``key`` orders events so that none comes before what it depends on."""

    key: tuple[int, int, int]
    instruction: CircuitInstruction
    start_dt: int
    duration_dt: int


def write_timeline(
    empty: QuantumCircuit, timeline: Timeline, device: DeviceModel, *, pad: bool, buffer: int = 0
) -> tuple[DAGCircuit, dict[DAGOpNode, int]]:
    """Return the circuit of ``timeline`` and the start time of each of its operations, in ticks.

    With ``pad``, every wire in use is filled with delays from 0 to its last operation, so that hardware, which sees
    only order and delays, and Qiskit's own analysis come to these start times. Wires of a piece with control flow are
    left alone: how long its branches take is known only on the device.

    Args:
        empty: A circuit over the physical qubits, with the classical side and no operations.
        timeline: What to write.
        device: The device.
        pad: Whether to write delays.
        buffer: Hops that programs which are active at the same time must be more than apart. Where delays cannot see
            to that, barriers keep them in order.
    """
    unpadded = dict.fromkeys(empty.qubits[q] for timed in timeline.pieces if timed.estimated for q in timed.qubits)
    dag = circuit_to_dag(empty)
    times: dict[DAGOpNode, int] = {}
    ready: dict[Qubit, int] = {}
    events = [*_events(empty, timeline, device), *_fences(empty, timeline, device, buffer)]
    for event in sorted(events, key=lambda event: event.key):
        instruction = event.instruction
        for qubit in instruction.qubits:
            gap = event.start_dt - ready.get(qubit, 0)
            if pad and gap > 0 and qubit not in unpadded:
                node = dag.apply_operation_back(Delay(gap, "dt"), (qubit,), ())
                times[node] = event.start_dt - gap
            ready[qubit] = max(ready.get(qubit, 0), event.start_dt + event.duration_dt)
        node = dag.apply_operation_back(instruction.operation, instruction.qubits, instruction.clbits)
        times[node] = event.start_dt
    return dag, times


def _events(empty: QuantumCircuit, timeline: Timeline, device: DeviceModel) -> Iterator[_Event]:
    lengths, rounds = reset_dt(device).tolist(), round_dt(device).tolist()
    for index, handover in enumerate(timeline.handovers):
        for round_index in range(handover.rounds):
            start = handover.start_dt + round_index * rounds[handover.qubit]
            yield _Event(
                # Before the first operation of its piece, after everything of the pieces before.
                key=(start, handover.piece_index, index - len(timeline.handovers)),
                instruction=CircuitInstruction(Reset(), (empty.qubits[handover.qubit],), ()),
                start_dt=start,
                duration_dt=lengths[handover.qubit],
            )
    for rank, timed in enumerate(timeline.pieces):
        timing = timed.timing
        for position, instruction in enumerate(timed.instructions):
            start = timed.start_dt + timing.start_dt[position]
            yield _Event(
                key=(start, rank, position),
                instruction=_in_ticks(instruction, timing.duration_dt[position], device),
                start_dt=start,
                duration_dt=timing.duration_dt[position],
            )


def _fences(empty: QuantumCircuit, timeline: Timeline, device: DeviceModel, buffer: int) -> Iterator[_Event]:
    physical = {qubit: index for index, qubit in enumerate(empty.qubits)}
    for index, held in find_fences(timeline, device, buffer, physical).items():
        start = timeline.pieces[index].start_dt
        yield _Event(
            key=(start, index, -1 - len(timeline.handovers)),
            instruction=CircuitInstruction(Barrier(len(held)), [empty.qubits[q] for q in held], ()),
            start_dt=start,
            duration_dt=0,
        )


def _in_ticks(instruction: CircuitInstruction, duration_dt: int, device: DeviceModel) -> CircuitInstruction:
    """Return a user's delay in ticks; everything else, and delays not known yet, as they are."""
    if instruction.name != "delay" or not device.has_durations:
        return instruction
    duration = instruction.operation.duration
    if isinstance(duration, expr.Expr) or not isinstance(duration, (int, float)):
        return instruction
    return instruction.replace(operation=Delay(duration_dt, "dt"))
