"""Bounds of values and losses in closed form, as their theorems state them.

The problem: a value v of a discounted model, its residual T v - v, and an error eps, or a second
model. What follows for V*, and for the policy that acts greedily? With m = min (T_pi v - v) and
M = max (T v - v), clipped to m <= 0 <= M where episodes may end:

    T v + discount m / (1 - discount) <= V^pi <= V* <= T v + discount M / (1 - discount)

for pi greedy (MacQueen 1966; Puterman, Markov Decision Processes, 1994, ch. 6), and the loss of
acting greedily for v with |v - V*| <= eps is at most 2 discount eps / (1 - discount) (Singh and
Yee 1994). Numbers given as fractions give fractions; bounds of models are rounded outward, so that
they hold for the model as stored. Proofs: docs/theory/foundations.md, under the claims
plan-macqueen, plan-greedy-loss, plan-residual-loss, plan-simulation, plan-variance-resolvent and
plan-howard.
"""

import math
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rltheory import _core
from rltheory.errors import ModelError
from rltheory.mathematics.rounding import round_down, round_up
from rltheory.mdp.arguments import at_least
from rltheory.mdp.model import MDP
from rltheory.mdp.policies import rows_of
from rltheory.solvers.bellman import discount_of, value_array

__all__ = [
    "greedy_loss_bound",
    "howard_iteration_bound",
    "macqueen",
    "residual_loss_bound",
    "simulation_bound",
    "variance_resolvent_bound",
]

Number = int | float | Fraction
Vector = NDArray[np.float64]


def macqueen(mdp: MDP, value: Any) -> tuple[Vector, Vector]:
    """The bracket that one application of T gives: lower <= V^pi <= V* <= upper, pi greedy.

    Parameters
    ----------
    mdp : MDP
        With a discount; of doubles.
    value : array_like, shape (S,)

    Returns
    -------
    lower, upper : ndarray of float64, shape (S,)
        Rounded outward. pi is the policy that `greedy` returns.

    References
    ----------
    MacQueen, A modified dynamic programming method, 1966; Puterman 1994, ch. 6.

    Examples
    --------
    >>> import rltheory as rlt
    >>> from rltheory.solvers.bounds import macqueen
    >>> stays = rlt.MDP([[[1, 0]], [[0, 1]]], [[0.0], [1.0]], discount=0.5)
    >>> lower, upper = macqueen(stays, [0.0, 0.0])  # V* is 0 and 2
    >>> bool((lower <= [0.0, 2.0]).all()), upper.round(6).tolist()
    (True, [1.0, 2.0])
    """
    v = _value(mdp, value)
    rest = 1 - Fraction(discount_of(mdp))
    swept, rows = _core.solvers.bellman(mdp.core, 0, discount_of(mdp), v)
    m, M = _residuals(mdp, v, v, rows)
    # T_pi v and T v against what was computed of them: rounding, and nearly nothing else.
    less, more = _residuals(mdp, v, swept, rows)
    m, M = _exit_safe(mdp, m, M)
    share = (1 - rest) / rest
    return _core.solvers.round_outward(
        swept, np.zeros_like(swept), round_down(less + share * m), round_up(more + share * M)
    )


def greedy_loss_bound(discount: Number, error: Number, of: str = "value") -> Any:
    """What acting greedily loses at most, in every state.

    Parameters
    ----------
    discount : number
        In [0, 1).
    error : number
        At least max |v - V*|, or max |q - Q*|.
    of : {"value", "q"}
        Whether the policy is greedy for r + discount P v, or for q itself.

    Returns
    -------
    number
        2 discount error / (1 - discount) for a value, 2 error / (1 - discount) for q.

    References
    ----------
    Singh and Yee, An upper bound on the loss from approximate optimal-value functions, 1994;
    Bertsekas and Tsitsiklis, Neuro-Dynamic Programming, 1996.

    Examples
    --------
    >>> from fractions import Fraction
    >>> from rltheory.solvers.bounds import greedy_loss_bound
    >>> greedy_loss_bound(Fraction(9, 10), Fraction(1, 4))
    Fraction(9, 2)
    >>> greedy_loss_bound(0.5, 0.25, of="q")
    1.0
    """
    _in_range("discount", discount)
    _not_negative("error", error)
    if of not in ("value", "q"):
        raise ModelError(f"of is {of!r}; it must be 'value' or 'q'")
    return 2 * error * (discount if of == "value" else 1) / (1 - discount)


