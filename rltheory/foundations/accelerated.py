"""Two ways to make value iteration faster: modified policy iteration, and action elimination.

The problem: T v = max_a (r + discount P v), 0 <= discount < 1, is dear where there are many
actions. Rows may sum to less than 1; what is missing is the chance to end.

    v_{k+1} = T_pi^j v_k with pi greedy for v_k: one sweep over all actions, then j - 1 over one
    each; it rises to V* if T v_0 >= v_0                                     plan-mpi-monotone
    given lower <= V* <= upper, an action is dropped where
    r(s, a) + discount P upper < max_b (r(s, b) + discount P lower)          plan-elimination

Everything is exact. Proofs: docs/theory/foundations.md. References: MacQueen, A test for suboptimal
actions in Markovian decision problems, Oper. Res. 1967; Puterman and Shin, Modified policy
iteration algorithms, Management Science 1978; Puterman, Markov Decision Processes, 1994, ch. 6.
"""

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from functools import partial
from itertools import product

from rltheory.claims.claim import Measurement, Mutant, claim
from rltheory.claims.family import Instance
from rltheory.foundations import smt_planning
from rltheory.foundations.discounted import GAMMA, lake, optimal_value
from rltheory.foundations.families import case, planning_family
from rltheory.foundations.instances import absorbing, leaving, quit_or_go, self_loop, tie
from rltheory.foundations.rationals import Planner, Value, minus, norm

__all__ = ["CLAIMS"]

_HALF = Fraction(1, 2)
_ZERO = Fraction(0)


# --- plan-mpi-monotone --------------------------------------------------------------------

Start = Callable[[Planner, Instance, Value], Value]


def _lowered(planner: Planner, i: Instance, best: Value) -> Value:
    """The value to look at, lowered until T v >= v."""
    least = min(_ZERO, *minus(planner.T(i.value), i.value))
    return [x + least / (1 - planner.discount) for x in i.value]


def _pessimist(planner: Planner, i: Instance, best: Value) -> Value:
    """min(0, least reward) / (1 - discount)."""
    least = min(_ZERO, *(x for row in planner.r for x in row))
    return [least / (1 - planner.discount)] * planner.S


def _lowest_reward(planner: Planner, i: Instance, best: Value) -> Value:
    """Least reward / (1 - discount)."""
    return [min(x for row in planner.r for x in row) / (1 - planner.discount)] * planner.S


def _above(planner: Planner, i: Instance, best: Value) -> Value:
    return [x + 1 for x in best]


def _modified(
    i: Instance,
    starts: Sequence[Start] = (_lowered, _pessimist),
    every_sweep: bool = False,
) -> list[Measurement]:
    planner = Planner(i.mdp)
    g, best = planner.discount, optimal_value(planner, i.mdp)
    low, high = planner.returns()
    found = []
    if not planner.has_exits and starts == (_lowered, _pessimist):
        starts = (*starts, _lowest_reward)
    for start, sweeps in product(starts, (1, 3)):
        v = plain = start(planner, i, best)
        first = norm(minus(best, v))
        rounds: dict[str, list[Fraction]] = {}
        for k in range(4):
            power = k * sweeps if every_sweep else k
            error = Measurement(norm(minus(best, v)), g**power * first, first, what="error")
            pi, after = planner.greedy(v, last=k % 2 == 1), v
            for _ in range(sweeps):
                after = planner.T_pi(after, pi)
            own = planner.policy_value(pi)
            for what, one, other in (
                ("v_k <= T v_k", v, planner.T(v)),
                ("T^k v_0 <= v_k", plain, v),
                ("v_k <= v_(k+1)", v, after),
                ("v_(k+1) <= V^pi", after, own),
                ("V^pi <= V*", own, best),
            ):
                rounds.setdefault(what, []).append(max(minus(one, other)))
            found += [error] if k else []
            v, plain = after, planner.T(plain)
        found += [Measurement(max(x), 0, high - low, what=what) for what, x in rounds.items()]
    return found


@claim(
    "plan-mpi-monotone",
    "inequality",
    title="Modified policy iteration rises, at least as fast as value iteration",
    statement=r"""Discounted model, $0\le\gamma<1$, with or without exits. Let $Tv_0\ge v_0$ and
$v_{k+1}=T_{\pi_{k+1}}^jv_k$ with $\pi_{k+1}$ greedy for $v_k$ and $j\ge1$. For all $k$
$$T^kv_0\le v_k\le Tv_k,\qquad v_k\le v_{k+1}\le V^{\pi_{k+1}}\le V^*,\qquad
\|V^*-v_k\|\le\gamma^k\|V^*-v_0\|.$$
The constant $v_0=\min(0,r_{\min})/(1-\gamma)$ qualifies; without exits
$r_{\min}/(1-\gamma)$ does.""",
    source="Puterman, Markov Decision Processes, 1994, ch. 6",
    provenance=("textbook", "derived"),
    family=planning_family(),
    named={
        "one loop": lambda: case(self_loop(1, GAMMA)),
        "quit or go": lambda: case(quit_or_go(2, Fraction(1, 100), GAMMA)),
        "losses": lambda: case(absorbing(-1, 2, GAMMA)),
        "half an exit": lambda: case(leaving(1, GAMMA, _HALF)),
    }
    | lake(),
    mutants=[
        Mutant(
            "start-above",
            "increasing from V* + 1 too",
            check=partial(_modified, starts=(_above,)),
        ),
        Mutant(
            "every-sweep",
            "|V* - v_k| <= discount^(j k) |V* - v_0|",
            check=partial(_modified, every_sweep=True),
        ),
        Mutant(
            "lowest-reward",
            "r_min / (1 - discount) qualifies with exits too",
            check=partial(_modified, starts=(_lowest_reward,)),
        ),
    ],
    bound=lambda discount, rounds, error: discount**rounds * error,
    proof="text",
)
def mpi_monotone(instance: Instance) -> list[Measurement]:
    return _modified(instance)


