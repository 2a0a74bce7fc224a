"""Interleaved schedules: golden averages as fractions, twins, dominance, what is refused."""

import pickle
from fractions import Fraction
from math import lcm

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import rltheory as rlt
from rltheory._core import topics
from rltheory.errors import ModelError
from rltheory.lsd_bandits.expected_average import average_of
from rltheory.lsd_bandits.families import GOLDEN, blocking, tight
from rltheory.lsd_bandits.lotteries import Lottery
from rltheory.lsd_bandits.plans import Plan, Relaxation, always, block
from tests.reference.plain_lsd_schedule import (
    PlainSchedule,
    plain_average,
    plain_expected_average,
    plain_expected_rewards,
    plain_virtual_value,
)

Q = Fraction


def relaxation(bandit: rlt.LSDBandit, *types) -> Relaxation:
    """By hand: for each arm pairs (type, rate), a type being (n, m) or "always"."""
    plans, rates, value = [], [], Q(0)
    for arm, row in zip(bandit.arms, types, strict=True):
        made = [always(arm) if kind == "always" else block(arm, *kind) for kind, _ in row]
        plans.append(tuple(made))
        rates.append(tuple(Q(rate) for _, rate in row))
        value += sum(plan.reward(arm) * Q(x) for plan, (_, x) in zip(made, row, strict=True))
    return Relaxation(bandit, value, tuple(plans), tuple(rates), Q(0))


def golden(name: str) -> Relaxation:
    one = {
        "I1": [[((1, 1), "1/2")], [((2, 1), "1/4"), ("always", "1/4")]],
        "I2": [[((2, 1), "1/3")], [((1, 1), "1/3")], [((2, 1), "1/3")]],
        "I3": [[((2, 1), "1/6"), ((1, 2), "1/6")], [((1, 1), "1/2")]],
        "I4": [[((2, 1), "1/6"), ((1, 2), "1/6")], [((1, 1), "1/2")]],
        "B23": [[((1, 1), "1/2")], [((2, 1), "1/3")]],
        "B236": [[((1, 1), "1/2")], [((2, 1), "1/3")], [((5, 1), "1/6")]],
    }
    return relaxation(GOLDEN[name](), *one[name])


AVERAGES = [
    ("I1", "5/8", "1/2"),
    ("I3", "5/8", "1/2"),
    ("I4", "5/6", "13/18"),
    ("B23", "5/6", "2/3"),
    ("B236", "1", "13/18"),
]


@pytest.mark.parametrize(("name", "value", "average"), AVERAGES)
def test_golden_averages(name: str, value: str, average: str) -> None:
    relax = golden(name)
    assert relax.value == Q(value)
    found = rlt.expected_average(relax)
    assert found.value == Q(average) and isinstance(found.value, Fraction)
    assert found.method == "enumeration" and found.half_width == 0


def test_ranking_by_real_payoffs_may_lose() -> None:
    assert rlt.expected_average(golden("I4"), select="real").value == Q(2, 3)
    own = relaxation(GOLDEN["I4"](), [((2, 1), "1/3")], [((1, 1), "1/2")])
    for select in ("virtual", "real"):
        assert rlt.expected_average(own, select=select).value == Q(2, 3)


def test_four_blocking_arms_two_plays() -> None:
    relax = relaxation(blocking([3] * 4, plays=2), *[[((2, 1), "1/3")]] * 4)
    assert relax.value == Q(4, 3)
    assert (
        rlt.expected_average(relax).value == Q(98, 81) == plain_virtual_value(Lottery.of(relax), 2)
    )
    assert float(Q(98, 81)) == pytest.approx(1.2098765, abs=1e-7)


@pytest.mark.parametrize(
    ("n", "average"), [(2, "3/4"), (3, "19/27"), (4, "175/256"), (5, "2101/3125")]
)
def test_the_tight_family(n: int, average: str) -> None:
    relax = relaxation(tight(n), *[[((n - 1, 1), Q(1, n))]] * n)
    assert rlt.expected_average(relax).value == Q(average)


