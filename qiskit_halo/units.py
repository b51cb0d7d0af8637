"""Seconds and device ticks: the only place that converts one to the other.

Seconds are ``float`` and end in ``_s``; ticks of the device's clock are ``int`` and end in ``_dt``.
"""

from __future__ import annotations

import math

SECONDS_PER = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9, "ps": 1e-12}


def seconds_to_dt(duration_s: float, dt_s: float) -> int:
    """Return ``duration_s`` in ticks of ``dt_s`` seconds, to the nearest tick.

    Qiskit rounds the durations of a target in the same way, so that its analysis of a scheduled circuit
    finds the start times that we planned.
    """
    return round(duration_s / dt_s)


def ticks_within(duration_s: float, dt_s: float) -> int:
    """Return how many whole ticks of ``dt_s`` seconds fit into ``duration_s``.

    Examples:
        >>> ticks_within(4e-6, 1e-9), 4e-6 / 1e-9 < 4000
        (4000, True)
    """
    # A bound that a user gives as a whole number of ticks must not lose one to rounding.
    return math.floor(duration_s / dt_s + 1e-6)


def round_up(tick: int, alignment: int) -> int:
    """Return the first multiple of ``alignment`` that is not before ``tick``."""
    return -(-tick // alignment) * alignment


def round_down(tick: int, alignment: int) -> int:
    """Return the last multiple of ``alignment`` that is not after ``tick``."""
    return tick // alignment * alignment
