"""Policies of histories: what they may return, and that they are only sampled or replayed."""

from typing import Any

import numpy as np
import pytest

import rltheory as rlt
from rltheory import PolicyError

MDP = rlt.riverswim(3, discount=0.9)
HISTORY = rlt.HistoryPolicy(lambda: 0, lambda memory, stage, state: 0)


def test_it_can_only_be_sampled() -> None:
    words = "a HistoryPolicy can only be sampled"
    start = [1.0, 0.0, 0.0]
    within = rlt.Mixture([0.5, 0.5], [[0, 0, 0], HISTORY])
    for mdp in (MDP, MDP.episodic(3)):
        value = np.zeros(3) if mdp is MDP else np.zeros((4, 3))
        for use in (
            lambda mdp=mdp: rlt.evaluate(mdp, HISTORY),
            lambda mdp=mdp: rlt.evaluate(mdp, within),
            lambda mdp=mdp: rlt.occupancy(mdp, HISTORY, initial=start),
            lambda mdp=mdp: rlt.markov_policy_of(mdp, HISTORY, initial=start),
            lambda mdp=mdp, value=value: rlt.bellman(mdp, value, HISTORY),
            lambda mdp=mdp: rlt.evaluate_regularized(mdp, HISTORY, 1.0),
        ):
            with pytest.raises(PolicyError, match=words):
                use()


def test_what_act_returns() -> None:
    def returning(x: Any) -> rlt.HistoryPolicy:
        return rlt.HistoryPolicy(lambda: None, lambda *_: x)

    for action in (1, np.int32(1), np.array(1)):
        assert returning(action).probabilities(None, 0, 0, 3).tolist() == [0.0, 1.0, 0.0]
    row = [0.5, 0.0, 0.5]
    assert returning(row).probabilities(None, 0, 0, 3).tolist() == row
    assert returning([0.5, 0.5]).probabilities(None, 0, 0, None).tolist() == [0.5, 0.5]
    almost = returning([0.5, 0.5 + 1e-10]).probabilities(None, 0, 0, 2)
    assert almost.sum() == 1.0
    bad: list[tuple[Any, str]] = [
        (3, "act returned 3 at stage 2, state 1; actions are 0..2"),
        (-1, "act returned -1 at stage 2, state 1"),
        ([0.5, 0.5], "shape (2,) at stage 2, state 1; it must be one integer"),
        ([1, 0, 0], "dtype int64 and shape (3,)"),
        (1.0, "dtype float64 and shape ()"),
        (None, "dtype object"),
        (True, "dtype bool"),
        ([0.5, 0.6, 0.0], "act returned [0.5, 0.6, 0.0] at stage 2, state 1; probabilities"),
        ([1.5, -0.5, 0.0], "probabilities are at least 0"),
        ([np.nan, 1.0, 0.0], "probabilities are at least 0"),
    ]
    for value, words in bad:
        with pytest.raises(PolicyError) as caught:
            returning(value).probabilities(None, 2, 1, 3)
        assert words in str(caught.value)


def test_its_parts_are_functions() -> None:
    for part in ("init", "act", "update"):
        parts: dict[str, Any] = {"init": lambda: 0, "act": lambda *_: 0, "update": lambda *_: 0}
        with pytest.raises(PolicyError, match=f"{part} is 3; it must be a function"):
            rlt.HistoryPolicy(**(parts | {part: 3}))
    assert HISTORY.update(7, 0, 0, 0, 0.0, 0) == 7


def test_the_likelihood_is_that_of_playing_along() -> None:
    """Its memory is the whole history, and its chances depend on it."""
    seen: list[Any] = []

    def act(memory: list[Any], stage: int, state: int) -> list[float]:
        seen.append((stage, state, list(memory)))
        p = 0.25 if memory else 0.5
        return [p, 1.0 - p]

    policy = rlt.HistoryPolicy(list, act, lambda memory, *step: [*memory, step], name="hist")
    data = rlt.Trajectories([0, 1, 2], [0, 1, 1], [0.0, 1.0, 2.0], [-1, 1], [2, 1])
    assert np.allclose(rlt.log_likelihood(data, policy), np.log([0.5 * 0.75, 0.5]), rtol=1e-15)
    assert seen == [(0, 0, []), (1, 1, [(0, 0, 0, 0.0, 1)]), (0, 2, [])]
    again = rlt.Mixture([0.5, 0.5], [policy, [0, 1, 0]])
    assert np.allclose(
        rlt.log_likelihood(data, again), np.log([0.5 * 0.375 + 0.5, 0.25]), rtol=1e-15
    )
