"""Put claims to the test: every instance, every mutant, one verdict.

The verdict of a claim depends on (claim, budget, seed) alone, whatever else runs and however many
processes share the work. Named instances come first, then the family's, numbered from 0.
"""

import json
import os
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

from rltheory.claims import counterexamples
from rltheory.claims.claim import Claim, Measurement
from rltheory.claims.evidence import FEWEST_INFORMATIVE, Evidence, measurements
from rltheory.claims.family import Instance, as_instance
from rltheory.claims.rates import run_rate
from rltheory.claims.registry import find_one
from rltheory.claims.smt import prove
from rltheory.claims.trials import MARGIN_EXPECTATION, MARGIN_PROBABILITY, run_trials
from rltheory.claims.verdict import STATUSES, MutantVerdict, Verdict
from rltheory.errors import ClaimError

__all__ = ["BUDGETS", "replay", "verify", "verify_many"]

BUDGETS = {"quick": 40, "standard": 200, "deep": 2000}
"""Instances of a family that are looked at."""
RANDOM_INSTANCES = {"quick": 2, "standard": 4, "deep": 12}
"""Instances of a family on which random claims are tried."""
LEVEL = 1e-6
"""Probability of a wrong verdict by chance, for each random claim."""


def verify(
    claim: Claim | str,
    *,
    budget: str = "standard",
    seed: int = 0,
    store: str | Path | None = None,
) -> Verdict:
    """Put one claim and its mutants to the test.

    Parameters
    ----------
    claim : Claim or str
        A claim, the id of a registered one, or ``FILE.py`` or ``FILE.py:ID``.
    budget : {"quick", "standard", "deep"}
        40, 200 or 2,000 instances of the family, and as many random trials as that is worth.
    seed : int
    store : path, optional
        Folder in which the instance of a refuted claim is stored; nothing is written without it.

    Returns
    -------
    Verdict

    Raises
    ------
    ClaimError
        If the claim, or the budget, is unknown, or a word names several claims.

    Examples
    --------
    >>> import rltheory as rlt
    >>> rlt.verify("plan-residual-loss", budget="quick").status
    'confirmed'
    """
    if budget not in BUDGETS:
        raise ClaimError(f"budget {budget!r} is unknown; known are {', '.join(BUDGETS)}")
    if isinstance(claim, str):
        claim = find_one(claim)
    if not isinstance(claim, Claim):
        raise ClaimError(f"verify takes a claim or its id, not {type(claim).__name__}")
    begin = time.perf_counter()
    verdict = _judged(claim, budget, seed)
    if claim.kind != "context":
        mutants = tuple(_mutant(claim, mutant.id, budget, seed) for mutant in claim.mutants)
        verdict = _with_mutants(verdict, mutants)
    if store is not None and verdict.status == "refuted":
        verdict = _stored(claim, verdict, Path(store))
    return replace(verdict, seconds=time.perf_counter() - begin)


def verify_many(
    claims: Iterable[Claim | str],
    *,
    budget: str = "standard",
    seed: int = 0,
    jobs: int = 1,
    store: str | Path | None = None,
    progress: Callable[[Verdict], None] | None = None,
) -> list[Verdict]:
    """Put several claims to the test, in up to `jobs` processes.

    Parameters
    ----------
    claims : iterable of Claim or str
        As in `verify`; a script stands for all its claims. Claim objects run in this process.
    jobs : int
        At least 1. Verdicts do not depend on it.
    progress : callable, optional
        Called with each verdict as it is reached.

    Returns
    -------
    list of Verdict
        Sorted by id, each claim once.
    """
    from rltheory.claims.pool import choose, run_pool

    return run_pool(choose(claims), budget, seed, jobs, store, progress)


def replay(claim: Claim | str, instance: Instance | str | Path) -> list[Measurement]:
    """Measure a claim again on a stored instance.

    Parameters
    ----------
    claim : Claim or str
    instance : Instance, or the path of a stored one

    Returns
    -------
    list of Measurement
        Whether they violate the claim is what `rltheory.claims.evidence.violated` says.

    Raises
    ------
    ClaimError
        If the claim is unknown or random, the file is not a stored instance, or the claim cannot
        be measured on it.
    """
    if isinstance(claim, str):
        claim = find_one(claim)
    if claim.is_random or claim.kind == "context":
        raise ClaimError(f"{claim.id} is {claim.kind}; a single instance does not settle it")
    where = "the instance" if isinstance(instance, Instance) else str(instance)
    if not isinstance(instance, Instance):
        instance = counterexamples.load_instance(instance)
    return _checked(claim, where, instance)


def instances(claim: Claim, count: int, seed: int) -> Iterator[tuple[str, Any, Instance]]:
    """(label, parameters or None, instance) of the named instances and of `count` others."""
    for name, make in claim.named.items():
        try:
            yield name, None, as_instance(make())
        except Exception as fault:
            raise ClaimError(f"instance {name}: {_told(fault)}") from fault
    if claim.family is not None:
        for index in range(count):
            parameters = claim.family.sample(claim.id.split("/")[0], seed, index)
            yield f"#{index}", parameters, claim.family.instance(parameters)


