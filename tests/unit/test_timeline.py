from __future__ import annotations

from qiskit.circuit import ClassicalRegister, Parameter, QuantumCircuit, QuantumRegister

from qiskit_halo.device.model import DeviceModel
from qiskit_halo.options import HaloOptions
from qiskit_halo.timeline.timeline import HandOver, make_timeline
from tests.targets import make_target


def shared(num_qubits: int = 1, num_programs: int = 2) -> QuantumCircuit:
    """Programs that measure qubit 0 one after another."""
    circuit = QuantumCircuit(
        QuantumRegister(num_qubits, "q"), *(ClassicalRegister(2, f"p{k}_c") for k in range(num_programs))
    )
    for k in range(num_programs):
        if k:
            circuit.reset(0)
        circuit.x(0)
        circuit.measure(0, 2 * k)
    return circuit


def test_pieces_hand_overs_and_makespan() -> None:
    timeline = make_timeline(shared(), DeviceModel(make_target(1)), HaloOptions(resets=2))
    assert [(t.piece.owners, t.qubits, t.start_dt, t.timing.busy_dt) for t in timeline.pieces] == [
        ((0,), (0,), 0, ((0, 1040),)),
        ((1,), (0,), 2640, ((0, 1040),)),
    ]
    assert timeline.handovers == (
        HandOver(qubit=0, piece_index=1, rounds=2, start_dt=1040, stop_dt=2640, first_use=False),
    )
    assert timeline.makespan_dt == 3680


def test_first_uses_are_hand_overs_without_trust() -> None:
    timeline = make_timeline(shared(num_programs=1), DeviceModel(make_target(1)), HaloOptions(assume_clean=False))
    assert timeline.handovers == (HandOver(qubit=0, piece_index=0, rounds=2, start_dt=0, stop_dt=1600, first_use=True),)


def test_resets_of_the_circuit_are_normalised_and_those_of_a_program_kept() -> None:
    circuit = shared()
    for _ in range(5):
        circuit.reset(0)
    circuit.measure(0, 3)  # the second program again: its own five resets join nothing, a new piece
    timeline = make_timeline(circuit, DeviceModel(make_target(1)), HaloOptions(resets=1))
    assert [h.rounds for h in timeline.handovers] == [1, 1]
    joined = QuantumCircuit(1, 2)
    joined.measure(0, 0)
    joined.reset(0)
    with joined.if_test((joined.clbits[0], 1)):
        joined.x(0)
    joined.measure(0, 1)
    timeline = make_timeline(joined, DeviceModel(make_target(1)), HaloOptions(resets=3))
    (piece,) = timeline.pieces
    assert ([i.name for i in piece.instructions], timeline.handovers) == (
        ["measure", "reset", "if_else", "measure"],
        (),
    )


def test_the_order_of_the_wires_is_kept() -> None:
    circuit = QuantumCircuit(
        QuantumRegister(2, "q"), ClassicalRegister(1, "p0_c"), ClassicalRegister(2, "p1_c"), name="x"
    )
    circuit.x(1)
    circuit.x(0)
    circuit.measure(0, 0)
    circuit.reset(0)
    circuit.cz(0, 1)
    circuit.measure([0, 1], [1, 2])
    timeline = make_timeline(circuit, DeviceModel(make_target(2)), HaloOptions(resets=1))
    # Program 1 comes second on qubit 0, though its first operation is listed first; its x waits with it.
    assert [(t.piece.owners, t.start_dt) for t in timeline.pieces] == [((0,), 0), ((1,), 1800)]


def test_what_makes_times_a_bound() -> None:
    device = DeviceModel(make_target(1))

    def estimated(circuit: QuantumCircuit) -> bool:
        (piece,) = make_timeline(circuit, device, HaloOptions()).pieces
        return piece.estimated

    plain = QuantumCircuit(1, 1)
    plain.delay(100, 0)
    plain.measure(0, 0)
    assert not estimated(plain)
    branch = plain.copy()
    with branch.if_test((branch.clbits[0], 1)):
        branch.x(0)
    assert estimated(branch)
    later = plain.copy()
    later.delay(Parameter("t"), 0)
    assert estimated(later)
    stretched = plain.copy()
    stretched.delay(stretched.add_stretch("s"), 0)
    assert estimated(stretched)
    stored = plain.copy()
    stored.store(stored.add_var("v", stored.clbits[0]), stored.clbits[0])
    assert estimated(stored)


def test_with_a_buffer_operations_without_an_owner_keep_away_from_those_beside_them() -> None:
    circuit = QuantumCircuit(2, 1)
    circuit.x(0)
    circuit.x(1)
    circuit.barrier()
    circuit.measure(0, 0)
    device = DeviceModel(make_target(2))
    assert [t.start_dt for t in make_timeline(circuit, device, HaloOptions()).pieces] == [0]
    parted = make_timeline(circuit, device, HaloOptions(buffer=1))
    assert [(t.piece.owners, t.start_dt) for t in parted.pieces] == [((-1,), 0), ((), 1040)]


def test_nothing_to_run() -> None:
    timeline = make_timeline(QuantumCircuit(2, 1), DeviceModel(make_target(2)), HaloOptions())
    assert (timeline.pieces, timeline.handovers, timeline.makespan_dt) == ((), (), 0)
