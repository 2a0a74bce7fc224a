"""The claims about cloning and planning from a clone: verdicts, and why each mutant fails."""

import math
from fractions import Fraction

import numpy as np
import pytest

import rltheory as rlt
from rltheory.claims.verify import instances
from rltheory.demonstrations import (
    cloning_claims,
    cloning_minimax,
    cloning_tails,
    demonstration_pipeline,
    episode_divergences,
    regularized_gaps,
)
from rltheory.demonstrations.exact_episodes import DIGITS, Episodes, one_state, real, two_states
from rltheory.demonstrations.lattice_laws import chance_above
from rltheory.foundations.soft_planner import fraction_of
from rltheory.mdp.streams import Stream

F = Fraction
MODULES = (
    episode_divergences,
    cloning_claims,
    cloning_tails,
    cloning_minimax,
    regularized_gaps,
    demonstration_pipeline,
)
ALL = {claim.id: claim for module in MODULES for claim in module.CLAIMS}
CLAIMS = {name: claim for name, claim in ALL.items() if claim.kind != "context"}
MUTANTS = [(claim.id, mutant.id) for claim in CLAIMS.values() for mutant in claim.mutants]
SHARP = {
    "demo-hellinger-chain",
    "demo-bc-expectation",
    "demo-bc-value",
    "demo-bc-minimax",
    "demo-soft-bellman",
    "demo-quadratic-gap",
    "demo-lambda-path",
    "demo-pipeline",
}


@pytest.fixture(scope="module")
def verdicts():
    return {name: rlt.verify(claim, budget="quick") for name, claim in CLAIMS.items()}


@pytest.mark.parametrize("name", CLAIMS)
def test_claim_is_confirmed(verdicts, name):
    verdict = verdicts[name]
    assert verdict.status == "confirmed", verdict.reason
    if name != "demo-bc-paper-finite":
        assert "proof (in text)" in verdict.coverage
    if name in SHARP:
        assert verdict.tightness == pytest.approx(1.0, abs=1e-6)
        assert verdict.detection_limit == pytest.approx(1.0, abs=1e-6)


def test_what_is_recalled_is_said_to_be():
    kinds = {name: claim.kind for name, claim in ALL.items() if "paper" in name}
    assert kinds == {
        "demo-bc-paper-finite": "high-probability",
        "demo-bc-paper-general": "context",
        "demo-bc-paper-lower": "context",
    }
    for name in kinds:
        assert ALL[name].provenance == ("reconstructed", "reconstructed")


REASONS = {
    "of-the-reference": "two states: KL of episodes: 1.087 against the bound 1.06427",
    "no-logarithm": "mirrored: KL <= (2 + log sup) h^2: 1.75778 against the bound 1.6",
    "one-below": "three and one: sum, state 0: 6/5 against the bound 1",
    "per-state": "three and one: derivatives, state 0: 20/3 against the bound 40/7",
    "uniform-occupancy": "two states, three episodes: mean over all data: 0.276656 against",
    "half demo-bc-expectation": "one state, certain: mean by sizes: 0.000998502 against the bound "
    "0.0004995",
    "little": "uniform moves, uniform expert: mean by sizes: 2.39803 against the bound 1.63636",
    "much": "one state, certain: mean by sizes: 0.04652 against the bound 0.000999001",
    "any-expert": "close: a certain expert: 2e-05 against the bound 8e-10",
    "union": "three actions: P(KL < inf): 8209/500000 against the bound 0",
    "third": "three coins, 100 episodes: one state a stage: 0.560900",
    "two-thousandth": "three coins, 100 episodes: one state a stage: 0.595697",
    "fast": "a coin, 10000 episodes: one state a stage: 0.373466",
    "no-class": "forty coins of nineteen levels: h^2 of episodes: 0.997429",
    "twice": "add-one, three actions: one row: 0.143639 against the bound 0.666667",
    "no-reference": "a coin: soft policy off the optimum: 0.693147 against the bound 0",
    "reversed demo-soft-suboptimality": "a coin: gap, expert: 0.000926543 against the bound "
    "0.000941314",
    "sixteenth": "two arms, 1/100 apart: gap by spans: 1.24998e-05 against the bound 6.25e-06",
    "concave": "a coin: convex: 0.665213 against the bound 0.620115",
    "reversed demo-lambda-path": "a coin, hardly regularised: supporting line, below: 1.2396 "
    "against the bound 0.996534",
    "reversed demo-pipeline": "a bad clone: gap, other: 1 against the bound 0.708448",
    "no-expert": "an expert that throws a coin: gap, other: 1/2 against the bound 0.0124948",
    "half demo-regime": "just below: stops at once: False against the bound True",
}


