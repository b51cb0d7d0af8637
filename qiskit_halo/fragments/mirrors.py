"""Let two-qubit gates exchange their qubits where that spares SWAPs.

A SWAP costs three CX, but a gate that also exchanges its qubits, its mirror gate, costs one more than the gate itself at most
if that needs any (arXiv:2308.03874). So a ring of four CX takes six gates on a star of couplers: two of them mirrored, and
none to route. Which ones to mirror is chosen here, as if qubits stayed where they are; routing what is left is up to Qiskit.
Prices count CX, whatever the device has: what comes of it is ranked later, with all others.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from operator import attrgetter
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import rustworkx as rx
from qiskit.circuit import CircuitInstruction, QuantumCircuit
from qiskit.circuit.library import CXGate, SwapGate
from qiskit.quantum_info import Operator
from qiskit.synthesis import TwoQubitBasisDecomposer

from qiskit_halo.fragments.compact import two_qubit_pairs
from qiskit_halo.fragments.memory import Memory
from qiskit_halo.rewire import append_all

MAX_MEETINGS = 128
"""Two-qubit gates up to which a body is looked at."""

BEAM = 16
"""Choices of mirrors that are kept from one meeting to the next."""

SWAP_COST = 2.5
"""CX gates that two qubits cost which meet without a coupler between them. A SWAP takes three, and part of it can be merged."""

MAX_ERROR = 1e-9
"""Error of an element of a mirror gate's matrix that is let pass."""

MAX_EMBEDDING_STEPS = 500
"""Steps of the search for one place where all pairs of qubits are coupled."""

PATTERNS = 2_000
"""Patterns of coupled qubits of which it is kept whether they have a place, for each region."""

GATES = 2_000
"""Gates of which a process keeps what it takes to mirror them."""

_Pairs = frozenset[tuple[int, int]]

_cost = attrgetter("cost")

_SWAP = SwapGate().to_matrix()
_DECOMPOSER = TwoQubitBasisDecomposer(CXGate(), euler_basis="U")
_COSTS: Memory[bytes, tuple[int | None]] = Memory(GATES)


@dataclass(frozen=True, slots=True)
class Couplings:
    """Which places have a coupler.

    Args:
        graph: Places as nodes, couplers as edges.
        most_neighbours: Couplers of the place that has most.
        shortest_cycle: Couplers in the shortest cycle, infinite if there is none.
    """

    graph: rx.PyGraph[int, None]
    most_neighbours: int
    shortest_cycle: float
    _known: Memory[tuple[tuple[int, int], ...], bool] = field(default_factory=lambda: Memory(PATTERNS), compare=False)

    @classmethod
    def of(cls, graph: rx.PyGraph[int, None]) -> Couplings:
        """Return what ``graph`` comes to."""
        opened = graph.copy()
        shortest = math.inf
        for a, b in graph.edge_list():
            opened.remove_edge(a, b)
            back = rx.dijkstra_shortest_path_lengths(opened, a, lambda _: 1.0, goal=b)
            shortest = min(shortest, back[b] + 1 if b in back else math.inf)
            opened.add_edge(a, b, None)
        return cls(graph, max(map(graph.degree, graph.node_indices()), default=0), shortest)

    def has_place(self, pairs: _Pairs) -> bool:
        """Return whether there is a place with a coupler for each of ``pairs``, as far as a short search tells."""
        wires = sorted({wire for pair in pairs for wire in pair})
        index = {wire: i for i, wire in enumerate(wires)}
        # Bodies of few qubits have most of their patterns in common, and looking for a place is most of the work here.
        pattern = tuple(sorted([(index[a], index[b]) for a, b in pairs]))
        known = self._known.get(pattern)
        if known is None:
            known = self._is_somewhere(pattern, len(wires))
            self._known.put(pattern, known)
        return known

    def _is_somewhere(self, pattern: Sequence[tuple[int, int]], size: int) -> bool:
        wanted: rx.PyGraph[int, None] = rx.PyGraph()
        wanted.add_nodes_from(range(size))
        wanted.add_edges_from_no_data(list(pattern))
        return max(map(wanted.degree, range(size))) <= self.most_neighbours and rx.is_subgraph_isomorphic(
            self.graph, wanted, induced=False, call_limit=MAX_EMBEDDING_STEPS
        )


