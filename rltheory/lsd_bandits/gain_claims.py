r"""Claims about the optimal gain g*, the largest average reward per round.

    Howard = Karp, and their potentials and cycles prove it                      lsd-gain-agree
    R_i = 1: the two best runs in turn                                           lsd-one-rest
    at most one play per round against exactly one                               lsd-idle

Everything is in fractions. Proofs: docs/theory/lsd_planning.md.
"""

from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import partial
from typing import Any

from rltheory.claims.claim import Measurement, Mutant, claim
from rltheory.claims.family import Instance
from rltheory.lsd_bandits.arms import LSDArm, OrderedArm
from rltheory.lsd_bandits.bandit import LSDBandit
from rltheory.lsd_bandits.families import (
    CORNERS,
    GOLDEN,
    bandit_of,
    blocking,
    case,
    named,
    rand_any,
    tight,
)
from rltheory.lsd_bandits.optimal import joint_graph, optimal_gain

__all__ = ["CLAIMS", "one_rest_gain"]

# --- lsd-gain-agree -----------------------------------------------------------------------


def repeating() -> LSDBandit:
    """Where policies repeat if the reference of a cycle is the state at which it was entered."""
    return LSDBandit([LSDArm(["1/6", "2/3", "2/3"], [0]), LSDArm(["1/6", "1/2"], [0])])


def stuck() -> LSDBandit:
    """Several gains: nothing leads out of either state of the first arm."""
    return LSDBandit([OrderedArm([0, 1], [0, 1], [0, "1/2"]), LSDArm.blocking(3)])


def kept_down() -> LSDBandit:
    """Several gains, although rests lead from every state to the rested one."""
    return LSDBandit([LSDArm([0], [0, 1, 0], "gradual")] * 2)


def _gain_agree(i: Instance) -> list[Measurement]:
    bandit = bandit_of(i)
    howard = optimal_gain(bandit, "howard", exact=True)
    karp = optimal_gain(bandit, "karp", exact=True)
    apart = int((howard.means.gain != karp.means.gain).sum())
    return [
        Measurement(howard.gain, karp.gain, what="Howard and Karp, from the rested state"),
        Measurement(apart, 0, what="joint states from which they differ"),
        Measurement(bool(howard.check()), True, what="Howard's cycles and potentials prove it"),
        Measurement(bool(karp.check()), True, what="Karp's cycles and potentials prove it"),
    ]


def _entered(i: Instance) -> list[Measurement]:
    bandit = bandit_of(i)
    gain = howard_by_entry(bandit)
    return [
        Measurement(gain is not None, True, what="whether it ends"),
        Measurement(gain or 0, optimal_gain(bandit, "karp", exact=True).gain, what="its gain"),
    ]


def howard_by_entry(bandit: LSDBandit) -> Fraction | None:
    """Howard's iteration with 0 as the bias of the state at which a cycle is entered.

    The traversal is from 0, 1, 2, ... on. Gains are improved where some can be, else biases; on
    ties the old action stays. Returns None if a policy repeats.
    """
    graph = joint_graph(bandit, exact=True)
    count = len(bandit.actions)
    states = range(bandit.n_states)
    to = [graph.successor[v * count : (v + 1) * count].tolist() for v in states]
    paid = [
        [Fraction(x, graph.unit) for x in graph.reward[v * count : (v + 1) * count].tolist()]
        for v in states
    ]
    policy = [max(range(count), key=paid[v].__getitem__) for v in states]
    seen: set[tuple[int, ...]] = set()
    while tuple(policy) not in seen:
        seen.add(tuple(policy))
        gain, bias = _evaluate_by_entry(to, paid, policy)
        better = [_best([gain[t] for t in to[v]], policy[v]) for v in states]
        if all(gain[to[v][better[v]]] == gain[v] for v in states):
            ahead = [
                [(gain[t] == gain[v], r + bias[t]) for t, r in zip(to[v], paid[v], strict=True)]
                for v in states
            ]
            better = [_best(ahead[v], policy[v]) for v in states]
        if better == policy:
            return gain[bandit.rested]
        policy = better
    return None


def _best(scores: list[Any], kept: int) -> int:
    """The first of the largest scores, or `kept` if it is one of them."""
    most = max(scores)
    return kept if scores[kept] == most else scores.index(most)


