"""A certificate of total reward: a bracket of V^policy and V*, and the numbers that prove it.

The witnesses are, in exact arithmetic,

    w = head + tail - lower_repair * lower_ranking
    v = (1 - upper_repair * reward_weight) (head + tail) + upper_repair * upper_ranking.

w <= T_policy w and T v <= v alone prove nothing at discount 1; the rankings, which bound how often
a run visits states of positive w or negative v, do. What is checked, and why it proves the bracket:
`rltheory.solvers.checker_total` and docs/theory/total.md.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rltheory.solvers.certificate import integers_of, numbers_of, write_archive
from rltheory.solvers.checker import Check
from rltheory.solvers.checker_total import check_total

__all__ = ["TotalCertificate"]

_VALUES = (
    "head", "tail", "lower_ranking", "upper_ranking", "lower", "upper",
    "lower_repair", "upper_repair", "reward_weight",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class TotalCertificate:
    """Bounds of the total reward of a policy and of the best one, with witnesses and rankings.

    Parameters
    ----------
    policy : ndarray of int64, shape (S,)
        Action labels.
    rows : ndarray of int64, shape (S,)
        The model's row of each of these actions.
    head, tail : ndarray, shape (S,)
        The value that both witnesses are made from.
    lower_ranking : ndarray, shape (S,)
        f >= P_policy f, less 1 in states whose lower witness is positive.
    upper_ranking : ndarray, shape (S,)
        g >= reward_weight r + P g at every row, less 1 in states whose upper witness is negative.
    lower_repair, upper_repair : float or Fraction
        How much of the rankings makes up for rounding.
    reward_weight : float or Fraction
        At least 0; 0 where every policy ends.
    lower, upper : ndarray, shape (S,)
        lower <= V^policy <= V* <= upper.

    Examples
    --------
    >>> import rltheory as rlt
    >>> walk = rlt.MDP([[[0.5]]], [[-1.0]], termination=[[0.5]])
    >>> certificate = rlt.solve(walk, criterion="total").certificate
    >>> certificate.check(walk)
    Check(accepted=True, reason='all inequalities hold at 1 states and 1 rows')
    """

    policy: NDArray[np.int64]
    rows: NDArray[np.int64]
    head: NDArray[Any]
    tail: NDArray[Any]
    lower_ranking: NDArray[Any]
    upper_ranking: NDArray[Any]
    lower_repair: Any
    upper_repair: Any
    reward_weight: Any
    lower: NDArray[Any]
    upper: NDArray[Any]
    criterion: str = "total"

    def check(self, mdp: Any) -> Check:
        """Verify every inequality against the model in exact integers.

        Parameters
        ----------
        mdp : MDP or mapping
            The model, or its canonical arrays; its discount, if it has one, is ignored.

        Returns
        -------
        Check
            Truthy when accepted; `reason` names the first place where an inequality fails.
        """
        return check_total(self, mdp)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write everything to an ``.npz`` archive; fractions as hexadecimal texts."""
        write_archive(path, self, _VALUES)

    @classmethod
    def of_archive(cls, archive: Mapping[str, Any]) -> "TotalCertificate":
        """From the arrays of a file that `Certificate.load` has opened."""
        rows, policy = (integers_of(archive, key) for key in ("rows", "policy"))
        values = {key: numbers_of(archive, key) for key in _VALUES}
        return cls(policy, rows, **values)
