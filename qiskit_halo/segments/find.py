"""Cut the wires of a circuit at its resets and join what belongs together.

A *segment* is the operations on one wire between two resets, or the ends of the wire: it starts in |0>, and
nothing quantum flows from one segment to the next. A *component* is segments joined by multi-qubit operations,
classical bits and classical variables. Both are read off the circuit alone, so this works on any circuit, whether
we merged it or not, before and after routing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from qiskit.circuit import CircuitInstruction, QuantumCircuit, Qubit
from qiskit.circuit.classical import expr

from qiskit_halo.ownership import owner_of_name
from qiskit_halo.segments.resources import ClassicalResource, classical_resources

UNNAMED = -1
"""Owner of classical bits whose registers carry no program's prefix: they all belong to one program."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """The operations on one wire between two resets.

    Args:
        wire: Index of the wire in the circuit.
        resets: Positions of the resets that open the segment; empty where the wire begins without one.
        operations: Positions of its operations, ascending; resets and barriers are not among them.
        component: Index of the component that the segment belongs to.
    """

    wire: int
    resets: tuple[int, ...]
    operations: tuple[int, ...]
    component: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """Segments joined by operations, classical bits and variables.

    Args:
        segments: Indices of its segments, ascending by wire, then position.
        operations: Positions of its operations in the circuit, ascending.
        clbits: Indices of the classical bits it reads or writes, ascending.
        variables: Names of the classical variables and stretches it uses, in order of first use.
        owners: Programs it belongs to, ascending: one in a well isolated circuit, several where operations
            join programs, none if it is anonymous (no classical bit, no variable).
    """

    segments: tuple[int, ...]
    operations: tuple[int, ...]
    clbits: tuple[int, ...]
    variables: tuple[str, ...]
    owners: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class BarrierLink:
    """A barrier and the segments that it holds.

    Args:
        position: Position of the barrier in the circuit.
        segments: Indices of the segments on its wires, in the order of the barrier's qubits.
    """

    position: int
    segments: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Segmentation:
    """A whole circuit, cut and joined. Positions count instructions in ``circuit.data``.

    Args:
        segments: Every segment that holds an operation, by wire, then position.
        components: Every component, by its first operation.
        barriers: Every barrier that touches at least one segment, by position.
    """

    segments: tuple[Segment, ...]
    components: tuple[Component, ...]
    barriers: tuple[BarrierLink, ...]


def find_components(circuit: QuantumCircuit, data: Sequence[CircuitInstruction] | None = None) -> Segmentation:
    """Cut ``circuit`` into segments and join them into components, in one pass over its instructions.

    Only an unconditional reset at top level cuts; a reset inside control flow, or hidden in a composite
    instruction, does not.

    Args:
        circuit: Any circuit.
        data: ``circuit.data``, or a list of it: Qiskit makes each instruction anew whenever it is asked for, and who reads
            them several times saves that.

    Examples:
        >>> circuit = QuantumCircuit(1, 2)
        >>> _ = circuit.h(0), circuit.measure(0, 0), circuit.reset(0), circuit.measure(0, 1)
        >>> [segment.operations for segment in find_components(circuit).segments]
        [(0, 1), (3,)]
    """
    draft = _Draft(circuit.qubits)
    current, operations = draft.open, draft.operations
    resource_nodes: dict[ClassicalResource, int] = {}
    for position, instruction in enumerate(circuit.data if data is None else data):
        # Standard gates are most of a circuit, and touch nothing classical; those on one qubit join nothing.
        if instruction.is_standard_gate():
            qubits = instruction.qubits
            if len(qubits) == 1:
                operations[current[qubits[0]]].append(position)
            else:
                draft.hold(qubits, position)
            continue
        name = instruction.name
        if name == "reset":
            draft.cut(instruction.qubits[0], position)
        elif name == "barrier":
            draft.barriers.append((position, [current[qubit] for qubit in instruction.qubits]))
        else:
            joined: list[int] = []
            for resource in classical_resources(instruction):
                node = resource_nodes.get(resource)
                if node is None:
                    node = resource_nodes[resource] = draft.new_node()
                joined.append(node)
            draft.hold(instruction.qubits, position, joined)
    return _finish(circuit, draft, resource_nodes)


def owners_of_clbits(circuit: QuantumCircuit) -> list[tuple[int, ...]]:
    """Return, for each clbit index, the programs whose registers hold it; ``UNNAMED`` if none does."""
    owners: list[dict[int, None]] = [{} for _ in circuit.clbits]
    index_of = {bit: index for index, bit in enumerate(circuit.clbits)}
    for register in circuit.cregs:
        owner = owner_of_name(register.name)
        if owner is not None:
            for bit in register:
                owners[index_of[bit]][owner] = None
    return [tuple(sorted(found)) or (UNNAMED,) for found in owners]


class _Draft:
    """Union-find over wire segments and classical resources, grown while walking a circuit."""

    def __init__(self, qubits: Sequence[Qubit]) -> None:
        self.parent: list[int] = []
        self.wire: dict[int, int] = {}
        self.resets: dict[int, list[int]] = {}
        self.operations: dict[int, list[int]] = {}
        self.barriers: list[tuple[int, list[int]]] = []
        # Operations that are in no segment, by one of their nodes.
        self.unplaced: dict[int, list[int]] = {}
        self.open = {qubit: self._new_segment(wire) for wire, qubit in enumerate(qubits)}

    def new_node(self) -> int:
        self.parent.append(len(self.parent))
        return len(self.parent) - 1

    def _new_segment(self, wire: int) -> int:
        node = self.new_node()
        self.wire[node] = wire
        self.resets[node] = []
        self.operations[node] = []
        return node

    def cut(self, qubit: Qubit, position: int) -> None:
        # Resets in a row open one segment; so does the first on a fresh wire.
        node = self.open[qubit]
        if self.operations[node]:
            node = self.open[qubit] = self._new_segment(self.wire[node])
        self.resets[node].append(position)

    def hold(self, qubits: Sequence[Qubit], position: int, others: Sequence[int] = ()) -> None:
        """Add an operation to the segments that ``qubits`` are in, and join these and the nodes ``others``."""
        first = -1
        for qubit in qubits:
            node = self.open[qubit]
            self.operations[node].append(position)
            first = node if first < 0 else self._join(first, node)
        for node in others:
            first = node if first < 0 else self._join(first, node)
        if not qubits:
            # An operation that touches nothing at all is a component by itself.
            self.unplaced.setdefault(self.new_node() if first < 0 else first, []).append(position)

    def _join(self, first: int, second: int) -> int:
        """Return a node that stands for both from now on."""
        # Most gates join what is joined already, which costs no search if both have the same parent.
        if self.parent[first] == self.parent[second]:
            return first
        root, other = self.find(first), self.find(second)
        if root != other:
            # Keep the smaller index as the root, for an order that does not depend on the walk.
            root, other = min(root, other), max(root, other)
            self.parent[other] = root
        return root

    def find(self, node: int) -> int:
        parent = self.parent
        while parent[node] != node:
            parent[node] = parent[parent[node]]
            node = parent[node]
        return node


def _finish(circuit: QuantumCircuit, draft: _Draft, resource_nodes: dict[ClassicalResource, int]) -> Segmentation:
    columns: dict[int, list[list[int]]] = {}
    for node, own in (*draft.operations.items(), *draft.unplaced.items()):
        if own:
            columns.setdefault(draft.find(node), []).append(own)
    # An operation on several qubits is in several segments.
    merged = {root: sorted(set().union(*lists)) if len(lists) > 1 else lists[0] for root, lists in columns.items()}
    operations = dict(sorted(merged.items(), key=lambda entry: entry[1][0]))
    index_of_root = {root: index for index, root in enumerate(operations)}

    kept = sorted((node for node in draft.wire if draft.operations[node]), key=lambda node: (draft.wire[node], node))
    segment_index = {node: index for index, node in enumerate(kept)}
    segments = tuple(
        Segment(
            wire=draft.wire[node],
            resets=tuple(draft.resets[node]),
            operations=tuple(draft.operations[node]),
            component=index_of_root[draft.find(node)],
        )
        for node in kept
    )

    members: list[list[int]] = [[] for _ in operations]
    for index, segment in enumerate(segments):
        members[segment.component].append(index)
    clbits, variables, owners = _classical_sides(circuit, draft, resource_nodes, index_of_root)
    components = tuple(
        Component(
            segments=tuple(members[index]),
            operations=tuple(positions),
            clbits=tuple(sorted(clbits[index])),
            variables=tuple(variables[index]),
            owners=tuple(sorted(owners[index])),
        )
        for index, positions in enumerate(operations.values())
    )
    barriers = tuple(
        BarrierLink(position=position, segments=held)
        for position, nodes in draft.barriers
        if (held := tuple(segment_index[node] for node in nodes if node in segment_index))
    )
    return Segmentation(segments=segments, components=components, barriers=barriers)


def _classical_sides(
    circuit: QuantumCircuit,
    draft: _Draft,
    resource_nodes: dict[ClassicalResource, int],
    index_of_root: dict[int, int],
) -> tuple[list[list[int]], list[list[str]], list[dict[int, None]]]:
    """Return, for each component, its clbits, the names of its variables, and its owners."""
    clbits: list[list[int]] = [[] for _ in index_of_root]
    variables: list[list[str]] = [[] for _ in index_of_root]
    owners: list[dict[int, None]] = [{} for _ in index_of_root]
    clbit_index = {bit: index for index, bit in enumerate(circuit.clbits)}
    clbit_owners = owners_of_clbits(circuit)
    for resource, node in resource_nodes.items():
        component = index_of_root[draft.find(node)]
        if isinstance(resource, (expr.Var, expr.Stretch)):
            variables[component].append(resource.name)
            owner = owner_of_name(resource.name)
            owners[component][UNNAMED if owner is None else owner] = None
        else:
            clbits[component].append(clbit_index[resource])
            owners[component].update(dict.fromkeys(clbit_owners[clbit_index[resource]]))
    return clbits, variables, owners
