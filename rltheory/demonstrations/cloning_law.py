r"""What behaviour cloning loses: the exact law of its mean divergence, and bounds.

Stages h = 0..H-1, N episodes of an expert with occupancy d_h(s), p = pi^E_h(. | s) over A_s
actions, and the clone of smoothing alpha. N_h(s) is binomial (N, d_h(s)) and N_h(s, a) binomial
(N, d_h(s) p_a), hence (claim demo-bc-exact-law), with M binomial,

    E KL(P^E, P^BC) = sum_{h,s} d_h(s) {sum_a p_a log p_a + E log(M_{N,d} + alpha A_s)
                                        - sum_a p_a E log(M_{N,d p_a} + alpha)}.

Computed as logarithms of ratios to the means, so that a small divergence keeps its digits. Bounds,
natural logarithms, proofs in docs/theory/cloning.md:

    expectation       H S (A-1) / (N+1), of the mean                       demo-bc-expectation
    markov            H S (A-1) / (delta (N+1)), with probability 1-delta  demo-bc-markov
    high_probability  8 H S (2 + log(N+A)) / N (log(2HS/delta)
                      + (A-1) log(e (1 + N/(A-1))) + 2 (A-1))              demo-bc-hp
    paper             6 S A H log(2 e^4 N) log(12 H N^2/delta) / N
                      + 18 A H / N                                         demo-bc-paper-finite
    minimax_lower     H E R_A(Bin(N, 1/S)), of every rule's worst mean     demo-bc-minimax
    cap               H log(N+A), always

R_A(n) is the Bayes risk of one row under the uniform prior (`add_one_risk`). Source: Tiapkin et
al., ICLR 2024, arXiv 2310.17303, whose finite bound is `paper`, as recalled; the others are derived
here.
"""

import math
from fractions import Fraction
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from rltheory.demonstrations.cloning import read_smoothing
from rltheory.errors import ModelError, PolicyError
from rltheory.mdp.arguments import at_least
from rltheory.mdp.episodic import EpisodicMDP
from rltheory.mdp.linear import LinearMDP
from rltheory.mdp.policies import Mixture
from rltheory.solvers.occupancy import occupancy

__all__ = ["BoundKind", "add_one_risk", "bc_kl_bound", "binomial_law", "expected_bc_kl"]

Array = NDArray[np.float64]
BoundKind = Literal["expectation", "markov", "high_probability", "paper", "minimax_lower", "cap"]
_KINDS = ("expectation", "markov", "high_probability", "paper", "minimax_lower", "cap")


