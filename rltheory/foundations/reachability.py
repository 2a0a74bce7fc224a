"""How often a pair can be visited at most, and how well one law can cover all policies.

Symbols: d^pi_h the occupancy of stage h; D_h(s) = max_pi d^pi_h(s), the reachability of a state;
C_h = min over laws mu of max_pi max_{s,a} d^pi_h(s, a) / mu(s, a), the coverability.

    C_h = sum_{s,a} max_pi d^pi_h(s, a), for mu in proportion to what is summed  cov-cumreach
    D_h(s) = rho u_0, u_h = 1{s}, u_j(x) = max_a P_j(x, a) u_{j+1}               cov-reach-dp
    1 <= C_h <= S A; at most d states' worth of them in rank-d models            cov-range

Proofs: docs/theory/coverage.md. Reference: Xie, Foster, Bai, Jiang, Kakade, The role of coverage in
online reinforcement learning, ICLR 2023.
"""

import copy
import dataclasses
from collections.abc import Iterator
from fractions import Fraction
from functools import partial
from itertools import product as tuples
from typing import Any

from rltheory.claims.claim import Measurement, Mutant, claim
from rltheory.claims.family import Family, Instance
from rltheory.claims.space import Choice, Integer, Many
from rltheory.foundations.exact_programs import best_occupancy, columns_of
from rltheory.foundations.families import (
    episodic_family,
    law_of_weights,
    planning_family,
    rows_of_weights,
    side_by_side,
)
from rltheory.foundations.runs import Runs, Table, Value, dot, parts_of, with_policies
from rltheory.mathematics.simplex import minimize_exactly
from rltheory.mdp.episodic import EpisodicMDP
from rltheory.mdp.model import MDP

__all__ = ["CLAIMS", "most_occupied", "reach"]

_STAGES = 3
_FEW_POLICIES = 100


# --- reachability -------------------------------------------------------------------------


def reach(runs: Runs, start: Value, stage: int, state: int) -> Fraction:
    """D_h(s), by backward recursion over the stages before it."""
    u = [Fraction(int(x == state)) for x in runs.stages[0].states]
    for m in reversed(runs.stages[:stage]):
        u = [max(m.ahead(x, a, u) for a in m.actions) for x in m.states]
    return dot(start, u)


def most_occupied(runs: Runs, start: Value, stage: int) -> Table:
    """max_pi d^pi_h(s, a), over all policies: the same for every action of a state."""
    m = runs.stages[stage]
    return [[reach(runs, start, stage, s)] * m.A for s in m.states]


def _reach_greedily(runs: Runs, start: Value, stage: int, state: int) -> Fraction:
    """Forward: each state sends what it may hold to wherever it can most of it, for all at once."""
    held = list(start)
    for m in runs.stages[:stage]:
        held = [
            sum((x * max(m.P[s][a][t] for a in m.actions) for s, x in enumerate(held)), Fraction(0))
            for t in m.states
        ]
    return held[state]


def _largest(runs: Runs, start: Value, stage: int, state: int, action: int | None) -> Fraction:
    """The largest d_h(s, a), or d_h(s), of the linear program over occupancies."""
    wanted = [
        Fraction(int((h, s) == (stage, state) and action in (None, a)))
        for h, s, a in columns_of(runs)
    ]
    law = [start, *[[Fraction(0)] * len(start)] * (len(runs.stages) - 1)]
    found = best_occupancy(runs, law, rewards=wanted)
    assert found.value is not None
    return -found.value


def _by_planning(runs: Runs, start: Value, state: int, action: int | None) -> Fraction:
    """The best normalised return of the reward 1{(s, a)}, or 1{s}, without a horizon."""
    paid = copy.copy(runs.stages[0])
    paid.r = [
        [Fraction(int(s == state and action in (None, a))) for a in paid.actions]
        for s in paid.states
    ]
    return runs.share * dot(start, paid.optimum()[0])


def _deterministic(runs: Runs) -> Iterator[list[Any]]:
    """Every policy of actions, as tables of probabilities; none where there are too many."""
    S, A, H = runs.stages[0].S, runs.stages[0].A, len(runs.stages)
    if A ** (S * H) > _FEW_POLICIES:
        return
    for actions in tuples(range(A), repeat=S * H):
        yield [
            [[Fraction(int(a == actions[h * S + s])) for a in range(A)] for s in range(S)]
            for h in range(H)
        ]


def _with_target(models: Family) -> Family:
    def build(target: list[int], **rest: Any) -> Instance:
        built = models.instance(rest)
        mdp = built.mdp
        stages = getattr(mdp, "horizon", 1)
        sizes = (stages, mdp.n_states, mdp.n_actions)
        chosen = tuple(x % size for x, size in zip(target, sizes, strict=True))
        return Instance(mdp=mdp, start=built.start, target=chosen)

    return Family({**models.space, "target": Many(Integer(0, 11), 3)}, build)


