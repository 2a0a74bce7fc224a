"""Optimal gains and values of bandits, against known values and plain enumeration."""

import dataclasses
from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import rltheory as rlt
from rltheory.errors import ModelError
from rltheory.lsd_bandits.families import GOLDEN, blocking
from rltheory.lsd_bandits.gain_claims import howard_by_entry, kept_down, one_rest_gain, repeating
from rltheory.lsd_bandits.optimal import Round, joint_graph
from tests.reference.plain_cycles import plain_howard, plain_walks

METHODS = ("howard", "karp")
KNOWN = {
    "I1": ("1/2", "1 3/2 2 5/2 3 7/2 4 9/2"),
    "I2": ("23/30", ".9 1.7 2.3 3.2 4 4.6 5.5 6.3"),
    "I3": ("5/8", "1 3/2 9/4 11/4 7/2 4 19/4 21/4"),
    "I4": ("5/6", "1 2 3 11/3 14/3 16/3 19/3 7"),
    "B23": ("3/4", "1 2 3 3 4 5 6 6"),
    "B236": ("7/8", "1 2 3 4 5 6 7 7"),
}


def plain_graph(bandit: rlt.LSDBandit) -> list[list[tuple[int, Fraction]]]:
    """Joint states and actions from the definition alone."""
    joint = list(product(*(range(arm.n_states) for arm in bandit.arms)))
    place = {states: v for v, states in enumerate(joint)}
    sets = [
        played
        for played in product((0, 1), repeat=bandit.n_arms)
        if sum(played) == bandit.plays or (bandit.idle and sum(played) < bandit.plays)
    ]
    graph = []
    for states in joint:
        arcs = []
        for played in sets:
            moves = zip(bandit.arms, states, played, strict=True)
            there = tuple((a.play_next if p else a.rest_next)[s] for a, s, p in moves)
            moves = zip(bandit.arms, states, played, strict=True)
            arcs.append((place[there], sum((a.payoffs[s] for a, s, p in moves if p), Fraction(0))))
        graph.append(arcs)
    return graph


@st.composite
def bandits(draw: st.DrawFn) -> rlt.LSDBandit:
    arms = []
    for _ in range(draw(st.integers(1, 3))):
        rests, plays = draw(st.integers(1, 2)), draw(st.integers(1, 2))
        eighths = draw(st.lists(st.integers(0, 8), min_size=rests + plays, max_size=rests + plays))
        paid = [Fraction(x, 8) for x in (sorted(eighths) if draw(st.booleans()) else eighths)]
        how = draw(st.sampled_from(["reset", "gradual"]))
        arms.append(rlt.LSDArm(paid[plays:], paid[:plays][::-1], how))
    return rlt.LSDBandit(arms, draw(st.integers(1, len(arms))), draw(st.booleans()))


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", KNOWN)
def test_golden_gains(name: str, method: str) -> None:
    found = rlt.optimal_gain(GOLDEN[name](), method, exact=True)
    assert found.gain == found.lower == found.upper == Fraction(KNOWN[name][0])
    assert found.certified and found.check(), found.check().reason
    rounded = rlt.optimal_gain(GOLDEN[name](), method)
    assert rounded.lower <= rounded.gain <= rounded.upper and rounded.check()
    assert Fraction(rounded.lower) <= found.gain <= Fraction(rounded.upper)
    assert rounded.gain == float(found.gain) and rounded.upper - rounded.lower <= 2.0**-52


@pytest.mark.parametrize("name", KNOWN)
def test_golden_values(name: str) -> None:
    expected = (Fraction(0), *map(Fraction, KNOWN[name][1].split()))
    assert rlt.optimal_value(GOLDEN[name](), 8, exact=True) == expected
    np.testing.assert_allclose(rlt.optimal_value(GOLDEN[name](), 8), [*map(float, expected)])


@pytest.mark.parametrize(
    ("delays", "plays", "gain"),
    [
        ((3, 4), 1, "5/9"),
        ((3, 4, 5), 1, "8/11"),
        ((3, 3, 3, 3), 2, "4/3"),
        ((2, 3, 6), 1, "7/8"),
        ((3, 4, 4, 6), 1, "8/9"),
        ((2, 3, 12, 12), 1, "11/12"),
        ((2, 5, 5, 10), 1, "11/12"),
        ((3, 3, 4, 12), 1, "11/12"),
        ((2, 4, 6, 12), 1, "15/16"),
        ((2, 4, 8, 8), 1, "1"),
        ((2, 6, 6, 6), 1, "1"),
    ],
)
def test_more_blocking_arms(delays: tuple[int, ...], plays: int, gain: str) -> None:
    found = rlt.optimal_gain(blocking(delays, plays=plays), exact=True)
    assert found.gain == Fraction(gain) and found.check()


def test_instances_of_the_published_experiment() -> None:
    constant = rlt.LSDArm(["0.15"], ["0.15"])
    spike = rlt.LSDArm.recharging([0, 0, "0.95", *[0] * 7])
    slow = rlt.LSDArm.recharging(["0.14"] * 5 + ["0.16"] + ["0.14"] * 2 + ["0.96"] * 2)
    A = rlt.LSDBandit([constant, spike, slow, constant, constant], idle=False)
    found = rlt.optimal_gain(A, exact=True)
    assert found.gain == Fraction(38, 75) and found.check()
    played = [arm for r in found.cycle for arm in r.played]
    assert len(found.cycle) == 9 and (played.count(1), played.count(2)) == (3, 1)
    B = rlt.LSDBandit(
        [rlt.LSDArm(["0.05"], ["0.05"]), rlt.LSDArm.recharging(["0.06", "0.95"])], idle=False
    )
    found = rlt.optimal_gain(B, exact=True)
    assert found.gain == Fraction(1, 2)
    assert sorted(r.played for r in found.cycle) == [(0,), (1,)]


