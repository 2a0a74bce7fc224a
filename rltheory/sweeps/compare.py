"""Two runs of a sweep beside each other: what is the same, what agrees, what differs.

Runs with the same root of seeds give the same seeds to the same trials, so that values are compared
trial by trial, and their means by the t-test of the differences; means of other runs by Welch's
test, and slopes of laws as if the runs were independent. All tests are made at one level together,
by Holm's method (1979): the probability of calling any two equal means different is at most
`level`, as far as means are normal. Trials without spread are no normal ones: if the laws are
equal, n paired differences are of one sign with probability 2^(1-n) at most (the sign test), and n
and m trials of two runs are constant, and apart, with 2 / C(n+m, n) (the permutation test).
"""

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from rltheory.errors import SweepError
from rltheory.inference.rate import RateFit
from rltheory.sweeps.group import Group
from rltheory.sweeps.laws import FittedLaw
from rltheory.sweeps.ledger import read_ledger
from rltheory.sweeps.points import Point, canonical
from rltheory.sweeps.result import SweepResult, result_of
from rltheory.sweeps.sweep import Sweep

__all__ = ["VERDICTS", "Comparison", "Difference", "compare_runs", "stored_result"]

Array = NDArray[np.float64]

VERDICTS = {
    "same": "to the bit, in every trial",
    "agrees": "the means do not differ, as far as can be seen",
    "differs": "the means differ, or the intervals of laws from brackets have nothing in common",
    "changed": "trials differ, and no mean can be told: texts, one trial, or few without spread",
    "unknown": "nothing can be said: other seeds, and single trials or few without spread",
}

_ULPS = 16 * 2.0**-53


@dataclass(frozen=True)
class Difference:
    """How a value at a point, or the slope of a law, differs: `second` minus `first`.

    Parameters
    ----------
    point : Point
        For a law, the setting of the other axes.
    name : str
        The value, or the law.
    first, second : float
        Means, or slopes; NaN of texts.
    interval : (float, float)
        Of the difference, at confidence 1 - level by itself.
    p_value : float
        Probability of a difference as large if the means are equal; NaN where none is tested.
    changed : int or None
        Trials whose values differ, of those with common seeds; None for other runs.
    verdict : str
        One of `VERDICTS`.
    """

    point: Point
    name: str
    first: float
    second: float
    interval: tuple[float, float]
    p_value: float
    changed: int | None
    verdict: str


@dataclass(frozen=True)
class Comparison:
    """Two runs of one sweep.

    Parameters
    ----------
    paired : bool
        Whether trials were compared one by one.
    values, laws : list of Difference
    only_first, only_second : list of Point
        Points of the grid that one of them has alone.
    failures : (int, int)
        Trials that failed.
    level : float
    """

    paired: bool
    values: list[Difference]
    laws: list[Difference]
    only_first: list[Point]
    only_second: list[Point]
    failures: tuple[int, int]
    level: float

    def count(self, verdict: str) -> int:
        """How many comparisons came out so."""
        return sum(each.verdict == verdict for each in (*self.values, *self.laws))


def compare_runs(first: SweepResult, second: SweepResult, level: float = 0.01) -> Comparison:
    """Compare two runs at the points that both have.

    Parameters
    ----------
    first, second : SweepResult
    level : float
        In (0, 1), of all comparisons together.

    Raises
    ------
    SweepError
        If they are of different sweeps, or have no point in common.

    Examples
    --------
    >>> import tempfile
    >>> import rltheory as rlt
    >>> def made(power):
    ...     trial = lambda seed, n: {"y": n**power}
    ...     return rlt.Sweep("power", trial, {"n": [1, 2]}, seeds=9, version=f"{power}")
    >>> with tempfile.TemporaryDirectory() as a, tempfile.TemporaryDirectory() as b:
    ...     found = rlt.compare_runs(rlt.run_sweep(made(2), a), rlt.run_sweep(made(3), b))
    >>> [(each.point, each.verdict) for each in found.values]
    [({'n': 1}, 'same'), ({'n': 2}, 'differs')]
    """
    if first.sweep.name != second.sweep.name:
        raise SweepError(
            f"{first.sweep.name} and {second.sweep.name} are different sweeps; runs of one sweep "
            "can be compared"
        )
    if not 0.0 < level < 1.0:
        raise SweepError(f"level is {level!r}; it must be in (0, 1)")
    paired = first.seed is not None and first.seed == second.seed
    own, other = _by_text(first), _by_text(second)
    both = [text for text in own if text in other]
    if not both:
        raise SweepError(f"the two runs of {first.sweep.name} have no point in common")
    found = [d for text in both for d in _at_point(own[text], other[text], paired, level)]
    laws = _laws(first, second, level)
    judged = _holm([*found, *laws], level)
    return Comparison(
        paired,
        judged[: len(found)],
        judged[len(found) :],
        [own[text].point for text in own if text not in other],
        [other[text].point for text in other if text not in own],
        (len(first.failures), len(second.failures)),
        level,
    )


