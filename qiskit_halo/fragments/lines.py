"""Lines of qubits: where a program whose qubits meet along a line starts best.

SABRE goes down from where it starts, and of random starts none is a line. Qiskit starts from lines too, but in the order in which
the program lists its qubits and, on the devices that it knows, along the longest ring. Here the qubits are put in an order in which
those that meet are near each other, and the line is looked for in any device.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import rustworkx as rx
from qiskit.circuit import QuantumCircuit, Qubit
from qiskit.transpiler.layout import Layout
from scipy.sparse import coo_array
from scipy.sparse.csgraph import reverse_cuthill_mckee

from qiskit_halo.fragments.compact import two_qubit_pairs

MOST_STEPS = 2_000
"""Steps of the search for one line, after which no more starts are tried."""


def long_line(couplings: rx.PyGraph[int, None], wanted: int) -> list[int]:
    """Return ``wanted`` nodes of which each is coupled to the next, or as many as a short search finds.

    From each node in turn the line goes on to the neighbour from which most can still be reached, and of those to the one with
    fewest ways to go on, so as to leave none behind.
    """
    # Sets of nodes as bits of an integer.
    near = {node: sum(1 << other for other in couplings.neighbors(node)) for node in couplings.node_indices()}
    everywhere = sum(1 << node for node in near)
    longest: list[int] = []
    steps = 0
    for start in near:
        line, free = [start], everywhere & ~(1 << start)
        while len(line) < wanted and near[line[-1]] & free:
            ahead = _nodes_of(near[line[-1]] & free)
            node = min(ahead, key=lambda node: (-_reach(near, node, free), (near[node] & free).bit_count(), node))
            line.append(node)
            free &= ~(1 << node)
        if len(line) > len(longest):
            longest = line
        steps += len(line)
        if len(longest) == wanted or steps > MOST_STEPS:
            break
    return longest


def _reach(near: Mapping[int, int], start: int, free: int) -> int:
    """Return how many nodes of ``free`` can be reached from ``start`` inside it."""
    reached = border = 1 << start
    while border:
        ahead = 0
        for node in _nodes_of(border):
            ahead |= near[node]
        border = ahead & free & ~reached
        reached |= border
    return reached.bit_count()


def _nodes_of(bits: int) -> list[int]:
    nodes = []
    while bits:
        low = bits & -bits
        nodes.append(low.bit_length() - 1)
        bits ^= low
    return nodes


def in_line(circuit: QuantumCircuit) -> list[Qubit]:
    """Return the qubits of ``circuit``, those that meet near each other (reverse Cuthill-McKee)."""
    if not circuit.num_qubits:
        return []
    pairs = np.array(list(two_qubit_pairs(circuit)), dtype=np.int64).reshape(-1, 2)
    both = np.concatenate([pairs, pairs[:, ::-1]])
    meetings = coo_array((np.ones(len(both)), (both[:, 0], both[:, 1])), shape=(circuit.num_qubits,) * 2)
    qubits = circuit.qubits
    return [qubits[index] for index in reverse_cuthill_mckee(meetings.tocsr(), symmetric_mode=True).tolist()]


def line_starts(qubits: Sequence[Qubit], line: Sequence[int]) -> list[Layout]:
    """Return where SABRE may start: ``qubits`` along the middle of ``line``, one way and the other; those in the middle if it is short."""
    spare = len(line) - len(qubits)
    where = line[max(0, spare) // 2 :][: len(qubits)]
    kept = qubits[max(0, -spare) // 2 :][: len(line)]
    return [Layout(dict(zip(kept, places, strict=True))) for places in (where, where[::-1])]
