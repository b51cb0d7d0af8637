from __future__ import annotations

import json
import math
import re

import numpy as np
import pytest

from qiskit_halo.errors import HaloValueError
from qiskit_halo.options import HaloOptions


def test_defaults():
    assert HaloOptions().to_dict() == {
        "sharing": "all",
        "success_floor": 0.9,
        "weak_success": 0.1,
        "resets": 2,
        "buffer": 0,
        "rep_delay_s": None,
        "move_isa": False,
        "max_batch_programs": 128,
        "max_copies": None,
        "max_executions": 10_000_000,
        "max_circuits": None,
        "max_duration_s": None,
        "exclude_qubits": [],
        "assume_clean": True,
        "policy": "auto",
        "max_wait_s": 0.0,
        "weights": None,
        "scrub": False,
        "idle_fill": "delay",
        "feed_forward_s": 0.7e-6,
        "crosstalk": [],
        "readout_crosstalk": 0.0,
        "reuse": "auto",
        "reset_model": "stays",
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
        policy="round_robin",
        max_wait_s=np.float64(1e-6),
        weights=np.array([1, 2]),
        scrub=True,
        idle_fill="dd",
        feed_forward_s=0,
        crosstalk=[[[3, 2], np.array([0, 1]), 2], ((0, 1), (2, 3), np.float32(1.5))],
        readout_crosstalk=0.25,
        reuse="max",
        reset_model="flips",
        cache=False,
    )
    assert options.crosstalk == (((0, 1), (2, 3), 1.5), ((2, 3), (0, 1), 2.0))
    assert (options.exclude_qubits, options.weights) == ((1, 4), (1.0, 2.0))
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
        ("rep_delay_s", -1e-6, "rep_delay_s must be seconds of at least 0 or None, not -1e-06"),
        ("move_isa", "yes", "move_isa must be True or False, not 'yes'"),
        ("max_batch_programs", 0, "max_batch_programs must be a whole number of at least 1, not 0"),
        ("max_copies", 1.5, "max_copies must be a whole number of at least 1, not 1.5"),
        ("max_executions", 0, "max_executions must be a whole number of at least 1, not 0"),
        ("max_circuits", -1, "max_circuits must be a whole number of at least 1, not -1"),
        ("max_duration_s", 0, "max_duration_s must be positive seconds or None, not 0.0"),
        ("max_duration_s", "1", "max_duration_s must be a finite number, not '1'"),
        ("exclude_qubits", "12", "exclude_qubits must be a sequence of qubit numbers, not a string"),
        ("exclude_qubits", 5, "exclude_qubits must be a sequence of qubit numbers, not 5"),
        ("exclude_qubits", [-1], "each of exclude_qubits must be a whole number of at least 0, not -1"),
        ("assume_clean", 1, "assume_clean must be True or False, not 1"),
        ("policy", "best", "policy must be one of auto, round_robin, packed, not 'best'"),
        ("policy", ["auto"], "policy must be one of auto, round_robin, packed, not ['auto']"),
        ("idle_fill", None, "idle_fill must be one of delay, dd, not None"),
        ("max_wait_s", -1e-6, "max_wait_s must be seconds of at least 0, not -1e-06"),
        ("max_wait_s", float("inf"), "max_wait_s must be a finite number, not inf"),
        ("feed_forward_s", -1, "feed_forward_s must be seconds of at least 0, not -1.0"),
        ("weights", "12", "weights must be a sequence of numbers, not a string"),
        ("weights", 2, "weights must be a sequence of numbers, not 2"),
        ("weights", [1, 0], "each of weights must be positive, not 0.0"),
        ("weights", [1, True], "each of weights must be a finite number, not True"),
        ("crosstalk", 3, "crosstalk must be a sequence of ((a, b), (c, d), factor), not 3"),
        ("crosstalk", [3], "each of crosstalk must be a sequence of two couplers and a factor, not 3"),
        ("crosstalk", [((0, 1), (2, 3))], "each of crosstalk must be ((a, b), (c, d), factor), not ((0, 1), (2, 3))"),
        ("crosstalk", [((0, 0), (2, 3), 1)], "each coupler of crosstalk must be two different qubits, not (0, 0)"),
        ("crosstalk", [((0, 1, 2), (2, 3), 1)], "each coupler of crosstalk must be two different qubits"),
        ("crosstalk", [((0, 1), "23", 1)], "each coupler of crosstalk must be a sequence of two qubit numbers"),
        ("crosstalk", [((0, -1), (2, 3), 1)], "each qubit of crosstalk must be a whole number of at least 0, not -1"),
        ("crosstalk", [((0, 1), (2, 3), 0)], "must be positive, not 0.0 for (0, 1) beside (2, 3)"),
        ("crosstalk", [((0, 1), (2, 3), "1")], "each factor of crosstalk must be a finite number, not '1'"),
        ("crosstalk", [((0, 1), (1, 2), 2)], "crosstalk has couplers (0, 1) and (1, 2), which share a qubit"),
        ("crosstalk", [((0, 1), (2, 3), 2), ((1, 0), (2, 3), 3)], "two factors for (0, 1) beside (2, 3); give one"),
        ("readout_crosstalk", 1, "readout_crosstalk must lie in [0, 1), not 1.0"),
        ("readout_crosstalk", -0.1, "readout_crosstalk must lie in [0, 1), not -0.1"),
        ("scrub", 0, "scrub must be True or False, not 0"),
        ("reset_model", "fails", "reset_model must be one of stays, flips, not 'fails'"),
        ("reuse", "all", "reuse must be one of auto, none, max, not 'all'"),
        ("cache", 0, "cache must be True or False, not 0"),
    ],
)
def test_every_field_is_checked(field: str, value: object, message: str):
    with pytest.raises(HaloValueError, match=re.escape(message)):
        HaloOptions(**{field: value})


def test_unknown_names_are_listed_with_the_known_ones():
    with pytest.raises(HaloValueError, match=r"unknown option 'a', 'b'; the options are sharing, .*feed_forward_s"):
        HaloOptions.from_dict({"b": 1, "a": 2, "resets": 2})


def test_no_crosstalk_can_be_written_in_two_ways():
    assert HaloOptions(crosstalk=None) == HaloOptions(crosstalk=[]) == HaloOptions()


def test_weak_programs_may_lose_as_many_shots_as_one_that_is_not() -> None:
    options = HaloOptions(success_floor=0.9, weak_success=0.1)
    for best, least in ((1.0, 0.9), (0.5, 0.45), (0.1, 0.09), (0.05, 0.04), (0.02, 0.01), (0.01, 0.005), (1e-9, 5e-10)):
        assert best * math.exp(options.log_share(math.log(best))) == pytest.approx(least)
    assert options.log_share(-math.inf) == options.log_share(-1e4) == math.log(0.5)
    # Who asks for little anyway is not given more, and who asks for everything gets it.
    assert HaloOptions(success_floor=0.3).log_share(math.log(1e-3)) == math.log(0.3)
    assert HaloOptions(success_floor=1.0).log_share(math.log(1e-3)) == 0.0
    assert HaloOptions(success_floor=0.0).log_share(0.0) == -math.inf
    assert HaloOptions(weak_success=0.0).log_share(math.log(1e-3)) == math.log(0.9)


@pytest.mark.parametrize("value", [-0.1, 1.1, "0.1", None])
def test_weak_success_is_a_share(value: object) -> None:
    with pytest.raises(HaloValueError, match="weak_success"):
        HaloOptions(weak_success=value)
