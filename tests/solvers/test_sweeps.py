"""Iterations by sweeps, improvement and backward induction against plain twins."""

import math
from collections.abc import Callable
from fractions import Fraction
from operator import mul

import numpy as np
import plain_bellman as plain
import pytest
from plain_residuals import rows_in_fractions
from plain_rows import Rows, rows_of

import rltheory as rlt
from rltheory import _core

kernels = _core.solvers
MODELS = [rlt.awkward(seed, discount=(0.0, 0.5, 0.8, 0.9)[seed % 4]) for seed in range(240)]
EPISODIC = [rlt.awkward(seed, horizon=1 + seed % 6) for seed in range(200)]


def modified(core: object, discount: float, tol: float, rtol: float, start: object) -> tuple:
    value, _, sweeps, converged, *_ = kernels.modified_policy_iteration(
        core, discount, tol, rtol, math.inf, start
    )
    return value, sweeps, converged


def ordered(core: object, discount: float, tol: float, rtol: float, start: object) -> tuple:
    value, _, sweeps, converged = kernels.ordered_policy_iteration(core, discount, tol, rtol, start)
    return value, sweeps, converged


def size_of(rows: Rows, discount: float) -> float:
    """A bound of every value."""
    return float(np.abs(rows.reward).max()) / (1.0 - discount)


@pytest.mark.parametrize("storage", ["csr", "dense", "deterministic"])
def test_one_sweep_and_its_centring(storage: str) -> None:
    seen = 0
    for seed, mdp in enumerate(MODELS):
        if mdp.storage != storage:
            continue
        rows, discount = rows_of(mdp), float(mdp.discount or 0.0)
        start = np.random.default_rng(seed).normal(size=mdp.n_states) * size_of(rows, discount)
        ends = bool(rows.exit.any())
        near = 1e-12 * (size_of(rows, discount) + np.abs(start).max())
        value, sweeps, converged = kernels.value_iteration(mdp.core, discount, math.inf, 0.0, start)
        twin = plain.backup(rows, discount, start)
        assert (sweeps, converged) == (1, True)
        assert np.abs(value - plain.centred(twin, start, discount, ends, ends)).max() <= near
        value, sweeps, converged = kernels.gauss_seidel(mdp.core, discount, math.inf, 0.0, start)
        twin = plain.gauss_seidel(rows, discount, start)
        assert (sweeps, converged) == (1, True)
        assert np.abs(value - plain.centred(twin, start, discount, True, ends)).max() <= near
        seen += not np.allclose(twin, plain.backup(rows, discount, start))
    # Deterministic self-loops aside, new values are used within the sweep that makes them.
    assert seen > 10


def test_the_two_kinds_of_sweep_stop_when_their_twins_do() -> None:
    longest = 0
    for mdp in MODELS:
        rows, discount = rows_of(mdp), float(mdp.discount or 0.0)
        tol = 1e-4 * size_of(rows, discount) + 1e-300
        ends = bool(rows.exit.any())
        for kernel, sweep in (
            (kernels.value_iteration, plain.backup),
            (kernels.gauss_seidel, plain.gauss_seidel),
        ):
            value, sweeps, converged = kernel(mdp.core, discount, tol, 0.0, np.zeros(mdp.n_states))
            assert converged
            before, now, width = np.zeros(mdp.n_states), np.zeros(mdp.n_states), math.inf
            may_leak = ends
            for k in range(sweeps):
                assert width > 0.999 * tol, "it went on after it could have stopped"
                # One sweep after each eighth uses old values only, and its result is centred.
                check = k > 0 and k % 8 == 0
                may_leak = ends or (sweep is plain.gauss_seidel and not check)
                step = plain.backup if check else sweep
                before, now = now, step(rows, discount, now)
                width = plain.bracket_width(now, before, discount, may_leak)
                if check and sweep is plain.gauss_seidel and width > tol:
                    now = plain.centred(now, before, discount, may_leak, ends)
            assert width <= 1.001 * tol
            twin = plain.centred(now, before, discount, may_leak, ends)
            assert np.abs(value - twin).max() <= 1e-11 * size_of(rows, discount)
            longest = max(longest, sweeps)
    assert longest > 50


