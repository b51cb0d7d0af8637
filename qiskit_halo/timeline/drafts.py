"""Rigid pieces of a physical circuit, timed by true durations but not placed in time yet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from qiskit.circuit import CircuitInstruction, QuantumCircuit

from qiskit_halo.device.model import DeviceModel
from qiskit_halo.fragments.measure import Stopwatch, places_of
from qiskit_halo.fragments.success import Workload
from qiskit_halo.fragments.timing import Timing
from qiskit_halo.options import HaloOptions
from qiskit_halo.placement.quiet import part_strangers
from qiskit_halo.segments.find import find_components
from qiskit_halo.segments.pieces import Piece, find_pieces, piece_instructions
from qiskit_halo.timeline.leases import Lease, delay_resets, find_leases, trim_barriers
from qiskit_halo.timeline.wire_order import in_wire_order


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """One rigid piece with times counted from its own start.

    Args:
        piece: Which segments of the circuit it holds.
        instructions: Its operations, in order.
        sites: For each of them, the positions of its qubits in ``piece.wires``.
        held: The same, without what a barrier need not hold; a barrier that holds nothing is not written.
        timing: When they run.
        leases: Which qubits it holds from when to when.
        workload: What its predicted success depends on.
        log_success: Log of its predicted success, hand-overs left out.
    """

    piece: Piece
    instructions: tuple[CircuitInstruction, ...]
    sites: tuple[tuple[int, ...], ...]
    held: tuple[tuple[int, ...], ...]
    timing: Timing
    leases: tuple[Lease, ...]
    workload: Workload
    log_success: float

    @property
    def qubits(self) -> tuple[int, ...]:
        """Physical qubits, ascending."""
        return self.piece.wires


def make_drafts(circuit: QuantumCircuit, device: DeviceModel, options: HaloOptions) -> tuple[list[Draft], bool]:
    """Return the pieces of ``circuit`` in the order that its wires give them, and whether their times are exact.

    Pieces are recovered from the circuit itself, so any mapped circuit will do, whoever laid it out. Where times are
    exact, a piece lends a qubit between two of its segments; elsewhere it holds each qubit throughout, since others
    might keep it waiting.

    Args:
        circuit: A circuit over the physical qubits of ``device``.
        device: The device.
        options: ``resets``, ``buffer`` and ``cache`` matter here.
    """
    data = list(circuit.data)
    segmentation = find_components(circuit, data)
    if options.buffer:
        segmentation = part_strangers(segmentation)
    qubits = circuit.qubits
    pieces = find_pieces(segmentation)
    exact = _holds_times(device) and _lengths_known(circuit, data, device)
    stopwatch = Stopwatch(device, remembers=options.cache)
    distinct: dict[tuple[int, ...], tuple[int, ...]] = {}
    drafts = []
    # All of one piece before the next: what is at hand is fast, and a large circuit is far more than what fits there.
    for piece in (pieces[i] for i in in_wire_order(pieces, segmentation)):
        body = piece_instructions(circuit, segmentation, piece, options.resets, data)
        # Few differ, and what is kept of many small objects is what the garbage collector looks through.
        sites = [distinct.setdefault(where, where) for where in places_of(body, [qubits[w] for w in piece.wires])]
        timing, workload, log_success = stopwatch.time(body, sites, piece.wires)
        held = trim_barriers(body, sites, front=exact)
        if exact:
            timing = delay_resets(body, held, timing, device.alignment)
        drafts.append(
            Draft(
                piece=piece,
                instructions=tuple(body),
                sites=tuple(sites),
                held=tuple(held),
                timing=timing,
                leases=find_leases(body, held, timing, piece.wires, lend=exact),
                workload=workload,
                log_success=log_success,
            )
        )
    return drafts, exact


def is_open(instruction: CircuitInstruction) -> bool:
    """Return whether the length of ``instruction`` is known only on the device, or later."""
    if instruction.name == "delay":
        return not isinstance(instruction.operation.duration, (int, float))
    # A store takes no time on a qubit, but nobody says when it happens.
    return instruction.name == "store" or bool(instruction.is_control_flow())


def _lengths_known(circuit: QuantumCircuit, data: Sequence[CircuitInstruction], device: DeviceModel) -> bool:
    """Return whether the device or the circuit states how long each operation takes."""
    surely = {
        name for name, table in device.gates.items() if not (np.isnan(table.duration_dt) & ~np.isnan(table.error)).any()
    } | {"barrier", "reset"}
    index = {qubit: i for i, qubit in enumerate(circuit.qubits)}
    for instruction in data:
        name = instruction.name
        if name in surely:
            continue
        if name == "delay":
            if is_open(instruction):
                return False
            continue
        table = device.gates.get(name)
        if table is None or np.isnan(table.duration_dt[tuple(index[q] for q in instruction.qubits)]):
            return False
    return True


def _holds_times(device: DeviceModel) -> bool:
    # Without delays nothing holds an operation back until its time.
    return device.has_durations and "delay" in device.target.operation_names
