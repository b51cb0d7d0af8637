from __future__ import annotations

from qiskit.circuit import ClassicalRegister, Parameter, QuantumCircuit, QuantumRegister
from qiskit.converters import dag_to_circuit

from qiskit_halo.device.model import DeviceModel
from qiskit_halo.options import HaloOptions
from qiskit_halo.passes.write_timeline import write_timeline
from qiskit_halo.rewire import empty_like
from qiskit_halo.timeline.timeline import make_timeline
from tests.policies import AsGiven
from tests.targets import make_target

Row = tuple[int, str, tuple[int, ...], int | None]


def batch(num_qubits: int, num_programs: int = 2) -> QuantumCircuit:
    return QuantumCircuit(
        QuantumRegister(num_qubits, "q"), *(ClassicalRegister(1, f"p{k}_c") for k in range(num_programs))
    )


def measure_and_flip(circuit: QuantumCircuit, qubit: int) -> None:
    """How long this takes is known only on the device; it is estimated at 1000 + 700 + 40 ticks."""
    circuit.measure(qubit, 0)
    with circuit.if_test((circuit.clbits[0], 1)):
        circuit.x(qubit)


def written(
    circuit: QuantumCircuit,
    *,
    pad: bool = True,
    decouple: bool = False,
    options: HaloOptions | None = None,
    **target: object,
) -> list[Row]:
    """(start, name, qubits, length of a delay) of every operation, in the order of the circuit."""
    options = options or HaloOptions(resets=1)
    device = DeviceModel(make_target(circuit.num_qubits, **target))
    timeline = make_timeline(circuit, device, options, policy=AsGiven())
    empty = empty_like(circuit, QuantumRegister(bits=circuit.qubits, name="q"))
    dag, times = write_timeline(empty, timeline, device, pad=pad, buffer=options.buffer, decouple=decouple)
    out = dag_to_circuit(dag)
    assert (out.qubits, out.clbits, len(times)) == (circuit.qubits, circuit.clbits, len(out.data))
    index = {qubit: i for i, qubit in enumerate(circuit.qubits)}
    return sorted(
        (
            start,
            node.op.name,
            tuple(index[q] for q in node.qargs),
            node.op.duration if node.op.name == "delay" else None,
        )
        for node, start in times.items()
    )


def test_gaps_are_delays_and_hand_overs_resets() -> None:
    circuit = batch(2)
    circuit.x(0)
    circuit.measure(0, 0)
    circuit.reset(0)
    circuit.cz(0, 1)
    circuit.measure(1, 1)
    assert written(circuit, options=HaloOptions(resets=2)) == [
        (0, "delay", (1,), 2640),
        (0, "x", (0,), None),
        (40, "measure", (0,), None),
        (1040, "reset", (0,), None),
        (1840, "reset", (0,), None),
        (2640, "cz", (0, 1), None),
        (2940, "measure", (1,), None),
    ]


def test_hand_overs_follow_gates_that_take_no_time() -> None:
    circuit = batch(2, 3)
    circuit.measure(1, 0)
    circuit.reset(1)
    circuit.x(1)
    circuit.rz(0.5, 1)
    circuit.reset(1)
    # The heir starts on qubit 0 before its forerunner on qubit 1 does.
    circuit.delay(2640, 0)
    circuit.cz(0, 1)
    circuit.measure(0, 1)
    device = DeviceModel(make_target(2))
    timeline = make_timeline(circuit, device, HaloOptions(resets=1), policy=AsGiven())
    empty = empty_like(circuit, QuantumRegister(bits=circuit.qubits, name="q"))
    dag, _ = write_timeline(empty, timeline, device, pad=False)
    out = dag_to_circuit(dag)
    on_one = [instruction.name for instruction in out.data if out.qubits[1] in instruction.qubits]
    assert on_one == ["measure", "reset", "x", "rz", "reset", "cz"]


def test_unused_wires_stay_empty_and_nothing_follows_the_last_operation() -> None:
    circuit = batch(3)
    circuit.measure(1, 0)
    assert written(circuit) == [(0, "measure", (1,), None)]


def test_without_padding_only_times_tell() -> None:
    circuit = batch(2)
    circuit.measure(0, 0)
    circuit.reset(0)
    circuit.cz(0, 1)
    circuit.measure(1, 1)
    assert [row for row in written(circuit, pad=False) if row[2] != (0,)] == [
        (1800, "cz", (0, 1), None),
        (2100, "measure", (1,), None),
    ]


