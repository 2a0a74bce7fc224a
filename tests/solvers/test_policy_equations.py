"""The equations of one policy: dense factors, BiCGSTAB, sparse LU, and all of them transposed."""

from typing import Any

import numpy as np
import pytest
from plain_policy import chain
from plain_rows import Vector, random_actions, random_policy, rows_of
from scipy import sparse

import rltheory as rlt
from rltheory import _core
from rltheory.solvers import policy_equations
from rltheory.solvers.policy_equations import PolicyEquations

LARGEST_DENSE = 160


def cycle(n: int) -> rlt.MDP:
    """A ring with a rare exit: no ordering of its states makes it triangular."""
    following = np.roll(np.arange(n), -1)[:, None]
    mdp = rlt.MDP.deterministic(following, np.linspace(-1.0, 1.0, n)[:, None])
    part = mdp.transitions.toarray() * 0.999
    return rlt.MDP(part[:, None, :], mdp.rewards, termination=np.full((n, 1), 0.001))


def ring(n: int) -> rlt.MDP:
    """The same with two successors."""
    one = cycle(n).transitions.toarray() / 0.999
    two = 0.9 * one + 0.099 * np.roll(one, 1, axis=1)
    return rlt.MDP(
        two[:, None, :], np.linspace(-1.0, 1.0, n)[:, None], termination=np.full((n, 1), 0.001)
    )


MODELS = [
    *(rlt.awkward(seed) for seed in range(120)),
    rlt.garnet(LARGEST_DENSE, 2, 5, seed=1),
    rlt.garnet(LARGEST_DENSE + 1, 2, 5, seed=1),
    rlt.garnet(400, 2, 3, seed=2),
    rlt.garnet(300, 2, 200, seed=3),  # rows too wide for an incomplete factorisation
    rlt.gridworld(20, 20, slip=0.2, walls=0.1, seed=1),
    cycle(500),
    ring(500),
]


def equations_of(mdp: rlt.MDP, discount: float, seed: int = 0) -> tuple[PolicyEquations, Vector]:
    """The equations of some policy, and their matrix I - discount P made apart from them."""
    rows = rows_of(mdp)
    actions = random_actions(mdp, seed)
    chosen = np.flatnonzero(actions[rows.state] == rows.action)
    prob, _, _ = chain(rows, (actions[rows.state] == rows.action).astype(float))
    return PolicyEquations(mdp.core, discount, chosen), np.eye(mdp.n_states) - discount * prob


@pytest.mark.parametrize("discount", [0.0, 0.5, 0.99, 1 - 2.0**-20])
def test_matrix_and_both_solutions(discount: float) -> None:
    sizes = set()
    for seed, mdp in enumerate(MODELS):
        equations, matrix = equations_of(mdp, discount, seed)
        row_ptr, col, values = equations._chain.matrix()
        made = np.zeros_like(matrix)
        made[np.repeat(np.arange(len(matrix)), np.diff(row_ptr)), col] = values
        assert np.abs(made - matrix).max() <= 4e-16
        b = np.random.default_rng(seed).normal(size=mdp.n_states)
        for transposed in (False, True):
            a = matrix.T if transposed else matrix
            x = equations.solve(b, transposed=transposed)
            exact = np.linalg.solve(a, b)
            if discount > 0.0 or len(b) <= LARGEST_DENSE:
                # Where the core fails, sparse factors would hide it.
                _, left, _ = equations._chain.solve(b, 0.0 * b, 1e-12, 2000, transposed)
                assert left <= 1e-14 / (1.0 - discount) + 1e-12
            # A backward stable solution, to the condition number 2/(1 - discount) of A.
            assert np.abs(a @ x - b).max() <= 1e-13 * max(np.abs(b).max(), np.abs(x).max())
            sharp = 2e-13 * len(b) / (1.0 - discount) * np.abs(exact).max()
            assert np.abs(x - exact).max() <= sharp
        sizes.add(len(b) <= LARGEST_DENSE)
    assert sizes == {True, False}


def test_the_identity_is_solved_in_one_iteration() -> None:
    equations, matrix = equations_of(MODELS[-1], 0.0)
    b = np.random.default_rng(1).normal(size=len(matrix))
    x, left, iterations = equations._chain.solve(b, 0.0 * b, 1e-12, 2000, False)
    assert np.array_equal(x, b) and left == 0.0 and iterations == 1


