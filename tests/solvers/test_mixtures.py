"""Mixtures are linear, nested or not; their Markov policies have their occupancies.

The oracle is a dynamic program in fractions over plain lists, written down here.
"""

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from episodes import few
from hypothesis import given
from hypothesis import strategies as st
from plain_rows import random_policy

import rltheory as rlt
from rltheory import ModelError, PolicyError

F = Fraction
S, A, H = 3, 2, 3
DISCOUNT = F(3, 4)


def law(random: Any, size: int, zeros: float) -> list[Fraction]:
    weights = [0 if random.random() < zeros else int(random.integers(1, 8)) for _ in range(size)]
    weights[int(random.integers(size))] += 1
    return [F(w, sum(weights)) for w in weights]


def tables(seed: int) -> tuple[Any, Any, Any]:
    """Moves (H, S, A, S + 1), the last one an end; rewards (H, S, A); a start law."""
    random = np.random.default_rng(seed)
    moves = [[[law(random, S + 1, 0.5) for _ in range(A)] for _ in range(S)] for _ in range(H)]
    paid = [[[F(int(random.integers(-4, 5)), 4) for _ in range(A)] for _ in range(S)]
            for _ in range(H)]  # fmt: skip
    return moves, paid, law(random, S, 0.5)


def policies_of(seed: int, count: int) -> list[Any]:
    random = np.random.default_rng([seed, 1])
    return [[[law(random, A, 0.5) for _ in range(S)] for _ in range(H)] for _ in range(count)]


def staged_occupancy(moves: Any, start: Any, policy: Any) -> list[Any]:
    reached, out = list(start), []
    for h in range(H):
        d = [[reached[s] * policy[h][s][a] for a in range(A)] for s in range(S)]
        out.append(d)
        reached = [
            sum((d[s][a] * moves[h][s][a][t] for s in range(S) for a in range(A)), F(0))
            for t in range(S)
        ]
    return out


def staged_value(moves: Any, paid: Any, policy: Any) -> list[Fraction]:
    value = [F(0)] * S
    for h in reversed(range(H)):
        value = [
            sum(
                (
                    policy[h][s][a]
                    * (paid[h][s][a] + sum((moves[h][s][a][t] * value[t] for t in range(S)), F(0)))
                    for a in range(A)
                ),
                F(0),
            )
            for s in range(S)
        ]
    return value


def floats(x: Any) -> Any:
    return np.array(x, dtype=np.float64)


def episodic(seed: int, exact: bool) -> Any:
    moves, paid, start = tables(seed)
    dtype: Any = object if exact else np.float64
    rows = np.array(moves, dtype=dtype)
    return rlt.EpisodicMDP(
        rows[..., :S], np.array(paid, dtype=dtype), H, floats(start), termination=rows[..., S],
        exact=exact,
    )  # fmt: skip


def nested(weights: list[Fraction], policies: list[Any]) -> rlt.Mixture:
    """The same mixture drawn in two steps: the first one, or one of the rest."""
    rest = 1 - weights[0]
    inner = rlt.Mixture([float(w / rest) for w in weights[1:]], [floats(p) for p in policies[1:]])
    return rlt.Mixture([float(weights[0]), float(rest)], [floats(policies[0]), inner])


WEIGHTS = [F(1, 2), F(1, 8), F(3, 8)]


@few
@given(st.integers(0, 2**20), st.booleans())
def test_values_and_occupancies_are_linear(seed: int, exact: bool) -> None:
    moves, paid, start = tables(seed)
    mdp, policies = episodic(seed, exact), policies_of(seed, 3)
    flat = rlt.Mixture([float(w) for w in WEIGHTS], [floats(p) for p in policies])
    value = [staged_value(moves, paid, p) for p in policies]
    d = [staged_occupancy(moves, start, p) for p in policies]
    wanted = sum(float(w) * floats(v) for w, v in zip(WEIGHTS, value, strict=True))
    mass = sum(float(w) * floats(x) for w, x in zip(WEIGHTS, d, strict=True))
    for mixture in (flat, nested(WEIGHTS, policies), rlt.Mixture([1.0], [flat])):
        assert np.allclose(rlt.evaluate(mdp, mixture)[0], wanted, rtol=0, atol=1e-13)
        assert np.allclose(rlt.occupancy(mdp, mixture), mass, rtol=0, atol=1e-14)
        other = np.roll(floats(start), 1)
        moved = [staged_occupancy(moves, [start[-1], *start[:-1]], p) for p in policies]
        mean = sum(float(w) * floats(x) for w, x in zip(WEIGHTS, moved, strict=True))
        assert np.allclose(rlt.occupancy(mdp, mixture, initial=other), mean, rtol=0, atol=1e-14)


@few
@given(st.integers(0, 2**20), st.booleans())
def test_the_markov_policy_of_a_mixture_with_a_horizon(seed: int, exact: bool) -> None:
    moves, paid, start = tables(seed)
    mdp, policies = episodic(seed, exact), policies_of(seed, 3)
    markov = rlt.markov_policy_of(mdp, nested(WEIGHTS, policies))
    assert markov.shape == (H, S, A)
    d = [staged_occupancy(moves, start, p) for p in policies]
    for h in range(H):
        for s in range(S):
            row = [sum((w * x[h][s][a] for w, x in zip(WEIGHTS, d, strict=True)), F(0))
                   for a in range(A)]  # fmt: skip
            whole = sum(row, F(0))
            wanted = [x / whole for x in row] if whole else [F(1, A)] * A
            assert np.allclose(markov[h, s], floats(wanted), rtol=0, atol=1e-13)
    # The theorem: the same occupancy and value, by the oracle's own recursion, from the start law.
    exactly = [[[F(float(x)) for x in row] for row in rows] for rows in markov]
    mass = sum(float(w) * floats(x) for w, x in zip(WEIGHTS, d, strict=True))
    assert np.allclose(floats(staged_occupancy(moves, start, exactly)), mass, rtol=0, atol=1e-13)
    own = sum(x * y for x, y in zip(start, staged_value(moves, paid, exactly), strict=True))
    mean = sum(
        w * sum(x * y for x, y in zip(start, staged_value(moves, paid, p), strict=True))
        for w, p in zip(WEIGHTS, policies, strict=True)
    )
    assert abs(own - mean) < F(1, 10**12)


