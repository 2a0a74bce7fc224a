"""The planning claims on operators, value and policy iteration: values worked out by hand."""

import re
from fractions import Fraction
from functools import partial
from itertools import pairwise

import numpy as np
import pytest

import rltheory as rlt
from rltheory.claims.evidence import Evidence, violated
from rltheory.claims.smt import prove
from rltheory.claims.verify import instances
from rltheory.foundations import accelerated, discounted, improvement, smt_planning
from rltheory.foundations import value_iteration as vi
from rltheory.foundations.families import case, planning_family
from rltheory.foundations.instances import frozen_lake, leaving, quit_or_go, self_loop
from rltheory.foundations.rationals import Planner
from rltheory.solvers.bounds import howard_iteration_bound, macqueen

F = Fraction
CLAIMS = {
    claim.id: claim
    for module in (discounted, vi, improvement, accelerated)
    for claim in module.CLAIMS
}
MUTANTS = [(claim.id, mutant.id) for claim in CLAIMS.values() for mutant in claim.mutants]


@pytest.fixture(scope="module")
def verdicts():
    return {name: rlt.verify(claim, budget="quick") for name, claim in CLAIMS.items()}


def test_the_nine_claims_are_there():
    assert sorted(CLAIMS) == [
        "plan-contraction",
        "plan-elimination",
        "plan-howard",
        "plan-improvement",
        "plan-macqueen",
        "plan-monotone",
        "plan-mpi-monotone",
        "plan-vi-aposteriori",
        "plan-vi-apriori",
    ]


@pytest.mark.parametrize("name", CLAIMS)
def test_claim_is_confirmed_exactly_and_its_bound_is_attained(verdicts, name):
    verdict = verdicts[name]
    assert verdict.status == "confirmed", verdict.reason
    assert verdict.arithmetic == "exact"
    assert verdict.tightness == 1.0 and verdict.detection_limit == 1.0
    assert "proof (in text)" in verdict.coverage


# Where a mutant fails, and by which comparison: for the reason it was made for, not another one.
REASONS = {
    "always-equal": "half an exit: states where equality",
    "any-sign": "half an exit: T(v + c) - Tv: -9/20 against the bound -9/10",
    "squared plan-monotone": "shift: T(v + c) - Tv: 9/10 against the bound 81/100",
    "by-largest": "crossed: Tv - Tw: 9/10 against the bound 0",
    "squared plan-contraction": "shift, a quarter ends: norm: 27/40 against the bound 243/400",
    "hundredth": "shift, a quarter ends: norm: 27/40 against the bound 2673/4000",
    "least-row": "one of two ends: norm: 9/10 against the bound 0",
    "span-with-exits": "one of two ends: span: 9/10 against the bound 0",
    "one-sweep-more": "one loop: by the first error: 9 against the bound 81/10",
    "bare-residual": "one loop: by the first residual: 9 against the bound 9/10",
    "too-few-sweeps": "one loop: after the stated sweeps: ",
    "stopping-rule": "one loop: of v: 5 against the bound 1/2",
    "two-sweeps": "one loop: of Tv: 9/2 against the bound 81/20",
    "policy-residual": "worse action: of v: 5 against the bound 0",
    "quarter": "two islands: midpoint: 9/2 against the bound 9/4",
    "half-loss": "tie: loss: 9 against the bound 9/2",
    "plain-extremes": "sure end: lower bound: 0 against the bound -9",
    "no-shift": "two islands: midpoint: 9 against the bound 9/2",
    "forgotten-discount": "forgotten discount: loss: 2/5 against the bound 0",
    "somewhere": "worse elsewhere: loss: 2 against the bound 0",
    "for-ever": "once: gain, greedy: 90 against the bound 9",
    "half-the-rounds": "four deciders: rounds: 4 against the bound 2",
    "first-state": "four deciders: distance of the end from V*: 1 against the bound 0",
    "switches-ties": "tie: rounds: 8 against the bound 7",
    "twice-as-fast": "four deciders: error of a round: 3/10 against the bound 9/100",
    "start-above": "one loop: v_k <= T v_k: 1/10 against the bound 0",
    "every-sweep": "quit or go: error: 8729/10000 against the bound 729/1000",
    "lowest-reward": "half an exit: v_k <= T v_k: 9/2 against the bound 0",
    "weak": "exact bracket: optimal actions removed: 5 against the bound 0",
    "by-upper": "wide bracket: gap of a removed action: 9 against the bound 0",
    "whole-gap": "width at the limit: gap of an action kept: 9 against the bound 9/2",
}


