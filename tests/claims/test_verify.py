"""Verdicts on tiny claims: every status, its precedence, and the numbers beside it."""

import json
import math
import sys
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rltheory.claims.claim import Claim, Measurement, Mutant
from rltheory.claims.counterexamples import load_instance
from rltheory.claims.evidence import Evidence, is_informative, violated
from rltheory.claims.family import Family, Instance
from rltheory.claims.smt import Proof, Query, prove
from rltheory.claims.space import Dyadic, Integer
from rltheory.claims.trials import trial
from rltheory.claims.verdict import STATUSES, MutantVerdict, Verdict
from rltheory.claims.verify import LEVEL, _with_mutants, replay, verify
from rltheory.errors import ClaimError
from rltheory.mdp.model import MDP

UNIT = Family({"x": Dyadic(0.25, 1), "n": Integer(1, 3)}, Instance)


def measured(share, of=1, **more):
    """A check that measures a share of the instance's x against `of` times it."""
    return lambda i: Measurement(Fraction(share) * Fraction(i.x), of * Fraction(i.x), **more)


def raising(fault):
    def check(*_):
        raise fault

    return check


WRONG = Mutant("wrong", "half the bound", check=measured(1, Fraction(1, 2)))


def tiny(check=None, kind="inequality", mutants=(WRONG,), **fields):
    fields = {"family": UNIT} | fields
    return Claim(
        id="tiny",
        kind=kind,
        check=check or measured(Fraction(3, 4)),
        title="title",
        statement="statement",
        mutants=mutants,
        **fields,
    )


def quick(claim, **options):
    return verify(claim, budget="quick", **options)


# --- the statuses -------------------------------------------------------------------------


def test_confirmed():
    verdict = quick(tiny())
    assert (verdict.status, verdict.arithmetic, verdict.coverage) == (
        "confirmed", "exact", "sampled(40)",
    )  # fmt: skip
    assert (verdict.instances, verdict.informative) == (40, 40)
    assert verdict.tightness == verdict.detection_limit == 0.75
    assert (verdict.level, verdict.margin, verdict.trials) == (0.0, 1.0, 0)
    assert [m.status for m in verdict.mutants] == ["refuted"]
    assert verify(tiny()).coverage == "sampled(200)"


def test_refuted_has_its_counterexample():
    verdict = quick(tiny(measured(2, what="gap")))
    assert verdict.status == "refuted"
    assert verdict.reason.startswith("instance #0: gap: ")
    assert " against the bound " in verdict.reason
    found = verdict.counterexample
    assert found["instance"] == "#0"
    assert found["what"] == "gap"
    assert found["parameters"] == UNIT.sample("tiny", 0, 0)
    assert Fraction(str(found["measured"])) == 2 * Fraction(str(found["bound"]))
    assert verdict.instances == 1, "the search ends where the claim does"


ERRORS = {
    "wrong type": (lambda i: 3.0, "instance #0: tiny: the check returned float 3.0"),
    "nothing": (lambda i: [], "returned list []"),
    "wrong type in a list": (lambda i: [Measurement(0, 1), None], "returned list"),
    "raises": (lambda i: 1 / 0, "instance #0: the check raised ZeroDivisionError: division"),
    "no such part": (lambda i: i.mdp, "the instance has no 'mdp'; it has x, n"),
    "leaves": (raising(SystemExit(0)), "the check raised SystemExit: 0"),
    "NaN": (lambda i: Measurement(math.nan, 1), "instance #0: measured is NaN"),
}


@pytest.mark.parametrize("name", ERRORS)
def test_error(name):
    check, words = ERRORS[name]
    verdict = quick(tiny(check))
    assert verdict.status == "error"
    assert words in verdict.reason
    assert verdict.tightness is verdict.detection_limit is verdict.counterexample is None


