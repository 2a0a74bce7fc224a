"""The variance of a return, and where along a run it arises.

The problem: the return G of a policy is random; split its variance over the steps, and bound what
the noise of the transitions adds up to. Symbols: (R, s') the reward and successor of a pair, drawn
jointly; V, Q the values of the policy; sigma(s)^2 = Var_{s' ~ P_pi(s)} V(s').

    Var(G) = Var_rho(V) + sum_t discount^{2t} E[ Var_{a ~ pi} Q(s_t, a) + Var R_t
                 + discount^2 Var_{s'} V(s') + 2 discount Cov(R_t, V(s')) ]     plan-total-variance
    discount^2 (I - discount P_pi)^-1 sigma^2 <= discount / (4 (1-discount)^2),
    discount (I - discount P_pi)^-1 sigma <= sqrt(discount) / (2 (1-discount)^{3/2})
                                                                          plan-variance-resolvent

with a horizon the first one has discount 1 and stage-dependent values. Left and right of it are
computed apart: Var(G) from the recursion of second moments E[(R + discount G')^2]. Square roots
are enclosed in rationals. Proofs: docs/theory/foundations.md. Reference: Azar, Munos and Kappen,
Machine Learning 91, 2013.
"""

import math
from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import partial
from typing import Any

from rltheory.claims.claim import Measurement, Mutant, claim
from rltheory.claims.family import Family, Instance
from rltheory.claims.space import Choice, Dyadic, Many, Space
from rltheory.foundations.families import (
    MOST_STATES,
    episodic_family,
    planning_family,
    side_by_side,
)
from rltheory.foundations.instances import absorbing, flip, leak
from rltheory.foundations.rationals import Planner, solve_linear
from rltheory.foundations.returns import LAWS, Return
from rltheory.foundations.runs import PAIRS, dot, parts_of, with_policies
from rltheory.mdp.model import MDP
from rltheory.solvers.bounds import variance_resolvent_bound

__all__ = ["CLAIMS", "root_of"]

_STAGES = 4
_ZERO = Fraction(0)


# --- plan-total-variance: instances -------------------------------------------------------


def _with_rewards(models: Family, stages: int = 1) -> Family:
    """Models with a law for the reward of each pair, all of the model's mean."""

    def build(kinds: list[str], tilt: list[float], dependent: bool, **rest: Any) -> Instance:
        built = models.instance(rest)
        parts = {key: built[key] for key in ("mdp", "start", "new")}
        laws = kinds if dependent else ["fixed" if x == "successor" else x for x in kinds]
        return Instance(**parts, laws=laws, tilt=[Fraction(x) for x in tilt])

    more: dict[str, Space] = {
        "kinds": Many(Choice("fixed", *LAWS), PAIRS * stages),
        "tilt": Many(Dyadic(-1, 1, 1), MOST_STATES),
        "dependent": Choice(False, True),
    }
    return Family({**models.space, **more}, build)


_RANDOM = side_by_side(
    discounted=_with_rewards(with_policies(planning_family())),
    horizon=_with_rewards(with_policies(episodic_family(_STAGES), _STAGES), _STAGES),
)


def _certain(mdp: MDP, stages: int, start: Sequence[Fraction | int]) -> dict[str, Any]:
    """The parts of an instance of one action whose rewards do not vary."""
    S, one = mdp.n_states, [Fraction(1)]
    return {
        "horizon_mdp": mdp.episodic(stages),
        "horizon_start": [Fraction(p) for p in start],
        "horizon_new": [[one] * S] * stages,
        "horizon_laws": ["fixed"] * (S * stages),
        "horizon_tilt": [_ZERO] * S,
    }


def _all_or_nothing() -> Instance:
    """Half of the runs earn everything, half nothing; with a horizon from the second stage on."""
    half, one = Fraction(1, 2), [Fraction(1)]
    fork = MDP([[[1, 0, 0]], [[0, 1, 0]], [[half, half, 0]]], [[0], [1], [0]], half, exact=True)
    return Instance(
        discounted_mdp=absorbing(0, 1, Fraction(9, 10)),
        discounted_start=[half, half],
        discounted_new=[[one, one]],
        discounted_laws=["fixed"] * 2,
        discounted_tilt=[_ZERO] * 2,
        **_certain(fork, 6, [0, 0, 1]),
    )


