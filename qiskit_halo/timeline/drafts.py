"""Rigid pieces of a physical circuit, timed by true durations but not placed in time yet."""

from __future__ import annotations

import dataclasses
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
    courses: dict[int, _Course] = {}
    drafts = []
    # All of one piece before the next: what is at hand is fast, and a large circuit is far more than what fits there.
    for piece in (pieces[i] for i in in_wire_order(pieces, segmentation)):
        body = piece_instructions(circuit, segmentation, piece, options.resets, data)
        sites = places_of(body, [qubits[w] for w in piece.wires])
        timing, workload, log_success = stopwatch.time(body, sites, piece.wires)
        course = courses.get(id(timing))
        if course is None:
            course = courses[id(timing)] = _Course.of(body, sites, timing, device.alignment, exact=exact)
        drafts.append(
            Draft(
                piece=piece,
                instructions=tuple(body),
                sites=course.sites,
                held=course.held,
                timing=course.timing,
                leases=tuple([dataclasses.replace(own, qubit=piece.wires[own.qubit]) for own in course.leases]),
                workload=workload,
                log_success=log_success,
            )
        )
    return drafts, exact


@dataclass(frozen=True, slots=True)
class _Course:
    """What pieces share that are timed alike.

    Args:
        timed: The timing they were given, which must live as long as it tells them from others.
        sites: As in :class:`Draft`.
        held: As in :class:`Draft`.
        timing: As in :class:`Draft`.
        leases: As in :class:`Draft`, of sites in place of qubits.
    """

    timed: Timing
    sites: tuple[tuple[int, ...], ...]
    held: tuple[tuple[int, ...], ...]
    timing: Timing
    leases: tuple[Lease, ...]

    @classmethod
    def of(
        cls,
        body: Sequence[CircuitInstruction],
        sites: Sequence[tuple[int, ...]],
        timed: Timing,
        alignment: int,
        *,
        exact: bool,
    ) -> _Course:
        """Return that of pieces like ``body``."""
        held = trim_barriers(body, sites, front=exact)
        timing = delay_resets(body, held, timed, alignment) if exact else timed
        num_sites = 1 + max([site for where in sites for site in where], default=-1)
        leases = find_leases(body, held, timing, range(num_sites), lend=exact)
        return cls(timed, tuple(sites), tuple(held), timing, leases)


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
