"""Regularised best-policy identification in vectorised numpy: what the compiled loop races against.

The same episodes, counts and stopping time as `rltheory.RegularizedBPI` for the same seed (a test
compares them): the same words decide starts, transitions, exploring stages and actions. Each sweep
is one pass over stages with every state, action and one of three values at once, the sum over
successors a matrix product. The episodes of a batch share their plan, and with `together` they are
played all at once, one array operation for all of them; otherwise, and in small batches, one after
another. The model is full, no row of it is deterministic, its episodes do not end early, and all
actions are allowed.
"""

import math
from typing import Any

import numpy as np

from rltheory import _core

__all__ = ["play"]

_LOW = np.uint64(0xFFFFFFFF)
_HALF = np.uint64(32)


def _high_and_low(words: Any, bound: Any) -> tuple[Any, Any]:
    """floor(w bound / 2^64) and w bound mod 2^64, bound below 2^32."""
    low = ((words & _LOW) * bound) >> _HALF
    return ((words >> _HALF) * bound + low) >> _HALF, words * bound


class _Alias:
    """Alias tables of all rows, as lists for one draw and as arrays for many."""

    def __init__(self, sampler: Any, rows: int) -> None:
        cells = [sampler.cells(row) for row in range(rows)]
        self.lists = [(len(x), x.tolist(), y.tolist(), z.tolist()) for x, y, z in cells]
        self.size = np.array([len(x) for x, _, _ in cells], dtype=np.uint64)
        self.first = np.concatenate([[0], np.cumsum(self.size.astype(np.int64))[:-1]])
        split, here, there = (np.concatenate([c[i] for c in cells]) for i in range(3))
        self.split = split.astype(np.uint64)
        self.here, self.there = here.astype(np.int64), there.astype(np.int64)

    def draw(self, row: int, word: int) -> int:
        cells, split, here, there = self.lists[row]
        product = word * cells
        cell = product >> 64
        return here[cell] if (product & 0xFFFFFFFFFFFFFFFF) < split[cell] else there[cell]

    def draws(self, rows: Any, words: Any) -> Any:
        high, low = _high_and_low(words, self.size[rows])
        cell = self.first[rows] + high.astype(np.int64)
        return np.where(low < self.split[cell], self.here[cell], self.there[cell])


