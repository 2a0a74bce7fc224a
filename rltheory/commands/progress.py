"""How far a run has come, on standard error where that is a terminal."""

import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from rltheory.claims.verdict import STATUSES, Verdict

__all__ = ["progress"]


@contextmanager
def progress(total: int) -> Iterator[Callable[[Verdict], None] | None]:
    """Shows a bar while it is open; what it yields is to be called with each verdict."""
    if not sys.stderr.isatty():
        yield None
        return
    counts: Counter[str] = Counter()
    columns = (
        TextColumn("verifying"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.description}"),
        TimeElapsedColumn(),
    )
    console = Console(file=sys.stderr)
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("", total=total)

        def reached(verdict: Verdict) -> None:
            counts[verdict.status] += 1
            told = ", ".join(f"{counts[s]} {s}" for s in STATUSES if counts[s])
            bar.update(task, advance=1, description=told)

        yield reached
