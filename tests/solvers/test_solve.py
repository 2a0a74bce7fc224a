"""`solve`: what it takes and refuses, what it promises, and what it says when it cannot."""

import dataclasses
import itertools
import math
import time
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

import rltheory as rlt
from rltheory.solvers.certify import guaranteed_reach
from rltheory.solvers.finite_horizon import reach

METHODS = (
    "auto",
    "value-iteration",
    "gauss-seidel",
    "modified-policy-iteration",
    "policy-iteration",
)


def river(discount: float = 0.99) -> rlt.MDP:
    return rlt.riverswim(discount=discount)


def puterman(discount: float | Fraction) -> rlt.MDP:
    """Markov Decision Processes (1994), section 3.1."""
    return rlt.MDP.from_pairs(
        [0, 0, 1],
        [0, 1, 0],
        [[0.5, 0.5], [0.0, 1.0], [0.0, 1.0]],
        [5.0, 10.0, -1.0],
        discount,
        exact=isinstance(discount, Fraction),
    )


def largest_bound(solution: rlt.Solution) -> float:
    return max(float(np.abs(solution.lower).max()), float(np.abs(solution.upper).max()))


def tightest(mdp: rlt.MDP | rlt.EpisodicMDP) -> rlt.Solution:
    try:
        return rlt.solve(mdp, tol=0.0)
    except rlt.ConvergenceError as error:
        return error.solution


def refused(words: str, mdp: Any, **arguments: Any) -> None:
    with pytest.raises(rlt.ModelError) as caught:
        rlt.solve(mdp, **arguments)
    assert words in str(caught.value) and "\n" not in str(caught.value)


# --- tolerances ---------------------------------------------------------------------------------


def test_the_tolerance_is_the_larger_of_both() -> None:
    mdp = river()
    size = largest_bound(rlt.solve(mdp))
    assert 40 < size < 50
    for tol, rtol in (
        (1e-6, None),
        (1e-12, None),
        (None, 1e-5),
        (1e-3, 1e-8),
        (1e-9, 1e-3),
        (0.0, 1e-9),
        (1e-9, 0.0),
        (None, None),
    ):
        solution = rlt.solve(mdp, tol=tol, rtol=rtol)
        relative = 1e-10 if tol is None and rtol is None else rtol or 0.0
        assert solution.tol == max(tol or 0.0, relative * largest_bound(solution))
        assert solution.gap <= solution.tol
        assert solution.mdp is mdp


def test_a_smaller_tolerance_gives_a_smaller_gap() -> None:
    mdp = rlt.garnet(300, 3, 4, 0, 0.999)
    gaps = [rlt.solve(mdp, tol=tol).gap for tol in (1.0, 1e-4, 1e-8, 1e-11)]
    assert gaps == sorted(gaps, reverse=True) and gaps[0] > 1e4 * gaps[-1]


def test_where_the_size_of_the_bounds_says_nothing() -> None:
    # All values are 0, and so is every tolerance relative to them.
    mdp = rlt.MDP([[[1.0], [1.0]]], [[0.0, -1e6]], 0.9)
    assert rlt.solve(mdp).tol == 1e-10 * 2.0**-53 * 1e6
    assert rlt.solve(mdp, rtol=0.5).tol == 0.5 * 2.0**-53 * 1e6
    assert rlt.solve(mdp, tol=0.0).tol == 0.0


@pytest.mark.parametrize("name", ["tol", "rtol"])
@pytest.mark.parametrize(
    "bad",
    [
        *(-1e-9, -1, math.nan, math.inf, -math.inf, np.float64("nan"), Fraction(-1, 3)),
        *(True, False, "x", 1j, [1e-9], (), {}, np.array([1e-9, 1e-9])),
    ],
    ids=repr,
)
def test_tolerances_that_are_refused(name: str, bad: Any) -> None:
    for mdp in (river(), river().episodic(3)):
        refused(f"{name} is {bad!r}; it must be finite and at least 0", mdp, **{name: bad})
        refused(f"{name} is", mdp, **{"tol": 1e-6, "rtol": 1e-6, name: bad})


