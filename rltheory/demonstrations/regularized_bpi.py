r"""The best policy of a KL-regularised problem, found by playing, with a certificate.

The problem: stages h = 0..H-1, rewards r_h in [0, 1] known, transitions unknown, a reference rho
and a temperature; V*_h = temperature log sum_a rho_h exp(Q*_h / temperature). Wanted: a policy pi
with V*_0 - V^pi_0 <= epsilon, regularised values both, with probability at least 1 - delta, after
few episodes. From counts n_h(s, a) and empirical rows P_hat, with c_h = H-1-h, backward

    U_h = r_h + min{c_h, P_hat U'_{h+1} + b_h(n)},   L_h = r_h + max{0, P_hat L'_{h+1} - b_h(n)},
    U'_h, L'_h = their soft maxima,     pi_h proportional to rho_h exp(U_h / temperature),
    D_h = max_a (U_h - L_h),  0 where rho_h allows one action only,     beta_h = max G_{h+1},
    G_h = min{D_h, D_h^2 / (8 temperature)}
          + sum_a pi_h min{beta_h, (sqrt(P_hat G_{h+1}) + sqrt(beta_h kappa(n)))^2},

    b_h(n) = c_h / 2 sqrt((n+1)(log(n+1) + 2 L)) / n,   L = log(2 S A H / delta),
    kappa(n) = (L + log binomial(n + S - 1, S - 1)) / n.

It stops where G_0 <= epsilon. An episode plays pi, but at one stage of H + 1 choices (or none) the
action with the widest interval (the first one within 2^-40 H of it: equal counts make equal
widths, but for rounding). Where episodes may end, ending is one more successor, worth 0, and
S + 1 stands for S in kappa. With probability at least 1 - delta all intervals contain Q*, and all
policies lose at most G: claims demo-optimism and demo-cert, docs/theory/regularized_bpi.md.

The shape is that of UCBVI-Ent+ (Tiapkin et al., ICLR 2024, arXiv 2310.17303), whose certificate
has 1/2 D^2 / temperature; constants and the certificate are this project's. Stages count from 0
here, so that the H - h of the paper is H-1-h.
"""

import dataclasses
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rltheory import _core
from rltheory.demonstrations.exploration import (
    BPIResult,
    Widths,
    explore,
    known_problem,
    read_growth,
    read_level,
    read_reference,
)
from rltheory.mathematics.concentration import categorical_kl_threshold, mixture_radius
from rltheory.mdp.access.common import Known
from rltheory.mdp.arguments import at_least
from rltheory.solvers.reference_laws import read_temperature

__all__ = ["RegularizedBPI", "certificate_size", "least_visits", "regularized_widths"]


@dataclass(frozen=True, eq=False)
class RegularizedBPI:
    """Best-policy identification with a KL regulariser: UCBVI-Ent+ with a certificate.

    Parameters
    ----------
    reference : array_like, shape (S, A) or (H, S, A)
        Probabilities; actions of probability 0 are never played.
    temperature : float
        Above 0, in units of reward per nat.
    epsilon : float
        Above 0: the certificate at which it stops.
    delta : float
        In (0, 1): the certificate may be wrong with this probability.
    batch_growth : float
        After t episodes the next plan comes max(1, floor(batch_growth * t)) episodes later; 0 plans
        before every episode. Guarantees hold for any.

    Examples
    --------
    >>> import rltheory as rlt
    >>> mdp = rlt.random_episodic(2, 2, horizon=2, seed=0)
    >>> learner = rlt.RegularizedBPI(rlt.uniform_policy(mdp), 1.0, epsilon=0.1, delta=0.1)
    >>> result = learner.run(rlt.online(mdp, seed=0), seed=0)
    >>> result.certificate <= 0.1, result.lower <= result.upper
    (True, True)
    """

    reference: Any
    temperature: float
    epsilon: float
    delta: float
    batch_growth: float = 0.05

    def __post_init__(self) -> None:
        read_temperature(self.temperature)
        read_level("epsilon", self.epsilon, float("inf"))
        read_level("delta", self.delta, 1.0)
        read_growth(self.batch_growth)

    def run(
        self, access: Any, seed: Any = 0, *, rewards: Any = None, most_episodes: int = 10**8
    ) -> BPIResult:
        """Explore until the certificate is at most epsilon.

        Parameters
        ----------
        access : online access to a model with a horizon
            `rltheory.online`; its rewards, unless others are given, and its start law are known.
        seed : int or SeedSequence
            For the learner's own random numbers; those of the model belong to the access.
        rewards : array_like, shape (S, A) or (H, S, A), optional
            In [0, 1], in place of the model's: estimates from preferences, for instance.
        most_episodes : int
            At least 1.

        Returns
        -------
        BPIResult

        Raises
        ------
        ModelError, PolicyError, AccessError
            If rewards are not in [0, 1] or random, the reference does not fit the model, or the
            access cannot be stepped.
        ConvergenceError
            If `most_episodes` are not enough; its `solution` is the result so far.
        """
        at_least("most_episodes", most_episodes, 1)
        known = known_problem(access, rewards)
        H, S, A = known.rewards.shape
        core = self.core(known)
        result = explore(
            core,
            access,
            known,
            lambda n: regularized_widths(n, S, A, H, self.delta, known.may_end),
            seed=seed,
            growth=float(self.batch_growth),
            epsilon=float(self.epsilon),
            most_episodes=most_episodes,
            temperature=float(self.temperature),
        )
        return dataclasses.replace(result, reference=read_reference(self.reference, known))

    def core(self, known: Known) -> _core.learning.SoftExplorer:
        """The rule of the core for a known problem, before the first episode."""
        law = read_reference(self.reference, known)
        with np.errstate(divide="ignore"):
            logs = np.log(law)
        H = len(law)
        return _core.learning.SoftExplorer(
            np.nan_to_num(known.rewards),
            law,
            logs,
            np.arange(H - 1.0, -1.0, -1.0),
            float(self.temperature),
        )


