"""Models whose values are in print, or follow on paper."""

from collections import deque
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import rltheory as rlt

BRIDGE = Path(__file__).resolve().parents[3] / "shared" / "data" / "bridge"
FREEWAY = BRIDGE / "freeway_10_fs30.npz"


def within(solution: rlt.Solution, exact: Any) -> bool:
    """Whether these fractions, for all states (and stages) in order, are in the bracket."""
    lower, upper = solution.lower.ravel(), solution.upper.ravel()
    return len(lower) == len(exact) and all(
        Fraction(low) <= x <= Fraction(high)
        for low, x, high in zip(lower, exact, upper, strict=True)
    )


# --- Puterman, Markov Decision Processes, 1994 --------------------------------------------------


def two_states(discount: float | Fraction) -> rlt.MDP:
    """Section 3.1: s1 has a11 (5, even odds of s2) and a12 (10, to s2); s2 pays -1 for ever."""
    exact = isinstance(discount, Fraction)
    half = Fraction(1, 2) if exact else 0.5
    return rlt.MDP.from_pairs(
        states=[0, 0, 1],
        actions=[0, 1, 0],
        transitions=[[half, half], [0, 1], [0, 1]],
        rewards=[5, 10, -1],
        discount=discount,
        exact=exact,
    )


def value_of_two_states(b: Fraction) -> tuple[Fraction, Fraction]:
    """V(s2) = -1 / (1 - b), and in s1

        a11   V = 5 + b (V + V(s2)) / 2,   so V = (5 - 5.5 b) / ((1 - 0.5 b)(1 - b)),
        a12   V = 10 + b V(s2),            so V = (10 - 11 b) / (1 - b).

    With x = 5 - 5.5 b they are x / (1 - 0.5 b) and 2 x, over 1 - b: a12 is better where x > 0.
    """
    x = 5 - Fraction(11, 2) * b
    first = x / (1 - b / 2) if b > Fraction(10, 11) else 2 * x
    return first / (1 - b), -1 / (1 - b)


@pytest.mark.parametrize(
    ("discount", "value", "action"),
    [
        (Fraction(0), (10, -1), 1),
        (Fraction(1, 2), (9, -2), 1),
        (Fraction(9, 10), (1, -10), 1),
        (Fraction(10, 11), (0, -11), None),
        (Fraction(19, 20), (Fraction(-60, 7), -20), 0),
        (Fraction(99, 100), (Fraction(-8900, 101), -100), 0),
        (Fraction(999, 1000), (Fraction(-989000, 1001), -1000), 0),
    ],
)
def test_two_states(discount: Fraction, value: Any, action: int | None) -> None:
    mdp = two_states(discount)
    exact = rlt.solve_exact(mdp)
    assert exact.value == value == value_of_two_states(discount)
    assert action is None or exact.policy.tolist() == [action, 0]
    assert exact.certificate.check(mdp)
    assert within(rlt.solve(mdp), value)
    # As doubles the discount is another number, and its value another fraction.
    rounded = two_states(float(discount))
    solution = rlt.solve(rounded)
    assert within(solution, value_of_two_states(Fraction(float(discount))))
    assert action is None or solution.policy.tolist() == [action, 0]
    assert solution.value == pytest.approx(np.array(value, dtype=float), rel=1e-12, abs=1e-12)


def inventory() -> rlt.MDP:
    """Section 3.2: at most 3 units; an order of u > 0 costs 4 + 2u, a unit in stock 1 a month.

    Demand is 0, 1, 2 with chances 1/4, 1/2, 1/4; a unit sold brings 8, what is not there is lost.
    """
    demand = (Fraction(1, 4), Fraction(1, 2), Fraction(1, 4))
    pairs = [(s, u) for s in range(4) for u in range(4 - s)]
    transitions, rewards = [], []
    for s, u in pairs:
        stock, row, sold = s + u, [Fraction(0)] * 4, Fraction(0)
        for d, p in enumerate(demand):
            row[max(stock - d, 0)] += p
            sold += p * min(stock, d)
        transitions.append(row)
        rewards.append(8 * sold - (4 + 2 * u if u else 0) - stock)
    states, orders = zip(*pairs, strict=True)
    return rlt.MDP.from_pairs(states, orders, transitions, rewards, exact=True)


