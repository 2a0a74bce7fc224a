"""Mixtures of policies, and how much chance a constrained optimum needs.

The problem: a coin thrown at the start of a run chooses one of several policies; constraints on
mean costs make such mixtures worth while. Which Markov policy does the same, and in how many states
does it have to randomise? Symbols: d the occupancy, pi_d(a | s) = d(s, a) / sum_b d(s, b).

    d = sum_i w_i d^{pi_i}   is the occupancy of pi_d, of value sum_i w_i rho V^{pi_i}  plan-mixture
    sum over reached s of (|supp pi(s)| - 1) <= K   at a vertex, K constraints       plan-cmdp-count

Proofs: docs/theory/linear-programs.md. References: Derman and Strauch 1966; Altman, Constrained
Markov Decision Processes, 1999.
"""

from collections.abc import Callable
from fractions import Fraction
from functools import partial
from typing import Any

from rltheory.claims.claim import Measurement, Mutant, claim
from rltheory.claims.family import Family, Instance
from rltheory.claims.space import Choice, Dyadic, Integer, Many
from rltheory.foundations.exact_programs import (
    best_occupancy,
    columns_of,
    policy_of_occupancy,
    randomizations,
    tables_of,
    weighted,
)
from rltheory.foundations.families import episodic_family, planning_family, side_by_side
from rltheory.foundations.runs import (
    PAIRS,
    Policy,
    Runs,
    Value,
    distance,
    dot,
    merged,
    parts_of,
    product,
    with_policies,
)
from rltheory.mdp.episodic import EpisodicMDP
from rltheory.mdp.model import MDP

__all__ = ["CLAIMS"]

_STAGES = 3
_FEW_STAGES = 2
_MOST_COSTS = 3


# --- mixtures -----------------------------------------------------------------------------


def _with_weight(models: Family) -> Family:
    def build(weight: str, **rest: Any) -> Instance:
        built = models.instance(rest)
        return Instance(**{key: built[key] for key in built}, weight=Fraction(weight))

    return Family({**models.space, "weight": Choice("1/2", "1/3", "1/8", "1", "0")}, build)


_MIXTURES = side_by_side(
    discounted=_with_weight(with_policies(planning_family())),
    horizon=_with_weight(with_policies(episodic_family(_STAGES), _STAGES)),
)


def _same_twice() -> Instance:
    """Two stages; the state of stage 1 is the first action; 1 is paid for taking it again."""
    moves = [[[1, 0], [0, 1]], [[1, 0], [0, 1]]]
    paid = [[[0, 0], [0, 0]], [[1, 0], [0, 1]]]
    return _constants(EpisodicMDP(moves, paid, 2, exact=True))


def _one_state() -> Instance:
    """Two stages of one state, in which the actions pay 1 and 0."""
    return _constants(EpisodicMDP([[[1], [1]]], [[1, 0]], 2, exact=True))


def _constants(mdp: EpisodicMDP) -> Instance:
    """The two policies that always take one action, equally likely."""
    S, H = mdp.n_states, mdp.horizon
    always = [[[[Fraction(int(a == b)) for b in range(2)]] * S] * H for a in range(2)]
    start = [Fraction(int(s == 0)) for s in range(S)]
    return Instance(
        horizon_mdp=mdp,
        horizon_start=start,
        horizon_new=always[0],
        horizon_old=always[1],
        horizon_weight=Fraction(1, 2),
    )


def _square(runs: Runs, policy: Policy, start: Value) -> Fraction:
    """The second moment of the return with a horizon: M_h = r^2 + 2 r P V + P M."""
    values = runs.value(policy)
    ahead = [Fraction(0)] * runs.stages[0].S
    for h in reversed(range(len(runs.stages))):
        m = runs.stages[h]
        ahead = [
            sum(
                (
                    w * (r * r + 2 * r * dot(p, values[h + 1]) + dot(p, ahead))
                    for w, r, p in zip(policy[h][s], m.r[s], m.P[s], strict=True)
                ),
                Fraction(0),
            )
            for s in m.states
        ]
    return dot(start, ahead)


def _mixed(weight: Fraction, x: Any, y: Any) -> Any:
    return merged(lambda a, b: weight * a + (1 - weight) * b, x, y)


