"""The least g*/LP of all payoffs: its certificates, and the instances that attain it."""

from dataclasses import replace
from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from scipy.optimize import linprog

import rltheory as rlt
from rltheory.errors import ModelError
from rltheory.lsd_bandits.gap_certificates import GapVertex, ScheduleMix, plays_above
from rltheory.lsd_bandits.integrality_gap import gap_vertices, has_gain_at_most

FOUR_FIFTHS = rlt.LSDBandit([rlt.LSDArm(["1/2"], [0]), rlt.LSDArm(["1/2", 1], ["1/2"])])


def karp(bandit: rlt.LSDBandit) -> Fraction:
    """g* by Karp's formula on the states that are reached from the rested one."""
    succ, _ = bandit.product_graph()
    reached, todo = {bandit.rested}, [bandit.rested]
    while todo:
        new = set(succ[todo.pop()].tolist()) - reached
        reached |= new
        todo += new
    size = len(reached)

    def pay(v: int, a: int) -> Fraction:
        states = bandit.split(v)
        return sum((bandit.arms[i].payoffs[states[i]] for i in bandit.actions[a]), Fraction(0))

    edges = [(v, int(w), pay(v, a)) for v in reached for a, w in enumerate(succ[v])]
    rows: list[dict[int, Fraction]] = [{bandit.rested: Fraction(0)}]
    for _ in range(size):
        row: dict[int, Fraction] = {}
        for v, w, paid in edges:
            if v in rows[-1]:
                row[w] = max(row.get(w, Fraction(-1)), rows[-1][v] + paid)
        rows.append(row)
    return max(
        min((last - rows[j][v]) / (size - j) for j in range(size) if v in rows[j])
        for v, last in rows[-1].items()
    )


def relaxed(bandit: rlt.LSDBandit) -> float:
    """LP by HiGHS over blocks."""
    n_arms = bandit.n_arms
    columns, cost = [], []
    for i, arm in enumerate(bandit.arms):
        assert isinstance(arm, rlt.LSDArm)
        rests, plays = len(arm.rest_payoffs), len(arm.play_payoffs)
        for n, m in product(range(1, rests + 1), range(1, plays + 1)):
            cost.append(float(arm.payoff(n) + sum(arm.payoff(-j) for j in range(1, m))))
            columns.append([(n + m) * (j == i) for j in range(n_arms)] + [m])
        cost.append(float(arm.payoff(-plays)))
        columns.append([1 * (j == i) for j in range(n_arms)] + [1])
    found = linprog(-np.array(cost), A_ub=np.array(columns).T, b_ub=np.ones(n_arms + 1))
    return float(-found.fun)


@pytest.mark.parametrize(
    ("size", "all_used", "least"),
    [
        ((1, 3, 2), False, Fraction(1)),
        ((2, 1, 1), False, Fraction(1)),
        ((2, 2, 1), False, Fraction(4, 5)),
        ((2, 3, 1), False, Fraction(4, 5)),
        ((2, 2, 2), False, Fraction(4, 5)),
        ((3, 2, 1), False, Fraction(4, 5)),
        ((3, 3, 1), True, Fraction(9, 11)),
        ((3, 4, 1), True, Fraction(4, 5)),
    ],
)
def test_least_gap(size: tuple[int, int, int], all_used: bool, least: Fraction) -> None:
    worst = rlt.worst_gap(*size, all_used=all_used)
    assert worst.minimum == least and worst.check()
    assert not replace(worst, minimum=least + Fraction(1, 10**9)).check()
    gain = karp(worst.bandit)
    assert gain == least * worst.vertex.value(worst.bandit)
    assert abs(relaxed(worst.bandit) - gain / least) < 1e-9
    assert worst.bandit.is_monotone()


def test_the_instance_of_the_claim() -> None:
    assert karp(FOUR_FIFTHS) == Fraction(1, 2)
    assert abs(relaxed(FOUR_FIFTHS) - 5 / 8) < 1e-12
    assert has_gain_at_most(FOUR_FIFTHS, Fraction(1, 2))
    assert not has_gain_at_most(FOUR_FIFTHS, Fraction(4999, 10000))
    vertex = rlt.worst_gap(2, 2, 1).vertex
    assert vertex.value(FOUR_FIFTHS) == Fraction(5, 8)


