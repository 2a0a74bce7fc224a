"""Episodes as plain lists: drawn by hypothesis, and all of a small model with their chances."""

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import hypothesis.strategies as st
from hypothesis import settings

import rltheory as rlt

Step = tuple[int, int, float]
Episode = tuple[list[Step], int]  # steps (s, a, r), and the final state, -1 for an end

STATES, ACTIONS, HORIZON = 3, 2, 4

few = settings(max_examples=60)
"""For hypothesis: enough for these small columns, at no particular speed."""


def step_lists() -> st.SearchStrategy[list[Step]]:
    reward = st.integers(-8, 8).map(lambda x: x / 4)
    step = st.tuples(st.integers(0, STATES - 1), st.integers(0, ACTIONS - 1), reward)
    return st.lists(step, min_size=1, max_size=HORIZON)


def episode_lists(least: int = 1) -> st.SearchStrategy[list[Episode]]:
    episode = st.tuples(step_lists(), st.integers(-1, STATES - 1))
    return st.lists(episode, min_size=least, max_size=6)


def trajectories_of(episodes: list[Episode], **origin: Any) -> rlt.Trajectories:
    sizes = {"n_states": STATES, "n_actions": ACTIONS, "horizon": HORIZON} | origin
    steps = [step for one, _ in episodes for step in one]
    return rlt.Trajectories(
        *([step[k] for step in steps] for k in range(3)),
        [final for _, final in episodes],
        [len(one) for one, _ in episodes],
        rlt.Provenance(**sizes),
    )


def episodes_of(data: rlt.Trajectories) -> list[Episode]:
    out = []
    for one in data:
        columns = (one.states.tolist(), one.actions.tolist(), one.rewards.tolist())
        out.append((list(zip(*columns, strict=True)), int(one.final_states[0])))
    return out


def all_episodes(mdp: Any, policy: Any) -> Iterator[tuple[list[tuple[int, int]], int, Fraction]]:
    """(pairs, final state, probability) of every episode of a full model with a horizon.

    `policy` has probabilities by stage, state and action; the model's numbers are dyadic.
    """
    S, A, H = mdp.n_states, mdp.n_actions, mdp.horizon
    moves, ends = mdp.transitions.toarray(), mdp.termination

    def going(
        h: int, s: int, pairs: list[tuple[int, int]], chance: Fraction
    ) -> Iterator[tuple[list[tuple[int, int]], int, Fraction]]:
        if h == H:
            yield pairs, s, chance
            return
        for a in range(A):
            taken = chance * Fraction(policy[h][s][a])
            row = (mdp.stage(h) * S + s) * A + a
            if not taken:
                continue
            if ends[row]:
                yield [*pairs, (s, a)], -1, taken * Fraction(float(ends[row]))
            for t in range(S):
                if moves[row, t]:
                    went = taken * Fraction(float(moves[row, t]))
                    yield from going(h + 1, t, [*pairs, (s, a)], went)

    for s in range(S):
        if mdp.initial[s]:
            yield from going(0, s, [], Fraction(float(mdp.initial[s])))
