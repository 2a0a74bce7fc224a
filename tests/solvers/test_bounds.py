"""Bounds in closed form, against exact optima and against their formulas in fractions."""

import math
from fractions import Fraction

import numpy as np
import pytest
from plain_residuals import exact_policy_value, rows_in_fractions
from plain_rows import random_actions, rows_of

import rltheory as rlt
from rltheory.solvers.bounds import (
    greedy_loss_bound,
    howard_iteration_bound,
    macqueen,
    residual_loss_bound,
    simulation_bound,
    variance_resolvent_bound,
)

F = Fraction
Values = list[Fraction]


def swept(mdp: rlt.MDP, v: np.ndarray) -> tuple[list[Values], Values]:
    """(T_a v by state, T v) exactly."""
    g, ahead = F(float(mdp.discount or 0)), [F(float(x)) for x in v]
    q: list[Values] = [[] for _ in ahead]
    for s, p, r in rows_in_fractions(rows_of(mdp)):
        q[s].append(r + g * sum(a * b for a, b in zip(p, ahead, strict=True)))
    return q, [max(row) for row in q]


def value_of(mdp: rlt.MDP, policy: np.ndarray) -> Values:
    rows = rows_of(mdp)
    weight = [float(policy[s] == a) for s, a in zip(rows.state, rows.action, strict=True)]
    return exact_policy_value(rows, weight, float(mdp.discount or 0))


def some_value(mdp: rlt.MDP, seed: int) -> np.ndarray:
    """Near the optimum, or anywhere."""
    random = np.random.default_rng(seed)
    best = np.array([float(x) for x in rlt.solve_exact(mdp).value])
    size = (float(np.abs(best).max()) or 1.0) * 10.0 ** -random.integers(0, 12)
    return best + size * random.uniform(-1, 1, len(best))


@pytest.mark.parametrize("seed", range(150))
def test_macqueen_contains_the_exact_values(seed: int) -> None:
    mdp = rlt.awkward(seed)
    v = some_value(mdp, seed)
    lower, upper = macqueen(mdp, v)
    best = rlt.solve_exact(mdp).value
    own = value_of(mdp, rlt.greedy(mdp, v))
    for s, x in enumerate(best):
        assert F(float(lower[s])) <= own[s] <= x <= F(float(upper[s]))
    # As tight as the formula, but for rounding.
    g, (_, Tv) = F(float(mdp.discount or 0)), swept(mdp, v)
    residual = [x - F(float(y)) for x, y in zip(Tv, v, strict=True)]
    m, M = min(residual), max(residual)
    if mdp.core.has_exits:
        m, M = min(F(0), m), max(F(0), M)
    reward = float(np.abs(mdp.mean_rewards).max())
    near = 1e-13 * (reward + float(np.abs(v).max())) / float(1 - g)
    for s, x in enumerate(Tv):
        assert abs(float(F(float(lower[s])) - (x + g * m / (1 - g)))) <= near
        assert abs(float(F(float(upper[s])) - (x + g * M / (1 - g)))) <= near


@pytest.mark.parametrize("seed", range(150))
def test_residual_loss_bound_holds_and_is_the_formula(seed: int) -> None:
    mdp = rlt.awkward(seed)
    v, policy = some_value(mdp, seed), random_actions(mdp, seed)
    best = rlt.solve_exact(mdp).value
    g, (q, Tv) = F(float(mdp.discount or 0)), swept(mdp, v)
    label = [rows_of(mdp).action[rows_of(mdp).state == s].tolist() for s in range(mdp.n_states)]
    top = [x - F(float(y)) for x, y in zip(Tv, v, strict=True)]
    near = 1e-13 * (float(np.abs(mdp.mean_rewards).max()) + float(np.abs(v).max())) / float(1 - g)
    for given, chosen in ((policy, policy), (None, rlt.greedy(mdp, v))):
        bound = residual_loss_bound(mdp, v, given)
        own = value_of(mdp, chosen)
        loss = max(x - y for x, y in zip(best, own, strict=True))
        assert loss <= F(bound)
        low = [q[s][label[s].index(chosen[s])] - F(float(v[s])) for s in range(len(best))]
        clip = [F(0)] * mdp.core.has_exits
        spread = (max(top + clip) - min(low + clip)) / (1 - g) * (g if given is None else 1)
        assert abs(float(F(bound) - spread)) <= near


def test_residual_loss_is_attained() -> None:
    loops = rlt.MDP([[[1], [1]]], [[1.0, 0.0]], discount=0.5)
    assert 2.0 <= residual_loss_bound(loops, [0.0], [1]) <= 2.0 + 1e-14
    tie = rlt.MDP.deterministic([[1, 2], [1, 1], [2, 2]], [[0, 0], [1, 1], [-1, -1]], discount=0.75)
    assert 6.0 <= residual_loss_bound(tie, [0.0, 0.0, 0.0]) <= 6.0 + 1e-13


