"""From the words of the command line to a model.

The problem: ``SOURCE`` names a model in one word of a shell. It is one of

    gym:FrozenLake8x8-v1                  a gymnasium environment
    garnet:states=1000,actions=4,...      a generator with its parameters, or its name alone
    models/maze.npz, models/dice.prism    a file, of a kind that `rltheory.load` reads

Names and types of parameters are read from the generator's own signature, so that a generator
added to `GENERATORS` needs nothing else.
"""

import inspect
import types
import typing
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rltheory.errors import ModelError
from rltheory.mdp.awkward import awkward
from rltheory.mdp.criterion import with_criterion
from rltheory.mdp.episodic import EpisodicMDP
from rltheory.mdp.files import OPTIONS, load
from rltheory.mdp.generators import (
    combination_lock,
    garnet,
    gridworld,
    random_episodic,
    riverswim,
)
from rltheory.mdp.gymnasium import read_gymnasium
from rltheory.mdp.linear import LinearMDP, random_linear_mdp
from rltheory.mdp.model import MDP

__all__ = ["GENERATORS", "parameters", "read_source"]

GENERATORS: dict[str, Callable[..., MDP | EpisodicMDP | LinearMDP]] = {
    "garnet": garnet,
    "gridworld": gridworld,
    "riverswim": riverswim,
    "combination_lock": combination_lock,
    "random_episodic": random_episodic,
    "random_linear_mdp": random_linear_mdp,
    "awkward": awkward,
}

_WORDS = {bool: "true or false", int: "an integer", float: "a number"}
_TRUTH = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


def read_source(
    text: str,
    discount: float | None = None,
    horizon: int | None = None,
    *,
    reward: str | None = None,
    goal: str | None = None,
    constants: str | None = None,
    exact: bool = False,
) -> MDP | EpisodicMDP:
    """Make or read the model that a word of the command line names.

    Parameters
    ----------
    text : str
        ``gym:ID``, ``NAME:key=value,...`` or ``NAME`` of a generator, else a file.
    discount : float, optional
        Given to the model, instead of one that it has.
    horizon : int, optional
        Makes the model episodic.
    reward, goal, constants : str, optional
        For files, as in `rltheory.load`; refused for other sources.
    exact : bool
        Read the fractions of files that hold fractions.

    Returns
    -------
    MDP or EpisodicMDP

    Raises
    ------
    ModelError
        If the name, a parameter or a value is unknown, a parameter is missing, the model
        cannot be made, or discount and horizon do not fit it.

    Examples
    --------
    >>> from rltheory.mdp.sources import read_source
    >>> read_source("riverswim:states=10", discount=0.95).n_states
    10
    >>> read_source("gridworld:rows=3,slip=0.1")
    Traceback (most recent call last):
    ...
    rltheory.errors.ModelError: gridworld:rows=3,slip=0.1: columns is missing; ...
    """
    if discount is not None and horizon is not None:
        raise ModelError(
            f"discount {discount} and horizon {horizon} are both given; a model has one of them"
        )
    head, colon, tail = text.partition(":")
    of_files = {"reward": reward, "goal": goal, "constants": constants}
    if head == "gym" or head.replace("-", "_") in GENERATORS:
        for option, value in of_files.items():
            if value is not None:
                raise ModelError(f"{text}: {option} {value!r} is given; only files have a choice")
    name = head.replace("-", "_")
    if head == "gym":
        if not tail:
            raise ModelError(f"{text!r} names no environment; write gym:ID")
        return with_criterion(read_gymnasium(tail), discount, horizon)
    if name in GENERATORS:
        try:
            return _generate(name, tail if colon else "", discount, horizon)
        except ModelError as fault:
            raise ModelError(f"{text}: {fault}") from None
    if colon and "=" in tail:
        raise ModelError(f"{head!r} is not a generator; generators are {', '.join(GENERATORS)}")
    if "." not in text:
        raise ModelError(
            f"{text!r} is neither a file (.npz, .drn, ...), an environment (gym:ID) nor a "
            "generator; "
            f"generators are {', '.join(GENERATORS)}"
        )
    exact = exact and "exact" in OPTIONS.get(Path(text).suffix, ())
    mdp = load(text, discount, horizon, **of_files, exact=exact)
    return mdp.tabular() if isinstance(mdp, LinearMDP) else mdp


def parameters(name: str) -> dict[str, tuple[type, Any]]:
    """Type and default of each parameter of a generator that can be typed, for help texts.

    Returns
    -------
    dict
        Name to (int, float or bool; default, `inspect.Parameter.empty` where it is needed).
    """
    function = GENERATORS[name]
    hints = typing.get_type_hints(function)
    return {
        key: (kind, parameter.default)
        for key, parameter in inspect.signature(function).parameters.items()
        if (kind := _typable(hints[key])) is not None
    }


def _typable(hint: Any) -> type | None:
    """bool, int or float where the annotation allows it, in this order; None otherwise."""
    is_union = typing.get_origin(hint) in (typing.Union, types.UnionType)
    choices = typing.get_args(hint) if is_union else (hint,)
    return next((kind for kind in (bool, int, float) if kind in choices), None)


def _generate(
    name: str, text: str, discount: float | None, horizon: int | None
) -> MDP | EpisodicMDP:
    allowed = parameters(name)
    given: dict[str, Any] = {}
    for item in text.split(",") if text else []:
        key, equals, value = item.partition("=")
        key = key.strip()
        if not equals:
            raise ModelError(f"{item!r} is not of the form name=value")
        if key not in allowed:
            raise ModelError(f"{key!r} is not a parameter; {_listed(allowed)}")
        if key in given:
            raise ModelError(f"{key} is given twice")
        given[key] = _value(key, value.strip(), allowed[key][0])
    # Options outweigh the text, and reach a generator that knows them.
    if horizon is not None:
        given.pop("discount", None)
        if "horizon" in allowed:
            given["horizon"] = horizon
    elif discount is not None and "discount" in allowed and "horizon" not in given:
        given["discount"] = discount
    for key, (_, default) in allowed.items():
        if default is inspect.Parameter.empty and key not in given:
            raise ModelError(f"{key} is missing; {_listed(allowed)}")
    made = GENERATORS[name](**given)
    table = made.tabular() if isinstance(made, LinearMDP) else made
    return with_criterion(table, discount, horizon)


def _value(key: str, text: str, kind: type) -> Any:
    try:
        return _TRUTH[text.lower()] if kind is bool else kind(text)
    except (KeyError, ValueError):
        raise ModelError(f"{key}={text}: {key} must be {_WORDS[kind]}") from None


def _listed(allowed: dict[str, tuple[type, Any]]) -> str:
    needed = [key for key, (_, default) in allowed.items() if default is inspect.Parameter.empty]
    free = [key for key in allowed if key not in needed]
    parts = [f"needed: {', '.join(needed)}"] if needed else []
    return "; ".join([*parts, f"optional: {', '.join(free)}"])
