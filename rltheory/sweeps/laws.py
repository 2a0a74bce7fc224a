"""Laws of a sweep: how a measured value scales with one axis, the others held fixed.

A law is stated with the sweep, before anything has run: which value, along which axis, the exponent
that theory gives, and the factor (logarithms) that comes with it. What was measured is fitted apart
for each setting of the other axes: means by `rltheory.inference.rate.fit_rate`, and what is only
known to lie in brackets by `rltheory.inference.power_law.fit_power_law`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from rltheory.errors import ClaimError, SweepError
from rltheory.inference.power_law import PowerLaw, fit_power_law
from rltheory.inference.rate import RateFit, fit_rate
from rltheory.sweeps.group import Group, Values
from rltheory.sweeps.points import Point, canonical, point_order

__all__ = ["FittedLaw", "Law", "fit_laws"]


@dataclass(frozen=True)
class Law:
    """The value `y` scales like ``x^slope`` times a factor.

    Parameters
    ----------
    y : str
        A value that trials return.
    x : str
        An axis of the grid with positive numbers.
    slope : float, optional
        The exponent that is claimed (or the coefficient of log x, for a semi-logarithmic law);
        without one the fitted law is only reported.
    factor : callable, optional
        A known positive factor, of an array of x: divided out before the fit.
    kind : {"log-log", "semi-log"}
    censored : str, optional
        A value that trials return: whether the trial was stopped at y.
    confidence : float
        Of the interval.
    upper : bool
        Whether the claimed slope is an upper bound, with which smaller ones agree.
    at : mapping, optional
        Values of other axes: the law is about points that have these.
    low : str, optional
        A value that trials return: what they look for is only known to be above it and at most y
        (only above it, where they are censored), as a sample complexity that was bracketed.

    Examples
    --------
    >>> import rltheory as rlt
    >>> rlt.Law("regret", "episodes", slope=0.5)
    Law(y='regret', x='episodes', slope=0.5, factor=None, kind='log-log', censored=None,
    confidence=0.95, upper=False, at={}, low=None)
    """

    y: str
    x: str
    slope: float | None = None
    factor: Callable[[Any], Any] | None = None
    kind: str = "log-log"
    censored: str | None = None
    confidence: float = 0.95
    upper: bool = False
    at: Mapping[str, Any] = field(default_factory=dict)
    low: str | None = None

    def __post_init__(self) -> None:
        if self.kind not in ("log-log", "semi-log"):
            raise SweepError(
                f"the kind of a law is {self.kind!r}; it must be 'log-log' or 'semi-log'"
            )
        if not 0.0 < self.confidence < 1.0:
            raise SweepError(
                f"the confidence of a law is {self.confidence!r}; it must be in (0, 1)"
            )
        if self.low is not None and self.kind != "log-log":
            raise SweepError(f"a law of {self.y!r} from brackets is log-log, not {self.kind}")


@dataclass(frozen=True)
class FittedLaw:
    """A law at one setting of the other axes: its fit, or why there is none."""

    law: Law
    others: Point
    fit: RateFit | PowerLaw | None
    reason: str = ""

    @property
    def holds(self) -> bool | None:
        """Whether the claimed slope is in the interval (an upper bound: not below all of it).

        None without a claim or a fit.
        """
        if self.fit is None or self.law.slope is None:
            return None
        low, high = self.fit.interval
        return low <= self.law.slope and (self.law.upper or self.law.slope <= high)


def fit_laws(laws: tuple[Law, ...], groups: list[Group]) -> list[FittedLaw]:
    """Every law at every setting of the axes other than its own.

    Parameters
    ----------
    laws : tuple of Law
    groups : list of rltheory.sweeps.group.Group
    """
    return [fitted for law in laws for fitted in _fit_law(law, groups)]


def _fit_law(law: Law, groups: list[Group]) -> list[FittedLaw]:
    settings: dict[str, tuple[Point, list[Group]]] = {}
    for group in groups:
        if law.x not in group.point or not law.at.items() <= group.point.items():
            continue
        others = {name: value for name, value in group.point.items() if name != law.x}
        settings.setdefault(canonical(others), (others, []))[1].append(group)
    found = []
    for others, members in settings.values():
        try:
            found.append(FittedLaw(law, others, _fit(law, members)))
        except (SweepError, ClaimError) as fault:
            found.append(FittedLaw(law, others, None, str(fault)))
        except Exception as fault:  # of the factor, which is the user's: the trials are done
            told = f"the fit raised {type(fault).__name__}: {fault}"
            found.append(FittedLaw(law, others, None, told))
    return sorted(found, key=lambda fitted: point_order(fitted.others))


def _fit(law: Law, groups: list[Group]) -> RateFit | PowerLaw:
    x: list[float] = []
    trials, flags, lows = [], [], []
    for group in groups:
        at = group.point[law.x]
        if isinstance(at, bool) or not isinstance(at, int | float):
            raise SweepError(f"{law.x} is {at!r}; a law needs numbers along its axis")
        values = group.values()
        x.append(float(at))
        trials.append(_numbers(values, law.y, law.x, at))
        flags.append([bool(law.censored and row.get(law.censored, False)) for row in values])
        if law.low is not None:
            lows.append(_numbers(values, law.low, law.x, at))
    if law.low is not None:
        return _fit_brackets(law, x, lows, trials, flags)
    return fit_rate(
        np.array(x),
        trials,
        factor=law.factor,
        kind=law.kind,
        censored=flags if law.censored is not None else None,
        confidence=law.confidence,
    )


def _fit_brackets(
    law: Law,
    x: list[float],
    lows: list[list[float]],
    highs: list[list[float]],
    flags: list[list[bool]],
) -> PowerLaw:
    """The law of brackets, one a trial, their ends divided by the known factor."""
    points = np.repeat(x, [len(trials) for trials in highs])
    g = np.ones_like(points) if law.factor is None else np.asarray(law.factor(points))
    low, high = np.concatenate(lows) / g, np.concatenate(highs) / g
    high[np.concatenate(flags).astype(np.bool_)] = np.inf
    return fit_power_law(points, low, high, confidence=law.confidence)


def _numbers(values: list[Values], name: str, axis: str, at: float) -> list[float]:
    found = [row.get(name) for row in values]
    numbers = [float(value) for value in found if isinstance(value, int | float)]
    if len(numbers) < len(found):
        raise SweepError(f"trials at {axis} = {at} returned no number {name!r}")
    return numbers
