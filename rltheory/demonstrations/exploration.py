"""Exploration with a certificate: what regularised and greedy best-policy identification share.

A rule of the core (`cpp/learning/intervals.hpp`) plans from counts and bounds the loss of its plan;
it plays the plan for a batch of max{1, floor(growth t)} episodes after t of them, and plans again,
until the bound is at most epsilon. Its guarantees hold for all counts at once, so that batches cost
episodes, at most about a share `growth` of them, and no confidence.

Rewards and the start law are known, as the theory wants it: they are read from ``access.known()``
or given. Widths reach the core as tables over counts, made longer when they are used up.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rltheory import _core
from rltheory.errors import AccessError, ConvergenceError, ModelError, PolicyError
from rltheory.learning.tabular import EpisodeWords, whole_episodes
from rltheory.mdp.access.common import Known
from rltheory.mdp.episodic import EpisodicMDP
from rltheory.mdp.policies import SUM_TOLERANCE
from rltheory.mdp.streams import Stream, philox_key

__all__ = [
    "BPIResult",
    "History",
    "Widths",
    "explore",
    "known_problem",
    "read_growth",
    "read_level",
    "read_reference",
]

Vector = NDArray[np.float64]
Explorer = _core.learning.SoftExplorer | _core.learning.GreedyExplorer

_FIRST_TABLE = 1024
_LEAST = 2.0**-1000


class History(NamedTuple):
    """What was known at each plan: arrays of one length."""

    episodes: NDArray[np.int64]
    certificate: Vector
    lower: Vector
    upper: Vector


@dataclass(frozen=True, eq=False, repr=False)
class BPIResult:
    """A policy, and what is certain about it but for the chance delta.

    Parameters
    ----------
    policy : ndarray of float64, shape (H, S, A)
        Probabilities.
    episodes : int
        How many were played before it stopped.
    certificate : float
        The policy loses at most this, against the optimum of the problem that was asked about.
    lower, upper : float
        That optimum lies between them.
    history : History
        At every plan. `certificate`, `lower` and `upper` are its last entries.
    temperature : float
        0 for the problem without regulariser.
    reference : ndarray of float64, shape (H, S, A), or None
        None for the problem without regulariser.

    Notes
    -----
    Values are those of the start law. With a regulariser, the policy's own value, regularised or
    not, is at least ``lower - certificate``.
    """

    policy: Vector
    episodes: int
    certificate: float
    lower: float
    upper: float
    history: History
    temperature: float
    reference: Vector | None = None

    def __repr__(self) -> str:
        return (
            f"BPIResult({self.episodes} episodes, certificate {self.certificate:.3g}, optimum in "
            f"[{self.lower:.3g}, {self.upper:.3g}])"
        )


class Widths(NamedTuple):
    """Tables over counts n = 0, 1, ..: widths over their scale, and radii of divergence."""

    bonus: Vector
    divergence: Vector


def known_problem(access: Any, rewards: Any = None) -> Known:
    """Rewards in [0, 1] and the start law behind an access, or with other rewards.

    Raises
    ------
    AccessError
        If the access cannot say them.
    ModelError
        If rewards are not in [0, 1], or their shape is another one.
    """
    if not (hasattr(access, "known") and hasattr(access, "reset") and hasattr(access, "step")):
        raise AccessError(
            f"{type(access).__name__} does not say rewards and start law, or cannot be stepped; "
            "exploration needs rltheory.online(mdp)"
        )
    known: Known = access.known()
    if rewards is not None:
        given = np.asarray(rewards, dtype=np.float64)
        if given.shape not in (known.rewards.shape, known.rewards.shape[1:]):
            raise ModelError(
                f"rewards have shape {given.shape}; it must be {known.rewards.shape} or "
                f"{known.rewards.shape[1:]}"
            )
        table = np.where(np.isnan(known.rewards), np.nan, given)
        known = Known(table, known.initial, known.may_end)
    inside = np.isnan(known.rewards) | ((known.rewards >= 0.0) & (known.rewards <= 1.0))
    if not inside.all():
        h, s, a = np.argwhere(~inside)[0].tolist()
        raise ModelError(
            f"the reward of action {a} in state {s} at stage {h} is {known.rewards[h, s, a]}; it "
            "must be in [0, 1]"
        )
    return known


def read_reference(reference: Any, known: Known) -> Vector:
    """A reference as probabilities, shape (H, S, A), each row scaled to sum 1.

    Raises
    ------
    PolicyError
        If its shape is another one, it is no law, an action is there that the state does not have,
        or a probability is above 0 and below 2^-1000.
    """
    try:
        law = np.asarray(reference, dtype=np.float64)
    except (TypeError, ValueError):
        law = np.full(0, np.nan)
    shape = known.rewards.shape
    if law.shape not in (shape, shape[1:]):
        raise PolicyError(
            f"reference has shape {law.shape}; it must be {shape[1:]} or {shape}, probabilities of "
            "actions"
        )
    law = np.broadcast_to(law, shape)
    total = law.sum(axis=2)
    bad = ~((law >= 0.0).all(axis=2) & (np.abs(total - 1.0) <= SUM_TOLERANCE))
    if bad.any():
        h, s = np.argwhere(bad)[0].tolist()
        raise PolicyError(
            f"reference in state {s} at stage {h} is {law[h, s].tolist()}; it must be at least 0 "
            "and sum to 1 within 1e-9"
        )
    absent = np.isnan(known.rewards) & (law > 0.0)
    if absent.any():
        h, s, a = np.argwhere(absent)[0].tolist()
        raise PolicyError(
            f"reference gives action {a} in state {s} at stage {h} the probability "
            f"{law[h, s, a]}; the state does not have it"
        )
    law = law / total[:, :, None]
    if ((law > 0.0) & (law < _LEAST)).any():
        raise PolicyError("reference has a probability above 0 and below 2^-1000")
    return law


def read_level(name: str, value: Any, most: float) -> float:
    """A number in (0, most); most may be infinite.

    Raises
    ------
    ModelError
        If it is none.
    """
    try:
        number = math.nan if isinstance(value, bool | str | bytes) else float(value)
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not 0.0 < number < most:
        raise ModelError(f"{name} is {value!r}; it must be in (0, {most:g})")
    return number


def read_growth(growth: Any) -> float:
    """The share of episodes by which batches grow, in [0, 1e6].

    Raises
    ------
    ModelError
        If it is no such number.
    """
    if isinstance(growth, bool) or not isinstance(growth, int | float) or not 0 <= growth <= 1e6:
        raise ModelError(f"batch_growth is {growth!r}; it must be in [0, 1e6]")
    return float(growth)


def explore(
    core: Explorer,
    access: Any,
    known: Known,
    widths: Callable[[NDArray[np.int64]], Widths],
    *,
    seed: Any,
    growth: float,
    epsilon: float,
    most_episodes: int,
    temperature: float,
) -> BPIResult:
    """Run a rule until its certificate is at most epsilon.

    Raises
    ------
    ConvergenceError
        If `most_episodes` are not enough; its `solution` is the result so far.
    """
    rule = _Rule(growth, epsilon, most_episodes)
    whole = whole_episodes(access)
    if whole is None:
        run = _stepped(core, access, known, widths, seed, rule)
    else:
        run = _whole(core, access, *whole, known, widths, seed, rule)
    history = History(run[:, 0].astype(np.int64), *(run[:, i].copy() for i in (1, 2, 3)))
    episodes, certificate, lower, upper = run[-1].tolist()
    result = BPIResult(core.policy, int(episodes), certificate, lower, upper, history, temperature)
    if result.certificate > epsilon:
        raise ConvergenceError(
            result, epsilon, result.certificate, f"{most_episodes} episodes were not enough"
        )
    return result


class _Rule(NamedTuple):
    growth: float
    epsilon: float
    most: int


def _lengthen(core: Explorer, widths: Callable[[NDArray[np.int64]], Widths], size: int) -> None:
    bonus, divergence = widths(np.arange(size + 1))
    core.use(bonus, np.sqrt(divergence))


def _whole(
    core: Explorer,
    access: Any,
    mdp: EpisodicMDP,
    words: EpisodeWords,
    known: Known,
    widths: Callable[[NDArray[np.int64]], Widths],
    seed: Any,
    rule: _Rule,
) -> Vector:
    own = (philox_key(seed, "bpi-stages"), philox_key(seed, "bpi-actions"))
    keys = np.array([*words.starts, *words.transitions, *own[0], *own[1]], dtype=np.uint64)
    size = min(_FIRST_TABLE, rule.most)
    while True:
        _lengthen(core, widths, size)
        stopped = core.explore(
            mdp.core, known.initial, keys, words.first_episode, rule.growth, rule.epsilon, size
        )
        if stopped or size == rule.most:
            break
        size = min(2 * size, rule.most)
    access.count(core.episodes, core.steps)
    return core.history


def _stepped(
    core: Explorer,
    access: Any,
    known: Known,
    widths: Callable[[NDArray[np.int64]], Widths],
    seed: Any,
    rule: _Rule,
) -> Vector:
    """The same run, step by step through the access: the same words decide the same things."""
    horizon = len(known.rewards)
    stages, actions = Stream(seed, "bpi-stages"), Stream(seed, "bpi-actions")
    rows: list[tuple[float, ...]] = []
    episodes = left = size = 0
    while True:
        if left == 0:
            core.plan()
            gap, upper = (float(known.initial @ x[0]) for x in (core.gap, core.upper))
            lower = getattr(core, "lower", None)
            under = upper - gap if lower is None else float(known.initial @ lower[0])
            rows.append((float(episodes), gap, under, upper))
            if gap <= rule.epsilon:
                break
            left = max(1, math.floor(rule.growth * episodes))
        if episodes == rule.most:
            break
        if episodes == size:
            size = min(max(_FIRST_TABLE, 2 * size), rule.most)
            _lengthen(core, widths, size)
        exploring = (int(stages.words(1)[0]) * (horizon + 1) >> 64) - 1
        uniforms = actions.uniforms(horizon).tolist()
        state = access.reset()
        for h in range(horizon):
            action = core.act(h, state, uniforms[h], h == exploring)
            step = access.step(action)
            core.observe(h, state, action, step.state)
            state = step.state
            if step.ended:
                break
        episodes, left = episodes + 1, left - 1
    return np.array(rows)
