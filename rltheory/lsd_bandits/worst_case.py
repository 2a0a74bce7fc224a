r"""Search for instances on which a policy, or the optimum itself, does worst (A13).

Payoffs are whole numbers 0..den over den, nondecreasing over the states -M, ..., -1, 1, ..., R of
each arm. Many chains walk at once. A chain starts at random payoffs, every second one at steps; a
move changes one payoff, or all from one state on by the same amount, and restores the order; it is
accepted if the ratio does not grow; after 40 moves in a row without a decrease the chain starts
anew. The least ratio of all is then made simple: payoffs are rounded to smaller denominators and
arms left out as long as it does not grow. All chains of a step are evaluated by one call of the
core, with the optimum in whole numbers; what is returned is computed anew, in fractions, by the
public functions. k = 1.

    gap                      g* / LP, claim lsd-gap-four-fifths
    interleaved              A7 / g*, the expected average of `interleaved_schedule`
    interleaved_relaxation   A7 / LP
    derandomised             A8 / g*, the average of `derandomized_schedule`
    derandomised_relaxation  A8 / LP
    greedy                   the average of `greedy_average` / g*
    real                     A7 with ranking by real payoffs / g*
    real_virtual             A7 with ranking by real payoffs / A7
    virtual_real             A7 / A7 with ranking by real payoffs
    index                    the average of `index_average` / g*; without the core, and slow
"""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rltheory._core import topics
from rltheory.errors import ModelError
from rltheory.lsd_bandits.arms import LSDArm
from rltheory.lsd_bandits.bandit import LSDBandit
from rltheory.lsd_bandits.baselines import greedy_average
from rltheory.lsd_bandits.derandomize import derandomized_schedule
from rltheory.lsd_bandits.expected_average import expected_average
from rltheory.lsd_bandits.lagrangian_index import index_average
from rltheory.lsd_bandits.optimal import optimal_gain
from rltheory.lsd_bandits.relaxation import concave_relaxation
from rltheory.mdp.streams import Stream

__all__ = ["OBJECTIVES", "exact_ratio", "fast_ratios", "worst_instance"]

_CHAINS = 256
_STEPS = 100
_STALLS = 40
_SAME = 1e-9
_LARGEST = 2**31
_NONE, _VIRTUAL, _REAL, _DERANDOMISED, _GREEDY = range(5)


@dataclass(frozen=True)
class _Objective:
    above: Callable[[LSDBandit], Fraction]
    below: Callable[[LSDBandit], Fraction]
    policies: tuple[int, ...]
    """Which the core is asked for, of the numerator, then of the denominator; none if it cannot."""


def _optimum(bandit: LSDBandit) -> Fraction:
    return Fraction(optimal_gain(bandit, exact=True).gain)


def _relaxed(bandit: LSDBandit) -> Fraction:
    return Fraction(concave_relaxation(bandit, exact=True).value)


def _interleaved(bandit: LSDBandit) -> Fraction:
    return Fraction(expected_average(concave_relaxation(bandit, exact=True)).value)


def _by_real(bandit: LSDBandit) -> Fraction:
    relax = concave_relaxation(bandit, exact=True)
    return Fraction(expected_average(relax, select="real").value)


def _derandomised(bandit: LSDBandit) -> Fraction:
    return Fraction(derandomized_schedule(concave_relaxation(bandit, exact=True)).average().value)


def _greedy(bandit: LSDBandit) -> Fraction:
    return Fraction(greedy_average(bandit).average)


def _index(bandit: LSDBandit) -> Fraction:
    return Fraction(index_average(bandit).average)


OBJECTIVES = {
    "gap": _Objective(_optimum, _relaxed, (_NONE,)),
    "interleaved": _Objective(_interleaved, _optimum, (_VIRTUAL,)),
    "interleaved_relaxation": _Objective(_interleaved, _relaxed, (_VIRTUAL,)),
    "derandomised": _Objective(_derandomised, _optimum, (_DERANDOMISED,)),
    "derandomised_relaxation": _Objective(_derandomised, _relaxed, (_DERANDOMISED,)),
    "greedy": _Objective(_greedy, _optimum, (_GREEDY,)),
    "real": _Objective(_by_real, _optimum, (_REAL,)),
    "real_virtual": _Objective(_by_real, _interleaved, (_REAL, _VIRTUAL)),
    "virtual_real": _Objective(_interleaved, _by_real, (_VIRTUAL, _REAL)),
    "index": _Objective(_index, _optimum, ()),
}
"""What can be made small, by name."""


