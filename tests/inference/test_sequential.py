"""The sequential test: its evidence by exact integrals, its error by the law of a crossing."""

import math
from bisect import bisect_left
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from rltheory.errors import ClaimError
from rltheory.inference.sequential import (
    SequentialTest,
    fewest_trials,
    log_evidence_against,
    log_evidence_for,
)
from rltheory.mathematics.crossing import crossing_probability


def mixture(k: int, n: int, null: Fraction, low: Fraction, high: Fraction) -> Fraction:
    """The mean of the likelihood ratio over q uniform in [low, high], term by term."""
    integral = Fraction(0)
    for j in range(n - k + 1):
        power = k + j + 1
        integral += Fraction((-1) ** j * math.comb(n - k, j), power) * (high**power - low**power)
    return integral / (high - low) / (null**k * (1 - null) ** (n - k))


@pytest.mark.parametrize("delta", [Fraction(1, 100), Fraction(1, 10), Fraction(1, 2)])
def test_evidence_is_the_integral_it_says(delta: Fraction) -> None:
    c = delta * Fraction(11, 10)
    for n in range(25):
        for k in range(n + 1):
            against = mixture(k, n, delta, delta, Fraction(1))
            in_favour = mixture(k, n, c, Fraction(0), c)
            found = float(log_evidence_against(k, n, float(delta)))
            assert found == pytest.approx(math.log(against), abs=1e-12, rel=1e-12)
            found = float(log_evidence_for(k, n, float(c)))
            assert found == pytest.approx(math.log(in_favour), abs=1e-12, rel=1e-12)


def test_evidence_is_a_supermartingale_on_its_side_alone() -> None:
    delta, c = Fraction(1, 10), Fraction(11, 100)

    def growth(p: Fraction, n: int, k: int, null: Fraction, low: Fraction, high: Fraction) -> Any:
        now = mixture(k, n, null, low, high)
        up, down = mixture(k + 1, n + 1, null, low, high), mixture(k, n + 1, null, low, high)
        return p * up + (1 - p) * down - now

    for n in range(8):
        for k in range(n + 1):
            for p in (Fraction(0), delta / 2, delta):
                assert growth(p, n, k, delta, delta, Fraction(1)) <= 0
            for p in (c, 2 * c, Fraction(1)):
                assert growth(p, n, k, c, Fraction(0), c) <= 0
            # At the boundary it is a martingale, and beyond it evidence grows.
            assert growth(delta, n, k, delta, delta, Fraction(1)) == 0
            assert growth(2 * delta, n, k, delta, delta, Fraction(1)) > 0
            assert growth(delta / 2, n, k, c, Fraction(0), c) > 0
            # A prior with mass below delta spoils it: p = 0 drifts up.
            if n > 1:
                spoilt = [mixture(0, m, delta, Fraction(0), Fraction(1)) for m in (40, 41)]
                assert spoilt[0] < spoilt[1]


# --- the error by its law: numbers that the specification prints (section 4.4 and "Checked") -----


@pytest.mark.parametrize(
    ("delta", "p", "printed"),
    [(0.1, 0.1, "0.029"), (0.3, 0.3, "0.031"), (0.1, 0.08, "0.012"), (0.3, 0.24, "0.006")],
)
def test_probability_of_refuting_what_is_true(delta: float, p: float, printed: str) -> None:
    def refuted(n: int) -> Any:
        # Evidence against rises with the failures: at k and above.
        level = math.log(20.0)
        k = bisect_left(range(n + 1), level, key=lambda k: log_evidence_against(k, n, delta))
        return np.arange(n + 1) >= k

    found = crossing_probability(refuted, p, 1500)
    assert f"{found:.3f}" == printed and found <= 0.05


def test_probability_of_confirming_what_is_false() -> None:
    def confirmed(n: int) -> Any:
        return log_evidence_for(np.arange(n + 1), n, 0.11) >= math.log(20.0)

    found = crossing_probability(confirmed, 0.11, 1500)
    assert f"{found:.3f}" == "0.039" and found <= 0.05


