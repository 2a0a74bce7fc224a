"""UCBVI in vectorised numpy, as fast as we can write it: what the compiled loop is compared with.

The same episodes as `rltheory.run(rltheory.UCBVI(delta), ...)` for the same seed, to the bit: words
of numpy's Philox, one for each start and each transition; alias tables; sums over successors in
ascending order, which `numpy.add.reduce` along the first axis does; bonuses by the same formula.
Counts are kept transposed, so that a backup of all pairs of a stage is three array operations and a
visit changes one entry. Everything that does not depend on the planned policy is in lists, because
single entries of arrays are slow to read.
"""

import math
from typing import Any

import numpy as np

from rltheory import _core

__all__ = ["play"]


def _alias_rows(sampler: Any, rows: int) -> list[tuple[int, list[int], list[int], list[int]]]:
    """(number of cells, split, here, there) of each row."""
    cells = [sampler.cells(row) for row in range(rows)]
    return [(len(x), x.tolist(), y.tolist(), z.tolist()) for x, y, z in cells]


def play(
    mdp: Any,
    delta: float,
    episodes: int,
    starts: tuple[int, int],
    transitions: tuple[int, int],
    blas: bool = False,
) -> tuple[list[np.ndarray[Any, Any]], np.ndarray[Any, Any]]:
    """(policy of every episode, (H, S) each; their returns, (episodes,)).

    `blas` sums over successors by a matrix product, in whatever order that likes.
    """
    S, A, H, K = mdp.n_states, mdp.n_actions, mdp.horizon, episodes
    P = S * A  # pair (s, a) is column a S + s
    counts = [0] * (H * P)
    N = np.zeros((H, S, P))
    inverse, known = np.zeros((H, P)), np.repeat(np.arange(H, 0, -1.0)[:, None], P, axis=1)
    caps = [float(H - h) for h in range(H)]
    level = math.log(3 * P * H * K / delta)
    bonus = np.sqrt(level / (2.0 * np.maximum(np.arange(K + 1.0), 1.0))).tolist()
    reward = np.broadcast_to(np.asarray(mdp.rewards).reshape(-1, S, A), (H, S, A)).tolist()
    alias = _alias_rows(_core.simulate.Sampler(mdp.core), mdp.n_pairs)
    law = type(mdp)(np.broadcast_to(mdp.initial, (S, 1, S)), np.zeros((S, 1)), 1)
    (start,) = _alias_rows(_core.simulate.Sampler(law.core), 1)
    first_row = [mdp.stage(h) * P for h in range(H)]
    words = np.random.Philox(key=np.array(transitions, dtype=np.uint64))
    start_words = np.random.Philox(key=np.array(starts, dtype=np.uint64)).random_raw(K).tolist()

    products, q, value = np.empty((S, P)), np.empty(P), np.zeros((H + 1, S))
    by_action = q.reshape(A, S)
    policy = np.empty((H, S), dtype=np.int64)
    played, returns = [], np.empty(K)
    for k in range(K):
        for h in range(H - 1, -1, -1):
            if blas:
                np.dot(value[h + 1], N[h], out=q)
            else:
                np.multiply(N[h], value[h + 1][:, None], out=products)
                np.add.reduce(products, axis=0, out=q)
            np.multiply(q, inverse[h], out=q)
            np.add(known[h], q, out=q)
            np.minimum(q, caps[h], out=q)
            by_action.argmax(axis=0, out=policy[h])
            by_action.max(axis=0, out=value[h])
        played.append(policy.copy())
        word = start_words[k]
        cells, split, here, there = start
        product = word * cells
        cell = product >> 64
        s = here[cell] if (product & 0xFFFFFFFFFFFFFFFF) < split[cell] else there[cell]
        total = 0.0
        for h, word in enumerate(words.random_raw(H).tolist()):
            a = int(policy[h, s])
            cells, split, here, there = alias[first_row[h] + s * A + a]
            product = word * cells
            cell = product >> 64
            t = here[cell] if (product & 0xFFFFFFFFFFFFFFFF) < split[cell] else there[cell]
            pair = a * S + s
            n = counts[h * P + pair] + 1
            counts[h * P + pair] = n
            r = reward[h][s][a]
            N[h, t, pair] += 1.0
            inverse[h, pair] = 1.0 / n
            known[h, pair] = r + (H - h - 1) * bonus[n]
            total += r
            s = t
        returns[k] = total
    return played, returns
