"""Which wires of each piece are helpers: marked by the user, or idle for part of their program."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

from qiskit.circuit import AncillaQubit, CircuitInstruction, QuantumCircuit

from qiskit_halo.segments.pieces import Piece


def find_helpers(
    circuit: QuantumCircuit,
    pieces: Sequence[Piece],
    metadata: Mapping[str, Any] | None,
    data: Sequence[CircuitInstruction] | None = None,
) -> list[tuple[int, ...]]:
    """Return the helper wires of each of ``pieces``, ascending.

    A wire is a helper of a program if an :class:`~qiskit.circuit.AncillaRegister` holds it (of the user's circuit, where
    wires were folded), or if its operations begin later or end earlier than those of the program, counted in layers
    of the program's own operations.

    Args:
        circuit: The circuit that the pieces were found in.
        pieces: All its pieces.
        metadata: ``metadata["halo"]`` of the circuit, which says what folded wires were.
        data: ``circuit.data``, or a list of it.
    """
    programs: list[Hashable] = [piece.owners or ("anonymous", index) for index, piece in enumerate(pieces)]
    spans = _spans(circuit, circuit.data if data is None else data, pieces, programs)
    whole: dict[Hashable, tuple[int, int]] = {}
    for (program, _), (first, last) in spans.items():
        known = whole.get(program, (first, last))
        whole[program] = (min(known[0], first), max(known[1], last))
    folded = _folded_helpers(metadata or {})
    return [
        tuple(
            wire
            for wire in piece.wires
            if isinstance(circuit.qubits[wire], AncillaQubit)
            or any((owner, wire) in folded for owner in piece.owners)
            or spans[program, wire] != whole[program]
        )
        for piece, program in zip(pieces, programs, strict=True)
    ]


def _spans(
    circuit: QuantumCircuit, data: Sequence[CircuitInstruction], pieces: Sequence[Piece], programs: Sequence[Hashable]
) -> dict[tuple[Hashable, int], tuple[int, int]]:
    """Return the first and the last layer of each program on each of its wires."""
    wire_of = {qubit: index for index, qubit in enumerate(circuit.qubits)}
    positions: dict[Hashable, list[int]] = {}
    for program, piece in zip(programs, pieces, strict=True):
        positions.setdefault(program, []).extend(piece.operations)
    spans: dict[tuple[Hashable, int], tuple[int, int]] = {}
    for program, own in positions.items():
        first: dict[int, int] = {}
        last: dict[int, int] = {}
        for position in sorted(own):
            wires = [wire_of[qubit] for qubit in data[position].qubits]
            layers = [last.get(wire, -1) for wire in wires]
            layer = 1 + (layers[0] if len(layers) == 1 else max(layers, default=-1))
            for wire in wires:
                if wire not in last:
                    first[wire] = layer
                last[wire] = layer
        spans.update({(program, wire): (layer, last[wire]) for wire, layer in first.items()})
    return spans


def _folded_helpers(metadata: Mapping[str, Any]) -> dict[tuple[int, int], None]:
    """Return (program, wire) for each wire of a folded circuit that holds only helpers of the program."""
    if "fold" not in metadata:
        return {}
    found: dict[tuple[int, int], bool] = {}
    for entry, wires in zip(metadata["programs"], metadata["fold"]["wires"], strict=True):
        for qubit, place in enumerate(wires):
            if place is not None:
                key = (entry["index"], place[0])
                found[key] = found.get(key, True) and qubit in entry["helpers"]
    return {key: None for key, only_helpers in found.items() if only_helpers}
