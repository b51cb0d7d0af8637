from __future__ import annotations

from itertools import pairwise

import pytest
from qiskit.circuit import QuantumCircuit

from benchmarks.evaluation.arrivals import BURST_SHARE, DAY_S, RATE_PER_S, day, poisson, saturated
from benchmarks.evaluation.day import Service, simulate_day
from benchmarks.evaluation.measures.time_model import CLOCKS, Clock, total_s
from benchmarks.evaluation.model import Batch, Job, SystemFailedError
from benchmarks.evaluation.queueing import Remembered, simulate, turnaround_s

CIRCUIT = QuantumCircuit(1, 1, name="one")
PROGRAMS = [("suite", CIRCUIT), ("suite", QuantumCircuit(2, 2, name="two"))]


def job(shots: int, arrival_s: float) -> Job:
    return Job("job", "suite", CIRCUIT, shots, arrival_s)


def first(most: int):
    """A system that takes the first few, for as many shots as the least of them still needs."""

    def choose(waiting):
        chosen = waiting[:most]
        return Batch(CIRCUIT, tuple(index for index, _ in chosen), min(own.shots for _, own in chosen), 0.0, 0.0)

    return choose


def test_queue_by_hand() -> None:
    # 1 ms a shot. Job 0 runs alone from 0 to 1; jobs 1 and 2 wait by then and run together, 500 shots, to 1.5; job 3 came
    # at 1.2 and runs with what is left of job 2 to 2.0; the rest of job 3 to 2.5. Job 4 comes when all is over.
    jobs = [job(1000, 0.0), job(500, 0.5), job(1000, 0.9), job(1000, 1.2), job(100, 7.0)]
    history = simulate(jobs, first(2), lambda batch: batch.shots * 1e-3)
    assert [(own.batch.members, own.start_s, own.finish_s) for own in history.served] == [
        ((0,), 0.0, 1.0),
        ((1, 2), 1.0, 1.5),
        ((2, 3), 1.5, 2.0),
        ((3,), 2.0, 2.5),
        ((4,), 7.0, 7.1),
    ]
    assert history.finish_s == {0: 1.0, 1: 1.5, 2: 2.0, 3: 2.5, 4: 7.1}
    mean, late = turnaround_s(jobs, history)
    assert mean == pytest.approx((1.0 + 1.0 + 1.1 + 1.3 + 0.1) / 5)
    assert late == pytest.approx(1.1 + 0.8 * 0.2)  # of five sorted values the 95th percentile lies at index 3.8
    assert not history.failure


@pytest.mark.parametrize(
    ("members", "shots", "reason"),
    [
        ((), 10, "a batch of 0 members and 10 shots makes no progress"),
        ((0,), 0, "a batch of 1 members and 0 shots makes no progress"),
        ((0, 0), 10, "a batch has a member twice, or one that does not wait"),
        ((1,), 10, "a batch has a member twice, or one that does not wait"),
    ],
)
def test_a_batch_that_cannot_be_is_a_failure(members, shots, reason) -> None:
    jobs = [job(10, 0.0), job(10, 5.0)]
    history = simulate(jobs, lambda waiting: Batch(CIRCUIT, members, shots, 0.0, 0.0), lambda batch: 1.0)
    assert history.failure == f"SystemFailedError: {reason}"
    assert not history.served


def test_a_system_that_gives_up_keeps_what_it_did() -> None:
    def choose(waiting):
        if len(waiting) < 2:
            raise SystemFailedError("deadlock:\nno helper is free")
        return first(1)(waiting)

    history = simulate([job(10, 0.0), job(10, 0.0)], choose, lambda batch: 1.0)
    assert history.finish_s == {0: 1.0}
    assert history.failure == "SystemFailedError: deadlock: no helper is free"


def test_a_system_is_asked_once_for_equal_queues() -> None:
    asked = []

    def choose(waiting):
        asked.append(waiting)
        return first(2)(waiting)

    remembered = Remembered(choose)
    same = [(3, job(10, 0.0)), (5, job(10, 1.0)), (6, job(20, 2.0))]
    moved = [(7, job(10, 3.0)), (8, job(10, 4.0)), (9, job(20, 5.0))]
    assert remembered(same).members == (3, 5)
    assert remembered(moved).members == (7, 8)
    assert len(asked) == 1
    assert remembered([(7, job(20, 3.0)), (8, job(10, 4.0)), (9, job(20, 5.0))]).shots == 10
    assert len(asked) == 2


