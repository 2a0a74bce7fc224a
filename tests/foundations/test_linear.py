"""Claims about regression and linear MDPs: confirmed, mutants refuted, laws against all paths."""

import itertools
import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

import rltheory as rlt
from rltheory.claims.claim import Claim
from rltheory.claims.family import Instance
from rltheory.foundations import elliptical, lsvi, self_normalized
from rltheory.foundations.self_normalized import RULES
from rltheory.mathematics.concentration import self_normalized_radius
from rltheory.mathematics.regression import Ridge

CLAIMS: tuple[Claim, ...] = (*elliptical.CLAIMS, *self_normalized.CLAIMS, *lsvi.CLAIMS)
EXACT = [claim for claim in CLAIMS if not claim.is_random]


def test_the_ids_are_those_of_the_specification() -> None:
    assert {claim.id for claim in CLAIMS} == {
        "conf-elliptical", "ac-elliptical", "conf-self-normalized", "demo-linear-selfnorm",
        "learn-lsvi-planning",
    }  # fmt: skip
    assert {claim.id for claim in CLAIMS} <= set(rlt.all_claims("foundations"))


@pytest.mark.parametrize("claim", EXACT, ids=lambda claim: claim.id)
def test_confirmed_with_every_mutant_refuted(claim: Claim) -> None:
    verdict = rlt.verify(claim, budget="quick")
    assert verdict.status == "confirmed", verdict
    assert all(m.status == "refuted" for m in verdict.mutants)
    assert verdict.informative >= 20
    least = {"conf-elliptical": 1.0, "ac-elliptical": 1.0, "conf-self-normalized": 0.7}
    if claim.id in least:
        assert verdict.tightness == pytest.approx(verdict.detection_limit, abs=1e-9)
        assert verdict.tightness is not None and verdict.tightness >= least[claim.id]


@pytest.mark.slow
@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.id)
def test_confirmed_on_the_standard_budget(claim: Claim) -> None:
    verdict = rlt.verify(claim)
    assert verdict.status == "confirmed", verdict
    assert all(m.status == "refuted" for m in verdict.mutants)


# --- the elliptical potential -----------------------------------------------------------------


def test_the_potential_by_hand() -> None:
    """x = 1, 1 at ridge 1: u = 1, 1/2; determinants 1, 2, 3."""
    one = Instance(vectors=[[Fraction(1)]] * 2, ridge=Fraction(1), probe=[Fraction(2)])
    determinants, volume, potential, stale = elliptical.elliptical.check(one)
    assert determinants.measured == 0
    assert (volume.measured, volume.bound) == (3, 3)
    assert potential.measured == Fraction(3, 2)
    assert float(potential.bound) == pytest.approx(math.log2(3), rel=1e-15)
    assert (stale.measured, stale.bound) == (2, 2)  # 4/2, and 3/2 times 4/3


@pytest.mark.parametrize("seed", range(5))
def test_the_potential_of_random_paths_in_floats(seed: int) -> None:
    rng = np.random.default_rng(seed)
    d, T, ridge = 4, 300, float(10.0 ** rng.uniform(-2, 1))
    fit, capped = Ridge(d, ridge), 0.0
    for _ in range(T):
        x = rng.normal(size=d)
        x /= np.linalg.norm(x)
        capped += min(1.0, float(fit.norm(x)) ** 2)
        fit.update(x, 0.0)
    assert capped <= fit.log_det_ratio / math.log(2.0)
    assert fit.log_det_ratio / math.log(2.0) <= elliptical.elliptical_potential_bound(d, T, ridge)


# --- the self-normalised bound ----------------------------------------------------------------