def stored_result(
    sweep: Sweep, folder: str | Path, code: str | None = None, but: str | None = None
) -> SweepResult:
    """What a folder's ledger holds of a sweep's grid, under the code that ran last.

    Parameters
    ----------
    sweep : Sweep
    folder : path
        Nothing is written there.
    code : str, optional
        Another version of the code.
    but : str, optional
        A version that is not meant.

    Raises
    ------
    SweepError
        If there is nothing of that sweep.

    Examples
    --------
    >>> import tempfile
    >>> import rltheory as rlt
    >>> sweep = rlt.Sweep("two", lambda seed: {"y": 2}, {}, seeds=3, version="1")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     ran = rlt.run_sweep(sweep, folder)
    ...     rlt.stored_result(sweep, folder).csv() == ran.csv()
    True
    """
    with read_ledger(folder) as ledger:
        known = [each for each in ledger.codes(sweep.name) if each != but]
        if code is not None and code not in known:
            raise SweepError(f"{folder} holds nothing of {sweep.name} under code {code}")
        if not known:
            other = "" if but is None else f" under another code than {but}"
            raise SweepError(f"{folder} holds nothing of {sweep.name}{other}")
        return result_of(ledger, sweep, known[-1] if code is None else code)


def _by_text(result: SweepResult) -> dict[str, Group]:
    return {canonical(group.point): group for group in result.groups}


def _at_point(first: Group, second: Group, paired: bool, level: float) -> list[Difference]:
    own = dict(zip(first.seeds, first.values(), strict=True))
    other = dict(zip(second.seeds, second.values(), strict=True))
    names = sorted({name for rows in (own, other) for row in rows.values() for name in row})
    return [
        _difference(
            first.point,
            name,
            {seed: row[name] for seed, row in own.items() if name in row},
            {seed: row[name] for seed, row in other.items() if name in row},
            paired,
            level,
        )
        for name in names
    ]


def _difference(
    point: Point, name: str, own: dict[int, Any], other: dict[int, Any], paired: bool, level: float
) -> Difference:
    common = [seed for seed in own if seed in other] if paired else []
    changed = sum(own[seed] != other[seed] for seed in common) if paired else None
    seeds = (common, common) if paired else (list(own), list(other))
    x, y = (
        [rows[seed] for seed in wanted] for rows, wanted in zip((own, other), seeds, strict=True)
    )
    numbers = all(isinstance(value, int | float) for value in (*x, *y))
    blank = Difference(point, name, np.nan, np.nan, (-np.inf, np.inf), np.nan, changed, "unknown")
    if numbers and x and y:
        blank = _tested(blank, np.array(x, np.float64), np.array(y, np.float64), paired, level)
    if paired and own.keys() == other.keys() and not changed:
        return replace(blank, verdict="same")
    if changed and blank.verdict == "unknown":
        return replace(blank, verdict="changed")
    return blank


