"""Two policies in one model, one policy in two models, and the occupancies that compare them.

The problem: a value is a mean over the runs of a policy; where do two of them differ? Symbols:
start law rho; d^pi(s, a) the occupancy, (1 - discount) sum_t discount^t P(s_t = s, a_t = a), with
a horizon d_h(s, a) = P(s_h = s, a_h = a); A^pi = Q^pi - V^pi; eps_r, eps_P the largest difference
of rewards and L1 distance of rows of two models; R the length of an interval with all rewards.

    rho (V^new - V^old) = <d^new, A^old> / (1 - discount)                       plan-pdl
    |V^pi - V'^pi| <= eps_r/(1-discount) + (R - eps_r) (1/(1-discount) - 1/(1-discount+discount q)),
        q = eps_P / 2                                                           plan-simulation
    sum_a d(s, a) = (1-discount) rho(s) + discount sum_{x,b} d(x, b) P(s|x, b)  plan-flow

each with its form for a horizon. Proofs: docs/theory/foundations.md. References: Kakade and
Langford, ICML 2002; Kearns and Singh, Machine Learning, 2002; Puterman, Markov Decision Processes,
1994, ch. 6.
"""

from collections.abc import Callable
from fractions import Fraction
from functools import partial
from typing import Any

from rltheory.claims.claim import Measurement, Mutant, claim
from rltheory.claims.family import Family, Instance
from rltheory.claims.space import Choice, Many
from rltheory.foundations import smt_losses
from rltheory.foundations.families import (
    episodic_family,
    planning_family,
    read_model,
    side_by_side,
)
from rltheory.foundations.instances import leak
from rltheory.foundations.rationals import episodic_optimum, probabilities
from rltheory.foundations.runs import (
    PAIRS,
    Runs,
    Value,
    distance,
    dot,
    merged,
    parts_of,
    policy_of_weights,
    product,
    total,
    with_policies,
)
from rltheory.mdp.episodic import EpisodicMDP
from rltheory.mdp.model import MDP
from rltheory.solvers.bounds import simulation_bound

__all__ = ["CLAIMS"]

_STAGES = 4


# --- instances ----------------------------------------------------------------------------


_POLICIES = side_by_side(
    discounted=with_policies(planning_family()),
    horizon=with_policies(episodic_family(_STAGES), _STAGES),
)


def _two_models(stages: int = 0) -> Family:
    """Models without exits, a `twin` near each, and a policy of probabilities."""
    models = episodic_family(stages, False) if stages else planning_family(False)
    drawn = ("certain", "weights", "rewards")

    def build(share: str, mix: list[int], **rest: Any) -> Instance:
        mdp = models.instance({key: rest[key] for key in models.space}).mdp
        other = read_model(
            mdp.n_states,
            mdp.n_actions,
            False,
            **{key: rest[f"twin_{key}"] for key in drawn},
            repeat="nothing",
            discount=None if stages else Fraction(rest["discount"]),
            horizon=getattr(mdp, "horizon", None),
        )
        twin = _mixed(mdp, other, Fraction(share))
        return Instance(mdp=mdp, twin=twin, policy=policy_of_weights(mix, mdp))

    space = {**models.space} | {f"twin_{key}": models.space[key] for key in drawn}
    space["share"] = Choice("1/64", "1/8", "1/2", "1")
    space["mix"] = Many(Choice(0, 0, 1, 3), PAIRS * max(1, stages))
    return Family(space, build)


def _mixed(one: Any, other: Any, share: Fraction) -> Any:
    """(1 - share) of one model and `share` of another, row by row."""
    mine, theirs = Runs(one).stages, Runs(other).stages

    def both(x: Any, y: Any) -> Any:
        return merged(lambda a, b: (1 - share) * a + share * b, x, y)

    moves = both([m.P for m in mine], [m.P for m in theirs])
    rewards = both([m.r for m in mine], [m.r for m in theirs])
    if isinstance(one, MDP):
        return MDP(moves[0], rewards[0], one.discount, exact=True)
    return EpisodicMDP(moves, rewards, one.horizon, exact=True)


_TWINS = side_by_side(discounted=_two_models(), horizon=_two_models(_STAGES))


def _leaks(discount: str, eps_r: str, eps_p: str, horizon: int) -> Callable[[], Instance]:
    """`leak` without a leak, and with one: the values differ as much as they can."""

    def make() -> Instance:
        g, less, out = Fraction(discount), Fraction(eps_r), Fraction(eps_p)
        mdp, twin = leak(g, 0), leak(g, out, 1 - less)
        only = [[Fraction(1)]] * 2
        return Instance(
            discounted_mdp=mdp,
            discounted_twin=twin,
            discounted_policy=[only],
            horizon_mdp=mdp.episodic(horizon),
            horizon_twin=twin.episodic(horizon),
            horizon_policy=[only] * horizon,
        )

    return make


