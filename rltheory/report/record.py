"""One answer as a JSON object, for programs.

A JSON number is read back as the same double. Rationals are strings "p/q", with the nearest
double beside them. JSON has no infinity: what is not finite is null.
"""

import math
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rltheory.report.answer import Answer
from rltheory.report.brackets import Number

MANY_STATES = 10_000
"""Above so many states, value and policy are written to files only."""


def record(answer: Answer, full: bool = False) -> dict[str, Any]:
    """What came out for one source, ready for ``json.dumps(..., allow_nan=False)``.

    Parameters
    ----------
    answer : Answer
    full : bool
        True: value, policy and bounds of every state, however many there are. False: value
        and policy up to 10,000 states, no bounds.

    Returns
    -------
    dict
        ``value`` is a list over states, or over stages of such lists, and under average reward
        the gain; ``start`` the bounds of
        the optimal value of the start law, outward to doubles, null without a start law;
        ``within_tol`` whether ``gap <= tol``, and if not, ``failure`` says why. Models with
        names of states or actions have ``state_labels``, ``action_labels``.
    """
    mdp = answer.mdp
    keeps = full or mdp.n_states <= MANY_STATES
    note = answer.note
    if not keeps:
        left = f"value and policy of more than {MANY_STATES} states are written by --output only"
        note = f"{note}; {left}" if note else left
    out: dict[str, Any] = {
        "source": answer.source,
        "states": mdp.n_states,
        "actions": mdp.n_actions,
        "pairs": mdp.n_pairs,
        "criterion": answer.criterion,
    }
    if answer.criterion == "discounted":
        out["discount"] = _number(answer.discount)
    elif answer.horizon is not None:
        out["horizon"] = answer.horizon
    out |= {
        "method": answer.method,
        "start": _outward(answer.start),
        "gap": _number(answer.gap),
        "tol": _number(answer.tol),
        "within_tol": not answer.failure,
        "failure": answer.failure or None,
        "iterations": answer.iterations,
        "seconds": round(answer.seconds, 6),
        "note": note,
        "fingerprint": mdp.fingerprint,
        "value": _numbers(answer.value) if keeps else None,
    }
    if answer.exact:
        out["value_float"] = _floats(answer.value) if keeps else None
    out["policy"] = answer.policy.tolist() if keeps and answer.policy is not None else None
    for key in ("state_labels", "action_labels"):
        labels = getattr(mdp, key)
        if keeps and labels is not None:
            out[key] = list(labels)
    if full:
        out["lower"] = _numbers(answer.lower)
        out["upper"] = _numbers(answer.upper)
    return out


def _numbers(values: NDArray[Any] | None) -> Any:
    """Nested lists of what `_number` writes."""
    if values is None:
        return None
    if values.dtype != object and np.isfinite(values).all():
        return values.tolist()
    return _each(_number, values.tolist())


def _floats(values: NDArray[Any] | None) -> Any:
    return None if values is None else _each(_nearest, values.tolist())


def _each(what: Any, values: Any) -> Any:
    return [_each(what, value) for value in values] if isinstance(values, list) else what(values)


def _number(x: Number | None) -> float | str | None:
    if isinstance(x, Fraction):
        # Through Decimal: Python refuses to print integers of more than 4,300 digits.
        top = str(Decimal(x.numerator))
        return top if x.denominator == 1 else f"{top}/{Decimal(x.denominator)}"
    return x if x is not None and math.isfinite(x) else None


def _nearest(x: Number) -> float | None:
    try:
        return float(x)
    except OverflowError:
        return None


def _outward(bounds: tuple[Number, Number] | None) -> list[float | None] | None:
    """Doubles around exact bounds."""
    if bounds is None:
        return None
    low, high = (_nearest(x) for x in bounds)
    if low is not None and low > bounds[0]:
        low = math.nextafter(low, -math.inf)
    if high is not None and high < bounds[1]:
        high = math.nextafter(high, math.inf)
    return [_finite(low), _finite(high)]


def _finite(x: float | None) -> float | None:
    return x if x is not None and math.isfinite(x) else None
