"""Theorems T1 and T2: bounds of residuals that rounding cannot break, row by row in Fractions.

Each row is repeated in every state of a model of its own, so that the kernels' minimum over the
policy and maximum over all rows are the bounds of that one row.
"""

import math
from fractions import Fraction

import numpy as np
import plain_residuals as plain
from plain_hard_rows import some_rows
from plain_residuals import Row
from plain_rows import Vector, rows_of

import rltheory as rlt
from rltheory import _core

kernels = _core.solvers


def model_of(row: Row) -> rlt.MDP:
    n = len(row.prob)
    return rlt.MDP(
        np.broadcast_to(row.prob, (n, 1, n)),
        np.full((n, 1), row.reward),
        termination=np.full((n, 1), row.exit),
    )


def bounds_of(row: Row, tail: Vector | None = None) -> tuple[float, float, bool]:
    n, ahead = len(row.prob), np.array(row.ahead)
    own, rows = np.full(n, row.own), np.arange(n)
    core = model_of(row).core
    if tail is None:
        return kernels.residual_bounds(core, 0, row.discount, ahead, own, rows)
    zero = np.zeros(n)
    found = kernels.precise_residual_bounds(core, 0, row.discount, ahead, tail, own, zero, rows)
    return found[:3]


def all_zero(row: Row) -> bool:
    """Whether the residual is 0 whatever the probabilities, so that its error is 0 too."""
    terms = zip(row.prob, row.ahead, strict=True)
    return row.reward == row.own == 0.0 and not any(p and v for p, v in terms)


def with_tail(row: Row, tail: Vector) -> Row:
    ahead = [Fraction(a) + Fraction(float(b)) for a, b in zip(row.ahead, tail, strict=True)]
    return row._replace(ahead=ahead)


def some_tail(row: Row, random: np.random.Generator) -> Vector:
    """What makes a normalised head + tail of the row's values."""
    return np.array(row.ahead) * 2.0**-53 * random.uniform(-1, 1, len(row.ahead)) * 0.999


def is_twice(low: float, high: float, error: Fraction) -> bool:
    """Whether the bounds are `error` apart on both sides of a middle, but for last bits."""
    step = 4 * Fraction(math.ulp(max(abs(low), abs(high))))
    return abs(Fraction(high) - Fraction(low) - 2 * error) <= error / 1000 + step


def terms_of(row: Row) -> int:
    """Products that the kernel forms: of all states where rows are stored densely."""
    some = sum(p != 0.0 for p in row.prob)
    return len(row.prob) if model_of(row).storage == "dense" else some


def test_t1_bounds_contain_the_exact_residual_and_are_as_wide_as_proved() -> None:
    storages, zero = set(), 0
    for row in some_rows(6000):
        low, high, finite = bounds_of(row)
        exact = plain.residual(row)
        assert finite and Fraction(low) <= exact <= Fraction(high), row
        if all_zero(row):
            assert low == high == 0.0
            zero += 1
        else:
            assert is_twice(low, high, plain.error_in_doubles(row, terms_of(row))), row
        storages.add(model_of(row).storage)
    assert storages == {"csr", "dense", "deterministic"} and zero > 50


def test_t2_bounds_contain_the_exact_scaled_residual_and_are_as_wide_as_proved() -> None:
    random, done, sharp = np.random.default_rng(3), 0, 0
    for row in some_rows(6000):
        tail = some_tail(row, random)
        low, high, finite = bounds_of(row, tail)
        if not finite:  # splitting a factor above 2^996 overflows: said, and so refused
            assert max(map(abs, [row.reward, row.own, *row.ahead])) > 2.0**995
            continue
        full = with_tail(row, tail)
        exact = plain.residual(full) * plain.row_sum(full)
        assert Fraction(low) <= exact <= Fraction(high), row
        if all_zero(row):
            assert low == high == 0.0
        else:
            assert is_twice(low, high, plain.error_in_double_double(row, terms_of(row))), row
        done += 1
        sharp += Fraction(high) - Fraction(low) < plain.error_in_doubles(row, 1) / 1000
    assert done > 5000 and sharp > 1000


def broken(row: Row, defect: float, error: Fraction) -> bool:
    """Whether a residual computed with this defect misses the exact one by more than `error`."""
    return abs(Fraction(plain.in_doubles(row, defect)) - plain.residual(row)) > error