def _two_leaks() -> Instance:
    """Staying or leaking by 2 q look alike in the twin, where both leak by q."""
    g, q = Fraction(9, 10), Fraction(1, 1000)
    zero = [[Fraction(1), Fraction(0)]] * 2

    def model(first: Fraction, second: Fraction) -> MDP:
        moves = [zero, [[first, 1 - first], [second, 1 - second]]]
        return MDP(moves, [[0, 0], [1, 1]], g, exact=True)

    half = [[Fraction(1, 2)] * 2] * 2
    return Instance(
        discounted_mdp=model(2 * q, Fraction(0)),
        discounted_twin=model(q, q),
        discounted_policy=[half],
    )


# --- what is measured ---------------------------------------------------------------------


def _pdl(
    instance: Instance, of_old: bool = False, factor: bool = True, full_mass: bool = False
) -> list[Measurement]:
    found = []
    for part, runs in parts_of(instance):
        old, new = runs.value(part.old), runs.value(part.new)
        d = runs.occupancy(part.old if of_old else part.new, part.start)
        if full_mass:
            d = [[[x / (total(table) or 1) for x in row] for row in table] for table in d]
        any_value = part.value if runs.staged else [part.value]
        for base, what in ((old, "advantages"), (any_value, "gains on any value")):
            gains = [
                [[x - base[h][s] for x in row] for s, row in enumerate(table)]
                for h, table in enumerate(runs.q(base))
            ]
            right = product(d, gains) / (runs.share if factor else 1)
            left = dot(part.start, new[0]) - dot(part.start, base[0])
            found.append(Measurement(left, right, what=f"{what}, {runs.name}"))
    return found


def _flow(
    instance: Instance, whole_start: bool = False, full_mass: bool = False, averaged: bool = False
) -> list[Measurement]:
    found = []
    for part, runs in parts_of(instance):
        start, A = part.start, runs.stages[0].A
        d = runs.arrivals(part.new, start)
        other = runs.arrivals(part.old, start)
        state = [[sum(row, Fraction(0)) for row in table] for table in d]
        share = Fraction(1) if whole_start else runs.share
        anew = [share * x for x in start]
        if runs.staged:
            moved = [runs.inflow(m, x) for m, x in zip(runs.stages, d, strict=True)]
            right = [anew, *moved[:-1]]
        else:
            moved = [runs.inflow(runs.stages[0], d[0])]
            right = [[x + runs.discount * y for x, y in zip(anew, moved[0], strict=True)]]
        found.append(Measurement(distance(state, right), 0, what=f"flow, {runs.name}"))

        paid = product(d, [m.r for m in runs.stages]) / runs.share
        value = dot(start, runs.value(part.new)[0])
        found.append(Measurement(paid, value, what=f"value, {runs.name}"))

        ends = [[[m.exit(s, a) for a in m.actions] for s in m.states] for m in runs.stages]
        lost = [product(x, e) for x, e in zip(d, ends, strict=True)]
        left = [1 - sum(lost[:h], Fraction(0)) for h in range(len(d))]
        if not runs.staged:
            left = [1 - runs.discount * lost[0] / runs.share]
        mass = [Fraction(1)] * len(d) if full_mass else left
        found.append(
            Measurement(distance([total(x) for x in d], mass), 0, what=f"mass, {runs.name}")
        )
        # Half of two occupancies satisfies the flow equations, but neither policy has it.
        half = merged(lambda x, y: (x + y) / 2, d, other)
        for unreached in (0, A - 1):
            policy = [[_conditional(row, unreached) for row in table] for table in half]
            if averaged:
                policy = merged(lambda x, y: (x + y) / 2, part.new, part.old)
            again = runs.arrivals(policy, start)
            found.append(Measurement(distance(half, again), 0, what=f"converse, {runs.name}"))
    return found


def _conditional(row: Value, unreached: int) -> Value:
    """d(s, .) / sum_b d(s, b); one action where the state is not reached."""
    total = sum(row, Fraction(0))
    if total:
        return [x / total for x in row]
    return [Fraction(int(a == unreached)) for a in range(len(row))]