# --- plan-elimination ---------------------------------------------------------------------


def _brackets(planner: Planner, i: Instance, best: Value) -> Iterator[tuple[Value, Value]]:
    """(lower, upper): V* less and more eighths of the values to look at, and one of MacQueen's."""
    yield (
        [x - abs(y) / 8 for x, y in zip(best, i.value, strict=True)],
        [x + abs(y) / 8 for x, y in zip(best, i.other, strict=True)],
    )
    v = planner.sweeps(i.value, 8)
    d = [*minus(planner.T(v), v), _ZERO]
    rest = 1 - planner.discount
    yield [x + min(d) / rest for x in v], [x + max(d) / rest for x in v]


def _elimination(
    i: Instance, weak: bool = False, by_upper: bool = False, width_factor: int = 2
) -> list[Measurement]:
    planner = Planner(i.mdp)
    best = optimal_value(planner, i.mdp)
    true, (low, high) = planner.q(best), planner.returns()
    found = []
    for lower, upper in _brackets(planner, i, best):
        q_lower, q_upper = planner.q(lower), planner.q(upper)
        width = norm(minus(upper, lower))
        removed, optimal = 0, 0
        for s, a in product(planner.states, planner.actions):
            gap = best[s] - true[s][a]
            rival = (q_upper if by_upper else q_lower)[s]
            sure = max(rival) - q_upper[s][a]  # how much worse a surely is
            if sure > 0 or (weak and sure == 0):
                removed += 1
                optimal += gap == 0
                found.append(Measurement(sure, gap, high - low, what="gap of a removed action"))
            else:
                most = width_factor * planner.discount * width
                kept = Measurement(gap, most, high - low, gap > 0, what="gap of an action kept")
                found.append(kept)
        found.append(
            Measurement(optimal, 0, removed, event=removed > 0, what="optimal actions removed")
        )
    return found


def _astray(width: int) -> Instance:
    """States 1 and 2 are worth 10 and 0; the bracket is `width` too low and too high there."""
    return case(tie(GAMMA, 1, 0), [0, 8 * width, 0], [0, 0, 8 * width])


@claim(
    "plan-elimination",
    "inequality",
    title="Action elimination by a bracket of the optimal value",
    statement=r"""Discounted model, $0\le\gamma<1$, with or without exits, and
$\underline v\le V^*\le\bar v$. If
$$g=\max_b\big(r(s,b)+\gamma P\underline v(s,b)\big)-\big(r(s,a)+\gamma P\bar v(s,a)\big)>0$$
then $V^*(s)-Q^*(s,a)\ge g$: action $a$ is not optimal in $s$, and no policy greedy for $V^*$ takes
it. Every action of gap $V^*(s)-Q^*(s,a)>2\gamma\|\bar v-\underline v\|$ is found in this way.""",
    source="MacQueen 1967; Puterman, Markov Decision Processes, 1994, ch. 6",
    provenance=("textbook", "derived"),
    family=planning_family(),
    named={
        "exact bracket": lambda: case(tie(GAMMA, 1, 0)),
        "wide bracket": lambda: _astray(20),
        "width at the limit": lambda: _astray(5),
    }
    | lake(),
    mutants=[
        Mutant(
            "weak",
            "an action that may be as good is removed",
            check=partial(_elimination, weak=True),
        ),
        Mutant(
            "by-upper",
            "compared with the upper value of another action",
            check=partial(_elimination, by_upper=True),
        ),
        Mutant(
            "whole-gap",
            "every gap above discount |upper - lower| is found",
            check=partial(_elimination, width_factor=1),
        ),
        Mutant(
            "by-upper-smt",
            "compared with the upper value of another action, by SMT",
            smt=smt_planning.elimination_upper,
        ),
        Mutant(
            "whole-gap-smt",
            "every gap above discount |upper - lower| is found, by SMT",
            smt=smt_planning.elimination_gap,
        ),
    ],
    bound=lambda discount, width: 2 * discount * width,
    proof="text",
    smt=smt_planning.elimination,
)
def elimination(instance: Instance) -> list[Measurement]:
    return _elimination(instance)


CLAIMS = (mpi_monotone, elimination)