def test_a_family_of_invalid_models_is_an_error_that_names_the_parameters():
    family = Family({"p": Dyadic(0.5, 0.5, 1)}, lambda p: {"mdp": MDP([[[p]]], [[0]], 0.5)})
    verdict = quick(tiny(family=family))
    assert verdict.status == "error"
    assert "cannot build the instance {'p': 0.5}: ModelError" in verdict.reason
    verdict = quick(tiny(family=None, named={"broken": lambda: 3}))
    assert verdict.reason.startswith("instance broken: an instance must be")
    verdict = quick(tiny(family=None, named={"broken": lambda: 1 / 0}))
    assert verdict.reason == "instance broken: ZeroDivisionError: division by zero"


def test_vacuous_where_bounds_are_trivial_or_conditions_never_hold():
    verdict = quick(tiny(measured(Fraction(3, 4), trivial=0)))
    assert verdict.status == "vacuous"
    assert (verdict.instances, verdict.informative) == (40, 0)
    assert verdict.tightness is None
    assert quick(tiny(measured(2, event=False))).status == "vacuous"


def test_an_infinite_bound_says_nothing():
    infinite = Mutant("m", "0", check=lambda i: Measurement(1, 0))
    verdict = quick(tiny(lambda i: Measurement(i.x, math.inf), mutants=(infinite,)))
    assert (verdict.status, verdict.informative) == ("vacuous", 0)
    below = Mutant("m", "1", check=lambda i: Measurement(0, 1))
    check = lambda i: Measurement(i.x, -math.inf)  # noqa: E731
    assert quick(tiny(check, "lower-bound", mutants=(below,))).status == "vacuous"
    equal = Measurement(math.inf, math.inf)
    assert is_informative("identity", equal) and not is_informative("inequality", equal)


def test_toothless_where_a_mutant_survives():
    survivor = Mutant("weaker", "twice the bound", check=measured(1, 2))
    verdict = quick(tiny(mutants=(WRONG, survivor)))
    assert verdict.status == "toothless"
    assert verdict.reason == "mutant weaker (twice the bound) is not refuted"
    vacuous = Mutant("never", "no condition", check=measured(2, event=False))
    assert quick(tiny(mutants=(vacuous,))).status == "toothless"


def test_undecided_with_few_informative_instances():
    def check(i):
        return Measurement(i.x, 2, event=i.n == 1)

    few = replace(tiny(check), mutants=(Mutant("m", "0", check=lambda i: Measurement(1, 0)),))
    verdict = quick(few)
    assert 0 < verdict.informative < 20
    assert verdict.status == "undecided"
    assert "20 are needed" in verdict.reason
    assert verify(few).status == "confirmed", "more instances settle it"


def test_undecided_mutants_make_the_claim_undecided_and_not_toothless():
    def check(i):
        return Measurement(1, 2, event=i.n == 1)

    verdict = quick(tiny(mutants=(Mutant("slow", "s", check=check),)))
    assert verdict.status == "undecided"
    assert verdict.reason.startswith("mutant slow is undecided")


def test_named_instances_suffice_alone():
    named = {"one": lambda: Instance(x=1), "two": lambda: {"x": 2}}
    verdict = quick(tiny(family=None, named=named))
    assert (verdict.status, verdict.coverage, verdict.instances) == ("confirmed", "named(2)", 2)
    both = quick(tiny(named=named))
    assert (both.coverage, both.instances) == ("named(2), sampled(40)", 42)
    bad = quick(tiny(lambda i: Measurement(i.x, 1), named=named))
    assert bad.status == "refuted"
    assert bad.counterexample["instance"] == "two"
    assert bad.counterexample["parameters"] is None


def test_context_is_not_tested():
    verdict = quick(tiny(raising(AssertionError), kind="context", mutants=(), family=None))
    assert (verdict.status, verdict.mutants) == ("context", ())


@pytest.mark.parametrize("status", STATUSES[:-1])
@pytest.mark.parametrize("mutant", ["refuted", "error", "undecided", "confirmed", "missing"])
def test_precedence(status, mutant):
    verdict = Verdict("tiny", "title", "inequality", "", status, "its reason")
    after = _with_mutants(verdict, (MutantVerdict("m", "text", mutant, "why"),))
    becomes = {"error": "error", "undecided": "undecided", "confirmed": "toothless"}.get(mutant)
    worst = min(status, becomes or status, key=STATUSES.index)
    assert after.status == worst
    assert (after.reason == "its reason") == (worst == status)
    assert STATUSES.index(after.status) <= STATUSES.index(status)


