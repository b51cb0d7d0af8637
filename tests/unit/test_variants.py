from __future__ import annotations

import dataclasses

import pytest

from qiskit_halo.device.model import DeviceModel
from qiskit_halo.fragments.fragment import Fragment
from qiskit_halo.fragments.variants import LEAST_GAIN, LEAST_SAVING, MAX_VARIANTS, pareto_front
from tests.fragment_samples import bell, make_fragment
from tests.targets import make_target

DEVICE = DeviceModel(make_target(4))
BASE = make_fragment(bell(3), (0, 1, 2), DEVICE)


def form(log_success: float, **timing: object) -> Fragment:
    return dataclasses.replace(BASE, log_success=log_success, timing=dataclasses.replace(BASE.timing, **timing))


def test_a_form_that_is_worse_in_every_way_is_dropped():
    good, bad = form(-0.1, length_dt=1000), form(-0.2, length_dt=1100)
    assert pareto_front([bad, good]) == (good,)


@pytest.mark.parametrize(
    "better",
    [
        form(-0.3, length_dt=900),
        form(-0.3, busy_dt=((0, 10), (0, 10), (0, 10))),
        dataclasses.replace(make_fragment(bell(2), (0, 1), DEVICE), log_success=-0.3, timing=BASE.timing),
    ],
    ids=["shorter", "less busy", "narrower"],
)
def test_a_form_that_is_better_in_one_way_is_kept(better: Fragment):
    best = form(-0.1)
    assert pareto_front([better, best]) == (best, better)


def test_differences_too_small_to_matter_do_not_count():
    best = form(-0.1, length_dt=10_000)
    assert pareto_front([best, form(-0.2, length_dt=9_999)]) == (best,)
    assert pareto_front([form(-0.1 - LEAST_GAIN / 2, length_dt=10_000), best]) == (best,)


@pytest.mark.parametrize(("times", "length_dt", "kept"), [(1, 1900, True), (2, 1900, False), (2, 1600, True)])
def test_more_two_qubit_gates_must_save_more_time(times: int, length_dt: int, kept: bool):
    assert 1600 < 2000 / (1 + LEAST_SAVING) < 1900
    best = form(-0.1, length_dt=2000)
    pairs = tuple((name, first, second, times) for name, first, second, _ in BASE.workload.two_qubit)
    other = dataclasses.replace(
        form(-0.3, length_dt=length_dt), workload=dataclasses.replace(BASE.workload, two_qubit=pairs)
    )
    assert pareto_front([best, other]) == ((best, other) if kept else (best,))


def test_of_equal_forms_the_first_is_kept():
    first, second = dataclasses.replace(BASE, variant="a"), dataclasses.replace(BASE, variant="b")
    assert pareto_front([first, second]) == (first,)


def test_the_front_is_bounded_and_the_best_success_comes_first():
    forms = [form(-0.1 * n, length_dt=100_000 - 1_000 * n) for n in range(10)]
    assert pareto_front(forms[::-1]) == tuple(forms[:MAX_VARIANTS])


def test_busy_time():
    # All three are measured at the end; each wakes when its neighbour needs it.
    assert BASE.busy_dt == sum(stop - start for start, stop in BASE.timing.busy_dt) > 3000
