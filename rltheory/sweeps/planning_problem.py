"""Planning with a generative model, as a problem for `sample_complexity`.

The error of a plan is what its policy loses, max_s V*(s) - V^policy(s), or how far its value is
off, max_s |value(s) - V*(s)|. On discounted models of up to 60 states both true values are computed
in rationals, of the rational model that the doubles mean, once for each policy that comes up; on
others in doubles, each to 1e-10 of the largest value.

What a policy loses on one fixed model takes finitely many values and is 0 from some n on, so that
its sample complexity follows (1/eps)^2 only as far as the model has gaps of the size of eps; the
error of the value follows it for every small eps.
"""

from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rltheory.errors import ModelError
from rltheory.mdp.access import generative
from rltheory.mdp.episodic import EpisodicMDP
from rltheory.mdp.model import MDP
from rltheory.solvers.evaluate import evaluate
from rltheory.solvers.exact import solve_exact
from rltheory.solvers.solve import solve

__all__ = ["PlanningProblem", "planning_problem"]

_EXACT_STATES = 60
_MOST_KEPT = 10_000


class PlanningProblem:
    """A generative model, and the exact error of what was planned with it."""

    def __init__(self, mdp: MDP | EpisodicMDP, of: str = "policy") -> None:
        self.mdp, self.of = mdp, of
        self._exact = mdp.n_states <= _EXACT_STATES and isinstance(mdp, MDP)
        self._best: Any = solve_exact(mdp).value if self._exact else solve(mdp, rtol=1e-13).value
        self._losses: dict[bytes, float] = {}

    def access(self, seed: Any) -> Any:
        """A generative access with the random numbers of this seed."""
        return generative(self.mdp, seed=seed)

    def error(self, output: Any) -> float:
        """max V* - V^policy of the output's policy, or max of ``abs(value - V*)`` of its value."""
        if self.of == "value":
            best = np.array(self._best, dtype=np.float64)
            return float(np.abs(np.asarray(output.value) - best).max())
        policy = np.ascontiguousarray(output.policy, dtype=np.int64)
        key = policy.tobytes()
        loss = self._losses.get(key)
        if loss is None:
            loss = self._loss(policy)
            if len(self._losses) < _MOST_KEPT:
                self._losses[key] = loss
        return loss

    def _loss(self, policy: NDArray[np.int64]) -> float:
        if not self._exact:
            return float((self._best - evaluate(self.mdp, policy)).max())
        value = solve_exact(_only(self.mdp, policy)).value
        return float(max(x - y for x, y in zip(self._best, value, strict=True)))


def planning_problem(mdp: MDP | EpisodicMDP, of: str = "policy") -> PlanningProblem:
    """Planning in this model from samples, for `sample_complexity`.

    Parameters
    ----------
    mdp : MDP or EpisodicMDP
        An `MDP` needs a discount.
    of : {"policy", "value"}
        Whether the error is the loss of ``output.policy`` or that of ``output.value``.

    Returns
    -------
    PlanningProblem
        ``access(seed)`` is a generative access; ``error(output)`` max V* - V^policy, or
        max of ``abs(value - V*)``.

    Raises
    ------
    ModelError
        If it is no such model, or `of` is something else.

    Examples
    --------
    >>> import rltheory as rlt
    >>> problem = rlt.planning_problem(rlt.riverswim(4, discount=0.9))
    >>> problem.error(rlt.PlugIn(1000)(problem.access(seed=0)))
    0.0
    """
    if not isinstance(mdp, MDP | EpisodicMDP):
        raise ModelError(
            f"planning_problem takes an MDP or an EpisodicMDP, not {type(mdp).__name__}"
        )
    if of not in ("policy", "value"):
        raise ModelError(f"of is {of!r}; it must be 'policy' or 'value'")
    return PlanningProblem(mdp, of)


def _only(mdp: MDP | EpisodicMDP, policy: NDArray[np.int64]) -> MDP:
    """The exact model that has this policy's action alone in each state."""
    assert isinstance(mdp, MDP)
    exact = mdp.as_exact()
    rational = exact.rational
    assert rational is not None
    rows, rewards, ends = [], [], []
    for s, action in enumerate(policy.tolist()):
        pairs = range(rational.state_ptr[s], rational.state_ptr[s + 1])
        row = next(r for r in pairs if int(exact.actions[r]) == action)
        dense = [Fraction(0)] * mdp.n_states
        for k in range(rational.row_ptr[row], rational.row_ptr[row + 1]):
            dense[rational.col[k]] = rational.prob[k]
        rows.append([dense])
        rewards.append([rational.reward[row]])
        ends.append([1 - sum(dense)])
    ended = ends if any(any(e) for e in ends) else None
    return MDP(rows, rewards, exact.discount, termination=ended, exact=True)
