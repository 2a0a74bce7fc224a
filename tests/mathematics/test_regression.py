"""Ridge regression with rank-one updates against plain inverses, and in fractions."""

from fractions import Fraction
from typing import Any

import numpy as np
import plain_linear
import pytest

from rltheory import _core
from rltheory.errors import ModelError
from rltheory.foundations.rationals import solve_linear
from rltheory.mathematics.regression import Ridge


@pytest.mark.parametrize("seed", range(10))
def test_against_plain_inverses(seed: int) -> None:
    rng = np.random.default_rng(seed)
    d, n, ridge = (
        int(rng.integers(1, 9)),
        int(rng.integers(1, 200)),
        float(10.0 ** rng.uniform(-3, 2)),
    )
    rows, y, c = rng.normal(size=(n, d)), rng.normal(size=n), rng.random(n) * 3
    fit = Ridge(d, ridge)
    for i in range(n):
        fit.update(rows[i], y[i], c[i])
    matrix = plain_linear.gram(rows, ridge, c)
    inverse = np.linalg.inv(matrix)
    assert fit.count == n and fit.dimension == d
    assert fit.matrix == pytest.approx(matrix, rel=1e-12, abs=1e-12)
    assert fit.weights == pytest.approx(inverse @ rows.T @ (c * y), rel=1e-9, abs=1e-10)
    probe = rng.normal(size=(2, 3, d))
    norms = np.sqrt(np.einsum("abd,de,abe->ab", probe, inverse, probe))
    assert fit.norm(probe) == pytest.approx(norms, rel=1e-9)
    log_det = np.linalg.slogdet(matrix)[1] - d * np.log(ridge)
    assert fit.log_det_ratio == pytest.approx(log_det, rel=1e-10)


def test_in_fractions() -> None:
    rows = [[1, 2], [3, -1], [0, 1], [2, 2]]
    y = [1, 0, 2, -1]
    matrix = [
        [Fraction(i == j, 2) + sum(x[i] * x[j] for x in rows) for j in range(2)] for i in range(2)
    ]
    right = [Fraction(sum(x[i] * v for x, v in zip(rows, y, strict=True))) for i in range(2)]
    fit = Ridge(2, 0.5)
    for x, v in zip(rows, y, strict=True):
        fit.update(x, v)
    assert fit.weights == pytest.approx([float(w) for w in solve_linear(matrix, right)], rel=1e-14)
    det = matrix[0][0] * matrix[1][1] - matrix[0][1] ** 2
    assert fit.log_det_ratio == pytest.approx(float(np.log(float(det * 4))), rel=1e-14)


def test_nothing_seen_and_weight_nothing() -> None:
    fit = Ridge(3, 4.0)
    assert fit.weights.tolist() == [0.0] * 3 and fit.log_det_ratio == 0.0
    assert fit.norm([0.0, 3.0, 4.0]) == 2.5
    fit.update([1.0, 0.0, 0.0], 5.0, weight=0.0)
    assert fit.weights.tolist() == [0.0] * 3 and fit.log_det_ratio == 0.0
    assert fit.norm(np.zeros((0, 3))).shape == (0,)


def exact_gram(rows: Any, weights: list[float], ridge: float) -> list[list[Fraction]]:
    d = rows.shape[1]
    x = [[Fraction(v) for v in row] for row in rows.tolist()]
    c = [Fraction(v) for v in weights]
    return [
        [
            Fraction(ridge) * (i == j)
            + sum((w * row[i] * row[j] for w, row in zip(c, x, strict=True)), Fraction(0))
            for j in range(d)
        ]
        for i in range(d)
    ]


def exact_norm2(matrix: list[list[Fraction]], x: Any) -> float:
    row = [Fraction(v) for v in x.tolist()]
    solved = solve_linear(matrix, row)
    return float(sum((a * b for a, b in zip(row, solved, strict=True)), Fraction(0)))


def test_the_factor_knows_more_than_the_matrix() -> None:
    """Many updates in nearly one direction: with a condition of 10^8 an inverse loses 8 digits."""
    rng = np.random.default_rng(0)
    d, ridge = 4, 1e-5
    direction = rng.normal(size=d)
    direction /= np.linalg.norm(direction)
    rows = direction + 1e-6 * rng.normal(size=(1500, d))
    core = _core.learning.Gram(d, ridge)
    for row in rows:
        core.update(row)
    exact = exact_gram(rows, [1.0] * len(rows), ridge)
    assert core.matrix() == pytest.approx(np.array(exact, dtype=float), rel=2e-15)
    probe = rng.normal(size=(4, d))
    assert core.norms2(probe) == pytest.approx([exact_norm2(exact, x) for x in probe], rel=1e-12)


def test_weights_of_very_different_size() -> None:
    rng = np.random.default_rng(1)
    core = _core.learning.Gram(3, 1.0)
    rows, weights = rng.normal(size=(600, 3)), 10.0 ** rng.uniform(-15, 15, 600)
    for row, weight in zip(rows, weights, strict=True):
        core.update(row, float(weight))
    exact = exact_gram(rows, weights.tolist(), 1.0)
    probe = rng.normal(size=(3, 3))
    assert core.norms2(probe) == pytest.approx([exact_norm2(exact, x) for x in probe], rel=1e-12)


def test_a_factor_that_drifts_is_made_anew() -> None:
    rows = np.random.default_rng(2).normal(size=(1000, 1))
    core = _core.learning.Gram(1, 1e-3)
    for _ in range(150):
        for row in rows:
            core.update(row)
    (exact,) = exact_gram(rows, [150.0] * len(rows), 1e-3)
    assert core.refactored > 0
    assert core.norms2(np.ones((1, 1)))[0] == pytest.approx(float(1 / exact[0]), rel=2e-14)
    assert core.log_det_ratio == pytest.approx(float(np.log(float(exact[0] * 1000))), rel=1e-12)


@pytest.mark.parametrize(
    ("arguments", "message"), [((0, 1.0), "dimension"), ((2, 0.0), "ridge"), ((True, 1.0), "dim")]
)
def test_bad_sizes(arguments: tuple[int, float], message: str) -> None:
    with pytest.raises(ModelError, match=message):
        Ridge(*arguments)


def test_bad_observations() -> None:
    fit = Ridge(2)
    for x, y, weight, message in [
        ([1.0], 0.0, 1.0, "last axis must be 2"),
        ([[1.0, 0.0]], 0.0, 1.0, r"x has shape \(1, 2\)"),
        ([np.nan, 0.0], 0.0, 1.0, "not finite"),
        ([1.0, 0.0], np.inf, 1.0, "y is inf"),
        ([1.0, 0.0], 0.0, -1.0, "weight is -1.0"),
    ]:
        with pytest.raises(ModelError, match=message):
            fit.update(x, y, weight)
    assert fit.count == 0
    core = _core.learning.Gram(2, 1.0)
    for call in (
        lambda: core.update(np.zeros(3)),
        lambda: core.solve(np.zeros(1)),
        lambda: core.norms2(np.zeros((2, 3))),
        lambda: core.norms2(np.zeros(2)),
        lambda: core.update(np.zeros(2), -1.0),
        lambda: core.update(np.array([np.nan, 0.0])),
        lambda: _core.learning.Gram(0, 1.0),
        lambda: _core.learning.Gram(1, np.nan),
    ):
        with pytest.raises(ValueError):
            call()
