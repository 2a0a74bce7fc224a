r"""The best policy, without a regulariser, found by playing, with a certificate.

The baseline that regularised identification is compared with. Stages h = 0..H-1, rewards r_h in
[0, 1] known, transitions unknown, c_h = H-1-h. From counts and empirical rows, backward

    U_h = r_h + min{c_h, P_hat max_a U_{h+1} + b_h(n)},      pi_h greedy, the lowest index on ties,
    W_h = min{c_h, 2 b_h(n) + P_hat W_{h+1}} at pi_h,        b_h(n) = c_h sqrt(kappa'(n) / 2),
    kappa'(n) = (log(S A H / delta) + log binomial(n + S - 1, S - 1)) / n.

It plays pi and stops where W_0 <= epsilon. With probability at least 1 - delta, KL(P_hat, P) is at
most kappa' for all counts at once; then by Pinsker's inequality U >= Q*, and W bounds what pi
loses: docs/theory/regularized_bpi.md. The shape is that of BPI-UCBVI (Menard et al., ICML 2021,
arXiv 2007.13442); bonus and certificate are this project's.
"""

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
)
from rltheory.mathematics.concentration import categorical_kl_threshold
from rltheory.mdp.arguments import at_least

__all__ = ["BestPolicyIdentification", "greedy_widths"]


@dataclass(frozen=True)
class BestPolicyIdentification:
    """Best-policy identification by optimism, with a certificate.

    Parameters
    ----------
    epsilon : float
        Above 0: the certificate at which it stops.
    delta : float
        In (0, 1): the certificate may be wrong with this probability.
    batch_growth : float
        As in `RegularizedBPI`.

    Examples
    --------
    >>> import rltheory as rlt
    >>> mdp = rlt.random_episodic(2, 2, horizon=2, seed=0)
    >>> learner = rlt.BestPolicyIdentification(epsilon=0.3, delta=0.1)
    >>> result = learner.run(rlt.online(mdp, seed=0))
    >>> result.certificate <= 0.3
    True
    """

    epsilon: float
    delta: float
    batch_growth: float = 0.05

    def __post_init__(self) -> None:
        read_level("epsilon", self.epsilon, float("inf"))
        read_level("delta", self.delta, 1.0)
        read_growth(self.batch_growth)

    def run(
        self, access: Any, seed: Any = 0, *, rewards: Any = None, most_episodes: int = 10**7
    ) -> BPIResult:
        """Explore until the certificate is at most epsilon.

        Parameters, returns and errors are those of `RegularizedBPI.run`; the policy has one action
        in every state.
        """
        at_least("most_episodes", most_episodes, 1)
        known = known_problem(access, rewards)
        H, S, A = known.rewards.shape
        there = ~np.isnan(known.rewards)
        law = there / there.sum(axis=2, keepdims=True)
        with np.errstate(divide="ignore"):
            logs = np.log(law)
        core = _core.learning.GreedyExplorer(
            np.nan_to_num(known.rewards), law, logs, np.arange(H - 1.0, -1.0, -1.0)
        )
        return explore(
            core,
            access,
            known,
            lambda n: greedy_widths(n, S, A, H, self.delta, known.may_end),
            seed=seed,
            growth=float(self.batch_growth),
            epsilon=float(self.epsilon),
            most_episodes=most_episodes,
            temperature=0.0,
        )


def greedy_widths(
    n: NDArray[np.int64], states: int, actions: int, horizon: int, delta: float, may_end: bool
) -> Widths:
    """sqrt(kappa'(n) / 2), the bonus over c_h; infinite where n is 0.

    Examples
    --------
    >>> import numpy as np
    >>> from rltheory.demonstrations.best_policy_identification import greedy_widths
    >>> greedy_widths(np.array([0, 1, 100]), 2, 2, 3, 0.1, may_end=False).bonus.round(4).tolist()
    [inf, 1.6554, 0.2168]
    """
    some = np.maximum(n, 1)
    level = delta / (states * actions * horizon)
    divergence = categorical_kl_threshold(some, states + may_end, level) / some
    return Widths(np.where(n > 0, np.sqrt(divergence / 2.0), np.inf), np.zeros(0))
