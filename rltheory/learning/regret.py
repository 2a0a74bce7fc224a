"""The exact regret of a run: of the policies that were played, not of what they happened to earn.

Symbols: start law rho, V^pi of `rltheory.evaluate`, V* of `rltheory.solve`, and pi_k the policy of
episode k. The pseudo-regret of episode k against a comparator c is

    c - rho V_0^{pi_k},

with c = rho V_0*, the largest rho V_0^pi of a class, that of one policy, or a number.

Each distinct policy is evaluated once, by backward induction with the true model: nothing is
sampled, and the error is that of the rounding of some H S operations.
"""

from collections.abc import Iterable
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rltheory import _core
from rltheory.errors import ModelError, PolicyError
from rltheory.learning.played import ActionPolicies
from rltheory.learning.run_log import RunLog
from rltheory.mdp.episodic import EpisodicMDP
from rltheory.solvers.evaluate import evaluate
from rltheory.solvers.solve import solve

__all__ = ["regret", "start_values"]


def regret(
    log: RunLog,
    mdp: EpisodicMDP,
    comparator: Any = "optimum",
    policies: Iterable[Any] | None = None,
) -> NDArray[np.float64]:
    """The exact pseudo-regret of every episode of a run.

    Parameters
    ----------
    log : RunLog
    mdp : EpisodicMDP
        The model that was played, with its start law.
    comparator : {"optimum", "best-in-class"}, policy or number
        What the learner is compared with: the optimal value; the best of `policies`; a policy; or
        a value itself, such as alpha times the optimal one.
    policies : iterable of policies, optional
        The class, for "best-in-class".

    Returns
    -------
    ndarray of float64, shape (episodes,)
        Its cumulated sum is the regret curve. Negative where the learner does better than the
        comparator.

    Raises
    ------
    ModelError
        If the model has no start law, or the comparator is unknown or not finite.
    PolicyError
        If some episode was played without a declared policy, or a policy is none of this model.
    """
    if len(log.which) and int(log.which.min()) < 0:
        raise PolicyError(
            "the learner declared no policy for some episodes, whose regret is not defined"
        )
    best = _comparator_value(mdp, comparator, policies)
    played = start_values(mdp, log.policies)
    return np.repeat(best - played[log.which], log.lengths)


def start_values(mdp: EpisodicMDP, policies: Iterable[Any]) -> NDArray[np.float64]:
    """rho V_0 of each policy."""
    rho = _start_law(mdp)
    if isinstance(policies, ActionPolicies) and policies.shape == (mdp.horizon, mdp.n_states):
        changes = (policies.places.astype(np.uint32), policies.actions.astype(np.uint16))
        try:
            return _core.learning.start_values(
                mdp.core, mdp.horizon, rho, policies.offsets, *changes
            )
        except ValueError as fault:
            raise PolicyError(str(fault)) from None
    return np.array([float(rho @ evaluate(mdp, policy)[0]) for policy in policies])


def _comparator_value(mdp: EpisodicMDP, comparator: Any, policies: Iterable[Any] | None) -> float:
    if policies is not None and not (isinstance(comparator, str) and comparator == "best-in-class"):
        raise ModelError("policies are given; they are the class of comparator='best-in-class'")
    if isinstance(comparator, str):
        if comparator == "optimum":
            return float(_start_law(mdp) @ solve(mdp).value[0])
        if comparator == "best-in-class":
            values = start_values(mdp, () if policies is None else policies)
            if not len(values):
                raise ModelError("comparator='best-in-class' needs a class with policies in it")
            return float(values.max())
        raise ModelError(
            f"comparator is {comparator!r}; it must be 'optimum', 'best-in-class', a policy or a "
            "number"
        )
    if isinstance(comparator, Real) and not isinstance(comparator, bool):
        if not np.isfinite(float(comparator)):
            raise ModelError(f"comparator is {comparator}; it must be finite")
        return float(comparator)
    return float(start_values(mdp, [comparator])[0])


def _start_law(mdp: EpisodicMDP) -> NDArray[np.float64]:
    if not isinstance(mdp, EpisodicMDP):
        raise ModelError("regret is of episodes: the model needs a horizon; see episodic(H)")
    if mdp.initial is None:
        raise ModelError("the model has no start law; give initial= when it is made")
    return mdp.initial