@pytest.mark.parametrize(("name", "mutant"), MUTANTS)
def test_mutant_is_refuted_for_its_own_reason(verdicts, name, mutant):
    (found,) = (m for m in verdicts[name].mutants if m.id == mutant)
    if mutant.endswith("-smt"):
        pytest.importorskip("z3")
        assert found.status == "refuted", found.reason
        return
    expected = REASONS.get(mutant) or REASONS[f"{mutant} {name}"]
    assert found.status == "refuted" and found.reason.startswith(f"instance {expected}")


# --- values by hand -----------------------------------------------------------------------


def sides(name, label, what):
    """(measured, bound) of every such comparison on a named instance, in order."""
    claim = CLAIMS[name]
    found = rlt.replay(claim, claim.named[label]())
    return [(m.measured, m.bound) for m in found if m.what == what and m.event]


@pytest.mark.parametrize(
    ("name", "label", "what", "expected"),
    [
        ("plan-monotone", "shift", "T(v + c) - Tv", [(F(9, 10), F(9, 10))]),
        ("plan-monotone", "half an exit", "T(v + c) - Tv", [(F(9, 20), F(9, 10))]),
        ("plan-contraction", "shift, a quarter ends", "norm", [(F(27, 40), F(27, 40))]),
        ("plan-contraction", "two islands", "span", [(F(9, 10), F(9, 10))]),
        # V* = 10, v_n = 10 (1 - 0.9^n): errors 9, 8.1 and 10 * 0.9^5.
        (
            "plan-vi-apriori",
            "one loop",
            "by the first residual",
            [(F(9), F(9)), (F(81, 10), F(81, 10)), (F(59049, 10**4), F(59049, 10**4))],
        ),
        # log(100) / 0.1 = 46.05...: 47 sweeps.
        (
            "plan-vi-apriori",
            "one loop",
            "after the stated sweeps",
            [(10 * F(9, 10) ** 47, F(1, 10))],
        ),
        # Reward 1/2: V* = 5, after three sweeps 5 * 0.9^3 is left.
        (
            "plan-vi-aposteriori",
            "one loop",
            "of v",
            [(F(5), F(5)), (F(729, 200), F(729, 200))],
        ),
        # v = 0 on two islands that pay 0 and 1: m = 0, M = 1, V* = (0, 10), Tv = (0, 1).
        ("plan-macqueen", "two islands", "upper bound", [(F(9), F(9)), None]),
        ("plan-macqueen", "two islands", "midpoint", [(F(9, 2), F(9, 2)), None]),
        ("plan-macqueen", "tie", "loss", [(F(9), F(9)), None]),
        ("plan-macqueen", "sure end", "lower bound", [(F(0), F(0)), (F(0), F(0))]),
        # Both actions of state 0 earn once what the next state earns for ever.
        ("plan-improvement", "once", "gain, greedy", [(F(9), F(9)), (0, 0), (0, 0)]),
        ("plan-howard", "one decider", "rounds", [(1, 1)]),
        ("plan-howard", "four deciders", "rounds", [(4, 4)]),
        (
            "plan-howard",
            "four deciders",
            "error of a round",
            [(F(3, 10) ** k, F(3, 10) ** k) for k in (1, 2, 3)] + [(0, F(3, 10) ** 4)],
        ),
        ("plan-howard", "six deciders", "rounds", [(6, 63)]),
        ("plan-elimination", "width at the limit", "gap of an action kept", [(F(9), F(9))]),
        ("plan-elimination", "exact bracket", "gap of a removed action", [(F(9), F(9)), None]),
    ],
    ids=lambda x: x if isinstance(x, str) else "",
)
def test_sides_worked_out_by_hand(name, label, what, expected):
    found = sides(name, label, what)
    assert len(found) == len(expected)
    for got, wanted in zip(found, expected, strict=True):
        assert wanted is None or got == wanted