@pytest.mark.parametrize(("name", "mutant"), MUTANTS)
def test_mutant_is_refuted_for_its_own_reason(verdicts, name, mutant):
    (found,) = (m for m in verdicts[name].mutants if m.id == mutant)
    expected = REASONS.get(mutant) or REASONS[f"{mutant} {name}"]
    assert found.status == "refuted" and found.reason.startswith(f"instance {expected}")


# --- the numbers of the specification -----------------------------------------------------


def test_a_bad_clone_as_the_specification_has_it():
    """The gap of the soft policy is 0.997, the bound 1.67, the mutant's 0.71."""
    i = demonstration_pipeline._bad_clone()
    found = {m.what: m for m in demonstration_pipeline._pipeline(i)}
    wrong = {m.what: m for m in demonstration_pipeline._pipeline(i, reversed_=True)}
    assert float(found["gap, soft policy"].measured) == pytest.approx(0.997, abs=5e-4)
    assert float(found["gap, soft policy"].bound) == pytest.approx(1.67, abs=5e-3)
    assert float(wrong["gap, soft policy"].bound) == pytest.approx(0.71, abs=5e-3)


def test_no_expert_as_the_specification_has_it():
    """The gap of the soft policy is 0.475 at lambda = 10, its mutant's bound at most 0."""
    i = demonstration_pipeline._coin(10)
    found = {m.what: m for m in demonstration_pipeline._pipeline(i, no_expert=True)}
    assert float(found["gap, soft policy"].measured) == pytest.approx(0.475, abs=5e-4)
    assert float(found["gap, soft policy"].bound) <= 0.0


def test_sharpness_of_the_quadratic_gap():
    for x, ratio in (("1/20", 0.99875), ("1/200", 0.99999)):
        (gap, *_) = regularized_gaps._quadratic(regularized_gaps._off([x, f"-{x}"], 1))
        assert float(gap.measured / gap.bound) == pytest.approx(ratio, abs=6e-6)


def test_an_expert_that_randomises_refutes_the_bound_of_certain_ones():
    i = one_state([1, 0], ["1/2", "1/2"], ["3/10", "7/10"])
    found = {m.what: m for m in cloning_claims._value(i, always=True)}
    assert float(found["a certain expert"].measured) == pytest.approx(0.2)
    assert float(found["a certain expert"].bound) == pytest.approx(0.0835, abs=5e-5)


def test_chance_of_a_finite_divergence():
    law = [F(1, 2), F(3, 10), F(1, 5)]
    assert float(cloning_claims._finite(law, 6)) == pytest.approx(0.621, abs=5e-4)


def test_lambda_path_by_central_differences():
    i = two_states([["1/2", "1/2"]] * 2, [["7/8", "1/8"]] * 2, horizon=3)
    episodes, step = Episodes(i.mdp, i.start), DIGITS.mpf(10) ** -15
    points = [
        demonstration_pipeline._Point(episodes, i.reference, 1 + k * step) for k in (-1, 0, 1)
    ]
    slope = (points[2].soft - points[0].soft) / (2 * step)
    assert abs(slope + points[1].cost) < DIGITS.mpf(10) ** -25


# --- sixty digits against the package -----------------------------------------------------


def table(policy):
    return np.array(policy, dtype=np.float64)


@pytest.mark.parametrize("seed", [0, 1])
def test_exact_models_agree_with_the_solvers(seed):
    for _, _, i in instances(ALL["demo-soft-suboptimality"], 25, seed):
        episodes, tau = Episodes(i.mdp, i.start), float(i.temperature)
        rho, pi = table(i.reference), table(i.expert)
        assert rlt.trajectory_kl(i.mdp, pi, rho) == pytest.approx(
            float(episodes.divergence(i.expert, i.reference)), rel=1e-12, abs=1e-14
        )
        z = episode_divergences._affinity(episodes, i.expert, i.reference)
        h2 = rlt.trajectory_hellinger(i.mdp, pi, rho)
        assert h2 == pytest.approx(float(2 - 2 * z), rel=1e-12, abs=1e-14)
        values, _, best = episodes.soft_optimum(i.reference, real(i.temperature))
        found = rlt.solve_regularized(i.mdp, tau, rho)
        exact = np.array([[float(x) for x in row] for row in values])
        slack = 1e-13 * (1 + tau)  # thirds are no doubles
        assert (found.lower - slack <= exact).all() and (exact <= found.upper + slack).all()
        own = [[float(x) for x in v] for v in episodes.soft_value(i.expert, i.reference, real(tau))]
        if np.isfinite(own).all():
            computed = rlt.evaluate_regularized(i.mdp, pi, tau, rho)
            assert computed == pytest.approx(np.array(own), rel=1e-10, abs=1e-10 * (1 + tau))
        assert float(episodes.divergence(best, i.reference)) >= 0.0


