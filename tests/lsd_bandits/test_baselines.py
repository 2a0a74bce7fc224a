"""Greedy and round robin, against simulations by the definition of states."""

from collections.abc import Sequence
from fractions import Fraction

import pytest
from hypothesis import given

import rltheory as rlt
from rltheory.errors import ModelError, PolicyError
from rltheory.lsd_bandits.laforgue_instances import just_played, laforgue_a, laforgue_b
from rltheory.lsd_bandits.periodic_runs import repeated
from tests.helpers.lsd_arms import any_bandits


def simulate(bandit: rlt.LSDBandit, choose, T: int) -> list[Fraction]:  # type: ignore[no-untyped-def]
    """Rewards, with states n > 0 and -m < 0 that grow without bound."""
    states = [len(arm.rest_payoffs) for arm in bandit.arms]  # type: ignore[attr-defined]
    out = []
    for t in range(T):
        now = [arm.payoff(s) for arm, s in zip(bandit.arms, states, strict=True)]  # type: ignore[attr-defined]
        played = choose(t, now)
        out.append(sum((now[i] for i in played), Fraction(0)))
        for i, s in enumerate(states):
            if i in played:
                states[i] = -1 if s > 0 else s - 1
            else:
                states[i] = s + 1 if s > 0 else 1
    return out


def greedy_choice(bandit: rlt.LSDBandit, now: Sequence[Fraction]) -> list[int]:
    played: list[int] = []
    for _ in range(bandit.plays):
        left = [i for i in range(bandit.n_arms) if i not in played]
        best = max(now[i] for i in left)
        if best > 0 or not bandit.idle:
            played.append(next(i for i in left if now[i] == best))
    return played


@given(any_bandits())
def test_greedy_is_greedy(bandit: rlt.LSDBandit) -> None:
    run = rlt.greedy_average(bandit)
    expected = simulate(bandit, lambda _, now: greedy_choice(bandit, now), 80)
    assert list(run.rewards(80)) == list(rlt.greedy_rewards(bandit, 80)) == expected
    start, length = len(run.transient), len(run.cycle)
    repeats = 30 // length + 1
    assert sum(run.rewards(start + repeats * length)[start:]) == repeats * length * run.average


@given(any_bandits())
def test_round_robin_goes_around(bandit: rlt.LSDBandit) -> None:
    n, k = bandit.n_arms, bandit.plays
    expected = simulate(bandit, lambda t, _: [(t * k + j) % n for j in range(k)], 60)
    assert list(rlt.round_robin_average(bandit).rewards(60)) == expected


@given(any_bandits(arms=(1, 2)))
def test_no_baseline_beats_the_optimum(bandit: rlt.LSDBandit) -> None:
    best = rlt.optimal_gain(bandit, exact=True).gain
    assert rlt.greedy_average(bandit).average <= best
    assert rlt.round_robin_average(bandit).average <= best


def test_payoff_nothing_is_not_played_unless_it_must_be() -> None:
    arms = [rlt.LSDArm.blocking(2), rlt.LSDArm.blocking(3)]
    assert rlt.greedy_average(rlt.LSDBandit(arms)).cycle == ((0,), (1,), (0,), ())
    forced = rlt.greedy_average(rlt.LSDBandit(arms, idle=False))
    assert all(len(played) == 1 for played in forced.cycle)
    assert rlt.greedy_average(rlt.LSDBandit(arms[:1])).average == Fraction(1, 2)
    assert rlt.greedy_average(rlt.LSDBandit(arms[:1], idle=False)).average == 0


def test_ties_go_to_the_lowest_index() -> None:
    even = rlt.LSDBandit([rlt.LSDArm(["1/2"], ["1/2"])] * 3, plays=2)
    assert rlt.greedy_average(even).cycle == ((0, 1),)


def test_rewards_do_not_wait_for_the_cycle() -> None:
    primes = (31, 37, 41, 43, 47)
    bandit = rlt.LSDBandit([rlt.LSDArm.blocking(d, Fraction(1, d)) for d in primes])
    assert rlt.greedy_rewards(bandit, 3) == (Fraction(1, 31), Fraction(1, 37), Fraction(1, 41))


def test_a_start_may_be_given() -> None:
    bandit = rlt.LSDBandit([rlt.LSDArm.blocking(3)])
    assert rlt.greedy_rewards(bandit, 4, state=(0,)) == (0, 0, 1, 0)
    assert rlt.greedy_average(bandit, state=(0,)).average == Fraction(1, 3)


