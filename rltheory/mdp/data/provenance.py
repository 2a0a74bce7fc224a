"""Where data came from: enough to say which data these are, and to collect them again.

Everything in it is JSON, so that it goes into files, logs and reports as it is. The sizes are those
of the model; entries of the data are checked against them where they are known.
"""

import dataclasses
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np

from rltheory.errors import ModelError
from rltheory.mdp.arguments import at_least

__all__ = ["Provenance", "joined", "plain_seed", "policy_fingerprint"]

_SIZES = ("n_states", "n_actions", "horizon")
_TEXTS = ("model", "access", "policy")


@dataclass(frozen=True)
class Provenance:
    """Where data came from; every field is optional.

    Parameters
    ----------
    n_states, n_actions, horizon : int, optional
        Sizes of the model. Without a horizon, counts are not kept by stage.
    model : str, optional
        Fingerprint of the model (``mdp.fingerprint``).
    access : str, optional
        How it was used: "online", "generative", "mu_reset", ..., "minari", "flat".
    policy : str, optional
        Who chose the actions: the fingerprint of a policy (`policy_fingerprint`), or a name.
    seed : int or numpy.random.SeedSequence, optional
        A SeedSequence is kept as its entropy and spawn key.
    details : mapping, optional
        Whatever else, as JSON: the link of a preference model, the name of a data set.
    parts : sequence of Provenance, optional
        Of data put together from several collections.

    Raises
    ------
    ModelError
        If a size is no positive integer, or something is no JSON.

    Examples
    --------
    >>> from rltheory.mdp.data import Provenance
    >>> Provenance(n_states=6, n_actions=2, access="online", seed=0)
    Provenance(n_states=6, n_actions=2, access='online', seed=0)
    """

    n_states: int | None = None
    n_actions: int | None = None
    horizon: int | None = None
    model: str | None = None
    access: str | None = None
    policy: str | None = None
    seed: Any = None
    details: Mapping[str, Any] = field(default_factory=dict)
    parts: tuple["Provenance", ...] = ()

    def __post_init__(self) -> None:
        for name in _SIZES:
            size = getattr(self, name)
            if size is not None:
                at_least(name, size, 1)
                object.__setattr__(self, name, int(size))
        for name in _TEXTS:
            text = getattr(self, name)
            if text is not None and not isinstance(text, str):
                raise ModelError(f"{name} of the provenance is {text!r}; it must be a text")
        object.__setattr__(self, "seed", plain_seed(self.seed))
        object.__setattr__(self, "details", _plain_details(self.details))
        parts = tuple(self.parts)
        if not all(isinstance(part, Provenance) for part in parts):
            raise ModelError("parts of a provenance must be provenances")
        object.__setattr__(self, "parts", parts)

    def to_json(self) -> dict[str, Any]:
        """The fields that are given, in kinds that ``json.dumps`` takes."""
        out = {
            f.name: getattr(self, f.name)
            for f in dataclasses.fields(self)
            if f.name != "parts" and getattr(self, f.name) not in (None, {})
        }
        if self.parts:
            out["parts"] = [part.to_json() for part in self.parts]
        return out

    @classmethod
    def from_json(cls, fields: Any) -> Self:
        """The provenance that `to_json` wrote.

        Raises
        ------
        ModelError
            If it is no mapping, or has a field that is not known.
        """
        if not isinstance(fields, Mapping):
            raise ModelError(f"the provenance is {fields!r}; it must be a mapping of its fields")
        known = [f.name for f in dataclasses.fields(cls)]
        unknown = sorted(set(map(str, fields)) - set(known))
        if unknown:
            raise ModelError(
                f"the provenance has a field {unknown[0]!r}; known are {', '.join(known)}"
            )
        given = dict(fields)
        parts = given.pop("parts", ())
        if not isinstance(parts, list | tuple):
            raise ModelError(f"parts of the provenance are {parts!r}; they must be a list")
        return cls(**given, parts=tuple(cls.from_json(part) for part in parts))

    @classmethod
    def of(cls, mdp: Any, **rest: Any) -> Self:
        """The provenance of data from this model: its sizes and fingerprint, and what is given."""
        sizes = {
            "n_states": mdp.n_states,
            "n_actions": mdp.n_actions,
            "horizon": getattr(mdp, "horizon", None),
            "model": mdp.fingerprint,
        }
        return cls(**(sizes | rest))

    def __repr__(self) -> str:
        fields = self.to_json()
        parts = fields.pop("parts", [])
        said = [f"{name}={value!r}" for name, value in fields.items()]
        said += [f"{len(parts)} parts"] * bool(parts)
        return f"Provenance({', '.join(said)})"


def joined(provenances: Iterable[Provenance]) -> Provenance:
    """The provenance of data put together: what all agree on, and each of them in `parts`.

    Raises
    ------
    ModelError
        If the sizes of two of them differ.
    """
    every = list(provenances)
    if all(one == every[0] for one in every) and every[0].seed is None:
        return every[0]
    fields: dict[str, Any] = {}
    for name in _SIZES:
        known = {getattr(one, name) for one in every} - {None}
        if len(known) > 1:
            low, *_, high = sorted(known)
            raise ModelError(f"data of models with {name} {low} and {high} cannot be put together")
        fields[name] = known.pop() if known else None
    for name in _TEXTS:
        values = {getattr(one, name) for one in every}
        fields[name] = values.pop() if len(values) == 1 else None
    # Data that were themselves put together are not nested again.
    parts = tuple(part for one in every for part in (one.parts or (one,)))
    return Provenance(**fields, parts=parts)


def policy_fingerprint(policy: Any) -> str:
    """SHA-256 of an array of a policy: of its dtype's kind, shape and entries.

    Examples
    --------
    >>> from rltheory.mdp.data.provenance import policy_fingerprint
    >>> policy_fingerprint([0, 1])[:8] == policy_fingerprint([0, 2])[:8]
    False
    """
    array = np.asarray(policy)
    plain = np.ascontiguousarray(array, dtype="<i8" if array.dtype.kind in "iu" else "<f8")
    digest = hashlib.sha256(f"{plain.dtype.str}{plain.shape}".encode())
    digest.update(plain.tobytes())
    return digest.hexdigest()


def plain_seed(seed: Any) -> Any:
    """A seed as JSON: an integer, or the entropy and spawn key of a SeedSequence."""
    if isinstance(seed, np.random.SeedSequence):
        entropy = seed.entropy
        if isinstance(entropy, int | np.integer):
            entropy = int(entropy)
        elif entropy is not None:
            entropy = [int(word) for word in entropy]
        return {"entropy": entropy, "spawn_key": [int(word) for word in seed.spawn_key]}
    if isinstance(seed, np.integer):
        return int(seed)
    if seed is None or (isinstance(seed, int) and not isinstance(seed, bool)):
        return seed
    if isinstance(seed, Mapping) and set(seed) == {"entropy", "spawn_key"}:
        return dict(seed)
    raise ModelError(f"seed of the provenance is {seed!r}; it must be an integer or a SeedSequence")


def _plain_details(details: Any) -> dict[str, Any]:
    try:
        plain = json.loads(json.dumps(details, allow_nan=False))
    except (TypeError, ValueError) as fault:
        raise ModelError(f"details of the provenance are no JSON: {fault}") from None
    if not isinstance(plain, dict):
        raise ModelError(f"details of the provenance are {details!r}; they must be a mapping")
    return plain
