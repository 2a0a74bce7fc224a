r"""The concave relaxation: arms that share nothing but a budget of plays per round.

x_i(n, m) is how often per round arm i begins to rest n rounds and then play m; such a block pays
W_i(n, m) = p_i(n) + p_i(-1) + ... + p_i(-(m-1)). z_i is the rate of rounds of a play that never
ends. With at most k plays per round,

    LP = max sum_i [ sum_{n,m} W_i x_i + p_i(-M_i) z_i ]
         s.t. sum_{n,m} (n+m) x_i + z_i <= 1 for each i,   sum_i [ sum_{n,m} m x_i + z_i ] <= k.

One arm alone, at q plays per round, earns at best phi_i(q): the upper concave hull of its cycles
as points (m/(n+m), W_i/(n+m)), of (1, p_i(-M_i)) and of (0, 0). So the program is solved by taking
the segments of all hulls by decreasing slope until the budget is used up; the last slope is the
price of a play, and proves optimality (`Relaxation.check`). Claims ``lsd-relax-equal``,
``lsd-relax-upper``, ``lsd-vertex-support`` (docs/theory/lsd_relaxation.md). Sources: Foussoul et
al. (2023) for LSD arms, Papadigenopoulos et al. (2022) for recharging ones; the proofs are this
project's.
"""

import numbers
from collections.abc import Mapping, Sequence
from fractions import Fraction
from itertools import pairwise
from math import floor
from typing import Any

from rltheory.errors import ModelError
from rltheory.lsd_bandits.arm_cycles import Vertex, hull_of_cycles, slope
from rltheory.lsd_bandits.arms import LSDArm, OrderedArm
from rltheory.lsd_bandits.bandit import LSDBandit
from rltheory.lsd_bandits.block_hull import hull_of_blocks
from rltheory.lsd_bandits.plans import Plan, Relaxation, always, block

__all__ = ["concave_relaxation", "grid_of", "relaxation_at"]


def concave_relaxation(
    bandit: LSDBandit,
    exact: bool = False,
    cap: int | None = None,
    grid: Any = None,
) -> Relaxation:
    """Solve the concave relaxation, without a linear-programming solver.

    Parameters
    ----------
    bandit : LSDBandit
        With any payoffs; plans of arms that are no LSD arms, or recover gradually, are the simple
        cycles of their graphs, whether or not the top state leads to them.
    exact : bool
        Whether rates and value are fractions; else they are rounded to doubles.
    cap : int, optional
        Blocks of at most so many plays, and no play that never ends: what block-commit needs.
    grid : number, optional
        eps > 0: rests and plays of the blocks on grids of ratio 1 + eps. With payoffs that are
        monotone the value is at least LP / (1 + eps) (claim ``lsd-grid``).

    Returns
    -------
    Relaxation
        An optimal vertex: every arm follows one plan with probability 1, except for at most one,
        which has two plans, or one and never plays. Of several solutions the one that drops points
        inside a segment, stops at the first maximum of an arm's hull, and takes the lowest arm
        among equal slopes.

    Raises
    ------
    ModelError
        If the bandit must not idle, `cap` and `grid` are both given or out of range, or one of
        them is given for arms that are no LSD arms with recovery by reset.

    Notes
    -----
    LSD arms take O(R_i + M_i) operations with fractions for their hulls, other arms O(S_i^2) for
    each vertex. With ``idle=False`` there is no relaxation here: k arms that never pay turn exactly
    k plays into at most k.

    Examples
    --------
    >>> import rltheory as rlt
    >>> bandit = rlt.LSDBandit([rlt.LSDArm(["1/2"], [0]), rlt.LSDArm(["1/2", 1], ["1/2"])])
    >>> relax = rlt.concave_relaxation(bandit, exact=True)
    >>> relax
    Relaxation(value 5/8 exact, price 1/4: arm 0 (1,1); arm 1 (2,1) 3/4, always 1/4)
    >>> relax.check()
    RelaxationBracket(5/8 = value = LP)
    """
    if not bandit.idle:
        raise ModelError(
            f"the bandit has idle=False; the relaxation is about at most {bandit.plays} plays per "
            f"round (with {bandit.plays} more arms that never pay, idling is a play of these)"
        )
    hulls = [_hull(arm, i, cap, grid) for i, arm in enumerate(bandit.arms)]
    relax = merged(bandit, hulls)
    return relax if exact else _rounded(relax)


