"""Policy improvement, and policy iteration.

The problem: from a policy pi, find better ones until V* is reached. T_pi v = r_pi + discount P_pi v
and T v = max over actions, 0 <= discount < 1; rows may sum to less than 1, what is missing being
the chance to end. Greedy means T_pi v = T v.

    improvement                 T_pi' V^pi >= V^pi gives V^pi' >= T_pi' V^pi   plan-improvement
    policy iteration (Howard)   switch where max_a Q^pi(s, a) > V^pi(s), keep the present action
                                otherwise; stop when nothing switches          plan-howard

Everything is exact. Proofs: docs/theory/foundations.md. References: Howard, Dynamic Programming
and Markov Processes, 1960; Puterman, Markov Decision Processes, 1994, ch. 6; Ye, Math. OR 2011;
Scherrer, Improved and generalized upper bounds on the complexity of policy iteration, Math. OR
2016.
"""

from fractions import Fraction
from functools import partial
from itertools import product
from typing import Any

from rltheory.claims.claim import Measurement, Mutant, claim
from rltheory.claims.family import Instance
from rltheory.foundations import smt_planning
from rltheory.foundations.discounted import GAMMA, lake, optimal_value
from rltheory.foundations.families import case, planning_family
from rltheory.foundations.instances import quit_or_go, tie
from rltheory.foundations.rationals import Planner, Value, minus, norm
from rltheory.mdp.model import MDP
from rltheory.solvers.bounds import howard_iteration_bound

__all__ = ["CLAIMS", "policy_iteration"]

_HALF = Fraction(1, 2)

# --- plan-improvement ---------------------------------------------------------------------


def _candidates(planner: Planner, v: Value, policy: list[int]) -> dict[str, list[Any]]:
    """Policies that may improve on one whose value is v."""
    q, greedy = planner.q(v), planner.greedy(v)
    half = [
        [_HALF * ((a == x) + (a == y)) for a in planner.actions]
        for x, y in zip(greedy, policy, strict=True)
    ]
    better = [[Fraction(x >= v[s]) for x in q[s]] for s in planner.states]
    return {
        "greedy": greedy,
        "greedy, last action": planner.greedy(v, last=True),
        "greedy in state 0": [greedy[0], *policy[1:]],
        "half greedy": half,
        "all improving actions": [[x / sum(row) for x in row] for row in better],
        "next action": [(a + 1) % planner.A for a in policy],
    }


def _improvement(i: Instance, factor: Any = lambda g: 1) -> list[Measurement]:
    planner = Planner(i.mdp)
    v = planner.policy_value(i.policy)
    low, high = planner.returns()
    found = []
    for name, policy in _candidates(planner, v, i.policy).items():
        step = minus(planner.T_pi(v, policy), v)
        whole = minus(planner.policy_value(policy), v)
        improving = min(step) >= 0
        moves = improving and any(step)
        found += [
            Measurement(factor(planner.discount) * x, y, high - low, moves, what=f"gain, {name}")
            for x, y in zip(step, whole, strict=True)
        ]
        wrong = any(step) != any(whole)
        found.append(Measurement(wrong, 0, 1, improving, what=f"equality foretold wrongly, {name}"))
    return found


def _forgetful(i: Instance) -> Measurement:
    """That a policy greedy for r + P V^pi, without the discount, earns at least V^pi."""
    planner = Planner(i.mdp)
    v = planner.policy_value(i.policy)
    ahead = [
        [planner.r[s][a] + planner.ahead(s, a, v) for a in planner.actions] for s in planner.states
    ]
    after = planner.policy_value([row.index(max(row)) for row in ahead])
    return Measurement(max(minus(v, after)), 0, what="loss")


def _somewhere(i: Instance) -> Measurement:
    """That T_pi' V^pi > V^pi in one state is enough for V^pi' >= V^pi."""
    planner = Planner(i.mdp)
    v = planner.policy_value(i.policy)
    policy = [(a + 1) % planner.A for a in i.policy]
    step = minus(planner.T_pi(v, policy), v)
    return Measurement(
        max(minus(v, planner.policy_value(policy))), 0, event=max(step) > 0, what="loss"
    )


