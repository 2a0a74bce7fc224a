"""The law within an ambiguity set that is worst for a value, one row at a time.

    l1          {p : |p - nominal|_1 <= radius}: min(radius/2, what is not there yet) goes to the
                outcome of least value, taken from the largest values downward
    intervals   {p : lower <= p <= upper}: from lower, filled up in ascending order of the value

Both solve a linear program by exchange (Iyengar, Math. OR 2005; Nilim and El Ghaoui, Oper. Res.
2005). Written for any numbers: given fractions, the answer is exact. The compiled core does the
same to all rows of a model.
"""

from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rltheory.errors import ModelError

__all__ = ["worst_case_row"]

_SUM_TOLERANCE = 1e-9


def worst_case_row(
    p: Any,
    value: Any,
    radius: Any = None,
    *,
    lower: Any = None,
    upper: Any = None,
    support_only: bool = False,
    optimistic: bool = False,
) -> NDArray[Any]:
    """The law of an ambiguity set that makes the mean of a value least.

    Parameters
    ----------
    p : array_like, shape (S,)
        The nominal law; sums to 1.
    value : array_like, shape (S,)
    radius : number, optional
        L1 distance from `p`, at least 0; beyond 2 it allows every law.
    lower, upper : array_like, shape (S,), optional
        Entrywise bounds in place of the radius, with lower <= p <= upper; 0 and 1 if left out.
    support_only : bool
        Under `radius`, whether mass stays on the outcomes that `p` has.
    optimistic : bool
        The law that makes the mean largest instead.

    Returns
    -------
    ndarray, shape (S,)
        Of fractions if `p` holds fractions or integers and nothing is a float, else of floats.
        Where values are equal the law is not unique: mass is taken from and given to the first of
        them. Its mean is.

    Raises
    ------
    ModelError
        If the law, the radius or a bound is none.

    Examples
    --------
    >>> import rltheory as rlt
    >>> rlt.worst_case_row([0.5, 0.25, 0.25], [1.0, 0.0, 2.0], radius=1.0).tolist()
    [0.25, 0.75, 0.0]
    >>> rlt.worst_case_row([0.5, 0.5, 0.0], [2.0, 1.0, 0.0], upper=[0.75, 0.75, 0.25]).tolist()
    [0.0, 0.75, 0.25]
    """
    laws = [x for x in (p, value, radius, lower, upper) if x is not None]
    exact = all(isinstance(y, int | Fraction) for x in laws for y in np.asarray(x, object).flat)
    nominal, values = _numbers("p", p, exact), _numbers("value", value, exact)
    if len(values) != len(nominal) or not nominal:
        raise ModelError(f"p has {len(nominal)} entries and value {len(values)}; both need S >= 1")
    _refuse("p", nominal, lambda x: x >= 0)
    if not abs(sum(nominal) - 1) <= (0 if exact else _SUM_TOLERANCE):
        raise ModelError(f"p sums to {sum(nominal)!s}; a law must sum to 1")
    keys = [-x for x in values] if optimistic else values
    if radius is not None:
        if lower is not None or upper is not None:
            raise ModelError("radius and bounds are both given; one of them says the set")
        (size,) = _numbers("radius", [radius], exact)
        if not size >= 0:
            raise ModelError(f"radius is {radius!r}; it must be at least 0")
        law = _within_l1(
            nominal, keys, min(size, 2) / (2 if not exact else Fraction(2)), support_only
        )
    else:
        if lower is None and upper is None:
            raise ModelError("neither a radius nor bounds are given")
        if support_only:
            raise ModelError("support_only is for a radius; intervals say their own support")
        S, one = len(nominal), Fraction(1) if exact else 1.0
        low = [0 * one] * S if lower is None else _numbers("lower", lower, exact)
        high = [one] * S if upper is None else _numbers("upper", upper, exact)
        law = _within_intervals(nominal, keys, low, high)
    return np.array(law, dtype=object if exact else np.float64)


def _numbers(name: str, x: Any, exact: bool) -> list[Any]:
    array = np.asarray(x, dtype=object)
    if array.ndim != 1:
        raise ModelError(f"{name} has shape {array.shape}; it must have one dimension")
    try:
        out = [Fraction(y) if exact else float(y) for y in array]
    except (TypeError, ValueError, OverflowError):
        raise ModelError(f"{name} must hold real numbers") from None
    _refuse(name, out, lambda y: exact or bool(np.isfinite(y)))
    return out


def _refuse(name: str, x: list[Any], valid: Any) -> None:
    for i, y in enumerate(x):
        if not valid(y):
            raise ModelError(f"{name}[{i}] is {y!s}; it must be finite and at least 0")


def _within_l1(p: list[Any], value: list[Any], budget: Any, support_only: bool) -> list[Any]:
    law = list(p)
    reachable = [i for i in range(len(p)) if p[i] > 0 or not support_only]
    to = min(reachable, key=value.__getitem__)
    for i in sorted(reachable, key=lambda i: -value[i]):
        if i != to:
            moved = min(budget, law[i])
            law[i] -= moved
            law[to] += moved
            budget -= moved
    return law


def _within_intervals(p: list[Any], value: list[Any], low: list[Any], high: list[Any]) -> list[Any]:
    for name, bound, side, sign in (("lower", low, "at most", 1), ("upper", high, "at least", -1)):
        if len(bound) != len(p):
            raise ModelError(f"{name} has {len(bound)} entries; {len(p)} are needed")
        _refuse(name, bound, lambda x: x >= 0)
        for i, (b, x) in enumerate(zip(bound, p, strict=True)):
            if sign * (b - x) > 0:
                raise ModelError(f"{name}[{i}] is {b!s} and p[{i}] is {x!s}; it must be {side} p")
    law, left = list(low), sum(p) - sum(low)
    for i in sorted(range(len(p)), key=value.__getitem__):
        filled = min(left, high[i] - low[i])
        law[i] += filled
        left -= filled
    return law
