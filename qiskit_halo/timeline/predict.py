"""Predicted success of any compiled circuit, program by program."""

from __future__ import annotations

import math

from qiskit.circuit import QuantumCircuit
from qiskit.transpiler import Target

from qiskit_halo.device.model import DeviceModel
from qiskit_halo.fragments.measure import Stopwatch
from qiskit_halo.options import ResetModel
from qiskit_halo.segments.find import UNNAMED, find_components
from qiskit_halo.segments.pieces import find_pieces, piece_instructions


def predict_success(circuit: QuantumCircuit, target: Target, *, reset_model: ResetModel = "stays") -> dict[int, float]:
    """Return the predicted success of each program of a circuit over the physical qubits of ``target``.

    Each rigid piece is timed as soon as its operations can run, so this is what the circuit can reach, whoever
    scheduled it; resets before a piece's first operation do not count. Operations that belong to no program are
    left out.

    Args:
        circuit: A compiled circuit, merged or not.
        target: Its device.
        reset_model: What a reset that fails does; see :class:`~qiskit_halo.HaloOptions`.

    Returns:
        Program index -> predicted success in [0, 1], by index; a circuit that was not merged is program 0. It is 0 where
        a program uses an operation that the device lacks, or one whose error is 1.
    """
    device = DeviceModel(target, reset_model=reset_model)
    stopwatch = Stopwatch(device)
    index = {qubit: i for i, qubit in enumerate(circuit.qubits)}
    segmentation = find_components(circuit)
    logs: dict[int, float] = {}
    for piece in find_pieces(segmentation):
        instructions = piece_instructions(circuit, segmentation, piece)
        site = {wire: position for position, wire in enumerate(piece.wires)}
        sites = [tuple(site[index[qubit]] for qubit in i.qubits) for i in instructions]
        _, _, log_success = stopwatch.time(instructions, sites, piece.wires)
        for owner in piece.owners:
            key = 0 if owner == UNNAMED else owner
            logs[key] = logs.get(key, 0.0) + log_success
    return {owner: math.exp(logs[owner]) for owner in sorted(logs)}
