"""Models tabulated from functions: against tables made by hand, and with all that can be wrong."""

import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

import rltheory as rlt
from rltheory.errors import ModelError
from rltheory.mdp.awkward import awkward


def walk(s: Any, a: Any) -> Any:
    """Up or down on 0..4 with a chance of staying; beyond 4 it ends."""
    ahead = s + 2 * a - 1
    following = np.stack([np.where(ahead > 4, -1, np.maximum(ahead, 0)), s], axis=1)
    return following, np.full((len(s), 2), 0.5), np.where(ahead > 4, 1.0, 0.0)


def test_a_walk_by_hand() -> None:
    mdp = rlt.MDP.from_function(walk, 5, 2, discount=0.5)
    dense = np.zeros((5, 2, 5))
    ends = np.zeros((5, 2))
    for s in range(5):
        for a in range(2):
            ahead = s + 2 * a - 1
            if ahead > 4:
                ends[s, a] += 0.5
            else:
                dense[s, a, max(ahead, 0)] += 0.5
            dense[s, a, s] += 0.5
    rewards = np.zeros((5, 2))
    rewards[4, 1] = 1.0
    expected = rlt.MDP(dense, rewards, 0.5, termination=ends)
    assert mdp.fingerprint == expected.fingerprint


@pytest.mark.parametrize("batch", [1, 3, 7, 10, 1000])
def test_batches_do_not_matter(batch: int) -> None:
    calls: list[int] = []

    def counted(s: Any, a: Any) -> Any:
        calls.append(len(s))
        return walk(s, a)

    mdp = rlt.MDP.from_function(counted, 5, 2, batch=batch)
    assert mdp.fingerprint == rlt.MDP.from_function(walk, 5, 2).fingerprint
    assert sum(calls) == 10 and max(calls) <= batch


