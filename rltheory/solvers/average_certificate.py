"""A certificate of average reward: numbers from which lower <= g^policy <= g* <= upper follows.

The gain of a policy is g(s) = lim (1/n) E_s[r_0 + ... + r_(n-1)], that of the model the largest
of all policies'. The witnesses are the exact sums of stored doubles (or fractions)

    g = lower_gain + lower_tail + lower_shift,    v = upper_gain + upper_tail + upper_shift,
    h = bias + bias_tail,

and the inequalities that they satisfy are those of `rltheory.solvers.checker_average`, which
re-establishes them without the compiled core or the solver. Where one gain is everyone's, g and v
are constants. Theory and proofs: docs/theory/average.md.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from rltheory.solvers.certificate import integers_of, numbers_of, write_archive
from rltheory.solvers.checker import Check
from rltheory.solvers.checker_average import check_average

__all__ = ["AverageCertificate"]

_VALUES = (
    "lower_gain",
    "lower_tail",
    "lower_shift",
    "upper_gain",
    "upper_tail",
    "upper_shift",
    "bias",
    "bias_tail",
    "lower",
    "upper",
)


@dataclass(frozen=True, eq=False)
class AverageCertificate:
    """Bounds of the gains of a policy and of the model, with the witnesses that prove them.

    Parameters
    ----------
    policy : ndarray of int64, shape (S,)
        Action labels.
    rows : ndarray of int64, shape (S,)
        The model's row of each of these actions.
    lower_gain, lower_tail, upper_gain, upper_tail : ndarray, shape (S,)
    lower_shift, upper_shift : float or Fraction
        The gains that bound from below and from above, as head, tail and a common shift.
    bias, bias_tail : ndarray, shape (S,)
        The bias of both, as head and tail.
    lower, upper : ndarray, shape (S,)
        lower <= g^policy <= g* <= upper.
    criterion : str
        "average".

    Examples
    --------
    >>> import rltheory as rlt
    >>> mdp = rlt.riverswim()
    >>> certificate = rlt.solve(mdp, criterion="average").certificate
    >>> certificate.check(mdp)
    Check(accepted=True, reason='all inequalities hold at 6 states and 12 rows')
    """

    policy: NDArray[np.int64]
    rows: NDArray[np.int64]
    lower_gain: NDArray[Any]
    lower_tail: NDArray[Any]
    lower_shift: Any
    upper_gain: NDArray[Any]
    upper_tail: NDArray[Any]
    upper_shift: Any
    bias: NDArray[Any]
    bias_tail: NDArray[Any]
    lower: NDArray[Any]
    upper: NDArray[Any]
    criterion: str = "average"

    def check(self, mdp: Any) -> Check:
        """Verify every inequality against the model in exact integers.

        Parameters
        ----------
        mdp : MDP or mapping
            The model, or its canonical arrays, such as ``np.load`` of a saved model gives.

        Returns
        -------
        Check
            Truthy when accepted; `reason` names the first place where an inequality fails.
        """
        return check_average(self, mdp)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write everything to an ``.npz`` archive; `Certificate.load` reads it."""
        write_archive(path, self, _VALUES)

    @classmethod
    def of_archive(cls, archive: Mapping[str, Any]) -> Self:
        """The certificate of an open archive."""
        integers = {key: integers_of(archive, key) for key in ("policy", "rows")}
        values = {key: numbers_of(archive, key) for key in _VALUES}
        return cls(**integers, **values, criterion=str(archive["criterion"]))