@pytest.mark.parametrize(
    "method",
    [kernels.value_iteration, kernels.gauss_seidel, modified, ordered],
    ids=["vi", "gs", "mpi", "ordered"],
)
def test_a_converged_value_is_within_the_tolerance(
    method: Callable[..., tuple[np.ndarray, int, bool]],
) -> None:
    for seed, mdp in enumerate(MODELS):
        rows, discount = rows_of(mdp), float(mdp.discount or 0.0)
        start = np.random.default_rng(seed).normal(size=mdp.n_states) * size_of(rows, discount)
        best = plain.optimum(rows, discount, 330)
        rounding = 1e-12 * (size_of(rows, discount) + np.abs(start).max())
        tol = 1e-5 * size_of(rows, discount)
        value, _, converged = method(mdp.core, discount, tol, 0.0, start)
        # A value in the middle of its bracket; at an end of it where rows may end, or where
        # only the size of the last change is known.
        part = 1.0 if rows.exit.any() or method is ordered else 0.5
        assert converged and np.abs(value - best).max() <= part * tol + rounding
        # From 0, since a relative target is taken of the value before its centring.
        value, _, converged = method(mdp.core, discount, 0.0, 1e-7, np.zeros(mdp.n_states))
        if converged:
            wanted = 1e-7 * np.abs(value).max()
            assert np.abs(value - best).max() <= 1.001 * part * wanted + rounding
        else:  # a value that cancels to 0 has no relative accuracy to offer
            assert np.abs(best).max() < 1e-6 * size_of(rows, discount)


def test_the_start_is_not_written_to() -> None:
    mdp = rlt.riverswim(discount=0.9)
    start = np.zeros(6)
    start.setflags(write=False)
    for method in (kernels.value_iteration, kernels.gauss_seidel, modified, ordered):
        value, _, _ = method(mdp.core, 0.9, 0.0, 1e-6, start)
        assert value.any() and not start.any()


def test_sweeps_end_where_only_rounding_is_left() -> None:
    mdp = rlt.awkward(3, states=5, actions=3, discount=0.99)
    for method in (kernels.value_iteration, kernels.gauss_seidel, modified, ordered):
        value, sweeps, _ = method(mdp.core, 0.99, 0.0, 0.0, np.zeros(5))
        best = plain.optimum(rows_of(mdp), 0.99, 4000)
        assert np.abs(value - best).max() <= 1e-9 * np.abs(best).max()
        assert sweeps < 20_000


def test_modified_policy_iteration_knows_its_residuals() -> None:
    tight = 0
    for seed, mdp in enumerate(MODELS):
        rows, discount = rows_of(mdp), Fraction(float(mdp.discount or 0.0))
        start = np.random.default_rng(seed).normal(size=mdp.n_states) * (seed % 3)
        value, chosen, _, _, low, high, *_ = kernels.modified_policy_iteration(
            mdp.core, float(discount), 1e-4, 0.0, math.inf, start
        )
        exact = [Fraction(x) for x in value.tolist()]
        residual = [
            r + discount * sum(map(mul, prob, exact)) - exact[int(s)]
            for s, prob, r in rows_in_fractions(rows)
        ]
        assert min(residual[row] for row in chosen) >= Fraction(low)
        assert max(residual) <= Fraction(high)
        tight += float(max(residual)) >= 0.9 * high > 0.0
    assert tight > 20


def test_modified_policy_iteration_gives_up_when_told_to() -> None:
    mdp = rlt.riverswim(200, discount=0.9999)
    start = np.zeros(200)
    _, _, sweeps, converged, *_ = kernels.modified_policy_iteration(
        mdp.core, 0.9999, 1e-6, 0.0, 1.0, start
    )
    assert not converged and sweeps < 20
    found = kernels.modified_policy_iteration(mdp.core, 0.9999, 1e-4, 0.0, math.inf, start)
    assert found[3]


def test_equations_are_tried_where_there_is_much_choice() -> None:
    """Parts that wear out one by one, of which one may be renewed: slow, but little spread."""
    parts, wear = 10, 0.05
    worn, renewed = np.divmod(np.arange(2**parts * (parts + 1)), parts + 1)
    kept = np.where(renewed < parts, worn | (1 << np.minimum(renewed, parts - 1)), worn)
    table = np.zeros((len(kept), 2**parts))
    rows = np.arange(len(kept))
    for part in range(parts):
        np.add.at(table, (rows, kept & ~(1 << part)), wear)
    np.add.at(table, (rows, kept), 1.0 - wear * parts)
    rewards = np.log1p([bin(s).count("1") for s in worn]) - 0.3 * (renewed < parts)
    mdp = rlt.MDP.from_pairs(worn, renewed, table, rewards, 0.995)
    assert rlt.solve(mdp, tol=1e-6).note == (
        "modified policy iteration: it mixes slowly, but equations of policies take few steps"
    )


