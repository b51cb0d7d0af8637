"""Which compiled forms of one body are worth keeping."""

from __future__ import annotations

from collections.abc import Sequence

from qiskit_halo.fragments.fragment import Fragment

MAX_VARIANTS = 6
"""Forms kept of one body, at most."""

LEAST_GAIN = 1e-3
"""Differences of log success, and shares of time, that are too small to keep a form for."""

LEAST_SAVING = 0.15
"""Shares of time that are too small to keep a form for that has more two-qubit gates."""


def pareto_front(fragments: Sequence[Fragment]) -> tuple[Fragment, ...]:
    """Return the fragments that no other beats, the best predicted success first, at most ``MAX_VARIANTS``.

    One beats another if it has at least its predicted success on no more sites, takes no longer and holds its sites
    for no more time in all; differences that are too small to matter count as none, those in time sooner where it takes
    more two-qubit gates. Of equals the first counts.

    Args:
        fragments: Compiled forms of one body.
    """
    order = sorted(range(len(fragments)), key=lambda i: (-fragments[i].log_success, i))
    kept: list[Fragment] = []
    for index in order:
        if not any(_beats(other, fragments[index]) for other in kept):
            kept.append(fragments[index])
    return tuple(kept[:MAX_VARIANTS])


def _beats(first: Fragment, second: Fragment) -> bool:
    small = LEAST_SAVING if _num_two_qubit(second) > _num_two_qubit(first) else LEAST_GAIN
    return (
        first.log_success >= second.log_success - LEAST_GAIN
        and first.num_sites <= second.num_sites
        and first.timing.length_dt <= second.timing.length_dt * (1 + small)
        and first.busy_dt <= second.busy_dt * (1 + small)
    )


def _num_two_qubit(fragment: Fragment) -> int:
    return sum(times for _, _, _, times in fragment.workload.two_qubit)
