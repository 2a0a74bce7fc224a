"""Two runs of a sweep beside each other: what is the same, what agrees, what differs.

Runs with the same root of seeds give the same seeds to the same trials, so that their results are
compared trial by trial, by the t-test of the differences; other runs by Welch's test of two means.
All comparisons are made at one level together, by Holm's method (1979): the probability of calling
any two equal means different is at most `level`, as far as means are normal.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from rltheory.errors import SweepError
from rltheory.inference.rate import RateFit
from rltheory.sweeps.group import Group
from rltheory.sweeps.laws import FittedLaw
from rltheory.sweeps.ledger import open_ledger
from rltheory.sweeps.points import Point, canonical
from rltheory.sweeps.result import SweepResult, result_of
from rltheory.sweeps.sweep import Sweep

__all__ = ["Comparison", "Difference", "compare_runs", "stored_result"]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Difference:
    """How a value at a point, or the slope of a law, differs: `second` minus `first`.

    Parameters
    ----------
    point : Point
        For a law, the setting of the other axes.
    name : str
        The value, or what the law says.
    first, second : float
        Means, or slopes.
    interval : (float, float)
        Of the difference, at confidence 1 - level by itself.
    p_value : float
        Probability of a difference as large if the means are equal.
    verdict : str
        "same" (to the bit, every trial), "agrees", or "differs" at the level of all comparisons.
    """

    point: Point
    name: str
    first: float
    second: float
    interval: tuple[float, float]
    p_value: float
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
        Points that one of them has alone.
    level : float
    """

    paired: bool
    values: list[Difference]
    laws: list[Difference]
    only_first: list[Point]
    only_second: list[Point]
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
    ...     return rlt.Sweep("power", trial, {"n": [1, 2]}, seeds=3, version=f"{power}")
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
    laws = _laws(first.laws, second.laws, level)
    judged = _holm([*found, *laws], level)
    return Comparison(
        paired,
        judged[: len(found)],
        judged[len(found) :],
        [own[text].point for text in own if text not in other],
        [other[text].point for text in other if text not in own],
        level,
    )


def stored_result(
    sweep: Sweep, folder: str | Path, code: str | None = None, but: str | None = None
) -> SweepResult:
    """What a folder's ledger holds of a sweep, under the code that ran last.

    Parameters
    ----------
    sweep : Sweep
    folder : path
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
    if not (Path(folder) / "ledger.sqlite").is_file():
        raise SweepError(f"{folder} has no ledger of a sweep")
    with open_ledger(folder) as ledger:
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
    own, other = first.values(), second.values()
    names = sorted(set().union(*own) & set().union(*other))
    found = []
    for name in names:
        x, y = _numbers(first.seeds, own, name), _numbers(second.seeds, other, name)
        if paired:
            seeds = [seed for seed in x if seed in y]
            x, y = {s: x[s] for s in seeds}, {s: y[s] for s in seeds}
        if x and y:
            found.append(_difference(first.point, name, _array(x), _array(y), paired, level))
    return found


def _numbers(seeds: list[int], values: list[Any], name: str) -> dict[int, float]:
    rows = zip(seeds, (row.get(name) for row in values), strict=True)
    return {seed: float(value) for seed, value in rows if isinstance(value, int | float)}


def _array(values: Mapping[int, float]) -> Array:
    return np.array(list(values.values()))


def _difference(
    point: Point, name: str, x: Array, y: Array, paired: bool, level: float
) -> Difference:
    means = float(x.mean()), float(y.mean())
    if paired:
        off = y - x
        centre, error, degrees = float(off.mean()), _error(off), float(len(off) - 1)
    else:
        parts = _error(x) ** 2, _error(y) ** 2
        centre, error = means[1] - means[0], sum(parts) ** 0.5
        spread = sum(p**2 / (len(z) - 1) for p, z in zip(parts, (x, y), strict=True) if p > 0.0)
        degrees = error**4 / spread if spread > 0.0 else 1.0
    same = paired and len(x) > 0 and bool((x == y).all())
    return _told(point, name, means, centre, error, degrees, level, same)


def _told(
    point: Point,
    name: str,
    sides: tuple[float, float],
    centre: float,
    error: float,
    degrees: float,
    level: float,
    same: bool,
) -> Difference:
    if error > 0.0 and degrees > 0.0:
        p_value = float(2.0 * stats.t.sf(abs(centre) / error, degrees))
        reach = float(stats.t.isf(level / 2.0, degrees)) * error
    elif error == 0.0:  # trials without spread differ, or do not
        p_value, reach = float(centre == 0.0), 0.0
    else:  # one trial says nothing of spread
        p_value, reach = 1.0, float("inf")
    interval = (centre - reach, centre + reach)
    return Difference(point, name, *sides, interval, p_value, "same" if same else "agrees")


def _error(x: Array) -> float:
    """Standard error of the mean; NaN of a single trial."""
    return float(x.std(ddof=1) / len(x) ** 0.5) if len(x) > 1 else float("nan")


def _laws(first: list[FittedLaw], second: list[FittedLaw], level: float) -> list[Difference]:
    def key(fitted: FittedLaw) -> tuple[str, str, str]:
        return fitted.law.y, fitted.law.x, canonical(fitted.others)

    others = {key(fitted): fitted for fitted in second}
    found = []
    for fitted in first:
        match = others.get(key(fitted))
        if match is None:
            continue
        own, other = fitted.fit, match.fit
        if isinstance(own, RateFit) and isinstance(other, RateFit):
            error = float(np.hypot(own.standard_error, other.standard_error))
            told = partial(_told, fitted.others, f"slope of {fitted.law.y} over {fitted.law.x}")
            sides = own.slope, other.slope
            same = sides[0] == sides[1] and own.intercept == other.intercept
            degrees = min(own.degrees, other.degrees)
            found.append(told(sides, sides[1] - sides[0], error, degrees, level, same))
    return found


def _holm(found: list[Difference], level: float) -> list[Difference]:
    """The comparisons with their verdicts: from the least p-value on, until one does not differ."""
    verdicts = [each.verdict for each in found]
    tested = [i for i, verdict in enumerate(verdicts) if verdict != "same"]
    for rank, i in enumerate(sorted(tested, key=lambda i: found[i].p_value)):
        if found[i].p_value > level / (len(tested) - rank):
            break
        verdicts[i] = "differs"
    return [
        Difference(d.point, d.name, d.first, d.second, d.interval, d.p_value, verdict)
        for d, verdict in zip(found, verdicts, strict=True)
    ]
