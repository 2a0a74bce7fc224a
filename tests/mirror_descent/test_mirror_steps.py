"""Natural gradient, TRPO's step, surrogates, schedules and bounds: by hand and by other routes."""

import math

import numpy as np
import pytest
from scipy.optimize import brentq, minimize

import rltheory as rlt
from rltheory.errors import ModelError, PolicyError
from rltheory.mirror_descent.reached import reached_states


def two_arms(discount=0.5):
    return rlt.MDP.deterministic([[0, 0]], [[1.0, 0.0]], discount=discount, initial=[1.0])


def random_model(seed, states=5, actions=3):
    mdp = rlt.garnet(states, actions, 2, seed=seed, discount=0.9)
    start = np.arange(1.0, states + 1.0)
    arrays = mdp.transitions, mdp.rewards
    return rlt.MDP(*arrays, 0.9, initial=start / start.sum())


def random_policy(seed, states=5, actions=3):
    p = np.random.default_rng(seed).dirichlet(np.ones(actions), states)
    return p / p.sum(axis=1, keepdims=True)


# --- natural gradient -----------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(4))
def test_natural_gradient_by_a_numerical_pseudo_inverse(seed):
    mdp, pi = random_model(seed), random_policy(seed)
    fisher = rlt.fisher_matrix(mdp, pi)
    gradient = rlt.softmax_policy_gradient(mdp, pi)
    w = np.linalg.pinv(fisher, rcond=1e-10, hermitian=True) @ gradient.reshape(-1)
    logits = np.log(pi) + 0.3 * w.reshape(pi.shape)
    wanted = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    history = rlt.natural_policy_gradient(mdp, 0.3, 4, pi)
    assert history.policies[1] == pytest.approx(wanted, rel=1e-7)
    same = rlt.mirror_descent_policy_iteration(mdp, 0.3 / (1.0 - 0.9), 4, pi)
    assert history.log_policies == pytest.approx(same.log_policies, abs=1e-9)


def test_policy_gradient_by_differences():
    mdp, pi = random_model(7), random_policy(7)
    gradient = rlt.softmax_policy_gradient(mdp, pi)

    def value(logits):
        p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
        return float(mdp.initial @ rlt.evaluate(mdp, p))

    for s, a in ((0, 0), (2, 1), (4, 2)):
        h = np.zeros_like(pi)
        h[s, a] = 1e-5
        slope = (value(np.log(pi) + h) - value(np.log(pi) - h)) / 2e-5
        assert gradient[s, a] == pytest.approx(slope, abs=1e-8)


def test_states_never_reached_do_not_move():
    mdp = rlt.MDP.deterministic([[0, 0], [1, 1]], [[1.0, 0.0]] * 2, 0.5, initial=[1.0, 0.0])
    history = rlt.natural_policy_gradient(mdp, 1.0, 3)
    assert history.policies[:, 1].tolist() == [[0.5, 0.5]] * 4
    assert history.policy[0, 0] == pytest.approx(1.0 / (1.0 + math.exp(-6.0)))
    everywhere = rlt.natural_policy_gradient(mdp, 1.0, 3, initial=[0.5, 0.5])
    assert everywhere.policy[1, 0] == pytest.approx(everywhere.policy[0, 0])


def test_natural_gradient_refuses():
    with pytest.raises(PolicyError, match="gives action 1 in state 0 probability 0"):
        rlt.natural_policy_gradient(two_arms(), 1.0, 1, [[1.0, 0.0]])
    bare = rlt.MDP.deterministic([[0, 0]], [[1.0, 0.0]], 0.5)
    with pytest.raises(ModelError, match="natural_policy_gradient needs a start law"):
        rlt.natural_policy_gradient(bare, 1.0, 1)
    with pytest.raises(ModelError, match="step_size is -1"):
        rlt.natural_policy_gradient(two_arms(), -1, 1)
    with pytest.raises(ModelError, match="n_iters is True"):
        rlt.natural_policy_gradient(two_arms(), 1.0, True)


# --- the step of TRPO -----------------------------------------------------------------------


def brent_step(pi, q, eta):
    """The root nu by Brent's method in (max Q, max Q + 1/eta], as the formula says."""
    top = q.max()

    def excess(above):
        return (pi / (eta * (above + (top - q)))).sum() - 1.0

    above = brentq(excess, pi[q.argmax()] / (2.0 * eta), 2.0 / eta, xtol=1e-18, rtol=1e-14)
    return pi / (eta * (above + (top - q)))


