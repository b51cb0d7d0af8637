"""Which segments of a circuit can be active at the same time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from qiskit.circuit import Delay
from qiskit.transpiler import Target

from qiskit_halo.verification._components import CutCircuit
from qiskit_halo.verification._steps import Step

Overlap = Callable[[int, int], bool]

_SECONDS = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9, "ps": 1e-12}
#: Times are whole femtoseconds, so that sums of equal durations compare equal.
_PER_SECOND = 1e15


def find_overlaps(cut: CutCircuit, target: Target, num_wires: int, num_clbits: int) -> tuple[str, Overlap]:
    """Return how times are known, and a test whether two segments can be active at once.

    ``"exact"``: every duration is known and there is no control flow, so operations start as soon as possible.
    ``"order only"``: otherwise. Two segments then count as active at once unless the order of operations makes one
    end before the other starts, whatever the durations are.
    """
    intervals = _schedule(cut, target, num_wires, num_clbits)
    if intervals is not None:
        spans = intervals

        def overlap_in_time(first: int, second: int) -> bool:
            return spans[first][0] < spans[second][1] and spans[second][0] < spans[first][1]

        return "exact", overlap_in_time
    before = _finished_before(cut, num_wires, num_clbits)

    def overlap_in_order(first: int, second: int) -> bool:
        return not (before[first] >> second & 1 or before[second] >> first & 1)

    return "order only", overlap_in_order


def _schedule(cut: CutCircuit, target: Target, num_wires: int, num_clbits: int) -> list[tuple[int, int]] | None:
    """Return start and end of each segment in an as-soon-as-possible schedule, or ``None`` if times are unknown."""
    wire_free = [0] * num_wires
    clbit_free = [0] * num_clbits
    starts: dict[int, int] = {}
    stops: dict[int, int] = {}
    durations: dict[tuple[str, tuple[int, ...]], int | None] = {}
    for index, step in enumerate(cut.steps):
        if step.kind == "delay":
            length = _delay_length(step.source.operation, target)
        elif step.kind == "barrier" or not step.qubits:
            length = 0
        else:
            key = (step.name, step.qubits)
            if key not in durations:
                durations[key] = _gate_length(step, target)
            length = durations[key]
        if length is None:
            return None
        start = max((wire_free[wire] for wire in step.qubits), default=0)
        for clbit in step.writes:
            start = max(start, clbit_free[clbit])
        stop = start + length
        for wire in step.qubits:
            wire_free[wire] = stop
        for clbit in step.writes:
            clbit_free[clbit] = stop
        for segment in cut.of_step[index]:
            starts.setdefault(segment, start)
            stops[segment] = stop
    return [(starts[segment], max(stops[segment], starts[segment] + 1)) for segment in range(len(cut.segments))]


def _gate_length(step: Step, target: Target) -> int | None:
    if step.name not in target.operation_names:
        return None
    properties = target[step.name].get(step.qubits)
    if properties is None or properties.duration is None:
        return None
    return round(float(properties.duration) * _PER_SECOND)


def _delay_length(operation: Any, target: Target) -> int | None:
    assert isinstance(operation, Delay)
    if operation.unit == "dt":
        return None if target.dt is None else round(operation.duration * float(target.dt) * _PER_SECOND)
    if operation.unit in _SECONDS:
        return round(float(operation.duration) * _SECONDS[operation.unit] * _PER_SECOND)
    return None


def _finished_before(cut: CutCircuit, num_wires: int, num_clbits: int) -> list[int]:
    """Return, for each segment, the set (bit set) of segments that have surely ended when it starts."""
    wire_knows = [0] * num_wires
    clbit_knows = [0] * num_clbits
    before = [0] * len(cut.segments)
    for index, step in enumerate(cut.steps):
        clbits = (*step.reads, *step.writes)
        known = 0
        for wire in step.qubits:
            known |= wire_knows[wire]
        for clbit in clbits:
            known |= clbit_knows[clbit]
        for segment in cut.of_step[index]:
            if cut.segments[segment].first == index:
                before[segment] = known
        for segment in cut.of_step[index]:
            if cut.segments[segment].last == index:
                known |= 1 << segment
        for wire in step.qubits:
            wire_knows[wire] = known
        for clbit in clbits:
            clbit_knows[clbit] = known
    return before