def _drawn_at_the_start() -> Instance:
    half = Fraction(1, 2)
    return Instance(**_certain(absorbing(0, 1, half), 6, [half, half]))


# --- plan-total-variance: both sides ------------------------------------------------------


def _total_variance(
    instance: Instance, without: str = "", of_square: bool = True, share: Fraction = Fraction(1)
) -> list[Measurement]:
    found = []
    for part, runs in parts_of(instance):
        back = Return(part, runs)
        terms, variance = back.terms(of_square), back.variance()
        split = sum((x for name, x in terms.items() if name != without), _ZERO)
        low, high = back.reward_range()
        unit = low >= 0 and high <= 1
        longest = Fraction(len(runs.stages)) if runs.staged else 1 / runs.share
        name, free = runs.name, back.is_independent
        found += [
            Measurement(abs(variance - split), 0, what=f"split, {name}"),
            Measurement(terms["move"], variance, event=free, what=f"moves, {name}"),
            Measurement(
                abs(int(terms["move"] == variance) - int(back.is_only_moved())),
                0,
                event=free,
                what=f"equality, {name}",
            ),
            Measurement(variance, back.range() ** 2 / 4, what=f"range, {name}"),
            Measurement(
                variance, share * longest**2 / 4, event=unit, what=f"rewards in [0, 1], {name}"
            ),
        ]
    return found


# --- plan-variance-resolvent --------------------------------------------------------------

_BITS = 120


