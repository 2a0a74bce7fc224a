"""Total reward: answers against brute force in fractions, known values, and what is refused."""

import math
from fractions import Fraction
from typing import Any

import numpy as np
import plain_total
import pytest

import rltheory as rlt
from rltheory.solvers.collapse import Collapsed

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


def test_rows_that_do_not_sum_to_one() -> None:
    """Off by up to 9e-10, and meant as divided by their sum: loops of reward 0 stay loops."""
    rng = np.random.default_rng(6)
    models = [plain_total.random_model(rng, thirds=True, off=9e-10) for _ in range(80)]
    kinds = [compare(mdp, METHODS[k % 3]) for k, mdp in enumerate(models)]
    assert kinds.count("finite") > 30


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
    assert -v[0] == 1 / p
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


def test_where_nothing_is_paid_the_gap_is_nothing() -> None:
    everywhere = rlt.MDP.deterministic([[1, 0], [0, 1]], np.zeros((2, 2)))
    ending = rlt.MDP([[[0.3, 0.3]], [[0.0, 0.5]]], np.zeros((2, 1)), termination=[[0.4], [0.5]])
    for mdp in (everywhere, ending):
        solution = solved(mdp, tol=0.0)
        assert solution.gap == 0.0 and not solution.value.any()


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


def test_chances_below_all_doubles() -> None:
    tiny = Fraction(1, 10**400)
    walk = rlt.MDP([[[1 - tiny]]], [[tiny]], termination=[[tiny]], exact=True)  # worth 1
    refused("below all doubles", walk)
    with pytest.raises(rlt.ModelError, match="below all doubles"):
        rlt.solve_exact(walk, criterion="total")
    paid = rlt.MDP([[[1], [0]]], [[tiny, 0]], termination=[[0, 1]], exact=True)
    refused("+infinity", paid)  # though the reward is 0 as a double


def test_arguments() -> None:
    walk = loop([-1.0], [0.5], [0.5])
    refused("method 'gauss-seidel' does not solve total reward", walk, method="gauss-seidel")
    refused("starts from a policy that ends", walk, method="policy-iteration", initial_value=[0.0])
    refused("initial_value has shape (2,)", walk, initial_value=[0.0, 0.0])
    with pytest.raises(rlt.ModelError, match="horizon 3"):
        rlt.solve(walk.episodic(3), criterion="total")
    with pytest.raises(rlt.ModelError, match="total reward has none"):
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


# --- larger models ------------------------------------------------------------------------


def larger_model(rng: np.random.Generator, S: int) -> rlt.MDP:
    """Sparse rows with end components of every kind but those that gain."""
    states, actions, table, ends, pay = [], [], [], [], []
    for s in range(S):
        for a in range(int(rng.integers(1, 4))):
            to = (s + rng.choice(9, int(rng.integers(1, 4)), replace=False) - 4) % S
            share = rng.dirichlet(np.ones(len(to) + 1))
            if s % 7 and rng.random() < 0.7:
                share[:-1], share[-1] = share[:-1] / share[:-1].sum(), 0.0
            row = np.zeros(S)
            row[to] = share[:-1]
            states.append(s)
            actions.append(a)
            table.append(row)
            ends.append(share[-1])
            pay.append(rng.choice([0.0, 0.0, -1.0, -rng.random(), float(share[-1] > 0.0)]))
    return rlt.MDP.from_pairs(states, actions, np.array(table), pay, termination=ends)


def test_methods_agree_on_larger_models() -> None:
    rng = np.random.default_rng(4)
    solved_ones, components = 0, 0
    for _ in range(30):
        mdp = larger_model(rng, int(rng.integers(30, 120)))
        try:
            brackets = [solved(mdp, method=method) for method in METHODS]
        except rlt.ModelError as error:
            assert "surely ends" in str(error) or "+infinity" in str(error)
            continue
        solved_ones += 1
        components += len(set(Collapsed(mdp).state)) < mdp.n_states
        lower = np.max([each.lower for each in brackets], axis=0)
        assert (lower <= np.min([each.upper for each in brackets], axis=0)).all()
    assert solved_ones >= 5 and components >= 5


