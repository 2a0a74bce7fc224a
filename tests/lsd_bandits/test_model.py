"""Arms, bandits and the graph of their joint states."""

from fractions import Fraction
from itertools import pairwise, product

import numpy as np
import pytest

import rltheory as rlt
from rltheory.errors import ModelError
from rltheory.lsd_bandits.plans import always, block

TWO = rlt.LSDBandit([rlt.LSDArm.blocking(2)] * 2)
RELAXED = rlt.concave_relaxation(TWO, exact=True)


def lsd_moves(rests: int, plays: int, recovery: str) -> dict[int, tuple[int, int]]:
    """State -> (after a play, after a rest), from the definition by states n > 0 and -m < 0."""
    out = {}
    for n in range(1, rests + 1):
        out[n] = (-1, min(n + 1, rests))
    for m in range(1, plays + 1):
        up = 1 if recovery == "reset" or m == 1 else -m + 1
        out[-m] = (-min(m + 1, plays), up)
    return out


@pytest.mark.parametrize("recovery", ["reset", "gradual"])
@pytest.mark.parametrize(("rests", "plays"), [(1, 1), (3, 1), (1, 4), (3, 2)])
def test_moves_are_those_of_the_definition(rests: int, plays: int, recovery: str) -> None:
    arm = rlt.LSDArm([1] * rests, [0] * plays, recovery)
    for state, (played, rested) in lsd_moves(rests, plays, recovery).items():
        s = arm.index(state)
        assert arm.label(s) == state
        assert arm.label(arm.play_next[s]) == played
        assert arm.label(arm.rest_next[s]) == rested
    assert arm.top == arm.index(rests) == arm.index(rests + 5)
    assert arm.index(-plays - 3) == 0
    assert arm.is_monotone
    assert arm.recovery_time == (rests if recovery == "reset" else rests + plays - 1)


def test_special_arms() -> None:
    assert rlt.LSDArm.recharging([0.25, 0.5]) == rlt.LSDArm([0.5], [0.25])
    assert rlt.LSDArm.recharging([0.25]) == rlt.LSDArm([0.25], [0.25])
    assert rlt.LSDArm.blocking(2) == rlt.LSDArm([1], [0])
    assert rlt.LSDArm.blocking(4).payoffs == (0, 0, 0, 1)


def test_floats_and_strings_are_kept_exactly() -> None:
    arm = rlt.LSDArm(["9/10", np.float64(0.5)], [0.1])
    assert arm.payoff(1) == Fraction(9, 10) and arm.payoff(-1) == Fraction(0.1) != Fraction(1, 10)


