"""What a policy of probabilities earns from a start law, between bounds that hold exactly.

The problem: bounds of rho V^pi that no rounding spoils, for several rewards at once. A policy's
probabilities, a model's rows and a start law are doubles at their exact value, policies and rows
over their exact sums. A witness w is a vector of integers over a power of two, and its residual
T_pi w - w is computed in integers. With its least and largest entry l <= 0 <= u,

    rho w + l |rho| / (1 - discount)  <=  rho V^pi  <=  rho w + u |rho| / (1 - discount)

(iterate the monotone T_pi from w + l/(1-discount); exits only help, as l <= 0). w is refined by
solving (I - discount P_pi) d = residual in doubles. With a horizon T_pi is applied from the end,
rounded down for the lower and up for the upper bound. Where V^pi is dyadic the bounds meet.
"""

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rltheory import _core
from rltheory.mdp.episodic import EpisodicMDP
from rltheory.mdp.model import MDP
from rltheory.mdp.policies import weights_of
from rltheory.solvers.policy_equations import PolicyEquations

__all__ = ["PolicyReturns"]

Vector = NDArray[np.float64]
Bounds = tuple[Fraction, Fraction]

_BITS = 140
"""Of the witness, below the largest reward over 1 - discount."""
_ENOUGH = Fraction(1, 2**100)
_MOST_STEPS = 20


class PolicyReturns:
    """Bounds of rho V^pi for any rewards on the rows of one model.

    Parameters
    ----------
    mdp : MDP or EpisodicMDP
        An `MDP` needs a discount.
    policy : ndarray of float64, shape (S, A) or (H, S, A)
        Probabilities; checked like any policy.
    start : ndarray of float64, shape (S,)
    """

    def __init__(self, mdp: MDP | EpisodicMDP, policy: Vector, start: Vector) -> None:
        self._mdp = mdp
        self._weights = weights_of(mdp, policy)
        self._start = [Fraction(x) for x in start.tolist()]
        self._discount = Fraction(mdp.discount or 0) if isinstance(mdp, MDP) else Fraction(1)
        arrays = mdp.arrays()
        stages = mdp.horizon if isinstance(mdp, EpisodicMDP) else 1
        table = np.broadcast_to(policy, (stages, *policy.shape[-2:]))
        plain = {k: np.asarray(arrays[k]).tolist() for k in ("row_ptr", "col", "prob", "exit")}
        pointers, S = mdp.pair_ptr.tolist(), mdp.n_states
        known: dict[int, Any] = {}
        self._stages = []
        for h in range(stages):
            base = mdp.stage(h) * S if isinstance(mdp, EpisodicMDP) else 0
            states = []
            for s in range(S):
                own = range(pointers[base + s], pointers[base + s + 1])
                shares = [
                    Fraction(float(table[h, s, a])) for a in mdp.actions[own.start : own.stop]
                ]
                total = sum(shares, Fraction(0))
                states.append(
                    [
                        (share / total, row, _row(plain, row, known))
                        for share, row in zip(shares, own, strict=True)
                        if share
                    ]
                )
            self._stages.append(states)

    def bounds(self, rewards: Sequence[Any]) -> Bounds:
        """Bounds of the mean return of these rewards, one a row of the model."""
        paid = [
            [
                sum((share * Fraction(rewards[row]) for share, row, _ in own), Fraction(0))
                for own in h
            ]
            for h in self._stages
        ]
        largest = max(abs(x) for h in paid for x in h)
        if not largest:
            return Fraction(0), Fraction(0)
        unit = largest / (1 - self._discount) if isinstance(self._mdp, MDP) else largest
        bits = _BITS - math.frexp(float(unit))[1]
        if isinstance(self._mdp, MDP):
            return self._discounted(paid[0], bits, unit)
        return self._backward(paid, bits)

    def _ahead(self, own: Any, ints: list[int], one: Fraction) -> Fraction:
        """sum_a pi(a) sum_j p_j w_j of one state, w = ints * one."""
        total = Fraction(0)
        for share, _, (columns, weights, sigma) in own:
            ahead = sum(q * ints[t] for q, t in zip(weights, columns, strict=True))
            total += share * Fraction(ahead, sigma)
        return total * one

    def _discounted(self, paid: list[Fraction], bits: int, unit: Fraction) -> Bounds:
        core, S, g = self._mdp.core, self._mdp.n_states, self._discount
        chain = _core.model.induced_chain(core, self._weights)
        equations = PolicyEquations(chain, float(g), np.arange(S, dtype=np.int64))
        one = _power(-bits)
        ints, best = [0] * S, (Fraction(-1), Fraction(1))
        kept: list[int] | None = None
        for _ in range(_MOST_STEPS):
            rest = [
                paid[s] + g * self._ahead(own, ints, one) - ints[s] * one
                for s, own in enumerate(self._stages[0])
            ]
            low, high = min(Fraction(0), *rest), max(Fraction(0), *rest)
            if kept is not None and not high - low < best[1] - best[0]:
                break
            kept, best = list(ints), (low, high)
            if high - low <= _ENOUGH * unit * (1 - g):
                break
            # The residual in units of its size, which may be far below all doubles.
            size = math.frexp(float((high - low) / unit))[1] + math.frexp(float(unit))[1]
            scale = _power(size)
            x = equations.solve(np.array([float(y / scale) for y in rest]), wanted=1e-6)
            if not np.isfinite(x).all():
                break
            ints = [
                i + round(Fraction(y) * scale / one) for i, y in zip(ints, x.tolist(), strict=True)
            ]
        assert kept is not None
        mass = sum(self._start, Fraction(0)) / (1 - g)
        middle = sum((p * i for p, i in zip(self._start, kept, strict=True)), Fraction(0)) * one
        return middle + best[0] * mass, middle + best[1] * mass

    def _backward(self, paid: list[list[Fraction]], bits: int) -> Bounds:
        one, found = _power(-bits), []
        for rounded in (math.floor, math.ceil):
            ints = [0] * self._mdp.n_states
            for h in reversed(range(len(paid))):
                ints = [
                    rounded((paid[h][s] + self._ahead(own, ints, one)) / one)
                    for s, own in enumerate(self._stages[h])
                ]
            total = sum((p * i for p, i in zip(self._start, ints, strict=True)), Fraction(0))
            found.append(total * one)
        return found[0], found[1]


def _row(
    plain: dict[str, Any], row: int, known: dict[int, Any]
) -> tuple[list[int], list[int], int]:
    """(columns, integer weights, their sum with the exit's) of one row."""
    if row not in known:
        i, j = plain["row_ptr"][row], plain["row_ptr"][row + 1]
        p = [x.as_integer_ratio() for x in (*plain["prob"][i:j], *plain["exit"][row : row + 1])]
        unit = math.lcm(*(below for _, below in p))
        q = [top * (unit // below) for top, below in p]
        known[row] = plain["col"][i:j], q[: j - i], sum(q)
    return known[row]


def _power(exponent: int) -> Fraction:
    return Fraction(2) ** exponent