SCORES = {
    2: ["3/4", "3/4", "1"],
    3: ["19/27", "19/27", "7/9", "1"],
    4: ["175/256", "175/256", "23/32", "13/16", "1"],
}


@pytest.mark.parametrize("n", SCORES)
def test_scores_of_the_derandomised_schedule(n: int) -> None:
    relax = relaxation(tight(n), *[[((n - 1, 1), Q(1, n))]] * n)
    schedule = rlt.derandomized_schedule(relax)
    assert list(schedule.scores) == [Q(x) for x in SCORES[n]]
    assert schedule.average().value == 1 and schedule.average().method == "period"


def test_the_derandomised_schedule_may_be_seven_ninths() -> None:
    bandit = rlt.LSDBandit([rlt.LSDArm(["3/4", 1], ["1/2", 0]), rlt.LSDArm(["3/4"], ["1/4"])])
    relax = relaxation(bandit, [((2, 1), "1/6"), ((1, 2), "1/6")], [((1, 1), "1/2")])
    schedule = rlt.derandomized_schedule(relax)
    assert set(schedule.scores) == {Q(7, 12)} and schedule.average().value == Q(7, 12)


@pytest.mark.parametrize("length", range(2, 7))
def test_momentum_arms(length: int) -> None:
    arm = rlt.LSDArm([0] * length, [Q(m == length - 1) for m in range(1, length + 1)])
    rate = Q(1, 2 * length)
    relax = relaxation(rlt.LSDBandit([arm] * 2), *[[((length, length), rate)]] * 2)
    assert relax.value == Q(1, length)
    assert rlt.expected_average(relax).value == (Q(1, 4) + Q(3, 4 * length)) / length
    with pytest.raises(ModelError, match=r"arms\[0\]"):
        rlt.interleaved_schedule(relax)
    assert rlt.interleaved_schedule(relax, mode="any").simulate(5).shape == (5,)


# --- twins --------------------------------------------------------------------------------


@st.composite
def relaxations(draw, ordered: bool = False, plays: int | None = None) -> Relaxation:
    """Random arms with a random, by no means optimal, law of plans."""
    n = draw(st.integers(1, 3))
    arms, rows = [], []
    for _ in range(n):
        rests, worn = draw(st.integers(1, 3)), draw(st.integers(1, 2))
        eighths = draw(st.lists(st.integers(0, 8), min_size=rests + worn, max_size=rests + worn))
        paid = [Q(x, 8) for x in (sorted(eighths) if ordered else eighths)]
        recovery = draw(st.sampled_from(["reset", "reset", "gradual"]))
        arms.append(rlt.LSDArm(paid[worn:], paid[:worn][::-1], recovery))
        kinds = draw(
            st.lists(
                st.one_of(st.just("always"), st.tuples(st.integers(1, 3), st.integers(1, 2))),
                max_size=2,
                unique=True,
            )
        )
        rows.append([(kind, draw(st.integers(1, 4))) for kind in kinds])
    bandit = rlt.LSDBandit(arms, plays or draw(st.integers(1, n)))
    made = relaxation(bandit, *rows)
    rates = []
    for plans, row in zip(made.plans, made.rates, strict=True):
        slack = draw(st.integers(0, 3))
        total = sum(int(x) * plan.period for x, plan in zip(row, plans, strict=True)) + slack
        rates.append(tuple(x / max(total, 1) for x in row))
    value = sum(
        (
            x * plan.reward(arm)
            for arm, plans, row in zip(arms, made.plans, rates, strict=True)
            for x, plan in zip(row, plans, strict=True)
        ),
        Q(0),
    )
    return Relaxation(bandit, value, made.plans, tuple(rates), Q(0))


RULES = st.sampled_from([("virtual", False), ("virtual", True), ("real", False), ("real", True)])


