"""What the compiled regression and the loop of LSVI-UCB do, with plain inverses from all data."""

from typing import Any

import numpy as np
from plain_rows import Vector

Step = tuple[int, int, int, float, int]


def gram(rows: Any, ridge: float, weights: Any = None) -> Vector:
    rows = np.asarray(rows, dtype=float)
    c = np.ones(len(rows)) if weights is None else np.asarray(weights, dtype=float)
    return np.asarray(ridge * np.eye(rows.shape[1]) + (rows * c[:, None]).T @ rows)


def optimistic_plan(
    features: Vector, steps: list[Step], radii: Vector, ridge: float
) -> tuple[Vector, Vector]:
    """(q, policy) of LSVI-UCB from the steps (h, s, a, r, s') so far."""
    S, A, d = features.shape
    H = len(radii)
    q, value = np.zeros((H, S, A)), np.zeros((H + 1, S))
    for h in reversed(range(H)):
        here = [step for step in steps if step[0] == h]
        rows = np.array([features[s, a] for _, s, a, _, _ in here]).reshape(-1, d)
        y = np.array([r + (value[h + 1, t] if t >= 0 else 0.0) for *_, r, t in here])
        inverse = np.linalg.inv(gram(rows, ridge))
        norm = np.sqrt(np.einsum("sad,de,sae->sa", features, inverse, features))
        q[h] = np.clip(features @ (inverse @ rows.T @ y) + radii[h] * norm, 0.0, H - h)
        value[h] = q[h].max(axis=1)
    return q, q.argmax(axis=2)


def tabular_plan(S: int, A: int, steps: list[Step], radii: Vector, ridge: float) -> Vector:
    """q of the table that LSVI-UCB is for one-hot features: counts n, sums over n + ridge."""
    H = len(radii)
    n = np.zeros((H, S, A))
    paid = np.zeros((H, S, A))
    moved = np.zeros((H, S, A, S))
    for h, s, a, r, t in steps:
        n[h, s, a] += 1
        paid[h, s, a] += r
        if t >= 0:
            moved[h, s, a, t] += 1
    q, value = np.zeros((H, S, A)), np.zeros(S)
    for h in reversed(range(H)):
        mean = (paid[h] + moved[h] @ value) / (n[h] + ridge)
        q[h] = np.clip(mean + radii[h] / np.sqrt(n[h] + ridge), 0.0, H - h)
        value = q[h].max(axis=1)
    return q
