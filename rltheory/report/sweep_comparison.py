"""Two runs of a sweep in the terminal: how much is the same, and a row for all that differs."""

import math
from pathlib import Path

from rich.console import Console
from rich.text import Text

from rltheory.report.sweep_table import words
from rltheory.report.terminal import print_rows
from rltheory.sweeps.compare import VERDICTS, Comparison, Difference

__all__ = ["show_comparison"]


def show_comparison(
    comparison: Comparison, folder: Path, out: Console, every_one: bool = False
) -> None:
    """Print what differs from the run in `folder` (all comparisons, if wanted)."""
    found = [*comparison.values, *comparison.laws]
    how = "trial by trial" if comparison.paired else "mean by mean (other seeds)"
    how_many = {verdict: comparison.count(verdict) for verdict in VERDICTS}
    counts = ", ".join(f"{count} {verdict}" for verdict, count in how_many.items() if count)
    out.print(Text(f"Compared with {folder}, {how}: {len(found)} comparisons, {counts}."))
    notable = ("differs", "changed", "unknown")
    shown = found if every_one else [each for each in found if each.verdict in notable]
    if shown:
        heads = ["value", "at", "there", "here", "difference", "p", "changed", "verdict"]
        numbers = ("there", "here", "p", "changed")
        print_rows(out, heads, [_cells(each) for each in shown], numbers)
        told = f"together wrong with probability {comparison.level:g} at most"
        out.print(Text(f"Intervals of differences hold one by one; verdicts are {told}."))
        for verdict in dict.fromkeys(each.verdict for each in shown):
            out.print(Text(f"  {verdict}: {VERDICTS[verdict]}"))
    if any(comparison.failures):
        there, here = comparison.failures
        out.print(Text(f"{there} trials failed there, {here} here; they are not compared."))
    for points, where in ((comparison.only_first, "there"), (comparison.only_second, "here")):
        if points:
            out.print(Text(f"{len(points)} points are only {where}, as {words(points[0])}."))


def _cells(each: Difference) -> list[str]:
    low, high = each.interval
    off = f"{each.second - each.first:+.3g} in [{low:.3g}, {high:.3g}]"
    return [
        each.name,
        words(each.point),
        *("-" if math.isnan(x) else f"{x:.6g}" for x in (each.first, each.second)),
        off if math.isfinite(high - low) else "-",
        "-" if math.isnan(each.p_value) else f"{each.p_value:.1g}",
        "-" if each.changed is None else str(each.changed),
        each.verdict,
    ]