@pytest.mark.parametrize("bad", ["1e-3", b"1", np.True_, 10**400], ids=repr)
def test_tolerances_of_other_kinds_are_refused(bad: Any) -> None:
    refused("tol is", river(), tol=bad)


@pytest.mark.parametrize(
    "good", [1, np.float32(0.5), np.int64(1), Fraction(1, 3), np.float64(1e-9), np.array(0.25)]
)
def test_tolerances_of_other_types(good: Any) -> None:
    solution = rlt.solve(river(), tol=good)
    assert solution.tol == float(good) and type(solution.tol) is float


# --- methods, criteria, models ------------------------------------------------------------------


@pytest.mark.parametrize("bad", ["Auto", "", "vi", "linear-programming", None, 0, True, 1.5])
def test_unknown_methods(bad: Any) -> None:
    known = "auto, value-iteration, gauss-seidel, modified-policy-iteration, policy-iteration"
    refused(f"method {bad!r} is unknown; known are {known}", river(), method=bad)
    refused(f"method {bad!r} does not solve models with a horizon", river().episodic(2), method=bad)


def test_a_method_that_is_a_list() -> None:
    refused("method ['auto'] is unknown", river(), method=["auto"])


def test_methods_for_the_other_criterion() -> None:
    words = "does not solve models with a horizon; 'backward-induction' does"
    for method in METHODS[1:]:
        refused(words, river().episodic(2), method=method)
    refused("method 'backward-induction' is unknown", river(), method="backward-induction")
    for method in ("auto", "backward-induction"):
        solution = rlt.solve(river().episodic(2), method=method)
        assert solution.method == "backward-induction" and solution.iterations == 1


def test_criteria() -> None:
    episodic = river().episodic(2)
    assert rlt.solve(river(), criterion="discounted").criterion == "discounted"
    assert rlt.solve(episodic, criterion="finite-horizon").criterion == "finite-horizon"
    assert rlt.solve(river()).criterion == "discounted"
    assert rlt.solve(episodic).criterion == "finite-horizon"
    assert rlt.solve(river(), criterion="average").criterion == "average"
    refused("it has a horizon", episodic, criterion="average")
    refused("total reward is +infinity", river(), criterion="total")
    refused("criterion 'total' does not fit", episodic, criterion="total")
    for bad in ("finite-horizon", "Discounted", 1, True, ["discounted"]):
        refused("does not fit this model; it is discounted", river(), criterion=bad)
    refused("the others are 'average' and 'total'", river(), criterion="mean")
    for bad in ("discounted", "", 0):
        refused("does not fit this model; it is finite-horizon", episodic, criterion=bad)


def test_a_model_without_a_discount() -> None:
    words = "the model has no discount; give one with with_discount(g), or a horizon"
    refused(words, rlt.riverswim())
    refused(words, rlt.riverswim(), method="value-iteration")


@pytest.mark.parametrize("thing", [None, 3, [[1.0]], "riverswim", rlt.MDP, river().arrays()])
def test_things_that_are_no_model(thing: Any) -> None:
    refused(f"solve takes an MDP or an EpisodicMDP, not {type(thing).__name__}", thing)


def test_arguments_have_names() -> None:
    with pytest.raises(TypeError):
        rlt.solve(river(), "discounted")  # type: ignore[misc]


# --- where a method starts ----------------------------------------------------------------------


def test_initial_values_that_are_refused() -> None:
    mdp = river()
    for bad, words in (
        (np.zeros(5), "value has shape (5,); it must be (6,)"),
        (np.zeros((6, 1)), "value has shape (6, 1); it must be (6,)"),
        (np.zeros((1, 6)), "value has shape (1, 6)"),
        (0.0, "value has shape ()"),
        ([], "value has shape (0,)"),
        ([0, 0, 0, math.nan, 0, math.inf], "value[3] is nan; it must be finite"),
        ([0, 0, 0, 0, 0, -math.inf], "value[5] is -inf; it must be finite"),
        ("000000", "must hold real numbers"),
        ([True] * 6, "value has dtype bool; it must hold real numbers"),
        ([1j] * 6, "value has dtype complex128"),
        ([None] * 6, "value has dtype object"),
        ([Fraction(1, 3)] * 6, "value has dtype object"),
    ):
        for method in METHODS:
            refused(words, mdp, method=method, initial_value=bad)
    refused("initial_value is given", mdp.episodic(2), initial_value=np.zeros(6))
    refused("initial_value is given", mdp.episodic(2), initial_value=np.zeros((3, 6)))