def root_of(x: Fraction) -> Fraction:
    """The square root, rounded down to a multiple of 2^-120."""
    return Fraction(math.isqrt((x.numerator << 2 * _BITS) // x.denominator), 1 << _BITS)


def _chain(mdp: MDP) -> Callable[[], Instance]:
    return lambda: Instance(mdp=mdp, policy=[0] * mdp.n_states)


def _leaking(discount: str) -> Callable[[], Instance]:
    g = Fraction(discount)
    return _chain(leak(g, 2 * (1 - g) / 3))


def _forked(discount: str) -> Callable[[], Instance]:
    """State 2 goes to the absorbing 0 or 1, which pay nothing and everything."""
    half = Fraction(1, 2)
    moves = [[[1, 0, 0]], [[0, 1, 0]], [[half, half, 0]]]
    return _chain(MDP(moves, [[0], [1], [0]], Fraction(discount), exact=True))


def _between(discount: str) -> Callable[[], Instance]:
    """As the fork, but slow: 0 and 1 change places now and then, 2 leaves sooner (by search)."""
    g = Fraction(discount)
    swap, leave = 27 * (1 - g) / 100, 23 * (1 - g) / 10
    moves = [[[1 - swap, swap, 0]], [[swap, 1 - swap, 0]], [[leave, leave, 1 - 2 * leave]]]
    return _chain(MDP(moves, [[0], [1], [0]], g, exact=True))


def _resolvent(
    instance: Instance, share: Fraction = Fraction(1), exponent: int = 3, squares: bool = True
) -> list[Measurement]:
    """Bounds times `share`; (1 - discount) to the power exponent / 2."""
    m = Planner(instance.mdp)
    g, rest = m.discount, 1 - m.discount
    v = m.policy_value(instance.policy)
    _, moves = m.chain(instance.policy)
    squared = [dot(row, [x * x for x in v]) - dot(row, v) ** 2 for row in moves]
    matrix = [[int(s == t) - g * moves[s][t] for t in m.states] for s in m.states]

    unit = Fraction(1, 1 << _BITS)
    rough = share**2 * (1 + g) / (4 * rest**exponent)
    sharp = share**2 * g / (4 * rest**exponent)
    total = g * max(solve_linear(matrix, [root_of(x) for x in squared]))
    error = unit * (1 + g / rest)
    trivial = g / (2 * rest**2)
    found = [
        Measurement(total, root_of(x), trivial, tolerance=error, certified=True, what=what)
        for x, what in ((rough, "by total variance"), (sharp, "by centred rewards"))
    ]
    if squares:
        mean = g * g * max(solve_linear(matrix, squared))
        bound, trivial = g / (4 * rest**2), g * g / (4 * rest**3)
        found.append(Measurement(mean, bound, trivial, what="squares"))
    return found


# --- claims -------------------------------------------------------------------------------


@claim(
    "plan-total-variance",
    "inequality",
    title="The law of total variance of a return",
    statement=r"""Return $G=\sum_tR_t$ of a policy (randomised too) over $H$ stages, exits allowed:
$$\mathrm{Var}(G)=\mathrm{Var}_\rho(V_0)+\sum_hE\bigl[\mathrm{Var}_{a\sim\pi}(Q_h(s_h,a))
+\mathrm{Var}(R_h)+\mathrm{Var}_{s'}(V_{h+1})+2\,\mathrm{Cov}(R_h,V_{h+1}(s'))\bigr],$$
variances and covariances given $(s_h,a_h)$; discounted, with $\gamma^{2t}$ in front of $E$ and
$\gamma^2$, $2\gamma$ in front of the last two terms. If rewards are independent of $s'$, hence
$\sum_hE[\mathrm{Var}_{s'}V_{h+1}]\le\mathrm{Var}(G)$, with equality if and only if the other terms
vanish. $\mathrm{Var}(G)\le\frac14\,(\text{range of }G)^2$, so at most $\frac{H^2}4$, discounted
$\frac1{4(1-\gamma)^2}$, for rewards in $[0,1]$.""",
    source="Azar, Munos and Kappen 2013 (shape)",
    provenance=("paper", "derived"),
    family=_RANDOM,
    named={"all or nothing": _all_or_nothing, "drawn at the start": _drawn_at_the_start},
    mutants=[
        Mutant(
            "discount-once",
            "discount^t in place of discount^{2t}",
            check=partial(_total_variance, of_square=False),
        ),
        Mutant(
            "no-reward-noise",
            "rewards by a coin, Var R dropped",
            check=partial(_total_variance, without="reward"),
        ),
        Mutant(
            "no-covariance",
            "rewards that depend on s', covariance dropped",
            check=partial(_total_variance, without="joint"),
        ),
        Mutant(
            "eighth",
            "half of the bound: H^2 / 8",
            check=partial(_total_variance, share=Fraction(1, 2)),
        ),
    ],
    proof="text",
)
def total_variance(instance: Instance) -> list[Measurement]:
    return _total_variance(instance)


@claim(
    "plan-variance-resolvent",
    "inequality",
    title="The noise of the transitions, added up along a run",
    statement=r"""Discounted model without exits, rewards in $[0,1]$, deterministic policy,
$\sigma_\pi(s)^2=\mathrm{Var}_{s'\sim P_\pi(s)}(V^\pi)$. Then
$$\gamma\|(I-\gamma P_\pi)^{-1}\sigma_\pi\|\le\frac{\sqrt\gamma}{2(1-\gamma)^{3/2}}
\le\frac{\sqrt{1+\gamma}}{2(1-\gamma)^{3/2}},\qquad
\gamma^2\|(I-\gamma P_\pi)^{-1}\sigma_\pi^2\|\le\frac{\gamma}{4(1-\gamma)^2}.$$
The last one is attained up to the factor $\gamma$.""",
    source="Azar, Munos and Kappen 2013 (shape); this project (constants)",
    provenance=("paper", "derived"),
    family=planning_family(exits=False, discounts=("1/2", "7/10", "9/10", "97/100", "99/100")),
    named={f"leak at {g}": _leaking(g) for g in ("9/10", "99/100", "999/1000")}
    | {f"between at {g}": _between(g) for g in ("9/10", "999/1000")}
    | {
        "fork at 999/1000": _forked("999/1000"),
        "flip": _chain(flip(Fraction(1, 18), Fraction(9, 10))),
    },
    mutants=[
        Mutant(
            "exponent",
            "(1 - discount)^1 in place of (1 - discount)^{3/2}",
            check=partial(_resolvent, exponent=2, squares=False),
        ),
        Mutant(
            "half",
            "half of each constant",
            check=partial(_resolvent, share=Fraction(1, 2), squares=False),
        ),
        Mutant(
            "four-fifths",
            "4/5 of the constants: the second one is too small",
            check=partial(_resolvent, share=Fraction(4, 5), squares=False),
        ),
    ],
    bound=variance_resolvent_bound,
    proof="text",
)
def variance_resolvent(instance: Instance) -> list[Measurement]:
    return _resolvent(instance)


CLAIMS = (total_variance, variance_resolvent)