def _forgotten() -> Instance:
    """Discount 1/2: state 0 stays for 1 or leaves for nothing; state 1 pays 8/5 for ever."""
    rows = [[[1, 0], [0, 1]], [[0, 1], [0, 1]]]
    paid = [[1, 0], [Fraction(8, 5)] * 2]
    return case(MDP(rows, paid, _HALF, exact=True), policy=[0, 0])


def _worse_elsewhere() -> Instance:
    """Two islands with two loops each: the next action gains 1 a step in one, and loses 1 there."""
    rows = [[[1, 0]] * 2, [[0, 1]] * 2]
    return case(MDP(rows, [[0, 1], [1, 0]], _HALF, exact=True), policy=[0, 0])


@claim(
    "plan-improvement",
    "inequality",
    title="Policy improvement",
    statement=r"""Discounted model, $0\le\gamma<1$, with or without exits; $\pi,\pi'$ of actions or
of probabilities. If $T_{\pi'}V^\pi\ge V^\pi$ then
$$V^{\pi'}-V^\pi\ge T_{\pi'}V^\pi-V^\pi\ge0,$$
and $V^{\pi'}=V^\pi$ exactly if $T_{\pi'}V^\pi=V^\pi$. So $V^{\pi'}\ge TV^\pi$ for $\pi'$ greedy for
$V^\pi$, and any mixture of improving actions improves.""",
    source="Puterman, Markov Decision Processes, 1994, ch. 6",
    provenance=("textbook", "derived"),
    family=planning_family(),
    named={
        "once": lambda: case(tie(GAMMA, 1, 0), policy=[1, 0, 0]),
        "quit or go": lambda: case(quit_or_go(2, Fraction(1, 10), GAMMA)),
        "forgotten discount": _forgotten,
        "worse elsewhere": _worse_elsewhere,
    },
    mutants=[
        Mutant(
            "forgotten-discount",
            "greedy for r + P V^pi, the discount forgotten, is as good",
            check=_forgetful,
        ),
        Mutant(
            "somewhere",
            "a gain in one state is enough",
            check=_somewhere,
        ),
        Mutant(
            "for-ever",
            "the gain of one step is had for ever: 1 / (1 - discount) times it",
            check=partial(_improvement, factor=lambda g: 1 / (1 - g)),
        ),
        Mutant(
            "somewhere-smt",
            "a gain in one state is enough, by SMT",
            smt=smt_planning.improvement_somewhere,
        ),
    ],
    bound=lambda gain_of_one_step: gain_of_one_step,
    proof="text",
    smt=smt_planning.improvement,
)
def improvement(instance: Instance) -> list[Measurement]:
    return _improvement(instance)


# --- plan-howard --------------------------------------------------------------------------


def policy_iteration(
    planner: Planner, policy: list[int], most: int, ties: bool = False, first_only: bool = False
) -> list[tuple[list[int], Value]]:
    """The policies that Howard's policy iteration goes through, with their values.

    Wrong on purpose with `ties`, where another action that is as good is taken, and with
    `first_only`, where it ends when the action of state 0 does not change. Given up after
    `most` + 1 rounds.
    """
    path = []
    while True:
        v = planner.policy_value(policy)
        path.append((policy, v))
        after = []
        for s, row in enumerate(planner.q(v)):
            others = [a for a in planner.actions if a != policy[s]]
            best = max(others, key=row.__getitem__, default=policy[s])
            switch = row[best] >= v[s] if ties else row[best] > v[s]
            after.append(best if switch else policy[s])
        over = after[0] == policy[0] if first_only else after == policy
        if over or len(path) > most + 1:
            return path
        policy = after


def _best(planner: Planner, mdp: MDP) -> Value:
    """V* as the largest value of all policies of actions; of large models by `solve_exact`."""
    if planner.A**planner.S > 128:
        return optimal_value(planner, mdp)
    every = product(planner.actions, repeat=planner.S)
    return [max(x) for x in zip(*(planner.policy_value(list(p)) for p in every), strict=True)]


