"""Lines through intervals, against hand computation and a brute force over slopes."""

import math

import numpy as np
import pytest

from rltheory.inference.feasible import deepest, feasible_slopes
from rltheory.mdp.streams import Stream


def passes(slope: float, x: np.ndarray, low: np.ndarray, high: np.ndarray) -> bool:
    """Whether some line of this slope passes through all intervals."""
    return float((low - slope * x).max()) <= float((high - slope * x).min())


def test_two_intervals_by_hand() -> None:
    # From (0, 1) to (2, 3): the flattest line rises from 1 to 3, the steepest from 0 to 5.
    assert feasible_slopes([0, 2], [0, 3], [1, 5]) == (1.0, 2.5)


def test_one_sided_intervals_bound_one_side() -> None:
    assert feasible_slopes([0, 1], [0, 2], [1, math.inf]) == (1.0, math.inf)
    assert feasible_slopes([0, 1], [0, -math.inf], [1, 3]) == (-math.inf, 3.0)


def test_equal_x_must_overlap() -> None:
    assert feasible_slopes([1, 1], [0, 2], [1, 3]) is None
    assert feasible_slopes([1, 1], [0, 1], [1, 3]) == (-math.inf, math.inf)


@pytest.mark.parametrize("case", range(30))
def test_feasible_slopes_are_those_that_pass(case: int) -> None:
    stream = Stream(case, "tests.feasible")
    x, centre = 3 * stream.uniforms(5), stream.uniforms(5)
    width = 0.1 + stream.uniforms(5)
    low, high = 2 * x + centre - width, 2 * x + centre + width
    found = feasible_slopes(x, low, high)
    tried = np.linspace(-6, 10, 1601)
    good = np.array([passes(b, x, low, high) for b in tried])
    if found is None:
        assert not good.any()
    else:
        inside = (tried >= found[0]) & (tried <= found[1])
        assert (good == inside).all()


def test_deepest_constant_is_that_of_the_program() -> None:
    for case in range(10):
        stream = Stream(case, "tests.feasible.constant")
        low = stream.uniforms(4)
        high = low + stream.uniforms(4)
        slack, beta = deepest(np.ones((4, 1)), low, high)
        again = deepest(np.full((4, 1), 2.0), low, high)  # not ones: by the program
        assert slack == pytest.approx(again[0]) and beta == pytest.approx(2 * again[1])


def test_deepest_line_by_hand() -> None:
    design = np.array([[0.0, 1.0], [1.0, 1.0], [2.0, 1.0]])
    slack, beta = deepest(design, np.array([0.0, 1.0, 2.0]), np.array([2.0, 3.0, 4.0]))
    assert slack == pytest.approx(1.0) and beta == pytest.approx([1.0, 1.0])
    # 0, 5, 0: the best line is flat at 2.5, off by 2.5 everywhere.
    y = np.array([0.0, 5.0, 0.0])
    slack, beta = deepest(design, y, y)
    assert slack == pytest.approx(-2.5) and beta == pytest.approx([0.0, 2.5])
