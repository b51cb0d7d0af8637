"""Number the bits of a piece, and order its instructions, by structure alone.

Two pieces that differ only in the names, numbers and order of their bits, or in the order in which independent
instructions are written, come out equal. Bits are told apart by colours that are refined along the circuit, forwards
and backwards; then they are numbered as they are met on a walk from the bit that is easiest to tell. Where colours
leave a choice a bounded number of walks is tried and the least result taken. What is left undecided then costs a
second compilation of an equal piece, never a wrong one: the key is made of the whole result.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from qiskit.circuit import (
    CircuitInstruction,
    Clbit,
    ControlFlowOp,
    ParameterExpression,
    Qubit,
)

from qiskit_halo.fragments.jumps import JUMPS
from qiskit_halo.fragments.key import TokenWriter
from qiskit_halo.fragments.ordering import Resource, sort_instructions
from qiskit_halo.rewire import Variable
from qiskit_halo.segments.resources import classical_resources

ROUNDS = 3
"""Rounds of refinement, at most."""

STARTS = 8
"""Walks tried where colours leave a choice of where to start."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CanonicalOrder:
    """A piece in canonical order.

    Args:
        instructions: Its instructions; barriers and control flow list their bits in canonical order too.
        qubits: Its qubits.
        clbits: Its classical bits.
        variables: Its variables and stretches, those that nested blocks declare for themselves left out.
    """

    instructions: tuple[CircuitInstruction, ...]
    qubits: tuple[Qubit, ...]
    clbits: tuple[Clbit, ...]
    variables: tuple[Variable, ...]


def canonical_order(
    instructions: Sequence[CircuitInstruction], qubits: Sequence[Qubit], clbits: Sequence[Clbit]
) -> CanonicalOrder:
    """Return ``instructions`` and their bits in canonical order.

    Args:
        instructions: In an order that respects their dependencies.
        qubits: Every qubit they use.
        clbits: Every classical bit they use.
    """
    graph = _Graph(instructions, qubits, clbits)
    walks = [graph.walk(start) for start in graph.starts()] or [graph.walk(None)]
    order = walks[0] if len(walks) == 1 else min(walks, key=graph.encode)
    rank = {graph.resources[index]: position for position, index in enumerate(order)}
    found = [resource for instruction in instructions for resource in classical_resources(instruction)]
    variables = dict.fromkeys(resource for resource in found if not isinstance(resource, Clbit))
    return CanonicalOrder(
        instructions=tuple(sort_instructions(instructions, rank)),
        qubits=tuple(sorted(qubits, key=rank.__getitem__)),
        clbits=tuple(sorted(clbits, key=rank.__getitem__)),
        variables=tuple(sorted(variables, key=rank.__getitem__)),
    )


@dataclass(frozen=True, slots=True)
class _Node:
    """One instruction, at top level or in a nested block.

    Args:
        token: What it is, without where.
        ordered: Resources in the places where they stand.
        loose: Resources that it holds in no particular place.
    """

    token: str
    ordered: tuple[int, ...]
    loose: tuple[int, ...] = ()