def test_ordered_policy_iteration_on_slow_models() -> None:
    for mdp in (
        rlt.riverswim(300, 0.9999),
        rlt.gridworld(20, 30, walls=0.2, discount=0.999, step_reward=-1.0),
        rlt.MDP.deterministic(
            np.roll(np.arange(500), 1)[:, None], np.arange(500.0)[:, None], 0.999
        ),
    ):
        discount = float(mdp.discount or 0.0)
        start = np.full(mdp.n_states, mdp.mean_rewards.min() / (1.0 - discount))
        value, rows, _, converged = kernels.ordered_policy_iteration(
            mdp.core, discount, 1e-6, 0.0, start
        )
        low, high, finite = kernels.residual_bounds(mdp.core, 0, discount, value, value, rows)
        assert converged and finite and high - low <= 4e-6 * (1.0 - discount)


@pytest.mark.parametrize(
    ("mdp", "most"),
    [
        # 70 with equations in the order of distance instead of values.
        (rlt.gridworld(150, 150, slip=0.2, walls=0.3, discount=0.999, step_reward=-1.0), 50),
        # 79 from a constant instead of the values of the first policy.
        (rlt.gridworld(100, 100, slip=0.2, walls=0.2, discount=0.999, step_reward=-1.0), 40),
        # 701 without sweeps backwards: actions change in one state after another.
        (rlt.riverswim(2768, 0.999), 15),
    ],
    ids=["order", "start", "front"],
)
def test_ordered_policy_iteration_takes_few_steps(mdp: rlt.MDP, most: int) -> None:
    discount = float(mdp.discount or 0.0)
    start = np.full(mdp.n_states, mdp.mean_rewards.min() / (1.0 - discount))
    value, _, steps, converged = kernels.ordered_policy_iteration(
        mdp.core, discount, 1e-6, 0.0, start
    )
    assert converged and steps <= most
    assert np.abs(value - rlt.solve(mdp, method="policy-iteration", tol=1e-8).value).max() <= 1e-6


def american_put(periods: int) -> rlt.MDP:
    """Hold it or exercise it, in a binomial lattice whose nodes are numbered at random."""
    t, up = np.tril_indices(periods)
    number = np.random.default_rng(0).permutation(len(t))
    node = {(int(a), int(b)): int(i) for a, b, i in zip(t, up, number, strict=True)}
    transitions, rewards = {}, {}
    for (a, b), i in node.items():
        later = {node[a + 1, b]: 0.5, node[a + 1, b + 1]: 0.5} if a + 1 < periods else {}
        transitions[i, 0], rewards[i, 0] = later, 0.0
        transitions[i, 1], rewards[i, 1] = {}, max(0.0, 1.0 - 1.05 ** (2 * b - a))
    pairs = sorted(transitions)
    table = np.zeros((len(pairs), len(node)))
    for k, pair in enumerate(pairs):
        for j, p in transitions[pair].items():
            table[k, j] = p
    states, actions = np.array(pairs).T
    return rlt.MDP.from_pairs(
        states,
        actions,
        table,
        np.array([rewards[pair] for pair in pairs]),
        0.999,
        termination=1.0 - table.sum(axis=1),
    )


def test_a_model_without_a_way_round_takes_one_sweep() -> None:
    mdp = american_put(40)  # 22 steps in the order of distance from where most is earned
    start = np.zeros(mdp.n_states)
    value, _, steps, converged = kernels.ordered_policy_iteration(mdp.core, 0.999, 1e-6, 0.0, start)
    assert converged and steps <= 2  # the second sees that nothing changes
    assert np.abs(value - plain.backup(rows_of(mdp), 0.999, value)).max() <= 1e-15
    assert "never seen again" in rlt.solve(mdp).note


@pytest.mark.parametrize("width", [1, 2, 3, 4, 5])
def test_ordered_policy_iteration_for_every_length_of_rows(width: int) -> None:
    # Large enough to be solved by incomplete factors, and drifting, so that values order it.
    random = np.random.default_rng(width)
    n, actions = 600, 3
    table = np.zeros((n, actions, n))
    for s in range(n):
        for a in range(actions):
            count = 1 + (s + a) % width
            near = np.clip(s + random.integers(-2, 6, size=8), 0, n - 1)
            to = np.unique(near)[:count]
            table[s, a, to] = random.dirichlet(np.ones(len(to)))
    rewards = random.random((n, actions))
    rewards[-1] = 60.0
    mdp = rlt.MDP(table, rewards, 0.999)
    start = np.zeros(n)
    value, _, _, converged = kernels.ordered_policy_iteration(mdp.core, 0.999, 1e-7, 0.0, start)
    rows = rows_of(mdp)
    assert converged
    assert np.abs(plain.backup(rows, 0.999, value) - value).max() <= 1e-7 * 0.001 + 1e-10


