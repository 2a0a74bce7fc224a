"""What a sweep wants, given what it has: for sweeps that look at their trials before they go on.

Two rules, alone or together. `Stop` ends a point once a confidence sequence of a mean is narrow
enough; `Refine` adds points to the axis of a law where the fitted law is least certain. Both go on
in rounds: a round begins when all trials of the one before are there, and what it wants is a
function of their results alone. So the trials of a sweep do not depend on who ran them, in which
order, or how often the run was killed.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from rltheory.errors import ClaimError, SweepError
from rltheory.inference.betting import BettingInterval
from rltheory.inference.rate import RateFit
from rltheory.sweeps.group import Group
from rltheory.sweeps.laws import FittedLaw, Law, fit_laws
from rltheory.sweeps.points import Point, canonical

__all__ = ["Known", "Looked", "Refine", "Stop", "Wanted", "wanted"]

Results = Mapping[int, str | None]  # of the trials of a point: their JSON, None where one failed
Known = Callable[[str], Results]
Looked = dict[str, tuple[BettingInterval, int]]  # a point's bounds, after its first trials

_QUANTILE = 2.0
_MEANS = 1000  # that a confidence sequence tells apart, at least; and at most:
_MOST_MEANS = 50_000


@dataclass(frozen=True)
class Stop:
    """End a point once the mean of a value is known well enough.

    After every batch the mean is bounded by a betting confidence sequence, which holds at all
    times, so that looking often costs nothing: with probability at least `confidence` the mean of a
    point is within the bounds at the time it stops.

    Parameters
    ----------
    y : str
        A value that trials return.
    range : (float, float)
        Where it lies surely; a trial outside is an error.
    within : float
        Half of the bounds' width that is narrow enough; a share of their middle if `relative`.
        Above 0, and at least 1/10,000 of the range if not.
    relative : bool
    confidence : float
        In (0, 1), for each point by itself.
    batch : int
        Trials between looks, at least 1.

    Examples
    --------
    >>> import rltheory as rlt
    >>> rlt.Stop("failed", range=(0, 1), within=0.01)
    Stop(y='failed', range=(0, 1), within=0.01, relative=False, confidence=0.95, batch=100)
    """

    y: str
    range: tuple[float, float]
    within: float
    relative: bool = False
    confidence: float = 0.95
    batch: int = 100

    def __post_init__(self) -> None:
        _check(self.within > 0.0, "within", self.within, "above 0")
        _check(0.0 < self.confidence < 1.0, "confidence", self.confidence, "in (0, 1)")
        whole = isinstance(self.batch, int) and not isinstance(self.batch, bool)
        _check(whole and self.batch >= 1, "batch", self.batch, "an integer of at least 1")
        self.bounds()

    def bounds(self) -> BettingInterval:
        """The confidence sequence, before the first trial."""
        try:
            low, high = self.range
            cells = _MEANS
            if not self.relative:
                cells = max(_MEANS, round(5.0 * (high - low) / self.within))
                if cells > _MOST_MEANS:
                    raise ClaimError(f"within is {self.within!r}, below 1/10,000 of the range")
            return BettingInterval(low, high, alpha=1.0 - self.confidence, grid=cells)
        except (ClaimError, TypeError, ValueError) as fault:
            raise SweepError(
                f"a stopping rule for {self.y!r}, range {self.range!r}: {fault}"
            ) from None

    def trials(
        self, results: Results, most: int, text: str = "", looked: Looked | None = None
    ) -> tuple[int, bool]:
        """(how many trials a point needs, whether these are known to be all it needs)."""
        memory = {} if looked is None else looked
        interval, first = memory.get(text) or (self.bounds(), 0)
        while not (first and self.is_enough(interval)):
            if first >= most:
                return most, True
            last = min(first + self.batch, most)
            if any(index not in results for index in range(first, last)):
                return last, False
            try:
                interval.add(np.array(self._values(results, first, last)))
            except SweepError as fault:
                raise SweepError(f"at {text}, {fault}") from None
            first = last
            memory[text] = interval, first
        return first, True

    def is_enough(self, interval: BettingInterval) -> bool:
        """Whether the bounds are narrow enough."""
        lower, upper = interval.bounds
        middle = (lower + upper) / 2.0
        return (upper - lower) / 2.0 <= self.within * (abs(middle) if self.relative else 1.0)

    def _values(self, results: Results, first: int, last: int) -> list[float]:
        found = []
        for index in range(first, last):
            text = results[index]
            if text is None:
                continue
            value = json.loads(text).get(self.y)
            if not isinstance(value, int | float):
                raise SweepError(f"trial {index} of a point that stops gave no number {self.y!r}")
            low, high = self.range
            if not low <= value <= high:
                raise SweepError(
                    f"trial {index} of a point that stops gave {self.y} = {value!r}, outside of "
                    f"its range [{low!r}, {high!r}]"
                )
            found.append(float(value))
        return found


@dataclass(frozen=True)
class Refine:
    """Add points along the axis of a law, where the fitted law is least certain.

    In the coordinates of the fit, t = log x, let r_i be the distance of point i from the straight
    line through its two neighbours (0 at the ends) and e_i its standard error. A gap counts

        (t_{i+1} - t_i) (r_i + r_{i+1} + 2 (e_i + e_{i+1})):

    much where the law bends, as between two regimes, where trials are noisy, and where the grid is
    coarse. Every round halves the `batch` gaps that count most, geometrically, apart for each
    setting of the other axes.

    Parameters
    ----------
    law : Law
        Whose axis is refined, and whose fit tells where.
    points : int
        That are added at each setting, at least 1.
    batch : int
        A round, at least 1.

    Examples
    --------
    >>> import rltheory as rlt
    >>> rlt.Refine(rlt.Law("regret", "episodes"), points=4).batch
    2
    """

    law: Law
    points: int
    batch: int = 2

    def __post_init__(self) -> None:
        if self.law.low is not None:
            raise SweepError("a law of brackets has no errors that could tell where to refine")
        for name in ("points", "batch"):
            value = getattr(self, name)
            whole = isinstance(value, int) and not isinstance(value, bool)
            _check(whole and value >= 1, name, value, "an integer of at least 1")

    def round(
        self,
        fitted: FittedLaw,
        left: int,
        whole: bool,
        where: Callable[[Point], bool] | None = None,
    ) -> list[Point]:
        """The next points at a setting, at most `left`, whole numbers if its others are.

        None where no law could be fitted.
        """
        fit, x_of = fitted.fit, self.law.x
        if not isinstance(fit, RateFit):
            return []
        order = np.argsort(fit.x)
        x, t, z = fit.x[order], np.log(fit.x[order]), fit.level[order]
        doubt = _QUANTILE * fit.error[order]
        share = (t[1:-1] - t[:-2]) / (t[2:] - t[:-2])
        doubt[1:-1] += np.abs(z[1:-1] - z[:-2] - share * (z[2:] - z[:-2]))
        score = np.diff(t) * (doubt[:-1] + doubt[1:])
        found: list[Point] = []
        for i in np.argsort(-score, kind="stable"):
            middle = _between(float(x[i]), float(x[i + 1]), whole)
            if middle is None or len(found) >= min(self.batch, left):
                continue
            point = fitted.others | {x_of: middle}
            if where is None or where(dict(point)):
                found.append(point)
        return found


@dataclass
class Wanted:
    """The points of a sweep as far as they are known, and how many trials each wants.

    `complete` says whether these are all: nothing more would come if all their trials were there.
    """

    points: dict[str, Point] = field(default_factory=dict)
    trials: dict[str, int] = field(default_factory=dict)
    complete: bool = True


def wanted(
    points: list[Point],
    seeds: int,
    known: Known,
    stop: Stop | None = None,
    refine: Refine | None = None,
    where: Callable[[Point], bool] | None = None,
    looked: Looked | None = None,
) -> Wanted:
    """What a sweep wants.

    Parameters
    ----------
    points : list of Point
        Of the grid.
    seeds : int
        Most trials of a point.
    known : callable
        From the canonical text of a point to the results of its trials.
    stop, refine : optional
        The sweep's rules.
    where : callable, optional
        Keeps added points for which it is true.
    looked : dict, optional
        What was learned of points in earlier rounds of a run; kept up to date.
    """
    found = Wanted()
    looked = {} if looked is None else looked
    _add(found, points, seeds, known, stop, looked)
    if refine is None:
        return found
    added: dict[str, int] = {}
    while found.complete:
        groups = [_group(found, text, known) for text in found.points]
        more: list[Point] = []
        for fitted in fit_laws((refine.law,), groups):
            setting = canonical(fitted.others)
            own = [g.point for g in groups if fitted.others.items() <= g.point.items()]
            whole = all(isinstance(point.get(refine.law.x, 1), int) for point in own)
            some = refine.round(fitted, refine.points - added.get(setting, 0), whole, where)
            added[setting] = added.get(setting, 0) + len(some)
            more += some
        if not more:
            break
        _add(found, more, seeds, known, stop, looked)
    return found


def _add(
    found: Wanted,
    points: list[Point],
    seeds: int,
    known: Known,
    stop: Stop | None,
    looked: Looked,
) -> None:
    for point in points:
        text = canonical(point)
        results = known(text)
        found.points[text] = point
        if stop is None:
            found.trials[text] = seeds
            done = all(index in results for index in range(seeds))
        else:
            found.trials[text], done = stop.trials(results, seeds, text, looked)
        found.complete = found.complete and done


def _group(found: Wanted, text: str, known: Known) -> Group:
    results = known(text)
    done = [i for i in range(found.trials[text]) if results.get(i) is not None]
    return Group(found.points[text], done, [str(results[i]) for i in done])


def _between(low: float, high: float, whole: bool) -> int | float | None:
    """The geometric middle, rounded if `whole`; None where there is nothing between."""
    middle = (low * high) ** 0.5
    if whole:
        nearest = round(middle)
        return nearest if low < nearest < high else None
    return middle if low < middle < high else None


def _check(valid: bool, name: str, value: Any, allowed: str) -> None:
    if not valid:
        raise SweepError(f"{name} is {value!r}; it must be {allowed}")
