"""What a sweep found, in the terminal: a row a point, its laws, and how to repeat what failed."""

import shlex
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from rltheory.inference.power_law import PowerLaw
from rltheory.report.terminal import print_rows
from rltheory.sweeps.laws import FittedLaw
from rltheory.sweeps.points import Point, canonical
from rltheory.sweeps.result import SweepResult

__all__ = ["failures", "law_line", "point_table", "show_sweep", "words"]

_POINTS = 30
_FAILURES = 5
_POOR = 0.01


def show_sweep(
    result: SweepResult, folder: Path, file: str, out: Console, every_point: bool = False
) -> None:
    """Print the table (cut after 30 points unless all are wanted), the laws, the failures."""
    out.print(Text(result.sweep.title or result.sweep.name, "bold"))
    heads, rows, numbers = point_table(result)
    if rows:
        print_rows(out, heads, rows if every_point else rows[:_POINTS], numbers)
    if not every_point and len(rows) > _POINTS:
        out.print(Text(f"... and {len(rows) - _POINTS} more points; --table shows all"))
    missing = f"; {result.missing} are missing" if result.missing else ""
    out.print(Text(f"{len(result)} trials are in {folder}{missing}."))
    for fitted in result.laws:
        out.print(Text(law_line(fitted)))
    for line in _failures(result, file):
        out.print(line)


def point_table(result: SweepResult) -> tuple[list[str], list[list[str]], tuple[str, ...]]:
    """(heads, a row a point, the heads of columns of numbers)."""
    summary = result.summary
    axes = list(dict.fromkeys(name for entry in summary for name in entry.point))
    names = sorted({name for entry in summary for name in entry.values})
    rows = []
    for entry in summary:
        trials = str(entry.done) if not entry.failed else f"{entry.done} (+{entry.failed} failed)"
        cells = [_short(entry.point.get(name)) for name in axes]
        rows.append([*cells, trials, *(_range(entry.values.get(name)) for name in names)])
    heads = [*axes, "trials", *(f"{name}: median [10%, 90%]" for name in names)]
    return heads, rows, (*axes, "trials")


def law_line(fitted: FittedLaw) -> str:
    """What is said of a law: its slope with the interval, and the claimed one."""
    law, fit = fitted.law, fitted.fit
    where = words(fitted.others)
    head = f"{law.y} over {law.x}{f' at {where}' if where else ''}"
    if fit is None:
        return f"{head}: no law; {fitted.reason}"
    low, high = fit.interval
    beside = "" if law.factor is None else " beside the known factor"
    told = f"slope{beside} {fit.slope:.4g} in [{low:.4g}, {high:.4g}] at {100 * fit.confidence:g}%"
    if law.slope is not None:
        told += f"; claimed {_claim(fitted)}"
    if isinstance(fit, PowerLaw):
        told += f"; {_brackets(fit)}"
    elif fit.misfit < _POOR:
        told += f"; the points are off any such law (p = {fit.misfit:.1g})"
    return f"{head}: {told}"


def _brackets(fit: PowerLaw) -> str:
    told = f"{fit.points} brackets, {fit.censored} without an upper end"
    if fit.feasible is None:
        return f"{told}; no power law passes through all of them"
    low, high = fit.feasible
    return f"{told}; power laws through all of them have slopes in [{low:.4g}, {high:.4g}]"


def _claim(fitted: FittedLaw) -> str:
    law = fitted.law
    assert law.slope is not None and fitted.fit is not None
    low, high = fitted.fit.interval
    if law.upper:
        told = "so it is" if high <= law.slope else "not contradicted"
        return f"at most {law.slope:g}: {told if low <= law.slope else 'it is LARGER'}"
    return f"{law.slope:g}, {'in' if fitted.holds else 'NOT in'} the interval"


def _failures(result: SweepResult, file: str) -> Iterator[Text]:
    if not result.failures:
        return
    yield Text(f"{len(result.failures)} trials failed:", "bold red")
    for error, call in failures(result, file):
        yield Text(f"  {error}")
        yield Text(f"    {call}", "dim")
    if len(result.failures) > _FAILURES:
        yield Text(f"  ... and {len(result.failures) - _FAILURES} more")


def failures(result: SweepResult, file: str) -> Iterator[tuple[str, str]]:
    """(what failed and how, the command that repeats it) of the first few failures."""
    seed = f" --seed {result.seed}" if result.seed else ""
    for point, index, error in islice(result.failures, _FAILURES):
        given = shlex.quote(canonical(point))
        call = f"rltheory sweep {shlex.quote(file)} --trial {given} {index}{seed}"
        yield f"{words(point)}, seed {index}: {error}", call


def words(point: Point) -> str:
    """A point as it is told: its names with their values."""
    return ", ".join(f"{name}={_short(value)}" for name, value in point.items())


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