def _evaluate_by_entry(
    to: Sequence[Sequence[int]], paid: Sequence[Sequence[Fraction]], policy: Sequence[int]
) -> tuple[list[Any], list[Any]]:
    gain: list[Any] = [None] * len(to)
    bias: list[Any] = [None] * len(to)
    for root in range(len(to)):
        path: list[int] = []
        v = root
        while gain[v] is None and v not in path:
            path.append(v)
            v = to[v][policy[v]]
        if gain[v] is None:  # a new cycle, entered at v
            cycle = path[path.index(v) :]
            gain[v] = sum((paid[u][policy[u]] for u in cycle), Fraction(0)) / len(cycle)
            bias[v] = Fraction(0)
        for u in reversed(path):
            if gain[u] is None:
                t = to[u][policy[u]]
                gain[u], bias[u] = gain[t], paid[u][policy[u]] - gain[t] + bias[t]
    return gain, bias


@claim(
    "lsd-gain-agree",
    "decision",
    title="Howard's iteration, Karp's formula and the certificate give one gain",
    statement=r"""On the graph of joint states, with any payoffs and either recovery, Howard's
policy iteration (the reference of a cycle is its smallest state, of bias 0) ends, with the gain
of Karp's formula from every joint state. Its cycle has that mean, and with its bias $h$ gains do
not rise along arcs, and $r(s,a)-g+h(s')\le h(s)$ wherever they stay.""",
    source="Karp, Discrete Math. 1978; Cochet-Terrasson et al., IFAC 1998; this project",
    provenance=("textbook", "derived"),
    family=rand_any(recovery=("reset", "gradual")),
    named={
        **named({**GOLDEN, **CORNERS}),
        **named(
            {
                "entries repeat": repeating,
                "several gains": stuck,
                "several gains, gradual": kept_down,
                "four blocking arms, two plays": lambda: blocking([3] * 4, plays=2),
                "equal cycles": lambda: tight(4),
            }
        ),
    },
    mutants=[
        Mutant(
            "entered",
            "the reference of a cycle is the state at which it is entered",
            check=_entered,
            named=named({"entries repeat": repeating}),
        )
    ],
    proof="text",
)
def gain_agree(instance: Instance) -> list[Measurement]:
    return _gain_agree(instance)


# --- lsd-one-rest -------------------------------------------------------------------------


def one_rest_gain(bandit: LSDBandit, idle: bool = True) -> Fraction:
    """g* of arms with R_i = 1, by the runs alone.

    Its largest g with F_a(g) + F_b(g) >= 0 for two different items a and b among an idle round
    (F_0(g) = -g) and the arms (F_i(g) = max over m of W_i(1, m) - g m, infinite below p_i(-M_i)).

    Parameters
    ----------
    bandit : LSDBandit
        Of LSD arms.
    idle : bool
        Whether F_0 is among the items; a missing second one counts as 0.
    """
    items: list[list[tuple[Fraction, int]]] = [[(Fraction(0), 1)]] if idle else []
    largest = Fraction(0)
    for arm in bandit.arms:
        if not isinstance(arm, LSDArm) or len(arm.rest_payoffs) != 1:
            raise ValueError(f"{arm!r} needs more than one rest")
        rewards = [arm.payoff(1)]
        for m in range(1, len(arm.play_payoffs)):
            rewards.append(rewards[-1] + arm.payoff(-m))
        items.append([(w, m + 1) for m, w in enumerate(rewards)])
        largest = max(largest, arm.play_payoffs[-1])
    if len(items) == 1:
        items.append([(Fraction(0), 0)])
    for i, one in enumerate(items):
        for other in items[:i]:
            means = [(w + x) / (m + n) for w, m in one for x, n in other]
            largest = max(largest, *means)
    return largest


NEAR = Fraction(1, 10**6)


def _sign(bandit: LSDBandit, g: Fraction) -> int:
    """The sign of the sum of the two largest F_a(g)."""
    values = [-g]
    for arm in bandit.arms:
        if arm.payoffs[0] > g:
            return 1
        best, reward = None, Fraction(0)
        for m, s in enumerate(reversed(range(arm.n_states)), start=1):
            if m < arm.n_states:
                reward += arm.payoffs[s]
                best = reward - g * m if best is None else max(best, reward - g * m)
        assert best is not None
        values.append(best)
    total = sum(sorted(values)[-2:])
    return (total > 0) - (total < 0)


def _one_rest(i: Instance, idle: bool = True) -> list[Measurement]:
    bandit = bandit_of(i)
    gain = optimal_gain(bandit, exact=True).gain
    found = [Measurement(one_rest_gain(bandit, idle), gain, what="by the runs")]
    if gain >= NEAR:
        found.append(Measurement(_sign(bandit, gain - NEAR) >= 0, True, what="just below g*"))
    found.append(Measurement(_sign(bandit, gain + NEAR), -1, what="just above g*"))
    return found


