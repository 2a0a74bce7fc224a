"""Counted draws of every pair: what they sum to, how they are distributed, what they depend on."""

import numpy as np
import pytest

import rltheory as rlt
from rltheory.learning import draws
from rltheory.learning.draws import generative


def test_shares_are_those_of_the_rows() -> None:
    mdp = rlt.MDP([[[0.2, 0.3]], [[0.0, 1.0]]], [[1.0], [0.5]], 0.9, termination=[[0.5], [0.0]])
    counts = generative(mdp, seed=0).counts(40_000)
    assert counts.visits.tolist() == [[40_000], [40_000]]
    shares = counts.dense()[0, 0] / 40_000
    # Five standard deviations of a share are below 0.0125.
    assert shares == pytest.approx([0.2, 0.3], abs=0.0125)
    assert counts.ends[0, 0] == 40_000 - counts.dense()[0, 0].sum()
    assert counts.dense()[1, 0].tolist() == [0, 40_000]
    assert counts.reward_sums.tolist() == [[40_000.0], [20_000.0]]


def test_calls_are_fresh_and_seeds_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    mdp = rlt.riverswim(4, discount=0.9)
    access, again, other = generative(mdp, 0), generative(mdp, 0), generative(mdp, 1)
    first, second = access.counts(50).dense(), access.counts(50).dense()
    assert not np.array_equal(first, second)
    assert np.array_equal(first, again.counts(50).dense())
    assert not np.array_equal(first, other.counts(50).dense())
    monkeypatch.setattr(draws, "_BLOCK", 7)
    assert np.array_equal(first, generative(mdp, 0).counts(50).dense())


def test_absent_pairs_and_stages() -> None:
    ragged = rlt.MDP.from_pairs([0, 0, 1], [0, 1, 1], [[0, 1], [1, 0], [0, 1]], [1, 2, 3], 0.5)
    counts = generative(ragged).counts(3)
    assert counts.visits.tolist() == [[3, 3], [0, 3]]
    assert counts.reward_sums.tolist() == [[3.0, 6.0], [0.0, 9.0]]
    assert rlt.PlugIn(1)(generative(ragged)).value == pytest.approx(rlt.solve(ragged).value)
    staged = rlt.random_episodic(3, 2, 4, seed=1)
    assert generative(staged).counts(2).visits.shape == (4, 3, 2)
    assert generative(rlt.riverswim(3).episodic(5)).counts(2).visits.shape == (3, 2)
