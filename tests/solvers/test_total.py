"""Total reward: answers against brute force in fractions, known values, and what is refused."""

import copy
import subprocess
import sys
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import plain_total
import pytest

import rltheory as rlt
from rltheory.solvers.total_certificate import TotalCertificate

METHODS = ("auto", "value-iteration", "policy-iteration")


def solved(mdp: rlt.MDP, **options: Any) -> rlt.Solution:
    solution = rlt.solve(mdp, criterion="total", **options)
    check = solution.certificate.check(mdp)
    assert check, check.reason
    assert solution.gap <= solution.tol
    assert (solution.lower <= solution.value).all() and (solution.value <= solution.upper).all()
    return solution


def refused(words: str, mdp: rlt.MDP, **options: Any) -> None:
    with pytest.raises(rlt.ModelError) as caught:
        rlt.solve(mdp, criterion="total", **options)
    assert words in str(caught.value)


# --- against brute force ------------------------------------------------------------------

REASONS = {
    "the total reward is +infinity": "+infinity",
    "the total reward is not certified": "cancels",
    "no policy surely ends": "-infinity",
}


def compare(mdp: rlt.MDP, method: str) -> str:
    """That the answer on this model is what brute force says; what kind of a model it is."""
    truth = plain_total.optimum(mdp)
    try:
        solution = solved(mdp, method=method)
    except rlt.ModelError as error:
        kind = next(kind for words, kind in REASONS.items() if words in str(error))
        # Where rewards cancel, there may be no other way on: then either reason is right.
        assert truth.kind in ((kind, "cancels") if kind == "-infinity" else (kind,)), str(error)
        return truth.kind
    assert truth.kind == "finite"
    earned = plain_total.policy_value(mdp, solution.certificate.rows)
    for s, best in enumerate(truth.value):
        assert earned[s] is not None
        assert solution.lower[s] <= earned[s] <= best <= solution.upper[s]
    return truth.kind


@pytest.mark.parametrize("thirds", [False, True])
@pytest.mark.parametrize("method", METHODS)
def test_small_models_by_brute_force(method: str, thirds: bool) -> None:
    rng = np.random.default_rng([7, METHODS.index(method), thirds])
    kinds = [compare(plain_total.random_model(rng, thirds=thirds), method) for _ in range(70)]
    assert min(map(kinds.count, ("finite", "+infinity", "-infinity"))) >= 2


@pytest.mark.slow
@pytest.mark.parametrize("thirds", [False, True])
def test_many_small_models_by_brute_force(thirds: bool) -> None:
    rng = np.random.default_rng([8, thirds])
    kinds = [compare(plain_total.random_model(rng, thirds=thirds), "auto") for _ in range(2000)]
    assert kinds.count("finite") > 1000 and kinds.count("cancels") >= 5


def test_exact_optima_are_those_of_brute_force() -> None:
    rng = np.random.default_rng(9)
    found = 0
    for _ in range(80):
        mdp = plain_total.random_model(rng, thirds=True)
        truth = plain_total.optimum(mdp)
        if truth.kind != "finite":
            with pytest.raises(rlt.ModelError):
                rlt.solve_exact(mdp, criterion="total")
            continue
        found += 1
        exact = rlt.solve_exact(mdp, criterion="total")
        assert list(exact.value) == truth.value
        assert exact.certificate.check(exact.mdp) and exact.certificate.check(mdp)
        solution = solved(exact.mdp, tol=0.0 if not any(truth.value) else None)
        assert all(lo <= v <= up for lo, v, up in zip(solution.lower, truth.value, solution.upper,
                                                      strict=True))  # fmt: skip
    assert found > 30


# --- known values -------------------------------------------------------------------------


def test_sutton_and_bartos_gridworld() -> None:
    """Example 4.1: -1 a step, two corners end. The optimum is minus the distance to a corner."""
    S, moves = 16, [(-1, 0), (0, 1), (1, 0), (0, -1)]
    next_state = np.empty((S, 4), dtype=np.int64)
    for s in range(S):
        for a, (dx, dy) in enumerate(moves):
            x, y = divmod(s, 4)
            x, y = min(3, max(0, x + dx)), min(3, max(0, y + dy))
            next_state[s, a] = s if s in (0, 15) else 4 * x + y
    rewards = np.full((S, 4), -1.0)
    rewards[[0, 15]] = 0.0  # terminal states that absorb: zero-reward end components
    solution = solved(rlt.MDP.deterministic(next_state, rewards))
    distance = [min(sum(divmod(s, 4)), sum(divmod(15 - s, 4))) for s in range(S)]
    assert np.abs(solution.value + distance).max() <= solution.tol


