"""Learners of last-switch-dependent arms, round by round, in plain Python."""

import math
from fractions import Fraction
from itertools import product
from typing import Any

STRAIGHT = Fraction(1, 10**12)


class PlainArm:
    """States n > 0 and -m < 0; payoffs[s] for each."""

    def __init__(self, rests: list[Any], plays: list[Any]) -> None:
        self.R, self.M = len(rests), len(plays)
        self.payoffs = {n: rests[n - 1] for n in range(1, self.R + 1)}
        self.payoffs |= {-m: plays[m - 1] for m in range(1, self.M + 1)}
        self.states = sorted(self.payoffs)

    def play(self, s: int) -> int:
        return -1 if s > 0 else max(-self.M, s - 1)

    def rest(self, s: int) -> int:
        return min(self.R, s + 1) if s > 0 else 1

    def plans(self) -> list[list[tuple[int, bool]]]:
        """Blocks (n, m) by n, then m, as (state, played); then always to play."""
        out = []
        for n, m in product(range(1, self.R + 1), range(1, self.M + 1)):
            states = [-m, *range(1, n), n, *range(-1, -m, -1)]
            out.append([(s, j >= n) for j, s in enumerate(states)])
        return [*out, [(-self.M, True)]]


def twins(bandit: Any) -> list[PlainArm]:
    """The arms of an LSDBandit."""
    return [PlainArm(list(arm.rest_payoffs), list(arm.play_payoffs)) for arm in bandit.arms]


def relaxed(arms: list[PlainArm], index: list[dict[int, Any]]) -> tuple[Any, list[Any]]:
    """(value, [(lower plan or None, upper plan, share)]) of the relaxation under an index.

    The hull by brute force: from each corner to the plan of steepest slope, the furthest of those.
    """
    segments = []
    for i, arm in enumerate(arms):
        points = {}
        for j, plan in enumerate(arm.plans()):
            q = Fraction(sum(played for _, played in plan), len(plan))
            v = sum(Fraction(index[i][s]) for s, played in plan if played) / len(plan)
            best = points.get(q)
            shorter = best is not None and len(plan) < len(arm.plans()[best[1]])
            if best is None or v > best[0] or (v == best[0] and shorter):
                points[q] = (v, j)
        q, v, corner = Fraction(0), Fraction(0), None
        while True:
            slopes = [((y - v) / (x - q), x, y, j) for x, (y, j) in points.items() if x > q]
            steepest = max(slopes, default=(Fraction(0),) * 4)[0]
            if steepest <= STRAIGHT:
                break
            slope, x, y, j = max(
                (s for s in slopes if s[0] >= steepest - STRAIGHT), key=lambda s: s[1]
            )
            segments.append((-slope, i, len(segments), x - q, corner, j))
            q, v, corner = x, y, j
    mixtures: list[Any] = [(None, None, Fraction(0)) for _ in arms]
    left, value = Fraction(1), Fraction(0)
    for slope, i, _, length, lower, upper in sorted(segments, key=lambda s: s[:3]):
        if left <= 0:
            break
        share = min(Fraction(1), left / length)
        mixtures[i] = (lower, upper, share)
        value -= Fraction(slope) * share * length
        left -= length
    return value, mixtures


def drawn(arms: list[PlainArm], mixtures: list[Any], uniforms: list[float]) -> list[Any]:
    """[(plan or None, offset)]."""
    out = []
    for i, (lower, upper, share) in enumerate(mixtures):
        j = upper if uniforms[2 * i] < share else lower
        plan = None if j is None else arms[i].plans()[j]
        out.append((plan, 0 if plan is None else int(uniforms[2 * i + 1] * len(plan))))
    return out


def chosen(copies: list[Any], index: list[dict[int, Any]], round: int) -> int:
    """The arm with the largest index among those whose virtual copies play, or -1."""
    winner, best = -1, None
    for i, (plan, offset) in enumerate(copies):
        if plan is None:
            continue
        state, played = plan[(offset + round) % len(plan)]
        if played and (best is None or index[i][state] > best):
            winner, best = i, index[i][state]
    return winner


def upper_index(
    arms: list[PlainArm], seen: list[dict[int, list[int]]], width: float
) -> list[dict[int, float]]:
    """Ubar of every arm and state; `seen` has the rewards of each."""
    out = []
    for arm, known in zip(arms, seen, strict=True):
        upper = {}
        for s in arm.states:
            n = len(known[s])
            upper[s] = min(1.0, sum(known[s]) / n + width / math.sqrt(n)) if n else 1.0
        out.append({s: min(upper[r] for r in arm.states if r >= s) for s in arm.states})
    return out


def framed(
    arms: list[PlainArm],
    T: int,
    frame: int,
    width: float,
    noise: list[float],
    draws: list[float],
    recovery: int,
) -> tuple[list[int], list[int], int]:
    """(actions, rewards, rounds of broken dominance), from rested arms."""
    state = [arm.R for arm in arms]
    seen: list[dict[int, list[int]]] = [{s: [] for s in arm.states} for arm in arms]
    actions, rewards, below = [], [], 0
    for t in range(T):
        f, inside = divmod(t, frame)
        if inside == 0:
            index = upper_index(arms, seen, width)
            _, mixtures = relaxed(arms, index)
            size = 2 * len(arms)
            copies = drawn(arms, mixtures, draws[f * size : (f + 1) * size])
        resting = recovery if f else 0
        action = -1
        if inside >= resting:
            virtual = [
                plan[(offset + inside - resting) % len(plan)][0] if plan else -math.inf
                for plan, offset in copies
            ]
            below += any(r < v for r, v in zip(state, virtual, strict=True))
            action = chosen(copies, index, inside - resting)
        actions.append(action)
        paid = 0
        if action >= 0:
            s = state[action]
            paid = int(noise[t] < float(arms[action].payoffs[s]))
            seen[action][s].append(paid)
        rewards.append(paid)
        state = [
            arm.play(s) if i == action else arm.rest(s)
            for i, (arm, s) in enumerate(zip(arms, state, strict=True))
        ]
    return actions, rewards, below