def test_an_error_of_a_mutant_is_one_of_the_claim():
    verdict = quick(tiny(mutants=(Mutant("m", "text", check=lambda i: None),)))
    assert verdict.status == "error"
    assert verdict.reason.startswith("mutant m: instance #0: ")
    both = quick(tiny(measured(2), mutants=(Mutant("m", "text", check=lambda i: None),)))
    assert both.status == "refuted", "a refutation needs no mutant"


# --- what is measured ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "measured_", "bound", "fails"),
    [
        ("identity", 1, 1, False),
        ("identity", 1, 1.25, True),
        ("identity", 1.25, 1, True),
        ("inequality", 1, 1.25, False),
        ("inequality", 1.25, 1, True),
        ("separation", 1.25, 1, True),
        ("counterexample", 1, 1.25, False),
        ("lower-bound", 1.25, 1, False),
        ("lower-bound", 1, 1.25, True),
        ("decision", True, True, False),
        ("decision", True, False, True),
        ("decision", 3, 4, True),
        ("identity", math.inf, math.inf, False),
        ("identity", math.inf, -math.inf, True),
        ("identity", 1, math.inf, True),
        ("inequality", math.inf, 1, True),
        ("inequality", 1, math.inf, False),
        ("inequality", -math.inf, 1, False),
        ("inequality", 1, -math.inf, True),
        ("lower-bound", math.inf, 1, False),
        ("lower-bound", 1, math.inf, True),
        ("lower-bound", -math.inf, 1, True),
        ("decision", math.inf, 1, True),
    ],
)
def test_kinds(kind, measured_, bound, fails):
    def check(i):
        return Measurement(measured_, bound)

    assert violated(kind, check(None)) == fails
    assert not violated(kind, replace(check(None), event=False))
    mutant = Mutant(
        "m", "fails", check=lambda i: Measurement(0, 1 if kind == "lower-bound" else -1)
    )
    verdict = quick(tiny(check, kind=kind, mutants=(mutant,)))
    says_nothing = (kind, bound) == ("inequality", math.inf)
    assert verdict.status == ("refuted" if fails else "vacuous" if says_nothing else "confirmed")
    assert json.loads(json.dumps(verdict.record(), allow_nan=False))["status"] == verdict.status


def test_tolerance_is_allowed_to_the_last_bit():
    third = Fraction(1, 3)
    assert not violated("inequality", Measurement(1 + third, 1, tolerance=third))
    above = 1 + third + Fraction(1, 10**40)
    assert violated("inequality", Measurement(above, 1, tolerance=third))
    assert violated("identity", Measurement(2 - above, 1, tolerance=third))
    assert violated("lower-bound", Measurement(2 - above, 1, tolerance=third))
    # Doubles are taken at their exact value: 0.1 + 0.2 is not 0.3.
    assert violated("identity", Measurement(0.1 + 0.2, 0.3))
    assert not violated("identity", Measurement(0.1 + 0.2, 0.3, tolerance=2**-54))


def test_labels_of_the_arithmetic():
    assert quick(tiny(lambda i: Measurement(0.5, 1, tolerance=2e-9))).arithmetic == "float(2e-09)"
    certified = Measurement(0.5, 1, tolerance=1e-9, certified=True)
    assert quick(tiny(lambda i: certified)).arithmetic == "certified"
    mixed = [certified, Measurement(1, 2)]
    assert quick(tiny(lambda i: mixed)).arithmetic == "certified"
    mixed = [certified, Measurement(0.5, 1, tolerance=1e-12)]
    assert quick(tiny(lambda i: mixed)).arithmetic == "float(1e-09)"


def test_tightness_names_its_instance():
    def check(i):
        return Measurement(i.x, 1 + i.n)

    verdict = verify(tiny(check, mutants=(WRONG,)))
    index = int(verdict.tightest.removeprefix("#"))
    parameters = UNIT.sample("tiny", 0, index)
    assert verdict.tightness == parameters["x"] / (1 + parameters["n"]) == 0.5