@pytest.mark.parametrize("delta", [0.02, 0.5])
def test_evidence_is_monotone_in_the_failures(delta: float) -> None:
    for n in (1, 30, 150):
        k = np.arange(n + 1)
        assert (np.diff(log_evidence_against(k, n, delta)) > 0).all()
        assert (np.diff(log_evidence_for(k, n, delta)) < 0).all()


def test_a_two_sided_prior_rejects_after_clean_draws() -> None:
    # With mass below delta, 200 trials without any failure "refute" p <= 0.1.
    evidence = float(mixture(0, 200, Fraction(1, 10), Fraction(0), Fraction(1)))
    assert evidence > 1e6
    assert log_evidence_against(0, 200, 0.1) < 0


# --- the class ------------------------------------------------------------------------------


def test_decisions() -> None:
    test = SequentialTest(0.1, 1e-6, 1e-6)
    assert test.decision is None
    test.add(50, 60)
    assert test.decision == "refuted"
    assert test.log_evidence_against == log_evidence_against(50, 60, 0.1)
    test = SequentialTest(0.1, 1e-6, 1e-6)
    test.add(1, 400)
    assert test.decision == "confirmed"
    assert test.log_evidence_for == log_evidence_for(1, 400, 1.1 * 0.1)


def test_counts_add_up_whatever_the_batches() -> None:
    one, many = SequentialTest(0.2, 0.01, 0.01), SequentialTest(0.2, 0.01, 0.01)
    one.add(13, 90)
    for failures, trials in ((0, 0), (3, 10), (10, 80)):
        many.add(failures, trials)
    assert (one.failures, one.trials, one.log_evidence_for) == (
        many.failures, many.trials, many.log_evidence_for,
    )  # fmt: skip


def test_between_delta_and_the_margin_either_answer_is_right() -> None:
    # p > delta and p < 1.1 delta are both proved here; "refuted" is said.
    test = SequentialTest(0.1, 1e-6, 1e-6)
    test.add(105_000, 1_000_000)
    assert min(test.log_evidence_against, test.log_evidence_for) > math.log(1e6)
    assert test.decision == "refuted"


def test_long_runs_neither_overflow_nor_warn() -> None:
    for failures in (0, 1, 10**3, 10**6 - 1, 10**6):
        test = SequentialTest(1e-3, 1e-6, 1e-6)
        test.add(failures, 10**6)
        assert not math.isnan(test.log_evidence_against) and not math.isnan(test.log_evidence_for)
        assert test.decision == {0: "confirmed", 1: "confirmed"}.get(failures, test.decision)
    assert test.decision == "refuted"


@pytest.mark.parametrize("delta", [0.01, 0.1, 0.5])
@pytest.mark.parametrize("alpha", [0.05, 1e-6])
def test_fewest_trials_are_the_fewest(delta: float, alpha: float) -> None:
    fewest = fewest_trials(delta, alpha)
    threshold = -math.log(alpha)
    assert log_evidence_for(0, fewest, 1.1 * delta) >= threshold
    earlier = [(k, n) for n in range(fewest) for k in range(min(n, 5) + 1)]
    k, n = np.array(earlier).T
    assert (log_evidence_for(k, n, 1.1 * delta) < threshold).all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"delta": 0.0}, "delta is 0.0"),
        ({"delta": 1.0}, "delta is 1.0"),
        ({"alpha_confirm": 0.0}, "alpha_confirm is 0.0"),
        ({"alpha_refute": 1.0}, "alpha_refute is 1.0"),
        ({"margin": 1.0}, "margin is 1.0"),
        ({"delta": 0.95}, "below 1/delta"),
    ],
)
def test_bad_tests_are_refused(change: dict[str, float], message: str) -> None:
    fields = {"delta": 0.1, "alpha_confirm": 0.1, "alpha_refute": 0.1} | change
    with pytest.raises(ClaimError, match=message):
        SequentialTest(**fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(("failures", "trials"), [(3, 2), (-1, 2), (0, -1)])
def test_counts_that_cannot_be_are_refused(failures: int, trials: int) -> None:
    with pytest.raises(ClaimError, match="that cannot be"):
        SequentialTest(0.1, 0.1, 0.1).add(failures, trials)
