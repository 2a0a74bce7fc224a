"""The named instances of the foundations: small models on which a bound is attained.

Each takes exact numbers (fractions, integers, or floats at their exact value) and returns an exact
model. States and actions count from 0.
"""

from fractions import Fraction
from importlib.util import find_spec

from rltheory.mdp.episodic import EpisodicMDP
from rltheory.mdp.model import MDP

__all__ = [
    "absorbing",
    "flip",
    "frozen_lake",
    "greedy_loss_pair",
    "has_gymnasium",
    "leak",
    "leaving",
    "minimax_loop",
    "misled",
    "predict",
    "quit_or_go",
    "self_loop",
    "tie",
]

Number = int | float | Fraction


def absorbing(r0: Number, r1: Number, discount: Number) -> MDP:
    """Two states, one action, P = I, rewards r0 and r1."""
    return MDP([[[1, 0]], [[0, 1]]], [[r0], [r1]], Fraction(discount), exact=True)


def self_loop(reward: Number, discount: Number) -> MDP:
    """One state that stays and pays."""
    return MDP([[[1]]], [[reward]], Fraction(discount), exact=True)


def leak(discount: Number, eps: Number, reward: Number = 1) -> MDP:
    """State 1 pays `reward` and stays with probability 1 - eps/2, else goes to state 0.

    State 0 absorbs and pays nothing. One action.
    """
    out = Fraction(eps) / 2
    return MDP([[[1, 0]], [[out, 1 - out]]], [[0], [reward]], Fraction(discount), exact=True)


def minimax_loop(discount: Number) -> MDP:
    """The loop on which sampling errors cost about the most: `leak` that stays with probability p.

    p = (4 discount - 1)/(3 discount), for which the value of state 1, estimated from n draws, has a
    standard deviation of order n^(-1/2) (1 - discount)^(-3/2) (Azar, Munos and Kappen, 2013).
    """
    g = Fraction(discount)
    return leak(g, 2 * (1 - g) / (3 * g))


def tie(discount: Number, x: Number, y: Number) -> MDP:
    """States 1 and 2 absorb with rewards x and y; at 0 action 0 goes to 1, action 1 to 2, for 0."""
    transitions = [
        [[0, 1, 0], [0, 0, 1]],
        [[0, 1, 0], [0, 1, 0]],
        [[0, 0, 1], [0, 0, 1]],
    ]
    return MDP(transitions, [[0, 0], [x, x], [y, y]], Fraction(discount), exact=True)


def flip(beta: Number, discount: Number = 0) -> MDP:
    """Two states, one action: change the state with probability beta; state 0 pays 1."""
    b = Fraction(beta)
    return MDP([[[1 - b, b]], [[b, 1 - b]]], [[1], [0]], Fraction(discount), exact=True)


def greedy_loss_pair(discount: Number, eps: Number, eta: Number = 0) -> MDP:
    """On which acting greedily for a value off by eps loses 2 discount eps (1-eta)/(1-discount).

    State 1 absorbs and pays (1 - eta) 2 discount eps. In state 0 action 0 stays for nothing, action
    1 pays the same and leads to state 1.
    """
    pay = (1 - Fraction(eta)) * 2 * Fraction(discount) * Fraction(eps)
    transitions = [[[1, 0], [0, 1]], [[0, 1], [0, 1]]]
    return MDP(transitions, [[0, pay], [pay, pay]], Fraction(discount), exact=True)


def leaving(reward: Number, discount: Number, exit: Number = 1) -> MDP:
    """One state that pays and ends with probability `exit`, else stays."""
    out = Fraction(exit)
    return MDP([[[1 - out]]], [[reward]], Fraction(discount), termination=[[out]], exact=True)


def quit_or_go(deciders: int, pay: Number, discount: Number) -> MDP:
    """A chain on which policy iteration changes one state a round, from the end.

    In each state action 0 stays and pays `pay`; action 1 moves on for nothing, and in the last
    state ends the episode and pays 1. From all-quit it takes `deciders` rounds if `pay` is below
    (1 - discount) discount^(deciders - 1): as many as there are actions beyond one a state.
    """
    n = deciders
    rows = [
        [[int(t == s) for t in range(n)], [int(t == s + 1) for t in range(n)]] for s in range(n)
    ]
    ends = [[0, 0]] * (n - 1) + [[0, 1]]
    paid = [[pay, 0]] * (n - 1) + [[pay, 1]]
    return MDP(rows, paid, Fraction(discount), termination=ends, exact=True)


def predict(horizon: int = 2, chance: Number = Fraction(1, 2), copies: int = 1) -> EpisodicMDP:
    """One coin for each copy of the start state, thrown at the last stage but one.

    One action. The start law is uniform on states 0..copies-1, which stay where they are until
    stage horizon-2 leads each to the last state with probability `chance`, else to state 0. At the
    last stage the last state pays 1; nothing else pays: V*_0 = chance.
    """
    p, m = Fraction(chance), copies
    stay = [[[int(t == s) for t in range(m + 1)]] for s in range(m + 1)]
    coins = [[[1 - p] + [0] * (m - 1) + [p]]] * m + [stay[m]]
    rows = [coins if h == horizon - 2 else stay for h in range(horizon)]
    paid = [[[int(h == horizon - 1 and s == m)] for s in range(m + 1)] for h in range(horizon)]
    return EpisodicMDP(rows, paid, horizon, [1.0 / m] * m + [0.0], exact=True)


def misled() -> EpisodicMDP:
    """On which a learner without a bonus is misled for ever, with probability 1/2.

    At state 3 action 0 leads to state 0 or 1 with equal chances, and action 1 to state 2; then
    one action is left, which pays 0, 1 or 1/4. Who meets state 0 first never tries action 0 again,
    and loses 1/4 an episode.
    """
    half = Fraction(1, 2)
    rows = [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [half, half, 0, 0], [0, 0, 1, 0]]
    paid = [0, 1, Fraction(1, 4), 0, 0]
    states, actions, start = [0, 1, 2, 3, 3], [0, 0, 0, 0, 1], [0.0, 0.0, 0.0, 1.0]
    mdp = MDP.from_pairs(states, actions, rows, paid, initial=start, exact=True)
    return mdp.episodic(2)


def has_gymnasium() -> bool:
    """Whether `frozen_lake` can be built."""
    return find_spec("gymnasium") is not None


def frozen_lake(discount: Number) -> MDP:
    """FrozenLake-v1 (4x4, slippery) of gymnasium, its doubles read as the rationals they are."""
    exact = Fraction(discount)
    return MDP.from_gymnasium("FrozenLake-v1", discount=float(exact)).as_exact(exact)