def mirror_gates(body: QuantumCircuit, couplings: Couplings) -> QuantumCircuit | None:
    """Return ``body`` with some gates mirrored, each followed by a SWAP that undoes it; ``None`` if that is of no use.

    Once these SWAPs are elided it takes fewer others, as far as can be told without routing.

    Args:
        body: A circuit without SWAPs of its own. Its gates on more than two qubits are left as they are.
        couplings: Which places have a coupler.
    """
    meetings = list(islice(_meetings(body), MAX_MEETINGS + 1))
    if len(meetings) > MAX_MEETINGS:
        return None
    mirrored = _Search(meetings, body.num_qubits, couplings).run()
    if not mirrored:
        return None
    chosen = {meetings[number].position for number in mirrored}
    result = body.copy_empty_like()
    data: list[CircuitInstruction] = []
    for position, instruction in enumerate(body.data):
        if position not in chosen:
            data.append(instruction)
            continue
        mirror = _DECOMPOSER(_SWAP @ instruction.matrix)
        place = dict(zip(mirror.qubits, instruction.qubits, strict=True))
        data += [inner.replace(qubits=[place[qubit] for qubit in inner.qubits]) for inner in mirror.data]
        data.append(CircuitInstruction(SwapGate(), instruction.qubits))
        result.global_phase += mirror.global_phase
    append_all(result, data)
    return result


@dataclass(frozen=True, slots=True)
class _Meeting:
    """Two qubits that need a coupler.

    Args:
        position: Of the instruction in the body.
        qubits: Their indices.
        again: Whether they have met each other last, and so still lie side by side.
        cost: CX gates that it takes to mirror it, beyond those that it has; ``None`` if it cannot be mirrored.
    """

    position: int
    qubits: tuple[int, int]
    again: bool
    cost: int | None


class _State(NamedTuple):
    """How far the search has come in one way; plain, since it makes very many.

    Args:
        cost: CX gates more than the body has.
        wires: Wire of each qubit, which goes on where qubits are exchanged.
        pairs: Pairs of wires that have a coupler between them.
        mirrored: Meetings mirrored so far.
    """

    cost: float
    wires: tuple[int, ...]
    pairs: _Pairs
    mirrored: tuple[int, ...]


def _meetings(body: QuantumCircuit) -> Iterator[_Meeting]:
    index = {qubit: i for i, qubit in enumerate(body.qubits)}
    last: dict[int, int] = {}
    for position, instruction in enumerate(body.data):
        if len(instruction.qubits) < 2 or instruction.name == "barrier":
            continue
        where = [index[qubit] for qubit in instruction.qubits]
        cost = None
        if instruction.is_control_flow():
            pairs = [(where[a], where[b]) for block in instruction.operation.blocks for a, b in two_qubit_pairs(block)]
        else:
            pairs = [(where[0], where[1])]
            cost = _mirror_cost(instruction)
        for a, b in pairs:
            yield _Meeting(position, (a, b), last.get(a) == b and last.get(b) == a, cost)
            last[a], last[b] = b, a


def _mirror_cost(instruction: CircuitInstruction) -> int | None:
    if len(instruction.qubits) != 2:
        return None
    matrix: npt.NDArray[np.complex128] | None = instruction.matrix
    if matrix is None:
        return None
    key = matrix.tobytes()
    known = _COSTS.get(key)
    if known is None:
        known = (_cost_of(matrix),)
        _COSTS.put(key, known)
    return known[0]


