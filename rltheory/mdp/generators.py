"""Families of models with a name: grid worlds, RiverSwim, combination locks, random stages.

The problem: examples, tests and the command line need models of any size from a few numbers.
Every function here takes only keywords that can be typed (``gridworld:rows=8,columns=8``),
gives the same model for the same arguments on every machine (random numbers come from
`rltheory.mdp.streams`), and says in its docstring what each number means and where it is
from. Rows of probabilities are written P(s' | s, a) below; the discount may be left out, for a
model that is made episodic, or given its discount, later.

The grid world and Garnet models, used at large sizes, have files of their own and are named here
for convenience; instances made to hurt are in `rltheory.mdp.awkward`.
"""

import numpy as np
from scipy import sparse

from rltheory.errors import ModelError
from rltheory.mdp.arguments import at_least, one_hot, probability
from rltheory.mdp.episodic import EpisodicMDP
from rltheory.mdp.garnet import garnet
from rltheory.mdp.gridworld import gridworld
from rltheory.mdp.layout import Grid
from rltheory.mdp.model import MDP
from rltheory.mdp.streams import Stream

__all__ = ["combination_lock", "garnet", "gridworld", "random_episodic", "riverswim"]


def riverswim(states: int = 6, discount: float | None = None) -> MDP:
    """RiverSwim: swim against the current for a large reward, or drift for a small one.

    A chain of `states` states. Action 0 (left, with the current) moves one state to the left
    for sure; in state 0 it stays and pays 5/1000. Action 1 (right, against it) does:

    ==================  =====  ====  =====
    state               left   stay  right
    ==================  =====  ====  =====
    0                   --     0.4   0.6
    1 .. states-2       0.05   0.6   0.35
    states-1            0.4    0.6   --
    ==================  =====  ====  =====

    and pays 1 in the last state; all other rewards are 0. The episode starts in state 0.

    These are the numbers of Osband, Russo and Van Roy, "(More) efficient reinforcement
    learning via posterior sampling", NeurIPS 2013, figure 1, which most later papers use. The
    first version, Strehl and Littman, "An analysis of model-based interval estimation for
    Markov decision processes", JCSS 2008, has 0.7, 0.3 | 0.1, 0.6, 0.3 | 0.7, 0.3 in the
    place of the three rows, rewards 5 and 10000, and starts in state 1 or 2.

    Parameters
    ----------
    states : int
        At least 2.
    discount : float, optional
        In [0, 1).

    Returns
    -------
    MDP
        With 2 actions.

    Raises
    ------
    ModelError
        If there are fewer than 2 states.

    Examples
    --------
    >>> from rltheory.mdp.generators import riverswim
    >>> riverswim().transitions.toarray()[2 * 2 + 1].tolist()  # state 2, right
    [0.0, 0.05, 0.6, 0.35, 0.0, 0.0]
    """
    at_least("states", states, 2)
    chain = np.arange(states)
    inner, right = chain[1:-1], 2 * chain + 1  # rows of action 1
    ones = np.ones(len(inner))
    row = [2 * chain, right[[0, 0, -1, -1]], *3 * [right[1:-1]]]
    ends = chain[[0, 1, -2, -1]]
    col = [np.maximum(chain - 1, 0), ends, inner - 1, inner, inner + 1]
    at_ends = np.array([0.4, 0.6, 0.4, 0.6])
    chance = [np.ones(states), at_ends, 0.05 * ones, 0.6 * ones, 0.35 * ones]
    transitions = sparse.csr_array(
        (np.concatenate(chance), (np.concatenate(row), np.concatenate(col))),
        shape=(2 * states, states),
    )
    rewards = np.zeros((states, 2))
    rewards[0, 0] = 0.005
    rewards[-1, 1] = 1.0
    return MDP(
        transitions,
        rewards,
        discount,
        one_hot(0, states),
        layout=Grid(cells=chain[None, :], arrows=("←", "→"), marks={0: "S"}),
    )


