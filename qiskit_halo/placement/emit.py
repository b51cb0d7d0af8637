"""Write placed pieces as one physical circuit, with a reset wherever a qubit passes on."""

from __future__ import annotations

from qiskit.circuit import CircuitInstruction, QuantumCircuit, QuantumRegister, Reset
from qiskit.transpiler import PassManager, Target
from qiskit.transpiler.passes import GateDirection, Optimize1qGatesDecomposition

from qiskit_halo.device.model import DeviceModel
from qiskit_halo.fragments.body import put_back
from qiskit_halo.options import HaloOptions
from qiskit_halo.placement.placement import Placement
from qiskit_halo.rewire import empty_like


def emit_placement(
    circuit: QuantumCircuit, placement: Placement, device: DeviceModel, options: HaloOptions
) -> QuantumCircuit:
    """Return the circuit of ``placement`` over the physical qubits of ``device``.

    The pieces follow each other in the order of the placement, which every qubit's leases agree with. This is a valid
    circuit as it stands; scheduling only moves it in time.

    Args:
        circuit: The circuit that was placed: name, metadata, classical side and global phase are taken over.
        placement: Where its pieces go.
        device: The device.
        options: ``resets`` and ``assume_clean`` matter here.
    """
    out = empty_like(circuit, QuantumRegister(device.num_qubits, "q"))
    used: dict[int, None] = {}
    for placed in placement.pieces:
        for qubit in placed.qubits:
            if qubit in used or not options.assume_clean:
                for _ in range(options.resets):
                    out.append(Reset(), [out.qubits[qubit]], copy=False)
            used[qubit] = None
        instructions, phase = put_back(
            placed.fragment.circuit, placed.body, out, [out.qubits[q] for q in placed.qubits]
        )
        out.global_phase += phase
        for instruction in _in_native_direction(instructions, out, device.target):
            out.append(instruction, copy=False)
    return out


def _in_native_direction(
    instructions: list[CircuitInstruction], out: QuantumCircuit, target: Target
) -> list[CircuitInstruction]:
    """Turn round the directed gates that the device has only the other way."""
    index = {qubit: i for i, qubit in enumerate(out.qubits)}
    if all(
        target.instruction_supported(i.name, tuple(index[q] for q in i.qubits))
        for i in instructions
        if len(i.qubits) == 2 and i.is_standard_gate()
    ):
        return instructions
    piece = empty_like(out, QuantumRegister(bits=out.qubits, name="q"))
    piece.global_phase = 0
    for instruction in instructions:
        piece.append(instruction, copy=False)
    turned = PassManager([GateDirection(None, target), Optimize1qGatesDecomposition(target=target)]).run(piece)
    to_qubit = dict(zip(turned.qubits, out.qubits, strict=True))
    out.global_phase += turned.global_phase
    return [i.replace(qubits=[to_qubit[q] for q in i.qubits]) for i in turned.data]
