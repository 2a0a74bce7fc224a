"""From listed states, choices and transitions, as model checkers have them, to a model.

The problem: Storm and PRISM list states 0..n-1, the choices of each state (actions, often
without a name), and a target state with its probability for each transition. Rewards belong to
states, to choices or to transitions. Nothing ever ends: what a property asks for is a set of
states, named by a label, that is to be reached. What becomes of it here:

- **Numbers of states stay.** State s of the file is state s of the model.
- **Reaching the goal is an ending.** With `goal`, a transition into a state with that label is
  an exit of its row, with the probability and the reward of the transition. Goal states stay in
  the model under their numbers: such a state has one action, which ends for sure. Its reward is
  0, as in "expected reward until the goal is reached", and 1 for ``"reach"`` below.
- **Actions.** Choices without names are numbered from 0 in each state. Where the names are
  numbers ("0", "1", or "a0", "a1"), they are the actions. Otherwise each distinct name is an
  action, in the order in which names first appear; the k-th choice of the same name in a state is
  "name#k", and choices without a name have "#1", "#2", ... Names become `action_labels`.
- **Rewards.** Of a choice: that of its state, plus its own, plus those of its transitions; the law
  is kept where transitions pay differently. ``reward="reach"`` pays 1 on reaching the goal: the
  total is the probability of reaching it. A minus sign reads a cost: ``reward="-time"``.
- **Start.** The state labelled "init", if there is one and no more; several are no law.
- A state without choices is a deadlock: it has the label "deadlock", and unless it is a goal
  state the model is refused.
- An ending is written as a last state, labelled `EXIT_LABEL`, that keeps to itself for reward 0;
  reading takes it back as the ending.
"""

import re
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from rltheory.errors import ModelError
from rltheory.mdp.arguments import one_hot
from rltheory.mdp.listing import EXIT_LABEL, Explicit, RewardModel
from rltheory.mdp.model import MDP
from rltheory.mdp.outcomes import EXIT, PaidRewards, reward_arguments
from rltheory.mdp.rational import RationalModel, nearest

__all__ = ["to_mdp"]

_REACH = "reach"
_SMALL = 1000  # actions that a table may always have
_NUMBER = re.compile(r"a?(0|[1-9]\d{0,8})", re.ASCII)


def to_mdp(
    model: Explicit,
    discount: Any = None,
    reward: str | None = None,
    goal: str | None = None,
) -> MDP:
    """The model of a listing, under the conventions of this module.

    Parameters
    ----------
    model : Explicit
    discount : float or Fraction, optional
    reward : str, optional
        Which reward model; may be left out when there is at most one. Without any, what is paid
        is 0, or with a goal, as for ``"reach"``.
    goal : str, optional
        The label of the states at which the run ends.

    Raises
    ------
    ModelError
        If the reward model or the label is unknown, several reward models are there and none is
        chosen, or a state has no choice and is no goal state.
    """
    rows = len(model.state)
    choices = np.bincount(model.state, minlength=model.n_states)
    idle = np.flatnonzero(choices == 0)
    labels = dict(model.labels)
    if len(idle):
        labels["deadlock"] = np.union1d(labels.get("deadlock", idle), idle)
    is_goal = _goal(model, labels, goal)
    base, paid, at_goal = _chosen(model, reward, goal is not None, is_goal)
    if len(stuck := idle[~is_goal[idle]]):
        raise ModelError(
            f"{model.name}: state {stuck[0]} has no action, a deadlock; every state needs one: "
            'PRISM and Storm add a loop when they build a model, and goal="deadlock" ends the run'
        )
    size = model.n_states - _has_exit_state(model, base, paid)
    row = np.repeat(np.arange(rows), np.diff(model.row_ptr))
    kept_row = ~is_goal[model.state] & (model.state < size)
    kept = kept_row[row] & (model.prob != 0).astype(bool)
    number = np.cumsum(kept_row) - 1
    goals = np.flatnonzero(is_goal[:size])
    n_rows = int(kept_row.sum())
    outcome = base[row[kept]] + paid[kept]
    row, col, prob = number[row[kept]], model.col[kept], model.prob[kept]
    leaves = (col >= size) | is_goal[np.minimum(col, model.n_states - 1)]
    # Rows that only end stand behind the others; `from_pairs` sorts.
    row = np.concatenate([row, n_rows + np.arange(len(goals))])
    col = np.concatenate([col, goals])
    ones = model.zeros(len(goals)) + (Fraction(1) if model.exact else 1.0)
    prob = np.concatenate([prob, ones])
    outcome = np.concatenate([outcome, model.zeros(len(goals)) + at_goal])
    leaves = np.concatenate([leaves, np.ones(len(goals), dtype=bool)])
    action, n_actions, action_labels = _actions(model, kept_row)
    state = np.concatenate([model.state[kept_row], goals])
    action = np.concatenate([action, np.zeros(len(goals), dtype=np.int64)])
    shape = (len(state), size)
    doubles = nearest(prob) if model.exact else prob
    if not doubles.all():
        raise ModelError(f"{model.name}: a probability is above 0 and below all doubles")
    termination = np.bincount(row[leaves], weights=doubles[leaves], minlength=shape[0])
    stays = ~leaves
    made = MDP.from_pairs(
        state,
        action,
        sparse.csr_array((doubles[stays], (row[stays], col[stays])), shape=shape),
        discount=discount,
        initial=_start(model, size),
        n_states=size,
        n_actions=n_actions,
        termination=termination if leaves.any() else None,
        **_rewards(row, col, doubles, nearest(outcome) if model.exact else outcome, leaves, shape),
    )
    if model.exact:
        keys = np.argsort(state * n_actions + action, kind="stable")
        rational = _rational(made, keys, row, col, prob, outcome, leaves, discount)
        made = made._with_rational(rational)
    names = None if model.state_labels is None else model.state_labels[:size]
    return made.with_labels(names, action_labels)


