"""Time and score one body on many places of a device at once.

The same times and the same success as :func:`~qiskit_halo.fragments.measure.time_on` finds place by place, which a test
compares; here every step works on one array over all places.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from qiskit.circuit import CircuitInstruction, ControlFlowOp, QuantumCircuit

from qiskit_halo.device.model import DeviceModel
from qiskit_halo.fragments.durations import Durations
from qiskit_halo.fragments.success import Workload, find_live_gaps, log_idle
from qiskit_halo.fragments.timing import TimedOperation, savings, timed_operations

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]

_LATE = np.iinfo(np.int64).max


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceTable:
    """What a body takes and promises on each of some places.

    Args:
        busy_start_dt: int64, shape (num_places, num_sites): first tick of each site, from the start of the body.
        busy_stop_dt: Same shape: end of the last operation of each site.
        length_dt: int64, shape (num_places,).
        log_success: float64, shape (num_places,); minus infinity where a place lacks an operation.
    """

    busy_start_dt: IntArray
    busy_stop_dt: IntArray
    length_dt: IntArray
    log_success: FloatArray


class PlaceScorer:
    """One body, ready to be timed and scored on places.

    Args:
        circuit: The body; qubit s is site s.
        workload: What it asks of its sites; gaps are found anew for each place.
        device: The device.
    """

    def __init__(self, circuit: QuantumCircuit, workload: Workload, device: DeviceModel) -> None:
        self._device = device
        self._num_sites = circuit.num_qubits
        self._data = list(circuit.data)
        self._sites = _indices(circuit)
        self._steps = timed_operations(self._data, self._sites, [0] * len(self._data))
        self._saved, self._cost = savings(self._steps)
        self._gaps = find_live_gaps(self._data, self._sites, self._num_sites) if device.has_durations else []
        self._gates = Workload(
            one_qubit=workload.one_qubit, two_qubit=workload.two_qubit, resets=workload.resets, gaps=()
        )

    def table(self, places: IntArray, sites: Sequence[int] | None = None) -> PlaceTable:
        """Return times and success on each of ``places``.

        Args:
            places: int64, shape (num_places, num_sites).
            sites: Sites to report on, in this order; their share of the success is returned. All by default.
        """
        chosen = list(range(self._num_sites) if sites is None else sites)
        position = {site: index for index, site in enumerate(chosen)}
        num_places = len(places)
        columns = [places[:, site] for site in range(self._num_sites)]
        durations = _lengths(self._data, self._sites, columns, self._device, num_places)
        starts = self._starts(durations, num_places)
        stops = [start + duration for start, duration in zip(starts, durations, strict=True)]
        busy_start = np.full((num_places, len(chosen)), _LATE, dtype=np.int64)
        busy_stop = np.zeros((num_places, len(chosen)), dtype=np.int64)
        length = np.zeros(num_places, dtype=np.int64)
        for where, start, stop in zip(self._sites, starts, stops, strict=True):
            np.maximum(length, stop, out=length)
            for site in where:
                if site in position:
                    column = position[site]
                    np.minimum(busy_start[:, column], start, out=busy_start[:, column])
                    np.maximum(busy_stop[:, column], stop, out=busy_stop[:, column])
        gates = self._gates.restricted(chosen).log_success(self._device, places[:, chosen])
        return PlaceTable(
            busy_start_dt=np.where(busy_start == _LATE, 0, busy_start),
            busy_stop_dt=busy_stop,
            length_dt=length,
            log_success=gates + self._log_idle(columns, starts, stops, position),
        )

    def _starts(self, durations: Sequence[IntArray], num_places: int) -> list[IntArray]:
        """See :func:`~qiskit_halo.fragments.timing.schedule`, which this repeats on arrays."""
        alignment = self._device.alignment
        starts = _as_soon_as_possible(self._steps, durations, num_places, alignment)
        next_start: dict[Hashable, IntArray] = {}
        for index in range(len(self._steps) - 1, -1, -1):
            step = self._steps[index]
            resources = (*step.qubits, *step.others)
            limits = [next_start[resource] for resource in resources if resource in next_start]
            is_free = (step.role == "barrier" or not step.qubits) and not self._cost[index]
            if limits and (is_free or self._saved[index] > self._cost[index]):
                latest = np.minimum.reduce(limits) - durations[index]
                starts[index] = np.maximum(starts[index], latest // alignment * alignment)
            next_start.update(dict.fromkeys(resources, starts[index]))
        if not starts:
            return []
        shift = np.minimum.reduce(starts)
        return [start - shift for start in starts]

    def _log_idle(
        self,
        columns: Sequence[IntArray],
        starts: Sequence[IntArray],
        stops: Sequence[IntArray],
        wanted: Mapping[int, int],
    ) -> FloatArray | float:
        lengths, sites = [], []
        for site, since, until, through in self._gaps:
            if site not in wanted:
                continue
            begin = starts[until] if since is None else stops[since]
            end = stops[until] if through else starts[until]
            if (end > begin).any():
                lengths.append(end - begin)
                sites.append(columns[site])
        if not lengths:
            return 0.0
        qubits = np.stack(sites)
        total: FloatArray = log_idle(
            np.stack(lengths) * self._device.dt_s, self._device.t1_s[qubits], self._device.t2_s[qubits]
        ).sum(axis=0)
        return total


def _indices(circuit: QuantumCircuit) -> list[tuple[int, ...]]:
    index = {qubit: i for i, qubit in enumerate(circuit.qubits)}
    return [tuple(index[qubit] for qubit in instruction.qubits) for instruction in circuit.data]


def _as_soon_as_possible(
    steps: Sequence[TimedOperation], durations: Sequence[IntArray], num_places: int, alignment: int
) -> list[IntArray]:
    ready: dict[Hashable, IntArray] = {}
    zero = np.zeros(num_places, dtype=np.int64)
    starts = []
    for step, duration in zip(steps, durations, strict=True):
        resources = (*step.qubits, *step.others)
        known = [ready[resource] for resource in resources if resource in ready]
        start = np.maximum.reduce(known) if len(known) > 1 else known[0] if known else zero
        if alignment > 1:
            start = -(-start // alignment) * alignment
        starts.append(start)
        ready.update(dict.fromkeys(resources, start + duration))
    return starts


def _lengths(
    data: Sequence[CircuitInstruction],
    sites: Sequence[Sequence[int]],
    columns: Sequence[IntArray],
    device: DeviceModel,
    num_places: int,
) -> list[IntArray]:
    """Return the length of each instruction on each place, shape (num_places,) each; see :class:`Durations`."""
    plain = Durations(device)
    known: dict[tuple[object, ...], IntArray] = {}
    lengths = []
    for instruction, where in zip(data, sites, strict=True):
        name = instruction.name
        if instruction.is_control_flow() and device.has_durations:
            lengths.append(_control_flow(instruction.operation, [columns[s] for s in where], device, num_places))
        elif name in ("barrier", "delay") or not device.has_durations:
            # The same everywhere.
            lengths.append(np.full(num_places, plain.of(instruction, where), dtype=np.int64))
        else:
            key = (name, *where)
            if key not in known:
                known[key] = device.durations_dt(name, [columns[s] for s in where], num_places)
            lengths.append(known[key])
    return lengths


def _control_flow(
    operation: ControlFlowOp, columns: Sequence[IntArray], device: DeviceModel, num_places: int
) -> IntArray:
    longest = np.zeros(num_places, dtype=np.int64)
    for block in operation.blocks:
        sites = _indices(block)
        lengths = _lengths(block.data, sites, columns, device, num_places)
        steps = timed_operations(block.data, sites, [0] * len(block.data))
        for start, length in zip(_as_soon_as_possible(steps, lengths, num_places, 1), lengths, strict=True):
            np.maximum(longest, start + length, out=longest)
    return Durations(device).of_branches(operation, longest)
