"""Single steps, and how they are counted."""

from collections import Counter
from typing import Any

import numpy as np
import pytest
from episodes import ACTIONS, HORIZON, STATES, episode_lists, few, trajectories_of
from hypothesis import given

import rltheory as rlt
from rltheory import ModelError

STEPS = rlt.Transitions([0, 1, 0], [0, 1, 0], [0, 1, 0], [0.5, 1.0, 0.25], [1, -1, 0])


def test_counts_by_hand() -> None:
    counts = STEPS.counts(2, 2)
    assert counts.visits.tolist() == [[2, 0], [0, 1]]
    assert counts.dense().tolist() == [[[1, 1], [0, 0]], [[0, 0], [0, 0]]]
    assert counts.reward_sums.tolist() == [[0.75, 0.0], [0.0, 1.0]]
    assert counts.ends.tolist() == [[0, 0], [0, 1]]
    staged = STEPS.counts(2, 2, 2)
    assert staged.visits.tolist() == [[[2, 0], [0, 0]], [[0, 0], [0, 1]]]
    assert staged.pooled().visits.tolist() == counts.visits.tolist()
    assert STEPS.counts(2, 2, 2, staged=False).horizon is None


@few
@given(episode_lists(0))
def test_counts_are_those_of_a_dictionary(episodes: list[Any]) -> None:
    steps = trajectories_of(episodes).transitions()
    counts = steps.counts()
    assert counts.horizon == HORIZON and counts.total == len(steps)
    visits: Counter[Any] = Counter()
    following: Counter[Any] = Counter()
    paid: Counter[Any] = Counter()
    for one, final in episodes:
        after = [s for s, _, _ in one[1:]] + [final]
        for h, ((s, a, r), t) in enumerate(zip(one, after, strict=True)):
            visits[h, s, a] += 1
            following[h, s, a, t] += 1
            paid[h, s, a] += r
    for place in np.ndindex(HORIZON, STATES, ACTIONS):
        assert counts.visits[place] == visits[place]
        assert counts.ends[place] == following[(*place, -1)]
        assert counts.reward_sums[place] == paid[place]
        for t in range(STATES):
            assert counts.dense()[(*place, t)] == following[(*place, t)]
    parts = [steps[:1], steps[1:]] if len(steps) else [steps]
    again = rlt.Transitions.concatenate(parts).counts()
    assert (again.dense() == counts.dense()).all()
    assert sum((part.counts() for part in parts[1:]), parts[0].counts()).total == counts.total


def test_many_states_are_counted_as_few_are() -> None:
    """A table of 10^8 places is never made; the few that occur are found by sorting."""
    random = np.random.default_rng(0)
    states, actions, following = random.integers(0, [[30], [2], [30]], size=(3, 500))
    steps = rlt.Transitions(None, states, actions, np.ones(500), following)
    few, many = steps.counts(30, 2), steps.counts(10_000, 2)
    assert many.visits[:30].tolist() == few.visits.tolist()
    assert many.next_counts[:60, :30].toarray().tolist() == few.next_counts.toarray().tolist()
    assert many.next_counts.has_canonical_format and many.ends.sum() == 0


def test_steps_without_stages() -> None:
    steps = rlt.Transitions(None, [0, 1], [0, 0], [0.0, 0.0], [1, 1])
    assert steps.counts(2, 1).horizon is None and steps.counts(2, 1, 3).horizon is None
    assert steps[[1]].states.tolist() == [1] and steps[-1].states.tolist() == [1]
    assert repr(steps) == "Transitions(2 steps)"
    with pytest.raises(ModelError, match="the steps have no stages"):
        steps.counts(2, 1, 3, staged=True)
    with pytest.raises(ModelError, match="some of the transitions have stages"):
        rlt.Transitions.concatenate([steps, STEPS])
    joined = rlt.Transitions.concatenate([steps, steps])
    assert joined.stages is None and joined.states.tolist() == [0, 1, 0, 1]
    assert [one.states.tolist() for one in joined][:2] == [[0], [1]]


GOOD: dict[str, Any] = {
    "stages": [0, 1],
    "states": [0, 1],
    "actions": [0, 1],
    "rewards": [0.0, 1.0],
    "next_states": [1, -1],
    "provenance": rlt.Provenance(n_states=2, n_actions=2, horizon=2),
}
BAD: list[tuple[str, Any, str]] = [
    ("stages", [0, 2], "stages[1] is 2; it must be 0..1"),
    ("stages", [-1, 0], "stages[0] is -1; it must be 0..1"),
    ("stages", [0], "stages has 1 entries and states 2"),
    ("states", [0, 2], "states[1] is 2; it must be 0..1"),
    ("actions", [5, 0], "actions[0] is 5; it must be 0..1"),
    ("rewards", [np.inf, 0.0], "rewards[0] is inf; it must be finite"),
    ("rewards", [0.0], "rewards has 1 entries and states 2"),
    ("next_states", [1, 2], "next_states[1] is 2; it must be -1..1, -1 for an end"),
    ("next_states", [-2, 0], "next_states[0] is -2"),
    ("next_states", [1.5, 0], "next_states has dtype float64"),
]


@pytest.mark.parametrize(("name", "value", "words"), BAD)
def test_what_is_no_step(name: str, value: Any, words: str) -> None:
    rlt.Transitions(**GOOD)
    with pytest.raises(ModelError) as caught:
        rlt.Transitions(**(GOOD | {name: value}))
    assert words in str(caught.value) and "\n" not in str(caught.value)


def test_sizes_that_do_not_fit() -> None:
    steps = rlt.Transitions(**GOOD)
    for sizes, words in (
        ({"n_states": 3}, "n_states is 3; the provenance says 2"),
        ({"n_actions": 1}, "n_actions is 1; the provenance says 2"),
        ({"horizon": 5}, "horizon is 5; the provenance says 2"),
        ({"horizon": 0}, "horizon is 0; it must be an integer of at least 1"),
    ):
        with pytest.raises(ModelError, match=words):
            steps.counts(**sizes)
    with pytest.raises(ModelError, match=r"next_states\[0\] is 1; n_states is 1"):
        rlt.Transitions(None, [0], [0], [0.0], [1]).counts(1, 1)
    with pytest.raises(ModelError, match=r"stages\[1\] is 1; horizon is 1"):
        STEPS.counts(2, 2, 1)
    with pytest.raises(ModelError, match="horizon is not known"):
        STEPS.counts(2, 2, staged=True)
