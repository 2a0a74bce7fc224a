"""Bounds that the quick path hands to certificates, on models made to break them, in Fractions.

Rows off by up to 1e-9 in their sums, endings of every size, rewards and values over all orders of
magnitude, repeated rows, all storages; the discounts at the ends of their range.
"""

import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from plain_residuals import rows_in_fractions
from plain_rows import Vector, rows_of

import rltheory as rlt
from rltheory import _core
from rltheory.errors import ConvergenceError

kernels = _core.solvers
DISCOUNTS = (0.0, 2.0**-60, 0.5, 0.9, 1.0 - 1e-12, 1.0 - 2.0**-53)
EXITS = (0.0, 0.0, 5e-324, 1e-17, 0.5, 1.0 - 2.0**-30)
SCALES = (0.0, 5e-324, 1e-320, 1e-300, 1.0, 1.0, 1e150, 1e299)


def nasty(seed: int, horizon: int | None = None) -> Any:
    random = np.random.default_rng(seed)
    n, n_actions = int(random.choice([1, 2, 5])), int(random.choice([1, 2, 6]))
    kind = ("sparse", "full", "sure")[seed % 3]
    scale = float(random.choice(SCALES))
    reward = scale * random.choice([-1.0, -0.0, 0.3, 1.0], size=(n, n_actions))
    if random.random() < 0.5:
        reward *= random.random((n, n_actions))
    discount = None if horizon else float(random.choice(DISCOUNTS))
    if kind == "sure":
        following = random.integers(-(seed % 2), n, size=(n, n_actions))
        p = np.eye(n + 1)[following][..., :n]  # -1 is the end
        ends = np.asarray(following == -1, dtype=float)
        if horizon:
            return rlt.EpisodicMDP(p, reward, horizon, termination=ends)
        return rlt.MDP(p, reward, discount, termination=ends)
    p = random.dirichlet(np.full(n, 0.5 if kind == "sparse" else 5.0), size=(n, n_actions))
    if kind == "sparse":
        p[p < p.max(axis=-1, keepdims=True) * 0.5] = 0.0
        p /= p.sum(axis=-1, keepdims=True)
    if random.random() < 0.3:  # ties
        p[:, -1], reward[:, -1] = p[:, 0], reward[:, 0]
    ends = random.choice(EXITS, size=(n, n_actions)) if seed % 4 < 2 else np.zeros((n, n_actions))
    p *= (1.0 - ends)[..., None]
    if random.random() < 0.6:
        off = 1.0 + 9.9e-10 * random.uniform(-1.0, 1.0, size=(n, n_actions))
        p, ends = p * off[..., None], ends * off
    if horizon:
        return rlt.EpisodicMDP(p, reward, horizon, termination=ends)
    return rlt.MDP(p, reward, discount, termination=ends)


def starts(mdp: rlt.MDP, seed: int) -> list[Vector]:
    random, n = np.random.default_rng(seed), mdp.n_states
    size = float(np.abs(mdp.mean_rewards).max()) / (1.0 - float(mdp.discount or 0.0))
    size = min(size, 1e300)
    one = size * random.uniform(-1, 1)
    return [np.full(n, one), np.full(n, -0.0), size * random.uniform(-1, 1, size=n)]


def exact_residuals(mdp: rlt.MDP, value: Vector) -> list[tuple[int, Fraction]]:
    """(state, T_a v - v) of each row."""
    v = [Fraction(x) for x in value.tolist()]
    g = Fraction(float(mdp.discount or 0.0))
    return [
        (s, r + g * sum((p * x for p, x in zip(prob, v, strict=True)), Fraction(0)) - v[s])
        for s, prob, r in rows_in_fractions(rows_of(mdp))
    ]


