"""How many samples an estimator needs: certified brackets, and the law fitted to them.

For an accuracy eps and a failure probability delta,

    p(n, eps) = P( error of the output from n samples > eps ),    n*(eps) = min { n : p <= delta }.

On a grid of n, independent trials are run until, for each eps, the anytime-valid test of
`rltheory.inference.sequential` has settled whether p is above delta or at or below it; the bracket
(lower, upper] of n* is then between the largest n certified above and the smallest certified at or
below. Between the two lie grid points that the budget left open. An eps is asked for in ascending
n until it is first certified at or below: p is taken to fall with n.

Every test has the share level / (2 |grid| |eps|) of the error level for each of its two wrong
answers, fixed beforehand, so that all brackets of a result are right together with probability at
least 1 - level. A trial serves every eps: its error is compared with each. The trial number i at n
has random numbers of its own, keyed by (seed, n, i): neither the order of trials, nor how many run
at once, nor the rest of the grid changes them.
"""

import math
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from functools import partial
from typing import Any, Protocol
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from rltheory.errors import SweepError
from rltheory.inference.sequential import log_evidence_against, log_evidence_for
from rltheory.sweeps.complexity_result import ABOVE, AT_OR_BELOW, NOT_ASKED, OPEN, SampleComplexity

__all__ = ["Problem", "geometric_grid", "sample_complexity"]

Estimator = Callable[[Any, int, Any], Any]

_BATCH = 64
"""Trials started together: part of what is computed, never of what is decided."""


class Problem(Protocol):
    """What an estimator is tried on."""

    def access(self, seed: Any) -> Any:
        """A fresh access to the model, with the random numbers of this seed."""

    def error(self, output: Any) -> float:
        """How far the estimator's output is off, computed exactly."""


def geometric_grid(first: int, last: int, ratio: float = 2.0) -> list[int]:
    """Integers from `first` to at most `last`, each the last one times `ratio`, rounded.

    Examples
    --------
    >>> from rltheory.sweeps.sample_complexity import geometric_grid
    >>> geometric_grid(8, 100), geometric_grid(1, 10, 2**0.5)
    ([8, 16, 32, 64], [1, 2, 3, 4, 6, 8])
    """
    if not (1 <= first <= last and ratio > 1.0):
        raise SweepError(f"the grid goes from {first!r} to {last!r} by the factor {ratio!r}")
    steps = math.floor(math.log(last / first) / math.log(ratio) + 1e-9)
    return sorted({round(first * ratio**k) for k in range(steps + 1)})


