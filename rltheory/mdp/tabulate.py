"""Models tabulated from Python: from a function of arrays, or state by state from a start.

The problem: a model is often a program, transition(s, a) -> outcomes. Two ways to a table:

1. **In batches** (`from_function`): states and actions are numbers, and the function takes
   arrays of them, B pairs at a time, and returns next states (B, K) with -1 for the end,
   probabilities (B, K) and rewards (B,). Nothing of size (S A, S) is ever made.
2. **Breadth first** (`from_states`): states and actions are anything that can be hashed; those
   that can be reached from the initial ones are numbered in the order in which they are met, and
   their texts become the labels of the model.

Outcomes of one pair that lead to the same state are added up (as gymnasium's are): with
exogenous noise, which is what K counts, they are the rule. Everything else that is wrong is
refused, with the pair and the batch it is in.
"""

import itertools
import math
from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from rltheory.errors import ModelError
from rltheory.mdp.arguments import at_least
from rltheory.mdp.intake import as_array
from rltheory.mdp.model import MDP
from rltheory.mdp.model_text import one_line
from rltheory.mdp.outcomes import EXIT, PaidRewards, reward_arguments

__all__ = ["tabulate_function", "tabulate_states"]

Batch = Callable[[NDArray[np.int64], NDArray[np.int64]], tuple[Any, Any, Any]]
_Arrays = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]


def tabulate_function(
    function: Batch,
    n_states: int,
    n_actions: int,
    discount: float | None = None,
    initial: Any = None,
    *,
    feasible: Any = None,
    batch: int = 65536,
) -> MDP:
    """Tabulate a function of arrays of states and actions, a batch of pairs at a time.

    Parameters
    ----------
    function : callable
        ``function(states, actions)``, both int64 of shape (B,), returns next states (B, K),
        integers with -1 where the run ends, their probabilities (B, K), and mean rewards
        (B,). Outcomes of a pair that lead to the same state are added up.
    n_states, n_actions : int
    discount, initial
        As in `MDP`.
    feasible : array_like of bool, shape (S, A), optional
        The pairs that there are; all, if left out.
    batch : int
        Pairs in a call, at most.

    Returns
    -------
    MDP

    Examples
    --------
    A walk on 0..3 that slips, and ends beyond 3 with reward 1:

    >>> import numpy as np
    >>> import rltheory as rlt
    >>> def walk(s, a):
    ...     ahead = s + 2 * a - 1
    ...     ends = ahead > 3
    ...     following = np.where(ends, -1, np.maximum(ahead, 0))
    ...     chance = np.full((len(s), 2), 0.5)
    ...     return np.stack([following, s], axis=1), chance, 0.5 * ends
    >>> mdp = rlt.MDP.from_function(walk, n_states=4, n_actions=2, discount=0.9)
    >>> rlt.solve(mdp).policy.tolist()
    [1, 1, 1, 1]
    """
    for name, value in (("n_states", n_states), ("n_actions", n_actions), ("batch", batch)):
        at_least(name, value, 1)
    if n_states > np.iinfo(np.int32).max or n_actions > np.iinfo(np.int32).max:
        raise ModelError(f"n_states is {n_states} and n_actions {n_actions}; at most 2^31 - 1")
    if feasible is None:
        pairs = np.arange(n_states * n_actions)
    else:
        mask = as_array("feasible", feasible)
        if mask.dtype != bool or mask.shape != (n_states, n_actions):
            raise ModelError(
                f"feasible has shape {mask.shape} and dtype {mask.dtype}; it must be Booleans of "
                f"shape ({n_states}, {n_actions})"
            )
        if not mask.any(axis=1).all():
            raise ModelError(f"state {int(np.argmin(mask.any(axis=1)))} has no feasible action")
        pairs = np.flatnonzero(mask)
    rows, parts, rewards, ends = 0, [], [], []
    for start in range(0, len(pairs), batch):
        part = pairs[start : start + batch]
        states, actions = np.divmod(part, n_actions)
        where = f"batch {start // batch} (pairs {start}..{start + len(part) - 1})"
        entries, exits, paid = _batch(function, states, actions, n_states, where)
        parts.append((entries[0] + rows, entries[1], entries[2]))
        ends.append(exits)
        rewards.append(paid)
        rows += len(part)
    row, col, prob = (np.concatenate([part[i] for part in parts]) for i in range(3))
    termination = np.concatenate(ends)
    return MDP.from_pairs(
        pairs // n_actions,
        pairs % n_actions,
        sparse.csr_array((prob, (row, col)), shape=(rows, n_states)),
        np.concatenate(rewards),
        discount,
        initial,
        n_states=n_states,
        n_actions=n_actions,
        termination=termination if termination.any() else None,
    )


