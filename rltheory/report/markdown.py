"""Verdicts and solved models as Markdown, with the LaTeX of the statements between dollars."""

import io
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from rltheory.claims.claim import Claim
from rltheory.claims.verdict import Verdict
from rltheory.report import terminal
from rltheory.report.answer import Answer
from rltheory.report.verdicts import (
    ARITHMETIC,
    COLUMNS,
    COVERAGE,
    MEASURES,
    NUMBERS,
    STATUS,
    Run,
    cells,
    counterexample,
    counts,
    facts,
    fate,
    levels,
)

__all__ = ["markdown", "write_markdown"]


def write_markdown(
    path: Path,
    verdicts: Sequence[Verdict],
    answers: Sequence[Answer] = (),
    run: Run = Run(),  # noqa: B008  (frozen)
) -> None:
    """Write the same as `rltheory.report.page.write_page`, as Markdown."""
    path.write_text(markdown(verdicts, answers, run), encoding="utf-8")


def markdown(
    verdicts: Sequence[Verdict],
    answers: Sequence[Answer] = (),
    run: Run = Run(),  # noqa: B008
) -> str:
    """The report as a text."""
    claims = bool(verdicts or run.claims)
    blocks = ["# Theorems put to the test" if claims else "# Solved models"]
    blocks += [", ".join(run.settings())]
    if claims:
        partial = run.partial(verdicts)
        blocks += [f"**{partial}**" if partial else "", f"{counts(verdicts)}; {levels(verdicts)}."]
        blocks += ["## Verdicts", _table(COLUMNS, map(cells, verdicts), NUMBERS)]
        blocks += ["## How to read this", *_reading(), "## Claims"]
        for verdict in verdicts:
            blocks += _claim(verdict, run.claims.get(verdict.id))
    if answers:
        blocks += ["## Solved models"] if claims else []
        rows = map(terminal.cells, answers)
        blocks += [_table(terminal.COLUMNS, rows, terminal.NUMBERS), *map(_answer, answers)]
    return "\n\n".join(filter(None, blocks)) + "\n"


def _table(columns: Sequence[str], rows: Iterable[Sequence[str]], numbers: Sequence[str]) -> str:
    rule = ["---:" if name in numbers else "---" for name in columns]
    lines = [columns, rule, *([_cell(text) for text in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _reading() -> list[str]:
    groups = {"Status": STATUS, "Numbers": MEASURES, "Arithmetic": ARITHMETIC, "Coverage": COVERAGE}
    return [text for title, words in groups.items() for text in (f"{title}:", _list(words))]


def _list(items: Mapping[str, str]) -> str:
    return "\n".join(f"- {term}: {text}" for term, text in items.items() if text)


def _claim(verdict: Verdict, claim: Claim | None) -> list[str]:
    blocks = [f"### {verdict.id}: {verdict.title}"]
    told = {"status": verdict.status, "kind": verdict.kind}
    if claim is not None:
        blocks.append(claim.statement.strip())
        shape, constants = claim.provenance
        told |= {"source": claim.source, "provenance": f"shape: {shape}, constants: {constants}"}
    told |= facts(verdict)
    if verdict.status == "refuted":
        told["refuted by"] = counterexample(verdict)
    mutants = [f"- mutant `{m.id}`, {m.text}: {fate(m)}" for m in verdict.mutants]
    blocks.append("\n".join([_list(told), *mutants]))
    if verdict.counterexample is not None:
        parts = [
            f"  {json.dumps(name)}: {json.dumps(part, default=str)}"
            for name, part in verdict.counterexample.items()
        ]
        blocks.append("\n".join(["```json", "{", ",\n".join(parts), "}", "```"]))
    return blocks


def _answer(answer: Answer) -> str:
    """What is certified, and a grid world drawn with characters."""
    lines = [f"{answer.source}: {terminal.statement(answer)}"]
    drawn = terminal.drawing(answer, terminal.console(io.StringIO()))
    if drawn:
        lines += ["", "```text", *(line.plain for line in drawn[1:]), "```"]
    return "\n".join(lines)
