"""A slippery grid world of any size, built whole by numpy.

The problem: a walk over the free cells of a grid to a goal. A move a goes where it should with
probability 1 - slip and to either side with slip / 2; what is blocked by a wall or the border
stays. A row P(. | s, a) therefore depends only on which of the four sides of s are blocked:
sixteen kinds of cell, one small table of probabilities for them all (`_slip_table`), gathered
for every state at once. The successors up, left, here, right, down of a cell have ascending
numbers, so that the gathered rows are in canonical order as they stand.
"""

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from rltheory.errors import ModelError
from rltheory.mdp.arguments import at_least, one_hot, probability
from rltheory.mdp.layout import Grid
from rltheory.mdp.model import MDP
from rltheory.mdp.streams import Stream

__all__ = ["gridworld"]

# Actions 0..3 of a grid world, clockwise, as (row, column) steps.
_MOVES = ((-1, 0), (0, 1), (1, 0), (0, -1))
_ARROWS = ("↑", "→", "↓", "←")
# Where a move can end, in ascending order of the state index: up, left, here, right, down.
_SLOT_OF_MOVE = (0, 3, 4, 1)
_HERE = 2


def gridworld(
    rows: int,
    columns: int,
    slip: float = 0.2,
    walls: float = 0.0,
    seed: int | np.random.SeedSequence = 0,
    discount: float | None = None,
    step_reward: float = 0.0,
    goal_reward: float = 1.0,
    exits: bool = True,
) -> MDP:
    """A slippery grid world: walk from the top left corner to the bottom right one.

    Actions 0..3 move up, right, down, left. The move goes where it should with probability
    ``1 - slip`` and to either side of that direction with probability ``slip / 2`` each; a
    move into a wall or over the border stays where it is. The move that enters the goal pays
    `goal_reward`, every other move `step_reward`.

    Parameters
    ----------
    rows, columns : int
        Size of the grid, each at least 1, together at least 2 cells.
    slip : float
        Probability in [0, 1] that a move goes sideways.
    walls : float
        Probability in [0, 1] that a cell is a wall. The cells of one random staircase (moves
        right and down in random order) from start to goal are never walls, so that the goal
        can be reached. Free cells that walls cut off from the goal stay states of the model:
        they are worth what moving about for ever is worth.
    seed : int or SeedSequence
        Decides the walls.
    discount : float, optional
        In [0, 1).
    step_reward, goal_reward : float
        Finite rewards of a move, by where it ends.
    exits : bool
        True: the move that enters the goal ends the episode. False: the goal is absorbing,
        with reward 0 for ever. Both are worth the same in every state. The goal itself is a
        state in both cases, as in gymnasium's FrozenLake; with exits no move leads there,
        and every action in it ends at once with reward 0.

    Returns
    -------
    MDP
        States are the free cells, numbered row by row, 4 actions each; the initial law is the
        top left corner, the layout the grid.

    Raises
    ------
    ModelError
        If an argument is out of its range.

    Examples
    --------
    >>> from rltheory.mdp.gridworld import gridworld
    >>> mdp = gridworld(2, 2, slip=0.2, discount=0.9)
    >>> mdp.n_states, mdp.n_actions
    (4, 4)
    >>> float(mdp.termination[1 * 4 + 2])  # from the top right corner down into the goal
    0.8
    """
    at_least("rows", rows, 1)
    at_least("columns", columns, 1)
    if rows * columns < 2:
        raise ModelError("the grid has 1 cell; a grid world needs a start and a goal: 2 cells")
    probability("slip", slip)
    probability("walls", walls)
    free = _free_cells(rows, columns, walls, Stream(seed, "gridworld"))
    cells = np.where(free, np.cumsum(free).reshape(rows, columns) - 1, -1)
    n_states = int(free.sum())
    goal = n_states - 1

    ends, kind = _moves_by_cell(cells)
    prob = _slip_table(slip)[kind]
    termination = np.zeros((n_states, 4))
    # Only the goal and the cells beside it differ from the table.
    prob[goal] = 0.0
    if exits:
        for state, slot in np.argwhere(ends == goal):
            termination[state] += prob[state, :, slot]
            prob[state, :, slot] = 0.0
        termination[goal] = 1.0
    else:
        prob[goal, :, _HERE] = 1.0

    kept = prob > 0.0
    row_ptr = np.zeros(4 * n_states + 1, dtype=np.int64)
    np.cumsum(kept.sum(axis=2).ravel(), out=row_ptr[1:])
    col = np.broadcast_to(ends[:, None, :], kept.shape)[kept]
    shape = (4 * n_states, n_states)
    transitions = sparse.csr_array((prob[kept], col, row_ptr), shape=shape)
    del prob, kept
    reward = np.where(col == goal, goal_reward, step_reward)
    reward[row_ptr[4 * goal] :] = 0.0  # acting in the goal
    goal_rewards = np.where(np.arange(n_states) == goal, 0.0, goal_reward)
    return MDP(
        transitions,
        discount=discount,
        initial=one_hot(0, n_states),
        termination=termination if exits else None,
        next_state_rewards=sparse.csr_array((reward, col, row_ptr), shape=shape),
        termination_rewards=np.repeat(goal_rewards[:, None], 4, axis=1) if exits else None,
        layout=Grid(cells=cells, arrows=_ARROWS, marks={0: "S", goal: "G"}),
    )


def _free_cells(rows: int, columns: int, walls: float, stream: Stream) -> NDArray[np.bool_]:
    """Which cells are no walls: all on a random staircase, and each other with 1 - walls."""
    free = stream.uniforms(rows, columns) >= walls
    order = stream.permutation(rows + columns - 2)
    down = order < rows - 1  # each move of the staircase: down or right
    at_row = np.concatenate([[0], np.cumsum(down)])
    at_column = np.concatenate([[0], np.cumsum(~down)])
    free[at_row, at_column] = True
    return free


def _moves_by_cell(
    cells: NDArray[np.int64],
) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Where moves lead from each state, and which of them are blocked.

    Returns
    -------
    ends : ndarray of int32, shape (S, 5)
        State above, to the left, here, to the right, below; ascending where it is a state.
    kind : ndarray of int64, shape (S,)
        Bit a is set when move a is blocked.
    """
    framed = np.pad(cells, 1, constant_values=-1).astype(np.int32)
    rows, columns = cells.shape
    free = cells >= 0
    ends = np.empty((int(free.sum()), 5), dtype=np.int32)
    kind = np.zeros(len(ends), dtype=np.int64)
    ends[:, _HERE] = cells[free]
    for action, (down, right) in enumerate(_MOVES):
        beside = framed[1 + down : 1 + down + rows, 1 + right : 1 + right + columns][free]
        ends[:, _SLOT_OF_MOVE[action]] = beside
        kind |= (beside < 0).astype(np.int64) << action
    return ends, kind


def _slip_table(slip: float) -> NDArray[np.float64]:
    """Chance of ending up, left, here, right, down by kind of cell and action: (16, 4, 5)."""
    table = np.zeros((16, 4, 5))
    chances = {0: 1.0 - slip, 1: slip / 2.0, 3: slip / 2.0}
    for kind in range(16):
        for action in range(4):
            stay = []
            for turn, chance in chances.items():
                move = (action + turn) % 4
                if kind >> move & 1:
                    stay.append(chance)
                else:
                    table[kind, action, _SLOT_OF_MOVE[move]] = chance
            table[kind, action, _HERE] = 1.0 if len(stay) == 3 else sum(stay)
    return table
