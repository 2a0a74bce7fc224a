"""How far a measurement of sample complexity has come, on standard error if that is a terminal."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

__all__ = ["show"]


@contextmanager
def show(most_trials: int) -> Iterator[Callable[[int, int, int], None] | None]:
    """A bar while it is open; what it yields is the `progress` of `sample_complexity`.

    Parameters
    ----------
    most_trials : int
        Of one n: the length of the bar.
    """
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(file=sys.stderr), transient=True) as bar:
        task = bar.add_task("", total=most_trials)

        def reached(n: int, trials: int, still_open: int) -> None:
            told = f"n = {n}, {still_open} accuracies open"
            bar.update(task, completed=trials, description=told)

        yield reached
