"""Models through which news travels slowly, or which tempt a method to go round in circles."""

import time
from collections.abc import Callable

import numpy as np
import pytest
from scipy import sparse

import rltheory as rlt
from rltheory import _core
from rltheory.errors import ConvergenceError
from rltheory.solvers.methods import METHODS

kernels = _core.solvers


def periodic(n: int, discount: float) -> rlt.MDP:
    """Round trips of n, n/2 and 3 steps through state 0, worth nearly the same a step."""
    following = np.stack([np.roll(np.arange(n), -1)] * 3, axis=1)
    following[n // 2, 1] = 0
    following[3, 2] = 0
    reward = np.zeros((n, 3))
    reward[n - 1], reward[n // 2, 1], reward[3, 2] = 1.0, 0.5 + 1e-9, 4.0 / n
    return rlt.MDP.deterministic(following, reward, discount)


def classes(n: int, discount: float, seed: int = 0) -> rlt.MDP:
    """n absorbing pairs of states with rewards that differ by rounding; most cannot reach 1."""
    random = np.random.default_rng(seed)
    following = np.empty((3 * n, 2), dtype=int)
    reward = np.zeros((3 * n, 2))
    for k in range(n):
        a, b, c = 3 * k, 3 * k + 1, 3 * k + 2
        following[a], following[b] = (b, a), (a, b)
        following[c] = (3 * random.integers(n), 3 * random.integers(n) + 1)
        reward[a] = reward[b] = 0.1 + 2.0**-54 * random.integers(0, 3, size=2)
    reward[0] = 1.0
    return rlt.MDP.deterministic(following, reward, discount)


def sticky(n: int, discount: float) -> rlt.MDP:
    """A walk whose states are left with probability 1e-12, upwards or downwards."""
    s = np.arange(n)
    to = np.stack([np.where(s > 0, s - 1, 1), np.where(s < n - 1, s + 1, n - 2)], axis=1)
    rows = np.repeat(np.arange(2 * n), 2)
    cols = np.stack([np.repeat(s, 2), to.ravel()], axis=1).ravel()
    probs = np.tile([1.0 - 1e-12, 1e-12], 2 * n)
    table = sparse.csr_array((probs, (rows, cols)), shape=(2 * n, n))
    reward = np.zeros((n, 2))
    reward[n // 3, 0], reward[-1] = 0.3, 1.0
    return rlt.MDP(table, reward, discount)


def hub(n: int, discount: float) -> rlt.MDP:
    """Every state may go back to state 0, which leads everywhere."""
    s = np.arange(1, n)
    up = np.minimum(s + 1, n - 1)
    cols = np.concatenate([np.tile(np.arange(n), 2), np.stack([0 * s, up, up], axis=1).ravel()])
    probs = np.concatenate([np.full(2 * n, 1.0 / n), np.tile([0.5, 0.5, 1.0], n - 1)])
    lengths = np.concatenate([[n, n], np.tile([2, 1], n - 1)])
    row_ptr = np.concatenate([[0], np.cumsum(lengths)])
    reward = np.zeros((n, 2))
    reward[:, 0] = np.linspace(0.0, 0.5, n)
    reward[-1] = 1.0
    return rlt.MDP(sparse.csr_array((probs, cols, row_ptr), shape=(2 * n, n)), reward, discount)


MODELS: dict[str, Callable[[], rlt.MDP]] = {
    "periodic": lambda: periodic(60, 0.99),
    "periodic, long": lambda: periodic(400, 0.9999),
    "periodic, 1 - 1e-9": lambda: periodic(200, 1.0 - 1e-9),
    "lock": lambda: rlt.combination_lock(200, actions=3, slip=0.01, discount=0.9999),
    "lock, sure": lambda: rlt.combination_lock(300, actions=2, slip=0.0, discount=0.99999),
    "classes": lambda: classes(80, 0.999),
    "classes, 1 - 1e-10": lambda: classes(60, 1.0 - 1e-10),
    "sticky": lambda: sticky(100, 0.999),
    "sticky, 1 - 1e-9": lambda: sticky(60, 1.0 - 1e-9),
    "hub": lambda: hub(200, 0.9999),
    "cycle": lambda: rlt.MDP.deterministic(
        np.roll(np.arange(300), 1)[:, None], np.eye(300)[:, :1], 1.0 - 1e-7
    ),
    "cycle backwards": lambda: rlt.MDP.deterministic(
        np.roll(np.arange(300), -1)[:, None], np.eye(300)[:, :1], 0.99999
    ),
    "maze that ends": lambda: rlt.gridworld(15, 15, walls=0.3, discount=0.9999, step_reward=-1.0),
    "maze that goes on": lambda: rlt.gridworld(15, 15, walls=0.2, discount=0.9999, exits=False),
    "queue": lambda: rlt.riverswim(200, 0.99999),
    "nothing": lambda: rlt.riverswim(100, 0.999).with_rewards(np.zeros((100, 2))),
    "subnormal": lambda: rlt.riverswim(100, 0.999).with_rewards(np.full((100, 2), 5e-324)),
}


@pytest.mark.parametrize("name", MODELS)
def test_every_method_ends_with_the_same_certified_answer(name: str) -> None:
    mdp = MODELS[name]()
    random = np.random.default_rng(0)
    size = float(np.abs(mdp.mean_rewards).max()) / (1.0 - float(mdp.discount or 0.0))
    lower, upper = np.full(mdp.n_states, -np.inf), np.full(mdp.n_states, np.inf)
    for method in ("auto", "ordered-policy-iteration", "policy-iteration"):
        for start in (None, size * random.uniform(-1.0, 1.0, size=mdp.n_states)):
            try:
                solution = rlt.solve(mdp, method=method, initial_value=start)
            except ConvergenceError as fault:  # no relative accuracy where rewards are subnormal
                assert name == "subnormal" and fault.solution is not None
                solution = fault.solution
            assert solution.certificate.check(mdp).accepted, method
            lower, upper = np.maximum(lower, solution.lower), np.minimum(upper, solution.upper)
            assert (lower <= upper).all(), method


@pytest.mark.parametrize("name", MODELS)
def test_ordered_policy_iteration_comes_to_an_end_on_its_own(name: str) -> None:
    mdp = MODELS[name]()
    discount = float(mdp.discount or 0.0)
    random = np.random.default_rng(1)
    size = float(np.abs(mdp.mean_rewards).max()) / (1.0 - discount)
    best = rlt.solve(mdp, rtol=1e-6, tol=1e-300).value
    for start in (np.zeros(mdp.n_states), size * random.uniform(-1.0, 1.0, size=mdp.n_states)):
        value, rows, sweeps, converged = kernels.ordered_policy_iteration(
            mdp.core, discount, 0.0, 1e-9, start
        )
        assert sweeps < 5000
        assert (mdp.states[rows] == np.arange(mdp.n_states)).all()
        if converged:
            # |V* - v| <= change / (1 - discount), and changes below rounding say no more.
            near = 1e-9 + 20 * 2.0**-53 / (1.0 - discount)
            assert np.abs(value - best).max() <= 1.01 * near * np.abs(value).max() + 1e-300


def test_a_state_that_leads_everywhere_does_not_cost_the_square() -> None:
    mdp = hub(60_000, 0.9999)
    rows = mdp.pair_ptr[:-1].astype(np.int64)
    begin = time.process_time()
    chain = kernels.PolicyChain(mdp.core, 0.9999, rows)
    b = np.random.default_rng(0).normal(size=mdp.n_states)
    for transposed in (False, True):
        _, residual, iterations = chain.solve(b, np.zeros_like(b), 1e-9, 2000, transposed)
        assert residual <= 1e-9 and iterations < 100
    assert time.process_time() - begin < 1.5  # 60,000 ^ 2 multiplications take longer


def test_auto_takes_over_where_ordered_iteration_gives_up(monkeypatch: pytest.MonkeyPatch) -> None:
    mdp = MODELS["queue"]()
    best = rlt.solve(mdp).value
    kernel = kernels.ordered_policy_iteration

    def gives_up(*arguments: object) -> tuple:
        value, rows, sweeps, _ = kernel(*arguments)
        return (np.full_like(value, np.nan), rows, sweeps, False)

    monkeypatch.setattr(kernels, "ordered_policy_iteration", gives_up)
    solution = rlt.solve(mdp)
    assert "policy iteration to the end" in solution.note
    assert np.abs(solution.value - best).max() <= 2e-10 * np.abs(best).max()


def test_policy_iteration_stops_when_a_policy_comes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """Were rounding to make each of two policies look better than the other."""
    mdp = rlt.riverswim(200, 0.9)
    one, other = mdp.pair_ptr[:-1].astype(np.int64), mdp.pair_ptr[1:].astype(np.int64) - 1

    def turns(_core: object, _discount: float, _value: object, rows: np.ndarray) -> tuple:
        return (other if np.array_equal(rows, one) else one), 200

    monkeypatch.setattr(kernels, "improve", turns)
    tolerance = rlt.solvers.tolerance.read_tolerance(None, None, 1.0)
    guess = METHODS["policy-iteration"](mdp.core, 0.9, tolerance, np.zeros(200))
    assert guess.iterations <= 3


def test_gauss_seidel_is_not_led_astray_by_wide_brackets() -> None:
    rng = np.random.default_rng(0)
    mdp = rlt.MDP.deterministic(
        rng.integers(0, 200, (200, 1)), rng.standard_normal((200, 1)), discount=0.999
    )
    swept, solved = rlt.solve(mdp, method="gauss-seidel"), rlt.solve(mdp)
    assert (swept.lower <= solved.upper).all() and (solved.lower <= swept.upper).all()
    assert np.abs(swept.value).max() < 1e4


def decomposable(storage: str, ending: float, defect: float) -> rlt.MDP:
    """Four blocks of 60 states, left with probability 1e-4 for one state, or for any (dense)."""
    random = np.random.default_rng(0)
    n, actions, width, leave = 240, 3, 14, 1e-4
    table = np.zeros((n, actions, n))
    for s, a in np.ndindex(n, actions):
        inside = 60 * (s // 60) + random.choice(60, size=width, replace=False)
        outside = random.integers(n) if storage == "csr" else np.arange(n)
        table[s, a, outside] = leave / np.size(outside)
        table[s, a, inside] += (1.0 - leave) * random.dirichlet(np.ones(width))
    table *= (1.0 - ending) / table.sum(axis=2, keepdims=True)
    table[:, 0] *= 1.0 + defect
    rewards = random.random((n, actions)) + np.arange(n)[:, None] // 60
    rows = table if storage == "dense" else sparse.csr_array(table.reshape(-1, n))
    ends = None if ending == 0.0 else np.full((n, actions), ending)
    return rlt.MDP(rows, rewards, 0.999, termination=ends)


@pytest.mark.parametrize("defect", [0.0, 9e-10])
@pytest.mark.parametrize("ending", [0.0, 1e-4])
@pytest.mark.parametrize("storage", ["csr", "dense"])
def test_equations_of_long_rows_take_few_steps(storage: str, ending: float, defect: float) -> None:
    mdp = decomposable(storage, ending, defect)
    assert mdp.storage == storage
    solution = rlt.solve(mdp, tol=1e-6)
    assert solution.note == (
        "modified policy iteration: it mixes slowly, but equations of policies take few steps"
    )
    assert solution.iterations < 200
    chosen = mdp.transitions.toarray()[np.arange(240) * 3 + solution.policy]
    chosen *= (1.0 - ending) / chosen.sum(axis=1, keepdims=True)
    reward = mdp.mean_rewards.reshape(240, 3)[np.arange(240), solution.policy]
    value = np.linalg.solve(np.eye(240) - 0.999 * chosen, reward)
    assert (solution.lower - 1e-8 <= value).all() and (value <= solution.upper + 1e-8).all()
