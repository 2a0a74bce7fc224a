"""Bounds of the optimal value from samples: optimistic and pessimistic value iteration.

Given n(s, a) draws of each pair, decided beforehand, the row of a pair lies with probability at
least 1 - delta, for all N pairs at once, in the ball

    U(s, a) = { p : |p - P_hat(s, a)|_1 <= eps },  eps = sqrt(2 log((2^S - 2) N / delta) / n(s, a)),

and then the fixed points of the backups with the best and the worst law of each ball,

    upper = max_a r + discount max_{p in U} p upper,
    lower = max_a r + discount min_{p in U} p lower,

enclose the optimum, and the policy that attains `lower` earns at least that (algorithm F8):

    lower <= V^policy <= V* <= upper,      upper - lower <= discount max eps / (1 - discount)^2.

Rewards are taken to be known: those of the draws must not vary. If rows may end, the end is one
more outcome, of value 0, and S + 1 takes the place of S. With a horizon the recursions are backward
ones, with a ball a stage. Proof: docs/theory/plug_in.md#learn-bracket.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from rltheory.errors import ModelError
from rltheory.learning.plug_in import draws_of, known_to, model_of
from rltheory.mathematics.concentration import l1_radius
from rltheory.mdp.data.counts import Counts
from rltheory.mdp.episodic import EpisodicMDP
from rltheory.mdp.model import MDP
from rltheory.solvers.robust import solve_robust

__all__ = ["BracketPlan", "SampleBracket", "bracket_from_counts"]

Model = MDP | EpisodicMDP
Vector = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class BracketPlan:
    """Bounds that hold with probability at least 1 - delta, and a policy that keeps to the lower.

    Parameters
    ----------
    lower, upper : ndarray of float64, shape (S,) or (H+1, S)
        lower <= V^policy <= V* <= upper; rounded outward.
    policy : ndarray of int64, shape (S,) or (H, S)
        The pessimistic one.
    optimistic_policy : ndarray of int64
        Greedy for `upper`: what an optimist would try next.
    radius : ndarray of float64, shape (S, A) or (H, S, A)
        L1 radius of each row's ball; NaN at pairs that are none.
    delta : float
    model : MDP or EpisodicMDP
        The empirical model.
    """

    lower: NDArray[np.float64]
    upper: NDArray[np.float64]
    policy: NDArray[np.int64]
    optimistic_policy: NDArray[np.int64]
    radius: NDArray[np.float64]
    delta: float
    model: MDP | EpisodicMDP

    @property
    def gap(self) -> float:
        """max (upper - lower): what the policy loses at most."""
        return float((self.upper - self.lower).max())


@dataclass(frozen=True)
class SampleBracket:
    """Optimistic and pessimistic value iteration with a generative model.

    Rewards must be those of the pairs, the same in every draw.

    Parameters
    ----------
    delta : float
        Probability that the bounds are wrong, in (0, 1).
    n : int, optional
        Draws of each pair, at least 1; may be given with the call instead.
    exits : bool
        Whether rows may end. Where they cannot, the balls are a little smaller.

    Examples
    --------
    >>> import rltheory as rlt
    >>> mdp = rlt.riverswim(4, discount=0.9)
    >>> plan = rlt.SampleBracket(0.05)(rlt.planning_problem(mdp).access(seed=0), 20_000)
    >>> best = rlt.solve(mdp).value
    >>> bool((plan.lower <= best).all() and (best <= plan.upper).all())
    True
    """

    delta: float
    n: int | None = None
    exits: bool = False

    def __post_init__(self) -> None:
        _check_delta(self.delta)
        if self.n is not None:
            draws_of(self.n)

    def __call__(self, access: Any, n: int | None = None, seed: Any = 0) -> BracketPlan:
        """Draw every pair n times, and bracket the optimum; `seed` is not used.

        Raises
        ------
        ModelError
            If n is missing or no integer of at least 1, rewards differ from draw to draw, or a row
            ended though `exits` is false.
        AccessError
            If the access does not draw at every pair.
        """
        draws = draws_of(self.n if n is None else n)
        if getattr(access, "random_rewards", False):
            raise ModelError(
                "rewards differ from draw to draw; the bounds take the rewards of draws to be known"
            )
        return bracket_from_counts(
            access.counts(draws), self.delta, **known_to(access), exits=self.exits, absent=True
        )


def bracket_from_counts(
    counts: Counts,
    delta: float,
    *,
    discount: float | None = None,
    horizon: int | None = None,
    exits: bool = False,
    absent: bool = False,
) -> BracketPlan:
    """The bounds from counts, whose numbers of draws a pair were decided beforehand.

    Numbers that depend on what was drawn need a radius that holds at all times at once.

    Parameters
    ----------
    counts : Counts
        Of draws whose rewards did not vary: their means are taken to be the rewards.
    delta : float
        In (0, 1).
    discount, horizon
        One of them; counts with stages have a horizon.
    exits : bool
        Whether rows may end.
    absent : bool
        Whether pairs without a draw are none of the model; otherwise every pair needs one.

    Raises
    ------
    ModelError
        If an argument is out of its range, a pair has no draw, or a row ended though `exits` is
        false.

    Examples
    --------
    A state that pays 1 and was kept 45 times of 50:

    >>> import rltheory as rlt
    >>> counts = rlt.Counts([[50], [50]], [[[50, 0]], [[5, 45]]], [[0.0], [50.0]])
    >>> plan = rlt.bracket_from_counts(counts, 0.1, discount=0.9)
    >>> plan.upper.round(2).tolist(), round(plan.gap, 2)
    ([6.34, 10.0], 7.24)
    """
    _check_delta(delta)
    model = model_of(counts, discount, horizon or counts.horizon, absent)
    visits = counts.visits[counts.visits > 0]
    if not exits and model.termination.any():
        raise ModelError("a draw ended the episode; say exits=True where rows may end")
    S = model.n_states
    radius = np.asarray(l1_radius(visits, S + bool(exits), delta / len(visits)))
    planned, balls = _with_end(model, radius) if exits else (model, radius)
    balls = planned.table(balls) if planned.is_full else balls
    low = solve_robust(planned, l1=balls)
    high = solve_robust(planned, l1=balls, optimistic=True)
    return BracketPlan(
        lower=low.lower[..., :S],
        upper=high.upper[..., :S],
        policy=low.policy[..., :S],
        optimistic_policy=high.policy[..., :S],
        radius=model.table(radius),
        delta=delta,
        model=model,
    )


def _with_end(model: Model, radius: Vector) -> tuple[Model, Vector]:
    """The model with its end as one more state, which stays, pays nothing and is known.

    Then a ball contains laws that end even where no draw did. The end state has one action.
    """
    S = model.n_states
    closing = model.pair_ptr[S::S]  # where the rows of a stage end
    stay = sparse.csr_array(([1.0], ([0], [S])), shape=(1, S + 1))
    whole = sparse.hstack(
        [model.transitions, sparse.csr_array(model.termination[:, None])], format="csr"
    )
    blocks: list[Any] = []
    for first, last in zip([0, *closing[:-1]], closing, strict=True):
        blocks += [whole[first:last], stay]
    rows = sparse.vstack(blocks, format="csr")
    sizes = np.insert(np.diff(model.pair_ptr), np.arange(S, len(model.pair_ptr), S), 1)
    arrays: dict[str, Any] = {
        "n_states": S + 1,
        "n_actions": model.n_actions,
        "state_ptr": np.append(0, np.cumsum(sizes)),
        "action": np.insert(model.actions, closing, 0),
        "row_ptr": rows.indptr,
        "col": rows.indices,
        "prob": rows.data,
        "reward": np.insert(model.mean_rewards, closing, 0.0),
    }
    known = np.insert(radius, closing, 0.0)
    if isinstance(model, EpisodicMDP):
        return EpisodicMDP.from_arrays(arrays | {"horizon": model.horizon}), known
    return MDP.from_arrays(arrays | {"discount": model.discount}), known


def _check_delta(delta: float) -> None:
    if not 0.0 < delta < 1.0:
        raise ModelError(f"delta is {delta!r}; it must be in (0, 1)")