class _Graph:
    """The instructions of a piece over numbered resources: qubits, classical bits and variables.

    Nested blocks are written out one after another. That is not what happens when they run, but it tells their bits
    apart.
    """

    def __init__(
        self, instructions: Sequence[CircuitInstruction], qubits: Sequence[Qubit], clbits: Sequence[Clbit]
    ) -> None:
        self.resources: list[Resource] = [*qubits, *clbits]
        self._index: dict[Resource, int] = {resource: i for i, resource in enumerate(self.resources)}
        self._kinds = ["0 qubit"] * len(qubits) + ["1 clbit"] * len(clbits)
        self._nodes: list[_Node] = []
        self._add(instructions, self._index, "")
        self._chains: list[list[int]] = [[] for _ in self.resources]
        for index, node in enumerate(self._nodes):
            for resource in dict.fromkeys((*node.ordered, *node.loose)):
                self._chains[resource].append(index)
        self._ranks = _ranks([node.token for node in self._nodes])
        self._colours = self._refine()

    def starts(self) -> list[int]:
        """Return where a walk may start: the qubits of the smallest class, of these the one of least colour."""
        classes: dict[int, list[int]] = {}
        for resource, kind in enumerate(self._kinds):
            if kind == "0 qubit":
                classes.setdefault(self._colours[resource], []).append(resource)
        if not classes:
            return []
        return min(classes.items(), key=lambda item: (len(item[1]), item[0]))[1][:STARTS]

    def walk(self, start: int | None) -> list[int]:
        """Return all resources in the order in which they are met from ``start``."""
        order = [] if start is None else [start]
        met = dict.fromkeys(order)
        position = 0
        while len(order) < len(self.resources):
            if position == len(order):
                order.append(self._jump(order, met))
                met[order[-1]] = None
            for index in self._chains[order[position]]:
                for resource in self._nodes[index].ordered:
                    if resource not in met:
                        met[resource] = None
                        order.append(resource)
            position += 1
        return order

    def encode(self, order: Sequence[int]) -> list[tuple[int, ...]]:
        """Return the graph by the numbers of ``order``: equal for two orders if both make it the same."""
        number = {resource: position for position, resource in enumerate(order)}
        layers = [0] * len(self.resources)
        encoded = []
        for node, rank in zip(self._nodes, self._ranks, strict=True):
            touched = (*node.ordered, *node.loose)
            layer = max((layers[resource] for resource in touched), default=0)
            for resource in touched:
                layers[resource] = layer + 1
            places = (*(number[r] for r in node.ordered), *sorted(number[r] for r in node.loose))
            encoded.append((layer, rank, *places))
        return sorted(encoded)

    def _jump(self, order: Sequence[int], met: Mapping[int, None]) -> int:
        """Return where a walk goes on that has met all it can reach: through a loose hold if there is one."""
        for resource in order:
            for index in self._chains[resource]:
                held = [other for other in self._nodes[index].loose if other not in met]
                if held:
                    return min(held, key=lambda other: (self._kinds[other], self._colours[other], other))
        rest = [other for other in range(len(self.resources)) if other not in met]
        return min(rest, key=lambda other: (self._kinds[other], self._colours[other], other))

    def _refine(self) -> list[int]:
        """Return a colour for each resource: equal colours have equal histories and futures, as far as was looked."""
        nodes, colours = self._nodes, self._ranks
        kinds = _ranks(self._kinds)
        forth = list(range(len(nodes)))
        count = 0
        for _ in range(ROUNDS):
            past = self._sweep(forth, colours, kinds)
            future = self._sweep(forth[::-1], colours, kinds)
            # Hashes of numbers are the same in every process. Two that collide make a tie, no more.
            colours = [hash((c, p, f)) for c, p, f in zip(colours, past, future, strict=True)]
            if len(dict.fromkeys(colours)) == count:
                break
            count = len(dict.fromkeys(colours))
        return [
            hash((kind, tuple((colours[i], *_places(nodes[i], r)) for i in chain)))
            for r, (kind, chain) in enumerate(zip(kinds, self._chains, strict=True))
        ]

    def _sweep(self, order: Sequence[int], colours: Sequence[int], kinds: Sequence[int]) -> list[int]:
        """Return a colour for each node, made of its own and of all that come before it in ``order``."""
        state = list(kinds)
        result = [0] * len(self._nodes)
        for index in order:
            node = self._nodes[index]
            seen = hash(
                (
                    colours[index],
                    tuple([state[resource] for resource in node.ordered]),
                    tuple(sorted([state[resource] for resource in node.loose])),
                )
            )
            result[index] = seen
            for resource in node.loose:
                state[resource] = hash((seen, state[resource]))
            for place, resource in enumerate(node.ordered):
                state[resource] = hash((seen, place))
        return result

    def _add(self, instructions: Iterable[CircuitInstruction], inside: Mapping[Resource, int], path: str) -> None:
        """Add instructions whose bits are the resources ``inside`` says."""
        for instruction in instructions:
            name = instruction.name
            bits = tuple(inside[bit] for bit in (*instruction.qubits, *instruction.clbits))
            if name == "barrier":
                self._nodes.append(_Node(f"{path}barrier {instruction.label}", (), bits))
            elif name in JUMPS:
                self._nodes.append(_Node(path + name, (), bits))
            elif instruction.is_control_flow():
                self._add_control_flow(instruction, bits, inside, path)
            else:
                writer = _ShapeWriter(self, inside)
                token = f"{path}{writer.instruction(instruction, _NO_BITS)}"
                self._nodes.append(_Node(token, (*bits, *writer.met)))

    def _add_control_flow(
        self, instruction: CircuitInstruction, bits: Sequence[int], inside: Mapping[Resource, int], path: str
    ) -> None:
        operation: ControlFlowOp = instruction.operation
        writer = _ShapeWriter(self, inside)
        token = f"{path}{writer.control_flow(operation, _NO_BITS)}"
        self._nodes.append(_Node(token, tuple(writer.met), tuple(bit for bit in bits if bit not in writer.met)))
        for number, block in enumerate(operation.blocks):
            self._add(block.data, dict(zip((*block.qubits, *block.clbits), bits, strict=True)), f"{path}{number}/")

    def index_of(self, variable: Variable) -> int:
        """Return the number of a variable, a new one where it is met first."""
        if variable not in self._index:
            self._index[variable] = len(self.resources)
            self.resources.append(variable)
            self._kinds.append(f"2 {type(variable).__name__} {getattr(variable, 'type', None)!r}")
        return self._index[variable]


_NO_BITS: Mapping[Clbit, int] = {}


class _ShapeWriter(TokenWriter):
    """Writes what an instruction is, and notes in order which resources its expressions name."""

    def __init__(self, graph: _Graph, inside: Mapping[Resource, int]) -> None:
        super().__init__()
        self._graph = graph
        self._inside = inside
        self.met: list[int] = []

    def bit(self, bit: Clbit, clbits: Mapping[Clbit, int]) -> Hashable:
        self.met.append(self._inside[bit])
        return None

    def variable(self, variable: Variable) -> Hashable:
        self.met.append(self._graph.index_of(variable))
        return None

    def symbolic(self, value: ParameterExpression) -> Hashable:
        # Good enough to tell most apart, and free of the user's names.
        text = str(value)
        for name in sorted((p.name for p in value.parameters), key=lambda name: (-len(name), name)):
            text = text.replace(name, "_")
        return text


def _ranks(values: Sequence[str]) -> list[int]:
    """Return the place of each value among all distinct ones."""
    place = {value: index for index, value in enumerate(sorted(dict.fromkeys(values)))}
    return [place[value] for value in values]


def _places(node: _Node, resource: int) -> tuple[int, ...]:
    return tuple(place for place, other in enumerate(node.ordered) if other == resource)
