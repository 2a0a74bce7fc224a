"""Verdicts as a reader at a terminal sees them: the table, then what is not as it should be."""

from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from rltheory.claims.verdict import Verdict
from rltheory.report.terminal import print_rows
from rltheory.report.verdicts import COLUMNS, NUMBERS, Run, cells, counts, levels, sentence

__all__ = ["STYLES", "show_verdicts"]

STYLES = {
    "confirmed": "green",
    "refuted": "bold red",
    "error": "bold red",
    "toothless": "bold magenta",
    "vacuous": "yellow",
    "undecided": "yellow",
    "context": "dim",
}
"""Colours of the statuses, for terminals that have some."""

_STATUS = COLUMNS.index("status")


def show_verdicts(verdicts: Sequence[Verdict], run: Run, out: Console) -> None:
    """Print the table, a line for each verdict that is not "confirmed", and the sums."""
    rows = []
    for verdict in verdicts:
        row: list[str | Text] = list(cells(verdict))
        row[_STATUS] = Text(verdict.status, STYLES[verdict.status])
        rows.append(row)
    if rows:
        print_rows(out, COLUMNS, rows, NUMBERS, folded=("coverage",))
    for verdict in verdicts:
        if verdict.status not in ("confirmed", "context"):
            out.print(Text(sentence(verdict)))
    partial = run.partial(verdicts)
    if partial:
        out.print(Text(partial))
    out.print(Text(f"{counts(verdicts)}; {levels(verdicts)}"))
