from __future__ import annotations

from collections.abc import Sequence

from qiskit_halo.device.model import DeviceModel
from qiskit_halo.options import HaloOptions
from qiskit_halo.timeline.arbitrate import Plan, arbitrate
from qiskit_halo.timeline.desk import Desk
from qiskit_halo.timeline.drafts import Draft
from qiskit_halo.timeline.policies import POLICIES, Policy, Trial
from qiskit_halo.timeline.resets import HandOverTimes
from tests.draft_samples import draft
from tests.policies import AsGiven
from tests.targets import make_target

POLICY_NAMES = ["auto", "packed", "round_robin"]


def desk(drafts: Sequence[Draft], *, metadata: dict[str, object] | None = None, **options: object) -> Desk:
    device = DeviceModel(make_target(4))
    chosen = HaloOptions(resets=1, **options)  # type: ignore[arg-type]
    return Desk(drafts, device, chosen, HandOverTimes(device, chosen), exact=True, metadata=metadata or {})


def trial(drafts: Sequence[Draft], policy: str, **keywords: object) -> Trial:
    table = desk(drafts, **keywords)  # type: ignore[arg-type]
    return POLICIES[policy].choose(table.turns, table.attempt)  # type: ignore[index]


def plan(drafts: Sequence[Draft], policy: Policy | None = None, **options: object) -> Plan:
    device = DeviceModel(make_target(4))
    chosen = HaloOptions(resets=1, **options)  # type: ignore[arg-type]
    return arbitrate(drafts, device, chosen, HandOverTimes(device, chosen), policy=policy)


def test_the_named_policies() -> None:
    assert {name: policy.name for name, policy in POLICIES.items()} == {name: name for name in POLICY_NAMES}


def test_packed_and_auto_beat_the_order_given() -> None:
    drafts = [
        draft(0, [(0, 0, 100)]),
        draft(1, [(0, 0, 3000), (1, 0, 100)]),
        draft(2, [(1, 0, 3000), (2, 0, 100)]),
        draft(3, [(2, 0, 3000)]),
    ]
    # As given program 2 waits for program 1 on qubit 1, and program 3 for program 2 on qubit 2.
    assert desk(drafts).given.makespan_dt == 900 + 900 + 900 + 3000
    for policy in ("packed", "auto"):
        assert trial(drafts, policy).makespan_dt == 900 + 900 + 3000


def test_round_robin_is_fair_where_packed_is_fast() -> None:
    # Program 0 has two pieces before program 1 in the order given; the second is long.
    drafts = [draft(0, [(0, 0, 100)]), draft(0, [(0, 0, 9000)]), draft(1, [(0, 0, 100)])]
    assert trial(drafts, "round_robin").starts_dt == (0, 1800, 900)


def test_auto_prefers_early_ends_where_nothing_else_differs() -> None:
    drafts = [draft(0, [(0, 0, 9000)]), draft(1, [(0, 0, 100)]), draft(2, [(0, 0, 100)])]
    found = trial(drafts, "auto")
    assert found.makespan_dt == 9000 + 100 + 100 + 1600
    assert found.weighted_end_dt <= desk(drafts).given.weighted_end_dt


def test_a_search_stops_at_what_cannot_be_beaten() -> None:
    table = desk([draft(0, [(0, 0, 100)]), draft(1, [(1, 0, 900)])])
    calls: list[bool] = []

    def attempt(order: Sequence[int], may_wait: bool = True) -> Trial:
        calls.append(may_wait)
        return table.attempt(order, may_wait)

    assert POLICIES["packed"].choose(table.turns, attempt).makespan_dt == 900
    assert calls == [False]


def test_the_horizon_comes_before_the_makespan() -> None:
    drafts = [draft(0, [(0, 0, 4000)]), draft(1, [(0, 0, 100)]), draft(2, [(0, 0, 200)])]
    # Whoever goes last, the makespan is the same; with the long piece last only one program is late.
    assert desk(drafts, max_duration_s=4e-6).given.num_late == 2
    assert trial(drafts, "auto", max_duration_s=4e-6).num_late <= 2
    assert trial(drafts, "round_robin", max_duration_s=4e-6).num_late == 2


def test_without_a_budget_the_turns_of_a_piece_are_one() -> None:
    # Qubit 0 is the program's own; helper 1 comes twice.
    drafts = [draft(0, [(0, 0, 4200), (1, 0, 100), (1, 4000, 4100, 1)]), draft(1, [(1, 0, 3400)])]
    assert [turn.position for turn in desk(drafts).turns] == [0, 0]
    assert [turn.position for turn in desk(drafts, max_wait_s=1.0).turns] == [0, 1, 0]
    assert not trial(drafts, "packed", max_wait_s=1.0).may_wait


def test_a_policy_of_ones_own_is_used_and_named() -> None:
    class ShortestFirst(AsGiven):
        name = "shortest first"

        def choose(self, turns, attempt):  # type: ignore[no-untyped-def]
            return attempt(sorted(range(len(turns)), key=lambda i: turns[i].length_dt))

    found = plan([draft(0, [(0, 0, 900)]), draft(1, [(0, 0, 100)])], ShortestFirst())
    assert (found.policy, found.starts_dt) == ("shortest first", (900, 0))