@pytest.mark.parametrize("method", METHODS)
def test_initial_values_change_the_work_and_not_the_answer(method: str) -> None:
    mdp = river()
    cold = rlt.solve(mdp, method=method)
    start = cold.value.copy()
    warm = rlt.solve(mdp, method=method, initial_value=start)
    assert warm.policy.tolist() == cold.policy.tolist()
    assert warm.iterations < cold.iterations
    assert warm.iterations <= 4
    assert start.tolist() == cold.value.tolist()  # and it is not written to
    for given in ([7] * 6, np.arange(6), np.full(6, -3, dtype=np.float32), np.full(12, 1e17)[::2]):
        solution = rlt.solve(mdp, method=method, initial_value=given)
        assert (np.maximum(solution.lower, cold.lower) <= solution.upper).all()
        assert (np.maximum(solution.lower, cold.lower) <= cold.upper).all()
        assert solution.gap <= solution.tol and solution.certificate.check(mdp)


def test_the_solution_keeps_nothing_of_the_initial_value() -> None:
    mdp = rlt.MDP([[[1.0]]], [[1.0]], 0.5)
    start = np.array([2.0])
    solution = rlt.solve(mdp, initial_value=start)
    start[0] = 99.0
    assert solution.value.tolist() == [2.0] and solution.certificate.check(mdp)


# --- what cannot be reached ---------------------------------------------------------------------


def test_a_tolerance_below_what_is_guaranteed() -> None:
    mdp = river()
    with pytest.raises(rlt.ConvergenceError) as caught:
        rlt.solve(mdp, tol=1e-20)
    error = caught.value
    assert isinstance(error, rlt.RLTheoryError) and not isinstance(error, ValueError)
    best = error.solution
    assert error.wanted == best.tol == 1e-20
    assert error.reached == best.gap > 1e-20
    sure = guaranteed_reach(mdp.core, 0.99, largest_bound(best))
    assert error.reached <= sure
    assert error.reason == f"a gap of {sure:.3g} is what double-double guarantees on this model"
    assert str(error) == (
        f"the certified gap is {best.gap:.3g}, above the tolerance 1e-20: {error.reason}"
    )
    # The bracket that comes with it is as good as any.
    assert best.certificate.check(mdp) and best.mdp is mdp
    assert repr(best).startswith(f"Solution(gap {best.gap:.3g} ABOVE tol 1e-20, discounted")
    assert not best.value.flags.writeable


def test_a_tolerance_below_what_is_guaranteed_with_a_horizon() -> None:
    mdp = rlt.riverswim().episodic(50)
    with pytest.raises(rlt.ConvergenceError) as caught:
        rlt.solve(mdp, tol=0.0)
    error = caught.value
    sure = reach(mdp, largest_bound(error.solution))
    assert error.reason == f"a gap of {sure:.3g} is what double-double guarantees on this model"
    assert 0.0 == error.wanted < error.reached == error.solution.gap <= sure
    assert error.solution.certificate.check(mdp)
    assert "ABOVE tol 0, finite-horizon" in repr(error.solution)


def test_the_reach_is_the_formula_of_the_documentation() -> None:
    # 4 max E2 / ((1 - discount)(1 - 2^-28)) + 2 ulp(max |V|), where
    # E2 = (4n + 40) u^2 M + (n + 8) 2^-1070.
    mdp, value = river(), 43.8
    error = Fraction(4 * 3 + 40, 2**106) * (1 + 2 * Fraction(value)) + Fraction(11, 2**1070)
    wanted = 4 * error / (1 - Fraction(0.99)) / (1 - Fraction(1, 2**28))
    wanted += 2 * Fraction(math.ulp(value))
    assert guaranteed_reach(mdp.core, 0.99, value) == pytest.approx(float(wanted), rel=1e-12)
    steps = 2 * 50 * error / (1 - Fraction(1, 2**28)) + 2 * Fraction(math.ulp(value))
    assert reach(mdp.episodic(50), value) == pytest.approx(float(steps), rel=1e-12)


