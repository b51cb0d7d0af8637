"""Hand-made fragments, so that tests of placement and time need no compilation."""

from __future__ import annotations

import math
from collections.abc import Sequence

from qiskit.circuit import QuantumCircuit

from qiskit_halo.device.model import DeviceModel
from qiskit_halo.fragments.body import extract_body
from qiskit_halo.fragments.compact import two_qubit_pairs
from qiskit_halo.fragments.fragment import Fragment, find_shapes
from qiskit_halo.fragments.measure import sites_of, time_on
from qiskit_halo.placement.placement import PlacedPiece, Placement
from qiskit_halo.segments.find import find_components
from qiskit_halo.segments.pieces import find_pieces
from tests.targets import make_target


def bell(num_qubits: int = 2, *, name: str = "bell") -> QuantumCircuit:
    """A measured chain in the basis of :func:`tests.targets.make_target`: 40 + 300 a coupler + 1000 ticks."""
    circuit = QuantumCircuit(num_qubits, num_qubits, name=name)
    circuit.sx(0)
    for qubit in range(num_qubits - 1):
        circuit.cz(qubit, qubit + 1)
    circuit.measure(range(num_qubits), range(num_qubits))
    return circuit


def make_fragment(circuit: QuantumCircuit, home: Sequence[int], device: DeviceModel) -> Fragment:
    """``circuit``, which is ISA already, as the fragment that compiling it onto ``home`` would give."""
    timing, workload, log_success = time_on(circuit.data, sites_of(circuit), home, device)
    sites = tuple(range(circuit.num_qubits))
    return Fragment(
        circuit=circuit,
        home=tuple(home),
        start_sites=sites,
        final_sites=sites,
        timing=timing,
        workload=workload,
        shapes=find_shapes(len(sites), list(two_qubit_pairs(circuit))),
        log_success=log_success,
    )


def place(circuit: QuantumCircuit, *qubits: tuple[int, ...], num_qubits: int = 3) -> Placement:
    """Every piece of an ISA circuit on ``qubits``, in order."""
    device = DeviceModel(make_target(num_qubits))
    segmentation = find_components(circuit)
    placed = []
    for piece, where in zip(find_pieces(segmentation), qubits, strict=True):
        body = extract_body(circuit, segmentation, piece)
        fragment = make_fragment(body.circuit, where, device)
        placed.append(
            PlacedPiece(
                piece=piece,
                body=body,
                fragment=fragment,
                qubits=where,
                helpers=piece.wires[1:],
                start_dt=100,
                log_best=math.log(0.5),
                log_success=math.log(0.25),
                log_floor=math.log(0.2),
                forms=((fragment, math.log(0.5)),),
            )
        )
    return Placement(pieces=tuple(placed))
