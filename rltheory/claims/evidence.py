"""What measurements on many instances add up to: status, tightness, detection limit, labels."""

import math
import sys
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from rltheory.claims.claim import Claim, Measurement
from rltheory.errors import ClaimError

__all__ = ["FEWEST_INFORMATIVE", "Evidence", "is_informative", "measurements", "violated"]

FEWEST_INFORMATIVE = 20
"""Informative instances that a confirmation needs, unless all instances are named ones."""


def measurements(claim: Claim, result: Any) -> list[Measurement]:
    """What a check returned, as a list; anything else than measurements is an error."""
    found = list(result) if isinstance(result, list | tuple) else [result]
    if not found or not all(isinstance(m, Measurement) for m in found):
        raise ClaimError(
            f"{claim.id}: the check returned {type(result).__name__} {result!r:.80}; "
            "it must return a Measurement or a list of them"
        )
    return found


def violated(kind: str, m: Measurement) -> bool:
    """Whether the comparison fails beyond the tolerance, the condition of the claim given."""
    if not m.event:
        return False
    excess = _excess(kind, m)
    return excess > m.tolerance


def is_informative(kind: str, m: Measurement) -> bool:
    """Whether the comparison says something: its condition holds, its bound is not trivial."""
    if not m.event:
        return False
    if kind == "lower-bound":
        return m.bound > (-math.inf if m.trivial is None else m.trivial)
    if m.trivial is None:
        # Infinity is above everything, but a side that an identity or a decision may have to meet.
        return m.bound < math.inf or kind in ("identity", "decision")
    return m.bound < m.trivial


def _excess(kind: str, m: Measurement) -> Any:
    """By how much the claim fails; exact where both sides are, and never NaN."""
    measured, bound = m.measured, m.bound
    if measured == bound:
        return 0
    if any(isinstance(x, float) and math.isinf(x) for x in (measured, bound)):
        above = measured > bound
        if kind in ("identity", "decision"):
            return math.inf
        return math.inf if above != (kind == "lower-bound") else -math.inf
    if kind in ("identity", "decision"):
        return abs(_exact(measured) - _exact(bound))
    difference = _exact(measured) - _exact(bound)
    return -difference if kind == "lower-bound" else difference


def _exact(x: Any) -> Fraction:
    return Fraction(x)


def _float(x: Fraction) -> float:
    """The nearest double, or the largest where it would be infinite."""
    try:
        return float(x)
    except OverflowError:
        return sys.float_info.max if x > 0 else -sys.float_info.max


@dataclass
class Evidence:
    """Collects the measurements of the instances of one claim."""

    kind: str
    instances: int = 0
    informative: int = 0
    ratio: float | None = None
    tightest: str = ""
    detection: float | None = None
    tolerance: float = 0.0
    exact: bool = True
    certified: bool = True

    def add(self, label: str, found: list[Measurement]) -> Measurement | None:
        """Count an instance; returns its first violated measurement."""
        self.instances += 1
        self.informative += any(is_informative(self.kind, m) for m in found)
        for m in found:
            if m.arithmetic != "exact":
                self.exact = False
                self.certified = self.certified and m.certified
                self.tolerance = max(self.tolerance, float(m.tolerance))
            if m.event:
                self._measure(label, m)
        return next((m for m in found if violated(self.kind, m)), None)

    def _measure(self, label: str, m: Measurement) -> None:
        if self.kind in ("identity", "decision") or not is_informative(self.kind, m):
            return
        top, bottom = m.measured, m.bound
        if self.kind == "lower-bound":
            top, bottom = bottom, top
        if not (0 < bottom < math.inf and 0 <= top < math.inf):
            return
        ratio = _float(_exact(top) / _exact(bottom))
        if self.ratio is None or ratio > self.ratio:
            self.ratio, self.tightest = ratio, label
        # A bound sharper by the factor c is refuted where it is violated beyond the tolerance.
        if self.kind == "lower-bound":
            sure = _exact(top) / (_exact(bottom) + _exact(m.tolerance))
        else:
            sure = (_exact(top) - _exact(m.tolerance)) / _exact(bottom)
        self.detection = max(self.detection or 0.0, min(1.0, _float(sure)))

    @property
    def arithmetic(self) -> str:
        """'exact', 'certified' or 'float(largest tolerance)'."""
        if self.exact:
            return "exact"
        return "certified" if self.certified else f"float({self.tolerance:.1g})"

    def is_enough(self, only_named: bool) -> bool:
        """Whether a claim that held everywhere may be called confirmed."""
        if only_named:
            return self.informative > 0
        return self.informative >= FEWEST_INFORMATIVE
