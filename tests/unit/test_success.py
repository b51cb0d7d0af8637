from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from qiskit.circuit import QuantumCircuit
from qiskit.circuit.library import ECRGate
from qiskit.providers import QubitProperties
from qiskit.transpiler import InstructionProperties

from qiskit_halo.device.model import DeviceModel
from qiskit_halo.fragments.durations import LOOP_ROUNDS
from qiskit_halo.fragments.measure import sites_of, time_on
from qiskit_halo.fragments.success import FLIP_GATES, Workload, log_idle, measure_workload
from tests.targets import make_target

T1, T2 = 1e-4, 5e-5


def workload(circuit: QuantumCircuit, **target: object) -> Workload:
    device = DeviceModel(make_target(circuit.num_qubits, **target))
    return time_on(circuit.data, sites_of(circuit), range(circuit.num_qubits), device)[1]


def test_what_a_body_asks_for():
    circuit = QuantumCircuit(3, 2)
    circuit.sx(0)  # 0 to 40
    circuit.cz(0, 1)  # 40 to 340
    circuit.sx(2)
    circuit.measure(2, 0)  # 40 to 1040
    circuit.cz(1, 2)  # 1040 to 1340: qubit 1 waits 700, qubit 2 does not
    circuit.reset(2)
    circuit.reset(2)  # 2140 to 2940
    circuit.delay(100, 2)  # still in |0>
    circuit.sx(2)
    circuit.delay(500, 2)
    circuit.measure(2, 1)
    circuit.barrier()
    device = DeviceModel(make_target(3))
    timing, found, _ = time_on(circuit.data, sites_of(circuit), [0, 1, 2], device)
    assert timing.start_dt[:5] == (0, 40, 0, 40, 1040)
    assert found == Workload(
        one_qubit=(("sx", 0, 1), ("sx", 2, 2), ("measure", 2, 2)),
        two_qubit=(("cz", 0, 1, 1), ("cz", 1, 2, 1)),
        resets=((2, 2, 1),),
        gaps=((1, pytest.approx(700e-9)), (2, pytest.approx(500e-9))),
    )


def test_branches_count_all_and_loops_by_their_rounds():
    circuit = QuantumCircuit(2, 1)
    circuit.measure(0, 0)
    with circuit.if_test((0, 1)) as otherwise:
        circuit.x(1)
    with otherwise:
        circuit.sx(1)
    with circuit.for_loop(range(3)), circuit.while_loop((0, 1)):
        circuit.cz(0, 1)
        circuit.measure(0, 0)
    found = workload(circuit)
    assert found.one_qubit == (("measure", 0, 1 + 3 * LOOP_ROUNDS), ("x", 1, 1), ("sx", 1, 1))
    assert found.two_qubit == (("cz", 0, 1, 3 * LOOP_ROUNDS),)
    assert sorted(dict.fromkeys(site for site, _ in found.gaps)) == [0, 1]


def test_without_durations_nothing_idles():
    circuit = QuantumCircuit(2, 1)
    circuit.sx([0, 1])
    circuit.cz(0, 1)
    circuit.delay(100, 0)
    with circuit.if_test((0, 0)):
        circuit.x(0)
    assert workload(circuit, durations=False).gaps == ()


def test_success_is_the_product_of_its_factors():
    target = make_target(3, qubit_properties=[QubitProperties(t1=T1, t2=T2)] * 3)
    target.update_instruction_properties("sx", (2,), InstructionProperties(error=0.1))
    load = Workload(
        one_qubit=(("sx", 0, 2), ("measure", 1, 1)),
        two_qubit=(("cz", 0, 1, 3),),
        resets=((1, 2, 1),),
        gaps=((0, 1e-5),),
    )
    found = load.log_success(DeviceModel(target), np.array([[0, 1], [2, 1], [0, 2]]))
    idle = (1 + math.exp(-1e-5 / T1) + 2 * math.exp(-1e-5 / T2)) / 4
    rest = 0.98 * 0.99**3 * (1 - 0.02**2 / 2) * idle
    np.testing.assert_allclose(np.exp(found), [0.999**2 * rest, 0.9**2 * rest, 0.0])


def test_a_directed_gate_the_other_way_round_costs_more():
    target = make_target(2, gate=ECRGate, directed=True)
    load = Workload(one_qubit=(), two_qubit=(("ecr", 0, 1, 2),), resets=(), gaps=())
    found = load.log_success(DeviceModel(target), np.array([[0, 1], [1, 0]]))
    np.testing.assert_allclose(np.exp(found), [0.99**2, (0.99 * 0.999**FLIP_GATES) ** 2])


