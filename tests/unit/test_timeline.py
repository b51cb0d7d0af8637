from __future__ import annotations

from qiskit.circuit import ClassicalRegister, Parameter, QuantumCircuit, QuantumRegister
from qiskit.providers import QubitProperties
from qiskit.transpiler import InstructionProperties

from qiskit_halo.device.model import DeviceModel
from qiskit_halo.options import HaloOptions
from qiskit_halo.timeline.desk import Desk
from qiskit_halo.timeline.drafts import make_drafts
from qiskit_halo.timeline.orders import round_robin_order
from qiskit_halo.timeline.resets import HandOver, HandOverTimes
from qiskit_halo.timeline.timeline import Timeline, make_timeline
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


class TestWaiting:
    """Programs 0 and 1 have qubits 0 and 2 to themselves and share helper 1. Program 0 needs it twice."""

    @staticmethod
    def circuit() -> QuantumCircuit:
        circuit = QuantumCircuit(QuantumRegister(3, "q"), *(ClassicalRegister(3, f"p{k}_c") for k in range(2)))
        circuit.cz(0, 1)
        circuit.measure(1, 0)
        circuit.reset(1)
        for _ in range(100):
            circuit.sx(0)
        circuit.cz(0, 1)
        circuit.measure([0, 1], [1, 2])
        circuit.reset(1)
        circuit.cz(2, 1)
        for _ in range(100):
            circuit.sx(1)
        circuit.measure([1, 2], [3, 4])
        return circuit

    def timeline(self, **options: object) -> Timeline:
        chosen = HaloOptions(**{"resets": 1, "policy": "round_robin", "success_floor": 0.0, **options})  # type: ignore[arg-type]
        qubits = [QubitProperties(t1=1e-4, t2=1e-4) for _ in range(3)]
        return make_timeline(self.circuit(), DeviceModel(make_target(3, qubit_properties=qubits)), chosen)

    def spans(self, timeline: Timeline) -> list[tuple[tuple[int, ...], int, int, int]]:
        return [(t.piece.owners, t.start_dt, t.timing.length_dt, t.wait_dt) for t in timeline.pieces]

    def test_nobody_waits_by_default(self) -> None:
        # The helper is free for 3000 ticks in between, which is too short for program 1.
        assert self.spans(self.timeline()) == [((0,), 0, 5600, 0), ((1,), 6400, 5300, 0)]

    def test_with_a_budget_a_program_waits_for_its_turn(self) -> None:
        timeline = self.timeline(max_wait_s=1.0)
        # Helper: 0 to 1300, reset to 2100, program 1 to 7400, a tick later program 0's own reset to 8201.
        waited = 8201 - 4300
        assert self.spans(timeline) == [((0,), 0, 5600 + waited, waited), ((1,), 2100, 5300, 0)]
        assert timeline.makespan_dt == 9501
        (helper,) = [h for h in timeline.handovers if h.piece_index == 1]
        assert (helper.start_dt, helper.stop_dt) == (1300, 2100)

    def test_the_budget_bounds_the_wait(self) -> None:
        assert self.timeline(max_wait_s=3901e-9).makespan_dt == 9501
        assert self.timeline(max_wait_s=3900e-9).makespan_dt == 11700

    def test_the_floor_bounds_the_wait(self) -> None:
        # Waiting costs 3.9 us at T1 = T2 = 100 us: 3/4 of 3.9 %.
        assert self.timeline(max_wait_s=1.0, success_floor=0.96).makespan_dt == 9501
        assert self.timeline(max_wait_s=1.0, success_floor=0.98).makespan_dt == 11700

    def test_only_who_would_miss_the_floor_does_not_wait(self) -> None:
        device = DeviceModel(make_target(3, qubit_properties=[QubitProperties(t1=1e-4, t2=1e-4) for _ in range(3)]))
        options = HaloOptions(resets=1, max_wait_s=1.0, success_floor=0.98)
        drafts, exact = make_drafts(self.circuit(), device, options)
        desk = Desk(drafts, device, options, HandOverTimes(device, options), exact=exact, metadata={})
        patient = desk.attempt(round_robin_order(desk.turns))
        assert (patient.may_wait, patient.num_below_floor, patient.makespan_dt) == (True, 0, 11700)

    def test_auto_takes_the_shorter_and_packed_never_waits(self) -> None:
        assert self.timeline(max_wait_s=1.0, policy="auto").makespan_dt == 9501
        assert self.timeline(max_wait_s=1.0, policy="packed").makespan_dt == 11700

    def test_where_times_are_not_kept_nobody_waits_or_lends(self) -> None:
        circuit = self.circuit()
        with circuit.if_test((circuit.clbits[3], 1)):
            circuit.x(2)
        options = HaloOptions(resets=1, policy="round_robin", max_wait_s=1.0)
        timeline = make_timeline(circuit, DeviceModel(make_target(3)), options)
        assert not timeline.exact
        assert [t.wait_dt for t in timeline.pieces] == [0, 0]
        assert len(timeline.pieces[0].leases) == 2


def test_operations_of_unknown_length_make_no_exact_times() -> None:
    target = make_target(2)
    circuit = QuantumCircuit(2, 1)
    circuit.cz(0, 1)
    circuit.measure(0, 0)
    assert make_timeline(circuit, DeviceModel(target), HaloOptions()).exact
    target.update_instruction_properties("cz", (0, 1), InstructionProperties(error=0.01))
    assert not make_timeline(circuit, DeviceModel(target), HaloOptions()).exact
    lone = QuantumCircuit(2, 1)
    lone.measure(0, 0)
    assert make_timeline(lone, DeviceModel(target), HaloOptions()).exact
