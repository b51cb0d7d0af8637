"""Predicted success of a compiled body on physical qubits: gates, readout, resets and idling.

The model is the product of (1 - error) over gates and readouts, of a reset's chance to leave |0>, and of
F_idle(t) = (1 + exp(-t/T1) + 2 exp(-t/T2)) / 4 over every gap of a live qubit. It works in sums of logarithms and
scores many places at once.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from qiskit.circuit import CONTROL_FLOW_OP_NAMES, CircuitInstruction

from qiskit_halo.device.model import DeviceModel, FloatArray
from qiskit_halo.fragments.durations import rounds_of
from qiskit_halo.fragments.timing import Timing

IntArray = npt.NDArray[np.int64]

FLIP_GATES = 4
"""One-qubit gates that turning a directed gate round costs (measured for ``ecr``: four ``sx`` more)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """What a body asks of its sites: everything that its predicted success depends on.

    Args:
        one_qubit: (operation, site, times).
        two_qubit: (operation, first site, second site, times).
        resets: (site, rounds in a row, times).
        gaps: (site, seconds) that a site idles between two of its operations while alive.
    """

    one_qubit: tuple[tuple[str, int, int], ...]
    two_qubit: tuple[tuple[str, int, int, int], ...]
    resets: tuple[tuple[int, int, int], ...]
    gaps: tuple[tuple[int, float], ...]

    def log_success(self, device: DeviceModel, places: IntArray) -> FloatArray:
        """Return the log of the predicted success on each of ``places``.

        Args:
            device: The device.
            places: int64, shape (num_places, num_sites): physical qubit of each site.

        Returns:
            Shape (num_places,); minus infinity where a place lacks an operation or uses a dead one.
        """
        total = np.zeros(len(places))
        for name, site, times in self.one_qubit:
            total += times * device.gates[name].log_success[places[:, site]]
        for name, first, second, times in self.two_qubit:
            total += times * self._two_qubit(device, name, places[:, first], places[:, second])
        for site, rounds, times in self.resets:
            total += times * device.log_reset_success(rounds)[places[:, site]]
        if self.gaps:
            sites, seconds = zip(*self.gaps, strict=True)
            qubits = places[:, sites]
            total += log_idle(np.array(seconds), device.t1_s[qubits], device.t2_s[qubits]).sum(axis=1)
        return total

    def log_success_on(self, device: DeviceModel, physical: Sequence[int]) -> float:
        """Return :meth:`log_success` of one place, to the last bit; an array of one number is slow to work with.

        Args:
            device: The device.
            physical: Physical qubit of each site.
        """
        total = 0.0
        for name, site, times in self.one_qubit:
            total += times * device.gates[name].log_success.item(physical[site])
        for name, first, second, times in self.two_qubit:
            a, b = physical[first], physical[second]
            log = device.gates[name].log_success.item(a, b)
            if log == -math.inf:
                log = self._two_qubit(device, name, np.array([a]), np.array([b])).item()
            total += times * log
        for site, rounds, times in self.resets:
            total += times * device.log_reset_success(rounds).item(physical[site])
        if self.gaps:
            # Numbers in a row are added up in an order of their own.
            waits = replace(self, one_qubit=(), two_qubit=(), resets=())
            total += waits.log_success(device, np.array([physical], dtype=np.int64)).item()
        return total

    def log_success_of_short_waits(self, device: DeviceModel, places: IntArray) -> FloatArray:
        """Return about :meth:`log_success`: as if each gap cost in proportion to its length, which is much less work."""
        waits = np.zeros(places.shape[1])
        for site, seconds in self.gaps:
            waits[site] += seconds
        gates: FloatArray = replace(self, gaps=()).log_success(device, places)
        return gates - idle_loss(device)[places] @ waits

    def restricted(self, sites: Sequence[int]) -> Workload:
        """Return what falls on ``sites`` alone, renumbered 0, 1, ... in the order given."""
        local = {site: index for index, site in enumerate(sites)}
        return Workload(
            one_qubit=tuple((n, local[s], times) for n, s, times in self.one_qubit if s in local),
            two_qubit=tuple((n, local[a], local[b], times) for n, a, b, times in self.two_qubit if a in local),
            resets=tuple((local[s], rounds, times) for s, rounds, times in self.resets if s in local),
            gaps=tuple((local[s], seconds) for s, seconds in self.gaps if s in local),
        )

    def _two_qubit(self, device: DeviceModel, name: str, first: IntArray, second: IntArray) -> FloatArray:
        table = device.gates[name]
        log_forward: FloatArray = table.log_success[first, second]
        if np.isfinite(log_forward).all():
            return log_forward
        flipped = np.isnan(table.error[first, second]) & ~np.isnan(table.error[second, first])
        if not flipped.any():
            return log_forward
        flip = FLIP_GATES / 2 * (_pulse_log(device)[first] + _pulse_log(device)[second])
        return np.where(flipped, table.log_success[second, first] + flip, log_forward)


LiveGap: TypeAlias = tuple[int, int | None, int, bool]
"""A stretch of time that a site idles while alive, told by the operations around it; plain, since a body has very many.

Site, since, until, through: which site; the index of the operation whose end begins it, ``None`` for the start of ``until``
itself; the index of the operation that ends it; whether it lasts until the end of ``until``, which is itself waiting, rather
than until its start.
"""


