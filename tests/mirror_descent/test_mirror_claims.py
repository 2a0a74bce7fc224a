"""The claims about mirror descent: golden numbers, how sharp they are, why each mutant fails."""

import math
from fractions import Fraction

import pytest

import rltheory as rlt
from rltheory.claims.verify import instances
from rltheory.foundations.soft_planner import CONTEXT, fraction_of
from rltheory.mirror_descent import rate_claims
from rltheory.mirror_descent.claims import CLAIMS as ALL
from rltheory.mirror_descent.exact_iterates import ExactIterates, at_most, equal, kl, logs_of, real
from rltheory.mirror_descent.instances import bandit, chain, run_case
from rltheory.mirror_descent.surrogate_claims import forward_root

F = Fraction
CLAIMS = {claim.id: claim for claim in ALL}
TESTED = [name for name, claim in CLAIMS.items() if claim.kind != "context"]
MUTANTS = [(name, mutant.id) for name in TESTED for mutant in CLAIMS[name].mutants]
DETECTION = {
    "mdpo-improvement": 1.0,
    "mdpo-trust-region": 0.9999999,
    "mdpo-ppo-flat": 1.0,
    "mdpo-rate-sublinear": 0.998,
    "mdpo-rate-geometric": 0.998,
    "mdpo-rate-gamma": 0.999998,
    "mdpo-rate-entropy": 0.99999998,
}


@pytest.fixture(scope="module")
def verdicts():
    return {name: rlt.verify(CLAIMS[name], budget="quick") for name in TESTED}


def test_every_id_of_the_appendix_is_there():
    wanted = """closed-form three-point improvement trust-region averaging npg one-step-pg
    kl-hessian trpo-forward ppo-flat sac-limit rate-sublinear rate-geometric rate-gamma
    rate-entropy rate-sem"""
    assert set(CLAIMS) == {f"mdpo-{x}" for x in wanted.split()}


@pytest.mark.parametrize("name", TESTED)
def test_claim_is_confirmed(verdicts, name):
    verdict = verdicts[name]
    assert verdict.status == "confirmed", verdict.reason
    assert "proof (in text)" in verdict.coverage
    assert DETECTION.get(name, 0.0) <= (verdict.detection_limit or 0.0) <= 1.0
    assert verdict.tightness is None or verdict.tightness <= 1.0


REASONS = {
    "inverted": "two arms: what another law loses: 0.298841 against the bound 0.93272",
    "uncentred": "an arm never taken: what another law loses",
    "sign": "an arm never taken: three points",
    "reversed": "an arm never taken: three points",
    "resolvent": "an absorbing reward: gain <= rise of V: 2.31059 against the bound 0.231059",
    "sixteenth": "two arms, eta = 1/1000: KL(new, old): 1.25e-07 against the bound 6.25e-08",
    "unsquared": "rewards up to 2: KL(new, old): 5e-07 against the bound 2.5e-07",
    "late": "an arm never taken: policy of the sum",
    "equal-steps": "an arm never taken: policy of the sum",
    "plain-step": "two arms: state 0, reached",
    "all-move": "a state never reached: state 1, never reached",
    "elsewhere": "two arms: MDPO, (0, 0)",
    "start-law": "#",
    "twice": "two arms: Hessian of KL(pi_theta, pi_k): 0.21 against the bound 0.42",
    "same-third": "two arms: third derivative of KL(pi_theta, pi_k): -0.168 against the bound -0.0",
    "mirror": "three tenths: what another law loses",
    "upper-end": "three tenths: sum: 0.65 against the bound 1",
    "unclipped": "p = 3/10, clip 1/5: surrogate beyond the edge",
    "clip-bounds-kl": "p = 3/10, clip 1/5: KL of a maximiser: 1.20397 against the bound 0.182322",
    "wide": "p = 9/10, clip 1/5: surrogate beyond the edge, x = 1: 1/125 against the bound 0",
    "squared mdpo-rate-sublinear": "slow bandit, p = 1e-300, K = 1: first bound, k = 1",
    "four-fifths": "slow bandit, p = 1e-12, K = 5: first bound, k = 5: 0.482536",
    "constant mdpo-rate-geometric": "a small gap: k = 8",
    "one-more": "one state, discount 1/2: k = 1: 0.998554 against the bound 0.502389",
    "constant mdpo-rate-gamma": "a small gap: k = 7",
    "squared mdpo-rate-gamma": "corridor, discount 9/10: k = 1: 8.1 against the bound 7.29",
    "unit-temperature": "two arms: mixture",
    "swapped": "two arms: mixture",
    "centre-kept": "two arms: from uniform",
    "squared mdpo-rate-entropy": "two arms, half the step: log pi, k = 2",
    "nine-tenths": "corridor, discount 9/10: Q, k = 1: 7.29 against the bound 6.561",
    "nine-tenths-of-logs": "corridor, discount 9/10: log pi, k = 1",
}


@pytest.mark.parametrize(("name", "mutant"), MUTANTS)
def test_mutant_is_refuted_for_its_own_reason(verdicts, name, mutant):
    (found,) = (m for m in verdicts[name].mutants if m.id == mutant)
    expected = REASONS.get(mutant) or REASONS[f"{mutant} {name}"]
    assert found.status == "refuted" and found.reason.startswith(f"instance {expected}")