def test_what_is_guaranteed_is_reached() -> None:
    below = 0
    for seed in range(1500):
        mdp = rlt.awkward(seed)
        best = tightest(mdp)
        sure = guaranteed_reach(mdp.core, float(mdp.discount or 0), largest_bound(best))
        solution = rlt.solve(mdp, tol=sure)
        assert solution.gap <= sure == solution.tol, seed
        below += best.gap < sure
    assert below > 1000  # what is tried reaches further


def test_a_gap_above_the_tolerance_by_one_bit_is_refused() -> None:
    refusals = 0
    for seed in range(200):
        mdp = rlt.awkward(seed) if seed % 2 else rlt.awkward(seed, horizon=3)
        best = tightest(mdp)
        assert rlt.solve(mdp, tol=best.gap).gap == best.gap
        if best.gap > 0.0:
            refusals += 1
            with pytest.raises(rlt.ConvergenceError):
                rlt.solve(mdp, tol=math.nextafter(best.gap, 0.0))
    assert refusals > 100


@pytest.mark.parametrize("discount", [1 - 1e-7, 1 - 1e-9, 1 - 1e-12])
def test_what_is_guaranteed_is_reached_near_a_discount_of_one(discount: float) -> None:
    for seed in range(400):
        mdp = rlt.awkward(seed, discount=discount)
        sure = guaranteed_reach(mdp.core, discount, largest_bound(tightest(mdp)))
        solution = rlt.solve(mdp, tol=sure)
        assert solution.gap <= sure, seed
        if seed % 20 == 0:
            assert solution.certificate.check(mdp)


def test_what_is_guaranteed_is_reached_with_a_horizon() -> None:
    for seed in range(250):
        mdp = rlt.awkward(seed, horizon=1 + seed % 40)
        sure = reach(mdp, largest_bound(tightest(mdp)))
        assert rlt.solve(mdp, tol=sure).gap <= sure, seed


def test_what_is_guaranteed_is_reached_with_closed_off_cells() -> None:
    # Some cells cannot reach the goal; all their actions are worth the same, which is 0.
    rlt.solve(rlt.gridworld(16, 16, slip=0.1, walls=0.3, seed=2, discount=1 - 1e-12))


def test_exact_models_near_a_discount_of_one() -> None:
    rows = [[[Fraction(1, 3), Fraction(2, 3)]], [[Fraction(1, 7), Fraction(6, 7)]]]
    mdp = rlt.MDP(rows, [[Fraction(1, 3)], [0]], 1 - Fraction(1, 10**7), exact=True)
    solution = rlt.solve(mdp)
    assert solution.certificate.check(mdp)


def test_the_largest_discount_below_one() -> None:
    # With 1 - 2^-53 the equations of a policy are singular as doubles, up to rounding.
    for stay in (1 / 7, 1.0 - 1e-6):
        rows = [[[stay, 1.0 - stay]], [[1.0 - stay, stay]]]
        mdp = rlt.MDP(rows, [[1.0], [0.0]], 1 - 2.0**-53)
        solution = rlt.solve(mdp)
        assert solution.gap <= solution.tol and solution.certificate.check(mdp)
        with pytest.raises(rlt.ConvergenceError) as caught:
            rlt.solve(mdp, tol=1e-3)
        error = caught.value
        assert "is what double-double guarantees" in error.reason
        assert error.reached == error.solution.gap > error.wanted == error.solution.tol > 0
        assert error.solution.certificate.check(mdp)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("discount", [0.5, 0.99, 1 - 1e-9])
