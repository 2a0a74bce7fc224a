"""One picture of how sharp the tests of all claims were: dots between 0 and 1, as inline SVG.

A full dot is the tightness, the largest measured / bound; a ring is the detection limit, below
which every share of the bound is refuted. Both at 1: the bound is attained, and the test would
notice any smaller one. A refuted claim has its dot beyond 1.
"""

from collections.abc import Sequence
from html import escape

from rltheory.claims.verdict import Verdict
from rltheory.report.verdicts import share

__all__ = ["sharpness"]

_TICKS = (0, 0.25, 0.5, 0.75, 1)
_BEYOND = 1.04


def sharpness(verdicts: Sequence[Verdict]) -> str:
    """A ``<figure>`` with a row for each claim that has a tightness; empty without any."""
    rows = [verdict for verdict in verdicts if verdict.tightness is not None]
    if not rows:
        return ""
    lines = [
        "<figure>",
        "<figcaption>Full dot: tightness. Ring: detection limit. Further right is sharper; "
        "a dot beyond 1 refutes its claim.</figcaption>",
        '<div class="sharpness">',
        f'<span></span><div class="track"><svg aria-hidden="true">{_axis()}</svg></div>',
    ]
    for verdict in rows:
        name = escape(verdict.id)
        words = f"tightness {share(verdict.tightness)}"
        if verdict.detection_limit is not None:
            words += f", detection limit {share(verdict.detection_limit)}"
        picture = f'<svg role="img" aria-label="{words}"><title>{name}: {words}</title>'
        lines.append(
            f'<a href="#{name}">{name}</a><div class="track">{picture}{_dots(verdict)}</svg></div>'
        )
    return "\n".join([*lines, "</div>", "</figure>"])


def _axis() -> str:
    return "".join(
        f'<text x="{_percent(tick)}" y="1em" text-anchor="middle">{tick:g}</text>'
        for tick in _TICKS
    )


def _dots(verdict: Verdict) -> str:
    assert verdict.tightness is not None
    dot, ring = min(verdict.tightness, _BEYOND), verdict.detection_limit
    over = verdict.tightness > 1
    parts = ['<line class="rail" x1="0" x2="100%" y1="50%" y2="50%"/>']
    parts += [
        f'<line class="rail" x1="{_percent(x)}" x2="{_percent(x)}" y1="25%" y2="75%"/>'
        for x in _TICKS
    ]
    if ring is not None:
        ends = f'x1="{_percent(max(0, ring))}" x2="{_percent(dot)}"'
        parts.append(f'<line class="span" {ends} y1="50%" y2="50%"/>')
        parts.append(f'<circle class="ring" cx="{_percent(max(0, ring))}" cy="50%" r="6"/>')
    parts.append(f'<circle class="dot{" over" * over}" cx="{_percent(dot)}" cy="50%" r="3.5"/>')
    if over:
        parts.append(
            f'<text x="{_percent(dot)}" dx="7" y="50%" dy=".35em">{_times(verdict)}</text>'
        )
    return "".join(parts)


def _times(verdict: Verdict) -> str:
    words = share(verdict.tightness)
    return words if len(words) <= 5 else f"{verdict.tightness:.0e}"


def _percent(x: float) -> str:
    return f"{100 * x:.2f}%"
