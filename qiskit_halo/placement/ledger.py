"""Who drives which coupler and reads which qubit when, so that the price of one more piece can be told.

An upper bound of what exact times give: all gates of a piece on one coupler count as disturbed if any moment between the
first and the last of them is. So whoever keeps a floor by this book keeps it.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from qiskit_halo.device.crosstalk import Coupler, CrosstalkModel, disturbed_log
from qiskit_halo.fragments.activity import Activity


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """What the sites of a piece do, in units of time from its start.

    Args:
        drives: (lower site, higher site, start, stop, gates) for each pair, a gate being (operation, first site, second
            site, times).
        reads: (site, start, stop, times) of measurements and of the piece's own resets.
        handovers: The same of the resets that come before a lease.
        alive: (site, start, stop).
    """

    drives: tuple[tuple[int, int, int, int, tuple[tuple[str, int, int, int], ...]], ...]
    reads: tuple[tuple[int, int, int, int], ...]
    handovers: tuple[tuple[int, int, int, int], ...]
    alive: tuple[tuple[int, int, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Footprint:
    """An outline on physical qubits.

    Args:
        drives: (coupler, start, stop, gates), a gate being (error, times); only couplers that the table names.
        reads: (qubit, start, stop, times) of all measurements and resets.
        alive: (qubit, start, stop).
        handover_log: For each qubit in the outline's hand-overs, the log of what these cost the piece itself.
    """

    drives: tuple[tuple[Coupler, int, int, tuple[tuple[float, int], ...]], ...]
    reads: tuple[tuple[int, int, int, int], ...]
    alive: tuple[tuple[int, int, int], ...]
    handover_log: tuple[tuple[int, float], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """What a piece costs and pays at some start.

    Args:
        suffered: Log of what it loses, at most 0.
        inflicted: (holder, log of what that one loses); a holder may come more than once.
        clear_at: First later start at which one of the overlaps that cost something is gone; ``None`` without any.
    """

    suffered: float
    inflicted: tuple[tuple[Hashable, float], ...]
    clear_at: int | None


def outline(activity: Activity, handovers_dt: Sequence[tuple[int, int, int, int]], unit_dt: int = 1) -> Outline:
    """Return the outline of a piece, rounded outwards to units of ``unit_dt`` ticks.

    Args:
        activity: What it does.
        handovers_dt: (site, start, stop, rounds) of the resets that come before its leases.
        unit_dt: Ticks of one unit.
    """
    spans: dict[tuple[int, int], tuple[int, int]] = {}
    gates: dict[tuple[int, int], dict[tuple[str, int, int], int]] = {}
    for name, first, second, start, stop, times in activity.gates:
        pair = (min(first, second), max(first, second))
        known = spans.get(pair, (start, stop))
        spans[pair] = (min(known[0], start), max(known[1], stop))
        own = gates.setdefault(pair, {})
        own[name, first, second] = own.get((name, first, second), 0) + times
    return Outline(
        drives=tuple(
            (*pair, start // unit_dt, -(-stop // unit_dt), tuple((*gate, n) for gate, n in gates[pair].items()))
            for pair, (start, stop) in spans.items()
        ),
        reads=tuple((site, start // unit_dt, -(-stop // unit_dt), n) for site, start, stop, n in activity.reads),
        handovers=tuple((site, start // unit_dt, -(-stop // unit_dt), n) for site, start, stop, n in handovers_dt),
        alive=tuple((site, start // unit_dt, -(-stop // unit_dt)) for site, start, stop in activity.alive),
    )


def footprint(own: Outline, qubits: dict[int, int], model: CrosstalkModel) -> Footprint:
    """Return ``own`` where each site lies on its physical qubit; sites that ``qubits`` lacks are left out."""
    drives = []
    for first, second, start, stop, gates in own.drives:
        if first in qubits:
            a, b = qubits[first], qubits[second]
            coupler = (min(a, b), max(a, b))
            if coupler in model.disturbed_by or coupler in model.disturbs:
                errors = tuple((model.error(name, qubits[i], qubits[j]), times) for name, i, j, times in gates)
                drives.append((coupler, start, stop, errors))
    if not model.log_read:
        return Footprint(drives=tuple(drives), reads=(), alive=(), handover_log=())
    alive = tuple((qubits[site], start, stop) for site, start, stop in own.alive if site in qubits)
    resets = (*own.reads, *own.handovers)
    reads = tuple((qubits[site], start, stop, times) for site, start, stop, times in resets if site in qubits)
    paid = []
    for site, start, stop, times in own.handovers:
        if site in qubits:
            near = model.neighbours[qubits[site]]
            num = sum(1 for qubit, begin, end in alive if qubit in near and begin < stop and start < end)
            paid.append((qubits[site], num * times * model.log_read))
    return Footprint(drives=tuple(drives), reads=reads, alive=alive, handover_log=tuple(paid))


class Ledger:
    """Footprints of all that is booked; grows while pieces are placed one after another.

    Pieces with the same owners never disturb each other. Pieces without an owner are strangers to all.

    Args:
        model: What disturbs what.
    """

    def __init__(self, model: CrosstalkModel) -> None:
        self._model = model
        self._drives: dict[Coupler, list[_Drive]] = {}
        self._reads: dict[int, list[_Read]] = {}
        self._alive: dict[int, list[_Read]] = {}

    def add(self, own: Footprint, start: int, holder: Hashable, owners: tuple[int, ...]) -> None:
        """Book ``own`` at ``start``; what it suffers from now on is told of ``holder``."""
        for coupler, begin, end, gates in own.drives:
            drive = _Drive(start + begin, start + end, holder, owners, gates)
            self._drives.setdefault(coupler, []).append(drive)
        for qubit, begin, end, times in own.reads:
            self._reads.setdefault(qubit, []).append(_Read(start + begin, start + end, holder, owners, times))
        for qubit, begin, end in own.alive:
            self._alive.setdefault(qubit, []).append(_Read(start + begin, start + end, holder, owners, 1))

    def price(self, own: Footprint, start: int, owners: tuple[int, ...]) -> Price:
        """Return what booking ``own`` at ``start`` would cost, to itself and to others."""
        suffered, clear = 0.0, []
        inflicted: list[tuple[Hashable, float]] = []
        for coupler, begin, end, gates in own.drives:
            worst = 1.0
            for other, factor in self._model.disturbed_by.get(coupler, ()):
                for drive in _met(self._drives.get(other), start + begin, start + end, owners):
                    worst = max(worst, factor)
                    clear.append(drive.stop - begin)
            suffered += _log_of(gates, worst)
            for other, factor in self._model.disturbs.get(coupler, ()):
                for drive in _met(self._drives.get(other), start + begin, start + end, owners):
                    inflicted.append((drive.holder, _log_of(drive.gates, factor)))
                    clear.append(drive.stop - begin)
        for qubit, begin, end, times in own.reads:
            for near in self._model.neighbours[qubit]:
                for life in _met(self._alive.get(near), start + begin, start + end, owners):
                    inflicted.append((life.holder, times * self._model.log_read))
                    clear.append(life.stop - begin)
        for qubit, begin, end in own.alive:
            for near in self._model.neighbours[qubit]:
                for read in _met(self._reads.get(near), start + begin, start + end, owners):
                    suffered += read.times * self._model.log_read
                    clear.append(read.stop - begin)
        return Price(suffered=suffered, inflicted=tuple(inflicted), clear_at=min(clear, default=None))


@dataclass(frozen=True, slots=True)
class _Booked:
    start: int
    stop: int
    holder: Hashable
    owners: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Drive(_Booked):
    gates: tuple[tuple[float, int], ...]


@dataclass(frozen=True, slots=True)
class _Read(_Booked):
    times: int


_Entry = TypeVar("_Entry", bound=_Booked)


def _met(booked: list[_Entry] | None, start: int, stop: int, owners: tuple[int, ...]) -> Iterator[_Entry]:
    """Yield what of ``booked`` belongs to others and overlaps ``[start, stop)``."""
    for entry in booked or ():
        if entry.start < stop and start < entry.stop and (not owners or entry.owners != owners):
            yield entry


def _log_of(gates: Sequence[tuple[float, int]], factor: float) -> float:
    return sum(times * disturbed_log(error, factor) for error, times in gates) if factor > 1 else 0.0
