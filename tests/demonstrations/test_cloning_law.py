"""The exact mean of a clone's divergence and its bounds: golden values, and all data sets."""

import math
from itertools import product

import mpmath
import numpy as np
import pytest

import rltheory as rlt
from rltheory.demonstrations.cloning_law import add_one_risk, binomial_law
from rltheory.errors import ModelError


def coin(horizon=1):
    return rlt.EpisodicMDP([[[1.0], [1.0]]], [[0, 0]], horizon, [1.0])


def uniform_moves(states=3, actions=3, horizon=3):
    rows = np.full((states, actions, states), 1 / states)
    return rlt.EpisodicMDP(rows, np.zeros((states, actions)), horizon, np.eye(states)[0])


def test_golden_values():
    assert rlt.expected_bc_kl(coin(), [[0.5, 0.5]], 10) == pytest.approx(0.0391201, abs=5e-8)
    certain = rlt.expected_bc_kl(coin(), [0], 10)
    assert certain == pytest.approx(math.log(12 / 11), rel=1e-14)
    assert add_one_risk(0, 2) == pytest.approx(math.log(2) - 0.5, abs=1e-15)
    found = [add_one_risk(n, A) for n, A in ((1, 2), (3, 3), (10, 5))]
    assert found == pytest.approx([0.1365142, 0.1436394, 0.1200538], abs=5e-8)


def test_asymptotic_ratios():
    """Of the exact mean to sum (A-1)/N over the seven reachable pairs."""
    mdp, uniform = uniform_moves(), np.full((3, 3), 1 / 3)
    spread = [rlt.expected_bc_kl(mdp, uniform, n) * n / 14 for n in (10, 100, 1000, 10000)]
    assert spread == pytest.approx([0.168, 0.459, 0.496, 0.4996], abs=5e-4)
    certain = [rlt.expected_bc_kl(mdp, [0, 0, 0], n) * n / 14 for n in (10, 100, 1000, 10000)]
    assert certain == pytest.approx([0.718, 0.964, 0.996, 0.9996], abs=5e-4)


def test_wrong_smoothing_is_worse_than_the_bound():
    mdp = uniform_moves()
    little = rlt.expected_bc_kl(mdp, np.full((3, 3), 1 / 3), 10, 0.01)
    assert little / rlt.bc_kl_bound(10, 3, 3, 3) == pytest.approx(1.465, abs=5e-4)
    much = rlt.expected_bc_kl(mdp, [0, 0, 0], 1000, 50.0)
    assert much / rlt.bc_kl_bound(1000, 3, 3, 3) == pytest.approx(30.9, abs=0.05)


def test_bounds_as_the_specification_has_them():
    sizes = (3, 3, 3, 0.1)
    hp = [rlt.bc_kl_bound(n, *sizes, "high_probability") for n in (200, 1000, 10**4, 10**5)]
    assert hp == pytest.approx([54, 15.2, 2.28, 0.32], rel=5e-3)
    paper = [rlt.bc_kl_bound(n, *sizes, "paper") for n in (100, 1000, 10**4, 10**5)]
    assert paper == pytest.approx([229, 37.2, 5.49, 0.76], rel=2e-3)
    cap = [rlt.bc_kl_bound(n, 3, 3, 3, kind="cap") for n in (100, 1000, 10**4, 10**5)]
    assert cap == pytest.approx([13.9, 20.7, 27.6, 34.5], abs=0.05)
    markov = [rlt.bc_kl_bound(n, *sizes, "markov") for n in (1000, 10**4, 10**5)]
    assert markov == pytest.approx([0.18, 0.018, 0.0018], rel=2e-3)
    lower = [
        rlt.bc_kl_bound(n, 4, 3, 1, kind="minimax_lower") / rlt.bc_kl_bound(n, 4, 3, 1)
        for n in (10, 100, 1000)
    ]
    assert lower == pytest.approx([0.225, 0.438, 0.491], abs=5e-4)


@pytest.mark.parametrize("seed", range(6))
def test_against_all_data_sets_of_a_ragged_model_that_may_end(seed):
    rng = np.random.default_rng(seed)
    rows = rng.dirichlet(np.ones(3), size=3)
    mdp = rlt.MDP.from_pairs(
        [0, 0, 1], [0, 1, 1], rows[:, :2], np.zeros(3), termination=rows[:, 2], initial=[0.5, 0.5]
    ).episodic(2)
    x = rng.uniform()
    expert = np.array([[[x, 1 - x], [0.0, 1.0]]] * 2)
    paths = {}
    for s, a in ((0, 0), (0, 1), (1, 1)):
        row = {(0, 0): 0, (0, 1): 1, (1, 1): 2}[s, a]
        chance = 0.5 * expert[0, s, a]
        paths[(s, a),] = chance * rows[row, 2]
        for t, b in ((0, 0), (0, 1), (1, 1)):
            paths[(s, a), (t, b)] = chance * rows[row, t] * expert[1, t, b]
    assert sum(paths.values()) == pytest.approx(1.0)
    for n, alpha in ((0, 1.0), (1, 0.3), (2, 1.0)):
        total = 0.0
        for drawn in product(paths, repeat=n):
            visits = np.zeros((2, 2, 2))
            for path in drawn:
                for h, (s, a) in enumerate(path):
                    visits[h, s, a] += 1
            smoothed = (visits + alpha) * [[1, 1], [0, 1]]
            clone = smoothed / smoothed.sum(axis=-1, keepdims=True)
            kl = rlt.trajectory_kl(mdp, expert, clone)
            total += math.prod(paths[path] for path in drawn) * kl
        assert rlt.expected_bc_kl(mdp, expert, n, alpha) == pytest.approx(total, rel=1e-11)


