"""Reward files beside a ``.tra`` file: which ones there are, and what they add to a listing.

Formats: see `rltheory.mdp.prism_explicit`.
"""

import os
import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rltheory.errors import ModelError
from rltheory.mdp.columns import Columns, read_columns
from rltheory.mdp.listing import Explicit, RewardModel
from rltheory.mdp.model_text import ModelText

__all__ = ["read_rewards", "reward_files"]

_REWARD_NAME = re.compile(r'# Reward structure "([^"]*)"')
_REWARD_ENDINGS = ("srew", "trew", "rew", "rews", "rewt")


def reward_files(path: Path) -> list[Path]:
    """The reward files that belong to a ``.tra`` file by their names, in alphabetical order."""
    middle = r"(\d*|\.[^.]+)(\.state|\.trans)?"
    pattern = re.compile(rf"{re.escape(path.stem)}{middle}\.({'|'.join(_REWARD_ENDINGS)})")
    try:
        names = sorted(os.listdir(path.parent))
    except OSError as fault:
        raise ModelError(f"{path.parent} cannot be listed: {fault.strerror}") from None
    return [path.with_name(name) for name in names if pattern.fullmatch(name)]


def read_rewards(
    file: Path,
    path: Path,
    listing: Explicit,
    kinds: NDArray[np.int64],
    is_mdp: bool,
    exact: bool,
) -> None:
    """Add the rewards of one file to the listing."""
    text = ModelText.read(os.fspath(file))
    kind, first, sizes = _rewards_header(text, file, is_mdp)
    width = {"state": 2, "transition": 4 if is_mdp else 3}[kind]
    columns = read_columns(text, first, width, int(kind == "transition"), "a reward", exact)
    at = columns.at
    if sizes and text.count(first, sizes[-1], "rewards") != len(columns.line):
        raise text.fault(
            first, f"the file has {len(columns.line)} rewards; its first line says {sizes[-1]}"
        )
    if sizes and text.count(first, sizes[0], "states") != listing.n_states:
        raise text.fault(first, f"{sizes[0]} states are declared; the model has {listing.n_states}")
    state, amount = columns.whole[0], columns.value
    model = listing.rewards.setdefault(_reward_name(text, file, path), RewardModel())
    for i in np.flatnonzero(state >= listing.n_states)[:1]:
        raise text.fault(at(i), f"state {state[i]} is none of 0..{listing.n_states - 1}")
    if (model.state if kind == "state" else model.transition) is not None:
        raise ModelError(f"{text.name}: {kind} rewards of this name are given twice")
    if kind == "state":
        model.state = into = listing.zeros(listing.n_states)
        place = state
    else:
        model.transition = into = listing.zeros(len(listing.col))
        place = _places(text, columns, listing, kinds, is_mdp)
    sorted_ = np.argsort(place, kind="stable")
    for i in np.flatnonzero(np.diff(place[sorted_]) == 0)[:1]:
        raise text.fault(at(int(sorted_[i + 1])), "this reward is given twice")
    into[place] = amount


def _places(
    text: ModelText,
    columns: Columns,
    listing: Explicit,
    kinds: NDArray[np.int64],
    is_mdp: bool,
) -> NDArray[np.int64]:
    """The transition of the listing that each line is about."""
    state, target = columns.whole[0], columns.whole[-1]
    choice = columns.whole[1] if is_mdp else np.zeros_like(state)
    n, entries = listing.n_states, len(listing.col)
    wrong = (target >= n) | (choice >= entries)
    keys = state * entries + np.where(wrong, 0, choice)
    row = np.minimum(np.searchsorted(kinds, keys), len(kinds) - 1)
    wrong |= kinds[row] != keys
    owner = np.repeat(np.arange(len(kinds)), np.diff(listing.row_ptr)) * n + listing.col
    wanted = row * n + np.where(wrong, 0, target)
    place = np.minimum(np.searchsorted(owner, wanted), entries - 1)
    wrong |= owner[place] != wanted
    for i in np.flatnonzero(wrong)[:1]:
        raise text.fault(
            columns.at(i), "a reward is given to a transition that the model does not have"
        )
    return place


def _rewards_header(text: ModelText, file: Path, is_mdp: bool) -> tuple[str, int, list[str]]:
    """Whose rewards these are, the line of sizes (0: none), and what it says.

    PRISM's endings say both; of a ``.rew`` file, its columns do.
    """
    found = [i for i, x in enumerate(text.lines, 1) if x.strip() and not x.startswith("#")]
    if not found:
        raise text.fault(1, "the file has no rewards")
    head = text.lines[found[0] - 1].split()
    ending = file.suffix[1:]
    if ending in ("srew", "rews"):
        return "state", found[0], head
    if ending in ("trew", "rewt"):
        return "transition", found[0], head
    last = text.lines[found[-1] - 1].split()
    kind = "state" if len(last) == 2 else "transition"
    counts = head[-1].isascii() and head[-1].isdecimal() and len(head[-1]) < 18
    shorter = len(head) < len(last)
    if shorter or (
        len(found) > 1 and counts and int(head[-1]) == len(found) - 1 and kind == "state"
    ):
        return kind, found[0], head
    return kind, 0, []


def _reward_name(text: ModelText, file: Path, path: Path) -> str:
    for line in text.lines[:3]:
        match = _REWARD_NAME.fullmatch(line.strip())
        if match:
            return match[1]
    rest = file.name.removeprefix(path.stem).rsplit(".", 1)[0]
    return rest.removesuffix(".state").removesuffix(".trans").strip(".")