def test_tightness_of_lower_bounds_is_inverted():
    mutant = Mutant("twice", "2x", check=measured(1, 2))
    verdict = quick(tiny(measured(Fraction(5, 4)), kind="lower-bound", mutants=(mutant,)))
    assert verdict.tightness == verdict.detection_limit == 0.8


def test_identities_and_decisions_have_no_tightness():
    verdict = quick(tiny(measured(1), kind="identity"))
    assert verdict.status == "confirmed"
    assert verdict.tightness is verdict.detection_limit is None


def test_the_tolerance_lowers_the_detection_limit():
    def check(i):
        return Measurement(Fraction(3, 4), 1, tolerance=Fraction(1, 4))

    verdict = quick(tiny(check))
    assert (verdict.tightness, verdict.detection_limit) == (0.75, 0.5)


@given(
    st.lists(
        st.tuples(*[st.fractions(Fraction(1, 9), 3)] * 2, st.fractions(0, 1)),
        min_size=1,
        max_size=5,
    ),
    st.sampled_from(["inequality", "lower-bound"]),
    st.fractions(0, 1),
)
def test_every_share_below_the_detection_limit_is_refuted(rows, kind, share):
    evidence = Evidence(kind)
    for number, (m, bound, tolerance) in enumerate(rows):
        evidence.add(str(number), [Measurement(m, bound, tolerance=tolerance)])
    limit = evidence.detection
    if limit is None:
        return
    # A sharper statement: a smaller upper bound, or a lower bound that is larger.
    sharper = [
        Measurement(m, bound * share if kind == "inequality" else bound / share, tolerance=t)
        for m, bound, t in rows
        if share
    ]
    refuted = any(violated(kind, m) for m in sharper)
    if 0 < share < limit * (1 - 1e-12):
        assert refuted
    if limit * (1 + 1e-12) < share < 1:
        assert not refuted


def test_what_cannot_be_divided_has_no_ratio():
    for m in (Measurement(-1, 1), Measurement(0, 0), Measurement(1, math.inf)):
        evidence = Evidence("inequality")
        assert evidence.add("a", [m]) is None
        assert evidence.ratio is None
    evidence = Evidence("inequality")
    assert evidence.add("a", [Measurement(1, 5e-324)]) is not None
    assert evidence.ratio == sys.float_info.max


def test_huge_numbers_are_told():
    huge = Fraction(10**5000, 3)
    verdict = quick(tiny(lambda i: Measurement(huge, Fraction(10**30 + 1, 10**30))))
    assert verdict.status == "refuted"
    assert verdict.reason == "instance #0: a huge number against the bound 1"
    assert verdict.counterexample["bound"] == f"{10**30 + 1}/{10**30}"
    assert verdict.counterexample["measured"].endswith("0/3")


def test_several_comparisons_of_one_instance():
    def check(i):
        return [Measurement(0, 1, what="first"), Measurement(2, 1, what="second")]

    verdict = quick(tiny(check))
    assert verdict.counterexample["what"] == "second"
    trivial = [Measurement(0, 1, trivial=0), Measurement(Fraction(1, 2), 1, trivial=2)]
    verdict = quick(tiny(lambda i: trivial))
    assert (verdict.informative, verdict.tightness) == (40, 0.5)


# --- random claims ------------------------------------------------------------------------


def coin(p, kind="high-probability", **fields):
    """Fails with probability p; its mutant almost always."""
    fields = {"delta": 0.2} | fields

    def check(share):
        return lambda i, stream: Measurement(int(stream.uniform() < share), 0.5)

    mutants = fields.pop("mutants", (Mutant("m", "fails", check=check(0.9)),))
    named = {"only": lambda: Instance()}
    return tiny(check(p), kind=kind, family=None, named=named, mutants=mutants, **fields)


def test_a_failure_probability_below_delta_is_confirmed():
    verdict = quick(coin(0.02))
    assert (verdict.status, verdict.arithmetic, verdict.coverage) == (
        "confirmed", "random", "named(1)",
    )  # fmt: skip
    assert (verdict.level, verdict.margin) == (LEVEL, 1.1)
    assert 70 <= verdict.trials <= 140
    assert "delta 0.2" in verdict.reason
    assert verdict.tightness is None, "no trial at the quantile has measured anything above 0"


