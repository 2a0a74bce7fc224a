"""The relaxation: golden values, its own proof of optimality, and all cycles one by one."""

from fractions import Fraction
from itertools import accumulate, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import rltheory as rlt
from rltheory.errors import ModelError
from rltheory.lsd_bandits.arm_cycles import NEVER, Vertex, hull_of_cycles, upper_hull
from rltheory.lsd_bandits.block_hull import hull_of_blocks
from rltheory.lsd_bandits.families import CORNERS, GOLDEN, blocking, tight
from rltheory.lsd_bandits.plans import Plan, always, block
from rltheory.lsd_bandits.relaxation import grid_of
from tests.helpers.lsd_arms import lsd_arms, lsd_bandits, ordered_arms

F = Fraction
VALUES = {
    "I1": (F(5, 8), F(1, 2)),
    "I2": (F(23, 30), F(17, 30)),
    "I3": (F(5, 8), F(1, 2)),
    "I4": (F(5, 6), F(2, 3)),
    "B23": (F(5, 6), F(2, 3)),
    "B236": (F(1), F(13, 18)),
}


def solved(bandit, **how):
    return rlt.concave_relaxation(bandit, exact=True, **how)


@pytest.mark.parametrize("name", GOLDEN)
def test_golden_values(name: str) -> None:
    relax = solved(GOLDEN[name]())
    assert (relax.value, rlt.virtual_value(relax)) == VALUES[name]
    assert relax.is_exact and relax.check().gap == 0


def types(relax, arm):
    return {p.name(): x for p, x in zip(relax.plans[arm], relax.rates[arm], strict=True)}


def test_golden_solutions() -> None:
    one = solved(GOLDEN["I1"]())
    assert types(one, 0) == {"(1,1)": F(1, 2)}
    assert types(one, 1) == {"(2,1)": F(1, 4), "always": F(1, 4)}
    three = solved(GOLDEN["I3"]())
    assert types(three, 0) == {"(2,1)": F(1, 6), "(1,2)": F(1, 6)}
    assert types(three, 1) == {"(1,1)": F(1, 2)}
    four = solved(GOLDEN["I4"]())
    assert types(four, 0) == {"(2,1)": F(1, 3)} and types(four, 1) == {"(1,1)": F(1, 2)}
    # B23 leaves a sixth of the rounds free; B236 and I2 use them up.
    assert [solved(GOLDEN[name]()).multiplier > 0 for name in ("B23", "B236", "I2")] == [0, 1, 1]


@pytest.mark.parametrize(
    ("delays", "value"), [((3, 4), F(7, 12)), ((3, 4, 5), F(47, 60)), ((7, 3, 2), F(41, 42))]
)
def test_blocking_arms(delays: tuple[int, ...], value: Fraction) -> None:
    assert solved(blocking(delays)).value == value


def test_four_arms_two_plays() -> None:
    relax = solved(blocking([3] * 4, plays=2))
    assert relax.value == F(4, 3)
    assert float(rlt.virtual_value(relax)) == pytest.approx(1.2098765, abs=5e-8)


@pytest.mark.parametrize("n", [2, 3, 4, 5])
def test_the_tight_family_attains_the_guarantee(n: int) -> None:
    relax = solved(tight(n))
    assert relax.value == 1 and rlt.virtual_value(relax) == rlt.guarantee(n)
    assert all(types(relax, i) == {f"({n - 1},1)": F(1, n)} for i in range(n))


def test_a_given_solution() -> None:
    x = [{(1, 2): "1/6", (2, 1): "1/6"}, {(1, 1): "1/2"}]
    relax = rlt.relaxation_at(GOLDEN["I4"](), x)
    assert relax.value == F(5, 6) and rlt.virtual_value(relax) == F(2, 3)
    assert relax.check().gap == 0 and relax.plays_per_round == 1
    less = rlt.relaxation_at(GOLDEN["I1"](), [{(1, 1): 0.25}, {"always": 0.5}])
    assert less.value == F(3, 8) and less.check().gap == F(1, 4)
    assert repr(less.check()) == "RelaxationBracket(0.375 <= LP <= 0.625, gap 0.25)"


