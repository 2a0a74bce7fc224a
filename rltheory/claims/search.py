"""Search a family for the instance on which a claim is tightest.

Random restarts, then local moves that keep what is at least as tight. The best instance is
measured once more when the search is over; a violation ends it at once: that is a refutation.
"""

from dataclasses import dataclass
from typing import Any

from rltheory.claims.claim import Claim
from rltheory.claims.evidence import Evidence, measurements
from rltheory.claims.family import Instance
from rltheory.claims.registry import find_one
from rltheory.errors import ClaimError
from rltheory.mdp.streams import Stream

__all__ = ["Tightest", "search_tightest"]


@dataclass(frozen=True)
class Tightest:
    """The tightest instance that a search found.

    Parameters
    ----------
    ratio : float
        measured / bound there; above 1 the claim is refuted.
    parameters : dict
    instance : Instance
    refuted : bool
    looked_at : int
        Instances.
    """

    ratio: float
    parameters: dict[str, Any]
    instance: Instance
    refuted: bool
    looked_at: int

    def __repr__(self) -> str:
        what = "refutes the claim" if self.refuted else f"of the bound, among {self.looked_at}"
        return f"Tightest({self.ratio:.6g} {what}: {self.parameters})"


def search_tightest(
    claim: Claim | str, *, starts: int = 20, moves: int = 200, seed: int = 0
) -> Tightest:
    """Look for the instance of a claim's family with the largest measured / bound.

    Parameters
    ----------
    claim : Claim or str
        Deterministic, with a family.
    starts : int
        Random instances from which a search starts.
    moves : int
        Changes tried from each of them.
    seed : int

    Returns
    -------
    Tightest

    Examples
    --------
    >>> import rltheory as rlt
    >>> rlt.search_tightest("plan-residual-loss", starts=2, moves=20).refuted
    False
    """
    if isinstance(claim, str):
        claim = find_one(claim)
    if claim.family is None or claim.is_random:
        raise ClaimError(f"{claim.id} cannot be searched; that needs a family and no randomness")
    if starts < 1 or moves < 0:
        raise ClaimError(f"starts is {starts}, moves {moves}; at least 1 and 0 are needed")
    family, stream = claim.family, Stream(seed, f"claims.search.{claim.id}")
    best: tuple[float, dict[str, Any]] | None = None
    looked_at = 0

    def measured(parameters: dict[str, Any]) -> tuple[float, bool]:
        nonlocal looked_at
        looked_at += 1
        evidence = Evidence(claim.kind)
        instance = family.instance(parameters)
        refuted = evidence.add("", measurements(claim, claim.check(instance))) is not None
        return (-1.0 if evidence.ratio is None else evidence.ratio), refuted

    for start in range(starts):
        here = family.sample(f"search.{claim.id}", seed, start)
        ratio, refuted = measured(here)
        for _ in range(moves):
            if refuted:
                break
            there = family.move(here, stream)
            moved, refuted = measured(there)
            if moved >= ratio or refuted:
                here, ratio = there, moved
        if refuted:
            return Tightest(ratio, here, family.instance(here), True, looked_at)
        if best is None or ratio > best[0]:
            best = (ratio, here)
    assert best is not None
    ratio, refuted = measured(best[1])
    return Tightest(ratio, best[1], family.instance(best[1]), refuted, looked_at)
