"""What acting greedily for a wrong value loses.

The problem: v is near V*, or its residual T v - v is small; how much less than V* does a policy
earn that is greedy for v? Symbols: discount in [0, 1); T v = max_a (r + discount P v) and T_pi for
a policy; pi_v any policy with T_{pi_v} v = T v; eps = max |v - V*|; m = min (T v - v) and
M = max (T v - v), with exits m := min(0, m) and M := max(0, M).

    V* - V^{pi_v} <= 2 discount eps / (1 - discount)                       plan-greedy-loss
    V* - V^pi <= (M - min (T_pi v - v)) / (1 - discount), any pi           plan-residual-loss
    V* - V^{pi_v} <= discount (M - m) / (1 - discount)

Ties are broken as badly as possible: what is claimed holds for every greedy policy. Proofs:
docs/theory/foundations.md. References: Singh and Yee, Machine Learning 16, 1994; Bertsekas and
Tsitsiklis, Neuro-Dynamic Programming, 1996; Puterman, Markov Decision Processes, 1994, ch. 6.
"""

from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import partial
from typing import Any

from rltheory.claims.claim import Measurement, Mutant, claim
from rltheory.claims.family import Family, Instance
from rltheory.claims.space import Choice, Dyadic, Many
from rltheory.foundations import smt_losses
from rltheory.foundations.families import MOST_ACTIONS, MOST_STATES, planning_family
from rltheory.foundations.instances import greedy_loss_pair, tie
from rltheory.foundations.rationals import Planner
from rltheory.mdp.model import MDP
from rltheory.solvers.bounds import greedy_loss_bound, residual_loss_bound

__all__ = ["CLAIMS", "worst_value"]

Value = list[Fraction]
Table = list[Value]


# --- instances ----------------------------------------------------------------------------


def _near_optimal() -> Family:
    """Models with errors to add to V* and to Q*: `noise` (S,) and `q_noise` (S, A)."""
    models = planning_family()

    def build(scale: str, errors: list[float], q_errors: list[float], **rest: Any) -> Instance:
        built = models.instance(rest)
        S, A, unit = built.mdp.n_states, built.mdp.n_actions, Fraction(scale)
        noise = [unit * Fraction(x) for x in errors[:S]]
        table = [[unit * Fraction(x) for x in q_errors[s * A : (s + 1) * A]] for s in range(S)]
        return Instance(mdp=built.mdp, policy=built.policy, noise=noise, q_noise=table)

    space = dict(models.space) | {
        "scale": Choice("1/64", "1/8", "1", "3"),
        "errors": Many(Dyadic(-1, 1, 2), MOST_STATES),
        "q_errors": Many(Dyadic(-1, 1, 2), MOST_STATES * MOST_ACTIONS),
    }
    return Family(space, build)


def _pair(discount: str, eta: str = "0") -> Callable[[], Instance]:
    """The greedy-loss pair: both actions of state 0 look alike, one of them earns nothing."""

    def make() -> Instance:
        eps = Fraction(1, 4)
        mdp = greedy_loss_pair(Fraction(discount), eps, Fraction(eta))
        return Instance(mdp=mdp, policy=[0, 0], noise=[eps, -eps], q_noise=[[Fraction(0)] * 2] * 2)

    return make


def _loops(good: Fraction, bad: Fraction, discount: str, **more: Any) -> Instance:
    """One state, two loops that pay `good` and `bad`; the policy takes the second one."""
    mdp = MDP([[[1], [1]]], [[good, bad]], Fraction(discount), exact=True)
    zero = [Fraction(0)]
    return Instance(**({"mdp": mdp, "policy": [1], "noise": zero, "q_noise": [zero * 2]} | more))


def _two_loops() -> Instance:
    """Q* is off by eps = 1/8 both ways: the loops that pay 1/4 and 0 look alike."""
    eps = Fraction(1, 8)
    return _loops(2 * eps, Fraction(0), "9/10", q_noise=[[-eps, eps]])


def _at(mdp: MDP, policy: list[int], value: Value) -> Instance:
    """The instance on which V* + noise is this value."""
    best, _ = Planner(mdp).optimum()
    noise = [x - y for x, y in zip(value, best, strict=True)]
    table = [[Fraction(0)] * mdp.n_actions for _ in noise]
    return Instance(mdp=mdp, policy=policy, noise=noise, q_noise=table)


