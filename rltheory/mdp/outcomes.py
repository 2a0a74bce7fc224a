"""Rewards of listed outcomes, as the constructors of models take them.

Readers meet rows as lists of outcomes: a successor or the end, its chance, what it pays. The
law of rewards is kept in the plainest form that holds it: one reward a pair, one reward a
successor, or, where one successor can pay several rewards, the law of each pair as atoms.
"""

import math
from typing import Any

import numpy as np
from scipy import sparse

from rltheory.mdp.reward_laws import Atoms

__all__ = ["EXIT", "PaidRewards", "reward_arguments"]

EXIT = -1
"""The successor of what ends."""

PaidRewards = dict[int, dict[float, list[float]]]
"""One row: by successor, each reward that it may pay and the chances of that."""


def reward_arguments(
    parsed: list[PaidRewards], row: list[int], col: list[int], shape: tuple[int, int]
) -> dict[str, Any]:
    """The rewards as the constructor wants them, in the plainest form that keeps their law."""
    by_row = [
        {
            reward: math.fsum(p for paid in rewards.values() for p in paid.get(reward, ()))
            for reward in sorted({reward for paid in rewards.values() for reward in paid})
        }
        for rewards in parsed
    ]
    if all(len(law) <= 1 for law in by_row):
        return {"rewards": np.array([next(iter(law), 0.0) for law in by_row])}
    if all(len(paid) == 1 for rewards in parsed for paid in rewards.values()):
        outcome = [next(iter(parsed[r][state])) for r, state in zip(row, col, strict=True)]
        ending = [next(iter(rewards.get(EXIT, {0.0: []}))) for rewards in parsed]
        return {
            "next_state_rewards": sparse.csr_array((outcome, (row, col)), shape=shape),
            "termination_rewards": np.array(ending),
        }
    # Several rewards for one successor: the law of each pair, padded with chances of 0.
    most = max(len(law) for law in by_row)
    values = np.zeros((len(by_row), most))
    probabilities = np.zeros((len(by_row), most))
    for r, law in enumerate(by_row):
        values[r, : len(law)] = list(law)
        probabilities[r, : len(law)] = list(law.values())
    totals = [math.fsum(law.values()) for law in by_row]
    means = [
        math.fsum(value * chance for value, chance in law.items()) / (total or 1.0)
        for law, total in zip(by_row, totals, strict=True)
    ]
    return {"rewards": np.array(means), "reward_law": Atoms(values, probabilities)}
