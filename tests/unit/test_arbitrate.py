from __future__ import annotations

import math
from collections.abc import Sequence

import pytest

from qiskit_halo.device.model import DeviceModel
from qiskit_halo.errors import HaloTranspilerError
from qiskit_halo.options import HaloOptions
from qiskit_halo.timeline.arbitrate import Plan, arbitrate
from qiskit_halo.timeline.drafts import Draft
from qiskit_halo.timeline.policies import POLICIES, Attempt, Policy, Trial
from qiskit_halo.timeline.resets import HandOverTimes
from qiskit_halo.timeline.turns import Turn
from tests.draft_samples import draft
from tests.policies import AsGiven, InOrder
from tests.targets import make_target

RESET = 800


def plan_of(
    drafts: Sequence[Draft],
    num_qubits: int = 4,
    *,
    policy: Policy | None = None,
    metadata: dict[str, object] | None = None,
    target: dict[str, object] | None = None,
    **options: object,
) -> Plan:
    device = DeviceModel(make_target(num_qubits, **(target or {})))
    chosen = HaloOptions(**options)  # type: ignore[arg-type]
    return arbitrate(drafts, device, chosen, HandOverTimes(device, chosen), policy=policy, metadata=metadata)


def starts(drafts: Sequence[Draft], num_qubits: int = 4, **keywords: object) -> tuple[int, ...]:
    return plan_of(drafts, num_qubits, **{"policy": AsGiven(), **keywords}).starts_dt  # type: ignore[arg-type]


def test_pieces_on_other_qubits_run_at_once() -> None:
    assert starts([draft(0, [(0, 0, 100), (1, 0, 100)]), draft(1, [(2, 0, 50), (3, 0, 50)])]) == (0, 0)


@pytest.mark.parametrize("resets", [1, 2, 3])
def test_a_qubit_passes_on_after_its_resets(resets: int) -> None:
    assert starts([draft(0, [(0, 0, 100)]), draft(1, [(0, 0, 50)])], resets=resets) == (0, 100 + resets * RESET)


def test_a_qubit_that_is_needed_late_is_reset_meanwhile() -> None:
    drafts = [draft(0, [(0, 0, 100)]), draft(1, [(0, 1500, 5000), (1, 0, 5000)])]
    assert starts(drafts, resets=2) == (0, 200)


def test_a_qubit_that_is_released_early_passes_on_early() -> None:
    drafts = [draft(0, [(0, 0, 100), (1, 0, 5000)]), draft(1, [(0, 0, 50)])]
    assert starts(drafts, resets=1) == (0, 900)


def test_first_uses_are_reset_without_trust() -> None:
    drafts = [draft(0, [(0, 0, 100), (1, 90, 100)])]
    assert starts(drafts, assume_clean=False) == (1600,)
    assert starts(drafts, assume_clean=True) == (0,)


def test_a_piece_goes_into_a_hole_only_if_both_hand_overs_fit_too() -> None:
    # Piece 1 needs qubit 0 from 5000 on, so a hole is left there after piece 0.
    first = [draft(0, [(0, 0, 100)]), draft(1, [(1, 0, 5000), (0, 5000, 5100)])]
    fits = draft(2, [(0, 0, 3300)])
    assert starts([*first, fits], resets=1) == (0, 0, 900)
    too_long = draft(2, [(0, 0, 3301)])
    assert starts([*first, too_long], resets=1) == (0, 0, 5900)


def test_a_piece_lends_a_qubit_between_two_of_its_segments() -> None:
    # Program 0 resets qubit 1 by itself at 4000; one more round is wanted because somebody else was there.
    lender = draft(0, [(0, 0, 6000), (1, 0, 100), (1, 4000, 6000, 1)])
    plan = plan_of([lender, draft(1, [(1, 0, 700)])], resets=2, policy=AsGiven())
    assert plan.starts_dt == (0, 100 + 2 * RESET)
    too_long = draft(1, [(1, 0, 4000 - RESET - 100 - 2 * RESET + 1)])
    assert starts([lender, too_long], resets=2) == (0, 6000 + 2 * RESET)


@pytest.mark.parametrize(
    ("weights", "expected"), [(None, (0, 1800, 900)), ((1.0, 3.0), (900, 1800, 0)), ((3.0, 1.0), (0, 900, 1800))]
)
def test_round_robin_goes_by_turns_and_weights(weights: tuple[float, ...] | None, expected: tuple[int, ...]) -> None:
    drafts = [draft(0, [(0, 0, 100)]), draft(0, [(0, 0, 100)]), draft(1, [(0, 0, 100)])]
    plan = plan_of(drafts, resets=1, weights=weights, policy=POLICIES["round_robin"])
    assert (plan.policy, plan.starts_dt) == ("round_robin", expected)


def test_a_buffer_parts_programs_in_time() -> None:
    drafts = [draft(0, [(0, 0, 100)]), draft(1, [(1, 0, 50)]), draft(2, [(3, 0, 70)])]
    assert starts(drafts, buffer=0) == (0, 0, 0)
    assert starts(drafts, buffer=1) == (0, 100, 0)
    assert starts(drafts, buffer=2) == (0, 100, 0)  # before program 1, which is near it


def test_a_buffer_lets_a_program_be_next_to_itself_and_nobody_next_to_strangers() -> None:
    assert starts([draft(0, [(0, 0, 100)]), draft(0, [(1, 0, 100)])], buffer=1) == (0, 0)
    assert starts([draft(-1, [(0, 0, 100)]), draft(-1, [(1, 0, 100)])], buffer=1) == (0, 100)


