"""Write placed pieces as one physical circuit, with a reset wherever a qubit passes on."""

from __future__ import annotations

from qiskit.circuit import CircuitInstruction, QuantumCircuit, QuantumRegister, Reset

from qiskit_halo.device.model import DeviceModel
from qiskit_halo.fragments.body import is_plain, put_back
from qiskit_halo.fragments.direction import Turner
from qiskit_halo.options import HaloOptions
from qiskit_halo.placement.placement import Placement
from qiskit_halo.rewire import append_all, empty_like


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
    qubits = out.qubits
    physical = {qubit: index for index, qubit in enumerate(qubits)}
    turner = Turner(device)
    used: dict[int, None] = {}
    for placed in placement.pieces:
        resets: list[CircuitInstruction] = []
        for qubit in placed.qubits:
            if qubit in used or not options.assume_clean:
                resets += [CircuitInstruction(Reset(), (qubits[qubit],), ())] * options.resets
            used[qubit] = None
        append_all(out, resets)
        compiled, body, home = placed.fragment.circuit, placed.body, [qubits[q] for q in placed.qubits]
        if is_plain(compiled, body) and turner.turns_none_of(compiled):
            # Qiskit makes no object of any gate then. Copied, since other pieces of the same form and later batches use it too.
            out.compose(compiled, home, body.clbits, inplace=True)
        else:
            instructions, phase = put_back(compiled, body, out, home)
            native, turning_phase = turner.turn(instructions, physical)
            out.global_phase += phase + turning_phase
            append_all(out, native)
    return out
