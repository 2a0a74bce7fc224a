"""Draw value and policy of a grid world as SVG.

One square per cell: shaded by the value, which stands at its foot; the policy's action as an
arrow; the cell's mark (S, G, H ...) in its corner. Pointing at a cell says the same in words.
"""

import math
from html import escape
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rltheory.mdp.episodic import EpisodicMDP
from rltheory.mdp.model import MDP
from rltheory.report.grid import LARGEST, shades_of, written
from rltheory.report.terminal import unmoving

__all__ = ["grid_svg"]

_SIDE = 56
_TURN = {"↑": 0, "→": 90, "↓": 180, "←": 270}
_ARROW = "M0 9V-8M-6 -2L0 -9L6 -2"


def grid_svg(mdp: MDP | EpisodicMDP, value: NDArray[Any], policy: NDArray[np.integer[Any]]) -> str:
    """An ``<svg>`` element, to stand in a page.

    Parameters
    ----------
    mdp : MDP or EpisodicMDP
    value : ndarray of float64 or of Fraction objects, shape (S,)
        Of an episodic model, that of one stage.
    policy : ndarray of int, shape (S,)
        Likewise.

    Returns
    -------
    str
        Empty where the model is no grid world, has more than 30 cells a side, or a value is not
        finite.

    Examples
    --------
    >>> import rltheory as rlt
    >>> mdp = rlt.gridworld(rows=2, columns=2, discount=0.5)
    >>> solution = rlt.solve(mdp)
    >>> grid_svg(mdp, solution.value, solution.policy)[:16]
    '<svg class="grid'
    """
    grid = mdp.layout
    floats = [float(x) for x in value]
    if grid is None or max(grid.cells.shape) > LARGEST or not all(map(math.isfinite, floats)):
        return ""
    numbers, shades, stays = written(floats), shades_of(floats), unmoving(mdp)
    rows, columns = grid.cells.shape
    size = f'viewBox="0 0 {columns * _SIDE} {rows * _SIDE}" style="max-width:{columns * _SIDE}px"'
    label = f"value and policy on a grid of {rows} by {columns} cells"
    lines = [f'<svg class="grid" {size} role="img" aria-label="{label}">']
    for i, row in enumerate(grid.cells.tolist()):
        for j, state in enumerate(row):
            box = f'x="{j * _SIDE}" y="{i * _SIDE}" width="{_SIDE}" height="{_SIDE}"'
            if state < 0:
                lines.append(f'<rect class="wall" {box}/>')
                continue
            arrow = "" if stays[state] else grid.arrows[policy[state]]
            mark = grid.marks.get(state, "")
            (red, green, blue), dark = shades[state]
            words = " ".join(filter(None, (mark, f"state {state}: value {numbers[state]}", arrow)))
            ink = "#000" if dark else "#fff"
            lines += [
                f'<g fill="{ink}" stroke="none"><title>{escape(words)}</title>',
                f'<rect {box} fill="rgb({red},{green},{blue})"/>',
                *_inside(j * _SIDE, i * _SIDE, numbers[state], arrow, mark, ink),
                "</g>",
            ]
    return "\n".join([*lines, "</svg>"])


def _inside(x: int, y: int, number: str, arrow: str, mark: str, ink: str) -> list[str]:
    """Mark, arrow and value of the cell whose corner is at (x, y)."""
    half = _SIDE // 2
    out = [f'<text x="{x + half}" y="{y + 49}" text-anchor="middle">{number}</text>']
    if mark:
        out.append(f'<text class="mark" x="{x + 5}" y="{y + 15}">{escape(mark)}</text>')
    if arrow in _TURN:
        place = f'transform="translate({x + half} {y + 22}) rotate({_TURN[arrow]})"'
        line = f'fill="none" stroke="{ink}" stroke-width="2.5" stroke-linecap="round"'
        out.append(f'<path d="{_ARROW}" {place} {line}/>')
    elif arrow:
        words = f'x="{x + half}" y="{y + 29}" text-anchor="middle"'
        out.append(f'<text class="arrow" {words}>{escape(arrow)}</text>')
    return out
