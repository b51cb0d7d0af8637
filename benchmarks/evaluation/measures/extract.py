"""One member of a batch as a circuit of its own, on the same qubits, with whoever it is tied to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from qiskit.circuit import ClassicalRegister, Clbit, QuantumCircuit, QuantumRegister

from benchmarks.evaluation.measures.steps import Step

Node = tuple[str, int, int]


@dataclass(frozen=True)
class Part:
    """What must be simulated to know a member's outcomes.

    Attributes:
        circuit: As wide as the device; the registers are the user's, in the user's order, then one of everybody else's
            bits that are needed.
        num_wires: Wires of its largest component: segments between resets, tied by operations and clbits.
    """

    circuit: QuantumCircuit
    num_wires: int

    @property
    def key(self) -> tuple[object, ...]:
        """What tells it from parts that behave differently."""
        circuit = self.circuit
        return tuple(
            (
                i.name,
                tuple(circuit.find_bit(bit).index for bit in i.qubits),
                tuple(circuit.find_bit(bit).index for bit in i.clbits),
                str(i.operation.params),
            )
            for i in circuit.data
        )


class Ties:
    """The components of a batch: segments of its wires between resets, tied by operations and clbits."""

    def __init__(self, circuit: QuantumCircuit, steps: Sequence[Step]) -> None:
        self._circuit = circuit
        self._steps = steps
        self._parent: dict[Node, Node] = {}
        self._nodes: list[tuple[Node, ...]] = []
        segment = [0] * circuit.num_qubits  # resets so far on a wire name its segments
        for step in steps:
            if step.name == "reset":
                segment[step.qubits[0]] += 1
            nodes = tuple(("wire", wire, segment[wire]) for wire in step.qubits)
            self._nodes.append(nodes)
            if not step.passive and step.name != "reset":
                tied = [*nodes, *(("clbit", clbit, 0) for clbit in step.clbits)]
                for node in tied[1:]:
                    self._parent[self._find(node)] = self._find(tied[0])

    def _find(self, node: Node) -> Node:
        parent = self._parent
        root = parent.setdefault(node, node)
        while parent[root] != root:
            root = parent[root]
        parent[node] = root
        return root

    def part(self, member: int, program: QuantumCircuit) -> Part:
        """Return the part of one member: all segments tied to its clbits.

        Waits inside a segment and resets before it are kept. Where another state had the wire before, one X stands for
        it, so that a simulator knows that the resets have something to clear.

        Args:
            member: Index in the batch.
            program: The user's circuit, whose clbits are its registers one after the other.
        """
        circuit = self._circuit
        mine = [bit for own in program.cregs for bit in _register(circuit, f"p{member}_{own.name}")]
        roots = {self._find(("clbit", circuit.find_bit(bit).index, 0)) for bit in mine}
        kept = [
            not step.passive and step.name != "reset" and bool(nodes) and self._find(nodes[0]) in roots
            for step, nodes in zip(self._steps, self._nodes, strict=True)
        ]
        needed = dict.fromkeys(
            circuit.clbits[index] for step, keep in zip(self._steps, kept, strict=True) if keep for index in step.clbits
        )
        others = [bit for bit in needed if bit not in set(mine)]
        registers = [ClassicalRegister(own.size, own.name) for own in program.cregs]
        if others:
            registers.append(ClassicalRegister(len(others), "everybody_else"))
        part = QuantumCircuit(QuantumRegister(circuit.num_qubits, "q"), *registers)
        self._fill(part, roots, kept, dict(zip([*mine, *others], part.clbits, strict=True)))
        return Part(part, self._num_wires(roots))

    def _fill(self, part: QuantumCircuit, roots: set[Node], kept: list[bool], clbits: dict[Clbit, Clbit]) -> None:
        resets: dict[int, int] = {}
        last: dict[int, bool] = {}  # wire -> whether its last segment was mine
        for step, nodes, keep in zip(self._steps, self._nodes, kept, strict=True):
            if step.name == "reset":
                resets[step.qubits[0]] = resets.get(step.qubits[0], 0) + 1
                continue
            if step.name == "delay":
                wire = step.qubits[0]
                inside = wire in last and not resets.get(wire) and nodes[0] in self._parent
                keep = inside and self._find(nodes[0]) in roots
            elif step.name != "barrier":
                for wire in step.qubits:
                    rounds = resets.pop(wire, 0)
                    if keep and rounds and wire in last:
                        if not last[wire]:
                            part.reset(wire)
                            part.x(wire)
                        for _ in range(rounds):
                            part.reset(wire)
                    last[wire] = keep
            if keep:
                instruction = step.instruction
                part.append(
                    instruction.operation,
                    [part.qubits[wire] for wire in step.qubits],
                    [clbits[bit] for bit in instruction.clbits],
                )

    def _num_wires(self, roots: set[Node]) -> int:
        wires: dict[Node, set[int]] = {root: set() for root in roots}
        for node in list(self._parent):
            if node[0] == "wire" and (root := self._find(node)) in roots:
                wires[root].add(node[1])
        return max((len(own) for own in wires.values()), default=0)


def _register(circuit: QuantumCircuit, name: str) -> ClassicalRegister:
    found = next((register for register in circuit.cregs if register.name == name), None)
    if found is None:
        raise ValueError(f"the batch has no classical register {name!r}")
    return found
