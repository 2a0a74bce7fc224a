"""Verdicts and solved models as one HTML page that needs nothing else.

No script, no font, no file beside it: the page can be mailed, printed, and read on a phone. The
template and the style are ``page.html`` and ``page.css`` beside this file. Equal runs give equal
pages, timings apart.
"""

from collections.abc import Sequence
from html import escape
from pathlib import Path

from rltheory.claims.claim import Claim
from rltheory.claims.verdict import Verdict
from rltheory.report import terminal
from rltheory.report.answer import Answer
from rltheory.report.grid_svg import grid_svg
from rltheory.report.html import definitions, filled, section, status, table
from rltheory.report.prose import inline, paragraphs
from rltheory.report.sharpness import sharpness
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

__all__ = ["page", "write_page"]


def write_page(
    path: Path,
    verdicts: Sequence[Verdict],
    answers: Sequence[Answer] = (),
    run: Run = Run(),  # noqa: B008  (frozen)
) -> None:
    """Write the page of some verdicts and solved models.

    Parameters
    ----------
    path : Path
    verdicts : sequence of Verdict
    answers : sequence of Answer
    run : Run
        What was asked for; claims that are not in it are shown without their statement.
    """
    path.write_text(page(verdicts, answers, run), encoding="utf-8")


def page(verdicts: Sequence[Verdict], answers: Sequence[Answer] = (), run: Run = Run()) -> str:  # noqa: B008
    """The page as a text."""
    sections = []
    if verdicts or run.claims:
        sections += [
            section("Verdicts", table(COLUMNS, map(cells, verdicts), NUMBERS, linked=True)),
            section("How sharp the tests were", sharpness(verdicts)),
            section("How to read this", _reading()),
            section("Claims", "\n".join(_claim(v, run.claims.get(v.id)) for v in verdicts)),
        ]
    if answers:
        title = "Solved models" if sections else ""
        sections.append(section(title, _answers(answers)))
    summary = ""
    if verdicts or run.claims:
        partial = run.partial(verdicts)
        summary = f'<p class="partial"><strong>{escape(partial)}</strong></p>' if partial else ""
        summary += f"<p>{escape(counts(verdicts))}; {escape(levels(verdicts))}.</p>"
    title = "Theorems put to the test" if verdicts or run.claims else "Solved models"
    return filled(title, run.settings(), summary, sections)


def _reading() -> str:
    parts = []
    for title, words in (
        ("Status", STATUS),
        ("Numbers", MEASURES),
        ("Arithmetic", ARITHMETIC),
        ("Coverage", COVERAGE),
    ):
        told = {term: escape(text) for term, text in words.items()}
        parts.append(f"<div><h3>{title}</h3>\n{definitions(told)}</div>")
    return '<div class="reading">\n' + "\n".join(parts) + "\n</div>"


def _claim(verdict: Verdict, claim: Claim | None) -> str:
    """All that is known about one claim."""
    name = escape(verdict.id)
    lines = [
        f'<article id="{name}">',
        f'<h3 class="claim"><code>{name}</code> <span>{inline(verdict.title)}</span> '
        f"{status(verdict.status)}</h3>",
    ]
    origin = [escape(verdict.kind)]
    if claim is not None:
        lines.append(f'<div class="statement">{paragraphs(claim.statement)}</div>')
        shape, constants = claim.provenance
        origin += [inline(claim.source), f"shape: {shape}, constants: {constants}"]
    lines.append(f'<p class="faint">{" · ".join(origin)}</p>')
    lines.append(definitions({name: escape(text) for name, text in facts(verdict).items()}))
    if verdict.status == "refuted":
        words = escape(counterexample(verdict))
        lines.append(f'<div class="counterexample">{status("refuted")} by {words}</div>')
    if verdict.mutants:
        lines.append('<ul class="mutants">')
        for m in verdict.mutants:
            told = f"Mutant <code>{escape(m.id)}</code>: {inline(m.text)}"
            lines.append(f'<li>{told}<br><span class="faint">{escape(fate(m))}</span></li>')
        lines.append("</ul>")
    return "\n".join([*lines, "</article>"])


def _answers(answers: Sequence[Answer]) -> str:
    parts = [table(terminal.COLUMNS, map(terminal.cells, answers), terminal.NUMBERS)]
    for answer in answers:
        parts.append(f"<article>\n<h3>{escape(answer.source)}</h3>")
        parts.append(f"<p>{escape(terminal.statement(answer))}</p>")
        if answer.value is not None and answer.policy is not None:
            value, policy = answer.now(answer.value), answer.now(answer.policy)
            picture = grid_svg(answer.mdp, value, policy)
            if picture:
                stage = "" if answer.horizon is None else ", stage 0"
                caption = f"Value and policy{stage}, shaded from the least value to the largest."
                parts.append(f"<figure>\n{picture}")
                parts.append(f"<figcaption>{caption}</figcaption>\n</figure>")
        parts.append("</article>")
    return "\n".join(parts)
