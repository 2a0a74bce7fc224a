"""The plan of regularised best-policy identification to sixty digits, from counts, for checks.

Shares no code with the core: formulas as in docs/theory/regularized_bpi.md, on exact models
(`exact_episodes`). Counts are lists (H, S, A, S + 1), the last number of a row being the exits.
"""

import math
from fractions import Fraction
from typing import Any

from rltheory.claims.family import Family, Instance
from rltheory.claims.space import Choice, Integer, Many
from rltheory.demonstrations.exact_episodes import (
    DIGITS,
    Episodes,
    Policy,
    Real,
    divergence,
    episode_family,
    real,
    softmax,
)

__all__ = ["Intervals", "counts_near", "explored_family", "first_certificate"]

_PAIRS = 3 * 2 * 3  # most stages, states and actions of the family


class Intervals:
    """Upper and lower values, the plan and its certificate, from counts.

    Parameters
    ----------
    episodes : Episodes
        The model; its rewards are known.
    counts : list
        (H, S, A, S + 1).
    reference : Policy
    tau, delta : Fraction
    factor : Fraction
        Multiplies b, for mutants.
    transport : bool
        Whether P G is bounded with kappa; else by P_hat G, for mutants.
    eighth : int
        8, other for mutants.
    """

    def __init__(
        self,
        episodes: Episodes,
        counts: Any,
        reference: Policy,
        tau: Fraction,
        delta: Fraction,
        *,
        factor: Fraction = Fraction(1),
        transport: bool = True,
        eighth: int = 8,
    ) -> None:
        self.episodes, self.counts, self.tau = episodes, counts, real(tau)
        self.H, self.S, self.A = episodes.H, episodes.S, episodes.A
        self.L = DIGITS.log(real(2 * self.S * self.A * self.H / Fraction(delta)))
        self.outcomes = self.S + any(planner.has_exits for planner in episodes.stages)
        zero = [DIGITS.mpf(0)] * self.S
        self.upper, self.lower, self.gap = [zero], [zero], [zero]
        self.policy: Any = []
        self.q_upper: list[Any] = []
        self.q_lower: list[Any] = []
        for h in reversed(range(self.H)):
            self._stage(h, reference, real(factor), transport, eighth)

    def bonus(self, h: int, n: int) -> Real:
        """b_h(n), n >= 1."""
        c = self.H - 1 - h
        return real(Fraction(c, 2 * n)) * DIGITS.sqrt((n + 1) * (DIGITS.log(n + 1) + 2 * self.L))

    def kappa(self, n: int) -> Real:
        """Of n >= 1 draws."""
        k = self.outcomes - 1
        return (self.L + DIGITS.log(math.comb(n + k, k))) / n if k else DIGITS.mpf(0)

    def happens(self, best: Any) -> bool:
        """Whether all empirical rows are as close to the true ones as widths say; best is V*."""
        for h, planner in enumerate(self.episodes.stages):
            for s in self.episodes.states:
                for a in self.episodes.actions:
                    row = self.counts[h][s][a]
                    n = sum(row)
                    if not n:
                        continue
                    empirical = [Fraction(k, n) for k in row]
                    true = [*planner.P[s][a], planner.exit(s, a)]
                    off = DIGITS.fsum(
                        real(x - y) * v
                        for x, y, v in zip(empirical, true, [*best[h + 1], 0], strict=True)
                    )
                    if abs(off) > self.bonus(h, n):
                        return False
                    if divergence(empirical, true) > self.kappa(n):
                        return False
        return True

    def _stage(self, h: int, reference: Policy, factor: Real, transport: bool, eighth: int) -> None:
        planner, c = self.episodes.stages[h], DIGITS.mpf(self.H - 1 - h)
        beta = max(self.gap[0])
        later = self.upper[0], self.lower[0], self.gap[0]
        high, low, ahead = ([[] for _ in range(self.S)] for _ in range(3))  # type: ignore[var-annotated]
        for s in self.episodes.states:
            for a in self.episodes.actions:
                r, row = real(planner.r[s][a]), self.counts[h][s][a]
                n = sum(row)
                if not n:
                    high[s].append(r + c)
                    low[s].append(r)
                    ahead[s].append(beta)
                    continue
                up, down, gap = (
                    DIGITS.fsum(k * v for k, v in zip(row[:-1], x, strict=True)) / n for x in later
                )
                b = factor * self.bonus(h, n)
                high[s].append(r + min(c, up + b))
                low[s].append(r + max(DIGITS.mpf(0), down - b))
                slack = DIGITS.sqrt(beta * self.kappa(n)) if transport else 0
                ahead[s].append(min(beta, (DIGITS.sqrt(gap) + slack) ** 2))
        soft = [softmax(reference[h][s], high[s], self.tau) for s in self.episodes.states]
        self.upper.insert(0, [value for value, _ in soft])
        self.policy.insert(0, [law for _, law in soft])
        self.lower.insert(
            0, [softmax(reference[h][s], low[s], self.tau)[0] for s in self.episodes.states]
        )
        self.gap.insert(
            0,
            [
                self._width(reference[h][s], high[s], low[s], eighth)
                + DIGITS.fsum(p * x for p, x in zip(soft[s][1], ahead[s], strict=True))
                for s in self.episodes.states
            ],
        )
        self.q_upper.insert(0, high)
        self.q_lower.insert(0, low)

    def _width(self, law: Any, high: Any, low: Any, eighth: int) -> Real:
        widths = [x - y for w, x, y in zip(law, high, low, strict=True) if w > 0]
        D = max(widths) if len(widths) > 1 else DIGITS.mpf(0)
        return min(D, D * D / (eighth * self.tau))


