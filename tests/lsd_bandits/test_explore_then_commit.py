"""Explore-then-commit beside a plain twin, its formulas beside counting, its edges."""

import math
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from itertools import product

import numpy as np
import pytest

import rltheory as rlt
from rltheory._core import topics
from rltheory.errors import ModelError
from rltheory.lsd_bandits.environment import IDLE
from rltheory.lsd_bandits.explore_then_commit import (
    exploration_actions,
    exploration_repeats,
    exploration_rounds,
    explore,
)
from rltheory.lsd_bandits.families import GOLDEN, bandit_of, rand_any
from rltheory.lsd_bandits.learning_run import plan_arrays
from rltheory.mdp.streams import Stream
from tests.reference.plain_learners import PlainArm, chosen, drawn, relaxed, twins


def flat(bandit: rlt.LSDBandit) -> tuple[np.ndarray, ...]:
    a = bandit.arrays
    return a.sizes, a.play_next, a.rest_next, a.payoffs


def indices(arms: list[PlainArm], values: np.ndarray) -> list[dict[int, float]]:
    out, at = [], 0
    for arm in arms:
        out.append({s: float(values[at + j]) for j, s in enumerate(arm.states)})
        at += len(arm.states)
    return out


def rand_bandits(count: int) -> list[rlt.LSDBandit]:
    family = rand_any(plays=(1,), most_plays=3)
    return [bandit_of(family.instance(family.sample("test", 0, j))) for j in range(count)]


# --- formulas -----------------------------------------------------------------------------