@pytest.mark.parametrize(
    ("name", "attained"),
    [
        ("plan-monotone", {"T(v + c) - Tv"}),
        ("plan-contraction", {"norm", "span"}),
        ("plan-vi-apriori", {"by the first error", "by the first residual"}),
        ("plan-vi-aposteriori", {"of v", "of Tv"}),
        ("plan-macqueen", {"lower bound", "upper bound", "midpoint", "loss"}),
        ("plan-improvement", {"gain, greedy", "gain, half greedy", "gain, greedy in state 0"}),
        ("plan-howard", {"rounds", "error of a round"}),
        ("plan-mpi-monotone", {"error"}),
        ("plan-elimination", {"gap of a removed action", "gap of an action kept"}),
    ],
)
def test_each_inequality_is_attained_not_only_the_sharpest_one(name, attained):
    claim, evidence = CLAIMS[name], {}
    for label, _, instance in instances(claim, 40, 0):
        for m in rlt.replay(claim, instance):
            evidence.setdefault(m.what, Evidence(claim.kind)).add(label, [m])
    assert {what for what, each in evidence.items() if each.ratio == 1.0} >= attained
    assert all(each.ratio is None or each.ratio <= 1.0 for each in evidence.values())


def test_the_stated_number_of_sweeps_is_the_least_one():
    g = F(9, 10)
    assert vi.sweeps_needed(g, F(1, 10)) == 47 and vi.sweeps_needed(g, F(1, 10), False) == 24
    assert vi.sweeps_needed(F(0), F(1, 10)) == 3
    assert vi.sweeps_needed(F(1, 2), F(3)) == 0
    assert float(10 * g**24) == pytest.approx(0.797664, abs=1e-6)


def test_sweeps_in_integers_are_those_of_the_operator():
    for _, _, instance in instances(CLAIMS["plan-contraction"], 30, 1):
        planner = Planner(instance.mdp)
        v = instance.value
        for n in range(4):
            assert planner.sweeps(instance.value, n) == v
            v = planner.T(v)


@pytest.mark.parametrize("n", [1, 2, 3, 6])
@pytest.mark.parametrize(("gamma", "pay"), [("9/10", "1/20"), ("3/10", "0"), ("3/10", "1/1000")])
def test_chain_of_deciders_takes_one_round_each_from_the_end(n, gamma, pay):
    planner = Planner(quit_or_go(n, F(pay), F(gamma)))
    path = improvement.policy_iteration(planner, [0] * n, most=100)
    assert [policy for policy, _ in path] == [[0] * (n - k) + [1] * k for k in range(n + 1)]
    assert path[-1][1] == planner.optimum()[0] == [F(gamma) ** (n - 1 - s) for s in range(n)]


# --- twins that are false -----------------------------------------------------------------


def _twin(**fields):
    return rlt.Claim(
        id="false-twin",
        kind="inequality",
        title="a contraction twice as good",
        statement=r"$\|Tv-Tw\|\le\gamma^2\bar\kappa\|v-w\|$",
        check=partial(discounted._contraction, factor=lambda g: g * g),
        mutants=(rlt.Mutant("same", "not looked at", check=discounted._contraction),),
        **fields,
    )