def test_improve_switches_only_to_what_is_better() -> None:
    switches = 0
    for seed, mdp in enumerate(MODELS):
        rows, discount = rows_of(mdp), float(mdp.discount or 0.0)
        random = np.random.default_rng(seed)
        v = random.normal(size=mdp.n_states) * size_of(rows, discount)
        present = np.array(
            [random.choice(np.flatnonzero(rows.state == s)) for s in range(mdp.n_states)]
        )
        improved, count = kernels.improve(mdp.core, discount, v, present)
        q = plain.q_values(rows, discount, v)
        best = plain.best(rows, q)[0]
        gain = q[improved] - q[present]
        moved = improved != present
        assert count == moved.sum()
        assert (gain[moved] > 0.0).all()
        noise = 1e-12 * (np.abs(rows.reward).max() + np.abs(v).max())
        assert (q[improved] >= best - noise).all()
        switches += int(count)
    assert switches > 50


def test_improve_stays_with_a_tie_that_rounding_breaks() -> None:
    # 0.1 + 0.2 > 0.3 by rounding alone: two names for the same reward and successor.
    mdp = rlt.MDP([[[1.0], [1.0]]], [[0.3, 0.1 + 0.2]], 0.5)
    rows, count = kernels.improve(mdp.core, 0.5, np.array([0.6]), np.array([0]))
    assert (rows.tolist(), count) == ([0], 0)
    assert kernels.bellman(mdp.core, 0, 0.5, np.array([0.6]))[1].tolist() == [1]


def test_backward_induction() -> None:
    for mdp in EPISODIC:
        stages = [rows_of(mdp, h) for h in range(mdp.horizon)]
        twin, _ = plain.backward_induction(stages)
        near = 1e-12 * mdp.horizon * max(np.abs(rows.reward).max() for rows in stages)
        value, chosen, errors = kernels.backward_induction(mdp.core, mdp.horizon)
        assert errors.shape == (mdp.horizon,)
        head, tail, precise = kernels.backward_induction_double_double(mdp.core, mdp.horizon)
        assert value.shape == head.shape == tail.shape == (mdp.horizon + 1, mdp.n_states)
        assert np.abs(value - twin).max() <= near and np.abs(head - twin).max() <= near
        assert not value[-1].any() and not head[-1].any() and not tail[-1].any()
        assert (np.abs(tail) <= 2.0**-53 * np.abs(head)).all()
        for rows in (chosen, precise):
            for h, stage in enumerate(stages):
                local = rows[h] - (
                    mdp.pair_ptr[h * mdp.n_states]
                    if len(stages) > 1 and not mdp.is_stationary
                    else 0
                )
                assert (stage.state[local] == np.arange(mdp.n_states)).all()
                q = plain.q_values(stage, 1.0, twin[h + 1])
                assert (q[local] >= twin[h] - 4 * near).all()
        solved = rlt.solve(mdp)
        assert np.abs(solved.value - twin).max() <= solved.gap + near


@pytest.mark.parametrize("seed", range(12))
def test_rows_passed_over_change_no_bit(seed: int) -> None:
    """Backward induction over one set of rows skips hopeless ones; plain backups do not."""
    makers = (
        lambda: rlt.garnet(40, 12, 5, seed, 0.9),
        lambda: rlt.garnet(30, 6, 30, seed, 0.9),
        lambda: rlt.riverswim(30, 0.9),
        lambda: rlt.awkward(seed, states=20, actions=9, discount=0.9),
    )
    mdp = makers[seed % 4]()
    horizon = 60
    value, chosen, errors = kernels.backward_induction(mdp.core, horizon)
    here = np.zeros(mdp.n_states)
    for h in reversed(range(horizon)):
        ahead, (here, rows) = here, kernels.bellman(mdp.core, 0, 1.0, here)
        assert here.tobytes() == value[h].tobytes() and np.array_equal(rows, chosen[h])
        low, high, finite = kernels.residual_bounds(mdp.core, 0, 1.0, ahead, here, rows)
        assert (finite and max(-low, high) <= 2.0 * errors[h]) or not errors[h]


def test_backward_induction_in_double_double() -> None:
    off = 0
    for seed in range(80):
        mdp = rlt.awkward(seed, horizon=1 + seed % 4)
        head, tail, _ = kernels.backward_induction_double_double(mdp.core, mdp.horizon)
        value, size = [Fraction(0)] * mdp.n_states, Fraction(0)
        for h in reversed(range(mdp.horizon)):
            q: list[list[Fraction]] = [[] for _ in value]
            for s, prob, reward in rows_in_fractions(rows_of(mdp, h)):
                q[s].append(reward + sum(p * v for p, v in zip(prob, value, strict=True)))
                size = max(size, abs(reward))
            value = [max(x) for x in q]
            found = [Fraction(a) + Fraction(b) for a, b in zip(head[h], tail[h], strict=True)]
            error = max(abs(a - b) for a, b in zip(found, value, strict=True))
            assert error <= mdp.horizon**2 * size / 10**28
        off += float(np.abs(mdp.row_defect).max()) > 1e-11
    assert off > 10  # rows are divided by their sums to the same accuracy


