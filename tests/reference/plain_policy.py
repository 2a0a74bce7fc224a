"""What a policy makes of plain rows: its chain, its value, its occupancy."""

import numpy as np
from plain_rows import Rows, Vector, means


def chain(rows: Rows, weight: Vector) -> tuple[Vector, Vector, Vector]:
    """P (S, S), exit (S,) and reward (S,) of the mixture of each state's rows."""
    n = rows.prob.shape[1]
    share = weight / np.bincount(rows.state, weight, n)[rows.state]
    sigma = rows.prob.sum(axis=1) + rows.exit
    prob = np.zeros((n, n))
    np.add.at(prob, rows.state, (share / sigma)[:, None] * rows.prob)
    exit_ = np.bincount(rows.state, share / sigma * rows.exit, n)
    return prob, exit_, np.bincount(rows.state, share * rows.reward, n)


def policy_value(rows: Rows, weight: Vector, discount: float) -> Vector:
    prob, _, reward = chain(rows, weight)
    return np.linalg.solve(np.eye(len(prob)) - discount * prob, reward)


def policy_occupancy(rows: Rows, weight: Vector, discount: float, start: Vector) -> Vector:
    """(1 - discount) sum_t discount^t Pr(s_t, a_t) of each row."""
    prob, _, _ = chain(rows, weight)
    states = np.linalg.solve(np.eye(len(prob)) - discount * prob.T, start)
    share = weight / np.bincount(rows.state, weight)[rows.state]
    return (1.0 - discount) * states[rows.state] * share


def stage_values(stages: list[Rows], weights: list[Vector]) -> Vector:
    """V_h = r_pi + P_pi V_{h+1}, (H+1, S)."""
    value = np.zeros((len(stages) + 1, stages[0].prob.shape[1]))
    for h in reversed(range(len(stages))):
        q = stages[h].reward + means(stages[h], value[h + 1])
        value[h] = np.bincount(stages[h].state, weights[h] * q)
    return value


def stage_occupancies(stages: list[Rows], weights: list[Vector], start: Vector) -> list[Vector]:
    """Pr(s_h, a_h) of each row, stage by stage."""
    here, out = start, []
    for rows, weight in zip(stages, weights, strict=True):
        out.append(here[rows.state] * weight)
        sigma = rows.prob.sum(axis=1) + rows.exit
        here = (out[-1] / sigma) @ rows.prob
    return out
