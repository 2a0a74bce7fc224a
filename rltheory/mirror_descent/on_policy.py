r"""On-policy MDPO: the step of mirror descent by a few gradient steps on its objective.

The problem: a policy of parameters cannot take the argmax; it ascends, m times from theta_k,

    L(theta) = E_{s ~ d^{pi_k}} [<pi_theta, A^k> - KL(pi_theta, pi_k) / eta_k],

whose gradient for a tabular softmax is, in (s, a),

    d(s) pi_theta(a|s) (g_a - <pi_theta, g>),   g = A^k - log(pi_theta / pi_k) / eta_k.

One step is vanilla policy gradient, whatever eta_k is (claim mdpo-one-step-pg); with many it is
mirror descent, where d is above 0. Expectations are exact here, nothing is sampled. Reference:
Tomar, Shani, Efroni and Ghavamzadeh, ICLR 2022, who let eta_k fall over K iterations, as recalled
like 1 - k/K.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from rltheory.errors import ModelError
from rltheory.mdp.model import MDP
from rltheory.mirror_descent.history import History
from rltheory.mirror_descent.log_rows import (
    model_of,
    normalised,
    of_state,
    q_rows,
    spread,
    start_of,
    sum_of_state,
    value_of_logs,
)
from rltheory.mirror_descent.natural_gradient import softmax_logs, visited_states
from rltheory.mirror_descent.schedules import positive

__all__ = ["on_policy_mdpo"]


def on_policy_mdpo(
    mdp: MDP,
    step_size: float | Sequence[float],
    n_iters: int,
    inner_steps: int,
    learning_rate: float,
    init: Any = None,
    initial: Any = None,
    *,
    log_init: Any = None,
) -> History:
    """Mirror descent whose steps are `inner_steps` exact gradient steps.

    Parameters
    ----------
    mdp : MDP
        With a discount.
    step_size : float, or sequence of n_iters floats
        eta.
    n_iters, inner_steps : int
        At least 0, at least 1.
    learning_rate : float
        Of the gradient steps, of logits.
    init, log_init, initial
        As in `natural_policy_gradient`.

    Returns
    -------
    History
        Its `steps` are those of `step_size`.

    Raises
    ------
    ModelError, PolicyError
        As there.

    Examples
    --------
    >>> import rltheory as rlt
    >>> mdp = rlt.MDP.deterministic([[0, 0]], [[1.0, 0.0]], discount=0.5, initial=[1.0])
    >>> for inner in (1, 10, 1000):  # a step of mirror descent has 0.731059
    ...     history = rlt.on_policy_mdpo(mdp, 1.0, 1, inner, learning_rate=0.5)
    ...     print(inner, round(float(history.policy[0, 0]), 6))
    1 0.562177
    10 0.715351
    1000 0.731059
    """
    model_of(mdp, "on_policy_mdpo")
    for name, count, least in (("n_iters", n_iters, 0), ("inner_steps", inner_steps, 1)):
        if isinstance(count, bool) or not isinstance(count, int | np.integer) or count < least:
            raise ModelError(f"{name} is {count!r}; it must be an integer of at least {least}")
    rate = positive("learning_rate", learning_rate)
    given = step_size if isinstance(step_size, Sequence | np.ndarray) else [step_size] * n_iters
    if len(given) != n_iters:
        raise ModelError(
            f"step_size has {len(given)} entries; it must have one for each of {n_iters} iterations"
        )
    steps = [positive("step_size", x) for x in given]
    start = start_of(mdp, initial, "on_policy_mdpo")
    logs = softmax_logs(mdp, init, log_init)
    value = value_of_logs(mdp, logs)
    values, policies = [value], [spread(mdp, logs)]
    for eta in steps:
        old, d = logs, of_state(mdp, visited_states(mdp, logs, start))
        advantage = q_rows(mdp, value) - of_state(mdp, value)
        for _ in range(int(inner_steps)):
            pi, g = np.exp(logs), advantage - (logs - old) / eta
            ascent = d * pi * (g - of_state(mdp, sum_of_state(mdp, pi * g)))
            logs = normalised(mdp, logs + rate * ascent)
        value = value_of_logs(mdp, logs)
        values.append(value)
        policies.append(spread(mdp, logs))
    found = (np.stack(values), np.stack(policies), np.array(steps))
    for array in found:
        array.setflags(write=False)
    return History("on-policy MDPO", *found)
