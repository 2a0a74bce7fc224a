"""Linear programs of planning: exact optima by brute force, both sides, zeros of the start law."""

from fractions import Fraction
from itertools import product

import numpy as np
import pytest

import rltheory as rlt
from rltheory.foundations.rationals import solve_linear
from rltheory.solvers import linear_programs
from rltheory.solvers.flow import Flow, Program

F = Fraction


def exact_rows(mdp: rlt.MDP | rlt.EpisodicMDP) -> list[list[tuple[Fraction, list[Fraction]]]]:
    """For each state its actions: (reward, row over its exact sum); of a model without stages."""
    out = []
    dense = mdp.transitions.toarray()
    for s in range(mdp.n_states):
        own = []
        for row in range(mdp.pair_ptr[s], mdp.pair_ptr[s + 1]):
            p = [F(x) for x in dense[row]]
            total = sum(p) + F(mdp.termination[row])
            own.append((F(mdp.mean_rewards[row]), [x / total for x in p]))
        out.append(own)
    return out


def best_by_brute_force(mdp: rlt.MDP) -> list[Fraction]:
    """max over all deterministic policies of V^pi, state by state."""
    rows, g, n = exact_rows(mdp), F(mdp.discount), mdp.n_states
    best = [None] * n
    for policy in product(*rows):
        matrix = [[int(s == t) - g * policy[s][1][t] for t in range(n)] for s in range(n)]
        value = solve_linear(matrix, [r for r, _ in policy])
        best = [v if b is None else max(b, v) for b, v in zip(best, value, strict=True)]
    return best


def backward(mdp: rlt.EpisodicMDP) -> list[list[Fraction]]:
    rows = exact_rows(mdp)
    values = [[F(0)] * mdp.n_states]
    for _ in range(mdp.horizon):
        ahead = values[0]
        values.insert(
            0,
            [
                max(r + sum(a * b for a, b in zip(p, ahead, strict=True)) for r, p in own)
                for own in rows
            ],
        )
    return values


@pytest.mark.parametrize("side", ["primal", "dual"])
@pytest.mark.parametrize("seed", range(40))
def test_it_contains_the_best_of_all_deterministic_policies(seed: int, side: str) -> None:
    mdp = rlt.awkward(seed, states=1 + seed % 3, actions=2 + seed % 2)
    found = rlt.solve_lp(mdp, side)
    best = best_by_brute_force(mdp)
    assert all(F(a) <= v <= F(b) for a, v, b in zip(found.lower, best, found.upper, strict=True))
    assert found.gap <= found.tol and found.certificate.check(mdp)
    assert found.side == side and found.method == "linear-program"
    # The objective is not certified: it is as precise as the program was solved.
    optimum = sum(F(p) * v for p, v in zip(mdp.initial, best, strict=True))
    size = np.abs(mdp.mean_rewards).max() / (1 - mdp.discount)
    assert abs(found.objective - float(optimum)) <= 1e-8 * size


@pytest.mark.parametrize("side", ["primal", "dual"])
@pytest.mark.parametrize("seed", range(25))
def test_with_a_horizon(seed: int, side: str) -> None:
    mdp = rlt.awkward(seed).episodic(1 + seed % 4)
    found = rlt.solve_lp(mdp, side)
    best = backward(mdp)
    for lower, values, upper in zip(found.lower, best, found.upper, strict=True):
        assert all(F(a) <= v <= F(b) for a, v, b in zip(lower, values, upper, strict=True))
    assert found.gap <= found.tol and found.certificate.check(mdp)
    optimum = sum(F(p) * v for p, v in zip(mdp.initial, best[0], strict=True))
    size = np.abs(mdp.mean_rewards).max() * mdp.horizon
    assert abs(found.objective - float(optimum)) <= 1e-8 * size


def test_both_sides_hold_the_same_pair() -> None:
    mdp = rlt.garnet(30, 3, 4, seed=1)
    rho = np.random.default_rng(0).dirichlet(np.ones(30)) + 1e-3
    rho /= rho.sum()
    mdp = rlt.MDP(mdp.transitions, mdp.rewards, 0.9, rho)
    primal, dual = rlt.solve_lp(mdp, "primal"), rlt.solve_lp(mdp, "dual")
    assert np.array_equal(primal.weights, rho) and np.array_equal(dual.weights, rho)
    # Multipliers of one side are the unknowns of the other.
    assert np.abs(primal.dual_values - dual.occupancy).max() <= 1e-9
    assert np.abs(dual.dual_values - primal.value).max() <= 1e-7
    for solution in (primal, dual):
        d = solution.occupancy
        assert abs(d.sum() - 1) <= 1e-12
        assert ((d > 0).sum(axis=1) == 1).all()  # a vertex: one action a state
        assert abs((d * mdp.rewards).sum() / 0.1 - solution.objective) <= 1e-9
        # Complementary slackness.
        assert ((d > 0) <= (solution.q >= solution.value[:, None] - 1e-9)).all()
    with pytest.raises(ValueError, match="read-only"):
        primal.occupancy[0, 0] = 1