@pytest.mark.parametrize("eta", [1e-2, 1.0, 1e2])
def test_forward_step_by_brent(eta):
    rng = np.random.default_rng(5)
    pi = rng.dirichlet(np.ones(4), 50)
    q = rng.uniform(0.0, 3.0, (50, 4))
    found = rlt.forward_kl_step(pi, q, eta)
    for row, p, x in zip(found, pi, q, strict=True):
        assert row == pytest.approx(brent_step(p, x, eta), rel=1e-7)
    assert np.abs(found.sum(axis=1) - 1.0).max() < 1e-14


def test_forward_step_maximises_by_search():
    pi, q, eta = np.array([0.2, 0.5, 0.3]), np.array([1.0, 0.0, 0.4]), 2.0

    def lost(x):
        p = np.exp(x - x.max())
        p /= p.sum()
        return -(p @ q - (pi * np.log(pi / p)).sum() / eta)

    best = minimize(lost, np.zeros(3), method="BFGS", options={"gtol": 1e-10}).x
    p = np.exp(best) / np.exp(best).sum()
    assert rlt.forward_kl_step(pi, q, eta) == pytest.approx(p, abs=1e-6)


def test_forward_step_at_its_edges():
    assert rlt.forward_kl_step([0.3, 0.7], [1.0, 1.0], 5.0).tolist() == pytest.approx([0.3, 0.7])
    assert rlt.forward_kl_step([0.0, 1.0], [9.0, 0.0], 5.0).tolist() == [0.0, 1.0]
    assert rlt.forward_kl_step([1.0], [3.0], 5.0).tolist() == [1.0]
    # The best action is nearly never taken: what is left of it is 1 - pi / (eta gap).
    tiny = rlt.forward_kl_step([1e-300, 1.0], [1.0, 0.0], 10.0)
    assert tiny == pytest.approx([0.9, 0.1], rel=1e-12)
    lost = rlt.forward_kl_step([1e-300, 1.0], [1.0, 0.0], 0.5)
    assert lost == pytest.approx([2e-300, 1.0], rel=1e-12)
    for given, words in (
        (([0.5, 0.6], [0.0, 1.0], 1.0), "sums to 1.1"),
        (([0.5, 0.5], [0.0], 1.0), "q has shape"),
        (([0.5, 0.5], [0.0, 1.0], 0.0), "step_size is 0.0"),
        (([-0.5, 1.5], [0.0, 1.0], 1.0), r"policy\[0\] is -0.5"),
    ):
        with pytest.raises((PolicyError, ModelError), match=words):
            rlt.forward_kl_step(*given)


# --- surrogates -----------------------------------------------------------------------------


def test_the_clipped_surrogate_of_the_specification():
    x = np.array([0.3, 0.36, 0.44, 0.6, 0.9, 0.999])
    new = np.stack([x, 1.0 - x], axis=1)
    old, values = np.tile([0.3, 0.7], (6, 1)), np.tile([0.7, -0.3], (6, 1))
    found = rlt.ppo_clip_surrogate(new, old, values)
    assert found == pytest.approx([0.0, 0.06, 0.084, 0.084, 0.084, 0.084], abs=1e-15)
    with pytest.raises(ModelError, match=r"clip is 1\.0"):
        rlt.ppo_clip_surrogate(new, old, values, clip=1.0)
    with pytest.raises(PolicyError, match="old never takes"):
        rlt.ppo_clip_surrogate([0.5, 0.5], [0.0, 1.0], [0.0, 1.0])
    with pytest.raises(ModelError, match="must be the same"):
        rlt.ppo_clip_surrogate([0.5, 0.5], [0.5, 0.5], [1.0])


def test_mirror_descent_maximises_its_objective():
    pi, q, eta = np.array([0.2, 0.5, 0.3]), np.array([1.0, 0.0, 0.4]), 2.0
    best = pi * np.exp(eta * q) / (pi * np.exp(eta * q)).sum()
    top = float(rlt.mdpo_objective(best, pi, q, eta))
    assert top == pytest.approx(math.log((pi * np.exp(eta * q)).sum()) / eta)
    for seed in range(20):
        assert rlt.mdpo_objective(random_policy(seed, 1)[0], pi, q, eta) <= top
    assert rlt.mdpo_objective([1.0, 0.0], [0.0, 1.0], [1.0, 0.0], 1.0) == -math.inf


# --- schedules and bounds -------------------------------------------------------------------