def test_inventory() -> None:
    # Section 4.6.1: values and orders for stocks of 0 to 3, with 3, 2 and 1 months to go.
    printed = [
        ([67, 129, 194, 227], [3, 0, 0, 0]),
        ([32, 100, 160, 168], [2, 0, 0, 0]),
        ([0, 80, 96, 80], [0, 0, 0, 0]),
        ([0, 0, 0, 0], None),
    ]
    mdp = inventory().episodic(3)
    exact = rlt.solve_exact(mdp)
    values = [tuple(Fraction(x, 16) for x in sixteenths) for sixteenths, _ in printed]
    assert list(exact.value) == values
    assert exact.policy.tolist() == [orders for _, orders in printed[:-1]]
    # All of these numbers are doubles.
    solution = rlt.solve(mdp)
    assert solution.value.tolist() == [[float(x) for x in stage] for stage in values]
    assert solution.policy.tolist() == exact.policy.tolist()
    assert exact.certificate.check(mdp) and solution.certificate.check(mdp)


def test_inventory_rewards() -> None:
    # Section 3.2, table of expected rewards r(s, a).
    table = {
        (0, 0): 0, (0, 1): -1, (0, 2): -2, (0, 3): -5, (1, 0): 5, (1, 1): 0, (1, 2): -3,
        (2, 0): 6, (2, 1): -1, (3, 0): 5,
    }  # fmt: skip
    mdp = inventory()
    found = zip(mdp.states.tolist(), mdp.actions.tolist(), strict=True)
    assert dict(zip(found, mdp.mean_rewards.tolist(), strict=True)) == table


# --- Sutton and Barto, Reinforcement Learning, second edition, 2018 -----------------------------

# Figure 3.2, right: the equiprobable random policy.
EQUIPROBABLE = [
    [3.3, 8.8, 4.4, 5.3, 1.5],
    [1.5, 3.0, 2.3, 1.9, 0.5],
    [0.1, 0.7, 0.7, 0.4, -0.4],
    [-1.0, -0.4, -0.4, -0.6, -1.2],
    [-1.9, -1.3, -1.2, -1.4, -2.0],
]
# Figure 3.5, middle: the optimal value.
OPTIMAL = [
    [22.0, 24.4, 22.0, 19.4, 17.5],
    [19.8, 22.0, 19.8, 17.8, 16.0],
    [17.8, 19.8, 17.8, 16.0, 14.4],
    [16.0, 17.8, 16.0, 14.4, 13.0],
    [14.4, 16.0, 14.4, 13.0, 11.7],
]
A, A_PRIME, B, B_PRIME = 1, 21, 3, 13


