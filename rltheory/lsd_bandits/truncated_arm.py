"""Arms with infinitely many states, cut where their payoffs have come near their limits."""

from collections.abc import Callable
from fractions import Fraction
from typing import Any

from rltheory.errors import ModelError
from rltheory.lsd_bandits.arms import LSDArm, exact_payoff

__all__ = ["truncated_arm"]

MOST_STATES = 100_000


def truncated_arm(
    rest: Callable[[int], Any],
    play: Callable[[int], Any],
    limits: tuple[Any, Any],
    tol: Any,
    recovery: str = "reset",
) -> LSDArm:
    r"""The smallest arm whose payoffs are within `tol` of those of an arm with infinitely many.

    Parameters
    ----------
    rest : callable of n = 1, 2, ...
        p(n), nondecreasing, in [0, 1].
    play : callable of m = 1, 2, ...
        p(-m), nonincreasing, in [0, 1].
    limits : pair of numbers
        The limits of p(n) and of p(-m).
    tol : number
        Above 0, or 0 where the limits are attained. A schedule's average differs by at most
        ``k * tol`` between the two arms.
    recovery : {"reset", "gradual"}

    Returns
    -------
    LSDArm
        R is the first n with limit - p(n) <= tol, and M the first m with p(-m) - limit <= tol.

    Raises
    ------
    ModelError
        If payoffs are not monotone up to there, pass their limit, or have not come so near to it
        within 100,000 states.

    Notes
    -----
    In each state truncated payoffs are p(R) <= p(n) <= limit or limit <= p(-m) <= p(-M), so they
    are off by at most `tol`; the states of a schedule do not depend on payoffs.

    Examples
    --------
    >>> import rltheory as rlt
    >>> from fractions import Fraction
    >>> arm = rlt.truncated_arm(lambda n: 1 - Fraction(1, 2**n), lambda m: 0, (1, 0), tol=0.1)
    >>> arm
    LSDArm(rest_payoffs=(1/2, 3/4, 7/8, 15/16), play_payoffs=(0,))
    """
    near = _number(tol, "tol")
    if near < 0:
        raise ModelError(f"tol is {tol}; it must be at least 0")
    top, bottom = (exact_payoff(x, f"limits[{i}]") for i, x in enumerate(limits))
    up = _until(rest, top, near, 1, "rest")
    down = _until(play, bottom, near, -1, "play")
    return LSDArm(up, down, recovery)


def _until(
    payoff: Callable[[int], Any], limit: Fraction, tol: Fraction, sign: int, name: str
) -> list[Fraction]:
    """Payoffs up to the first one near the limit; rising to it for sign 1, else falling."""
    found: list[Fraction] = []
    for n in range(1, MOST_STATES + 1):
        value = exact_payoff(payoff(n), f"{name}({n})")
        if found and sign * (value - found[-1]) < 0:
            way = "nondecreasing" if sign > 0 else "nonincreasing"
            raise ModelError(f"{name}({n}) is {value} after {found[-1]}; it must be {way}")
        if sign * (limit - value) < 0:
            raise ModelError(f"{name}({n}) is {value}, past its limit {limit}")
        found.append(value)
        if sign * (limit - value) <= tol:
            return found
    raise ModelError(
        f"{name}({MOST_STATES}) is {float(found[-1]):.6g}, not within {float(tol):.3g} of its "
        f"limit {limit}; a larger tol is needed"
    )


def _number(given: Any, name: str) -> Fraction:
    try:
        return Fraction(given)
    except (TypeError, ValueError, OverflowError, ZeroDivisionError):
        raise ModelError(f"{name} is {given!r}; it must be a finite number") from None
