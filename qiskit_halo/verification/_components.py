"""The verifier's own wire cutter: segments between resets, joined to components.

Written apart from the compiler's, on purpose: one mistake must not hide in both.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass

from qiskit_halo.verification._step_list import StepList
from qiskit_halo.verification._steps import PASSIVE


class UnionFind:
    """Disjoint sets of whatever can be hashed, with the size of each; grows while it is used."""

    def __init__(self) -> None:
        self._parent: dict[Hashable, Hashable] = {}

    def find(self, item: Hashable) -> Hashable:
        """Return the representative of the set that holds ``item``."""
        parent = self._parent
        root = parent.setdefault(item, item)
        while parent[root] != root:
            parent[root] = parent[parent[root]]
            root = parent[root]
        parent[item] = root
        return root

    def union(self, first: Hashable, second: Hashable) -> None:
        """Join the two sets."""
        self._parent[self.find(second)] = self.find(first)


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """Operations on one wire between two unconditional resets.

    Args:
        wire: Qubit index in the circuit.
        resets_before: Consecutive resets right before its first operation (delays and barriers do not count
            as operations); those at the start of the wire included.
        first: Index of its first step.
        last: Index of its last step.
    """

    wire: int
    resets_before: int
    first: int
    last: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CutCircuit:
    """A circuit cut at its resets.

    Args:
        steps: Every step of the circuit, in order.
        segments: Every segment, by first step.
        of_step: Segments that each step acts on, in the order of its qubits; empty for barriers, delays and
            top-level resets.
        by_wire: Segments of each wire, in time order.
    """

    steps: StepList
    segments: tuple[Segment, ...]
    of_step: tuple[tuple[int, ...], ...]
    by_wire: tuple[tuple[int, ...], ...]


def cut_at_resets(steps: StepList, num_wires: int) -> CutCircuit:
    """Cut every wire at its unconditional, top-level resets.

    Resets inside control flow are never steps of their own here, so they do not cut.
    """
    current: list[int | None] = [None] * num_wires
    resets = [0] * num_wires
    by_wire: list[list[int]] = [[] for _ in range(num_wires)]
    wires: list[int] = []
    before: list[int] = []
    first: list[int] = []
    last: list[int] = []
    of_step: list[tuple[int, ...]] = []
    # Few lists of segments differ, and what is kept of many small objects is what the garbage collector looks through.
    distinct: dict[tuple[int, ...], tuple[int, ...]] = {}
    for index, (kind, qubits) in enumerate(zip(steps.kinds, steps.qubits, strict=True)):
        if kind == "reset":
            (wire,) = qubits
            current[wire] = None
            resets[wire] += 1
            of_step.append(())
            continue
        if kind in PASSIVE:
            of_step.append(())
            continue
        touched = []
        for wire in qubits:
            segment = current[wire]
            if segment is None:
                segment = current[wire] = len(wires)
                wires.append(wire)
                before.append(resets[wire])
                first.append(index)
                last.append(index)
                by_wire[wire].append(segment)
                resets[wire] = 0
            else:
                last[segment] = index
            touched.append(segment)
        found = tuple(touched)
        of_step.append(distinct.setdefault(found, found))
    segments = tuple(
        Segment(wire=wire, resets_before=count, first=start, last=stop)
        for wire, count, start, stop in zip(wires, before, first, last, strict=True)
    )
    return CutCircuit(
        steps=steps,
        segments=segments,
        of_step=tuple(of_step),
        by_wire=tuple(tuple(line) for line in by_wire),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """Segments, clbits and variables joined by the operations on them.

    Args:
        steps: Indices of its steps, in order.
        segments: Indices of its segments, ascending.
        clbits: Clbits it reads or writes, ascending.
    """

    steps: tuple[int, ...]
    segments: tuple[int, ...]
    clbits: tuple[int, ...]


def find_components(cut: CutCircuit) -> tuple[Component, ...]:
    """Return the components of a cut circuit, by first step."""
    joined = UnionFind()
    # Of each step that ties anything together, in columns.
    indices: list[int] = []
    anchors: list[Hashable] = []
    ties = cut.steps.ties
    for index, segments in enumerate(cut.of_step):
        # Barriers and delays have no segments.
        nodes = step_nodes(cut, index) if index in ties else segments
        if not nodes:
            continue
        for node in nodes[1:]:
            joined.union(nodes[0], node)
        indices.append(index)
        anchors.append(nodes[0])
    steps: dict[Hashable, list[int]] = {}
    of_node: dict[Hashable, list[int]] = {}
    for index, node in zip(indices, anchors, strict=True):
        own = of_node.get(node)
        if own is None:
            own = of_node[node] = steps.setdefault(joined.find(node), [])
        own.append(index)
    return tuple(
        Component(
            steps=tuple(members),
            segments=tuple(sorted({s for i in members for s in cut.of_step[i]})),
            clbits=tuple(sorted({c for i in members if i in ties for c in (*ties[i].reads, *ties[i].writes)})),
        )
        for members in steps.values()
    )


def step_nodes(cut: CutCircuit, index: int) -> list[Hashable]:
    """Return what a step ties together: its segments, its clbits and its variables."""
    nodes: list[Hashable] = list(cut.of_step[index])
    ties = cut.steps.ties.get(index)
    if ties is not None:
        nodes.extend(("clbit", clbit) for clbit in dict.fromkeys((*ties.reads, *ties.writes)))
        nodes.extend(ties.variables)
    return nodes