def _cost_of(matrix: npt.NDArray[np.complex128]) -> int | None:
    mirrored = _SWAP @ matrix
    own: int = _DECOMPOSER.num_basis_gates(matrix)
    # A gate that takes no CX is better left alone, and so is one with an angle so small that synthesis drops it.
    if not own or not np.allclose(Operator(_DECOMPOSER(mirrored)).data, mirrored, rtol=0, atol=MAX_ERROR):
        return None
    cost: int = _DECOMPOSER.num_basis_gates(mirrored) - own
    return cost


class _Search:
    """Finds which meetings to mirror: a beam search along them.

    Args:
        meetings: In order.
        num_qubits: Qubits of the body.
        couplings: Which places have a coupler.
    """

    def __init__(self, meetings: Sequence[_Meeting], num_qubits: int, couplings: Couplings) -> None:
        self._meetings = meetings
        self._num_qubits = num_qubits
        self._couplings = couplings
        self._fits: dict[_Pairs, _Pairs | None] = {}
        self._coupled: dict[tuple[_Pairs, tuple[int, int]], _Pairs | None] = {}

    def run(self) -> tuple[int, ...]:
        """Return the meetings to mirror, none if that costs as much."""
        plain = _State(0.0, tuple(range(self._num_qubits)), frozenset(), ())
        states = [plain]
        for number, meeting in enumerate(self._meetings):
            plain = self._met(plain, meeting)
            best: dict[tuple[tuple[int, ...], _Pairs], _State] = {}
            for state in states:
                met = self._met(state, meeting)
                for after in (met,) if meeting.cost is None else (met, _exchanged(met, number, meeting, meeting.cost)):
                    key = after.wires, after.pairs
                    known = best.get(key)
                    if known is None or after.cost < known.cost:
                        best[key] = after
            states = sorted(best.values(), key=_cost)[:BEAM]
        return states[0].mirrored if states[0].cost < plain.cost else ()

    def _met(self, state: _State, meeting: _Meeting) -> _State:
        """Return what follows ``state`` if the meeting is left as it is."""
        first, second = meeting.qubits
        a, b = state.wires[first], state.wires[second]
        pair = (a, b) if a < b else (b, a)
        if pair in state.pairs or meeting.again:
            return state
        pairs = self._with(state.pairs, pair)
        if pairs is None:
            return _State(state.cost + SWAP_COST, state.wires, state.pairs, state.mirrored)
        return _State(state.cost, state.wires, pairs, state.mirrored)

    def _with(self, pairs: _Pairs, pair: tuple[int, int]) -> _Pairs | None:
        """Return ``pairs``, which have a place with couplers by themselves, and ``pair``; ``None`` if they have none together.

        Equal pairs are one and the same object, which is quick to look up.
        """
        key = pairs, pair
        if key not in self._coupled:
            joined = pairs | {pair}
            if joined not in self._fits:
                # Most that do not fit close a cycle, which the search for a place is slow to see.
                may_fit = _distance(pairs, *pair) + 1 >= self._couplings.shortest_cycle
                self._fits[joined] = joined if may_fit and self._couplings.has_place(joined) else None
            self._coupled[key] = self._fits[joined]
        return self._coupled[key]


def _exchanged(met: _State, number: int, meeting: _Meeting, cost: int) -> _State:
    """Return ``met`` with the meeting just met mirrored."""
    first, second = meeting.qubits
    wires = list(met.wires)
    wires[first], wires[second] = wires[second], wires[first]
    return _State(met.cost + cost, tuple(wires), met.pairs, (*met.mirrored, number))


def _distance(pairs: _Pairs, start: int, stop: int) -> float:
    """Return how many of ``pairs`` lie between two of their members, infinite if no way leads from one to the other."""
    neighbours: dict[int, list[int]] = {}
    for a, b in pairs:
        neighbours.setdefault(a, []).append(b)
        neighbours.setdefault(b, []).append(a)
    distance, reached = 0, {start}
    border = [start] if start in neighbours and stop in neighbours else []
    while border:
        distance += 1
        border = list(dict.fromkeys(wire for near in border for wire in neighbours[near] if wire not in reached))
        if stop in border:
            return distance
        reached.update(border)
    return math.inf
