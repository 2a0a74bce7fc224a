"""Verdicts: what verifying a claim found, and how far it may be trusted."""

from dataclasses import dataclass
from typing import Any

__all__ = ["STATUSES", "MutantVerdict", "Verdict"]

STATUSES = ("refuted", "error", "vacuous", "toothless", "undecided", "confirmed", "context")
"""In the order of precedence."""


@dataclass(frozen=True)
class MutantVerdict:
    """What became of one mutant; "refuted" is what it should be."""

    id: str
    text: str
    status: str
    reason: str = ""


@dataclass(frozen=True, repr=False)
class Verdict:
    """The outcome of verifying one claim.

    Parameters
    ----------
    id, title, kind, topic : str
    status : str
        One of `STATUSES`.
    reason : str
        Why the status is not "confirmed"; what was done when it is.
    arithmetic : str
        "exact", "certified" or "float(tol)".
    coverage : str
        What was looked at: proof, all instances of a size, named, sampled, searched.
    tightness : float or None
        Largest measured / bound over the instances.
    tightest : str
        The instance where it was found.
    detection_limit : float or None
        The largest c <= 1 such that every c' < c times the bound is refuted on the same instances.
    instances, informative : int
        Instances looked at, and those where the claim says something.
    level : float
        Probability that the verdict is wrong by chance; 0 where nothing is random. That of a rate
        is asymptotic in the number of trials: no bound with finitely many.
    margin : float
        Factor beyond the bound up to which a random claim is called confirmed; 1 otherwise.
    trials : int
        Random trials of all instances.
    seconds : float
    mutants : tuple of MutantVerdict
    counterexample : dict or None
        Of a refuted claim: instance, parameters, the two sides, and the file where it is stored.
    """

    id: str
    title: str
    kind: str
    topic: str
    status: str
    reason: str
    arithmetic: str = ""
    coverage: str = ""
    tightness: float | None = None
    tightest: str = ""
    detection_limit: float | None = None
    instances: int = 0
    informative: int = 0
    level: float = 0.0
    margin: float = 1.0
    trials: int = 0
    seconds: float = 0.0
    mutants: tuple[MutantVerdict, ...] = ()
    counterexample: dict[str, Any] | None = None

    def __repr__(self) -> str:
        parts = [f"Verdict({self.id}: {self.status}"]
        if self.arithmetic:
            parts.append(f"{self.arithmetic}, {self.coverage}")
        if self.tightness is not None:
            parts.append(f"tightness {self.tightness:.4g}")
        if self.detection_limit is not None:
            parts.append(f"detection limit {self.detection_limit:.4g}")
        if self.mutants:
            refuted = sum(m.status == "refuted" for m in self.mutants)
            parts.append(f"{refuted} of {len(self.mutants)} mutants refuted")
        if self.status != "confirmed":
            parts.append(self.reason)
        return "; ".join(parts) + ")"

    def record(self, timing: bool = True) -> dict[str, Any]:
        """The verdict as a JSON object; without `timing`, equal runs give equal objects."""
        out: dict[str, Any] = {
            "id": self.id,
            "topic": self.topic,
            "title": self.title,
            "kind": self.kind,
            "status": self.status,
            "reason": self.reason,
            "arithmetic": self.arithmetic,
            "coverage": self.coverage,
            "tightness": self.tightness,
            "tightest": self.tightest,
            "detection_limit": self.detection_limit,
            "instances": self.instances,
            "informative": self.informative,
            "level": self.level,
            "margin": self.margin,
            "trials": self.trials,
            "mutants": [
                {"id": m.id, "text": m.text, "status": m.status, "reason": m.reason}
                for m in self.mutants
            ],
        }
        if timing:
            out["seconds"] = round(self.seconds, 3)
        if self.counterexample is not None:
            out["counterexample"] = self.counterexample
        return out
