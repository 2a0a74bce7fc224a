"""Two runs of a sweep in the terminal: how much is the same, and a row for all that differs."""

from pathlib import Path

from rich.console import Console
from rich.text import Text

from rltheory.report.sweep_table import words
from rltheory.report.terminal import print_rows
from rltheory.sweeps.compare import Comparison, Difference

__all__ = ["show_comparison"]


def show_comparison(
    comparison: Comparison, folder: Path, out: Console, every_one: bool = False
) -> None:
    """Print what differs from the run in `folder` (all comparisons, if wanted)."""
    found = [*comparison.values, *comparison.laws]
    how = "trial by trial" if comparison.paired else "mean by mean (other seeds)"
    counts = ", ".join(
        f"{comparison.count(verdict)} {told}"
        for verdict, told in (("same", "the same"), ("agrees", "agree"), ("differs", "differ"))
    )
    out.print(Text(f"Compared with {folder}, {how}: {len(found)} comparisons, {counts}."))
    shown = found if every_one else [each for each in found if each.verdict == "differs"]
    if shown:
        heads = ["value", "at", "there", "here", "difference", "p", "verdict"]
        print_rows(out, heads, [_cells(each) for each in shown], ("there", "here", "p"))
        told = f"together wrong with probability {comparison.level:g} at most"
        out.print(Text(f"Intervals of differences hold one by one; verdicts are {told}."))
    for points, where in ((comparison.only_first, "there"), (comparison.only_second, "here")):
        if points:
            out.print(Text(f"{len(points)} points are only {where}, as {words(points[0])}."))


def _cells(each: Difference) -> list[str]:
    low, high = each.interval
    return [
        each.name,
        words(each.point),
        f"{each.first:.6g}",
        f"{each.second:.6g}",
        f"{each.second - each.first:+.3g} in [{low:.3g}, {high:.3g}]",
        f"{each.p_value:.1g}",
        each.verdict,
    ]