def _mixture(
    instance: Instance, averaged: bool = False, same_law: bool = False
) -> list[Measurement]:
    found = []
    for part, runs in parts_of(instance):
        w, start = part.weight, part.start
        new, old = part.new, part.old
        d = _mixed(w, runs.occupancy(new, start), runs.occupancy(old, start))
        value = _mixed(w, dot(start, runs.value(new)[0]), dot(start, runs.value(old)[0]))
        paid = product(d, [m.r for m in runs.stages]) / runs.share
        found.append(Measurement(paid, value, what=f"rewards of d, {runs.name}"))
        for unreached in (0, runs.stages[0].A - 1):
            policy = _mixed(w, new, old) if averaged else policy_of_occupancy(d, unreached)
            again = runs.arrivals(policy, start)
            own = dot(start, runs.value(policy)[0])
            found.append(Measurement(distance(again, d), 0, what=f"occupancy, {runs.name}"))
            found.append(Measurement(own, value, what=f"value, {runs.name}"))
            if same_law and runs.staged:
                squares = _mixed(w, _square(runs, new, start), _square(runs, old, start))
                found.append(
                    Measurement(_square(runs, policy, start), squares, what="second moment")
                )
    return found


# --- constraints --------------------------------------------------------------------------


def _with_costs(models: Family, stages: int = 1) -> Family:
    """Costs, and budgets that a policy of probabilities can keep, often only just."""

    def build(count: int, costs: list[float], room: list[str], **rest: Any) -> Instance:
        built = models.instance(rest)
        runs, entries = Runs(built.mdp), PAIRS * stages
        size = len(columns_of(runs))
        tables = [[Fraction(x) for x in costs[k * entries :][:size]] for k in range(count)]
        d = runs.occupancy(built.new, built.start)
        budgets = [
            product(d, tables_of(runs, cost)) + Fraction(room[k]) for k, cost in enumerate(tables)
        ]
        return Instance(
            mdp=built.mdp, start=built.start, keeping=built.new, costs=tables, budgets=budgets
        )

    space: dict[str, Any] = {
        "count": Integer(1, _MOST_COSTS),
        "costs": Many(Dyadic(-1, 1, 2), _MOST_COSTS * PAIRS * stages),
        "room": Many(Choice("0", "0", "1/16"), _MOST_COSTS),
    }
    return Family({**models.space, **space}, build)


_CONSTRAINED = side_by_side(
    discounted=_with_costs(with_policies(planning_family())),
    horizon=_with_costs(with_policies(episodic_family(_FEW_STAGES), _FEW_STAGES), _FEW_STAGES),
)


def _halves(count: int) -> Callable[[], Instance]:
    """`count` absorbing states; in each, 1 is paid at a cost of 1, for half of the time at most."""

    def make() -> Instance:
        n = count
        moves = [[[int(t == s) for t in range(n)]] * 2 for s in range(n)]
        mdp = MDP(moves, [[1, 0]] * n, Fraction(1, 2), exact=True)
        start = [Fraction(1, n)] * n
        keeping = [[[Fraction(1, 2)] * 2] * n]
        costs = [
            [Fraction(int(s == k and a == 0)) for s in range(n) for a in range(2)] for k in range(n)
        ]
        parts = {"costs": costs, "budgets": [Fraction(1, 2 * n)] * n, "start": start}
        discounted = {"mdp": mdp, "keeping": keeping, **parts}
        horizon = {"mdp": mdp.episodic(1), "keeping": keeping, **parts}
        return Instance(
            **{f"discounted_{key}": x for key, x in discounted.items()},
            **{f"horizon_{key}": x for key, x in horizon.items()},
        )

    return make


def _indifferent() -> Instance:
    """One state, three actions, nothing paid: every policy within the budget is optimal."""
    mdp = MDP([[[1]] * 3], [[0, 0, 0]], Fraction(1, 2), exact=True)
    half = Fraction(1, 2)
    return Instance(
        discounted_mdp=mdp,
        discounted_start=[Fraction(1)],
        discounted_keeping=[[[half, half, Fraction(0)]]],
        discounted_costs=[[Fraction(0), Fraction(1), Fraction(1, 4)]],
        discounted_budgets=[half],
    )