def _judged(claim: Claim, budget: str, seed: int) -> Verdict:
    """The verdict on the claim itself, mutants apart."""
    blank = Verdict(claim.id, claim.title, claim.kind, claim.topic, "error", "")
    if claim.kind == "context":
        return replace(blank, status="context", reason="documentation: nothing is tested")
    try:
        verdict = (_random if claim.is_random else _deterministic)(claim, budget, seed, blank)
        return _with_proofs(claim, verdict)
    except (Exception, SystemExit) as fault:
        return replace(blank, reason=_told(fault))


def _deterministic(claim: Claim, budget: str, seed: int, blank: Verdict) -> Verdict:
    evidence = Evidence(claim.kind)
    for label, parameters, instance in instances(claim, BUDGETS[budget], seed):
        worst = evidence.add(label, _checked(claim, f"instance {label}", instance))
        if worst is not None:
            return _refuted(_filled(claim, blank, evidence), label, parameters, worst)
    verdict = _filled(claim, blank, evidence)
    if not evidence.informative:
        reason = "no instance says anything: every bound is trivial, or its condition never holds"
        return replace(verdict, status="vacuous", reason=reason)
    if not evidence.is_enough(claim.family is None):
        reason = f"{evidence.informative} informative instances; {FEWEST_INFORMATIVE} are needed"
        return replace(verdict, status="undecided", reason=reason)
    return replace(verdict, status="confirmed", reason=f"held on {verdict.coverage}")


def _random(claim: Claim, budget: str, seed: int, blank: Verdict) -> Verdict:
    chosen = list(instances(claim, RANDOM_INSTANCES[budget], seed))
    level = LEVEL / len(chosen)
    run = run_rate if claim.kind == "rate" else run_trials
    margin = 1.0 if claim.kind == "rate" else 1.0 + MARGIN_EXPECTATION
    if claim.delta is not None:
        margin = MARGIN_PROBABILITY
    named = sum(parameters is None for _, parameters, _ in chosen)
    verdict = replace(
        blank,
        arithmetic="random",
        coverage=_coverage(named, len(chosen) - named),
        level=LEVEL,
        margin=margin,
    )
    reasons, status = [], "confirmed"
    for label, parameters, instance in chosen:
        with _at(f"instance {label}"):
            outcome = run(claim, instance, label, seed, budget, level)
        verdict = replace(
            verdict,
            trials=verdict.trials + outcome.trials,
            instances=verdict.instances + 1,
            informative=verdict.informative + (outcome.status != "vacuous"),
        )
        if outcome.ratio is not None and outcome.ratio > (verdict.tightness or 0.0):
            verdict = replace(verdict, tightness=outcome.ratio, tightest=label)
        if outcome.status == "refuted":
            assert outcome.measurement is not None
            refuted = _refuted(verdict, label, parameters, outcome.measurement)
            return replace(refuted, reason=f"{label}: {outcome.reason}")
        if STATUSES.index(outcome.status) < STATUSES.index(status):
            status = outcome.status
        reasons.append(f"{label}: {outcome.reason}")
    return replace(verdict, status=status, reason="; ".join(reasons))


def _checked(claim: Claim, where: str, instance: Instance) -> list[Measurement]:
    """What the check returns."""
    with _at(where):
        return measurements(claim, claim.check(instance))


@contextmanager
def _at(where: str) -> Iterator[None]:
    """Say in an error where it happened."""
    try:
        yield
    except ClaimError as fault:
        raise ClaimError(f"{where}: {fault}") from fault
    except (Exception, SystemExit) as fault:
        raise ClaimError(f"{where}: the check raised {_told(fault)}") from fault


def _refuted(verdict: Verdict, label: str, parameters: Any, worst: Measurement) -> Verdict:
    what = f"{worst.what}: " if worst.what else ""
    sides = f"{_short(worst.measured)} against the bound {_short(worst.bound)}"
    counterexample = {
        "instance": label,
        "parameters": parameters,
        "what": worst.what,
        "measured": _number(worst.measured),
        "bound": _number(worst.bound),
        "tolerance": _number(worst.tolerance),
    }
    return replace(
        verdict,
        status="refuted",
        reason=f"instance {label}: {what}{sides}",
        counterexample=counterexample,
    )


def _filled(claim: Claim, blank: Verdict, evidence: Evidence) -> Verdict:
    named = min(len(claim.named), evidence.instances)
    return replace(
        blank,
        arithmetic=evidence.arithmetic,
        coverage=_coverage(named, evidence.instances - named),
        tightness=evidence.ratio,
        tightest=evidence.tightest,
        detection_limit=evidence.detection,
        instances=evidence.instances,
        informative=evidence.informative,
    )


def _coverage(named: int, sampled: int) -> str:
    parts = [f"named({named})"] if named else []
    parts += [f"sampled({sampled})"] if sampled else []
    return ", ".join(parts)


