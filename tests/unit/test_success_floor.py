from __future__ import annotations

import math
from collections.abc import Sequence

import pytest

from qiskit_halo.device.model import DeviceModel
from qiskit_halo.options import HaloOptions
from qiskit_halo.timeline.drafts import Draft
from qiskit_halo.timeline.resets import HandOverTimes
from qiskit_halo.timeline.success_floor import Floors
from qiskit_halo.timeline.turns import whole_turn
from tests.draft_samples import draft
from tests.targets import make_target

ONE_ROUND = math.log1p(-0.5 * 0.02)


def floors(drafts: Sequence[Draft], metadata: dict[str, object] | None = None, **options: object) -> Floors:
    device = DeviceModel(make_target(4))
    chosen = HaloOptions(resets=1, **options)  # type: ignore[arg-type]
    times = HandOverTimes(device, chosen)
    turns = [whole_turn(d.piece.owners, i, d.leases, d.timing.length_dt, times) for i, d in enumerate(drafts)]
    return Floors(turns, drafts, device, chosen, metadata or {})


def placement(*pieces: tuple[list[int], float]) -> dict[str, object]:
    return {"placement": {"pieces": [{"programs": owners, "success_alone": alone} for owners, alone in pieces]}}


DRAFTS = [
    draft(0, [(0, 0, 10), (1, 0, 10)], log_success=-0.1),
    draft(0, [(1, 0, 10)], log_success=-0.2),
    draft(-1, [(0, 0, 10)], log_success=-0.4),
]


def test_every_qubit_that_is_taken_over_costs_its_resets() -> None:
    found = floors(DRAFTS).log_success([-0.1, -0.2, -0.4], {0: 0, 1: 1})
    assert found == {(0,): pytest.approx(-0.3 + ONE_ROUND), ("anonymous", 2): pytest.approx(-0.4 + ONE_ROUND)}


def test_without_trust_first_uses_cost_too() -> None:
    found = floors(DRAFTS, assume_clean=False).log_success([-0.1, -0.2, -0.4], {0: 0, 1: 1})
    assert found[0,] == pytest.approx(-0.3 + 3 * ONE_ROUND)


def test_the_floor_is_a_share_of_what_the_layout_knows_or_of_what_the_place_gives() -> None:
    known = placement(([0], 0.9), ([0], 0.8))
    least = math.log(0.9 * 0.8 * 0.5)
    assert floors(DRAFTS, known, success_floor=0.5).below({(0,): least}) == ()
    assert floors(DRAFTS, known, success_floor=0.5).below({(0,): least - 1e-6}) == ((0,),)
    unknown = math.log(0.5) - 0.3
    assert floors(DRAFTS, success_floor=0.5).below({(0,): unknown}) == ()
    assert floors(DRAFTS, success_floor=0.5).below({(0,): unknown - 1e-6}) == ((0,),)


def test_anonymous_pieces_are_not_those_of_the_layout() -> None:
    known = placement(([], 1e-9), ([0], 0.9))
    assert floors(DRAFTS, known, success_floor=1.0).below({("anonymous", 2): -0.4 - 1e-6}) == (("anonymous", 2),)


def test_no_floor() -> None:
    assert floors(DRAFTS, success_floor=0.0).below({(0,): -1e9}) == ()
    assert floors(DRAFTS, placement(([0], 0.0)), success_floor=0.9).below({(0,): -1e9}) == ()


def test_what_is_missing_as_given_is_not_asked_for() -> None:
    found = floors(DRAFTS, success_floor=1.0)
    found.lower_to({(0,): -2.0, ("anonymous", 2): 5.0})
    assert found.below({(0,): -2.0, ("anonymous", 2): -0.4}) == ()
    assert found.below({(0,): -2.1, ("anonymous", 2): -0.5}) == ((0,), ("anonymous", 2))
