from __future__ import annotations

import numpy as np
import pytest
from qiskit.circuit import Gate, QuantumCircuit

from qiskit_halo.multiprogram import MultiProgramCircuit
from qiskit_halo.options import HaloOptions
from qiskit_halo.plugins.generate import generate_halo_pass_manager
from qiskit_halo.primitives.estimates import (
    SPACE_EFFICIENCY,
    MakespanModel,
    ProgramEstimate,
    Room,
    estimate_fixed,
    estimate_program,
    measured_estimates,
    room_of,
)
from qiskit_halo.report import HaloReport
from tests.targets import global_target, make_target


def test_an_abstract_circuit_is_walked_as_soon_as_possible():
    circuit = QuantumCircuit(3, 2)
    circuit.x(0)  # 40 ns
    circuit.rz(0.1, 0)  # nothing
    circuit.cz(0, 1)  # 300 ns
    circuit.delay(100, 1, unit="ns")
    circuit.measure([0, 1], [0, 1])  # 1000 ns
    found = estimate_program(circuit, make_target(3))
    assert found.num_qubits == 2
    assert found.length_s == pytest.approx(1440e-9)
    assert found.busy_s == pytest.approx(1340e-9 + 1400e-9)


def test_ticks_count_and_barriers_take_no_qubit():
    circuit = QuantumCircuit(2, 1)
    circuit.x(0)
    circuit.barrier()
    circuit.delay(500, 0)
    circuit.reset(0)
    circuit.measure(0, 0)
    found = estimate_program(circuit, make_target(2, dt=2e-9))
    assert (found.num_qubits, found.length_s) == (1, pytest.approx((40 + 1000 + 800 + 1000) * 1e-9))


def test_branches_composites_and_wide_gates_are_looked_into():
    inner = QuantumCircuit(2)
    inner.cz(0, 1)
    inner.cz(0, 1)
    circuit = QuantumCircuit(3, 1)
    circuit.append(inner.to_instruction(), [0, 1])  # 600
    circuit.ccx(0, 1, 2)  # 7 * 300
    with circuit.if_test((0, 1)) as otherwise:
        circuit.x(2)
    with otherwise:
        circuit.x(2)
        circuit.x(2)  # 80
    circuit.append(Gate("mystery", 2, []), [0, 1])
    assert estimate_program(circuit, make_target(3)).length_s == pytest.approx((600 + 2100 + 300) * 1e-9)


def test_a_device_without_durations_gets_typical_ones():
    circuit = QuantumCircuit(1, 1)
    circuit.measure(0, 0)
    assert estimate_program(circuit, global_target(3)).length_s == pytest.approx(1.5e-6)


def test_a_compiled_batch_says_what_each_program_took():
    circuit = QuantumCircuit(2, 1)
    circuit.x(0)
    circuit.cz(0, 1)
    circuit.measure(0, 0)
    isa = generate_halo_pass_manager(0, target=make_target(3)).run(MultiProgramCircuit([circuit]).circuit)
    (found,) = measured_estimates(HaloReport.from_dict(isa.metadata["halo"]["report"]))
    assert found.length_s == pytest.approx(1340e-9)
    assert found.busy_s == pytest.approx(1340e-9 + 300e-9)
    assert (found.num_qubits, found.fixed) == (2, None)


def test_an_isa_circuit_is_timed_exactly_on_its_own_qubits():
    circuit = QuantumCircuit(4, 1)
    circuit.x(3)
    circuit.cz(3, 2)
    circuit.measure(3, 0)
    found = estimate_fixed(circuit, make_target(4))
    assert found.num_qubits == 2
    assert found.fixed == {2: pytest.approx(300e-9), 3: pytest.approx(1340e-9)}
    assert found.length_s == pytest.approx(1340e-9)


class TestRoom:
    def test_the_device_is_read(self):
        room = room_of(make_target(10), HaloOptions(resets=3, exclude_qubits=(1, 2)))
        assert (room.num_qubits, room.space) == (8, None)
        assert room.reset_s == pytest.approx(800e-9)
        assert room.handover_s == pytest.approx(2400e-9)

    def test_without_sharing_qubits_are_counted(self):
        assert room_of(make_target(10), HaloOptions(sharing="none")).space == int(10 * SPACE_EFFICIENCY)
        assert room_of(make_target(10), HaloOptions(sharing="helpers")).space == 10


class TestMakespan:
    ROOM = Room(num_qubits=10, reset_s=1.0, handover_s=2.0, efficiency=0.5)

    def one(self, copies: list[int], *estimates: ProgramEstimate, room: Room = ROOM) -> float:
        circuits = np.arange(len(estimates))
        return float(MakespanModel(estimates, room).makespan_s(np.array(copies), circuits))

    def test_the_longest_program_is_a_bound(self):
        long = ProgramEstimate(num_qubits=1, length_s=9.0, busy_s=1.0)
        short = ProgramEstimate(num_qubits=1, length_s=3.0, busy_s=1.0)
        assert self.one([1, 1], long, short) == 9.0

    def test_so_is_busy_time_with_handovers(self):
        wide = ProgramEstimate(num_qubits=4, length_s=3.0, busy_s=12.0)
        # 5 copies of 12 + 4 * 2 qubit-seconds on 10 qubits, half of them busy.
        assert self.one([5], wide) == pytest.approx(20.0)
        # Never worse than one after another: 2 copies of 3 s, and the hand-over between.
        assert self.one([2], ProgramEstimate(num_qubits=9, length_s=3.0, busy_s=27.0)) == pytest.approx(8.0)

    def test_and_what_one_qubit_has_to_do(self):
        fixed = ProgramEstimate(num_qubits=1, length_s=3.0, busy_s=3.0, fixed={7: 3.0})
        assert self.one([4], fixed) == pytest.approx(4 * 3.0 + 3 * 2.0)

    def test_side_by_side_nothing_adds_up_but_qubits_run_out(self):
        room = Room(num_qubits=10, reset_s=1.0, handover_s=2.0, space=8)
        wide = ProgramEstimate(num_qubits=4, length_s=3.0, busy_s=12.0)
        fixed = ProgramEstimate(num_qubits=1, length_s=3.0, busy_s=3.0, fixed={7: 3.0})
        assert self.one([2], wide, room=room) == 3.0
        model = MakespanModel([wide, fixed], room)
        assert model.fits(np.array([[2, 0], [1, 1], [2, 1], [1, 2]]), np.arange(2)).tolist() == [
            True,
            True,
            False,  # 9 qubits
            False,  # qubit 7 twice
        ]
