"""Writes a report in the format that the name of the file asks for."""

from collections.abc import Sequence
from pathlib import Path

from rltheory.claims.verdict import Verdict
from rltheory.report.answer import Answer
from rltheory.report.markdown import write_markdown
from rltheory.report.page import write_page
from rltheory.report.verdicts import Run

__all__ = ["ENDINGS", "write_report"]

_WRITERS = {".html": write_page, ".md": write_markdown}
ENDINGS = tuple(_WRITERS)
"""Names of reports end in one of these."""


def write_report(
    path: Path, verdicts: Sequence[Verdict], answers: Sequence[Answer], run: Run
) -> None:
    """Write a report of verdicts and solved models to a file that ends in one of `ENDINGS`."""
    _WRITERS[path.suffix](path, verdicts, answers, run)