def test_a_failure_probability_above_delta_is_refuted():
    verdict = quick(coin(0.6))
    assert verdict.status == "refuted"
    assert verdict.counterexample["instance"] == "only"
    assert verdict.counterexample["measured"] == 1
    assert "failures in" in verdict.reason


def test_a_failure_probability_near_delta_is_undecided():
    assert quick(coin(0.2)).status == "undecided"
    # A mutant that the budget does not settle makes the claim undecided, not toothless.
    near = Mutant("near", "fails a little", check=coin(0.25).check)
    verdict = quick(coin(0.02, mutants=(near,)))
    assert verdict.status == "undecided"
    assert verdict.reason.startswith("mutant near is undecided")


def test_delta_of_the_instance_and_errors_of_trials():
    assert quick(coin(0.02, delta=lambda i: 0.25)).status == "confirmed"
    verdict = quick(coin(0.02, delta=0.95))
    assert verdict.status == "error"
    assert "1.1 delta must be in (0, 1)" in verdict.reason
    broken = tiny(
        lambda i, stream: None, "high-probability", family=None, named={"a": Instance}, delta=0.1
    )
    assert quick(broken).reason.startswith("instance a: tiny: the check returned NoneType")


def mean(p, bound, **fields):
    def check(share):
        return lambda i, stream: Measurement(float(stream.uniform() < share), bound)

    return tiny(
        check(p),
        kind="expectation",
        family=None,
        named={"only": lambda: Instance()},
        mutants=(Mutant("m", "m", check=check(1.0)),),
        **({"range": lambda i: (0.0, 1.0)} | fields),
    )


WRONG_MEAN = Mutant("m", "m", check=lambda i, s: Measurement(0.9, 0.1))


def test_expectations():
    verdict = quick(mean(0.1, 0.5))
    assert (verdict.status, verdict.margin, verdict.level) == ("confirmed", 1.02, LEVEL)
    assert 0.1 < verdict.tightness < 0.4
    assert quick(mean(0.7, 0.5)).status == "refuted"
    assert quick(mean(0.5, 0.5)).status == "undecided"
    outside = quick(mean(0.5, 0.5, range=lambda i: (0.0, 0.5)))
    assert outside.status == "error"
    assert "outside the declared range" in outside.reason


def test_the_bound_of_an_expectation_is_one_number():
    claim = mean(0.1, 0.5)
    moving = replace(claim, check=lambda i, s: Measurement(0.0, 0.5 + s.uniform()))
    assert "changes with the trial" in quick(moving).reason


@pytest.mark.parametrize(
    ("claim", "fields"),
    [
        (lambda: coin(0.02), {"event": False}),
        (lambda: coin(0.02), {"trivial": 0.5}),
        (lambda: mean(0.1, 0.5), {"event": False}),
        (lambda: mean(0.1, 0.5), {"trivial": 0.5}),
    ],
)
def test_random_claims_are_vacuous_as_others_are(claim, fields):
    check = claim().check

    def empty(instance, stream):
        return replace(check(instance, stream), **fields)

    verdict = quick(replace(claim(), check=empty))
    assert (verdict.status, verdict.informative) == ("vacuous", 0), verdict.reason
    assert verdict.tightness is None


def test_a_random_claim_that_is_false_is_refuted_however_trivial_it_is_called():
    for claim in (coin(0.6), mean(0.7, 0.5)):
        check = claim.check
        beside = replace(claim, check=lambda i, s, c=check: replace(c(i, s), trivial=0.5))
        assert quick(beside).status == "refuted"


def test_the_top_of_its_range_says_nothing_of_a_mean():
    assert quick(replace(mean(0.2, 1.0), mutants=(WRONG_MEAN,))).status == "vacuous"
    moving = replace(mean(0.1, 0.5), check=lambda i, s: Measurement(0, 1, event=s.uniform() < 0.5))
    assert "the condition of an expectation changes with the trial" in quick(moving).reason


