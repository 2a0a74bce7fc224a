"""Linear Markov decision processes: every row and every reward is linear in known features.

The problem: stages h = 0..H-1, features phi(s, a) in R^d with |phi| <= 1, and for each stage signed
measures mu_h(s') in R^d and reward weights theta_h in R^d with

    P_h(s' | s, a) = phi(s, a)^T mu_h(s'),    r_h(s, a) = phi(s, a)^T theta_h,

so that r_h + P_h v = phi^T (theta_h + sum_s' mu_h(s') v(s')) for every v: backups live in R^d
(`rltheory.solvers.linear`). The definition is that of Jin, Yang, Wang and Jordan (COLT 2020), whose
further normalisation |sum_s' mu_h(s') v(s')| <= sqrt(d) max |v| and |theta_h| <= sqrt(d) holds for
simplex features (phi >= 0, sum phi = 1, each coordinate of mu_h a law, theta in [0, 1]^d) and is
not required here. Their stages count from 1.
"""

from collections.abc import Iterator, Mapping
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from rltheory.errors import ModelError
from rltheory.mdp.arguments import at_least, one_hot
from rltheory.mdp.episodic import EpisodicMDP
from rltheory.mdp.intake import real_numbers, start_law
from rltheory.mdp.rational import fractions_of, nearest
from rltheory.mdp.streams import Stream

__all__ = ["LINEAR_FORMAT", "LinearMDP", "random_linear_mdp"]

_TOLERANCE = 1e-9
LINEAR_FORMAT = "rltheory-linear-1"
"""What an archive of a linear MDP says it is."""
_ARRAYS = ("features", "measures", "reward_weights", "initial")
_ROWS_AT_ONCE = 2**21  # entries of rows that validation holds at a time

Array = NDArray[np.float64]