def test_what_is_wanted_is_reached_and_no_more_work_is_done() -> None:
    equations, matrix = equations_of(MODELS[-1], 0.99)
    b = np.random.default_rng(5).normal(size=len(matrix))
    zero = np.zeros_like(b)
    worked = []
    for wanted in (1e-2, 1e-6, 1e-11):
        x, residual, iterations = equations._chain.solve(b, zero, wanted, 2000, False)
        true = np.abs(b - matrix @ x).max() / np.abs(b).max()
        assert residual <= wanted and abs(true - residual) <= 1e-13
        worked.append(iterations)
    assert worked == sorted(worked) and worked[0] >= 1
    x, residual, iterations = equations._chain.solve(b, x, 1e-11, 2000, False)
    assert iterations == 0 and residual <= 1e-11


def test_iterations_are_not_exceeded_and_what_was_reached_is_said() -> None:
    equations, matrix = equations_of(rlt.gridworld(30, 30, slip=0.3, seed=2), 0.9999)
    b = np.random.default_rng(5).normal(size=len(matrix))
    x, residual, iterations = equations._chain.solve(b, np.zeros_like(b), 1e-12, 2, False)
    true = np.abs(b - matrix @ x).max() / np.abs(b).max()
    assert iterations <= 2 and residual > 1e-12 and abs(true - residual) <= 1e-12


def test_a_zero_right_side_has_the_zero_solution() -> None:
    for mdp in (MODELS[0], MODELS[-1]):
        equations, matrix = equations_of(mdp, 0.9)
        start = np.ones(len(matrix))
        assert not equations.solve(np.zeros(len(matrix)), start).any()
        assert start.all()


def one_successor(seed: int) -> rlt.MDP:
    """Every state leads to one other, or stays, or may end; paths run into circles or ends."""
    rng = np.random.default_rng(seed)
    n = int(rng.choice([1, 2, 5, LARGEST_DENSE + 1, 400]))
    to = rng.integers(n, size=n)
    if seed % 3 == 0:  # long circles
        to = np.roll(rng.permutation(n), 1)[np.argsort(rng.permutation(n))]
    stay, end = rng.choice([0.0, 0.3], size=(2, n))
    table = np.zeros((n, 1, n))
    np.add.at(table, (np.arange(n), 0, to), 1.0 - stay - end)
    np.add.at(table, (np.arange(n), 0, np.arange(n)), stay)
    return rlt.MDP(table, np.zeros((n, 1)), termination=end[:, None])


@pytest.mark.parametrize("discount", [0.0, 0.9, 0.9999])
def test_paths_and_circles_are_solved_at_once(discount: float) -> None:
    for seed in range(60):
        equations, matrix = equations_of(one_successor(seed), discount, seed)
        b = np.random.default_rng(seed).normal(size=len(matrix))
        exact = np.linalg.solve(matrix, b)
        x, residual, iterations = equations._chain.solve(b, 0.0 * b, 1e-12, 2000, False)
        size = max(np.abs(x).max(), np.abs(b).max())
        assert iterations == 1 and np.abs(matrix @ x - b).max() <= 4e-15 * size + 1e-15
        assert residual * np.abs(b).max() <= 4e-15 * size + 1e-15
        assert np.abs(x - exact).max() <= 2e-13 * len(b) / (1.0 - discount) * np.abs(exact).max()
        y = equations.solve(b, transposed=True)
        wanted = 4.0 * equations.reachable
        assert np.abs(matrix.T @ y - b).max() <= wanted * max(np.abs(y).max(), np.abs(b).max())


def test_a_circle_that_never_ends_has_no_total() -> None:
    n = 300
    circle = rlt.MDP.deterministic(np.roll(np.arange(n), 1)[:, None], np.zeros((n, 1)))
    chain = _core.solvers.PolicyChain(circle.core, 1.0, np.arange(n))
    x, residual, _ = chain.solve(np.ones(n), np.zeros(n), 1e-12, 2000, False)
    assert not np.isfinite(x).all() or not residual <= 0.1


class Stalled:
    """A chain whose iteration never gets anywhere."""

    def __init__(self, chain: Any) -> None:
        self.matrix = chain.matrix
        self.tried = 0

    def solve(self, b: Vector, start: Vector, *_: Any) -> tuple[Vector, float, int]:
        self.tried += 1
        return start, 1.0, 2000


