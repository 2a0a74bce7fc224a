"""The kernels behind average reward, against plain twins and exact rationals."""

from fractions import Fraction

import numpy as np
import pytest
from scipy import sparse
from scipy.sparse.csgraph import connected_components

import rltheory as rlt
from rltheory import _core
from rltheory.solvers.gain_equations import GainEquations
from tests.helpers.recurrent import recurrent_model
from tests.reference.plain_gains import exact_rows, policy_gains

kernels = _core.solvers


def some_rows(mdp: rlt.MDP, seed: int) -> np.ndarray:
    draw = np.random.default_rng(seed)
    return np.array([draw.integers(a, b) for a, b in zip(mdp.pair_ptr, mdp.pair_ptr[1:])])  # noqa: B905


def head_and_tail(draw: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    head = draw.choice([0.0, 1.0, 1.0, -3.0, 1e5], n) * draw.choice([1.0, draw.normal()], n)
    return head, head * 2.0**-53 * draw.uniform(-0.5, 0.5, n)


def exact(pair: tuple[np.ndarray, np.ndarray]) -> list[Fraction]:
    return [Fraction(a) + Fraction(b) for a, b in zip(*map(np.ndarray.tolist, pair), strict=True)]


def test_closed_classes() -> None:
    for seed in range(200):
        mdp = recurrent_model(seed, most_states=8)
        rows = some_rows(mdp, seed)
        count, class_of, reaches = kernels.closed_classes(mdp.core, rows)
        chain = mdp.transitions[rows].toarray() > 0
        closure = np.linalg.matrix_power(chain + np.eye(mdp.n_states), mdp.n_states) > 0
        closed = [s for s in range(mdp.n_states) if all(closure[t, s] for t in range(mdp.n_states)
                  if closure[s, t])]  # fmt: skip
        assert [s for s in range(mdp.n_states) if class_of[s] >= 0] == closed
        _, label = connected_components(sparse.csr_array(chain), connection="strong")
        assert count == len({label[s] for s in closed})
        for s in range(mdp.n_states):
            met = {int(class_of[t]) for t in closed if closure[s, t]}
            assert reaches[s] == (met.pop() if len(met) == 1 else -1)
        assert [c for c in dict.fromkeys(class_of.tolist()) if c >= 0] == list(range(count))


def test_deep_chains_do_not_recurse() -> None:
    n = 200_000
    mdp = rlt.MDP.deterministic(np.minimum(np.arange(n) + 1, n - 1)[:, None], np.zeros((n, 1)))
    count, class_of, reaches = kernels.closed_classes(mdp.core, np.arange(n))
    assert count == 1 and class_of[-1] == 0 and (class_of[:-1] == -1).all() and (reaches == 0).all()


def test_gain_equations() -> None:
    for seed in range(200):
        if seed % 7 == 0:
            continue  # rewards of 1e6 beside those of 1
        mdp = recurrent_model(seed)
        rows = some_rows(mdp, seed)
        equations = GainEquations(mdp, rows)
        reward = mdp.mean_rewards[rows]
        gain, bias = equations.solve(reward)
        expected = [float(g) for g in policy_gains(mdp, rows.tolist())]
        np.testing.assert_allclose(gain, expected, atol=1e-10)
        P = mdp.transitions[rows].toarray() / (1 + mdp.row_defect[rows])[:, None]
        np.testing.assert_allclose(P @ gain, gain, atol=1e-10)
        scale = 1 + np.abs(bias).max()
        np.testing.assert_allclose(gain + bias, reward + P @ bias, atol=1e-11 * scale)
        if equations.count > 1:
            centred = equations.centred(bias)
            np.testing.assert_allclose(gain + centred, reward + P @ centred, atol=1e-10 * scale)
            limit = np.linalg.matrix_power(0.5 * (P + np.eye(len(P))), 2**20)
            np.testing.assert_allclose(limit @ centred, 0.0, atol=1e-7 * scale)


def test_relative_value_iteration() -> None:
    for seed in range(30):
        mdp = recurrent_model(seed)
        v, sweeps, _, low, high = kernels.relative_value_iteration(
            mdp.core, 0.25, 0.0, 0.0, 7, np.zeros(mdp.n_states)
        )
        w, centre = np.zeros(mdp.n_states), 0.0
        P = mdp.transitions.toarray() / (1 + mdp.row_defect)[:, None]
        for _ in range(sweeps):
            change = np.maximum.reduceat(mdp.mean_rewards + P @ w, mdp.pair_ptr[:-1]) - w
            w = w + 0.75 * (change - centre)
            centre = (change.min() + change.max()) / 2
        size = 1 + np.abs(mdp.mean_rewards).max()
        np.testing.assert_allclose(v, w, atol=1e-9 * size)
        np.testing.assert_allclose([low, high], [change.min(), change.max()], atol=1e-9 * size)


def test_residuals_are_bounded() -> None:
    for seed in range(300):
        mdp = recurrent_model(seed)
        draw = np.random.default_rng(seed)
        rows = some_rows(mdp, seed)
        one = seed % 2 == 0
        gain = head_and_tail(draw, 1 if one else mdp.n_states)
        gain = tuple(np.resize(x, mdp.n_states) for x in gain)
        bias = head_and_tail(draw, mdp.n_states)
        low, high, finite, residual, _ = kernels.gain_bias_residuals(mdp.core, *gain, *bias, rows)
        g, h, model = exact(gain), exact(bias), exact_rows(mdp)
        arrays = mdp.arrays()
        own, every = [], []
        for s, pairs in enumerate(model):
            for k, (p, r) in enumerate(pairs):
                row = int(mdp.pair_ptr[s]) + k
                sigma = sum(map(Fraction, arrays["prob"][arrays["row_ptr"][row] :
                                arrays["row_ptr"][row + 1]].tolist()))  # fmt: skip
                rho = r - g[s] + sum(x * y for x, y in zip(p, h, strict=True)) - h[s]
                if row == rows[s]:
                    assert abs(float(rho) - residual[s]) <= 1e-9 * (1 + abs(float(rho)))
                if any(x > 0 and g[t] != g[s] for t, x in enumerate(p)):
                    continue
                every.append(rho * sigma)
                if row == rows[s]:
                    own.append(rho * sigma)
        assert finite
        size = float(np.abs(mdp.mean_rewards).max() + np.abs(gain[0]).max()) + 2 * float(
            np.abs(bias[0]).max()
        )
        bound = (4 * 5 + 41) * 2.0**-106 * size + 1e-300
        if own:
            assert Fraction(low) <= min(own)
            assert float(min(own) - Fraction(low)) <= 2 * bound + 2.0**-51 * abs(low)
        if every:
            assert Fraction(high) >= max(every)
            assert float(Fraction(high) - max(every)) <= 2 * bound + 2.0**-51 * abs(high)


def test_drift_is_told_from_rounding() -> None:
    strict = 0
    for seed in range(400):
        mdp = recurrent_model(seed)
        draw = np.random.default_rng(seed)
        gain = head_and_tail(draw, mdp.n_states)
        rows = some_rows(mdp, seed)
        below, above, drift = kernels.gain_drift(mdp.core, *gain, 1.0, rows)
        g, rising, falling = exact(gain), True, True
        for s, pairs in enumerate(exact_rows(mdp)):
            for k, (p, _) in enumerate(pairs):
                mixed = any(x > 0 and g[t] != g[s] for t, x in enumerate(p))
                d = sum(x * y for x, y in zip(p, g, strict=True)) - g[s]
                mine = int(mdp.pair_ptr[s]) + k == rows[s]
                falling = falling and (not mixed or d < 0)
                rising = rising and (not mixed or not mine or d > 0)
                if mine:
                    assert abs(float(d) - drift[s]) <= 1e-9 * float(np.abs(gain[0]).max() + 1)
        # 0 promises strictness; strictness beyond rounding gives 0.
        assert below > 0 or rising
        assert above > 0 or falling
        strict += (below == 0) + (above == 0)
    assert strict > 100


def test_bending_makes_what_is_level_strict() -> None:
    # Gains 0, 1/3, 2/3, 1 of a fair walk: rounding decides the sign of P g - g.
    P = np.zeros((4, 1, 4))
    P[0, 0, 0] = P[3, 0, 3] = 1.0
    P[1, 0, [0, 2]] = P[2, 0, [1, 3]] = 0.5
    mdp = rlt.MDP(P, np.zeros((4, 1)))
    gain = (np.array([0.0, 1 / 3, 2 / 3, 1.0]), np.zeros(4))
    rows = np.arange(4)
    below, above, _ = kernels.gain_drift(mdp.core, *gain, 1.0, rows)
    assert below > 0 or above > 0
    up = kernels.curve_gain(*gain, 1.0, 0.0, 0.0, 1e-12)
    down = kernels.curve_gain(*gain, 1.0, 1.0, 0.0, -1e-12)
    assert kernels.gain_drift(mdp.core, *up, 1.0, rows)[0] == 0.0
    assert kernels.gain_drift(mdp.core, *down, 1.0, rows)[1] == 0.0
    for out, sign, centre in ((up, 1, 0), (down, -1, 1)):
        for x, y in zip(exact(gain), exact(out), strict=True):
            wanted = x + sign * Fraction(1e-12) * (x - centre) ** 2
            assert abs(y - wanted) <= Fraction(2) ** -100


def test_improvement_keeps_what_ties() -> None:
    mdp = rlt.MDP.deterministic([[0, 0, 1], [1, 1, 1]], [[1.0, 1.0, 1.0], [1.0, 1.0, 1.0]])
    zero = np.zeros(2)
    for rows in ([0, 3], [1, 4], [2, 5]):
        chosen = np.array(rows)
        better, switched = kernels.improve_gain_bias(mdp.core, np.ones(2), zero, chosen)
        assert switched == 0 and better.tolist() == rows
        better, switched, raised = kernels.improve_in_order(mdp.core, 1.0, zero, chosen, 3)
        assert switched == 0 and better.tolist() == rows and raised.tolist() == [0.0, 0.0]


def test_improvement_looks_at_gains_first() -> None:
    # From 0 a large reward leads to 1, which pays nothing for ever; 2 pays 1 for ever.
    mdp = rlt.MDP.deterministic([[1, 2], [1, 1], [2, 2]], [[100.0, 0.0], [0, 0], [1, 1]])
    gain, bias = np.array([0.0, 0.0, 1.0]), np.array([100.0, 0.0, 0.0])
    better, switched = kernels.improve_gain_bias(mdp.core, gain, bias, np.array([0, 2, 4]))
    assert switched == 1 and better.tolist() == [1, 2, 4]


def test_wrong_arguments_are_refused() -> None:
    mdp, ends = rlt.riverswim(3), rlt.MDP([[[0.5]]], [[1.0]], termination=[[0.5]])
    v, rows = np.zeros(3), np.array([0, 2, 4])
    with pytest.raises(ValueError, match="2 entries; 3"):
        kernels.relative_value_iteration(mdp.core, 0.25, 0.0, 0.0, 3, np.zeros(2))
    with pytest.raises(ValueError, match="stay must be in"):
        kernels.relative_value_iteration(mdp.core, 1.0, 0.0, 0.0, 3, v)
    with pytest.raises(ValueError, match="row 5 does not belong to state 0"):
        kernels.improve_gain_bias(mdp.core, v, v, np.array([5, 2, 4]))
    with pytest.raises(ValueError, match="2 entries; 3"):
        kernels.gain_drift(mdp.core, v, np.zeros(2), 1.0, rows)
    with pytest.raises(ValueError, match="2 entries; 3"):
        kernels.curve_gain(v, np.zeros(2), 1.0, 0.0, 0.0, 1.0)
    with pytest.raises(ValueError, match="targets has 2 entries; 3"):
        kernels.PolicyChain.hitting(mdp.core, rows, np.zeros(2, dtype=bool))
    for call in (
        lambda: kernels.closed_classes(ends.core, np.zeros(1, dtype=np.int64)),
        lambda: kernels.relative_value_iteration(ends.core, 0.25, 0.0, 0.0, 3, np.zeros(1)),
    ):
        with pytest.raises(ValueError, match="without exits"):
            call()