def test_turning_round_does_not_need_every_one_qubit_gate_everywhere():
    target = make_target(2, gate=ECRGate, directed=True)
    partial = type(target)(num_qubits=2)
    for name in ("ecr", "sx", "measure"):
        partial.add_instruction(target.operation_from_name(name), dict(target[name]), name=name)
    partial.add_instruction(target.operation_from_name("x"), {(0,): InstructionProperties(error=1e-3)}, name="x")
    load = Workload(one_qubit=(), two_qubit=(("ecr", 0, 1, 1),), resets=(), gaps=())
    found = load.log_success(DeviceModel(partial), np.array([[1, 0]]))
    np.testing.assert_allclose(np.exp(found), [0.99 * 0.999**FLIP_GATES])


def test_dead_and_absent_operations_rule_a_place_out():
    target = make_target(3)
    target.update_instruction_properties("cz", (1, 2), InstructionProperties(error=1.0))
    load = Workload(one_qubit=(), two_qubit=(("cz", 0, 1, 1),), resets=(), gaps=())
    found = load.log_success(DeviceModel(target), np.array([[0, 1], [1, 2], [0, 2]]))
    assert found.tolist() == [math.log1p(-1e-2), -math.inf, -math.inf]


@pytest.mark.parametrize("physical", [[0, 1, 2], [2, 1, 0], [3, 0, 1], [1, 3, 2]])
def test_one_place_by_itself_gives_the_same_number(physical: list[int]):
    target = make_target(4, gate=ECRGate, directed=True)
    target.qubit_properties = [QubitProperties(t1=T1 * (1 + q), t2=T2 * (1 + q)) for q in range(4)]
    target.update_instruction_properties("sx", (2,), InstructionProperties(error=0.1))
    load = Workload(
        one_qubit=(("sx", 0, 2), ("measure", 1, 1), ("sx", 2, 3)),
        two_qubit=(("ecr", 0, 1, 3), ("ecr", 1, 2, 1)),
        resets=((1, 2, 1), (0, 1, 2)),
        gaps=tuple((site % 3, 1e-6 * (site + 1) / 7) for site in range(19)),
    )
    device = DeviceModel(target)
    for part in (load, dataclasses.replace(load, gaps=()), dataclasses.replace(load, two_qubit=())):
        assert part.log_success_on(device, physical) == part.log_success(device, np.array([physical]))[0]


def test_idling():
    seconds = np.array([0.0, 1e-5, 1e3])
    found = log_idle(seconds, np.full(3, T1), np.full(3, T2))
    wanted = [1.0, (1 + math.exp(-0.1) + 2 * math.exp(-0.2)) / 4, 0.25]
    np.testing.assert_allclose(np.exp(found), wanted)
    assert log_idle(1.0, np.array([np.inf]), np.array([np.inf])).tolist() == [0.0]


def test_short_waits_cost_in_proportion_to_their_length():
    target = make_target(4)
    target.qubit_properties = [QubitProperties(t1=T1 * (1 + q), t2=T2 * (1 + q)) for q in range(4)]
    device = DeviceModel(target)
    gates = {"one_qubit": (("sx", 0, 2),), "two_qubit": (("cz", 0, 1, 3),), "resets": ((1, 2, 1),)}
    places = np.array([[0, 1], [2, 1], [3, 2]])
    short = Workload(**gates, gaps=((0, 1e-9), (1, 2e-9), (0, 3e-9)))
    assert np.allclose(
        short.log_success_of_short_waits(device, places), short.log_success(device, places), rtol=0, atol=1e-9
    )
    lost = Workload(**gates, gaps=()).log_success(device, places) - short.log_success_of_short_waits(device, places)
    long = Workload(**gates, gaps=((0, 1e-3), (1, 2e-3), (0, 3e-3)))
    none = Workload(**gates, gaps=()).log_success(device, places)
    assert np.allclose(none - long.log_success_of_short_waits(device, places), 1e6 * lost)


def test_restricted_to_some_sites():
    load = Workload(
        one_qubit=(("sx", 0, 1), ("sx", 2, 3)),
        two_qubit=(("cz", 2, 1, 4), ("cz", 0, 3, 1)),
        resets=((1, 2, 1), (3, 1, 1)),
        gaps=((2, 1e-6), (0, 2e-6)),
    )
    assert load.restricted([2, 1]) == Workload(
        one_qubit=(("sx", 0, 3),),
        two_qubit=(("cz", 0, 1, 4),),
        resets=((1, 2, 1),),
        gaps=((0, 1e-6),),
    )


def test_a_trailing_reset_costs_nothing():
    circuit = QuantumCircuit(1, 1)
    circuit.measure(0, 0)
    circuit.reset(0)
    device = DeviceModel(make_target(1))
    timing, _, _ = time_on(circuit.data, sites_of(circuit), [0], device)
    assert measure_workload(circuit.data, sites_of(circuit), timing, 1, device).resets == ()
