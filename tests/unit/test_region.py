from __future__ import annotations

import numpy as np
from qiskit.circuit.library import CCXGate, ECRGate
from qiskit.providers import QubitProperties
from qiskit.transpiler import InstructionProperties

from qiskit_halo.device.model import DeviceModel
from qiskit_halo.device.region import connected_regions, grow_region, region_target
from tests.targets import CONTROL_FLOW, global_target, make_target


def test_regions_by_size_then_by_qubit():
    target = make_target(9, [(7, 8), (0, 1), (3, 4), (4, 5)])
    device = DeviceModel(target, exclude_qubits=(2,))
    assert connected_regions(device) == [(3, 4, 5), (0, 1), (7, 8), (6,)]


def test_one_qubit():
    assert connected_regions(DeviceModel(make_target(1))) == [(0,)]


def test_a_region_grows_from_the_best_place_by_its_best_neighbour():
    device = DeviceModel(make_target(6))
    quality = np.array([0, 1, 9, 5, 2, 3])
    free = np.ones(6, dtype=bool)
    assert grow_region(device, free, 3, quality) == (2, 3, 4)
    free[3] = False
    assert grow_region(device, free, 3, quality) == (0, 1, 2)
    assert grow_region(device, free, 4, quality) is None
    free[2] = False
    assert grow_region(device, free, 2, quality) == (4, 5)


def test_a_region_target_holds_only_what_works():
    properties = [QubitProperties(t1=float(q + 1)) for q in range(5)]
    target = make_target(5, qubit_properties=properties, acquire_alignment=4, granularity=2)
    target.update_instruction_properties("cz", (2, 3), InstructionProperties(error=1.0))
    target.add_instruction(CCXGate(), {(1, 2, 3): None})
    region = region_target(DeviceModel(target), (3, 1, 2))
    assert region.num_qubits == 3
    assert sorted(region["cz"]) == [(0, 2), (1, 2), (2, 1)]
    assert region["cz"][(0, 2)] == target["cz"][(3, 2)]
    assert sorted(region["measure"]) == [(0,), (1,), (2,)]
    assert [p.t1 for p in region.qubit_properties] == [4.0, 2.0, 3.0]
    assert (region.dt, region.acquire_alignment, region.granularity) == (1e-9, 4, 2)
    assert set(region.operation_names) == {*target.operation_names} - {"ccx"}
    assert region.instruction_supported("if_else", (0, 1))
    assert set(CONTROL_FLOW) < set(region.operation_names)


def test_qubits_that_are_not_usable_have_no_operations():
    region = region_target(DeviceModel(make_target(3), exclude_qubits=(0,)), (0, 1, 2))
    assert sorted(region["cz"]) == [(1, 2), (2, 1)]
    assert sorted(region["sx"]) == [(1,), (2,)]


def test_a_symmetric_target_has_directed_gates_both_ways():
    device = DeviceModel(make_target(3, gate=ECRGate, directed=True))
    assert sorted(region_target(device, (0, 1, 2))["ecr"]) == [(0, 1), (1, 2)]
    both = region_target(device, (0, 1, 2), symmetric=True)
    assert sorted(both["ecr"]) == [(0, 1), (1, 0), (1, 2), (2, 1)]
    assert both["ecr"][(1, 0)] == both["ecr"][(0, 1)]
    assert sorted(both["sx"]) == [(0,), (1,), (2,)]


def test_operations_stated_once_stay_so():
    region = region_target(DeviceModel(global_target(4)), (1, 3))
    assert region["cz"] == {None: None}
    assert region.instruction_supported("u", (1,))
