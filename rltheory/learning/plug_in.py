"""Plug-in planning: draw every pair n times, and plan in the empirical model.

P_hat(s' | s, a) is the share of the n draws of (s, a) that led to s', r_hat their mean reward; the
optimum of this model is found by policy iteration (algorithm F7 of the foundations):

    V_hat = max_a r_hat + discount P_hat V_hat,      pi_hat greedy for Q_hat.

For rewards in [0, 1] that are known, no exits, S states and A actions, each bound holds with
probability at least 1 - delta, g the discount, eps = sqrt(2 log((2^S - 2) S A / delta) / n),
b = log(4 S A / delta), m = n - 1:

    form          |V_hat - V*| at most                         V* - V^pi_hat at most
    hoeffding     E = g/(1-g)^2 sqrt(log(2SA/delta) / 2n)      2 E / (1-g)
    l1            g eps / 2(1-g)^2                             g eps / (1-g)^2
    variance      2X                                           2 g (2X + Y) / (1-g)

    X = sqrt((1+g) b / 2m(1-g)^3) + 7 g b / 3m(1-g)^2,   Y = sqrt(b / 2m)/(1-g) + 7b / 3m(1-g),
    provided that m >= max(1, 8 g^2 b / (1-g)^2).

References: Azar, Munos and Kappen, Machine Learning 91, 2013; Agarwal, Kakade and Yang, COLT 2020.
Proofs: docs/theory/plug_in.md.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rltheory.errors import ModelError
from rltheory.mathematics.concentration import l1_radius
from rltheory.mdp.data.counts import Counts, Unvisited
from rltheory.mdp.episodic import EpisodicMDP
from rltheory.mdp.model import MDP
from rltheory.solvers.solution import Solution
from rltheory.solvers.solve import solve

__all__ = ["PlugIn", "PlugInPlan", "draws_of", "known_to", "model_of", "plugin_bound"]

_DIRECT_STATES = 500
"""Up to which policy iteration solves the equations of each policy directly."""


@dataclass(frozen=True, eq=False)
class PlugInPlan:
    """What plug-in planning returns.

    Parameters
    ----------
    policy : ndarray of int64, shape (S,) or (H, S)
        Optimal in the empirical model, up to the certified gap of `solution`.
    value : ndarray of float64, shape (S,) or (H+1, S)
        Optimal value of the empirical model, not of the true one.
    q : ndarray of float64, shape (S, A) or (H, S, A); one a row on ragged models
    n : int
        Draws of each pair.
    model : MDP or EpisodicMDP
        The empirical model.
    solution : Solution
        Of it, with its certificate.
    """

    policy: NDArray[np.int64]
    value: NDArray[np.float64]
    q: NDArray[np.float64]
    n: int
    model: MDP | EpisodicMDP
    solution: Solution


@dataclass(frozen=True)
class PlugIn:
    """Plug-in planning with a generative model.

    Parameters
    ----------
    n : int, optional
        Draws of each pair (of each stage), at least 1; may be given with the call instead, as
        `sample_complexity` does.

    Examples
    --------
    >>> import rltheory as rlt
    >>> mdp = rlt.riverswim(4, discount=0.9)
    >>> plan = rlt.PlugIn(2000)(rlt.planning_problem(mdp).access(seed=0))
    >>> plan.policy.tolist(), rlt.solve(mdp).policy.tolist()
    ([1, 1, 1, 1], [1, 1, 1, 1])
    """

    n: int | None = None

    def __post_init__(self) -> None:
        if self.n is not None:
            draws_of(self.n)

    def __call__(self, access: Any, n: int | None = None, seed: Any = 0) -> PlugInPlan:
        """Draw and plan.

        Parameters
        ----------
        access : generative access (`rlt.generative`)
        n : int, optional
            Takes the place of the one given before.
        seed
            Not used: there is no randomness beside that of the access.

        Returns
        -------
        PlugInPlan

        Raises
        ------
        ModelError
            If n is missing or no integer of at least 1.
        AccessError
            If the access does not draw at every pair.
        """
        draws = draws_of(self.n if n is None else n)
        model = model_of(access.counts(draws), **known_to(access))
        small = isinstance(model, MDP) and model.n_states <= _DIRECT_STATES
        solution = solve(model, method="policy-iteration" if small else "auto")
        return PlugInPlan(
            solution.policy, solution.value, solution.q, draws, model=model, solution=solution
        )


def draws_of(n: Any) -> int:
    """n, if it is a number of draws."""
    if isinstance(n, bool) or not isinstance(n, int | np.integer) or n < 1:
        raise ModelError(f"n is {n!r}; the draws of each pair are an integer of at least 1")
    return int(n)


def model_of(
    counts: Counts, discount: Any, horizon: int | None, absent: bool = True
) -> MDP | EpisodicMDP:
    """The empirical model.

    Pairs that a generative access did not draw are not in the model, hence `absent`.
    """
    unvisited: Unvisited = "absent" if absent else "refuse"
    if horizon is not None:
        staged = counts.horizon is not None
        return counts.empirical(horizon=None if staged else horizon, unvisited=unvisited)
    if discount is None:
        raise ModelError("the model has neither a discount nor a horizon; planning needs one")
    return counts.empirical(float(discount), unvisited=unvisited)


def known_to(access: Any) -> dict[str, Any]:
    """The discount or the horizon, which the access tells."""
    info = access.mdp_info
    return {name: getattr(info, name, None) for name in ("discount", "horizon")}


def plugin_bound(
    S: int,
    A: int,
    n: ArrayLike,
    discount: float,
    delta: float,
    form: str = "hoeffding",
    of: str = "policy",
) -> NDArray[np.float64]:
    """How far plug-in planning with n draws of each pair may be off, but for chance delta.

    Parameters
    ----------
    S, A : int
        At least 1; on ragged models A is the number of pairs divided by S.
    n : array_like
        Draws of each pair, at least 1.
    discount : float
        In [0, 1).
    delta : float
        In (0, 1).
    form : {"hoeffding", "l1", "variance"}
        Which of the bounds in this module's header; "variance" has the minimax power of
        1 - discount for `of="value"`, "l1" the better one of the first two for large discounts.
    of : {"policy", "value"}
        The loss of the policy, or the error of the value.

    Returns
    -------
    ndarray of float64, like `n`
        Infinite where "variance" does not apply. Bounds above 1/(1 - discount) say nothing.

    Raises
    ------
    ModelError
        If an argument is out of its range.

    Examples
    --------
    >>> from rltheory.learning.plug_in import plugin_bound
    >>> [round(float(plugin_bound(2, 1, 400_000, 0.99, 0.1, form, "value")), 1)
    ...  for form in ("hoeffding", "l1", "variance")]
    [21.3, 21.3, 7.1]
    """
    draws = np.asarray(n, dtype=np.float64)
    if S < 1 or A < 1 or not (draws >= 1.0).all():
        raise ModelError(f"S, A, n are {S!r}, {A!r}, {n!r}; each must be at least 1")
    if not 0.0 <= discount < 1.0:
        raise ModelError(f"discount is {discount!r}; it must be in [0, 1)")
    if not 0.0 < delta < 1.0:
        raise ModelError(f"delta is {delta!r}; it must be in (0, 1)")
    if form not in _FORMS:
        raise ModelError(f"form {form!r} is unknown; known are {', '.join(_FORMS)}")
    if of not in ("policy", "value"):
        raise ModelError(f"of is {of!r}; it must be 'policy' or 'value'")
    value, policy = _FORMS[form](S, S * A, draws, discount, delta)
    return np.asarray(value if of == "value" else policy)[()]


# Each form: (S, pairs, n, discount, delta) -> bounds of the value's error, of the policy's loss.


def _hoeffding(S: int, pairs: int, n: Any, g: float, delta: float) -> tuple[Any, Any]:
    error = g / (1.0 - g) ** 2 * np.sqrt(np.log(2.0 * pairs / delta) / (2.0 * n))
    return error, 2.0 * error / (1.0 - g)


def _l1(S: int, pairs: int, n: Any, g: float, delta: float) -> tuple[Any, Any]:
    loss = g / (1.0 - g) ** 2 * l1_radius(n, S, delta / pairs)
    return loss / 2.0, loss


def _variance(S: int, pairs: int, n: Any, g: float, delta: float) -> tuple[Any, Any]:
    b, m, left = np.log(4.0 * pairs / delta), np.maximum(n - 1.0, 1.0), 1.0 - g
    x = np.sqrt((1.0 + g) * b / (2.0 * m * left**3)) + 7.0 * g * b / (3.0 * m * left**2)
    y = np.sqrt(b / (2.0 * m)) / left + 7.0 * b / (3.0 * m * left)
    applies = (n >= 2.0) & (n - 1.0 >= 8.0 * g * g * b / left**2)
    value, policy = 2.0 * x, 2.0 * g * (2.0 * x + y) / left
    return np.where(applies, value, np.inf), np.where(applies, policy, np.inf)


_FORMS = {"hoeffding": _hoeffding, "l1": _l1, "variance": _variance}