def test_without_smoothing():
    mdp = uniform_moves(2, 2, 2)
    half = np.full((2, 2), 0.5)
    assert rlt.expected_bc_kl(mdp, half, 5, 0.0, allow_zeros=True) == math.inf
    # Unseen states get the uniform law; state 0 is seen at stage 0 for sure, later by chance 1/2.
    mean = rlt.expected_bc_kl(mdp, [0, 0], 3, 0.0, allow_zeros=True)
    assert mean == pytest.approx(2 * 0.5 * 0.5**3 * math.log(2))
    assert rlt.expected_bc_kl(mdp, [0, 0], 0, 0.0, allow_zeros=True) == pytest.approx(
        2 * math.log(2)
    )
    with pytest.raises(ModelError, match="allow_zeros=True"):
        rlt.expected_bc_kl(mdp, half, 5, 0.0)


def test_mean_over_samples_agrees():
    mdp = uniform_moves(2, 3, 3)
    expert = np.random.default_rng(0).dirichlet(np.ones(3), size=(3, 2))
    found = [
        rlt.trajectory_kl(mdp, expert, rlt.behavior_cloning(mdp.sample(expert, 30, seed=k)))
        for k in range(400)
    ]
    mean, error = np.mean(found), np.std(found) / 20
    assert abs(mean - rlt.expected_bc_kl(mdp, expert, 30)) < 4 * error


def test_one_action_costs_nothing_and_initial_is_read():
    mdp = rlt.EpisodicMDP([[[0.5, 0.5]], [[0.0, 1.0]]], [[0.0], [0.0]], 3)
    start = [1.0, 0.0]
    assert rlt.expected_bc_kl(mdp, [0, 0], 4, initial=start) == 0.0
    with pytest.raises(ModelError, match="start law"):
        rlt.expected_bc_kl(mdp, [0, 0], 4)
    for kind in ("expectation", "markov", "high_probability", "paper", "minimax_lower"):
        assert rlt.bc_kl_bound(5, 2, 1, 3, 0.1, kind) == 0.0


@pytest.mark.parametrize("alpha", [1e-8, 1e-12, 1e-16, 1e-50, 1e-300])
def test_a_smoothing_near_none_keeps_its_digits(alpha):
    # Five fair tosses, in thirty digits.
    with mpmath.workdps(30):
        a, total = mpmath.mpf(alpha), mpmath.mpf(0)
        for heads in range(6):
            shares = ((heads + a) / (5 + 2 * a), (5 - heads + a) / (5 + 2 * a))
            total -= math.comb(5, heads) * sum(mpmath.log(2 * q) for q in shares) / 64
        mean = float(total)
    assert rlt.expected_bc_kl(coin(), [[0.5, 0.5]], 5, alpha) == pytest.approx(mean, rel=1e-14)


def test_a_mixture_is_no_markov_expert():
    # Always 0 or always 1: its episodes tell more than their stages do one by one.
    mixture = rlt.Mixture([0.5, 0.5], [np.array([0]), np.array([1])])
    with pytest.raises(rlt.PolicyError, match="expert is a Mixture"):
        rlt.expected_bc_kl(coin(horizon=2), mixture, 50)


def test_large_n_keeps_its_digits():
    mean = rlt.expected_bc_kl(coin(), [[0.5, 0.5]], 10**6)
    # 1/(2N) - 1/(2 N^2) + ...: the series of log-partition's expansion.
    assert mean == pytest.approx(0.5e-6, rel=1e-5)
    low, law = binomial_law(10**6, 0.5)
    assert low > 490_000 and law.sum() == pytest.approx(1.0) and len(law) < 20_000
    low, law = binomial_law(12, 0.25, whole=True)
    assert low == 0
    assert law == pytest.approx([math.comb(12, k) * 0.25**k * 0.75 ** (12 - k) for k in range(13)])


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ((-1, 3, 3, 3), "n is -1"),
        ((5, 0, 3, 3), "n_states is 0"),
        ((5, 3, 3, 3, None, "markov"), "delta is None; kind 'markov' needs one in"),
        ((5, 3, 3, 3, 1.0, "paper"), "delta is 1.0"),
        ((5, 3, 3, 3, 0.1, "best"), "kind is 'best'; it must be one of expectation, markov"),
    ],
)
def test_errors_say_what_is_allowed(given, message):
    with pytest.raises(ModelError, match=message):
        rlt.bc_kl_bound(*given)


def test_bounds_where_they_say_nothing():
    assert rlt.bc_kl_bound(0, 3, 3, 3, 0.1, "high_probability") == math.inf
    assert rlt.bc_kl_bound(2, 3, 3, 3, 0.1, "paper") == math.inf
    assert rlt.bc_kl_bound(0, 3, 3, 3) == 18.0
    assert rlt.bc_kl_bound(0, 3, 3, 3, kind="cap") == pytest.approx(3 * math.log(3))
