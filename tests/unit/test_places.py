from __future__ import annotations

import math

import numpy as np
import pytest
from qiskit.circuit import QuantumCircuit
from qiskit.circuit.library import ECRGate
from qiskit.providers import QubitProperties
from qiskit.transpiler import InstructionProperties, Target

from qiskit_halo.device.model import DeviceModel
from qiskit_halo.fragments.measure import sites_of, time_on
from qiskit_halo.fragments.places import PlaceScorer, PlaceTable
from tests.fragment_samples import bell
from tests.targets import make_target


def uneven(num_qubits: int, **keywords: object) -> Target:
    """Every qubit and coupler has lengths, errors and coherence of its own."""
    properties = [QubitProperties(t1=1e-4 * (q + 1), t2=8e-5) for q in range(num_qubits)]
    target = make_target(num_qubits, qubit_properties=properties, **keywords)
    for name, duration_ns in (("sx", 40), ("x", 40), ("measure", 1000), ("cz", 300), ("ecr", 300), ("reset", 800)):
        for qargs in list(target[name]) if name in target.operation_names else ():
            step = qargs[0] + 1
            target.update_instruction_properties(
                name,
                qargs,
                InstructionProperties(duration=(duration_ns + 16 * step) * 1e-9, error=0.001 * step),
            )
    return target


def table_of(circuit: QuantumCircuit, places: list[list[int]], device: DeviceModel, **keywords: object) -> PlaceTable:
    _, workload, _ = time_on(circuit.data, sites_of(circuit), list(range(circuit.num_qubits)), device)
    array = np.array(places, dtype=np.int64).reshape(len(places), circuit.num_qubits)
    return PlaceScorer(circuit, workload, device).table(array, **keywords)


def check_against_one_by_one(circuit: QuantumCircuit, places: list[list[int]], device: DeviceModel) -> None:
    table = table_of(circuit, places, device)
    for row, place in enumerate(places):
        timing, _, log_success = time_on(circuit.data, sites_of(circuit), place, device)
        assert tuple(table.busy_start_dt[row].tolist()) == tuple(start for start, _ in timing.busy_dt)
        assert tuple(table.busy_stop_dt[row].tolist()) == tuple(stop for _, stop in timing.busy_dt)
        assert table.length_dt[row] == timing.length_dt
        assert table.log_success[row] == pytest.approx(log_success)


def branching() -> QuantumCircuit:
    circuit = QuantumCircuit(2, 2)
    circuit.sx(0)
    circuit.measure(0, 0)
    with circuit.if_test((0, 1)) as otherwise:
        circuit.x(1)
        circuit.cz(0, 1)
    with otherwise:
        circuit.delay(2000, 1)
    with circuit.for_loop(range(3)):
        circuit.sx(1)
        circuit.delay(16, 1)
    with circuit.if_test((0, 1)):
        pass
    circuit.reset(0)
    circuit.barrier()
    circuit.sx(0)
    circuit.measure([0, 1], [0, 1])
    return circuit


@pytest.mark.parametrize("alignment", [1, 16])
@pytest.mark.parametrize("durations", [True, False])
def test_branches_loops_and_waits_are_as_one_by_one(alignment: int, durations: bool) -> None:
    target = uneven(4, acquire_alignment=alignment) if durations else make_target(4, durations=False)
    check_against_one_by_one(branching(), [[0, 1], [1, 0], [2, 3], [3, 2]], DeviceModel(target))


def test_a_directed_gate_the_other_way_round_costs_the_turn() -> None:
    circuit = QuantumCircuit(2, 1)
    circuit.ecr(0, 1)
    circuit.measure(0, 0)
    device = DeviceModel(uneven(3, gate=ECRGate, directed=True))
    places = [[0, 1], [1, 0], [1, 2], [2, 1]]
    check_against_one_by_one(circuit, places, device)
    log_success = table_of(circuit, places, device).log_success
    measured = [math.log1p(-0.001 * (place[0] + 1)) for place in places]
    gate = log_success - measured
    assert gate[1] < gate[0]
    assert gate[3] < gate[2]


def test_waiting_counts_by_the_qubit_that_waits() -> None:
    circuit = QuantumCircuit(1, 1)
    circuit.sx(0)
    circuit.delay(50_000, 0)
    circuit.measure(0, 0)
    device = DeviceModel(uneven(2))
    check_against_one_by_one(circuit, [[0], [1]], device)
    gates = [math.log1p(-0.001 * (q + 1)) * 2 for q in range(2)]
    idle = table_of(circuit, [[0], [1]], device).log_success - gates
    assert idle[0] < idle[1] < 0


def test_a_place_that_lacks_an_operation_is_impossible() -> None:
    target = uneven(3)
    target.update_instruction_properties("cz", (1, 2), InstructionProperties(duration=3e-7, error=1.0))
    target.update_instruction_properties("cz", (2, 1), InstructionProperties(duration=3e-7, error=1.0))
    log_success = table_of(bell(), [[0, 1], [1, 2], [0, 2]], DeviceModel(target)).log_success
    assert np.isfinite(log_success).tolist() == [True, False, False]


def test_chosen_sites_come_in_the_order_asked_for() -> None:
    circuit = QuantumCircuit(3, 3)
    circuit.cz(1, 2)
    circuit.sx(0)
    circuit.measure(range(3), range(3))
    device = DeviceModel(uneven(4))
    places = [[0, 1, 2], [3, 2, 1]]
    whole = table_of(circuit, places, device)
    pair, single = (table_of(circuit, places, device, sites=sites) for sites in ([2, 1], [0]))
    np.testing.assert_array_equal(pair.busy_stop_dt, whole.busy_stop_dt[:, [2, 1]])
    np.testing.assert_array_equal(single.busy_start_dt, whole.busy_start_dt[:, [0]])
    np.testing.assert_array_equal(pair.length_dt, whole.length_dt)
    np.testing.assert_allclose(pair.log_success + single.log_success, whole.log_success)


def test_a_site_without_operations_is_never_busy() -> None:
    circuit = QuantumCircuit(2, 1)
    circuit.measure(0, 0)
    table = table_of(circuit, [[1, 0]], DeviceModel(uneven(2)))
    assert (table.busy_start_dt.tolist(), table.busy_stop_dt.tolist()) == ([[0, 0]], [[1032, 0]])


@pytest.mark.parametrize("circuit", [bell(), QuantumCircuit(2), QuantumCircuit()])
def test_no_places_and_no_operations(circuit: QuantumCircuit) -> None:
    device = DeviceModel(uneven(2))
    empty = table_of(circuit, [], device)
    assert (empty.length_dt.shape, empty.log_success.shape) == ((0,), (0,))
    assert empty.busy_start_dt.shape == (0, circuit.num_qubits)
    check_against_one_by_one(circuit, [list(range(circuit.num_qubits))], device)
