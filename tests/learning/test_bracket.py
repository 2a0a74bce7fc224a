"""Brackets from samples: what they contain, how wide they are, exits, ragged models, stages."""

import numpy as np
import pytest

import rltheory as rlt
from rltheory.errors import ModelError
from rltheory.learning.bracket import SampleBracket, bracket_from_counts
from rltheory.mathematics.concentration import l1_radius
from rltheory.mdp.data import Counts
from tests.helpers.generative import PlainGenerative


@pytest.mark.parametrize("case", range(8))
def test_bracket_contains_the_optimum_and_the_policy(case: int) -> None:
    mdp = rlt.garnet(4, 2, 2, seed=case, discount=0.8)
    plan = SampleBracket(0.05)(PlainGenerative(mdp, case), 300)
    best, own = rlt.solve(mdp).value, rlt.evaluate(mdp, plan.policy)
    assert (plan.lower <= own + 1e-12).all() and (own <= best + 1e-9).all()
    assert (best <= plan.upper + 1e-12).all()
    rewards = mdp.mean_rewards.max() - mdp.mean_rewards.min()
    assert plan.gap <= rewards * 0.8 * plan.radius.max() / 0.2**2
    assert plan.radius == pytest.approx(np.full((4, 2), l1_radius(300, 4, 0.05 / 8)))


def test_two_states_by_hand() -> None:
    """A loop that pays 1, drawn 50 times, 45 of them into the loop: closed forms."""
    counts = Counts([[50], [50]], [[[50, 0]], [[5, 45]]], [[0.0], [50.0]])
    plan = bracket_from_counts(counts, 0.1, discount=0.9)
    half = float(l1_radius(50, 2, 0.05)) / 2
    assert 0.1 < half < 0.2
    # Pessimist: state 0 stays at 0 (its value is the lowest), state 1 is kept with 0.9 - half.
    assert plan.lower == pytest.approx([0.0, 1 / (1 - 0.9 * (0.9 - half))])
    # Optimist: state 1 is kept for ever, state 0 is left with probability half.
    assert plan.upper == pytest.approx([0.9 * half * 10 / (1 - 0.9 * (1 - half)), 10.0])


def test_more_draws_of_one_pair_shrink_its_ball() -> None:
    few = Counts([[50], [50]], [[[50, 0]], [[5, 45]]], [[0.0], [50.0]])
    many = Counts([[50], [5000]], [[[50, 0]], [[500, 4500]]], [[0.0], [5000.0]])
    narrow, wide = (bracket_from_counts(c, 0.1, discount=0.9) for c in (many, few))
    assert narrow.radius[0, 0] == wide.radius[0, 0] and narrow.radius[1, 0] < wide.radius[1, 0]
    # Up to what rounding outward takes of either, around a value that is 0.
    assert (narrow.lower >= wide.lower - 1e-20).all() and (narrow.upper <= wide.upper).all()


def test_exits_are_one_more_outcome() -> None:
    mdp = rlt.MDP([[[0.95]]], [[1.0]], 0.9, termination=[[0.05]])
    plan = SampleBracket(0.1, n=20_000, exits=True)(PlainGenerative(mdp))
    best = 1 / (1 - 0.9 * 0.95)
    assert plan.lower.shape == (1,) and plan.lower[0] <= best <= plan.upper[0]
    assert plan.upper[0] - plan.lower[0] < 1.2
    # Where no draw ended, an end is still possible to the pessimist.
    calm = Counts([[100]], [[[100]]], [[100.0]])
    plan = bracket_from_counts(calm, 0.1, discount=0.9, exits=True)
    half = float(l1_radius(100, 2, 0.1)) / 2
    assert plan.lower[0] == pytest.approx(1 / (1 - 0.9 * (1 - half)))
    assert plan.upper[0] == pytest.approx(10.0)
    with pytest.raises(ModelError, match="a draw ended the episode; say exits=True"):
        SampleBracket(0.1, n=1000)(PlainGenerative(mdp))


@pytest.mark.parametrize("exits", [False, True])
def test_horizon_and_stages(exits: bool) -> None:
    mdp = rlt.random_episodic(3, 2, 4, seed=1)
    plan = SampleBracket(0.1, exits=exits)(PlainGenerative(mdp), 400)
    best, own = rlt.solve(mdp).value, rlt.evaluate(mdp, plan.policy)
    assert plan.lower.shape == (5, 3) and plan.policy.shape == (4, 3)
    assert plan.radius.shape == (4, 3, 2)
    assert (plan.lower <= own + 1e-12).all() and (best <= plan.upper + 1e-12).all()


@pytest.mark.parametrize("exits", [False, True])
def test_ragged_models(exits: bool) -> None:
    """State 1 has one action: that pair's row of counts is empty."""
    counts = Counts(
        [[60, 60], [60, 0]], [[[30, 30], [60, 0]], [[0, 60], [0, 0]]], [[0.0, 6.0], [60.0, 0.0]]
    )
    plan = bracket_from_counts(counts, 0.1, discount=0.5, exits=exits, absent=True)
    assert plan.policy[1] == 0 and np.isnan(plan.radius[1, 1])
    assert plan.radius[0, 0] == pytest.approx(float(l1_radius(60, 2 + exits, 0.1 / 3)))
    assert (plan.lower < plan.upper).all()
    with pytest.raises(ModelError, match="was never visited"):
        bracket_from_counts(counts, 0.1, discount=0.9)


def test_few_draws_say_nothing_but_stay_true() -> None:
    mdp = rlt.riverswim(3, discount=0.9)
    plan = SampleBracket(0.1)(PlainGenerative(mdp), 1)
    assert (plan.radius == 2.0).all()
    lowest, highest = mdp.mean_rewards.min() / 0.1, mdp.mean_rewards.max() / 0.1
    assert (plan.lower >= lowest - 1e-9).all() and (plan.upper <= highest + 1e-9).all()


@pytest.mark.parametrize("delta", [0.0, 1.0, -1.0, 2.0])
def test_delta_is_checked(delta: float) -> None:
    with pytest.raises(ModelError, match=r"delta is .*; it must be in \(0, 1\)"):
        SampleBracket(delta)


@pytest.mark.parametrize("how", ["law", "successor"])
def test_rewards_that_vary_are_refused(how: str) -> None:
    rows = [[[0.5, 0.5]], [[0.0, 1.0]]]
    if how == "law":
        mdp = rlt.MDP(rows, [[0.5], [0.5]], 0.9, reward_law=rlt.Bernoulli())
    else:
        mdp = rlt.MDP(rows, discount=0.9, next_state_rewards=[[[1.0, 0.0]], [[0.0, 1.0]]])
    with pytest.raises(rlt.ModelError, match="rewards differ from draw to draw"):
        rlt.SampleBracket(0.1)(rlt.generative(mdp), 10)