def test_t1_mutants_break_on_the_same_rows() -> None:
    mutants = {"as proved": 0, "E = 0": 0, "delta ignored": 0, "delta without exit": 0}
    for row in some_rows(3000):
        error = plain.error_in_doubles(row, len(row.prob))
        without = math.fsum([*row.prob, -1.0])
        delta = math.fsum([*row.prob, row.exit, -1.0])
        mutants["as proved"] += broken(row, delta, error)
        mutants["E = 0"] += broken(row, delta, Fraction(0))
        mutants["delta ignored"] += broken(row, 0.0, error)
        mutants["delta without exit"] += broken(row, without, error)
    assert mutants.pop("as proved") == 0
    assert min(mutants.values()) > 200, mutants


def test_t2_mutants_break_on_the_same_rows() -> None:
    mutants = {"E_2 = 0": 0, "delta ignored": 0, "delta without exit": 0}
    random = np.random.default_rng(3)
    for row in some_rows(3000):
        tail = some_tail(row, random)
        low, high, finite = bounds_of(row, tail)
        if not finite:
            continue
        full = with_tail(row, tail)
        sigma, rho = plain.row_sum(full), plain.residual(full)
        mutants["E_2 = 0"] += Fraction(low) + Fraction(high) != 2 * sigma * rho
        # With another sum in its place, the row's scaled residual is another number.
        change = Fraction(row.reward) - Fraction(row.own)
        for name, wrong in (
            ("delta ignored", Fraction(1)),
            ("delta without exit", sum(map(Fraction, row.prob))),
        ):
            mutant = sigma * rho + (wrong - sigma) * change
            mutants[name] += not Fraction(low) <= mutant <= Fraction(high)
    assert min(mutants.values()) > 200, mutants


def residuals_of(mdp: rlt.MDP, v: Vector, own: Vector) -> list[tuple[int, Fraction, Fraction]]:
    """State, residual and row sum of every row."""
    rows, out = rows_of(mdp), []
    for s, p, x, r in zip(rows.state, rows.prob, rows.exit, rows.reward, strict=True):
        row = Row(
            p.tolist(), float(x), float(r), float(mdp.discount or 0.0), v.tolist(), float(own[s])
        )
        out.append((int(s), plain.residual(row), plain.row_sum(row)))
    return out


def test_low_is_of_the_policy_and_high_of_all_rows() -> None:
    apart = 0
    for seed in range(400):
        mdp = rlt.awkward(seed)
        random = np.random.default_rng(seed)
        rows = rows_of(mdp)
        size = float(np.abs(rows.reward).max()) or 1.0
        v, own = size * random.normal(size=(2, mdp.n_states))
        exact = residuals_of(mdp, v, own)
        policy = np.array(
            [random.choice(np.flatnonzero(rows.state == s)) for s in range(mdp.n_states)]
        )
        zero, discount = np.zeros(mdp.n_states), float(mdp.discount or 0.0)
        one = kernels.residual_bounds(mdp.core, 0, discount, v, own, policy)
        two = kernels.precise_residual_bounds(mdp.core, 0, discount, v, zero, own, zero, policy)
        least = min(exact[r][1] for r in policy)
        scaled = min(exact[r][1] * exact[r][2] for r in policy)
        wide = Fraction(size) * Fraction(1, 10**12)
        for (low, high, finite), bottom, top in (
            (one, least, max(rho for _, rho, _ in exact)),
            (two[:3], scaled, max(rho * sigma for _, rho, sigma in exact)),
        ):
            assert finite
            assert bottom - wide <= Fraction(low) <= bottom
            assert top <= Fraction(high) <= top + wide
        apart += min(rho for _, rho, _ in exact) < least - wide
    assert apart > 100


def test_a_stage_looks_ahead_to_the_next_one() -> None:
    for seed in range(60):
        mdp = rlt.awkward(seed, states=3, horizon=4)
        v, own = np.random.default_rng(seed).normal(size=(2, 3))
        zero = np.zeros(3)
        for h in range(4):
            part, stage = rows_of(mdp, h), mdp.stage(h)
            first = int(mdp.pair_ptr[3 * stage])
            ends = zip(part.state, part.prob, part.exit, part.reward, strict=True)
            exact = [
                plain.residual(Row(p.tolist(), float(x), float(r), 1.0, v.tolist(), own[s]))
                for s, p, x, r in ends
            ]
            local = [int(np.flatnonzero(part.state == s)[-1]) for s in range(3)]
            policy = first + np.array(local)
            near = Fraction(1 + float(np.abs(part.reward).max())) / 10**8
            one = kernels.residual_bounds(mdp.core, stage, 1.0, v, own, policy)
            two = kernels.precise_residual_bounds(mdp.core, stage, 1.0, v, zero, own, zero, policy)
            for low, high in (one[:2], two[:2]):
                assert abs(Fraction(low) - min(exact[r] for r in local)) <= near
                assert abs(Fraction(high) - max(exact)) <= near


