"""The most that any policy visits a pair: brute force in fractions, twins, kernels, refusals."""

from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from plain_reach import largest_state_occupancy
from plain_rows import rows_of

import rltheory as rlt
from rltheory import _core
from rltheory.foundations.rationals import solve_linear

seeds = st.integers(0, 2**32 - 1)
# A smaller seed is no simpler model: nothing is gained by shrinking.
often = settings(max_examples=60, derandomize=True, phases=[Phase.generate])
seldom = settings(max_examples=25, derandomize=True, phases=[Phase.generate])


def episodic(seed: int, largest: int = 12, stages: int = 5) -> rlt.EpisodicMDP:
    """A random model with exits, of equal or of different stages."""
    random = np.random.default_rng(seed)
    S, A, H = random.integers(1, largest), random.integers(1, 4), random.integers(1, stages)
    shape = (H, S, A) if seed % 2 else (S, A)
    weights = random.exponential(size=(*shape, S + 1)) * (random.random((*shape, S + 1)) < 0.4)
    weights[..., S] *= seed % 3 == 0
    weights[..., 0] += weights.sum(axis=-1) == 0.0
    law = weights / weights.sum(axis=-1, keepdims=True)
    start = random.dirichlet(np.ones(S))
    return rlt.EpisodicMDP(law[..., :S], np.zeros(shape), int(H), start, termination=law[..., S])


# --- by hand ------------------------------------------------------------------------------


def stay_or_leave(discount: Fraction) -> rlt.MDP:
    return rlt.MDP([[[1, 0], [0, 1]], [[0, 1], [0, 1]]], [[0, 0]] * 2, discount, [1, 0], exact=True)


def test_leaving_for_ever_happens_once() -> None:
    mdp = stay_or_leave(Fraction(9, 10))
    # max d(0, leave) = 1 - discount, not max d(0) = 1: in state 1 from the second step on.
    assert rlt.max_occupancy_exact(mdp).tolist() == [
        [1, Fraction(1, 10)],
        [Fraction(9, 10), Fraction(9, 10)],
    ]
    assert np.abs(rlt.max_occupancy(mdp) - [[1.0, 0.1], [0.9, 0.9]]).max() < 1e-15


def test_a_swim_against_the_current() -> None:
    # The state six steps up the river, by its only way: swim each time.
    mdp = rlt.riverswim(7).episodic(7)
    swims = rlt.occupancy(mdp, np.ones((7, 7), dtype=int))
    most = rlt.max_occupancy(mdp)
    assert most[6, 6] == pytest.approx(swims[6, 6, 1], rel=1e-14)


def test_absent_actions_are_not_visited() -> None:
    mdp = rlt.MDP.from_pairs(
        [0, 0, 1], [0, 2, 1], [[0.5, 0.5], [0, 1.0], [0, 1.0]], [0, 0, 0], 0.5, initial=[1, 0]
    )
    assert (rlt.max_occupancy(mdp) > 0).tolist() == [[True, False, True], [False, True, False]]
    assert (rlt.max_occupancy(mdp.episodic(2))[0] > 0).tolist() == [
        [True, False, True],
        [False, False, False],
    ]


# --- brute force in fractions, over all deterministic policies ----------------------------


def small_exact(seed: int, stages: int | None) -> tuple[list, list, object]:
    """(moves, start, model) with S, A <= 2, exits, certain and repeated rows."""
    random = np.random.default_rng(seed)
    S, A = 2, 2
    shape = (S, A) if stages is None else (stages, S, A)
    draws = random.choice([0, 0, 1, 2], size=(*shape, S + 1))
    draws[..., S] *= random.random() < 0.5
    draws[..., 0] += draws.sum(axis=-1) == 0
    sums = draws.sum(axis=-1)
    law = np.array(
        [
            Fraction(int(x), int(n))
            for x, n in zip(draws.ravel(), np.repeat(sums, S + 1), strict=True)
        ],
        dtype=object,
    ).reshape(draws.shape)
    start = [Fraction(1, 3), Fraction(2, 3)] if seed % 2 else [Fraction(1), Fraction(0)]
    rewards = np.zeros(shape, dtype=int).tolist()
    moves, ends = law[..., :S].tolist(), law[..., S].tolist()
    plain = [float(x) for x in start]
    model: object
    if stages is None:
        discount = (Fraction(0), Fraction(1, 2), Fraction(9, 10), Fraction(99, 100))[seed % 4]
        model = rlt.MDP(moves, rewards, discount, plain, termination=ends, exact=True)
    else:
        model = rlt.EpisodicMDP(moves, rewards, stages, plain, termination=ends, exact=True)
    return moves, start, model