def test_the_equiprobable_policy_of_that_gridworld() -> None:
    """Figure 4.1: -14, -20 and -22; one row a state, so that the policy is all there is."""
    S, table = 16, np.zeros((16, 1, 16))
    for s in range(S):
        for dx, dy in [(-1, 0), (0, 1), (1, 0), (0, -1)]:
            x, y = divmod(s, 4)
            x, y = min(3, max(0, x + dx)), min(3, max(0, y + dy))
            table[s, 0, s if s in (0, 15) else 4 * x + y] += 0.25
    rewards = np.full((S, 1), -1.0)
    rewards[[0, 15]] = 0.0
    solution = solved(rlt.MDP(table, rewards))
    wanted = [0, -14, -20, -22, -14, -18, -20, -20, -20, -20, -18, -14, -22, -20, -14, 0]
    assert np.abs(solution.value - wanted).max() <= solution.tol


def test_the_optimum_of_bertsekas_spider() -> None:
    """Spider and fly (Bertsekas, Dynamic Programming and Optimal Control, 7.2.1), p = 2/5.

    The fly moves to either side with probability p each; the spider moves towards it from a
    distance of at least 2, and at distance 1 moves or waits: with p >= 1/3 it had better wait,
    E = 1 / p from there.
    """
    p = Fraction(2, 5)
    n = 6
    rows, pay, ends = [], [], []
    for i in range(1, n + 1):
        move = [Fraction(0)] * n
        out = Fraction(0)
        for step, chance in ((0, p), (1, 1 - 2 * p), (2, p)):
            if i == 1:
                continue
            t = i - step
            if t <= 0:
                out += chance
            else:
                move[t - 1] += chance
        wait = list(move)
        wait_out = out
        if i == 1:
            wait = [Fraction(0)] * n
            wait[0], wait[1], wait_out = 1 - 2 * p, p, p
            move = [Fraction(0)] * n
            move[0], out = 2 * p, 1 - 2 * p
        rows.append([move, wait])
        pay.append([-1, -1])
        ends.append([out, wait_out])
    mdp = rlt.MDP(rows, pay, termination=ends, exact=True)
    exact = rlt.solve_exact(mdp, criterion="total")
    v = exact.value
    by_moving = 1 / (1 - 2 * p)
    assert -v[0] == min(by_moving, (1 + p * -v[1]) / (2 * p))
    assert exact.policy[0] == (1 if -v[0] < by_moving else 0)
    assert exact.certificate.check(mdp)
    solved(mdp)


@pytest.mark.parametrize("method", METHODS)
def test_gymnasium(method: str) -> None:
    pytest.importorskip("gymnasium")
    lake = solved(rlt.MDP.from_gymnasium("FrozenLake-v1"), method=method)
    assert (
        lake.lower[0] <= Fraction(14, 17) + Fraction(1, 10**15)
        and abs(lake.value[0] - 14 / 17) < 1e-10
    )  # 1/3 is a double there, so 14/17 is not quite the optimum
    cliff = solved(rlt.MDP.from_gymnasium("CliffWalking-v1"), method=method)
    assert cliff.lower[36] <= -13 <= cliff.upper[36]


# --- models on which T w = w alone is wrong -----------------------------------------------


def loop(rewards: list[float], ends: list[float], stays: list[float]) -> rlt.MDP:
    return rlt.MDP([[[x] for x in stays]], [rewards], termination=[ends])


def test_to_stay_for_nothing_is_better_than_to_pay() -> None:
    solution = solved(loop([0.0, -1.0], [0.0, 1.0], [1.0, 0.0]))
    assert solution.gap == 0.0 and solution.value[0] == 0.0 and solution.policy[0] == 0