def test_mismatch_by_hand():
    assert rlt.distribution_mismatch(two_arms(0.5)) == pytest.approx(2.0)
    assert rlt.distribution_mismatch(two_arms(0.0)) == 1.0
    mdp = rlt.MDP.deterministic([[1], [1]], [[0.0], [1.0]], 0.5, initial=[1.0, 0.0])
    assert rlt.distribution_mismatch(mdp) == math.inf
    with pytest.raises(ModelError, match="finite"):
        rlt.GeometricSteps.of_model(mdp, 1.0)
    with pytest.raises(ModelError, match="above 1"):
        rlt.GeometricSteps.of_model(two_arms(0.0), 1.0)


def test_schedules_refuse():
    for make, words in (
        (lambda: rlt.GeometricSteps(0.0, 2.0), "first is 0.0"),
        (lambda: rlt.GeometricSteps(1.0, 0.5), "ratio is 0.5"),
        (lambda: rlt.GammaAdaptiveSteps(0.0), "discount is 0.0"),
        (lambda: rlt.GammaAdaptiveSteps(1.0), "discount is 1.0"),
        (lambda: rlt.GammaAdaptiveSteps(0.5, 0.0), "slack is 0.0"),
    ):
        with pytest.raises(ModelError, match=words):
            make()
    assert rlt.GeometricSteps(1.0, 10.0)(400, None, None) == math.inf


def test_adaptive_steps_by_hand():
    steps = rlt.GammaAdaptiveSteps(0.5, slack=2.0)
    q, logs = np.array([[1.0, 0.0], [0.0, 0.0]]), np.log([[0.25, 0.75], [0.5, 0.5]])
    assert steps(1, q, logs) == pytest.approx(math.log(4.0) / (2.0 * 0.5**4))
    # Nearly all on the best action: the logarithm is not lost to rounding.
    near = np.array([[np.log1p(-1e-20), np.log(1e-20)], [0.0, -np.inf]])
    assert steps(0, q, near) == pytest.approx(1e-20 / (2.0 * 0.25), rel=1e-12)
    # Nearly none, beyond the range of doubles.
    far = np.array([[-1000.0, 0.0], [0.0, -np.inf]])
    assert steps(0, q, far) == pytest.approx(1000.0 / (2.0 * 0.25))
    # All on the best actions: no step is needed.
    assert steps(0, q, np.array([[0.0, -np.inf], np.log([0.5, 0.5])])) == 0.0


def test_what_is_never_reached_is_known_from_the_graph():
    """A large cycle, whose equations are iterated, beside a state that leads into it."""
    S = 400
    ring = [[(s + 1) % S, (s + 7) % S] for s in range(S)]
    mdp = rlt.MDP.deterministic(
        [*ring, [0, 0]], [[0.5, 0.0]] * S + [[1.0, 0.0]], 0.99, initial=[1.0] + [0.0] * S
    )
    everywhere = np.ones(mdp.n_pairs, dtype=bool)
    reached = reached_states(mdp, mdp.initial, everywhere)
    assert reached[:S].all() and not reached[S]
    history = rlt.natural_policy_gradient(mdp, 0.1, 1)
    assert history.policy[S].tolist() == [0.5, 0.5] and history.policy[0, 0] > 0.5
    one = reached_states(mdp.with_discount(0.0), mdp.initial, everywhere)
    assert one.sum() == 1
    # The occupancy of the optimum is 0 there exactly, so the mismatch does not divide by its start.
    start = np.r_[np.full(S, 1.0 / S), 0.0]
    assert 1.0 < rlt.distribution_mismatch(mdp, start) < math.inf


@pytest.mark.parametrize("seed", range(3))
def test_bounds_hold_on_runs_in_doubles(seed):
    mdp, K = random_model(seed), 40
    best, start = rlt.solve(mdp).value, mdp.initial
    constant = rlt.mirror_descent_policy_iteration(mdp, 0.5, K)
    bound = rlt.mdpo_bound("sublinear", mdp, K, step_size=0.5)
    assert ((best - constant.values) @ start <= bound + 1e-12).all()

    steps = rlt.GeometricSteps.of_model(mdp, 0.1)
    growing = rlt.mirror_descent_policy_iteration(mdp, steps, K)
    valid = K + 1 if growing.cut_from is None else growing.cut_from + 1
    bound = rlt.mdpo_bound("geometric", mdp, K, step_size=0.1)
    assert valid > 10
    assert ((best - growing.values) @ start <= bound + 1e-12)[:valid].all()

    adaptive = rlt.mirror_descent_policy_iteration(mdp, rlt.GammaAdaptiveSteps(0.9, 1.0), K)
    valid = K + 1 if adaptive.cut_from is None else adaptive.cut_from + 1
    bound = rlt.mdpo_bound("gamma", mdp, K, slack=1.0)
    assert valid > 10
    assert ((best - adaptive.values).max(axis=1) <= bound + 1e-12)[:valid].all()


