"""Bradley-Terry fits: by hand, against grids, their gaps, their data, their errors."""

import math
from itertools import product

import numpy as np
import pytest

import rltheory as rlt
from rltheory.demonstrations.preference_mle import hellinger2
from rltheory.errors import ConvergenceError, ModelError
from rltheory.mdp.data.preferences import preference_probability

MDP = rlt.random_episodic(3, 2, horizon=3, branching=2, seed=0)
UNIFORM = np.full((3, 3, 2), 0.5)


def arms(first, second, labels, horizon=1):
    """Pairs of one-step episodes of a bandit."""

    def side(actions):
        n = len(actions)
        return rlt.Trajectories([0] * n, actions, [0.0] * n, [-1] * n, [1] * n)

    return rlt.Preferences(side(first), side(second), labels)


def log_likelihood(preferences, reward):
    x = preferences.signs * preferences.differences(reward)
    return float(-np.logaddexp(0.0, -x).sum())


def test_two_arms_by_hand():
    judged = arms([0] * 10, [1] * 10, [1] * 6 + [0] * 4)
    fit = rlt.fit_bradley_terry(judged, shape=(1, 1, 2), tol=1e-12)
    assert fit.reward[0, 0, 1] - fit.reward[0, 0, 0] == pytest.approx(math.log(1.5), abs=1e-5)
    assert fit.log_likelihood == pytest.approx(6 * math.log(0.6) + 4 * math.log(0.4), abs=1e-9)
    assert fit.gap <= 1e-12 and fit.index is None and fit.pairs == 10


def test_separable_labels_need_the_box_and_have_it():
    judged = arms([0, 1], [1, 2], [1, 1])
    fit = rlt.fit_bradley_terry(judged, shape=(1, 1, 4))
    assert fit.reward[0, 0, 0] == 0.0 and fit.reward[0, 0, 2] == 1.0
    assert fit.reward[0, 0, 1] == pytest.approx(0.5, abs=1e-3)
    assert fit.reward[0, 0, 3] == 0.5  # never compared
    best = 2 * math.log(preference_probability(0.5))
    assert fit.log_likelihood == pytest.approx(best, abs=1e-6)


def test_fit_is_within_its_gap_of_a_grid():
    judged = arms([0, 0, 1, 2, 2, 1], [1, 2, 2, 0, 1, 0], [1, 0, 1, 1, 1, 0])
    fit = rlt.fit_bradley_terry(judged, shape=(1, 1, 3))
    grid = np.linspace(0.0, 1.0, 21)
    best = max(log_likelihood(judged, [[list(x)]]) for x in product(grid, repeat=3))
    assert best <= fit.log_likelihood + 6 * fit.gap
    assert fit.log_likelihood <= best + 0.01


def test_random_tables_are_no_better():
    data = rlt.sample_preferences(MDP, UNIFORM, pairs=300, seed=4)
    fit = rlt.fit_bradley_terry(data)
    assert fit.reward.shape == (3, 3, 2) and fit.reward.min() >= 0 and fit.reward.max() <= 1
    assert fit.log_likelihood == pytest.approx(log_likelihood(data, fit.reward), abs=1e-9)
    rng = np.random.default_rng(0)
    for _ in range(200):
        other = rng.random((3, 3, 2))
        mixed = fit.reward + rng.random() ** 3 * (other - fit.reward)
        assert log_likelihood(data, mixed) <= fit.log_likelihood + 300 * fit.gap


def test_scale_multiplies_differences():
    data = rlt.sample_preferences(MDP, UNIFORM, pairs=200, scale=0.5, seed=1)
    fit = rlt.fit_bradley_terry(data, scale=0.5, features=np.full((3, 2, 1), 0.5))
    assert fit.weights.tolist() == [0.5]  # a constant explains nothing: no slope to leave 1/2
    assert fit.log_likelihood == pytest.approx(-200 * math.log(2), abs=1e-9)


def test_one_hot_features_are_the_table_of_all_stages():
    data = rlt.sample_preferences(MDP, UNIFORM, pairs=400, seed=2)
    phi = np.eye(18).reshape(3, 3, 2, 18)
    by_features = rlt.fit_bradley_terry(data, features=phi, tol=1e-9)
    by_table = rlt.fit_bradley_terry(data, tol=1e-9)
    assert by_features.log_likelihood == pytest.approx(by_table.log_likelihood, abs=1e-5)
    assert np.allclose(
        data.differences(by_features.reward), data.differences(by_table.reward), atol=1e-2
    )
    assert np.allclose(by_features.weights.reshape(3, 3, 2), by_features.reward)


def test_candidates_are_all_tried_and_the_first_of_the_best_taken():
    data = rlt.sample_preferences(MDP, UNIFORM, pairs=500, seed=3)
    true = MDP.mean_rewards.reshape(-1, 3, 2)
    others = np.random.default_rng(5).random((30, 3, 3, 2))
    true = np.broadcast_to(true, (3, 3, 2))
    table = np.concatenate([others[:15], [true], [true], others[15:]])
    fit = rlt.fit_bradley_terry(data, candidates=table)
    logs = [log_likelihood(data, r) for r in table]
    assert fit.index == int(np.argmax(logs)) and fit.log_likelihood == pytest.approx(max(logs))
    assert np.array_equal(fit.reward, table[fit.index]) and fit.gap == 0.0
    one = rlt.RewardClass(rlt.riverswim(3, discount=0.9), np.zeros((1, 3, 2)))
    assert rlt.fit_bradley_terry(data, candidates=one).reward.shape == (3, 3, 2)


