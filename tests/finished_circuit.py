"""A judge of finished circuits that reads only the circuit, its register names and the target.

Written apart from the package and from its checker, as an outsider would: short, slow, and sharing no code with either.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from qiskit.circuit import CircuitInstruction, ClassicalRegister, Clbit, QuantumCircuit
from qiskit.circuit.classical import expr
from qiskit.transpiler import Target

from tests.dense_oracle import brute_force, distance

NOBODY = "nobody"


@dataclass(frozen=True)
class Part:
    """Operations that one thing leads to another by: a component of the circuit.

    ``owners`` are the numbers in the names ``p<k>_...`` of what it reads and writes; none if it touches nothing named.
    """

    positions: tuple[int, ...]
    wires: tuple[int, ...]
    owners: tuple[int, ...]


@dataclass(frozen=True)
class Finished:
    """A circuit cut at its resets: its parts, and for each wire the (resets before, part) of every stay on it."""

    circuit: QuantumCircuit
    parts: tuple[Part, ...]
    stays: dict[int, list[tuple[int, int]]]


def read_finished(circuit: QuantumCircuit) -> Finished:
    """Cut ``circuit`` at its top-level resets, and join what gates, clbits and variables join."""
    wire_of = {qubit: index for index, qubit in enumerate(circuit.qubits)}
    group: dict[object, object] = {}

    def find(node: object) -> object:
        while group.setdefault(node, node) != node:
            node = group[node]
        return node

    turn = dict.fromkeys(range(circuit.num_qubits), 0)
    idle = dict.fromkeys(range(circuit.num_qubits), True)
    resets = dict.fromkeys(range(circuit.num_qubits), 0)
    stays: dict[int, list[tuple[int, object]]] = {}
    anchor: dict[int, object] = {}
    owners_of: dict[object, dict[int, None]] = {}
    for position, instruction in enumerate(circuit.data):
        wires = [wire_of[qubit] for qubit in instruction.qubits]
        if instruction.name == "reset":
            turn[wires[0]] += not idle[wires[0]]
            idle[wires[0]] = True
            resets[wires[0]] += 1
            continue
        if instruction.name == "barrier" or _is_plain_delay(instruction):
            continue
        nodes: list[object] = []
        for wire in wires:
            node = ("wire", wire, turn[wire])
            if idle[wire]:
                stays.setdefault(wire, []).append((resets[wire], node))
                idle[wire], resets[wire] = False, 0
            nodes.append(node)
        touched = list(_classical(instruction))
        nodes = [*nodes, *touched] or [("alone", position)]
        for other in nodes[1:]:
            group[find(other)] = find(nodes[0])
        anchor[position] = nodes[0]
        for node in touched:
            owners_of.setdefault(node, {}).update(dict.fromkeys(_owners(circuit, node)))
    positions: dict[object, list[int]] = {}
    for position, node in anchor.items():
        positions.setdefault(find(node), []).append(position)
    number = {root: index for index, root in enumerate(positions)}
    owners: list[dict[int, None]] = [{} for _ in positions]
    for node, found in owners_of.items():
        owners[number[find(node)]].update(found)
    parts = tuple(
        Part(
            positions=tuple(members),
            wires=tuple(sorted({wire_of[q] for p in members for q in circuit.data[p].qubits})),
            owners=tuple(sorted(own)),
        )
        for members, own in zip(positions.values(), owners, strict=True)
    )
    return Finished(
        circuit=circuit,
        parts=parts,
        stays={wire: [(count, number[find(node)]) for count, node in line] for wire, line in stays.items()},
    )


def check_isolated(finished: Finished, *, resets: int, joined: tuple[tuple[int, ...], ...] = ()) -> None:
    """No part has two owners, and ``resets`` resets lie between two owners of a wire.

    ``joined`` are groups of programs that count as one owner. A part that touches nothing named is an owner by itself.
    """
    owner: list[object] = []
    for index, part in enumerate(finished.parts):
        groups = [g for g in joined if set(part.owners) <= set(g)]
        assert len(part.owners) <= 1 or groups, f"operations {part.positions} join programs {part.owners}"
        owner.append(groups[0] if groups and part.owners else part.owners or (NOBODY, index))
    for wire, line in finished.stays.items():
        for (_, before), (count, after) in pairwise(line):
            if owner[before] != owner[after]:
                assert count >= resets, f"wire {wire}: {count} resets between {owner[before]} and {owner[after]}"


def check_supported(circuit: QuantumCircuit, target: Target, *, dead_allowed: bool = False) -> None:
    """The target has every operation where it stands, and none of them is dead, which Qiskit's own layouts allow."""
    wire_of = {qubit: index for index, qubit in enumerate(circuit.qubits)}
    dead = {
        qargs
        for name in target.operation_names
        for qargs, properties in (target[name] or {}).items()
        if qargs is not None
        and properties is not None
        and properties.error is not None
        and properties.error >= 1
        and not dead_allowed
    }

    def check(block: QuantumCircuit, place: dict) -> None:
        for instruction in block.data:
            qargs = tuple(place[qubit] for qubit in instruction.qubits)
            name = instruction.name
            if name in ("barrier", "store", "break_loop", "continue_loop"):
                continue
            if instruction.is_control_flow():
                assert name in target.operation_names
                for inner in instruction.operation.blocks:
                    check(inner, dict(zip(inner.qubits, qargs, strict=True)))
                continue
            assert target.instruction_supported(name, qargs), f"{name} on {qargs}"
            if name != "delay":  # Qiskit's padding fills wires that nobody uses too
                assert qargs not in dead, f"{name} on {qargs} is dead"
                assert not any((qubit,) in dead for qubit in qargs), f"{name} on a dead qubit of {qargs}"

    check(circuit, wire_of)


