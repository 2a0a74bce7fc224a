"""The plug-in model of counts, against shares written down by hand and against the model itself."""

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from episodes import ACTIONS, HORIZON, STATES, episode_lists, few, trajectories_of
from hypothesis import given

import rltheory as rlt
from rltheory import ModelError

COUNTS = rlt.Counts(
    [[4, 0], [1, 2]], [[[1, 2], [0, 0]], [[0, 1], [1, 1]]], [[2.0, 0.0], [-1.0, 0.5]]
)
STAGED = rlt.Counts(
    [[[2, 1], [0, 0]], [[0, 0], [1, 1]]],
    [[[[1, 1], [0, 1]], [[0, 0], [0, 0]]], [[[0, 0], [0, 0]], [[1, 0], [0, 0]]]],
    [[[1.0, 3.0], [0.0, 0.0]], [[0.0, 0.0], [2.0, 4.0]]],
)


def table(mdp: Any) -> Any:
    return mdp.transitions.toarray().reshape(-1, mdp.n_states).tolist()


@pytest.mark.parametrize(
    ("unvisited", "row", "ends"),
    [("end", [0.0, 0.0], 1.0), ("stay", [1.0, 0.0], 0.0), ("uniform", [0.5, 0.5], 0.0)],
)
def test_shares_by_hand(unvisited: Any, row: list[float], ends: float) -> None:
    mdp = COUNTS.empirical(0.5, [1.0, 0.0], unvisited=unvisited)
    assert isinstance(mdp, rlt.MDP) and mdp.discount == 0.5
    assert table(mdp) == [[0.25, 0.5], row, [0.0, 1.0], [0.5, 0.5]]
    assert mdp.termination.tolist() == [0.25, ends, 0.0, 0.0]
    assert mdp.rewards.tolist() == [[0.5, 0.0], [-1.0, 0.25]]
    assert mdp.initial is not None and mdp.initial.tolist() == [1.0, 0.0]
    known = COUNTS.empirical(0.5, rewards=[[1.0, 7.0], [2.0, 3.0]], unvisited=unvisited)
    assert known.rewards.tolist() == [[1.0, 7.0], [2.0, 3.0]]


def test_absent_pairs_are_no_pairs_of_the_model() -> None:
    mdp = COUNTS.empirical(0.5, unvisited="absent")
    assert mdp.states.tolist() == [0, 1, 1] and mdp.actions.tolist() == [0, 0, 1]
    assert table(mdp) == [[0.25, 0.5], [0.0, 1.0], [0.5, 0.5]]
    assert mdp.n_actions == 2 and mdp.termination.tolist() == [0.25, 0.0, 0.0]
    nothing = rlt.Counts([[1], [0]], [[[0, 1]], [[0, 0]]], [[0.0], [0.0]])
    with pytest.raises(ModelError, match=r"no pair of state \[1\] was visited"):
        nothing.empirical(0.5, unvisited="absent")


def test_stages_that_are_counted_apart() -> None:
    mdp = STAGED.empirical(initial=[1.0, 0.0], unvisited="stay")
    assert isinstance(mdp, rlt.EpisodicMDP) and mdp.horizon == 2
    expected = [[0.5, 0.5], [0, 1], [0, 1], [0, 1], [1, 0], [1, 0], [1, 0], [0, 0]]
    assert table(mdp) == expected
    assert mdp.termination.tolist() == [0] * 7 + [1.0]
    assert mdp.rewards.tolist() == [[[0.5, 3.0], [0.0, 0.0]], [[0.0, 0.0], [2.0, 4.0]]]
    with pytest.raises(ModelError, match=r"no pair of state \[0, 1\] was visited"):
        STAGED.empirical(unvisited="absent")
    seen = rlt.Counts([[[1, 0]], [[1, 1]]], [[[[1], [0]]], [[[0], [1]]]], np.zeros((2, 1, 2)))
    ragged = seen.empirical(unvisited="absent")
    assert ragged.n_pairs == 3 and ragged.actions.tolist() == [0, 0, 1]
    assert ragged.termination.tolist() == [0.0, 1.0, 0.0]
    pooled = STAGED.pooled().empirical(horizon=5)
    assert isinstance(pooled, rlt.EpisodicMDP) and pooled.is_stationary and pooled.horizon == 5


