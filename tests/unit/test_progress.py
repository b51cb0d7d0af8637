"""The progress bar: where somebody watches, and only there."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from qiskit_halo.cli.progress import progress_bar


@pytest.mark.parametrize("watched", [True, False])
def test_a_bar_shows_only_on_a_terminal(watched: bool) -> None:
    out = io.StringIO()
    console = Console(file=out, force_terminal=watched, width=100)
    with progress_bar(console, "Simulating") as report:
        report(3, 7)
    assert ("Simulating" in out.getvalue()) is watched


def test_how_much_is_left_is_shown_once_it_is_known() -> None:
    out = io.StringIO()
    console = Console(file=out, force_terminal=True, width=100, color_system=None)
    with progress_bar(console, "Compiling"):
        pass
    assert "/?" not in out.getvalue()
    with progress_bar(console, "Simulating") as report:
        report(3, 7)
    assert "3/7" in out.getvalue()