_TARGETS = side_by_side(
    discounted=_with_target(planning_family()), horizon=_with_target(episodic_family(_STAGES))
)


def _stay_or_leave() -> Instance:
    """Staying in state 0, or leaving it for ever: it can be left at once, or never."""
    half = Fraction(1, 2)
    mdp = MDP([[[1, 0], [0, 1]], [[0, 1], [0, 1]]], [[0, 0], [0, 0]], half, exact=True)
    start = [Fraction(1), Fraction(0)]
    return Instance(discounted_mdp=mdp, discounted_start=start, discounted_target=(0, 0, 1))


def _one_way_only() -> Instance:
    """State 0 leads to 1 or to 2, each of which leads to 3: all of it goes one way."""
    moves = [[[0, 1, 0, 0], [0, 0, 1, 0]], *[[[0, 0, 0, 1]] * 2] * 2, [[0, 0, 0, 1]] * 2]
    mdp = EpisodicMDP(moves, [[0, 0]] * 4, 3, exact=True)
    start = [Fraction(1), *[Fraction(0)] * 3]
    return Instance(horizon_mdp=mdp, horizon_start=start, horizon_target=(2, 3, 0))


def _reach(
    instance: Instance, discounted_states: bool = False, forward: bool = False
) -> list[Measurement]:
    found = []
    for part, runs in parts_of(instance):
        h, s, a = part.target
        pair = _largest(runs, part.start, h, s, a)
        if runs.staged:
            way = _reach_greedily if forward else reach
            by_recursion = way(runs, part.start, h, s)
            state = _largest(runs, part.start, h, s, None)
            found.append(Measurement(by_recursion, pair, what="recursion and program, pair"))
            found.append(Measurement(by_recursion, state, what="recursion and program, state"))
        else:
            planned = _by_planning(runs, part.start, s, None if discounted_states else a)
            found.append(Measurement(planned, pair, what="return and program, discounted"))
        occupied = [runs.occupancy(pi, part.start)[h][s][a] for pi in _deterministic(runs)]
        if occupied:
            found.append(
                Measurement(max(occupied), pair, what=f"deterministic policies, {runs.name}")
            )
    return found


# --- coverability -------------------------------------------------------------------------

_CLASSES = with_policies(episodic_family(_STAGES), _STAGES)


def _class_tables(instance: Instance, runs: Runs, stage: int) -> list[Table]:
    """The occupancies of two policies at a stage."""
    return [
        runs.occupancy(instance.new, instance.start)[stage],
        runs.occupancy(instance.old, instance.start)[stage],
    ]


def _cheapest_cover(tables: list[Table]) -> Fraction:
    """min sum nu over nu >= d for every d, by the exact simplex method on its dual.

    The dual, max sum_k y_k d_k over y >= 0 with sum_k y_k(i) <= 1 at every pair i, has one
    constraint a pair, however many policies there are; its multipliers are nu.
    """
    flat = [[x for row in table for x in row] for table in tables]
    n = len(flat[0])
    unit = [[Fraction(int(i == j)) for j in range(n)] for i in range(n)]
    matrix = [row * (len(flat) + 1) for row in unit]
    cost = [-x for d in flat for x in d] + [Fraction(0)] * n
    found = minimize_exactly(cost, matrix, [Fraction(1)] * n)
    assert found.value is not None
    nu = [-x for x in found.y]
    assert sum(nu) == -found.value
    assert all(x >= y for d in flat for x, y in zip(nu, d, strict=True))
    return -found.value


def _pointwise(tables: list[Table]) -> list[Fraction]:
    """The largest entry of any table, pair by pair."""
    return [max(x) for x in zip(*[[x for row in t for x in row] for t in tables], strict=True)]


def _largest_ratio(tables: list[Table], mu: list[Fraction]) -> Fraction:
    """max over the class and the pairs of d / mu, where d > 0."""
    flat = [[x for row in table for x in row] for table in tables]
    return max(x / m for d in flat for x, m in zip(d, mu, strict=True) if x > 0)


