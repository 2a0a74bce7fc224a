"""Plug-in planning: the empirical model by brute force, and the bounds by hand."""

import math
from fractions import Fraction
from itertools import product

import numpy as np
import pytest

import rltheory as rlt
from rltheory.errors import ModelError
from rltheory.foundations.rationals import solve_linear
from rltheory.learning.plug_in import PlugIn, model_of, plugin_bound
from rltheory.mdp.data import Counts
from tests.helpers.generative import PlainGenerative


def by_enumeration(counts: Counts, discount: Fraction) -> list[Fraction]:
    """The optimal value of the empirical model, in fractions, over all deterministic policies."""
    S, A = counts.visits.shape
    following = counts.dense()
    best = [Fraction(-(10**9))] * S
    for policy in product(range(A), repeat=S):
        matrix, reward = [], []
        for s, a in enumerate(policy):
            n = int(counts.visits[s, a])
            matrix.append(
                [int(s == t) - discount * Fraction(int(following[s, a, t]), n) for t in range(S)]
            )
            reward.append(Fraction(float(counts.reward_sums[s, a])) / n)
        value = solve_linear(matrix, reward)
        best = [max(x, y) for x, y in zip(best, value, strict=True)]
    return best


@pytest.mark.parametrize("case", range(6))
def test_plan_is_the_optimum_of_the_counts(case: int) -> None:
    mdp = rlt.garnet(3, 2, 2, seed=case, discount=0.75)
    access = PlainGenerative(mdp, seed=case)
    plan = PlugIn(20)(access)
    best = by_enumeration(access.counts(20), Fraction(3, 4))
    assert plan.value == pytest.approx([float(x) for x in best], rel=1e-10)
    assert rlt.evaluate(plan.model, plan.policy) == pytest.approx(plan.value, rel=1e-10)
    assert plan.q.max(axis=1) == pytest.approx(plan.value, rel=1e-10)
    assert plan.n == 20 and plan.solution.certificate.check(plan.model).accepted


def test_deterministic_model_is_found_by_one_draw() -> None:
    mdp = rlt.MDP.deterministic(
        [[0, 1], [1, 0]], [[0.0, 0.25], [1.0, 0.0]], discount=0.5
    )  # fmt: skip
    plan = PlugIn()(PlainGenerative(mdp), 1)
    assert plan.value.tolist() == rlt.solve(mdp).value.tolist() == [1.25, 2.0]


def test_exits_horizon_and_stages() -> None:
    leaving = rlt.MDP([[[0.5]]], [[1.0]], 0.5, termination=[[0.5]])
    plan = PlugIn(4000)(PlainGenerative(leaving))
    assert plan.value[0] == pytest.approx(1 / (1 - 0.25), rel=0.02)
    episodic = rlt.random_episodic(3, 2, 4, seed=1)
    plan = PlugIn(2000)(PlainGenerative(episodic))
    assert plan.value.shape == (5, 3) and plan.policy.shape == (4, 3)
    assert plan.value == pytest.approx(rlt.solve(episodic).value, abs=0.1)
    pooled = PlugIn(2000)(PlainGenerative(rlt.riverswim(3).episodic(5)))
    assert pooled.value.shape == (6, 3)


def test_same_seed_same_plan() -> None:
    mdp = rlt.riverswim(4, discount=0.9)
    plans = [PlugIn(50)(PlainGenerative(mdp, seed=k)) for k in (0, 0, 1)]
    assert plans[0].value.tolist() == plans[1].value.tolist() != plans[2].value.tolist()