@pytest.mark.parametrize(("rests", "plays", "m"), [(1, 1, 1), (3, 2, 4), (5, 1, 2)])
def test_exploration_samples_every_state_m_times(rests: int, plays: int, m: int) -> None:
    actions = exploration_actions(rests, plays, m, 0)
    assert len(actions) == 1 + m * (rests * (rests + 3) // 2 + plays)
    arm = PlainArm([0] * rests, [0] * plays)
    for start in arm.states:
        state, seen = start, []
        for a in actions:
            if a != IDLE:
                seen.append(state)
            state = arm.play(state) if a != IDLE else arm.rest(state)
        assert sorted(seen[1:]) == sorted(arm.states * m)


def test_means_are_those_of_the_samples() -> None:
    """Payoffs 0 and 1 are learnt without error, from any start; the first plays do not count."""
    bandit = rlt.LSDBandit([rlt.LSDArm([0, 1], [1, 0]), rlt.LSDArm([1], [0])])
    for state in product(range(4), range(2)):
        environment = rlt.BanditEnvironment(bandit, 0, state)
        environment.run([1, 0, 0])
        assert explore(environment, 3).tolist() == bandit.arrays.payoffs.tolist()
        assert environment.is_rested
        assert environment.rounds == 3 + exploration_rounds([2, 1], [2, 1], 3)


def test_the_number_of_repeats_minimises_the_bound() -> None:
    rests, plays, T = [2, 3], [1, 2], 10**6
    m = exploration_repeats(rests, plays, T)

    def stated(repeats: int) -> float:
        return rlt.etc_regret_bound(rests, plays, T, repeats)

    assert stated(m) <= min(stated(2 * m), stated(m // 2))
    assert stated(m) <= rlt.etc_regret_bound(rests, plays, T) <= stated(m) * 1.01
    # B, L and the bound by hand: two blocking arms of delay 2.
    B = 1.75 * 20_000 * math.sqrt(math.log(160_000) / 2)
    assert exploration_repeats([1, 1], [1, 1], 20_000) == math.ceil((B / 12) ** (2 / 3)) == 371
    whole = 3 * 2 ** (-2 / 3) * 6 ** (1 / 3) * B ** (2 / 3) + 2 + 6 + 1 + 0.75
    assert rlt.etc_regret_bound([1, 1], [1, 1], 20_000) == pytest.approx(whole, rel=1e-14)
    assert whole == pytest.approx(6.7e3, rel=0.01)


# --- the commitment -----------------------------------------------------------------------


@pytest.mark.parametrize("bandit", [*rand_bandits(40), *(make() for make in GOLDEN.values())])
def test_the_relaxation_of_the_core_and_its_plays(bandit: rlt.LSDBandit) -> None:
    arms = twins(bandit)
    index = indices(arms, bandit.arrays.payoffs)
    value, mixtures = relaxed(arms, index)
    exact = rlt.concave_relaxation(bandit, exact=True).value
    draws = Stream(1, "test").uniforms(2 * bandit.n_arms)
    found, actions = topics.lsd_commit(*flat(bandit), *plan_arrays(bandit), draws, 60)
    assert found == pytest.approx(float(exact), abs=1e-11)
    assert float(value) == pytest.approx(float(exact), abs=1e-11)
    copies = drawn(arms, mixtures, draws.tolist())
    assert actions.tolist() == [chosen(copies, index, t) for t in range(60)]


@pytest.mark.parametrize("rounds", [0, 1, 7, 400])
def test_the_mean_of_a_commitment_by_enumeration(rounds: int) -> None:
    """Every plan and offset played out, in fractions, under means that are not the payoffs."""
    for j, bandit in enumerate(rand_bandits(12)):
        arms = twins(bandit)
        means = Stream(j, "means").uniforms(len(bandit.arrays.payoffs))
        index = indices(arms, means)
        _, mixtures = relaxed(arms, index)
        options = []
        for arm, (lower, upper, share) in zip(arms, mixtures, strict=True):
            own = []
            for plan, p in ((lower, 1 - share), (upper, share)):
                steps = None if plan is None else arm.plans()[plan]
                length = len(steps) if steps else 1
                own += [((steps, o), p / length) for o in range(length) if p]
            options.append(own)
        total = Fraction(0)
        for each in product(*options):
            weight = math.prod((p for _, p in each), start=Fraction(1))
            state = [arm.R for arm in arms]
            for t in range(rounds):
                winner = chosen([copy for copy, _ in each], index, t)
                for i, arm in enumerate(arms):
                    if i == winner:
                        total += weight * arm.payoffs[state[i]]
                    state[i] = arm.play(state[i]) if i == winner else arm.rest(state[i])
        found = topics.lsd_committed(
            *flat(bandit),
            *plan_arrays(bandit),
            means,
            np.array(bandit.split(bandit.rested), dtype=np.int32),
            rounds,
            8,
            10**7,
        )
        assert found == pytest.approx(float(total), rel=1e-11, abs=1e-11)


def test_too_many_draws_to_enumerate_are_refused() -> None:
    bandit = rlt.LSDBandit([rlt.LSDArm.blocking(d) for d in (7, 11, 13)])
    state = np.array(bandit.split(bandit.rested), dtype=np.int32)
    arrays = *flat(bandit), *plan_arrays(bandit), bandit.arrays.payoffs, state
    with pytest.raises(ValueError, match="too many"):
        topics.lsd_committed(*arrays, 10**6, 13, 10**4)
    with pytest.raises(ValueError, match="too long"):
        topics.lsd_committed(*arrays, 10**6, 13, 100)


# --- the learner --------------------------------------------------------------------------


def test_rounds_of_a_run() -> None:
    bandit = rlt.LSDBandit([rlt.LSDArm(["1/2", 1], ["1/4"]), rlt.LSDArm.blocking(2, "9/10")])
    run = rlt.explore_then_commit(bandit, 3000, seed=4, repeats=50)
    assert run.exploration == exploration_rounds([2, 1], [1, 1], 50) == 2 + 50 * (6 + 3) + 2
    assert run.actions[: 1 + 50 * 6].tolist() == exploration_actions(2, 1, 50, 0).tolist()
    assert (run.actions[run.exploration - 2 : run.exploration] == IDLE).all()
    assert len(run.rewards) == len(run.pseudo_rewards) == 3000
    assert run.target == pytest.approx(0.75 * rlt.concave_relaxation(bandit).value)
    assert run.pseudo_regret[-1] == pytest.approx(3000 * run.target - run.pseudo_rewards.sum())
    assert run.bound == rlt.etc_regret_bound([2, 1], [1, 1], 3000, 50)
    assert run.rewards.sum() == pytest.approx(run.pseudo_rewards.sum(), abs=4 * math.sqrt(3000))


def test_the_seed_is_all_that_a_run_depends_on() -> None:
    bandit = GOLDEN["I2"]()

    def run(seed: int) -> bytes:
        return rlt.explore_then_commit(bandit, 4000, seed, repeats=20).rewards.tobytes()

    alone = [run(seed) for seed in range(8)]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(run, range(8))) == alone
    assert len(set(alone)) == 8
    stream = np.random.SeedSequence(3)
    assert run(3) == rlt.explore_then_commit(bandit, 4000, stream, repeats=20).rewards.tobytes()


def test_an_environment_that_was_played_before() -> None:
    bandit = rlt.LSDBandit([rlt.LSDArm.blocking(2), rlt.LSDArm.blocking(3)])
    environment = rlt.BanditEnvironment(bandit, 0, [0, 1])
    environment.run([0] * 50)
    run = rlt.explore_then_commit(environment, 500, seed=2, repeats=3)
    assert environment.rounds == 550 and len(run.rewards) == 500
    # Payoffs 0 and 1 are known after the exploration: the best mixture from there on.
    late = run.pseudo_rewards[run.exploration + 6 :].mean()
    assert late >= 0.6


@pytest.mark.parametrize("payoff", [0, "1/2", 1])
def test_one_arm_and_stationary_arms(payoff: object) -> None:
    for count in (1, 3):
        bandit = rlt.LSDBandit([rlt.LSDArm([payoff], [payoff])] * count)
        run = rlt.explore_then_commit(bandit, 5000, seed=0, repeats=10)
        after = run.pseudo_rewards[run.exploration :]
        assert (after == float(bandit.arms[0].payoffs[0])).all()


def test_unsorted_payoffs_have_no_bound() -> None:
    bandit = rlt.LSDBandit([rlt.LSDArm([1, 0], [0])])
    run = rlt.explore_then_commit(bandit, 400, seed=0, repeats=5)
    assert run.bound == math.inf
    assert run.pseudo_rewards[-100:].mean() == 0.5  # alternates


@pytest.mark.parametrize(
    ("T", "repeats", "word"),
    [
        (10, None, "T is 10; exploration with repeats=3 takes N .* = 11 rounds"),
        (9, 2, ""),
        (0, None, "T is 0"),
        (100, 0, "repeats is 0"),
        (100, 2.5, "repeats is 2.5"),
        (True, None, "T is True"),
    ],
)
def test_what_is_refused(T: int, repeats: int | None, word: str) -> None:
    bandit = rlt.LSDBandit([rlt.LSDArm.blocking(2)])
    if (T, repeats) == (9, 2):
        assert rlt.explore_then_commit(bandit, 8, 0, 2).exploration == 8  # nothing is left
        return
    with pytest.raises(ModelError, match=word):
        rlt.explore_then_commit(bandit, T, 0, repeats)


def test_the_mean_of_a_commitment_beside_the_expected_average() -> None:
    """Over common periods, once the start is forgotten, as the enumeration of schedules has it."""
    for j, bandit in enumerate(rand_bandits(15)):
        # Payoffs in general position: the relaxation has one solution.
        means = Stream(j, "generic").uniforms(len(bandit.arrays.payoffs))
        parts = np.split(means, np.cumsum(bandit.arrays.sizes)[:-1])
        plays = [len(arm.play_payoffs) for arm in bandit.arms if isinstance(arm, rlt.LSDArm)]
        guess = rlt.LSDBandit(
            [rlt.LSDArm(own[m:], own[:m][::-1]) for own, m in zip(parts, plays, strict=True)]
        )
        relax = rlt.concave_relaxation(guess, exact=True)
        average = rlt.expected_average(relax, earning=bandit)
        state = np.array(bandit.split(bandit.rested), dtype=np.int32)
        arrays = *flat(bandit), *plan_arrays(bandit), means, state
        early, late = (topics.lsd_committed(*arrays, T, 8, 10**8) for T in (60, 120))
        assert (late - early) / 60 == pytest.approx(float(average.value), abs=1e-12)