@pytest.mark.parametrize("patience", [math.inf, 2.0])
def test_residuals_of_modified_policy_iteration(patience: float) -> None:
    finite = refused = 0
    for seed in range(500):
        mdp = nasty(seed)
        for start in starts(mdp, seed):
            for tol in (1e308, 0.0, 1e-3):
                value, rows, _, _, low, high, *_ = kernels.modified_policy_iteration(
                    mdp.core, float(mdp.discount or 0.0), tol, 0.0, patience, start
                )
                if not (math.isfinite(low) and math.isfinite(high) and np.isfinite(value).all()):
                    refused += 1
                    continue
                finite += 1
                exact = [residual for _, residual in exact_residuals(mdp, value)]
                assert max(exact) <= Fraction(high), (seed, tol)
                assert min(exact[row] for row in rows) >= Fraction(low), (seed, tol)
    assert finite > 3000 and refused > 50


def test_a_constant_start_knows_what_endings_are_divided_by() -> None:
    # 1 - exit is off by exit * defect, far more than rounding, where sums are off.
    mdp = rlt.MDP([[[0.5 + 9e-10]]], [[1.0]], 0.9, termination=[[0.5]])
    start = np.array([1.0 / (1.0 - 0.9 * 0.5)])
    for method in ("auto", "modified-policy-iteration"):
        solution = rlt.solve(mdp, method=method, initial_value=start)
        assert solution.certificate.check(mdp).accepted
        exact = 1 / (
            1 - Fraction(0.9) * Fraction(0.5 + 9e-10) / (Fraction(0.5 + 9e-10) + Fraction(1, 2))
        )
        assert Fraction(float(solution.lower[0])) <= exact <= Fraction(float(solution.upper[0]))


def test_residuals_of_backward_induction() -> None:
    finite = 0
    for seed in range(400):
        horizon = 1 + seed % 7
        mdp = nasty(seed, horizon)
        value, chosen, errors = kernels.backward_induction(mdp.core, horizon)
        for h in range(horizon):
            if not math.isfinite(errors[h]):
                continue
            finite += 1
            ahead = [Fraction(x) for x in value[h + 1].tolist()]
            exact = [
                r
                + sum((p * x for p, x in zip(prob, ahead, strict=True)), Fraction(0))
                - Fraction(float(value[h][s]))
                for s, prob, r in rows_in_fractions(rows_of(mdp, h))
            ]
            assert max(exact) <= Fraction(float(errors[h])), seed
            assert min(exact[row] for row in chosen[h]) >= -Fraction(float(errors[h])), seed
    assert finite > 1000


def test_backward_induction_over_stages_of_their_own() -> None:
    random = np.random.default_rng(0)
    for seed in range(60):
        H, n, A = 4, 3, 2
        p = random.dirichlet(np.ones(n), size=(H, n, A))
        p *= 1.0 + 9e-10 * random.uniform(-1.0, 1.0, size=(H, n, A))[..., None]
        reward = random.normal(size=(H, n, A)) * random.choice(SCALES, size=(H, 1, 1))
        if seed % 4 == 0:
            reward[1] = 0.0
        mdp = rlt.EpisodicMDP(p, reward, H)
        value, chosen, errors = kernels.backward_induction(mdp.core, H)
        for h in range(H):
            ahead = [Fraction(x) for x in value[h + 1].tolist()]
            exact = [
                r
                + sum((q * x for q, x in zip(prob, ahead, strict=True)), Fraction(0))
                - Fraction(float(value[h][s]))
                for s, prob, r in rows_in_fractions(rows_of(mdp, h))
            ]
            assert max(exact) <= Fraction(float(errors[h]))
            first = int(mdp.pair_ptr[h * n])
            assert min(exact[row - first] for row in chosen[h]) >= -Fraction(float(errors[h]))


