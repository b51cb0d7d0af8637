from __future__ import annotations

import pytest

from qiskit_halo.units import round_down, round_up, seconds_to_dt


@pytest.mark.parametrize(("seconds", "dt", "ticks"), [(1.56e-6, 4e-9, 390), (3.9e-9, 4e-9, 1), (0.0, 1e-9, 0)])
def test_seconds_become_the_nearest_tick(seconds: float, dt: float, ticks: int):
    assert seconds_to_dt(seconds, dt) == ticks


@pytest.mark.parametrize(("tick", "up", "down"), [(0, 0, 0), (1, 16, 0), (16, 16, 16), (17, 32, 16), (-1, 0, -16)])
def test_rounding_to_an_alignment(tick: int, up: int, down: int):
    assert (round_up(tick, 16), round_down(tick, 16)) == (up, down)
