"""Write a timeline as a circuit: resets at hand-overs, delays in every gap, a start time for every operation."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from qiskit.circuit import Barrier, CircuitInstruction, Delay, QuantumCircuit, Reset
from qiskit.circuit.classical import expr
from qiskit.converters import circuit_to_dag
from qiskit.dagcircuit import DAGCircuit, DAGOpNode

from qiskit_halo.device.model import DeviceModel
from qiskit_halo.passes.fill_gaps import GapFiller
from qiskit_halo.passes.scrub import SCRUB_LABEL, Scrubber
from qiskit_halo.placement.handover import reset_dt, round_dt
from qiskit_halo.rewire import append_all
from qiskit_halo.timeline.fences import find_fences
from qiskit_halo.timeline.timeline import Timeline

FENCE_LABEL = "halo_fence"
"""Label of a barrier that keeps programs a buffer apart."""

_SHAPES_TIME = frozenset({"barrier", "delay"})
"""Operations after which a qubit is as alive as before."""


class _Events:
    """Operations at their times, in columns: a circuit has a hundred thousand of them, and records would take longer.

    An event is before another by its start, then by the rank of its piece, then by its place in the piece, so that none
    comes before what it depends on.
    """

    def __init__(self) -> None:
        self.starts: list[int] = []
        self.ranks: list[int] = []
        self.places: list[int] = []
        self.instructions: list[CircuitInstruction] = []
        self.durations: list[int] = []

    def add(self, start: int, rank: int, place: int, instruction: CircuitInstruction, duration: int) -> None:
        self.starts.append(start)
        self.ranks.append(rank)
        self.places.append(place)
        self.instructions.append(instruction)
        self.durations.append(duration)

    def in_order(self) -> Iterator[tuple[int, CircuitInstruction, int]]:
        """Return (start, operation, length) of each event."""
        starts, instructions, durations = self.starts, self.instructions, self.durations
        order = np.lexsort((self.places, self.ranks, starts)).tolist()
        return zip(
            [starts[index] for index in order],
            [instructions[index] for index in order],
            [durations[index] for index in order],
            strict=True,
        )


def write_timeline(
    empty: QuantumCircuit,
    timeline: Timeline,
    device: DeviceModel,
    *,
    pad: bool,
    buffer: int = 0,
    decouple: bool = False,
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
        decouple: Whether gaps in which a qubit is alive hold decoupling pulses beside the delays.
    """
    out = empty
    index_of = {qubit: index for index, qubit in enumerate(empty.qubits)}
    unpadded = dict.fromkeys(q for timed in timeline.pieces if timed.estimated for q in timed.qubits)
    filler = GapFiller(device, decouple=decouple)
    # Of each wire, up to when it is written and whether anything quantum is on it.
    ready, alive = [0] * len(empty.qubits), [False] * len(empty.qubits)
    written: list[CircuitInstruction] = []
    starts: list[int] = []
    events = _Events()
    _add_operations(events, timeline, device)
    _add_handovers(events, out, timeline, device, pad)
    _add_fences(events, out, timeline, device, buffer)
    for start, instruction, duration in events.in_order():
        name, stop = instruction.name, start + duration
        shapes_time = name in _SHAPES_TIME
        for qubit in instruction.qubits:
            index = index_of[qubit]
            since = ready[index]
            if start > since and pad and index not in unpadded:
                # Who waits for a reset has nothing left to lose, and before a fence the wire may have been given up.
                waits = alive[index] and name != "reset" and instruction.label not in (SCRUB_LABEL, FENCE_LABEL)
                for operation, begin in filler.fill(index, since, start - since, alive=waits):
                    written.append(CircuitInstruction(operation, (qubit,), ()))
                    starts.append(begin)
            if stop > since:
                ready[index] = stop
            if not shapes_time:
                alive[index] = name != "reset"
        written.append(instruction)
        starts.append(start)
    append_all(out, written)
    dag = circuit_to_dag(out, copy_operations=False)
    # Nodes are numbered as they were added.
    return dag, dict(zip(dag.op_nodes(), starts, strict=True))


def _add_operations(events: _Events, timeline: Timeline, device: DeviceModel) -> None:
    for rank, timed in enumerate(timeline.pieces):
        timing, begin = timed.timing, timed.start_dt
        number = len(timed.instructions)
        events.starts.extend([begin + start for start in timing.start_dt])
        events.ranks.extend([rank] * number)
        events.places.extend(range(number))
        events.durations.extend(timing.duration_dt)
        events.instructions.extend(
            [
                _in_ticks(instruction, duration, device) if instruction.name == "delay" else instruction
                for instruction, duration in zip(timed.instructions, timing.duration_dt, strict=True)
            ]
        )


def _add_handovers(events: _Events, out: QuantumCircuit, timeline: Timeline, device: DeviceModel, pad: bool) -> None:
    lengths, rounds = reset_dt(device).tolist(), round_dt(device).tolist()
    scrubber = None if timeline.scrub_gate is None else Scrubber(device, timeline.scrub_gate, pad=pad)
    # Whoever had the qubit may end with gates that take no time, at the very tick of the first reset, and may have started
    # after its heir, which takes its qubits one by one: a hand-over comes after all pieces of its tick.
    last = len(timeline.pieces)
    place = -1 - sum(2 + handover.rounds for handover in timeline.handovers)
    for handover in timeline.handovers:
        wire = (out.qubits[handover.qubit],)
        if handover.scrub_dt is not None and scrubber is not None:
            start = handover.scrub_dt
            for operation, length in scrubber.draw(handover.qubit):
                place += 1
                events.add(start, last, place, CircuitInstruction(operation, wire, ()), length)
                start += scrubber.step_dt(length)
        start = handover.start_dt
        # Resets that take no time are at the tick of the heir's first operation, and nobody else is.
        rank = handover.piece_index if start == handover.stop_dt else last
        for _ in range(handover.rounds):
            place += 1
            events.add(start, rank, place, CircuitInstruction(Reset(), wire, ()), lengths[handover.qubit])
            start += rounds[handover.qubit]


def _add_fences(events: _Events, out: QuantumCircuit, timeline: Timeline, device: DeviceModel, buffer: int) -> None:
    first = -2 - sum(2 + handover.rounds for handover in timeline.handovers)
    for index, held in find_fences(timeline, device, buffer).items():
        barrier = CircuitInstruction(Barrier(len(held), label=FENCE_LABEL), [out.qubits[q] for q in held], ())
        events.add(timeline.pieces[index].start_dt, index, first, barrier, 0)


def _in_ticks(instruction: CircuitInstruction, duration_dt: int, device: DeviceModel) -> CircuitInstruction:
    """Return a user's delay in ticks; everything else, and delays not known yet, as they are."""
    if instruction.name != "delay" or not device.has_durations:
        return instruction
    duration = instruction.operation.duration
    if isinstance(duration, expr.Expr) or not isinstance(duration, (int, float)):
        return instruction
    return instruction.replace(operation=Delay(duration_dt, "dt"))
