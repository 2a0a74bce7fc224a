"""Occupancies: mass, flow, values from them, and plain twins."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from plain_policy import chain, policy_occupancy, stage_occupancies
from plain_rows import Vector, random_actions, random_policy, rows_of

import rltheory as rlt
from rltheory.foundations.rationals import solve_linear
from rltheory.solvers.policy_equations import PolicyEquations
from rltheory.solvers.policy_returns import PolicyReturns

seeds = st.integers(0, 2**32 - 1)
# A smaller seed is no simpler model: nothing is gained by shrinking.
often = settings(max_examples=150, derandomize=True, phases=[Phase.generate])


def flat(mdp: rlt.MDP, occupancy: Vector) -> Vector:
    """One number a row, from the shape of q."""
    return occupancy.reshape(-1) if mdp.is_full else occupancy


def policy_of(mdp: rlt.MDP, seed: int) -> Vector:
    return random_policy(mdp, seed) if seed % 3 else random_actions(mdp, seed)


def weight_of(mdp: rlt.MDP, policy: Vector) -> Vector:
    rows = rows_of(mdp)
    if policy.ndim == 1:
        return (policy[rows.state] == rows.action).astype(float)
    return policy[rows.state, rows.action]


@often
@given(seeds)
def test_it_is_its_plain_twin(seed: int) -> None:
    mdp = rlt.awkward(seed)
    policy, discount = policy_of(mdp, seed), float(mdp.discount or 0.0)
    d = rlt.occupancy(mdp, policy)
    assert d.shape == ((mdp.n_states, mdp.n_actions) if mdp.is_full else (mdp.n_pairs,))
    twin = policy_occupancy(rows_of(mdp), weight_of(mdp, policy), discount, mdp.initial)
    assert (d >= 0.0).all()
    assert np.abs(flat(mdp, d) - twin).max() <= 1e-15 * mdp.n_states / (1.0 - discount)


@often
@given(seeds)
def test_flow_and_mass(seed: int) -> None:
    mdp = rlt.awkward(seed)
    policy, discount = policy_of(mdp, seed), float(mdp.discount or 0.0)
    rows, weight = rows_of(mdp), weight_of(mdp, policy_of(mdp, seed))
    d = flat(mdp, rlt.occupancy(mdp, policy))
    sigma = rows.prob.sum(axis=1) + rows.exit
    here = np.bincount(rows.state, d)
    arriving = (1.0 - discount) * mdp.initial + discount * (d / sigma) @ rows.prob
    assert np.abs(here - arriving).max() <= 1e-13
    assert np.abs(d - here[rows.state] * weight).max() <= 1e-15
    # What has left is missing, no more and no less: each exit loses all that would follow.
    lost = discount / (1.0 - discount) * (d / sigma * rows.exit).sum()
    assert abs(d.sum() + lost - 1.0) <= 1e-13 / (1.0 - discount)
    if not rows.exit.any():
        assert abs(d.sum() - 1.0) <= 1e-13 / (1.0 - discount)


@often
@given(seeds)
def test_its_product_with_rewards_is_the_value(seed: int) -> None:
    mdp = rlt.awkward(seed)
    policy, discount = policy_of(mdp, seed), float(mdp.discount or 0.0)
    d = rlt.occupancy(mdp, policy)
    value = float(mdp.initial @ rlt.evaluate(mdp, policy))
    # Each number is as good as its own largest part: d to 1e-13/(1 - discount), V to rounding.
    size = np.abs(mdp.mean_rewards).max() / (1.0 - discount)
    error = abs(float((d * mdp.rewards).sum()) / (1.0 - discount) - value)
    assert error <= 1e-13 * max(1.0, 1e-2 / (1.0 - discount)) * size


def test_without_normalisation_the_factor_is_left_out() -> None:
    for seed in range(60):
        mdp = rlt.awkward(seed)
        policy, discount = policy_of(mdp, seed), float(mdp.discount or 0.0)
        d, sums = (rlt.occupancy(mdp, policy, normalized=n) for n in (True, False))
        assert np.abs((1.0 - discount) * sums - d).max() <= 1e-15
    loop = rlt.MDP([[[1.0]]], [[1.0]], 0.75, initial=[1.0])
    assert rlt.occupancy(loop, [0], normalized=False).tolist() == [[4.0]]
    assert rlt.occupancy(loop, [0]).tolist() == [[1.0]]


def test_exits_lose_mass() -> None:
    mdp = rlt.MDP([[[0.5]]], [[1.0]], 0.5, initial=[1.0], termination=[[0.5]])
    assert rlt.occupancy(mdp, [0]).tolist() == [[0.5 / (1 - 0.25)]]
    assert rlt.occupancy(mdp.episodic(3), [0]).ravel().tolist() == [1.0, 0.5, 0.25]


def test_occupancy_is_linear_in_the_start_law() -> None:
    mdp = rlt.gridworld(5, 6, slip=0.2, walls=0.2, seed=1, discount=0.97)
    policy = random_policy(mdp, 3)
    corners = np.eye(mdp.n_states)
    each = np.array([rlt.occupancy(mdp, policy, initial=e) for e in corners])
    law = np.random.default_rng(1).dirichlet(np.ones(mdp.n_states))
    mixed = rlt.occupancy(mdp, policy, initial=law)
    assert np.abs(np.tensordot(law, each, 1) - mixed).max() <= 1e-14
    assert np.abs(each[0] - rlt.occupancy(mdp, policy)).max() <= 1e-14  # it starts in state 0


@pytest.mark.parametrize("discount", [0.5, 0.99, 0.9999])
def test_large_models(discount: float) -> None:
    law = np.full(400, 1 / 400)
    for mdp in (rlt.garnet(400, 3, 4, seed=1), rlt.garnet(400, 2, 150, seed=2)):
        mdp = rlt.MDP(mdp.transitions, mdp.rewards, discount, law)
        policy = random_policy(mdp, 5)
        twin = policy_occupancy(rows_of(mdp), weight_of(mdp, policy), discount, law)
        d = rlt.occupancy(mdp, policy).ravel()
        assert np.abs(d - twin).max() <= 1e-14 / (1.0 - discount)
        assert abs(d.sum() - 1.0) <= 1e-13 / (1.0 - discount)


@often
@given(seeds, st.integers(1, 6))
def test_with_a_horizon(seed: int, horizon: int) -> None:
    mdp = rlt.awkward(seed, horizon=horizon)
    stages = [rows_of(mdp, h) for h in range(horizon)]
    policy = np.broadcast_to(rlt.uniform_policy(mdp), (horizon, mdp.n_states, mdp.n_actions))
    policy = policy * np.random.default_rng(seed).random(policy.shape)
    policy = policy / policy.sum(axis=2, keepdims=True)
    weights = [p[rows.state, rows.action] for p, rows in zip(policy, stages, strict=True)]
    d = rlt.occupancy(mdp, policy)
    twin = stage_occupancies(stages, weights, mdp.initial)
    left, total = np.ones(horizon), 0.0
    for h, rows in enumerate(stages):
        assert np.abs(d[h].ravel() - twin[h]).max() <= 1e-13
        left[h] = d[h].sum()
        total += float(twin[h] @ rows.reward)
    assert abs(left[0] - 1.0) <= 1e-15 * mdp.n_states
    assert (np.diff(left) <= 1e-14).all()
    if not any(rows.exit.any() for rows in stages):
        assert np.abs(left - 1.0).max() <= 1e-13
    size = horizon * max(float(np.abs(rows.reward).max()) for rows in stages)
    value = float(mdp.initial @ rlt.evaluate(mdp, policy)[0])
    assert abs(value - total) <= 1e-13 * horizon * size
    assert np.array_equal(rlt.occupancy(mdp, policy, normalized=False), d)


def test_shapes_with_a_horizon() -> None:
    full = rlt.random_episodic(4, 3, 5, seed=1)
    assert rlt.occupancy(full, [0, 1, 2, 0]).shape == (5, 4, 3)
    pairs = rlt.MDP.from_pairs(
        [0, 1, 1],
        [0, 0, 1],
        [[0.0, 1.0], [1.0, 0.0], [0.0, 1.0]],
        [1.0, 0.0, 0.0],
        initial=[1.0, 0.0],
    )
    d = rlt.occupancy(pairs.episodic(2), [0, 1])
    assert d.tolist() == [[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]
    assert rlt.occupancy(pairs.with_discount(0.5), [0, 1]).tolist() == [0.5, 0.0, 0.5]


def test_a_start_law_is_needed() -> None:
    for mdp in (rlt.garnet(3, 2, 2, discount=0.9), rlt.garnet(3, 2, 2).episodic(2)):
        with pytest.raises(rlt.ModelError, match="occupancy needs a start law"):
            rlt.occupancy(mdp, [0, 0, 0])
        assert rlt.occupancy(mdp, [0, 0, 0], initial=[0.0, 1.0, 0.0]).sum() > 0.9


@pytest.mark.parametrize(
    ("law", "words"),
    [
        ([0.5, 0.5], "initial has shape (2,); it must be (3,), one a state"),
        ([[1.0, 0.0, 0.0]], "initial has shape (1, 3)"),
        ([0.5, 0.5, 0.5], "initial sums to 1.5; a law must sum to 1 within 1e-9"),
        ([1.5, -0.5, 0.0], "initial[1] is -0.5; a probability must be at least 0"),
        ([np.nan, 0.5, 0.5], "initial[0] is nan"),
        ([np.inf, 0.0, 0.0], "initial sums to inf"),
        ([True, False, False], "initial has dtype bool"),
        ([[1.0], [0.0, 0.0]], "initial is a ragged list"),
    ],
)
def test_start_laws_that_are_none(law: object, words: str) -> None:
    mdp = rlt.garnet(3, 2, 2, discount=0.9)
    for build in (
        lambda: rlt.occupancy(mdp, [0, 0, 0], initial=law),
        lambda: rlt.MDP(mdp.transitions, mdp.rewards, 0.9, law),
        lambda: rlt.EpisodicMDP(mdp.transitions, mdp.rewards, 2, law),
    ):
        with pytest.raises(rlt.ModelError) as caught:
            build()
        assert words in str(caught.value)


@pytest.mark.parametrize("off", [1.3e-14, -1.3e-14])
def test_mass_is_one_where_rows_are_off_by_less_than_is_corrected(off: float) -> None:
    row = [0.5, 0.5 + off]
    mdp = rlt.MDP([[row], [row[::-1]]], [[1.0], [2.0]], 1.0 - 2.0**-20, initial=[1.0, 0.0])
    assert abs(rlt.occupancy(mdp, [0, 0]).sum() - 1.0) <= 1e-9


def test_the_chain_of_states_has_the_same_flow() -> None:
    mdp = rlt.awkward(11, states=5, actions=3, discount=0.9)
    policy = random_policy(mdp, 4)
    prob, _, _ = chain(rows_of(mdp), weight_of(mdp, policy))
    d = np.bincount(mdp.states, flat(mdp, rlt.occupancy(mdp, policy)))
    here, total = mdp.initial, np.zeros(5)
    for t in range(400):
        total += 0.1 * 0.9**t * here
        here = here @ prob
    assert np.abs(d - total).max() <= 1e-14


def test_rounding_leaves_no_negative_mass(monkeypatch: pytest.MonkeyPatch) -> None:
    solve = PolicyEquations.solve
    monkeypatch.setattr(PolicyEquations, "solve", lambda *a, **k: solve(*a, **k) - 1e-18)
    mdp = rlt.MDP.deterministic([[1], [1], [0]], np.zeros((3, 1)), 0.5, [1.0, 0.0, 0.0])
    assert rlt.occupancy(mdp, [0, 0, 0]).ravel().tolist() == [0.5, 0.5, 0.0]


def test_flows_that_are_not_solved_are_not_returned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PolicyEquations, "solve", lambda *_, **__: np.zeros(6))
    with pytest.raises(rlt.ConvergenceError, match="flow equations"):
        rlt.occupancy(rlt.riverswim(discount=0.9), [1] * 6)


@pytest.mark.parametrize("short", [1e-9, 1e-12, 1e-15])
def test_close_to_discount_one_it_is_refined(short: float) -> None:
    """Two states that swap with small chances: the mass is 1, and the exact shares are known."""
    up, down = 0.125, 2.0**-20
    g = 1.0 - short
    mdp = rlt.MDP([[[1 - up, up]], [[down, 1 - down]]], [[1.0], [2.0]], g, initial=[1.0, 0.0])
    d = rlt.occupancy(mdp, [0, 0]).ravel()
    G, a, b = Fraction(g), Fraction(up), Fraction(down)
    other = G * a / (1 - G + G * (a + b))  # d_1 = g (a d_0 + (1 - b) d_1), d_0 = 1 - d_1
    assert abs(Fraction(d[1]) - other) <= Fraction(2) ** -50
    assert abs(Fraction(d[0]) - (1 - other)) <= Fraction(2) ** -50


@pytest.mark.parametrize("seed", range(25))
def test_refined_occupancies_against_gaussian_elimination(seed: int) -> None:
    """Any policy and exits, at discounts that doubles cannot resolve."""
    base = rlt.awkward(seed, states=1 + seed % 4)
    mdp = base.with_discount(1.0 - [1e-10, 1e-12, 1e-14][seed % 3])
    policy = random_policy(mdp, seed)
    x, error = PolicyReturns(mdp, policy, mdp.initial).visits()
    rows, n, g = rows_of(mdp), mdp.n_states, Fraction(mdp.discount)
    moves = [[Fraction(0)] * n for _ in range(n)]
    for i in range(mdp.n_pairs):
        s = int(rows.state[i])
        own = [Fraction(w) for w in policy[s]]
        p = [Fraction(y) for y in rows.prob[i]]
        total = sum(p) + Fraction(rows.exit[i])
        share = own[rows.action[i]] / sum(own)
        moves[s] = [m + share * y / total for m, y in zip(moves[s], p, strict=True)]
    matrix = [[int(s == t) - g * moves[t][s] for t in range(n)] for s in range(n)]
    exact = solve_linear(matrix, [Fraction(p) for p in mdp.initial])
    off = sum(abs(Fraction(a) - b) for a, b in zip(x.tolist(), exact, strict=True))
    rounding = Fraction(2) ** -52 * sum(exact)
    assert off <= Fraction(error) + rounding and error <= 1e-20 * float(sum(exact))
    d = rlt.occupancy(mdp, policy, normalized=False)
    assert np.abs(flat(mdp, d).sum() - float(sum(exact))) <= 1e-7 * float(sum(exact))