def expected_bc_kl(
    mdp: EpisodicMDP | LinearMDP,
    expert: Any,
    n: int,
    smoothing: float = 1.0,
    *,
    initial: Any = None,
    allow_zeros: bool = False,
) -> float:
    """Mean over the data of the divergence of the expert's episodes from its clone's.

    Parameters
    ----------
    mdp : EpisodicMDP or LinearMDP
    expert : array_like
        A Markov policy, as in `evaluate`.
    n : int
        Episodes that are cloned, at least 0.
    smoothing : float
    initial : array_like, shape (S,), optional
        Start law in place of the model's.
    allow_zeros : bool
        As in `behavior_cloning`. At smoothing 0 the mean is infinite if the expert randomises.

    Returns
    -------
    float
        E KL(P^E, P^BC) in nats, with a relative error of some 1e-12.

    Raises
    ------
    ModelError, PolicyError
        If an argument is not allowed.

    Examples
    --------
    >>> import rltheory as rlt
    >>> mdp = rlt.EpisodicMDP([[[1.0], [1.0]]], [[0, 0]], 1, [1.0])
    >>> round(rlt.expected_bc_kl(mdp, [[0.5, 0.5]], 10), 7)
    0.0391201
    >>> round(rlt.expected_bc_kl(mdp, [0], 10), 7)  # log(12/11)
    0.0870114
    """
    at_least("n", n, 0)
    alpha = read_smoothing(smoothing, allow_zeros)
    if isinstance(mdp, LinearMDP):
        mdp = mdp.tabular()
    if not isinstance(mdp, EpisodicMDP):
        raise ModelError(f"expected_bc_kl takes an EpisodicMDP, not {type(mdp).__name__}")
    if isinstance(expert, Mixture):
        raise PolicyError(
            "expert is a Mixture, whose episodes are no Markov policy's; cloning it loses more "
            "than this law says"
        )
    pairs = occupancy(mdp, expert, initial)
    if not mdp.is_full:
        lines = pairs.reshape(-1, mdp.n_pairs)
        pairs = np.stack([mdp.table(line, fill=np.nan) for line in lines])
    pairs = pairs.reshape(-1, mdp.n_actions)
    total = 0.0
    known: dict[tuple[float, float], float] = {}

    def spread(q: float, c: float) -> float:
        if (q, c) not in known:
            known[q, c] = _mean_log_ratio(n, q, c)
        return known[q, c]

    for row in pairs:
        mass = row[~np.isnan(row)]
        d = float(mass.sum())
        if d == 0.0:
            continue
        taken, A = mass[mass > 0.0], len(mass)
        if alpha == 0.0 and n > 0:
            if len(taken) > 1:
                return math.inf
            total += d * (1.0 - min(d, 1.0)) ** n * math.log(A)
            continue
        if n == 0:
            total += float((taken * np.log(taken / d * A)).sum())
            continue
        offset = np.log1p(alpha * (taken / d * A - 1.0) / (n * taken + alpha))
        around = np.array([spread(min(1.0, q), alpha) for q in taken.tolist()])
        total += float((taken * (offset - around)).sum()) + d * spread(min(1.0, d), alpha * A)
    return max(0.0, total)


def bc_kl_bound(
    n: int,
    n_states: int,
    n_actions: int,
    horizon: int,
    delta: float | None = None,
    kind: BoundKind = "expectation",
) -> float:
    """Bounds of the divergence of an expert's episodes from its clone's (smoothing 1).

    Parameters
    ----------
    n : int
        Episodes that are cloned, at least 0.
    n_states, n_actions, horizon : int
        S, the largest number of actions A, and H; each at least 1.
    delta : float, in (0, 1)
        Probability of failure, for "markov", "high_probability" and "paper".
    kind : str
        "expectation", "markov", "high_probability" (infinite at n = 0), "paper" (as recalled from
        the paper; for n of at least A, else infinite), "minimax_lower", or "cap"; formulas in the
        module.

    Returns
    -------
    float

    Raises
    ------
    ModelError
        If an argument is not allowed, or delta is missing.

    Examples
    --------
    >>> import rltheory as rlt
    >>> round(rlt.bc_kl_bound(200, 3, 3, 3), 4)
    0.0896
    >>> round(rlt.bc_kl_bound(200, 3, 3, 3, 0.1, "markov"), 3)
    0.896
    """
    at_least("n", n, 0)
    sizes = {"n_states": n_states, "n_actions": n_actions, "horizon": horizon}
    for name, size in sizes.items():
        at_least(name, size, 1)
    if kind not in _KINDS:
        raise ModelError(f"kind is {kind!r}; it must be one of {', '.join(_KINDS)}")
    S, A, H = n_states, n_actions, horizon
    if kind == "expectation":
        return H * S * (A - 1) / (n + 1)
    if kind == "cap":
        return H * math.log(n + A)
    if kind == "minimax_lower":
        low, law = binomial_law(n, 1.0 / S)
        risks = np.array([add_one_risk(low + k, A) for k in range(len(law))])
        return H * float((law * risks).sum())
    if delta is None or isinstance(delta, bool) or not 0.0 < delta < 1.0:
        raise ModelError(f"delta is {delta!r}; kind {kind!r} needs one in (0, 1)")
    if A == 1:
        return 0.0
    if kind == "markov":
        return H * S * (A - 1) / (delta * (n + 1))
    if kind == "paper":
        if n < A:
            return math.inf
        logs = (math.log(2.0 * n) + 4.0) * math.log(12.0 * H * n * n / delta)
        return 6.0 * S * A * H * logs / n + 18.0 * A * H / n
    if n == 0:
        return math.inf
    terms = math.log(2.0 * H * S / delta) + (A - 1) * (1.0 + math.log1p(n / (A - 1)) + 2.0)
    return 8.0 * H * S * (2.0 + math.log(n + A)) / n * terms


