"""Alias tables, rewards and episodes in plain Python, word by word."""

from fractions import Fraction
from math import floor
from typing import Any

import rltheory as rlt
from rltheory.mdp.streams import Stream


def alias_table(outcomes: Any, probabilities: Any) -> tuple[list[int], list[int], list[int]]:
    """(split, here, there) of each cell: Vose's algorithm, the latest entries first."""
    n = len(outcomes)
    exact = [Fraction(float(p)) for p in probabilities]
    share = [floor(n * p / sum(exact) * 2**64 + Fraction(1, 2)) for p in exact]
    share[share.index(max(share))] += n * 2**64 - sum(share)
    low = [i for i in range(n) if share[i] < 2**64]
    high = [i for i in range(n) if share[i] >= 2**64]
    split, here, there = [2**64 - 1] * n, list(outcomes), list(outcomes)
    while low and high:
        small, large = low.pop(), high[-1]
        split[small], there[small] = share[small], outcomes[large]
        share[large] -= 2**64 - share[small]
        if share[large] < 2**64:
            low.append(high.pop())
    return split, here, there


def row_of(mdp: Any, row: int) -> tuple[list[int], list[float]]:
    """Outcomes of a row, -1 for its end, with their probabilities."""
    first, last = mdp.transitions.indptr[row : row + 2]
    outcomes = mdp.transitions.indices[first:last].tolist()
    probabilities = mdp.transitions.data[first:last].tolist()
    ends = float(mdp.termination.reshape(-1)[row])
    if ends > 0.0:
        outcomes, probabilities = [*outcomes, -1], [*probabilities, ends]
    return outcomes, probabilities


def draw(outcomes: Any, probabilities: Any, word: int) -> int:
    if len(outcomes) == 1:
        return int(outcomes[0])
    split, here, there = alias_table(outcomes, probabilities)
    cell, rest = divmod(word * len(outcomes), 2**64)
    return int(here[cell] if rest < split[cell] else there[cell])


def words(seed: int, purpose: str, count: int) -> list[int]:
    return [int(w) for w in Stream(seed, purpose).words(count)]


def uniform(word: int) -> float:
    return (word >> 11) * 2.0**-53


def drawn_reward(mdp: Any, row: int, word: int) -> float:
    law, mean = mdp.reward_law, float(mdp.mean_rewards[row])
    if isinstance(law, rlt.Bernoulli):
        return law.scale if uniform(word) < mean / law.scale else 0.0
    if isinstance(law, rlt.Atoms):
        return float(law.values[row, chosen(law.probabilities[row], uniform(word))])
    assert isinstance(law, rlt.Deterministic)
    return mean


def chosen(law: Any, u: float) -> int:
    """The first index at which the sum exceeds u; the last possible one if none does."""
    total, last = 0.0, 0
    for i, p in enumerate(law):
        if p == 0.0:
            continue
        last = i
        total += float(p)
        if u < total:
            break
    return last


def episodes(
    mdp: Any, policy: Any, count: int, seed: int
) -> list[list[tuple[int, int, float, int]]]:
    """Steps (state, action, reward, next state) of each episode; `policy` is (H, S, A)."""
    T = mdp.horizon
    starts = words(seed, "sample-starts", count)
    actions, moves, paid = (
        words(seed, f"sample-{name}", count * T) for name in ("actions", "transitions", "rewards")
    )
    found = []
    for e in range(count):
        state, steps = draw(range(mdp.n_states), mdp.initial, starts[e]), []
        for h in range(T):
            if state < 0:
                break
            w = e * T + h
            action = chosen(policy[h, state], uniform(actions[w]))
            row = (mdp.stage(h) * mdp.n_states + state) * mdp.n_actions + action
            following = draw(*row_of(mdp, row), moves[w])
            steps.append((state, action, drawn_reward(mdp, row, paid[w]), following))
            state = following
        found.append(steps)
    return found