def _goal(
    model: Explicit, labels: dict[str, NDArray[np.int64]], goal: str | None
) -> NDArray[np.bool_]:
    mask = np.zeros(model.n_states, dtype=bool)
    if goal is not None:
        if goal not in labels:
            known = ", ".join(sorted(labels)) or "none"
            raise ModelError(f"{model.name} has no label {goal!r}; its labels: {known}")
        mask[labels[goal]] = True
    return mask


def _chosen(
    model: Explicit, reward: str | None, has_goal: bool, is_goal: NDArray[np.bool_]
) -> tuple[NDArray[Any], NDArray[Any], Any]:
    """Reward of each choice, of each transition beside it, and of starting at the goal."""
    base, paid = model.zeros(len(model.state)), model.zeros(len(model.col))
    zero, one = (Fraction(0), Fraction(1)) if model.exact else (0.0, 1.0)
    known = model.rewards
    sign = 1
    if reward is None and not known and has_goal:
        reward = _REACH
    if reward is None:
        if not known:
            return base, paid, zero
        if len(known) > 1:
            raise ModelError(
                f"{model.name} has several reward models: {_listed(known)}; choose one (reward=)"
            )
        reward = next(iter(known))
    elif reward == _REACH and _REACH not in known:
        if not has_goal:
            raise ModelError(f'{model.name}: reward="reach" needs a goal to be reached')
        reached = model.zeros(len(model.col))
        reached[is_goal[model.col]] = one
        return base, reached, one
    elif reward not in known and reward.startswith("-") and reward[1:] in known:
        reward, sign = reward[1:], -1
    if reward not in known:
        raise ModelError(
            f"{model.name} has no reward model {reward!r}; it has {_listed(known) or 'none'}"
        )
    part = known[reward]
    if part.state is not None:
        base = base + part.state[model.state]
    if part.choice is not None:
        base = base + part.choice
    if part.transition is not None:
        paid = paid + part.transition
    return base * sign + zero, paid * sign + zero, zero  # + 0: no negative zeros


def _listed(known: dict[str, RewardModel]) -> str:
    return ", ".join(map(repr, known))


def _has_exit_state(model: Explicit, base: NDArray[Any], paid: NDArray[Any]) -> bool:
    """Whether the last state only stands for the end, as our own files have it."""
    last = model.n_states - 1
    if last < 1 or model.labels.get(EXIT_LABEL, np.zeros(0)).tolist() != [last]:
        return False
    first = int(np.searchsorted(model.state, last))
    entries = slice(model.row_ptr[first], None)
    return bool(
        (model.col[entries] == last).all() and not base[first:].any() and not paid[entries].any()
    )