def test_ties_of_heads_are_decided_by_tails() -> None:
    # From state 0 to where nothing is paid, or to where 2^-60 is.
    mdp = rlt.MDP.deterministic([[1, 2], [-1, -1], [-1, -1]], [[1, 1], [0, 0], [2.0**-60] * 2])
    head, tail, rows = kernels.backward_induction_double_double(mdp.core, 2)
    assert (head[0, 0], tail[0, 0], rows[0, 0]) == (1.0, 2.0**-60, 1)
    assert kernels.backward_induction(mdp.core, 2)[1][0, 0] == 0


def test_kernels_refuse_what_does_not_fit() -> None:
    core = rlt.riverswim().core
    for discount in (1.0, -0.1, math.nan):
        with pytest.raises(ValueError, match="discount"):
            kernels.value_iteration(core, discount, 0.0, 1e-3, np.zeros(6))
    with pytest.raises(ValueError, match="row 2 does not belong to state 0"):
        kernels.improve(core, 0.9, np.zeros(6), np.array([2, 2, 4, 6, 8, 10]))
    with pytest.raises(ValueError, match="horizon 0"):
        kernels.backward_induction(core, 0)
    with pytest.raises(ValueError, match="horizon 3 does not fit"):
        kernels.backward_induction(rlt.random_episodic(3, 2, 2).core, 3)


def relay(classes: int, size: int, discount: float, seed: int, shuffled: bool = True) -> rlt.MDP:
    """Groups visited in a circle; the groups' states are numbered at random."""
    rng = np.random.default_rng(seed)
    n = classes * size
    number = rng.permutation(n) if shuffled else np.arange(n)
    table = np.zeros((n, 2, n))
    for s in range(n):
        to = (s // size + 1) % classes * size + rng.integers(size, size=(2, 2))
        for a in range(2):
            np.add.at(table[number[s], a], number[to[a]], [0.75, 0.25])
    return rlt.MDP(table, rng.uniform(-1.0, 1.0, size=(n, 2)), discount)


@pytest.mark.parametrize("classes", [2, 3, 5, 40])
def test_periodic_models_are_swept_around(classes: int) -> None:
    for seed in range(2):
        mdp = relay(classes, 5 + seed, 0.99, seed, shuffled=seed % 2 == 0)
        start = np.zeros(mdp.n_states)
        value, chosen, sweeps, converged, low, high, exhausted, count, by_equations = (
            kernels.modified_policy_iteration(mdp.core, 0.99, 1e-6, 0.0, math.inf, start)
        )
        assert converged and not exhausted and count == classes and sweeps < 200
        assert not by_equations
        rows = rows_of(mdp)
        exact = [Fraction(x) for x in value.tolist()]
        residual = [
            r + Fraction(0.99) * sum(map(mul, prob, exact)) - exact[int(s)]
            for s, prob, r in rows_in_fractions(rows)
        ]
        assert min(residual[row] for row in chosen) >= Fraction(low)
        assert max(residual) <= Fraction(high)
        best = plain.optimum(rows, 0.99, 2500)
        assert np.abs(value - best).max() <= 1e-6


def test_what_is_left_may_be_rounding() -> None:
    mdp = rlt.awkward(3, states=5, actions=3, discount=0.99)
    found = kernels.modified_policy_iteration(mdp.core, 0.99, 0.0, 0.0, math.inf, np.zeros(5))
    assert not found[3] and found[6]
    slow = rlt.riverswim(200, discount=0.9999)
    found = kernels.modified_policy_iteration(slow.core, 0.9999, 1e-6, 0.0, 1.0, np.zeros(200))
    assert not found[3] and not found[6]


def test_policy_iteration_stops_when_told_to() -> None:
    mdp = rlt.combination_lock(40, actions=4, discount=0.999)
    start = np.zeros(mdp.n_states)
    _, _, policies, ended = kernels.policy_iteration(mdp.core, 0.999, 3, start)
    assert policies == 3 and not ended
    _, _, policies, ended = kernels.policy_iteration(mdp.core, 0.999, 1000, start)
    assert 3 < policies < 1000 and ended