def _tested(blank: Difference, x: Array, y: Array, paired: bool, level: float) -> Difference:
    means = float(x.mean()), float(y.mean())
    slack = _ULPS * float(max(np.abs(x).max(), np.abs(y).max()))
    if paired:
        off = y - x
        centre, error, degrees = float(off.mean()), _error(off), float(len(off) - 1)
    else:
        parts = _error(x) ** 2, _error(y) ** 2
        centre, error = means[1] - means[0], sum(parts) ** 0.5
        spread = sum(p**2 / (len(z) - 1) for p, z in zip(parts, (x, y), strict=True) if p > 0.0)
        degrees = error**4 / spread if spread > 0.0 else 1.0
    chance = 2.0 ** (1 - len(x)) if paired else 2 / math.comb(len(x) + len(y), len(x))
    return _told(blank, means, centre, error, degrees, slack, level, chance)


def _told(
    blank: Difference,
    sides: tuple[float, float],
    centre: float,
    error: float,
    degrees: float,
    slack: float,
    level: float,
    chance: float = 0.0,
) -> Difference:
    """With the t-test of a difference that rounding may have moved by `slack`.

    `chance` is the probability of a difference without spread if the laws are equal.
    """
    if np.isnan(error):  # one trial says nothing of spread
        return replace(blank, first=sides[0], second=sides[1])
    beyond = max(abs(centre) - slack, 0.0)
    if error > 0.0:
        p_value = float(2.0 * stats.t.sf(beyond / error, degrees))
        reach = float(stats.t.isf(level / 2.0, degrees)) * error
    elif beyond > 0.0:
        p_value, reach = chance, 0.0 if chance <= level else np.inf
    else:
        p_value, reach = 1.0, 0.0
    interval = (centre - reach - slack, centre + reach + slack)
    return replace(
        blank,
        first=sides[0],
        second=sides[1],
        interval=interval,
        p_value=p_value,
        verdict="agrees" if error > 0.0 or beyond == 0.0 else "unknown",
    )


def _error(x: Array) -> float:
    """Standard error of the mean: 0 of equal trials, NaN of a single one."""
    if len(x) < 2:
        return float("nan")
    return 0.0 if x.min() == x.max() else float(x.std(ddof=1) / len(x) ** 0.5)


def _laws(first: SweepResult, second: SweepResult, level: float) -> list[Difference]:
    def keyed(result: SweepResult) -> dict[tuple[int, str], FittedLaw]:
        places = {id(law): i for i, law in enumerate(result.sweep.laws)}
        return {(places[id(f.law)], canonical(f.others)): f for f in result.laws}

    others = keyed(second)
    found = []
    for key, fitted in keyed(first).items():
        match = others.get(key)
        if match is not None and fitted.fit is not None and match.fit is not None:
            found.append(_slopes(fitted, match, level))
    return found


def _slopes(one: FittedLaw, two: FittedLaw, level: float) -> Difference:
    beside = "" if one.law.factor is None else " beside its factor"
    name = f"slope of {one.law.y} over {one.law.x}{beside}"
    own, other = one.fit, two.fit
    assert own is not None and other is not None
    sides = own.slope, other.slope
    blank = Difference(one.others, name, *sides, (-np.inf, np.inf), np.nan, None, "unknown")
    if sides[0] == sides[1] and own.intercept == other.intercept:
        return replace(blank, interval=(0.0, 0.0), verdict="same")
    if isinstance(own, RateFit) and isinstance(other, RateFit):
        error = float(np.hypot(own.standard_error, other.standard_error))
        degrees, slack = min(own.degrees, other.degrees), own.rounding + other.rounding
        return _told(blank, sides, sides[1] - sides[0], error, degrees, slack, level)
    interval = other.interval[0] - own.interval[1], other.interval[1] - own.interval[0]
    apart = not interval[0] <= 0.0 <= interval[1]
    return replace(blank, interval=interval, verdict="differs" if apart else "agrees")


def _holm(found: list[Difference], level: float) -> list[Difference]:
    """The comparisons with their verdicts: from the least p-value on, until one does not differ."""
    judged = list(found)
    tested = [i for i, each in enumerate(found) if each.verdict != "same" and each.p_value <= 1.0]
    for rank, i in enumerate(sorted(tested, key=lambda i: found[i].p_value)):
        if found[i].p_value > level / (len(found) - rank):
            break
        judged[i] = replace(found[i], verdict="differs")
    return judged