def test_to_leave_is_better_than_to_stay_for_nothing() -> None:
    for start in (None, [0.0], [5.0], [-5.0]):
        options = {} if start is None else {"initial_value": start}
        solution = solved(loop([0.0, 1.0], [0.0, 1.0], [1.0, 0.0]), **options)
        assert abs(solution.value[0] - 1.0) < 1e-10 and solution.policy[0] == 1


def test_the_way_out_of_a_component_is_found() -> None:
    """A zero-reward ring of 6; state 4 may leave for 2, state 1 for 1 or -1."""
    n = 6
    states, actions, table, pay, ends = [], [], [], [], []

    def add(s: int, a: int, to: int | None, r: float) -> None:
        states.append(s)
        actions.append(a)
        table.append(np.eye(n)[to] if to is not None else np.zeros(n))
        pay.append(r)
        ends.append(float(to is None))

    for s in range(n):
        add(s, 0, (s + 1) % n, 0.0)
    add(4, 1, None, 2.0)
    add(1, 1, None, 1.0)
    add(1, 2, None, -1.0)
    mdp = rlt.MDP.from_pairs(states, actions, np.array(table), pay, termination=ends)
    solution = solved(mdp)
    assert np.abs(solution.value - 2.0).max() < 1e-10 and len(set(solution.value)) == 1
    assert solution.policy.tolist() == [0, 0, 0, 0, 1, 0]


def test_an_improper_policy_that_pays_is_no_obstacle() -> None:
    """Negative loops: policies that stay are worth -infinity, and the optimum is finite."""
    solution = solved(loop([-0.001, -5.0], [0.0, 0.5], [1.0, 0.5]))
    assert abs(solution.value[0] + 10.0) < 1e-8


def test_long_runs_need_double_double() -> None:
    stays = 1.0 - 2.0**-30
    solution = solved(loop([-1.0], [1.0 - stays], [stays]), rtol=1e-14)
    assert abs(solution.value[0] / 2.0**30 + 1.0) <= 1e-13 and "double-double" in solution.note


# --- what is refused ----------------------------------------------------------------------


def test_positive_loops() -> None:
    refused("can stay in states [0] for ever", loop([1e-300, 0.0], [0.0, 1.0], [1.0, 0.0]))
    cycle = rlt.MDP.deterministic([[1, 0], [0, -1]], [[3.0, -1.0], [-2.0, 0.0]])
    refused("+infinity: a policy can stay in states [0, 1] for ever, at an average", cycle)


def test_states_that_never_end() -> None:
    refused("from states [0] no policy surely ends", loop([-1.0], [0.0], [1.0]))
    mixed = rlt.MDP([[[0.5, 0.0]], [[0.0, 1.0]]], [[-1.0], [-2.0]], termination=[[0.5], [0.0]])
    refused("from states [1]", mixed)


def test_rewards_that_cancel() -> None:
    cycle = rlt.MDP.deterministic([[1, -1], [0, -1]], [[1.0, -10.0], [-1.0, -10.0]])
    refused("in states [0, 1], where a policy can stay for ever, rewards that are not 0", cycle)


def test_arguments() -> None:
    walk = loop([-1.0], [0.5], [0.5])
    refused("method 'gauss-seidel' does not solve total reward", walk, method="gauss-seidel")
    refused("starts from a policy that ends", walk, method="policy-iteration", initial_value=[0.0])
    refused("value has shape (2,)", walk, initial_value=[0.0, 0.0])
    with pytest.raises(rlt.ModelError, match="horizon 3"):
        rlt.solve(walk.episodic(3), criterion="total")
    with pytest.raises(rlt.ModelError, match="without a discount"):
        rlt.solve_exact(walk, Fraction(1, 2), criterion="total")
    assert solved(walk.with_discount(0.5)).value[0] == pytest.approx(-2.0)
    assert rlt.solve(walk, criterion="total").q.shape == (1, 1)


def test_what_is_not_reached_is_said() -> None:
    with pytest.raises(rlt.ConvergenceError) as caught:
        rlt.solve(loop([-1.0 / 3.0], [0.3], [0.7]), criterion="total", tol=0.0)
    assert caught.value.solution.gap > 0.0 and "double-double guarantees" in caught.value.reason
    huge = loop([-1e308], [2.0**-40], [1.0 - 2.0**-40])
    with pytest.raises(rlt.ConvergenceError, match="overflow"):
        rlt.solve(huge, criterion="total")
    endless = loop([-1.0], [2.0**-52], [1.0 - 2.0**-52])
    with pytest.raises(rlt.ConvergenceError, match="runs last too long"):
        rlt.solve(endless, criterion="total")


