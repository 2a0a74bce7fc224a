"""The Lagrangian index, against the discounted problem of one arm with a discount close to 1."""

from fractions import Fraction
from itertools import product

import pytest
from hypothesis import given, settings

import rltheory as rlt
from rltheory.errors import ModelError
from tests.helpers.lsd_arms import any_bandits, lsd_arms

DISCOUNT = 1 - Fraction(1, 10**9)


def discounted(arm: rlt.LSDArm, plays, charge: Fraction) -> list[Fraction]:  # type: ignore[no-untyped-def]
    """Values of a policy, from the sum over its path and the geometric series of its cycle."""
    values = []
    for start in range(arm.n_states):
        s, seen, rewards = start, {}, []
        while s not in seen:
            seen[s] = len(rewards)
            rewards.append(arm.payoffs[s] - charge if plays[s] else Fraction(0))
            s = arm.play_next[s] if plays[s] else arm.rest_next[s]
        total = [DISCOUNT**t * r for t, r in enumerate(rewards)]
        repeat = 1 / (1 - DISCOUNT ** (len(rewards) - seen[s]))
        values.append(sum(total[: seen[s]]) + repeat * sum(total[seen[s] :]))
    return values


def advantages(arm: rlt.LSDArm, charge: Fraction) -> list[Fraction]:
    """By how much play is better than rest, by looking at all policies."""
    every = [
        discounted(arm, plays, charge) for plays in product((False, True), repeat=arm.n_states)
    ]
    best = [max(values[s] for values in every) for s in range(arm.n_states)]
    return [
        arm.payoffs[s] - charge + DISCOUNT * (best[arm.play_next[s]] - best[arm.rest_next[s]])
        for s in range(arm.n_states)
    ]


@settings(max_examples=25)
@given(lsd_arms(most_rests=2, mode="any", recovery=("reset", "gradual")))
def test_actions_are_those_of_patient_players(arm: rlt.LSDArm) -> None:
    index = rlt.play_index(arm)
    for piece in index.intervals:
        found = advantages(arm, (piece.low + piece.high) / 2)
        for better, best in zip(found, piece.best, strict=True):
            if best == "play":
                assert better > 0
            elif best == "rest":
                assert better < 0
            else:
                assert abs(better) < Fraction(1, 10**15)


@settings(max_examples=40)
@given(lsd_arms(most_rests=3, most_plays=3, mode="any"))
def test_gains_are_those_of_the_best_types(arm: rlt.LSDArm) -> None:
    """The gain at a charge is the best of the arm's blocks, of always and of never playing."""
    rests, plays = len(arm.rest_payoffs), len(arm.play_payoffs)
    index = rlt.play_index(arm)
    assert index.intervals[0].low < -plays and index.intervals[-1].high > 1
    assert set(index.intervals[0].best) == {"play"}
    assert set(index.intervals[-1].best) == {"rest"}
    for left, right in zip(index.intervals, index.intervals[1:], strict=False):
        assert left.high == right.low
    for piece in index.intervals:
        charge = (piece.low + 2 * piece.high) / 3
        blocks = [
            (arm.payoff(n) + sum(arm.payoff(-j) for j in range(1, m)) - m * charge) / (n + m)
            for n in range(1, rests + 1)
            for m in range(1, plays + 1)
        ]
        best = max([*blocks, Fraction(0), arm.payoff(-plays) - charge])
        assert piece.gain[0] + piece.gain[1] * charge == best


def test_indices_by_hand() -> None:
    """Blocking: available, the reward. Constant: the payoff. One rest: (1, 1) against always."""
    blocking = rlt.play_index(rlt.LSDArm.blocking(3, "3/4"))
    assert blocking(2) == Fraction(3, 4) and blocking(1) < 0 and blocking(-1) < 0
    assert blocking(1) < blocking(-1), "a round before it pays a play is worst"
    assert rlt.play_index(rlt.LSDArm(["1/3"], ["1/3"])).values == (Fraction(1, 3),) * 2
    # (1 - l)/2 = eps - l at l = 2 eps - 1.
    tired = rlt.play_index(rlt.LSDArm([1], ["1/10"]))
    assert tired.values == (Fraction(-4, 5), Fraction(1))


@settings(max_examples=40)
@given(lsd_arms(most_plays=4, mode="any", recovery=("reset", "gradual")))
def test_arms_are_indexable(arm: rlt.LSDArm) -> None:
    assert rlt.play_index(arm).indexable


@settings(max_examples=40)
@given(any_bandits(arms=(1, 2)))
def test_the_policy_is_no_better_than_the_best(bandit: rlt.LSDBandit) -> None:
    best = rlt.optimal_gain(bandit, exact=True).gain
    run = rlt.index_average(bandit)
    assert run.average <= best
    if bandit.n_arms == 1 and bandit.idle:
        assert run.average == best


def test_it_is_greedy_on_blocking_arms() -> None:
    for delays in [(3, 2), (4, 3, 2), (7, 3, 2)]:
        bandit = rlt.LSDBandit([rlt.LSDArm.blocking(d) for d in delays])
        assert rlt.index_average(bandit) == rlt.greedy_average(bandit)


FOUND = {
    "least of two arms": (
        [rlt.LSDArm.blocking(3, "1/4"), rlt.LSDArm(["1/2"] * 4 + [1], ["1/4"])],
        ("1/4", "1/3", "7/24", "1/3"),
    ),
    "least of the small ones": (
        [rlt.LSDArm(["1/4", "1/2"], [0]), rlt.LSDArm(["1/2"], ["1/4", "1/4"])],
        ("1/3", "3/8", "1/3", "5/12"),
    ),
    "greedy is trapped": (
        [rlt.LSDArm([1], [1, "1/4"]), rlt.LSDArm([0, "1/4"], [0])],
        ("3/4", "1/4", "3/4", "3/4"),
    ),
    "three blocking arms": (
        [rlt.LSDArm.blocking(d) for d in (4, 3, 2)],
        ("3/4", "3/4", "5/6", "1"),
    ),
}


@pytest.mark.parametrize("name", FOUND)
def test_what_was_found(name: str) -> None:
    """Index, greedy, the derandomised schedule and the optimum on the instances of the page."""
    arms, expected = FOUND[name]
    bandit = rlt.LSDBandit(arms)
    fixed = rlt.derandomized_schedule(rlt.concave_relaxation(bandit, exact=True))
    found = (
        rlt.index_average(bandit).average,
        rlt.greedy_average(bandit).average,
        fixed.average().value,
        rlt.optimal_gain(bandit, exact=True).gain,
    )
    assert found == tuple(map(Fraction, expected))


@pytest.mark.parametrize("d", [3, 4, 6])
def test_without_monotone_payoffs_the_index_policy_keeps_no_share(d: int) -> None:
    """A blocking arm interrupts one that pays only after d - 1 plays in a row."""
    momentum = rlt.LSDArm([0], [0] * (d - 2) + ["9/10"])
    bandit = rlt.LSDBandit([rlt.LSDArm.blocking(d), momentum])
    assert rlt.index_average(bandit).average == Fraction(1, d)
    assert rlt.optimal_gain(bandit, exact=True).gain == Fraction(9, 10)


def test_an_lsd_arm_is_needed() -> None:
    with pytest.raises(ModelError, match="computed for an LSDArm"):
        rlt.play_index(rlt.OrderedArm([0, 0], [1, 1], [0, 1]))
