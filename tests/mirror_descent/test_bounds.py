"""Bounds hold on runs in doubles, and are what the formulas say."""

import math

import numpy as np
import pytest

import rltheory as rlt
from rltheory.errors import ModelError
from tests.helpers.small_models import random_model, random_policy, two_arms


@pytest.mark.parametrize("seed", range(3))
def test_bounds_hold_on_runs_in_doubles(seed):
    mdp, K = random_model(seed), 40
    best, start = rlt.solve(mdp).value, mdp.initial
    constant = rlt.mirror_descent_policy_iteration(mdp, 0.5, K)
    bound = rlt.mdpo_bound("sublinear", mdp, K, step_size=0.5)
    assert ((best - constant.values) @ start <= bound + 1e-12).all()

    steps = rlt.GeometricSteps.of_model(mdp, 0.1)
    growing = rlt.mirror_descent_policy_iteration(mdp, steps, K)
    valid = K + 1 if growing.cut_from is None else growing.cut_from + 1
    bound = rlt.mdpo_bound("geometric", mdp, K, step_size=0.1)
    assert valid > 10
    assert ((best - growing.values) @ start <= bound + 1e-12)[:valid].all()

    adaptive = rlt.mirror_descent_policy_iteration(mdp, rlt.GammaAdaptiveSteps(0.9, 1.0), K)
    valid = K + 1 if adaptive.cut_from is None else adaptive.cut_from + 1
    bound = rlt.mdpo_bound("gamma", mdp, K, slack=1.0)
    assert valid > 10
    assert ((best - adaptive.values).max(axis=1) <= bound + 1e-12)[:valid].all()


@pytest.mark.parametrize("step", [0.5, math.inf])
@pytest.mark.parametrize("with_reference", [False, True])
def test_entropy_bound_holds_on_runs_in_doubles(step, with_reference):
    mdp, reference = random_model(1), random_policy(3) if with_reference else None
    history = rlt.mirror_descent_policy_iteration(
        mdp, step, 40, reference=reference, temperature=0.2
    )
    best = rlt.solve_regularized(mdp, 0.2, reference)
    gaps = [np.abs(best.q - rlt.q_values(mdp, v)).max() for v in history.values]
    bound = rlt.mdpo_bound("entropy", mdp, 40, step_size=step, temperature=0.2, reference=reference)
    assert gaps[0] == pytest.approx(bound[0])
    assert (np.array(gaps) <= bound + 1e-9).all()


def test_bounds_by_hand_and_what_they_refuse():
    mdp = two_arms(0.5)
    # D_0 = log 2, V* - V^0 = 1, mismatch 2.
    geometric = rlt.mdpo_bound("geometric", mdp, 2, step_size=2.0)
    assert geometric == pytest.approx((1.0 + math.log(2.0)) * np.array([1.0, 0.5, 0.25]))
    far = rlt.mdpo_bound("sublinear", mdp, 1, step_size=1.0, init=[[0.0, 1.0]])
    assert np.isinf(far).all()
    # The gap of this run stays 1: no finite bound tends to 0.
    assert np.isinf(rlt.mdpo_bound("gamma", mdp, 6, slack=1.0, init=[[0.0, 1.0]])).all()
    assert np.isfinite(rlt.mdpo_bound("gamma", mdp, 6, slack=1.0, init=[[1.0, 0.0]])).all()
    for arguments, words in (
        (("cubic", mdp, 3), "known are sublinear"),
        (("sublinear", mdp, 3), "step_size is None"),
        (("gamma", mdp, 3), "slack is None"),
        (("gamma", two_arms(0.0), 3), "needs it above 0"),
        (("entropy", mdp, 3), "temperature is None"),
        (("sublinear", mdp, -1), "n_iters is -1"),
    ):
        with pytest.raises(ModelError, match=words):
            rlt.mdpo_bound(*arguments)
    for kind, name in (
        ("sublinear", "slack"),
        ("sublinear", "temperature"),
        ("gamma", "step_size"),
        ("entropy", "slack"),
    ):
        needed = {"gamma": {"slack": 1.0}}.get(kind, {"step_size": 1.0})
        with pytest.raises(ModelError, match=f"{name} is given; the bound '{kind}'"):
            rlt.mdpo_bound(kind, mdp, 3, **needed, **{name: 2.0})


def test_ragged_models_that_may_end():
    """State 0 has two of three actions, one of which may end; state 1 has one that stays."""
    mdp = rlt.MDP.from_pairs(
        [0, 0, 1],
        [0, 2, 1],
        [[0.5, 0.5], [0.0, 0.25], [0.0, 1.0]],
        [0.0, 1.0, 0.25],
        discount=0.9,
        initial=[0.5, 0.5],
        termination=[0.0, 0.75, 0.0],
    )
    best, start = rlt.solve(mdp).value, mdp.initial
    natural = rlt.natural_policy_gradient(mdp, 0.05, 8)
    mirror = rlt.mirror_descent_policy_iteration(mdp, 0.5, 8)
    assert natural.policies == pytest.approx(mirror.policies, rel=1e-12)
    assert mirror.policies[0].tolist() == [[0.5, 0.0, 0.5], [0.0, 1.0, 0.0]]
    for kind, steps, size in (
        ("sublinear", 0.5, {"step_size": 0.5}),
        ("geometric", rlt.GeometricSteps.of_model(mdp, 0.5), {"step_size": 0.5}),
        ("gamma", rlt.GammaAdaptiveSteps(0.9, 1.0), {"slack": 1.0}),
    ):
        gaps = best - rlt.mirror_descent_policy_iteration(mdp, steps, 8).values
        measured = gaps.max(axis=1) if kind == "gamma" else gaps @ start
        assert (measured <= rlt.mdpo_bound(kind, mdp, 8, **size) + 1e-12).all()
    soft = rlt.mirror_descent_policy_iteration(mdp, 0.5, 30, temperature=0.3)
    optimum = rlt.solve_regularized(mdp, 0.3)
    bound = rlt.mdpo_bound("entropy", mdp, 30, step_size=0.5, temperature=0.3)
    gaps = [np.abs(optimum.q - rlt.q_values(mdp, v)).max() for v in soft.values]
    assert (np.array(gaps) <= bound + 1e-9).all()
    assert rlt.fisher_matrix(mdp, mirror.policies[0]).shape == (3, 3)
    assert rlt.softmax_policy_gradient(mdp, mirror.policies[0])[1].tolist() == [0.0] * 3
