from __future__ import annotations

import pytest

from qiskit_halo.placement.placement import Placement
from tests.fragment_samples import bell, place


def test_a_placement_as_json() -> None:
    values = place(bell(), (2, 1)).to_dict(1e-9)
    assert values == {
        "pieces": [
            {
                "programs": [-1],
                "wires": [0, 1],
                "helpers": [1],
                "qubits": [2, 1],
                "start_s": pytest.approx(100e-9),
                "success_alone": 0.5,
                "success_placed": 0.25,
                "success_floor": pytest.approx(0.2),
                "forms": [
                    {"name": "", "num_qubits": 2, "length_s": pytest.approx(1.34e-6), "success": 0.5, "chosen": True}
                ],
            }
        ]
    }


def test_nothing_placed() -> None:
    assert Placement(pieces=()).to_dict(1e-9) == {"pieces": []}
