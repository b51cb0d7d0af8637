"""Tell Qiskit where virtual qubits went, as far as its one-to-one record can."""

from __future__ import annotations

from qiskit.circuit import QuantumRegister, Qubit
from qiskit.dagcircuit import DAGCircuit
from qiskit.passmanager import PropertySet
from qiskit.transpiler.layout import Layout, TranspileLayout

from qiskit_halo.placement.placement import Placement


def record_layout(properties: PropertySet, virtual: DAGCircuit, physical: DAGCircuit, placement: Placement) -> None:
    """Write ``layout`` and what belongs to it, and ``halo_placement``.

    Where every virtual qubit has a physical qubit to itself the record is exact, final permutation included. Where
    qubits are shared no bijection can be: it is then a nominal one.
    """
    properties["halo_placement"] = placement
    num_physical = physical.num_qubits()
    properties["final_layout"] = None
    if virtual.num_qubits() > num_physical:
        _record_narrowed(properties, num_physical)
        return
    starts, finals = _endpoints(placement)
    initial = _complete(starts, virtual.num_qubits(), num_physical)
    bits = [*virtual.qubits, *(Qubit() for _ in range(num_physical - virtual.num_qubits()))]
    properties["layout"] = Layout(dict(zip(bits, initial, strict=True)))
    properties["original_qubit_indices"] = {bit: index for index, bit in enumerate(bits)}
    properties["num_input_qubits"] = virtual.num_qubits()
    if finals is None:
        properties["virtual_permutation_layout"] = None
    else:
        _record_final(properties, physical, initial, finals)
    _rename_bits(properties, virtual, num_physical)


def _record_final(properties: PropertySet, physical: DAGCircuit, initial: list[int], finals: dict[int, int]) -> None:
    """Write where each virtual qubit ends, the permutation that init took out of the circuit included."""
    num_physical = physical.num_qubits()
    if any(initial[wire] != end for wire, end in finals.items()):
        moved = {initial[wire]: end for wire, end in finals.items()}
        order = _complete(moved, num_physical, num_physical)
        properties["final_layout"] = Layout(dict(zip(physical.qubits, order, strict=True)))
    if properties["virtual_permutation_layout"] is not None:
        # Qiskit's own way to fold the permutation that init left into the final one.
        combined = TranspileLayout.from_property_set(physical, properties)
        properties["virtual_permutation_layout"] = None
        properties["layout"] = combined.initial_layout
        properties["original_qubit_indices"] = combined.input_qubit_mapping
        properties["final_layout"] = combined.final_layout


def _record_narrowed(properties: PropertySet, num_physical: int) -> None:
    """Record a circuit that had more wires than the device: as if it had been written for the device."""
    register = QuantumRegister(num_physical, "w")
    properties["layout"] = Layout.generate_trivial_layout(register)
    properties["original_qubit_indices"] = {bit: index for index, bit in enumerate(register)}
    properties["num_input_qubits"] = num_physical
    properties["virtual_permutation_layout"] = None


def _endpoints(placement: Placement) -> tuple[dict[int, int], dict[int, int] | None]:
    """Return the first physical qubit of each wire, and the last one, or ``None`` if qubits are shared."""
    starts: dict[int, int] = {}
    finals: dict[int, int] = {}
    taken: dict[int, None] = {}
    shared = False
    for placed in placement.pieces:
        shared |= bool(placed.fragment.reused)
        for wire, start, final in zip(
            placed.body.wires, placed.fragment.start_sites, placed.fragment.final_sites, strict=True
        ):
            shared |= wire in finals
            if start is not None and wire not in starts and placed.qubits[start] not in taken:
                starts[wire] = placed.qubits[start]
                taken[placed.qubits[start]] = None
            if final is not None:
                finals[wire] = placed.qubits[final]
    leases = [qubit for placed in placement.pieces for qubit in placed.qubits]
    shared |= len(leases) != len(dict.fromkeys(leases))
    return starts, None if shared else finals


def _complete(partial: dict[int, int], length: int, num_values: int) -> list[int]:
    """Return a permutation of ``range(num_values)`` whose first ``length`` entries hold ``partial``."""
    used = dict.fromkeys(partial.values())
    # A qubit stays where it is if it can: fewer changes for whoever reads the record.
    result: list[int | None] = [partial.get(index) for index in range(num_values)]
    for index in range(num_values):
        if result[index] is None and index not in used and (length < num_values or index not in partial):
            result[index] = index
            used[index] = None
    rest = iter([value for value in range(num_values) if value not in used])
    return [next(rest) if value is None else value for value in result]


def _rename_bits(properties: PropertySet, virtual: DAGCircuit, num_physical: int) -> None:
    """Let one new register stand for the wires in the record, unless the circuit has one register only.

    QPY writes the registers of a layout that are not registers of the circuit in a random order, so that two of them
    make equal circuits differ. Indices, which is what Qiskit works with, stay as they are.
    """
    registers = list(virtual.qregs.values())
    if len(registers) == 1 and list(registers[0]) == list(virtual.qubits):
        return
    indices = properties["original_qubit_indices"]
    stand_in = dict(zip(sorted(indices, key=indices.__getitem__), QuantumRegister(num_physical, "wire"), strict=True))
    places = properties["layout"].get_virtual_bits()
    properties["layout"] = Layout({stand_in[bit]: place for bit, place in places.items()})
    properties["original_qubit_indices"] = {stand_in[bit]: index for bit, index in indices.items()}
