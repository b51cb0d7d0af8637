"""Components that must keep their timing to each other, as one rigid piece."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from qiskit.circuit import Barrier, CircuitInstruction, QuantumCircuit

from qiskit_halo.segments.find import Segmentation


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """One component, or several of one program that a barrier holds together.

    Args:
        owners: Programs it belongs to, ascending; none if anonymous, several where operations join programs.
        components: Indices of its components, ascending.
        segments: Indices of its segments, ascending (by wire, then position).
        operations: Positions of its operations in the circuit, ascending, barriers and resets left out.
        barriers: Barriers inside it: (position, indices of the piece's segments it holds).
        wires: Indices of its wires, ascending.
        clbits: Indices of its classical bits, ascending.
    """

    owners: tuple[int, ...]
    components: tuple[int, ...]
    segments: tuple[int, ...]
    operations: tuple[int, ...]
    barriers: tuple[tuple[int, tuple[int, ...]], ...]
    wires: tuple[int, ...]
    clbits: tuple[int, ...]


def find_pieces(segmentation: Segmentation) -> tuple[Piece, ...]:
    """Group the components of a circuit into rigid pieces, ordered by their first operation.

    A barrier over one program joins the components it touches. A barrier over several programs is taken as one
    barrier a program: it never joins them. An anonymous component goes with the first program whose barrier
    touches it, because only a program's own barrier can be what its user meant.
    """
    components = segmentation.components
    root = list(range(len(components)))
    owners = [component.owners for component in components]

    def find(index: int) -> int:
        while root[index] != index:
            root[index] = root[root[index]]
            index = root[index]
        return index

    for barrier in segmentation.barriers:
        touched = dict.fromkeys(find(segmentation.segments[s].component) for s in barrier.segments)
        by_owner: dict[tuple[int, ...], list[int]] = {}
        for index in touched:
            by_owner.setdefault(owners[index], []).append(index)
        anonymous = by_owner.pop((), [])
        groups = list(by_owner.values())
        if len(groups) <= 1:
            groups = [[*(groups[0] if groups else []), *anonymous]]
        for group in groups:
            first = min(group)
            owner = owners[group[0]]
            for index in group:
                root[index] = first
            owners[first] = owner

    grouped: dict[int, list[int]] = {}
    for index in range(len(components)):
        grouped.setdefault(find(index), []).append(index)
    piece_of = [find(index) for index in range(len(components))]
    barriers = _barriers_by_piece(segmentation, piece_of)
    return tuple(
        _build(segmentation, tuple(members), owners[first], barriers.get(first, []))
        for first, members in grouped.items()
    )


def piece_instructions(
    circuit: QuantumCircuit,
    segmentation: Segmentation,
    piece: Piece,
    least_resets: int = 1,
    data: Sequence[CircuitInstruction] | None = None,
) -> list[CircuitInstruction]:
    """Return the instructions of ``piece``, in the order of the circuit.

    Resets between two of its segments on one wire are among them; those that open its first segment on a wire are
    not: a piece starts in |0>, and whoever places it sees to that. A barrier covers the piece's own wires only.

    Args:
        circuit: The circuit that the piece was found in.
        segmentation: The circuit, cut.
        piece: What to return.
        least_resets: Rounds between an anonymous component and another one on the same wire, which count as two
            owners; within one program the user's own resets are enough.
        data: ``circuit.data``, or a list of it.
    """
    if data is None:
        data = circuit.data
    positions = list(piece.operations)
    own = [data[position] for position in positions]
    before: dict[int, int] = {}
    for index in piece.segments:
        segment = segmentation.segments[index]
        if segment.wire in before:
            rounds = [data[position] for position in segment.resets]
            if _changes_owner(segmentation, before[segment.wire], segment.component):
                rounds += [rounds[-1]] * (least_resets - len(rounds))
            own += rounds
            positions += [segment.resets[min(i, len(segment.resets) - 1)] for i in range(len(rounds))]
        before[segment.wire] = segment.component
    for position, held in piece.barriers:
        qubits = [circuit.qubits[segmentation.segments[index].wire] for index in held]
        barrier = data[position]
        if len(qubits) < len(barrier.qubits):
            barrier = CircuitInstruction(Barrier(len(qubits), label=barrier.label), qubits, ())
        own.append(barrier)
        positions.append(position)
    if len(positions) == len(piece.operations):
        return own
    return [own[i] for i in sorted(range(len(own)), key=positions.__getitem__)]


def _changes_owner(segmentation: Segmentation, first: int, second: int) -> bool:
    components = segmentation.components
    return first != second and not (components[first].owners and components[second].owners)


def _barriers_by_piece(segmentation: Segmentation, piece_of: list[int]) -> dict[int, list[tuple[int, tuple[int, ...]]]]:
    found: dict[int, list[tuple[int, tuple[int, ...]]]] = {}
    for barrier in segmentation.barriers:
        held: dict[int, list[int]] = {}
        for segment in barrier.segments:
            held.setdefault(piece_of[segmentation.segments[segment].component], []).append(segment)
        for piece, segments in held.items():
            found.setdefault(piece, []).append((barrier.position, tuple(segments)))
    return found


def _build(
    segmentation: Segmentation,
    members: tuple[int, ...],
    owners: tuple[int, ...],
    barriers: list[tuple[int, tuple[int, ...]]],
) -> Piece:
    components = [segmentation.components[index] for index in members]
    segments = sorted(s for component in components for s in component.segments)
    return Piece(
        owners=owners,
        components=members,
        segments=tuple(segments),
        operations=tuple(sorted(p for component in components for p in component.operations)),
        barriers=tuple(barriers),
        wires=tuple(sorted(dict.fromkeys(segmentation.segments[s].wire for s in segments))),
        clbits=tuple(sorted(bit for component in components for bit in component.clbits)),
    )
