"""Points of a sweep: how a grid is written, and the one text by which a point is known.

A grid is

    {"n": [10, 100], "delta": 0.1}                    every combination; a scalar is one value
    [{"n": [10, 100]}, {"n": 1000, "fast": True}]     one grid after the other
    {"rule": ["mean", {"rule": "trimmed", "cut": [0.1, 0.2]}], "n": [10, 100]}

where in the last one a value that is itself a grid puts its own parameters into the point, in
place of that axis: parameters that only some points have. The canonical text of a point is its
JSON with sorted keys and no blanks; floats are written with the fewest digits that read back.
"""

import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from rltheory.errors import SweepError

__all__ = ["canonical", "expand", "point_order"]

Point = dict[str, Any]
Grid = Mapping[str, Any] | Sequence[Any]

_SCALARS = (bool, int, float, str, type(None))


def expand(grid: Grid, where: Callable[[Point], bool] | None = None) -> list[Point]:
    """The points of a grid, in the order in which it is written.

    Parameters
    ----------
    grid : mapping or sequence of grids
    where : callable, optional
        Keeps the points for which it is true.

    Raises
    ------
    SweepError
        If a value is no number, short text, boolean or None; a point comes twice; or none is left.

    Examples
    --------
    >>> expand({"n": [1, 2], "rule": ["a", {"rule": "b", "k": 5}]})
    [{'n': 1, 'rule': 'a'}, {'n': 1, 'rule': 'b', 'k': 5}, {'n': 2, 'rule': 'a'},
    {'n': 2, 'rule': 'b', 'k': 5}]
    """
    points = [p for p in _points(grid, "grid") if where is None or where(dict(p))]
    if not points:
        raise SweepError("the grid has no points")
    seen: dict[str, Point] = {}
    for point in points:
        text = canonical(point)
        if text in seen:
            raise SweepError(f"the grid has the point {text} twice")
        seen[text] = point
    return points


def canonical(point: Mapping[str, Any]) -> str:
    """The text by which a point is known: its JSON, sorted by name.

    >>> canonical({"n": 10, "delta": 0.1})
    '{"delta":0.1,"n":10}'
    """
    return json.dumps(
        point, sort_keys=True, separators=(",", ":"), allow_nan=False, ensure_ascii=False
    )


def point_order(point: Mapping[str, Any]) -> tuple[Any, ...]:
    """A key that sorts points by their values, name after name; numbers as numbers."""
    return tuple((name, *_value_order(point[name])) for name in sorted(point))


def _value_order(value: Any) -> tuple[int, float, str]:
    if isinstance(value, bool):
        return 1, float(value), ""
    if isinstance(value, int | float):
        return 2, float(value), repr(value)
    return (0, 0.0, "") if value is None else (3, 0.0, str(value))


def _points(grid: Any, where: str) -> Iterator[Point]:
    if isinstance(grid, Mapping):
        yield from _product(list(grid.items()), where)
    elif isinstance(grid, Iterable) and not isinstance(grid, str | bytes):
        for i, part in enumerate(grid):
            yield from _points(part, f"{where}[{i}]")
    else:
        raise SweepError(
            f"{where} is {grid!r}; a grid is a mapping of names to values, or a list of grids"
        )


def _product(axes: list[tuple[Any, Any]], where: str) -> Iterator[Point]:
    if not axes:
        yield {}
        return
    (name, values), *rest = axes
    if not isinstance(name, str) or not name.isidentifier() or name in ("seed", "seeds"):
        raise SweepError(
            f"{where} has an axis {name!r}; a name is an argument of the trial, other than seed"
        )
    parts = [part for value in _values(values) for part in _parts(name, value, f"{where}.{name}")]
    for part in parts:
        for other in _product(rest, where):
            both = part.keys() & other.keys()
            if both:
                raise SweepError(f"{where} gives {sorted(both)[0]!r} twice in one point")
            yield part | other


def _values(values: Any) -> list[Any]:
    if isinstance(values, np.ndarray):
        return list(values.tolist()) if values.ndim else [values.item()]
    if isinstance(values, str | bytes | Mapping) or not isinstance(values, Iterable):
        return [values]
    return list(values)


def _parts(name: str, value: Any, where: str) -> list[Point]:
    if isinstance(value, Mapping):
        return list(_points(value, where))
    plain = value.item() if isinstance(value, np.generic) else value
    if not isinstance(plain, _SCALARS):
        raise SweepError(
            f"{where} has the value {value!r}; it must be a number, text, a boolean, None or a grid"
        )
    if isinstance(plain, float) and not math.isfinite(plain):
        raise SweepError(f"{where} has the value {plain!r}; it must be finite")
    return [{name: plain}]
