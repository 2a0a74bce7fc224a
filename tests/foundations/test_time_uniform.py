"""The claims on mixtures are confirmed, mutants refuted, and the printed numbers come again."""

from fractions import Fraction
from typing import Any

import numpy as np
import pytest

import rltheory as rlt
from rltheory.claims.claim import Claim
from rltheory.foundations import time_uniform
from rltheory.foundations.time_uniform import (
    dirichlet_kl,
    mixture_gauss,
    path,
)
from rltheory.mathematics.concentration import mixture_radius

ONE = Fraction(1)


def checked(claim: Claim, instance: Any, mutant: str = "", what: str = "") -> float:
    check = next((m.check for m in claim.mutants if m.id == mutant), None) or claim.check
    found = check(instance)
    (m,) = [m for m in (found if isinstance(found, list) else [found]) if m.what == what]
    return float(m.measured)


@pytest.mark.parametrize("claim", time_uniform.CLAIMS, ids=lambda claim: claim.id)
def test_confirmed_with_every_mutant_refuted(claim: Claim) -> None:
    verdict = rlt.verify(claim, budget="quick")
    assert verdict.status == "confirmed", verdict
    assert all(m.status == "refuted" for m in verdict.mutants)
    assert verdict.tightness is not None and 0.7 < verdict.tightness <= 1 + 1e-9


@pytest.mark.parametrize(
    ("mutant", "kappa", "n", "expected"),
    [
        ("", 1, 200, 0.0406),
        ("", 1, 2000, 0.0496),
        pytest.param("", 1, 5000, 0.0514, marks=pytest.mark.slow),
        pytest.param("", 100, 5000, 0.0703, marks=pytest.mark.slow),
        ("times-0-8", 1, 2000, 0.248),
        ("times-0-5", 1, 2000, 0.867),
        ("fixed", 1, 100, 0.126),
        ("fixed", 1, 1000, 0.211),
        pytest.param("fixed", 1, 5000, 0.267, marks=pytest.mark.slow),
    ],
)
def test_printed_crossings_of_the_gaussian_mixture(
    mutant: str, kappa: int, n: int, expected: float
) -> None:
    got = checked(mixture_gauss, path("1/2", n, kappa=Fraction(kappa)), mutant)
    assert got == pytest.approx(expected, abs=6e-5 if expected < 0.1 else 6e-4)


def test_a_rare_coin_does_not_refute_the_shorter_radius() -> None:
    assert checked(mixture_gauss, path("1/10", 2000, kappa=ONE), "times-0-8") < 0.03


@pytest.mark.parametrize(
    ("p", "ratio", "entropy", "dropped"),
    [("1/2", 0.076, 0.025, 0.433), ("1/10", 0.047, 0.019, 0.381), ("1/50", 0.038, 0.025, 0.316)],
)
def test_printed_crossings_of_the_dirichlet_mixture(
    p: str, ratio: float, entropy: float, dropped: float
) -> None:
    far, near = path(p, 3000, row=[]), path(p, 1000, row=[])
    assert checked(dirichlet_kl, far, what="ratio") == pytest.approx(ratio, abs=6e-4)
    assert checked(dirichlet_kl, far, what="entropy") == pytest.approx(entropy, abs=6e-4)
    got = checked(dirichlet_kl, near, "no-binomial", "entropy")
    assert got == pytest.approx(dropped, abs=6e-4)


def test_the_mean_ratio_is_one_and_a_third_where_a_point_has_no_mass() -> None:
    half = [Fraction(1, 2)] * 2
    assert checked(dirichlet_kl, path("1/2", 4, row=[*half, Fraction(0)]), what="mean") == 1 / 3
    assert checked(dirichlet_kl, path("1/2", 6, row=half), what="mean off 1") == 0
    assert checked(dirichlet_kl, path("1/2", 6, row=half), "plug-in", "mean") > 1


def test_crossings_agree_with_simulated_paths() -> None:
    rng = np.random.default_rng(0)
    sums = np.cumsum(rng.random((4000, 100)) < 0.5, axis=1)
    n = np.arange(1, 101)
    beyond = abs(sums - n / 2) > n * 0.8 * mixture_radius(n, 0.1)
    exact = checked(mixture_gauss, path("1/2", 100, kappa=ONE), "times-0-8")
    assert beyond.any(axis=1).mean() == pytest.approx(exact, abs=5 * 0.5 / 4000**0.5)