# --- golden numbers of the specification ----------------------------------------------------


def ratio(instance, k):
    found = rate_claims._sublinear(instance)
    (m,) = (x for x in found if x.what == f"first bound, k = {k}")
    return float(m.measured / m.bound)


@pytest.mark.parametrize(
    ("exponent", "iterations", "wanted"),
    [
        (12, 1, 0.903),
        (12, 5, 0.8665),
        (12, 100, 0.850),
        (300, 1, 0.994),
        (300, 5, 0.991),
        (300, 100, 0.989),
    ],
)
def test_how_near_the_sublinear_bound_is_met(exponent, iterations, wanted):
    make = rate_claims.slow_bandit("1/1" + "0" * exponent, iterations)
    assert ratio(make(), iterations) == pytest.approx(wanted, abs=5e-4)


def test_from_the_uniform_policy_two_arms_reach_four_tenths():
    best = 0.0
    for x in (F(6, 5), F(128, 100), F(27, 20)):
        i = run_case(bandit([F(1, 2), 0]), step=2 * x / 200, iterations=200)
        best = max(best, ratio(i, 200))
    assert best == pytest.approx(0.40, abs=5e-3)
    # As K tends to infinity: x / (log 2 (1 + e^x)) at its maximum.
    assert 1.2785 / (math.log(2) * (1 + math.exp(1.2785))) == pytest.approx(0.4018, abs=1e-4)


def test_the_corridor_is_repaired_one_state_a_round():
    mdp = chain(4, F(9, 10), F(1, 10**6))
    first = [[F(1, 10**12), 1 - F(1, 10**12)]] * 4 + [[F(1, 2)] * 2]
    history = rlt.mirror_descent_policy_iteration(
        mdp, rlt.GammaAdaptiveSteps(0.9, 1e-6), 3, [[float(x) for x in row] for row in first]
    )
    gaps = (rlt.solve(mdp).value - history.values).max(axis=1)
    assert gaps == pytest.approx([9.0, 8.1, 7.29, 6.561], rel=1e-5)


# --- sixty digits, by hand and against other routes -----------------------------------------


def test_iterates_of_a_bandit_by_hand():
    model = ExactIterates(bandit([1, 0], F(1, 2)))
    policies, values, _ = model.run([logs_of([F(1, 2)] * 2)], 3, lambda k, *_: real(k + 1))
    e6 = CONTEXT.exp(6)
    assert abs(CONTEXT.exp(policies[3][0][0]) - e6 / (1 + e6)) < CONTEXT.mpf(10) ** -55
    assert abs(values[3][0] - 2 * e6 / (1 + e6)) < CONTEXT.mpf(10) ** -55


def test_divergences_and_excluded_actions():
    half, sure = logs_of([F(1, 2)] * 2), logs_of([1, 0])
    assert abs(kl(sure, half) - CONTEXT.log(2)) < CONTEXT.mpf(10) ** -55
    assert kl(half, sure) == CONTEXT.inf and kl(sure, sure) == 0


def test_occupancies_against_rationals():
    from rltheory.foundations.rationals import Planner

    for _, _, i in instances(CLAIMS["mdpo-npg"], 20, 5):
        exact = Planner(i.mdp).occupancy(i.init, i.start)
        table = [[real(x) for x in row] for row in i.init]
        found = ExactIterates(i.mdp).occupancy(table, i.start)
        assert all(
            abs(fraction_of(x) - y) < F(1, 10**50) for x, y in zip(found, exact, strict=True)
        )


def test_root_of_the_forward_step_by_hand():
    y = forward_root([real(F(3, 10)), real(F(7, 10))], [CONTEXT.mpf(0), CONTEXT.mpf(1)])
    assert abs(y - CONTEXT.sqrt(real(F(3, 10)))) < CONTEXT.mpf(10) ** -55


def test_small_bounds_are_compared_by_difference():
    m = at_most(CONTEXT.mpf(10) ** -20, CONTEXT.mpf(10) ** -21, "x")
    assert m.bound == 0 and m.measured > m.tolerance
    assert at_most(CONTEXT.mpf(1), CONTEXT.inf, "x").bound == math.inf
    assert equal(CONTEXT.inf, CONTEXT.inf, "x").measured == math.inf


@pytest.mark.parametrize("name", ["mdpo-rate-gamma", "mdpo-rate-entropy", "mdpo-rate-geometric"])
def test_corner_instances_hold(name):
    """One state, one action, rows that end, discount near 1, temperatures of 1e-6 and 1e6."""
    claim = CLAIMS[name]
    for mdp in (bandit([1], F(97, 100)), bandit([1, 1, 0], F(97, 100)), bandit([0], F(1, 10))):
        for temperature in (F(1, 10**6), F(10**6)):
            i = run_case(mdp, slack=F(1), temperature=temperature, share=F(1, 2))
            assert all(m.measured <= m.bound + m.tolerance for m in claim.check(i))
