r"""Step sizes of mirror descent that grow, and the theorems they come from.

    geometric        eta_{k+1} = ratio * eta_k; with ratio >= theta / (theta - 1) the gap shrinks
                     like (1 - 1/theta)^k (Xiao, JMLR 2022; claim mdpo-rate-geometric), where
                     d* <= theta (1 - discount) rho for the occupancy d* of an optimal policy
    gamma-adaptive   eta_k = max_s log(1 / pi_k(A_k(s) | s)) / (c_0 discount^{2(k+1)}), A_k(s) the
                     actions that maximise Q^k(s, .): the gap shrinks like discount^k, without an
                     assumption on the start law (Johnson, Pike-Burke and Rebeschini, NeurIPS 2023;
                     claim mdpo-rate-gamma)

A schedule is any callable of (k, q, log_policy), the last two of shape (S, A), that returns a step.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rltheory.errors import ModelError
from rltheory.mdp.model import MDP
from rltheory.mirror_descent.log_rows import start_of
from rltheory.mirror_descent.reached import state_occupancy
from rltheory.solvers.bellman import discount_of
from rltheory.solvers.solve import solve

__all__ = [
    "GammaAdaptiveSteps",
    "GeometricSteps",
    "Schedule",
    "distribution_mismatch",
    "positive",
]

Array = NDArray[np.float64]
Schedule = Callable[[int, Array, Array], float]


def positive(name: str, x: Any, infinite: bool = False) -> float:
    """A number above 0, finite unless infinity is allowed."""
    try:
        number = float(x)
        valid = not isinstance(x, bool | np.bool_ | str | bytes) and number > 0.0
    except (TypeError, ValueError, OverflowError):
        valid = False
    if not valid or (math.isinf(number) and not infinite):
        allowed = "above 0" if infinite else "finite and above 0"
        raise ModelError(f"{name} is {x!r}; it must be {allowed}")
    return number


def distribution_mismatch(mdp: MDP, initial: Any = None) -> float:
    """max_s d*(s) / rho(s) / (1 - discount), with the occupancy d* of an optimal policy.

    Parameters
    ----------
    mdp : MDP
        With a discount.
    initial : array_like, shape (S,), optional
        rho in place of the model's start law.

    Returns
    -------
    float
        At least 1; infinite where the optimal policy visits a state that rho leaves out.

    Raises
    ------
    ModelError
        If there is no start law.

    Examples
    --------
    >>> import rltheory as rlt
    >>> mdp = rlt.MDP.deterministic([[1], [1]], [[0.0], [1.0]], 0.5, initial=[0.5, 0.5])
    >>> rlt.distribution_mismatch(mdp)  # d* = (1/4, 3/4)
    3.0
    """
    start = start_of(mdp, initial, "distribution_mismatch")
    visited = state_occupancy(mdp, solve(mdp).policy, start)
    with np.errstate(divide="ignore"):
        ratios = np.divide(visited, start, out=np.zeros_like(visited), where=visited > 0.0)
    return max(1.0, float(ratios.max()) / (1.0 - discount_of(mdp)))


@dataclass(frozen=True)
class GeometricSteps:
    """first, first * ratio, first * ratio^2, ...

    Parameters
    ----------
    first : float
        Above 0.
    ratio : float
        At least 1.

    Examples
    --------
    >>> import rltheory as rlt
    >>> mdp = rlt.MDP.deterministic([[1], [1]], [[0.0], [1.0]], 0.5, initial=[0.5, 0.5])
    >>> rlt.GeometricSteps.of_model(mdp, first=1.0)
    GeometricSteps(first=1.0, ratio=1.5)
    """

    first: float
    ratio: float

    def __post_init__(self) -> None:
        positive("first", self.first)
        if positive("ratio", self.ratio) < 1.0:
            raise ModelError(f"ratio is {self.ratio!r}; it must be at least 1")

    @classmethod
    def of_model(cls, mdp: MDP, first: float, initial: Any = None) -> "GeometricSteps":
        """The smallest ratio of the theorem on this model, theta / (theta - 1)."""
        mismatch = distribution_mismatch(mdp, initial)
        if not 1.0 < mismatch < math.inf:
            raise ModelError(
                f"the mismatch of the start law is {mismatch!r}; geometric steps of a model need "
                "it above 1 (discount above 0) and finite (a start law that leaves out no state "
                "of the optimal policy)"
            )
        return cls(first, mismatch / (mismatch - 1.0))

    def __call__(self, k: int, q: Array, log_policy: Array) -> float:
        try:
            return self.first * self.ratio**k
        except OverflowError:
            return math.inf


@dataclass(frozen=True)
class GammaAdaptiveSteps:
    """max_s log(1 / pi_k(A_k(s) | s)) / (slack discount^{2(k+1)}).

    The theorem needs pi_0 to take an optimal action in every state. Of actions that pi_k never
    takes nothing is seen: A_k(s) are the best of the others, and the run is that of the model
    without them.

    Parameters
    ----------
    discount : float
        Of the model, above 0.
    slack : float
        c_0 above 0: the smaller, the longer the steps; as it tends to 0 they are policy iteration.

    Examples
    --------
    >>> import rltheory as rlt
    >>> mdp = rlt.MDP.deterministic([[0, 0]], [[1.0, 0.0]], discount=0.5)
    >>> steps = rlt.GammaAdaptiveSteps(0.5)
    >>> history = rlt.mirror_descent_policy_iteration(mdp, steps, n_iters=4)
    >>> (2.0 - history.values[:, 0]).round(4).tolist()
    [1.0, 0.1176, 0.0463, 0.0105, 0.0027]
    >>> rlt.mdpo_bound("gamma", mdp, 4, slack=1.0).round(4).tolist()
    [2.0, 1.0, 0.5, 0.25, 0.125]
    """

    discount: float
    slack: float = 1.0

    def __post_init__(self) -> None:
        if not 0.0 < positive("discount", self.discount) < 1.0:
            raise ModelError(f"discount is {self.discount!r}; it must be above 0 and below 1")
        positive("slack", self.slack)

    def __call__(self, k: int, q: Array, log_policy: Array) -> float:
        best = q == q.max(axis=1, where=log_policy > -np.inf, initial=-np.inf, keepdims=True)
        with np.errstate(divide="ignore"):
            others = np.where(best, 0.0, np.exp(log_policy)).sum(axis=1)
            mass = np.where(best, np.exp(log_policy), 0.0).sum(axis=1)
            # log(1 / mass) from whichever of the two is small: neither cancels.
            needed = np.where(others < 0.5, -np.log1p(-np.minimum(others, 0.5)), -np.log(mass))
        lost = np.isinf(needed)
        if lost.any():
            top = np.where(best, log_policy, -np.inf).max(axis=1)
            needed = np.where(lost, -top, needed)
        try:
            return float(needed.max()) / (self.slack * self.discount ** (2 * (k + 1)))
        except ZeroDivisionError:
            return math.inf