def test_states_that_are_never_met_are_solved_all_the_same() -> None:
    """State 1 is not reached from state 0; its value and action are still optimal."""
    mdp = rlt.MDP.deterministic([[0, 0], [1, 0]], [[1, 0], [0, 2]], 0.5, initial=[1, 0])
    for side in ("primal", "dual"):
        found = rlt.solve_lp(mdp, side)
        assert found.value == pytest.approx([2, 3])
        assert found.policy.tolist() == [0, 1]
        assert found.weights.tolist() == [0.75, 0.25]
        assert found.occupancy.tolist() == [[1, 0], [0, 0]]
        assert found.objective == pytest.approx(2, abs=1e-9)


def test_rows_mean_themselves_over_their_exact_sums() -> None:
    """A row off by 1e-10 at discount 1 - 1e-6: as it stands, it would move the value by 1e-4."""
    g = 1 - 1e-6
    mdp = rlt.MDP([[[1 + 1e-10]]], [[1.0]], g, [1.0])
    found = rlt.solve_lp(mdp, "primal")
    assert found.objective == pytest.approx(1 / (1 - g), rel=1e-9)


def test_exact_models() -> None:
    half = F(1, 2)
    mdp = rlt.MDP([[[half, half]], [[0, 1]]], [[1], [0]], F(2, 3), [1, 0], exact=True)
    found = rlt.solve_lp(mdp)
    assert found.certificate.check(mdp)
    assert abs(found.value[0] - 1.5) <= found.gap + 1e-15


def test_ragged_models() -> None:
    mdp = rlt.MDP.from_pairs(
        [0, 0, 1], [0, 1, 0], [[0.5, 0.5], [0, 1.0], [0, 1.0]], [5.0, 10.0, -1.0], 0.95, [0.5, 0.5]
    )
    found = rlt.solve_lp(mdp, "dual")  # Puterman 1994, section 3.1: V*(1) = -20
    assert found.value == pytest.approx([(5 - 9.5) / 0.525, -20], abs=1e-8)
    assert found.occupancy.shape == (3,)
    staged = rlt.solve_lp(mdp.episodic(2), "primal")
    assert staged.occupancy.shape == staged.dual_values.shape == (2, 3)


@pytest.mark.parametrize("horizon", [None, 4])
def test_the_program_is_not_trusted(monkeypatch: pytest.MonkeyPatch, horizon: int | None) -> None:
    """A wrong value and a wrong policy are improved until they are certified."""
    mdp = rlt.riverswim(discount=0.9)
    model = mdp.episodic(horizon) if horizon else mdp

    def wrong(flow: Flow, *_: object) -> object:
        columns, rows = flow.matrix.shape[1], flow.matrix.shape[0]
        d = np.tile([1.0, 0.0], rows // 2)
        return np.full(columns, 7.0), d, Program(d, d, 0.0, 1, "optimal")

    monkeypatch.setattr(linear_programs, "_solved", wrong)
    found, right = rlt.solve_lp(model), rlt.solve(model)
    assert found.gap <= found.tol and found.certificate.check(model)
    assert (found.lower <= right.upper).all() and (right.lower <= found.upper).all()


@pytest.mark.slow
def test_ten_thousand_states() -> None:
    mdp = rlt.gridworld(100, 100, slip=0.1, discount=0.9)
    found = rlt.solve_lp(mdp, "dual", initial=np.full(10_000, 1e-4))
    assert found.gap <= found.tol


def test_what_is_refused() -> None:
    mdp = rlt.riverswim(discount=0.9)
    with pytest.raises(rlt.ModelError, match="side 'both' is unknown; it is 'primal' or 'dual'"):
        rlt.solve_lp(mdp, "both")
    with pytest.raises(rlt.ModelError, match="needs a start law"):
        rlt.solve_lp(rlt.MDP([[[1.0]]], [[1.0]], 0.5))
    with pytest.raises(rlt.ModelError, match="no discount"):
        rlt.solve_lp(rlt.MDP([[[1.0]]], [[1.0]], initial=[1.0]))
    with pytest.raises(rlt.ModelError, match="not list"):
        rlt.solve_lp([])
    with pytest.raises(rlt.ModelError, match="rtol is -1"):
        rlt.solve_lp(mdp, rtol=-1)
    with pytest.raises(rlt.ModelError, match="initial has shape"):
        rlt.solve_lp(mdp, initial=[1.0])