def test_trials_have_streams_of_their_own():
    claim, instance = coin(0.5), Instance()
    numbers = [trial(claim, instance, "only", 3, n).measured for n in range(64)]
    assert numbers == [trial(claim, instance, "only", 3, n).measured for n in range(64)]
    assert numbers != [trial(claim, instance, "only", 4, n).measured for n in range(64)]
    assert numbers != [trial(claim, instance, "other", 3, n).measured for n in range(64)]


# --- proofs -------------------------------------------------------------------------------


def provable(extra):
    """x^2 >= 0, with `extra` beside its negation."""

    def query():
        import z3

        x = z3.Real("x")
        return Query("1 number", [x * x < 0] if extra is None else [x * x < extra(x)])

    return query


def test_proofs_over_all_models_of_a_size():
    pytest.importorskip("z3", reason="the extra smt is not installed")
    false = Mutant("false", "x^2 > 1", smt=provable(lambda x: 1))
    verdict = quick(tiny(smt=provable(None), mutants=(WRONG, false)))
    assert verdict.status == "confirmed"
    assert verdict.coverage == "all models of 1 number (SMT), sampled(40)"
    assert [m.status for m in verdict.mutants] == ["refuted", "refuted"]
    assert verdict.mutants[1].reason.startswith("x = ")
    refuted = quick(tiny(smt=provable(lambda x: 1)))
    assert refuted.status == "refuted"
    assert refuted.counterexample["model"].startswith("x = ")
    true = Mutant("true", "x^2 >= 0 all the same", smt=provable(None))
    assert quick(tiny(mutants=(true,))).status == "toothless"


def test_without_z3_nothing_is_proved_and_nothing_else_changes(monkeypatch):
    monkeypatch.setitem(sys.modules, "z3", None)
    assert prove(raising(AssertionError)).status == "missing"
    mutant = Mutant("smt", "only by SMT", smt=provable(lambda x: 1))
    verdict = quick(tiny(smt=provable(None), mutants=(WRONG, mutant)))
    assert (verdict.status, verdict.coverage) == ("confirmed", "sampled(40)")
    assert [m.status for m in verdict.mutants] == ["refuted", "missing"]
    assert "rltheory[smt]" in verdict.mutants[1].reason


def test_queries_that_are_not_settled_or_broken(monkeypatch):
    monkeypatch.setattr(
        "rltheory.claims.verify.prove", lambda query: Proof("unknown", "1 number", "no answer")
    )
    mutant = Mutant("smt", "only by SMT", smt=provable(None))
    verdict = quick(tiny(smt=provable(None), mutants=(mutant,)))
    assert (verdict.status, verdict.coverage) == ("undecided", "sampled(40)")
    monkeypatch.setattr("rltheory.claims.verify.prove", lambda query: query())
    broken = quick(tiny(mutants=(Mutant("smt", "text", smt=raising(ValueError("bad query"))),)))
    assert broken.status == "error"
    assert broken.reason == "mutant smt: ValueError: bad query"
    assert quick(tiny(smt=raising(ValueError("bad query")))).status == "error"


def test_ctrl_c_during_a_proof_is_not_taken_for_an_answer(monkeypatch):
    z3 = pytest.importorskip("z3", reason="the extra smt is not installed")
    monkeypatch.setattr(z3.Solver, "check", lambda self: z3.unknown)
    monkeypatch.setattr(z3.Solver, "reason_unknown", lambda self: "interrupted from keyboard")
    with pytest.raises(KeyboardInterrupt):
        prove(provable(None))
    monkeypatch.setattr(z3.Solver, "reason_unknown", lambda self: "max. resource limit exceeded")
    assert prove(provable(None)).status == "unknown"


def test_a_proof_is_a_label_of_the_coverage():
    assert quick(tiny(proof="text")).coverage == "proof (in text), sampled(40)"
    assert quick(tiny(proof="symbols")).coverage == "proof (by symbols), sampled(40)"
    assert quick(tiny(measured(2), proof="text")).coverage == "sampled(1)"


# --- what is asked for --------------------------------------------------------------------


