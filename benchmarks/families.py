"""Families of models as plain arrays, built whole by numpy, from fixed seeds.

A `Problem` is what every solver of the benchmark is given: one row a feasible pair (s, a), sorted
by state, then action, with probabilities over next states and a reward. There are no endings here,
since most peers know none: a goal is a state with one loop of probability 1 and reward 0. Rewards
are maximised. Nothing in this file needs rltheory.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, sparse
from scipy.special import gammaln

__all__ = [
    "Problem",
    "dense",
    "forest",
    "garnet",
    "inventory",
    "lock",
    "maze",
    "relay",
    "riverswim",
    "shuffled",
    "tandem",
]


@dataclass(frozen=True, eq=False)
class Problem:
    """A model as plain arrays.

    Parameters
    ----------
    name : str
    states, actions : ndarray of int64, shape (R,)
        The pair of each row, ascending.
    transitions : csr_array or ndarray, shape (R, S)
        Canonical when sparse: columns ascending, no zeros, no duplicates.
    rewards : ndarray of float64, shape (R,)
    discount : float or None
        None with a horizon.
    horizon : int or None
        None with a discount; values with a horizon are not discounted.
    """

    name: str
    states: NDArray[np.int64]
    actions: NDArray[np.int64]
    transitions: Any
    rewards: NDArray[np.float64]
    discount: float | None = None
    horizon: int | None = None

    @property
    def n_states(self) -> int:
        return int(self.transitions.shape[1])

    @property
    def n_actions(self) -> int:
        return int(self.actions.max()) + 1

    @property
    def n_pairs(self) -> int:
        return len(self.states)

    @property
    def n_entries(self) -> int:
        if self.sparse:
            return int(self.transitions.nnz)
        return int(self.transitions.size)

    @property
    def sparse(self) -> bool:
        return bool(sparse.issparse(self.transitions))

    @property
    def regular(self) -> bool:
        """Whether every state has every action."""
        return self.n_pairs == self.n_states * self.n_actions

    @property
    def nbytes(self) -> int:
        """Bytes of the arrays a solver is given."""
        p = self.transitions
        matrix = p.data.nbytes + p.indices.nbytes + p.indptr.nbytes if self.sparse else p.nbytes
        return int(matrix + self.states.nbytes + self.actions.nbytes + self.rewards.nbytes)

    @property
    def starts(self) -> NDArray[np.int64]:
        """Where the rows of each state begin, and the number of rows: shape (S+1,)."""
        return np.searchsorted(self.states, np.arange(self.n_states + 1))


def _pairs(n_states: int, n_actions: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """All pairs, in order."""
    return np.repeat(np.arange(n_states), n_actions), np.tile(np.arange(n_actions), n_states)


def _csr(chance: Any, column: Any, start: Any, n_states: int) -> Any:
    """A csr_array with the 32-bit indices that scipy itself would choose."""
    parts = (chance, np.asarray(column, np.int32), np.asarray(start, np.int32))
    return sparse.csr_array(parts, shape=(len(start) - 1, n_states))


def _rows(n_states: int, *outcomes: tuple[Any, Any]) -> Any:
    """Rows from outcomes (next state, probability), one array over rows each, added up."""
    nexts, chances = zip(*outcomes, strict=True)
    n_rows = max(np.size(x) for x in nexts)
    row = np.tile(np.arange(n_rows), len(outcomes))
    column = np.concatenate([np.broadcast_to(x, n_rows) for x in nexts])
    chance = np.concatenate([np.broadcast_to(p, n_rows) for p in chances]).astype(float)
    keep = chance > 0.0
    shape = (n_rows, n_states)
    matrix = sparse.coo_array((chance[keep], (row[keep], column[keep])), shape=shape).tocsr()
    return _csr(matrix.data, matrix.indices, matrix.indptr, n_states)


def garnet(
    name: str, states: int, actions: int, branching: int, discount: float, seed: int
) -> Problem:
    """Random rows of `branching` distinct successors, cut uniformly; rewards uniform in [0, 1].

    Archibald, McKinnon and Thomas, "On the generation of Markov decision processes", JORS 1995.
    """
    rng = np.random.default_rng(seed)
    state, action = _pairs(states, actions)
    n_rows = len(state)
    if branching * branching < states:
        # A row with a repeated successor is drawn again as a whole, so that sets are uniform.
        column = np.sort(rng.integers(states, size=(n_rows, branching)), axis=1)
        while len(again := np.flatnonzero((np.diff(column, axis=1) == 0).any(axis=1))):
            drawn = rng.integers(states, size=(len(again), branching))
            column[again] = np.sort(drawn, axis=1)
    else:
        order = rng.random((n_rows, states)).argsort(axis=1)
        column = np.sort(order[:, :branching], axis=1)
    cuts = np.sort(rng.random((n_rows, branching - 1)), axis=1)
    chance = np.diff(cuts, axis=1, prepend=0.0, append=1.0)
    start = np.arange(n_rows + 1) * branching
    matrix = _csr(chance.ravel(), column.ravel(), start, states)
    return Problem(name, state, action, matrix, rng.random(n_rows), discount)


def dense(
    name: str,
    states: int,
    actions: int,
    seed: int,
    discount: float | None = None,
    horizon: int | None = None,
) -> Problem:
    """Dense rows, uniform numbers normalised; rewards uniform in [0, 1]."""
    rng = np.random.default_rng(seed)
    state, action = _pairs(states, actions)
    table = rng.random((len(state), states))
    table /= table.sum(axis=1, keepdims=True)
    return Problem(name, state, action, table, rng.random(len(state)), discount, horizon)


def maze(name: str, side: int, discount: float, seed: int, slip: float = 0.1) -> Problem:
    """A grid with walls on a fifth of the cells; every step costs 1 until the goal.

    Actions 0..3 move up, right, down, left; each goes to either side with probability `slip`, and
    stays where a wall or the border is in the way. The goal is the last corner, an absorbing state
    with reward 0; the nine cells there are no walls. States are the free cells from which the goal
    can be reached, row by row; the others are dropped.
    """
    rng = np.random.default_rng(seed)
    free = rng.random((side, side)) >= 0.2
    free[-3:, -3:] = True
    parts, _ = ndimage.label(free)
    cells = np.full((side + 2, side + 2), -1)
    inside = cells[1:-1, 1:-1]
    reached = parts == parts[-1, -1]
    n_states = int(reached.sum())
    inside[reached] = np.arange(n_states)
    own = np.arange(n_states)
    beside = []
    for down, right in ((-1, 0), (0, 1), (1, 0), (0, -1)):
        there = cells[1 + down : 1 + down + side, 1 + right : 1 + right + side][reached]
        beside.append(np.where(there < 0, own, there))
    beside_of = np.stack(beside, axis=1)
    beside_of[-1] = n_states - 1  # the goal is the last free cell
    state, action = _pairs(n_states, 4)
    matrix = _rows(
        n_states,
        (beside_of[state, action], 1.0 - 2.0 * slip),
        (beside_of[state, (action + 1) % 4], slip),
        (beside_of[state, (action + 3) % 4], slip),
    )
    rewards = np.where(state == n_states - 1, 0.0, -1.0)
    return Problem(name, state, action, matrix, rewards, discount)


def forest(name: str, ages: int, discount: float, fire: float = 1e-3) -> Problem:
    """A stand of trees, older by 1 each year: wait or cut.

    Waiting (0), a fire takes the stand back to age 0 with probability `fire`; at the last age,
    waiting pays 4 and the stand stays. Cutting (1) pays 1 + log(1 + age) / 2 and starts again at
    age 0.
    """
    state, action = _pairs(ages, 2)
    cut = action == 1
    older = np.where(cut, 0, np.minimum(state + 1, ages - 1))
    matrix = _rows(ages, (0, np.where(cut, 0.0, fire)), (older, np.where(cut, 1.0, 1.0 - fire)))
    waiting = np.where(state == ages - 1, 4.0, 0.0)
    rewards = np.where(cut, 1.0 + np.log1p(state) / 2.0, waiting)
    return Problem(name, state, action, matrix, rewards, discount)


def inventory(name: str, cap: int, discount: float, demand: float = 20.0) -> Problem:
    """Stock 0..cap; action a orders a units, at most up to the cap; then Poisson demand is met.

    Sales pay 3 a unit, an order costs 8 and 1 a unit, what is left in the evening .2 a unit; what
    cannot be met is lost. Demand is cut where less than 1e-16 is left, and what is left is put
    there. The only ragged problem: a stock s has actions 0..cap - s.
    """
    counts = cap + 1 - np.arange(cap + 1)
    state = np.repeat(np.arange(cap + 1), counts)
    action = np.arange(len(state)) - np.repeat(np.cumsum(counts) - counts, counts)
    counted = np.arange(int(demand + 20.0 * demand**0.5) + 30)
    law = np.exp(counted * np.log(demand) - demand - gammaln(counted + 1.0))
    most = int(np.argmax(law[::-1].cumsum()[::-1] < 1e-16))
    law = law[: most + 1]
    law[-1] = 1.0 - law[:-1].sum()
    # All that matters of a pair is the stock after the order.
    left = np.maximum(np.arange(cap + 1)[:, None] - np.arange(most + 1), 0)
    after = _rows(cap + 1, *zip(left.T, law, strict=True))
    evening = after @ np.arange(cap + 1.0)
    ordered = state + action
    sales = ordered - evening[ordered]
    rewards = 3.0 * sales - np.where(action > 0, 8.0 + action, 0.0) - 0.2 * evening[ordered]
    return Problem(name, state, action, after[ordered], rewards, discount)


def tandem(
    name: str, cap: int, discount: float, arrival: float = 0.9, penalty: float = 10.0
) -> Problem:
    """Two queues in a row, at most `cap` jobs each; action 2 f + g: whether each serves fast.

    Jobs arrive at rate `arrival`; each server works at rate 1 for nothing, or 1.3 for .6 a step.
    Time is uniformised at rate arrival + 2.6. A step costs the jobs there, 1 each at the first and
    1.5 at the second, over `cap`; a job that finds its queue full is lost and costs `penalty`.
    """
    width = cap + 1
    state, action = _pairs(width * width, 4)
    first, second = state // width, state % width
    rates = np.array([1.0, 1.3])
    whole = arrival + rates[1] + rates[1]
    pass_on = np.where(first > 0, rates[action // 2], 0.0)
    leave = np.where(second > 0, rates[action % 2], 0.0)
    idle = (whole - (arrival + pass_on + leave)) / whole  # exactly 0 when all work fast
    come, pass_on, leave = np.full(len(state), arrival / whole), pass_on / whole, leave / whole
    matrix = _rows(
        width * width,
        (np.where(first < cap, state + width, state), come),
        (np.where(first > 0, state - width + (second < cap), state), pass_on),
        (np.where(second > 0, state - 1, state), leave),
        (state, idle),
    )
    lost = come * (first == cap) + pass_on * (second == cap)
    serving = 0.6 * (action // 2 + action % 2)
    rewards = -((first + 1.5 * second) / cap + serving + penalty * lost)
    return Problem(name, state, action, matrix, rewards, discount)


def riverswim(name: str, states: int, discount: float) -> Problem:
    """A chain: left (0) for sure, right (1) against the current.

    Right goes on with .35, stays with .6, falls back with .05; at the left end it stays with .4 and
    goes on with .6, at the right end it falls back with .4 and stays with .6. Going left at the
    left end pays .005, right at the right end 1 (Osband, Russo and Van Roy, NeurIPS 2013).
    """
    state, action = _pairs(states, 2)
    right, low, high = action == 1, state == 0, state == states - 1
    back = np.where(right, np.select([low, high], [0.0, 0.4], 0.05), 1.0)
    stay = np.where(right, np.where(low, 0.4, 0.6), 0.0)
    on = np.where(right, np.select([low, high], [0.6, 0.0], 0.35), 0.0)
    matrix = _rows(
        states,
        (np.maximum(state - 1, 0), back),
        (state, stay),
        (np.minimum(state + 1, states - 1), on),
    )
    rewards = np.where(~right & low, 0.005, np.where(right & high, 1.0, 0.0))
    return Problem(name, state, action, matrix, rewards, discount)


def lock(name: str, length: int, actions: int, discount: float, slip: float, seed: int) -> Problem:
    """A combination lock: the right action goes on, else it starts again; opening it pays 1."""
    rng = np.random.default_rng(seed)
    state, action = _pairs(length, actions)
    right = action == rng.integers(actions, size=length)[state]
    on = np.where(right, 1.0 - slip, 0.0)
    matrix = _rows(length, ((state + 1) % length, on), (0, 1.0 - on))
    rewards = np.where(right & (state == length - 1), 1.0 - slip, 0.0)
    return Problem(name, state, action, matrix, rewards, discount)


def relay(name: str, groups: int, size: int, discount: float, seed: int) -> Problem:
    """Groups of `size` states visited in a circle, so that every chain is periodic.

    The three actions of a state lead to two states of the next group with chances .7 and .3;
    rewards have both signs.
    """
    rng = np.random.default_rng(seed)
    n_states = groups * size
    state, action = _pairs(n_states, 3)
    ahead = (state // size + 1) % groups * size
    matrix = _rows(
        n_states,
        (ahead + rng.integers(size, size=len(state)), 0.7),
        (ahead + rng.integers(size, size=len(state)), 0.3),
    )
    return Problem(name, state, action, matrix, rng.uniform(-1.0, 1.0, len(state)), discount)


def shuffled(name: str, problem: Problem, seed: int) -> Problem:
    """The same model with its states numbered at random."""
    number = np.random.default_rng(seed).permutation(problem.n_states)
    state = number[problem.states]
    order = np.lexsort((problem.actions, state))
    matrix = problem.transitions[order]
    if problem.sparse:
        matrix = _csr(matrix.data, number[matrix.indices], matrix.indptr, problem.n_states)
        matrix.sort_indices()
    else:
        matrix = matrix[:, np.argsort(number)]
    return replace(
        problem,
        name=name,
        states=state[order],
        actions=problem.actions[order],
        transitions=matrix,
        rewards=problem.rewards[order],
    )
