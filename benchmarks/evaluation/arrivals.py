"""When programs join the queue, which they are, and how many shots they ask for."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence

from qiskit.circuit import QuantumCircuit

from benchmarks.evaluation.model import Job

SHOTS = 1000
RATE_PER_S = 0.6
DAY_S = 86_400.0
Programs = Sequence[tuple[str, QuantumCircuit]]


def saturated(programs: Programs, count: int, seed: int) -> list[Job]:
    """Return ``count`` jobs, drawn with replacement, that all wait at time 0."""
    return _jobs(programs, [0.0] * count, [SHOTS] * count, random.Random(f"saturated {seed}"))


def poisson(programs: Programs, duration_s: float, seed: int, *, spread_shots: bool = False) -> list[Job]:
    """Return jobs that arrive at :data:`RATE_PER_S` for ``duration_s`` seconds, at least one.

    Args:
        programs: Suite and circuit of the programs to draw from.
        duration_s: Nothing arrives later.
        seed: Of arrivals, programs and shots.
        spread_shots: Shots spread evenly on a logarithmic scale from 100 to 10 000, instead of 1000 for all.
    """
    rng = random.Random(f"poisson {seed}")
    times = [0.0]
    while (moment := times[-1] + rng.expovariate(RATE_PER_S)) < duration_s:
        times.append(moment)
    shots = [round(10 ** rng.uniform(2, 4)) if spread_shots else SHOTS for _ in times]
    return _jobs(programs, times, shots, rng)


def day(num_kinds: int, count: int, seed: int) -> tuple[list[float], list[int]]:
    """Return arrival times of ``count`` jobs over a day, and which of ``num_kinds`` programs each is.

    The rate is a sine around its mean, 1.8 times the mean at its peak in the afternoon and 0.2 times at night, and a
    tenth of the jobs are the start of a burst: they bring nine more within a minute, as a parameter sweep does.
    """
    rng = random.Random(f"day {seed}")
    mean_rate = count / DAY_S
    times: list[float] = []
    # A share b of starts with 10 jobs each, and 1 - b of single ones: `count` jobs need count / (1 + 9 b) starts.
    burst = 0.1
    start_rate = mean_rate / (1 + 9 * burst)
    moment = 0.0
    while len(times) < count:
        moment += rng.expovariate(1.8 * start_rate)
        wrapped = moment % DAY_S
        if rng.random() * 1.8 < 1 + 0.8 * math.sin(2 * math.pi * (wrapped / DAY_S - 0.375)):
            times.append(wrapped)
            if rng.random() < burst:
                times += [min(DAY_S, wrapped + rng.uniform(0, 60)) for _ in range(9)]
    times = sorted(times[:count])
    return times, [rng.randrange(num_kinds) for _ in times]


def _jobs(programs: Programs, times: Sequence[float], shots: Sequence[int], rng: random.Random) -> list[Job]:
    jobs = []
    for index, (moment, number) in enumerate(zip(times, shots, strict=True)):
        suite, circuit = programs[rng.randrange(len(programs))]
        jobs.append(Job(f"{index}_{circuit.name}", suite, circuit, number, moment))
    return jobs