def test_sparse_factors_take_over_where_the_iteration_stalls(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    factored = []
    splu = policy_equations.splu
    monkeypatch.setattr(policy_equations, "splu", lambda a: factored.append(a) or splu(a))
    for seed, mdp in enumerate([*MODELS[:20], *MODELS[-5:]]):
        equations, matrix = equations_of(mdp, 0.999, seed)
        stalled = Stalled(equations._chain)
        monkeypatch.setattr(equations, "_chain", stalled)
        b = np.random.default_rng(seed).normal(size=mdp.n_states)
        for _ in range(2):
            for transposed in (False, True):
                a = matrix.T if transposed else matrix
                x = equations.solve(b, transposed=transposed)
                assert np.abs(a @ x - b).max() <= 1e-12 * np.abs(x).max()
        # Once factored, the iteration is not tried again and the factors are kept.
        assert stalled.tried == 1 and len(factored) == seed + 1


def test_singular_factors_give_what_is_not_finite(monkeypatch: pytest.MonkeyPatch) -> None:
    def singular(_: Any) -> None:
        raise RuntimeError("Factor is exactly singular")

    monkeypatch.setattr(policy_equations, "splu", singular)
    equations, matrix = equations_of(MODELS[0], 0.9)
    monkeypatch.setattr(equations, "_chain", Stalled(equations._chain))
    assert np.isnan(equations.solve(np.ones(len(matrix)))).all()


@pytest.mark.parametrize("n", [3, LARGEST_DENSE + 40])
@pytest.mark.parametrize(
    ("entry", "others"),
    [
        (np.inf, 0.0),
        (np.inf, 1.0),
        (np.nan, 1.0),
        (np.nan, 0.0),
    ],
)
def test_a_right_side_that_is_not_finite_has_no_finite_solution(
    n: int, entry: float, others: float
) -> None:
    mdp = rlt.garnet(n, 1, 2, seed=1)
    b = np.full(n, others)
    b[0] = entry
    x = PolicyEquations(mdp.core, 0.9, np.arange(n)).solve(b)
    assert not np.isfinite(x).all()


def test_the_chain_of_a_policy_of_probabilities() -> None:
    for seed, mdp in enumerate(MODELS[:120]):
        rows, weight = rows_of(mdp), random_policy(mdp, seed)[mdp.states, mdp.actions]
        prob, exit_, reward = chain(rows, weight)
        scale = 1.0 + np.random.default_rng(seed).random(mdp.n_states)[rows.state]
        made = _core.model.induced_chain(mdp.core, weight * scale)  # divided by their sums
        row_ptr, col, values = _core.model.as_csr(made)
        dense = np.zeros_like(prob)
        dense[np.repeat(np.arange(mdp.n_states), np.diff(row_ptr)), col] = values
        assert (made.n_states, made.n_rows, made.n_actions) == (mdp.n_states, mdp.n_states, 1)
        # Rows that sum to 1 within 2^-46 are not corrected for it.
        assert np.abs(dense - prob).max() <= 3e-14
        assert np.abs(dense.sum(axis=1) + exit_ - 1.0).max() <= 3e-14
        size = np.abs(rows.reward).max()
        assert np.abs(made.reward - reward).max() <= 1e-15 * size
    with pytest.raises(ValueError, match="weight has 3 entries"):
        _core.model.induced_chain(rlt.riverswim().core, np.ones(3))
    with pytest.raises(ValueError, match="stationary"):
        _core.model.induced_chain(rlt.random_episodic(2, 1, 2).core, np.ones(4))


def test_rows_of_another_state_are_refused() -> None:
    core = rlt.riverswim().core
    for rows in ([0, 2, 4, 6, 8, 12], [2, 2, 4, 6, 8, 10], [-1, 2, 4, 6, 8, 10]):
        with pytest.raises(ValueError, match="does not belong to state"):
            PolicyEquations(core, 0.9, np.array(rows))
    with pytest.raises(ValueError, match="discount"):
        PolicyEquations(core, 1.0 + 2.0**-52, np.arange(0, 12, 2))
    with pytest.raises(ValueError, match="targets has 1 entries"):
        PolicyEquations(core, 1.0, np.arange(0, 12, 2), np.array([True]))


@pytest.mark.parametrize("n", [3, 160, 161, 3000])
def test_without_a_discount(n: int) -> None:
    """A walk that moves on, or stays, with equal chances, to an ending or to a held state."""
    for ends in (True, False):
        table = sparse.diags_array([0.5, 0.5], offsets=[0, -1], shape=(n, n)).tolil()
        exits = np.zeros(n)
        exits[0] = 0.5 if ends else 0.0
        table[0, 0] = 0.5 if ends else 1.0
        core = rlt.MDP(table.tocsr(), np.ones((n, 1)), termination=exits[:, None]).core
        rows = np.arange(n)
        held = np.zeros(n, dtype=bool)
        wanted = 2.0 * np.arange(1, n + 1)
        b = np.ones(n)
        if not ends:
            # Singular: whatever comes out, it is no solution, and no crash.
            x = PolicyEquations(core, 1.0, rows).solve(b)
            assert not np.isfinite(x).all() or np.abs(x - table.tocsr() @ x - b).max() > 0.5
            held[0], b[0], wanted = True, 0.0, wanted - 2.0
        x = PolicyEquations(core, 1.0, rows, held).solve(b)
        assert np.abs(x - wanted).max() <= 1e-9 * n