def test_likelihoods_do_not_see_stage_shifts():
    data = rlt.sample_preferences(MDP, UNIFORM, pairs=100, seed=3)
    table = np.random.default_rng(1).random((3, 3, 2))
    shifted = table + np.array([0.5, -1.0, 2.0])[:, None, None]
    logs = [rlt.fit_bradley_terry(data, candidates=[r]).log_likelihood for r in (table, shifted)]
    assert logs[0] == pytest.approx(logs[1], rel=1e-12)
    plans = [rlt.solve_regularized(MDP.with_rewards(r), 0.3, UNIFORM) for r in (table, shifted)]
    assert np.allclose(plans[0].policy, plans[1].policy, atol=1e-12)


def test_more_pairs_find_the_differences():
    data = rlt.sample_preferences(MDP, UNIFORM, pairs=40_000, seed=6)
    fit = rlt.fit_bradley_terry(data)
    error = data.differences(fit.reward) - data.differences()
    assert math.sqrt(float((error**2).mean()) / 2) < 0.05


def test_sampled_pairs_do_not_depend_on_their_number():
    few = rlt.sample_preferences(MDP, UNIFORM, pairs=7, seed=9)
    many = rlt.sample_preferences(MDP, UNIFORM, pairs=20, seed=9)[:7]
    assert few.labels.tolist() == many.labels.tolist()
    assert few.second.states.tolist() == many.second.states.tolist()
    assert few.first.actions.tolist() == many.first.actions.tolist()


def test_labels_have_the_law_of_the_judge():
    judge = np.array([[0.0, 1.0]] * 3)
    data = rlt.sample_preferences(MDP, UNIFORM, 20_000, judge, scale=0.5, seed=0)
    x = data.differences(judge)
    for value in (-2.0, 0.0, 1.0):
        here = np.isclose(x, value)
        p = float(preference_probability(value / 0.5))
        spread = 5 * math.sqrt(p * (1 - p) / here.sum())
        assert abs(data.labels[here].mean() - p) < spread


def test_bound_of_finite_classes():
    bound = rlt.bradley_terry_bound(20, 500, 1, 0.1)
    assert bound["hellinger"] == pytest.approx(0.85, abs=0.005)
    for horizon, zeta in ((1, 5.09), (2, 9.52), (3, 22.1), (5, 150)):
        curvature = rlt.bradley_terry_bound(1, 1, horizon, 0.1)["curvature"]
        assert curvature == pytest.approx(zeta, rel=0.005)
        x = np.linspace(-horizon, horizon, 101)
        slope = preference_probability(x) * preference_probability(-x)
        assert curvature == pytest.approx(1 / slope.min(), rel=1e-12)


@pytest.mark.parametrize("n", [50, 200])
@pytest.mark.parametrize("x", [0.05, 0.4, 0.95])
@pytest.mark.parametrize("delta", [0.3, 0.1, 0.02])
def test_exact_failure_law_of_two_candidates(n, x, delta):
    """Two arms, the truth is a difference of 0, the other candidate one of x: binomial sums."""
    h2 = float(hellinger2(x, 0.0)) / 2  # half of the pairs compare an arm with itself
    if h2 <= rlt.bradley_terry_bound(n, 2, 1, delta)["hellinger"]:
        return
    wrong = 0.0
    for m in range(n + 1):
        seen = math.comb(n, m) * 0.5**n
        for w in range(m + 1):
            gain = -w * math.log1p(math.exp(-x)) - (m - w) * math.log1p(math.exp(x))
            if gain >= m * math.log(0.5) - 1e-12:
                wrong += seen * math.comb(m, w) * 0.5**m
    assert wrong <= delta


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"shape": (1, 1, 1)}, "action 1 of the data is beyond shape"),
        ({"shape": (1, 1)}, "must be \\(H, S, A\\)"),
        ({"shape": None}, "give shape"),
        ({"scale": 0.0}, "scale is 0.0"),
        ({"tol": math.inf}, "tol is inf"),
        ({"candidates": np.zeros((2, 1, 3))}, "candidates has shape"),
        ({"candidates": [[[math.nan, 0.0]]]}, "not finite"),
        ({"candidates": [[[0.0, 0.0]]], "features": 1}, "both given"),
        ({"features": np.ones((1, 2))}, "features has shape"),
        ({"features": [[[0.5, 0.7], [0.0, 0.0]]]}, "sums to 1.2"),
        ({"features": [[[0.5, -0.1], [0.0, 0.0]]]}, "it must be in \\[0, 1\\]"),
    ],
)
def test_errors_name_what_is_wrong(change, message):
    arguments = {"preferences": arms([0, 0], [1, 1], [1, 0]), "shape": (1, 1, 2)} | change
    with pytest.raises(ModelError, match=message):
        rlt.fit_bradley_terry(**arguments)


def test_errors_of_the_data():
    with pytest.raises(ModelError, match="must be Preferences"):
        rlt.fit_bradley_terry([1])
    with pytest.raises(ModelError, match="no pair"):
        rlt.fit_bradley_terry(arms([0], [1], [1])[:0])
    with pytest.raises(ModelError, match="delta"):
        rlt.bradley_terry_bound(1, 1, 1, 1.0)
    with pytest.raises(ModelError, match="pairs"):
        rlt.sample_preferences(MDP, UNIFORM, 0)


def test_a_gap_that_doubles_cannot_reach_is_told():
    data = rlt.sample_preferences(MDP, UNIFORM, pairs=300, seed=4)
    with pytest.raises(ConvergenceError) as caught:
        rlt.fit_bradley_terry(data, tol=1e-30)
    assert caught.value.solution.gap < 1e-7