def test_nine_elevenths_with_three_arms_used() -> None:
    worst = rlt.worst_gap(3, 3, 2, all_used=True)
    assert worst.minimum == Fraction(9, 11) == karp(worst.bandit) / worst.vertex.value(worst.bandit)


def test_every_random_instance_is_above_the_least_gap() -> None:
    """The vertices are all there: no payoffs do worse than the least one."""
    rng = np.random.default_rng(0)
    for _ in range(60):
        arms = []
        for _ in range(2):
            rests, plays = rng.integers(1, 4), rng.integers(1, 3)
            p = sorted(Fraction(int(x), 4) for x in rng.integers(0, 5, rests + plays))
            arms.append(rlt.LSDArm(p[plays:], p[:plays][::-1]))
        bandit = rlt.LSDBandit(arms)
        assert float(karp(bandit)) >= 0.8 * relaxed(bandit) - 1e-12


def test_vertices_are_solutions_of_the_relaxation() -> None:
    found = list(gap_vertices(2, 3, 2))
    assert len(set(found)) == len(found)
    for vertex in found:
        plays = [sum(rate * m for (_, m), rate in arm) for arm in vertex.arms]
        times = [sum(rate * (n + m) for (n, m), rate in arm) for arm in vertex.arms]
        assert sum(plays) <= 1 and max(times) <= 1
        positive = sum(len(arm) for arm in vertex.arms)
        tight = sum(t == 1 for t in times) + (sum(plays) == 1)
        assert positive <= tight <= len(vertex.arms) + 1
        assert [vertex.plays_above(i)[0] for i in range(len(plays))] == plays


def test_plays_above_follows_the_definition() -> None:
    rng = np.random.default_rng(1)
    for _ in range(50):
        schedule = tuple(int(x) for x in rng.integers(-1, 2, rng.integers(1, 8)))
        rests, plays = int(rng.integers(1, 5)), int(rng.integers(1, 4))
        arm = rlt.LSDArm([1] * rests, [0] * plays)
        state, counts = arm.top, [0] * arm.n_states
        for t in range(20 * len(schedule)):
            played = schedule[t % len(schedule)] == 0
            if played and t >= 19 * len(schedule):
                counts[state] += 1
            state = arm.play_next[state] if played else arm.rest_next[state]
        assert plays_above(schedule, 0, rests, plays) == [
            sum(counts[s:]) for s in range(arm.n_states)
        ]


def test_wrong_certificates_prove_nothing() -> None:
    vertex = GapVertex(((((1, 1), Fraction(1, 2)),), (((1, 1), Fraction(1, 2)),)))
    whole = ScheduleMix(((Fraction(1), (0, 1)),))
    assert whole.ratio(vertex) == 1
    assert ScheduleMix(((Fraction(2), (0, 1)),)).ratio(vertex) == 0
    assert ScheduleMix(((Fraction(2), (0, 1)), (Fraction(-1), (0,)))).ratio(vertex) == 0
    assert ScheduleMix(((Fraction(1), (0, -1)),)).ratio(vertex) == 0


@pytest.mark.parametrize("size", [(0, 1, 1), (2, True, 1), (2, 1, 1.0)])
def test_sizes_are_integers_of_at_least_one(size: tuple[int, int, int]) -> None:
    with pytest.raises(ModelError, match="at least 1"):
        rlt.worst_gap(*size)


def test_three_arms_of_one_round_cannot_all_be_used() -> None:
    with pytest.raises(ModelError, match="no relaxation uses all of 3 arms"):
        rlt.worst_gap(3, 1, 1, all_used=True)


@pytest.mark.slow
@pytest.mark.parametrize(
    "size",
    [(2, 40, 1), (2, 8, 4), (2, 6, 6), (3, 8, 1), (3, 6, 2), (3, 4, 3), (4, 6, 1), (4, 3, 2)],
    ids=str,
)
def test_four_fifths_at_larger_sizes(size: tuple[int, int, int]) -> None:
    worst = rlt.worst_gap(*size)
    assert worst.minimum == Fraction(4, 5) and worst.check()


@pytest.mark.slow
def test_three_arms_are_below_four_fifths() -> None:
    worst = rlt.worst_gap(3, 9, 1)
    assert worst.minimum == Fraction(27, 34) and worst.check()
    assert rlt.optimal_gain(worst.bandit, exact=True).gain == worst.minimum * Fraction(
        rlt.concave_relaxation(worst.bandit, exact=True).value
    )