def worst_instance(
    objective: str,
    n_arms: int,
    rests: int,
    plays: int,
    den: int = 8,
    evaluations: int = 100_000,
    seed: int = 0,
    floor: Fraction | int = 0,
) -> tuple[Fraction, LSDBandit]:
    """The instance of the least ratio that a local search finds, and that ratio.

    Parameters
    ----------
    objective : str
        One of `gap`, `interleaved`, `interleaved_relaxation`, `derandomised`,
        `derandomised_relaxation`, `greedy`, `real`, `real_virtual`, `virtual_real`, `index`.
    n_arms, rests, plays : int
        N, R and M, at least 1.
    den : int
        Payoffs are multiples of ``1/den``, until they are simplified.
    evaluations : int
        How many instances are looked at.
    seed : int or SeedSequence
    floor : number
        Instances with a smaller ratio are left out: to look for the least ratio above a known one.

    Returns
    -------
    ratio : Fraction
    bandit : LSDBandit

    Raises
    ------
    ModelError
        If the objective is unknown, a size is below 1 or too large for the core, or every instance
        that was looked at pays nothing.

    Notes
    -----
    What a search does not find may still be there: a ratio found is an upper bound of the least one
    and no more. 10^5 to 10^6 two-arm instances a second on one core.

    Examples
    --------
    >>> import rltheory as rlt
    >>> ratio, bandit = rlt.worst_instance("gap", 2, 2, 1, den=4, evaluations=20_000)
    >>> ratio
    Fraction(4, 5)
    >>> rlt.concave_relaxation(bandit, exact=True).value * ratio
    Fraction(1, 2)
    """
    _need(objective, n_arms, rests, plays, den, evaluations)
    sizes = ((rests, plays),) * n_arms
    stream = Stream(seed, "lsd.worst_case")
    chains = max(1, min(_CHAINS, evaluations // _STEPS))
    at = _starts(stream, chains, sizes, den)
    ratios = _kept(fast_ratios(objective, at, sizes, den), floor)
    stalls = np.zeros(chains, dtype=np.int64)
    best, least = at[0].copy(), np.inf
    left = evaluations - chains
    while True:
        c = int(np.argmin(ratios))
        if ratios[c] < least - _SAME:
            best, least = at[c].copy(), ratios[c]
        if left < chains:
            break
        left -= chains
        tired = stalls >= _STALLS
        tried = np.where(
            tired[:, None], _starts(stream, chains, sizes, den), _moved(stream, at, sizes, den)
        )
        found = _kept(fast_ratios(objective, tried, sizes, den), floor)
        taken = tired | (found <= ratios + _SAME)
        stalls = np.where(tired | (found < ratios - _SAME), 0, stalls + 1)
        at = np.where(taken[:, None], tried, at)
        ratios = np.where(taken, found, ratios)
    if not np.isfinite(least):
        raise ModelError(f"none of {evaluations} instances pays anything, or all are below {floor}")
    return _simplified(objective, _bandit(best.tolist(), sizes, den), den, Fraction(floor))


def exact_ratio(objective: str, bandit: LSDBandit) -> Fraction | None:
    """The ratio in fractions, by the public functions; None if its denominator is 0."""
    chosen = OBJECTIVES[objective]
    below = chosen.below(bandit)
    return chosen.above(bandit) / below if below else None


def fast_ratios(
    objective: str, payoffs: NDArray[np.int64], sizes: tuple[tuple[int, int], ...], den: int
) -> NDArray[np.float64]:
    """The ratios of many instances, rounded; infinite where the denominator is 0.

    Parameters
    ----------
    payoffs : ndarray of int64, shape (B, sum of R_i + M_i)
        Times `den`; of each arm in the order -M, ..., -1, 1, ..., R.
    sizes : tuple of N pairs (R_i, M_i)
    den : int
    """
    chosen = OBJECTIVES[objective]
    if not chosen.policies:
        exact = [exact_ratio(objective, _bandit(row, sizes, den)) for row in payoffs.tolist()]
        return np.array([np.inf if x is None else float(x) for x in exact])
    rests = np.array([r for r, _ in sizes], dtype=np.int32)
    plays = np.array([m for _, m in sizes], dtype=np.int32)
    rows = np.ascontiguousarray(payoffs)
    try:
        judged = [
            topics.lsd_judge_many(rests, plays, rows, den, policy) for policy in chosen.policies
        ]
    except ValueError as fault:
        raise ModelError(str(fault)) from None
    optimum, relaxed = (part[:, 0] / part[:, 1] for part in judged[0][:2])
    averages = [part[2] for part in judged]
    known: dict[Any, NDArray[np.float64]] = {_optimum: optimum, _relaxed: relaxed}
    above = known.get(chosen.above, averages[0])
    below = known.get(chosen.below, averages[-1])
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios: NDArray[np.float64] = np.where(below > 0.0, above / below, np.inf)
    return ratios


# --- chains -------------------------------------------------------------------------------


def _starts(
    stream: Stream, count: int, sizes: tuple[tuple[int, int], ...], den: int
) -> NDArray[np.int64]:
    """Random payoffs; in every second row each arm has at most one step."""
    parts = []
    for rests, plays in sizes:
        size = rests + plays
        p = stream.integers(den + 1, count, size)
        step = np.arange(size) >= stream.integers(size, count)[:, None]
        stepped = np.where(step, np.maximum(p[:, :1], p[:, -1:]), np.minimum(p[:, :1], p[:, -1:]))
        parts.append(np.where(np.arange(count)[:, None] % 2 == 0, p, stepped))
    return _ordered(np.concatenate(parts, axis=1), sizes)


def _moved(
    stream: Stream, at: NDArray[np.int64], sizes: tuple[tuple[int, int], ...], den: int
) -> NDArray[np.int64]:
    """One payoff changed, or a suffix of an arm's shifted, in every row."""
    count, width = at.shape
    owner = np.repeat(np.arange(len(sizes)), [r + m for r, m in sizes])
    where = stream.integers(width, count)[:, None]
    value = stream.integers(den + 1, count)[:, None]
    shift = (1 + stream.integers(max(1, den // 2), count)) * (2 * stream.integers(2, count) - 1)
    whole = stream.integers(2, count)[:, None] == 0
    here = np.arange(width) == where
    from_here = (np.arange(width) >= where) & (owner == owner[where])
    changed = np.where(whole & from_here, at + shift[:, None], at)
    changed = np.where(~whole & here, value, changed)
    return _ordered(np.clip(changed, 0, den), sizes)


def _ordered(payoffs: NDArray[np.int64], sizes: tuple[tuple[int, int], ...]) -> NDArray[np.int64]:
    first = 0
    for rests, plays in sizes:
        payoffs[:, first : first + rests + plays].sort(axis=1)
        first += rests + plays
    return payoffs


def _kept(ratios: NDArray[np.float64], floor: Fraction | int) -> NDArray[np.float64]:
    return np.where(ratios < float(floor) - _SAME, np.inf, ratios)


# --- simple instances ---------------------------------------------------------------------


def _bandit(payoffs: list[int], sizes: tuple[tuple[int, int], ...], den: int) -> LSDBandit:
    arms, first = [], 0
    for rests, plays in sizes:
        p = [Fraction(x, den) for x in payoffs[first : first + rests + plays]]
        arms.append(LSDArm(p[plays:], p[:plays][::-1]))
        first += rests + plays
    return LSDBandit(arms)


def _simplified(
    objective: str, bandit: LSDBandit, den: int, floor: Fraction
) -> tuple[Fraction, LSDBandit]:
    """Fewer arms, states and digits, as long as the ratio does not grow."""
    ratio = exact_ratio(objective, bandit)
    if ratio is None:
        raise ModelError(f"the ratio of {bandit!r} is 0/0")
    while True:
        for simpler in _simpler(bandit, den):
            found = exact_ratio(objective, simpler)
            if found is not None and floor <= found <= ratio:
                ratio, bandit = found, simpler
                break
        else:
            return ratio, bandit


def _simpler(bandit: LSDBandit, den: int) -> list[LSDBandit]:
    """Instances that are a step simpler, the simplest first; each has a smaller measure."""
    arms = [arm for arm in bandit.arms if isinstance(arm, LSDArm)]
    out: list[list[LSDArm]] = []
    if len(arms) > 1:
        out += [[*arms[:i], *arms[i + 1 :]] for i in range(len(arms))]
    for i, arm in enumerate(arms):
        for rests, plays in ((arm.rest_payoffs[:-1], arm.play_payoffs), (
            arm.rest_payoffs, arm.play_payoffs[:-1])):  # fmt: skip
            if rests and plays:
                out.append([*arms[:i], LSDArm(rests, plays), *arms[i + 1 :]])
    most = max(p for arm in arms for p in arm.payoffs)
    if 0 < most < 1:
        out.append([_mapped(arm, lambda p: p / most) for arm in arms])
    for digits in range(1, min(den, bandit.denominator)):
        out.append([_mapped(arm, partial(_rounded, digits=digits)) for arm in arms])
    return [LSDBandit(each) for each in out]


def _mapped(arm: LSDArm, change: Callable[[Fraction], Fraction]) -> LSDArm:
    return LSDArm([change(p) for p in arm.rest_payoffs], [change(p) for p in arm.play_payoffs])


def _rounded(p: Fraction, digits: int) -> Fraction:
    return Fraction(round(p * digits), digits)


def _need(objective: str, *sizes: Any) -> None:
    if objective not in OBJECTIVES:
        raise ModelError(f"objective is {objective!r}; it must be one of {', '.join(OBJECTIVES)}")
    for name, size in zip(("n_arms", "rests", "plays", "den", "evaluations"), sizes, strict=True):
        if isinstance(size, bool) or not isinstance(size, int | np.integer) or size < 1:
            raise ModelError(f"{name} is {size!r}; it must be an integer of at least 1")
    if sizes[3] >= _LARGEST:
        raise ModelError(f"den is {sizes[3]}; it must be below {_LARGEST}")
