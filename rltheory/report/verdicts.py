"""Verdicts in words: what every report of a run of ``rltheory verify`` shares.

A number between 0 and 1 is rounded towards 0 here, one above 1 away from it: nothing that is
printed looks tighter, or closer to the bound, than it was measured to be.
"""

import json
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_CEILING, ROUND_FLOOR, Context
from typing import Any

from rltheory.claims.claim import Claim
from rltheory.claims.verdict import STATUSES, MutantVerdict, Verdict

__all__ = ["ARITHMETIC", "COLUMNS", "COVERAGE", "NUMBERS", "STATUS", "Run", "as_json", "cells"]

STATUS = {
    "confirmed": "held wherever it was looked at, and every mutant was refuted",
    "refuted": "fails on an instance, by more than the rounding errors of both sides",
    "error": "the claim, its family or its check failed: nothing is known",
    "vacuous": "no instance says anything: the bound is trivial, or its condition never holds",
    "toothless": "a mutant passes as well, so the check would not notice a wrong claim",
    "undecided": "what was looked at does not suffice for a verdict",
    "context": "documentation: nothing is tested",
}
"""What each status says."""

ARITHMETIC = {
    "exact": "both sides are integers or fractions",
    "certified": "doubles, with a proved bound of the rounding errors of both sides",
    "float(t)": "doubles, with rounding errors estimated to be at most t",
    "random": "trials, with a test whose probability of a wrong verdict is stated",
}
"""What each label of the arithmetic says."""

COVERAGE = {
    "proof": "the whole statement is proved, in text or by symbols",
    "all models of a size (SMT)": "proved for all models of that size by an SMT solver",
    "named(n)": "n instances chosen by hand, among them those that attain the bound",
    "sampled(n)": "n instances drawn from a family",
}
"""What each label of the coverage says."""

MEASURES = {
    "tightness": "the largest measured / bound over all instances: 1 where the bound is attained",
    "detection limit": "every bound smaller than this share of the stated one is refuted by the "
    "same instances: how sharp the test was",
    "mutant": "the claim with one thing made wrong, which the same check must refute",
    "error level": "the probability that chance alone makes a verdict wrong, asymptotic for rates; "
    "0 without trials",
}
"""What the numbers of a verdict say."""

COLUMNS = (
    "claim",
    "status",
    "arithmetic",
    "coverage",
    "tightness",
    "detection limit",
    "mutants refuted",
    "seconds",
)
"""The verdict table."""
NUMBERS = ("tightness", "detection limit", "mutants refuted", "seconds")
"""Its columns that are numbers."""


@dataclass(frozen=True)
class Run:
    """What was asked for.

    Parameters
    ----------
    budget : str
    seed : int
    claims : mapping of str to Claim
        What was to be verified, by id; statements and sources are taken from here.
    version : str
        Of rltheory.
    date : str
        As it is to be printed; equal runs give equal reports without it.
    """

    budget: str = ""
    seed: int = 0
    claims: Mapping[str, Claim] = field(default_factory=dict)
    version: str = ""
    date: str = ""

    def partial(self, verdicts: Sequence[Verdict]) -> str:
        """That the run was interrupted; empty if every claim has its verdict."""
        missing = len(self.claims.keys() - {verdict.id for verdict in verdicts})
        if not missing:
            return ""
        return (
            f"partial: interrupted after {len(verdicts)} of {len(verdicts) + missing} claims; "
            "the others have no verdict"
        )

    def settings(self) -> list[str]:
        """Version, budget, seed, date."""
        parts = [f"rltheory {self.version}"] if self.version else []
        if self.budget:
            parts += [f"budget {self.budget}", f"seed {self.seed}"]
        return [*parts, *([self.date] if self.date else [])]


def cells(verdict: Verdict) -> tuple[str, ...]:
    """One row of the table, in the order of `COLUMNS`."""
    return (
        verdict.id,
        verdict.status,
        verdict.arithmetic,
        verdict.coverage,
        share(verdict.tightness),
        share(verdict.detection_limit),
        mutants(verdict),
        f"{verdict.seconds:.2f}",
    )


def share(x: float | None) -> str:
    """A ratio of measured and bound; empty without one.

    Examples
    --------
    >>> share(1.0), share(0.999999), share(1.0000001), share(0.333333), share(None)
    ('1', '0.9999', '1.001', '0.3333', '')
    """
    if x is None:
        return ""
    if not math.isfinite(x):
        return f"{x:g}"
    rounding = ROUND_FLOOR if x <= 1 else ROUND_CEILING
    return f"{float(Context(prec=4, rounding=rounding).create_decimal(repr(float(x)))):.4g}"


def mutants(verdict: Verdict) -> str:
    """How many mutants were refuted, "2/2", and how many were not run."""
    if not verdict.mutants:
        return ""
    refuted = sum(mutant.status == "refuted" for mutant in verdict.mutants)
    missing = sum(mutant.status == "missing" for mutant in verdict.mutants)
    return f"{refuted}/{len(verdict.mutants)}" + (f" ({missing} not run)" if missing else "")