@claim(
    "lsd-one-rest",
    "identity",
    title="With one round of recovery the two best runs in turn are optimal",
    statement=r"""$R_i=1$ for all $i$, recovery by reset, one play per round, any payoffs. With
$F_0(g)=-g$ and $F_i(g)=\max_{1\le m\le M_i}[W_i(1,m)-gm]$, which is $+\infty$ if $p_i(-M_i)>g$,
$$g^*=\sup\{g\ge0:\text{the largest plus the second largest of }F_0(g),\dots,F_N(g)\ge0\}.$$
Equivalently $g^*$ is the largest of the $p_i(-M_i)$ and of the means of two runs, of different arms
or an idle round, in turn. Monotone payoffs are not needed.""",
    source="this project",
    provenance=("derived", "derived"),
    family=rand_any(plays=(1,), most_rests=1, most_plays=3),
    named=named(
        {
            "one arm": lambda: LSDBandit([LSDArm([1], [0])]),
            "a jump, no root": lambda: LSDBandit([LSDArm(["1/2"], ["1/2"]), LSDArm([1], [1])]),
            "two arms in turn": lambda: LSDBandit(
                [LSDArm([1], ["1/2", "1/4", 0]), LSDArm(["3/4"], [0])]
            ),
            "no payoff at all": lambda: LSDBandit([LSDArm([0], [0])] * 2),
        }
    ),
    mutants=[
        Mutant(
            "no-idle",
            "without F_0; a missing second value counts as 0",
            check=partial(_one_rest, idle=False),
            named=named({"one arm": lambda: LSDBandit([LSDArm([1], [0])])}),
        )
    ],
    proof="text",
)
def one_rest(instance: Instance) -> list[Measurement]:
    return _one_rest(instance)


# --- lsd-idle -----------------------------------------------------------------------------

NULL = LSDArm([0], [0])


def _two_gains(bandit: LSDBandit) -> tuple[Fraction, Fraction]:
    """(at most one play per round, exactly one)."""
    return (
        optimal_gain(bandit, exact=True).gain,
        optimal_gain(LSDBandit(bandit.arms, idle=False), exact=True).gain,
    )


def _idle(i: Instance) -> list[Measurement]:
    bandit = bandit_of(i)
    most, exactly = _two_gains(bandit)
    with_null = optimal_gain(LSDBandit([*bandit.arms, NULL], idle=False), exact=True).gain
    found = [
        Measurement(exactly, most, what="exactly one <= at most one"),
        Measurement(abs(with_null - most), 0, what="a null arm is idling"),
    ]
    if "stated" in i:
        at_most, at_least = i.stated
        found.append(Measurement(abs(most - at_most), 0, what="at most one, as stated"))
        found.append(Measurement(abs(exactly - at_least), 0, what="exactly one, as stated"))
        found.append(Measurement(exactly - most, -(at_most - at_least), what="how far apart"))
    return found


def _equal(i: Instance) -> list[Measurement]:
    most, exactly = _two_gains(bandit_of(i))
    return [Measurement(most, exactly, what="at most one <= exactly one")]


def _stated(bandit: Callable[[], LSDBandit], most: str, exactly: str) -> Callable[[], Instance]:
    return lambda: Instance(**case(bandit()), stated=[Fraction(most), Fraction(exactly)])


@claim(
    "lsd-idle",
    "separation",
    title="Idling pays, and a null arm is idling",
    statement=r"""One play per round, any payoffs. $g^*$ with at most one play is at least that with
exactly one, and equals it once an arm that pays nothing is added. At most against exactly: one arm
$p(-1)=0,p(1)=1$: $\frac12$ and $0$; two blocking arms of delay 3: $\frac23$ and $\frac12$; A:
$p(-1)=0,p(1)=1$ with B: $p(-1)=p(1)=0,p(2)=1$: $\frac34$ and $\frac23$.""",
    source="this project",
    provenance=("derived", "derived"),
    family=rand_any(plays=(1,)),
    named={
        "one arm": _stated(lambda: LSDBandit([LSDArm([1], [0])]), "1/2", "0"),
        "two blocking arms": _stated(lambda: blocking([3, 3]), "2/3", "1/2"),
        "delays 2 and 3": _stated(
            lambda: LSDBandit([LSDArm([1], [0]), LSDArm([0, 1], [0])]), "3/4", "2/3"
        ),
    },
    mutants=[Mutant("equal", "both are equal", check=_equal)],
    proof="text",
)
def idle(instance: Instance) -> list[Measurement]:
    return _idle(instance)


CLAIMS = (gain_agree, one_rest, idle)
