from __future__ import annotations

import pytest
from qiskit.transpiler import InstructionProperties

from qiskit_halo.device.model import DeviceModel
from qiskit_halo.fragments.fragment import Shape
from qiskit_halo.placement.embeddings import Embedder
from tests.targets import make_target

PAIR = Shape(sites=(0, 1), edges=((0, 1),))
PATH = Shape(sites=(0, 1, 2), edges=((0, 1), (1, 2)))
TRIANGLE = Shape(sites=(0, 1, 2), edges=((0, 1), (0, 2), (1, 2)))


def found(device: DeviceModel, shape: Shape) -> list[tuple[int, ...]]:
    return sorted(map(tuple, Embedder(device).find(shape).tolist()))


def test_a_single_site_fits_on_every_usable_qubit() -> None:
    device = DeviceModel(make_target(4), exclude_qubits=(1,))
    assert found(device, Shape(sites=(3,), edges=())) == [(0,), (2,), (3,)]


def test_a_pair_fits_on_every_coupler_both_ways_round() -> None:
    device = DeviceModel(make_target(3, directed=True))
    assert found(device, PAIR) == [(0, 1), (1, 0), (1, 2), (2, 1)]


def test_a_path_fits_along_a_line_and_a_triangle_does_not() -> None:
    device = DeviceModel(make_target(4))
    assert found(device, PATH) == [(0, 1, 2), (1, 2, 3), (2, 1, 0), (3, 2, 1)]
    assert found(device, TRIANGLE) == []


def test_columns_follow_the_sites_of_the_shape() -> None:
    device = DeviceModel(make_target(4, [(0, 1), (0, 2), (0, 3)]))
    star = Shape(sites=(0, 1, 2, 3), edges=((0, 2), (1, 2), (2, 3)))
    assert {row[2] for row in found(device, star)} == {0}


@pytest.mark.parametrize("shape", [PAIR, PATH])
def test_excluded_qubits_and_dead_couplers_are_not_used(shape: Shape) -> None:
    target = make_target(7, [*((q, q + 1) for q in range(6))])
    for pair in ((2, 3), (3, 2)):
        target.update_instruction_properties("cz", pair, InstructionProperties(duration=3e-7, error=1.0))
    device = DeviceModel(target, exclude_qubits=(6,))
    rows = found(device, shape)
    assert rows
    assert all({row_part <= 2 for row_part in row} in ({True}, {False}) and 6 not in row for row in rows)


def test_each_shape_is_searched_once() -> None:
    embedder = Embedder(DeviceModel(make_target(4)))
    assert embedder.find(PATH) is embedder.find(Shape(sites=(4, 5, 6), edges=PATH.edges))
