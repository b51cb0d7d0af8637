"""The frozen result of scheduling: when each piece runs, and every reset between pieces."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from qiskit.circuit import CircuitInstruction, QuantumCircuit

from qiskit_halo.device.model import DeviceModel
from qiskit_halo.fragments.measure import time_on
from qiskit_halo.fragments.success import Workload
from qiskit_halo.fragments.timing import Timing
from qiskit_halo.options import HaloOptions
from qiskit_halo.placement.handover import handover_dt
from qiskit_halo.placement.quiet import part_strangers
from qiskit_halo.segments.find import find_components
from qiskit_halo.segments.pieces import Piece, find_pieces, piece_instructions
from qiskit_halo.timeline.arbitrate import arbitrate
from qiskit_halo.timeline.turns import Turn
from qiskit_halo.timeline.wire_order import in_wire_order


@dataclass(frozen=True, slots=True, kw_only=True)
class TimedPiece:
    """One rigid piece on the device, with its times.

    Args:
        piece: Which segments of the circuit it holds.
        instructions: Its operations, in order.
        qubits: Physical qubits, ascending.
        timing: Start times from the start of the piece.
        workload: What its predicted success depends on; sites are positions in ``qubits``.
        start_dt: Start of the piece in the merged circuit.
        estimated: Whether it holds operations whose length is known only on the device or later (control flow, stretches,
            delays with a parameter), so that its times are a bound.
    """

    piece: Piece
    instructions: tuple[CircuitInstruction, ...]
    qubits: tuple[int, ...]
    timing: Timing
    workload: Workload
    start_dt: int
    estimated: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class HandOver:
    """The resets before a piece's first operation on a qubit.

    Args:
        qubit: Physical qubit.
        piece_index: Position in :attr:`Timeline.pieces` of the piece that takes the qubit over.
        rounds: Number of resets.
        start_dt: Start of the first of them.
        stop_dt: End of the last, which is where the piece's lease begins.
        first_use: Whether nobody had the qubit before.
    """

    qubit: int
    piece_index: int
    rounds: int
    start_dt: int
    stop_dt: int
    first_use: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """All leases of all physical qubits.

    Args:
        pieces: In the order in which they take their qubits.
        handovers: In the same order.
        makespan_dt: End of the last operation.
    """

    pieces: tuple[TimedPiece, ...]
    handovers: tuple[HandOver, ...]
    makespan_dt: int


def make_timeline(circuit: QuantumCircuit, device: DeviceModel, options: HaloOptions) -> Timeline:
    """Return when each piece of a physical circuit runs.

    Pieces are recovered from the circuit itself, so any mapped circuit will do, whoever laid it out.

    Args:
        circuit: A circuit over the physical qubits of ``device``.
        device: The device.
        options: ``resets``, ``assume_clean`` and ``buffer`` matter here.
    """
    segmentation = find_components(circuit)
    if options.buffer:
        segmentation = part_strangers(segmentation)
    index = {qubit: i for i, qubit in enumerate(circuit.qubits)}
    found = find_pieces(segmentation)
    drafts = []
    for piece in (found[index] for index in in_wire_order(found, segmentation)):
        instructions = tuple(piece_instructions(circuit, segmentation, piece, options.resets))
        site = {wire: position for position, wire in enumerate(piece.wires)}
        sites = [tuple(site[index[qubit]] for qubit in i.qubits) for i in instructions]
        timing, workload, _ = time_on(instructions, sites, piece.wires, device)
        drafts.append((piece, instructions, timing, workload))
    turns = [
        Turn(
            owners=piece.owners,
            qubits=piece.wires,
            busy_dt=timing.busy_dt,
            length_dt=timing.length_dt,
        )
        for piece, _, timing, _ in drafts
    ]
    order, starts = arbitrate(turns, device, options)
    pieces = tuple(
        TimedPiece(
            piece=drafts[i][0],
            instructions=drafts[i][1],
            qubits=drafts[i][0].wires,
            timing=drafts[i][2],
            workload=drafts[i][3],
            start_dt=starts[i],
            estimated=any(map(_is_open, drafts[i][1])),
        )
        for i in order
    )
    handovers = _handovers(pieces, device, options)
    ends = [timed.start_dt + timed.timing.length_dt for timed in pieces]
    return Timeline(pieces=pieces, handovers=handovers, makespan_dt=max(ends, default=0))


def _is_open(instruction: CircuitInstruction) -> bool:
    if instruction.name == "delay":
        return not isinstance(instruction.operation.duration, (int, float))
    # A store takes no time on a qubit, but nobody says when it happens.
    return instruction.name == "store" or bool(instruction.is_control_flow())


def _handovers(pieces: Sequence[TimedPiece], device: DeviceModel, options: HaloOptions) -> tuple[HandOver, ...]:
    lengths = handover_dt(device, options.resets).tolist()
    used: dict[int, None] = {}
    found = []
    for piece_index, timed in enumerate(pieces):
        for qubit, (busy, _) in zip(timed.qubits, timed.timing.busy_dt, strict=True):
            first_use = qubit not in used
            used[qubit] = None
            if first_use and options.assume_clean:
                continue
            stop = timed.start_dt + busy
            found.append(
                HandOver(
                    qubit=qubit,
                    piece_index=piece_index,
                    rounds=options.resets,
                    start_dt=stop - lengths[qubit],
                    stop_dt=stop,
                    first_use=first_use,
                )
            )
    return tuple(found)