@settings(max_examples=60)
@given(relaxations(), RULES)
def test_expected_averages_are_those_of_the_twin(relax: Relaxation, rule) -> None:
    lottery, (select, filler) = Lottery.of(relax), rule
    if lottery.n_tuples > 400:
        return
    found = rlt.expected_average(relax, select, filler=filler)
    assert found.value == plain_expected_average(lottery, select, filler)
    assert rlt.expected_rewards(relax, 6, select, filler=filler) == tuple(
        plain_expected_rewards(lottery, 6, select, filler)
    )
    close = rlt.expected_average(relax, select, exact=False, filler=filler)
    assert close.value == pytest.approx(float(found.value), abs=1e-12)


@settings(max_examples=40)
@given(relaxations(plays=1))
def test_blocks_are_those_of_the_twin(relax: Relaxation) -> None:
    lottery = Lottery.of(relax)
    if lottery.n_tuples > 400:
        return
    found = average_of(lottery, "blocks", exact=True)
    assert found.value == plain_expected_average(lottery, "blocks")


@settings(max_examples=60)
@given(relaxations(), RULES, st.integers(0, 99))
def test_a_schedule_is_that_of_the_twin(relax: Relaxation, rule, seed: int) -> None:
    select, filler = rule
    schedule = rlt.interleaved_schedule(relax, seed, select, filler, mode="any")
    plain = PlainSchedule(relax.bandit, schedule.plans, schedule.offsets, select, filler)
    run = schedule.plays(30)
    for t in range(30):
        assert run.states[t].tolist() == plain.states
        virtual = [plain.place(i) for i in range(relax.bandit.n_arms)]
        assert [
            (s, w) for s, w in zip(run.virtual_states[t], run.virtual_plays[t], strict=True)
        ] == virtual
        played, reward = plain.step()
        assert np.flatnonzero(run.plays[t]).tolist() == sorted(played)
        assert run.rewards[t] == pytest.approx(float(reward), abs=1e-12)
    assert np.array_equal(schedule.simulate(30), run.rewards)
    assert schedule.average().value == plain_average(
        relax.bandit, schedule.plans, schedule.offsets, select, filler
    )


@settings(max_examples=40)
@given(relaxations(ordered=True), RULES, st.integers(0, 99))
def test_real_states_stay_above_virtual_ones(relax: Relaxation, rule, seed: int) -> None:
    run = rlt.interleaved_schedule(relax, seed, *rule).plays(40)
    assert run.violations == 0
    assert (run.states >= run.virtual_states).all()
    assert (run.plays.sum(axis=1) <= relax.bandit.plays).all()


@settings(max_examples=40)
@given(relaxations(ordered=True), st.integers(1, 12))
def test_every_round_earns_the_virtual_value(relax: Relaxation, rounds: int) -> None:
    lottery = Lottery.of(relax)
    if lottery.n_tuples > 400:
        return
    value = plain_virtual_value(lottery, relax.bandit.plays)
    for select in ("virtual", "real"):
        assert all(r >= value for r in rlt.expected_rewards(relax, rounds, select))


@settings(max_examples=30)
@given(relaxations(ordered=True, plays=1))
def test_scores_never_fall(relax: Relaxation) -> None:
    lottery = Lottery.of(relax)
    if lottery.n_tuples > 2000:
        return
    schedule = rlt.derandomized_schedule(relax)
    scores = schedule.scores
    assert scores[0] == plain_virtual_value(lottery, 1)
    assert list(scores) == sorted(scores)
    assert schedule.average().value >= scores[-1]


# --- starts, caps, what is refused --------------------------------------------------------


