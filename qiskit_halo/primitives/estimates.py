"""How much room a program takes, before it is compiled or from the report of a compiled batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from qiskit.circuit import CircuitInstruction, Instruction, QuantumCircuit, Qubit
from qiskit.transpiler import Target

from qiskit_halo.device.model import DeviceModel
from qiskit_halo.fragments.measure import sites_of, time_on
from qiskit_halo.options import HaloOptions
from qiskit_halo.primitives.fixed import compact
from qiskit_halo.report import HaloReport

PACKING_EFFICIENCY = 0.4
"""Share of qubits x makespan that a full batch keeps busy: 128 four-qubit circuits on a 133-qubit device gave 0.41."""

SPACE_EFFICIENCY = 0.7
"""Share of the qubits that programs side by side can have before they get bad places."""

TYPICAL_S = {"one": 40e-9, "two": 300e-9, "measure": 1.5e-6, "reset": 1.5e-6, "dt": 1e-9}
"""Durations for a device that states none: they only decide how batches are planned."""

TWO_QUBIT_GATES_OF_A_WIDE_ONE = 6
"""For each qubit beyond the second: a Toffoli gate is six CNOTs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgramEstimate:
    """Room in space and time that one copy of a program takes.

    Args:
        num_qubits: Physical qubits.
        length_s: Seconds from its first to its last operation.
        busy_s: Qubit-seconds: for each qubit the time from its first to its last operation.
        fixed: Physical qubit -> seconds it is busy, if it has to stay on its qubits; ``None`` if it can go anywhere.
    """

    num_qubits: int
    length_s: float
    busy_s: float
    fixed: Mapping[int, float] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """What a device offers to a batch.

    Args:
        num_qubits: Qubits that can be used.
        reset_s: Longest reset, once before each shot.
        handover_s: Resets between two programs on a qubit.
        efficiency: Share of qubits x makespan that a full batch keeps busy.
        space: Most qubits that all programs of a batch may have together, where qubits do not pass from one program to
            the next; ``None`` where they do.
    """

    num_qubits: int
    reset_s: float
    handover_s: float
    efficiency: float = PACKING_EFFICIENCY
    space: int | None = None


