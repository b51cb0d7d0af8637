"""Let two-qubit gates exchange their qubits where that spares all SWAPs of a body.

A SWAP costs three two-qubit gates, but a gate that also exchanges its qubits, its mirror gate, costs one more than the gate
itself at most (arXiv:2308.03874). So a ring of four CX takes six gates on a star of couplers: two of them mirrored, and none
to route. Which ones is found here before anything has a place; the rest is left to Qiskit's passes.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
import numpy.typing as npt
import rustworkx as rx
from qiskit.circuit import CircuitInstruction, QuantumCircuit
from qiskit.circuit.library import CXGate, SwapGate
from qiskit.synthesis import TwoQubitBasisDecomposer

from qiskit_halo.fragments.compact import two_qubit_pairs

MAX_MEETINGS = 32
"""Two-qubit gates up to which a body is looked at: of longer ones hardly any goes without SWAPs."""

MAX_STATES = 256
"""States of the search."""

MAX_EMBEDDING_STEPS = 2_000
"""Steps of the search for one place where all pairs of qubits are coupled."""

_Pairs = frozenset[tuple[int, int]]

_State = tuple[int, int, int, tuple[int, ...], _Pairs, tuple[int, ...]]
"""Cost; meetings that are behind, negative; number; wire of each qubit; pairs of wires that have met; meetings mirrored."""

_SWAP = SwapGate().to_matrix()
_DECOMPOSER = TwoQubitBasisDecomposer(CXGate(), euler_basis="U")


def mirror_gates(body: QuantumCircuit, couplings: rx.PyGraph[int, None], most: int) -> QuantumCircuit | None:
    """Return ``body`` with some gates mirrored, each followed by a SWAP that undoes it; ``None`` if that is of no use.

    Once the SWAPs are elided, the pairs of qubits that have gates fit on ``couplings`` as they are.

    Args:
        body: A circuit of operations on two qubits at most, control flow and barriers apart, without SWAPs of its own.
        couplings: Which places have a coupler.
        most: CX gates that the result may have more than ``body``, SWAPs that undo mirrors apart.
    """
    meetings = list(islice(_meetings(body), MAX_MEETINGS + 1))
    if len(meetings) > MAX_MEETINGS:
        return None
    mirrored = _Search(meetings, body.num_qubits, couplings).run(most)
    if not mirrored:
        return None
    chosen = {meetings[number].position for number in mirrored}
    result = body.copy_empty_like()
    for position, instruction in enumerate(body.data):
        if position not in chosen:
            result.append(instruction)
            continue
        result.compose(_DECOMPOSER(_SWAP @ instruction.matrix), instruction.qubits, inplace=True)
        result.swap(*instruction.qubits)
    return result


@dataclass(frozen=True, slots=True)
class _Meeting:
    """Two qubits that need a coupler.

    Args:
        position: Of the instruction in the body.
        qubits: Their indices.
        cost: CX gates that it takes to mirror it, beyond those that it has; ``None`` if it cannot be mirrored.
    """

    position: int
    qubits: tuple[int, int]
    cost: int | None


def _meetings(body: QuantumCircuit) -> Iterator[_Meeting]:
    index = {qubit: i for i, qubit in enumerate(body.qubits)}
    known: dict[tuple[object, ...], int | None] = {}
    for position, instruction in enumerate(body.data):
        if len(instruction.qubits) < 2 or instruction.name == "barrier":
            continue
        where = [index[qubit] for qubit in instruction.qubits]
        if instruction.is_control_flow():
            for block in instruction.operation.blocks:
                for a, b in two_qubit_pairs(block):
                    yield _Meeting(position, (where[a], where[b]), None)
            continue
        key = (instruction.name, *instruction.params) if instruction.is_standard_gate() else (position,)
        if key not in known:
            known[key] = _mirror_cost(instruction)
        yield _Meeting(position, (where[0], where[1]), known[key])


def _mirror_cost(instruction: CircuitInstruction) -> int | None:
    matrix: npt.NDArray[np.complex128] | None = instruction.matrix
    if matrix is None:
        return None
    cost: int = _DECOMPOSER.num_basis_gates(_SWAP @ matrix) - _DECOMPOSER.num_basis_gates(matrix)
    return cost


class _Search:
    """Finds which meetings to mirror, the cheapest choice first.

    Args:
        meetings: In order.
        num_qubits: Qubits of the body.
        couplings: Which places have a coupler.
    """

    def __init__(self, meetings: Sequence[_Meeting], num_qubits: int, couplings: rx.PyGraph[int, None]) -> None:
        self._meetings = meetings
        self._num_qubits = num_qubits
        self._couplings = couplings
        self._most_neighbours = max((couplings.degree(place) for place in couplings.node_indices()), default=0)
        self._fits: dict[_Pairs, bool] = {}

    def run(self, most: int) -> tuple[int, ...] | None:
        """Return the meetings to mirror, for ``most`` more CX gates at most; ``None`` if none or too many are needed."""
        # Costs count from where each meeting is as cheap as it can be.
        budget = most + sum(max(0, -(meeting.cost or 0)) for meeting in self._meetings)
        # Wires keep their name where qubits are exchanged; of equal costs the one that has come farthest goes first.
        start: _State = (0, 0, 0, tuple(range(self._num_qubits)), frozenset(), ())
        heap, number = [start], 0
        seen: set[tuple[int, tuple[int, ...], _Pairs]] = set()
        while heap and len(seen) < MAX_STATES:
            cost, behind, _, wires, pairs, mirrored = heapq.heappop(heap)
            if -behind == len(self._meetings):
                return mirrored or None
            if (behind, wires, pairs) in seen:
                continue
            seen.add((behind, wires, pairs))
            meeting = self._meetings[-behind]
            a, b = (wires[qubit] for qubit in meeting.qubits)
            joined = pairs | {(min(a, b), max(a, b))}
            if not self._can_be_coupled(joined):
                continue
            extra = meeting.cost
            ways = [(max(0, -(extra or 0)), wires, mirrored)]
            if extra is not None:
                exchanged = list(wires)
                exchanged[meeting.qubits[0]], exchanged[meeting.qubits[1]] = b, a
                ways.append((max(0, extra), tuple(exchanged), (*mirrored, -behind)))
            for more, after, chosen in ways:
                if cost + more <= budget:
                    number += 1
                    heapq.heappush(heap, (cost + more, behind - 1, number, after, joined, chosen))
        return None

    def _can_be_coupled(self, pairs: _Pairs) -> bool:
        if pairs not in self._fits:
            wanted: rx.PyGraph[int, None] = rx.PyGraph()
            wanted.add_nodes_from(range(self._num_qubits))
            wanted.add_edges_from_no_data(sorted(pairs))
            met = [wire for wire in range(self._num_qubits) if wanted.degree(wire)]
            self._fits[pairs] = max(map(wanted.degree, met)) <= self._most_neighbours and rx.is_subgraph_isomorphic(
                self._couplings, wanted.subgraph(met), induced=False, call_limit=MAX_EMBEDDING_STEPS
            )
        return self._fits[pairs]