def _errors(one: Runs, other: Runs) -> tuple[Fraction, Fraction, Fraction]:
    """(eps_r, eps_P, R) of two models."""
    eps_r = eps_p = Fraction(0)
    paid: list[Fraction] = []
    for m, n in zip(one.stages, other.stages, strict=True):
        for s in m.states:
            paid += [*m.r[s], *n.r[s]]
            for a in m.actions:
                eps_r = max(eps_r, abs(m.r[s][a] - n.r[s][a]))
                eps_p = max(eps_p, distance(m.P[s][a], n.P[s][a]))
    return eps_r, eps_p, max(paid) - min(paid)


def _simulation(
    instance: Instance,
    classical: Fraction = Fraction(1),
    q: Fraction = Fraction(1),
    horizon: Fraction = Fraction(1),
) -> list[Measurement]:
    """The error in P counts `classical` times in (ii), `horizon` times in (iv), q times in q."""
    found = []
    for part, runs in parts_of(instance):
        twin = Runs(part.twin)
        eps_r, eps_p, R = _errors(runs, twin)
        steps = len(runs.stages)
        size: dict[str, Any] = {"horizon": steps} if runs.staged else {"discount": runs.discount}
        size["reward_range"] = R
        coupling = simulation_bound(eps_r, q * eps_p, **size)
        share = horizon if runs.staged else classical
        linear = simulation_bound(eps_r, share * eps_p, form="classical", **size)
        trivial = R * (steps if runs.staged else 1 / runs.share)

        here, there = runs.value(part.policy)[0], twin.value(part.policy)[0]
        apart = max(abs(x - y) for x, y in zip(here, there, strict=True))
        found += [
            Measurement(apart, coupling, trivial, what=f"coupling, {runs.name}"),
            Measurement(apart, linear, trivial, what=f"classical, {runs.name}"),
        ]
        if not runs.staged:
            span = max(there) - min(there)
            by_span = (eps_r + runs.discount * eps_p * span / 2) / runs.share
            found.append(Measurement(apart, by_span, trivial, what="span of the value"))
        best, planned = _optimum(runs)[0], _optimum(twin)[1]
        loss = max(x - y for x, y in zip(best, runs.value(planned)[0], strict=True))
        found.append(Measurement(loss, 2 * coupling, trivial, what=f"planning, {runs.name}"))
    return found


def _optimum(runs: Runs) -> tuple[Value, list[Any]]:
    """(V* at the first stage, an optimal policy in probabilities)."""
    if runs.staged:
        values, policy = episodic_optimum(runs.stages)
        return values[0], [probabilities(pi, runs.stages[0].A) for pi in policy]
    value, one = runs.stages[0].optimum()
    return value, [probabilities(one, runs.stages[0].A)]


# --- claims -------------------------------------------------------------------------------


@claim(
    "plan-pdl",
    "identity",
    title="The performance-difference lemma",
    statement=r"""For policies $\pi,\pi'$ (randomised too), a start law $\rho$, exits or not:
$\rho(V^{\pi'}-V^\pi)=\frac1{1-\gamma}\sum_{s,a}d^{\pi'}_\rho(s,a)A^\pi(s,a)$, and with a horizon
$\rho(V_0^{\pi'}-V_0^\pi)=\sum_h\sum_{s,a}d^{\pi'}_h(s,a)A^\pi_h(s,a)$. More generally, for any
vector $v$, $\rho(V^{\pi'}-v)=\frac1{1-\gamma}\langle d^{\pi'},r+\gamma Pv-v\rangle$, and with a
horizon for any $v_0,\dots,v_{H-1}$ with $v_H=0$.""",
    source="Kakade and Langford 2002",
    provenance=("textbook", "textbook"),
    family=_POLICIES,
    mutants=[
        Mutant("old-occupancy", "the occupancy of the old policy", partial(_pdl, of_old=True)),
        Mutant("no-factor", "1 / (1 - discount) dropped", partial(_pdl, factor=False)),
        Mutant("full-mass", "mass 1 where episodes end", partial(_pdl, full_mass=True)),
        Mutant(
            "old-occupancy-smt",
            "the occupancy of the old policy, by SMT",
            smt=smt_losses.pdl_old_occupancy,
        ),
        Mutant(
            "no-factor-smt",
            "1 / (1 - discount) dropped, by SMT",
            smt=smt_losses.pdl_without_factor,
        ),
    ],
    proof="text",
    smt=smt_losses.pdl,
)
def pdl(instance: Instance) -> list[Measurement]:
    return _pdl(instance)


