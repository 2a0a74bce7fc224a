"""UCBVI-Ent: its plan by hand, the golden grid, and what it refuses."""

import math

import numpy as np
import pytest

import rltheory as rlt
from rltheory.demonstrations.ucbvi_ent import entropy_bonus
from rltheory.errors import ModelError


def entropies(rows: np.ndarray) -> np.ndarray:
    return -np.where(rows > 0, rows * np.log(np.where(rows > 0, rows, 1.0)), 0.0).sum(axis=-1)


def test_its_plan_is_that_of_plain_formulas() -> None:
    S, A, H, delta = 3, 2, 3, 0.1
    mdp = rlt.random_episodic(S, A, 1, seed=4)
    rows = mdp.transitions.toarray().reshape(S, A, S)
    access = rlt.online(rlt.EpisodicMDP(rows, np.zeros((S, A)), H, mdp.initial), 0)
    learner = rlt.UCBVIEnt(delta, factor=0.01)
    rlt.run(learner, access, 200)
    policy = learner.plan(0)
    value = [0.0] * S
    for h in reversed(range(H)):
        cap, new = (H - h) * math.log(S * A), []
        for s in range(S):
            q = []
            for a in range(A):
                n = int(learner.visits[s, a])
                p = learner.transitions[s, a] / max(n, 1)
                one, two = entropy_bonus(np.array(n), S, A, H, delta)
                own = float(entropies(p)) if h < H - 1 else 0.0
                q.append(own + float(p @ value) + 0.01 * (cap * one + two) if n else cap)
            total = math.log(sum(math.exp(x) for x in q))
            np.testing.assert_allclose(policy[h, s], [math.exp(x - total) for x in q], rtol=1e-10)
            new.append(min(total, cap))
        value = new


def test_without_a_bonus_it_learns_the_largest_entropy() -> None:
    S, A, H = 3, 2, 4
    rows = np.random.default_rng(1).dirichlet(np.full(S, 0.4), size=(S, A))
    rewards = entropies(rows)
    start, paid = np.full(S, 1 / S), np.stack([rewards] * (H - 1) + [np.zeros((S, A))])
    best = rlt.EpisodicMDP(np.stack([rows] * H), paid, H, start)
    optimum = rlt.solve_regularized(best, 1.0)
    learner = rlt.UCBVIEnt(0.1, factor=0.0, replan_every=50)
    rlt.run(learner, rlt.online(rlt.EpisodicMDP(rows, np.zeros((S, A)), H, start), 0), 2000)
    value = rlt.evaluate_regularized(best, learner.plan(0), 1.0)
    assert float((optimum.value[0] - value[0]).max()) < 1e-3


def test_bad_arguments_are_refused() -> None:
    with pytest.raises(ModelError, match="delta is 1"):
        rlt.UCBVIEnt(1.0)
    with pytest.raises(ModelError, match="factor is -1"):
        rlt.UCBVIEnt(0.1, factor=-1)
    leaving = rlt.EpisodicMDP([[[0.0]]], [[0.0]], 2, [1.0], termination=[[1.0]])
    with pytest.raises(ModelError, match="ended before its horizon"):
        rlt.run(rlt.UCBVIEnt(0.1), rlt.online(leaving, 0), 1)
