"""Extremes over balls of laws: against grids, against kl_ucb, against laws that attain them."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from rltheory.errors import ModelError
from rltheory.mathematics.concentration import kl_lcb, kl_ucb
from rltheory.mathematics.kl_ball import kl_ball_maximum, kl_ball_minimum

Array = Any


def relative_entropy(p: Array, q: Array) -> Array:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(p > 0, p * np.log(p / q), 0.0).sum(axis=-1)


def best_of_a_family(p: Array, v: Array, radius: float) -> float:
    """The largest mean over laws in the ball: p_k/(x + g_k) scaled, or with spare mass on top."""
    top, best = v.max(), float(p @ v)
    if v.min() == top:
        return float(top)
    for x in np.geomspace(1e-12, 1e9, 2_001):
        q = p / (x + top - v)
        q = q / q.sum()
        if relative_entropy(p, q) <= radius:
            best = max(best, float(q @ v))
    if p[v == top].sum() == 0:
        q = np.where(v < top, p / np.where(v < top, top - v, 1.0), 0.0)
        q = q / q.sum()
        least = relative_entropy(p, q)  # the rest of the ball is spent on the top
        if least <= radius:
            keep = np.exp(least - radius)
            best = max(best, float(keep * (q @ v) + (1 - keep) * top))
    return best


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("radius", [1e-6, 1e-2, 0.3, 3.0])
def test_the_maximum_is_above_the_best_law_and_only_just(seed: int, radius: float) -> None:
    rng = np.random.default_rng(seed)
    size = int(rng.integers(2, 6))
    p = rng.multinomial(10, rng.dirichlet(np.ones(size))) / 10
    v = rng.integers(-3, 4, size).astype(float)
    got, best = float(kl_ball_maximum(p, v, radius)), best_of_a_family(p, v, radius)
    assert best <= got <= best + 2e-2 * float(np.ptp(v))


@pytest.mark.parametrize("seed", range(4))
def test_no_law_of_the_ball_is_beyond(seed: int) -> None:
    rng = np.random.default_rng(seed)
    p, v = rng.dirichlet(np.ones(4)), rng.normal(size=4)
    laws = rng.dirichlet(np.full(4, 0.8), 20_000)
    laws = 0.3 * laws + 0.7 * p
    entropies = relative_entropy(p, laws)
    assert (laws @ v <= kl_ball_maximum(p, v, entropies)).all()
    assert (laws @ v >= kl_ball_minimum(p, v, entropies)).all()


@pytest.mark.parametrize("p", [0.0, 1e-9, 0.1, 0.5, 0.99, 1.0])
@pytest.mark.parametrize("radius", [0.0, 1e-14, 1e-6, 0.01, 0.7, 20.0, np.inf])
def test_two_points_are_the_inverse_of_the_bernoulli_entropy(p: float, radius: float) -> None:
    law, values = [1 - p, p], [0.0, 1.0]
    up, down = kl_ucb(law[1], radius), kl_lcb(law[1], radius)
    assert kl_ball_maximum(law, values, radius) == pytest.approx(up, abs=1e-13)
    assert kl_ball_minimum(law, values, radius) == pytest.approx(down, abs=1e-13)


def test_a_point_that_was_never_drawn_can_be_the_best() -> None:
    """p_hat has nothing on the top: a law gives it 1 - exp(-radius) of its mass."""
    got = kl_ball_maximum([1.0, 0.0, 0.0], [0.0, 0.5, 1.0], 0.25)
    assert got == pytest.approx(-np.expm1(-0.25), abs=1e-14)


def test_shapes_broadcast_and_no_draws_mean_no_knowledge() -> None:
    got = kl_ball_maximum(np.full((5, 1, 3), 1 / 3), np.arange(3.0), [[0.0, np.inf]] * 5)
    assert got.shape == (5, 2) and (got[:, 1] == 2.0).all()
    assert np.allclose(got[:, 0], 1.0, atol=1e-14) and (got[:, 0] >= 1.0).all()
    assert kl_ball_maximum([1.0], [7.0], 0.3) == 7.0
    assert kl_ball_minimum([0.25, 0.75], [3.0, 3.0], 0.3) == 3.0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: kl_ball_maximum([0.5, 0.6], [0.0, 1.0], 0.1), "has sum 1.1; it must be 1"),
        (lambda: kl_ball_maximum([-0.5, 1.5], [0.0, 1.0], 0.1), "p_hat is -0.5"),
        (lambda: kl_ball_maximum([0.5, 0.5], [0.0, np.inf], 0.1), "values is inf"),
        (lambda: kl_ball_minimum([0.5, 0.5], [0.0, 1.0], -0.1), "radius is -0.1"),
        (lambda: kl_ball_minimum([0.5, 0.5], [0.0, 1.0, 2.0], 0.1), "last axes"),
        (lambda: kl_ball_minimum([[0.5, 0.5]] * 2, [0.0, 1.0], [0.1] * 3), "must broadcast"),
    ],
)
def test_bad_arguments_are_named(call: Callable[[], Any], message: str) -> None:
    with pytest.raises(ModelError, match=message):
        call()