# --- the proof of optimality ----------------------------------------------------------------


@pytest.mark.parametrize("name", CORNERS)
def test_corners(name: str) -> None:
    relax = solved(CORNERS[name]())
    assert relax.check().gap == 0
    at_a_vertex(relax)


def at_a_vertex(relax) -> None:
    """All arms but one follow one plan with probability 1 (claim lsd-vertex-support)."""
    shared = 0
    for i, plans in enumerate(relax.plans):
        assert all(x > 0 for x in relax.rates[i])
        rates = [F(p.n_plays, p.period) for p in plans]
        assert rates == sorted(rates)
        if plans:
            shared += len(plans) - 1 + (sum(relax.probabilities(i)) < 1)
    assert shared <= 1 and relax.plays_per_round <= relax.bandit.plays


@given(lsd_bandits(mode="any", recovery=("reset", "gradual")))
@settings(max_examples=150)
def test_every_solution_is_proved_optimal(bandit) -> None:
    relax = solved(bandit)
    assert relax.check().gap == 0
    at_a_vertex(relax)
    rounded = rlt.concave_relaxation(bandit)
    assert rounded.plans == relax.plans and not rounded.is_exact
    assert rounded.value == float(relax.value)
    assert 0 <= rounded.check().gap < F(1, 10**12)
    share = rlt.guarantee(bandit.n_arms, bandit.plays)
    assert share * relax.value <= rlt.virtual_value(relax) <= relax.value


def all_blocks(arm, rests, plays, endless) -> list[Vertex]:
    """Every block, one by one, the shortest first."""
    pairs = sorted(((n, m) for n in rests for m in plays), key=sum)
    found = []
    for n, m in pairs:
        paid = block(arm, n, m).reward(arm)
        found.append(Vertex(F(m, n + m), paid / (n + m), (n, m)))
    return found + ([Vertex.of(arm, always(arm))] if endless else [])


@given(lsd_arms(most_rests=7, most_plays=6, mode="any"), st.integers(1, 9), st.booleans())
@settings(max_examples=300)
def test_the_staircase_is_the_hull_of_all_blocks(arm, most_plays, endless) -> None:
    rests, plays = range(1, len(arm.rest_payoffs) + 1), range(1, most_plays + 1)
    hull = upper_hull(all_blocks(arm, rests, plays, endless))
    assert hull_of_blocks(arm, rests, plays, endless) == hull
    assert hull_of_blocks(arm, rests[::2], plays[::3], endless) == upper_hull(
        all_blocks(arm, rests[::2], plays[::3], endless)
    )


@given(lsd_arms(mode="any"))
@settings(max_examples=100)
def test_types_are_the_cycles(arm) -> None:
    """The hull over types (n, m) is the hull over cycles of the graph, plan by plan."""
    rests, plays = len(arm.rest_payoffs), len(arm.play_payoffs)
    blocks = hull_of_blocks(arm, range(1, rests + 1), range(1, plays + 1), True)
    plans = [block(arm, *v.plan) if isinstance(v.plan, tuple) else v.plan for v in blocks]
    assert [v.plan for v in hull_of_cycles(arm)] == plans


def test_a_large_arm_takes_linear_time() -> None:
    """Strictly concave payoffs, so that no rest and no play drops out beforehand."""
    size = 1000
    rest = [F(1, 2) + F(n * (2 * size - n), 2 * size * size) for n in range(1, size + 1)]
    play = [F(1, 2) - F(m, 2 * size) for m in range(1, size + 1)]
    hull = hull_of_blocks(rlt.LSDArm(rest, play), range(1, size + 1), range(1, size + 1), True)
    slopes = [(b.reward - a.reward) / (b.plays - a.plays) for a, b in pairwise(hull)]
    assert len(hull) > 100 and all(x > y > 0 for x, y in pairwise(slopes))
    # A charge between two slopes finds nothing above the hull.
    for charge, point in zip(slopes[1::40], hull[2::40], strict=False):
        level = point.reward - charge * point.plays
        best_rest = max(p - level * n for n, p in enumerate(rest, 1))
        worn = [F(0), *accumulate(play)]
        best_play = max(worn[m - 1] - (charge + level) * m for m in range(1, size + 1))
        assert best_rest + best_play == 0