def _cover(
    instance: Instance, sums_first: bool = False, uniform: bool = False
) -> list[Measurement]:
    runs, found = Runs(instance.mdp), []
    everyone = [runs.occupancy(pi, instance.start) for pi in _deterministic(runs)]
    for h in range(len(runs.stages)):
        two = _class_tables(instance, runs, h)
        classes = [("two policies", two, _pointwise(two))]
        if everyone:  # every policy of actions, against the recursion over all policies at once
            by_recursion = [x for row in most_occupied(runs, instance.start, h) for x in row]
            classes.append(("all policies", [d[h] for d in everyone], by_recursion))
        for name, tables, most in classes:
            n = len(most)
            total = sum(most, Fraction(0))
            if not total:  # all have ended
                continue
            if sums_first:
                total = max(sum((x for row in t for x in row), Fraction(0)) for t in tables)
            cover = _cheapest_cover(tables)
            found.append(Measurement(total, cover, what=f"sum and program, {name}"))
            whole = sum(most, Fraction(0))
            mu = [Fraction(1, n)] * n if uniform else [x / whole for x in most]
            found.append(
                Measurement(_largest_ratio(tables, mu), cover, what=f"the law's ratio, {name}")
            )
    return found


def _two_ways() -> Instance:
    """One state, two actions, and the two policies that always take one: C = 2."""
    mdp = EpisodicMDP([[[1], [1]]], [[0, 0]], 1, exact=True)
    always = [[[[Fraction(int(a == b)) for b in range(2)]]] for a in range(2)]
    return Instance(mdp=mdp, start=[Fraction(1)], new=always[0], old=always[1])


def _uneven() -> Instance:
    """Two states of chances 1/4 and 3/4, one action: uniform laws are not the best."""
    mdp = EpisodicMDP([[[1, 0]], [[0, 1]]], [[0], [0]], 1, exact=True)
    only = [[[Fraction(1)], [Fraction(1)]]]
    return Instance(mdp=mdp, start=[Fraction(1, 4), Fraction(3, 4)], new=only, old=only)


# --- range --------------------------------------------------------------------------------


def _latent_family() -> Family:
    """Kernels sum_i phi_i(s, a) nu_i with phi in the simplex, rank at most 3; no exits."""

    def build(
        rank: int, states: int, actions: int, features: list[int], laws: list[int], **rest: Any
    ) -> Instance:
        phi = [law_of_weights(features[i * 3 :][:rank]) for i in range(states * actions)]
        nu, _ = rows_of_weights(states, rank, False, rest["certain"], laws)
        rows = [
            [sum((f[i] * nu[i][t] for i in range(rank)), Fraction(0)) for t in range(states)]
            for f in phi
        ]
        moves = [rows[s * actions : (s + 1) * actions] for s in range(states)]
        paid = [[0] * actions for _ in range(states)]
        mdp = EpisodicMDP(moves, paid, _STAGES, exact=True)
        start = law_of_weights(rest["start"][:states])
        return Instance(mdp=mdp, start=start, rank=rank)

    space: dict[str, Any] = {
        "rank": Integer(1, 3),
        "states": Integer(1, 4),
        "actions": Integer(1, 3),
        "features": Many(Choice(0, 0, 1, 1, 3), 36),
        "laws": Many(Choice(0, 0, 0, 1, 1, 5), 15),
        "certain": Many(Choice(False, True), 3),
        "start": Many(Choice(0, 1, 1, 3), 4),
    }
    return Family(space, build)


_RANGES = side_by_side(
    horizon=with_policies(episodic_family(_STAGES, exits=False), _STAGES), latent=_latent_family()
)


def _everywhere() -> Instance:
    """Action a leads to state a: everything is reached for sure; rank S, disjoint laws."""
    moves = [[[int(t == a) for t in range(3)] for a in range(3)]] * 3
    mdp = EpisodicMDP(moves, [[0] * 3] * 3, 2, exact=True)
    start = [Fraction(1), Fraction(0), Fraction(0)]
    always = [[[[Fraction(int(a == b)) for b in range(3)]] * 3 for _ in range(2)] for a in range(2)]
    return Instance(
        horizon_mdp=mdp, horizon_start=start, horizon_new=always[0], horizon_old=always[1],
        latent_mdp=mdp, latent_start=start, latent_rank=3,
    )  # fmt: skip


def _range(
    instance: Instance, only_actions: bool = False, only_states: bool = False, share: int = 1
) -> list[Measurement]:
    found = []
    if "horizon_mdp" in instance:
        mdp, start = instance.horizon_mdp, instance.horizon_start
        runs = Runs(mdp)
        S, A = runs.stages[0].S, runs.stages[0].A
        most = A if only_actions else S if only_states else S * A
        for h in range(len(runs.stages)):
            states = [reach(runs, start, h, s) for s in range(S)]
            everyone = A * sum(states, Fraction(0))
            two = (instance.horizon_new, instance.horizon_old)
            tables = [runs.occupancy(pi, start)[h] for pi in two]
            of_class = sum(_pointwise(tables), Fraction(0))
            found.append(Measurement(everyone, most, what="at most, all"))
            found.append(Measurement(A, everyone, what="at least A, all"))
            found.append(Measurement(of_class, S * A, what="at most, two"))
            found.append(Measurement(1, of_class, what="at least 1, two"))
            differs = int((of_class == 1) != (tables[0] == tables[1]))
            found.append(Measurement(differs, 0, what="1 iff occupancies agree"))
    if "latent_mdp" in instance:
        runs, start = Runs(instance.latent_mdp), instance.latent_start
        S = runs.stages[0].S
        for h in range(1, len(runs.stages)):
            reached = sum((reach(runs, start, h, s) for s in range(S)), Fraction(0))
            bound = Fraction(instance.latent_rank, share)
            found.append(Measurement(reached, bound, trivial=S, what="at most the rank"))
    return found