def sample_complexity(
    estimator: Estimator,
    problem: Problem,
    eps: Sequence[float],
    delta: float,
    *,
    grid: Sequence[int] | None = None,
    most_trials: int = 1000,
    level: float = 1e-6,
    seed: int = 0,
    executor: Executor | None = None,
    progress: Callable[[int, int, int], None] | None = None,
) -> SampleComplexity:
    """Bracket the number of samples that an estimator needs, for each accuracy.

    Parameters
    ----------
    estimator : callable
        ``estimator(access, n, seed) -> output``, for example `PlugIn()`; what n counts is its own
        business (draws of each pair there).
    problem : Problem
        ``access(seed)``, and an exact ``error(output)``; for example `planning_problem(mdp)`.
    eps : sequence of float
        Accuracies, positive, all different.
    delta : float
        Failure probability, in (0, 1).
    grid : sequence of int, optional
        Values of n, ascending; 1, 2, 4, ..., 2^20 if left out. Its last one is the cap: an eps that
        is not certified there has no upper end, it is 'unbounded'.
    most_trials : int
        At one n. Where p is close to delta the question stays open.
    level : float
        Probability that any bracket is wrong, in (0, 1).
    seed : int
    executor : concurrent.futures.Executor, optional
        Runs trials at the same time; the result is the same. Processes need an estimator and a
        problem that can be pickled.
    progress : callable, optional
        ``progress(n, trials, open)`` after each batch: where it is, and how many accuracies are
        not settled there. `rltheory.sweeps.progress.show` draws a bar.

    Returns
    -------
    SampleComplexity

    Raises
    ------
    SweepError
        If an argument is out of its range, or an error is no number.

    Examples
    --------
    The mean of n fair coins, within eps of 1/2 but for one chance in ten:

    >>> import numpy as np
    >>> import rltheory as rlt
    >>> class Coin:
    ...     def access(self, seed):
    ...         return np.random.default_rng(seed)
    ...     def error(self, output):
    ...         return abs(output - 0.5)
    >>> law = rlt.sample_complexity(
    ...     lambda rng, n, seed: rng.integers(0, 2, n).mean(), Coin(), [0.4, 0.2, 0.1], 0.1,
    ...     grid=[2, 4, 8, 16, 32, 64, 128])
    >>> law
    SampleComplexity(delta 0.1, level 1e-06)
      eps 0.4:  2 < n <= 8
      eps 0.2:  8 < n <= 32
      eps 0.1:  32 < n <= 128
    """
    accuracies = _accuracies(eps)
    points = _points(range_of_powers() if grid is None else grid)
    _check(delta, most_trials, level)
    share = level / (2.0 * len(points) * len(accuracies))
    fewest = _fewest(delta, share)
    if most_trials < fewest:
        raise SweepError(
            f"most_trials is {most_trials}; at delta {delta:g} and level {level:g} nothing can be "
            f"certified with fewer than {fewest}"
        )
    shape = len(points), len(accuracies)
    answers = np.full(shape, NOT_ASKED, dtype=np.int8)
    failures, trials = np.zeros(shape, dtype=np.int64), np.zeros(shape, dtype=np.int64)
    asked = np.ones(len(accuracies), dtype=np.bool_)
    for g, n in enumerate(points):
        if not asked.any():
            break
        point = _Point(accuracies, delta, share, asked)
        for first in range(0, most_trials, _BATCH):
            numbers = range(first, min(most_trials, first + _BATCH))
            run = partial(_trial, estimator, problem, n, seed)
            each = (
                map(run, numbers)
                if executor is None
                else executor.map(run, numbers, chunksize=_BATCH // 8)
            )
            point.add(np.array(list(each)))
            if progress is not None:
                progress(n, numbers.stop, int(point.open.sum()))
            if not point.open.any():
                break
        answers[g], failures[g], trials[g] = point.answers, point.failures, point.trials
        asked = asked & (point.answers != AT_OR_BELOW)
    return SampleComplexity(
        eps=tuple(accuracies.tolist()),
        delta=float(delta),
        grid=tuple(points),
        answers=answers,
        failures=failures,
        trials=trials,
        level=float(level),
        most_trials=int(most_trials),
        seed=int(seed),
    )


class _Point:
    """The tests at one n: one an accuracy, all on the same trials."""

    def __init__(
        self, eps: NDArray[np.float64], delta: float, share: float, asked: NDArray[np.bool_]
    ) -> None:
        self.eps, self.delta, self.threshold = eps, delta, -math.log(share)
        self.open = asked.copy()
        self.failures = np.zeros(len(eps), dtype=np.int64)
        self.trials = np.zeros(len(eps), dtype=np.int64)
        self.answers = np.where(asked, OPEN, NOT_ASKED).astype(np.int8)

    def add(self, errors: NDArray[np.float64]) -> None:
        """Count these trials one after another, each accuracy until it is settled."""
        failed = errors[:, None] > self.eps
        failures = self.failures + np.cumsum(failed, axis=0)
        trials = self.trials + np.arange(1, len(errors) + 1)[:, None]
        against = log_evidence_against(failures, trials, self.delta) >= self.threshold
        below = log_evidence_for(failures, trials, self.delta) >= self.threshold
        for e in np.flatnonzero(self.open):
            settled = np.flatnonzero(against[:, e] | below[:, e])
            last = settled[0] if len(settled) else len(errors) - 1
            self.failures[e], self.trials[e] = failures[last, e], trials[last, e]
            if len(settled):
                self.open[e] = False
                self.answers[e] = ABOVE if against[last, e] else AT_OR_BELOW


def _trial(estimator: Estimator, problem: Problem, n: int, seed: int, number: int) -> float:
    """The error of one run, on random numbers of its own."""
    access = problem.access(_seed(seed, "sweeps.access", n, number))
    output = estimator(access, n, _seed(seed, "sweeps.estimator", n, number))
    error = float(problem.error(output))
    if math.isnan(error):
        raise SweepError(f"the error of trial {number} at n = {n} is NaN; it must be a number")
    return error


def _seed(seed: int, purpose: str, n: int, number: int) -> np.random.SeedSequence:
    return np.random.SeedSequence(seed, spawn_key=(crc32(purpose.encode()), n, number))


def range_of_powers() -> list[int]:
    """The grid if none is given."""
    return [2**k for k in range(21)]


def _fewest(delta: float, share: float) -> int:
    """Trials without any failure after which p is certified at or below delta."""
    n = max(1, math.floor(-math.log(share) / -math.log1p(-delta)))
    while log_evidence_for(0, n, delta) < -math.log(share):
        n += 1
    return n


def _accuracies(eps: Any) -> NDArray[np.float64]:
    found = np.atleast_1d(np.asarray(eps, dtype=np.float64))
    good = found.ndim == 1 and len(found) and np.isfinite(found).all() and (found > 0.0).all()
    if not good or len(set(found.tolist())) < len(found):
        raise SweepError(f"eps is {eps!r}; it must be positive numbers, all different")
    return found


def _points(grid: Any) -> list[int]:
    found = np.asarray(grid)
    whole = found.ndim == 1 and len(found) and np.issubdtype(found.dtype, np.integer)
    if not whole or found[0] < 1 or (np.diff(found) <= 0).any():
        raise SweepError(f"grid is {grid!r}; it must be ascending integers of at least 1")
    return [int(n) for n in found]


def _check(delta: float, most_trials: int, level: float) -> None:
    if not 0.0 < delta < 1.0:
        raise SweepError(f"delta is {delta!r}; it must be in (0, 1)")
    if not 0.0 < level < 1.0:
        raise SweepError(f"level is {level!r}; it must be in (0, 1)")
    if isinstance(most_trials, bool) or not isinstance(most_trials, int) or most_trials < 1:
        raise SweepError(f"most_trials is {most_trials!r}; it must be an integer of at least 1")