def first_certificate(left: int, tau: Fraction) -> Real:
    """sum_{m < left} min{m, m^2 / (8 tau)}: the certificate of a state before the first episode."""
    return DIGITS.fsum(min(DIGITS.mpf(m), real(m * m / (8 * tau))) for m in range(left))


def counts_near(episodes: Episodes, visits: Any, tilts: Any) -> Any:
    """Counts of so many visits in about the true proportions, some moved between two outcomes.

    `visits` and `tilts` are flat, a number for each (h, s, a); a tilt of t moves about |t| sqrt(n)
    visits from the first possible outcome to the last, or back.
    """
    found: Any = []
    flat = iter(zip(visits, tilts, strict=True))
    for planner in episodes.stages:
        stage: Any = []
        for s in episodes.states:
            rows = []
            for a in episodes.actions:
                n, tilt = next(flat)
                rows.append(_counts([*planner.P[s][a], planner.exit(s, a)], n, tilt))
            stage.append(rows)
        found.append(stage)
    return found


def _counts(row: list[Fraction], n: int, tilt: int) -> list[int]:
    counts = [math.floor(n * p) for p in row]
    possible = [k for k, p in enumerate(row) if p > 0]
    counts[max(possible, key=lambda k: n * row[k] - counts[k])] += n - sum(counts)
    first, last = (possible[0], possible[-1]) if tilt >= 0 else (possible[-1], possible[0])
    moved = min(counts[first], abs(tilt) * math.isqrt(n))
    counts[first] -= moved
    counts[last] += moved
    return counts


def explored_family(least: int = 0) -> Family:
    """Models of `episode_family` with counts: `visits` and `tilts`, flat.

    With `least`, no pair has fewer visits.
    """
    choices = [n for n in (0, 1, 30, 300, 3000, 30_000, 10**6, 10**6, 10**6) if n >= least]
    family = episode_family(
        3,
        2,
        3,
        visits=Many(Choice(*choices), _PAIRS),
        tilts=Many(Integer(-3, 3), _PAIRS),
        delta=Choice("1/100", "1/10", "1/2"),
    )

    def build(**parameters: Any) -> Instance:
        built = family.instance(parameters)
        pairs = built.mdp.horizon * built.mdp.n_states * built.mdp.n_actions
        parts = {name: built[name] for name in built}
        parts |= {"visits": built.visits[:pairs], "tilts": built.tilts[:pairs]}
        return Instance(**parts | {"delta": Fraction(built.delta)})

    return Family(family.space, build)
