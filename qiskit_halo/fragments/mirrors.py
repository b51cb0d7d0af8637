"""Let two-qubit gates exchange their qubits where that spares SWAPs.

A SWAP costs three two-qubit gates, but a gate that also exchanges its qubits, its mirror gate, costs one more than the gate
itself at most (arXiv:2308.03874). So a ring of four CX takes six gates on a star of couplers: two of them mirrored, and none
to route. Which ones to mirror is chosen here, as if qubits stayed where they are; routing what is left is up to Qiskit.
"""

from __future__ import annotations

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

MAX_MEETINGS = 128
"""Two-qubit gates up to which a body is looked at."""

BEAM = 16
"""Choices of mirrors that are kept from one meeting to the next."""

SWAP_COST = 2.0
"""CX gates that two qubits cost which meet without a coupler between them. A SWAP takes three, and part of it can be merged."""

MAX_EMBEDDING_STEPS = 2_000
"""Steps of the search for one place where all pairs of qubits are coupled."""

_Pairs = frozenset[tuple[int, int]]

_SWAP = SwapGate().to_matrix()
_DECOMPOSER = TwoQubitBasisDecomposer(CXGate(), euler_basis="U")


def mirror_gates(body: QuantumCircuit, couplings: rx.PyGraph[int, None]) -> QuantumCircuit | None:
    """Return ``body`` with some gates mirrored, each followed by a SWAP that undoes it; ``None`` if that is of no use.

    Once these SWAPs are elided it takes fewer others, as far as can be told without routing.

    Args:
        body: A circuit of operations on two qubits at most, control flow and barriers apart, without SWAPs of its own.
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


@dataclass(frozen=True, slots=True)
class _State:
    """How far the search has come in one way.

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
    """Finds which meetings to mirror: a beam search along them.

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

    def run(self) -> tuple[int, ...]:
        """Return the meetings to mirror."""
        states = [_State(0.0, tuple(range(self._num_qubits)), frozenset(), ())]
        for number, meeting in enumerate(self._meetings):
            best: dict[tuple[tuple[int, ...], _Pairs], _State] = {}
            for state in states:
                for after in self._after(state, number, meeting):
                    key = after.wires, after.pairs
                    if key not in best or after.cost < best[key].cost:
                        best[key] = after
            states = sorted(best.values(), key=lambda state: state.cost)[:BEAM]
        return states[0].mirrored

    def _after(self, state: _State, number: int, meeting: _Meeting) -> Iterator[_State]:
        """Yield what may follow ``state``: the meeting as it is, and mirrored."""
        first, second = meeting.qubits
        a, b = state.wires[first], state.wires[second]
        cost, pairs = state.cost, state.pairs | {(min(a, b), max(a, b))}
        if not self._can_be_coupled(pairs):
            cost, pairs = cost + SWAP_COST, state.pairs
        yield _State(cost, state.wires, pairs, state.mirrored)
        if meeting.cost is not None:
            exchanged = list(state.wires)
            exchanged[first], exchanged[second] = b, a
            yield _State(cost + meeting.cost, tuple(exchanged), pairs, (*state.mirrored, number))

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
