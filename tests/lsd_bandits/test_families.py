"""Random instances are what their names say, and hold every corner often enough."""

from fractions import Fraction

import pytest

import rltheory as rlt
from rltheory.claims.counterexamples import load_instance, save_instance
from rltheory.lsd_bandits.families import (
    CORNERS,
    GOLDEN,
    bandit_of,
    blocking,
    case,
    named,
    rand_any,
    rand_block,
    rand_mono,
    rand_ordered,
    rand_rested,
    tight,
)


def bandits(family, count=200):
    built = [family.instance(family.sample("families", 0, i)) for i in range(count)]
    return [bandit_of(i) for i in built]


def test_monotone_ones_are_and_others_are_not_always() -> None:
    assert all(b.is_monotone() for b in bandits(rand_mono()))
    rested = bandits(rand_rested())
    assert all(b.is_monotone("rested") for b in rested)
    assert any(not b.is_monotone() for b in rested)
    assert any(not b.is_monotone("rested") for b in bandits(rand_any()))
    assert all(b.is_monotone() for b in bandits(rand_ordered()))
    assert any(not b.is_monotone() for b in bandits(rand_ordered(monotone=False)))
    assert all(b.is_monotone() for b in bandits(rand_mono(recovery=["gradual"])))


def test_corners_are_drawn() -> None:
    drawn = bandits(rand_mono())
    assert {(b.n_arms, b.plays) for b in drawn} == {(1, 1), (2, 1), (2, 2), (3, 1), (3, 2), (3, 3)}
    assert any(not any(any(a.payoffs) for a in b.arms) for b in drawn)
    assert any(len(set(b.arms)) == 1 < b.n_arms for b in drawn)
    assert any(all(a.n_states == 2 for a in b.arms) for b in drawn)
    steps = [b for b in drawn if all(len(set(a.payoffs)) <= 2 for a in b.arms)]
    assert len(steps) > len(drawn) / 3
    assert all(b.plays == 1 for b in bandits(rand_any(plays=[1]), 20))
    assert all(8 % p.denominator == 0 for b in drawn for a in b.arms for p in a.payoffs)


def test_blocking_ones_hold_their_delays() -> None:
    family = rand_block()
    for index in range(50):
        i = family.instance(family.sample("families", 0, index))
        assert i.rewards == sorted(i.rewards, reverse=True)
        assert bandit_of(i) == blocking(i.delays, i.rewards)


@pytest.mark.parametrize("family", [rand_mono(), rand_any(), rand_block(), rand_ordered()])
def test_instances_can_be_stored(family, tmp_path) -> None:
    i = family.instance(family.sample("families", 0, 3))
    save_instance(i, tmp_path / "i.npz")
    assert bandit_of(load_instance(tmp_path / "i.npz")) == bandit_of(i)


@pytest.mark.parametrize("name", [*GOLDEN, *CORNERS])
def test_named_ones_are_monotone_and_come_back(name: str) -> None:
    make = (dict(GOLDEN) | dict(CORNERS))[name]
    assert make().is_monotone()
    assert bandit_of(named({name: make})[name]()) == make()


def test_an_arm_that_is_no_lsd_arm_comes_back() -> None:
    bandit = rlt.LSDBandit([rlt.OrderedArm([0, 0], [1, 1], [0, 1]), rlt.LSDArm([1], [0])])
    assert [a.payoffs for a in bandit_of(case(bandit)).arms] == [a.payoffs for a in bandit.arms]


def test_the_tight_family() -> None:
    assert tight(3).arms == (rlt.LSDArm([0, 1], [0]),) * 3
    assert GOLDEN["I2"]().arms[0].payoff(2) == Fraction(9, 10)