def test_ctrl_c_is_not_an_error_of_the_check():
    with pytest.raises(KeyboardInterrupt):
        quick(tiny(raising(KeyboardInterrupt())))


@pytest.mark.parametrize(
    ("claim", "options", "words"),
    [
        (tiny(), {"budget": "huge"}, "budget 'huge' is unknown; known are quick, standard, deep"),
        (3, {}, "verify takes a claim or its id, not int"),
        ("no-such-claim", {}, "'no-such-claim' is unknown"),
        ("missing.py", {}, "missing.py: there is no such file"),
    ],
)
def test_what_cannot_be_verified(claim, options, words):
    with pytest.raises(ClaimError) as error:
        verify(claim, **options)
    assert words in str(error.value)


def test_equal_runs_give_equal_records():
    claims = (tiny(), tiny(measured(2)), coin(0.02), mean(0.1, 0.5))
    for claim in claims:
        first = quick(claim, seed=5).record(timing=False)
        assert quick(claim, seed=5).record(timing=False) == first
        assert "seconds" not in first
        assert "seconds" in quick(claim).record()
    assert quick(claims[1], seed=5).counterexample != quick(claims[1], seed=6).counterexample


def test_the_instance_of_a_refuted_claim_is_stored_and_replays(tmp_path):
    claim = tiny(measured(2))
    verdict = quick(claim, store=tmp_path / "deep" / "store")
    path = verdict.counterexample["file"]
    (m,) = replay(claim, path)
    assert violated(claim.kind, m)
    assert not violated(claim.kind, replay(tiny(), path)[0])
    beside = json.loads(Path(path).with_suffix(".json").read_text())
    assert beside["claim"] == "tiny"
    assert beside["parameters"] == verdict.counterexample["parameters"]
    assert UNIT.instance(beside["parameters"]).x == load_instance(path).x
    names = {p.suffix for p in (tmp_path / "deep" / "store").iterdir()}
    assert names == {".npz", ".json"}


def test_named_counterexamples_are_stored_too(tmp_path):
    named = {"array": lambda: Instance(x=2, values=np.arange(3))}
    claim = tiny(lambda i: Measurement(i.x, 1), family=None, named=named)
    path = quick(claim, store=tmp_path).counterexample["file"]
    assert load_instance(path)["values"].tolist() == [0, 1, 2]


def test_nothing_is_stored_without_need(tmp_path):
    store = tmp_path / "store"
    quick(tiny(), store=store)
    quick(coin(0.6), store=store)
    assert not store.exists()
    unstorable = tiny(measured(2), family=Family(UNIT.space, lambda x, n: Instance(x=x, n=len)))
    verdict = quick(unstorable, store=store)
    assert "cannot store that" in verdict.counterexample["not_stored"]
    assert not store.exists()
    (tmp_path / "file").touch()
    verdict = quick(tiny(measured(2)), store=tmp_path / "file")
    assert verdict.status == "refuted"
    assert "not_stored" in verdict.counterexample


def test_what_cannot_be_replayed(tmp_path):
    path = quick(tiny(measured(2)), store=tmp_path).counterexample["file"]
    with pytest.raises(ClaimError, match="a single instance does not settle it"):
        replay(coin(0.1), path)
    with pytest.raises(ClaimError, match=r"npz: the check raised AttributeError: .* no 'mdp'"):
        replay(tiny(lambda i: i.mdp), path)
    with pytest.raises(ClaimError, match="there is no such file"):
        replay(tiny(), tmp_path / "none.npz")
    with pytest.raises(ClaimError, match="the instance: the check raised ZeroDivisionError"):
        replay(tiny(lambda i: 1 / 0), Instance(x=1))


def test_repr_says_how_far_it_may_be_trusted():
    assert repr(quick(tiny())) == (
        "Verdict(tiny: confirmed; exact, sampled(40); tightness 0.75; detection limit 0.75; "
        "1 of 1 mutants refuted)"
    )
    assert repr(quick(tiny(lambda i: 3))) == (
        "Verdict(tiny: error; 1 of 1 mutants refuted; instance #0: tiny: the check returned int "
        "3; it must return a Measurement or a list of them)"
    )
