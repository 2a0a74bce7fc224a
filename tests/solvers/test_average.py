"""Average reward: what `solve` certifies, held against exact gains by brute force."""

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from scipy import sparse

import rltheory as rlt
from tests.helpers.recurrent import recurrent_model
from tests.reference.plain_gains import best_gains, policy_gains

METHODS = (
    "auto",
    "relative-value-iteration",
    "unichain-policy-iteration",
    "multichain-policy-iteration",
)


def solve(mdp: rlt.MDP, **options: Any) -> rlt.Solution:
    return rlt.solve(mdp, criterion="average", **options)


def two_ends(n: int) -> rlt.MDP:
    """A fair walk between an end that pays 0 and one that pays 1: the gain of s is s/(n-1)."""
    rows, cols, p = [], [], []
    for s in range(n):
        for t in (s, s) if s in (0, n - 1) else (s - 1, s + 1):
            rows.append(s), cols.append(t), p.append(0.5)
    reward = np.zeros((n, 1))
    reward[-1] = 1.0
    return rlt.MDP(sparse.coo_array((p, (rows, cols)), shape=(n, n)).tocsr(), reward)


def stay_or_go() -> rlt.MDP:
    """State 0 stays for 1 or goes for nothing to state 1, which pays nothing for ever."""
    return rlt.MDP.deterministic([[0, 1], [1, 1]], [[1.0, 0.0], [0.0, 0.0]])


def assert_holds(mdp: rlt.MDP, solution: rlt.Solution) -> None:
    c = solution.certificate
    assert c.check(mdp), c.check(mdp).reason
    own, best = policy_gains(mdp, c.rows.tolist()), best_gains(mdp)
    for s in range(mdp.n_states):
        assert Fraction(float(solution.lower[s])) <= own[s] <= best[s]
        assert best[s] <= Fraction(float(solution.upper[s]))
        assert solution.lower[s] <= solution.value[s] <= solution.upper[s]
    assert solution.gap <= solution.tol
    assert solution.gap >= max(solution.upper - solution.lower)


# --- values that are known ----------------------------------------------------------------


@pytest.mark.parametrize("method", METHODS)
def test_riverswim(method: str) -> None:
    # Right everywhere is a birth-death chain: its stationary law is a product of ratios.
    law = [Fraction(1)]
    for up, down in [(Fraction(0.6), Fraction(0.05)), *[(Fraction(0.35), Fraction(0.05))] * 3]:
        law.append(law[-1] * up / down)
    law.append(law[-1] * Fraction(0.35) / Fraction(0.4))
    expected = float(law[-1] / sum(law))
    mdp = rlt.riverswim(6)
    solution = solve(mdp, method=method)
    np.testing.assert_allclose(solution.gain, expected, rtol=1e-9)
    assert solution.policy.tolist() == [1] * 6
    assert_holds(mdp, solution)


def test_two_states_that_flip() -> None:
    # beta chance of leaving state 0 (which pays 1), alpha of coming back: gain alpha/(alpha+beta).
    mdp = rlt.MDP([[[0.75, 0.25]], [[0.5, 0.5]]], [[1.0], [0.0]])
    solution = solve(mdp)
    np.testing.assert_allclose(solution.gain, 2 / 3, rtol=1e-15)
    # Bias: h(0) - h(1) = (1 - 2/3) / (1/4).
    assert solution.bias is not None
    np.testing.assert_allclose(solution.bias[0] - solution.bias[1], 4 / 3, rtol=1e-14)
    np.testing.assert_allclose(solution.q[:, 0], solution.bias, atol=1e-14)


@pytest.mark.parametrize("method", METHODS)
def test_a_periodic_cycle_closes(method: str) -> None:
    mdp = rlt.MDP.deterministic([[1], [2], [0]], [[1.0], [0.0], [0.5]])
    solution = solve(mdp, method=method)
    np.testing.assert_allclose(solution.gain, 0.5, rtol=1e-10)
    assert_holds(mdp, solution)


