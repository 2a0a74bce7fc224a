r"""Exact mirror descent policy optimisation (MDPO) on a discounted model.

The problem: improve a policy by linear steps that stay near it in KL divergence. With Q^k the exact
q values of pi_k, state by state and for a step eta_k,

    pi_{k+1} = argmax_q <q, Q^k> - KL(q, pi_k) / eta_k,    pi_{k+1} ~ pi_k exp(eta_k Q^k),

and, regularised at temperature lambda by the KL divergence to a reference rho (or by the entropy,
which is the uniform reference and a constant), with the regularised q values,

    pi_{k+1} = argmax_q <q, Q^k> - lambda KL(q, rho) - KL(q, pi_k) / eta_k,
    pi_{k+1} ~ pi_k^alpha rho^{1-alpha} exp((1-alpha) Q^k / lambda),  alpha = 1/(1 + eta_k lambda);

eta = inf is soft policy iteration, the improvement step of SAC. Policies are kept as logarithms;
the increment is formed as weight * (Q - max Q): with weight * Q itself, rounding at weights of
10^12 would leave probabilities that do not sum to 1. An action of probability 0 keeps it. An
iteration costs one solution of the policy's equations and one pass over the model. References:
Tomar, Shani, Efroni and Ghavamzadeh, ICLR 2022; Shani, Efroni and Mannor, AAAI 2020; Cen et al.,
Oper. Res. 2022.
"""

import math
from collections.abc import Sequence
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rltheory.errors import ModelError
from rltheory.mdp.model import MDP
from rltheory.mirror_descent.history import History
from rltheory.mirror_descent.log_rows import (
    largest_of_state,
    log_rows,
    model_of,
    normalised,
    of_state,
    q_rows,
    spread,
    value_of_logs,
)
from rltheory.mirror_descent.schedules import Schedule, positive
from rltheory.solvers.reference_laws import Regularizer, read_regularizer

__all__ = ["LARGEST_WEIGHT", "mirror_descent_policy_iteration", "mirror_step"]

Rows = NDArray[np.float64]

LARGEST_WEIGHT = 1e12
"""Of q values in logits; beyond it, differences of 10^-12 in q, which are rounding, decide."""


def mirror_descent_policy_iteration(
    mdp: MDP,
    step_size: float | Sequence[float] | Schedule,
    n_iters: int,
    init: Any = None,
    reference: Any = None,
    temperature: float = 0.0,
    *,
    log_init: Any = None,
    log_reference: Any = None,
) -> History:
    """Run mirror descent on the exact q values of each policy.

    Parameters
    ----------
    mdp : MDP
        With a discount. Rows may end, states may have different actions.
    step_size : float, sequence of n_iters floats, or callable
        eta above 0, constant or by iteration; or a schedule such as `GeometricSteps`, called with
        (k, q, log_policy). With a temperature, infinite steps are allowed. A step that would weigh
        q values by more than 1e12 is cut there, and ``history.cut_from`` says so.
    n_iters : int
        At least 0.
    init, log_init : array_like, shape (S, A), optional
        The first policy, by probabilities or their logarithms; left out, it is uniform on the
        actions that the reference allows.
    reference, log_reference : array_like, shape (S, A), optional
        Of the regularisation; left out, it is by the entropy. Without a temperature: refused.
    temperature : float
        lambda; 0, the default, is no regularisation.

    Returns
    -------
    History

    Raises
    ------
    ModelError
        If the model has no discount, or a step, a temperature or a number of iterations is none.
    PolicyError
        If a policy is none of this model, or the first one takes what the reference forbids.

    Examples
    --------
    >>> import rltheory as rlt
    >>> mdp = rlt.MDP.deterministic([[0, 0]], [[1.0, 0.0]], discount=0.0)
    >>> history = rlt.mirror_descent_policy_iteration(mdp, step_size=1.0, n_iters=2)
    >>> history.policies[:, 0, 0].round(6).tolist()  # 1 / (1 + e^-k)
    [0.5, 0.731059, 0.880797]
    """
    model_of(mdp, "mirror_descent_policy_iteration")
    if isinstance(n_iters, bool) or not isinstance(n_iters, int | np.integer) or n_iters < 0:
        raise ModelError(f"n_iters is {n_iters!r}; it must be an integer of at least 0")
    soft = None
    hard = isinstance(temperature, Real) and not isinstance(temperature, bool) and temperature == 0
    if not hard:
        soft = read_regularizer(mdp, temperature, reference, log_reference)
    elif reference is not None or log_reference is not None:
        raise ModelError("a reference is given, but temperature is 0: it must be above 0")
    steps = _read_steps(step_size, int(n_iters), soft is not None)
    allowed = None if soft is None else soft.log_weight[0]
    logs = log_rows(mdp, init, log_init, allowed)

    value = value_of_logs(mdp, logs, soft)
    values, policies, taken = [value], [spread(mdp, logs)], []
    cut_from: int | None = None
    for k in range(int(n_iters)):
        q = q_rows(mdp, value)
        wanted = steps[k] if isinstance(steps, list) else _step_of(steps, k, mdp, q, logs)
        step = _cut(wanted, 0.0 if soft is None else soft.temperature)
        if step != wanted and cut_from is None:
            cut_from = k
        logs = mirror_step(mdp, logs, q, step, soft)
        value = value_of_logs(mdp, logs, soft)
        values.append(value)
        policies.append(spread(mdp, logs))
        taken.append(step)
    for array in (found := (np.stack(values), np.stack(policies), np.array(taken))):
        array.setflags(write=False)
    kind = "mirror descent" if soft is None else "regularised mirror descent"
    return History(kind, *found, cut_from, 0.0 if soft is None else soft.temperature)