def _worse_loop() -> Instance:
    mdp = _loops(Fraction(1, 2), Fraction(0), "9/10").mdp
    return _at(mdp, [1], [Fraction(0)])


def _tie() -> Instance:
    mdp = tie(Fraction(9, 10), 1, -1)
    return _at(mdp, [0, 0, 0], [Fraction(0)] * 3)


def _leave_or_stay() -> Instance:
    """One state pays 1 whether one stays or leaves; the policy leaves, and v = 0."""
    mdp = MDP([[[1], [0]]], [[1, 1]], Fraction(9, 10), termination=[[0, 1]], exact=True)
    return _at(mdp, [1], [Fraction(0)])


# --- what is measured ---------------------------------------------------------------------


def worst_value(planner: Planner, allowed: Sequence[Sequence[int]]) -> Value:
    """The least value of a policy that takes allowed actions only, by policy iteration."""
    policy = [actions[0] for actions in allowed]
    while True:
        v = planner.policy_value(policy)
        q = planner.q(v)
        worse = [min(actions, key=q[s].__getitem__) for s, actions in enumerate(allowed)]
        worse = [a if q[s][a] < v[s] else policy[s] for s, a in enumerate(worse)]
        if worse == policy:
            return v
        policy = worse


def _greedy(table: Table) -> list[list[int]]:
    """All maximising actions of each state."""
    return [[a for a, x in enumerate(row) if x == max(row)] for row in table]


def _largest(one: Value, other: Value) -> Fraction:
    return max(x - y for x, y in zip(one, other, strict=True))


def _norm(x: Value) -> Fraction:
    return max(map(abs, x))


def _trivial(planner: Planner) -> Fraction:
    """No loss exceeds the range of the rewards, taken to contain [0, 1], over 1 - discount."""
    paid = [x for row in planner.r for x in row] + [Fraction(0), Fraction(1)]
    return (max(paid) - min(paid)) / (1 - planner.discount)


def _greedy_losses(
    instance: Instance, of_value: Any = greedy_loss_bound, of_q: Any = None
) -> list[Measurement]:
    planner = Planner(instance.mdp)
    best, _ = planner.optimum()
    trivial, gamma = _trivial(planner), planner.discount
    v = [x + y for x, y in zip(best, instance.noise, strict=True)]
    loss = _largest(best, worst_value(planner, _greedy(planner.q(v))))
    bound = of_value(gamma, _norm(instance.noise))
    found = [Measurement(loss, bound, trivial, what="greedy for a value")]

    q = [
        [x + y for x, y in zip(row, noise, strict=True)]
        for row, noise in zip(planner.q(best), instance.q_noise, strict=True)
    ]
    loss = _largest(best, worst_value(planner, _greedy(q)))
    error = max(map(_norm, instance.q_noise))
    bound = of_q(gamma, error) if of_q else greedy_loss_bound(gamma, error, of="q")
    return [*found, Measurement(loss, bound, trivial, what="greedy for action values")]


def _residual_losses(
    instance: Instance, norm_factor: Any = None, exit_safe: bool = True
) -> list[Measurement]:
    planner = Planner(instance.mdp)
    best, _ = planner.optimum()
    gamma, trivial = planner.discount, _trivial(planner)
    rest = 1 - gamma
    v = [x + y for x, y in zip(best, instance.noise, strict=True)]
    clip = exit_safe and planner.has_exits

    def residual(swept: Value) -> Value:
        return [x - y for x, y in zip(swept, v, strict=True)] + [Fraction(0)] * clip

    top, own = residual(planner.T(v)), residual(planner.T_pi(v, instance.policy))
    loss = _largest(best, planner.policy_value(instance.policy))
    any_policy = Measurement(loss, (max(top) - min(own)) / rest, trivial, what="any policy")

    loss = _largest(best, worst_value(planner, _greedy(planner.q(v))))
    spread = gamma * (max(top) - min(top)) / rest
    by_norm = (2 * gamma if norm_factor is None else norm_factor(gamma)) * _norm(top) / rest
    return [
        any_policy,
        Measurement(loss, spread, trivial, what="greedy, by the spread of the residual"),
        Measurement(loss, by_norm, trivial, what="greedy, by the norm of the residual"),
    ]