def test_the_gain_may_differ_between_states() -> None:
    solution = solve(stay_or_go())
    assert solution.value.tolist() == [1.0, 0.0]
    assert solution.policy[0] == 0
    assert_holds(stay_or_go(), solution)


@pytest.mark.parametrize("n", [2, 3, 12, 301])
def test_gains_between_two_ends(n: int) -> None:
    mdp = two_ends(n)
    solution = solve(mdp)
    np.testing.assert_allclose(solution.gain, np.arange(n) / (n - 1), rtol=1e-10, atol=1e-20)
    assert solution.certificate.check(mdp)
    assert (solution.lower <= solution.gain).all() and (solution.gain <= solution.upper).all()


def test_a_discount_plays_no_part() -> None:
    plain, discounted = solve(rlt.riverswim()), solve(rlt.riverswim(discount=0.5))
    assert plain.value.tobytes() == discounted.value.tobytes()
    assert discounted.certificate.check(rlt.riverswim(discount=0.9))


def test_models_that_restart() -> None:
    mdp = rlt.MDP([[[0.0, 1.0]], [[0.0, 0.0]]], [[1.0], [3.0]], initial=[1, 0],
                  termination=[[0.0], [1.0]])  # fmt: skip
    solution = solve(mdp.restarting())
    assert solution.value.tolist() == [2.0, 2.0]


def test_all_zero_and_one_state() -> None:
    zero = solve(rlt.MDP([[[0.5, 0.5]], [[1.0, 0.0]]], [[0.0], [0.0]]))
    assert zero.gap == 0.0 and zero.value.tolist() == [0.0, 0.0]
    one = solve(rlt.MDP([[[1.0], [1.0]]], [[-3.0, -2.0]]))
    assert one.lower[0] <= -2.0 <= one.upper[0] and one.gap <= 2 * np.spacing(2.0)


def test_long_chains() -> None:
    n = 3000
    s = np.arange(n)
    left = sparse.coo_array((np.full(n, 0.6), (2 * s, np.maximum(s - 1, 0))), shape=(2 * n, n))
    right = sparse.coo_array((np.full(n, 0.4), (2 * s, np.minimum(s + 1, n - 1))), shape=(2 * n, n))
    swap = sparse.coo_array((np.ones(n), (2 * s + 1, s)), shape=(2 * n, n))
    mdp = rlt.MDP((left + right + swap).tocsr(), np.stack([-s / n, -np.ones(n)], axis=1))
    for method in ("auto", "unichain-policy-iteration"):
        solution = solve(mdp, method=method)
        assert solution.certificate.check(mdp) and solution.gap <= solution.tol


def test_currents_that_no_swimmer_beats_in_doubles() -> None:
    # From the left bank, the way right is a rare event of probability 7^-400.
    mdp = rlt.riverswim(400)
    for method in METHODS:
        solution = solve(mdp, method=method)
        np.testing.assert_allclose(solution.gain, 3 / 7, rtol=1e-10)
        assert solution.policy.tolist() == [1] * 400
    assert solution.certificate.check(mdp)


# --- certificates on random models --------------------------------------------------------


def certified(seeds: range) -> int:
    """Holds what is solved against brute force; returns how many there were."""
    count = 0
    for seed in seeds:
        mdp = recurrent_model(seed)
        assert_holds(mdp, solve(mdp))
        count += 1
    return count


def test_brackets_hold_on_random_models() -> None:
    assert certified(range(200)) == 200


@pytest.mark.slow
def test_brackets_hold_on_many_random_models() -> None:
    assert certified(range(200, 2200)) == 2000


def test_there_are_all_kinds_among_them() -> None:
    models = [recurrent_model(seed) for seed in range(200)]
    exact = [best_gains(mdp) for mdp in models]
    assert sum(len(set(g)) > 1 for g in exact) >= 30, "several gains"
    assert sum(not mdp.is_full for mdp in models) > 40, "ragged"
    assert sum(float(np.abs(mdp.row_defect).max()) > 1e-10 for mdp in models) > 40
    assert sum(mdp.storage == "deterministic" for mdp in models) > 20


