"""The problems of the benchmark are models, the same in every run."""

from collections.abc import Callable

import numpy as np
import pytest
from scipy.sparse import coo_array, csgraph

import rltheory as rlt
from benchmarks import families
from benchmarks.families import Problem
from benchmarks.peers import rltheory_solver
from benchmarks.problems import MIXED, PROBLEMS, QUICK, mixed
from benchmarks.verify import verify

QUICKLY: dict[str, Callable[[], Problem]] = {
    name: lambda name=name: PROBLEMS[name](QUICK[name]) for name in PROBLEMS
}


def check_arrays(problem: Problem) -> None:
    matrix, size = problem.transitions, problem.n_states
    assert matrix.shape == (problem.n_pairs, size) and len(problem.rewards) == problem.n_pairs
    assert (problem.discount is None) != (problem.horizon is None)
    keys = problem.states * problem.n_actions + problem.actions
    assert (np.diff(keys) > 0).all() and (np.diff(problem.starts) > 0).all()
    assert problem.states[-1] == size - 1
    assert np.isfinite(problem.rewards).all()
    np.testing.assert_allclose(np.asarray(matrix.sum(axis=1)).ravel(), 1.0, rtol=0, atol=1e-12)
    if problem.sparse:
        assert matrix.indices.dtype == np.int32 and (matrix.data > 0.0).all()
        inner = np.ones(problem.n_entries, dtype=bool)
        inner[matrix.indptr[:-1]] = False
        assert (np.diff(matrix.indices, prepend=-1)[inner] > 0).all()
    else:
        assert (matrix > 0.0).all()


def test_there_is_a_small_size_of_every_problem() -> None:
    assert set(QUICK) == set(PROBLEMS)
    assert all(PROBLEMS[name](QUICK[name]).name == name for name in PROBLEMS)


@pytest.mark.parametrize("name", PROBLEMS)
def test_problems_are_models_that_solve(name: str) -> None:
    problem = QUICKLY[name]()
    check_arrays(problem)
    model = rltheory_solver.build(problem, {})
    assert (model.n_states, model.n_pairs) == (problem.n_states, problem.n_pairs)
    value, policy = rltheory_solver.solve(model, problem, {"method": "auto"})
    assert verify(problem, value, policy).verified == "value and policy"


@pytest.mark.parametrize("name", PROBLEMS)
def test_a_problem_is_the_same_every_time(name: str) -> None:
    one, two = QUICKLY[name](), QUICKLY[name]()
    for a, b in ((one.states, two.states), (one.actions, two.actions), (one.rewards, two.rewards)):
        assert np.array_equal(a, b)
    assert abs(one.transitions - two.transitions).max() == 0.0


def test_mixed_models_are_fifty_of_ten_kinds() -> None:
    names = {mixed(seed).name for seed in MIXED}
    kinds = {name.partition("_")[2] for name in names}
    assert len(names) == 50 and len(kinds) == 10
    small = [mixed(seed) for seed in MIXED if mixed(seed).n_entries < 20_000]
    assert len(small) > 25
    for problem in small:
        check_arrays(problem)


# --- each family against what its text says --------------------------------------------------


def row(problem: Problem, state: int, action: int) -> dict[int, float]:
    at = int(np.flatnonzero((problem.states == state) & (problem.actions == action))[0])
    matrix = problem.transitions[[at]].tocoo()
    return dict(zip(matrix.col.tolist(), matrix.data.tolist(), strict=True))


def reward(problem: Problem, state: int, action: int) -> float:
    return float(problem.rewards[(problem.states == state) & (problem.actions == action)][0])


def test_riverswim_is_that_of_the_package() -> None:
    problem = families.riverswim("chain", 7, 0.9)
    own = rlt.riverswim(7, 0.9)
    assert abs(problem.transitions - own.transitions).max() < 1e-15
    assert np.array_equal(problem.rewards, own.rewards.ravel())