# --- claims -------------------------------------------------------------------------------

_DISCOUNTS = ("1/10", "1/2", "9/10", "99/100")


@claim(
    "plan-greedy-loss",
    "inequality",
    title="Acting greedily for a value that is off by eps",
    statement=r"""Discounted model, $0\le\gamma<1$, with or without exits.
If $\|v-V^*\|\le\varepsilon$ then every policy greedy for $v$ has
$\|V^*-V^{\pi_v}\|\le\dfrac{2\gamma\varepsilon}{1-\gamma}$.
If $\|q-Q^*\|\le\varepsilon$ then every policy that maximises $q$ has
$\|V^*-V^{\pi_q}\|\le\dfrac{2\varepsilon}{1-\gamma}$.
Both are attained with at most two states, for every $\gamma$.""",
    source="Singh and Yee 1994; Bertsekas and Tsitsiklis, Neuro-Dynamic Programming, 1996",
    provenance=("textbook", "derived"),
    family=_near_optimal(),
    named={f"pair at {g}": _pair(g) for g in _DISCOUNTS}
    | {"pair, no tie": _pair("9/10", "1/50"), "two loops": _two_loops},
    mutants=[
        Mutant(
            "once",
            "discount eps / (1 - discount) for a value",
            check=partial(_greedy_losses, of_value=lambda g, e: g * e / (1 - g)),
        ),
        Mutant(
            "discount-squared",
            "2 discount^2 eps / (1 - discount) for a value",
            check=partial(_greedy_losses, of_value=lambda g, e: 2 * g * g * e / (1 - g)),
        ),
        Mutant(
            "q-as-value",
            "2 discount eps / (1 - discount) for action values too",
            check=partial(_greedy_losses, of_q=greedy_loss_bound),
        ),
        Mutant(
            "once-smt", "discount eps / (1 - discount), by SMT", smt=smt_losses.greedy_loss_once
        ),
    ],
    bound=greedy_loss_bound,
    proof="text",
    smt=smt_losses.greedy_loss,
)
def greedy_loss(instance: Instance) -> list[Measurement]:
    return _greedy_losses(instance)


@claim(
    "plan-residual-loss",
    "inequality",
    title="The loss of any policy by the residuals of any value",
    statement=r"""Discounted model, $0\le\gamma<1$; any $v$, $M=\max(Tv-v)$, $m=\min(Tv-v)$.
With exits $M$ and every minimum are clipped: $M:=\max(0,M)$, $m:=\min(0,m)$.
For every policy $\pi$
$$V^*-V^\pi\le\frac{M-\min(T_\pi v-v)}{1-\gamma},$$
and for every policy greedy for $v$
$$V^*-V^{\pi_v}\le\frac{\gamma(M-m)}{1-\gamma}\le\frac{2\gamma}{1-\gamma}\|Tv-v\|.$$""",
    source="Puterman, Markov Decision Processes, 1994, ch. 6 (MacQueen's bounds)",
    provenance=("textbook", "derived"),
    family=_near_optimal(),
    named={"worse loop": _worse_loop, "tie": _tie, "leave or stay": _leave_or_stay},
    mutants=[
        Mutant(
            "undiscounted-norm",
            "|Tv - v| / (1 - discount) for a greedy policy",
            check=partial(_residual_losses, norm_factor=lambda g: 1),
        ),
        Mutant(
            "once",
            "discount |Tv - v| / (1 - discount) for a greedy policy",
            check=partial(_residual_losses, norm_factor=lambda g: g),
        ),
        Mutant(
            "plain-extremes",
            "extremes that are not clipped, with exits",
            check=partial(_residual_losses, exit_safe=False),
        ),
        Mutant(
            "once-smt",
            "discount |Tv - v| / (1 - discount), by SMT",
            smt=smt_losses.residual_loss_once,
        ),
    ],
    bound=residual_loss_bound,
    proof="text",
    smt=smt_losses.residual_loss,
)
def residual_loss(instance: Instance) -> list[Measurement]:
    return _residual_losses(instance)


CLAIMS = (greedy_loss, residual_loss)
