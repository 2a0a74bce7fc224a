"""Exact rational optima of total reward, on small models.

As with a discount: the policy found in doubles is solved once in rationals, and every row of the
collapsed model is compared exactly; where one is better, policy iteration goes on in rationals. It
starts from a policy that ends, and so meets no other unless a value is +infinity.
"""

from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from rltheory.errors import ModelError
from rltheory.mdp.model import MDP
from rltheory.solvers.collapse import Collapsed
from rltheory.solvers.divergence import StayingError, refuse_unbounded
from rltheory.solvers.rational_equations import solve_rational
from rltheory.solvers.total_certificate import TotalCertificate
from rltheory.solvers.total_certify import Lifted
from rltheory.solvers.total_methods import improve_from, is_proper
from rltheory.solvers.total_rankings import upper_ranking

__all__ = ["exact_rows", "solve_exact_total"]

Rows = NDArray[np.int64]
Value = list[Fraction]


def exact_rows(collapsed: Collapsed, chosen: Rows) -> tuple[Rows, Value]:
    """An optimal policy of the collapsed model, and the optimum of the model, in fractions."""
    rational = collapsed.mdp.rational
    assert rational is not None
    core = collapsed.core
    speaker = collapsed.state.tolist()
    while True:
        rows, held, _ = collapsed.lift(chosen)
        value = _policy_value(collapsed, rows, held)
        of_state: dict[int, Fraction] = dict(zip(speaker, value, strict=True))
        better = chosen.copy()
        for s in range(core.n_states):
            best = of_state[s]
            for row in range(int(core.state_ptr[s]), int(core.state_ptr[s + 1])):
                origin = int(collapsed.origin[row])
                q = Fraction(0) if origin < 0 else rational.backup(origin, 1, value)
                if q > best:
                    best, better[s] = q, row
        if np.array_equal(better, chosen):
            return chosen, value
        if not is_proper(core, better):
            refuse_unbounded(collapsed.mdp, collapsed.lift(better)[0])
        chosen = better


def _policy_value(collapsed: Collapsed, rows: Rows, held: NDArray[np.bool_]) -> Value:
    """V = r_pi + P_pi V, and 0 where the policy stays for nothing."""
    rational = collapsed.mdp.rational
    assert rational is not None
    n = len(rows)
    matrix = [[Fraction(int(i == j)) for j in range(n)] for i in range(n)]
    reward = [Fraction(0)] * n
    for s, row in enumerate(rows.tolist()):
        if held[s]:
            continue
        reward[s] = rational.reward[row]
        i, j = rational.row_ptr[row], rational.row_ptr[row + 1]
        for p, t in zip(rational.prob[i:j], rational.col[i:j], strict=True):
            matrix[s][t] -= p
    return solve_rational(matrix, reward)


def solve_exact_total(mdp: MDP) -> tuple[Value, TotalCertificate]:
    """The optimum of an exact model, and a certificate of gap 0."""
    from rltheory.solvers.total import proper_start

    with np.errstate(all="ignore"):
        collapsed, start = proper_start(mdp)
        try:
            chosen = improve_from(collapsed.core, start).rows
        except StayingError as met:
            refuse_unbounded(mdp, collapsed.lift(met.rows)[0])
            chosen = start
        chosen, value = exact_rows(collapsed, chosen)
        ranking = upper_ranking(collapsed, chosen)
        lifted = None if ranking is None else Lifted.of(collapsed, chosen, ranking)
    if lifted is None:
        raise ModelError("no ranking of the states was found in doubles: runs last too long")
    head = np.empty(mdp.n_states, dtype=object)
    head[:] = value
    tail = np.empty(mdp.n_states, dtype=object)
    tail[:] = [Fraction(0)] * mdp.n_states
    zero = Fraction(0)
    certificate = TotalCertificate(
        policy=mdp.core.action[lifted.rows].astype(np.int64),
        rows=lifted.rows,
        head=head,
        tail=tail,
        lower_ranking=lifted.below,
        upper_ranking=lifted.above,
        lower_repair=zero,
        upper_repair=zero,
        reward_weight=lifted.weight,
        lower=head,
        upper=head,
    )
    return value, certificate
