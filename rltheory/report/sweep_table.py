"""What a sweep found, in the terminal: a row a point, and the failures with how to repeat them."""

import itertools
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from rltheory.sweeps.points import canonical
from rltheory.sweeps.result import SweepResult

__all__ = ["show_failures", "show_summary"]

_POINTS = 30
_FAILURES = 5


def show_summary(result: SweepResult, folder: Path, every_point: bool = False) -> None:
    """Median and 10-90% range of every value at every point; a long table is cut."""
    console = Console()
    summary = result.summary
    names = sorted({name for entry in summary for name in entry.values})
    axes = list(dict.fromkeys(name for entry in summary for name in entry.point))
    table = Table(title=result.sweep.title or result.sweep.name, title_justify="left")
    for name in [*axes, "trials", *names]:
        table.add_column(name, justify="right", no_wrap=True)
    shown = summary if every_point else summary[:_POINTS]
    for entry in shown:
        trials = str(entry.done) if not entry.failed else f"{entry.done} (+{entry.failed} failed)"
        cells = [_short(entry.point.get(name)) for name in axes]
        ranges = [_range(entry.values.get(name)) for name in names]
        table.add_row(*cells, trials, *ranges)
    console.print(table)
    if len(shown) < len(summary):
        console.print(f"... and {len(summary) - len(shown)} more points (--table shows all)")
    if names:
        console.print("median [10%, 90%]", style="dim")
    missing = f"; {result.missing} are missing" if result.missing else ""
    console.print(f"{len(result)} trials are in {folder}{missing}.")


def show_failures(result: SweepResult, file: str) -> None:
    """The first failures, each with the call that repeats it."""
    if not result.failures:
        return
    console = Console()
    console.print(f"{len(result.failures)} trials failed:", style="bold red")
    for point, index, error in itertools.islice(result.failures, _FAILURES):
        text = canonical(point)
        console.print(f"  {text} seed {index}: {error}", markup=False)
        console.print(
            f"    rltheory sweep {file} --trial '{text}' {index}", style="dim", markup=False
        )
    if len(result.failures) > _FAILURES:
        console.print(f"  ... and {len(result.failures) - _FAILURES} more")


def _short(value: Any) -> str:
    if value is None:
        return "-"
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _range(quantiles: tuple[float, float, float] | None) -> str:
    if quantiles is None:
        return "-"
    low, middle, high = quantiles
    if low == high:
        return f"{middle:.4g}"
    return f"{middle:.4g} [{low:.4g}, {high:.4g}]"