def over_all_paths(i: Any, radius: Any = self_normalized_radius) -> float:
    """P(some |theta_t - theta| is beyond the radius), every path of outcomes on its own."""
    x = np.array([[float(v) for v in row] for row in i.directions])
    theta, p, ridge = np.array([float(v) for v in i.theta]), float(i.p), float(i.ridge)
    total = 0.0
    for path in itertools.product((0, 1), repeat=i.n):
        matrix, right = ridge * np.eye(len(theta)), np.zeros(len(theta))
        uses, noise = [0, 0], 0.0  # noise: of the first direction
        for outcome in path:
            inverse = np.linalg.inv(matrix)
            estimate = inverse @ right
            if len(x) == 1:
                chosen = 0
            elif i.rule == "alternate":
                chosen = int(uses[0] > uses[1])
            elif i.rule == "least known":
                chosen = int(x[1] @ inverse @ x[1] > x[0] @ inverse @ x[0] + 1e-9)
            elif i.rule == "most promising":
                chosen = int(x[1] @ estimate > x[0] @ estimate + 1e-9)
            else:
                chosen = int(noise < -1e-9)
            eta = outcome - p
            uses[chosen] += 1
            noise += eta * (chosen == 0)
            matrix = matrix + np.outer(x[chosen], x[chosen])
            right = right + (x[chosen] @ theta + eta) * x[chosen]
            off = np.linalg.solve(matrix, right) - theta
            growth = np.linalg.slogdet(matrix / ridge)[1]
            norm = float(np.linalg.norm(theta))
            bound = radius(max(growth, 0.0), float(i.delta), 0.5, ridge, norm)
            if math.sqrt(off @ matrix @ off) > bound:
                total += p ** sum(path) * (1 - p) ** (i.n - sum(path))
                break
    return total


@pytest.mark.parametrize("seed", range(12))
def test_the_law_against_all_paths(seed: int) -> None:
    rng = np.random.default_rng(seed)
    d = 1 if seed < 3 else 2
    numbers = [Fraction(0), Fraction(1), Fraction(3, 5), Fraction(-4, 5)]
    pick = lambda: numbers[int(rng.integers(4))]  # noqa: E731
    instance = Instance(
        directions=[[Fraction(1)]] if d == 1 else [[pick(), pick()], [pick(), pick()]],
        theta=[pick() for _ in range(d)],
        n=8,
        rule=RULES[seed % 4],
        p=Fraction(1, int(rng.integers(2, 5))),
        ridge=Fraction(int(rng.integers(1, 4)), 4),
        delta=Fraction(9, 10),
    )
    for radius in (self_normalized_radius, lambda *a: self_normalized_radius(*a) / 2):
        found = self_normalized._law(instance, radius)
        expected = over_all_paths(instance, radius)
        assert found.measured == pytest.approx(expected, abs=1e-9 + float(found.tolerance))
    assert expected > 0.0


def law(n: int, ridge: Any = 1, radius: Any = self_normalized_radius) -> float:
    one = Instance(
        directions=[[Fraction(1)]], theta=[Fraction(0)], n=n, rule="alternate",
        p=Fraction(1, 2), ridge=Fraction(ridge), delta=Fraction(1, 10),
    )  # fmt: skip
    return float(self_normalized._law(one, radius).measured)


def test_printed_numbers() -> None:
    """Those of the Gaussian mixture at kappa = lambda, which this is in one direction."""
    assert law(200) == pytest.approx(0.0406, abs=5e-5)
    assert law(2000) == pytest.approx(0.0496, abs=5e-5)
    assert law(2000, radius=lambda *a: self_normalized_radius(*a) * 0.8) == pytest.approx(
        0.248, abs=5e-4
    )
    assert law(2000, radius=lambda *a: self_normalized_radius(*a) / 2) == pytest.approx(
        0.867, abs=5e-4
    )


@pytest.mark.slow
def test_printed_numbers_of_long_runs() -> None:
    assert law(5000) == pytest.approx(0.0514, abs=5e-5)
    assert law(5000, ridge=100) == pytest.approx(0.0703, abs=5e-5)


# --- planning ---------------------------------------------------------------------------------


def test_the_bias_of_a_ridge_by_hand() -> None:
    """Weights 1 and 3 on two one-hot pairs, ridge 1: shrunk to 1/2 and 3/4 of the truth."""
    i = lsvi.lsvi_planning.named["two states, one-hot"]()
    w = rlt.solve_linear(rlt.LinearMDP(i.features, i.measures, i.theta, exact=True)).weights[1]
    assert w.tolist() == [0, Fraction(1, 2)]
    off, most = lsvi._bias(i, w.tolist())
    # (1/2 - 3/8)^2 against |w|^2 / (3 + 1)
    assert (off, most) == (Fraction(1, 64), Fraction(1, 16))


def test_one_feature_and_nothing_seen_attains_the_bias() -> None:
    i = lsvi.lsvi_planning.named["one feature, nothing seen"]()
    found = {m.what: m for m in lsvi.lsvi_planning.check(i)}
    m = found["bias with nothing seen, squared"]
    assert m.event and m.measured == m.bound == Fraction(1, 4)
    assert not found["regression against the table"].event
