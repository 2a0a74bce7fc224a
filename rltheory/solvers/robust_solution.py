"""What `solve_robust` returns: values, a policy, their bracket, and on demand the adversary."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from rltheory import _core
from rltheory.mdp.episodic import EpisodicMDP
from rltheory.mdp.model import MDP
from rltheory.solvers.bellman import q_values

__all__ = ["RobustSolution", "Witness"]

Vector = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Witness:
    """A value head + tail, the rows of a policy, and bounds that follow from their residuals."""

    rows: NDArray[np.int64]
    head: Vector
    tail: Vector
    lower: Vector
    upper: Vector
    gap: float

    @property
    def largest(self) -> float:
        return max(float(np.abs(self.lower).max()), float(np.abs(self.upper).max()))


@dataclass(frozen=True, eq=False, repr=False)
class RobustSolution:
    """A certified solution: lower <= worst case of the policy <= robust optimum <= upper.

    Parameters
    ----------
    mdp : MDP or EpisodicMDP
        The nominal model.
    criterion : str
        "discounted" or "finite-horizon".
    method : str
    optimistic : bool
        Whether the laws help: then best cases take the place of worst ones everywhere.
    value : ndarray of float64, shape (S,) or (H+1, S)
        Within the bounds.
    policy : ndarray of int64, shape (S,) or (H, S)
        Action labels; in the worst case it loses at most `gap` of the optimum.
    lower, upper : ndarray of float64, like `value`
    gap : float
        max (upper - lower), rounded up.
    tol : float
        What was asked for, in absolute terms; `gap` is at most this.
    iterations : int
        Sweeps, and steps of policy iteration.
    seconds : float
    note : str
    ambiguity, witness
        What the adversary's kernel is computed from.
    """

    mdp: MDP | EpisodicMDP
    criterion: str
    method: str
    optimistic: bool
    value: Vector
    policy: NDArray[np.int64]
    lower: Vector
    upper: Vector
    gap: float
    tol: float
    iterations: int
    seconds: float
    note: str
    ambiguity: tuple[Any, ...] = field(repr=False)
    witness: Witness = field(repr=False)

    @cached_property
    def worst_transitions(self) -> Any:
        """The adversary's kernel at `value` (the best one if optimistic).

        A scipy CSR array of shape (n_pairs, S), like `mdp.transitions`; with a horizon, a list of
        one for each stage. Where values are equal it is one of several.
        """
        laws = [self._laws(h)[0] for h in range(self._stages)]
        return laws if isinstance(self.mdp, EpisodicMDP) else laws[0]

    @cached_property
    def worst_model(self) -> MDP | EpisodicMDP:
        """The model with the adversary's kernel: its optimum is the robust one (a saddle point)."""
        mdp = self.mdp
        kernels, ends = zip(*(self._laws(h) for h in range(self._stages)), strict=True)
        matrix = sparse.vstack(kernels, format="csr")
        arrays: dict[str, Any] = {
            "n_states": mdp.n_states,
            "n_actions": mdp.n_actions,
            "state_ptr": mdp.pair_ptr,
            "action": mdp.actions,
            "row_ptr": matrix.indptr,
            "col": matrix.indices,
            "prob": matrix.data,
            "reward": mdp.mean_rewards,
            "exit": np.concatenate(ends),
        }
        if mdp.initial is not None:
            arrays["initial"] = mdp.initial
        if isinstance(mdp, MDP):
            return MDP.from_arrays(arrays | {"discount": float(mdp.discount or 0.0)})
        if mdp.is_stationary:
            H, pairs = mdp.horizon, mdp.n_pairs
            starts = [mdp.pair_ptr[:-1] + h * pairs for h in range(H)]
            arrays["state_ptr"] = np.append(np.concatenate(starts), H * pairs)
            for key in ("action", "reward"):
                arrays[key] = np.tile(arrays[key], H)
        return EpisodicMDP.from_arrays(arrays | {"horizon": mdp.horizon})

    @cached_property
    def q(self) -> Vector:
        """r + discount * (worst-case mean of `value`): (S, A) or (H, S, A); one a row if ragged."""
        return q_values(self.worst_model, self.value)

    @property
    def _stages(self) -> int:
        return self.mdp.horizon if isinstance(self.mdp, EpisodicMDP) else 1

    def _laws(self, h: int) -> tuple[Any, Vector]:
        """Kernel and probabilities of ending of the rows of stage h."""
        mdp, S = self.mdp, self.mdp.n_states
        stage, head, tail = 0, self.witness.head, self.witness.tail
        if isinstance(mdp, EpisodicMDP):
            stage, head, tail = mdp.stage(h), head[h + 1], tail[h + 1]
        rows = np.arange(mdp.pair_ptr[stage * S], mdp.pair_ptr[(stage + 1) * S], dtype=np.int64)
        row_ptr, col, prob, ends = _core.planning.worst_laws(
            mdp.core,
            stage,
            self.ambiguity[h if len(self.ambiguity) > 1 else 0],
            -1.0 if self.optimistic else 1.0,
            head,
            tail,
            rows,
        )
        return sparse.csr_array((prob, col, row_ptr), shape=(len(rows), S)), ends

    def __repr__(self) -> str:
        sign = "<=" if self.gap <= self.tol else "ABOVE"
        kind = "best case" if self.optimistic else "worst case"
        return (
            f"RobustSolution(gap {self.gap:.3g} {sign} tol {self.tol:.3g}, {kind}, "
            f"{self.criterion}, {self.mdp.n_states} states, {self.method}, "
            f"{self.iterations} iterations, {self.seconds:.3f} s)"
        )