def test_staying_at_a_loss_in_a_larger_model() -> None:
    # A state that may wait for 1 a step: sweeps of rows solved for their own state pass that over.
    n = 300
    states = [*range(n), 5]
    actions = [0] * n + [1]
    table = np.zeros((n + 1, n))
    table[np.arange(n - 1), np.arange(1, n)] = 1.0
    table[n, 5] = 1.0
    exits = np.zeros(n + 1)
    exits[n - 1] = 1.0
    rewards = np.zeros(n + 1)
    rewards[7], rewards[n] = -3.0, -1.0
    mdp = rlt.MDP.from_pairs(states, actions, table, rewards, termination=exits)
    solution = rlt.solve(mdp, criterion="total")
    assert solution.value.tolist() == [-3.0] * 8 + [0.0] * (n - 8)
    assert solution.policy[5] == 0 and solution.certificate.check(mdp)


@pytest.mark.parametrize("method", METHODS)
def test_larger_models_are_worth_what_their_parts_are(method: str) -> None:
    # Small models are solved in other ways, which are tested against brute force.
    for trial in range(4):
        rng = np.random.default_rng([31, trial])
        parts: list[rlt.MDP] = []
        while sum(part.n_states for part in parts) < 200:
            part = plain_total.random_model(rng, most_states=5, thirds=bool(trial % 2))
            try:
                solved(part)
            except rlt.ModelError:
                continue
            parts.append(part)
        n = sum(part.n_states for part in parts)
        place = rng.permutation(n)
        states, actions, table, rewards, exits = [], [], [], [], []
        value, first = np.empty(n), 0
        for part in parts:
            mine = place[first : first + part.n_states]
            value[mine] = solved(part).value
            arrays = part.arrays()
            for s, k in enumerate(
                np.repeat(np.arange(part.n_states), np.diff(part.arrays()["state_ptr"]))
            ):
                row = np.zeros(n)
                entries = slice(arrays["row_ptr"][s], arrays["row_ptr"][s + 1])
                row[mine[arrays["col"][entries]]] = arrays["prob"][entries]
                states.append(mine[k])
                actions.append(s)
                table.append(row)
                rewards.append(arrays["reward"][s])
                exits.append(arrays["exit"][s] if len(arrays["exit"]) else 0.0)
            first += part.n_states
        whole = rlt.MDP.from_pairs(states, actions, np.array(table), rewards, termination=exits)
        found = solved(whole, method=method).value
        assert np.abs(found - value).max() <= 1e-8 * (1.0 + np.abs(value).max())


@pytest.mark.parametrize("method", METHODS)
def test_small_rewards_are_ranked_beside_a_run_that_lasts(method: str) -> None:
    # State 2 had better go on, as a ranking counts, once state 3 does: by less than the rounding
    # of state 0.
    rows = np.zeros((8, 5))
    rows[0, 0], rows[1, 1], rows[4, 3], rows[6, 4] = 1.0 - 2.0**-30, 1.0, 1.0, 1.0
    rewards = [-1, -(2.0**-10), -1, -1, -1 - 2.25 * 2.0**-12, 0, -(2.0**-13), 0]
    mdp = rlt.MDP.from_pairs(
        [0, 1, 1, 2, 2, 3, 3, 4],
        [0, 0, 1, 0, 1, 0, 1, 0],
        rows,
        rewards,
        termination=1.0 - rows.sum(axis=1),
    )
    assert solved(mdp, method=method).value.tolist() == [-(2.0**30), -1, -1, 0, 0]


@pytest.mark.parametrize("size", [1e-305, 1e-307, 1e-309])
def test_costs_of_an_end_component_near_no_double(size: float) -> None:
    # 2 / 1e-309, which the ranking would weigh rewards by, is infinite: refused, not certified.
    mdp = rlt.MDP([[[0.5], [1.0]]], [[-size, -size]], termination=[[0.5, 0.0]])
    if math.isinf(2.0 / size):
        with pytest.raises(rlt.ModelError, match="no ranking of the states was found"):
            rlt.solve_exact(mdp, criterion="total")
    else:
        found = rlt.solve_exact(mdp, criterion="total")
        assert found.value == (-2 * Fraction(size),)
        assert found.certificate.check(mdp).accepted
