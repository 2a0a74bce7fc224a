"""Least-squares value iteration: exact with exact targets, and from data by hand."""

from fractions import Fraction
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import rltheory as rlt
from rltheory.errors import ModelError


@pytest.mark.parametrize("seed", range(6))
def test_population_regression_plans_exactly(seed: int) -> None:
    rng = np.random.default_rng(seed)
    S, A, H = (int(x) for x in rng.integers(2, 6, 3))
    d = int(rng.integers(1, 5))
    mdp = rlt.random_linear_mdp(S, A, d, H, seed=seed)
    exact = rlt.solve_linear(mdp)
    weights = rng.random((H, S, A)) + 0.01
    found = rlt.population_lsvi(mdp, weights)
    assert found.weights == pytest.approx(exact.weights, abs=1e-10)
    assert found.q == pytest.approx(exact.q, abs=1e-10)
    by_table = rlt.population_lsvi(mdp.tabular(), weights, features=mdp.features)
    assert by_table.weights == pytest.approx(exact.weights, abs=1e-10)


def test_population_regression_in_fractions() -> None:
    mdp = rlt.random_linear_mdp(3, 2, 3, 3, seed=4, exact=True)
    exact = rlt.solve_linear(mdp)
    weights = [[Fraction(1, 3), 2], [0, 1], [1, Fraction(5, 7)]]
    assert (rlt.population_lsvi(mdp, weights).weights == exact.weights).all()
    biased = rlt.population_lsvi(mdp, weights, ridge=Fraction(1, 2))
    assert (biased.weights != exact.weights).any()


def test_ridge_shrinks_one_feature_by_hand() -> None:
    """One pair, weight 3, ridge 1: w = 3/4 of the reward, and of what is ahead."""
    mdp = rlt.LinearMDP([[[1.0]]], [[[1.0]]] * 2, [[1.0]] * 2)
    found = rlt.population_lsvi(mdp, [[3.0]], ridge=1.0).weights[:, 0]
    assert found.tolist() == pytest.approx([1.3125, 0.75], rel=1e-15)


def test_what_has_no_unique_solution_is_refused() -> None:
    mdp = rlt.random_linear_mdp(3, 2, 3, 2)
    only_one = np.zeros((3, 2))
    only_one[0, 0] = 1.0
    with pytest.raises(ModelError, match=r"stage 1: .* rank 1, below their dimension 3"):
        rlt.population_lsvi(mdp, only_one)
    assert rlt.population_lsvi(mdp, only_one, ridge=0.1).weights.shape == (2, 3)
    exact = rlt.random_linear_mdp(3, 2, 3, 2, exact=True)
    with pytest.raises(ModelError, match=r"stage 1: .* rank 1, below their dimension 3"):
        rlt.population_lsvi(exact, [[1, 0], [0, 0], [0, 0]])
    table = mdp.tabular()
    bad: list[tuple[Any, dict[str, Any], str]] = [
        (mdp, {"weights": [1.0]}, "weights has shape"),
        (mdp, {"weights": -np.ones((3, 2))}, "negative"),
        (mdp, {"ridge": -1.0}, "ridge is -1"),
        (mdp, {"features": mdp.features}, "has its own"),
        (table, {}, "features are missing"),
        (table, {"features": np.ones((2, 2, 1))}, r"must be \(3, 2, d\)"),
        (rlt.riverswim(discount=0.9), {}, "takes a LinearMDP"),
    ]
    for model, arguments, message in bad:
        with pytest.raises(ModelError, match=message):
            rlt.population_lsvi(model, **arguments)


def seen(*steps: tuple[int, int, int, float, int]) -> rlt.Transitions:
    return rlt.Transitions(*(np.array(column) for column in zip(*steps, strict=True)))


def test_from_data_by_hand() -> None:
    """Two one-hot pairs, ridge 1: sums over counts plus one, backward."""
    data = seen((0, 0, 0, 0.5, 1), (0, 0, 0, 0.5, -1), (1, 1, 0, 1.0, 0), (0, 1, 0, 0.25, 1))
    plan = rlt.lsvi(np.eye(2).reshape(2, 1, 2), data, horizon=2, ridge=1.0)
    assert plan.value[1].tolist() == pytest.approx([0.0, 0.5])
    assert plan.value[0].tolist() == pytest.approx([(0.5 + 0.5 + 0.5) / 3, (0.25 + 0.5) / 2])


def test_much_data_comes_close_to_the_optimum() -> None:
    mdp = rlt.random_linear_mdp(4, 2, 3, 3, seed=2)
    rows = mdp.tabular().transitions.toarray().reshape(3, 4, 2, 4)
    rng = np.random.default_rng(0)
    steps = [
        (h, s, a, mdp.mean_rewards[h, s, a], int(t))
        for h, s, a in np.ndindex(3, 4, 2)
        for t in rng.choice(4, size=2000, p=rows[h, s, a])
    ]
    plan = rlt.lsvi(mdp.features, seen(*steps), horizon=3)
    assert plan.q == pytest.approx(rlt.solve_linear(mdp).q, abs=0.03)


def test_bad_data() -> None:
    features = np.ones((1, 1, 1))
    good = {"stages": [0], "states": [0], "actions": [0], "rewards": [0.0], "next_states": [0]}
    for change, message in [
        ({"stages": [1]}, r"stages holds a number out of 0\.\.0"),
        ({"next_states": [-2]}, r"next_states holds a number out of -1\.\.0"),
        ({"rewards": [0.0, 1.0]}, "same length"),
        ({"states": [0.5]}, "integers"),
        ({"stages": None}, "stages is None"),
    ]:
        with pytest.raises(ModelError, match=message):
            rlt.lsvi(features, SimpleNamespace(**{**good, **change}), horizon=1)
    with pytest.raises(ModelError, match="rank 0, below their dimension 1"):
        rlt.lsvi(features, SimpleNamespace(**good), horizon=2, ridge=0.0)
    with pytest.raises(ModelError, match="ridge"):
        rlt.lsvi(features, SimpleNamespace(**good), horizon=1, ridge=-1.0)
