"""Grids and the text of a point."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rltheory.errors import SweepError
from rltheory.sweeps.points import canonical, expand, point_order

SCALARS = st.one_of(
    st.integers(-(10**20), 10**20),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(alphabet="aA1 _é", max_size=5),
    st.booleans(),
    st.none(),
)


def test_a_mapping_is_every_combination() -> None:
    assert expand({"n": [1, 2], "p": (0.5, 0.1), "fast": True}) == [
        {"n": n, "p": p, "fast": True} for n in (1, 2) for p in (0.5, 0.1)
    ]


def test_a_list_is_one_grid_after_the_other() -> None:
    assert expand([{"n": range(2)}, {"n": 7, "k": 1}]) == [{"n": 0}, {"n": 1}, {"n": 7, "k": 1}]


def test_a_value_that_is_a_grid_brings_its_own_parameters() -> None:
    grid = {"rule": ["mean", {"rule": "trimmed", "cut": [0.1, 0.2]}], "n": [10, 20]}
    assert expand(grid) == [
        {"rule": "mean", "n": 10},
        {"rule": "mean", "n": 20},
        {"rule": "trimmed", "cut": 0.1, "n": 10},
        {"rule": "trimmed", "cut": 0.1, "n": 20},
        {"rule": "trimmed", "cut": 0.2, "n": 10},
        {"rule": "trimmed", "cut": 0.2, "n": 20},
    ]


def test_where_keeps_points() -> None:
    grid = {"n": [1, 2, 3], "k": [1, 2, 3]}
    assert len(expand(grid, where=lambda point: point["k"] <= point["n"])) == 6


def test_numpy_values_become_plain() -> None:
    points = expand({"n": np.arange(2), "x": np.float32(0.5)})
    assert [type(v) for p in points for v in p.values()] == [int, float, int, float]


@pytest.mark.parametrize(
    ("grid", "message"),
    [
        ({"n": []}, "no points"),
        ([], "no points"),
        ({"n": [1, 1]}, 'the point {"n":1} twice'),
        ({"n": [math.nan]}, "grid.n has the value nan"),
        ({"n": [math.inf]}, "must be finite"),
        ({"n": [object()]}, "must be a number, text"),
        ({"n": [[1, 2]]}, "must be a number, text"),
        ({"seed": [1]}, "an axis 'seed'"),
        ({"a b": [1]}, "an axis 'a b'"),
        ({3: [1]}, "an axis 3"),
        ({"a": [{"n": 1}], "n": 2}, "'n' twice in one point"),
        ([{"n": 1}, 7], r"grid\[1\] is 7"),
        ("n", "grid is 'n'"),
    ],
)
def test_what_is_no_grid_is_named(grid: object, message: str) -> None:
    with pytest.raises(SweepError, match=message):
        expand(grid)  # type: ignore[arg-type]


@given(st.dictionaries(st.sampled_from(["a", "b", "c", "d"]), SCALARS, max_size=4))
def test_the_text_does_not_depend_on_the_order_of_names(point: dict[str, object]) -> None:
    backwards = dict(reversed(point.items()))
    assert canonical(point) == canonical(backwards)


@given(st.lists(st.fixed_dictionaries({"a": SCALARS, "b": SCALARS}), max_size=8))
def test_points_of_any_values_can_be_sorted(points: list[dict[str, object]]) -> None:
    ordered = sorted(points, key=point_order)
    numbers = [p["a"] for p in ordered if type(p["a"]) in (int, float)]
    assert numbers == sorted(numbers)
