"""Whatever the operations: start times keep their order, waste nothing, and what they cost adds up by parts."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from qiskit.circuit import QuantumCircuit
from qiskit.providers import QubitProperties
from qiskit.transpiler import InstructionProperties

from qiskit_halo.device.model import DeviceModel
from qiskit_halo.fragments.compact import two_qubit_pairs
from qiskit_halo.fragments.fragment import find_shapes
from qiskit_halo.fragments.measure import sites_of, time_on
from qiskit_halo.fragments.places import PlaceScorer
from qiskit_halo.fragments.timing import TimedOperation, as_soon_as_possible, schedule
from tests.targets import make_target

NUM_QUBITS = 4
ALIGNMENTS = st.sampled_from([1, 4, 16])


@st.composite
def timed_operations(draw: st.DrawFn) -> list[TimedOperation]:
    operations = []
    for _ in range(draw(st.integers(0, 14))):
        role = draw(st.sampled_from(["operation", "operation", "operation", "barrier", "reset", "delay"]))
        most = {"operation": 2, "barrier": NUM_QUBITS}.get(role, 1)
        least = 0 if role == "operation" else 1
        qubits = draw(st.lists(st.integers(0, NUM_QUBITS - 1), unique=True, min_size=least, max_size=most))
        others = draw(st.lists(st.sampled_from("ab"), unique=True, max_size=1)) if role == "operation" else []
        ticks = 0 if role == "barrier" else draw(st.integers(0, 40))
        operations.append(TimedOperation(qubits=tuple(qubits), others=tuple(others), duration_dt=ticks, role=role))
    return operations


def live_waiting(operations: list[TimedOperation], starts: list[int]) -> int:
    """Ticks that qubits wait between two operations without a reset between them."""
    total = 0
    for qubit in range(NUM_QUBITS):
        end = None
        for operation, start in zip(operations, starts, strict=True):
            if qubit not in operation.qubits:
                continue
            if operation.role == "reset":
                end = None
            elif operation.role == "operation":
                total += 0 if end is None else start - end
                end = start + operation.duration_dt
    return total


@settings(max_examples=300)
@given(timed_operations(), ALIGNMENTS)
def test_a_schedule_is_valid_and_never_worse_than_as_soon_as_possible(operations: list[TimedOperation], alignment: int):
    timing = schedule(operations, NUM_QUBITS, alignment)
    ready: dict[object, int] = {}
    for operation, start in zip(operations, timing.start_dt, strict=True):
        assert start >= 0
        assert start % alignment == 0
        for resource in (*operation.qubits, *operation.others):
            assert start >= ready.get(resource, 0)
            ready[resource] = start + operation.duration_dt
    earliest = as_soon_as_possible(operations, alignment)
    ends = [s + o.duration_dt for s, o in zip(earliest, operations, strict=True)]
    assert timing.length_dt <= max(ends, default=0)
    assert live_waiting(operations, list(timing.start_dt)) <= live_waiting(operations, earliest)


@settings(max_examples=100)
@given(timed_operations(), ALIGNMENTS)
def test_busy_times_are_those_of_the_first_and_last_operation(operations: list[TimedOperation], alignment: int):
    timing = schedule(operations, NUM_QUBITS, alignment)
    for qubit in range(NUM_QUBITS):
        own = [
            (start, start + operation.duration_dt)
            for operation, start in zip(operations, timing.start_dt, strict=True)
            if qubit in operation.qubits
        ]
        wanted = (min(start for start, _ in own), max(stop for _, stop in own)) if own else (0, 0)
        assert timing.busy_dt[qubit] == wanted
    assert timing.duration_dt == tuple(operation.duration_dt for operation in operations)
    if operations:
        assert min(timing.start_dt) == 0


@st.composite
def native_circuits(draw: st.DrawFn) -> QuantumCircuit:
    circuit = QuantumCircuit(6, 2)
    for _ in range(draw(st.integers(1, 14))):
        kind = draw(st.sampled_from(["sx", "cz", "cz", "measure", "reset", "delay", "if", "barrier"]))
        qubit = draw(st.integers(0, 4))
        if kind == "cz":
            circuit.cz(*draw(st.permutations([qubit, qubit + 1])))
        elif kind == "measure":
            circuit.measure(qubit, draw(st.integers(0, 1)))
        elif kind == "delay":
            circuit.delay(300, qubit)
        elif kind == "if":
            with circuit.if_test((draw(st.integers(0, 1)), 1)):
                circuit.x(qubit)
        elif kind == "barrier":
            circuit.barrier()
        else:
            getattr(circuit, kind)(qubit)
    return circuit


@settings(max_examples=100)
@given(native_circuits(), st.permutations(range(6)))
def test_the_success_of_the_parts_is_that_of_the_whole(circuit: QuantumCircuit, order: list[int]):
    target = make_target(
        6,
        [(a, b) for a in range(6) for b in range(a)],
        qubit_properties=[QubitProperties(t1=1e-5 * (q + 1), t2=1e-5) for q in range(6)],
    )
    device = DeviceModel(target)
    _, workload, log_success = time_on(circuit.data, sites_of(circuit), order, device)
    shapes = find_shapes(6, list(two_qubit_pairs(circuit)))
    assert sorted(site for shape in shapes for site in shape.sites) == list(range(6))
    parts = 0.0
    for shape in shapes:
        places = np.array([[order[site] for site in shape.sites]])
        parts += float(workload.restricted(shape.sites).log_success(device, places)[0])
    np.testing.assert_allclose(parts, log_success, atol=1e-12)


@settings(max_examples=60)
@given(native_circuits(), st.lists(st.permutations(range(6)), min_size=1, max_size=4), ALIGNMENTS)
def test_many_places_at_once_are_as_one_by_one(circuit: QuantumCircuit, places: list[list[int]], alignment: int):
    couplers = [(a, b) for a in range(6) for b in range(a)]
    target = make_target(
        6,
        couplers,
        acquire_alignment=alignment,
        qubit_properties=[QubitProperties(t1=1e-5 * (q + 1), t2=1e-5) for q in range(6)],
    )
    for q, pair in enumerate(couplers):
        for qargs in (pair, pair[::-1]):
            target.update_instruction_properties(
                "cz", qargs, InstructionProperties(duration=3e-7 + q * 1e-8, error=0.01)
            )
    for q in range(6):
        target.update_instruction_properties("reset", (q,), InstructionProperties(duration=8e-7 + q * 1e-8))
        target.update_instruction_properties(
            "measure", (q,), InstructionProperties(duration=1e-6 - q * 1e-8, error=0.1)
        )
    device = DeviceModel(target)
    _, workload, _ = time_on(circuit.data, sites_of(circuit), places[0], device)
    table = PlaceScorer(circuit, workload, device).table(np.array(places))
    for row, place in enumerate(places):
        timing, _, log_success = time_on(circuit.data, sites_of(circuit), place, device)
        busy = list(zip(table.busy_start_dt[row].tolist(), table.busy_stop_dt[row].tolist(), strict=True))
        assert (busy, table.length_dt[row]) == (list(timing.busy_dt), timing.length_dt)
        np.testing.assert_allclose(table.log_success[row], log_success, atol=1e-12)
    part = PlaceScorer(circuit, workload, device).table(np.array(places), [4, 1, 0, 2, 3, 5])
    np.testing.assert_array_equal(part.busy_stop_dt, table.busy_stop_dt[:, [4, 1, 0, 2, 3, 5]])
    np.testing.assert_allclose(part.log_success, table.log_success, atol=1e-12)
