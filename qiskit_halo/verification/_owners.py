"""Which program every segment belongs to, and the operations that mix two programs."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from qiskit import QuantumCircuit
from qiskit.circuit.classical import expr

from qiskit_halo.verification._components import Component, CutCircuit, UnionFind, find_components, step_nodes
from qiskit_halo.verification._ownership import UNNAMED, clbit_owners, variable_owner
from qiskit_halo.verification._steps import Step


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """One breach of isolation.

    Args:
        position: Index of the operation in ``circuit.data``.
        message: What is wrong, in one sentence.
    """

    position: int
    message: str


class Names:
    """How messages call programs and clbits; the metadata of the circuit only names things."""

    def __init__(self, circuit: QuantumCircuit) -> None:
        halo = (circuit.metadata or {}).get("halo")
        entries = halo.get("programs", ()) if isinstance(halo, Mapping) else ()
        self._programs = {entry.get("index"): entry.get("name") for entry in entries if isinstance(entry, Mapping)}
        self._circuit = circuit

    def owner(self, owner: int) -> str:
        """Return the owner as messages call it."""
        if owner < UNNAMED:
            return "a component that writes no clbit"
        if owner == UNNAMED:
            return "the unnamed program"
        name = self._programs.get(owner)
        return f"program {owner}" + (f" ({name!r})" if name else "")

    def clbit(self, index: int) -> str:
        """Return the clbit as its register calls it."""
        homes = self._circuit.find_bit(self._circuit.clbits[index]).registers
        return f"{homes[0][0].name}[{homes[0][1]}]" if homes else f"clbit {index}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ownership:
    """Owners of a cut circuit.

    Args:
        components: Its components, by first step.
        of_segment: Owner of each segment: the index of a program, -1 for the unnamed one; each component without
            clbits and variables is an owner of its own, called -2, -3, ... Joined programs go by the smallest of them.
        of_component: Owner of each component, likewise.
        programs: Every program that owns a component, ascending.
        joined: Groups of programs that operations or clbits join, each ascending.
        violations: The operations that join them.
    """

    components: tuple[Component, ...]
    of_segment: tuple[int, ...]
    of_component: tuple[int, ...]
    programs: tuple[int, ...]
    joined: tuple[tuple[int, ...], ...]
    violations: tuple[Violation, ...]


def find_owners(circuit: QuantumCircuit, cut: CutCircuit, *, merge_joined: bool) -> Ownership:
    """Recover the owner of every segment from the names of clbits and variables.

    Args:
        circuit: The circuit.
        cut: The same, cut at its resets.
        merge_joined: Whether programs that are joined anywhere count as one owner everywhere.

    Raises:
        IsolationError: Registers of two programs share a clbit.
    """
    bit_owner = clbit_owners(circuit)
    components = find_components(cut)
    names = Names(circuit)
    groups = UnionFind()
    violations: list[Violation] = []
    found: list[list[int]] = []
    for component in components:
        owners = {bit_owner[clbit] for clbit in component.clbits}
        tied = (cut.steps.ties[index] for index in component.steps if index in cut.steps.ties)
        owners.update(variable_owner(var) for ties in tied for var in ties.variables)
        found.append(sorted(owners))
        if len(owners) > 1:
            for owner in found[-1][1:]:
                groups.union(found[-1][0], owner)
            violations.extend(_blame(cut, component, bit_owner, names))
    programs = tuple(sorted({owner for owners in found for owner in owners}))
    members: dict[Hashable, list[int]] = {}
    for owner in programs:
        members.setdefault(groups.find(owner), []).append(owner)
    of_component: list[int] = []
    anonymous = UNNAMED
    for owners_now in found:
        if owners_now:
            of_component.append(members[groups.find(owners_now[0])][0] if merge_joined else owners_now[0])
        else:
            anonymous -= 1
            of_component.append(anonymous)
    of_segment = [anonymous] * len(cut.segments)
    for component, owner in zip(components, of_component, strict=True):
        for segment in component.segments:
            of_segment[segment] = owner
    return Ownership(
        components=components,
        of_segment=tuple(of_segment),
        of_component=tuple(of_component),
        programs=programs,
        joined=tuple(sorted(tuple(group) for group in members.values() if len(group) > 1)),
        violations=tuple(violations),
    )


def _blame(cut: CutCircuit, component: Component, bit_owner: Sequence[int], names: Names) -> Iterable[Violation]:
    """Yield the operations that mix programs in one component.

    Every segment first gets the owner that its own measurements (else its other clbits) name. Then the operations are
    replayed: the one that ties two different owners together is to blame, not a measurement long after.
    """
    owner_of: dict[Hashable, int] = {}
    for written in (True, False):
        for index in component.steps:
            step = cut.steps[index]
            owners = [bit_owner[c] for c in (step.writes if written else step.reads)]
            if not written:
                owners.extend(variable_owner(var) for var in step.variables)
            if owners:
                for segment in cut.of_step[index]:
                    owner_of.setdefault(segment, owners[0])
    joined = UnionFind()
    for index in component.steps:
        step = cut.steps[index]
        nodes = step_nodes(cut, index)
        for node in nodes:
            if isinstance(node, tuple):
                owner_of.setdefault(node, bit_owner[node[1]])
            elif isinstance(node, expr.Var):
                owner_of.setdefault(node, variable_owner(node))
        known = [(node, owner_of[joined.find(node)]) for node in nodes if joined.find(node) in owner_of]
        if len({owner for _, owner in known}) > 1:
            yield Violation(position=step.position, message=_mixture(step, known, names))
        # Only what one owner has grows together, so that one mistake is not reported over and over.
        home = known[0] if known else (nodes[0], None)
        for node in nodes:
            if owner_of.get(joined.find(node), home[1]) == home[1]:
                joined.union(home[0], node)
        if home[1] is not None:
            owner_of[joined.find(home[0])] = home[1]


def _mixture(step: Step, known: Sequence[tuple[Hashable, int]], names: Names) -> str:
    """Say how one operation mixes programs; ``known`` lists what it ties together, with owners."""
    segments = [owner for node, owner in known if isinstance(node, int)]
    if len(set(segments)) > 1:
        others = " and ".join(names.owner(owner) for owner in dict.fromkeys(segments))
        return (
            f"{step.describe()} on qubits {', '.join(map(str, step.qubits))} joins {others}; "
            "keep every operation inside one program"
        )
    home = segments[0] if segments else known[0][1]
    node, owner = next((node, owner) for node, owner in known if owner != home)
    if isinstance(node, tuple):
        verb = "writes" if node[1] in step.writes else "reads"
        what = f"clbit {names.clbit(node[1])}"
    else:
        verb, what = "uses", f"variable {getattr(node, 'name', node)!r}"
    place = f"qubits {', '.join(map(str, step.qubits))}" if step.qubits else "classical values"
    return (
        f"{step.describe()} on {place} of {names.owner(home)} {verb} {what} of {names.owner(owner)}; "
        "give each program clbits and variables of its own"
    )