# --- claims -------------------------------------------------------------------------------

_XIE = "Xie et al., The role of coverage in online RL, ICLR 2023 (arXiv 2210.04157), Lemma 3"


@claim(
    "cov-cumreach",
    "identity",
    title="Coverability is cumulative reachability",
    statement=r"""For a finite class of policies, or all of them, at every stage with some mass,
$\min_\mu\max_\pi\max_{s,a}\frac{d^\pi_h(s,a)}{\mu(s,a)}=\sum_{s,a}\max_\pi d^\pi_h(s,a)$ over laws
$\mu$ on pairs, attained at $\mu\propto\max_\pi d^\pi_h$.""",
    source=_XIE,
    provenance=("paper", "derived"),
    family=_CLASSES,
    named={"two ways": _two_ways, "uneven": _uneven},
    mutants=[
        Mutant("sum-first", "the largest sum, which is 1", partial(_cover, sums_first=True)),
        Mutant("uniform", "attained at the uniform law", partial(_cover, uniform=True)),
    ],
    proof="text",
)
def cover(instance: Instance) -> list[Measurement]:
    return _cover(instance)


ac_coverability = dataclasses.replace(
    cover, id="ac-coverability", title="Coverability is cumulative reachability (alias)"
)
agn_cumreach = dataclasses.replace(
    cover, id="agn-cov-cumreach", title="Cumulative reachability is coverability (alias)"
)


@claim(
    "cov-reach-dp",
    "identity",
    title="Reachability by dynamic programming",
    statement=r"""With a horizon, over all Markov policies,
$\max_\pi d^\pi_h(s,a)=\max_\pi d^\pi_h(s)=\rho\,u_0$ with $u_h=1\{s\}$ and
$u_j(x)=\max_a\sum_{x'}P_j(x'\mid x,a)u_{j+1}(x')$; it is the optimum of the linear program over
occupancies, and attained by a deterministic policy. Discounted, $\max_\pi d^\pi(s,a)$ is the
optimal normalised return of the reward $1\{(s,a)\}$. Exits are allowed.""",
    source="textbook; Puterman, Markov Decision Processes, 1994",
    provenance=("textbook", "textbook"),
    family=_TARGETS,
    named={"stay or leave": _stay_or_leave, "one way only": _one_way_only},
    mutants=[
        Mutant(
            "discounted-states",
            "the same with max d(s) when discounted",
            partial(_reach, discounted_states=True),
        ),
        Mutant("forward", "forward, each state at its best", partial(_reach, forward=True)),
    ],
    proof="text",
)
def reach_dp(instance: Instance) -> list[Measurement]:
    return _reach(instance)


@claim(
    "cov-range",
    "inequality",
    title="Coverability is between 1 and the number of pairs",
    statement=r"""Without exits: $1\le C_h\le SA$ for every class of policies, and $C_h=1$ iff all
its policies have one occupancy at stage $h$; for all policies
$C_h=A\sum_s\max_\pi d^\pi_h(s)\ge A$. If $P(\cdot\mid s,a)=\sum_{i\le d}\phi_i(s,a)\nu_i$ with
$\phi(s,a)$ in the simplex and laws $\nu_i$, then $\sum_s\max_\pi d^\pi_h(s)\le d$ for $h\ge1$. The
bounds $SA$ and $d$ are attained.""",
    source="derived here; Xie et al., ICLR 2023, for the shape",
    provenance=("derived", "derived"),
    family=_RANGES,
    named={"everywhere": _everywhere},
    mutants=[
        Mutant("actions", "at most A", partial(_range, only_actions=True)),
        Mutant("states", "at most S", partial(_range, only_states=True)),
        Mutant("half-rank", "at most d/2", partial(_range, share=2)),
    ],
    bound=lambda states, actions: states * actions,
    proof="text",
)
def cover_range(instance: Instance) -> list[Measurement]:
    return _range(instance)


CLAIMS = (cover, ac_coverability, agn_cumreach, reach_dp, cover_range)
