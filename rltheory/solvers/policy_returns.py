"""What a policy of probabilities earns from a start law, between bounds that hold exactly.

The problem: bounds of rho V^pi that no rounding spoils, for several rewards at once. A policy's
probabilities, a model's rows and a start law are doubles at their exact value, policies and rows
over their exact sums. A witness w is a vector of integers over a power of two, and its residual
T_pi w - w is computed in integers. With its least and largest entry l <= 0 <= u,

    rho w + l |rho| / (1 - discount)  <=  rho V^pi  <=  rho w + u |rho| / (1 - discount)

(iterate the monotone T_pi from w + l/(1-discount); exits only help, as l <= 0). w is refined by
solving (I - discount P_pi) d = residual in doubles. With a horizon T_pi is applied from the end,
rounded down for the lower and up for the upper bound. Where V^pi is dyadic the bounds meet.

The unnormalised occupancy x of states is refined in the same way from its own equations,
x = rho + discount P_pi^T x; the error of x, summed over states, is at most that of the equations
over 1 - discount.
"""

import math
from collections.abc import Sequence
from fractions import Fraction
from operator import mul
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rltheory import _core
from rltheory.mathematics.rounding import round_up
from rltheory.mdp.episodic import EpisodicMDP
from rltheory.mdp.model import MDP
from rltheory.mdp.policies import weights_of
from rltheory.solvers.policy_equations import PolicyEquations

__all__ = ["PolicyReturns"]

Vector = NDArray[np.float64]
Bounds = tuple[Fraction, Fraction]