def residual_loss_bound(mdp: MDP, value: Any, policy: Any = None) -> float:
    """What a policy loses at most, in every state, by the residuals of any value.

    Parameters
    ----------
    mdp : MDP
        With a discount; of doubles.
    value : array_like, shape (S,)
    policy : array_like of int, shape (S,), optional
        Actions; the greedy policy of `value` when left out.

    Returns
    -------
    float
        (max (T v - v) - min (T_policy v - v)) / (1 - discount), times the discount for the greedy
        policy; rounded up.

    References
    ----------
    Puterman 1994, ch. 6.

    Examples
    --------
    >>> import rltheory as rlt
    >>> from rltheory.solvers.bounds import residual_loss_bound
    >>> loops = rlt.MDP([[[1], [1]]], [[1.0, 0.0]], discount=0.5)
    >>> round(residual_loss_bound(loops, [0.0], policy=[1]), 6)
    2.0
    >>> residual_loss_bound(loops, [0.0]) < 1e-12
    True
    """
    v = _value(mdp, value)
    discount = Fraction(discount_of(mdp))
    if policy is not None:
        m, M = _exit_safe(mdp, *_residuals(mdp, v, v, rows_of(mdp, policy)))
        return round_up((M - m) / (1 - discount))
    swept, rows = _core.solvers.bellman(mdp.core, 0, float(discount), v)
    less, more = _residuals(mdp, v, swept, rows)  # how far the rows are from greedy ones
    m, M = _exit_safe(mdp, *_residuals(mdp, v, v, rows))
    return round_up(discount * (M - m) / (1 - discount) + more - less)


def simulation_bound(
    reward_error: Number,
    l1_error: Number,
    *,
    discount: Number | None = None,
    horizon: int | None = None,
    reward_range: Number = 1,
    form: str = "coupling",
) -> Any:
    """By how much a policy's values in two models without exits differ at most.

    Parameters
    ----------
    reward_error : number
        At least |r - r'| at every pair, and at most `reward_range`.
    l1_error : number
        At least sum_s' |P - P'|, so in [0, 2], at every pair.
    discount, horizon : number, int
        One of them.
    reward_range : number
        Length of an interval that holds all rewards of both models.
    form : {"coupling", "classical"}
        With g the discount and q = l1_error / 2, "coupling" counts the time until two coupled
        runs part, reward_error/(1-g) + (range - reward_error) (1/(1-g) - 1/(1-g+g q)), and is
        attained; "classical" is linear in l1_error, reward_error/(1-g) + g range q/(1-g)^2.

    Returns
    -------
    number
        A bound at every state, at stage 0 with a horizon.

    References
    ----------
    Kearns and Singh, Near-optimal reinforcement learning in polynomial time, 2002, for the shape;
    the coupling form is derived in docs/theory/foundations.md.

    Examples
    --------
    >>> from fractions import Fraction
    >>> from rltheory.solvers.bounds import simulation_bound
    >>> simulation_bound(0, Fraction(1, 5), discount=Fraction(9, 10))
    Fraction(90, 19)
    >>> simulation_bound(0, Fraction(1, 5), discount=Fraction(9, 10), form="classical")
    Fraction(9, 1)
    >>> simulation_bound(0, Fraction(1, 2), horizon=2)
    Fraction(1, 4)
    """
    _not_negative("reward_error", reward_error)
    if not reward_error <= reward_range < math.inf:
        raise ModelError(
            f"reward_error is {reward_error}; it must be at most reward_range, {reward_range}"
        )
    if not 0 <= l1_error <= 2:
        raise ModelError(f"l1_error is {l1_error}; it must be in [0, 2]")
    if form not in ("coupling", "classical"):
        raise ModelError(f"form is {form!r}; it must be 'coupling' or 'classical'")
    if (discount is None) == (horizon is None):
        raise ModelError("one of discount and horizon is needed")
    q = _half(l1_error)
    if discount is not None:
        _in_range("discount", discount)
        rest = 1 - discount
        if form == "classical":
            return (reward_error + discount * reward_range * q / rest) / rest
        apart = discount * q / (rest + discount * q)
        return (reward_error + (reward_range - reward_error) * apart) / rest
    assert horizon is not None
    at_least("horizon", horizon, 1)
    if form == "classical":
        return horizon * reward_error + _half(horizon * (horizon - 1)) * q * reward_range
    apart, total = 0 * q, 0 * q
    for _ in range(horizon):
        total, apart = total + apart, apart + q * (1 - apart)
    return horizon * reward_error + (reward_range - reward_error) * total