def _hull(arm: OrderedArm, i: int, cap: int | None, grid: Any) -> list[Vertex]:
    if not (isinstance(arm, LSDArm) and arm.recovery == "reset"):
        if cap is not None or grid is not None:
            raise ModelError(
                f"arms[{i}] is {arm!r}; cap and grid are about the blocks of LSD arms whose "
                "recovery is 'reset'"
            )
        return hull_of_cycles(arm)
    rests, plays = len(arm.rest_payoffs), len(arm.play_payoffs)
    if cap is not None and grid is not None:
        raise ModelError(f"cap is {cap!r} and grid {grid!r}; give one of them")
    if cap is not None:
        if isinstance(cap, bool) or not isinstance(cap, numbers.Integral) or cap < 1:
            raise ModelError(f"cap is {cap!r}; it must be an integer of at least 1")
        return hull_of_blocks(arm, range(1, rests + 1), range(1, int(cap) + 1), endless=False)
    if grid is not None:
        points = grid_of(grid, rests, past=True), grid_of(grid, plays, past=False)
        return hull_of_blocks(arm, *points, endless=True)
    return hull_of_blocks(arm, range(1, rests + 1), range(1, plays + 1), endless=True)


def grid_of(eps: Any, last: int, past: bool) -> list[int]:
    """The points 1 = g_1 < g_2 < ... with g_{j+1} = max(g_j + 1, floor((1 + eps) g_j)).

    Parameters
    ----------
    eps : number
        Positive.
    last : int
        The largest point that is allowed.
    past : bool
        Whether the first point at or past `last` is there too, clipped to `last`.

    Examples
    --------
    >>> grid_of(1, 20, past=True), grid_of("1/2", 7, past=False)
    ([1, 2, 4, 8, 16, 20], [1, 2, 3, 4, 6])
    """
    try:
        ratio = 1 + Fraction(eps)
    except (TypeError, ValueError, OverflowError, ZeroDivisionError):
        raise ModelError(f"grid is {eps!r}; it must be a positive number") from None
    if ratio <= 1:
        raise ModelError(f"grid is {eps}; it must be a positive number")
    points = [1]
    while (after := max(points[-1] + 1, floor(ratio * points[-1]))) <= last:
        points.append(after)
    if past and points[-1] < last:
        points.append(last)
    return points


def merged(bandit: LSDBandit, hulls: Sequence[Sequence[Vertex]]) -> Relaxation:
    """The segments of all hulls by decreasing slope, the lowest arm first, until k is used up."""
    segments = sorted(
        (-slope(left, right), i, j)
        for i, hull in enumerate(hulls)
        for j, (left, right) in enumerate(pairwise(hull))
    )
    budget, price, value = Fraction(bandit.plays), Fraction(0), Fraction(0)
    at: list[tuple[int, Fraction]] = [(0, Fraction(0))] * len(hulls)
    for steepness, i, j in segments:
        left, right = hulls[i][j], hulls[i][j + 1]
        length = right.plays - left.plays
        used = min(length, budget)
        at[i] = (j + 1, Fraction(0)) if used == length else (j, used / length)
        value -= steepness * used
        budget -= used
        if budget == 0:
            price = -steepness
            break
    plans, rates = [], []
    for arm, hull, (j, share) in zip(bandit.arms, hulls, at, strict=True):
        weighted = [(hull[j], 1 - share)] + ([(hull[j + 1], share)] if share else [])
        kept = [
            (plan, p / plan.period)
            for vertex, p in weighted
            if (plan := _plan_at(arm, vertex)) is not None
        ]
        plans.append(tuple(plan for plan, _ in kept))
        rates.append(tuple(rate for _, rate in kept))
    return Relaxation(bandit, value, tuple(plans), tuple(rates), price)