# --- certificates: stored, and put to the test --------------------------------------------


def certificates(count: int, seed: int) -> list[tuple[rlt.MDP, TotalCertificate]]:
    rng = np.random.default_rng(seed)
    out = []
    while len(out) < count:
        mdp = plain_total.random_model(rng, thirds=True)
        try:
            out.append((mdp, rlt.solve(mdp, criterion="total").certificate))
        except rlt.ModelError:
            continue
    return out


def test_certificates_are_stored(tmp_path: Path) -> None:
    for k, (mdp, certificate) in enumerate(certificates(5, 1)):
        path = tmp_path / f"{k}.npz"
        certificate.save(path)
        loaded = rlt.Certificate.load(path)
        assert isinstance(loaded, TotalCertificate) and loaded.check(mdp)
        for name in ("rows", "policy", "head", "tail", "lower", "upper", "upper_ranking"):
            assert np.array_equal(getattr(loaded, name), getattr(certificate, name))
    exact = rlt.solve_exact(loop([-1.0], [0.25], [0.75]), criterion="total")
    exact.certificate.save(tmp_path / "exact.npz")
    assert rlt.Certificate.load(tmp_path / "exact.npz").check(exact.mdp)


def test_bounds_moved_by_an_ulp_are_rejected_where_they_are_tight() -> None:
    for mdp, c in certificates(60, 2):
        lower = np.nextafter(np.maximum(c.lower, c.head), np.inf)
        upper = np.nextafter(np.minimum(c.upper, c.head), -np.inf)
        for bad in (replace(c, lower=lower), replace(c, upper=upper)):
            check = bad.check(mdp)
            assert not check and ("above its witness" in check.reason
                                  or "below its witness" in check.reason)  # fmt: skip


def test_witnesses_past_their_slack_are_rejected() -> None:
    """More of a ranking than leaves a slack, with bounds that would go along."""
    low, high = np.full(8, -1e9), np.full(8, 1e9)
    for mdp, c in certificates(100, 3):
        n = mdp.n_states
        wide = replace(c, lower=low[:n], upper=high[:n])
        assert wide.check(mdp)
        runs = np.flatnonzero(np.asarray(c.lower_ranking) > 0.0)
        if len(runs):
            assert not replace(wide, lower_repair=-1.0 - c.lower_repair).check(mdp)
            assert not replace(wide, upper_repair=-1.0 - c.upper_repair).check(mdp)
        assert not replace(wide, reward_weight=-1.0).check(mdp)


class Model(dict[str, Any]):
    """A model given by its arrays alone."""


def one_state(rewards: list[float], exits: list[float]) -> Model:
    n = len(rewards)
    stays = [1.0 - x for x in exits]
    ptr = np.cumsum([0] + [int(p > 0) for p in stays]).tolist()
    return Model(
        n_states=1, state_ptr=[0, n], action=list(range(n)), row_ptr=ptr,
        col=[0] * ptr[-1], prob=[p for p in stays if p > 0], reward=rewards, exit=exits,
    )  # fmt: skip


def claimed(value: float, row: int = 0, **changes: Any) -> TotalCertificate:
    parts: dict[str, Any] = {
        "policy": [row], "rows": [row], "head": [value], "tail": [0.0], "lower_ranking": [0.0],
        "upper_ranking": [0.0], "lower_repair": 0.0, "upper_repair": 0.0, "reward_weight": 0.0,
        "lower": [value], "upper": [value],
    }  # fmt: skip
    return TotalCertificate(**(parts | changes))


