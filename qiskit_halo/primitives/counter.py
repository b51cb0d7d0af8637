"""How far a simulation is."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[int, int], None]
"""Called with (components done, components in all)."""


class Counter:
    """Counts finished components for the caller's progress bar."""

    def __init__(self, report: Progress | None, total: int) -> None:
        self._report, self._total, self._done = report, total, 0

    def step(self) -> None:
        """Count one more, and tell whoever asked."""
        self._done += 1
        if self._report is not None:
            self._report(self._done, self._total)
