"""Bellman operators of the core and of the public functions against their plain twins."""

import numpy as np
import plain_bellman as plain
import pytest
from plain_rows import Rows, Vector, random_actions, random_policy, rows_of
from scipy import sparse

import rltheory as rlt
from rltheory import _core

MODELS = [rlt.awkward(seed) for seed in range(400)]
EPISODIC = [rlt.awkward(seed, horizon=1 + seed % 5) for seed in range(200)]


def some_value(shape: tuple[int, ...], rows: Rows, seed: int) -> Vector:
    """Of the size of the rewards, with ties and zeros among its entries."""
    random = np.random.default_rng(seed)
    size = max(1.0, float(np.abs(rows.reward).max()))
    return size * random.choice([0.0, -0.0, 1.0, -1.0, 1 / 3, random.normal()], size=shape)


def close(rows: Rows, value: Vector) -> float:
    """What rounding may do, with rows that sum to 1 within 2^-46 and are not corrected for it."""
    return 3e-14 * float(np.abs(rows.reward).max() + np.abs(value).max())


def stages_of(mdp: rlt.EpisodicMDP) -> list[Rows]:
    return [rows_of(mdp, h) for h in range(mdp.horizon)]


def test_the_models_are_worth_testing_on() -> None:
    assert {m.storage for m in MODELS} == {"csr", "dense", "deterministic"}
    for storage in ("csr", "dense", "deterministic"):
        here = [m for m in MODELS if m.storage == storage]
        assert any(not m.is_full for m in here)
        assert any(m.termination.any() for m in here)
    assert any(np.abs(m.row_defect).max() > 1e-11 for m in MODELS)
    assert {m.is_stationary for m in EPISODIC} == {True, False}
    assert any(not m.is_full for m in EPISODIC)


def test_rows_are_summed_in_one_order_to_the_bit() -> None:
    """Short rows, long ones, and what lies ahead of either are read by different code."""
    random = np.random.default_rng(3)
    lengths = [*range(1, 41), *random.integers(1, 41, size=400).tolist()]
    S = len(lengths)
    prob = [random.dirichlet(np.ones(n)) for n in lengths]
    col = [np.sort(random.choice(S, size=n, replace=False)) for n in lengths]
    ptr = np.cumsum([0, *lengths])
    matrix = sparse.csr_array((np.concatenate(prob), np.concatenate(col), ptr), shape=(S, S))
    reward = random.normal(size=S)
    mdp = rlt.MDP(matrix, reward[:, None], 0.9)
    value = some_value((S,), rows_of(mdp), 7)
    value[::3] = random.normal(size=len(value[::3]))
    expected = [
        r + 0.9 * plain.row_sum(p.tolist(), value[j].tolist())
        for r, p, j in zip(reward.tolist(), prob, col, strict=True)
    ]
    assert _core.solvers.bellman(mdp.core, 0, 0.9, value)[0].tolist() == expected
    assert _core.solvers.q_values(mdp.core, 0, 0.9, value).tolist() == expected
    minus = np.full(S, -0.0)
    q = _core.solvers.q_values(rlt.MDP(matrix, minus[:, None], 0.9).core, 0, 0.9, minus)
    assert not np.signbit(q).any()


@pytest.mark.parametrize("storage", ["csr", "dense", "deterministic"])
def test_backups_and_q(storage: str) -> None:
    for seed, mdp in enumerate(MODELS):
        if mdp.storage != storage:
            continue
        rows, discount = rows_of(mdp), float(mdp.discount or 0.0)
        v = some_value((mdp.n_states,), rows, seed)
        q, near = plain.q_values(rows, discount, v), close(rows, v)
        value, chosen = _core.solvers.bellman(mdp.core, 0, discount, v)
        assert np.abs(_core.solvers.q_values(mdp.core, 0, discount, v) - q).max() <= near
        assert np.abs(value - plain.best(rows, q)[0]).max() <= near
        # Which row is best is the twin's to say only where no other is within rounding.
        assert (rows.state[chosen] == np.arange(mdp.n_states)).all()
        assert (q[chosen] >= plain.best(rows, q)[0] - 2 * near).all()
        assert np.array_equal(rlt.bellman(mdp, v), value)
        assert np.array_equal(rlt.greedy(mdp, v), rows.action[chosen])
        shape = (mdp.n_states, mdp.n_actions) if mdp.is_full else (mdp.n_pairs,)
        assert rlt.q_values(mdp, v).shape == shape


def test_certain_rows_are_backed_up_without_any_rounding_but_their_own() -> None:
    for seed, mdp in enumerate(MODELS):
        if mdp.storage == "deterministic":
            rows = rows_of(mdp)
            v = some_value((mdp.n_states,), rows, seed)
            ahead = np.array([v[row.argmax()] if row.any() else 0.0 for row in rows.prob])
            q = rows.reward + float(mdp.discount or 0.0) * ahead
            assert np.array_equal(rlt.q_values(mdp, v).ravel(), q)
            assert np.array_equal(rlt.greedy(mdp, v), rows.action[plain.best(rows, q)[1]])


