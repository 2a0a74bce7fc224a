"""Reference laws of regularised planning, read against the rows of a model.

    KL to a reference rho      tau log sum_a rho(a | s) exp(q(s, a) / tau)
    entropy                    the same with the uniform law, plus tau log A_s

A reference is given by probabilities or by their logarithms; an action of probability 0 is
forbidden. What is meant is the law given, divided by its exact sum. The kernels want each weight
w and each logarithm within (A_s + 24) u + 8 u |log w| of the exact ones, relative for w; numpy's
exp and log are taken to be within 4 ulps, as everywhere in regularised planning.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rltheory.errors import ModelError, PolicyError
from rltheory.mdp.episodic import EpisodicMDP
from rltheory.mdp.log_policies import log_weights_of
from rltheory.mdp.model import MDP
from rltheory.mdp.policies import weights_of

__all__ = ["Regularizer", "read_regularizer", "read_temperature"]

Vector = NDArray[np.float64]
Model = MDP | EpisodicMDP

_LEAST = 2.0**-1000


@dataclass(frozen=True)
class Regularizer:
    """Temperature and reference laws, one number a row of each stage.

    Parameters
    ----------
    temperature : float
    weight, log_weight : ndarray, shape (1, rows of all stages), or (H, rows) on shared stages
    bonus : ndarray, shape (stages of the model, S)
        temperature * log(number of actions) for the entropy, 0 for a reference.
    is_entropy : bool
    """

    mdp: Model
    temperature: float
    weight: Vector
    log_weight: Vector
    bonus: Vector
    is_entropy: bool

    def at(self, h: int = 0) -> tuple[float, Vector, Vector, Vector]:
        """What the kernels take for stage h: temperature, weight, log_weight, bonus."""
        rows = slice(None)
        stage = 0
        if isinstance(self.mdp, EpisodicMDP):
            stage = self.mdp.stage(h)
            first = stage * self.mdp.n_states
            rows = slice(self.mdp.pair_ptr[first], self.mdp.pair_ptr[first + self.mdp.n_states])
        line = h if len(self.weight) > 1 else 0
        return (
            self.temperature,
            self.weight[line, rows],
            self.log_weight[line, rows],
            self.bonus[stage],
        )


def read_temperature(temperature: Any) -> float:
    """A finite temperature above 0."""
    try:
        tau = float(temperature)
        valid = not isinstance(temperature, bool | np.bool_ | str | bytes) and 0.0 < tau < math.inf
    except (TypeError, ValueError, OverflowError):
        valid = False
    if not valid:
        hint = "; temperature 0 is hard planning: use solve" if temperature == 0 else ""
        raise ModelError(f"temperature is {temperature!r}; it must be finite and above 0{hint}")
    return tau


def read_regularizer(
    mdp: Model, temperature: Any, reference: Any, log_reference: Any = None
) -> Regularizer:
    """The regulariser of these arguments.

    Raises
    ------
    ModelError
        If the temperature is not above 0, or both forms of a reference are given.
    PolicyError
        If the reference is no policy of this model.
    """
    tau = read_temperature(temperature)
    if reference is not None and log_reference is not None:
        raise ModelError("reference and log_reference are both given; they say the same")
    counts = np.diff(mdp.pair_ptr)
    bonus = np.zeros((mdp.core.n_stages, mdp.n_states))
    if reference is None and log_reference is None:
        each = np.repeat(counts, counts).astype(np.float64)
        weight, log_weight = 1.0 / each, -np.log(each)
        bonus = tau * np.log(counts.astype(np.float64)).reshape(bonus.shape)
    elif log_reference is None:
        weight = _probabilities(mdp, reference)
        with np.errstate(divide="ignore"):
            log_weight = np.log(weight)
    else:
        log_weight = log_weights_of(mdp, log_reference, "log_reference")
        weight = np.exp(log_weight)
    shape = (-1, mdp.n_pairs)
    return Regularizer(
        mdp,
        tau,
        np.ascontiguousarray(weight.reshape(shape)),
        np.ascontiguousarray(log_weight.reshape(shape)),
        np.ascontiguousarray(bonus),
        reference is None and log_reference is None,
    )


def _probabilities(mdp: Model, reference: Any) -> Vector:
    try:
        weight = weights_of(mdp, reference)
    except PolicyError as fault:
        raise PolicyError(f"reference: {fault}") from None
    if ((weight > 0.0) & (weight < _LEAST)).any():
        least = float(weight[weight > 0.0].min())
        raise PolicyError(
            f"reference has a probability of {least!r}, below 2^-1000; give log_reference"
        )
    return weight
