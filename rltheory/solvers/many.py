"""Many rewards, or many discounts, over one transition structure.

The models share the arrays of the transitions; each is solved and certified by itself. Discounts
are solved in ascending order. A solution starts from the value v of the one before, times
(1 - discount_before) / (1 - discount), where that is the better start: where the bracket of
MacQueen, of width span(T v - v) / (1 - discount), is narrower than that of 0, which is the span of
the best rewards. Neighbouring discounts share most of their policy, and policy iteration is then
over after one or two improvements.
"""

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rltheory import _core
from rltheory.errors import ConvergenceError, ModelError
from rltheory.mdp.episodic import EpisodicMDP
from rltheory.mdp.model import MDP
from rltheory.solvers.bellman import discount_of
from rltheory.solvers.solution import Solution
from rltheory.solvers.solve import solve

__all__ = ["solve_many"]


def solve_many(
    mdp: MDP | EpisodicMDP,
    *,
    rewards: Iterable[Any] | None = None,
    discounts: Iterable[Any] | None = None,
    method: str = "auto",
    tol: float | None = None,
    rtol: float | None = None,
) -> list[Solution]:
    """Solve a model with many rewards, or under many discounts.

    Parameters
    ----------
    mdp : MDP or EpisodicMDP
        Its own rewards, or discount, are replaced.
    rewards : iterable of array_like, optional
        Each in the shape of ``mdp.rewards``, or with a horizon (S, A) for all stages.
    discounts : iterable of float, optional
        Each in [0, 1), in any order. Give one of the two.
    method, tol, rtol
        As in `solve`.

    Returns
    -------
    list of Solution
        In the order given; each with ``gap <= tol``.

    Raises
    ------
    ModelError
        If an argument does not fit the model.
    ConvergenceError
        If the gap of one stays above its tolerance; the reason names which.

    Examples
    --------
    >>> import rltheory as rlt
    >>> solutions = rlt.solve_many(rlt.riverswim(), discounts=[0.9, 0.5, 0.99])
    >>> [round(float(s.value[0]), 6) for s in solutions]
    [1.304478, 0.01, 37.854701]
    """
    if not isinstance(mdp, MDP | EpisodicMDP):
        raise ModelError(f"solve_many takes an MDP or an EpisodicMDP, not {type(mdp).__name__}")
    if (rewards is None) == (discounts is None):
        what = "neither" if rewards is None else "both"
        raise ModelError(f"{what} of rewards and discounts given; solve_many needs one")
    for name, given in (("rewards", rewards), ("discounts", discounts)):
        if given is not None and not isinstance(given, Iterable):
            raise ModelError(
                f"{name} is {given!r}; solve_many takes one after another, as [{given!r}]"
            )
    if rewards is not None:
        models: list[MDP | EpisodicMDP] = []
        for i, r in enumerate(rewards):
            try:
                models.append(mdp.with_rewards(r))
            except ModelError as fault:
                raise ModelError(f"rewards[{i}]: {fault}") from None
        name, order = "rewards", list(range(len(models)))
    else:
        assert discounts is not None
        if isinstance(mdp, EpisodicMDP):
            raise ModelError(f"discounts are given; the model has horizon {mdp.horizon}")
        under = [mdp.with_discount(g) for g in discounts]
        models, name = list(under), "discounts"
        order = sorted(range(len(under)), key=lambda i: discount_of(under[i]))
    found: dict[int, Solution] = {}
    last: Solution | None = None
    for i in order:
        model = models[i]
        start = _start(model, last) if isinstance(model, MDP) else None
        try:
            last = found[i] = solve(model, method=method, tol=tol, rtol=rtol, initial_value=start)
        except ConvergenceError as error:
            raise ConvergenceError(
                error.solution, error.wanted, error.reached, f"{name}[{i}]: {error.reason}"
            ) from None
    return [found[i] for i in range(len(models))]


def _start(mdp: MDP, last: Solution | None) -> NDArray[np.float64] | None:
    """The value of the last solution, scaled to this discount; None where 0 is no worse."""
    if last is None or not isinstance(last.mdp, MDP):
        return None
    discount, before = discount_of(mdp), discount_of(last.mdp)
    with np.errstate(over="ignore"):
        start = last.value * ((1.0 - before) / (1.0 - discount))
    if not np.isfinite(start).all():
        return None
    zero = np.zeros(mdp.n_states)

    def width(v: NDArray[np.float64]) -> float:
        residual = _core.solvers.bellman(mdp.core, 0, discount, v)[0] - v
        return float(np.ptp(residual))

    with np.errstate(all="ignore"):
        return start if width(start) < width(zero) else None