_BITS = 140
"""Of the witness, below the largest reward over 1 - discount."""
_ENOUGH = 100
"""Bits of a residual that need no further refinement."""
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
        policy_rows, labels = table.tolist(), mdp.actions.tolist()
        plain = {k: np.asarray(arrays[k]).tolist() for k in ("row_ptr", "col", "prob", "exit")}
        pointers, S = mdp.pair_ptr.tolist(), mdp.n_states
        known: dict[int, Any] = {}
        self._stages = []
        for h in range(stages):
            base = mdp.stage(h) * S if isinstance(mdp, EpisodicMDP) else 0
            states = []
            for s in range(S):
                own = range(pointers[base + s], pointers[base + s + 1])
                given = policy_rows[h][s]
                shares = [Fraction(given[a]) for a in labels[own.start : own.stop]]
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
        known = [Fraction(x) for x in rewards]
        paid = [
            [
                known[own[0][1]]
                if len(own) == 1
                else sum((share * known[row] for share, row, _ in own), Fraction(0))
                for own in h
            ]
            for h in self._stages
        ]
        largest = max(abs(x) for h in paid for x in h)
        if not largest:
            return Fraction(0), Fraction(0)
        staged = isinstance(self._mdp, EpisodicMDP)
        unit = largest if staged else largest / (1 - self._discount)
        bits = _BITS - math.frexp(float(unit))[1]
        grid = [[_on_grid(x, bits) for x in h] for h in paid]
        low, high = self._backward(grid) if staged else self._discounted(grid[0])
        one = Fraction(2) ** -bits
        return low * one, high * one

    def visits(self) -> tuple[Vector, float]:
        """sum_t discount^t Pr(s_t = .) of a discounted model, and its error summed over states.

        The error is infinite where the equations cannot be solved in doubles.
        """
        g, S = self._discount, self._mdp.n_states
        start = [_on_grid(p, _BITS)[0] for p in self._start]
        core = _core.model.induced_chain(self._mdp.core, self._weights)
        equations = PolicyEquations(core, float(g), np.arange(S, dtype=np.int64))
        ints, kept, least = [0] * S, [0] * S, -1
        for _ in range(_MOST_STEPS):
            rest = [p - i for p, i in zip(start, ints, strict=True)]
            rounded = S
            for s, own in enumerate(self._stages[0]):
                for share, _, (columns, weights, sigma) in own:
                    top = share.numerator * g.numerator * ints[s]
                    below = share.denominator * g.denominator * sigma
                    for t, q in zip(columns, weights, strict=True):
                        rest[t] += top * q // below
                    rounded += len(columns)
            size = sum(map(abs, rest))
            if least >= 0 and not size < least:
                break
            kept, least = ints, size
            if size <= rounded:
                break
            ints = _corrected(equations, ints, rest, transposed=True)
        one = Fraction(2) ** -_BITS
        error = Fraction(least + rounded) * one / (1 - g)
        return np.array([float(i * one) for i in kept]), round_up(error)

    def _backup(self, own: Any, paid: tuple[int, int], ints: list[int]) -> tuple[int, int]:
        """r_pi + discount P_pi w of one state, rounded down and up, in units of the grid."""
        g = self._discount
        if len(own) == 1:
            _, _, (columns, weights, sigma) = own[0]
            top = g.numerator * sum(map(mul, weights, [ints[t] for t in columns]))
            down, rest = divmod(top, g.denominator * sigma)
            return paid[0] + down, paid[1] + down + (rest != 0)
        ahead = Fraction(0)
        for share, _, (columns, weights, sigma) in own:
            ahead += share * Fraction(sum(map(mul, weights, [ints[t] for t in columns])), sigma)
        ahead *= g
        return paid[0] + math.floor(ahead), paid[1] + math.ceil(ahead)

    def _discounted(self, paid: list[tuple[int, int]]) -> Bounds:
        S, g = self._mdp.n_states, self._discount
        chain = _core.model.induced_chain(self._mdp.core, self._weights)
        equations = PolicyEquations(chain, float(g), np.arange(S, dtype=np.int64))
        enough = max(4, int(2 ** (_BITS - _ENOUGH) * (1 - g)))
        ints, kept, best = [0] * S, [0] * S, (0, 0)
        for step in range(_MOST_STEPS):
            pairs = [
                self._backup(own, x, ints) for own, x in zip(self._stages[0], paid, strict=True)
            ]
            rest = [down - i for (down, _), i in zip(pairs, ints, strict=True)]
            low = min(0, *rest)
            high = max(0, *(up - i for (_, up), i in zip(pairs, ints, strict=True)))
            if step and not high - low < best[1] - best[0]:
                break
            kept, best = ints, (low, high)
            if high - low <= enough:
                break
            ints = _corrected(equations, ints, rest)
        mass = sum(self._start, Fraction(0)) / (1 - g)
        middle = sum((p * i for p, i in zip(self._start, kept, strict=True) if p), Fraction(0))
        return middle + best[0] * mass, middle + best[1] * mass

    def _backward(self, paid: list[list[tuple[int, int]]]) -> Bounds:
        found = []
        for side in (0, 1):  # rounded down, and up
            ints = [0] * self._mdp.n_states
            for own, x in zip(reversed(self._stages), reversed(paid), strict=True):
                ints = [self._backup(o, y, ints)[side] for o, y in zip(own, x, strict=True)]
            pairs = zip(self._start, ints, strict=True)
            found.append(sum((p * i for p, i in pairs if p), Fraction(0)))
        return found[0], found[1]


def _corrected(
    equations: PolicyEquations, ints: list[int], rest: list[int], transposed: bool = False
) -> list[int]:
    """The witness plus the solution of the equations with this residual, solved in doubles."""
    size = max(map(abs, rest)).bit_length()
    residual = np.array([i / (1 << size) for i in rest])
    x = equations.solve(residual, transposed=transposed, wanted=1e-6)
    if not np.isfinite(x).all():
        return ints
    tops = [round(math.ldexp(y, 60)) for y in x.tolist()]
    return [
        i + (top << size - 60 if size >= 60 else top >> 60 - size)
        for i, top in zip(ints, tops, strict=True)
    ]


def _on_grid(x: Fraction, bits: int) -> tuple[int, int]:
    """x 2^bits, rounded down and up."""
    top = x.numerator << bits if bits >= 0 else x.numerator
    down, rest = divmod(top, x.denominator if bits >= 0 else x.denominator << -bits)
    return down, down + (rest != 0)


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
