from __future__ import annotations

import json
import re

import numpy as np
import pytest

from qiskit_halo.errors import HaloValueError
from qiskit_halo.options import HaloOptions


def test_defaults():
    assert HaloOptions().to_dict() == {
        "sharing": "all",
        "success_floor": 0.9,
        "resets": 2,
        "buffer": 0,
        "max_duration_s": None,
        "exclude_qubits": [],
        "assume_clean": True,
        "reuse": "auto",
        "cache": True,
    }


def test_options_are_json_and_come_back():
    options = HaloOptions(
        sharing="helpers",
        success_floor=np.float32(0.5),
        resets=np.int64(3),
        buffer=1,
        max_duration_s=2,
        exclude_qubits=np.array([4, 1, 4]),
        assume_clean=False,
        reuse="max",
        cache=False,
    )
    assert options.exclude_qubits == (1, 4)
    assert HaloOptions.from_dict(json.loads(json.dumps(options.to_dict()))) == options


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("sharing", "some", "sharing must be one of none, helpers, all, not 'some'"),
        ("success_floor", 1.5, "success_floor must lie in [0, 1], not 1.5"),
        ("success_floor", float("nan"), "success_floor must be a finite number, not nan"),
        ("success_floor", True, "success_floor must be a finite number, not True"),
        ("resets", 0, "resets must be a whole number of at least 1, not 0"),
        ("resets", 2.0, "resets must be a whole number of at least 1, not 2.0"),
        ("resets", np.bool_(True), "resets must be a whole number of at least 1"),
        ("buffer", -1, "buffer must be a whole number of at least 0, not -1"),
        ("max_duration_s", 0, "max_duration_s must be positive seconds or None, not 0.0"),
        ("max_duration_s", "1", "max_duration_s must be a finite number, not '1'"),
        ("exclude_qubits", "12", "exclude_qubits must be a sequence of qubit numbers, not a string"),
        ("exclude_qubits", 5, "exclude_qubits must be a sequence of qubit numbers, not 5"),
        ("exclude_qubits", [-1], "each of exclude_qubits must be a whole number of at least 0, not -1"),
        ("assume_clean", 1, "assume_clean must be True or False, not 1"),
        ("reuse", "all", "reuse must be one of auto, none, max, not 'all'"),
        ("cache", 0, "cache must be True or False, not 0"),
    ],
)
def test_every_field_is_checked(field: str, value: object, message: str):
    with pytest.raises(HaloValueError, match=re.escape(message)):
        HaloOptions(**{field: value})


def test_unknown_names_are_listed_with_the_known_ones():
    with pytest.raises(HaloValueError, match=r"unknown option 'a', 'b'; the options are sharing, .*assume_clean"):
        HaloOptions.from_dict({"b": 1, "a": 2, "resets": 2})