def sutton_grid() -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Example 3.5: next states and rewards (25, 4); moves north, south, east, west."""
    following, rewards = np.empty((25, 4), np.int64), np.zeros((25, 4), np.int64)
    for s in range(25):
        for a, (down, right) in enumerate(((-1, 0), (1, 0), (0, 1), (0, -1))):
            i, j = s // 5 + down, s % 5 + right
            inside = 0 <= i < 5 and 0 <= j < 5
            following[s, a] = 5 * i + j if inside else s
            rewards[s, a] = 0 if inside else -1
    following[A], rewards[A] = A_PRIME, 10
    following[B], rewards[B] = B_PRIME, 5
    return following, rewards


def eliminate(matrix: list[list[Fraction]], right: list[Fraction]) -> list[Fraction]:
    """Gauss-Jordan without exchanges, for diagonally dominant matrices."""
    lines = [[*line, b] for line, b in zip(matrix, right, strict=True)]
    for k in range(len(lines)):
        lines[k] = [x / lines[k][k] for x in lines[k]]
        for i in range(len(lines)):
            if i != k and lines[i][k]:
                factor = lines[i][k]
                lines[i] = [x - factor * y for x, y in zip(lines[i], lines[k], strict=True)]
    return [line[-1] for line in lines]


def test_sutton_and_barto_equiprobable_policy() -> None:
    following, rewards = sutton_grid()
    mdp = rlt.MDP.deterministic(following, rewards, discount=0.9)
    value = rlt.evaluate(mdp, np.full((25, 4), 0.25))
    assert np.abs(value.reshape(5, 5) - EQUIPROBABLE).max() <= 0.05
    # Exactly, under the discount 9/10.
    step = Fraction(9, 40)
    matrix = [[Fraction(int(s == t)) for t in range(25)] for s in range(25)]
    for s in range(25):
        for t in following[s].tolist():
            matrix[s][t] -= step
    exact = eliminate(matrix, [Fraction(int(r.sum()), 4) for r in rewards])
    assert value == pytest.approx(np.array(exact, dtype=float), rel=1e-13)
    # The chain of the policy, as a model with one action.
    rows = np.full((25, 1, 25), Fraction(0), dtype=object)
    for s in range(25):
        for t in following[s].tolist():
            rows[s, 0, t] += Fraction(1, 4)
    means = [[Fraction(int(r.sum()), 4)] for r in rewards]
    chain = rlt.MDP(rows, means, Fraction(9, 10), exact=True)
    solved = rlt.solve_exact(chain)
    assert list(solved.value) == exact and solved.certificate.check(chain)


def test_sutton_and_barto_optimum() -> None:
    following, rewards = sutton_grid()
    mdp = rlt.MDP.deterministic(following, rewards, discount=0.9)
    solution = rlt.solve(mdp)
    assert np.abs(solution.value.reshape(5, 5) - OPTIMAL).max() <= 0.05
    # From A: 10 every five steps. From elsewhere, by the shortest way to A, or to B where that
    # earns more: B pays 5, and its B' is four steps from A. The way west from the corner beside B
    # would lead into B.
    g = Fraction(9, 10)
    at_a = 10 / (1 - g**5)
    at_b = 5 + g * g**4 * at_a
    assert at_a == Fraction(1000000, 40951)

    def from_cell(s: int) -> Fraction:
        i, j = divmod(s, 5)
        if s in (A, B):
            return at_a if s == A else at_b
        around = 2 if s == B + 1 else 0
        return max(g ** (i + abs(j - 1) + around) * at_a, g ** (i + abs(j - 3)) * at_b)

    exact = rlt.solve_exact(mdp, g)
    assert list(exact.value) == [from_cell(s) for s in range(25)]
    assert solution.value == pytest.approx(np.array(exact.value, dtype=float), rel=1e-13)
    assert exact.certificate.check(exact.mdp) and solution.certificate.check(mdp)


# --- gymnasium ----------------------------------------------------------------------------------


def table_of(name: str, **arguments: Any) -> Any:
    gymnasium = pytest.importorskip("gymnasium", reason="gymnasium is an extra: rltheory[envs]")
    env = gymnasium.make(name, **arguments)
    table = env.unwrapped.P
    env.close()
    return table


def by_policy_iteration(table: Any, discount: float) -> NDArray[np.float64]:
    """Howard's algorithm on the table itself: what is terminated is not continued."""
    S, n_actions = len(table), len(table[0])
    rows, rewards = np.zeros((S, n_actions, S)), np.zeros((S, n_actions))
    for s in range(S):
        for a in range(n_actions):
            for p, t, r, terminated in table[s][a]:
                rewards[s, a] += p * r
                if not terminated:
                    rows[s, a, t] += p
    states, policy = np.arange(S), np.zeros(S, dtype=np.int64)
    while True:
        here = rows[states, policy]
        value = np.linalg.solve(np.eye(S) - discount * here, rewards[states, policy])
        q = rewards + discount * rows @ value
        better = q.max(axis=1) > q[states, policy] + 1e-11
        if not better.any():
            return value
        policy = np.where(better, q.argmax(axis=1), policy)


@pytest.mark.parametrize(
    ("name", "discount"),
    [(f"FrozenLake{size}-v1", g) for size in ("", "8x8") for g in (0.9, 0.99, 0.9999)]
    + [("Taxi-v4", 0.99)],
)
def test_gymnasium(name: str, discount: float) -> None:
    expected = by_policy_iteration(table_of(name), discount)
    mdp = rlt.MDP.from_gymnasium(name, discount=discount)
    solution = rlt.solve(mdp)
    assert len(expected) == mdp.n_states and expected.max() > 0.0
    assert np.abs(solution.value - expected).max() <= solution.gap + 1e-10
    assert solution.certificate.check(mdp)


@pytest.mark.parametrize("slippery", [False, True])
def test_frozen_lake_of_both_kinds(slippery: bool) -> None:
    mdp = rlt.MDP.from_gymnasium("FrozenLake-v1", discount=0.5, is_slippery=slippery)
    expected = by_policy_iteration(table_of("FrozenLake-v1", is_slippery=slippery), 0.5)
    assert np.abs(rlt.solve(mdp).value - expected).max() < 1e-12
    if not slippery:  # six steps, the last of which is paid
        assert rlt.solve(mdp).value[0] == 0.5**5