@often
@given(seeds)
def test_brute_force_with_a_horizon(seed: int) -> None:
    H = 1 + seed % 3
    moves, start, mdp = small_exact(seed, H)
    most = [[[Fraction(0)] * 2 for _ in range(2)] for _ in range(H)]
    for actions in product(range(2), repeat=2 * H):
        held = list(start)
        for h in range(H):
            chosen = actions[2 * h : 2 * h + 2]
            for s in range(2):
                most[h][s][chosen[s]] = max(most[h][s][chosen[s]], held[s])
            held = [sum(held[s] * moves[h][s][chosen[s]][t] for s in range(2)) for t in range(2)]
    assert rlt.max_occupancy_exact(mdp, start).tolist() == most
    assert np.abs(rlt.max_occupancy(mdp) - np.array(most, dtype=float)).max() < 1e-14


@often
@given(seeds)
def test_brute_force_discounted(seed: int) -> None:
    moves, start, mdp = small_exact(seed, None)
    g = mdp.rational.discount
    most = [[Fraction(0)] * 2 for _ in range(2)]
    for actions in product(range(2), repeat=2):
        # d (I - g P_pi) = (1 - g) rho
        matrix = [[int(s == t) - g * moves[s][actions[s]][t] for s in range(2)] for t in range(2)]
        d = solve_linear(matrix, [(1 - g) * x for x in start])
        for s in range(2):
            most[s][actions[s]] = max(most[s][actions[s]], d[s])
    assert rlt.max_occupancy_exact(mdp, start).tolist() == most
    exact = np.array(most, dtype=float)
    assert (np.abs(rlt.max_occupancy(mdp) - exact) <= 1e-9 * exact + 1e-15).all()


# --- policies that attain it --------------------------------------------------------------


@seldom
@given(seeds)
def test_a_reaching_policy_attains_the_maximum(seed: int) -> None:
    mdp = episodic(seed, largest=6)
    most = rlt.max_occupancy(mdp)
    random = np.random.default_rng(seed)
    h, s, a = (int(random.integers(n)) for n in most.shape)
    policy = rlt.reaching_policy(mdp, h, s, a)
    assert rlt.occupancy(mdp, policy)[h, s, a] == pytest.approx(most[h, s, a], abs=1e-14)
    some = rlt.occupancy(mdp, rlt.reaching_policy(mdp, h, s))[h, s]
    assert some.sum() == pytest.approx(most[h, s, a], abs=1e-14)


@seldom
@given(seeds)
def test_a_reaching_policy_attains_the_maximum_discounted(seed: int) -> None:
    mdp = rlt.awkward(seed)
    most = rlt.max_occupancy(mdp)
    row = seed % mdp.n_pairs
    s, a = int(mdp.states[row]), int(mdp.actions[row])
    d = rlt.occupancy(mdp, rlt.reaching_policy(mdp, None, s, a))
    found = (d if mdp.is_full else mdp.table(d))[s, a]
    assert found == pytest.approx(most[s, a], rel=1e-8, abs=1e-12)
    random = np.random.default_rng(seed)
    actions = [int(random.choice(mdp.actions[mdp.states == x])) for x in range(mdp.n_states)]
    d = rlt.occupancy(mdp, actions)
    assert ((d if mdp.is_full else mdp.table(d, 0.0)) <= most * (1 + 1e-8) + 1e-12).all()


# --- the kernel ---------------------------------------------------------------------------