def program_alone(finished: Finished, program: int) -> QuantumCircuit:
    """The parts of one program, with the resets on their wires, on no more wires than they need.

    Resets before the first operation of a wire are left out if nobody used the wire before: they change nothing.
    """
    source = finished.circuit
    mine = [part for part in finished.parts if program in part.owners]
    keep = {position for part in mine for position in part.positions}
    wires = sorted({wire for part in mine for wire in part.wires})
    bits = {source.qubits[wire]: index for index, wire in enumerate(wires)}
    alone = QuantumCircuit(len(wires))
    alone.add_bits(source.clbits)
    for register in source.cregs:
        alone.add_register(register)
    for variable in source.iter_declared_vars():
        alone.add_uninitialized_var(variable)
    for stretch in source.iter_declared_stretches():
        alone.add_stretch(stretch)
    for position, instruction in enumerate(source.data):
        if position in keep or (instruction.name == "reset" and instruction.qubits[0] in bits):
            alone._append(instruction.replace(qubits=[alone.qubits[bits[q]] for q in instruction.qubits]))
    return alone


def dense_distance(original: QuantumCircuit, finished: Finished, program: int) -> float:
    """Total variation between what a user's circuit gives and what its part of a finished circuit gives.

    Raises:
        TooManyBranchesError: One of the two is too large for brute force.
    """
    places = clbit_places(original, finished.circuit, program)
    wanted = brute_force(original)
    width = finished.circuit.num_clbits
    got: dict[str, float] = {}
    for key, weight in brute_force(program_alone(finished, program)).items():
        own = "".join(key[width - 1 - place] for place in reversed(places))
        got[own] = got.get(own, 0.0) + weight
    return distance(wanted, got)


def clbit_places(original: QuantumCircuit, merged: QuantumCircuit, program: int) -> list[int]:
    """For each clbit of a user's circuit its index in the merged one, by the public naming rule.

    Where a user's registers share bits the rule alone does not tell, and the metadata is read.
    """
    entry = merged.metadata["halo"]["programs"][program]
    registers = {register.name: register for register in merged.cregs}
    index = {bit: place for place, bit in enumerate(merged.clbits)}
    places: dict[Clbit, int] = {}
    homes: set[str] = set()
    for register, stored in zip(original.cregs, entry["registers"], strict=True):
        assert register.name == stored["name"]
        for bit, (home, place) in zip(register, stored["bits"], strict=True):
            assert home.startswith(f"p{program}_")
            homes.add(home)
            places[bit] = index[registers[home][place]]
    loose = [bit for bit in original.clbits if bit not in places]
    rest = [name for name, _ in entry["merged_registers"] if name not in homes]
    assert len(rest) == bool(loose)
    for name in rest:
        places.update((bit, index[there]) for bit, there in zip(loose, registers[name], strict=True))
    return [places[bit] for bit in original.clbits]


def _is_plain_delay(instruction: CircuitInstruction) -> bool:
    return instruction.name == "delay" and not isinstance(instruction.operation.duration, expr.Expr)


def _classical(instruction: CircuitInstruction) -> Iterator[object]:
    """Clbits and variables that an operation reads or writes, blocks included."""
    yield from instruction.clbits
    operation = instruction.operation
    values = [getattr(operation, name, None) for name in ("condition", "target", "duration", "lvalue", "rvalue")]
    for value in values:
        if isinstance(value, tuple):
            value = value[0]
        if isinstance(value, Clbit):
            yield value
        elif isinstance(value, ClassicalRegister):
            yield from value
        elif isinstance(value, expr.Expr):
            for found in expr.iter_identifiers(value):
                inside = getattr(found, "var", None)
                if isinstance(inside, Clbit):
                    yield inside
                elif isinstance(inside, ClassicalRegister):
                    yield from inside
                else:
                    yield found
    for block in getattr(operation, "blocks", ()):
        yield from block.iter_captures()


def _owners(circuit: QuantumCircuit, node: object) -> Iterator[int]:
    names = [node.name] if not isinstance(node, Clbit) else [r.name for r in circuit.cregs if node in r]
    for name in names:
        match = re.match(r"p(\d+)_", name)
        assert match, f"{name} belongs to no program"
        yield int(match.group(1))
