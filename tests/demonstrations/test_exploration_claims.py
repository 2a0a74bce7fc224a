"""What stands behind the claims about exploration: the exact plan beside the core's, golden values,
laws and optima by brute force."""

import itertools
import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

import rltheory as rlt
from rltheory.demonstrations.certified_exploration import closed_certificate_size, first_bound
from rltheory.demonstrations.exact_episodes import Episodes
from rltheory.demonstrations.exact_intervals import Intervals, counts_near, explored_family
from rltheory.demonstrations.exploration_runs import farthest, two_states_paying_the_second
from rltheory.demonstrations.regularized_bpi import (
    RegularizedBPI,
    certificate_size,
    regularized_widths,
)
from rltheory.demonstrations.trajectory_entropy import entropy_problem
from rltheory.demonstrations.unseen_contexts import best_learner, least_loss, unseen_bound, wrong
from rltheory.errors import ModelError
from rltheory.mdp.streams import Stream

# --- the exact plan -----------------------------------------------------------------------


@pytest.mark.parametrize("number", range(25))
def test_the_core_plans_what_sixty_digits_plan(number: int) -> None:
    family = explored_family()
    instance = family.instance(family.sample("test-plan", 0, number))
    visits = [min(n, 3000) for n in instance.visits]
    episodes = Episodes(instance.mdp, instance.start)
    counts = counts_near(episodes, visits, instance.tilts)
    tau, delta = instance.temperature, instance.delta
    exact = Intervals(episodes, counts, instance.reference, tau, delta)
    known = rlt.online(instance.mdp, 0).known()
    reference = np.array(instance.reference, dtype=float)
    core = RegularizedBPI(reference, float(tau), 1.0, float(delta)).core(known)
    H, S, A = known.rewards.shape
    bonus, divergence = regularized_widths(
        np.arange(3001), S, A, H, float(delta), episodes_may_end(episodes)
    )
    core.use(bonus, np.sqrt(divergence))
    for h, s, a in itertools.product(range(H), range(S), range(A)):
        for t, k in enumerate(counts[h][s][a]):
            for _ in range(k):
                core.observe(h, s, a, t if t < S else -1)
    core.plan()
    for ours, theirs in ((core.upper, exact.upper), (core.lower, exact.lower)):
        np.testing.assert_allclose(ours, np.array(theirs, dtype=float), rtol=1e-12, atol=1e-12)
    size = float(first_bound(H, tau))
    np.testing.assert_allclose(
        core.gap, np.array(exact.gap, dtype=float), rtol=1e-9, atol=1e-9 * max(size, 1e-9)
    )
    if tau >= Fraction(1, 100):
        np.testing.assert_allclose(core.policy, np.array(exact.policy, dtype=float), atol=1e-9)


def episodes_may_end(episodes: Episodes) -> bool:
    return any(planner.has_exits for planner in episodes.stages)


def test_counts_near_the_truth_have_the_visits_that_were_asked_for() -> None:
    family = explored_family(least=1)
    for number in range(20):
        i = family.instance(family.sample("test-counts", 0, number))
        episodes = Episodes(i.mdp, i.start)
        counts = counts_near(episodes, i.visits, i.tilts)
        rows = [row for stage in counts for rows in stage for row in rows]
        assert [sum(row) for row in rows] == list(i.visits)
        assert min(min(row) for row in rows) >= 0


def test_the_two_sizes_of_a_certificate() -> None:
    assert first_bound(4, Fraction(1)) == Fraction(1, 8) + Fraction(4, 8) + Fraction(9, 8)
    assert first_bound(3, Fraction(1, 100)) == 3
    for n in (10**4, 10**6):  # wide enough apart not to be clipped
        closed = float(closed_certificate_size(n, 3, 2, 4, 2.0, 0.1))
        assert certificate_size(n, 3, 2, 4, 2.0, 0.1) == pytest.approx(closed, rel=1e-12)


@pytest.mark.slow
def test_the_certificate_holds_in_whole_runs_and_a_small_bonus_breaks_it() -> None:
    """The specification: 0.98 of the runs fail somewhere at a quarter of the bonus."""
    mdp, temperature, runs = two_states_paying_the_second(), 0.2, 60
    reference = np.full((2, 2), 0.5)
    best = np.asarray(rlt.solve_regularized(mdp, temperature, reference).value)
    known = rlt.online(mdp, 0).known()
    failed = {}
    for factor in (1.0, 0.25):
        bonus, divergence = regularized_widths(np.arange(20_001), 2, 2, 3, 0.1, False)
        bonus[1:] *= factor
        failed[factor] = 0
        for run in range(runs):
            core = RegularizedBPI(reference, temperature, 1e-9, 0.1).core(known)
            core.use(bonus, np.sqrt(divergence))
            keys = Stream(run, "test-certificate").words(8)
            until, broken = 0, False
            while until < 20_000 and not broken:
                until = min(max(until + 1, int(1.05 * until)), 20_000)
                core.explore(mdp.core, known.initial, keys, 0, 0.05, 1e-9, until)
                core.plan()
                own = rlt.evaluate_regularized(mdp, core.policy, temperature, reference)
                broken = bool((best - own > core.gap + 1e-9).any())
            failed[factor] += broken
    assert failed[1.0] == 0 and failed[0.25] > 0.9 * runs


