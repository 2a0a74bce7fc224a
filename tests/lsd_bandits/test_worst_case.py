"""The search of worst ratios: its kernel against the public functions, and what it finds."""

from fractions import Fraction

import numpy as np
import pytest

import rltheory as rlt
from rltheory._core import topics
from rltheory.errors import ModelError
from rltheory.lsd_bandits.worst_case import OBJECTIVES, exact_ratio, fast_ratios

SHAPES = [((1, 1),), ((2, 1), (2, 1)), ((3, 2), (1, 3)), ((2, 2), (3, 1)), ((2, 1), (1, 2), (3, 1))]


def random_payoffs(sizes: tuple[tuple[int, int], ...], count: int, seed: int) -> np.ndarray:
    """Sorted multiples of 1/4: ties, zeros and constant arms are common."""
    rng = np.random.default_rng(seed)
    parts = [np.sort(rng.integers(0, 5, (count, r + m)), axis=1) for r, m in sizes]
    return np.concatenate(parts, axis=1).astype(np.int64)


def bandit_of_row(row: np.ndarray, sizes: tuple[tuple[int, int], ...]) -> rlt.LSDBandit:
    arms, rest = [], [Fraction(int(x), 4) for x in row]
    for rests, plays in sizes:
        p, rest = rest[: rests + plays], rest[rests + plays :]
        arms.append(rlt.LSDArm(p[plays:], p[:plays][::-1]))
    return rlt.LSDBandit(arms)


@pytest.mark.parametrize("sizes", SHAPES, ids=str)
def test_the_kernel_agrees_with_the_public_functions(sizes: tuple[tuple[int, int], ...]) -> None:
    payoffs = random_payoffs(sizes, 25, seed=len(sizes))
    payoffs[0] = 0
    for objective in OBJECTIVES:
        fast = fast_ratios(objective, payoffs, sizes, 4)
        for row, ratio in zip(payoffs, fast, strict=True):
            exact = exact_ratio(objective, bandit_of_row(row, sizes))
            if exact is None:
                assert np.isinf(ratio)
            else:
                assert abs(ratio - float(exact)) < 1e-9, (objective, row)


@pytest.mark.parametrize("sizes", SHAPES, ids=str)
def test_optimum_and_relaxation_are_exact(sizes: tuple[tuple[int, int], ...]) -> None:
    payoffs = random_payoffs(sizes, 40, seed=7)
    rests = np.array([r for r, _ in sizes], dtype=np.int32)
    plays = np.array([m for _, m in sizes], dtype=np.int32)
    optimum, relaxed, _ = topics.lsd_judge_many(rests, plays, payoffs, 4, 0)
    for row, best, above in zip(payoffs, optimum.tolist(), relaxed.tolist(), strict=True):
        bandit = bandit_of_row(row, sizes)
        assert Fraction(*best) / 4 == rlt.optimal_gain(bandit, method="karp", exact=True).gain
        assert Fraction(*above) / 4 == rlt.concave_relaxation(bandit, exact=True).value


def test_results_do_not_depend_on_threads() -> None:
    sizes = ((3, 2), (3, 2))
    payoffs = random_payoffs(sizes, 5000, seed=3)
    before = rlt.threads()
    try:
        results = []
        for count in (1, 3):
            rlt.set_threads(count)
            results.append(fast_ratios("interleaved", payoffs, sizes, 4))
    finally:
        rlt.set_threads(before)
    assert np.array_equal(*results)


@pytest.mark.parametrize(
    ("objective", "size", "least"),
    [
        ("gap", (2, 2, 1), Fraction(4, 5)),
        ("gap", (2, 2, 2), Fraction(4, 5)),
        ("interleaved", (2, 2, 1), Fraction(3, 4)),
        ("interleaved", (3, 2, 1), Fraction(19, 27)),
        ("interleaved_relaxation", (2, 2, 1), Fraction(3, 4)),
        ("real", (2, 2, 1), Fraction(3, 4)),
        ("derandomised", (2, 2, 2), Fraction(7, 9)),
    ],
)
def test_what_is_found(objective: str, size: tuple[int, int, int], least: Fraction) -> None:
    ratio, bandit = rlt.worst_instance(objective, *size, evaluations=60_000)
    assert ratio == least == exact_ratio(objective, bandit)
    assert bandit.is_monotone()


def test_the_same_seed_gives_the_same_instance() -> None:
    found = [rlt.worst_instance("greedy", 2, 2, 1, evaluations=2000, seed=s) for s in (5, 5)]
    assert found[0] == found[1]


def test_a_floor_leaves_out_what_is_below() -> None:
    ratio, _ = rlt.worst_instance("greedy", 2, 2, 1, evaluations=5000, floor=Fraction(1, 2))
    assert ratio >= Fraction(1, 2)


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("gaps", 2, 1, 1), "objective is 'gaps'"),
        (("gap", 0, 1, 1), "n_arms is 0"),
        (("gap", 2, 1.5, 1), "rests is 1.5"),
        (("gap", 2, 1, 1, 0), "den is 0"),
        (("gap", 2, 1, 1, 2**40), "den is 1099511627776"),
        (("gap", 2, 1, 1, 8, True), "evaluations is True"),
        (("gap", 9, 1, 1), "there are 9 arms"),
        (("gap", 3, 60, 1), "joint states"),
        (("gap", 4, 8, 6, 2**30), "may overflow"),
        (("gap", 2, 1, 1, 8, 10, 0, 2), "pays anything"),
    ],
)
def test_what_is_wrong_is_named(arguments: tuple, word: str) -> None:
    with pytest.raises(ModelError, match=word):
        rlt.worst_instance(*arguments)


def test_the_core_checks_what_it_is_given() -> None:
    one = np.ones(2, dtype=np.int32)
    good = np.ones((3, 4), dtype=np.int64)
    for payoffs, policy, word in [
        (good[:, :3].copy(), 0, "columns"),
        (good * 9, 0, "must be in 0..8"),
        (-good, 0, "must be in 0..8"),
        (good, 5, "policy is 5"),
    ]:
        with pytest.raises(ValueError, match=word):
            topics.lsd_judge_many(one, one, payoffs, 8, policy)
    with pytest.raises(ValueError, match="at least 1"):
        topics.lsd_judge_many(one * 0, one, good, 8, 0)