@pytest.mark.parametrize(
    ("make", "word"),
    [
        (lambda: rlt.LSDArm([], [1]), "rest_payoffs is empty"),
        (lambda: rlt.LSDArm([1], []), "play_payoffs is empty"),
        (lambda: rlt.LSDArm([1.5], [0]), r"rest_payoffs\[0\] is 1.5"),
        (lambda: rlt.LSDArm([1], [-0.1]), r"play_payoffs\[0\] is -0.1"),
        (lambda: rlt.LSDArm([float("nan")], [0]), "must be a number"),
        (lambda: rlt.LSDArm(["x"], [0]), "must be a number"),
        (lambda: rlt.LSDArm([1], [0], "slow"), "recovery is 'slow'"),
        (lambda: rlt.LSDArm.blocking(0), "delay is 0"),
        (lambda: rlt.LSDArm.recharging([]), "payoffs is empty"),
        (lambda: rlt.OrderedArm([], [], []), "at least one state"),
        (lambda: rlt.OrderedArm([0, 2], [0, 1], [0, 1]), r"play_next\[1\] is 2"),
        (lambda: rlt.OrderedArm([0], [0, 1], [0, 1]), "play_next has 1 entries"),
        (lambda: rlt.LSDBandit([]), "arms is empty"),
        (lambda: rlt.LSDBandit([1]), r"arms\[0\] is 1"),  # type: ignore[list-item]
        (lambda: rlt.LSDBandit([rlt.LSDArm([1], [0])], plays=2), "in 1..1"),
        (lambda: rlt.LSDBandit([rlt.LSDArm([1], [0])], plays=0), "in 1..1"),
        (lambda: rlt.LSDBandit([rlt.LSDArm([1], [0])], plays=True), "must be an integer"),
        (lambda: rlt.LSDArm([1], [0]).index(0), "state is 0"),
        (lambda: rlt.LSDArm(None, [0]), "rest_payoffs is None"),  # type: ignore[arg-type]
        (lambda: rlt.LSDArm.blocking(10**9), "delay is 1000000000"),
        (lambda: rlt.optimal_value(TWO, 10**20), "GB are allowed"),
        (lambda: rlt.optimal_value(TWO, 3, state=99), "state is 99"),  # type: ignore[arg-type]
        (lambda: rlt.optimal_value(TWO, 3, state=(0.5, 0)), r"state\[0\] is 0.5"),  # type: ignore[arg-type]
        (lambda: rlt.interleaved_schedule(RELAXED).simulate(10**20), "rounds is 1"),
        (lambda: rlt.guarantee(10**6), "N is 1000000"),
        (lambda: rlt.LSDBandit([rlt.LSDArm([1], [0])]).is_monotone("most"), "mode is 'most'"),
        (lambda: rlt.LSDBandit([rlt.LSDArm([0], [1])]).need_monotone(), r"arms\[0\]"),
        (lambda: rlt.LSDBandit([rlt.LSDArm([1], [0])] * 40).product_graph(), "at most"),
    ],
)
def test_what_is_wrong_is_named(make, word: str) -> None:
    with pytest.raises(ModelError, match=word):
        make()


@pytest.mark.parametrize("plays", [1, 2])
@pytest.mark.parametrize("idle", [True, False])
def test_the_product_graph_is_that_of_the_arms(plays: int, idle: bool) -> None:
    arms = [
        rlt.LSDArm(["1/2", 1], ["1/4"]),
        rlt.LSDArm([1], ["1/2", 0]),
        rlt.LSDArm([0.3], [0.2], "gradual"),
    ]
    bandit = rlt.LSDBandit(arms, plays, idle)
    successor, reward = bandit.product_graph()
    assert successor.shape == (bandit.n_states, len(bandit.actions))
    joint = list(product(*(range(a.n_states) for a in arms)))
    for v, states in enumerate(joint):
        assert bandit.split(v) == states and bandit.join(states) == v
        for a, played in enumerate(bandit.actions):
            moved = tuple(
                (arm.play_next if i in played else arm.rest_next)[s]
                for i, (arm, s) in enumerate(zip(arms, states, strict=True))
            )
            assert joint[successor[v, a]] == moved
            assert reward[v, a] == pytest.approx(
                float(sum(arms[i].payoffs[states[i]] for i in played))
            )
    assert bandit.split(bandit.rested) == tuple(arm.top for arm in arms)
    assert all(len(a) <= len(b) for a, b in pairwise(bandit.actions))


def test_plans_run_through_the_states_of_their_type() -> None:
    arm = rlt.LSDArm(["1/4", "1/2"], ["1/8", 0])
    plan = block(arm, 2, 3)
    labels = [arm.label(s) for s, played in zip(plan.states, plan.plays, strict=True) if played]
    assert labels == [2, -1, -2] and plan.period == 5
    assert plan.reward(arm) == Fraction(1, 2) + Fraction(1, 8)
    assert [arm.label(s) for s in always(arm).states] == [-2]
    with pytest.raises(ModelError, match="at least 1"):
        block(arm, 0, 1)


def test_modes() -> None:
    tired = rlt.LSDBandit([rlt.LSDArm([0, 1], ["1/2"])])
    assert not tired.is_monotone() and tired.is_monotone("rested") and tired.is_monotone("any")
    assert rlt.LSDBandit([rlt.LSDArm([1], [0])] * 3, plays=2).recovery_time == 1
    stuck = rlt.OrderedArm([0, 0], [0, 1], [0, 1])
    assert rlt.LSDBandit([stuck]).recovery_time is None