def test_frozen_lake_without_a_discount() -> None:
    # The lake is crossed with probability 14/17 at best; with a horizon, a little less.
    pytest.importorskip("gymnasium", reason="gymnasium is an extra: rltheory[envs]")
    mdp = rlt.MDP.from_gymnasium("FrozenLake-v1")
    values = [rlt.solve(mdp.episodic(h)).value[0, 0] for h in (5, 6, 100, 400, 1000)]
    assert values[0] == 0.0 < values[1] < 0.01
    assert values == sorted(values) and values[-1] < 14 / 17 + 1e-12
    assert values[-1] == pytest.approx(14 / 17, abs=1e-6)


@pytest.mark.parametrize("discount", [0.9, 0.99])
def test_taxi_by_shortest_ways(discount: float) -> None:
    # Every step costs 1 and the last one pays 20; what costs 10 is never needed.
    table = table_of("Taxi-v4")
    before: dict[int, list[int]] = {}
    steps: dict[int, int] = {}
    for s in table:
        for ((_, t, reward, terminated),) in table[s].values():
            if terminated:
                assert reward == 20
                steps[s] = 1
            elif reward == -1:
                before.setdefault(t, []).append(s)
    queue = deque(steps)
    while queue:
        t = queue.popleft()
        for s in before.get(t, []):
            if s not in steps:
                steps[s] = steps[t] + 1
                queue.append(s)
    assert len(steps) == 500
    g = Fraction(discount)
    exact = [20 * g ** (n - 1) - (1 - g ** (n - 1)) / (1 - g) for _, n in sorted(steps.items())]
    mdp = rlt.MDP.from_gymnasium("Taxi-v4", discount=discount)
    assert within(rlt.solve(mdp), exact)
    assert list(rlt.solve_exact(mdp).value) == exact


# --- chains with a closed form ------------------------------------------------------------------


@pytest.mark.parametrize("discount", [0.9, 0.99, 0.9999])
@pytest.mark.parametrize("states", [3, 6, 20])
def test_riverswim_against_the_current(states: int, discount: float) -> None:
    # Osband, Russo and Van Roy (2013), swimming right everywhere. Inside,
    #     0.35 g V(s+1) - (1 - 0.6 g) V(s) + 0.05 g V(s-1) = 0,
    # so V(s) = a x^s + b y^s with x, y the roots of 0.35 g z^2 - (1 - 0.6 g) z + 0.05 g; the two
    # ends, V(0) = g (0.4 V(0) + 0.6 V(1)) and its mirror with a reward of 1, give a and b.
    g, last = discount, states - 1
    x, y = np.roots([0.35 * g, -(1 - 0.6 * g), 0.05 * g])
    left = [1 - 0.4 * g - 0.6 * g * z for z in (x, y)]
    right = [(1 - 0.6 * g) * z**last - 0.4 * g * z ** (last - 1) for z in (x, y)]
    a, b = np.linalg.solve([left, right], [0.0, 1.0])
    value = np.array([a * x**s + b * y**s for s in range(states)])
    mdp = rlt.riverswim(states, discount)
    assert rlt.evaluate(mdp, np.ones(states, dtype=np.int64)) == pytest.approx(value, rel=1e-9)
    solution = rlt.solve(mdp)
    stays = 0.005 / (1 - g)
    if value[0] > stays:
        assert solution.policy.tolist() == [1] * states
        assert solution.value == pytest.approx(value, rel=1e-9)
    else:
        assert solution.policy[0] == 0 and solution.value[0] == pytest.approx(stays, rel=1e-12)


def test_riverswim_with_two_states() -> None:
    # Right everywhere: V(1) = V(0) + 1 and V(0) = 0.6 g / (1 - g). In state 0, left pays
    # 0.005 / (1 - g): better where g < 1/120.
    for g in (1 / 119, 0.5, 0.9, 0.999):
        solution = rlt.solve(rlt.riverswim(2, g))
        first = 0.6 * g / (1 - g)
        assert solution.policy.tolist() == [1, 1]
        assert solution.value == pytest.approx([first, first + 1], rel=1e-12)
    for g in (0.0, 0.001, 1 / 121):
        solution = rlt.solve(rlt.riverswim(2, g))
        first = 0.005 / (1 - g)
        assert solution.policy.tolist() == [0, 1]
        second = (1 + 0.4 * g * first) / (1 - 0.6 * g)
        assert solution.value == pytest.approx([first, second], rel=1e-12)


