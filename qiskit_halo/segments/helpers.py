"""Which wires of a circuit are helpers: marked by the user, or idle for part of their program."""

from __future__ import annotations

from collections.abc import Hashable

from qiskit.circuit import AncillaQubit, QuantumCircuit

from qiskit_halo.segments.find import find_components


def find_helper_wires(circuit: QuantumCircuit) -> dict[int, None]:
    """Return the helper wires of ``circuit``, ascending, as an ordered set.

    A wire is a helper if it stands in an :class:`~qiskit.circuit.AncillaRegister`, or if its operations begin later
    or end earlier than those of its program, counted in layers. The layers are those of the circuit as it stands.
    """
    wire_of = {qubit: index for index, qubit in enumerate(circuit.qubits)}
    programs = _programs_of_wires(circuit)
    layer = [0] * circuit.num_qubits
    spans: dict[int, tuple[int, int]] = {}
    for instruction in circuit.data:
        wires = [wire_of[qubit] for qubit in instruction.qubits]
        if not wires or instruction.name in ("barrier", "reset"):
            continue
        now = max(layer[wire] for wire in wires)
        for wire in wires:
            layer[wire] = now + 1
            spans[wire] = (spans.get(wire, (now, now))[0], now)
    whole: dict[Hashable, tuple[int, int]] = {}
    for wire, (first, last) in spans.items():
        span = whole.get(programs[wire], (first, last))
        whole[programs[wire]] = (min(span[0], first), max(span[1], last))
    return {
        wire: None
        for wire, qubit in enumerate(circuit.qubits)
        if isinstance(qubit, AncillaQubit) or (wire in spans and spans[wire] != whole[programs[wire]])
    }


def _programs_of_wires(circuit: QuantumCircuit) -> list[Hashable]:
    """Return the owners of each wire; anonymous components count as programs of their own."""
    owners: list[tuple[int, ...]] = [()] * circuit.num_qubits
    anonymous: dict[int, Hashable] = {}
    segmentation = find_components(circuit)
    for segment in segmentation.segments:
        found = segmentation.components[segment.component].owners
        owners[segment.wire] = tuple(sorted(dict.fromkeys((*owners[segment.wire], *found))))
        anonymous.setdefault(segment.wire, ("anonymous", segment.component))
    return [own or anonymous.get(wire) for wire, own in enumerate(owners)]