def play(
    mdp: Any,
    reference: Any,
    temperature: float,
    epsilon: float,
    widths: Any,
    growth: float,
    most_episodes: int,
    keys: tuple[tuple[int, int], ...],
    together: bool = True,
) -> tuple[int, Any, Any]:
    """(episodes, counts (H, S, A, S), history rows (episodes, certificate, lower, upper)).

    `widths` are tables over counts up to `most_episodes`; keys are those of starts, transitions,
    exploring stages and actions.
    """
    S, A, H, lam = mdp.n_states, mdp.n_actions, mdp.horizon, temperature
    bonus, kappa = widths
    root_kappa = np.sqrt(kappa)
    r = np.broadcast_to(np.asarray(mdp.rewards).reshape(-1, S, A), (H, S, A))
    rho = np.broadcast_to(reference, (H, S, A))
    alias = _Alias(_core.simulate.Sampler(mdp.core), mdp.n_pairs)
    # One row is the start law; the other keeps the model from being deterministic.
    law = type(mdp)([[mdp.initial], *([[np.full(S, 1 / S)]] * (S - 1))], np.zeros((S, 1)), 1)
    start = _Alias(_core.simulate.Sampler(law.core), 1)
    first_row = [mdp.stage(h) * S * A for h in range(H)]
    streams = [np.random.Philox(key=np.array(key, dtype=np.uint64)) for key in keys]

    N, n = np.zeros((H, S * A, S)), np.zeros((H, S * A), dtype=np.int64)
    inverse = np.zeros((H, S, A))
    b, root = np.full((H, S, A), np.inf), np.full((H, S, A), np.inf)
    values = np.zeros((H + 1, S, 3))  # upper, lower, gap
    policy, widest = np.empty((H, S, A)), np.empty((H, S), dtype=np.int64)
    q, shifted = np.empty((2, S, A)), np.empty((2, S, A))
    tie = H * 2.0**-40
    caps = [float(H - 1 - h) for h in range(H)]
    flat_b, flat_root, flat_inverse = (x.reshape(H, -1) for x in (b, root, inverse))

    def plan() -> None:
        for h in range(H - 1, -1, -1):
            later = values[h + 1]
            beta = later[:, 2].max()
            means = (N[h] @ later).reshape(S, A, 3)
            means *= inverse[h][:, :, None]
            np.minimum(means[:, :, 0] + b[h], caps[h], out=q[0])
            np.maximum(means[:, :, 1] - b[h], 0.0, out=q[1])
            np.add(q, r[h], out=q)
            both = np.sqrt(means[:, :, 2]) + (math.sqrt(beta) * root[h] if beta > 0.0 else 0.0)
            step = np.minimum(both * both, beta)
            top = q.max(axis=2)
            np.subtract(q, top[:, :, None], out=shifted)
            np.divide(shifted, lam, out=shifted)
            np.expm1(shifted, out=shifted)
            np.multiply(shifted, rho[h], out=shifted)
            values[h, :, :2] = (top + lam * np.log1p(shifted.sum(axis=2))).T
            pi = policy[h]
            np.add(shifted[0], rho[h], out=pi)
            pi /= pi.sum(axis=1, keepdims=True)
            width = q[0] - q[1]
            largest = width.max(axis=1)
            (width >= largest[:, None] - tie).argmax(axis=1, out=widest[h])
            D = np.maximum(largest, 0.0) if A > 1 else np.zeros(S)
            values[h, :, 2] = np.minimum(D, D * D / (8.0 * lam)) + (pi * step).sum(axis=1)

    def observe_one() -> None:
        word = int(streams[0].random_raw())
        exploring = (int(streams[2].random_raw()) * (H + 1) >> 64) - 1
        uniforms = ((streams[3].random_raw(H) >> np.uint64(11)) * 2.0**-53).tolist()
        s = start.draw(0, word)
        for h, word in enumerate(streams[1].random_raw(H).tolist()):
            if h == exploring:
                a = int(widest[h, s])
            else:
                sums = np.cumsum(policy[h, s])
                a = min(int(sums.searchsorted(uniforms[h], side="right")), A - 1)
            t = alias.draw(first_row[h] + s * A + a, word)
            pair = s * A + a
            N[h, pair, t] += 1.0
            count = n[h, pair] = n[h, pair] + 1
            flat_inverse[h, pair] = 1.0 / count
            flat_b[h, pair] = caps[h] * bonus[count]
            flat_root[h, pair] = root_kappa[count]
            s = t

    def observe_many(m: int) -> None:
        s = start.draws(np.zeros(m, dtype=np.int64), streams[0].random_raw(m))
        moves = streams[1].random_raw(m * H).reshape(m, H)
        exploring = (
            _high_and_low(streams[2].random_raw(m), np.uint64(H + 1))[0].astype(np.int64) - 1
        )
        uniforms = (streams[3].random_raw(m * H).reshape(m, H) >> np.uint64(11)) * 2.0**-53
        for h in range(H):
            sums = np.cumsum(policy[h], axis=1)
            a = np.minimum((sums[s] <= uniforms[:, h, None]).sum(axis=1), A - 1)
            a = np.where(exploring == h, widest[h, s], a)
            pair = s * A + a
            t = alias.draws(first_row[h] + pair, moves[:, h])
            N[h] += np.bincount(pair * S + t, minlength=S * A * S).reshape(S * A, S)
            n[h] += np.bincount(pair, minlength=S * A)
            s = t
        seen = n > 0
        flat_inverse[seen] = 1.0 / n[seen]
        flat_b[seen] = (np.array(caps)[:, None] * bonus[n])[seen]
        flat_root[seen] = root_kappa[n][seen]

    initial, history, t = np.asarray(mdp.initial), [], 0
    with np.errstate(invalid="ignore"):
        while True:
            plan()
            upper, lower, gap = (float(initial @ values[0, :, i]) for i in range(3))
            history.append((t, gap, lower, upper))
            if gap <= epsilon or t >= most_episodes:
                break
            m = min(max(1, math.floor(growth * t)), most_episodes - t)
            if m < 4 or not together:
                for _ in range(m):
                    observe_one()
            else:
                observe_many(m)
            t += m
    return t, N.reshape(H, S, A, S), np.array(history)