@claim(
    "plan-simulation",
    "inequality",
    title="The simulation lemma, sharp by coupling",
    statement=r"""Two models without exits, rewards in one interval of length $R$,
$|r-\hat r|\le\epsilon_r\le R$ and $\|P-\hat P\|_1\le\epsilon_P$ at every pair; any common policy;
$q=\epsilon_P/2$. Then $\|V^\pi-\hat V^\pi\|$ is at most each of
(i) $\frac{\epsilon_r}{1-\gamma}+\frac{\gamma\epsilon_P\,\mathrm{sp}(\hat V^\pi)}{2(1-\gamma)}$,
(ii) $\frac{\epsilon_r}{1-\gamma}+\frac{\gamma\epsilon_PR}{2(1-\gamma)^2}$,
(iii) $\frac{\epsilon_r}{1-\gamma}+(R-\epsilon_r)\bigl[\frac1{1-\gamma}-\frac1{1-\gamma+\gamma q}
\bigr]$; (iii) is attained for all parameters. With a horizon
(iv) $\|V_0^\pi-\hat V_0^\pi\|\le H\epsilon_r+(R-\epsilon_r)\sum_{h<H}\bigl(1-(1-q)^h\bigr)
\le H\epsilon_r+\frac{H(H-1)}4\epsilon_PR$, the first one attained. A policy that is optimal in one
of the models loses at most twice (iii), or (iv), in the other.""",
    source="Kearns and Singh 2002 (shape); this project (coupling form)",
    provenance=("textbook", "derived"),
    family=_TWINS,
    named={
        "leaks at 9/10": _leaks("9/10", "0", "1/1000", 6),
        "leaks at 1/2": _leaks("1/2", "1/4", "1/5", 3),
        "leaks at 99/100": _leaks("99/100", "1/8", "2", 4),
        "two leaks": _two_leaks,
    },
    mutants=[
        Mutant(
            "quarter",
            "(ii) with 1/4 in place of 1/2",
            check=partial(_simulation, classical=Fraction(1, 2)),
        ),
        Mutant("q-quarter", "q = eps_P / 4", check=partial(_simulation, q=Fraction(1, 2))),
        Mutant(
            "eighth",
            "(iv) with H (H - 1) / 8",
            check=partial(_simulation, horizon=Fraction(1, 2)),
        ),
        Mutant(
            "quarter-smt",
            "(ii) with 1/4 in place of 1/2, by SMT",
            smt=smt_losses.simulation_classical_half,
        ),
        Mutant("q-quarter-smt", "q = eps_P / 4, by SMT", smt=smt_losses.simulation_coupling_half),
    ],
    bound=simulation_bound,
    proof="text",
    smt=smt_losses.simulation,
)
def simulation(instance: Instance) -> list[Measurement]:
    return _simulation(instance)


@claim(
    "plan-flow",
    "identity",
    title="Flow equations of occupancies",
    statement=r"""$d\ge0$ is an occupancy from $\rho$ if and only if, for all $s$,
$\sum_ad(s,a)=(1-\gamma)\rho(s)+\gamma\sum_{x,b}d(x,b)P(s\mid x,b)$; it is then that of
$\pi_d(a\mid s)=d(s,a)/\sum_bd(s,b)$, arbitrary where the sum is 0. For every policy
$\rho V^\pi=\frac{\langle d^\pi,r\rangle}{1-\gamma}$, and the mass is
$1-\frac{\gamma}{1-\gamma}\langle d,e\rangle$, $e$ the exit probabilities: 1 without exits. With a
horizon $\sum_ad_0(s,a)=\rho(s)$, $\sum_ad_h(s,a)=\sum_{x,b}d_{h-1}(x,b)P_{h-1}(s\mid x,b)$,
$\rho V_0^\pi=\sum_h\langle d_h,r_h\rangle$, and the mass of a stage is what has not left.""",
    source="Puterman, Markov Decision Processes, 1994, ch. 6",
    provenance=("textbook", "textbook"),
    family=_POLICIES,
    mutants=[
        Mutant("whole-start", "rho without 1 - discount", partial(_flow, whole_start=True)),
        Mutant("full-mass", "mass 1 with exits", partial(_flow, full_mass=True)),
        Mutant("averaged", "half of two policies for half of d", partial(_flow, averaged=True)),
        Mutant(
            "whole-start-smt",
            "rho without 1 - discount, by SMT",
            smt=smt_losses.flow_undiscounted_start,
        ),
        Mutant("full-mass-smt", "mass 1 with exits, by SMT", smt=smt_losses.flow_full_mass),
    ],
    proof="text",
    smt=smt_losses.flow,
)
def flow(instance: Instance) -> list[Measurement]:
    return _flow(instance)


CLAIMS = (pdl, simulation, flow)
