"""A sweep as one HTML page that needs nothing else: its laws and figures, its points, its failures.

The same trials give the same page under one version of matplotlib; without it the page has no
figures.
"""

import base64
import io
import re
from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import Any

from rltheory.errors import SweepError
from rltheory.report.html import filled, section, table
from rltheory.report.sweep_table import failures, law_line, point_table
from rltheory.sweeps.figure import figures
from rltheory.sweeps.laws import Law
from rltheory.sweeps.result import SweepResult

__all__ = ["sweep_page", "write_sweep_page"]


def write_sweep_page(result: SweepResult, path: str | Path, file: str) -> None:
    """Write the page of a sweep.

    Parameters
    ----------
    result : SweepResult
    path : path
    file : str
        The experiment's file, for the commands that repeat trials.

    Raises
    ------
    SweepError
        If the page cannot be written.
    """
    try:
        Path(path).write_text(sweep_page(result, file), encoding="utf-8")
    except OSError as fault:
        raise SweepError(f"{path}: {fault.strerror or fault}") from None


def sweep_page(result: SweepResult, file: str) -> str:
    """The page as a text."""
    heads, rows, numbers = point_table(result)
    sections = [
        section("", _prose(_description(result.sweep.trial))),
        section("Laws", _laws(result)),
        section("Points", table(heads, rows, numbers) if rows else ""),
        section("Trials that failed", _failures(result, file)),
    ]
    missing = f"; {result.missing} are missing" if result.missing else ""
    summary = f"<p>{len(result)} trials at {len(result.groups)} points{missing}.</p>"
    title = result.sweep.title or result.sweep.name
    return filled(title, [Path(file).name, f"code {result.code}"], summary, sections)


def _laws(result: SweepResult) -> str:
    pictures = _pictures(result)
    parts = []
    for law in result.sweep.laws:
        told = [law_line(fitted) for fitted in result.laws if fitted.law is law]
        lines = "".join(f"<li>{escape(line)}</li>" for line in told)
        if id(law) in pictures:
            name = f"{law.y} over {law.x}"
            parts.append(f'<figure><img alt="{escape(name)}" src="{pictures[id(law)]}"></figure>')
        parts.append(f"<ul>{lines}</ul>")
    return "\n".join(parts)


def _pictures(result: SweepResult) -> dict[int, str]:
    """The figures of the laws as addresses of images, by the laws' identities."""
    try:
        drawn: Iterator[tuple[Law, Any]] = figures(result)
        return {id(law): _image(figure) for law, figure in drawn}
    except SweepError:
        return {}


def _image(figure: Any) -> str:
    picture = io.BytesIO()
    figure.savefig(picture, format="svg", metadata={"Date": None})
    return f"data:image/svg+xml;base64,{base64.b64encode(picture.getvalue()).decode()}"


def _failures(result: SweepResult, file: str) -> str:
    lines = [
        f"<li>{escape(error)}<br><code>{escape(call)}</code></li>"
        for error, call in failures(result, file)
    ]
    count = f"<p>{len(result.failures)} trials failed; the first are:</p>"
    return f"{count}\n<ul>{''.join(lines)}</ul>" if lines else ""


def _description(trial: Any) -> str:
    """What the experiment's file says of itself."""
    return str(getattr(trial, "__globals__", {}).get("__doc__") or "")


def _prose(text: str) -> str:
    """Paragraphs, and indented ones as they stand."""
    parts = [part for part in re.split(r"\n\s*\n", text.strip("\n")) if part.strip()]
    return "\n".join(
        f"<pre>{escape(part)}</pre>" if part.startswith("    ") else f"<p>{escape(part)}</p>"
        for part in parts
    )