def find_live_gaps(
    instructions: Sequence[CircuitInstruction], sites: Sequence[Sequence[int]], num_sites: int
) -> list[LiveGap]:
    """Return every gap of every site, in the order of the operations that end them.

    A delay is waiting that the user asked for: it decoheres like any other. Inside a branch or loop a qubit mostly
    waits for the measurement's value, so all of it counts.
    """
    gaps: list[LiveGap] = []
    last: list[int | None] = [None] * num_sites
    was_reset = [False] * num_sites
    for index, (instruction, where) in enumerate(zip(instructions, sites, strict=True)):
        name = instruction.name
        if name == "barrier":
            continue
        is_delay = name == "delay"
        if name == "reset":
            for site in where:
                was_reset[site] = True
                last[site] = index
            continue
        branches = instruction.is_control_flow()
        for site in where:
            since = last[site]
            if was_reset[site]:
                # What is reset does not remember; the wait after it is spent in |0>.
                was_reset[site] = False
                since = last[site] = None
            if since is not None:
                gaps.append((site, since, index, is_delay))
            if branches:
                gaps.append((site, None, index, True))
            if not is_delay or since is not None:
                last[site] = index
    return gaps


def measure_workload(
    instructions: Sequence[CircuitInstruction],
    sites: Sequence[Sequence[int]],
    timing: Timing,
    num_sites: int,
    device: DeviceModel,
) -> Workload:
    """Return what scheduled ``instructions`` ask of their sites.

    Branches count as if each were taken, loops by their rounds: a bound, since what runs is known only on the device.

    Args:
        instructions: The body, in order.
        sites: Sites of each instruction.
        timing: Its start times.
        num_sites: Number of sites.
        device: The device, for its tick.
    """
    names = [instruction.name for instruction in instructions]
    one, two = _gate_counts(instructions, names, sites, device)
    gaps = find_live_gaps(instructions, sites, num_sites) if device.has_durations else []
    waits = []
    starts, durations = timing.start_dt, timing.duration_dt
    for site, since, until, through in gaps:
        begin = starts[until]
        end = begin + durations[until] if through else begin
        if since is not None:
            begin = starts[since] + durations[since]
        if end > begin:
            waits.append((site, (end - begin) * device.dt_s))
    return Workload(
        one_qubit=tuple([(name, site, times) for (name, site), times in one.items()]),
        two_qubit=tuple([(name, a, b, times) for (name, a, b), times in two.items()]),
        resets=_reset_counts(names, sites, num_sites) if "reset" in names else (),
        gaps=tuple(waits),
    )


def _reset_counts(
    names: Sequence[str], sites: Sequence[Sequence[int]], num_sites: int
) -> tuple[tuple[int, int, int], ...]:
    """Return (site, rounds in a row, times) of the resets that something follows."""
    resets: Counter[tuple[int, int]] = Counter()
    rounds = [0] * num_sites
    for name, where in zip(names, sites, strict=True):
        if name == "barrier":
            continue
        for site in where:
            if name == "reset":
                rounds[site] += 1
            elif rounds[site]:
                resets[site, rounds[site]] += 1
                rounds[site] = 0
    return tuple((site, n, times) for (site, n), times in resets.items())


def _gate_counts(
    instructions: Sequence[CircuitInstruction],
    names: Sequence[str],
    sites: Sequence[Sequence[int]],
    device: DeviceModel,
) -> tuple[Counter[tuple[str, int]], Counter[tuple[str, int, int]]]:
    """Return how often each operation of the device is on each site, and on each pair of sites, in order of first use."""
    one: Counter[tuple[str, int]] = Counter()
    two: Counter[tuple[str, int, int]] = Counter()
    if not CONTROL_FLOW_OP_NAMES.isdisjoint(names):
        for instruction, where in zip(instructions, sites, strict=True):
            _count(instruction, where, device, one, two)
        return one, two
    # Counting equal tuples is one call, where a loop would take several for each operation.
    for (name, where), times in Counter(zip(names, map(tuple, sites), strict=True)).items():
        if name == "reset" or name not in device.gates:
            continue
        if len(where) == 1:
            one[name, where[0]] = times
        elif len(where) == 2:
            two[name, where[0], where[1]] = times
    return one, two


def idle_loss(device: DeviceModel) -> FloatArray:
    """Return how much log success each qubit loses a second in a short wait: (1/T1 + 2/T2) / 4."""
    return 0.25 / device.t1_s + 0.5 / device.t2_s


def log_idle(seconds: float | FloatArray, t1_s: FloatArray, t2_s: FloatArray) -> FloatArray:
    """Return log((1 + exp(-t/T1) + 2 exp(-t/T2)) / 4), the fidelity of idling for t seconds."""
    result: FloatArray = np.log((1 + np.exp(-seconds / t1_s) + 2 * np.exp(-seconds / t2_s)) / 4)
    return result


def _count(
    instruction: CircuitInstruction,
    where: Sequence[int],
    device: DeviceModel,
    one: Counter[tuple[str, int]],
    two: Counter[tuple[str, int, int]],
    times: int = 1,
) -> None:
    if instruction.is_control_flow():
        operation = instruction.operation
        for block in operation.blocks:
            index = {qubit: i for i, qubit in enumerate(block.qubits)}
            for inner in block.data:
                _count(inner, [where[index[q]] for q in inner.qubits], device, one, two, times * rounds_of(operation))
        return
    name = instruction.name
    table = device.gates.get(name)
    if table is None or name == "reset":
        return
    if len(where) == 1:
        one[name, where[0]] += times
    elif len(where) == 2:
        two[name, where[0], where[1]] += times


def _pulse_log(device: DeviceModel) -> FloatArray:
    """Log success of an ordinary pulse on each qubit: the worst of the one-qubit gates it has, readout apart."""
    logs = [
        np.where(np.isnan(table.error), 0.0, table.log_success)
        for name, table in device.gates.items()
        if table.error.ndim == 1 and name not in ("measure", "reset")
    ]
    return np.min(logs, axis=0) if logs else np.zeros(device.num_qubits)
