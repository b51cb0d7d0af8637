"""Let qubits of one body share a wire, one after another, with resets between.

A qubit that is reset after its last operation is traced out, so no outcome changes. What changes is where the body
fits and how it fares: fewer wires need fewer SWAPs, and waiting for a wire costs coherence. So several amounts are
offered, and the compiled forms decide.

Which qubit may follow which is the question of qubit reuse, see arXiv:2210.08039.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Hashable, Sequence
from copy import copy
from dataclasses import dataclass
from typing import Self, TypeAlias

import numpy as np
import numpy.typing as npt
from qiskit.circuit import Barrier, CircuitInstruction, QuantumCircuit, QuantumRegister, Qubit, Reset

from qiskit_halo.rewire import append_all, empty_like
from qiskit_halo.segments.resources import classical_resources

MAX_OPERATIONS = 4_000
"""Longer bodies are left as they are: time and memory grow with the square of the number."""

FREE = 1.05
"""A takeover that makes the body at most this much longer than it is without any counts as free."""

_Order: TypeAlias = Sequence[Sequence[int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reuse:
    """A body on fewer wires.

    Args:
        circuit: The body; its clbits, variables and parameters are as they were.
        wires: Wire of each qubit of the body.
        takeovers: Pairs (qubit, earlier qubit): the first took over the wire of the second, in the order in which they
            were chosen.
    """

    circuit: QuantumCircuit
    wires: tuple[int, ...]
    takeovers: tuple[tuple[int, int], ...]


def find_reuse(
    body: QuantumCircuit, resets: int, duration: Callable[[CircuitInstruction], float], *, only_max: bool = False
) -> tuple[Reuse, ...]:
    """Return ``body`` on fewer and fewer wires: what costs no time, half of what is possible, and all of it.

    Args:
        body: Any circuit whose qubits start in |0>.
        resets: Rounds of reset between two qubits of one wire.
        duration: Usual length of an operation, in any unit.
        only_max: Return the last alone.

    Returns:
        At most three, each on fewer wires than the one before; none where no qubit can follow another.
    """
    if body.num_qubits < 2 or len(body.data) > MAX_OPERATIONS:
        return ()
    reset_length = resets * duration(CircuitInstruction(Reset(), body.qubits[:1]))
    before = _dependencies(body)
    lives = _Lives(body, before, reset_length, duration)
    if not lives.possible().any():
        return ()
    most = lives.copy().choose(save_time=False)
    if only_max:
        chosen = [most]
    else:
        free = lives.choose(save_time=True)
        chosen = [free, most[: (len(free) + len(most)) // 2], most]
    by_number = {len(takeovers): takeovers for takeovers in chosen if takeovers}
    return tuple(_fold(body, before, by_number[number], resets) for number in sorted(by_number))


class _Lives:
    """When the qubits of a body live, and which may follow which; grows as wires are taken over.

    A barrier keeps the order of what stands before and behind it, but a qubit that it holds need not be alive there.
    """

    def __init__(
        self, body: QuantumCircuit, before: _Order, reset_length: float, duration: Callable[[CircuitInstruction], float]
    ) -> None:
        self._reset_length = reset_length
        self._lengths = [duration(instruction) for instruction in body.data]
        self._before = [list(own) for own in before]
        self._handovers: dict[tuple[int, int], None] = {}
        first, last = _ends(body)
        alive = sorted(first)
        self._first = [first.get(qubit, -1) for qubit in range(body.num_qubits)]
        self._last = [last.get(qubit, -1) for qubit in range(body.num_qubits)]
        after = _closure(self._before)
        # [a, b]: b is still needed once a has begun, so that a cannot follow b.
        self._needed = np.ones((body.num_qubits, body.num_qubits), dtype=bool)
        for a in alive:
            reached = after[first[a]] | 1 << first[a]
            self._needed[a, alive] = [bool(reached >> last[b] & 1) for b in alive]
        self._partners = _partners(body)
        # Qubits that are the first of their wire, and those that are the last.
        self._is_first = np.array([qubit in first for qubit in range(body.num_qubits)])
        self._is_last = self._is_first.copy()
        self._start: list[float] = []
        self._tail: list[float] = []
        self._length = 0.0

    def copy(self) -> Self:
        """Return lives that can grow by themselves."""
        other = copy(self)
        other._before = [list(own) for own in self._before]
        other._handovers = dict(self._handovers)
        other._needed, other._partners = self._needed.copy(), self._partners.copy()
        other._is_first, other._is_last = self._is_first.copy(), self._is_last.copy()
        return other

    def choose(self, *, save_time: bool) -> list[tuple[int, int]]:
        """Return takeovers (later, earlier), one after another, as many as there are.

        Each next one leaves most others possible; of these it makes the body longer by least, then joins qubits with
        most partners in common, since their wire then needs fewer neighbours, then leaves the wire idle for the
        shortest time.

        Args:
            save_time: Put length first, and stop where the body would become longer than ``FREE`` allows.
        """
        self._time()
        limit = FREE * self._length
        chosen: list[tuple[int, int]] = []
        while True:
            possible = self.possible()
            later, earlier = np.nonzero(possible)
            if not len(later):
                return chosen
            ends = np.array([self._start[p] + self._lengths[p] for p in self._last])[earlier]
            ready = ends + self._reset_length
            begins = np.array([self._start[p] for p in self._first])[later]
            lengths = np.maximum(self._length, ready + np.array([self._tail[p] for p in self._first])[later])
            left = self._left(possible)[later, earlier]
            common = (self._partners @ self._partners.T)[later, earlier]
            ranks = [-left, lengths, -common, np.abs(begins - ready), earlier, later]
            if save_time:
                ranks[:2] = ranks[1::-1]
            best = int(np.lexsort(ranks[::-1])[0])
            if save_time and lengths[best] > limit:
                return chosen
            self._take_over(int(later[best]), int(earlier[best]))
            chosen.append((int(later[best]), int(earlier[best])))

    def possible(self) -> npt.NDArray[np.bool_]:
        """Return, for each pair [later, earlier], whether the one may take over the wire of the other."""
        result: npt.NDArray[np.bool_] = ~self._needed & self._is_first[:, None] & self._is_last[None, :]
        return result

    def _left(self, possible: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
        """Return, for each pair [later, earlier], how many takeovers are possible after this one."""
        open_pairs, needed = possible.astype(np.int64), self._needed.astype(np.int64)
        # Whatever the earlier qubit was needed for, the later one's needs now come after: see _take_over.
        blocked = needed @ open_pairs.T @ needed
        mine = open_pairs.sum(axis=1)[:, None] + open_pairs.sum(axis=0)[None, :] - open_pairs
        left: npt.NDArray[np.int64] = open_pairs.sum() - mine - blocked
        return left

    def _take_over(self, later: int, earlier: int) -> None:
        last, first = self._last[earlier], self._first[later]
        self._before[first].append(last)
        self._handovers[last, first] = None
        self._needed |= np.outer(self._needed[:, earlier], self._needed[later])
        self._is_first[later] = self._is_last[earlier] = False
        self._partners[[earlier, later]] = np.maximum(self._partners[earlier], self._partners[later])
        self._time()

    def _time(self) -> None:
        """Start each operation as soon as it can, and note how long it takes from there to the end."""
        count = len(self._lengths)
        self._start = [0.0] * count
        self._tail = list(self._lengths)
        order = _topological(self._before)
        stops = [0.0] * count
        for position in order:
            ready = [stops[b] + self._wait(b, position) for b in self._before[position]]
            self._start[position] = max(ready, default=0.0)
            stops[position] = self._start[position] + self._lengths[position]
        for position in reversed(order):
            for before in self._before[position]:
                through = self._lengths[before] + self._wait(before, position) + self._tail[position]
                self._tail[before] = max(self._tail[before], through)
        self._length = max(stops, default=0.0)

    def _wait(self, before: int, position: int) -> float:
        return self._reset_length if (before, position) in self._handovers else 0.0


def _partners(body: QuantumCircuit) -> npt.NDArray[np.int64]:
    """Return, for each pair of qubits, 1 if an operation joins them; each counts as its own partner."""
    number = {qubit: index for index, qubit in enumerate(body.qubits)}
    joined: dict[tuple[int, ...], None] = {}
    for instruction in body.data:
        if len(instruction.qubits) > 1 and instruction.name != "barrier":
            joined[tuple([number[qubit] for qubit in instruction.qubits])] = None
    partners = np.eye(body.num_qubits, dtype=np.int64)
    for qubits in joined:
        partners[np.ix_(qubits, qubits)] = 1
    return partners


def _dependencies(body: QuantumCircuit) -> list[list[int]]:
    """Return, for each operation, those that touched one of its bits or variables last before it."""
    last: dict[Hashable, int] = {}
    before = []
    for position, instruction in enumerate(body.data):
        resources = (*instruction.qubits, *classical_resources(instruction))
        before.append(list(dict.fromkeys(last[resource] for resource in resources if resource in last)))
        last.update(dict.fromkeys(resources, position))
    return before


def _closure(before: _Order) -> list[int]:
    """Return, for each operation, the set of all that must come after it, as a number: bit j stands for operation j."""
    after = [0] * len(before)
    for position in range(len(before) - 1, -1, -1):
        for earlier in before[position]:
            after[earlier] |= after[position] | 1 << position
    return after


def _topological(before: _Order) -> list[int]:
    """Return an order that respects ``before``, as close to the given one as it allows."""
    follows: list[list[int]] = [[] for _ in before]
    missing = [0] * len(before)
    for position, own in enumerate(before):
        missing[position] = len(own)
        for earlier in own:
            follows[earlier].append(position)
    ready = [position for position, count in enumerate(missing) if not count]
    order = []
    while ready:
        position = heapq.heappop(ready)
        order.append(position)
        for later in follows[position]:
            missing[later] -= 1
            if not missing[later]:
                heapq.heappush(ready, later)
    return order


def _fold(body: QuantumCircuit, order: _Order, takeovers: Sequence[tuple[int, int]], resets: int) -> Reuse:
    """Return ``body``, whose :func:`_dependencies` are ``order``, with these takeovers done."""
    earlier_of = dict(takeovers)
    wires: list[int] = []
    heads = [qubit for qubit in range(body.num_qubits) if qubit not in earlier_of]
    for qubit in range(body.num_qubits):
        head = qubit
        while head in earlier_of:
            head = earlier_of[head]
        wires.append(heads.index(head))
    circuit = empty_like(body, QuantumRegister(len(heads), "q"))
    wire_of = {qubit: circuit.qubits[wire] for qubit, wire in zip(body.qubits, wires, strict=True)}
    first, last = _ends(body)
    before = [list(own) for own in order]
    for later, earlier in takeovers:
        before[first[later]].append(last[earlier])
    cleared: dict[int, list[Qubit]] = {}
    for _, earlier in takeovers:
        cleared.setdefault(last[earlier], []).append(wire_of[body.qubits[earlier]])
    folded: list[CircuitInstruction] = []
    for position in _topological(before):
        folded.append(_on_wires(body.data[position], wire_of))
        for wire in cleared.get(position, ()):
            # At once, so that no barrier on the wire keeps the resets waiting.
            folded += [CircuitInstruction(Reset(), (wire,))] * resets
    append_all(circuit, folded)
    return Reuse(circuit=circuit, wires=tuple(wires), takeovers=tuple(takeovers))


def _ends(body: QuantumCircuit) -> tuple[dict[int, int], dict[int, int]]:
    """Return the first and the last operation of each qubit; barriers are not among them."""
    number = {qubit: index for index, qubit in enumerate(body.qubits)}
    first: dict[int, int] = {}
    last: dict[int, int] = {}
    for position, instruction in enumerate(body.data):
        if instruction.name != "barrier":
            for qubit in instruction.qubits:
                first.setdefault(number[qubit], position)
                last[number[qubit]] = position
    return first, last


def _on_wires(instruction: CircuitInstruction, wire_of: dict[Qubit, Qubit]) -> CircuitInstruction:
    qubits = [wire_of[qubit] for qubit in instruction.qubits]
    if instruction.name == "barrier":
        # It may hold two qubits that are now one wire.
        held = list(dict.fromkeys(qubits))
        return CircuitInstruction(Barrier(len(held), instruction.label), held, ())
    return instruction.replace(qubits=qubits)