@pytest.mark.parametrize(
    ("make", "error", "word"),
    [
        (lambda b: rlt.greedy_rewards(b, -1), ModelError, "T is -1"),
        (lambda b: rlt.greedy_average(b).rewards(1.5), ModelError, "T is 1.5"),
        (lambda b: rlt.greedy_average(b, (0,)), ModelError, "state has 1 entries"),
        (lambda b: rlt.greedy_average(b, (0, 9)), ModelError, r"state\[1\] is 9"),
        (lambda b: repeated(b, []), PolicyError, "sequence is empty"),
        (lambda b: repeated(b, [(0,), (0, 1)]), PolicyError, r"sequence\[1\] is \(0, 1\)"),
        (lambda b: repeated(b, [(2,)]), PolicyError, r"arms out of 0\.\.1"),
    ],
)
def test_what_is_wrong_is_named(make, error: type[Exception], word: str) -> None:  # type: ignore[no-untyped-def]
    bandit = rlt.LSDBandit([rlt.LSDArm.blocking(2), rlt.LSDArm.blocking(3)])
    with pytest.raises(error, match=word):
        make(bandit)


# --- the published instances --------------------------------------------------------------


def delays_of(f: Sequence[Sequence[str]], choose, T: int) -> list[tuple[int, Fraction]]:  # type: ignore[no-untyped-def]
    """Arm and reward of each round, from the definition by delays that all start at 1."""
    tau = [1] * len(f)
    out = []
    for _ in range(T):
        now = [Fraction(row[min(t, len(row)) - 1]) for row, t in zip(f, tau, strict=True)]
        i = choose(now)
        out.append((i, now[i]))
        tau = [1 if j == i else t + 1 for j, t in enumerate(tau)]
    return out


A = (
    ["0.15"] * 10,
    ["0", "0", "0.95"] + ["0"] * 7,
    ["0.14"] * 5 + ["0.16", "0.14", "0.14", "0.96", "0.96"],
    ["0.15"] * 10,
    ["0.15"] * 10,
)
B = (["0.05"] * 10, ["0.06"] + ["0.95"] * 9)


@pytest.mark.parametrize(("bandit", "table"), [(laforgue_a(), A), (laforgue_b(), B)])
def test_states_stand_for_delays(bandit: rlt.LSDBandit, table) -> None:  # type: ignore[no-untyped-def]
    by_delays = delays_of(table, lambda now: now.index(max(now)), 200)
    run = rlt.greedy_average(bandit, just_played(bandit))
    assert [paid for _, paid in by_delays] == list(run.rewards(200))
    whole = rlt.LSDBandit([rlt.LSDArm.recharging(f) for f in table], idle=False)
    assert rlt.greedy_rewards(whole, 200, (0,) * len(table)) == run.rewards(200)


def test_instance_a_exactly() -> None:
    bandit = laforgue_a()
    assert not bandit.is_monotone() and not bandit.is_monotone("rested")
    run = rlt.greedy_average(bandit, just_played(bandit))
    assert run.average == Fraction(91, 600)
    assert run.transient[8] == (2,) and run.transient_rewards[8] == Fraction(24, 25)
    assert [t for t, played in enumerate(run.transient) if played == (1,)] == [2, 5]
    assert (1,) not in run.cycle
    assert run.cycle.count((2,)) == 1 and len(run.cycle) == 6
    best = rlt.optimal_gain(bandit, exact=True, state=just_played(bandit))
    assert best.gain == Fraction(38, 75) and len(best.cycle) == 9
    assert sorted(r.played[0] for r in best.cycle).count(1) == 3
    block = rlt.isi_block(bandit, 4)
    assert block.value == Fraction(11, 10) and block.sequence == ((1,), (0,), (0,), (1,))
    assert block.repeated.average == Fraction(5, 16) and block.rested is None


def test_greedy_from_rested_arms_is_another() -> None:
    """Rested arms are at long delays, where arm 2 pays 0.96 in the first round."""
    assert rlt.greedy_rewards(laforgue_a(), 1) == (Fraction(24, 25),)
    assert rlt.greedy_rewards(laforgue_a(), 1, (0,) * 5) == (Fraction(3, 20),)


def test_instance_b_exactly() -> None:
    bandit = laforgue_b()
    assert rlt.greedy_average(bandit, just_played(bandit)).average == Fraction(3, 50)
    best = rlt.optimal_gain(bandit, exact=True, state=just_played(bandit))
    assert best.gain == Fraction(1, 2) and [r.played for r in best.cycle] in (
        [(0,), (1,)],
        [(1,), (0,)],
    )


def test_a_repeated_sequence_is_its_own_cycle() -> None:
    bandit = rlt.LSDBandit([rlt.LSDArm.blocking(2), rlt.LSDArm.blocking(5)])
    sequence = ((0,), (), (0,), (1,))
    run = repeated(bandit, sequence, (0, 0))
    assert run.cycle == sequence and len(run.transient) % 4 == 0
    assert run.average == Fraction(1, 2) and run.transient[:4] == sequence