def counts(verdicts: Sequence[Verdict]) -> str:
    """How many verdicts have each status, those that matter first.

    Examples
    --------
    >>> counts([])
    'no verdict'
    """
    found = Counter(verdict.status for verdict in verdicts)
    order = ("confirmed", *(status for status in STATUSES if status != "confirmed"))
    return ", ".join(f"{found[s]} {s}" for s in order if found[s]) or "no verdict"


def levels(verdicts: Sequence[Verdict]) -> str:
    """The sum of the error levels, in a sentence; those of rates are no bounds, and left out."""
    rates = sum(verdict.kind == "rate" and verdict.level > 0 for verdict in verdicts)
    beside = f"; those of {rates} rate claim{'s' * (rates > 1)} are asymptotic and not in it"
    beside = beside if rates else ""
    random = [verdict for verdict in verdicts if verdict.level and verdict.kind != "rate"]
    if not random:
        return f"error levels sum to 0{beside or ': no verdict depends on chance'}"
    total = math.fsum(verdict.level for verdict in random)
    which = "1 random claim" if len(random) == 1 else f"{len(random)} random claims"
    return (
        f"error levels sum to {total:.2g}, a bound of the probability that chance misjudged "
        f"{which}{beside}"
    )


def sentence(verdict: Verdict) -> str:
    """Why the status is what it is; for a refutation its counterexample."""
    if verdict.status != "refuted" or verdict.counterexample is None:
        return f"{verdict.id} is {verdict.status}: {shortened(verdict.reason)}"
    return f"{verdict.id} is refuted by {counterexample(verdict)}"


def facts(verdict: Verdict) -> dict[str, str]:
    """What is known about a claim beside its statement, its counterexample and its mutants."""
    found = {}
    if verdict.status not in ("confirmed", "refuted") or verdict.level:
        found["outcome"] = shortened(verdict.reason)
    if verdict.coverage:
        labels = filter(None, (verdict.arithmetic, verdict.coverage))
        found["evidence"] = f"{'; '.join(labels)}"
        if verdict.informative < verdict.instances:
            found["evidence"] += f"; {verdict.informative} of {verdict.instances} say something"
    if verdict.tightness is not None:
        found["tightness"] = f"{share(verdict.tightness)} on instance {verdict.tightest}"
    if verdict.detection_limit is not None:
        found["detection limit"] = share(verdict.detection_limit)
    if verdict.level:
        found["chance"] = f"{verdict.trials} trials, error level {verdict.level:.0e}"
        found["chance"] += " (asymptotic)" if verdict.kind == "rate" else ""
        if verdict.margin != 1:
            found["chance"] += f", confirmed up to {verdict.margin:g} times the bound"
    return found


def counterexample(verdict: Verdict) -> str:
    """The counterexample of a refuted claim in words."""
    found = verdict.counterexample or {}
    if "model" in found:
        return f"a model that {found['instance']} found: {shortened(str(found['model']))}"
    words = verdict.reason or f"instance {found.get('instance')}"
    if found.get("parameters"):
        words += f"; parameters {shortened(parameters(found['parameters']))}"
    if "file" in found:
        words += f"; stored in {found['file']}"
    if "not_stored" in found:
        words += f"; not stored: {found['not_stored']}"
    return words


def parameters(values: Mapping[str, Any]) -> str:
    """Parameters of an instance on one line.

    Examples
    --------
    >>> parameters({"states": 2, "weights": [0, 1]})
    'states=2, weights=[0, 1]'
    """
    return ", ".join(f"{name}={value}" for name, value in values.items())


def fate(mutant: MutantVerdict) -> str:
    """What became of a mutant."""
    if mutant.status == "missing":
        return f"not run: {mutant.reason}"
    return f"{mutant.status}: {shortened(mutant.reason)}" if mutant.reason else mutant.status


def shortened(text: str, most: int = 400) -> str:
    """The text without its middle where it is long: both the beginning and the end say why.

    Examples
    --------
    >>> shortened("a" * 100, 20)
    'aaaaaaaa ... aaaaaaa'
    """
    if len(text) <= most:
        return text
    kept = most - 5
    return f"{text[: kept - kept // 2]} ... {text[len(text) - kept // 2 :]}"


def as_json(verdicts: Sequence[Verdict], timing: bool = True) -> str:
    """The records as a JSON array, one claim a line; what is not finite is a text."""
    lines = [
        json.dumps(_plain(verdict.record(timing)), allow_nan=False, ensure_ascii=False)
        for verdict in verdicts
    ]
    return "[\n" + ",\n".join(lines) + "\n]\n" if lines else "[]\n"


def _plain(x: Any) -> Any:
    if isinstance(x, Mapping):
        return {str(key): _plain(value) for key, value in x.items()}
    if isinstance(x, list | tuple):
        return [_plain(value) for value in x]
    if x is None or isinstance(x, bool | int | str):
        return x
    return x if isinstance(x, float) and math.isfinite(x) else str(x)