def _count(instance: Instance, less: int = 0, interior: bool = False) -> list[Measurement]:
    found = []
    for part, runs in parts_of(instance):
        K, columns = len(part.costs), columns_of(runs)
        law = [part.start, *[[Fraction(0)] * len(part.start)] * (len(runs.stages) - 1)]
        best = best_occupancy(runs, law, part.costs, part.budgets)
        assert best.value is not None  # some policy keeps the budgets
        x = best.x[: len(columns)]
        if interior:
            x = _middle(runs, law, part.costs, part.budgets, -best.value)
        d = tables_of(runs, x)
        counted = randomizations(d)
        reached = sum(any(row) for table in d for row in table)
        trivial = reached * (runs.stages[0].A - 1)
        found.append(Measurement(counted, K - less, trivial, what=f"count, {runs.name}"))
        policy = policy_of_occupancy(d)
        again = runs.arrivals(policy, part.start)
        loss = -best.value - runs.share * weighted(law, runs.value(policy))
        found.append(Measurement(loss, 0, what=f"loss of the vertex's policy, {runs.name}"))
        for cost, budget in zip(part.costs, part.budgets, strict=True):
            over = product(again, tables_of(runs, cost)) - budget
            found.append(
                Measurement(max(Fraction(0), over), 0, what=f"budget exceeded, {runs.name}")
            )
        kept = runs.share * weighted(law, runs.value(part.keeping))
        excess = max(Fraction(0), kept + best.value)
        found.append(Measurement(excess, 0, what=f"a policy within them, {runs.name}"))
    return found


def _middle(
    runs: Runs, law: list[Value], costs: list[Value], budgets: Value, optimum: Fraction
) -> Value:
    """The mean of optimal solutions that make each pair as likely as possible: no vertex."""
    rewards = [runs.stages[h].r[s][a] for h, s, a in columns_of(runs)]
    rows = [*costs, [-x for x in rewards]]
    size = len(rewards)
    total = [Fraction(0)] * size
    for k in range(size):
        wanted = [Fraction(int(i == k)) for i in range(size)]
        found = best_occupancy(runs, law, rows, [*budgets, -optimum], wanted)
        total = [a + b for a, b in zip(total, found.x[:size], strict=True)]
    return [x / size for x in total]


# --- claims -------------------------------------------------------------------------------


@claim(
    "plan-mixture",
    "identity",
    title="A Markov policy for every mixture",
    statement=r"""Draw $i$ with probability $w_i$ once, then follow $\pi_i$. This mixture has the
occupancy $d=\sum_iw_id^{\pi_i}$ and the value $\sum_iw_i\,\rho V^{\pi_i}$ from $\rho$, and so has
the Markov policy $\pi_d(a\mid s)=d(s,a)/\sum_bd(s,b)$, arbitrary where the sum is 0; with a horizon
stage by stage. The laws of the return differ in general.""",
    source="Derman and Strauch 1966; Puterman, Markov Decision Processes, 1994, section 5.5",
    provenance=("textbook", "textbook"),
    family=_MIXTURES,
    named={"same action twice": _same_twice, "one state": _one_state},
    mutants=[
        Mutant("averaged", "the average of the policies' rows", partial(_mixture, averaged=True)),
        Mutant("same-law", "the return has the same law", partial(_mixture, same_law=True)),
    ],
    proof="text",
)
def mixture(instance: Instance) -> list[Measurement]:
    return _mixture(instance)


@claim(
    "plan-cmdp-count",
    "inequality",
    title="K constraints, at most K randomisations",
    statement=r"""Maximise $\langle d,r\rangle$ over occupancies from $\rho$ with $K$ further
constraints $\langle d,c_k\rangle\le b_k$ that some policy satisfies. Every basic optimal solution
$d$ of this program is the occupancy of the stationary policy $\pi_d$, which is optimal among all
policies within the budgets, and
$\sum_{s:\,d(s)>0}\bigl(|\mathrm{supp}\,\pi_d(s)|-1\bigr)\le K$. Likewise with a horizon, over
stages and states. The number is attained.""",
    source="Altman, Constrained Markov Decision Processes, 1999",
    provenance=("textbook", "textbook"),
    family=_CONSTRAINED,
    named={
        "one half": _halves(1),
        "two halves": _halves(2),
        "three halves": _halves(3),
        "indifferent": _indifferent,
    },
    mutants=[
        Mutant("one-less", "at most K - 1", partial(_count, less=1)),
        Mutant("no-crossover", "any optimal solution", partial(_count, interior=True)),
    ],
    bound=lambda constraints: constraints,
    proof="text",
)
def count(instance: Instance) -> list[Measurement]:
    return _count(instance)


CLAIMS = (mixture, count)