def _howard(
    i: Instance, limit: Any = None, power: int = 1, ties: bool = False, first_only: bool = False
) -> list[Measurement]:
    planner = Planner(i.mdp)
    g, best = planner.discount, _best(planner, i.mdp)
    low, high = planner.returns()
    most = howard_iteration_bound(i.mdp)
    path = policy_iteration(planner, i.policy, most, ties, first_only)
    last, v = path[-1]
    first = norm(minus(best, path[0][1]))
    errors = [
        Measurement(norm(minus(best, x)), g ** (power * k) * first, first, what="error of a round")
        for k, (_, x) in enumerate(path)
        if k
    ]
    # A dual solution of the linear program: where it has no gap, both are optimal.
    d = planner.occupancy(last, i.start)
    reward, moves = planner.chain(last)
    arrived = [
        (1 - g) * i.start[t] + g * sum(d[s] * moves[s][t] for s in planner.states)
        for t in planner.states
    ]
    flow = max(*(-x for x in d), *map(abs, minus(arrived, d)))
    dual = sum(x * y for x, y in zip(d, reward, strict=True)) / (1 - g)
    primal = sum(x * y for x, y in zip(i.start, v, strict=True))
    rounds = limit(i.mdp) if limit else most
    return [
        Measurement(len(path) - 1, rounds, event=planner.A > 1, what="rounds"),
        *errors,
        Measurement(norm(minus(best, v)), 0, high - low, what="distance of the end from V*"),
        Measurement(norm(minus(planner.T(v), v)), 0, high - low, what="residual at the end"),
        Measurement(flow, 0, 1, what="violation of the dual program"),
        Measurement(abs(primal - dual), 0, high - low, what="gap of the linear programs"),
    ]


@claim(
    "plan-howard",
    "inequality",
    title="Policy iteration ends at the optimum, after few rounds",
    statement=r"""Discounted model, $0\le\gamma<1$, with or without exits, $m$ state-action pairs,
$A_s$ actions in state $s$. Policy iteration that keeps the present action on ties ends, with
$TV^\pi=V^\pi=V^*$, the optimum of the linear program too. Its policies have
$$\|V^*-V^{\pi_k}\|\le\gamma^k\|V^*-V^{\pi_0}\|,$$
and it switches in at most
$$\min\Big\{\prod_sA_s-1,\ (m-S)\max\Big(1,\Big\lceil\tfrac{1}{1-\gamma}
\log\tfrac{1}{1-\gamma}\Big\rceil\Big)\Big\}$$
rounds.""",
    source="Howard 1960; Ye 2011; Scherrer, Math. OR 2016, arXiv 1306.0386",
    provenance=("paper", "derived"),
    family=planning_family(),
    named={
        "one decider": lambda: case(quit_or_go(1, 0, GAMMA)),
        "four deciders": lambda: case(quit_or_go(4, 0, Fraction(3, 10))),
        "six deciders": lambda: case(quit_or_go(6, Fraction(1, 20), GAMMA)),
        "tie": lambda: case(tie(GAMMA, 1, 1)),
    }
    | lake(),
    mutants=[
        Mutant(
            "half-the-rounds",
            "at most max(1, (m - S) / 2) rounds",
            check=partial(_howard, limit=lambda m: max(1, Fraction(m.n_pairs - m.n_states, 2))),
        ),
        Mutant(
            "first-state",
            "stopping when the action of state 0 did not change",
            check=partial(_howard, first_only=True),
        ),
        Mutant(
            "switches-ties",
            "taking another action where it is as good",
            check=partial(_howard, ties=True),
        ),
        Mutant(
            "twice-as-fast",
            "|V* - V^pi_k| <= discount^(2k) |V* - V^pi_0|",
            check=partial(_howard, power=2),
        ),
    ],
    bound=howard_iteration_bound,
    proof="text",
)
def howard(instance: Instance) -> list[Measurement]:
    return _howard(instance)


CLAIMS = (improvement, howard)
