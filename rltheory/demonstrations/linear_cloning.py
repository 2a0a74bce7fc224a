r"""Behaviour cloning in linear models: softmax of a linear score, with a floor.

Features phi(s, a) in R^d, one parameter theta in the ball |theta| <= R for each stage h, and

    pi_h(a | s) = kappa / A + (1 - kappa) softmax_a <phi(s, .), theta_h>,    0 <= kappa < 1,

chosen to minimise the loss L_h(theta) = sum_{s,a} N_h(s, a) log 1/pi_h(a | s); no regulariser. The
floor is kappa = A / (N + A) for N episodes, unless another is given.

Without a floor L_h is convex. Each step minimises its second-order model over the ball (theta =
(H + mu I)^-1 b, mu >= 0 from the secular equation |theta| = R), and looks back along the segment to
it. By convexity L_h(theta) is above its minimum over the ball by at most

    gap = <g, theta> + R |g|,    g the gradient at theta,

which is computed, so that the answer says how good it is. With a floor L_h is not convex. There
the parameter starts at the one without a floor; then each action's count is multiplied by the
chance that it came from the softmax, (1 - kappa) softmax / pi, and the convex problem of these
counts is solved again. The loss never increases (expectation-maximisation), and `gap` is 0 at
stationary points alone.

Source: Tiapkin et al., ICLR 2024, arXiv 2310.17303, section 3 (the class as recalled).
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import log_softmax

from rltheory.demonstrations.cloning import whole_counts
from rltheory.errors import ConvergenceError, ModelError
from rltheory.mdp.data import Counts, Trajectories
from rltheory.mdp.intake import real_numbers

__all__ = ["LinearClone", "behavior_cloning_linear"]

Array = NDArray[np.float64]
_MOST_STEPS = 200
_MOST_ROUNDS = 1000
_NOISE = 2.0**-44


@dataclass(frozen=True, eq=False)
class LinearClone:
    """A policy of the linear softmax class, and how close to the best of the class it is.

    Attributes
    ----------
    policy : ndarray, shape (H, S, A)
    parameters : ndarray, shape (H, d)
        theta_h.
    loss : ndarray, shape (H,)
        sum over the data of log 1/pi_h(a | s), the attained loss of each stage.
    gap : ndarray, shape (H,)
        Without a floor, the loss is at most this above the least loss of the class; with a floor,
        how far the gradient is from that of a stationary point, in the same units.
    floor, radius : float
    """

    policy: Array
    parameters: Array
    loss: Array
    gap: Array
    floor: float
    radius: float

    def __repr__(self) -> str:
        H, S, A = self.policy.shape
        return (
            f"LinearClone(gap {self.gap.max():.1e} of loss {self.loss.sum():.6g}; {S} states, "
            f"{A} actions, horizon {H}, dimension {self.parameters.shape[1]}, floor "
            f"{self.floor:.3g})"
        )


def behavior_cloning_linear(
    data: Trajectories | Counts,
    features: Any,
    radius: float,
    horizon: int | None = None,
    *,
    floor: float | None = None,
    tol: float = 1e-8,
) -> LinearClone:
    """The policy of the linear softmax class under which an expert's actions are likeliest.

    Parameters
    ----------
    data : Trajectories or Counts
        Whole episodes of the expert, as in `behavior_cloning`.
    features : array_like, shape (S, A, d)
        Every state has all A actions.
    radius : float
        R, above 0 and finite.
    horizon : int, optional
        That of the provenance of the data, if left out.
    floor : float, optional
        kappa in [0, 1); A / (N + A) if left out, N the number of episodes.
    tol : float
        Largest gap of a stage, per visit.

    Returns
    -------
    LinearClone

    Raises
    ------
    ModelError
        If an argument is not allowed, or the data are none of whole episodes.
    ConvergenceError
        If the gap of a stage stays above `tol`.

    Examples
    --------
    >>> import numpy as np
    >>> import rltheory as rlt
    >>> data = rlt.Trajectories([0] * 4, [0, 0, 0, 1], [0.0] * 4, [0] * 4, lengths=[1] * 4)
    >>> clone = rlt.behavior_cloning_linear(data, np.eye(2)[None], 10.0, 1, floor=0.0)
    >>> clone.policy.round(6).tolist()
    [[[0.75, 0.25]]]
    """
    phi = np.array(real_numbers("features", features), dtype=np.float64)
    if phi.ndim != 3 or not phi.size or not np.isfinite(phi).all():
        raise ModelError(
            f"features has shape {phi.shape}; it must hold finite numbers and be (S, A, d)"
        )
    R = _within("radius", radius, 0.0, math.inf, strict=True)
    tol = _within("tol", tol, 0.0, math.inf, strict=True)
    S, A, _ = phi.shape
    visits = whole_counts(data, S, A, horizon).visits.astype(np.float64)
    episodes = float(visits[0].sum())
    kappa = A / (episodes + A) if floor is None else floor
    kappa = _within("floor", kappa, 0.0, 1.0) if floor is not None else min(kappa, 1.0 - 2.0**-53)
    fits = [_Stage(phi, n, R, kappa).fit(tol) for n in visits]
    parameters = np.stack([theta for theta, _, _ in fits])
    soft = np.exp(log_softmax(np.einsum("sad,hd->hsa", phi, parameters), axis=-1))
    return LinearClone(
        kappa / A + (1.0 - kappa) * soft,
        parameters,
        np.array([loss for _, loss, _ in fits]),
        np.array([gap for _, _, gap in fits]),
        kappa,
        R,
    )


def _within(name: str, value: Any, low: float, high: float, strict: bool = False) -> float:
    """A number in [low, high), or in (low, high)."""
    try:
        x = float(value)
    except (TypeError, ValueError):
        x = math.nan
    if isinstance(value, bool) or not (low < x < high or (x == low and not strict)):
        ends = f"{'(' if strict else '['}{low:g}, {high:g})"
        raise ModelError(f"{name} is {value!r}; it must be in {ends}")
    return x


class _Stage:
    """The fit of one stage: states that were visited, their features and counts."""

    def __init__(self, phi: Array, counts: Array, radius: float, floor: float) -> None:
        seen = counts.sum(axis=-1) > 0.0
        self.phi, self.counts = phi[seen], counts[seen]
        self.radius, self.floor = radius, floor
        self.dimension = phi.shape[-1]

    def fit(self, tol: float) -> tuple[Array, float, float]:
        """(theta, loss, gap)."""
        theta = np.zeros(self.dimension)
        if not len(self.phi):
            return theta, 0.0, 0.0
        wanted = tol * float(self.counts.sum())
        theta, gap = self._convex(theta, self.counts, wanted)
        if self.floor == 0.0:
            return self._checked(theta, gap, wanted)
        for _ in range(_MOST_ROUNDS):
            weights = self._from_softmax(theta)
            gap = self._gap(theta, self._gradient(theta, weights))
            if gap <= wanted:
                break
            # A tenth of what is wanted of the whole is enough of each round.
            theta, _ = self._convex(theta, weights, 0.1 * min(wanted, gap))
        return self._checked(theta, gap, wanted)

    def _checked(self, theta: Array, gap: float, wanted: float) -> tuple[Array, float, float]:
        if not gap <= wanted:
            raise ConvergenceError(
                None, wanted, gap, "the fit of a stage stalled; a larger tol may be reached"
            )
        return theta, self.loss(theta), gap

    def loss(self, theta: Array) -> float:
        """L(theta), of the policy with its floor."""
        soft = log_softmax(self.phi @ theta, axis=-1)
        if self.floor == 0.0:
            logs = soft
        else:
            low = math.log(self.floor / self.counts.shape[1])
            logs = np.logaddexp(low, math.log1p(-self.floor) + soft)
        return -float((self.counts * np.where(self.counts > 0.0, logs, 0.0)).sum())

    def _from_softmax(self, theta: Array) -> Array:
        """Each count times the chance that it came from the softmax and not from the floor."""
        soft = np.exp(log_softmax(self.phi @ theta, axis=-1))
        mixed = self.floor / self.counts.shape[1] + (1.0 - self.floor) * soft
        return self.counts * ((1.0 - self.floor) * soft / mixed)

    # --- the convex problem: sum of weights times log 1/softmax -------------------------

    def _gradient(self, theta: Array, weights: Array) -> Array:
        soft = np.exp(log_softmax(self.phi @ theta, axis=-1))
        excess = weights.sum(axis=-1, keepdims=True) * soft - weights
        return np.einsum("sa,sad->d", excess, self.phi)

    def _gap(self, theta: Array, gradient: Array) -> float:
        """<g, theta> + R |g|: the most that a linear function of this slope can still fall."""
        return float(gradient @ theta + self.radius * np.linalg.norm(gradient))

    def _convex_loss(self, theta: Array, weights: Array) -> float:
        soft = log_softmax(self.phi @ theta, axis=-1)
        return -float((weights * np.where(weights > 0.0, soft, 0.0)).sum())

    def _convex(self, theta: Array, weights: Array, wanted: float) -> tuple[Array, float]:
        loss = self._convex_loss(theta, weights)
        for _ in range(_MOST_STEPS):
            gradient = self._gradient(theta, weights)
            gap = self._gap(theta, gradient)
            if gap <= wanted:
                return theta, gap
            step = self._model_minimiser(theta, gradient, weights) - theta
            slope = float(gradient @ step)
            share = 1.0
            while share > 2.0**-40:
                new = theta + share * step
                below = self._convex_loss(new, weights)
                # Near the minimum losses differ by their rounding, and slopes still tell.
                falls = below <= loss + 1e-4 * share * slope + _NOISE * abs(loss)
                if falls and self._gradient(new, weights) @ step <= -0.5 * slope:
                    break
                share *= 0.5
            else:
                return theta, gap
            theta, loss = new, below
        return theta, self._gap(theta, self._gradient(theta, weights))

    def _model_minimiser(self, theta: Array, gradient: Array, weights: Array) -> Array:
        """Of the second-order model at theta, over the ball."""
        soft = np.exp(log_softmax(self.phi @ theta, axis=-1))
        mass = weights.sum(axis=-1)
        means = np.einsum("sa,sad->sd", soft, self.phi)
        centred = self.phi - means[:, None, :]
        hessian = np.einsum("s,sa,sad,sae->de", mass, soft, centred, centred)
        values, vectors = np.linalg.eigh(hessian)
        least = 1e-12 * max(float(values[-1]), 2.0**-1000)
        values = np.maximum(values, 0.0) + least
        right = vectors.T @ (hessian @ theta + least * theta - gradient)

        def length(mu: float) -> float:
            return float(np.linalg.norm(right / (values + mu)))

        mu = 0.0
        if length(0.0) > self.radius:
            top = float(np.linalg.norm(right)) / self.radius
            mu = brentq(lambda x: length(x) - self.radius, 0.0, top, xtol=1e-300, rtol=1e-14)
        found = vectors @ (right / (values + mu))
        return np.asarray(found * min(1.0, self.radius / max(float(np.linalg.norm(found)), 1e-300)))
