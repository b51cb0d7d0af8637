from __future__ import annotations

from qiskit.circuit import QuantumCircuit

from qiskit_halo.fragments.timing import TimedOperation, Timing, as_soon_as_possible, schedule, timed_operations


def on(*qubits: int, ticks: int = 10, others: tuple[str, ...] = (), role: str = "operation") -> TimedOperation:
    return TimedOperation(qubits=qubits, others=others, duration_dt=ticks, role=role)


def test_nothing():
    assert schedule([], 2) == Timing(start_dt=(), duration_dt=(), length_dt=0, busy_dt=((0, 0), (0, 0)))


def test_first_operations_are_late_and_last_ones_early():
    operations = [on(0, ticks=100), on(1), on(2), on(0, 1), on(1), on(2, ticks=50)]
    assert schedule(operations, 4) == Timing(
        start_dt=(0, 90, 0, 100, 110, 10),
        duration_dt=(100, 10, 10, 10, 10, 50),
        length_dt=120,
        busy_dt=((0, 110), (90, 120), (0, 60), (0, 0)),
    )


def test_gates_right_after_the_first_move_with_it():
    # On most devices a Hadamard gate is three operations.
    opening = [on(0, ticks=0), on(0), on(0, ticks=0)]
    rest = [on(1, ticks=100), on(0, 1), on(0), on(1)]
    assert schedule([*opening, *rest], 2).start_dt == (90, 90, 100, 0, 100, 110, 110)
    # After a reset too; what the user waits for with a live qubit moves along.
    waiting = [on(0), on(0, role="reset"), on(0), on(0, ticks=30, role="delay"), on(0)]
    assert schedule([*waiting, *rest], 2).start_dt == (0, 10, 50, 60, 90, 0, 100, 110, 110)


def test_other_gates_are_as_early_as_they_can():
    # Behind a gate with another qubit there is nothing to win, nor behind a classical value.
    operations = [on(0, 2), on(0), on(0), on(1, ticks=100), on(0, 1), on(0), on(2, ticks=200)]
    assert schedule(operations, 3).start_dt[:3] == (0, 10, 20)
    # A reset makes a new beginning.
    again = [*operations[:1], on(0, role="reset"), *operations[1:]]
    assert schedule(again, 3).start_dt[:4] == (0, 10, 80, 90)
    operations = [on(0, others=("c",)), on(0), on(1, ticks=100), on(0, 1), on(0), on(2, ticks=5, others=("c",))]
    assert schedule(operations, 3).start_dt[1] == 10
    # A wire with nothing else ends as early as it can.
    assert schedule([on(0), on(0), on(0), on(1, ticks=100)], 2).start_dt == (0, 10, 20, 0)


def test_classical_values_are_waited_for():
    operations = [on(0, ticks=100, others=("c",)), on(1), on(1, others=("c",))]
    assert schedule(operations, 2).start_dt == (0, 90, 100)


def test_a_piece_begins_at_zero():
    operations = [on(0), on(1, ticks=100), on(0, 1), on(0, 1)]
    timing = schedule(operations, 2)
    assert timing.start_dt == (90, 0, 100, 110)
    waiting = [on(ticks=0, others=("v",)), on(0, ticks=30), on(0, others=("v",))]
    assert schedule(waiting, 1).start_dt == (30, 0, 30)


def test_starts_are_aligned():
    operations = [on(0, ticks=5), on(1, ticks=3), on(0, 1, ticks=7), on(0, ticks=1)]
    timing = schedule(operations, 2, alignment=4)
    assert timing.start_dt == (0, 4, 8, 16)


def test_what_follows_a_reset_is_late_too():
    operations = [on(0), on(0, role="reset"), on(0), on(1, ticks=100), on(0, 1), on(0)]
    assert schedule(operations, 2).start_dt == (0, 10, 90, 0, 100, 110)


def test_an_operation_before_a_reset_does_not_wait_for_it():
    # Qubit 0 is alive until its reset: moving the last gate on it costs what it saves on qubit 1.
    operations = [on(0), on(0, 1), on(1, others=("c",)), on(2, ticks=100, others=("c",)), on(1, others=("c",))]
    plain = schedule(operations, 3).start_dt
    with_reset = schedule([*operations, on(0, role="reset")], 3).start_dt
    assert with_reset[:5] == plain


def test_barriers_neither_begin_nor_end_a_life():
    operations = [on(0, 1, role="barrier", ticks=0), on(0, ticks=100), on(1), on(0, 1), on(0)]
    assert schedule(operations, 2).start_dt == (0, 0, 90, 100, 110)
    # Only a barrier follows the last gate of qubit 1: nothing is gained by moving towards it.
    operations = [on(0), on(1), on(0, 1), on(2, ticks=100), on(0, 1, 2, ticks=0, role="barrier")]
    assert schedule(operations, 3).start_dt == (0, 0, 10, 0, 100)


def test_a_barrier_makes_way():
    operations = [on(0), on(0, 1, role="barrier", ticks=0), on(1, ticks=100), on(0, 1), on(0)]
    # Qubit 1 must begin after the barrier, and the barrier after qubit 0.
    assert schedule(operations, 2).start_dt == (0, 10, 10, 110, 120)
    operations = [on(0), on(0, 1, role="barrier", ticks=0), on(2, ticks=100), on(1, 2), on(0, 1), on(0)]
    assert schedule(operations, 3).start_dt == (90, 100, 0, 100, 110, 120)


def test_a_delay_in_the_ground_state_is_not_life():
    operations = [on(0, role="delay"), on(0), on(1, ticks=100), on(0, 1), on(0)]
    assert schedule(operations, 2).start_dt == (80, 90, 0, 100, 110)


def test_as_soon_as_possible():
    operations = [on(0, ticks=5), on(0, 1), on(1, others=("c",)), on(2, others=("c",)), on(2)]
    assert as_soon_as_possible(operations, 4) == [0, 8, 20, 32, 44]


def test_what_the_scheduler_is_told():
    circuit = QuantumCircuit(2, 1)
    circuit.cx(0, 1)
    circuit.barrier()
    circuit.reset(0)
    circuit.delay(5, 0)
    circuit.measure(1, 0)
    found = timed_operations(circuit.data, [(0, 1), (0, 1), (0,), (0,), (1,)], [1, 0, 2, 3, 4])
    assert [(o.qubits, o.role, o.duration_dt) for o in found] == [
        ((0, 1), "operation", 1),
        ((0, 1), "barrier", 0),
        ((0,), "reset", 2),
        ((0,), "delay", 3),
        ((1,), "operation", 4),
    ]
    assert found[-1].others == (circuit.clbits[0],)