def regularized_widths(
    n: NDArray[np.int64], states: int, actions: int, horizon: int, delta: float, may_end: bool
) -> Widths:
    """b_h(n) / c_h and kappa(n): each of 2 S A H events fails with chance delta / (2 S A H).

    Parameters
    ----------
    n : ndarray of int
        At least 0; where it is 0 both are infinite.
    states, actions, horizon : int
    delta : float
        In (0, 1).
    may_end : bool
        Whether ending is one more successor.

    Returns
    -------
    Widths

    Examples
    --------
    >>> import numpy as np
    >>> from rltheory.demonstrations.regularized_bpi import regularized_widths
    >>> widths = regularized_widths(np.array([0, 1, 100]), 2, 2, 3, 0.1, may_end=False)
    >>> widths.bonus.round(4).tolist(), widths.divergence.round(4).tolist()
    ([inf, 2.414, 0.1983], [inf, 6.1738, 0.101])
    """
    level = delta / (2.0 * states * actions * horizon)
    some = np.maximum(n, 1)
    divergence = categorical_kl_threshold(some, states + may_end, level) / some
    return Widths(
        np.asarray(mixture_radius(n, level, 0.5, 1.0)), np.where(n > 0, divergence, np.inf)
    )


def certificate_size(
    visits: int, states: int, actions: int, horizon: int, temperature: float, delta: float
) -> float:
    r"""What G_0 is at most once every n_h(s, a) is at least `visits` (claim demo-cert-size).

    With B = sqrt((n+1)(log(n+1) + 2L)) / n and m = H-1-h, from the last stage to the first:

        W_h = min{m, m B + W_{h+1}},    size = sum_h min{W_h, W_h^2 / (8 temperature)}
                                             <= B^2 (H-1)H(H+1)(3H^2-2) / (480 temperature).

    Parameters
    ----------
    visits, states, actions, horizon : int
        At least 1 each.
    temperature, delta : float

    Examples
    --------
    >>> from rltheory.demonstrations.regularized_bpi import certificate_size
    >>> [round(certificate_size(n, 3, 2, 3, 0.2, 0.1), 3) for n in (100, 1000, 10_000)]
    [1.034, 0.117, 0.013]
    """
    for name, value in (("visits", visits), ("horizon", horizon)):
        at_least(name, value, 1)
    tau = read_temperature(temperature)
    level = delta / (2.0 * states * actions * horizon)
    slope = 2.0 * float(mixture_radius(visits, level, 0.5, 1.0))
    width = size = 0.0
    for m in range(horizon):
        width = min(float(m), m * slope + width)
        size += min(width, width * width / (8.0 * tau))
    return size


def least_visits(
    epsilon: float, states: int, actions: int, horizon: int, temperature: float, delta: float
) -> int:
    """The least n at which `certificate_size` is at most epsilon.

    Examples
    --------
    >>> from rltheory.demonstrations.regularized_bpi import least_visits
    >>> [least_visits(eps, 3, 2, 3, 0.2, 0.1) for eps in (0.2, 0.1, 0.05, 0.025)]
    [568, 1179, 2448, 5078]
    """
    read_level("epsilon", epsilon, float("inf"))

    def enough(n: int) -> bool:
        return certificate_size(n, states, actions, horizon, temperature, delta) <= epsilon

    high = 1
    while not enough(high):
        high *= 2
    low = high // 2  # not enough, or 0
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high
