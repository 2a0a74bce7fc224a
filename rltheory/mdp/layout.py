"""How to draw a model whose states are cells of a grid."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Grid:
    """Where each state stands on a grid, and how its actions look.

    Parameters
    ----------
    cells : ndarray of int64, shape (rows, columns)
        State index of each cell; -1 where there is a wall.
    arrows : tuple of str
        One glyph per action label.
    marks : mapping of int to str
        A letter for states that deserve one (start, goal, hole).
    """

    cells: NDArray[np.int64]
    arrows: tuple[str, ...]
    marks: Mapping[int, str] = field(default_factory=dict)
