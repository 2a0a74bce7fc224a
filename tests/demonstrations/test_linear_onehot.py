"""The claim on one-hot features: confirmed, why each mutant fails, and what it is blind to."""

from fractions import Fraction

import pytest

import rltheory as rlt
from rltheory.demonstrations import linear_onehot


@pytest.fixture(scope="module")
def verdict():
    return rlt.verify(linear_onehot.linear_onehot, budget="quick")


def test_claim_is_confirmed(verdict):
    assert verdict.status == "confirmed" and "proof (in text)" in verdict.coverage


REASONS = {
    "no-ridge": "two states: mean: 1/2 against the bound 0",
    "no-root": "two states: squared norm: 1/4 against the bound 0",
}


@pytest.mark.parametrize("mutant", REASONS)
def test_mutant_is_refuted_for_its_own_reason(verdict, mutant):
    (found,) = (m for m in verdict.mutants if m.id == mutant)
    assert found.status == "refuted"
    assert found.reason == f"instance {REASONS[mutant]}"


def test_the_compiled_plan_is_compared_and_not_only_the_algebra():
    i = linear_onehot._instance(2, 1, linear_onehot._SEEN)()
    found = {m.what: m for m in linear_onehot._onehot(i)}
    assert found["mean"].measured == 0 and isinstance(found["mean"].measured, Fraction)
    assert 0 <= found["upper plan"].measured < 1e-12
    shifted = type(i)(**{key: i[key] for key in i} | {"ridge": Fraction(3, 2)})
    exact = linear_onehot._learned(shifted)
    assert all(m.measured < 1e-12 for m in exact)