class MakespanModel:
    """Makespan of a batch by how many copies of each circuit it holds.

    It is the largest of three bounds: the longest program; busy qubit-time over the device's, at the efficiency of
    packing, but never longer than all programs one after another; and for programs that stay on given qubits what each
    of these has to do.

    Args:
        estimates: One for each circuit.
        room: What the device offers.
    """

    def __init__(self, estimates: Sequence[ProgramEstimate], room: Room) -> None:
        self.num_circuits = len(estimates)
        self._length = np.array([estimate.length_s for estimate in estimates], dtype=np.float64)
        self._space = room.space
        self._qubits = np.array([estimate.num_qubits for estimate in estimates], dtype=np.int64)
        # Side by side, programs add nothing to each other's length.
        shared = 1.0 if room.space is None else 0.0
        volume = [shared * (e.busy_s + e.num_qubits * room.handover_s) for e in estimates]
        self._volume = np.array(volume, dtype=np.float64) / (room.num_qubits * room.efficiency)
        qubits = sorted({qubit for e in estimates for qubit in e.fixed or ()})
        column = {qubit: index for index, qubit in enumerate(qubits)}
        self._load = np.zeros((len(estimates), max(1, len(qubits))))
        for index, estimate in enumerate(estimates):
            for qubit, busy_s in (estimate.fixed or {}).items():
                self._load[index, column[qubit]] = busy_s + room.handover_s
        self._uses = (self._load > 0).astype(np.int64)
        self._handover = room.handover_s

    def makespan_s(self, copies: npt.NDArray[np.int64], circuits: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
        """Return the makespan in seconds, shape (...,).

        Args:
            copies: At least one copy of each circuit, shape (..., num_circuits).
            circuits: Which circuits these are.
        """
        load = (copies @ self._load[circuits]).max(axis=-1) - self._handover
        chain = copies @ (self._length[circuits] + self._handover) - self._handover
        volume = np.minimum(copies @ self._volume[circuits], chain)
        longest = self._length[circuits].max()
        makespan: npt.NDArray[np.float64] = np.maximum(longest, np.maximum(load, volume))
        return makespan

    def fits(self, copies: npt.NDArray[np.int64], circuits: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_] | np.bool_:
        """Return whether there is a qubit for everyone, where qubits do not pass on; arguments as above."""
        if self._space is None:
            return np.bool_(True)
        alone = (copies @ self._uses[circuits]).max(axis=-1) <= 1
        fits: npt.NDArray[np.bool_] = alone & (copies @ self._qubits[circuits] <= self._space)
        return fits

    def least_s(self, circuits: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
        """Return what one copy of each circuit costs at least, in seconds: a share of a full batch, or a batch alone."""
        least: npt.NDArray[np.float64] = np.minimum(self._volume, self._length)[circuits]
        return least


def room_of(target: Target, options: HaloOptions) -> Room:
    """Return what a device offers under ``options``."""
    device = DeviceModel(target, options.exclude_qubits)
    reset_s = _typical(device)["reset"]
    usable = max(1, int(device.usable_qubits.sum()))
    space = None
    if options.sharing == "none" or not device.has_reset:
        space = max(1, int(usable * SPACE_EFFICIENCY))
    elif options.sharing == "helpers":
        space = usable
    return Room(num_qubits=usable, reset_s=reset_s, handover_s=options.resets * reset_s, space=space)


def estimate_program(circuit: QuantumCircuit, target: Target) -> ProgramEstimate:
    """Return a rough estimate for a circuit that is not compiled: typical durations, no routing.

    It costs microseconds an operation. A compiled circuit's report gives better ones: see :func:`measured_estimates`.
    """
    seconds = _typical(DeviceModel(target))
    spans: dict[Qubit, tuple[float, float]] = {}
    length = _walk(circuit, seconds, spans)
    return ProgramEstimate(
        num_qubits=max(1, len(spans)),
        length_s=length,
        busy_s=sum(stop - start for start, stop in spans.values()),
    )


def measured_estimates(report: HaloReport) -> list[ProgramEstimate]:
    """Return what each program of a compiled batch takes, in the order of the batch."""
    busy_s: dict[int, float] = {}
    for lease in report.leases:
        if lease.kind == "program" and lease.program is not None:
            busy_s[lease.program] = busy_s.get(lease.program, 0.0) + lease.stop_s - lease.start_s
    return [
        ProgramEstimate(
            num_qubits=max(1, len(program.qubits)), length_s=program.length_s, busy_s=busy_s.get(program.index, 0.0)
        )
        for program in report.programs
        if program.index is not None
    ]


def estimate_fixed(circuit: QuantumCircuit, target: Target) -> ProgramEstimate:
    """Return exactly what an ISA circuit takes on its own qubits."""
    device = DeviceModel(target)
    small, home = compact(circuit)
    timing, _, _ = time_on(small.data, sites_of(small), home, device)
    busy_s = {q: (stop - start) * device.dt_s for q, (start, stop) in zip(home, timing.busy_dt, strict=True)}
    return ProgramEstimate(
        num_qubits=max(1, len(home)),
        length_s=timing.length_dt * device.dt_s,
        busy_s=sum(busy_s.values()),
        fixed=busy_s,
    )


def _typical(device: DeviceModel) -> dict[str, float]:
    if not device.has_durations:
        return dict(TYPICAL_S)
    typical = {**TYPICAL_S, "dt": device.dt_s}
    widths: dict[str, list[float]] = {"one": [], "two": []}
    for name, table in device.gates.items():
        known = table.duration_dt[np.isfinite(table.duration_dt) & (table.duration_dt > 0)]
        if not len(known):
            continue
        median_s = float(np.median(known)) * device.dt_s
        if name in ("measure", "reset"):
            typical[name] = median_s
        else:
            widths["one" if table.error.ndim == 1 else "two"].append(median_s)
    typical |= {width: min(found) for width, found in widths.items() if found}
    if "reset" not in device.gates:
        typical["reset"] = typical["measure"]
    return typical


def _walk(circuit: QuantumCircuit, seconds: Mapping[str, float], spans: dict[Qubit, tuple[float, float]]) -> float:
    """Fill ``spans`` with when each qubit is busy, all operations as soon as they can; return the end."""
    ready: dict[object, float] = {}
    for instruction in circuit.data:
        if instruction.name == "barrier":
            start = max((ready.get(qubit, 0.0) for qubit in instruction.qubits), default=0.0)
            ready |= dict.fromkeys(instruction.qubits, start)
            continue
        resources = (*instruction.qubits, *instruction.clbits)
        start = max((ready.get(resource, 0.0) for resource in resources), default=0.0)
        stop = start + _duration(instruction, seconds)
        ready |= dict.fromkeys(resources, stop)
        for qubit in instruction.qubits:
            spans[qubit] = (spans.get(qubit, (start, stop))[0], stop)
    return max((stop for _, stop in spans.values()), default=0.0)


def _duration(instruction: CircuitInstruction, seconds: Mapping[str, float]) -> float:
    if instruction.name in ("measure", "reset"):
        return seconds[instruction.name]
    if instruction.name == "rz":
        return 0.0  # a change of frame on every device that has it
    if not instruction.is_standard_gate():
        operation = instruction.operation
        if instruction.name == "delay":
            return _delay_s(operation, seconds["dt"])
        if instruction.is_control_flow():
            return max((_walk(block, seconds, {}) for block in operation.blocks), default=0.0)
        definition = getattr(operation, "definition", None)
        if definition is not None and definition.data:
            return _walk(definition, seconds, {})
    width = len(instruction.qubits)
    if width < 2:
        return seconds["one"] * width
    return seconds["two"] * (1 + TWO_QUBIT_GATES_OF_A_WIDE_ONE * (width - 2))


def _delay_s(delay: Instruction, dt_s: float) -> float:
    units = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9, "ps": 1e-12, "dt": dt_s}
    duration = delay.duration
    return float(duration) * units.get(delay.unit, 0.0) if isinstance(duration, (int, float)) else 0.0