def test_methods_agree_where_they_solve() -> None:
    solved = 0
    for seed in range(60):
        mdp = recurrent_model(seed)
        best = solve(mdp)
        for method in METHODS[1:]:
            try:
                other = solve(mdp, method=method)
            except (rlt.ModelError, rlt.ConvergenceError):
                assert method != "multichain-policy-iteration"
                continue
            assert (other.lower <= best.upper).all() and (best.lower <= other.upper).all()
            assert_holds(mdp, other)
            solved += 1
    assert solved > 120


def test_exact_solutions() -> None:
    for seed in range(60):
        mdp = recurrent_model(seed, most_states=4)
        exact = rlt.solve_exact(mdp, criterion="average")
        assert list(exact.value) == best_gains(mdp)
        assert policy_gains(mdp, exact.certificate.rows.tolist()) == best_gains(mdp)
        assert exact.certificate.check(exact.mdp) and exact.certificate.check(mdp.as_exact())
        solution = solve(mdp.as_exact())
        assert solution.certificate.check(mdp.as_exact())
        for s, g in enumerate(exact.value):
            assert Fraction(float(solution.lower[s])) <= g <= Fraction(float(solution.upper[s]))


def test_exact_gain_of_a_written_model() -> None:
    third = Fraction(1, 3)
    mdp = rlt.MDP([[[1 - third, third]], [[1, 0]]], [[third], [1]], exact=True)
    exact = rlt.solve_exact(mdp, criterion="average")
    assert exact.value == (Fraction(1, 2), Fraction(1, 2))  # visits 3 : 1, rewards 1/3 and 1
    assert exact.bias is not None and 3 * exact.bias[0] + exact.bias[1] == 0


# --- what is refused ----------------------------------------------------------------------


def test_what_is_refused() -> None:
    ends = rlt.MDP([[[0.5]]], [[1.0]], termination=[[0.5]])
    with pytest.raises(rlt.ModelError, match=r"ends with probability 0.5 in state 0, action 0.*"
                       r"restarting\(\)"):  # fmt: skip
        solve(ends)
    with pytest.raises(rlt.ModelError, match="has a horizon"):
        rlt.solve(rlt.riverswim().episodic(3), criterion="average")
    with pytest.raises(rlt.ModelError, match="'policy-iteration' is not one for average reward"):
        solve(rlt.riverswim(), method="policy-iteration")
    with pytest.raises(rlt.ModelError, match="it must be finite"):
        solve(rlt.riverswim(), initial_value=[np.nan] * 6)
    with pytest.raises(rlt.ModelError, match="average reward has none"):
        rlt.solve_exact(rlt.riverswim(), Fraction(1, 2), criterion="average")
    with pytest.raises(rlt.ModelError, match="a gain is of average reward"):
        rlt.solve(rlt.riverswim(discount=0.5)).gain  # noqa: B018


def test_several_gains_under_methods_for_one() -> None:
    mdp = two_ends(5)
    words = "2 closed classes, one with state 0, one with state 4; multichain-policy-iteration"
    with pytest.raises(rlt.ModelError, match=words):
        solve(mdp, method="unichain-policy-iteration")
    with pytest.raises(
        rlt.ConvergenceError, match=r"the gain differs: about 0 in .* state 0, 1"
    ) as e:
        solve(mdp, method="relative-value-iteration")
    bracket = e.value.solution
    assert bracket.lower.max() <= 1e-9 and bracket.upper.min() >= 1 - 1e-9
    assert bracket.certificate.check(mdp), "the bracket that was reached holds all the same"


def test_a_gap_above_the_tolerance_is_never_returned() -> None:
    mdp = rlt.riverswim(50)
    with pytest.raises(rlt.ConvergenceError) as e:
        solve(mdp, tol=1e-40, rtol=0.0)
    assert e.value.solution.gap <= 1e-15 and e.value.solution.certificate.check(mdp)
    for rtol in (1e-3, 1e-6, 1e-9, 1e-12, 1e-15):
        solution = solve(mdp, rtol=rtol)
        assert solution.gap <= solution.tol <= rtol


