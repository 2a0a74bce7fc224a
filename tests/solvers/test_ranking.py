"""Ranking functions hold exactly, and are the largest expected numbers of steps."""

import itertools
from fractions import Fraction

import numpy as np
import plain_total
import pytest

import rltheory as rlt


def longest(mdp: rlt.MDP, policy: list[int] | None = None) -> list[Fraction] | None:
    """The largest expected number of steps, by enumeration; None where a run may not end."""
    rows = plain_total.rows_by_state(mdp)
    if policy is not None:
        rows = [[mine[a]] for mine, a in zip(rows, policy, strict=True)]
    found = []
    for pick in itertools.product(*rows):
        if plain_total.recurrent_classes(pick):
            return None
        S = range(len(pick))
        matrix = [[Fraction(int(s == t)) - pick[s].next.get(t, Fraction(0)) for t in S] for s in S]
        found.append(plain_total.solve(matrix, [Fraction(1)] * len(pick)))
    return [max(each) for each in zip(*found, strict=True)]


@pytest.mark.parametrize("of_policy", [False, True])
def test_by_enumeration(of_policy: bool) -> None:
    rng = np.random.default_rng(int(of_policy))
    some = 0
    for _ in range(200):
        mdp = plain_total.random_model(rng, thirds=True)
        first = [0] * mdp.n_states if of_policy else None
        wanted = longest(mdp, first)
        if wanted is None:
            with pytest.raises(rlt.ModelError, match="can stay in states"):
                rlt.ranking_function(mdp, first)
            continue
        some += 1
        f = [Fraction(x) for x in rlt.ranking_function(mdp, first)]
        for s, mine in enumerate(plain_total.rows_by_state(mdp)):
            for row in mine[:1] if of_policy else mine:
                assert f[s] >= 1 + sum((p * f[t] for t, p in row.next.items()), Fraction(0))
        assert all(a <= b <= a * (1 + Fraction(1, 10**9)) for a, b in zip(wanted, f, strict=True))
    assert some > 20


def test_the_component_is_named() -> None:
    mdp = rlt.MDP.deterministic([[1, 2], [1, 1], [-1, -1]], np.zeros((3, 2)))
    with pytest.raises(rlt.ModelError, match="takes an MDP, not EpisodicMDP"):
        rlt.ranking_function(rlt.riverswim().episodic(3))  # type: ignore[arg-type]
    with pytest.raises(rlt.ModelError, match=r"a policy can stay in states \[1\] for ever"):
        rlt.ranking_function(mdp)
    with pytest.raises(rlt.ModelError, match=r"the policy can stay in states \[1\]"):
        rlt.ranking_function(mdp, [1, 0, 0])


def test_long_runs() -> None:
    for log in (10, 20, 35):
        mdp = rlt.MDP([[[1.0 - 2.0**-log]]], [[0.0]], termination=[[2.0**-log]])
        f = rlt.ranking_function(mdp)[0]
        assert 2.0**log <= f <= 2.0**log * 1.001
    mdp = rlt.MDP([[[1.0 - 2.0**-52]]], [[0.0]], termination=[[2.0**-52]])
    with pytest.raises(rlt.ConvergenceError, match="too long"):
        rlt.ranking_function(mdp)


def test_large_chains() -> None:
    n = 2000
    mdp = rlt.MDP.deterministic([[s - 1, s - 1] for s in range(n)], np.zeros((n, 2)))
    f = rlt.ranking_function(mdp)
    assert np.abs(f / np.arange(1, n + 1) - 1).max() < 1e-8