@pytest.mark.parametrize("seed", range(24))
def test_rows_passed_over_change_no_bit_of_nasty_models(seed: int) -> None:
    random = np.random.default_rng(seed)
    n, A = 12, 9
    p = random.dirichlet(np.full(n, 0.2), size=(n, A))
    ends = random.choice(EXITS, size=(n, A)) if seed % 2 else np.zeros((n, A))
    p *= ((1.0 - ends) * (1.0 + 9e-10 * random.uniform(-1.0, 1.0, size=(n, A))))[..., None]
    p += 0.0
    scale = (1e-310, 1.0, 1e200)[seed % 3]
    reward = scale * (random.random((n, A)) - (0.0, 0.5, 1.0)[seed // 3 % 3])
    reward[:, 4], p[:, 4], ends[:, 4] = reward[:, 7], p[:, 7], ends[:, 7]
    if seed % 4 == 0:  # what is best changes again and again
        reward *= np.linspace(0.01, 1.0, n)[:, None]
    p *= ((1.0 - ends) / p.sum(axis=-1))[..., None]
    mdp = rlt.EpisodicMDP(p, reward, 120, termination=ends)
    value, chosen, _ = kernels.backward_induction(mdp.core, 120)
    here = np.zeros(n)
    for h in reversed(range(120)):
        here, rows = kernels.bellman(mdp.core, 0, 1.0, here)
        assert here.tobytes() == value[h].tobytes() and np.array_equal(rows, chosen[h])


def test_what_is_returned_passes_the_checker() -> None:
    accepted = 0
    for seed in range(150):
        mdp = nasty(seed)
        for method in ("auto", "modified-policy-iteration", "ordered-policy-iteration"):
            for start in (None, starts(mdp, seed)[0]):
                try:
                    solution = rlt.solve(mdp, method=method, initial_value=start)
                except ConvergenceError as fault:
                    if fault.solution is None:
                        continue
                    solution = fault.solution
                assert solution.certificate.check(mdp).accepted, (seed, method)
                accepted += 1
    assert accepted > 500


def test_overflow_is_never_certified() -> None:
    # Values beyond all doubles, of either sign, and infinities that come and go between sweeps.
    for reward in (1e308, -1e308, [1.7e308, -1.7e308]):
        flip = rlt.MDP.deterministic([[1], [0]], np.broadcast_to(reward, (2,))[:, None], 0.999)
        for start in ([0.0, 0.0], [1.7e308, -1.7e308], [-1.7e308, 1.7e308]):
            value, _, _, _, low, high, *_ = kernels.modified_policy_iteration(
                flip.core, 0.999, 1e300, 0.0, math.inf, np.array(start)
            )
            if np.isfinite([low, high]).all() and np.isfinite(value).all():
                exact = [x for _, x in exact_residuals(flip, value)]
                assert Fraction(low) <= min(exact) and max(exact) <= Fraction(high)
    # No minimum or maximum shows a NaN: of a state that no row looks at, and of two infinities.
    one_sided = rlt.MDP(np.full((4, 1, 4), [0.5, 0.5, 0.0, 0.0]), np.zeros((4, 1)), 0.5)
    assert one_sided.storage == "csr"
    for value in ([0.0, 0.0, 0.0, math.nan], [math.inf, -math.inf, 0.0, 0.0]):
        _, _, _, converged, low, high, *_ = kernels.modified_policy_iteration(
            one_sided.core, 0.5, 1e300, 0.0, math.inf, np.array(value)
        )
        assert not converged and not (math.isfinite(low) and math.isfinite(high))
        for own in (np.array(value), np.zeros(4)):
            _, _, finite = kernels.residual_bounds(
                one_sided.core, 0, 0.5, np.array(value), own, np.arange(4)
            )
            assert not finite or (math.isnan(value[-1]) and not own.any())


def test_values_of_one_sign_need_one_sum() -> None:
    """|sum p v| stands for sum p |v|; where signs differ, or are unknown, it may not."""
    random = np.random.default_rng(1)
    for seed in range(200):
        p = random.dirichlet(np.ones(6), size=(6, 2))
        reward = random.normal(size=(6, 2))
        mdp = rlt.MDP(p, reward, 0.5)
        v = np.abs(random.normal(size=6)) * 10.0 ** random.integers(-8, 8, size=6)
        v = (v, -v, np.where(random.random(6) < 0.5, v, -v), np.where(v < 1, -0.0, v))[seed % 4]
        rows = np.arange(0, 12, 2)
        low, high, finite = kernels.residual_bounds(mdp.core, 0, 0.5, v, v, rows)
        exact = [x for _, x in exact_residuals(mdp, v)]
        assert finite and Fraction(high) >= max(exact)
        assert Fraction(low) <= min(exact[row] for row in rows)
        size = float(np.abs(reward).max() + 1.5 * np.abs(v).max())
        assert float(Fraction(high) - max(exact)) <= 40 * 2.0**-53 * size