def _batch(
    function: Batch,
    states: NDArray[np.int64],
    actions: NDArray[np.int64],
    n_states: int,
    where: str,
) -> tuple[_Arrays, NDArray[np.float64], NDArray[np.float64]]:
    """Row, column and probability of each transition of a batch; its exits; its rewards."""
    size = len(states)
    try:
        answer = function(states.copy(), actions.copy())
    except Exception as fault:
        raise ModelError(
            f"{where}: the function raised {type(fault).__name__}: {one_line(fault)}"
        ) from fault
    if not isinstance(answer, tuple | list) or len(answer) != 3:
        raise ModelError(
            f"{where}: the function returned {type(answer).__name__}; it must be the three arrays "
            "(next states, probabilities, rewards)"
        )
    following, chance, paid = (
        as_array(f"{where}: {name}", x)
        for name, x in zip(("next states", "probabilities", "rewards"), answer, strict=True)
    )
    for name, x, kinds in (
        ("next states", following, "iu"),
        ("probabilities", chance, "fiu"),
        ("rewards", paid, "fiu"),
    ):
        shape = (size,) if x is paid else (size, following.shape[-1] if following.ndim else 0)
        if x.dtype.kind not in kinds or x.shape != shape:
            wanted = f"({size},)" if x is paid else f"({size}, K)"
            what = "integers" if kinds == "iu" else "real numbers"
            raise ModelError(
                f"{where}: {name} have shape {x.shape} and dtype {x.dtype}; they must be {what} "
                f"of shape {wanted}"
            )

    def at(i: Any) -> str:
        return f"{where}: state {states[i]}, action {actions[i]}"

    chance, paid = chance.astype(np.float64), paid.astype(np.float64)
    for b, k in np.argwhere((following < EXIT) | (following >= n_states))[:1]:
        raise ModelError(
            f"{at(b)}: a next state is {following[b, k]}; it must be in 0..{n_states - 1}, or -1 "
            "where the run ends"
        )
    for b, k in np.argwhere(~((chance >= 0) & (chance <= 1 + 1e-9)))[:1]:
        raise ModelError(f"{at(b)}: a probability is {chance[b, k]!s}; it must be in [0, 1]")
    for b in np.flatnonzero(~np.isfinite(paid))[:1]:
        raise ModelError(f"{at(b)}: the reward is {paid[b]!s}; it must be finite")
    sums = chance.sum(axis=1)
    for b in np.flatnonzero(~(abs(sums - 1) <= 1e-9))[:1]:
        raise ModelError(
            f"{at(b)}: the probabilities sum to {sums[b]!s}; they must sum to 1 within 1e-9"
        )
    row = np.repeat(np.arange(size), following.shape[1])
    # Exits are column 0 here; a stable order makes sums the same on every machine.
    keys = row * (n_states + 1) + following.reshape(-1).astype(np.int64) + 1
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    first = np.flatnonzero(np.diff(ordered, prepend=-1))
    prob = np.add.reduceat(chance.reshape(-1)[order], first) if len(first) else np.zeros(0)
    row, col = np.divmod(ordered[first], n_states + 1)
    leaves = col == 0
    exits = np.zeros(size)
    exits[row[leaves]] = prob[leaves]
    stays = ~leaves & (prob > 0)
    return (row[stays], col[stays] - 1, prob[stays]), exits, paid


