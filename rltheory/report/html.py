"""Parts of HTML pages that need nothing beside them: frame, sections, tables, lists of terms."""

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from importlib.resources import files
from string import Template

__all__ = ["definitions", "filled", "section", "status", "table"]


def filled(title: str, settings: Sequence[str], summary: str, sections: Iterable[str]) -> str:
    """A whole page; `summary` and `sections` are HTML, the rest is text."""
    here = files("rltheory.report")
    return Template(here.joinpath("page.html").read_text(encoding="utf-8")).substitute(
        title=escape(title),
        style=here.joinpath("page.css").read_text(encoding="utf-8").strip(),
        settings=escape(" · ".join(settings)),
        summary=summary,
        sections="\n".join(filter(None, sections)),
    )


def section(title: str, body: str) -> str:
    heading = f"<h2>{title}</h2>\n" if title else ""
    return f"<section>\n{heading}{body}\n</section>" if body else ""


def table(
    columns: Sequence[str],
    rows: Iterable[Sequence[str]],
    numbers: Sequence[str],
    linked: bool = False,
) -> str:
    """A table that a narrow screen shows as cards; `linked`: first cells name claims."""
    kinds = ["number" if name in numbers else "" for name in columns]
    # As cards: the status needs no label beside the name, a bracket all the width.
    first_two = ["name", "plain"] if linked else ["name wide", "wide"]
    kinds[:2] = first_two[: len(columns)]
    head = "".join(f"<th{class_of(k)}>{n}</th>" for n, k in zip(columns, kinds, strict=True))
    lines = ['<table class="cards">', f"<thead><tr>{head}</tr></thead>", "<tbody>"]
    for row in rows:
        line = []
        for name, kind, text in zip(columns, kinds, row, strict=True):
            shown = escape(text)
            if linked and name == "status":
                shown = status(text)
            elif linked and kind == "name":
                shown = f'<a href="#{shown}">{shown}</a>'
            line.append(f'<td{class_of(kind)} data-label="{name}">{shown}</td>')
        lines.append(f"<tr>{''.join(line)}</tr>")
    return "\n".join([*lines, "</tbody>", "</table>"])


def class_of(name: str) -> str:
    return f' class="{name}"' if name else ""


def status(status: str) -> str:
    return f'<span class="status {escape(status)}">{escape(status)}</span>'


def definitions(items: Mapping[str, str]) -> str:
    """Terms and what belongs to them, the latter as HTML."""
    lines = [f"<dt>{escape(term)}</dt><dd>{text}</dd>" for term, text in items.items() if text]
    return "\n".join(["<dl>", *lines, "</dl>"])