def combination_lock(
    length: int,
    actions: int = 2,
    slip: float = 0.0,
    horizon: int | None = None,
    seed: int | np.random.SeedSequence = 0,
    discount: float | None = None,
) -> MDP | EpisodicMDP:
    """A combination lock: only the right digit in every position opens it.

    State s means that the first s digits are in place. In each state one action, drawn by the
    seed, is right: with probability ``1 - slip`` it moves to state s + 1, or, in the last
    state, opens the lock, which pays 1 and ends the episode. Whatever else happens (a wrong
    action, or a slip) leads back to state 0. All other rewards are 0. A learner that acts at
    random tries about ``actions**length`` times before it sees a reward.

    With d the discount and q = d (1 - slip), the best value of state 0 is
    q^length / d divided by 1 - d slip (1 - q^length) / (1 - q); without slips,
    d^(length - 1).

    Parameters
    ----------
    length : int
        Number of states, which is that of digits; at least 1.
    actions : int
        At least 1.
    slip : float
        Probability in [0, 1] that the right action fails.
    horizon : int, optional
        Given: an `EpisodicMDP`. Nothing can be won below a horizon of `length`.
    seed : int or SeedSequence
        Decides the combination.
    discount : float, optional
        In [0, 1); not together with a horizon.

    Returns
    -------
    MDP or EpisodicMDP
        Starting in state 0.

    Raises
    ------
    ModelError
        If an argument is out of its range, or discount and horizon are both given.

    Examples
    --------
    >>> from rltheory.mdp.generators import combination_lock
    >>> mdp = combination_lock(3, actions=4, discount=0.5)
    >>> mdp.storage, mdp.n_pairs
    ('deterministic', 12)
    """
    at_least("length", length, 1)
    at_least("actions", actions, 1)
    probability("slip", slip)
    if discount is not None and horizon is not None:
        raise ModelError("discount and horizon are both given; a lock has one or the other")
    right = Stream(seed, "combination_lock").integers(actions, length)
    place = np.arange(length)
    # Rows (state, action) with two outcomes at most: back to 0, or on.
    back = np.ones((length, actions))
    back[place, right] = slip
    on = 1.0 - back
    pairs = np.arange(length * actions)
    state = np.repeat(place, actions)
    moves_on = state < length - 1
    termination = np.where(moves_on, 0.0, on.ravel())
    data = np.concatenate([back.ravel(), on.ravel()[moves_on]])
    row = np.concatenate([pairs, pairs[moves_on]])
    col = np.concatenate([np.zeros(len(pairs), dtype=np.int64), state[moves_on] + 1])
    some = data > 0.0
    transitions = sparse.coo_array(
        (data[some], (row[some], col[some])), shape=(len(pairs), length)
    ).tocsr()
    no_rewards = sparse.csr_array(
        (np.zeros(transitions.nnz), transitions.indices, transitions.indptr),
        shape=transitions.shape,
    )
    mdp = MDP(
        transitions,
        discount=discount,
        initial=one_hot(0, length),
        termination=termination.reshape(length, actions),
        next_state_rewards=no_rewards,
        termination_rewards=np.ones((length, actions)),
    )
    return mdp if horizon is None else mdp.episodic(horizon)


def random_episodic(
    states: int,
    actions: int,
    horizon: int,
    branching: int | None = None,
    seed: int | np.random.SeedSequence = 0,
) -> EpisodicMDP:
    """A random model whose transitions and rewards change with the stage.

    Each row has `branching` distinct successors, a uniform subset, with probabilities uniform
    on the simplex (the gaps between sorted uniform numbers); rewards are uniform on [0, 1)
    and the initial law is uniform on the simplex.

    Parameters
    ----------
    states, actions, horizon : int
        Each at least 1.
    branching : int, optional
        In 1..states; all states when left out.
    seed : int or SeedSequence

    Returns
    -------
    EpisodicMDP

    Raises
    ------
    ModelError
        If an argument is out of its range.

    Examples
    --------
    >>> from rltheory.mdp.generators import random_episodic
    >>> mdp = random_episodic(states=5, actions=2, horizon=3, branching=2)
    >>> mdp.horizon, mdp.n_pairs, mdp.transitions.nnz
    (3, 30, 60)
    """
    at_least("states", states, 1)
    at_least("actions", actions, 1)
    at_least("horizon", horizon, 1)
    size = states if branching is None else branching
    if not 1 <= size <= states:
        raise ModelError(f"branching is {size}; it must be in 1..{states}, the number of states")
    rows = states * actions
    rewards = Stream(seed, "random_episodic.rewards").uniforms(horizon, states, actions)
    initial = Stream(seed, "random_episodic.initial").spacings(1, states)[0]

    streams = [Stream(seed, "random_episodic.transitions", h) for h in range(horizon)]
    if size == states:
        full = np.stack([stream.spacings(rows, size) for stream in streams])
        return EpisodicMDP(
            full.reshape(horizon, states, actions, states), rewards, horizon, initial
        )
    row_ptr = np.arange(0, rows * size + 1, size, dtype=np.int64)
    stages = []
    for stream in streams:
        col = stream.subsets(rows, size, states).ravel()
        prob = stream.spacings(rows, size).ravel()
        stages.append(sparse.csr_array((prob, col, row_ptr), shape=(rows, states)))
    return EpisodicMDP(stages, rewards, horizon, initial)