def test_residuals_and_better_rows() -> None:
    switched = 0
    for seed in range(400):
        mdp = rlt.awkward(seed)
        random = np.random.default_rng(seed)
        rows = rows_of(mdp)
        size = float(np.abs(rows.reward).max()) or 1.0
        v, own = size * random.normal(size=(2, mdp.n_states))
        exact = residuals_of(mdp, v, own)
        policy = np.array(
            [random.choice(np.flatnonzero(rows.state == s)) for s in range(mdp.n_states)]
        )
        zero, discount = np.zeros(mdp.n_states), float(mdp.discount or 0.0)
        _, _, _, residual, better = kernels.precise_residual_bounds(
            mdp.core, 0, discount, v, zero, own, zero, policy
        )
        for s in range(mdp.n_states):
            mine = [r for r, row in enumerate(exact) if row[0] == s]
            best, present = max(exact[r][1] for r in mine), exact[policy[s]][1]
            assert (
                abs(Fraction(float(residual[s])) - present)
                <= abs(present) / 2**50 + Fraction(size) / 2**90
            )
            assert better[s] in mine
            if better[s] != policy[s]:
                assert exact[better[s]][1] > present
                switched += 1
            # What is not found better is not better, to far below a double's precision.
            assert best - exact[better[s]][1] <= Fraction(size) / 2**45
    assert switched > 300


def test_rows_of_another_sum_are_compared_by_what_they_mean() -> None:
    # Both rows mean the same; times their sums the second one looks 6e-11 better or worse.
    for wide in (1.0 + 2.0**-34, 1.0 - 2.0**-34):
        mdp = rlt.MDP([[[0.5, 0.5]] * 2, [[0.5 * wide, 0.5 * wide], [0.5, 0.5]]], np.ones((2, 2)))
        for level in (-1e6, 1e6):
            v, zero, rows = np.full(2, level), np.zeros(2), np.array([0, 2])
            _, _, _, residual, better = kernels.precise_residual_bounds(
                mdp.core, 0, 0.5, v, zero, v, zero, rows
            )
            assert better.tolist() == [0, 2]
            assert residual.tolist() == [1.0 - 0.5 * level] * 2


def test_the_best_row_is_not_the_one_of_the_best_scaled_residual() -> None:
    # Of value 1e6, the second row is best by 1e-5; its larger sum makes it look worse than the
    # third one by 4e-5.
    half = 0.5 * (1.0 + 2.0**-34)
    table = np.array([[[0.5, 0.5], [half, half], [0.5, 0.5]]] * 2)
    mdp = rlt.MDP(table, [[0.0, 1.0, 1.0 - 1e-5]] * 2)
    zero, own, policy = np.zeros(2), np.full(2, 1e6), np.array([0, 3])
    better = kernels.precise_residual_bounds(mdp.core, 0, 0.5, zero, zero, own, zero, policy)[4]
    assert better.tolist() == [1, 4]


def test_overflow_is_said_and_never_swallowed_by_a_minimum() -> None:
    one, zero, rows = np.ones(2), np.zeros(2), np.arange(2)
    mdp = rlt.MDP([[[0.5, 0.5]], [[0.0, 1.0]]], [[1e308], [0.0]])
    for bad in (1.7e308, math.nan, math.inf):
        own = np.array([-bad, 0.0])
        assert not kernels.residual_bounds(mdp.core, 0, 0.9, one, own, rows)[2]
        assert not kernels.precise_residual_bounds(mdp.core, 0, 0.9, one, zero, own, zero, rows)[2]
    assert kernels.residual_bounds(mdp.core, 0, 0.9, one, zero, rows)[2]


def test_corrections_and_outward_rounding_of_a_witness() -> None:
    random = np.random.default_rng(9)
    head, correction = random.normal(size=(2, 3000))
    correction *= 10.0 ** random.integers(-30, 3, 3000)
    tail = head * 2.0**-53 * random.uniform(-1, 1, 3000)
    new_head, new_tail = kernels.add_correction(head, tail, correction)
    shifts = (-1e-20, 3e-18)
    lower, upper = kernels.round_outward(head, tail, *shifts)
    for i in range(3000):
        before = Fraction(head[i]) + Fraction(tail[i])
        after = Fraction(new_head[i]) + Fraction(new_tail[i])
        error = abs(after - before - Fraction(correction[i]))
        assert error <= (abs(before) + abs(Fraction(correction[i]))) / 2**104
        assert abs(new_tail[i]) <= 2.0**-53 * abs(new_head[i])
        for bound, shift, sign in ((lower[i], shifts[0], 1), (upper[i], shifts[1], -1)):
            exact = sign * (before + Fraction(shift))
            inside = Fraction(math.nextafter(bound, sign * math.inf))
            assert sign * Fraction(bound) <= exact < sign * inside