def test_forest() -> None:
    problem = families.forest("forest", 5, 0.9)
    assert row(problem, 2, 0) == {0: 1e-3, 3: 1.0 - 1e-3}
    assert row(problem, 0, 0) == {0: 1e-3, 1: 1.0 - 1e-3}
    assert row(problem, 4, 0) == {0: 1e-3, 4: 1.0 - 1e-3} and row(problem, 3, 1) == {0: 1.0}
    assert reward(problem, 4, 0) == 4.0 and reward(problem, 3, 0) == 0.0
    assert reward(problem, 4, 1) == 1.0 + np.log(5.0) / 2.0


def test_inventory() -> None:
    problem = families.inventory("stock", 30, 0.9, demand=2.0)
    assert np.bincount(problem.states).tolist() == list(range(31, 0, -1))
    ordered = row(problem, 3, 2)  # five units there; demand 0 leaves 5
    assert ordered[5] == pytest.approx(np.exp(-2.0)) and ordered[3] == pytest.approx(
        2.0 * np.exp(-2.0)
    )
    assert ordered == row(problem, 5, 0)
    left = sum(stock * chance for stock, chance in ordered.items())
    assert reward(problem, 3, 2) == pytest.approx(3.0 * (5.0 - left) - 10.0 - 0.2 * left)
    assert reward(problem, 5, 0) == pytest.approx(3.0 * (5.0 - left) - 0.2 * left)


def test_tandem() -> None:
    problem = families.tandem("queues", 2, 0.9)  # state 3 n + m
    assert row(problem, 4, 3) == pytest.approx({7: 0.9 / 3.5, 2: 1.3 / 3.5, 3: 1.3 / 3.5})
    assert row(problem, 4, 1) == pytest.approx(
        {7: 0.9 / 3.5, 2: 1.0 / 3.5, 3: 1.3 / 3.5, 4: 0.3 / 3.5}
    )
    assert row(problem, 0, 3) == pytest.approx({3: 0.9 / 3.5, 0: 2.6 / 3.5})
    full = 8  # both queues full: an arrival and a job passed on are lost
    assert reward(problem, full, 2) == pytest.approx(-(2.5 + 0.6 + 10.0 * (0.9 + 1.3) / 3.5))


def test_maze_leads_to_its_goal() -> None:
    problem = families.maze("maze", 12, 0.9, seed=0)
    goal = problem.n_states - 1
    assert all(row(problem, goal, a) == {goal: 1.0} for a in range(4))
    assert set(problem.rewards[problem.states < goal]) == {-1.0}
    assert not problem.rewards[problem.states == goal].any()
    assert row(problem, goal - 1, 1) == pytest.approx(
        {goal: 0.8, **dict.fromkeys(set(row(problem, goal - 1, 1)) - {goal}, 0.1)}
    )
    assert np.isfinite(distances(problem)).all()


def distances(problem: Problem) -> np.ndarray:
    """Moves to the goal, by breadth-first search against the arrows."""
    matrix = problem.transitions.tocoo()
    heads = problem.states[matrix.row]
    graph = coo_array(
        (np.ones(len(heads)), (matrix.col, heads)), shape=(problem.n_states, problem.n_states)
    ).tocsr()
    return csgraph.shortest_path(graph, unweighted=True, indices=problem.n_states - 1)


def test_shuffling_renames_states_and_nothing_else() -> None:
    problem = families.maze("maze", 9, 0.9, seed=1)
    other = families.shuffled("other", problem, seed=2)
    one, two = (rlt.solve(rltheory_solver.build(p, {}), tol=1e-9).value for p in (problem, other))
    assert not np.allclose(one, two) and np.allclose(np.sort(one), np.sort(two))


def test_lock_and_relay() -> None:
    lock = families.lock("lock", 6, 3, 0.9, slip=0.25, seed=0)
    right = [a for a in range(3) if row(lock, 2, a) != {0: 1.0}]
    assert len(right) == 1 and row(lock, 2, right[0]) == {0: 0.25, 3: 0.75}
    assert lock.rewards.sum() == 0.75
    relay = families.relay("relay", 3, 4, 0.9, seed=0)
    matrix = relay.transitions.tocoo()
    assert ((matrix.col // 4 - relay.states[matrix.row] // 4) % 3 == 1).all()