def test_any_model_is_a_function() -> None:
    for seed in range(40):
        model = awkward(seed)
        assert isinstance(model, rlt.MDP)
        size, width = model.n_states, model.n_states + 1
        table = np.zeros((model.n_states, model.n_actions), dtype=np.int64)
        feasible = np.zeros(table.shape, dtype=bool)
        table[model.states, model.actions] = np.arange(model.n_pairs)
        feasible[model.states, model.actions] = True
        dense = np.hstack([model.termination[:, None], model.transitions.toarray()])

        def function(s: Any, a: Any, model: Any = model, table: Any = table, p: Any = dense) -> Any:
            rows = table[s, a]
            following = np.broadcast_to(np.arange(-1, p.shape[1] - 1), (len(s), p.shape[1]))
            return following, p[rows], model.mean_rewards[rows]

        back = rlt.MDP.from_function(
            function, size, model.n_actions, feasible=feasible, batch=max(1, width // 2)
        )
        for name in ("states", "actions", "mean_rewards", "termination"):
            assert getattr(back, name).tolist() == getattr(model, name).tolist()
        assert (back.transitions != model.transitions).nnz == 0


def wrong(what: str) -> Any:
    def function(s: Any, a: Any) -> Any:
        following, chance, paid = walk(s, a)
        at = np.flatnonzero((s == 3) & (a == 1))
        following, chance, paid = following.copy(), chance.copy(), paid.copy()
        if what == "raise" and len(at):
            raise ZeroDivisionError("by hand")
        if what == "state" and len(at):
            following[at[0], 0] = 5
        if what == "negative" and len(at):
            chance[at[0]] = [-0.5, 1.5]
        if what == "nan" and len(at):
            chance[at[0], 1] = np.nan
        if what == "sum" and len(at):
            chance[at[0], 1] = 0.25
        if what == "reward" and len(at):
            paid[at[0]] = np.inf
        if what == "floats":
            following = following * 1.0
        if what == "shape":
            chance = chance[:, :1]
        if what == "two":
            return following, chance
        return following, chance, paid

    return function


@pytest.mark.parametrize(
    ("what", "words"),
    [
        ("raise", r"batch 1 \(pairs 4..7\): the function raised ZeroDivisionError: by hand"),
        ("state", r"batch 1 .*state 3, action 1: a next state is 5; it must be in 0..4, or -1"),
        ("negative", r"batch 1 .*state 3, action 1: a probability is -0.5"),
        ("nan", r"batch 1 .*state 3, action 1: a probability is nan"),
        ("sum", r"batch 1 .*state 3, action 1: the probabilities sum to 0.75"),
        ("reward", r"batch 1 .*state 3, action 1: the reward is inf"),
        ("floats", r"batch 0 .*next states have shape \(4, 2\) and dtype float64"),
        ("shape", r"batch 0 .*probabilities have shape \(4, 1\) .* of shape \(4, K\)"),
        ("two", r"batch 0 .*the function returned tuple; it must be the three arrays"),
    ],
)
def test_what_is_wrong_is_named_with_its_batch(what: str, words: str) -> None:
    with pytest.raises(ModelError, match=words):
        rlt.MDP.from_function(wrong(what), 5, 2, batch=4)


def test_feasible_pairs() -> None:
    feasible = np.ones((5, 2), dtype=bool)
    feasible[0, 0] = False
    mdp = rlt.MDP.from_function(walk, 5, 2, feasible=feasible)
    assert mdp.n_pairs == 9
    for mask, words in (
        (feasible * 1, "it must be Booleans"),
        (feasible[:4], "it must be Booleans"),
        (np.zeros((5, 2), dtype=bool), "state 0 has no feasible action"),
    ):
        with pytest.raises(ModelError, match=words):
            rlt.MDP.from_function(walk, 5, 2, feasible=mask)
    for sizes in ((0, 2), (5, 0), (2**31, 2)):
        with pytest.raises(ModelError, match=r"n_states|n_actions"):
            rlt.MDP.from_function(walk, *sizes)


# --- breadth first ----------------------------------------------------------------------------


def gamble(stake: tuple[int, str], action: str) -> Any:
    """Coins 0..4, double or nothing; at 0 or 4 coins all is over."""
    coins, mood = stake
    if action == "stop":
        return [(1, None, coins)]
    up, down = min(4, 2 * coins), 0
    return [(0.25, (up, "glad"), 0), (0.25, (up, "glad"), 1), (0.5, (down, mood), 0)]


def test_breadth_first() -> None:
    mdp = rlt.MDP.from_states(
        [(1, "calm")],
        lambda s: ["stop"] if s[0] in (0, 4) else ["stop", "play"],
        gamble,
        discount=0.5,
    )
    assert mdp.state_labels == (
        "(1, 'calm')", "(2, 'glad')", "(0, 'calm')", "(4, 'glad')", "(0, 'glad')"
    )  # fmt: skip
    assert mdp.action_labels == ("stop", "play")
    assert mdp.initial is not None and mdp.initial.tolist() == [1, 0, 0, 0, 0]
    play = mdp.transitions.toarray()[1]
    assert play.tolist() == [0, 0.5, 0.5, 0, 0]
    assert isinstance(mdp.reward_law, rlt.Atoms) and mdp.reward_range == (0, 4)
    # At 2: stop for 2, or play for 1/4 + (1/2) (1/2) 4 = 5/4. At 1: stop, or 1/4 + 1/2.
    assert rlt.solve_exact(mdp.as_exact()).value == (1, 2, 0, 4, 0)


def test_as_a_dictionary_says() -> None:
    """Random finite models given by states that are texts come back as they are."""
    for seed in range(20):
        model = awkward(seed)
        assert isinstance(model, rlt.MDP)
        arrays = model.arrays()
        rows: dict[str, dict[int, int]] = {}
        for r, (s, a) in enumerate(zip(model.states, model.actions, strict=True)):
            rows.setdefault(f"s{s}", {})[int(a)] = r
        dense, ends, paid = model.transitions.toarray(), model.termination, model.mean_rewards

        def transition(s: str, a: int, rows: Any = rows, m: Any = (dense, ends, paid)) -> Any:
            r = rows[s][a]
            yield m[1][r], None, m[2][r]
            for t in np.flatnonzero(m[0][r]):
                yield m[0][r, t], f"s{t}", m[2][r]

        back = rlt.MDP.from_states(list(rows), lambda s, rows=rows: rows[s], transition)
        assert back.state_labels == tuple(rows)
        assert back.action_labels is not None
        order = [rows[f"s{s}"][int(back.action_labels[a])]
                 for s, a in zip(back.states, back.actions, strict=True)]  # fmt: skip
        assert back.transitions.toarray().tolist() == dense[order].tolist()
        assert back.termination.tolist() == ends[order].tolist()
        assert np.allclose(back.mean_rewards, paid[order], rtol=1e-15, atol=0)
        assert len(arrays["action"]) == back.n_pairs


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"initial": []}, "initial is empty"),
        ({"initial": [[1]]}, r"initial: state \[1\] cannot be hashed"),
        ({"max_states": 1000}, "state 999, action 'up': there are more than max_states=1000"),
        ({"actions": lambda s: []}, "state 0 has no action"),
        ({"actions": lambda s: 1 / 0}, "state 0: actions: ZeroDivisionError"),
        ({"actions": lambda s: [[1]]}, r"state 0, action \[1\]: the action cannot be hashed"),
        ({"transition": lambda s, a: [(1, 2)]}, r"an outcome is \(1, 2\); it must be"),
        ({"transition": lambda s, a: [("x", 2, 0)]}, "an outcome is"),
        ({"transition": lambda s, a: [(-1, 2, 0), (2, 3, 0)]}, "a probability is -1.0"),
        ({"transition": lambda s, a: [(math.nan, 2, 0)]}, "a probability is nan"),
        ({"transition": lambda s, a: [(1, 2, math.inf)]}, "a reward is inf"),
        ({"transition": lambda s, a: [(0.5, 0, 0)]}, "the probabilities sum to 0.5"),
        ({"transition": lambda s, a: []}, "the probabilities sum to 0"),
        ({"transition": lambda s, a: {}[s]}, "state 0, action 'up': KeyError: 0"),
        ({"transition": lambda s, a: [(1, [s], 0)]}, r"state \[0\] cannot be hashed; a tuple can"),
        ({"max_states": 0}, "max_states is 0"),
    ],
)
def test_what_is_wrong_is_named_with_its_state(arguments: dict[str, Any], words: str) -> None:
    good: dict[str, Any] = {
        "initial": [0],
        "actions": lambda s: ["up"],
        "transition": lambda s, a: [(1, s + 1, 0)],
    }
    with pytest.raises(ModelError, match=words) as caught:
        rlt.MDP.from_states(**good | arguments)
    assert "\n" not in str(caught.value)


def test_fractions_and_numpy_numbers_are_numbers() -> None:
    mdp = rlt.MDP.from_states(
        [0], lambda s: [0], lambda s, a: [(Fraction(1, 2), None, np.float64(1)), (0.5, 0, 1)]
    )
    assert mdp.termination.tolist() == [0.5] and mdp.mean_rewards.tolist() == [1]
