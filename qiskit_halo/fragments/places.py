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
from qiskit_halo.fragments.measure import places_of, sites_of
from qiskit_halo.fragments.success import Workload, find_live_gaps, log_idle
from qiskit_halo.fragments.timing import TimedOperation, movable, timed_operations

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]


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
        self._sites = places_of(self._data, circuit.qubits)
        self._steps = timed_operations(self._data, self._sites, [0] * len(self._data))
        self._last = {qubit: index for index, step in enumerate(self._steps) for qubit in step.qubits}
        self._moves = movable(self._steps)
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
        columns = [places[:, site] for site in range(self._num_sites)]
        zero = np.zeros(len(places), dtype=np.int64)
        durations = _lengths(self._data, self._sites, columns, self._device, zero)
        starts, stops = _as_soon_as_possible(self._steps, durations, zero, self._device.alignment)
        first = self._delay(starts, stops, durations, zero)
        # The operations of a qubit follow each other: the first begins it, the last ends it.
        zeroth = np.minimum.reduce([*first.values()]) if first else zero
        begin = {site: first[site] - zeroth for site in self._last}
        end = {site: stops[index] - zeroth for site, index in self._last.items()}
        alone = [stops[index] - zeroth for index, step in enumerate(self._steps) if not step.qubits]
        gates = self._gates.restricted(chosen).log_success(self._device, places[:, chosen])
        return PlaceTable(
            busy_start_dt=_side_by_side([begin.get(site, zero) for site in chosen], len(places)),
            busy_stop_dt=_side_by_side([end.get(site, zero) for site in chosen], len(places)),
            length_dt=np.maximum.reduce([zero, *end.values(), *alone]),
            log_success=gates + self._log_idle(columns, starts, stops, dict.fromkeys(chosen)),
        )

    def _delay(
        self, starts: list[IntArray], stops: list[IntArray], durations: Sequence[IntArray], zero: IntArray
    ) -> dict[Hashable, IntArray]:
        """Move operations later, in place, and return when the first one of each resource starts.

        See :func:`~qiskit_halo.fragments.timing.schedule`, which this repeats on arrays. An operation without resources is one
        of its own.
        """
        alignment = self._device.alignment
        next_start: dict[Hashable, IntArray] = {}
        for index in range(len(self._steps) - 1, -1, -1):
            qubits, others, _, _ = self._steps[index]
            resources: tuple[Hashable, ...] = qubits + others if others else qubits
            if index in self._moves:
                limits = [next_start[resource] for resource in resources if resource in next_start]
                if limits:
                    latest = np.minimum.reduce(limits) - durations[index]
                    starts[index] = np.maximum(starts[index], latest // alignment * alignment)
                    stops[index] = starts[index] + durations[index]
            for resource in resources or (("alone", index),):
                next_start[resource] = starts[index]
        return next_start

    def _log_idle(
        self,
        columns: Sequence[IntArray],
        starts: Sequence[IntArray],
        stops: Sequence[IntArray],
        wanted: Mapping[int, None],
    ) -> FloatArray | float:
        begins, ends, sites = [], [], []
        for site, since, until, through in self._gaps:
            if site not in wanted:
                continue
            begin = starts[until] if since is None else stops[since]
            end = stops[until] if through else starts[until]
            # Mostly the one ends with what the other begins with, the very same array.
            if end is not begin:
                begins.append(begin)
                ends.append(end)
                sites.append(site)
        if not sites:
            return 0.0
        lengths = np.empty((len(sites), len(columns[0])), dtype=np.int64)
        for row, begin, end in zip(lengths, begins, ends, strict=True):
            np.subtract(end, begin, out=row)
        waits = (lengths > 0).any(axis=1)
        # Coherence is looked up once a site, however often it waits.
        qubits, rows = np.stack(columns), np.array(sites)[waits]
        t1_s, t2_s = self._device.t1_s[qubits][rows], self._device.t2_s[qubits][rows]
        seconds: FloatArray = lengths[waits] * np.float64(self._device.dt_s)
        total: FloatArray = log_idle(seconds, t1_s, t2_s).sum(axis=0)
        return total


def _side_by_side(columns: Sequence[IntArray], num_places: int) -> IntArray:
    return np.column_stack(columns) if columns else np.zeros((num_places, 0), dtype=np.int64)


def _as_soon_as_possible(
    steps: Sequence[TimedOperation], durations: Sequence[IntArray], zero: IntArray, alignment: int
) -> tuple[list[IntArray], list[IntArray]]:
    """Return starts and ends; who starts when one other ends, or takes no time, has the very same array there."""
    ready: dict[Hashable, IntArray] = {}
    starts, stops = [], []
    for (qubits, others, _, _), duration in zip(steps, durations, strict=True):
        resources: tuple[Hashable, ...] = qubits + others if others else qubits
        known = [ready[resource] for resource in resources if resource in ready]
        if len(known) == 2:
            start = np.maximum(*known)
        else:
            start = np.maximum.reduce(known) if known[1:] else known[0] if known else zero
        if alignment > 1:
            start = -(-start // alignment) * alignment
        stop = start if duration is zero else start + duration
        starts.append(start)
        stops.append(stop)
        for resource in resources:
            ready[resource] = stop
    return starts, stops


def _lengths(
    data: Sequence[CircuitInstruction],
    sites: Sequence[tuple[int, ...]],
    columns: Sequence[IntArray],
    device: DeviceModel,
    zero: IntArray,
) -> list[IntArray]:
    """Return the length of each instruction on each place, as :class:`Durations` does: ``zero`` itself where all are 0."""
    plain = Durations(device)
    known: dict[tuple[str, tuple[int, ...]], IntArray] = {}
    lengths = []
    for instruction, where in zip(data, sites, strict=True):
        name = instruction.name
        length = known.get((name, where))
        if length is None:
            if instruction.is_control_flow() and device.has_durations:
                length = _control_flow(instruction.operation, [columns[s] for s in where], device, zero)
            elif name in ("barrier", "delay") or not device.has_durations:
                # The same everywhere.
                length = np.full_like(zero, plain.of(instruction, where))
            else:
                length = device.durations_dt(name, [columns[s] for s in where], len(zero))
                length = known[name, where] = length if length.any() else zero
        lengths.append(length)
    return lengths


def _control_flow(
    operation: ControlFlowOp, columns: Sequence[IntArray], device: DeviceModel, zero: IntArray
) -> IntArray:
    longest = np.zeros_like(zero)
    for block in operation.blocks:
        sites = sites_of(block)
        lengths = _lengths(block.data, sites, columns, device, zero)
        steps = timed_operations(block.data, sites, [0] * len(block.data))
        for stop in _as_soon_as_possible(steps, lengths, zero, 1)[1]:
            np.maximum(longest, stop, out=longest)
    return Durations(device).of_branches(operation, longest)
