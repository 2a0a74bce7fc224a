"""The terms of the RLHF bound against listed episodes, golden values, corners."""

import math

import numpy as np
import pytest

import rltheory as rlt
from rltheory.demonstrations.rlhf_bound import phi, rlhf_gap_bound
from rltheory.errors import ModelError, PolicyError

TRUE, FITTED = [0.5, 0, 0, 0, 0], [0.5, 1, 0, 0, 0]


def listed(mdp, policy, f):
    """(probability, sum of f) of every episode; plain recursion over dense tables."""
    H, S, A = mdp.horizon, mdp.n_states, mdp.n_actions
    moves = mdp.transitions.toarray().reshape(-1, S, A, S)
    out = []

    def follow(h, s, p, total):
        for a in range(A):
            q = p * policy[h][s][a]
            paid = total + f[h][s][a]
            row = moves[h if len(moves) > 1 else 0, s, a]
            if h + 1 == H:
                out.append((q, paid))
                continue
            out.append((q * (1 - row.sum()), paid))
            for t in np.flatnonzero(row):
                follow(h + 1, t, q * row[t], paid)

    for s in np.flatnonzero(mdp.initial):
        follow(0, s, mdp.initial[s], 0.0)
    return np.array([x for x in out if x[0] > 1e-15]).T


def random_case(seed):
    rng = np.random.default_rng(seed)
    H, S, A = 3, 3, 2
    ends = rng.random((H, S, A)) * (rng.random((H, S, A)) < 0.3)
    moves = rng.dirichlet(np.full(S, 0.4), size=(H, S, A)) * (1 - ends)[..., None]
    start = rng.dirichlet(np.ones(S))
    mdp = rlt.EpisodicMDP(moves, rng.random((H, S, A)), H, start, termination=ends)
    policies = [rng.dirichlet(np.ones(A), size=(H, S)) for _ in range(2)]
    policies[0][rng.random((H, S)) < 0.2] = [1.0, 0.0]
    policies[1] = np.where(policies[0] > 0, policies[1], 0)
    policies[1] /= policies[1].sum(axis=-1, keepdims=True)
    return mdp, rng.random((H, S, A)), *policies


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("lam", [1e-3, 0.3, 6.0, 1e6])
def test_terms_are_those_of_listed_episodes(seed, lam):
    mdp, fitted, reference, expert = random_case(seed)
    bound = rlhf_gap_bound(mdp, fitted, reference, expert, lam, eps_rl=0.25)
    f = mdp.mean_rewards.reshape(3, 3, 2) - fitted
    p, x = listed(mdp, reference, f)
    mean = p @ x
    assert bound["error_variance"] == pytest.approx(p @ (x - mean) ** 2, rel=1e-10)
    assert bound["error_above"] == pytest.approx(x.max() - mean, rel=1e-10)
    assert bound["error_below"] == pytest.approx(mean - x.min(), rel=1e-10)
    q, y = listed(mdp, expert, f)
    top = ((mean - x) / lam).max()
    moment = lam * (top + math.log(p @ np.exp((mean - x) / lam - top)))
    value = rlt.evaluate(mdp, expert)[0] @ mdp.initial
    assert bound["expert"] == pytest.approx(rlt.solve(mdp).value[0] @ mdp.initial - value)
    first = bound["expert"] + 0.25 + lam * bound["kl"]
    assert bound["sharp"] == pytest.approx(first + q @ y - mean + moment, rel=1e-9, abs=1e-9)
    assert bound["sharp"] <= bound["total"] + 1e-9
    assert bound["total"] == pytest.approx(
        sum(bound[k] for k in ("expert", "planning", "divergence", "transport", "variance"))
    )


def test_divergence_is_that_of_the_laws_of_episodes():
    mdp, fitted, reference, expert = random_case(3)
    bound = rlhf_gap_bound(mdp, fitted, reference, expert, 1.0)
    ratio = np.divide(expert, reference, out=np.ones_like(expert), where=expert > 0)
    log_ratio = np.log(ratio)
    p, x = listed(mdp, expert, log_ratio)
    assert bound["kl"] == pytest.approx(p @ x, rel=1e-10)


@pytest.mark.parametrize("seed", range(10))
def test_the_bound_holds_for_plans_of_fitted_rewards(seed):
    mdp, fitted, reference, expert = random_case(100 + seed)
    for lam in (0.05, 0.5, 6.0):
        plan = rlt.solve_regularized(mdp.with_rewards(fitted), lam, reference)
        gap = float((rlt.solve(mdp).value[0] - rlt.evaluate(mdp, plan.policy)[0]) @ mdp.initial)
        assert gap <= rlhf_gap_bound(mdp, fitted, reference, expert, lam)["sharp"] + 1e-9