def test_from_elsewhere_the_arms_rest_first() -> None:
    relax = golden("I4")
    schedule = rlt.interleaved_schedule(relax, 3)
    rested, tired = schedule.plays(8), schedule.plays(10, [0, 0])
    assert not tired.plays[:2].any() and (tired.virtual_states[:2] == -1).all()
    assert np.array_equal(tired.plays[2:], rested.plays)
    assert np.array_equal(tired.states[2:], rested.states)
    assert np.array_equal(schedule.simulate(10, 0), tired.rewards)
    at_once = schedule.plays(8, 0, rest_first=False)
    assert at_once.states[0].tolist() == [0, 0] and at_once.virtual_states[0, 0] >= 0
    assert schedule.plays(1, 0).plays.shape == (1, 2)
    assert schedule.plays(0).rewards.shape == (0,)


def long_schedule(length: int = 2) -> rlt.Schedule:
    """Thirteen prime periods, whose product is near 10^16."""
    primes = [2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41][: 13 if length == 2 else length]
    bandit = blocking([3] * len(primes))
    plans = tuple(block(arm, p - 1, 1) for arm, p in zip(bandit.arms, primes, strict=True))
    return rlt.Schedule(bandit, plans, (0,) * len(primes))


def test_a_period_above_the_cap_is_sampled_and_said_so() -> None:
    schedule = long_schedule()
    found = schedule.average()
    assert schedule.period == lcm(2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41) > 10**6
    assert found.method == "monte-carlo" and not found.is_exact and 0 < found.half_width < 0.02
    assert "+-" in repr(found)
    # With unit rewards and delay at least 3 kept by every plan but the first, who loses is rested.
    long = schedule.simulate(200_000)[1000:].mean()
    assert abs(long - found.value) <= found.half_width + 1e-3
    real = rlt.Schedule(schedule.bandit, schedule.plans, schedule.offsets, "real")
    assert real.average().method == "window" and real.average().half_width == np.inf


def test_many_tuples_are_sampled_and_said_so() -> None:
    relax = golden("I4")
    exact = rlt.expected_average(relax)
    for select, method in (("virtual", "monte-carlo"), ("real", "window")):
        found = rlt.expected_average(relax, select, most_tuples=10, seed=1)
        assert found.method == method and not found.is_exact
        value = rlt.expected_average(relax, select).value
        assert abs(found.value - float(value)) <= found.half_width
    assert exact.samples == 6 * 2


def test_payoffs_of_another_bandit_are_earned() -> None:
    relax = golden("B23")
    half = blocking([2, 3], ["1/2", "1/2"])
    assert rlt.expected_average(relax, earning=half).value == Q(1, 3)
    schedule = rlt.interleaved_schedule(relax, 0)
    assert 2 * schedule.average(half).value == schedule.average().value
    with pytest.raises(ModelError, match="earning has arms of"):
        rlt.expected_average(relax, earning=blocking([2, 2]))


def test_a_cycle_without_plays_is_as_never() -> None:
    turning = rlt.OrderedArm([0, 1, 2], [1, 2, 0], [0, "1/2", 1])
    rests, plays = Plan((0, 1, 2), (False,) * 3), Plan((2,), (True,))
    bandit = rlt.LSDBandit([turning, rlt.LSDArm(["1/2"], ["1/4"])])
    other = (block(bandit.arms[1], 1, 1),)
    for filler in (False, True):
        values = []
        for rates, plans in (((Q(1, 6), Q(1, 4)), (rests, plays)), ((Q(1, 4),), (plays,))):
            relax = Relaxation(bandit, Q(1, 2), (plans, other), (rates, (Q(1, 3),)), Q(0))
            found = rlt.expected_average(relax, filler=filler).value
            assert found == plain_expected_average(Lottery.of(relax), filler=filler)
            rounds = rlt.expected_rewards(relax, 5, filler=filler)
            assert rounds == tuple(plain_expected_rewards(Lottery.of(relax), 5, filler=filler))
            for seed in range(8):
                run = rlt.interleaved_schedule(relax, seed, filler=filler, mode="any").plays(9)
                assert (run.plays <= run.virtual_plays).all() or filler
            values.append((found, rounds))
        assert values[0] == values[1]


