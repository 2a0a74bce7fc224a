"""Minari's layout: a sequence of episodes, each a mapping or an object with arrays.

    observations     (T+1,): one more than steps, the last one is where the episode was left
    actions, rewards, terminations, truncations    (T,) each

Observations and actions are numbers of states and actions, (T,) or (T, 1), of integer kind. A
termination is an ending, which only the last step can have; the observation after it is not read.
An episode without either flag at its last step counts as cut off. Other fields (`id`, `infos`) are
not read, and Minari itself is not needed. Source: Farama Foundation, minari.farama.org.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from rltheory.errors import ModelError
from rltheory.mdp.data.entries import discrete, flags, indices, real_entries, same_length
from rltheory.mdp.data.provenance import Provenance

__all__ = ["columns_from_minari", "episodes_to_minari"]

_FIELDS = ("observations", "actions", "rewards", "terminations", "truncations")


def columns_from_minari(episodes: Iterable[Any], provenance: Provenance | None = None) -> Any:
    """Columns of `Trajectories`: states, actions, rewards, final states, lengths.

    Raises
    ------
    ModelError
        If an episode lacks a field or has it wrong; the message says which episode and entry.
    """
    read = []
    for i, episode in enumerate(episodes):
        try:
            read.append(_episode(episode))
        except ModelError as fault:
            raise ModelError(f"episode {i}: {fault}") from None
    if not read:
        raise ModelError("there is no episode")
    states, actions, rewards, final = zip(*read, strict=True)
    columns = (np.concatenate(states), np.concatenate(actions), np.concatenate(rewards))
    origin = Provenance(access="minari") if provenance is None else provenance
    return (*columns, np.array(final), np.array([len(s) for s in states]), origin)


def episodes_to_minari(trajectories: Any, end_observation: int) -> list[dict[str, Any]]:
    """One dict an episode, in Minari's fields; `end_observation` stands after an ending."""
    out = []
    for i, one in enumerate(trajectories):
        final = int(one.final_states[0])
        ended, steps = final < 0, one.n_steps
        last = np.arange(steps) == steps - 1
        after = np.int32(end_observation if ended else final)
        out.append(
            {
                "id": i,
                "observations": np.append(one.states, after),
                "actions": one.actions.copy(),
                "rewards": one.rewards.copy(),
                "terminations": last & ended,
                "truncations": last & (not ended),
            }
        )
    return out


def _episode(episode: Any) -> tuple[Any, Any, Any, int]:
    """States, actions, rewards and the final state."""
    fields: dict[str, Any] = {}
    for name in _FIELDS:
        found = episode.get(name) if isinstance(episode, Mapping) else getattr(episode, name, None)
        if found is None:
            raise ModelError(f"{name!r} is missing; an episode has {', '.join(_FIELDS)}")
        fields[name] = found
    seen = discrete("observations", fields["observations"])
    actions = indices("actions", discrete("actions", fields["actions"]))
    rewards = real_entries("rewards", discrete("rewards", fields["rewards"]))
    terminations = flags("terminations", fields["terminations"])
    truncations = flags("truncations", fields["truncations"])
    steps = len(actions)
    same_length(
        steps, "actions", rewards=rewards, terminations=terminations, truncations=truncations
    )
    if not steps:
        raise ModelError("it has no step")
    if len(seen) != steps + 1:
        raise ModelError(
            f"observations has {len(seen)} entries and actions {steps}; it must have one more"
        )
    for name, marks in (("terminations", terminations), ("truncations", truncations)):
        early = np.flatnonzero(marks[:-1])
        if len(early):
            raise ModelError(
                f"{name}[{early[0]}] is set; only the last step, {steps - 1}, can have it"
            )
    states = indices("observations", seen[:-1])
    if terminations[-1]:
        return states, actions, rewards, -1
    indices("observations", seen)
    return states, actions, rewards, int(seen[-1])
