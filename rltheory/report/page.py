"""Verdicts and solved models as one HTML page that needs nothing else.

No script, no font, no file beside it: the page can be mailed, printed, and read on a phone. The
template and the style are ``page.html`` and ``page.css`` beside this file. Equal runs give equal
pages, timings apart.
"""

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from importlib.resources import files
from pathlib import Path
from string import Template

from rltheory.claims.claim import Claim
from rltheory.claims.verdict import Verdict
from rltheory.report import terminal
from rltheory.report.answer import Answer
from rltheory.report.grid_svg import grid_svg
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
            _section("Verdicts", _table(COLUMNS, map(cells, verdicts), NUMBERS, linked=True)),
            _section("How sharp the tests were", sharpness(verdicts)),
            _section("How to read this", _reading()),
            _section("Claims", "\n".join(_claim(v, run.claims.get(v.id)) for v in verdicts)),
        ]
    if answers:
        title = "Solved models" if sections else ""
        sections.append(_section(title, _answers(answers)))
    summary = ""
    if verdicts or run.claims:
        partial = run.partial(verdicts)
        summary = f'<p class="partial"><strong>{escape(partial)}</strong></p>' if partial else ""
        summary += f"<p>{escape(counts(verdicts))}; {escape(levels(verdicts))}.</p>"
    here = files("rltheory.report")
    return Template(here.joinpath("page.html").read_text(encoding="utf-8")).substitute(
        title="Theorems put to the test" if verdicts or run.claims else "Solved models",
        style=here.joinpath("page.css").read_text(encoding="utf-8").strip(),
        settings=escape(" · ".join(run.settings())),
        summary=summary,
        sections="\n".join(filter(None, sections)),
    )


def _section(title: str, body: str) -> str:
    heading = f"<h2>{title}</h2>\n" if title else ""
    return f"<section>\n{heading}{body}\n</section>" if body else ""


def _table(
    columns: Sequence[str],
    rows: Iterable[Sequence[str]],
    numbers: Sequence[str],
    linked: bool = False,
) -> str:
    """A table that a narrow screen shows as cards; `linked`: first cells name claims."""
    kinds = ["number" if name in numbers else "" for name in columns]
    # As cards: the status needs no label beside the name, a bracket all the width.
    kinds[:2] = ["name", "plain"] if linked else ["name wide", "wide"]
    head = "".join(f"<th{_class(k)}>{n}</th>" for n, k in zip(columns, kinds, strict=True))
    lines = ['<table class="cards">', f"<thead><tr>{head}</tr></thead>", "<tbody>"]
    for row in rows:
        line = []
        for name, kind, text in zip(columns, kinds, row, strict=True):
            shown = escape(text)
            if name == "status":
                shown = _status(text)
            elif linked and kind == "name":
                shown = f'<a href="#{shown}">{shown}</a>'
            line.append(f'<td{_class(kind)} data-label="{name}">{shown}</td>')
        lines.append(f"<tr>{''.join(line)}</tr>")
    return "\n".join([*lines, "</tbody>", "</table>"])


def _class(name: str) -> str:
    return f' class="{name}"' if name else ""


def _status(status: str) -> str:
    return f'<span class="status {escape(status)}">{escape(status)}</span>'


def _list(items: Mapping[str, str]) -> str:
    """Terms and what belongs to them, the latter as HTML."""
    lines = [f"<dt>{escape(term)}</dt><dd>{text}</dd>" for term, text in items.items() if text]
    return "\n".join(["<dl>", *lines, "</dl>"])


def _reading() -> str:
    parts = []
    for title, words in (
        ("Status", STATUS),
        ("Numbers", MEASURES),
        ("Arithmetic", ARITHMETIC),
        ("Coverage", COVERAGE),
    ):
        told = {term: escape(text) for term, text in words.items()}
        parts.append(f"<div><h3>{title}</h3>\n{_list(told)}</div>")
    return '<div class="reading">\n' + "\n".join(parts) + "\n</div>"


def _claim(verdict: Verdict, claim: Claim | None) -> str:
    """All that is known about one claim."""
    name = escape(verdict.id)
    lines = [
        f'<article id="{name}">',
        f'<h3 class="claim"><code>{name}</code> <span>{inline(verdict.title)}</span> '
        f"{_status(verdict.status)}</h3>",
    ]
    origin = [escape(verdict.kind)]
    if claim is not None:
        lines.append(f'<div class="statement">{paragraphs(claim.statement)}</div>')
        shape, constants = claim.provenance
        origin += [inline(claim.source), f"shape: {shape}, constants: {constants}"]
    lines.append(f'<p class="faint">{" · ".join(origin)}</p>')
    lines.append(_list({name: escape(text) for name, text in facts(verdict).items()}))
    if verdict.status == "refuted":
        words = escape(counterexample(verdict))
        lines.append(f'<div class="counterexample">{_status("refuted")} by {words}</div>')
    if verdict.mutants:
        lines.append('<ul class="mutants">')
        for m in verdict.mutants:
            told = f"Mutant <code>{escape(m.id)}</code>: {inline(m.text)}"
            lines.append(f'<li>{told}<br><span class="faint">{escape(fate(m))}</span></li>')
        lines.append("</ul>")
    return "\n".join([*lines, "</article>"])


def _answers(answers: Sequence[Answer]) -> str:
    parts = [_table(terminal.COLUMNS, map(terminal.cells, answers), terminal.NUMBERS)]
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