def test_qpu_time_by_hand() -> None:
    clock = Clock(250e-6, 1.0)
    assert clock.batch_s(1000, 20e-6, 2e-6) == pytest.approx(1.272)
    assert total_s(clock, [(1000, 20e-6, 2e-6), (10, 0.0, 0.0)]) == pytest.approx(1.272 + 1.0025)
    assert [(own.rep_delay_s, own.overhead_s) for own in CLOCKS[:4]] == [
        (250e-6, 0.0),
        (250e-6, 1.0),
        (250e-6, 10.0),
        (50e-6, 0.0),
    ]


def test_saturated_queue() -> None:
    jobs = saturated(PROGRAMS, 50, 1)
    assert {(own.arrival_s, own.shots) for own in jobs} == {(0.0, 1000)}
    assert len({own.name for own in jobs}) == 50
    assert {own.circuit.name for own in jobs} == {"one", "two"}
    assert saturated(PROGRAMS, 50, 1) == jobs != saturated(PROGRAMS, 50, 2)


def test_poisson_arrivals() -> None:
    assert poisson(PROGRAMS, 40, 3) == poisson(PROGRAMS, 40, 3) != poisson(PROGRAMS, 40, 4)
    draws = [poisson(PROGRAMS, 40, seed) for seed in range(200)]
    total = sum(len(jobs) - 1 for jobs in draws)
    mean = 200 * 40 * RATE_PER_S
    assert abs(total - mean) < 6.2 * mean**0.5  # a Poisson count, false alarm below 1e-9
    for jobs in draws:
        times = [own.arrival_s for own in jobs]
        assert times == sorted(times)
        assert times[0] == 0.0
        assert times[-1] < 40


def test_spread_shots() -> None:
    shots = [own.shots for seed in range(20) for own in poisson(PROGRAMS, 80, seed, spread_shots=True)]
    assert min(shots) >= 100
    assert max(shots) <= 10_000
    below = sum(number < 1000 for number in shots) / len(shots)  # half of a logarithmic scale
    assert abs(below - 0.5) < 3.2 / len(shots) ** 0.5


def test_day() -> None:
    times = day(10_000, 0)
    assert len(times) == 10_000
    assert times == sorted(times) == day(10_000, 0) != day(10_000, 1)
    assert times[0] >= 0
    assert times[-1] <= DAY_S
    afternoon = sum(DAY_S * 0.5 <= moment < DAY_S * 0.75 for moment in times)
    night = sum(moment < DAY_S * 0.25 for moment in times)
    # Quarters around the peak and the trough of 1 + 0.8 sin: 1/4 +- 0.8 sqrt(2) / (2 pi) of all.
    assert afternoon / 10_000 == pytest.approx(0.25 + 0.18, abs=0.05)
    assert night / 10_000 == pytest.approx(0.25 - 0.18, abs=0.05)
    close = sum(b - a < 60 for a, b in pairwise(times))
    assert close > 10_000 * 9 * BURST_SHARE / (1 + 9 * BURST_SHARE)


def test_day_by_hand() -> None:
    points = [
        {"waiting": 1, "members": 1, "makespan_s": 8e-6, "reset_s": 2e-6},
        {"waiting": 1, "members": 1, "makespan_s": 18e-6, "reset_s": 2e-6},
        {"waiting": 3, "members": 3, "makespan_s": 28e-6, "reset_s": 2e-6},
    ]
    service = Service.from_points(points)
    assert service.serve(1) == (1, pytest.approx(15e-6))
    assert service.serve(2) == (2, pytest.approx(22.5e-6))
    assert service.serve(50) == (3, pytest.approx(30e-6))
    # 1000 shots: the first job takes 1.015 s; three then wait and take 1.030 s; the last comes at 9.
    found = simulate_day([0.0, 0.5, 0.6, 1.0, 9.0], service, Clock(1e-3))
    assert found["batches"] == 3
    assert found["device_busy_s"] == pytest.approx(1.015 + 1.030 + 1.015)
    assert found["turnaround_mean_s"] == pytest.approx((1.015 + 1.545 + 1.445 + 1.045 + 1.015) / 5)
    assert found["last_finish_s"] == pytest.approx(10.015)
    assert simulate_day([0.0, 0.0, 0.0], service, Clock(1e-3))["batches"] == 1
