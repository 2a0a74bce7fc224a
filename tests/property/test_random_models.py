"""Ten thousand awkward models against exact rational optima.

The oracle shares nothing with the package but the arrays of a model. Everything is an integer:
a row is scaled to whole numbers q_j and an exit, sigma = sum q_j + exit, r = rn / rd, and the
equations of a policy,

    gd sigma rd V(s) - g rd sum_j q_j V(j) = gd sigma rn,        discount = g / gd,

are eliminated without fractions (Bareiss 1968). Their matrix is diagonally dominant, so that all
pivots are positive. Policies are improved until no row is better, exactly.
"""

import math
import sys
from collections.abc import Iterator
from fractions import Fraction
from itertools import chain
from typing import Any, NamedTuple

import numpy as np
import pytest

import rltheory as rlt

MODELS = 10_000
BLOCK = 1000
METHODS = ("value-iteration", "gauss-seidel", "modified-policy-iteration", "policy-iteration")


class Row(NamedTuple):
    successors: list[tuple[int, int]]
    sigma: int
    rn: int
    rd: int


class Oracle:
    """Exact values of a model, from its canonical arrays alone."""

    def __init__(self, mdp: rlt.MDP | rlt.EpisodicMDP, discount: Fraction = Fraction(1)) -> None:
        arrays = mdp.arrays()
        names = ("state_ptr", "row_ptr", "col", "prob", "reward", "exit", "action")
        ptr, row_ptr, col, prob, reward, exits, action = (arrays[k].tolist() for k in names)
        self.states = int(arrays["n_states"])
        self.g, self.gd = discount.as_integer_ratio()
        self.ptr, self.action = ptr, action
        self.rows = []
        for k, r in enumerate(reward):
            i, j = row_ptr[k], row_ptr[k + 1]
            ratios = [x.as_integer_ratio() for x in prob[i:j] + exits[k : k + 1]]
            unit = max(below for _, below in ratios)
            q = [above * (unit // below) for above, below in ratios]
            self.rows.append(
                Row(list(zip(col[i:j], q, strict=False)), sum(q), *r.as_integer_ratio())
            )

    def labelled(self, policy: list[int], stage: int = 0) -> list[int]:
        """The rows that these action labels name."""
        found = []
        for s, a in enumerate(policy, start=stage * self.states):
            found.append(self.action.index(a, self.ptr[s], self.ptr[s + 1]))
        return found

    def value(self, rows: list[int]) -> tuple[list[int], int]:
        """V = numerators / denominator of the policy that picks these rows."""
        n, g, gd = self.states, self.g, self.gd
        lines = []
        for s, row in enumerate(rows):
            successors, sigma, rn, rd = self.rows[row]
            line = [0] * n + [gd * sigma * rn]
            line[s] = gd * sigma * rd
            for t, q in successors:
                line[t] -= g * q * rd
            lines.append(line)
        last = 1
        for k in range(n):
            pivot = lines[k][k]
            assert pivot > 0
            for i in range(n):
                if i != k:
                    factor = lines[i][k]
                    lines[i] = [
                        (pivot * x - factor * y) // last
                        for x, y in zip(lines[i], lines[k], strict=True)
                    ]
            last = pivot
        return [line[n] for line in lines], last

    def optimum(self, rows: list[int]) -> list[Fraction]:
        """V*, from any policy to begin with."""
        while True:
            value, unit = self.value(rows)
            better = list(rows)
            for s in range(self.states):
                most = Fraction(0)
                for k in range(self.ptr[s], self.ptr[s + 1]):
                    successors, sigma, rn, rd = self.rows[k]
                    gain = self.gd * sigma * (rn * unit - value[s] * rd)
                    gain += self.g * rd * sum(q * value[t] for t, q in successors)
                    if gain > 0 and Fraction(gain, sigma * rd) > most:
                        most, better[s] = Fraction(gain, sigma * rd), k
            if better == rows:
                return [Fraction(x, unit) for x in value]
            rows = better

    def backup(self, row: Row, ahead: list[Fraction]) -> Fraction:
        """r + P V of one row, without discount."""
        following = sum((q * ahead[t] for t, q in row.successors), Fraction(0))
        return Fraction(row.rn, row.rd) + following / row.sigma

    def backward(self, horizon: int, rows: list[list[int]] | None = None) -> list[list[Fraction]]:
        """V*_h of every stage, or V_h of the policy with these rows."""
        n, stages = self.states, (len(self.ptr) - 1) // self.states
        values = [[Fraction(0)] * n for _ in range(horizon + 1)]
        for h in reversed(range(horizon)):
            first = (h if stages > 1 else 0) * n
            ahead = values[h + 1]
            for s in range(n):
                choices = range(self.ptr[first + s], self.ptr[first + s + 1])
                chosen = choices if rows is None else [rows[h][s]]
                values[h][s] = max(self.backup(self.rows[k], ahead) for k in chosen)
        return values


def first_rows(oracle: Oracle) -> list[int]:
    return oracle.ptr[: oracle.states]


def discounted(seed: int) -> tuple[rlt.MDP, Oracle]:
    mdp = rlt.awkward(seed)
    assert mdp.discount is not None
    return mdp, Oracle(mdp, Fraction(mdp.discount))


def optimum_of(mdp: rlt.MDP, discount: Fraction | None = None) -> list[Fraction]:
    oracle = Oracle(mdp, Fraction(mdp.discount) if discount is None else discount)  # type: ignore[arg-type]
    return oracle.optimum(first_rows(oracle))


def faults(
    solution: rlt.Solution,
    value: list[Fraction],
    of_policy: list[Fraction],
) -> Iterator[str]:
    """What is wrong with a solution, given V* and V^policy."""
    lower, upper = (x.reshape(-1).tolist() for x in (solution.lower, solution.upper))
    for low, mine, best, high in zip(lower, of_policy, value, upper, strict=True):
        if not low <= mine:
            yield f"lower {low} is above the value of the policy"
        if not mine <= best <= high:
            yield f"upper {high} is below the optimum"
    if not all(
        low <= x <= high
        for low, x, high in zip(lower, solution.value.reshape(-1).tolist(), upper, strict=True)
    ):
        yield "the value is not within its bounds"
    gap = max(Fraction(b) - Fraction(a) for a, b in zip(lower, upper, strict=True))
    if not math.nextafter(solution.gap, -math.inf) < gap <= solution.gap:
        yield f"the gap is {float(gap)}, not {solution.gap}"
    largest = max(map(abs, lower + upper))
    tolerance = 1e-10 * max(largest, 2.0**-53 * float(np.abs(solution.mdp.mean_rewards).max()))
    if not solution.gap <= solution.tol == tolerance:
        yield f"the gap is {solution.gap}, tol {solution.tol}, by its definition {tolerance}"


def test_the_oracle_on_a_model_solved_by_hand() -> None:
    # The second row of state 0 loses 1/8 at once and ends half of the time; a state of -2 follows.
    mdp = rlt.MDP.from_pairs(
        [0, 0, 1], [0, 1, 0], [[0, 1.0], [0.5, 0], [0, 1.0]], [0.25, 0.125, -1.0], 0.5,
        termination=[0, 0.5, 0],
    )  # fmt: skip
    oracle = Oracle(mdp, Fraction(1, 2))
    # Rows: 1/4 + (-2)/2 = -3/4;  1/8 + V/4 = V gives 1/6.
    assert [Fraction(x, oracle.value([0, 2])[1]) for x in oracle.value([0, 2])[0]] == [
        Fraction(-3, 4),
        -2,
    ]
    assert oracle.optimum([0, 2]) == oracle.optimum([1, 2]) == [Fraction(1, 6), -2]
    # Over two stages: 1/4 - 1, and 1/8 + (1/4) / 2.
    two = Oracle(mdp.episodic(2)).backward(2)
    assert two == [[Fraction(1, 4), -2], [Fraction(1, 4), -1], [0, 0]]


def test_a_row_means_itself_over_its_sum() -> None:
    mdp = rlt.MDP([[[1 - 2.0**-34]]], [[1.0]], 0.75)
    assert optimum_of(mdp) == [4]


@pytest.mark.parametrize("block", range(MODELS // BLOCK))
def test_discounted_models(block: int) -> None:
    wrong, refined = [], 0
    for seed in range(block * BLOCK, (block + 1) * BLOCK):
        mdp, oracle = discounted(seed)
        solution = rlt.solve(mdp)
        refined += "refined" in solution.note
        # Where policy iteration begins does not matter; half the time it is the answer to test.
        mine = oracle.labelled(solution.policy.tolist())
        value = oracle.optimum(mine if seed % 2 else first_rows(oracle))
        policy, unit = oracle.value(mine)
        wrong += [
            (seed, fault) for fault in faults(solution, value, [Fraction(x, unit) for x in policy])
        ]
    assert not wrong
    assert 20 < refined < BLOCK - 20  # both kinds of certificates were tested


def solved_by_every_method(seeds: range) -> None:
    wrong, tested = [], 0
    for seed in seeds:
        mdp, oracle = discounted(seed)
        if oracle.g > 0.999 * oracle.gd:
            continue
        tested += 1
        value = oracle.optimum(first_rows(oracle))
        for method in METHODS:
            solution = rlt.solve(mdp, method=method)
            assert solution.method == method
            policy, unit = oracle.value(oracle.labelled(solution.policy.tolist()))
            mine = [Fraction(x, unit) for x in policy]
            wrong += [(seed, method, fault) for fault in faults(solution, value, mine)]
    assert not wrong and tested > len(seeds) / 2


@pytest.mark.parametrize("first", range(4))
def test_every_method(first: int) -> None:
    solved_by_every_method(range(first, MODELS, 16))


@pytest.mark.slow
@pytest.mark.parametrize("first", range(16))
def test_every_method_on_all(first: int) -> None:
    solved_by_every_method(range(first, MODELS, 16))


def test_models_with_a_horizon() -> None:
    wrong, staged = [], 0
    for seed in range(1000):
        horizon = 1 + seed % 7
        mdp = rlt.awkward(seed, horizon=horizon)
        solution = rlt.solve(mdp)
        oracle = Oracle(mdp)
        staged += not mdp.is_stationary
        rows = [
            oracle.labelled(policy, 0 if mdp.is_stationary else h)
            for h, policy in enumerate(solution.policy.tolist())
        ]
        value, mine = (list(chain(*oracle.backward(horizon, x))) for x in (None, rows))
        wrong += [(seed, fault) for fault in faults(solution, value, mine)]
    assert not wrong and 300 < staged < 700


@pytest.fixture(params=["flint", "sympy"])
def linear_solver(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The name of the library in use, once for each system that sympy solves."""
    from sympy.polys.matrices import DomainMatrix

    if request.param == "flint":
        pytest.importorskip("flint")
    else:
        monkeypatch.setitem(sys.modules, "flint", None)
    called: list[str] = []
    solve = DomainMatrix.lu_solve

    def counted(self: Any, right: Any) -> Any:
        called.append("sympy")
        return solve(self, right)

    monkeypatch.setattr(DomainMatrix, "lu_solve", counted)
    yield called
    assert bool(called) == (request.param == "sympy")


def exactly_solved(seed: int) -> None:
    mdp, oracle = discounted(seed)
    exact = rlt.solve_exact(mdp)
    assert list(exact.value) == oracle.optimum(first_rows(oracle)), seed
    policy, unit = oracle.value(oracle.labelled(exact.policy.tolist()))
    assert [Fraction(x, unit) for x in policy] == list(exact.value), seed
    certificate = exact.certificate
    assert certificate.lower.tolist() == certificate.upper.tolist() == list(exact.value)
    assert certificate.check(exact.mdp) and certificate.check(mdp), seed


def exactly_solved_with_a_horizon(seed: int) -> None:
    horizon = 1 + seed % 7
    mdp = rlt.awkward(seed, horizon=horizon)
    exact = rlt.solve_exact(mdp)
    assert [list(x) for x in exact.value] == Oracle(mdp).backward(horizon), seed
    assert exact.certificate.check(exact.mdp) and exact.certificate.check(mdp), seed


@pytest.mark.usefixtures("linear_solver")
def test_solve_exact() -> None:
    for seed in range(0, MODELS, 13):
        exactly_solved(seed)


@pytest.mark.slow
@pytest.mark.usefixtures("linear_solver")
def test_solve_exact_on_all() -> None:
    for seed in range(MODELS):
        exactly_solved(seed)


def test_solve_exact_with_a_horizon() -> None:
    for seed in range(300):
        exactly_solved_with_a_horizon(seed)


@pytest.mark.slow
def test_solve_exact_with_a_horizon_on_all() -> None:
    for seed in range(1000):
        exactly_solved_with_a_horizon(seed)


@pytest.mark.usefixtures("linear_solver")
def test_solve_exact_under_a_rational_discount() -> None:
    different = 0
    for seed in range(200):
        mdp = rlt.awkward(seed)
        tenths = Fraction(seed % 10, 10)
        exact = rlt.solve_exact(mdp, tenths)
        assert list(exact.value) == optimum_of(mdp, tenths)
        assert exact.mdp.discount == tenths and exact.certificate.check(exact.mdp)
        # 9/10 is not the double 0.9, and exact values tell them apart.
        rounded = rlt.solve_exact(mdp.with_discount(float(tenths)))
        different += exact.value != rounded.value
    assert different > 50


@pytest.mark.usefixtures("linear_solver")
def test_solve_exact_sees_what_doubles_do_not() -> None:
    more = 1 + Fraction(1, 10**40)
    mdp = rlt.MDP([[[1], [1]]], [[1, more]], Fraction(9, 10), exact=True)
    assert rlt.solve(mdp).policy.tolist() == [0]
    exact = rlt.solve_exact(mdp)
    assert exact.value == (10 * more,) and exact.policy.tolist() == [1]
    assert exact.certificate.check(mdp)


@pytest.mark.usefixtures("linear_solver")
def test_solve_exact_where_doubles_overflow() -> None:
    mdp = rlt.MDP([[[0, 1.0], [1.0, 0]], [[0.25, 0.75], [0, 1.0]]], [[1e308, 0], [0, 1e308]], 0.75)
    with pytest.raises(rlt.ConvergenceError, match="overflow"):
        rlt.solve(mdp)
    assert list(rlt.solve_exact(mdp).value) == optimum_of(mdp) == [4 * Fraction(1e308)] * 2