@pytest.mark.parametrize("length", [1, 2, 5, 12])
@pytest.mark.parametrize("slip", [Fraction(0), Fraction(1, 4), Fraction(7, 8), Fraction(1)])
def test_combination_lock(length: int, slip: Fraction) -> None:
    # V(k) = q V(k+1) + g slip V(0) with q = g (1 - slip), and V(n) = 1 / g behind the last one.
    g = Fraction(7, 8)
    q = g * (1 - slip)
    turns = [sum((q**j for j in range(length - k)), Fraction(0)) for k in range(length)]
    first = q**length / g / (1 - g * slip * turns[0])
    value = [q ** (length - k) / g + g * slip * turns[k] * first for k in range(length)]
    mdp = rlt.combination_lock(length, actions=3, slip=float(slip), seed=4, discount=float(g))
    assert isinstance(mdp, rlt.MDP)
    assert list(rlt.solve_exact(mdp).value) == value and value[0] == first
    solution = rlt.solve(mdp)
    assert within(solution, value)
    if slip == 0:
        assert value == [g ** (length - 1 - k) for k in range(length)]


@pytest.mark.parametrize("length", [1, 3, 4])
@pytest.mark.parametrize("slip", [Fraction(0), Fraction(1, 4), Fraction(3, 4)])
def test_combination_lock_with_a_horizon(length: int, slip: Fraction) -> None:
    # It opens within h trials unless no run of `length` comes: the first slip is at trial k <= n.
    closed: list[Fraction] = []
    for h in range(13):
        closed.append(
            Fraction(1)
            if h < length
            else sum(
                (slip * (1 - slip) ** (k - 1) * closed[h - k] for k in range(1, length + 1)),
                Fraction(0),
            )
        )
    mdp = rlt.combination_lock(length, slip=float(slip), horizon=12, seed=1)
    assert isinstance(mdp, rlt.EpisodicMDP)
    exact = rlt.solve_exact(mdp)
    assert [stage[0] for stage in exact.value] == [1 - closed[12 - h] for h in range(13)]
    solution = rlt.solve(mdp)
    assert within(solution, [x for stage in exact.value for x in stage])


# --- BRIDGE -------------------------------------------------------------------------------------


@pytest.mark.skipif(
    not FREEWAY.is_file(), reason="the BRIDGE files (shared/data/bridge) are not on this machine"
)
def test_bridge_freeway() -> None:
    # README of the data: the best return is 1, the random policy's 0.009026401801893343.
    with np.load(FREEWAY) as archive:
        following, rewards = archive["transitions"].tolist(), archive["rewards"].astype(int)
        assert rewards.tolist() == archive["rewards"].tolist()
    # Backward in whole numbers: the best return, and the returns of all action sequences.
    S, horizon = len(following), 10
    best, total = [[0] * (S + 1)], [[0] * (S + 1)]
    for h in range(horizon):
        moves = [list(zip(rewards[s].tolist(), following[s], strict=True)) for s in range(S)]
        best.append([max(r + best[h][t] for r, t in move) for move in moves] + [0])
        total.append([sum(r * 3**h + total[h][t] for r, t in move) for move in moves] + [0])
    assert (best[-1][0], total[-1][0]) == (1, 533)
    assert 533 / 3**10 == 0.009026401801893343
    mdp = rlt.load(FREEWAY, horizon=horizon)
    assert isinstance(mdp, rlt.EpisodicMDP)
    solution = rlt.solve(mdp)
    assert solution.value.tolist() == [best[horizon - h][:S] for h in range(horizon + 1)]
    assert within(solution, [x for h in range(horizon + 1) for x in best[horizon - h][:S]])
    assert solution.certificate.check(mdp)
    value = rlt.evaluate(mdp, np.full((S, 3), 1 / 3))
    for h in range(horizon + 1):
        left = horizon - h
        assert value[h] == pytest.approx(np.array(total[left][:S]) / 3**left, rel=1e-13)
