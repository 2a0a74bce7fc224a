"""Families of instances: a space of parameters and a pure function that builds an instance.

An `Instance` is what a check looks at: named models, arrays and numbers. It can be stored and
read back (`rltheory.claims.counterexamples`), so that a counterexample replays without the
family that built it.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from rltheory.claims.space import Space
from rltheory.errors import ClaimError
from rltheory.mdp.streams import Stream

__all__ = ["Family", "Instance"]


class Instance(Mapping[str, Any]):
    """Named parts of an instance, read as attributes: ``instance.mdp``, ``instance.value``.

    Parts are models, numpy arrays, numbers (Fraction included), texts, or lists of numbers.

    Examples
    --------
    >>> from rltheory.claims.family import Instance
    >>> Instance(discount=0.5).discount
    0.5
    """

    def __init__(self, **parts: Any) -> None:
        self.__dict__.update(parts)

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"the instance has no {name!r}; it has {', '.join(self.__dict__)}")

    def __getitem__(self, name: str) -> Any:
        return self.__dict__[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.__dict__)

    def __len__(self) -> int:
        return len(self.__dict__)

    def __repr__(self) -> str:
        return f"Instance({', '.join(f'{k}={v!r}' for k, v in self.__dict__.items())})"


@dataclass(frozen=True)
class Family:
    """Instances with parameters.

    Parameters
    ----------
    space : mapping of str to Space
        `Integer`, `Choice`, `Dyadic` or `Many` of each parameter.
    build : callable
        ``build(**parameters)`` returns an `Instance` (or a mapping of its parts); it draws no
        random numbers.

    Examples
    --------
    >>> import rltheory as rlt
    >>> family = rlt.Family({"discount": rlt.Choice(0.0, 0.5, 0.9)}, rlt.Instance)
    >>> family.sample("example", 0, 3)
    {'discount': 0.0}
    """

    space: Mapping[str, Space]
    build: Callable[..., Any]

    def sample(self, claim_id: str, seed: int, index: int) -> dict[str, Any]:
        """Parameters of the instance number `index` of a claim: they depend on these alone."""
        stream = Stream(seed, f"claims.instance.{claim_id}", index)
        return {name: space.sample(stream) for name, space in self.space.items()}

    def move(self, parameters: Mapping[str, Any], stream: Stream) -> dict[str, Any]:
        """Parameters that differ from the given ones in one place."""
        names = list(self.space)
        name = names[stream.integer(len(names))]
        return {**parameters, name: self.space[name].move(parameters[name], stream)}

    def check(self, parameters: Mapping[str, Any]) -> None:
        """Refuse parameters that are not in the space."""
        if parameters.keys() != self.space.keys():
            raise ClaimError(
                f"parameters are {', '.join(parameters)}; they must be {', '.join(self.space)}"
            )
        for name, space in self.space.items():
            space.check(name, parameters[name])

    def instance(self, parameters: Mapping[str, Any]) -> Instance:
        """The instance with these parameters.

        Raises
        ------
        ClaimError
            If the family builds something else than an instance, or fails.
        """
        self.check(parameters)
        try:
            built = self.build(**parameters)
        except Exception as fault:
            raise ClaimError(
                f"the family cannot build the instance {dict(parameters)!r}: "
                f"{type(fault).__name__}: {fault}"
            ) from fault
        return as_instance(built)


def as_instance(built: Any) -> Instance:
    """What a family or a named instance returned, as an `Instance`."""
    if isinstance(built, Instance):
        return built
    if isinstance(built, Mapping) and all(isinstance(name, str) for name in built):
        return Instance(**built)
    raise ClaimError(
        f"an instance must be a rlt.Instance or a mapping of names to parts, not "
        f"{type(built).__name__}"
    )
