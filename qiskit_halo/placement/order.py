"""Who follows whom on the qubits: leases in order, and whether pieces can be put one after another at all."""

from __future__ import annotations

import bisect
import heapq
from collections.abc import Iterator, Mapping, Sequence


class OrderGraph:
    """Leases of every qubit in the order of their slots.

    Pieces have holes, so that one may come before another on one qubit and after it on the next. Then no order of
    whole pieces is right on both, and the timeline, which moves whole pieces, could not keep the plan: such pieces are not
    accepted.
    """

    def __init__(self) -> None:
        self._leases: dict[int, list[tuple[int, int, int]]] = {}
        self._spans: dict[int, dict[int, tuple[int, int]]] = {}
        self._starts: dict[int, int] = {}
        self._num_inverted = 0

    def accepts(self, qubits: Sequence[int], spans: Sequence[tuple[int, int]], start: int) -> bool:
        """Return whether a piece with these leases leaves an order of whole pieces.

        Args:
            qubits: Its qubits.
            spans: Slots of each.
            start: First slot of the piece.
        """
        before: dict[int, None] = {}
        after: dict[int, None] = {}
        for qubit, span in zip(qubits, spans, strict=True):
            earlier, later = self._around(qubit, (*span, -1))
            before |= dict.fromkeys(earlier)
            after |= dict.fromkeys(later)
        in_time = all(self._starts[i] < start for i in before) and all(self._starts[i] > start for i in after)
        # As long as whoever comes before starts before, everywhere, no way leads back.
        if not before or not after or (in_time and not self._num_inverted):
            return True
        return not self._reaches(after, before)

    def add(self, index: int, qubits: Sequence[int], spans: Sequence[tuple[int, int]], start: int) -> None:
        """Add the leases of piece ``index``."""
        self._starts[index] = start
        self._spans[index] = dict(zip(qubits, spans, strict=True))
        for qubit, span in zip(qubits, spans, strict=True):
            self._count_inverted(qubit, (*span, index))
            bisect.insort(self._leases.setdefault(qubit, []), (*span, index))

    def first(self, qubit: int) -> tuple[int, int] | None:
        """Return the first slot of the first lease of ``qubit`` and whose it is, ``None`` if it has none."""
        leases = self._leases.get(qubit)
        return (leases[0][0], leases[0][2]) if leases else None

    def sorted(self, starts: Mapping[int, int]) -> list[int]:
        """Return all pieces such that on every qubit each comes after those before it, else by ``starts``."""
        waits_for = dict.fromkeys(starts, 0)
        for index in starts:
            for follower in self._followers(index):
                waits_for[follower] += 1
        ready = [(starts[index], index) for index, count in waits_for.items() if not count]
        heapq.heapify(ready)
        order: list[int] = []
        while ready:
            _, index = heapq.heappop(ready)
            order.append(index)
            for follower in self._followers(index):
                waits_for[follower] -= 1
                if not waits_for[follower]:
                    heapq.heappush(ready, (starts[follower], follower))
        return order

    def _around(self, qubit: int, lease: tuple[int, int, int]) -> tuple[list[int], list[int]]:
        """Return who comes right before and right after ``lease``, each a list of one or none."""
        leases = self._leases.get(qubit, [])
        position = bisect.bisect_left(leases, lease)
        return [i for *_, i in leases[max(0, position - 1) : position]], [
            i for *_, i in leases[position : position + 1]
        ]

    def _count_inverted(self, qubit: int, lease: tuple[int, int, int]) -> None:
        """Count pairs in a row whose first does not start first, as ``lease`` comes between two."""
        before, after = self._around(qubit, lease)
        index = lease[2]
        pairs = [(i, index) for i in before] + [(index, i) for i in after]
        self._num_inverted += sum(self._starts[a] >= self._starts[b] for a, b in pairs)
        self._num_inverted -= sum(self._starts[a] >= self._starts[b] for a in before for b in after)

    def _reaches(self, sources: Mapping[int, None], goals: Mapping[int, None]) -> bool:
        stack, seen = list(sources), dict(sources)
        while stack:
            index = stack.pop()
            if index in goals:
                return True
            for follower in self._followers(index):
                if follower not in seen:
                    seen[follower] = None
                    stack.append(follower)
        return False

    def _followers(self, index: int) -> Iterator[int]:
        for qubit, span in self._spans[index].items():
            leases = self._leases[qubit]
            position = bisect.bisect_left(leases, (*span, index)) + 1
            if position < len(leases):
                yield leases[position][2]
