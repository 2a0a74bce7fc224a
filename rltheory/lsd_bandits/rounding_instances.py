"""Instances of the claims about schedules: arms, and rates that need not be the optimal ones.

An instance is one of `families.case`; with `rates`, a list per arm of [n, m, x], it names the
solution of the relaxation too (m = 0 stands for playing always).
"""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from rltheory.claims.family import Instance
from rltheory.lsd_bandits.arms import LSDArm
from rltheory.lsd_bandits.bandit import LSDBandit
from rltheory.lsd_bandits.families import bandit_of, case
from rltheory.lsd_bandits.plans import Relaxation
from rltheory.lsd_bandits.relaxation import concave_relaxation, relaxation_at

__all__ = ["momentum", "offsets_zero", "solution_of", "with_rates", "without_budget"]


def with_rates(bandit: LSDBandit, rates: Sequence[Sequence[tuple[int, int, Any]]]) -> Instance:
    """The instance of a bandit and a solution."""
    rows = [[[n, m, Fraction(x)] for n, m, x in row] for row in rates]
    return Instance(**case(bandit), rates=rows)


def solution_of(instance: Instance) -> Relaxation:
    """The solution that the instance names, or the optimal one that the package finds."""
    bandit = bandit_of(instance)
    if "rates" not in instance:
        return concave_relaxation(bandit, exact=True)
    rates: list[Mapping[tuple[int, int] | str, Any]] = [
        {("always" if m == 0 else (n, m)): x for n, m, x in row} for row in instance.rates
    ]
    return relaxation_at(bandit, rates)


def momentum(length: int, copies: int = 2) -> Instance:
    """Arms that pay 1 at the last of so many plays in a row, and rates x_i(L, L) = 1/(N L)."""
    arm = LSDArm([0] * length, [int(m == length - 1) for m in range(1, length + 1)])
    rates = [[(length, length, Fraction(1, copies * length))]] * copies
    return with_rates(LSDBandit([arm] * copies), rates)


def without_budget(relax: Relaxation) -> Relaxation:
    """A mutant: every arm at its own best, as if k were N; played k at a time."""
    bandit = relax.bandit
    free = concave_relaxation(LSDBandit(bandit.arms, plays=bandit.n_arms), exact=True)
    return Relaxation(bandit, free.value, free.plans, free.rates, free.multiplier)


def offsets_zero(relax: Relaxation) -> tuple[tuple[Any, ...], tuple[int, ...]]:
    """A mutant: the first plan of each arm, with offset 0."""
    plans = tuple(row[0] if row else None for row in relax.plans)
    return plans, (0,) * len(plans)
