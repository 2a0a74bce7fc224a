"""The claims about UCBVI: printed numbers, laws by brute force, both sides of the inequality."""

import math
from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np
import pytest

import rltheory as rlt
from rltheory.foundations.instances import misled, predict
from rltheory.foundations.learning_regret import pathwise
from rltheory.foundations.optimism import failure_law, surviving
from rltheory.learning.learner import Task
from rltheory.learning.tabular import EpisodeWords, Run, play_whole
from rltheory.mathematics.crossing import crossing_probability
from rltheory.mdp.streams import Stream


def radius(level: float, factor: float = 1.0) -> Any:
    return lambda n: factor * math.sqrt(level / (2.0 * n))


@pytest.mark.parametrize(
    ("episodes", "printed"),
    [
        (100, [5e-5, 0.87, 0.115, 0.117, 0.039]),
        (1000, [2e-5, 0.93, 0.110, 0.190, 0.071]),
        pytest.param(5000, [6e-6, 0.96, 0.098, 0.237, 0.093], marks=pytest.mark.slow),
    ],
)
def test_laws_of_the_specification(episodes: int, printed: list[float]) -> None:
    # S = 2, A = 1, H = 2, delta = 0.1, p = 1/2.
    level = math.log(3 * 2 * 1 * 2 * episodes / 0.1)
    radii = [
        radius(level),
        radius(level, 0.1),
        radius(level, 0.5),
        radius(math.log(10.0)),
        radius(math.log(30.0)),
    ]
    found = [failure_law(r, 0.5, episodes, 1, 1e-9) for r in radii]
    for law, number in zip(found, printed, strict=True):
        digits = 1 if number < 0.01 else 3 if number < 0.5 else 2
        rounded = float(f"{law:.0e}") if digits == 1 else round(law, digits)
        assert rounded == number


def test_the_law_of_one_coin_is_that_of_the_crossing() -> None:
    r = radius(1.3)
    exact = crossing_probability(lambda n: 0.3 - np.arange(n + 1) / n > r(n), 0.3, 40)
    assert 1.0 - surviving(r, 0.3, 40)[-1] == pytest.approx(exact, abs=1e-14)
    assert exact > 0.01


@pytest.mark.parametrize(("episodes", "copies"), [(12, 3), (9, 2), (8, 5)])
def test_the_law_of_several_coins_by_all_counts(episodes: int, copies: int) -> None:
    r = radius(1.0)
    alive = surviving(r, 0.5, episodes)
    total = 0.0
    for counts in product(range(episodes + 1), repeat=copies):
        if sum(counts) == episodes:
            ways = math.factorial(episodes) / math.prod(map(math.factorial, counts))
            total += ways / copies**episodes * math.prod(float(alive[n]) for n in counts)
    assert failure_law(r, 0.5, episodes, copies, 0.0) == pytest.approx(1.0 - total, abs=1e-12)


def test_instances() -> None:
    for horizon, copies in [(2, 1), (2, 3), (5, 2)]:
        mdp = predict(horizon, Fraction(1, 4), copies)
        assert (mdp.n_states, mdp.n_actions) == (copies + 1, 1)
        value = rlt.solve(mdp).value
        np.testing.assert_allclose(value[: horizon - 1, :copies], 0.25)
        assert value[0] @ mdp.initial == pytest.approx(0.25)
    mdp = misled()
    assert mdp.n_pairs == 5 and rlt.solve(mdp).value[0, 3] == 0.5


# --- the inequality in every run ----------------------------------------------------------


def run_of(mdp: rlt.EpisodicMDP, episodes: int, seed: int) -> Run:
    learner = rlt.UCBVI(0.1)
    learner.begin(Task(mdp.n_states, mdp.n_actions, mdp.horizon, episodes))
    a, b, c, d = Stream(seed, "test").words(4).tolist()
    words = [EpisodeWords((a, b), (c, d))]
    return play_whole(mdp, [learner.core], episodes, words, traced=True)[0]


def slowly(mdp: rlt.EpisodicMDP, run: Run) -> tuple[float, float]:
    """Both sides, one episode after another, with all Markov chains written out."""
    S, A, H, K = mdp.n_states, mdp.n_actions, mdp.horizon, len(run.returns)
    triples = S * A * H * K
    c = math.sqrt(math.log(30 * triples) / 2) + math.sqrt(math.log(30 * (2**S - 2) * triples) / 2)
    n = np.zeros((H, S, A))
    left = right = 0.0
    log = run.log(None, {})
    moves = mdp.transitions.toarray().reshape(H, S, A, S)
    for k in range(K):
        policy = log.policy(k).astype(int)
        occupancy = rlt.occupancy(mdp, policy)
        left += float(run.bounds[k] - mdp.initial @ rlt.evaluate(mdp, policy)[0])
        for h in range(H):
            for s in range(S):
                count = n[h, s, policy[h, s]]
                x = H - h if count == 0 else min(H - h, (H - h - 1) * c / math.sqrt(count))
                right += float(occupancy[h, s].sum()) * x
        for h in range(H):
            s = run.states[k, h]
            n[h, s, policy[h, s]] += 1
            assert h + 1 == H or moves[h, s, policy[h, s], run.states[k, h + 1]] > 0
    return left, right


def test_both_sides_are_what_they_say() -> None:
    mdp = rlt.random_episodic(3, 2, 3, seed=4)
    run = run_of(mdp, 60, 1)
    found = pathwise(mdp, run)
    assert (found.measured, found.bound) == pytest.approx(slowly(mdp, run), rel=1e-12)


def test_the_inequality_holds_in_every_run_and_its_mutant_in_none() -> None:
    mdp = rlt.random_episodic(2, 2, 3, seed=1)
    for seed in range(10):
        run = run_of(mdp, 1500, seed)
        found = pathwise(mdp, run)
        assert found.event
        assert 0.2 * found.bound < found.measured < found.bound
        mutant = pathwise(mdp, run, share=0.25)
        assert mutant.measured > mutant.bound


def test_the_event_is_seen_to_fail() -> None:
    # The same run beside another model: its rows are far from the empirical ones.
    run = run_of(rlt.random_episodic(2, 2, 3, seed=1), 1500, 0)
    assert not pathwise(rlt.random_episodic(2, 2, 3, seed=2), run).event


@pytest.mark.parametrize("claim", ["learn-ucbvi-optimism", "learn-ucbvi"])
def test_claims_hold_at_a_quick_budget(claim: str) -> None:
    verdict = rlt.verify(claim, budget="quick")
    assert verdict.status == "confirmed", verdict.reason
    assert all(mutant.status == "refuted" for mutant in verdict.mutants)
