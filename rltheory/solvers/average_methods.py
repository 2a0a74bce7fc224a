"""Methods for average reward, in doubles: a policy, and perhaps its bias.

    relative-value-iteration     v <- v + (1 - stay) (T v - v - c), T v = max_a r + P v: value
                                 iteration on the model whose rows stay with probability `stay`
                                 more, so that no chain is periodic; the gain lies between the
                                 least and the largest entry of T v - v (Odoni 1969)
    unichain-policy-iteration    a policy's gain and bias, then actions of more r + P h
    multichain-policy-iteration  the same, after actions of more P g; more r + P h only among
                                 those that keep the gain (Howard 1960; Puterman 1994, ch. 9)
    auto                         some relative value iteration, except on small models; where that
                                 has not finished, or is foreseen not to, policy iteration from the
                                 greedy policy of a discount that looks far ahead, multichain where
                                 it must be

The present action stays on ties. Where a policy has one closed class, its gain is everyone's, and
the improvement goes state after state with the biases raised so far: they are still below those of
the policy it ends with, whose gain is therefore no smaller (plan-avg-bounds).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rltheory import _core
from rltheory.errors import ModelError
from rltheory.mdp.model import MDP
from rltheory.solvers.certify_average import level_gains
from rltheory.solvers.gain_equations import GainEquations
from rltheory.solvers.policy_equations import DIRECT_STATES
from rltheory.solvers.tolerance import Tolerance

__all__ = ["AVERAGE_METHODS", "GainGuess"]

Vector = NDArray[np.float64]
Rows = NDArray[np.int64]

STAY = 0.25
_FEW_SWEEPS = 500
_SOME_SWEEPS = 50
"""After each so many it is foreseen how many are left."""
_MOST_SWEEPS = 2**22
_MOST_IMPROVEMENTS = 20_000
_LIFETIMES = 100
"""Steps a state, as many as a discounted model looks ahead whose policy is improved."""
_MOST_ORDERED_WORK = 2**32
"""Entries gone over by the sweeps that follow a chain too slow for its equations."""
_LARGEST_BIAS = 2.0**44
"""Beside the rewards; beyond it, rounding of the biases is as large as they are."""


@dataclass(frozen=True)
class GainGuess:
    """Rows of a policy, a bias if it may be good enough as it is, and how they were found."""

    rows: Rows
    bias: Vector | None
    iterations: int
    note: str = ""
    obstacle: str = ""


def relative_value_iteration(mdp: MDP, tolerance: Tolerance, start: Vector) -> GainGuess:
    value, sweeps, obstacle = start, 0, ""
    more = 2 * _FEW_SWEEPS
    while True:
        value, made, converged, low, high = _swept(mdp, tolerance, value, more)
        sweeps += made
        if converged or made < more or sweeps >= _MOST_SWEEPS:
            break
        obstacle = _two_gains(mdp, value, high - low)
        if obstacle:
            break
        more *= 2
    return GainGuess(_greedy(mdp, value), value, sweeps, obstacle=obstacle)


def unichain_policy_iteration(mdp: MDP, tolerance: Tolerance, start: Vector) -> GainGuess:
    rows, _, iterations, _ = _improved(mdp, start, one_class=True)
    return GainGuess(rows, None, iterations)


def multichain_policy_iteration(mdp: MDP, tolerance: Tolerance, start: Vector) -> GainGuess:
    rows, _, iterations, _ = _improved(mdp, start, one_class=False)
    return GainGuess(rows, None, iterations)


def auto(mdp: MDP, tolerance: Tolerance, start: Vector) -> GainGuess:
    value, sweeps, begun = start, 0, ""
    if mdp.n_states > DIRECT_STATES:
        value, sweeps, converged = _few_sweeps(mdp, tolerance, start)
        if converged:
            note = "relative value iteration: one gain, and it mixes fast"
            return GainGuess(_greedy(mdp, value), value, sweeps, note)
        begun = f"{sweeps} sweeps of relative value iteration, then "
        value = _far_sighted(mdp, start, otherwise=value)
    rows, gains, iterations, finite = _improved(mdp, value, one_class=False)
    kind = "unichain" if gains == 1 else "multichain"
    found = "one gain is everyone's" if gains == 1 else f"{gains} different gains"
    note = f"{begun}{kind} policy iteration: {found}"
    if not finite:
        note = f"{begun}policy iteration, which doubles could not finish"
    return GainGuess(rows, None, sweeps + iterations, note)


def _far_sighted(mdp: MDP, start: Vector, otherwise: Vector) -> Vector:
    """The value at a discount so high that its greedy policy is mostly nearly the best."""
    discount = 1.0 - 1.0 / (_LIFETIMES * mdp.n_states)
    far, _, _, _ = _core.solvers.ordered_policy_iteration(mdp.core, discount, 0.0, 1e-6, start)
    return far - far.max() if np.isfinite(far).all() else otherwise


def _swept(
    mdp: MDP, tolerance: Tolerance, start: Vector, most: int
) -> tuple[Vector, int, bool, float, float]:
    return _core.solvers.relative_value_iteration(
        mdp.core, STAY, tolerance.tol / 2, tolerance.rtol / 2, most, start
    )


def _few_sweeps(mdp: MDP, tolerance: Tolerance, start: Vector) -> tuple[Vector, int, bool]:
    """Sweeps as long as their brackets promise to be narrow enough within a few hundred."""
    value, sweeps, before = start, 0, np.inf
    while True:
        value, made, converged, low, high = _swept(mdp, tolerance, value, _SOME_SWEEPS)
        sweeps += made
        width = high - low
        if converged or made < _SOME_SWEEPS or sweeps >= _FEW_SWEEPS:
            return value, sweeps, converged
        wanted = 0.5 * max(tolerance.tol, tolerance.rtol * max(abs(low), abs(high)))
        shrunk, left = width / before, max(wanted / width, 2.0**-1000)
        # At the pace of the last ones, more are left than there may be.
        if shrunk > 0.0 and _SOME_SWEEPS * np.log(left) < (_FEW_SWEEPS - sweeps) * np.log(shrunk):
            return value, sweeps, False
        before = width


def _greedy(mdp: MDP, value: Vector) -> Rows:
    return _core.solvers.bellman(mdp.core, 0, 1.0, value)[1]


def _improved(mdp: MDP, start: Vector, one_class: bool) -> tuple[Rows, int, int, bool]:
    """(rows, number of different gains, iterations, whether doubles were enough)."""
    core = mdp.core
    ahead, rows = _core.solvers.bellman(core, 0, 1.0, start)
    # A gain and biases that the policy does not fall below, as what it is improved from in order.
    best, raised = float((ahead - start).min()), start
    largest = float(np.abs(core.reward).max()) + np.finfo(np.float64).tiny
    sweeps, in_order = 1, True
    recurrent: Rows | None = None
    far: Vector | None = None
    iterations, gains, reliable = 0, 1, True
    while iterations < _MOST_IMPROVEMENTS:
        iterations += 1
        equations = GainEquations(mdp, rows)
        if one_class and equations.count > 1:
            first, second = equations.references[:2].tolist()
            raise ModelError(
                f"a policy of this model has {equations.count} closed classes, one with state "
                f"{first}, one with state {second}; multichain-policy-iteration solves such models"
            )
        gain, bias = equations.solve(core.reward[rows])
        reliable = bool(np.abs(bias).max() <= _LARGEST_BIAS * largest)
        if not reliable:
            # A chain so slow that rounding hides its rewards: go on from a policy that looks far
            # ahead, and where that does not help, from the last biases that were reliable,
            # without its equations.
            if far is None:
                far = _far_sighted(mdp, raised, otherwise=raised)
                ahead, rows = _core.solvers.bellman(core, 0, 1.0, far)
                best, raised = float((ahead - far).min()), far
                continue
            sweeps = max(64, 4 * sweeps)
            if 2 * sweeps * core.n_entries > _MOST_ORDERED_WORK:
                break
            rows, _, raised = _core.solvers.improve_in_order(core, best, raised, rows, sweeps)
            iterations += sweeps
            continue
        if equations.count > 1:
            gain = level_gains(gain, equations.class_of)
            gains, bias = len(np.unique(gain)), equations.centred(bias)
            recurrent = None
        else:
            # In order, an improvement that leaves the gain must leave the closed class as it is:
            # then the biases rise from one policy to the next. Else policies might come back.
            gains, closed = 1, np.where(equations.class_of >= 0, rows, -1)
            if recurrent is None or gain[0] > best + 1e-12 * abs(best):
                in_order = True
            else:
                in_order = in_order and np.array_equal(closed, recurrent)
            best, recurrent = float(gain[0]), closed
            if in_order:
                better, switched, raised = _core.solvers.improve_in_order(core, best, bias, rows, 1)
                if switched:
                    rows = better
                    continue
        rows, switched = _core.solvers.improve_gain_bias(core, gain, bias, rows)
        if not switched:
            break
    return rows, gains, iterations, reliable


def _two_gains(mdp: MDP, value: Vector, width: float) -> str:
    """Two closed classes of the greedy policy between whose gains the bracket cannot close."""
    rows = _greedy(mdp, value)
    equations = GainEquations(mdp, rows)
    if equations.count == 1:
        return ""
    gain, _ = equations.solve(mdp.core.reward[rows])
    of_class = gain[equations.references]
    low, high = int(of_class.argmin()), int(of_class.argmax())
    if not of_class[high] - of_class[low] > 0.5 * width:
        return ""
    one, other = equations.references[low], equations.references[high]
    return (
        f"the gain differs: about {of_class[low]:.6g} in the closed class of state {one}, "
        f"{of_class[high]:.6g} in that of state {other}; multichain-policy-iteration solves such "
        "models"
    )


AVERAGE_METHODS: dict[str, Callable[[MDP, Tolerance, Vector], GainGuess]] = {
    "auto": auto,
    "relative-value-iteration": relative_value_iteration,
    "unichain-policy-iteration": unichain_policy_iteration,
    "multichain-policy-iteration": multichain_policy_iteration,
}