@pytest.mark.parametrize("seed", range(25))
def test_the_markov_policy_of_a_mixture_under_a_discount(seed: int) -> None:
    mdp = rlt.awkward(seed)
    start = np.random.default_rng(seed).dirichlet(np.ones(mdp.n_states))
    weights = np.random.default_rng(seed).dirichlet(np.ones(4))
    policies = [random_policy(mdp, 10 * seed + i) for i in range(4)]
    mixture = rlt.Mixture(weights, policies)
    mean = sum(w * rlt.occupancy(mdp, p, start) for w, p in zip(weights, policies, strict=True))
    assert np.allclose(rlt.occupancy(mdp, mixture, start), mean, rtol=0, atol=1e-12)
    markov = rlt.markov_policy_of(mdp, mixture, start)
    assert np.allclose(markov.sum(axis=1), 1.0, atol=1e-15)
    assert np.allclose(rlt.occupancy(mdp, markov, start), mean, rtol=0, atol=1e-7 * mean.sum())
    value = start @ rlt.evaluate(mdp, mixture)
    scale = np.abs(rlt.evaluate(mdp, mixture)).max()
    assert abs(start @ rlt.evaluate(mdp, markov) - value) <= 1e-6 * scale


def test_averaged_rows_are_another_policy() -> None:
    """Puterman's point: reward 1 for the same action twice; the mixture always has it."""
    moves = [[[1, 0], [0, 1]], [[1, 0], [0, 1]]]
    paid = [[[0, 0], [0, 0]], [[1, 0], [0, 1]]]
    mdp = rlt.EpisodicMDP(moves, paid, 2, [1.0, 0.0])
    mixture = rlt.Mixture([0.5, 0.5], [[0, 0], [1, 1]])
    assert rlt.evaluate(mdp, mixture)[0, 0] == 1.0
    assert rlt.evaluate(mdp, rlt.uniform_policy(mdp))[0, 0] == 0.5
    markov = rlt.markov_policy_of(mdp, mixture)
    assert markov.tolist() == [[[0.5, 0.5], [0.5, 0.5]], [[1.0, 0.0], [0.0, 1.0]]]
    assert rlt.evaluate(mdp, markov)[0].tolist() == [1.0, 1.0]  # state 1 at stage 0: no start


def test_tiny_masses_keep_their_ratio() -> None:
    """State 1 is reached with 2^-1040; what is played there is still told apart."""
    chance = 2.0**-520
    mdp = rlt.EpisodicMDP(
        [[[1.0, 0.0], [1.0, chance]], [[1.0, 0.0], [0.0, 1.0]]],
        np.zeros((2, 2)),
        2,
        [1.0, 0.0],
    )
    rare = [[1.0, chance], [0.25, 0.75]]
    markov = rlt.markov_policy_of(mdp, rlt.Mixture([1.0], [rare]))
    assert rlt.occupancy(mdp, rare)[1, 1].sum() == 2.0**-1040
    assert markov[1, 1].tolist() == [0.25, 0.75]
    assert rlt.markov_policy_of(mdp, [0, 0])[1, 1].tolist() == [0.5, 0.5]  # never reached


def test_ragged_models() -> None:
    ragged = rlt.MDP.from_pairs(
        [0, 0, 1], [0, 2, 1], [[0.5, 0.5], [0, 1], [1, 0]], [1, 2, 3], 0.5, [1, 0]
    )
    mixture = rlt.Mixture([0.5, 0.5], [[0, 1], [2, 1]])
    for mdp in (ragged, ragged.episodic(3)):
        markov = rlt.markov_policy_of(mdp, mixture)
        assert markov.shape[-2:] == (2, 3)
        wanted = rlt.occupancy(mdp, mixture)
        assert np.allclose(rlt.occupancy(mdp, markov), wanted, rtol=1e-12, atol=1e-15)


def test_what_is_refused() -> None:
    mdp = rlt.riverswim(3, discount=0.9)
    bare = rlt.MDP(mdp.transitions, mdp.rewards, 0.9)
    with pytest.raises(ModelError, match="needs a start law"):
        rlt.markov_policy_of(bare, [0, 0, 0])
    mixture = rlt.Mixture([1.0], [[0, 0, 0]])
    for use in (
        lambda: rlt.bellman(mdp, np.zeros(3), mixture),
        lambda: rlt.evaluate_regularized(mdp, mixture, 1.0),
    ):
        with pytest.raises(
            PolicyError, match=r"a Mixture is no Markov policy; rlt\.markov_policy_of"
        ):
            use()
    with pytest.raises(PolicyError, match=r"actions are 0\.\.1"):
        rlt.evaluate(mdp, rlt.Mixture([0.5, 0.5], [mixture, [0, 0, 2]]))