STAY_OR_PAY = one_state([0.0, -1.0], [0.0, 1.0])
STAY_OR_EXIT = one_state([0.0, 0.0], [0.0, 1.0])
FALSE = {
    # Each is false, and would pass if the test named were missing or weaker.
    "no ranking below": (STAY_OR_EXIT, claimed(5.0, lower=[5.0], upper=[9.0]), "lower ranking"),
    "weak decrease below": (
        STAY_OR_EXIT, claimed(5.0, lower_ranking=[1.0], upper=[9.0]), "lower ranking"
    ),
    "no ranking above": (STAY_OR_PAY, claimed(-1.0, row=1, lower=[-9.0]), "upper ranking"),
    "weak decrease above": (
        STAY_OR_PAY, claimed(-1.0, row=1, lower=[-9.0], upper_ranking=[7.0]), "upper ranking"
    ),
    "a ranking of the policy's row alone": (
        STAY_OR_PAY, claimed(-1.0, row=1, upper_ranking=[1.0], reward_weight=0.0), "upper ranking"
    ),
    "a weight that the loop does not feel": (
        STAY_OR_PAY, claimed(-1.0, row=1, upper_ranking=[1.0], reward_weight=1e9), "upper ranking"
    ),
    "a negative weight": (
        one_state([1.0], [0.0]), claimed(-1.0, reward_weight=-1.0), "reward_weight is negative"
    ),
    "a loop that pays": (one_state([1.0], [0.0]), claimed(0.0), "upper witness"),
    "a held state of negative reward": (one_state([-1.0], [0.0]), claimed(0.0), "lower witness"),
    "not a number": (STAY_OR_EXIT, claimed(0.0, upper_ranking=[float("nan")]), "NaN"),
    "infinite": (STAY_OR_EXIT, claimed(0.0, lower=[-float("inf")]), "nfinity"),
    "another state's row": (STAY_OR_EXIT, claimed(0.0, row=2), "not one of the state's"),
    "another action": (STAY_OR_EXIT, claimed(0.0, policy=[1]), "not the policy's action"),
    "too few states": (STAY_OR_EXIT, claimed(0.0, lower=[]), "wrong number of states"),
    "another criterion": (STAY_OR_EXIT, claimed(0.0, criterion="discounted"), "not for"),
}  # fmt: skip


@pytest.mark.parametrize("name", FALSE)
def test_false_certificates_are_rejected(name: str) -> None:
    model, certificate, words = FALSE[name]
    check = certificate.check(model)
    assert not check and words in check.reason


def test_true_ones_beside_them_are_accepted() -> None:
    assert claimed(0.0).check(STAY_OR_PAY) and claimed(0.0).check(STAY_OR_EXIT)
    assert claimed(0.0, row=1).check(STAY_OR_EXIT)
    pays = one_state([-1.0, -1.0], [0.0, 1.0])
    assert claimed(-1.0, row=1, reward_weight=1.0).check(pays)
    leaves = one_state([1.0], [1.0])
    assert claimed(1.0, lower_ranking=[1.0]).check(leaves)
    assert not claimed(1.0).check(leaves), "a positive value has to be ranked"
    staged = copy.copy(STAY_OR_PAY)
    staged["horizon"] = 3
    assert not claimed(0.0).check(Model(staged))


def test_rows_that_do_not_sum_to_one_are_divided_by_their_sum() -> None:
    off = 1.0 + 2.0**-31
    model = one_state([-1.0], [0.5])
    model["prob"], model["exit"] = [0.5 * off], [0.5 * off]
    assert claimed(-2.0, upper_ranking=[2.0]).check(model)
    model["exit"] = [0.5]
    check = claimed(-2.0, upper_ranking=[3.0]).check(model)
    assert not check and "lower witness" in check.reason


def test_the_checker_works_without_the_core_and_without_numpy() -> None:
    code = """
import sys
for name in ("numpy", "scipy", "rltheory._core"):
    sys.modules[name] = None
from types import SimpleNamespace as Record
from rltheory.solvers.checker_total import check_total

model = {"n_states": 1, "state_ptr": [0, 1], "row_ptr": [0, 1], "col": [0], "action": [0],
         "prob": [0.5], "reward": [-1.0], "exit": [0.5]}
claim = Record(criterion="total", policy=[0], rows=[0], head=[-2.0], tail=[0.0], lower=[-2.0],
               upper=[-2.0], lower_ranking=[0.0], upper_ranking=[2.0], lower_repair=0.0,
               upper_repair=0.0, reward_weight=0.0)
print(check_total(claim, model).accepted)
claim.head = claim.lower = [-2.0 + 2**-50]
print(check_total(claim, model).accepted)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("True\nFalse\n", "")