def _with_proofs(claim: Claim, verdict: Verdict) -> Verdict:
    """Adds to the coverage what is proved, and refutes by a model that satisfies the negation."""
    if verdict.status not in ("confirmed", "vacuous", "undecided"):
        return verdict
    parts = [verdict.coverage] if verdict.coverage else []
    if claim.smt is not None:
        outcome = prove(claim.smt)
        if outcome.status == "refuted":
            return replace(
                verdict,
                status="refuted",
                reason=f"SMT over {outcome.size}: {outcome.model}",
                counterexample={"instance": f"SMT over {outcome.size}", "model": outcome.model},
            )
        if outcome.status == "proved":
            parts.insert(0, f"all models of {outcome.size} (SMT)")
    if claim.proof:
        parts.insert(0, f"proof ({'in text' if claim.proof == 'text' else 'by symbols'})")
    return replace(verdict, coverage=", ".join(parts))


def _mutant(claim: Claim, mutant_id: str, budget: str, seed: int) -> MutantVerdict:
    mutant = next(m for m in claim.mutants if m.id == mutant_id)
    mutated = replace(mutant.of(claim), proof="")
    if mutant.smt is not None and mutant.check is None:
        try:
            outcome = prove(mutant.smt)
        except Exception as fault:
            return MutantVerdict(mutant.id, mutant.text, "error", _told(fault))
        status = "undecided" if outcome.status == "unknown" else outcome.status
        return MutantVerdict(mutant.id, mutant.text, status, outcome.model or outcome.size)
    verdict = _judged(mutated, budget, seed)
    return MutantVerdict(mutant.id, mutant.text, verdict.status, verdict.reason)


def _with_mutants(verdict: Verdict, mutants: tuple[MutantVerdict, ...]) -> Verdict:
    """The status after looking at the mutants: toothless where one survives."""
    verdict = replace(verdict, mutants=mutants)
    worse: list[tuple[str, str]] = []
    for mutant in mutants:
        if mutant.status == "error":
            worse.append(("error", f"mutant {mutant.id}: {mutant.reason}"))
        elif mutant.status == "undecided":
            worse.append(("undecided", f"mutant {mutant.id} is undecided: {mutant.reason}"))
        elif mutant.status == "missing":
            continue
        elif mutant.status != "refuted":
            worse.append(("toothless", f"mutant {mutant.id} ({mutant.text}) is not refuted"))
    for status, reason in worse:
        if STATUSES.index(status) < STATUSES.index(verdict.status):
            verdict = replace(verdict, status=status, reason=reason)
    return verdict


def _stored(claim: Claim, verdict: Verdict, folder: Path) -> Verdict:
    """The verdict with the file in which its counterexample was stored."""
    found = verdict.counterexample
    if found is None or claim.is_random or "model" in found:
        return verdict
    if found["parameters"] is None:
        instance = as_instance(claim.named[found["instance"]]())
    else:
        assert claim.family is not None
        instance = claim.family.instance(found["parameters"])
    try:
        path = folder / counterexamples.name_of(claim.id, instance)
        folder.mkdir(parents=True, exist_ok=True)
        new = path.with_name(f".{os.getpid()}.{path.name}")
        try:
            counterexamples.save_instance(instance, new)
            os.replace(new, path)
        finally:
            new.unlink(missing_ok=True)
        text = json.dumps({"claim": claim.id, **found}, indent=1, default=str)
        path.with_suffix(".json").write_text(text + "\n", encoding="utf-8")
    except (OSError, ValueError) as fault:  # ClaimError is a ValueError
        return replace(verdict, counterexample=found | {"not_stored": _one_line(fault)})
    return replace(verdict, counterexample=found | {"file": str(path)})


def _number(x: Any) -> Any:
    """As JSON: a fraction as a text, and so what is infinite or a very long integer."""
    if isinstance(x, bool):
        return x
    if isinstance(x, int | Fraction):
        # Through Decimal: Python refuses to print integers of more than 4,300 digits.
        top = x.numerator if abs(x.numerator) < 2**53 else str(Decimal(x.numerator))
        return top if x.denominator == 1 else f"{top}/{Decimal(x.denominator)}"
    return x if abs(x) < float("inf") else str(x)


def _short(x: Any) -> str:
    """For a sentence: exact where that is short."""
    text = str(_number(x))
    if len(text) <= 24:
        return text
    try:
        return f"{float(x):.6g}"
    except OverflowError:
        return f"{text[0]}.{text[1:6]}e{len(text) - 1}" if text.isdigit() else "a huge number"


def _told(fault: BaseException) -> str:
    """What was raised, in one line; the words alone where rltheory raised it."""
    if isinstance(fault, ClaimError):
        return _one_line(fault)
    return f"{type(fault).__name__}: {_one_line(fault)}"


def _one_line(fault: BaseException) -> str:
    return " ".join(str(fault).split()) or type(fault).__name__