def test_delays_of_the_user_are_operations_in_ticks() -> None:
    circuit = batch(1)
    circuit.x(0)
    circuit.delay(0.25, 0, "us")
    circuit.delay(3, 0, "dt")
    circuit.measure(0, 0)
    assert written(circuit) == [
        (0, "x", (0,), None),
        (40, "delay", (0,), 250),
        (290, "delay", (0,), 3),
        (293, "measure", (0,), None),
    ]


def test_delays_that_are_open_stay_as_they_are() -> None:
    circuit = batch(1)
    length = Parameter("t")
    circuit.delay(length, 0)
    circuit.measure(0, 0)
    assert written(circuit) == [(0, "delay", (0,), length), (0, "measure", (0,), None)]


def test_aligned_resets_wait_for_their_ticks() -> None:
    circuit = batch(1)
    circuit.measure(0, 0)
    circuit.reset(0)
    circuit.measure(0, 1)
    assert written(circuit, options=HaloOptions(resets=2), pulse_alignment=48) == [
        (0, "measure", (0,), None),
        (1000, "delay", (0,), 8),
        (1008, "reset", (0,), None),
        (1808, "delay", (0,), 16),
        (1824, "reset", (0,), None),
        (2624, "delay", (0,), 16),
        (2640, "measure", (0,), None),
    ]


def test_wires_with_control_flow_are_not_padded() -> None:
    circuit = batch(2)
    measure_and_flip(circuit, 0)
    circuit.reset(0)
    circuit.cz(0, 1)
    circuit.measure(1, 1)
    # The branch is estimated at 700 + 40 ticks; qubit 1 belongs to the second program alone.
    assert written(circuit) == [
        (0, "delay", (1,), 2540),
        (0, "measure", (0,), None),
        (1000, "if_else", (0,), None),
        (1740, "reset", (0,), None),
        (2540, "cz", (0, 1), None),
        (2840, "measure", (1,), None),
    ]


def test_gaps_beside_control_flow_are_left_alone() -> None:
    circuit = batch(2, 1)
    measure_and_flip(circuit, 0)
    circuit.x(1)
    circuit.cz(0, 1)
    circuit.measure(1, 0)
    assert [name for _, name, *_ in written(circuit)].count("delay") == 0


def test_barriers_and_delays_do_not_bring_a_qubit_to_life() -> None:
    circuit = batch(4)
    measure_and_flip(circuit, 3)
    # Times are not exact, so that the barrier holds qubit 1 before its first gate.
    circuit.delay(100, 1, "dt")
    circuit.barrier(1, 2)
    circuit.measure(2, 1)
    for _ in range(25):
        circuit.x(0)
    circuit.cz(0, 1)
    rows = written(circuit, decouple=True, couplers=[(0, 1), (1, 2), (2, 3)])
    assert [row[1:] for row in rows if 1 in row[2]] == [
        ("delay", (1,), 100),
        ("barrier", (1, 2), None),
        ("delay", (1,), 900),
        ("cz", (0, 1), None),
    ]


def test_a_buffer_is_a_barrier_where_delays_do_not_hold() -> None:
    circuit = batch(3)
    measure_and_flip(circuit, 0)
    circuit.measure(1, 1)
    assert written(circuit, options=HaloOptions(buffer=1)) == [
        (0, "delay", (1,), 1740),
        (0, "measure", (0,), None),
        (1000, "if_else", (0,), None),
        (1740, "barrier", (0, 1), None),
        (1740, "measure", (1,), None),
    ]


def test_a_fence_may_come_while_a_qubit_of_its_own_piece_is_still_reset() -> None:
    circuit = batch(3)
    measure_and_flip(circuit, 0)
    for _ in range(5):
        circuit.x(2)
    circuit.x(1)
    circuit.cz(1, 2)
    circuit.measure(2, 1)
    rows = written(circuit, options=HaloOptions(buffer=1, assume_clean=False, resets=1))
    # The reset ends where the qubit is first used, after the start of the piece.
    assert [row for row in rows if 1 in row[2]] == [
        (0, "delay", (1,), 1900),
        (1900, "reset", (1,), None),
        (2540, "barrier", (0, 1, 2), None),
        (2700, "x", (1,), None),
        (2740, "cz", (1, 2), None),
    ]


def test_without_durations_every_operation_counts_one() -> None:
    circuit = batch(1)
    circuit.x(0)
    circuit.delay(100, 0, "ns")
    circuit.measure(0, 0)
    circuit.reset(0)
    circuit.measure(0, 1)
    assert written(circuit, pad=False, durations=False) == [
        (0, "x", (0,), None),
        (1, "delay", (0,), 100),
        (2, "measure", (0,), None),
        (3, "reset", (0,), None),
        (4, "measure", (0,), None),
    ]


def test_nothing_to_write() -> None:
    assert written(batch(2)) == []
