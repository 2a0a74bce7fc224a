"""The grid world of the specification: deterministic golden values, and clones on it."""

import numpy as np
import pytest

import rltheory as rlt

HORIZON = 12


@pytest.fixture(scope="module")
def grid():
    """5 x 5, four moves that succeed with probability 0.9; 1 a stage in the last cell."""
    rows, paid = np.zeros((25, 4, 25)), np.zeros((25, 4))
    paid[24] = 1.0
    moves = [(0, -1), (0, 1), (-1, 0), (1, 0)]
    for s in range(25):
        for a in range(4):
            for b, (dx, dy) in enumerate(moves):
                x, y = s % 5 + dx, s // 5 + dy
                inside = 0 <= x < 5 and 0 <= y < 5
                rows[s, a, 5 * y + x if inside else s] += 0.9 if a == b else 0.1 / 3
    return rlt.EpisodicMDP(rows, paid, HORIZON, np.eye(25)[0])


@pytest.fixture(scope="module")
def expert(grid):
    best = rlt.solve(grid).policy
    return 0.9 * np.eye(4)[best] + 0.025


def test_values(grid, expert):
    assert rlt.solve(grid).value[0, 0] == pytest.approx(2.85222, abs=5e-6)
    assert rlt.evaluate(grid, expert)[0, 0] == pytest.approx(2.16294, abs=1e-3)
    uniform = rlt.uniform_policy(grid)
    assert rlt.evaluate(grid, uniform)[0, 0] == pytest.approx(0.01204, abs=5e-6)


@pytest.mark.parametrize(
    ("temperature", "value"), [(0.02, 2.634621), (0.1, 1.912050), (0.5, 0.095276)]
)
def test_regularised_values(grid, temperature, value):
    found = rlt.solve_regularized(grid, temperature, rlt.uniform_policy(grid))
    assert found.lower[0, 0] == pytest.approx(value, abs=5e-7)
    assert found.upper[0, 0] == pytest.approx(value, abs=5e-7)
    # What the soft policy gives up is what its distance costs: demo-kl-chain.
    cost = temperature * rlt.trajectory_kl(grid, found.policy, rlt.uniform_policy(grid))
    own = rlt.evaluate(grid, found.policy)[0, 0]
    assert own - cost == pytest.approx(value, abs=5e-7)


@pytest.mark.parametrize(
    ("n", "gap", "kl"),
    [(8, 2.745, 6.15), (32, 2.353, 3.36), (128, 1.589, 1.41), (512, 1.053, 0.45)],
)
def test_clones(grid, expert, n, gap, kl):
    """Means over a few seeds of the specification's quick implementation."""
    best = rlt.solve(grid).value[0, 0]
    clones = [rlt.behavior_cloning(grid.sample(expert, n, seed=k)) for k in range(8)]
    gaps = [best - rlt.evaluate(grid, clone)[0, 0] for clone in clones]
    assert np.mean(gaps) == pytest.approx(gap, abs=0.15)
    mean = rlt.expected_bc_kl(grid, expert, n)
    assert mean == pytest.approx(kl, rel=0.06)
    found = [rlt.trajectory_kl(grid, expert, clone) for clone in clones]
    assert np.mean(found) == pytest.approx(mean, rel=0.06)
    assert mean <= rlt.bc_kl_bound(n, 25, 4, HORIZON)


def test_how_far_clones_are_in_many_runs():
    """S = A = H = 3, uniform moves and expert, N = 200: quantiles, and the mutants' failures."""
    rows = np.full((3, 3, 3), 1 / 3)
    mdp = rlt.EpisodicMDP(rows, np.zeros((3, 3)), 3, [1.0, 0.0, 0.0])
    uniform = np.full((3, 3), 1 / 3)

    def sample(n, runs):
        data = mdp.sample(uniform, n * runs, seed=5)
        found = []
        for k in range(runs):
            clone = rlt.behavior_cloning(data[k * n : (k + 1) * n])
            found.append(rlt.trajectory_kl(mdp, uniform, clone))
        return np.array(found)

    found = sample(200, 600)
    assert np.quantile(found, [0.5, 0.9, 0.99]) == pytest.approx([0.032, 0.050, 0.069], rel=0.12)
    assert (found > rlt.bc_kl_bound(200, 3, 3, 3, 0.1, "high_probability") / 2000).mean() > 0.5
    assert (found <= rlt.bc_kl_bound(200, 3, 3, 3, 0.1, "markov")).all()
    third = 3 * 3 * 2 / (3.0 * 401)
    assert (sample(400, 400) > third).mean() == pytest.approx(0.60, abs=0.08)
