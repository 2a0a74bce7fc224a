"""Arms with infinitely many states, cut."""

from fractions import Fraction

import pytest

import rltheory as rlt
from rltheory.errors import ModelError


def halves(n: int) -> Fraction:
    return Fraction(1, 2**n)


def test_the_first_states_that_are_near_enough_are_kept() -> None:
    arm = rlt.truncated_arm(lambda n: 1 - halves(n), lambda m: halves(m + 1), (1, 0), tol="1/8")
    assert arm == rlt.LSDArm(["1/2", "3/4", "7/8"], ["1/4", "1/8"])


def test_attained_limits_need_no_tolerance() -> None:
    arm = rlt.truncated_arm(lambda n: min(n, 4) / 4, lambda m: 0.25, (1, 0.25), 0, "gradual")
    assert arm == rlt.LSDArm(["1/4", "1/2", "3/4", 1], ["1/4"], "gradual")


def test_the_optimum_moves_by_no_more_than_the_tolerance() -> None:
    fine, coarse = (
        rlt.LSDBandit([rlt.truncated_arm(lambda n: 1 - halves(n), lambda m: 0, (1, 0), tol)] * 2)
        for tol in (halves(12), halves(3))
    )
    gains = [rlt.optimal_gain(bandit, exact=True).gain for bandit in (fine, coarse)]
    assert 0 <= gains[0] - gains[1] <= halves(3)


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ((lambda n: (n % 2) / 2, lambda m: 0, (1, 0), 0), r"rest\(2\) is 0 after 1/2"),
        ((lambda n: 0, lambda m: (m % 2 + 1) / 4, (0, 0), 0), r"play\(3\).*nonincreasing"),
        ((lambda n: 0.75, lambda m: 0, (0.5, 0), 0), r"rest\(1\) is 3/4, past its limit 1/2"),
        ((lambda n: 0.5, lambda m: 0, (1, 0), 0.1), "a larger tol is needed"),
        ((lambda n: 2, lambda m: 0, (1, 0), 0.1), r"rest\(1\) is 2"),
        ((lambda n: 1, lambda m: 0, (1, -1), 0.1), r"limits\[1\] is -1"),
        ((lambda n: 1, lambda m: 0, (1, 0), -0.1), "tol is -0.1"),
        ((lambda n: 1, lambda m: 0, (1, 0), float("nan")), "tol is nan"),
    ],
)
def test_what_is_wrong_is_named(arguments, word: str) -> None:
    with pytest.raises(ModelError, match=word):
        rlt.truncated_arm(*arguments)
