"""Finite classes of policies, critics and rewards, and whether they contain what a theorem assumes.

    realizable            some member is Q* (or Q^pi, or the model's reward) within a tolerance
    complete              T f is within the tolerance of some member, for every member f
    complete for policies the same with T_pi, for every pi of a class

Each check names the member that is farthest off and by how much, in the sup norm; `require` turns a
violation into an error.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rltheory.errors import ModelError
from rltheory.mdp.episodic import EpisodicMDP
from rltheory.mdp.model import MDP
from rltheory.mdp.policies import rows_of, weights_of
from rltheory.solvers.bellman import q_values
from rltheory.solvers.evaluate import evaluate
from rltheory.solvers.solve import solve

__all__ = ["Contained", "FunctionClass", "PolicyClass", "RewardClass", "deterministic_policies"]

Array = NDArray[np.float64]

_MOST_POLICIES = 100_000


@dataclass(frozen=True)
class Contained:
    """Whether a class contains what it should.

    Parameters
    ----------
    holds : bool
    distance : float
        Of the worst case to the nearest member, in the sup norm.
    what : str
        The worst case: which function has no member near it.
    nearest : int
        The member nearest to it.
    tolerance : float
    """

    holds: bool
    distance: float
    what: str
    nearest: int
    tolerance: float

    def __bool__(self) -> bool:
        return self.holds

    def require(self) -> None:
        """Raise unless it holds.

        Raises
        ------
        ModelError
            Names the violating function, and the nearest member with its distance.
        """
        if not self.holds:
            raise ModelError(
                f"{self.what} is not in the class: the nearest member, number {self.nearest}, is "
                f"{self.distance:.6g} away, more than {self.tolerance:g}"
            )


class PolicyClass:
    """Finitely many policies of one model.

    Parameters
    ----------
    mdp : MDP or EpisodicMDP
    policies : sequence of policies
        Actions or probabilities, as in `evaluate`.

    Raises
    ------
    PolicyError
        If a member is no policy of the model.
    ModelError
        If there is none.

    Examples
    --------
    >>> import rltheory as rlt
    >>> mdp = rlt.riverswim(3, discount=0.9)
    >>> policies = rlt.PolicyClass(mdp, [[0, 0, 0], [1, 1, 1]])
    >>> policies.best()[0]
    1
    """

    def __init__(self, mdp: MDP | EpisodicMDP, policies: Sequence[Any]) -> None:
        if not len(policies):
            raise ModelError("a class of policies has at least one member")
        for policy in policies:
            weights_of(mdp, policy)
        self.mdp, self.policies = mdp, tuple(np.asarray(policy) for policy in policies)

    def __len__(self) -> int:
        return len(self.policies)

    def __iter__(self) -> Iterator[NDArray[Any]]:
        return iter(self.policies)

    def __getitem__(self, index: int) -> NDArray[Any]:
        return self.policies[index]

    def best(self) -> tuple[int, float]:
        """(the best member, its return from the start law); the first of several."""
        if self.mdp.initial is None:
            raise ModelError("the model has no start law; give initial= when it is made")
        values = [evaluate(self.mdp, policy) for policy in self.policies]
        first = [v[0] if isinstance(self.mdp, EpisodicMDP) else v for v in values]
        returns = [float(self.mdp.initial @ v) for v in first]
        at = int(np.argmax(returns))
        return at, returns[at]

    def realizable(self, tolerance: float = 1e-8) -> Contained:
        """Whether some member is optimal in every state (at every stage), up to the tolerance.

        Then `nearest` is one, and `distance` is the most that it loses in any state; otherwise of
        the member that loses least.

        Raises
        ------
        ConvergenceError
            If the optimum cannot be had within an eighth of the tolerance.
        """
        if not tolerance > 0.0:
            raise ModelError(f"tolerance is {tolerance!r}; an optimum in doubles needs one above 0")
        best = solve(self.mdp, tol=tolerance / 8).value
        losses = [float((best - evaluate(self.mdp, one)).max()) for one in self.policies]
        at = int(np.argmin(losses))
        return Contained(
            losses[at] <= tolerance, max(losses[at], 0.0), "an optimal policy", at, tolerance
        )

    def complete(self, tolerance: float = 1e-8) -> Contained:
        """Whether the class contains, stage by stage, what improves each of its members.

        For every member pi and stage h some member is greedy for Q^pi_h in every state, up to the
        tolerance in Q^pi. Without a horizon that is policy improvement within the class.
        """
        if not self.mdp.is_full:
            raise ModelError("policies are compared as tables: the model must have all actions")
        tables = [
            np.broadcast_to(
                weights_of(self.mdp, one).reshape(_policy_shape(self.mdp)), _q_shape(self.mdp)
            )
            for one in self.policies
        ]
        worst = Contained(True, -1.0, "", 0, tolerance)
        for i, policy in enumerate(self.policies):
            q = q_values(self.mdp, evaluate(self.mdp, policy)).reshape(_q_shape(self.mdp))
            lost = [(q.max(axis=-1) - (one * q).sum(axis=-1)).max(axis=-1) for one in tables]
            by_stage = np.array(lost).reshape(len(self), -1)
            h = int(by_stage.min(axis=0).argmax())
            distance = float(by_stage[:, h].min())
            if distance > worst.distance:
                place = f" at stage {h}" if by_stage.shape[1] > 1 else ""
                what = f"a policy greedy for member {i}{place}"
                at = int(by_stage[:, h].argmin())
                worst = Contained(distance <= tolerance, distance, what, at, tolerance)
        return worst


class FunctionClass:
    """Finitely many critics q(s, a) of one model.

    Parameters
    ----------
    mdp : MDP or EpisodicMDP
    functions : array_like, shape (n, S, A), or (n, H, S, A)
        With a horizon, the members of stage h are functions[:, h].

    Raises
    ------
    ModelError
        If the shape is another one or an entry is not finite.

    Examples
    --------
    >>> import rltheory as rlt
    >>> mdp = rlt.riverswim(3, discount=0.9)
    >>> q = rlt.q_values(mdp, rlt.solve(mdp).value)
    >>> critics = rlt.FunctionClass(mdp, [q, 0 * q])
    >>> bool(critics.realizable()), bool(critics.complete())
    (True, False)
    >>> critics.complete().what
    'T of member 1'
    """

    def __init__(self, mdp: MDP | EpisodicMDP, functions: Any) -> None:
        if not mdp.is_full:
            raise ModelError(
                "critics are tables (S, A): the model must have all actions everywhere"
            )
        self.mdp = mdp
        self.functions = _members(functions, _q_shape(mdp), "functions")

    def __len__(self) -> int:
        return len(self.functions)

    def realizable(self, policy: Any = None, tolerance: float = 1e-8) -> Contained:
        """Whether Q* (or Q^pi of a policy) is a member, stage by stage.

        Parameters
        ----------
        policy : policy, optional
        tolerance : float
            In the sup norm, above 0.

        Raises
        ------
        ConvergenceError
            If Q* cannot be had within an eighth of the tolerance.
        """
        mdp = self.mdp
        if policy is None and not tolerance > 0.0:
            raise ModelError(f"tolerance is {tolerance!r}; Q* in doubles needs one above 0")
        value = solve(mdp, tol=tolerance / 8).value if policy is None else evaluate(mdp, policy)
        name = "Q*" if policy is None else "Q^pi"
        return self._worst([(name, q_values(mdp, value))], tolerance)

    def complete(
        self, policies: PolicyClass | Sequence[Any] | None = None, tolerance: float = 1e-8
    ) -> Contained:
        """Whether T f is a member for every member f; with `policies`, T_pi f for every pi.

        With a horizon, the images of the members of stage h+1 are looked for in stage h, and that
        of 0 in the last one.
        """
        images = []
        for i, f in enumerate(self.functions):
            if policies is None:
                images.append((f"T of member {i}", self._image(f.max(axis=-1))))
            else:
                for j, policy in enumerate(policies):
                    means = (self._table_of(policy) * f).sum(axis=-1)
                    images.append((f"T of policy {j} and member {i}", self._image(means)))
        return self._worst(images, tolerance)

    def _image(self, ahead: Array) -> Array:
        mdp = self.mdp
        if isinstance(mdp, EpisodicMDP):
            ahead = np.concatenate([ahead, np.zeros((1, mdp.n_states))])
        return np.asarray(q_values(mdp, ahead))

    def _table_of(self, policy: Any) -> Array:
        return np.broadcast_to(
            weights_of(self.mdp, policy).reshape(_policy_shape(self.mdp)), _q_shape(self.mdp)
        )

    def _worst(self, targets: list[tuple[str, Array]], tolerance: float) -> Contained:
        worst = Contained(True, -1.0, "", 0, tolerance)
        axes = tuple(range(len(_q_shape(self.mdp)) - 2, len(_q_shape(self.mdp))))
        for name, target in targets:
            far = np.abs(self.functions - target)
            # Stages have members of their own: each is to be near one of them.
            by_stage = far.max(axis=tuple(a + 1 for a in axes)).reshape(len(self), -1)
            nearest = by_stage.argmin(axis=0)
            distances = by_stage.min(axis=0)
            h = int(distances.argmax())
            if distances[h] > worst.distance:
                place = f" at stage {h}" if by_stage.shape[1] > 1 else ""
                worst = Contained(
                    bool(distances[h] <= tolerance), float(distances[h]), name + place,
                    int(nearest[h]), tolerance,
                )  # fmt: skip
        return worst


class RewardClass:
    """Finitely many reward functions r(s, a) of one model.

    Parameters
    ----------
    mdp : MDP or EpisodicMDP
    rewards : array_like, shape (n, S, A), or (n, H, S, A)

    Examples
    --------
    >>> import numpy as np
    >>> import rltheory as rlt
    >>> mdp = rlt.riverswim(3, discount=0.9)
    >>> rewards = rlt.RewardClass(mdp, [np.zeros((3, 2)), mdp.rewards])
    >>> rewards.realizable().nearest
    1
    """

    def __init__(self, mdp: MDP | EpisodicMDP, rewards: Any) -> None:
        if not mdp.is_full:
            raise ModelError(
                "rewards are tables (S, A): the model must have all actions everywhere"
            )
        self.mdp = mdp
        self.rewards = _members(rewards, _q_shape(mdp), "rewards")

    def __len__(self) -> int:
        return len(self.rewards)

    def realizable(self, tolerance: float = 1e-8) -> Contained:
        """Whether the model's mean rewards are a member."""
        own = self.mdp.mean_rewards.reshape(_policy_shape(self.mdp))
        far = np.abs(self.rewards - own).reshape(len(self), -1).max(axis=1)
        at = int(far.argmin())
        holds = bool(far[at] <= tolerance)
        return Contained(holds, float(far[at]), "the model's reward", at, tolerance)


