"""Decide when each piece runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from qiskit_halo.device.model import DeviceModel
from qiskit_halo.errors import HaloTranspilerError
from qiskit_halo.options import HaloOptions
from qiskit_halo.timeline.desk import REPAIRS, Desk
from qiskit_halo.timeline.drafts import Draft
from qiskit_halo.timeline.policies import POLICIES, Policy
from qiskit_halo.timeline.resets import HandOverTimes


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What was decided.

    Args:
        drafts: Every piece as it runs: stretched where it waits.
        starts_dt: Start of each piece.
        waits_dt: By how much each piece is longer than if it never waited.
        policy: Name of the policy.
    """

    drafts: tuple[Draft, ...]
    starts_dt: tuple[int, ...]
    waits_dt: tuple[int, ...]
    policy: str


def arbitrate(
    drafts: Sequence[Draft],
    device: DeviceModel,
    options: HaloOptions,
    times: HandOverTimes,
    *,
    exact: bool = True,
    metadata: Mapping[str, Any] | None = None,
    policy: Policy | None = None,
) -> Plan:
    """Return when each piece runs.

    No program ends below its floor of predicted success because of when it runs: where an order would do that, those
    programs go first, and if that does not help either, all pieces run as given.

    Args:
        drafts: The pieces, in the order that the layout stage or the circuit gives them.
        device: The device.
        options: How to share it.
        times: How long hand-overs take.
        exact: Whether times will be kept on the device. If not, no piece waits by plan.
        metadata: ``metadata["halo"]`` of the circuit, for what the layout stage knows of predicted success.
        policy: The user's own policy, in place of ``options.policy``.

    Raises:
        HaloTranspilerError: ``weights`` does not give one number a program, or a policy breaks the rules.
    """
    desk = Desk(drafts, device, options, times, exact=exact, metadata=metadata or {})
    chosen: Policy = POLICIES[options.policy] if policy is None else policy
    trial = chosen.choose(desk.turns, desk.attempt)
    if trial not in desk.outcomes:
        raise HaloTranspilerError(f"policy {chosen.name!r} must return a trial that attempt() has made, not {trial!r}")
    for _ in range(REPAIRS):
        if not trial.num_below_floor:
            break
        trial = desk.attempt(desk.promoted(trial), may_wait=trial.may_wait)
    if trial.num_below_floor:
        trial = desk.given
    outcome = desk.outcomes[trial]
    return Plan(
        drafts=tuple(outcome.stretched.get(index, draft) for index, draft in enumerate(drafts)),
        starts_dt=tuple(desk.start_of(index, outcome) for index in range(len(drafts))),
        waits_dt=outcome.waits_dt,
        policy=chosen.name,
    )