@pytest.mark.parametrize(
    "fields",
    [
        {"family": planning_family()},
        {"named": {"shift": lambda: case(self_loop(1, F(9, 10)), [F(1, 3)], [0])}},
    ],
    ids=["from the family", "named"],
)
def test_counterexample_of_a_false_twin_is_stored_and_replays(tmp_path, fields):
    twin = _twin(**fields)
    verdict = rlt.verify(twin, budget="quick", store=tmp_path)
    assert verdict.status == "refuted" and verdict.arithmetic == "exact"
    again = rlt.replay(twin, verdict.counterexample["file"])
    worst = next(m for m in again if violated("inequality", m))
    assert str(worst.measured) == str(verdict.counterexample["measured"])
    assert str(worst.bound) == str(verdict.counterexample["bound"])
    true = rlt.replay(CLAIMS["plan-contraction"], verdict.counterexample["file"])
    assert not any(violated("inequality", m) for m in true)


# --- proofs over all models of two states -------------------------------------------------

PROOFS = ["monotone", "contraction", "aposteriori", "macqueen", "improvement", "elimination"]


@pytest.mark.parametrize("name", PROOFS)
def test_query_is_unsatisfiable_with_the_discount_free(name):
    z3 = pytest.importorskip("z3")
    query = getattr(smt_planning, name)
    proof = prove(query)
    assert proof.status == "proved"
    assert proof.size.startswith("2 states") and proof.size.endswith("every discount")
    solver = z3.Solver()  # the hypotheses alone have models: the proof is not of nothing
    solver.add(*query().assertions[:-1])
    assert solver.check() == z3.sat


def _numbers(query):
    proof = prove(query)
    assert proof.status == "refuted"
    return {name: F(x) for name, x in re.findall(r"(\w+) = (-?[\d/]+)", proof.model)}


def _mdp(k, actions):
    """The model in a satisfying assignment, at value 0: P = x / discount and r = b."""
    rows, ends, paid = [], [], []
    for s in range(2):
        names = [f"{s}{a}" for a in range(actions)] if actions > 1 else [f"{s}"]
        rows.append([_row(k, name) for name in names])
        ends.append([1 - sum(row) for row in rows[-1]])
        paid.append([k.get(f"b{name}", F(0)) for name in names])
    return rlt.MDP(rows, paid, k["discount"], termination=ends, exact=True)


def _row(k, name):
    g = k["discount"]
    return [k.get(f"x{name}{t}", F(0)) / g if g else F(0) for t in range(2)]


def _vector(k, name, scale=1):
    return [scale * k.get(f"{name}{s}", F(0)) for s in range(2)]


def _astray(k):
    """Two actions in state 0, worth b0 and b1; state 1 stays for nothing."""
    rows = [[_row(k, "0"), _row(k, "1")], [[0, 1]] * 2]
    best = max(k["b0"], k["b1"])
    paid = [[k[f"b{a}"] - k["discount"] * rows[0][a][0] * best for a in range(2)], [0, 0]]
    ends = [[1 - sum(row) for row in rows[0]], [0, 0]]
    mdp = rlt.MDP(rows, paid, k["discount"], termination=ends, exact=True)
    return case(mdp, _vector(k, "below", 8), _vector(k, "above", 8))


@pytest.mark.parametrize(
    ("query", "name", "mutant", "build"),
    [
        ("monotone_any_sign", "plan-monotone", "any-sign",
         lambda k: case(_mdp(k, 2), other=[k["c"], 0])),
        ("contraction_modulus", "plan-contraction", "squared",
         lambda k: case(_mdp(k, 2), _vector(k, "d"))),
        ("aposteriori_stopping", "plan-vi-aposteriori", "stopping-rule",
         lambda k: case(_mdp(k, 2))),
        ("macqueen_midpoint", "plan-macqueen", "quarter", lambda k: case(_mdp(k, 1))),
        ("macqueen_plain", "plan-macqueen", "plain-extremes", lambda k: case(_mdp(k, 1))),
        ("improvement_somewhere", "plan-improvement", "somewhere", lambda k: case(_mdp(k, 2))),
    ],
)  # fmt: skip
def test_model_that_the_solver_finds_refutes_the_mutant_in_rationals_too(
    query, name, mutant, build
):
    pytest.importorskip("z3")
    instance = build(_numbers(getattr(smt_planning, query)))
    claim = CLAIMS[name]
    (wrong,) = (m.of(claim) for m in claim.mutants if m.id == mutant)
    assert any(violated("inequality", m) for m in rlt.replay(wrong, instance))
    assert not any(violated("inequality", m) for m in rlt.replay(claim, instance))


