"""What `solve` returns: values, a policy, and first of all how good they are."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rltheory import _core
from rltheory.errors import ModelError
from rltheory.mdp.episodic import EpisodicMDP
from rltheory.mdp.model import MDP
from rltheory.solvers.average_certificate import AverageCertificate
from rltheory.solvers.bellman import q_values, relative_q_values
from rltheory.solvers.certificate import Certificate
from rltheory.solvers.total_certificate import TotalCertificate

__all__ = ["AnyCertificate", "Solution"]

AnyCertificate = Certificate | AverageCertificate | TotalCertificate


@dataclass(frozen=True, eq=False, repr=False)
class Solution:
    """A certified solution: lower <= V^policy <= V* <= upper in every state.

    Parameters
    ----------
    mdp : MDP or EpisodicMDP
    criterion : str
        "discounted", "finite-horizon", "average" or "total".
    method : str
    value : ndarray of float64, shape (S,) or (H+1, S)
        Within the bounds; differs from V* by at most `gap`. Under average reward, the gain of
        each start state.
    policy : ndarray of int64, shape (S,) or (H, S)
        Action labels; loses at most `gap` in every state.
    certificate : Certificate, AverageCertificate or TotalCertificate
        The bounds, and the numbers that prove them.
    gap : float
        max (upper - lower), rounded up.
    tol : float
        What was asked for, in absolute terms; `gap` is at most this.
    iterations : int
        Sweeps, policy improvements, and refinement steps of the certificate.
    seconds : float
    note : str
        What the solver chose, and why.
    bias : ndarray of float64, shape (S,), or None
        Under average reward, of the policy, up to a constant in each closed class.
    """

    mdp: MDP | EpisodicMDP
    criterion: str
    method: str
    value: NDArray[np.float64]
    policy: NDArray[np.int64]
    certificate: AnyCertificate
    gap: float
    tol: float
    iterations: int
    seconds: float
    note: str = ""
    bias: NDArray[np.float64] | None = None

    @cached_property
    def q(self) -> NDArray[np.float64]:
        """r + discount P value: (S, A) or (H, S, A); one a row on ragged models.

        Under average reward, r - gain + P bias.
        """
        if self.bias is not None:
            return relative_q_values(self.mdp, self.value, self.bias)
        if self.criterion == "total" and isinstance(self.mdp, MDP):
            q = _core.solvers.q_values(self.mdp.core, 0, 1.0, np.asarray(self.value))
            return self.mdp._in_q_shape(q)
        return q_values(self.mdp, self.value)

    @property
    def gain(self) -> NDArray[np.float64]:
        """Under average reward, `value` by its usual name: (S,)."""
        if self.bias is None:
            raise ModelError(f"the criterion is {self.criterion}; a gain is of average reward")
        return self.value

    @property
    def lower(self) -> NDArray[Any]:
        """Certified lower bound of V^policy."""
        return self.certificate.lower

    @property
    def upper(self) -> NDArray[Any]:
        """Certified upper bound of V*."""
        return self.certificate.upper

    def __repr__(self) -> str:
        sign = "<=" if self.gap <= self.tol else "ABOVE"
        return (
            f"Solution(gap {self.gap:.3g} {sign} tol {self.tol:.3g}, {self.criterion}, "
            f"{self.mdp.n_states} states, {self.method}, {self.iterations} iterations, "
            f"{self.seconds:.3f} s)"
        )
