"""Progress bars on standard error, only where somebody watches."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, Task, TextColumn, TimeElapsedColumn
from rich.text import Text

# Takes how much is done and how much there is.
Report = Callable[[int, int], None]


class _Count(MofNCompleteColumn):
    """How much is done of how much, blank while nobody knows."""

    def render(self, task: Task) -> Text:
        return Text() if task.total is None else super().render(task)


@contextmanager
def progress_bar(console: Console, what: str) -> Iterator[Report]:
    """Show a bar named ``what`` while the block runs, and yield the function that moves it.

    Until the function is called the bar shows that work goes on, without saying how much is left.
    """
    columns = (TextColumn("{task.description}"), BarColumn(), _Count(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bars:
        bar = bars.add_task(what, total=None)

        def report(done: int, total: int) -> None:
            bars.update(bar, completed=done, total=total)

        yield report