def test_bounds_of_models_say_what_they_need() -> None:
    exact = rlt.MDP([[[1]]], [[1]], F(1, 2), exact=True)
    with pytest.raises(rlt.ModelError, match="exact"):
        macqueen(exact, [0])
    with pytest.raises(rlt.ModelError, match="an MDP is needed, not EpisodicMDP"):
        macqueen(rlt.riverswim(discount=0.9).episodic(3), np.zeros(6))
    with pytest.raises(rlt.ModelError, match="no discount"):
        macqueen(rlt.MDP([[[1.0]]], [[1.0]]), [0.0])
    plain = rlt.MDP([[[1.0]]], [[1e308]], discount=0.5)
    with pytest.raises(rlt.ModelError, match="overflow"):
        residual_loss_bound(plain, [-1.7e308])
    with pytest.raises(rlt.ModelError, match="shape"):
        macqueen(plain, [0.0, 0.0])
    with pytest.raises(rlt.PolicyError):
        residual_loss_bound(plain, [0.0], [[1.0]])


def test_greedy_loss_bound() -> None:
    assert greedy_loss_bound(F(9, 10), F(1, 4)) == F(9, 2)
    assert greedy_loss_bound(F(9, 10), F(1, 4), of="q") == 5
    assert greedy_loss_bound(0, 7) == 0 and greedy_loss_bound(0.5, 1.0) == 2.0
    for bad in ({"discount": 1.0}, {"discount": -0.1}, {"error": -1.0}, {"error": math.inf}):
        with pytest.raises(rlt.ModelError, match=next(iter(bad))):
            greedy_loss_bound(**({"discount": 0.5, "error": 1.0} | bad))
    with pytest.raises(rlt.ModelError, match="'value' or 'q'"):
        greedy_loss_bound(0.5, 1.0, of="v")


def test_simulation_bound_forms() -> None:
    g, eps_r, eps_p = F(4, 5), F(1, 10), F(1, 5)
    q, R = eps_p / 2, F(3)
    apart = 1 / (1 - g) - 1 / (1 - g + g * q)
    bound = simulation_bound(eps_r, eps_p, discount=g, reward_range=R)
    assert bound == eps_r / (1 - g) + (R - eps_r) * apart
    classical = simulation_bound(eps_r, eps_p, discount=g, reward_range=R, form="classical")
    assert classical == eps_r / (1 - g) + g * eps_p * R / (2 * (1 - g) ** 2) > bound
    H = 7
    staged = simulation_bound(eps_r, eps_p, horizon=H, reward_range=R)
    assert staged == H * eps_r + (R - eps_r) * sum(1 - (1 - q) ** h for h in range(H))
    line = simulation_bound(eps_r, eps_p, horizon=H, reward_range=R, form="classical")
    assert line == H * eps_r + F(H * (H - 1), 4) * eps_p * R > staged
    floats = simulation_bound(0.1, 0.2, horizon=H, reward_range=3.0)
    assert floats == pytest.approx(float(staged), rel=1e-14)
    assert simulation_bound(0, 0, horizon=1) == 0
    assert simulation_bound(0, 2, discount=F(1, 2)) == 1, "nothing in common after the first step"


def test_simulation_bound_refuses() -> None:
    for arguments, message in (
        ({"reward_error": 2}, "at most reward_range"),
        ({"reward_error": -1}, "reward_error"),
        ({"l1_error": 2.1}, r"\[0, 2\]"),
        ({"l1_error": -0.1}, r"\[0, 2\]"),
        ({"discount": 1.0}, "discount"),
        ({"discount": None}, "one of discount and horizon"),
        ({"horizon": 3}, "one of discount and horizon"),
        ({"discount": None, "horizon": 0}, "horizon"),
        ({"form": "sharp"}, "'coupling' or 'classical'"),
    ):
        given = {"reward_error": 0, "l1_error": 0.5, "discount": 0.5} | arguments
        with pytest.raises(rlt.ModelError, match=message):
            simulation_bound(**given)


def test_variance_resolvent_bound() -> None:
    assert variance_resolvent_bound(0) == 0.5 and variance_resolvent_bound(0, "centred") == 0.0
    for g in (0.5, 0.9, 0.999):
        wanted = math.sqrt(1 + g) / (2 * (1 - g) ** 1.5)
        assert variance_resolvent_bound(g) == pytest.approx(wanted, rel=1e-12)
        sharper = variance_resolvent_bound(g, form="centred")
        assert sharper / wanted == pytest.approx(math.sqrt(g / (1 + g)), rel=1e-12)
    with pytest.raises(rlt.ModelError, match="form"):
        variance_resolvent_bound(0.5, form="sharp")
    with pytest.raises(rlt.ModelError, match="discount"):
        variance_resolvent_bound(1)


def test_howard_iteration_bound() -> None:
    # Two of five states decide: 2 x 3 policies; at 0.9 the other bound is (8 - 5) x 24.
    ragged = rlt.MDP.from_pairs(
        states=[0, 0, 1, 1, 1, 2, 3, 4],
        actions=[0, 1, 0, 1, 2, 0, 0, 0],
        transitions=np.eye(5)[[0, 1, 2, 3, 4, 2, 3, 4]],
        rewards=np.zeros(8),
        discount=0.9,
    )
    assert howard_iteration_bound(ragged) == 5
    wide = rlt.MDP(np.full((30, 2, 30), 1 / 30), np.zeros((30, 2)), discount=0.9)
    assert howard_iteration_bound(wide) == 30 * math.ceil(10 * math.log(10)) == 30 * 24
    assert howard_iteration_bound(wide.with_discount(0.0)) == 30
    assert howard_iteration_bound(wide.with_discount(0.5)) == 30 * 2
    exact = rlt.MDP([[[1], [1]]], [[1, 0]], F(9, 10), exact=True)
    assert howard_iteration_bound(exact) == 1