def tabulate_states(
    initial: Iterable[Hashable],
    actions: Callable[[Any], Iterable[Hashable]],
    transition: Callable[[Any, Any], Iterable[Any]],
    discount: float | None = None,
    *,
    max_states: int = 1_000_000,
) -> MDP:
    """Tabulate what can be reached from initial states, breadth first.

    Parameters
    ----------
    initial : iterable of hashable
        The start is uniform over these.
    actions : callable
        ``actions(state)``: the actions of a state, hashable, at least one.
    transition : callable
        ``transition(state, action)``: outcomes ``(probability, next state, reward)``, with
        None for a next state where the run ends. Those to one state are added up.
    discount : float, optional
    max_states : int
        With more states than that, it gives up.

    Returns
    -------
    MDP
        States and actions numbered in the order in which they are met; ``str`` of them are
        its `state_labels` and `action_labels`.

    Examples
    --------
    >>> import rltheory as rlt
    >>> mdp = rlt.MDP.from_states(
    ...     initial=[3],
    ...     actions=lambda coins: ["keep", "bet"],
    ...     transition=lambda coins, action: [(1, None, coins)]
    ...     if action == "keep" or coins in (0, 5)
    ...     else [(0.5, coins + 1, 0), (0.5, coins - 1, 0)],
    ...     discount=0.5,
    ... )
    >>> mdp.state_labels, mdp.action_labels
    (('3', '4', '2', '5', '1', '0'), ('keep', 'bet'))
    """
    at_least("max_states", max_states, 1)
    number: dict[Hashable, int] = {}
    queue: list[Hashable] = []

    def numbered(state: Hashable, origin: str) -> int:
        try:
            found = number.setdefault(state, len(number))
        except TypeError:
            raise ModelError(f"{origin}: state {state!r} cannot be hashed; a tuple can") from None
        if found == len(queue):
            if found >= max_states:
                raise ModelError(
                    f"{origin}: there are more than max_states={max_states} states; raise the "
                    "limit, or check that what can be reached is finite"
                )
            queue.append(state)
        return found

    starts = [numbered(state, "initial") for state in _list("initial", lambda: initial)]
    if not starts:
        raise ModelError("initial is empty; give the states to start from")
    names: dict[Hashable, int] = {}
    state_of: list[int] = []
    action_of: list[int] = []
    rewards: list[PaidRewards] = []
    row: list[int] = []
    col: list[int] = []
    prob: list[float] = []
    ends: list[float] = []
    for s in itertools.count():
        if s >= len(queue):
            break
        state = queue[s]
        here = f"state {state!r}"
        choices = _list(f"{here}: actions", lambda state=state: actions(state))  # type: ignore[misc]
        if not choices:
            raise ModelError(f"{here} has no action; a state where all is over has one that ends")
        for action in choices:
            there = f"{here}, action {action!r}"
            outcomes = _list(there, lambda s=state, a=action: transition(s, a))  # type: ignore[misc]
            chances, paid = _outcomes(outcomes, there, numbered)
            try:
                action_of.append(names.setdefault(action, len(names)))
            except TypeError:
                raise ModelError(f"{there}: the action cannot be hashed") from None
            for target in sorted(chances.keys() - {EXIT}):
                row.append(len(state_of))
                col.append(target)
                prob.append(chances[target])
            ends.append(chances.get(EXIT, 0.0))
            rewards.append(paid)
            state_of.append(s)
    shape = (len(state_of), len(queue))
    law = np.zeros(len(queue))
    law[starts] = 1.0 / len(set(starts))
    made = MDP.from_pairs(
        state_of,
        action_of,
        sparse.csr_array((prob, (row, col)), shape=shape),
        discount=discount,
        initial=law,
        n_states=len(queue),
        n_actions=len(names),
        termination=np.array(ends) if any(ends) else None,
        **reward_arguments(rewards, row, col, shape),
    )
    return made.with_labels(_labels(queue), _labels(list(names)))


def _list(where: str, make: Callable[[], Iterable[Any]]) -> list[Any]:
    """What the user's code gives, as a list; its errors say where."""
    try:
        return list(make())
    except ModelError:
        raise
    except Exception as fault:
        raise ModelError(f"{where}: {type(fault).__name__}: {one_line(fault)}") from fault


def _outcomes(
    outcomes: Sequence[Any], where: str, numbered: Callable[[Hashable, str], int]
) -> tuple[dict[int, float], PaidRewards]:
    """Chance of each successor (-1: the end) and the chances of its rewards."""
    paid: PaidRewards = {}
    for outcome in outcomes:
        try:
            chance, state, reward = outcome
            chance, reward = float(chance), float(reward)
        except (TypeError, ValueError):
            raise ModelError(
                f"{where}: an outcome is {outcome!r}; it must be (probability, next state or "
                "None, reward)"
            ) from None
        if not 0.0 <= chance <= 1 + 1e-9:
            raise ModelError(f"{where}: a probability is {chance!r}; it must be in [0, 1]")
        if not math.isfinite(reward):
            raise ModelError(f"{where}: a reward is {reward!r}; it must be finite")
        if chance > 0.0:
            target = EXIT if state is None else numbered(state, where)
            paid.setdefault(target, {}).setdefault(reward, []).append(chance)
    chances = {
        target: math.fsum(p for law in laws.values() for p in law) for target, laws in paid.items()
    }
    total = math.fsum(chances.values())
    if not abs(total - 1.0) <= 1e-9:
        raise ModelError(f"{where}: the probabilities sum to {total!r}; they must sum to 1")
    return chances, paid


def _labels(things: Sequence[Hashable]) -> list[str]:
    return [
        "".join(c if c.isprintable() else ascii(c)[1:-1] for c in " ".join(str(thing).split()))
        for thing in things
    ]
