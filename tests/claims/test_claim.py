"""What a claim, a measurement and a mutant must have, and how their errors are told."""

import math
from fractions import Fraction

import numpy as np
import pytest

from rltheory.claims.claim import KINDS, Claim, Measurement, Mutant, Rate, claim
from rltheory.claims.family import Family, Instance
from rltheory.claims.registry import _collecting
from rltheory.claims.space import Dyadic
from rltheory.errors import ClaimError

FAMILY = Family({"x": Dyadic(0, 1)}, Instance)
MUTANT = Mutant("wrong", "x <= x/2", check=lambda i: Measurement(i.x, i.x / 2))


def made(**changes):
    fields = {
        "id": "some-claim",
        "kind": "inequality",
        "check": lambda i: Measurement(i.x, 1),
        "title": "title",
        "statement": "$x \\le 1$",
        "family": FAMILY,
        "mutants": (MUTANT,),
    }
    return Claim(**(fields | changes))


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_can_be_made(kind):
    needed = {"expectation": {"range": lambda i: (0.0, 1.0)}, "rate": {"rate": Rate([1, 2, 4])}}
    assert made(kind=kind, **needed.get(kind, {})).is_random == (kind in needed)
    assert made(kind="high-probability", delta=0.1).is_random
    assert not made(kind="high-probability").is_random


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"id": "Some Claim"}, "'Some Claim': lower-case words joined by hyphens"),
        ({"id": ""}, "''"),
        ({"kind": "theorem"}, "kind 'theorem' is unknown; identity, inequality"),
        ({"check": 3}, "check is 3; it must be callable"),
        ({"provenance": ("paper", "guess")}, "two of paper, reconstructed, derived, textbook"),
        ({"provenance": ("paper",)}, "two of"),
        ({"proof": "video"}, "'video'"),
        ({"family": None}, "neither a family nor a named instance"),
        ({"mutants": ()}, "no mutant is given; a claim needs one that is refuted"),
        ({"mutants": (MUTANT, MUTANT)}, "two mutants have the same id"),
        ({"kind": "expectation"}, "needs the range"),
        ({"kind": "rate"}, "a claim of kind 'rate', and no other, has a rate"),
        ({"rate": Rate([1, 2, 4])}, "and no other, has a rate"),
        ({"delta": 0.1}, "delta is for claims of kind 'high-probability'"),
    ],
)
def test_what_is_no_claim(changes, words):
    with pytest.raises(ClaimError) as error:
        made(**changes)
    assert words in str(error.value)


def test_documentation_needs_nothing():
    assert made(kind="context", family=None, mutants=()).kind == "context"


def test_mutants_are_the_claim_with_one_thing_changed():
    original = made(smt=lambda: None)
    mutated = MUTANT.of(original)
    assert mutated.id == "some-claim/wrong"
    assert mutated.check is MUTANT.check
    assert mutated.family is original.family
    assert mutated.mutants == ()
    assert mutated.smt is None, "a proof of the claim is none of the mutant"
    other = Mutant("delta", "half of it", delta=0.05).of(
        made(kind="high-probability", delta=0.1, smt=None)
    )
    assert other.delta == 0.05


def test_the_decorator_registers():
    with _collecting() as found:

        @claim("decorated", "inequality", title="t", statement="s", family=FAMILY, mutants=[MUTANT])
        def decorated(instance):
            return Measurement(instance.x, 1)

        with pytest.raises(ClaimError, match="'decorated' is registered twice"):
            claim("decorated", "context", title="t", statement="s")(lambda i: None)
    assert isinstance(decorated, Claim)
    assert found == {"decorated": decorated}


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"measured": math.nan, "bound": 1, "what": "gap"}, "measured is NaN (gap)"),
        ({"measured": 1, "bound": np.float64("nan")}, "bound is NaN"),
        ({"measured": "1", "bound": 1}, "measured is '1'; it must be a number"),
        ({"measured": None, "bound": 1}, "measured is None"),
        ({"measured": 1, "bound": 1, "trivial": math.nan}, "trivial is NaN"),
        ({"measured": 1, "bound": 1, "tolerance": -1e-9}, "finite and at least 0"),
        ({"measured": 1, "bound": 1, "tolerance": math.inf}, "finite and at least 0"),
        ({"measured": 1, "bound": 1, "tolerance": math.nan}, "tolerance is NaN"),
    ],
)
def test_what_is_no_measurement(fields, words):
    with pytest.raises(ClaimError) as error:
        Measurement(**fields)
    assert words in str(error.value)


def test_numbers_of_numpy_become_plain():
    m = Measurement(np.float64(0.5), np.int64(1), tolerance=np.float64(1e-9), event=np.True_)
    assert type(m.measured) is float
    assert type(m.bound) is int
    assert m.event is True


@pytest.mark.parametrize(
    ("m", "label"),
    [
        (Measurement(Fraction(1, 3), 1), "exact"),
        (Measurement(True, False), "exact"),
        (Measurement(1, math.inf), "exact"),
        (Measurement(0.5, 1), "float"),
        (Measurement(Fraction(1, 3), 1, tolerance=1e-9), "float"),
        (Measurement(0.5, 1, tolerance=1e-9, certified=True), "certified"),
    ],
)
def test_arithmetic(m, label):
    assert m.arithmetic == label