def test_overflow_is_told() -> None:
    mdp = rlt.MDP([[[0.5, 0.5]], [[1.0, 0.0]]], [[1e308], [-1e308]])
    with pytest.raises(rlt.ConvergenceError):
        solve(mdp)


# --- how it is done -----------------------------------------------------------------------


def test_notes_say_what_was_chosen() -> None:
    assert "one gain" in solve(rlt.riverswim()).note
    assert "3 different gains" in solve(two_ends(3)).note
    assert "mixes fast" in solve(rlt.garnet(states=400, actions=2, branching=5, seed=1)).note


def test_a_start_is_used() -> None:
    mdp = rlt.riverswim(200)
    first = solve(mdp, method="relative-value-iteration")
    again = solve(mdp, method="relative-value-iteration", initial_value=first.bias)
    assert again.iterations < first.iterations / 10


def test_results_do_not_depend_on_threads() -> None:
    mdp = rlt.garnet(states=3000, actions=3, branching=20, seed=2)
    before = rlt.threads()
    found = []
    try:
        for threads in (1, 2, 3):
            rlt.set_threads(threads)
            c = solve(mdp).certificate
            found.append(b"".join(x.tobytes() for x in (c.lower, c.upper, c.bias, c.rows)))
    finally:
        rlt.set_threads(before)
    assert len(set(found)) == 1


def test_rows_whose_gains_differ_by_less_than_methods_see_are_told_apart() -> None:
    transitions = np.zeros((3, 2, 3))
    transitions[1, :, 1] = transitions[2, :, 2] = 1.0
    transitions[0, 0] = [0.0, 1.0 - 4e-14, 4e-14]
    transitions[0, 1] = [0.0, 1.0 - 2e-14, 2e-14]
    mdp = rlt.MDP(transitions, [[0, 0], [1, 1], [0, 0]])
    for method in ("auto", "multichain-policy-iteration"):
        solution = rlt.solve(mdp, criterion="average", method=method, tol=1e-15)
        assert solution.policy[0] == 1
        assert solution.certificate.check(mdp).accepted


def test_a_ring_of_random_currents() -> None:
    # Chains settle where currents meet; seen from elsewhere, that is some 1e15 steps away.
    n, here = 600, np.arange(600)
    random = np.random.default_rng(1)
    table = np.zeros((n, 2, n))
    for step in (-1, 0, 1):
        table[here, :, (here + step) % n] = random.random((n, 2))
    table /= table.sum(axis=2, keepdims=True)
    mdp = rlt.MDP(table, random.standard_normal((n, 2)))
    for method in ("auto", "unichain-policy-iteration"):
        solution = rlt.solve(mdp, criterion="average", method=method)
        assert solution.gap <= solution.tol


@pytest.mark.parametrize("size", [1e-290, 1e-170, 1e160, 1e200, 1e290])
def test_gains_whose_squares_no_double_holds(size: float) -> None:
    # State 1 ends in 0 with 5/6, in 2 with 1/6: rounding decides on the sign of P g - g.
    rows = [[[1, 0, 0]], [[0.625, 0.25, 0.125]], [[0, 0, 1]]]
    mdp = rlt.MDP(rows, [[3 * size], [size], [-size]])
    solution = rlt.solve(mdp, criterion="average")
    truth = (5 * Fraction(3 * size) - Fraction(size)) / 6
    assert Fraction(float(solution.lower[1])) <= truth <= Fraction(float(solution.upper[1]))
    assert solution.certificate.check(mdp).accepted


def test_a_bias_that_no_double_holds() -> None:
    rare = Fraction(1, 10**400)
    mdp = rlt.MDP([[[1 - rare, rare]], [[0, 1]]], [[0], [1]], exact=True)
    solution = rlt.solve(mdp, criterion="average")
    assert solution.lower.tolist() == solution.upper.tolist() == [1.0, 1.0]
    assert solution.bias is None and solution.note.endswith("which the certificate has")
    assert solution.certificate.check(mdp).accepted