def test_floats_are_averaged_as_the_rationals_they_are() -> None:
    arm = rlt.LSDArm([0.3, 0.7], [0.1])
    relax = relaxation(rlt.LSDBandit([arm, arm]), *[[((2, 1), "1/6"), ((1, 1), "1/4")]] * 2)
    for select in ("virtual", "real"):
        value = rlt.expected_average(relax, select).value
        assert value == plain_expected_average(Lottery.of(relax), select)
        assert value.denominator > 2**50
    assert rlt.expected_average(relax, exact=False).value == pytest.approx(float(value), rel=0.2)


def test_draws_follow_the_law() -> None:
    relax = golden("I1")
    drawn = [rlt.interleaved_schedule(relax, seed) for seed in range(2000)]
    names = [(s.plans[1].name() if s.plans[1] else "never", s.offsets[1]) for s in drawn]
    for key, p in {("(2,1)", 0): 0.25, ("(2,1)", 2): 0.25, ("always", 0): 0.25}.items():
        assert abs(names.count(key) / 2000 - p) < 0.05
    assert {s.offsets[0] for s in drawn} == {0, 1}
    one = rlt.interleaved_schedule(relax, 7)
    assert one == rlt.interleaved_schedule(relax, 7) == pickle.loads(pickle.dumps(one))


def _broken(**changes) -> Relaxation:
    relax = golden("B23")
    return Relaxation(**{**{f: getattr(relax, f) for f in relax.__dataclass_fields__}, **changes})


@pytest.mark.parametrize(
    ("make", "word"),
    [
        (lambda: rlt.interleaved_schedule(golden("B23"), select="best"), "select is 'best'"),
        (lambda: rlt.expected_average(golden("B23"), select="blocks"), "select is 'blocks'"),
        (
            lambda: rlt.expected_average(_broken(rates=((Q(1),), (Q(1, 3),)))),
            "take 2 of all rounds",
        ),
        (lambda: rlt.expected_average(_broken(rates=((-Q(1),), (Q(1, 3),)))), "probability -2"),
        (lambda: rlt.expected_average(_broken(rates=((0.5,), (0.25,)))), "exact=False"),
        (
            lambda: rlt.expected_average(_broken(plans=((Plan((1, 1), (False, True)),),) * 2)),
            "no cycle of that arm",
        ),
        (lambda: rlt.expected_rewards(golden("B23"), -1), "rounds is -1"),
        (lambda: rlt.interleaved_schedule(golden("B23")).plays(-1), "rounds is -1"),
        (lambda: rlt.interleaved_schedule(golden("B23")).simulate(3, 99), "state is 99"),
        (lambda: rlt.interleaved_schedule(golden("B23")).simulate(3, [0, 9]), r"state\[1\] is 9"),
        (lambda: rlt.Schedule(blocking([2]), (None, None), (0,)), "plans has 2 entries"),
        (lambda: rlt.Schedule(blocking([2]), (None,), (1,)), r"offsets\[0\] is 1"),
        (
            lambda: rlt.Schedule(rlt.LSDBandit([rlt.LSDArm([1], [0])], idle=False), (None,), (0,)),
            "idle=False",
        ),
        (
            lambda: rlt.derandomized_schedule(
                relaxation(blocking([3] * 4, plays=2), *[[((2, 1), "1/3")]] * 4)
            ),
            "plays is 2",
        ),
        (lambda: rlt.block_commit_schedule(golden("I1")), "always of arm 1"),
        (lambda: rlt.block_commit_schedule(golden("B23"), alpha=2), "alpha is 2"),
        (
            lambda: rlt.block_commit_schedule(
                relaxation(rlt.LSDBandit([rlt.LSDArm([1], [0], "gradual")]), [((1, 1), "1/2")])
            ),
            "arms that reset",
        ),
    ],
)
def test_what_is_wrong_is_named(make, word: str) -> None:
    with pytest.raises(ModelError, match=word):
        make()


