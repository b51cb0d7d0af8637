from __future__ import annotations

from qiskit.circuit import ClassicalRegister, QuantumCircuit, QuantumRegister

from qiskit_halo.device.model import DeviceModel
from qiskit_halo.options import HaloOptions
from qiskit_halo.timeline.resets import HandOver, HandOverTimes
from qiskit_halo.timeline.timeline import make_timeline
from tests.policies import AsGiven
from tests.targets import make_target


def handovers(circuit: QuantumCircuit, **options: object) -> tuple[HandOver, ...]:
    device = DeviceModel(make_target(circuit.num_qubits))
    return make_timeline(circuit, device, HaloOptions(**options), policy=AsGiven()).handovers  # type: ignore[arg-type]


def batch(num_qubits: int, *programs: int) -> QuantumCircuit:
    return QuantumCircuit(QuantumRegister(num_qubits, "q"), *(ClassicalRegister(3, f"p{k}_c") for k in programs))


def test_leads() -> None:
    device = DeviceModel(make_target(1, pulse_alignment=16))
    plain = HandOverTimes(device, HaloOptions(resets=2))
    assert [plain.lead_dt(0, own) for own in (0, 1, 2, 5)] == [1600, 800, 16, 16]
    assert plain.tail_dt == 0
    scrubbed = HandOverTimes(device, HaloOptions(resets=2, scrub=True))
    # An X of 40 ticks takes 48, and may have to wait for 15.
    assert [scrubbed.lead_dt(0, own) for own in (0, 2)] == [1600 + 48 + 15, 48 + 15]
    assert scrubbed.tail_dt == 63


def test_a_program_that_follows_itself_is_reset_but_not_scrubbed() -> None:
    circuit = batch(1, 0)
    circuit.measure(0, 0)
    circuit.reset(0)
    circuit.measure(0, 1)
    (found,) = handovers(circuit, scrub=True)
    assert (found.rounds, found.scrub_dt) == (2, None)


def test_strangers_are_scrubbed_from_each_other() -> None:
    circuit = batch(1, 0)
    circuit.x(0)
    circuit.reset(0)
    circuit.x(0)
    (found,) = handovers(circuit, scrub=True, resets=1)
    assert (found.rounds, found.scrub_dt) == (1, 40)


def test_a_qubit_that_comes_back_from_loan_needs_fewer_resets() -> None:
    circuit = batch(2, 0, 1)
    # Program 0 uses qubit 1, resets it once, and needs it again much later.
    circuit.cz(0, 1)
    circuit.measure(1, 0)
    circuit.reset(1)
    for _ in range(200):
        circuit.sx(0)
    circuit.cz(0, 1)
    circuit.measure([0, 1], [1, 2])
    # Program 1 comes after it in the circuit, and before it is back in time.
    circuit.reset(1)
    circuit.x(1)
    circuit.measure(1, 3)
    back, taken = handovers(circuit, resets=2, scrub=True)
    assert (back.piece_index, back.rounds, taken.piece_index, taken.rounds) == (0, 1, 1, 2)
    assert (taken.start_dt, taken.stop_dt, taken.scrub_dt) == (1340 + 0, 1340 + 1600, 1300)
    # The program's own reset follows right after the one put before it.
    assert back.stop_dt == 300 + 8000 - 800
    assert back.start_dt == back.stop_dt - 800
    assert back.scrub_dt == taken.stop_dt + 1040
