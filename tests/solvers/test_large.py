"""Large models: memory, the arrays of the user included, and how many sweeps they take."""

import subprocess
import sys

import numpy as np
import pytest
from scipy import sparse

import rltheory as rlt
from rltheory import _core

_MOST_BYTES = 4_000_000_000

_SCRIPT = """
import resource, sys
import numpy as np
from scipy import sparse
import rltheory as rlt

n, left, discount = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
laws = [(1.0,)] if left == 1 else [(0.6, 0.35, 0.05)]
laws.append((0.05, 0.6, 0.35))
per = sum(map(len, laws))
prob, col = np.empty(n * per), np.empty(n * per, dtype=np.int32)
place = 0
for law in laws:
    for offset, p in enumerate(law, start=-1):
        prob[place::per], col[place::per] = p, np.arange(n, dtype=np.int32) + np.int32(offset)
        place += 1
    for row in (place - len(law), n * per - per + place - len(law)):
        first = 0 if row < per else n - len(law)  # at the ends, the states that there are
        col[row : row + len(law)] = np.arange(first, first + len(law))
row_ptr = np.arange(2 * n + 1, dtype=np.int32) // 2 * np.int32(per)
row_ptr[1::2] += np.int32(left)
transitions = sparse.csr_array((prob, col, row_ptr), shape=(2 * n, n))
rewards = np.zeros((n, 2))
rewards[0, 0], rewards[-1, 1] = 0.005, 1.0
assert transitions.indices.dtype == np.int32 and np.shares_memory(transitions.data, prob)

mdp = rlt.MDP(transitions, rewards, discount=discount)
solution = rlt.solve(mdp, tol=1e-6)
assert solution.gap <= 1e-6, solution.gap
assert (solution.lower <= solution.upper).all()
print(solution.value[-1], solution.policy[0], solution.policy[-1])
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def _solved(n_states: int, left: int, discount: float) -> tuple[list[float], int]:
    command = [sys.executable, "-c", _SCRIPT, str(n_states), str(left), str(discount)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    numbers, peak = done.stdout.strip().split("\n")
    unit = 1 if sys.platform == "darwin" else 1024
    return [float(x) for x in numbers.split()], int(peak) * unit


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="no resource module")
@pytest.mark.parametrize("discount", [0.99, 0.999])
@pytest.mark.parametrize("left", [1, 3])
def test_ten_million_states_within_four_gigabytes(left: int, discount: float) -> None:
    numbers, peak = _solved(10_000_000, left, discount)
    assert peak < _MOST_BYTES
    # News from the far end is long gone: a chain of 10^5 states ends the same way.
    expected, _ = _solved(100_000, left, discount)
    assert numbers == pytest.approx(expected, abs=2e-6)


def test_rows_swept_where_they_are_give_what_copies_give() -> None:
    # 4.8 10^6 entries are swept in place, 6 10^5 from a copy.
    numbers, _ = _solved(800_000, 3, 0.999)
    expected, _ = _solved(100_000, 3, 0.999)
    assert numbers == pytest.approx(expected, abs=2e-6)


@pytest.mark.parametrize("exponent", [-600, -700, -960])
def test_rewards_near_underflow_are_not_flushed_to_zero(exponent: int) -> None:
    model = rlt.riverswim(2000, discount=0.9999)
    small = model.with_rewards(np.ldexp(model.rewards, exponent))
    solution = rlt.solve(small, method="ordered-policy-iteration", rtol=1e-8)
    assert solution.value.max() == pytest.approx(
        np.ldexp(rlt.solve(model, rtol=1e-8).value.max(), exponent), rel=1e-7
    )


def test_sweeps_at_discount_one_never_take_a_row_that_only_stays() -> None:
    # Three states to the end, 2 a step; each may also wait for ever, for -1 a step.
    ring = rlt.MDP.deterministic([[0, -1], [1, 0], [2, 1]], [[-1.0, -2.0]] * 3)
    start, proper = np.full(3, -100.0), np.array([1, 3, 5])
    value, rows, _ = _core.solvers.ordered_total_sweeps(ring.core, 0.0, 0.0, 10, start, proper)
    assert value.tolist() == [-2.0, -4.0, -6.0]
    assert rows.tolist() == [1, 3, 5]
    with pytest.raises(ValueError, match="row 0 does not belong to state 1"):
        _core.solvers.ordered_total_sweeps(ring.core, 0.0, 0.0, 10, start, np.array([1, 0, 5]))


@pytest.mark.parametrize("slip", [0.2, 0.6])
def test_total_reward_by_sweeps_in_order_is_that_of_value_iteration(slip: float) -> None:
    model = rlt.gridworld(40, 40, slip, step_reward=-1.0)
    found = rlt.solve(model, criterion="total")
    swept = rlt.solve(model, criterion="total", method="value-iteration")
    np.testing.assert_allclose(found.value, swept.value, rtol=1e-9)
    assert found.certificate.check(model)


def test_total_reward_of_a_large_grid_takes_few_sweeps() -> None:
    solution = rlt.solve(rlt.gridworld(300, 300, step_reward=-1.0), criterion="total")
    assert solution.gap <= solution.tol
    assert solution.iterations < 300  # value iteration needs 900 sweeps


def test_total_reward_of_a_slow_queue_takes_few_steps() -> None:
    jobs, rates = 300, 20
    state, rate = np.divmod(np.arange(jobs * rates), rates)
    served, rows = 0.05 + 0.5 * rate / (rates - 1), np.arange(jobs * rates)
    table = np.zeros((len(rows), jobs))
    np.add.at(table, (rows, np.minimum(state + 1, jobs - 1)), 0.4)
    np.add.at(table, (rows, np.maximum(state - 1, 0)), served)
    np.add.at(table, (rows, state), 0.6 - served)
    rewards = -5.0 * state / jobs - (rate / rates) ** 2
    closing = np.full(len(rows), 1e-3)
    model = rlt.MDP.from_pairs(state, rate, 0.999 * table, rewards, termination=closing)
    solution = rlt.solve(model, criterion="total", tol=1e-6)
    assert solution.iterations < 60  # 10,000 sweeps until values change no more


def test_average_reward_begins_with_a_policy_that_looks_far_ahead() -> None:
    stations, moves = 2000, np.array([1, 8, 64, -1, -8, -64])
    state, action = np.divmod(np.arange(stations * len(moves)), len(moves))
    rows = np.arange(len(state))
    table = sparse.coo_array(
        (
            np.repeat([0.8, 0.2], len(rows)),
            (
                np.tile(rows, 2),
                np.clip(
                    np.concatenate([state + moves[action], state - moves[action]]), 0, stations - 1
                ),
            ),
        ),
        shape=(len(rows), stations),
    ).tocsr()
    rewards = (state % 1000 == 7) - 0.001 * abs(moves[action])
    model = rlt.MDP.from_pairs(state, action, table, rewards)
    solution = rlt.solve(model, criterion="average", tol=1e-6)
    assert solution.iterations <= 160  # 150 sweeps and some policies; 20 from where sweeps led


def test_average_reward_against_the_current_takes_few_improvements() -> None:
    solution = rlt.solve(rlt.riverswim(3000), criterion="average")
    assert solution.gap <= solution.tol
    assert solution.iterations < 120  # 100 of them sweeps of relative value iteration


def test_gauss_seidel_is_centred_now_and_then() -> None:
    solution = rlt.solve(rlt.garnet(500, 4, 10, discount=0.999, seed=1), method="gauss-seidel")
    assert solution.iterations < 200  # 12 000 by the discount alone
