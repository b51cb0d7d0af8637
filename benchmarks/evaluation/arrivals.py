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
BURST_SHARE = 0.1
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


def day(count: int, seed: int) -> list[float]:
    """Return arrival times of ``count`` jobs over a day, ascending.

    The rate is a sine around its mean, 1.8 times the mean at its peak in the afternoon and 0.2 times at night, and a
    tenth of the arrivals bring nine more jobs within a minute, as a parameter sweep does.
    """
    rng = random.Random(f"day {seed}")
    times: list[float] = []
    while len(times) < count:
        moment = rng.uniform(0, DAY_S)
        peak = math.sin(2 * math.pi * (moment / DAY_S - 0.375))  # highest at 15:00
        if rng.random() * 1.8 < 1 + 0.8 * peak:
            times.append(moment)
            if rng.random() < BURST_SHARE:
                times += [min(DAY_S, moment + rng.uniform(0, 60)) for _ in range(9)]
    return sorted(times[:count])


def _jobs(programs: Programs, times: Sequence[float], shots: Sequence[int], rng: random.Random) -> list[Job]:
    jobs = []
    for index, (moment, number) in enumerate(zip(times, shots, strict=True)):
        suite, circuit = programs[rng.randrange(len(programs))]
        jobs.append(Job(f"{index}_{circuit.name}", suite, circuit, number, moment))
    return jobs
