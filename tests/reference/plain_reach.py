"""Reachability as plain loops over plain rows."""

import numpy as np
from plain_rows import Rows, Vector, means


def largest_state_occupancy(stages: list[Rows], start: Vector) -> Vector:
    """max over all policies of d_h(s), (H, S): a backward pass for each target."""
    n = stages[0].prob.shape[1]
    found = np.zeros((len(stages), n))
    for h in range(len(stages)):
        for s in range(n):
            u = np.eye(n)[s]
            for rows in reversed(stages[:h]):
                ahead = means(rows, u)
                u = np.array([ahead[rows.state == x].max() for x in range(n)])
            found[h, s] = start @ u
    return found