def _start(model: Explicit, size: int) -> NDArray[np.float64] | None:
    initial = model.labels.get("init", np.zeros(0, dtype=np.int64))
    return one_hot(int(initial[0]), size) if len(initial) == 1 and initial[0] < size else None


def _actions(
    model: Explicit, kept: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], int, tuple[str, ...] | None]:
    """Action of each kept choice, their number, and their labels where choices have names."""
    first = np.searchsorted(model.state, model.state)
    place = np.arange(len(model.state)) - first
    rows = np.flatnonzero(kept).tolist()
    names = [model.choice[r] for r in rows]
    if not any(names):
        action = place[kept]
        return action, int(action.max(initial=0)) + 1, None
    matches = [_NUMBER.fullmatch(name) for name in set(names)]
    if names and all(matches):
        number = np.array([int(name.removeprefix("a")) for name in names], dtype=np.int64)
        # Numbers beyond all choices are names: a table of actions has to be possible.
        pairs = model.state[kept] * (int(number.max()) + 1) + number
        if number.max() < max(len(model.state), _SMALL) and len(np.unique(pairs)) == len(pairs):
            return number, int(number.max()) + 1, None
    found: dict[str, int] = {}
    action = np.empty(len(rows), dtype=np.int64)
    seen: dict[str, int] = {}
    before = -1
    for i, (r, name) in enumerate(zip(rows, names, strict=True)):
        if model.state[r] != before:
            before, seen = model.state[r], {}
        seen[name] = seen.get(name, 0) + 1
        label = name if name and seen[name] == 1 else f"{name}#{seen[name]}"
        action[i] = found.setdefault(label, len(found))
    return action, max(len(found), 1), tuple(found) or ("",)


def _rewards(
    row: NDArray[np.int64],
    col: NDArray[np.int64],
    prob: NDArray[np.float64],
    outcome: NDArray[np.float64],
    leaves: NDArray[np.bool_],
    shape: tuple[int, int],
) -> dict[str, Any]:
    """Rewards as the constructor takes them; one a row where its outcomes pay the same."""
    first = np.zeros(shape[0])
    first[row[::-1]] = outcome[::-1]
    if (outcome == first[row]).all():
        return {"rewards": first}
    ending = np.zeros(shape[0])
    ending[row[leaves]] = outcome[leaves]
    stays = ~leaves
    if (outcome[leaves] == ending[row[leaves]]).all():
        return {
            "next_state_rewards": sparse.csr_array(
                (outcome[stays], (row[stays], col[stays])), shape=shape
            ),
            "termination_rewards": ending,
        }
    listed: list[PaidRewards] = [{} for _ in range(shape[0])]
    targets = np.where(leaves, EXIT, col)
    for r, target, chance, pay in zip(
        row.tolist(), targets.tolist(), prob.tolist(), outcome.tolist(), strict=True
    ):
        listed[r].setdefault(target, {}).setdefault(pay, []).append(chance)
    return reward_arguments(listed, row[stays].tolist(), col[stays].tolist(), shape)


def _rational(
    made: MDP,
    order: NDArray[np.int64],
    row: NDArray[np.int64],
    col: NDArray[np.int64],
    prob: NDArray[Any],
    outcome: NDArray[Any],
    leaves: NDArray[np.bool_],
    discount: Any,
) -> RationalModel:
    """The rationals of the rows, in the order of the model."""
    entries: list[list[int]] = [[] for _ in order]
    for i in np.lexsort((col, row)).tolist():
        entries[row[i]].append(i)
    row_ptr, cols, probs, rewards, exits = [0], [], [], [], []
    for r in order.tolist():
        total = sum((prob[i] for i in entries[r]), Fraction(0))
        stays = [i for i in entries[r] if not leaves[i]]
        cols += [int(col[i]) for i in stays]
        probs += [prob[i] / total for i in stays]
        row_ptr.append(len(cols))
        exits.append(sum((prob[i] for i in entries[r] if leaves[i]), Fraction(0)) / total)
        rewards.append(sum((prob[i] * outcome[i] for i in entries[r]), Fraction(0)) / total)
    return RationalModel(
        state_ptr=tuple(made.core.state_ptr.tolist()),
        action=tuple(made.core.action.tolist()),
        row_ptr=tuple(row_ptr),
        col=tuple(cols),
        prob=tuple(probs),
        reward=tuple(rewards),
        exit=tuple(exits) if any(exits) else (),
        discount=None if discount is None else Fraction(discount),
    )