@pytest.mark.parametrize(
    ("kappa", "lam", "gap", "bound"),
    [
        (0.01, 0.2, 0.0152, 0.0796),
        (0.01, 0.5, 0.0048, 0.0176),
        (0.01, 1.0, 0.0043, 0.0189),
        (0.001, 0.5, 0.0005, 0.0018),
        (0.01, 0.05, 0.491, None),
    ],
)
def test_table_of_reward_hacking(kappa, lam, gap, bound):
    mdp = rlt.EpisodicMDP([[[1.0]] * 5], [TRUE], horizon=1, initial=[1.0])
    clone = [[1 - kappa] + [kappa / 4] * 4]
    plan = rlt.solve_regularized(mdp.with_rewards([FITTED]), lam, clone)
    digits = 3 if bound is None else 4
    assert round(0.5 - float(rlt.evaluate(mdp, plan.policy)[0, 0]), digits) == gap
    found = rlhf_gap_bound(mdp, [FITTED], clone, [0], lam)["total"]
    if bound is None:
        assert found > 0.5
    else:
        assert round(found, 4) == bound
    assert rlt.solve(mdp.with_rewards([FITTED])).policy.tolist() == [[1]]


@pytest.mark.parametrize("seed", range(10))
def test_corollary_at_twice_the_horizon(seed):
    mdp, fitted, reference, expert = random_case(200 + seed)
    H = mdp.horizon
    bound = rlhf_gap_bound(mdp, fitted, reference, expert, 2.0 * H)
    v, K = bound["error_variance"], bound["kl"]
    stated = bound["expert"] + 8 / 3 * H * K + math.sqrt(2 * v * K) + 0.36 * v / H
    assert max(bound["error_above"], bound["error_below"]) <= 2 * H
    assert bound["total"] <= stated


def test_the_bound_is_that_of_the_claim():
    mdp, fitted, reference, expert = random_case(5)
    found = rlhf_gap_bound(mdp, fitted, reference, expert, 0.7, eps_rl=0.1)
    stated = rlt.all_claims("demonstrations")["demo-rlhf-det"].bound(
        expert=found["expert"],
        eps_rl=0.1,
        lam=0.7,
        K=found["kl"],
        v=found["error_variance"],
        b=found["error_above"],
        B=found["error_below"],
    )
    assert found["total"] == pytest.approx(float(stated), rel=1e-12)


def test_an_expert_beyond_the_reference_has_no_bound():
    mdp = rlt.EpisodicMDP([[[1.0]] * 2], [[1.0, 0.0]], horizon=1, initial=[1.0])
    bound = rlhf_gap_bound(mdp, [[0.0, 0.0]], [[0.0, 1.0]], [0], 1.0)
    assert bound["kl"] == bound["total"] == math.inf
    same = rlhf_gap_bound(mdp, [[0.0, 0.0]], [[0.0, 1.0]], [1], 1.0)
    assert same["total"] == same["expert"] == 1.0  # a certain reference: no error to speak of


@pytest.mark.parametrize("lam", [1e-6, 1e6])
def test_extreme_temperatures(lam):
    mdp, fitted, reference, expert = random_case(7)
    bound = rlhf_gap_bound(mdp, fitted, reference, expert, lam)
    assert not any(map(math.isnan, bound.values()))
    if lam < 1:
        assert bound["variance"] == math.inf and bound["sharp"] < 10
    else:
        assert bound["variance"] == pytest.approx(bound["error_variance"] / (2 * lam), rel=1e-5)


def test_phi():
    assert phi(0.0) == 0.5 and phi(1.0) == pytest.approx(math.e - 2, rel=1e-15)
    for x in (0.1, 0.499999, 0.5, 3.0, 40.0):
        series = math.fsum(x**k / math.factorial(k + 2) for k in range(160))
        assert phi(x) == pytest.approx(series, rel=1e-13)
    assert phi(1e4) == math.inf


def test_errors():
    mdp = rlt.EpisodicMDP([[[1.0]] * 2], [[1.0, 0.0]], horizon=1, initial=[1.0])
    good = {"mdp": mdp, "reward_hat": [[0.0, 1.0]], "reference": [[0.5, 0.5]], "expert": [0]}
    for change, error, message in [
        ({"mdp": rlt.riverswim(3, discount=0.9)}, ModelError, "EpisodicMDP"),
        ({"mdp": rlt.EpisodicMDP([[[1.0]] * 2], [[1.0, 0.0]], 1)}, ModelError, "start law"),
        ({"reward_hat": [0.0]}, ModelError, "reward_hat has shape"),
        ({"temperature": 0.0}, ModelError, "temperature is 0.0"),
        ({"eps_rl": -1.0}, ModelError, "eps_rl is -1.0"),
        ({"expert": [2]}, PolicyError, "action"),
    ]:
        with pytest.raises(error, match=message):
            rlhf_gap_bound(**({"temperature": 1.0} | good | change))
