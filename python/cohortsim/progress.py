"""A progress bar on standard error."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from cohortsim.running import Report, Step


@contextmanager
def bar() -> Iterator[Report]:
    """Yield a function that shows how far the run is."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        TextColumn("{task.percentage:>3.0f} %"),
        TextColumn("{task.fields[rate]}"),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as shown:
        task = shown.add_task("simulating", total=None, rate="")

        def report(step: Step) -> None:
            speed = step.person_months / step.seconds / 1e6 if step.seconds > 0 else 0.0
            shown.update(
                task, completed=step.done, total=step.people, rate=f"{speed:.1f} M person-months/s"
            )

        yield report