def test_bounds_by_hand() -> None:
    n, g = 400, 0.5
    hoeffding = 0.5 / 0.25 * math.sqrt(math.log(2 * 4 / 0.1) / 800)
    assert plugin_bound(2, 2, n, g, 0.1, of="value") == pytest.approx(hoeffding)
    assert plugin_bound(2, 2, n, g, 0.1) == pytest.approx(4 * hoeffding)
    l1 = 0.5 / 0.25 * math.sqrt(2 * math.log(2 * 4 / 0.1) / 400)
    assert plugin_bound(2, 2, n, g, 0.1, "l1") == pytest.approx(l1)
    assert plugin_bound(2, 2, n, g, 0.1, "l1", of="value") == pytest.approx(l1 / 2)
    b = math.log(4 * 4 / 0.1)
    x = math.sqrt(1.5 * b / (2 * 399 * 0.125)) + 7 * 0.5 * b / (3 * 399 * 0.25)
    y = 2 * math.sqrt(b / 798) + 7 * b / (3 * 399 * 0.5)
    assert plugin_bound(2, 2, n, g, 0.1, "variance", of="value") == pytest.approx(2 * x)
    assert plugin_bound(2, 2, n, g, 0.1, "variance") == pytest.approx(2 * (2 * x + y))


def test_bounds_at_the_edges() -> None:
    # The condition of the variance form, at its first n; no discount; one state; many draws.
    first = math.ceil(1 + 8 * 0.25 * math.log(160) / 0.25)
    found = plugin_bound(2, 2, [first - 1, first], 0.5, 0.1, "variance")
    assert math.isinf(found[0]) and math.isfinite(found[1])
    assert plugin_bound(3, 2, 5, 0.0, 0.1) == 0.0
    assert plugin_bound(1, 1, 1, 0.5, 0.1, "l1") == 0.0
    for form in ("hoeffding", "l1", "variance"):
        small, large = plugin_bound(5, 3, [10**6, 4 * 10**6], 0.9, 0.05, form)
        assert small / large == pytest.approx(2.0, rel=0.05)
    # The better power of the horizon shows only at large discounts.
    for g, better in ((0.5, "hoeffding"), (0.99, "variance")):
        both = {
            f: plugin_bound(5, 3, 10**8, g, 0.05, f, of="value") for f in ("hoeffding", "variance")
        }
        assert min(both, key=both.__getitem__) == better


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((0, 1, 5, 0.5, 0.1), "S, A, n are 0, 1, 5"),
        ((1, 1, 0, 0.5, 0.1), "S, A, n are 1, 1, 0"),
        ((1, 1, 5, 1.0, 0.1), "discount is 1.0"),
        ((1, 1, 5, 0.5, 1.0), r"delta is 1.0; it must be in \(0, 1\)"),
        ((1, 1, 5, 0.5, 0.1, "best"), "form 'best' is unknown; known are hoeffding, l1, variance"),
        ((1, 1, 5, 0.5, 0.1, "l1", "q"), "of is 'q'"),
    ],
)
def test_bounds_refuse(arguments: tuple, words: str) -> None:  # type: ignore[type-arg]
    with pytest.raises(ModelError, match=words):
        plugin_bound(*arguments)


@pytest.mark.parametrize("n", [0, -1, 1.5, True, None])
def test_draws_are_positive_integers(n: object) -> None:
    with pytest.raises(ModelError, match="the draws of each pair are an integer of at least 1"):
        PlugIn()(PlainGenerative(rlt.riverswim(3, discount=0.9)), n)  # type: ignore[arg-type]
    if n is not None:
        with pytest.raises(ModelError, match="the draws of each pair"):
            PlugIn(n)  # type: ignore[arg-type]


def test_models_that_cannot_be_planned_in() -> None:
    counts = Counts([[4, 0]], [[[4], [0]]], [[2.0, 0.0]])
    with pytest.raises(ModelError, match="neither a discount nor a horizon"):
        model_of(counts, None, None)
    assert model_of(counts, 0.5, None).n_pairs == 1
    assert model_of(counts, None, 3).n_pairs == 1
    with pytest.raises(ModelError, match="was never visited"):
        model_of(counts, 0.5, None, absent=False)


def test_value_error_falls_with_the_root_of_n() -> None:
    """Means over 30 seeds at n and 16 n differ by a factor of about 4."""
    mdp = rlt.riverswim(3, discount=0.8)
    best = rlt.solve(mdp).value
    means = [
        np.mean([np.abs(PlugIn(n)(PlainGenerative(mdp, k)).value - best).max() for k in range(30)])
        for n in (100, 1600)
    ]
    assert 2.5 < means[0] / means[1] < 6.5