@given(lsd_bandits(mode="any", plays=(1,)))
@settings(max_examples=50)
def test_a_cap_far_above_loses_little(bandit) -> None:
    whole, capped = solved(bandit), [solved(bandit, cap=c) for c in (1, 2, 5, 20)]
    values = [r.value for r in capped]
    assert all(a <= b for a, b in pairwise(values)) and values[-1] <= whole.value
    worn = max(len(arm.play_payoffs) for arm in bandit.arms)
    assert values[-1] >= (1 - F(worn + 1, 21)) * whole.value
    for cap, relax in zip((1, 2, 5, 20), capped, strict=True):
        assert all(p.n_plays <= cap for plans in relax.plans for p in plans)
        assert not any(p.name() == "always" for plans in relax.plans for p in plans)


# --- all cycles one by one ------------------------------------------------------------------


def simple_cycles(arm) -> list[Vertex]:
    """Every simple cycle of the arm's graph, by depth-first search from its smallest state."""
    found = []

    def walk(start: int, states: list[int], plays: list[bool]) -> None:
        for played, move in ((True, arm.play_next), (False, arm.rest_next)):
            to = move[states[-1]]
            if to == start:
                paid = sum(
                    (arm.payoffs[s] for s, p in zip(states, [*plays, played], strict=True) if p),
                    F(0),
                )
                plan = Plan(tuple(states), (*plays, played))
                length = len(states)
                found.append(Vertex(F(plan.n_plays, length), paid / length, plan))
            elif to > start and to not in states:
                walk(start, [*states, to], [*plays, played])

    for start in range(arm.n_states):
        walk(start, [start], [])
    return found


@given(ordered_arms(most_states=6))
@settings(max_examples=300)
def test_the_hull_is_that_of_all_simple_cycles(arm) -> None:
    check_hull(arm)


@given(lsd_arms(most_rests=3, most_plays=4, mode="any", recovery=("gradual",)))
@settings(max_examples=100)
def test_the_hull_of_a_gradual_arm(arm) -> None:
    check_hull(arm)


def check_hull(arm) -> None:
    cycles = simple_cycles(arm)
    hull = hull_of_cycles(arm)
    points = [(v.plays, v.reward) for v in hull]
    assert points == [(v.plays, v.reward) for v in upper_hull(cycles)]
    for vertex in hull[1:]:
        assert Vertex.of(arm, vertex.plan) == vertex
        here = [c for c in cycles if (c.plays, c.reward) == (vertex.plays, vertex.reward)]
        assert vertex.plan.period == min(c.plan.period for c in here)
        assert vertex.plan.plays[-1]


def test_gradual_recovery_has_cycles_of_several_blocks() -> None:
    arm = rlt.LSDArm([1, 1], ["1/2", "1/4", 0], "gradual")
    hull = hull_of_cycles(arm)
    assert hull[0] == NEVER and [v.plan.name() for v in hull[1:]] == ["(1,1)"]
    # From -1 a rest leads to 1 at once; from -2 it takes two.
    assert hull[1] == Vertex(F(1, 2), F(1, 2), hull[1].plan)


def test_an_arm_that_cannot_come_back_has_its_cycles_too() -> None:
    """Playing is worth 1 in the top state, once; then 1/2 for ever."""
    arm = rlt.OrderedArm(play_next=[0, 0], rest_next=[0, 1], payoffs=["1/2", 1])
    relax = solved(rlt.LSDBandit([arm]))
    assert relax.value == F(1, 2) and relax.plans[0][0].states == (0,)


# --- grids and refusals ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("eps", "last", "past", "points"),
    [
        ("1/10", 12, True, list(range(1, 13))),
        ("1/2", 20, True, [1, 2, 3, 4, 6, 9, 13, 19, 20]),
        ("1/2", 20, False, [1, 2, 3, 4, 6, 9, 13, 19]),
        (1, 16, False, [1, 2, 4, 8, 16]),
        (100, 5, True, [1, 5]),
        (100, 1, True, [1]),
    ],
)
def test_grids(eps, last, past, points) -> None:
    assert grid_of(eps, last, past) == points