class LinearMDP:
    """A finite-horizon MDP whose rows and rewards are linear in features: validated, immutable.

    Parameters
    ----------
    features : array_like, shape (S, A, d)
        phi(s, a), of Euclidean norm at most 1 (within 1e-9).
    measures : array_like, shape (H, d, S)
        mu_h: every phi(s, a)^T mu_h is a law within 1e-9. Single measures may be signed.
    reward_weights : array_like, shape (H, d)
        theta_h; the mean reward of a pair is phi(s, a)^T theta_h.
    initial : array_like, shape (S,), optional
        Law of the start state.
    exact : bool
        Keep fractions: rows must sum to exactly 1.

    Raises
    ------
    ModelError
        If a shape does not fit, a feature's norm is above 1, or a row is no law; the message names
        the state, the action and the stage.

    Examples
    --------
    >>> import numpy as np
    >>> import rltheory as rlt
    >>> mdp = rlt.LinearMDP(
    ...     features=np.eye(2).reshape(2, 1, 2),  # two states, one action, tabular features
    ...     measures=[[[0.5, 0.5], [0.0, 1.0]]] * 3,
    ...     reward_weights=[[1.0, 0.0]] * 3,
    ... )
    >>> mdp
    LinearMDP(2 states, 1 action, dimension 2, horizon 3)
    >>> rlt.solve(mdp).value[:, 0].tolist()
    [1.75, 1.5, 1.0, 0.0]
    """

    features: Array
    measures: Array
    reward_weights: Array
    initial: Array | None
    fractions: tuple[Any, Any, Any] | None
    """(features, measures, reward_weights) as object arrays of an exact model."""

    def __init__(
        self,
        features: Any,
        measures: Any,
        reward_weights: Any,
        initial: Any = None,
        *,
        exact: bool = False,
    ) -> None:
        given = {"features": features, "measures": measures, "reward_weights": reward_weights}
        self.fractions = None
        if exact:
            kept = {name: fractions_of(name, x) for name, x in given.items()}
            self.fractions = (kept["features"], kept["measures"], kept["reward_weights"])
            given = {name: nearest(x) for name, x in kept.items()}
        arrays = {name: np.array(real_numbers(name, x)) for name, x in given.items()}
        self.features, self.measures = arrays["features"], arrays["measures"]
        self.reward_weights = arrays["reward_weights"]
        self._check_shapes()
        self.initial = start_law(initial, self.n_states)
        for name, array in arrays.items():
            wrong = np.argwhere(~np.isfinite(array))
            if len(wrong):
                at = ", ".join(map(str, wrong[0]))
                raise ModelError(f"{name}[{at}] is {array[tuple(wrong[0])]!s}; it must be finite")
            array.setflags(write=False)
        self._check_norms()
        if self.fractions is not None:
            self._check_exact_rows()
        else:
            for _ in self._rows():  # read to the end, each block is checked
                pass

    @property
    def n_states(self) -> int:
        """S."""
        return int(self.features.shape[0])

    @property
    def n_actions(self) -> int:
        """A; every action is there in every state."""
        return int(self.features.shape[1])

    @property
    def dimension(self) -> int:
        """d."""
        return int(self.features.shape[2])

    @property
    def horizon(self) -> int:
        """H."""
        return int(self.measures.shape[0])

    @property
    def mean_rewards(self) -> Array:
        """phi(s, a)^T theta_h, shape (H, S, A)."""
        return np.einsum("sad,hd->hsa", self.features, self.reward_weights)

    def tabular(self) -> EpisodicMDP:
        """The same model as a table of rows, which costs H S A S numbers.

        Of doubles, each row is the computed phi^T mu_h with what is below 0 (by at most 1e-9) set
        to 0, and has the meaning of any row: itself divided by its sum.

        Examples
        --------
        >>> import rltheory as rlt
        >>> rlt.random_linear_mdp(states=5, actions=2, dimension=3, horizon=4).tabular()
        EpisodicMDP(5 states, 2 actions, horizon 4, stages differ)
        """
        return self._tabular

    @cached_property
    def _tabular(self) -> EpisodicMDP:
        H, S, A = self.horizon, self.n_states, self.n_actions
        if self.fractions is not None:
            features, measures, weights = self.fractions
            rows = np.einsum("sad,hdt->hsat", features, measures)
            rewards = np.einsum("sad,hd->hsa", features, weights)
            return EpisodicMDP(rows, rewards, H, self.initial, exact=True)
        same = H == 1 or bool((self.measures == self.measures[0]).all())
        kept = 1 if same else H
        rows = np.empty((kept, S * A, S))
        for h, first, block in self._rows(kept):
            rows[h, first : first + len(block)] = block
        table = rows.reshape(kept, S, A, S)
        rewards = self.mean_rewards
        if same and bool((self.reward_weights == self.reward_weights[0]).all()):
            return EpisodicMDP(table[0], rewards[0], H, self.initial)
        if same:
            table = np.broadcast_to(table, (H, S, A, S))
        return EpisodicMDP(table, rewards, H, self.initial)

    def save(self, path: Any) -> None:
        """Write an .npz archive, which `load` reads; the same model gives the same bytes."""
        from rltheory.mdp.drafts import replacing

        target = Path(path)
        if target.suffix != ".npz":
            raise ModelError(f"{target} does not end in .npz; linear MDPs are written as archives")
        if self.fractions is not None:
            raise ModelError(f"{target}: an exact model has fractions, which .npz does not hold")
        arrays = {name: getattr(self, name) for name in _ARRAYS}
        kept = {name: x for name, x in arrays.items() if x is not None}
        with replacing(target) as draft, draft.open("xb") as file:
            np.savez(file, allow_pickle=False, format=np.array(LINEAR_FORMAT), **kept)

    @classmethod
    def load(cls, path: Any) -> Self:
        """Read what `save` wrote.

        Raises
        ------
        ModelError
            If the file is no such archive, or what it holds is no model.
        """
        from rltheory.mdp.data.files import archive_arrays

        name = str(path)
        arrays = archive_arrays(name)
        written = str(arrays.pop("format", "unknown"))
        try:
            if written != LINEAR_FORMAT:
                raise ModelError(f"its format is {written!r}; this version reads {LINEAR_FORMAT!r}")
            return cls.from_arrays(arrays)
        except ModelError as fault:
            raise ModelError(f"{name}: {fault}") from None

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Any]) -> Self:
        """The model of the named arrays of an archive, all of which are checked.

        Raises
        ------
        ModelError
            If arrays are missing or unknown, or what they hold is no model.
        """
        if not set(_ARRAYS[:3]) <= set(arrays) <= set(_ARRAYS):
            held = ", ".join(sorted(arrays)) or "nothing"
            raise ModelError(f"it holds {held}; it must hold {', '.join(_ARRAYS)}")
        return cls(**arrays)

    def __repr__(self) -> str:
        actions = "action" if self.n_actions == 1 else "actions"
        exact = "" if self.fractions is None else ", exact"
        return (
            f"LinearMDP({self.n_states} states, {self.n_actions} {actions}, "
            f"dimension {self.dimension}, horizon {self.horizon}{exact})"
        )

    def _check_shapes(self) -> None:
        if self.features.ndim != 3 or 0 in self.features.shape:
            raise ModelError(f"features has shape {self.features.shape}; it must be (S, A, d)")
        S, _, d = self.features.shape
        if self.measures.ndim != 3 or self.measures.shape[1:] != (d, S) or not len(self.measures):
            raise ModelError(
                f"measures has shape {self.measures.shape}; it must be (H, {d}, {S}), with the "
                f"dimension and the states of features"
            )
        wanted = (len(self.measures), d)
        if self.reward_weights.shape != wanted:
            raise ModelError(
                f"reward_weights has shape {self.reward_weights.shape}; it must be {wanted}, one "
                "vector a stage"
            )

    def _check_norms(self) -> None:
        norms = np.linalg.norm(self.features, axis=2)
        wrong = np.argwhere(~(norms <= 1.0 + _TOLERANCE))
        if len(wrong):
            s, a = wrong[0]
            raise ModelError(
                f"features[{s}, {a}] has norm {norms[s, a]:.9g}; the features of a linear MDP have "
                "norm at most 1: divide all features by the largest norm, and multiply measures "
                "and reward_weights by it"
            )

    def _rows(self, stages: int | None = None) -> Iterator[tuple[int, int, Array]]:
        """(stage, first row, rows) in blocks, rows of probabilities that were checked."""
        S = self.n_states
        flat = self.features.reshape(-1, self.dimension)
        step = max(1, _ROWS_AT_ONCE // S)
        for h in range(self.horizon if stages is None else stages):
            for first in range(0, len(flat), step):
                rows = flat[first : first + step] @ self.measures[h]
                least = rows.min(axis=1)
                np.maximum(rows, 0.0, out=rows)
                sums = rows.sum(axis=1)
                wrong = np.flatnonzero(~((least >= -_TOLERANCE) & (abs(sums - 1.0) <= _TOLERANCE)))
                if len(wrong):
                    self._refuse(h, first + int(wrong[0]), least[wrong[0]], sums[wrong[0]])
                yield h, first, rows

    def _check_exact_rows(self) -> None:
        assert self.fractions is not None
        rows = np.einsum("sad,hdt->hsat", self.fractions[0], self.fractions[1])
        for h, s, a in np.ndindex(rows.shape[:3]):
            row = rows[h, s, a].tolist()
            if min(row) < 0 or sum(row) != 1:
                self._refuse(h, s * self.n_actions + a, min(row), sum(row))

    def _refuse(self, h: int, row: int, least: Any, total: Any) -> None:
        s, a = divmod(row, self.n_actions)
        below = least < (-_TOLERANCE if self.fractions is None else 0)
        what = f"has an entry {least!s}" if below else f"sums to {total!s}"
        within = "" if self.fractions is not None else ", within 1e-9"
        raise ModelError(
            f"stage {h}: the row features[{s}, {a}] @ measures[{h}] {what}; it must be a law, "
            f"nonnegative with sum 1{within}"
        )


def random_linear_mdp(
    states: int,
    actions: int,
    dimension: int,
    horizon: int,
    seed: int | np.random.SeedSequence = 0,
    exact: bool = False,
) -> LinearMDP:
    """A linear MDP with simplex features: each row is a mixture of d laws, different at each stage.

    Features are uniform on the simplex, and so are the d measures of every stage (the gaps between
    sorted uniform numbers); reward weights are uniform on [0, 1). The first `dimension` pairs, in
    the order of states and actions, have the unit vectors for features, so that the features have
    full rank wherever there are so many pairs. The start state is 0.

    Parameters
    ----------
    states, actions, dimension, horizon : int
        Each at least 1.
    seed : int or SeedSequence
    exact : bool
        Keep the numbers as fractions.

    Returns
    -------
    LinearMDP
        With rewards in [0, 1].

    Raises
    ------
    ModelError
        If an argument is out of its range.

    Examples
    --------
    >>> import rltheory as rlt
    >>> rlt.random_linear_mdp(states=50, actions=4, dimension=3, horizon=5)
    LinearMDP(50 states, 4 actions, dimension 3, horizon 5)
    """
    for name, value in (("states", states), ("actions", actions), ("dimension", dimension)):
        at_least(name, value, 1)
    at_least("horizon", horizon, 1)
    pairs = states * actions
    features = Stream(seed, "random_linear_mdp.features").spacings(pairs, dimension)
    corners = min(pairs, dimension)
    features[:corners] = np.eye(dimension)[:corners]
    measures = Stream(seed, "random_linear_mdp.measures").spacings(horizon * dimension, states)
    weights = Stream(seed, "random_linear_mdp.rewards").uniforms(horizon, dimension)
    arrays = (
        features.reshape(states, actions, dimension),
        measures.reshape(horizon, dimension, states),
        weights,
    )
    phi, mu, theta = map(_as_fractions, arrays) if exact else arrays
    return LinearMDP(phi, mu, theta, one_hot(0, states), exact=exact)


def _as_fractions(x: Array) -> Any:
    return np.vectorize(Fraction, otypes=[object])(x)