def deterministic_policies(mdp: MDP | EpisodicMDP) -> PolicyClass:
    """All stationary policies of actions; with a horizon, all that depend on the stage.

    Raises
    ------
    ModelError
        If there are more than 100,000.

    Examples
    --------
    >>> import rltheory as rlt
    >>> len(rlt.deterministic_policies(rlt.riverswim(3)))
    8
    """
    present = mdp.table(np.ones(mdp.n_pairs), fill=0.0).reshape(-1, mdp.n_states, mdp.n_actions)
    horizon = mdp.horizon if isinstance(mdp, EpisodicMDP) else 1
    choices = [
        np.flatnonzero(present[min(h, len(present) - 1), s]).tolist()
        for h in range(horizon)
        for s in range(mdp.n_states)
    ]
    count = 1
    for actions in choices:
        count *= len(actions)
        if count > _MOST_POLICIES:
            raise ModelError(
                f"the model has more than {_MOST_POLICIES} deterministic policies; a class that is "
                "looked through has to be smaller"
            )
    shape = (horizon, mdp.n_states) if isinstance(mdp, EpisodicMDP) else (mdp.n_states,)
    found = [np.array(each, dtype=np.int64).reshape(shape) for each in product(*choices)]
    rows_of(mdp, found[0])
    return PolicyClass(mdp, found)


def _q_shape(mdp: MDP | EpisodicMDP) -> tuple[int, ...]:
    pairs = (mdp.n_states, mdp.n_actions)
    return (mdp.horizon, *pairs) if isinstance(mdp, EpisodicMDP) else pairs


def _policy_shape(mdp: MDP | EpisodicMDP) -> tuple[int, ...]:
    """Of a number for each pair, as rows are stored: without stages, or by stage."""
    return (-1, mdp.n_states, mdp.n_actions) if isinstance(mdp, EpisodicMDP) else _q_shape(mdp)


def _members(x: Any, shape: tuple[int, ...], name: str) -> Array:
    array = np.asarray(x, dtype=np.float64)
    if array.ndim != len(shape) + 1 or array.shape[1:] != shape or not len(array):
        raise ModelError(
            f"{name} has shape {array.shape}; it must be (n, {', '.join(map(str, shape))})"
        )
    wrong = np.argwhere(~np.isfinite(array))
    if len(wrong):
        at = tuple(int(i) for i in wrong[0])
        raise ModelError(f"{name}{list(at)} is {array[at]!s}; members must be finite")
    return array