def test_start_laws_of_the_family_are_those_of_the_models():
    for _, _, i in instances(ALL["demo-kl-chain"], 25, 0):
        assert i.mdp.initial.tolist() == [float(x) for x in i.start]
        total = sum((p for (p,), _ in Episodes(i.mdp, i.start).laws(i.expert)), F(0))
        assert total == 1


def test_laws_of_data_sum_to_one():
    i = two_states([["1/8", "7/8"], ["1/2", "1/2"]], [["1/2", "1/2"]] * 2)
    episodes = Episodes(i.mdp, i.start)
    chances = [chance for chance, _ in cloning_claims.data_sets(episodes, i.expert, 3)]
    assert sum(chances) == 1 and len(chances) == math.comb(3 + 3, 3)


def test_certificate_without_data():
    assert demonstration_pipeline.certificate_without_data(3, 7.0) == pytest.approx(5 / 56)
    assert demonstration_pipeline.least_temperature(3, 0.1) == pytest.approx(6.25)
    assert demonstration_pipeline.certificate_without_data(3, 6.25) == pytest.approx(0.1)
    assert demonstration_pipeline.certificate_without_data(3, 0.1) == 3.0  # clipped
    i = one_state([1, 0], [1, 0], ["1/2", "1/2"], 7, horizon=3)
    assert demonstration_pipeline._before_any_episode(i, F(7)) == F(5, 56)


# --- laws of sums -------------------------------------------------------------------------


def test_divergence_law_has_the_exact_mean():
    for row, n in (((F(1, 2), F(1, 2)), 7), ((F(1, 3), F(1, 3), F(1, 3)), 12), ((F(1), F(0)), 5)):
        values, masses = cloning_tails.divergence_law(row, n)
        assert masses.sum() == pytest.approx(1.0, abs=1e-13)
        i = one_state([0] * len(row), row, row)
        mean = cloning_claims.mean_divergence(Episodes(i.mdp, i.start), i.expert, n, F(1))
        assert values @ masses == pytest.approx(float(mean), rel=1e-12)


def test_likeliest_law_by_hand():
    """One throw of a fair coin, levels 1/3, 1/2, 2/3: the likeliest is always an end."""
    values, masses = cloning_tails.likeliest_law(F(1, 2), (F(1, 3), F(1, 2), F(2, 3)), 1)
    affinity = math.sqrt(1 / 6) + math.sqrt(1 / 3)
    assert masses.tolist() == [0.5, 0.5] and values == pytest.approx([-math.log(affinity)] * 2)
    # Two throws that differ: the expert's own level is the likeliest.
    values, _ = cloning_tails.likeliest_law(F(1, 2), (F(1, 3), F(1, 2), F(2, 3)), 2)
    assert values[1] == 0.0


def test_quantile_of_the_product_class():
    """Forty stages, coins of nineteen levels: the bound is 1.20, the 90% quantile below a tenth."""
    law = cloning_tails.likeliest_law(F(1, 2), tuple(F(k, 20) for k in range(1, 20)), 200)
    uniforms = Stream(0, "tests.product class").uniforms(20_000, 40)
    places = np.searchsorted(np.cumsum(law[1]), uniforms).clip(0, len(law[0]) - 1)
    drawn = 2 - 2 * np.exp(-law[0][places].sum(axis=1))
    for h2 in (0.05, 0.06, np.quantile(drawn, 0.9)):
        low, high = chance_above([law] * 40, -math.log1p(-h2 / 2))
        share = (drawn > h2).mean()
        assert high - low < 0.01 and low - 0.015 < share < high + 0.015
    bound = ALL["demo-bc-hellinger"].bound(200, 19**40, 0.1)
    assert bound == pytest.approx(1.20, abs=5e-3)


def test_risk_of_other_smoothing():
    for n in range(5):
        least = cloning_minimax.least_risk(n, 3)
        assert abs(cloning_minimax.bayes_risk(n, [F(1)] * 3) - least) < DIGITS.mpf(10) ** -55
        assert cloning_minimax.bayes_risk(n, [F(1, 2)] * 3) > least or n == 0
    assert fraction_of(cloning_minimax.least_risk(0, 1)) == 0