def test_overflow(method: str, discount: float) -> None:
    random = np.random.default_rng(1)
    rewards = np.array([[1e308, -1e308], [1e308, 1e308], [-1e308, 1e308]])
    mdp = rlt.MDP(random.dirichlet(np.ones(3), size=(3, 2)), rewards, discount)
    with pytest.raises(rlt.ConvergenceError) as caught:
        rlt.solve(mdp, method=method)
    error = caught.value
    assert error.solution is None and error.reached == math.inf
    assert error.reason == "overflow: values or residuals are not finite as doubles"
    assert error.wanted == 1e-10 * (2.0**-53 * 1e308)
    with pytest.raises(rlt.ConvergenceError, match="above the tolerance 1: overflow"):
        rlt.solve(mdp, method=method, tol=1.0)


def test_overflow_with_a_horizon() -> None:
    mdp = rlt.EpisodicMDP([[[1.0]]], [[1e308]], 2)
    with pytest.raises(rlt.ConvergenceError, match="overflow") as caught:
        rlt.solve(mdp)
    assert caught.value.solution is None and caught.value.reached == math.inf
    # Values up to a quarter of the largest double are solved.
    short = rlt.EpisodicMDP([[[1.0]]], [[2.0**1019]], 8)
    assert rlt.solve(short).certificate.check(short)


# --- badly scaled models ------------------------------------------------------------------------


def within(solution: rlt.Solution, exact: Any) -> bool:
    return all(
        Fraction(low) <= x <= Fraction(high)
        for low, x, high in zip(solution.lower, exact, solution.upper, strict=True)
    )


def puterman_value(discount: float) -> tuple[Fraction, Fraction]:
    b = Fraction(discount)
    assert b > Fraction(10, 11)
    return (5 - Fraction(11, 2) * b) / ((1 - b / 2) * (1 - b)), -1 / (1 - b)


def test_putermans_example_at_999() -> None:
    solution = rlt.solve(puterman(0.999), tol=1e-9)
    assert solution.gap <= 1e-9 == solution.tol
    assert within(solution, puterman_value(0.999))
    assert solution.certificate.check(puterman(0.999))


@pytest.mark.parametrize("method", ["auto", "policy-iteration"])
@pytest.mark.parametrize("discount", [1 - 1e-7, 1 - 1e-12])
def test_a_discount_near_one(discount: float, method: str) -> None:
    mdp = puterman(discount)
    exact = puterman_value(discount)
    solution = rlt.solve(mdp, method=method)
    assert solution.gap <= 1e-10 * abs(float(exact[1])) and within(solution, exact)
    # To the last two bits.
    last = 2 * math.ulp(float(exact[1]))
    close = rlt.solve(mdp, method=method, tol=last)
    assert close.gap <= last and within(close, exact) and close.certificate.check(mdp)


@pytest.mark.parametrize("method", METHODS)
def test_a_discount_near_one_and_large_rewards(method: str) -> None:
    # Two states that swap, 1e6 and -1e6: V = 1e6 / (1 + discount) where the sums are of 1e13.
    # Sweeps take their time.
    slow = {"value-iteration": 1 - 1e-4, "gauss-seidel": 1 - 1e-4}
    slow["modified-policy-iteration"] = 0.99
    discount = slow.get(method, 1 - 1e-7)
    mdp = rlt.MDP([[[0.0, 1.0]], [[1.0, 0.0]]], [[1e6], [-1e6]], discount)
    value = 10**6 / (1 + Fraction(discount))
    solution = rlt.solve(mdp, method=method)
    assert within(solution, (value, -value)) and solution.gap <= 1e-10 * float(value)
    # All rewards 1e6 and a residual of one ulp: V = 1e13, certified to 1e-10 of it.
    mdp = rlt.MDP([[[0.1, 0.9]], [[0.7, 0.3]]], [[1e6], [1e6]], discount)
    value = 10**6 / (1 - Fraction(discount))
    solution = rlt.solve(mdp, method=method)
    assert within(solution, (value, value)) and solution.gap <= 1e-10 * float(value)
    assert solution.certificate.check(mdp)


