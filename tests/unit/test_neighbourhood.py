from __future__ import annotations

import rustworkx as rx

from qiskit_halo.device.model import DeviceModel
from qiskit_halo.fragments.neighbourhood import compact_part
from tests.targets import make_target


def test_the_part_with_most_couplers():
    # A line of six with a triangle at its end.
    device = DeviceModel(make_target(7, [(0, 1), (1, 2), (2, 3), (3, 4), (4, 5), (5, 6), (4, 6)]))
    assert compact_part(device, range(7), 3) == (4, 5, 6)
    assert compact_part(device, range(7), 7) == tuple(range(7))


def test_a_part_stays_in_its_region_and_is_connected():
    device = DeviceModel(
        make_target(
            9,
            [(3 * r + c, 3 * r + c + 1) for r in range(3) for c in range(2)]
            + [(3 * r + c, 3 * r + c + 3) for r in range(2) for c in range(3)],
        )
    )
    region = (0, 1, 2, 3, 5, 6, 7, 8)  # a ring: no centre
    part = compact_part(device, region, 5)
    assert len(part) == 5
    assert set(part) <= set(region)
    assert rx.is_connected(device.graph.subgraph(list(part)))


def test_readout_decides_between_equals():
    target = make_target(6)
    for qubit in range(6):
        error = 0.01 if qubit >= 3 else 0.05
        target.update_instruction_properties(
            "measure", (qubit,), type(target["measure"][0,])(error=error, duration=1e-6)
        )
    assert compact_part(DeviceModel(target), range(6), 3) == (3, 4, 5)