def _plan_at(arm: OrderedArm, vertex: Vertex) -> Plan | None:
    if isinstance(vertex.plan, Plan) or vertex.plan is None:
        return vertex.plan
    assert isinstance(arm, LSDArm)
    return block(arm, *vertex.plan)


def _rounded(relax: Relaxation) -> Relaxation:
    rates = tuple(tuple(float(x) for x in of_arm) for of_arm in relax.rates)
    return Relaxation(relax.bandit, float(relax.value), relax.plans, rates, float(relax.multiplier))


def relaxation_at(
    bandit: LSDBandit, rates: Sequence[Mapping[tuple[int, int] | str, Any]]
) -> Relaxation:
    """A feasible solution of the relaxation that is given, optimal or not, in fractions.

    Parameters
    ----------
    bandit : LSDBandit
        Its arms must be LSD arms.
    rates : sequence of N mappings
        x_i(n, m) by type (n, m), and z_i by "always"; numbers, or strings like "1/6".

    Returns
    -------
    Relaxation
        By ascending rate of plays. The multiplier is that of an optimal solution.

    Raises
    ------
    ModelError
        If a type is none, a rate is negative, an arm's plans take more than one round per round,
        or there are more than k plays per round.

    Examples
    --------
    >>> import rltheory as rlt
    >>> arm = rlt.LSDArm(["2/3", 1], ["1/3", 0])
    >>> rlt.relaxation_at(rlt.LSDBandit([arm]), [{(1, 2): "1/6", (2, 1): "1/6"}])
    Relaxation(value 1/3 exact, price 0: arm 0 (2,1) 1/2, (1,2) 1/2)
    """
    if len(rates) != bandit.n_arms:
        raise ModelError(f"rates has {len(rates)} entries; there are {bandit.n_arms} arms")
    plans, kept = [], []
    for i, (arm, of_arm) in enumerate(zip(bandit.arms, rates, strict=True)):
        pairs = [(_plan(arm, i, kind), _rate(x, i, kind)) for kind, x in of_arm.items()]
        pairs = [(plan, x) for plan, x in pairs if x]
        pairs.sort(key=lambda pair: Fraction(pair[0].n_plays, pair[0].period))
        taken = sum((x * plan.period for plan, x in pairs), Fraction(0))
        if taken > 1:
            raise ModelError(f"the plans of arms[{i}] take {taken} rounds per round; 1 is there")
        plans.append(tuple(plan for plan, _ in pairs))
        kept.append(tuple(x for _, x in pairs))
    at = Relaxation(
        bandit, _value(bandit, plans, kept), tuple(plans), tuple(kept),
        concave_relaxation(bandit, exact=True).multiplier,
    )  # fmt: skip
    if at.plays_per_round > bandit.plays:
        raise ModelError(
            f"the plans play {at.plays_per_round} times per round; {bandit.plays} is allowed"
        )
    return at


def _value(
    bandit: LSDBandit, plans: Sequence[Sequence[Plan]], rates: Sequence[Sequence[Fraction]]
) -> Fraction:
    paid = (
        x * plan.reward(arm)
        for arm, of_plans, of_rates in zip(bandit.arms, plans, rates, strict=True)
        for plan, x in zip(of_plans, of_rates, strict=True)
    )
    return sum(paid, Fraction(0))


def _plan(arm: OrderedArm, i: int, kind: tuple[int, int] | str) -> Plan:
    if not isinstance(arm, LSDArm):
        raise ModelError(f"arms[{i}] is {arm!r}; types are those of LSD arms")
    if kind == "always":
        return always(arm)
    if isinstance(kind, str) or len(kind) != 2:
        raise ModelError(f"rates[{i}] has the type {kind!r}; it must be (n, m) or 'always'")
    return block(arm, *kind)


def _rate(given: Any, i: int, kind: Any) -> Fraction:
    try:
        rate = Fraction(given.item() if hasattr(given, "item") else given)
    except (TypeError, ValueError, OverflowError, ZeroDivisionError):
        raise ModelError(f"rates[{i}][{kind!r}] is {given!r}; it must be a number") from None
    if rate < 0:
        raise ModelError(f"rates[{i}][{kind!r}] is {given}; it must be at least 0")
    return rate