def mirror_step(
    mdp: MDP, logs: Rows, q: Rows, step: float, soft: Regularizer | None = None
) -> Rows:
    """One step from a policy, all of it a number a row of the model.

    Parameters
    ----------
    logs, q : ndarray of float64, shape (n_pairs,)
        Logarithms of the policy, q values.
    step : float
        At least 0; infinite only with a temperature.
    soft : Regularizer, optional

    Returns
    -------
    ndarray of float64, shape (n_pairs,)
        Normalised logarithms.
    """
    never = np.isneginf(logs)
    top = largest_of_state(mdp, np.where(never, -np.inf, q))
    centred = np.where(never, 0.0, q - of_state(mdp, top))
    if soft is None:
        return normalised(mdp, logs + step * centred)
    tau = soft.temperature
    keep = 1.0 / (1.0 + step * tau)
    weight = 1.0 / (tau + 1.0 / step) if step > 0.0 else 0.0
    own, other = np.where(never, 0.0, logs), np.where(never, 0.0, soft.log_weight[0])
    # At an infinite step `keep` is 0 and the policy drops out, but for what it never does.
    logits = keep * own + (1.0 - keep) * other + weight * centred
    return normalised(mdp, np.where(never, -np.inf, logits))


def _cut(step: float, temperature: float) -> float:
    """The longest step up to this one whose weight 1 / (temperature + 1/step) is allowed."""
    longest = 1.0 / LARGEST_WEIGHT - temperature
    return min(step, 1.0 / longest) if longest > 0.0 else step


def _read_steps(step_size: Any, n_iters: int, soft: bool) -> list[float] | Schedule:
    if callable(step_size):
        return step_size
    if isinstance(step_size, Sequence | np.ndarray) and not isinstance(step_size, str):
        if np.ndim(step_size) != 1 or len(step_size) != n_iters:
            raise ModelError(
                f"step_size has shape {np.shape(step_size)}; it must be a number, a schedule, or "
                f"one step for each of the {n_iters} iterations"
            )
        return [positive(f"step_size[{k}]", x, soft) for k, x in enumerate(step_size)]
    return [positive("step_size", step_size, soft)] * n_iters


def _step_of(schedule: Schedule, k: int, mdp: MDP, q: Rows, logs: Rows) -> float:
    step = schedule(k, mdp.table(q, -np.inf), spread(mdp, logs))
    try:
        number = float(step)
    except (TypeError, ValueError):
        number = math.nan
    if not number >= 0.0:
        raise ModelError(f"the schedule returned {step!r} at iteration {k}; it must be at least 0")
    return number