# --- the same in doubles: what the compiled kernels and the solvers make of it ------------


def _in_doubles(instance):
    mdp, planner = instance.mdp, Planner(instance.mdp)
    rows = np.array(planner.P, dtype=float)
    ends = np.array([[planner.exit(s, a) for a in planner.actions] for s in planner.states])
    paid = np.array(planner.r, dtype=float)
    return rlt.MDP(rows, paid, float(mdp.discount), termination=ends.astype(float))


def test_kernel_of_the_bellman_operator_agrees_with_the_exact_one():
    for _, _, instance in instances(CLAIMS["plan-contraction"], 60, 3):
        planner, mdp = Planner(instance.mdp), _in_doubles(instance)
        exact = [float(x) for x in planner.T(instance.value)]
        value = np.array(instance.value, dtype=float)
        assert np.abs(rlt.bellman(mdp, value) - exact).max() < 1e-13
        exact = [float(x) for x in planner.T_pi(instance.value, instance.policy)]
        assert np.abs(rlt.bellman(mdp, value, instance.policy) - exact).max() < 1e-13


def test_bracket_of_doubles_holds_for_the_exact_optimum_of_frozen_lake():
    pytest.importorskip("gymnasium")
    mdp = rlt.MDP.from_gymnasium("FrozenLake-v1", discount=0.9)
    best = rlt.solve_exact(mdp).value
    value, widths = np.zeros(16), []
    for _ in range(60):
        lower, upper = macqueen(mdp, value)
        assert all(F(a) <= x <= F(b) for a, x, b in zip(lower, best, upper, strict=True))
        widths.append(float((upper - lower).max()))
        value = rlt.bellman(mdp, value)
    assert widths[-1] < 1e-3 < widths[0]
    assert all(y <= x * 1.000001 for x, y in pairwise(widths))


@pytest.mark.parametrize("method", ["policy-iteration", "modified-policy-iteration"])
def test_solvers_reach_the_exact_optimum_that_the_claims_use(method):
    pytest.importorskip("gymnasium")
    exact = frozen_lake(F(9, 10))
    best, _ = Planner(exact).optimum()
    assert list(rlt.solve_exact(exact).value) == best
    mdp = rlt.MDP.from_gymnasium("FrozenLake-v1", discount=0.9)
    solution = rlt.solve(mdp, method=method)
    assert np.abs(solution.value - np.array(best, dtype=float)).max() <= solution.gap + 1e-15
    if method == "policy-iteration":
        assert 1 <= solution.iterations <= howard_iteration_bound(mdp)


def test_value_iteration_closes_at_once_where_both_residuals_agree():
    for gamma in (0.9, 0.99, 0.999):
        loop = rlt.MDP([[[1.0]]], [[1.0]], discount=gamma)
        solution = rlt.solve(loop, method="value-iteration")
        # One sweep to close the bracket; the sweep that measures the first residual may count.
        assert solution.iterations <= 2


def test_instances_are_what_they_are_said_to_be():
    mdp = leaving(1, F(1, 2), F(1, 4))
    planner = Planner(mdp)
    assert planner.exit(0, 0) == F(1, 4) and planner.optimum()[0] == [F(8, 5)]
    assert planner.returns() == (0, 2)
    losing = Planner(rlt.MDP([[[1]]], [[-3]], F(1, 2), exact=True))
    assert losing.returns() == (-6, 2)
