"""Instances of the claims about mirror descent: small exact models, a first policy, steps.

Random ones are those of the foundations (rows certain, concentrated or spread, with and without
exits, states that repeat or are never reached, rewards at the ends of [0, 1]) with what a run
needs; the named ones are those on which a bound is attained or approached.
"""

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from rltheory.claims.family import Family, Instance
from rltheory.claims.space import Choice, Many
from rltheory.foundations.families import (
    DISCOUNTS,
    MOST_ACTIONS,
    MOST_STATES,
    law_of_weights,
    planning_family,
)
from rltheory.mdp.model import MDP

__all__ = ["bandit", "chain", "run_case", "run_family"]

_PAIRS = MOST_STATES * MOST_ACTIONS


def run_family(
    regularised: bool = False,
    discounts: Sequence[str] = DISCOUNTS,
    steps: Sequence[str] = ("1/100", "1/10", "1", "10", "100"),
) -> Family:
    """Models with a start law, a first policy that takes every action, a step, and other laws.

    Instances have `mdp`, `start`, `init` and `laws` ((S, A) lists of Fraction, the second with
    zeros), `step`, `temperature` and `share` (Fraction; the last is a share of the longest step of
    the regularised theorem), and `reference` (positive, or None for the entropy).
    """
    models = planning_family(discounts=discounts)

    def build(step: str, first: list[int], aside: list[int], **rest: Any) -> Instance:
        temperature = Fraction(rest.pop("temperature", "1"))
        kind, towards = rest.pop("kind", "entropy"), rest.pop("towards", [])
        share = Fraction(rest.pop("share", "1"))
        built = models.instance(rest)
        S, A = built.mdp.n_states, built.mdp.n_actions

        def table(weights: list[int]) -> list[list[Fraction]]:
            return [law_of_weights(weights[s * A : (s + 1) * A]) for s in range(S)]

        return Instance(
            mdp=built.mdp,
            start=built.start,
            init=table(first),
            laws=table(aside),
            step=Fraction(step),
            temperature=temperature,
            share=share,
            reference=None if kind == "entropy" else table(towards),
        )

    space: dict[str, Any] = dict(models.space) | {
        "step": Choice(*steps),
        "first": Many(Choice(1, 1, 2, 5, 1000), _PAIRS),
        "aside": Many(Choice(0, 0, 1, 3), _PAIRS),
    }
    if regularised:
        space |= {
            "temperature": Choice("1/1000000", "1/64", "1/4", "1", "8", "1000000"),
            "kind": Choice("entropy", "reference"),
            "towards": Many(Choice(1, 1, 2, 5, 40), _PAIRS),
            "share": Choice("1", "9/10", "1/2", "1/10", "1/100"),
        }
    return Family(space, build)


def run_case(mdp: MDP, init: Any = None, **more: Any) -> Instance:
    """An instance as `run_family` builds them, around a given exact model; left out: uniform."""
    S, A = mdp.n_states, mdp.n_actions
    uniform = [[Fraction(1, A)] * A] * S
    parts: dict[str, Any] = {
        "mdp": mdp,
        "start": [Fraction(1, S)] * S,
        "init": uniform if init is None else [[Fraction(x) for x in row] for row in init],
        "laws": [[Fraction(int(a == 0)) for a in range(A)]] * S,
        "step": Fraction(1),
        "temperature": Fraction(1),
        "share": Fraction(1),
        "reference": None,
    }
    return Instance(**parts | more)


def bandit(rewards: Sequence[Any], discount: Any = 0) -> MDP:
    """One state, an action for each reward."""
    return MDP(
        [[[1]] * len(rewards)], [[Fraction(x) for x in rewards]], Fraction(discount), exact=True
    )


def chain(length: int, discount: Any, quit_reward: Any) -> MDP:
    """A corridor on which policy iteration repairs one state a round.

    State `length` stays and pays 1. From state j < `length` action 0 goes to j - 1 (from 0 to the
    state that pays) for nothing, action 1 ends and pays `quit_reward`. As long as quitting is all
    that the next state does, it is the better action here too, if its reward is small enough.
    """
    n = length + 1
    goal = [int(t == length) for t in range(n)]
    moves, ends = [], []
    for j in range(length):
        ahead = length if j == 0 else j - 1
        moves.append([[int(t == ahead) for t in range(n)], [0] * n])
        ends.append([0, 1])
    moves.append([goal, goal])
    ends.append([0, 0])
    rewards = [[0, Fraction(quit_reward)]] * length + [[1, 1]]
    return MDP(moves, rewards, Fraction(discount), termination=ends, exact=True)