def test_an_arm_that_never_gets_to_the_top() -> None:
    stuck = rlt.OrderedArm([0, 0], [0, 1], [0, 1])
    plan = Plan((1,), (False,))
    schedule = rlt.Schedule(rlt.LSDBandit([stuck]), (plan,), (0,))
    assert schedule.simulate(2).tolist() == [0, 0]
    with pytest.raises(ModelError, match="no number of rests"):
        schedule.simulate(2, [0])


def test_a_long_common_period_cannot_be_derandomised() -> None:
    schedule = long_schedule(9)
    plans = tuple((plan,) for plan in schedule.plans)
    rates = tuple((Q(1, plan.period),) for plan in schedule.plans)
    with pytest.raises(ModelError, match="common period"):
        rlt.derandomized_schedule(Relaxation(schedule.bandit, Q(1), plans, rates, Q(0)))


# --- what the core refuses ----------------------------------------------------------------


def core_arguments(**changes):
    """One arm of two states that plays every second round."""
    made = {
        "sizes": np.array([2], dtype=np.int32),
        "play_next": np.array([0, 0], dtype=np.int32),
        "rest_next": np.array([1, 1], dtype=np.int32),
        "ranks": np.array([0, 1], dtype=np.int32),
        "first": np.array([0, 1], dtype=np.int32),
        "begin": np.array([0, 2], dtype=np.int64),
        "states": np.array([0, 1], dtype=np.int32),
        "plan_plays": np.array([0, 1], dtype=np.uint8),
        "plays": 1,
        "rule": 0,
        "filler": False,
    }
    return topics.LsdSetting(**{**made, **changes})


I32, I64 = np.int32, np.int64


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"plays": 2}, "plays must be in"),
        ({"plays": 0}, "plays must be in"),
        ({"rule": 3}, "no such rule"),
        ({"first": np.array([0], dtype=I32)}, "first has 1"),
        ({"first": np.array([1, 1], dtype=I32)}, "start at 0"),
        ({"first": np.array([0, 0], dtype=I32)}, "has no plan"),
        ({"first": np.array([0, 2], dtype=I32)}, "begin has 2"),
        ({"begin": np.array([1, 2], dtype=I64)}, "start at 0"),
        ({"begin": np.array([0, 0], dtype=I64)}, "no rounds"),
        ({"begin": np.array([0, 3], dtype=I64)}, "states has 2"),
        ({"states": np.array([0, 2], dtype=I32)}, "no state 2"),
        ({"states": np.array([0, -1], dtype=I32)}, "no state -1"),
        ({"plan_plays": np.array([1], dtype=np.uint8)}, "plays has 1"),
        ({"play_next": np.array([0, 5], dtype=I32)}, "moves to state 5"),
    ],
)
def test_the_core_refuses(changes, word: str) -> None:
    with pytest.raises(ValueError, match=word):
        core_arguments(**changes)


def test_the_core_refuses_choices_that_are_none() -> None:
    setting, plan, zero = core_arguments(), np.zeros(1, dtype=I32), np.zeros(1, dtype=I64)
    assert setting.run(plan, zero, plan, 2)[1].ravel().tolist() == [0, 1]
    for wrong in (np.array([2], dtype=I64), np.array([-1], dtype=I64), np.zeros(2, dtype=I64)):
        with pytest.raises(ValueError, match=r"plans and phases|no such plan"):
            setting.run(plan, wrong, plan, 2)
    with pytest.raises(ValueError, match="cannot start"):
        setting.run(plan, zero, np.array([2], dtype=I32), 2)
    with pytest.raises(ValueError, match="at least 0"):
        setting.run(plan, zero, plan, -1)
    with pytest.raises(ValueError, match="at least 0"):
        setting.window_counts(plan, zero, -1, 1)
    with pytest.raises(ValueError, match="at least 0"):
        setting.expected_curve(-1)
    with pytest.raises(OverflowError, match="most_rounds"):
        setting.long_run(plan, zero, 1)