@often
@given(seeds)
def test_the_kernel_is_its_plain_twin(seed: int) -> None:
    mdp = episodic(seed)
    reach = _core.planning.largest_state_occupancy(mdp.core, mdp.horizon, mdp.initial)
    stages = [rows_of(mdp, h) for h in range(mdp.horizon)]
    twin = largest_state_occupancy(stages, mdp.initial)
    assert reach.shape == twin.shape and reach.min() >= 0.0 and reach.max() <= 1.0
    assert np.abs(reach - twin).max() <= 1e-15 * (mdp.n_states + 4) * mdp.horizon


@pytest.mark.parametrize("storage", ["csr", "dense", "deterministic"])
def test_threads_do_not_change_a_bit(storage: str) -> None:
    if storage == "deterministic":
        moves = np.random.default_rng(3).integers(-1, 150, size=(150, 3))
        mdp = rlt.MDP.deterministic(moves, np.zeros((150, 3)), initial=np.full(150, 1 / 150))
    else:
        mdp = rlt.garnet(states=150, actions=3, branching=4 if storage == "csr" else 120, seed=2)
        mdp = rlt.MDP(mdp.transitions, mdp.rewards, initial=np.full(150, 1 / 150))
    assert mdp.storage == storage
    before = rlt.threads()
    found = []
    for n in (1, 2, 5):
        rlt.set_threads(n)
        found.append(rlt.max_occupancy(mdp.episodic(8)))
    rlt.set_threads(before)
    assert (found[0] == found[1]).all() and (found[0] == found[2]).all()
    twin = largest_state_occupancy([rows_of(mdp)] * 3, mdp.initial)
    assert np.abs(found[0][:3, :, 0] - twin).max() < 1e-13


def test_rows_that_are_off_are_divided_by_their_sums() -> None:
    off = 1.0 + 1e-10
    mdp = rlt.EpisodicMDP([[[0, off]], [[0, off]]], [[0], [0]], 4, initial=[1, 0])
    assert rlt.max_occupancy(mdp)[1:, 1, 0].tolist() == [1.0, 1.0, 1.0]
    short = rlt.MDP([[[0, 2 - off]], [[0, 2 - off]]], [[0], [0]], 0.5, initial=[1, 0])
    assert rlt.max_occupancy(short)[1, 0] == pytest.approx(0.5, rel=1e-15)


# --- refusals -----------------------------------------------------------------------------


def test_refusals() -> None:
    mdp = rlt.riverswim(3, discount=0.9)
    nowhere = rlt.MDP(mdp.transitions, mdp.rewards, 0.9)
    with pytest.raises(rlt.ModelError, match="no start law"):
        rlt.max_occupancy(nowhere)
    with pytest.raises(rlt.ModelError, match="no start law"):
        rlt.max_occupancy_exact(nowhere)
    with pytest.raises(rlt.ModelError, match="no discount"):
        rlt.max_occupancy(rlt.MDP(mdp.transitions, mdp.rewards, initial=[1, 0, 0]))
    with pytest.raises(rlt.ModelError, match="sum 1/2"):
        rlt.max_occupancy_exact(mdp, [Fraction(1, 2), 0, 0])
    with pytest.raises(rlt.ModelError, match="stage None, state 3 is no place"):
        rlt.reaching_policy(mdp, None, 3)
    with pytest.raises(rlt.ModelError, match="2 stages and 3 states"):
        rlt.reaching_policy(mdp.episodic(2), None, 0)
    with pytest.raises(rlt.ModelError, match="a discount and 3 states"):
        rlt.reaching_policy(mdp, 1, 0)
    with pytest.raises(rlt.ModelError, match="does not have action 7"):
        rlt.reaching_policy(mdp, None, 0, 7)
    core = mdp.episodic(2).core
    with pytest.raises(ValueError, match="initial has 2 entries"):
        _core.planning.largest_state_occupancy(core, 2, np.ones(2))
    with pytest.raises(ValueError, match="horizon"):
        _core.planning.largest_state_occupancy(core, 0, np.ones(3))
