"""Progress of long steps, on standard error."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import Progress, TimeElapsedColumn

Told = Callable[[str, int, int], None]
"""Told a step's name, how much of it is done, and how much there is."""


@contextmanager
def steps(title: str) -> Iterator[Told]:
    """A progress bar for as long as the block lasts."""
    columns = (*Progress.get_default_columns(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(title, total=None)

        def told(step: str, done: int, whole: int) -> None:
            bar.update(task, description=f"{title}: {step}", completed=done, total=whole)

        yield told
