"""Preferences: labels, and the law they are drawn from."""

from typing import Any

import numpy as np
import pytest
from episodes import episode_lists, few, trajectories_of
from hypothesis import given
from scipy.stats import binomtest

import rltheory as rlt
from rltheory import ModelError
from rltheory.mdp.data.preferences import preference_probability

POOR = rlt.Trajectories([0, 1], [0, 0], [0.0, 0.0], [-1, -1], [1, 1])
RICH = rlt.Trajectories([0, 0, 0], [0, 1, 1], [1.0, 1.0, 0.0], [-1, -1], [2, 1])


def test_two_pairs_by_hand() -> None:
    pairs = rlt.Preferences(POOR, RICH, [1, 0])
    assert len(pairs) == 2 and pairs.signs.tolist() == [1, -1]
    assert pairs.differences().tolist() == [2.0, 0.0]
    assert pairs.differences([[1.0, 5.0], [2.0, 0.0]]).tolist() == [5.0, 3.0]
    assert pairs[1].labels.tolist() == [0] and pairs[1].first.states.tolist() == [1]
    twice = rlt.Preferences.concatenate([pairs, pairs[:1]])
    assert twice.labels.tolist() == [1, 0, 1] and twice.second.lengths.tolist() == [2, 1, 2]


def test_the_logistic_link() -> None:
    assert preference_probability([0.0, np.log(3.0), -np.log(3.0)]).tolist() == [0.5, 0.75, 0.25]
    assert preference_probability([1e4, -1e4, -745.0]).tolist() == [1.0, 0.0, np.exp(-745.0)]
    x = np.linspace(-30.0, 30.0, 1001)
    assert np.allclose(preference_probability(x) + preference_probability(-x), 1.0, atol=1e-15)


@pytest.mark.parametrize(("difference", "scale"), [(0.0, 1.0), (1.0, 1.0), (-0.5, 0.25)])
def test_labels_have_the_law(difference: float, scale: float) -> None:
    n = 4000
    first = rlt.Trajectories([0] * n, [0] * n, np.zeros(n), [-1] * n, [1] * n)
    second = rlt.Trajectories([0] * n, [0] * n, np.full(n, difference), [-1] * n, [1] * n)
    pairs = rlt.Preferences.bradley_terry(first, second, scale=scale, seed=3)
    chance = 1.0 / (1.0 + np.exp(-difference / scale))
    assert binomtest(int(pairs.labels.sum()), n, chance).pvalue > 1e-6
    again = rlt.Preferences.bradley_terry(first, second, scale=scale, seed=3)
    other = rlt.Preferences.bradley_terry(first, second, scale=scale, seed=4)
    assert (again.labels == pairs.labels).all() and (other.labels != pairs.labels).any()
    assert pairs.provenance.seed == 3 and pairs.provenance.details["scale"] == scale
    assert pairs.provenance.details["reward"] == "collected"


def test_a_judge_with_a_reward_of_its_own() -> None:
    reward = [[0.0, -800.0], [0.0, 0.0]]
    pairs = rlt.Preferences.bradley_terry(POOR, RICH, reward, seed=0)
    assert pairs.labels.tolist() == [0, 0]  # the second ones take action 1 in state 0
    other = rlt.Preferences.bradley_terry(POOR, RICH, np.zeros((2, 2)), seed=0)
    digests = {one.provenance.details["reward"] for one in (pairs, other)}
    assert len(digests) == 2 and all(len(digest) == 64 for digest in digests)


@few
@given(episode_lists(), episode_lists())
def test_pairs_of_any_data(first: list[Any], second: list[Any]) -> None:
    n = min(len(first), len(second))
    one, two = trajectories_of(first)[:n], trajectories_of(second)[:n]
    pairs = rlt.Preferences.bradley_terry(one, two, seed=1)
    assert pairs.differences().tolist() == (two.returns() - one.returns()).tolist()
    assert [len(pair) for pair in pairs] == [1] * n


BAD: list[tuple[dict[str, Any], str]] = [
    ({"labels": [1, 2]}, "labels[1] is 2; it must be 0..1"),
    ({"labels": [1]}, "labels has 1 entries and first 2"),
    ({"labels": [1.0, 0.0]}, "labels has dtype float64"),
    ({"second": RICH[:1]}, "first has 2 trajectories and second 1"),
    ({"first": POOR.transitions()}, "first is a Transitions; it must be Trajectories"),
]


@pytest.mark.parametrize(("change", "words"), BAD)
def test_what_is_no_preference(change: dict[str, Any], words: str) -> None:
    fields: dict[str, Any] = {"first": POOR, "second": RICH, "labels": [1, 0]}
    with pytest.raises(ModelError) as caught:
        rlt.Preferences(**(fields | change))
    assert words in str(caught.value) and "\n" not in str(caught.value)


def test_scales_and_seeds_that_are_none() -> None:
    for scale in (0.0, -1.0, np.inf, np.nan, "1"):
        with pytest.raises(ModelError, match="scale is"):
            rlt.Preferences.bradley_terry(POOR, RICH, scale=scale)  # type: ignore[arg-type]
    with pytest.raises(ModelError, match="seed is -1"):
        rlt.Preferences.bradley_terry(POOR, RICH, seed=-1)
    with pytest.raises(ModelError, match="2 trajectories and second 1"):
        rlt.Preferences.bradley_terry(POOR, RICH[:1])
