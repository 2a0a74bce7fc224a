"""Bounds of what policies of probabilities earn, against Gaussian elimination in fractions."""

from fractions import Fraction

import numpy as np
import pytest
from plain_rows import random_policy

import rltheory as rlt
from rltheory.foundations.rationals import solve_linear
from rltheory.solvers.policy_returns import PolicyReturns

F = Fraction


def exact_chain(
    mdp: rlt.MDP | rlt.EpisodicMDP, policy: np.ndarray, rewards: np.ndarray
) -> tuple[list[list[Fraction]], list[Fraction]]:
    """(P_pi, r_pi) of rows and probabilities over their exact sums."""
    dense, moves, paid = mdp.transitions.toarray(), [], []
    for s in range(mdp.n_states):
        rows = range(mdp.pair_ptr[s], mdp.pair_ptr[s + 1])
        w = [F(policy[s, mdp.actions[row]]) for row in rows]
        line, earned = [F(0)] * mdp.n_states, F(0)
        for row, x in zip(rows, w, strict=True):
            p = [F(y) for y in dense[row]]
            total = sum(p) + F(mdp.termination[row])
            line = [a + x / sum(w) * y / total for a, y in zip(line, p, strict=True)]
            earned += x / sum(w) * F(rewards[row])
        moves.append(line)
        paid.append(earned)
    return moves, paid


@pytest.mark.parametrize("seed", range(60))
def test_they_contain_the_exact_return(seed: int) -> None:
    mdp = rlt.awkward(seed)
    policy = random_policy(mdp, seed)
    low, high = PolicyReturns(mdp, policy, mdp.initial).bounds(mdp.mean_rewards.tolist())
    moves, paid = exact_chain(mdp, policy, mdp.mean_rewards)
    n, g = mdp.n_states, F(mdp.discount)
    matrix = [[int(s == t) - g * moves[s][t] for t in range(n)] for s in range(n)]
    exact = sum(F(p) * v for p, v in zip(mdp.initial, solve_linear(matrix, paid), strict=True))
    assert low <= exact <= high
    size = max(map(abs, paid), default=F(0)) / (1 - g) / (1 - g)
    assert high - low <= F(2) ** -90 * size


@pytest.mark.parametrize("seed", range(30))
def test_with_a_horizon(seed: int) -> None:
    mdp = rlt.awkward(seed).episodic(1 + seed % 5)
    policy = np.stack([random_policy(rlt.awkward(seed), seed + h)
                       for h in range(mdp.horizon)])  # fmt: skip
    low, high = PolicyReturns(mdp, policy, mdp.initial).bounds(mdp.mean_rewards.tolist())
    value = [F(0)] * mdp.n_states
    for h in reversed(range(mdp.horizon)):
        moves, paid = exact_chain(mdp, policy[h], mdp.mean_rewards)
        value = [
            r + sum(p * v for p, v in zip(line, value, strict=True))
            for r, line in zip(paid, moves, strict=True)
        ]
    exact = sum(F(p) * v for p, v in zip(mdp.initial, value, strict=True))
    assert low <= exact <= high
    size = max((abs(F(x)) for x in mdp.mean_rewards), default=F(0)) * mdp.horizon
    assert high - low <= F(2) ** -120 * size


def test_dyadic_returns_are_exact() -> None:
    mdp = rlt.MDP([[[0.5, 0.5]], [[0, 1]]], [[1], [0]], 0.5, [1, 0])
    low, high = PolicyReturns(mdp, np.ones((2, 1)), mdp.initial).bounds([0.75, 0])
    assert low == high == 1
    assert PolicyReturns(mdp, np.ones((2, 1)), mdp.initial).bounds([0, 0]) == (0, 0)


def test_exits_count() -> None:
    """Always 1 until the end: 1 / (1 - g/2), which a witness without exits would miss."""
    mdp = rlt.MDP([[[0.5]]], [[1.0]], 0.5, [1.0], termination=[[0.5]])
    low, high = PolicyReturns(mdp, np.ones((1, 1)), mdp.initial).bounds([1.0])
    assert low <= F(4, 3) <= high <= low + F(2) ** -100


@pytest.mark.parametrize("scale", [1e-300, 1e-5, 1e300])
def test_rewards_of_any_size(scale: float) -> None:
    mdp = rlt.MDP([[[0.5, 0.5]], [[0.25, 0.75]]], [[scale], [0]], 0.9, [1, 0])
    low, high = PolicyReturns(mdp, np.ones((2, 1)), mdp.initial).bounds([scale, 0.0])
    g = F(0.9)
    matrix = [[1 - g / 2, -g / 2], [-g / 4, 1 - 3 * g / 4]]
    exact = solve_linear(matrix, [F(scale), F(0)])[0]
    assert low <= exact <= high and high - low <= F(scale) * F(2) ** -90