def test_rewards_of_all_sizes_in_one_model() -> None:
    # One reward is 1e-20 of the other; its state's value is certified to 1e-10 of the whole.
    mdp = rlt.MDP([[[1.0, 0.0]], [[0.0, 1.0]]], [[1e10], [1e-10]], 0.5)
    solution = rlt.solve(mdp)
    assert within(solution, (2 * Fraction(1e10), 2 * Fraction(1e-10)))
    assert solution.tol == 1e-10 * largest_bound(solution) and 1.9 < solution.tol < 2.1


def test_a_large_model() -> None:
    mdp = rlt.garnet(20_000, 4, 5, seed=0, discount=0.99)
    solution = rlt.solve(mdp, tol=1e-8)
    assert solution.gap <= 1e-8 == solution.tol
    found = solution.certificate.check(mdp)
    assert found and "20000 states and 80000 rows" in found.reason
    assert solution.lower.min() > 0 and solution.upper.max() < 100
    # Every state counts: one bound moved across the value is found.
    lower = solution.lower.copy()
    lower[19_999] = solution.upper[19_999] + 1e-9
    assert not dataclasses.replace(solution.certificate, lower=lower).check(mdp)


def test_sweeps_that_rounding_keeps_from_converging() -> None:
    # A cycle of two states whose values stop changing by rounding at +-8e-17.
    mdp = rlt.awkward(3005)
    plain = rlt.solve(mdp, method="value-iteration").iterations
    modified = rlt.solve(mdp, method="modified-policy-iteration").iterations
    assert modified < 4 * plain


# --- what a solution says -----------------------------------------------------------------------


def test_repr() -> None:
    solution = rlt.solve(puterman(0.95))
    fixed = dataclasses.replace(solution, gap=1.25e-13, tol=2e-9, iterations=2, seconds=0.01234)
    assert repr(fixed) == (
        "Solution(gap 1.25e-13 <= tol 2e-09, discounted, 2 states, auto, 2 iterations, 0.012 s)"
    )
    above = dataclasses.replace(fixed, tol=1.2e-13, method="gauss-seidel")
    assert repr(above) == (
        "Solution(gap 1.25e-13 ABOVE tol 1.2e-13, discounted, 2 states, gauss-seidel, "
        "2 iterations, 0.012 s)"
    )
    equal = dataclasses.replace(fixed, gap=0.0, tol=0.0, seconds=75.0)
    assert "gap 0 <= tol 0," in repr(equal) and repr(equal).endswith("75.000 s)")
    episodic = dataclasses.replace(
        rlt.solve(puterman(0.95).episodic(3)), gap=0.5, tol=1.0, seconds=0.0
    )
    assert repr(episodic) == (
        "Solution(gap 0.5 <= tol 1, finite-horizon, 2 states, backward-induction, 1 iterations, "
        "0.000 s)"
    )