def test_of_equal_actions_the_lowest_is_greedy() -> None:
    mdp = rlt.MDP([[[1.0]] * 3], [[1.0, 2.0, 2.0]], 0.5)
    assert rlt.greedy(mdp, [7.0]).tolist() == [1]
    assert rlt.greedy(mdp.episodic(2), np.zeros((3, 1))).tolist() == [[1], [1]]


def test_backups_under_a_policy() -> None:
    for seed, mdp in enumerate(MODELS[:200]):
        rows = rows_of(mdp)
        v = some_value((mdp.n_states,), rows, seed)
        q = plain.q_values(rows, float(mdp.discount or 0.0), v)
        weight = random_policy(mdp, seed)
        mixed = np.bincount(rows.state, weight[rows.state, rows.action] * q)
        assert np.abs(rlt.bellman(mdp, v, weight) - mixed).max() <= close(rows, v)
        actions = random_actions(mdp, seed)
        picked = q[actions[rows.state] == rows.action]
        assert np.abs(rlt.bellman(mdp, v, actions) - picked).max() <= close(rows, v)


def test_backups_with_a_horizon() -> None:
    for seed, mdp in enumerate(EPISODIC):
        stages = stages_of(mdp)
        v = some_value((mdp.horizon + 1, mdp.n_states), stages[0], seed)
        backed, chosen, q = rlt.bellman(mdp, v), rlt.greedy(mdp, v), rlt.q_values(mdp, v)
        assert backed.shape == v.shape and not backed[-1].any()
        weight = rlt.uniform_policy(mdp)
        mixed = rlt.bellman(mdp, v, weight)
        assert not mixed[-1].any()
        for h, rows in enumerate(stages):
            expected = plain.q_values(rows, 1.0, v[h + 1])
            near = close(rows, v)
            assert np.abs(q[h].ravel() - expected).max() <= near
            assert np.abs(backed[h] - plain.best(rows, expected)[0]).max() <= near
            picked = expected[chosen[h][rows.state] == rows.action]
            assert (picked >= plain.best(rows, expected)[0] - 2 * near).all()
            w = weight[h] if weight.ndim == 3 else weight
            mean = np.bincount(rows.state, w[rows.state, rows.action] * expected)
            assert np.abs(mixed[h] - mean).max() <= near


def test_the_bellman_operator_contracts_and_is_monotone() -> None:
    for seed, mdp in enumerate(MODELS[:150]):
        rows, discount = rows_of(mdp), float(mdp.discount or 0.0)
        v, w = (some_value((mdp.n_states,), rows, 2 * seed + i) for i in (0, 1))
        change = np.abs(rlt.bellman(mdp, v) - rlt.bellman(mdp, w)).max()
        assert change <= discount * np.abs(v - w).max() + 2 * close(rows, v + w)
        above = rlt.bellman(mdp, np.maximum(v, w))
        assert (above >= rlt.bellman(mdp, v) - close(rows, v)).all()


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ([0.0], "value has shape (1,); it must be (6,)"),
        (np.zeros((6, 1)), "value has shape (6, 1)"),
        ([0.0, 0.0, np.nan, 0.0, 0.0, 0.0], "value[2] is nan; it must be finite"),
        ([0.0, -np.inf, 0.0, 0.0, 0.0, 0.0], "value[1] is -inf"),
        ([True] * 6, "value has dtype bool"),
        (["a"] * 6, "it must hold real numbers"),
        ([[0.0], [0.0, 1.0]], "value is a ragged list"),
    ],
)
def test_values_that_are_none(value: object, words: str) -> None:
    for function in (rlt.bellman, rlt.q_values, rlt.greedy):
        with pytest.raises(rlt.ModelError) as caught:
            function(rlt.riverswim(discount=0.9), value)
        assert words in str(caught.value)


def test_values_with_a_horizon_name_their_stage() -> None:
    v = np.zeros((4, 6))
    v[2, 5] = np.inf
    with pytest.raises(rlt.ModelError, match=r"value\[2, 5\] is inf"):
        rlt.bellman(rlt.riverswim().episodic(3), v)
    with pytest.raises(rlt.ModelError, match=r"shape \(3, 6\); it must be \(4, 6\)"):
        rlt.bellman(rlt.riverswim().episodic(3), v[:3])


def test_without_a_discount_there_is_no_backup() -> None:
    for function in (rlt.bellman, rlt.q_values, rlt.greedy, rlt.solve):
        arguments = () if function is rlt.solve else (np.zeros(6),)
        with pytest.raises(rlt.ModelError, match="has no discount"):
            function(rlt.riverswim(), *arguments)


def test_kernels_refuse_arrays_of_another_size_or_kind() -> None:
    core = rlt.riverswim(discount=0.9).core
    with pytest.raises(ValueError, match="value has 5 entries; 6 are needed"):
        _core.solvers.bellman(core, 0, 0.9, np.zeros(5))
    with pytest.raises(ValueError, match="no stage -1"):
        _core.solvers.q_values(core, -1, 0.9, np.zeros(6))
    with pytest.raises(TypeError):
        _core.solvers.bellman(core, 0, 0.9, np.zeros(6, dtype=np.float32))
    staged = rlt.random_episodic(3, 2, 2).core
    with pytest.raises(ValueError, match="no stage 2"):
        _core.solvers.bellman(staged, 2, 1.0, np.zeros(3))
