"""The rows of a stationary model in exact integers, for checkers: standard library only.

A row keeps its probabilities and its exit over one denominator, so that what the row means, each
divided by their exact sum sigma, is compared by multiplying and never by dividing.
"""

from collections.abc import Iterator
from fractions import Fraction
from math import lcm
from typing import Any, NamedTuple

from rltheory.solvers.checker import plain, require


class Row(NamedTuple):
    """One state-action pair: reward, columns, their integer weights, the exit's, their sum."""

    state: int
    number: int
    action: int
    reward: Fraction
    columns: list[int]
    weights: list[int]
    exit: int
    sigma: int


def model_rows(arrays: Any, at: list[object]) -> Iterator[Row]:
    """The rows of a stationary model, state after state, or ValueError naming what is wrong.

    `at` is set to the place being read. What is established: every state has a row, columns are
    distinct states, weights are not negative and sum to the denominator within 1e-8.
    """
    at[:] = ["model"]
    S = plain(arrays["n_states"])
    state_ptr, row_ptr = plain(arrays["state_ptr"]), plain(arrays["row_ptr"])
    reward, exits, action = (plain(arrays[k]) for k in ("reward", "exit", "action"))
    col, prob, R, states = arrays["col"], arrays["prob"], len(reward), set(range(S))
    ends = [state_ptr[0], state_ptr[-1], row_ptr[0], row_ptr[-1]]
    sizes = len(state_ptr) == S + 1 and len(exits) in (0, R) and len(action) == R
    require(sizes and len(row_ptr) == R + 1 and len(col) == len(prob), "lengths do not agree")
    require(S > 0 and ends == [0, R, 0, len(col)], "pointers do not agree with the lengths")
    for s in range(S):
        at[:] = "state", s
        require(state_ptr[s] < state_ptr[s + 1], "no row")
        for row in range(state_ptr[s], state_ptr[s + 1]):
            at[:] = "state", s, "row", row
            i, j = row_ptr[row], row_ptr[row + 1]
            columns = plain(col[i:j])
            require(len(states.intersection(columns)) == j - i, "columns are not distinct states")
            p = [x.as_integer_ratio() for x in (*plain(prob[i:j]), exits[row] if exits else 0.0)]
            unit = lcm(*(den for _, den in p))
            *weights, out = (num * (unit // den) for num, den in p)
            sigma = sum(weights) + out
            require(min([out, *weights]) >= 0, "a negative probability")
            require(abs(sigma - unit) * 10**8 <= unit, "not a distribution")
            value = Fraction(*reward[row].as_integer_ratio())
            yield Row(s, row, action[row], value, columns, weights, out, sigma)
