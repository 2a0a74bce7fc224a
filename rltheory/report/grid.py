"""Draw value and policy of a grid world with characters.

Two panels, side by side where there is room: in each cell the value, rounded for reading, and
the policy's action beside the cell's mark (S, G, H ...). Where colours can be shown, both are
shaded by the value, from dark blue (least) over green to yellow (largest).
"""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.cells import cell_len
from rich.style import Style
from rich.text import Text

from rltheory.mdp.layout import Grid

LARGEST = 30
"""Grids with more rows or columns are not drawn."""

# Dark blue, teal, green, yellow: light grows with the value, so that the shading is also right
# in grey and for readers who do not tell red from green.
_SHADES = ((68, 1, 84), (59, 82, 139), (33, 145, 140), (94, 201, 98), (253, 231, 37))
RGB = tuple[int, int, int]
_WALL = "#"
_BETWEEN = "    "


def draw(
    grid: Grid,
    value: NDArray[Any],
    policy: NDArray[np.int64],
    stays: NDArray[np.bool_],
    width: int,
    encoding: str = "utf-8",
    colour: bool = False,
) -> list[Text]:
    """Lines that show value and policy on the grid.

    Parameters
    ----------
    grid : Grid
    value : ndarray, shape (S,)
    policy : ndarray of int64, shape (S,)
    stays : ndarray of bool, shape (S,)
        States that no action leaves; they get no arrow.
    width : int
        Columns of the terminal.
    encoding : str
        Of the terminal: arrows that it cannot write become action numbers.
    colour : bool
        Whether to shade the cells.

    Returns
    -------
    list of Text
        One line that says why, if the grid is too large.
    """
    rows, columns = grid.cells.shape
    if max(rows, columns) > LARGEST:
        return [Text(f"grid of {rows} x {columns} cells not drawn: more than {LARGEST} a side")]
    floats = [float(v) for v in value]
    if not all(map(math.isfinite, floats)):
        return [Text(f"grid of {rows} x {columns} cells not drawn: a value is not finite")]
    numbers = written(floats)
    digits = max(len(number) for number in numbers)
    arrows = [_writable(arrow, str(a), encoding) for a, arrow in enumerate(grid.arrows)]
    moves = [
        _writable(grid.marks.get(s, ""), "?", encoding).rjust(mark_width(grid))
        + ("" if stays[s] else arrows[policy[s]])
        for s in range(len(value))
    ]
    widest = max(cell_len(move) for move in moves)
    shades = [_style(*each) for each in shades_of(floats)] if colour else [Style()] * len(floats)
    left = _panel(grid, numbers, shades, digits, right=True)
    right = _panel(grid, moves, shades, widest, right=False)
    value_width, policy_width = columns * (digits + 1), columns * (widest + 1)
    if value_width + len(_BETWEEN) + policy_width <= width:
        title = "value".ljust(value_width + len(_BETWEEN)) + "policy"
        lines = [a + Text(_BETWEEN) + b for a, b in zip(left, right, strict=True)]
        drawn = [Text(title), *lines]
    elif value_width <= width:
        drawn = [Text("value"), *left, Text("policy"), *right]
    elif policy_width <= width:
        note = f"value not drawn: it needs {value_width} columns, the terminal has {width}"
        drawn = [Text(note), Text("policy"), *right]
    else:
        needs = f"it needs {policy_width} columns, the terminal has {width}"
        drawn = [Text(f"grid of {rows} x {columns} cells not drawn: {needs}")]
    if not colour:  # then blanks at the end of a line are nothing
        for line in drawn:
            line.rstrip()
    return drawn


def mark_width(grid: Grid) -> int:
    """Columns that the marks take."""
    return max((cell_len(mark) for mark in grid.marks.values()), default=0)


def _panel(
    grid: Grid, texts: list[str], shades: list[Style], width: int, right: bool
) -> list[Text]:
    """One line a row; each cell has a blank before it, shaded like the cell."""
    lines = []
    for row in grid.cells.tolist():
        line = Text()
        for state in row:
            if state < 0:
                line.append(" " + _WALL * width, Style(dim=True))
                continue
            blank = " " * (width - cell_len(texts[state]))
            cell = blank + texts[state] if right else texts[state] + blank
            line.append(" " + cell, shades[state])
        lines.append(line)
    return lines


def written(values: list[float]) -> list[str]:
    """Every value with the same number of decimals: three digits of the largest."""
    top = max(map(abs, values))
    if top and not 1e-3 <= top < 1e6:
        return [f"{v + 0.0:.1e}" for v in values]  # adding 0 makes -0.0 a plain 0
    decimals = min(3, max(0, 2 - math.floor(math.log10(top)))) if top else 0
    return [f"{round(v, decimals) + 0.0:.{decimals}f}" for v in values]


def shades_of(values: list[float]) -> list[tuple[RGB, bool]]:
    """Colour of each value, and whether black letters read better on it than white ones."""
    low, high = min(values), max(values)
    # Halves, so that a span of values near the largest double does not overflow.
    span = high / 2 - low / 2
    return [_shade((v / 2 - low / 2) / span if span > 0 else 0.5) for v in values]


def _shade(x: float) -> tuple[RGB, bool]:
    """Colour of the share x in [0, 1]."""
    place = x * (len(_SHADES) - 1)
    i = min(int(place), len(_SHADES) - 2)
    red, green, blue = (
        round(a + (place - i) * (b - a)) for a, b in zip(_SHADES[i], _SHADES[i + 1], strict=True)
    )
    return (red, green, blue), 0.299 * red + 0.587 * green + 0.114 * blue > 128


def _style(rgb: RGB, dark_letters: bool) -> Style:
    letters = "black" if dark_letters else "white"
    return Style.parse(f"{letters} on rgb({rgb[0]},{rgb[1]},{rgb[2]})")


def _writable(glyph: str, otherwise: str, encoding: str) -> str:
    try:
        glyph.encode(encoding)
    except UnicodeEncodeError:
        return otherwise
    return glyph
