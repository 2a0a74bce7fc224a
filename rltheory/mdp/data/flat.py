"""The flat layout of D4RL: one long array a column, episodes one after another.

    observations, actions, rewards, terminals, timeouts    (n,) each; timeouts may be missing
    next_observations                                      (n,), may be missing

A terminal means that the run ended after this step, a timeout that it was cut off there.
Observations and actions are numbers of states and actions, (n,) or (n, 1), of integer kind. Where
`terminals` is set, `next_observations` is not read, since what has ended is in no state. Arrays
without `next_observations` do not say where an episode was cut off: its last step is left out, and
its observation is the final state (as D4RL's own ``qlearning_dataset`` does); an episode of one
such step is gone. Other names are not read. Source: Fu et al., D4RL, arXiv:2004.07219.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rltheory.errors import ModelError
from rltheory.mdp.data.entries import discrete, flags, indices, real_entries, same_length
from rltheory.mdp.data.provenance import Provenance

__all__ = [
    "columns_from_flat",
    "trajectories_to_flat",
    "transitions_from_flat",
    "transitions_to_flat",
]

_NEEDED = ("observations", "actions", "rewards", "terminals")


def transitions_from_flat(data: Mapping[str, Any], provenance: Provenance | None = None) -> Any:
    """Columns of `Transitions`: the steps in any order, without stages.

    Without `next_observations`, the steps have to be in the order of their episodes.
    """
    arrays = _read(data)
    if arrays["next_observations"] is None:
        return _steps_of(_episodes(arrays), _origin(provenance))
    following = np.where(arrays["terminals"], -1, arrays["next_observations"])
    columns = (arrays["observations"], arrays["actions"], arrays["rewards"], following)
    return (None, *columns, _origin(provenance))


def columns_from_flat(data: Mapping[str, Any], provenance: Provenance | None = None) -> Any:
    """Columns of `Trajectories`: states, actions, rewards, final states, lengths.

    Raises
    ------
    ModelError
        If a column is missing or wrong, or a next observation is not the observation of the next
        step within an episode.
    """
    return (*_episodes(_read(data)), _origin(provenance))


def trajectories_to_flat(trajectories: Any, end_observation: int) -> dict[str, NDArray[Any]]:
    """The columns of the layout; each episode's last step is a terminal or a timeout."""
    flat = transitions_to_flat(trajectories.transitions(), end_observation)
    last = np.zeros(trajectories.n_steps, dtype=np.bool_)
    last[trajectories.starts[1:] - 1] = True
    return flat | {"timeouts": last & ~flat["terminals"]}


def transitions_to_flat(transitions: Any, end_observation: int) -> dict[str, NDArray[Any]]:
    """The columns of the layout, `end_observation` where the run ended."""
    ended = transitions.next_states < 0
    return {
        "observations": transitions.states.copy(),
        "actions": transitions.actions.copy(),
        "rewards": transitions.rewards.copy(),
        "next_observations": np.where(ended, np.int32(end_observation), transitions.next_states),
        "terminals": ended,
        "timeouts": np.zeros(len(ended), dtype=np.bool_),
    }


def _read(data: Mapping[str, Any]) -> dict[str, Any]:
    for name in _NEEDED:
        if name not in data:
            raise ModelError(
                f"{name!r} is missing; the flat layout has {', '.join(_NEEDED)}, and may have "
                "next_observations and timeouts"
            )
    arrays: dict[str, Any] = {
        "observations": indices("observations", discrete("observations", data["observations"])),
        "actions": indices("actions", discrete("actions", data["actions"])),
        "rewards": real_entries("rewards", discrete("rewards", data["rewards"])),
        "terminals": flags("terminals", data["terminals"]),
    }
    n = len(arrays["observations"])
    timeouts = data.get("timeouts")
    arrays["timeouts"] = np.zeros(n, np.bool_) if timeouts is None else flags("timeouts", timeouts)
    same_length(n, "observations", **arrays)
    following = data.get("next_observations")
    if following is not None:
        column = discrete("next_observations", following)
        same_length(n, "observations", next_observations=column)
        # What stands where the run ended may be anything.
        following = indices("next_observations", np.where(arrays["terminals"], 0, column))
    return arrays | {"next_observations": following}


def _episodes(arrays: Mapping[str, Any]) -> tuple[NDArray[Any], ...]:
    """States, actions, rewards, final states and lengths."""
    states, following = arrays["observations"], arrays["next_observations"]
    terminals = arrays["terminals"]
    n = len(states)
    last = terminals | arrays["timeouts"]
    if n:
        last[-1] = True  # the recording stopped
    ends = np.flatnonzero(last)
    starts = np.concatenate([[0], ends[:-1] + 1])[: len(ends)]
    lengths = ends - starts + 1
    if following is not None:
        inside = np.flatnonzero(~last)
        wrong = inside[following[inside] != states[inside + 1]]
        if len(wrong):
            i = int(wrong[0])
            raise ModelError(
                f"next_observations[{i}] is {following[i]} and observations[{i + 1}] is "
                f"{states[i + 1]}; within an episode they are the same state (single steps in any "
                "order are Transitions)"
            )
        final = np.where(terminals[ends], -1, following[ends])
        return states, arrays["actions"], arrays["rewards"], final, lengths
    cut = ~terminals[ends]
    final = np.where(cut, states[ends], -1)
    kept = np.ones(n, dtype=np.bool_)
    kept[ends[cut]] = False
    lengths = lengths - cut
    some = lengths > 0
    columns = (states[kept], arrays["actions"][kept], arrays["rewards"][kept])
    return (*columns, final[some], lengths[some])


def _steps_of(episodes: tuple[NDArray[Any], ...], origin: Provenance) -> Any:
    from rltheory.mdp.data.trajectories import Trajectories

    states, actions, rewards, final, lengths = episodes
    steps = Trajectories(states, actions, rewards, final, lengths, origin).transitions()
    return (None, steps.states, steps.actions, steps.rewards, steps.next_states, origin)


def _origin(provenance: Provenance | None) -> Provenance:
    return Provenance(access="flat") if provenance is None else provenance