def test_with_a_buffer_a_scrub_counts_as_activity() -> None:
    drafts = [draft(0, [(0, 0, 100)]), draft(1, [(1, 0, 50)])]
    assert starts(drafts, buffer=1, scrub=True) == (0, 140)


def test_starts_are_aligned() -> None:
    drafts = [draft(0, [(0, 0, 100)]), draft(1, [(0, 0, 50)])]
    assert starts(drafts, resets=1, target={"pulse_alignment": 48}) == (0, 960)


def test_nothing_to_do() -> None:
    plan = plan_of([])
    assert (plan.drafts, plan.starts_dt, plan.waits_dt) == ((), (), ())


class TestFloor:
    """Who comes second on a qubit pays for its resets; on this device one round fails with 1 %."""

    ONE_ROUND = math.log1p(-0.5 * 0.02)

    def test_nobody_falls_below_the_floor_because_others_went_first(self) -> None:
        # Program 1 cannot afford a hand-over. As given it is first.
        drafts = [draft(1, [(0, 0, 100)]), draft(0, [(0, 0, 100)])]
        metadata = {
            "placement": {"pieces": [{"programs": [1], "success_alone": 1.0}, {"programs": [0], "success_alone": 1.0}]}
        }
        swap = InOrder([1, 0])
        floor = math.exp(self.ONE_ROUND) - 1e-6
        assert plan_of(drafts, policy=swap, metadata=metadata, resets=1, success_floor=floor).starts_dt == (900, 0)
        # Each could be put first, not both: as given.
        plan = plan_of(drafts, policy=swap, metadata=metadata, resets=1, success_floor=1.0)
        assert plan.starts_dt == (0, 900)

    def test_where_nothing_helps_all_runs_as_given(self) -> None:
        # Program k must be before program k + 1 on a qubit: putting them right one by one takes too many steps. Each is
        # one tick too long for the hole before the one before it.
        starts, lengths = [0], [100]
        for k in range(6):
            starts.append(starts[k] + lengths[k] + RESET)
            lengths.append(starts[k] + lengths[k] + 1)
        drafts = [draft(k, [(k, 0, length), (k + 1, 0, length)]) for k, length in enumerate(lengths)]
        metadata = {"placement": {"pieces": [{"programs": [k], "success_alone": 1.0} for k in range(7)]}}
        backwards = InOrder(range(7)[::-1])
        plan = plan_of(drafts, 8, policy=backwards, metadata=metadata, resets=1, success_floor=1.0)
        assert plan.starts_dt == tuple(starts)
        assert plan_of(drafts, 8, policy=backwards, resets=1, success_floor=0.0).starts_dt[-1] == 0

    def test_what_the_place_costs_is_not_a_matter_of_timing(self) -> None:
        drafts = [draft(0, [(0, 0, 100)], log_success=-5.0), draft(1, [(0, 0, 100)], log_success=-5.0)]
        metadata = {"placement": {"pieces": [{"programs": [k], "success_alone": 1.0} for k in (0, 1)]}}
        assert plan_of(drafts, policy=AsGiven(), metadata=metadata, resets=1).starts_dt == (0, 900)


class TestWeights:
    DRAFTS = (draft(0, [(0, 0, 100)]), draft(0, [(0, 0, 100)]), draft(1, [(0, 0, 100)]), draft(-1, [(0, 0, 100)]))

    def test_one_number_a_program(self) -> None:
        with pytest.raises(HaloTranspilerError, match="weights gives 1 numbers for 2 programs; give one a program"):
            plan_of(self.DRAFTS, weights=(1.0,))
        with pytest.raises(HaloTranspilerError, match="weights gives 2 numbers for 3 programs"):
            plan_of(self.DRAFTS, weights=(1.0, 2.0), metadata={"programs": [{}, {}, {}]})

    def test_policies_see_them(self) -> None:
        seen: list[float] = []

        class Look(AsGiven):
            def choose(self, turns: Sequence[Turn], attempt: Attempt) -> Trial:
                seen.extend(turn.weight for turn in turns)
                return super().choose(turns, attempt)

        plan_of(self.DRAFTS, policy=Look(), weights=(3.0, 2.0))
        assert seen == [3.0, 3.0, 2.0, 2.0]


class TestRulesOfPolicies:
    DRAFTS = (draft(0, [(0, 0, 100)]), draft(1, [(0, 0, 100)]))

    @pytest.mark.parametrize(
        ("order", "message"),
        [
            ([0], "the order of a policy has 1 of 2 turns"),
            ([0, 0], "turn 0 where it cannot be; give each of the 2 turns once"),
            ([0, 2], "turn 2 where it cannot be"),
            ([-1, 0], "turn -1 where it cannot be"),
        ],
    )
    def test_an_order_has_every_turn_once(self, order: list[int], message: str) -> None:
        with pytest.raises(HaloTranspilerError, match=message):
            plan_of(self.DRAFTS, policy=InOrder(order))

    def test_a_trial_must_have_been_made(self) -> None:
        class Forger(AsGiven):
            name = "forger"

            def choose(self, turns: Sequence[Turn], attempt: Attempt) -> Trial:
                import dataclasses

                return dataclasses.replace(attempt([0, 1]), starts_dt=(0, 0))

        with pytest.raises(HaloTranspilerError, match=r"policy 'forger' must return a trial that attempt\(\) has made"):
            plan_of(self.DRAFTS, policy=Forger())