def test_notes() -> None:
    small = rlt.solve(rlt.garnet(50, 2, 3, 0, 0.9))
    assert small.note == "policy iteration: at most 50 states"
    larger = rlt.solve(rlt.garnet(51, 2, 3, 0, 0.9))
    assert larger.note == "modified policy iteration: it mixes fast"
    slow = rlt.solve(rlt.gridworld(60, 60, walls=0.2, discount=0.999, step_reward=-1.0))
    assert slow.note == (
        "it mixes slowly: sweeps backwards from where most is earned, then equations of policies"
    )
    far = rlt.solve(rlt.riverswim(2000, 0.99), tol=1e-6)
    assert far.note == (
        "its states are far apart: sweeps backwards from where most is earned, then equations of "
        "policies"
    )
    rng = np.random.default_rng(1)
    table = np.zeros((60, 2, 60))
    for s, a in itertools.product(range(60), range(2)):
        for t in rng.integers(20, size=4):
            table[s, a, (s // 20 + 1) % 3 * 20 + t] += 0.25
    periodic = rlt.solve(rlt.MDP(table, rng.random((60, 2)), 0.99))
    assert periodic.note == (
        "modified policy iteration: it mixes fast within the 3 classes of states it goes round in"
    )
    front = rlt.solve(rlt.combination_lock(40, actions=4, discount=0.999))
    assert front.note == (
        "policy iteration: at most 50 states; sweeps backwards from where most is earned in "
        "between: news travels slowly"
    )
    fine = rlt.solve(river(1 - 1e-7))
    assert fine.note == "policy iteration: at most 50 states; refined in double-double"
    for method in METHODS[1:]:
        assert rlt.solve(river(0.9), method=method).note == ""
        tol = 1e-14
        assert rlt.solve(river(0.9), method=method, tol=tol).note == "refined in double-double"
    episodic = river().episodic(100)
    assert rlt.solve(episodic).note == ""
    double = rlt.solve(episodic, tol=1e-14)
    assert double.note == "in double-double: doubles do not reach the tolerance"
    assert double.iterations == 2


def test_q_of_a_full_model() -> None:
    mdp = river()
    solution = rlt.solve(mdp)
    expected = mdp.rewards + 0.99 * (mdp.transitions @ solution.value).reshape(6, 2)
    assert solution.q.shape == (6, 2)
    assert np.allclose(solution.q, expected, rtol=1e-14)
    assert solution.q is solution.q
    assert solution.q.argmax(axis=1).tolist() == solution.policy.tolist()
    assert np.allclose(solution.q.max(axis=1), solution.value, rtol=1e-12)


def test_q_of_a_ragged_model() -> None:
    mdp = puterman(0.95)
    solution = rlt.solve(mdp)
    one, two = solution.value
    expected = [5 + 0.95 * (one + two) / 2, 10 + 0.95 * two, -1 + 0.95 * two]
    assert solution.q.shape == (3,) and np.allclose(solution.q, expected, rtol=1e-14)
    assert solution.policy.tolist() == [0, 0]


def test_q_with_a_horizon() -> None:
    mdp = rlt.random_episodic(4, 3, 5, seed=2)
    solution = rlt.solve(mdp)
    assert solution.q.shape == (5, 4, 3) and solution.value.shape == (6, 4)
    transitions = mdp.transitions.toarray().reshape(5, 4, 3, 4)
    for h in range(5):
        expected = mdp.rewards[h] + transitions[h] @ solution.value[h + 1]
        assert np.allclose(solution.q[h], expected, rtol=1e-13)
    assert np.allclose(solution.q.max(axis=2), solution.value[:-1], rtol=1e-12)
    assert not solution.value[-1].any()
    stationary = rlt.solve(river().episodic(4))
    assert stationary.q.shape == (4, 6, 2)
    assert np.allclose(stationary.q[3], river().rewards)
    ragged = rlt.solve(puterman(0.5).episodic(4))
    assert ragged.q.shape == (4, 3) and ragged.q[3].tolist() == [5.0, 10.0, -1.0]


@pytest.mark.parametrize("method", METHODS)
def test_fields(method: str) -> None:
    begin = time.perf_counter()
    solution = rlt.solve(river(), method=method)
    assert 0.0 <= solution.seconds <= time.perf_counter() - begin
    assert type(solution.iterations) is int and solution.iterations > 0
    assert solution.method == method
    assert solution.policy.dtype == np.int64 and solution.policy.tolist() == [1] * 6
    assert solution.value.dtype == np.float64 and solution.value.shape == (6,)
    assert type(solution.gap) is float and type(solution.tol) is float
    assert solution.lower is solution.certificate.lower
    assert solution.upper is solution.certificate.upper
    for array in (solution.value, solution.policy, solution.lower, solution.upper):
        assert not array.flags.writeable
    with pytest.raises(dataclasses.FrozenInstanceError):
        solution.gap = 0.0  # type: ignore[misc]


def test_solving_changes_nothing_and_repeats_itself() -> None:
    for mdp in (rlt.awkward(5), rlt.awkward(5, horizon=3), rlt.garnet(500, 3, 5, 1, 0.999)):
        before = mdp.fingerprint
        one, two = rlt.solve(mdp), rlt.solve(mdp)
        assert one.value.tobytes() == two.value.tobytes()
        assert one.lower.tobytes() == two.lower.tobytes()
        assert (one.gap, one.iterations, one.note) == (two.gap, two.iterations, two.note)
        assert mdp.fingerprint == before