def add_one_risk(n: int, n_actions: int) -> float:
    """R_A(n): the least mean divergence of an estimate of p from n draws, p uniform on laws.

    Attained by add-one smoothing. With psi(2) - psi(A+1) = 1 - (1 + 1/2 + ... + 1/A),

        R_A(n) = 1 - sum_{k<=A} 1/k - A sum_k C(n-k+A-2, A-2)/C(n+A-1, A-1) (k+1)/(n+A)
                 log((k+1)/(n+A)).

    Examples
    --------
    >>> from rltheory.demonstrations.cloning_law import add_one_risk
    >>> [round(add_one_risk(n, A), 7) for n, A in ((1, 2), (3, 3), (10, 5))]
    [0.1365142, 0.1436394, 0.1200538]
    """
    A = n_actions
    if A == 1:
        return 0.0
    # The law of one action's count, from k = 0 on: C(n-k+A-2, A-2) / C(n+A-1, A-1).
    k = np.arange(n)
    ratios = (n - k) / (n - k + A - 2.0)
    law = (A - 1.0) / (n + A - 1.0) * np.concatenate([[1.0], np.cumprod(ratios)])
    share = np.arange(1, n + 2) / (n + A)
    harmonic = float(sum(Fraction(1, j) for j in range(1, A + 1)))
    return 1.0 - harmonic - A * math.fsum(law * share * np.log(share))


def binomial_law(n: int, q: float, whole: bool = False) -> tuple[int, Array]:
    """The binomial law (n, q) where its mass is: the first count, and probabilities from there on.

    What is left out is below 1e-30 in all: by Bernstein's inequality counts are within 12 standard
    deviations and 60 of their mean; nothing is where the `whole` law is wanted. Ratios of
    neighbours are multiplied from the mode outward: a relative error of 4 n units of rounding.
    """
    if q <= 0.0 or q >= 1.0:
        return (n if q >= 1.0 else 0), np.ones(1)
    mean = n * q
    reach = math.inf if whole else 12.0 * math.sqrt(mean * (1.0 - q)) + 60.0
    low, high = math.floor(max(0.0, mean - reach)), math.ceil(min(float(n), mean + reach))
    mode = min(high, max(low, int((n + 1) * q)))
    odds = q / (1.0 - q)
    up = np.arange(mode, high)
    above = np.cumprod((n - up) / (up + 1.0) * odds)
    down = np.arange(mode, low, -1)
    below = np.cumprod(down / (n - down + 1.0) / odds)
    law = np.concatenate([below[::-1], [1.0], above])
    return low, law / law.sum()


def _mean_log_ratio(n: int, q: float, c: float) -> float:
    """E log((M + c) / (n q + c)) of a binomial M (n, q).

    With z = (M - n q) / (n q + c), whose mean is 0: terms log(1 + z) - z have one sign. Where 1 + z
    is small, z has lost it.
    """
    low, law = binomial_law(n, q)
    mean = n * q
    count = np.arange(low, low + len(law))
    z = (count - mean) / (mean + c)
    near = z > -0.5
    log = np.where(near, np.log1p(np.where(near, z, 0.0)), np.log(count + c) - math.log(mean + c))
    return math.fsum(law * (log - z))