def test_a_grid_keeps_what_a_long_delay_pays() -> None:
    arm = rlt.LSDArm.blocking(21)
    relax = solved(rlt.LSDBandit([arm]), grid=1)
    assert relax.value == F(1, 21)


ONE = rlt.LSDBandit([rlt.LSDArm([1], [0])])
SLOW = rlt.LSDBandit([rlt.LSDArm([1], [0], "gradual")])


@pytest.mark.parametrize(
    ("make", "word"),
    [
        (lambda: solved(rlt.LSDBandit(ONE.arms, idle=False)), "idle=False"),
        (lambda: solved(ONE, cap=0), "cap is 0"),
        (lambda: solved(ONE, cap=True), "cap is True"),
        (lambda: solved(ONE, cap=1.5), "cap is 1.5"),
        (lambda: solved(ONE, grid=0), "grid is 0"),
        (lambda: solved(ONE, grid="x"), "grid is 'x'"),
        (lambda: solved(ONE, grid=float("nan")), "grid is nan"),
        (lambda: solved(ONE, cap=1, grid=1), "give one of them"),
        (lambda: solved(SLOW, cap=1), r"arms\[0\].*'reset'"),
        (lambda: solved(SLOW, grid=1), r"arms\[0\].*'reset'"),
        (lambda: rlt.relaxation_at(ONE, []), "rates has 0 entries"),
        (lambda: rlt.relaxation_at(ONE, [{(1, 1): "2/3"}]), "take 4/3 rounds"),
        (lambda: rlt.relaxation_at(ONE, [{(1, 1): -1}]), "must be at least 0"),
        (lambda: rlt.relaxation_at(ONE, [{(1, 1): "x"}]), "must be a number"),
        (lambda: rlt.relaxation_at(ONE, [{"often": 1}]), "or 'always'"),
        (lambda: rlt.relaxation_at(ONE, [{(0, 1): 1}]), "at least 1"),
        (
            lambda: rlt.relaxation_at(rlt.LSDBandit(ONE.arms * 2), [{"always": 1}] * 2),
            "play 2 times per round",
        ),
        (
            lambda: rlt.relaxation_at(rlt.LSDBandit([rlt.OrderedArm([0], [0], [1])]), [{}]),
            None,
        ),
    ],
)
def test_what_is_wrong_is_named(make, word) -> None:
    if word is None:
        assert make().value == 0
        return
    with pytest.raises(ModelError, match=word):
        make()


def test_a_false_solution_is_found_out() -> None:
    from dataclasses import replace

    relax = solved(GOLDEN["I1"]())
    broken = Plan((0, 1), (True, True))
    with pytest.raises(ModelError, match="no cycle"):
        replace(relax, plans=((broken,), relax.plans[1])).check()
    with pytest.raises(ModelError, match="the rate"):
        replace(relax, rates=((F(-1),), relax.rates[1])).check()
    with pytest.raises(ModelError, match="a price"):
        replace(relax, multiplier=F(-1)).check()
    # Twice the rates are scaled back; a wrong price proves less.
    twice = tuple(tuple(2 * x for x in rates) for rates in relax.rates)
    assert replace(relax, rates=twice).check().lower == F(5, 8)
    assert replace(relax, multiplier=F(1)).check().upper > F(5, 8)


def test_rates_that_round_up_are_scaled_back() -> None:
    """Five times the double next to 1/5 is above 1."""
    relax = rlt.concave_relaxation(rlt.LSDBandit([rlt.LSDArm([0, 0, 1], [1, 0])]))
    assert relax.rates == ((0.2,),) and 5 * F(0.2) > 1
    proof = relax.check()
    assert proof.lower <= F(2, 5) <= proof.upper and proof.gap >= 0


def test_nothing_to_earn() -> None:
    relax = solved(CORNERS["no payoff at all"]())
    assert relax.value == 0 and relax.plans == ((), ()) and rlt.virtual_value(relax) == 0
    assert repr(relax) == "Relaxation(value 0 exact, price 0: arm 0 never; arm 1 never)"
    assert repr(relax.check()) == "RelaxationBracket(0 = value = LP)"
