"""Models in files: which kinds there are, and who reads and writes each.

The problem: a file is somebody else's bytes. Its ending says what it claims to be, a reader
checks all of it before a model is made, and whatever is wrong comes out as one line that names
the file, the line in it and the fault. Nothing is executed, unpickled or repaired.
"""

import os
from fractions import Fraction
from pathlib import Path
from typing import Any

from rltheory.errors import ModelError
from rltheory.mdp.criterion import with_criterion
from rltheory.mdp.drn import read_drn, write_drn
from rltheory.mdp.episodic import EpisodicMDP
from rltheory.mdp.explicit import to_mdp
from rltheory.mdp.linear import LinearMDP
from rltheory.mdp.model import MDP
from rltheory.mdp.npz import read_npz, write_npz
from rltheory.mdp.prism_explicit import read_tra, write_tra

__all__ = ["OPTIONS", "load", "save"]

# Ending: the arguments of `load` that make sense for it, beside discount and horizon.
_LISTED = ("reward", "goal", "exact")
OPTIONS: dict[str, tuple[str, ...]] = {
    ".npz": (),
    ".drn": _LISTED,
    ".tra": (*_LISTED, "labels", "rewards"),
    ".prism": (*_LISTED, "constants"),
    ".nm": (*_LISTED, "constants"),
    ".pm": (*_LISTED, "constants"),
    ".jani": (*_LISTED, "constants"),
}
_WRITERS = {".npz": write_npz, ".drn": write_drn, ".tra": write_tra}
_Path = str | os.PathLike[str]


def load(
    path: _Path,
    discount: float | Fraction | None = None,
    horizon: int | None = None,
    *,
    reward: str | None = None,
    goal: str | None = None,
    constants: str | None = None,
    exact: bool = False,
    labels: _Path | None = None,
    rewards: _Path | list[_Path] | None = None,
) -> MDP | EpisodicMDP | LinearMDP:
    """Read a model from a file; the ending says of which kind.

    Parameters
    ----------
    path : str or path
        ``.npz``: what `save` wrote, a `LinearMDP` too, a file of the BRIDGE dataset, or dense
        arrays. ``.drn``: Storm's explicit format. ``.tra``: PRISM's explicit format, with the
        ``.lab``, ``.sta`` and reward files of the same name beside it. ``.prism``, ``.nm``,
        ``.pm``, ``.jani``: the PRISM language and JANI, built by Storm
        (``pip install 'rltheory[storm]'``).
    discount : float or Fraction, optional
        Takes the place of the discount in the file. Only ``.npz`` files have one.
    horizon : int, optional
        Makes the model episodic. A BRIDGE file needs one of the two.
    reward : str, optional
        Which reward model (all but ``.npz``); needed when there are several. ``"reach"``: 1 on
        reaching the goal. A minus sign before the name reads a cost.
    goal : str, optional
        Label of the states at which the run ends (all but ``.npz``): reaching one is an ending
        with the probability of the transition, and the state itself stays, with one action
        that ends. For the PRISM language also an expression such as ``"s=7 & d=2"``.
    constants : str, optional
        Values of constants of the PRISM language or JANI, as in ``"N=3,p=0.5"``.
    exact : bool
        Keep numbers as fractions (all but ``.npz``). For small models.
    labels : str or path, optional
        The ``.lab`` file of a ``.tra`` file, if it has another name.
    rewards : str, path, or list of them, optional
        The reward files of a ``.tra`` file, likewise.

    Returns
    -------
    MDP, EpisodicMDP or LinearMDP

    Raises
    ------
    ModelError
        If there is no such file, its ending is unknown, an argument does not go with it, it is
        damaged or not of its format, or what it holds is no model.

    Examples
    --------
    >>> import tempfile
    >>> from rltheory.mdp.files import load, save
    >>> from rltheory.mdp.generators import riverswim
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save(riverswim(discount=0.9), f"{folder}/river.npz")
    ...     save(riverswim(), f"{folder}/river.drn")
    ...     load(f"{folder}/river.npz").discount
    ...     load(f"{folder}/river.drn", discount=0.9)
    0.9
    MDP(6 states, 2 actions, discount 0.9)
    """
    name = _name(path)
    ending = _ending(name, "read", OPTIONS)
    given = {
        "reward": reward,
        "goal": goal,
        "constants": constants,
        "exact": exact or None,
        "labels": labels,
        "rewards": rewards,
    }
    for option, value in given.items():
        if value is not None and option not in OPTIONS[ending]:
            allowed = ", ".join(("discount", "horizon", *OPTIONS[ending]))
            raise ModelError(f"{name}: {option} does not go with {ending} files; {allowed} do")
        if option in ("reward", "goal", "constants") and not isinstance(value, str | None):
            raise ModelError(f"{name}: {option} is {value!r}; it must be a text")
    if discount is not None and horizon is not None:
        with_criterion(None, discount, horizon)  # type: ignore[arg-type]  # raises
    if ending == ".npz":
        return read_npz(name, None if discount is None else float(discount), horizon)
    if ending == ".drn":
        listing: Any = read_drn(name, exact)
    elif ending == ".tra":
        several = rewards if isinstance(rewards, list | tuple) else [rewards]
        listing = read_tra(
            name,
            None if labels is None else _name(labels, "labels"),
            None if rewards is None else [_name(file, "rewards") for file in several],
            exact,
        )
    else:
        from rltheory.mdp.storm import build_listing

        listing, goal = build_listing(name, constants, goal, exact)
    try:
        mdp = to_mdp(listing, None, reward, goal)
    except ModelError as fault:
        text = str(fault)
        raise ModelError(text if text.startswith(name) else f"{name}: {text}") from None
    return with_criterion(mdp, discount, horizon)


def save(mdp: MDP | EpisodicMDP | LinearMDP, path: _Path) -> None:
    """Write a model to a file; the ending says of which kind.

    A file appears whole or not at all. ``.npz`` holds everything and is read back as the same
    model. ``.drn`` and ``.tra`` are for other tools: they hold transitions, mean rewards, one
    start state and labels, but no discount, no law of rewards and no stages; endings become a
    last state, labelled "rltheory_exit", which `load` takes back as endings. They hold an exact
    model's fractions. With a ``.tra`` file go ``.lab`` and ``.trew`` of the same name.

    Parameters
    ----------
    mdp : MDP, EpisodicMDP or LinearMDP
        The last goes to ``.npz`` only.
    path : str or path
        Ends in ``.npz``, ``.drn`` or ``.tra``; an existing file is replaced.

    Raises
    ------
    ModelError
        If the ending is another, the folder does not exist or cannot be written to, or the
        format cannot hold the model.

    Examples
    --------
    >>> import tempfile
    >>> from rltheory.mdp.generators import riverswim
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save(riverswim(), f"{folder}/river.tra")
    ...     sorted(os.listdir(folder))
    ['river.lab', 'river.tra', 'river.trew']
    """
    target = Path(_name(path))
    if isinstance(mdp, LinearMDP):
        mdp.save(target)
        return
    _WRITERS[_ending(os.fspath(path), "written", _WRITERS)](mdp, target)


def _name(path: Any, what: str = "path") -> str:
    name = os.fspath(path) if isinstance(path, str | os.PathLike) else path
    if not isinstance(name, str):
        raise ModelError(f"{what} is {path!r}; it must be a text or a path")
    return name


def _ending(name: str, what: str, known: Any) -> str:
    ending = Path(name).suffix
    if ending not in known:
        raise ModelError(
            f"{name} ends in {ending or 'nothing'!r}; models are {what} as {', '.join(known)}"
        )
    return ending