@given(bandit=bandits())
def test_gains_and_values_are_those_of_the_plain_graph(bandit: rlt.LSDBandit) -> None:
    graph = plain_graph(bandit)
    gain, _, _ = plain_howard(graph)
    for method in METHODS:
        found = rlt.optimal_gain(bandit, method, exact=True)
        assert list(found.means.gain) == gain
        assert found.gain == gain[bandit.rested] and found.check()
    start = bandit.split(bandit.n_states // 2)
    assert rlt.optimal_gain(bandit, exact=True, state=start).gain == gain[bandit.n_states // 2]
    walks = plain_walks(graph, 5)
    tables = rlt.optimal_value(bandit, 5, exact=True, tables=True)
    assert [list(row) for row in tables] == walks
    assert list(rlt.optimal_value(bandit, 5, start, exact=True)) == [
        row[bandit.n_states // 2] for row in walks
    ]


def test_payoffs_beyond_a_common_denominator_are_bracketed() -> None:
    primes = [10**9 + 7, 10**9 + 9, 998244353]
    arms = [rlt.LSDArm([Fraction(p // 3, p)], [Fraction(p // 5, p)]) for p in primes]
    bandit = rlt.LSDBandit(arms, plays=2)
    assert bandit.denominator > 2**62
    with pytest.raises(ModelError, match="common denominator"):
        rlt.optimal_gain(bandit, exact=True)
    with pytest.raises(ModelError, match="common denominator"):
        rlt.optimal_value(bandit, 3, exact=True)
    found = rlt.optimal_gain(bandit)
    gain, _, _ = plain_howard(plain_graph(bandit))
    assert Fraction(found.lower) <= gain[bandit.rested] <= Fraction(found.upper)
    assert found.upper - found.lower <= 2.0**-50 and found.check()
    np.testing.assert_allclose(
        rlt.optimal_value(bandit, 3),
        [float(row[bandit.rested]) for row in plain_walks(plain_graph(bandit), 3)],
    )


def test_the_start_matters_where_a_state_cannot_be_reached() -> None:
    bandit = kept_down()
    assert rlt.optimal_gain(bandit, exact=True).gain == Fraction(1, 2)
    low = [arm.index(s) for arm, s in zip(bandit.arms, (-2, -3), strict=True)]
    assert rlt.optimal_gain(bandit, exact=True, state=low).gain == 1
    # Monotone as well, where rests do not lead to the top.
    apart = rlt.LSDBandit([rlt.OrderedArm([0, 1], [0, 1], [0, 1])])
    assert apart.is_monotone()
    gains = [rlt.optimal_gain(apart, exact=True, state=[s]).gain for s in (0, 1)]
    assert gains == [0, 1]


def test_forged_cycles_are_refused() -> None:
    found = rlt.optimal_gain(blocking([2, 3]), exact=True)
    assert found.check()
    first = found.cycle[0]
    for change in (
        {"cycle": found.cycle[1:]},
        {"cycle": (Round(first.state, (0, 1)), *found.cycle[1:])},
        {"lower": Fraction(4, 5)},
        {"upper": Fraction(7, 10)},
    ):
        assert not dataclasses.replace(found, **change).check()


def test_the_entry_of_a_traversal_is_no_reference() -> None:
    assert howard_by_entry(repeating()) is None
    assert rlt.optimal_gain(repeating(), exact=True).gain == Fraction(7, 18)
    ends = [blocking([2, 3]), blocking([3, 4])]
    assert [howard_by_entry(b) for b in ends] == [Fraction(3, 4), Fraction(5, 9)]


def test_runs_of_arms_that_recover_at_once() -> None:
    one = rlt.LSDBandit([rlt.LSDArm([1], [0])])
    assert one_rest_gain(one) == Fraction(1, 2) and one_rest_gain(one, idle=False) == 1
    with pytest.raises(ValueError, match="more than one rest"):
        one_rest_gain(blocking([4]))


@pytest.mark.parametrize(
    ("call", "word"),
    [
        (lambda b: rlt.optimal_gain(b, "kleene"), "method is 'kleene'"),
        (lambda b: rlt.optimal_gain(b, state=[0]), "state has 1 entries"),
        (lambda b: rlt.optimal_gain(b, state=[9, 0]), r"state\[0\] is 9"),
        (lambda b: rlt.optimal_value(b, -1), "T is -1"),
        (lambda b: rlt.optimal_value(b, 1.5), "T is 1.5"),
        (lambda b: rlt.optimal_value(b, True), "T is True"),
        (lambda b: rlt.optimal_value(b, 10**9, tables=True), "tables of .* GB"),
        (lambda b: rlt.optimal_gain(rlt.LSDBandit(b.arms * 14)), "joint states and .* GB"),
    ],
)
def test_what_is_wrong_is_named(call: Any, word: str) -> None:
    with pytest.raises(ModelError, match=word):
        call(blocking([2, 3]))


def test_results_show_themselves() -> None:
    text = repr(rlt.optimal_gain(blocking([2, 3]), exact=True))
    assert text.startswith("GainResult(gain 3/4, 6 states, plays ")
    assert "CycleMeans(largest 3/4, gap 0, 6 vertices, 1 gain" in repr(
        rlt.optimal_gain(blocking([2, 3]), exact=True).means
    )
    assert joint_graph(blocking([2, 3])).unit == 1


@pytest.mark.slow
def test_many_joint_states() -> None:
    bandit = blocking([7] * 7)
    found = rlt.optimal_gain(bandit, exact=True)
    assert bandit.n_states == 7**7 and found.gain == 1 and found.check()