@pytest.mark.parametrize("step", [0.5, math.inf])
@pytest.mark.parametrize("with_reference", [False, True])
def test_entropy_bound_holds_on_runs_in_doubles(step, with_reference):
    mdp, reference = random_model(1), random_policy(3) if with_reference else None
    history = rlt.mirror_descent_policy_iteration(
        mdp, step, 40, reference=reference, temperature=0.2
    )
    best = rlt.solve_regularized(mdp, 0.2, reference)
    gaps = [np.abs(best.q - rlt.q_values(mdp, v)).max() for v in history.values]
    bound = rlt.mdpo_bound("entropy", mdp, 40, step_size=step, temperature=0.2, reference=reference)
    assert gaps[0] == pytest.approx(bound[0])
    assert (np.array(gaps) <= bound + 1e-9).all()


def test_bounds_by_hand_and_what_they_refuse():
    mdp = two_arms(0.5)
    # D_0 = log 2 (1/4 of it at p = 1/16), V* - V^0 = 1, mismatch 2.
    geometric = rlt.mdpo_bound("geometric", mdp, 2, step_size=2.0)
    assert geometric == pytest.approx((1.0 + math.log(2.0)) * np.array([1.0, 0.5, 0.25]))
    far = rlt.mdpo_bound("sublinear", mdp, 1, step_size=1.0, init=[[0.0, 1.0]])
    assert np.isinf(far).all()
    for arguments, words in (
        (("cubic", mdp, 3), "known are sublinear"),
        (("sublinear", mdp, 3), "step_size is None"),
        (("gamma", mdp, 3), "slack is None"),
        (("gamma", two_arms(0.0), 3), "needs it above 0"),
        (("entropy", mdp, 3), "temperature is None"),
        (("sublinear", mdp, -1), "n_iters is -1"),
    ):
        with pytest.raises(ModelError, match=words):
            rlt.mdpo_bound(*arguments)


def test_ragged_models_that_may_end():
    """State 0 has two of three actions, one of which may end; state 1 has one that stays."""
    mdp = rlt.MDP.from_pairs(
        [0, 0, 1],
        [0, 2, 1],
        [[0.5, 0.5], [0.0, 0.25], [0.0, 1.0]],
        [0.0, 1.0, 0.25],
        discount=0.9,
        initial=[0.5, 0.5],
        termination=[0.0, 0.75, 0.0],
    )
    best, start = rlt.solve(mdp).value, mdp.initial
    natural = rlt.natural_policy_gradient(mdp, 0.05, 8)
    mirror = rlt.mirror_descent_policy_iteration(mdp, 0.5, 8)
    assert natural.policies == pytest.approx(mirror.policies, rel=1e-12)
    assert mirror.policies[0].tolist() == [[0.5, 0.0, 0.5], [0.0, 1.0, 0.0]]
    for kind, steps, size in (
        ("sublinear", 0.5, {"step_size": 0.5}),
        ("geometric", rlt.GeometricSteps.of_model(mdp, 0.5), {"step_size": 0.5}),
        ("gamma", rlt.GammaAdaptiveSteps(0.9, 1.0), {"slack": 1.0}),
    ):
        gaps = best - rlt.mirror_descent_policy_iteration(mdp, steps, 8).values
        measured = gaps.max(axis=1) if kind == "gamma" else gaps @ start
        assert (measured <= rlt.mdpo_bound(kind, mdp, 8, **size) + 1e-12).all()
    soft = rlt.mirror_descent_policy_iteration(mdp, 0.5, 30, temperature=0.3)
    optimum = rlt.solve_regularized(mdp, 0.3)
    bound = rlt.mdpo_bound("entropy", mdp, 30, step_size=0.5, temperature=0.3)
    gaps = [np.abs(optimum.q - rlt.q_values(mdp, v)).max() for v in soft.values]
    assert (np.array(gaps) <= bound + 1e-9).all()
    assert rlt.fisher_matrix(mdp, mirror.policies[0]).shape == (3, 3)
    assert rlt.softmax_policy_gradient(mdp, mirror.policies[0])[1].tolist() == [0.0] * 3
