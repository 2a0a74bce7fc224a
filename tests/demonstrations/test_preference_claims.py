"""The claims about rewards from preferences: confirmed, and why each mutant fails."""

import math
from fractions import Fraction

import numpy as np
import pytest

import rltheory as rlt
from rltheory.claims.verify import instances
from rltheory.demonstrations import (
    bernstein_transport,
    preference_invariance,
    preference_mle,
    rlhf_gap,
)
from rltheory.demonstrations.returns_along import paying, returns_along
from rltheory.foundations.rationals import episodic_value, stages_of
from rltheory.mdp.streams import Stream

F = Fraction
MODULES = (bernstein_transport, preference_invariance, preference_mle, rlhf_gap)
CLAIMS = {claim.id: claim for module in MODULES for claim in module.CLAIMS}
TESTED = [name for name, claim in CLAIMS.items() if claim.kind != "context"]
MUTANTS = [(name, mutant.id) for name in TESTED for mutant in CLAIMS[name].mutants]


@pytest.fixture(scope="module")
def verdicts():
    return {name: rlt.verify(CLAIMS[name], budget="quick") for name in TESTED}


@pytest.mark.parametrize("name", TESTED)
def test_claim_is_confirmed(verdicts, name):
    verdict = verdicts[name]
    assert verdict.status == "confirmed", verdict.reason
    assert "proof (in text)" in verdict.coverage
    assert verdict.arithmetic == ("random" if name == "demo-bt-mle" else "certified")
    if CLAIMS[name].kind == "inequality":
        assert verdict.detection_limit > 0.9999


REASONS = {
    "no-two": "close laws: E_P g: 0.001 against the bound 0.000707274",
    "no-linear": "two points: E_P g: 0.34 against the bound 0.321125",
    "flat": "rare and bad: exponential moment: 0.3625 against the bound 0.18",
    "entrywise": "a coin: entries: 2 against the bound 0",
    "always": "a coin: preferences, expected shaping: 1 against the bound 0",
    "loose-end": "a coin: policy: 0.122459 against the bound 0",
    "exits": "may end: preferences, stage shift: 2 against the bound 0",
    "no-variance": "swapped: below the expert: 1 against the bound 0.0287828",
    "no-kl": "attained: below the expert: 0.231059 against the bound 0.120115",
    "no-root": "underestimated: below the expert: 0.02 against the bound 0.0165283",
    "uniform": "kappa 0.01, lambda 0.2: regularised: 0.462766 against the bound 0.0795656",
    "little": "kappa 0.01, lambda 0.05: regularised, in numbers: 0.49117 against the bound 0.01525",
    "quarter": "two candidates: ",
    "no-class": "forty contexts, 19 levels: ",
    "elsewhere": "an arm that is never sampled: ",
}


@pytest.mark.parametrize(("name", "mutant"), MUTANTS)
def test_mutant_is_refuted_for_its_own_reason(verdicts, name, mutant):
    (found,) = (m for m in verdicts[name].mutants if m.id == mutant)
    reason = found.reason.removeprefix("instance ")
    assert found.status == "refuted" and reason.startswith(REASONS[mutant])


# --- episodes and plans -------------------------------------------------------------------


def _instances(claim):
    return [instance for _, parameters, instance in instances(claim, 20, 0) if parameters]


def test_returns_along_are_those_of_the_models():
    for i in _instances(CLAIMS["demo-rlhf-det"]):
        other = paying(i.mdp, i.fitted)
        returns, (law,) = returns_along(i.start, (i.mdp, other), i.reference)
        assert sum(law) == 1
        for mdp, paid in zip((i.mdp, other), returns, strict=True):
            exact = episodic_value(stages_of(mdp), i.reference)[0]
            value = sum(p * x for p, x in zip(law, paid, strict=True))
            assert value == sum(p * v for p, v in zip(i.start, exact, strict=True))


# --- the random claim ---------------------------------------------------------------------


def test_likelihoods_of_a_trial_are_those_of_fit_bradley_terry():
    i = preference_mle._many_candidates(200)()
    h2, spread = preference_mle._errors(i, Stream(0, "trial"))
    words = Stream(0, "trial").uniforms(3, 200)
    arms = [np.searchsorted(np.cumsum(i.law), w, side="right") for w in words[:2]]
    first, second = (
        rlt.Trajectories([0] * 200, a, [0.0] * 200, [-1] * 200, [1] * 200) for a in arms
    )
    chance = 1 / (1 + np.exp(-(i.rewards[0][arms[1]] - i.rewards[0][arms[0]])))
    judged = rlt.Preferences(first, second, (words[2] < chance).astype(int))
    fit = rlt.fit_bradley_terry(judged, candidates=i.rewards[:, None, :], shape=(1, 1, 4))
    f = i.rewards[0] - i.rewards[fit.index]
    assert spread == pytest.approx(i.law @ f**2 - (i.law @ f) ** 2, abs=1e-12)
    assert 0 <= h2 <= spread  # |sqrt p - sqrt q| is at most half the difference, in each label


@pytest.mark.parametrize(("n", "quantile"), [(20, 0.035), (100, 0.0099), (500, 0.0036)])
def test_quantiles_on_four_arms(n, quantile):
    """Errors of 500 candidates on four arms: the order of those of the specification."""
    i = preference_mle._many_candidates(n)()
    errors = [preference_mle._errors(i, Stream(k, "trial"))[0] for k in range(200)]
    assert 0.4 * quantile < float(np.quantile(errors, 0.9)) < 1.6 * quantile


def test_hellinger_bounds_the_difference_of_probabilities():
    x, y = np.meshgrid(np.linspace(-5, 5, 41), np.linspace(-5, 5, 41))
    p, q = 1 / (1 + np.exp(-x)), 1 / (1 + np.exp(-y))
    h2 = preference_mle.hellinger2(x, y)
    assert (np.abs(p - q) <= np.sqrt(h2 * (4 - h2)) / 2 + 1e-15).all()
    assert math.isclose(preference_mle.hellinger2(0.7, 0.7), 0.0, abs_tol=1e-30)