@few
@given(episode_lists())
def test_the_model_of_data_is_in_fractions_what_it_is_in_doubles(episodes: list[Any]) -> None:
    counts = trajectories_of(episodes).counts()
    policy = np.full((STATES, ACTIONS), 0.5)
    for one in (counts, counts.pooled()):
        for unvisited in ("end", "stay", "uniform"):
            kind: dict[str, Any] = {"horizon": HORIZON, "unvisited": unvisited}
            plain, exact = one.empirical(**kind), one.empirical(**kind, exact=True)
            assert exact.rational is not None
            assert np.allclose(
                rlt.evaluate(plain, policy), rlt.evaluate(exact, policy), rtol=1e-13, atol=1e-13
            )
            rows = exact.transitions.sum(axis=1) + exact.termination
            assert np.allclose(rows, 1.0, rtol=1e-15)


def test_fractions_are_kept() -> None:
    counts = rlt.Counts([[3]], [[[2]]], [[1.0]])
    arrays = counts.empirical(Fraction(1, 3), exact=True).arrays()  # type: ignore[arg-type]
    assert arrays["prob"] == (Fraction(2, 3),) and arrays["reward"] == (Fraction(1, 3),)
    # Doubles of 1/3 do not sum to 1; as counts they do.
    solution = rlt.solve_exact(counts.empirical(Fraction(1, 2), exact=True))  # type: ignore[arg-type]
    assert solution.value == (Fraction(1, 2),)  # 1/3 / (1 - 1/2 2/3)
    with pytest.raises(ModelError, match="unvisited cannot be 'absent'"):
        seen = rlt.Counts([[[1, 0]]], [[[[1], [0]]]], np.zeros((1, 1, 2)))
        seen.empirical(unvisited="absent", exact=True)


def test_counts_in_proportion_give_the_model_back() -> None:
    for seed in range(30):
        moves = np.random.default_rng(seed).multinomial(64, [0.25] * 4, size=(3, 2))
        mdp = rlt.MDP(
            moves[..., :3] / 64, np.full((3, 2), 0.5), 0.9, termination=moves[..., 3] / 64
        )
        counts = rlt.Counts(np.full((3, 2), 64), moves[..., :3], np.full((3, 2), 32.0))
        assert counts.empirical(0.9).fingerprint == mdp.fingerprint


BAD: list[tuple[dict[str, Any], str]] = [
    ({}, "pair [0, 1] was never visited; say what it is: unvisited="),
    ({"unvisited": "zero"}, "unvisited is 'zero'; allowed are end, stay, uniform, absent, refuse"),
    ({"discount": 0.5, "horizon": 3, "unvisited": "end"}, "a discount and 3 stages are both given"),
    ({"discount": 1.5, "unvisited": "end"}, "discount is 1.5"),
    ({"horizon": 0}, "horizon is 0"),
    ({"rewards": [0.0], "unvisited": "end"}, "rewards has shape (1,); it must be (2, 2)"),
    ({"initial": [1.0], "unvisited": "end"}, "initial has shape (1,)"),
]


@pytest.mark.parametrize(("arguments", "words"), BAD)
def test_what_is_no_model(arguments: dict[str, Any], words: str) -> None:
    with pytest.raises(ModelError) as caught:
        COUNTS.empirical(**arguments)
    assert words in str(caught.value) and "\n" not in str(caught.value)
    with pytest.raises(ModelError, match="horizon is 3; the counts have 2 stages"):
        STAGED.empirical(horizon=3, unvisited="end")
