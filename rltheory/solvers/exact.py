"""Exact rational optima of small models.

Policy iteration in doubles finds a policy; its equations are solved once in rationals, and every
row is compared exactly. Where a row is better, policy iteration goes on in rationals (it ends:
improvements are strict, and there are finitely many policies). With a horizon, backward induction
in rationals. The result carries a certificate of gap 0 that the ordinary checker verifies.

Linear systems are solved by python-flint where it is installed, by sympy otherwise.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rltheory.errors import ModelError
from rltheory.mdp.episodic import EpisodicMDP
from rltheory.mdp.linear import LinearMDP
from rltheory.mdp.model import MDP
from rltheory.mdp.rational import RationalModel
from rltheory.solvers.average import need_recurrent
from rltheory.solvers.bellman import discount_of
from rltheory.solvers.certificate import Certificate
from rltheory.solvers.certify import certify
from rltheory.solvers.exact_average import exact_gains
from rltheory.solvers.methods import METHODS
from rltheory.solvers.rational_equations import objects, solve_rational
from rltheory.solvers.solution import AnyCertificate
from rltheory.solvers.tolerance import read_tolerance

__all__ = ["ExactSolution", "solve_exact"]

MOST_STATES = 1000
MOST_ENTRIES = 2_000_000
"""Entries of all stages that backward induction goes over."""


@dataclass(frozen=True, eq=False)
class ExactSolution:
    """The optimal value as fractions; under average reward, the optimal gain.

    Parameters
    ----------
    value : tuple of Fraction, or with a horizon tuple of H+1 such tuples
    policy : ndarray of int64, shape (S,) or (H, S)
        An optimal policy, as action labels.
    certificate : Certificate, AverageCertificate or TotalCertificate
        lower == upper == value; check it against `mdp`.
    mdp : MDP or EpisodicMDP
        The exact model that was solved.
    model_note : str
        Which rational model that is.
    bias : tuple of Fraction, or None
        Under average reward, of the policy, with mean 0 in each closed class.
    """

    value: tuple[Any, ...]
    policy: NDArray[np.int64]
    certificate: AnyCertificate
    mdp: MDP | EpisodicMDP
    model_note: str
    bias: tuple[Fraction, ...] | None = None


def solve_exact(
    mdp: MDP | EpisodicMDP | LinearMDP,
    discount: Fraction | None = None,
    *,
    criterion: str | None = None,
) -> ExactSolution:
    """The exact optimum of a small model.

    Parameters
    ----------
    mdp : MDP, EpisodicMDP or LinearMDP
        A model of doubles stands for the rational model that it means: every number is exactly
        the double, each row divided by its exact sum.
    discount : Fraction, optional
        Takes the place of the model's, which is the double nearest to what was typed.
    criterion : {None, "discounted", "finite-horizon", "average", "total"}
        As in `solve`.

    Returns
    -------
    ExactSolution

    Raises
    ------
    ModelError
        If the model is too large, or has no discount; if a total reward is not finite, or no
        ranking of the states is found, which is done in doubles and needs runs of at most about
        2^48 steps on average.

    Examples
    --------
    >>> from fractions import Fraction
    >>> import rltheory as rlt
    >>> half = Fraction(1, 2)
    >>> mdp = rlt.MDP([[[half, half]], [[0, 1]]], [[1], [0]], Fraction(2, 3), exact=True)
    >>> rlt.solve_exact(mdp).value
    (Fraction(3, 2), Fraction(0, 1))
    """
    if isinstance(mdp, LinearMDP):
        mdp = mdp.tabular()
    if not isinstance(mdp, MDP | EpisodicMDP):
        raise ModelError(f"solve_exact takes an MDP or an EpisodicMDP, not {type(mdp).__name__}")
    undiscounted = criterion in ("average", "total")
    natural = "discounted" if isinstance(mdp, MDP) else "finite-horizon"
    if not undiscounted and criterion not in (None, natural):
        others = "; the others are 'average' and 'total'" if isinstance(mdp, MDP) else ""
        raise ModelError(
            f"criterion {criterion!r} does not fit this model; it is {natural}{others}"
        )
    if discount is not None and not isinstance(mdp, MDP):
        raise ModelError(f"discount {discount} is given; the model has horizon {mdp.horizon}")
    if discount is not None and undiscounted:
        raise ModelError(f"discount {discount} is given; {criterion} reward has none")
    if criterion == "total" and not isinstance(mdp, MDP):
        raise ModelError(f"criterion 'total' does not fit a model with horizon {mdp.horizon}")
    if criterion == "average":
        mdp = need_recurrent(mdp)
    exact = mdp.as_exact(discount) if isinstance(mdp, MDP) else mdp.as_exact()
    rational = exact.rational
    assert rational is not None
    entries = len(rational.prob) * (mdp.horizon if isinstance(mdp, EpisodicMDP) else 1)
    if mdp.n_states > MOST_STATES or entries > MOST_ENTRIES:
        raise ModelError(
            f"the model has {mdp.n_states} states and {entries} entries to go over; exact "
            f"solutions are for up to {MOST_STATES} states and {MOST_ENTRIES} entries"
        )
    if isinstance(exact, EpisodicMDP):
        return _backward(exact, rational, _note(mdp, exact))
    if criterion == "total":
        from rltheory.solvers.exact_total import solve_exact_total

        value, proof = solve_exact_total(exact)
        note = _note(mdp, exact, discounted=False)
        return ExactSolution(tuple(value), proof.policy, proof, exact, note)
    if criterion == "average":
        gain, bias, certificate = exact_gains(exact)
        note = _note(mdp, exact, discounted=False)
        return ExactSolution(tuple(gain), certificate.policy, certificate, exact, note, tuple(bias))
    discount_of(exact)
    return _discounted(exact, rational, _note(mdp, exact))


def _discounted(mdp: MDP, rational: RationalModel, note: str) -> ExactSolution:
    discount = rational.discount
    assert discount is not None
    rows = _starting_rows(mdp)
    while True:
        value = _policy_value(rational, discount, rows)
        better = _improved(rational, discount, value, rows)
        if better == rows:
            break
        rows = better
    head = objects(value)
    zero = Fraction(0)
    tail = objects([zero] * len(value))
    chosen = np.array(rows, dtype=np.int64)
    policy = mdp.core.action[chosen].astype(np.int64)
    certificate = Certificate("discounted", policy, chosen, head, tail, zero, zero, head, head)
    return ExactSolution(tuple(value), policy, certificate, mdp, note)


def _starting_rows(mdp: MDP) -> list[int]:
    """A policy that is optimal up to rounding."""
    discount = discount_of(mdp)
    tolerance = read_tolerance(None, None, float(np.abs(mdp.mean_rewards).max()))
    with np.errstate(all="ignore"):
        guess = METHODS["auto"](mdp.core, discount, tolerance, np.zeros(mdp.n_states))
        found = certify(mdp, guess.rows, guess.value, tolerance)
    return (guess.rows if found is None else found.certificate.rows).tolist()


def _improved(
    rational: RationalModel, discount: Fraction, value: list[Fraction], rows: list[int]
) -> list[int]:
    """The best row of each state; the present one unless another is strictly better."""
    out = []
    for s, present in enumerate(rows):
        best, row = value[s], present
        for r in range(rational.state_ptr[s], rational.state_ptr[s + 1]):
            q = rational.backup(r, discount, value)
            if q > best:
                best, row = q, r
        out.append(row)
    return out


def _policy_value(
    rational: RationalModel, discount: Fraction, rows: Sequence[int]
) -> list[Fraction]:
    """V = r_pi + discount P_pi V in rationals."""
    n = len(rows)
    matrix = [[Fraction(int(i == j)) for j in range(n)] for i in range(n)]
    for s, row in enumerate(rows):
        i, j = rational.row_ptr[row], rational.row_ptr[row + 1]
        for p, t in zip(rational.prob[i:j], rational.col[i:j], strict=True):
            matrix[s][t] -= discount * p
    reward = [rational.reward[row] for row in rows]
    return solve_rational(matrix, reward)


def _backward(mdp: EpisodicMDP, rational: RationalModel, note: str) -> ExactSolution:
    H, S = mdp.horizon, mdp.n_states
    zero = Fraction(0)
    values: list[list[Fraction]] = [[zero] * S for _ in range(H + 1)]
    rows = np.empty((H, S), dtype=np.int64)
    for h in reversed(range(H)):
        first = mdp.stage(h) * S
        for s in range(S):
            pairs = range(rational.state_ptr[first + s], rational.state_ptr[first + s + 1])
            q = [rational.backup(r, 1, values[h + 1]) for r in pairs]
            values[h][s] = max(q)
            rows[h, s] = pairs[q.index(values[h][s])]
    head = objects([x for stage in values for x in stage]).reshape(H + 1, S)
    tail = objects([zero] * ((H + 1) * S)).reshape(H + 1, S)
    shift = objects([zero] * (H + 1))
    policy = mdp.core.action[rows].astype(np.int64)
    certificate = Certificate("finite-horizon", policy, rows, head, tail, shift, shift, head, head)
    return ExactSolution(tuple(map(tuple, values)), policy, certificate, mdp, note)


def _note(given: MDP | EpisodicMDP, solved: MDP | EpisodicMDP, discounted: bool = True) -> str:
    discount = ""
    if discounted and isinstance(given, MDP) and isinstance(solved, MDP):
        discount = f", discount {solved.discount}"
        if isinstance(given.discount, float) and given.discount == solved.discount:
            discount += f" (the double {given.discount})"
    if given.rational is not None:
        return f"of the rational model given{discount}"
    return (
        "of the model whose probabilities and rewards are exactly the doubles stored, each row "
        f"divided by its exact sum{discount}"
    )
