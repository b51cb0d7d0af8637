"""What the pieces of a timeline lose to each other, by the exact times of their operations."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Literal

import numpy as np
import numpy.typing as npt

from qiskit_halo.device.crosstalk import MOST_ERROR, Coupler, CrosstalkModel
from qiskit_halo.device.model import DeviceModel, FloatArray
from qiskit_halo.fragments.activity import find_activity
from qiskit_halo.placement.handover import reset_dt, round_dt
from qiskit_halo.timeline.timeline import Timeline

IntArray = npt.NDArray[np.int64]

NOBODY = 0
"""Program of the resets of hand-overs, which disturb everybody."""


def crosstalk_loss(timeline: Timeline, device: DeviceModel, model: CrosstalkModel) -> FloatArray:
    """Return the log of what each piece loses because others run beside it, shape (num_pieces,), each at most 0.

    A two-qubit gate has the largest of the factors whose coupler another program drives at any moment of the gate. A live
    qubit pays for every measurement and reset of a neighbour that another program, or any hand-over, makes meanwhile.
    Pieces of one program do not disturb each other; pieces without an owner are programs of their own.

    Args:
        timeline: When everything runs.
        device: The device.
        model: What disturbs what.
    """
    coupler_index = {coupler: i for i, coupler in enumerate(dict.fromkeys((*model.disturbed_by, *model.disturbs)))}
    gates: list[tuple[int, int, int, int, int]] = []  # coupler, program, start, stop, piece
    weights: list[tuple[float, int]] = []  # error, times
    reads: list[tuple[int, int, int, int, int]] = []  # qubit, program, start, stop, times
    lives: list[tuple[int, int, int, int, int]] = []  # qubit, program, start, stop, piece
    programs: dict[Hashable, int] = {}
    for index, timed in enumerate(timeline.pieces):
        program = programs.setdefault(timed.piece.owners or ("anonymous", index), NOBODY + 1 + len(programs))
        activity = find_activity(timed.instructions, timed.sites, timed.timing)
        zero, qubits = timed.start_dt, timed.qubits
        for name, first, second, start, stop, times in activity.gates:
            a, b = qubits[first], qubits[second]
            coupler = coupler_index.get((min(a, b), max(a, b)))
            if coupler is not None:
                gates.append((coupler, program, zero + start, zero + stop, index))
                weights.append((model.error(name, a, b), times))
        reads += [(qubits[s], program, zero + start, zero + stop, times) for s, start, stop, times in activity.reads]
        lives += [(qubits[s], program, zero + start, zero + stop, index) for s, start, stop in activity.alive]
    length, step = reset_dt(device).tolist(), round_dt(device).tolist()
    for handover in timeline.handovers:
        for number in range(handover.rounds):
            start = handover.start_dt + number * step[handover.qubit]
            reads.append((handover.qubit, NOBODY, start, start + length[handover.qubit], 1))
    loss = _gate_loss(_columns(gates), weights, coupler_index, model, len(timeline.pieces))
    if model.log_read:
        loss += model.log_read * _num_reads(_columns(reads), _columns(lives), model, len(timeline.pieces))
    return loss


def _gate_loss(
    gates: IntArray,
    weights: list[tuple[float, int]],
    coupler_index: dict[Coupler, int],
    model: CrosstalkModel,
    num_pieces: int,
) -> FloatArray:
    couplers, programs, starts, stops, pieces = gates
    others = Overlaps(couplers, programs, starts, stops)
    factor = np.ones(len(couplers))
    by_coupler = _groups(couplers, len(coupler_index))
    for victim, disturbing in model.disturbed_by.items():
        rows = by_coupler[coupler_index[victim]]
        for other, times_worse in disturbing if len(rows) else ():
            place = np.full(len(rows), coupler_index[other])
            met = others.count(place, programs[rows], starts[rows], stops[rows]) > 0
            factor[rows] = np.where(met, np.maximum(factor[rows], times_worse), factor[rows])
    error, times = np.array(weights, dtype=np.float64).reshape(-1, 2).T
    disturbed = (factor > 1) & (error < MOST_ERROR)
    error = np.where(disturbed, error, 0.0)
    log_lost = np.log1p(-np.minimum(error * factor, MOST_ERROR)) - np.log1p(-error)
    total = np.zeros(num_pieces)
    np.add.at(total, pieces, times * log_lost)
    return total


def _num_reads(reads: IntArray, lives: IntArray, model: CrosstalkModel, num_pieces: int) -> FloatArray:
    """Return for each piece how many foreign readouts its live qubits are next to."""
    qubits, programs, starts, stops, pieces = lives
    others = Overlaps(*reads)
    num_near = np.array([len(near) for near in model.neighbours], dtype=np.int64)
    rows = np.repeat(np.arange(len(qubits)), num_near[qubits])
    near = np.array([other for qubit in qubits.tolist() for other in model.neighbours[qubit]], dtype=np.int64)
    total = np.zeros(num_pieces)
    np.add.at(total, pieces[rows], others.count(near, programs[rows], starts[rows], stops[rows]))
    return total


class Overlaps:
    """Intervals at places, each of a program; tells how many of others overlap a given one.

    Args:
        places: int64, shape (num_intervals,), not negative.
        programs: Same shape, not negative.
        starts: Same shape: first tick.
        stops: Same shape: end (half-open); intervals that take no time overlap nothing.
        times: Same shape: how often each counts; once by default.
    """

    def __init__(
        self, places: IntArray, programs: IntArray, starts: IntArray, stops: IntArray, times: IntArray | None = None
    ) -> None:
        kept = stops > starts
        times = np.ones_like(starts) if times is None else times
        self._num_programs = int(programs.max(initial=0)) + 1
        self._all = _Sorted(places[kept], starts[kept], stops[kept], times[kept])
        self._own = _Sorted((places * self._num_programs + programs)[kept], starts[kept], stops[kept], times[kept])

    def count(self, places: IntArray, programs: IntArray, starts: IntArray, stops: IntArray) -> IntArray:
        """Return for each interval asked for how many at its place, of other programs, overlap it."""
        known = programs < self._num_programs
        own = self._own.count(places * self._num_programs + np.where(known, programs, 0), starts, stops)
        found = self._all.count(places, starts, stops) - np.where(known, own, 0)
        return np.where(stops > starts, found, 0)


class _Sorted:
    def __init__(self, keys: IntArray, starts: IntArray, stops: IntArray, times: IntArray) -> None:
        self._first = int(starts.min(initial=0))
        self._span = int(stops.max(initial=0)) - self._first + 1
        self._ends = [self._rank(keys, ticks, times) for ticks in (starts, stops)]

    def count(self, keys: IntArray, starts: IntArray, stops: IntArray) -> IntArray:
        # Those that begin before the end, without those that have ended by the start.
        starting, ending = self._ends
        return self._up_to(*starting, keys, stops, "left") - self._up_to(*ending, keys, starts, "right")

    def _rank(self, keys: IntArray, ticks: IntArray, times: IntArray) -> tuple[IntArray, IntArray]:
        combined = keys * (self._span + 1) + ticks - self._first
        order = np.argsort(combined, kind="stable")
        return combined[order], np.concatenate([[0], np.cumsum(times[order])])

    def _up_to(
        self, combined: IntArray, total: IntArray, keys: IntArray, ticks: IntArray, side: Literal["left", "right"]
    ) -> IntArray:
        """Return how many with each key come before its tick."""
        base = keys * (self._span + 1)
        offset = np.clip(ticks - self._first, 0, self._span)
        before = np.searchsorted(combined, base + offset, side=side)
        result: IntArray = total[before] - total[np.searchsorted(combined, base)]
        return result


def _groups(values: IntArray, count: int) -> list[IntArray]:
    """Return the positions of each value from 0 to ``count``."""
    order = np.argsort(values, kind="stable")
    return np.split(order, np.searchsorted(values[order], np.arange(1, count)))


def _columns(rows: list[tuple[int, int, int, int, int]]) -> IntArray:
    return np.array(rows, dtype=np.int64).reshape(-1, 5).T