@pytest.mark.slow
def test_how_often_half_of_the_bonus_is_not_optimistic() -> None:
    """The specification: in 85 to 97 % of the runs up to 20 000 episodes; the whole, in few."""
    mdp, reference = two_states_paying_the_second(), np.full((2, 2), 0.5)
    for factor, least, most in ((0.5, 0.75, 1.0), (1.0, 0.0, 0.1)):
        runs = [
            farthest(mdp, reference, 0.2, 20_000, Stream(k, "test-optimism"), factor)[0] > 1.0
            for k in range(60)
        ]
        assert least <= np.mean(runs) <= most


# --- unseen contexts ----------------------------------------------------------------------


def test_the_printed_example_of_unseen_contexts() -> None:
    gap = Fraction(3, 10)
    assert round(float(least_loss(5, 3, 100, gap)), 6) == 0.013512
    assert round(float(unseen_bound(5, 3, 100, gap)), 6) == 0.001221
    assert wrong(0, gap) == Fraction(1, 2) and wrong(1, gap) == (1 - gap) / 2
    assert wrong(2, gap) == (1 - gap) / 2  # a second draw alone settles nothing


@pytest.mark.parametrize("episodes", [0, 1, 2, 3])
def test_the_best_of_all_learners_of_one_context(episodes: int) -> None:
    """Every adaptive choice of arms and every answer, enumerated."""
    gap = Fraction(1, 2)
    histories = [seen for n in range(episodes) for seen in itertools.product((0, 1), repeat=n)]
    best = None
    for arms in itertools.product((0, 1), repeat=len(histories)):
        plays = dict(zip(histories, arms, strict=True))
        loss = Fraction(0)
        for seen in itertools.product((0, 1), repeat=episodes):
            chance = []
            for better in (0, 1):
                mass = Fraction(1, 2)
                for h, paid in enumerate(seen):
                    p = (1 + gap) / 2 if plays[seen[:h]] == better else (1 - gap) / 2
                    mass *= p if paid else 1 - p
                chance.append(mass)
            loss += gap * min(chance)
        best = loss if best is None else min(best, loss)
    assert best == best_learner(1, 0, episodes, gap) == gap * wrong(episodes, gap)


# --- the entropy of episodes --------------------------------------------------------------


def grid() -> rlt.EpisodicMDP:
    """The grid of the specification: 5 by 5, 12 stages, moves that slip with chance 1/10."""
    moves = [(0, -1), (0, 1), (-1, 0), (1, 0)]
    rows = np.zeros((25, 4, 25))
    for x, y, a in itertools.product(range(5), range(5), range(4)):
        for b, (dx, dy) in enumerate(moves):
            to = (x + dx, y + dy)
            u, v = to if 0 <= to[0] < 5 and 0 <= to[1] < 5 else (x, y)
            rows[5 * y + x, a, 5 * v + u] += 0.9 if a == b else 0.1 / 3
    rewards = np.zeros((25, 4))
    rewards[24] = 1.0
    return rlt.EpisodicMDP(rows, rewards, 12, np.eye(25)[0])


@pytest.mark.parametrize(
    ("include_last", "most", "uniform"),
    [(True, 21.536610, 21.507493), (False, 21.115155, 21.088072)],
)
def test_the_largest_entropy_of_the_grid(include_last: bool, most: float, uniform: float) -> None:
    problem = entropy_problem(grid(), include_last)
    assert rlt.solve_regularized(problem, 1.0).value[0, 0] == pytest.approx(most, abs=6e-7)
    policy = np.full((25, 4), 0.25)
    value = rlt.evaluate_regularized(problem, policy, 1.0)[0, 0]
    assert value == pytest.approx(uniform, abs=6e-7)


def test_the_regularised_values_of_the_grid() -> None:
    uniform = np.full((25, 4), 0.25)
    values = {0.02: 2.634621, 0.1: 1.912050, 0.5: 0.095276}
    for temperature, value in values.items():
        found = rlt.solve_regularized(grid(), temperature, uniform).value[0, 0]
        assert found == pytest.approx(value, abs=6e-7)
    assert rlt.solve(grid()).value[0, 0] == pytest.approx(2.85222, abs=6e-6)


def test_an_exit_is_one_more_outcome() -> None:
    mdp = rlt.EpisodicMDP([[[0.25]]], [[0.0]], 3, [1.0], termination=[[0.75]])
    row = 0.25 * math.log(4) + 0.75 * math.log(4 / 3)
    value = rlt.solve_regularized(entropy_problem(mdp), 1.0).value[0, 0]
    assert value == pytest.approx(row * (1 + 0.25))


def test_ragged_models_are_refused() -> None:
    rows: Any = [[0, 1], [0, 1], [1, 0]]
    mdp = rlt.MDP.from_pairs([0, 0, 1], [0, 1, 1], rows, [0.0, 1.0, 0.5]).episodic(2)
    with pytest.raises(ModelError, match="lacks an action"):
        entropy_problem(mdp)