def variance_resolvent_bound(discount: Number, form: str = "total-variance") -> float:
    """A bound of max_s discount ((I - discount P)^-1 sigma)(s), where sigma^2 = Var_{s'}(V).

    The chain is that of a policy of actions without exits, and rewards are in [0, 1].

    Parameters
    ----------
    discount : number
        In [0, 1).
    form : {"total-variance", "centred"}
        sqrt(1 + discount) / (2 (1 - discount)^(3/2)) by the law of total variance, or the smaller
        sqrt(discount) / (2 (1 - discount)^(3/2)) by rewards centred to [-1/2, 1/2].

    Returns
    -------
    float

    References
    ----------
    Azar, Munos and Kappen, Minimax PAC bounds on the sample complexity of reinforcement learning
    with a generative model, 2013, for the shape; constants in docs/theory/foundations.md.

    Examples
    --------
    >>> from rltheory.solvers.bounds import variance_resolvent_bound
    >>> round(variance_resolvent_bound(0.75), 6)
    5.291503
    >>> round(variance_resolvent_bound(0.75, form="centred"), 6)
    3.464102
    """
    _in_range("discount", discount)
    if form not in ("total-variance", "centred"):
        raise ModelError(f"form is {form!r}; it must be 'total-variance' or 'centred'")
    rest = float(1 - discount)
    return math.sqrt(discount + (form == "total-variance")) / (2.0 * rest * math.sqrt(rest))


def howard_iteration_bound(mdp: MDP) -> int:
    """How often policy iteration switches actions at most.

    Parameters
    ----------
    mdp : MDP
        With a discount.

    Returns
    -------
    int
        The smaller of prod_s A_s - 1 and (pairs - S) max(1, ceil(log(1/(1-g)) / (1-g))), with g
        the discount.

    References
    ----------
    Scherrer, Improved and generalized upper bounds on the complexity of policy iteration, 2016;
    Ye 2011; the number of policies is Howard's own bound (1960).

    Examples
    --------
    >>> import rltheory as rlt
    >>> from rltheory.solvers.bounds import howard_iteration_bound
    >>> howard_iteration_bound(rlt.riverswim(6, discount=0.99))
    63
    """
    discount_of(mdp)  # that there is one
    rest = 1 - Fraction(mdp.discount or 0)
    span = -math.log(rest) / float(rest)
    # Rounded up past the rounding errors of the logarithm and the quotient.
    rounds = max(1, math.ceil(span * (1 + 2.0**-48)))
    most = (mdp.n_pairs - mdp.n_states) * rounds
    policies = 1
    for actions in np.diff(mdp.pair_ptr).tolist():
        policies *= actions
        if policies > most:
            return most
    return policies - 1


def _value(mdp: MDP, value: Any) -> Vector:
    if mdp.rational is not None:
        raise ModelError("the model is exact; this bound is of a model of doubles")
    discount_of(mdp)
    return value_array(mdp, value)


def _residuals(
    mdp: MDP, ahead: Vector, own: Vector, rows: NDArray[np.int64]
) -> tuple[Fraction, Fraction]:
    """Below all T_rows ahead - own, above all T ahead - own (docs/theory/certificates.md, T1)."""
    low, high, finite = _core.solvers.residual_bounds(
        mdp.core, 0, discount_of(mdp), ahead, own, rows
    )
    if not finite:
        raise ModelError("overflow: residuals are not finite as doubles")
    return Fraction(low), Fraction(high)


def _exit_safe(mdp: MDP, m: Fraction, M: Fraction) -> tuple[Fraction, Fraction]:
    if not mdp.core.has_exits:
        return m, M
    return min(Fraction(0), m), max(Fraction(0), M)


def _half(x: Number) -> Number:
    return x / 2 if isinstance(x, float) else Fraction(x) / 2


def _in_range(name: str, discount: Number) -> None:
    if not 0 <= discount < 1:
        raise ModelError(f"{name} is {discount}; it must be in [0, 1)")


def _not_negative(name: str, x: Number) -> None:
    if not 0 <= x < math.inf:
        raise ModelError(f"{name} is {x}; it must be finite and at least 0")
