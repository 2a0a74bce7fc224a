"""Instances in files: a counterexample is JSON parameters beside an ``.npz`` of the instance.

The file holds the built instance, so that it replays without its family or any generator: models
as canonical arrays, fractions as hexadecimal texts, everything else as it is. Nothing is pickled.
"""

import hashlib
import json
import os
import zipfile
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rltheory.claims.family import Instance
from rltheory.errors import ClaimError, ModelError
from rltheory.mdp.episodic import EpisodicMDP
from rltheory.mdp.model import MDP
from rltheory.mdp.rational import RationalModel

__all__ = ["load_instance", "save_instance"]

_FORMAT = "rltheory-instance-1"
_MODELS: dict[str, Any] = {"mdp": MDP, "episodic": EpisodicMDP}


def save_instance(instance: Instance, path: str | os.PathLike[str]) -> None:
    """Write an instance to an ``.npz`` archive.

    Raises
    ------
    ClaimError
        If a part is of a kind that cannot be stored.
    """
    arrays: dict[str, NDArray[Any]] = {"format": np.array(_FORMAT)}
    plain: dict[str, Any] = {}
    for name in instance:
        part = instance[name]  # not items(): a part may have that name
        if not name.isidentifier():
            raise ClaimError(f"a part is named {name!r}; an instance cannot store that")
        if isinstance(part, MDP | EpisodicMDP):
            arrays |= {f"{name}/{key}": x for key, x in _model_arrays(part).items()}
        elif isinstance(part, np.ndarray) and part.dtype.kind in "fiub":
            arrays[f"{name}/array"] = part
        else:
            plain[name] = _encoded(name, part)
    arrays["plain"] = np.array(json.dumps(plain))
    with open(path, "wb") as file:
        np.savez(file, allow_pickle=False, **arrays)


def load_instance(path: str | os.PathLike[str]) -> Instance:
    """Read an instance that `save_instance` wrote.

    Raises
    ------
    ClaimError
        If the file is none.
    """
    try:
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
        if str(arrays.get("format")) != _FORMAT:
            raise ClaimError(f"{path} is not a stored instance ({_FORMAT})")
        parts = {name: _decoded(x) for name, x in json.loads(str(arrays["plain"])).items()}
        grouped: dict[str, dict[str, Any]] = {}
        for key, x in arrays.items():
            name, slash, inner = key.partition("/")
            if slash:
                grouped.setdefault(name, {})[inner] = x
        for name, group in grouped.items():
            parts[name] = group["array"] if "array" in group else _model(group)
        return Instance(**parts)
    except ClaimError:
        raise
    except FileNotFoundError:
        raise ClaimError(f"{path}: there is no such file") from None
    except (
        ModelError, LookupError, ValueError, TypeError, AttributeError, ArithmeticError, EOFError,
        OSError, zipfile.BadZipFile,
    ) as fault:  # fmt: skip
        raise ClaimError(f"{path} is damaged: {' '.join(str(fault).split())}") from None


def name_of(claim_id: str, instance: Instance) -> str:
    """A file name that tells instances of a claim apart, whatever the order of their parts."""
    digest = hashlib.sha256()
    for name in sorted(instance):
        part = instance[name]
        words: list[Any] = [name]
        if isinstance(part, MDP | EpisodicMDP):
            words += [part.fingerprint, _rational(part)]
        elif isinstance(part, np.ndarray) and part.dtype.kind in "fiub":
            words += [part.dtype.str, part.shape, hashlib.sha256(part.tobytes()).hexdigest()]
        else:
            words.append(_encoded(name, part))
        digest.update(json.dumps(words).encode())
    return f"{claim_id.replace('/', '-')}-{digest.hexdigest()[:10]}.npz"


def _model_arrays(mdp: MDP | EpisodicMDP) -> dict[str, NDArray[Any]]:
    kind = "mdp" if isinstance(mdp, MDP) else "episodic"
    arrays = {key: np.asarray(x) for key, x in mdp._double_arrays().items()}
    if mdp.rational is not None:
        arrays["rational"] = np.array(json.dumps(_rational(mdp)))
        arrays = {key: x for key, x in arrays.items() if x.dtype.kind != "O"}
    return {"kind": np.array(kind), **arrays}


def _rational(mdp: MDP | EpisodicMDP) -> dict[str, Any] | None:
    if mdp.rational is None:
        return None
    return {key: _encoded(key, part) for key, part in mdp.rational.arrays().items()}


def _model(group: dict[str, Any]) -> MDP | EpisodicMDP:
    kind = _MODELS[str(group.pop("kind"))]
    rational = group.pop("rational", None)
    arrays = {
        key: x.item() if x.ndim == 0 and x.dtype.kind in "fi" else x for key, x in group.items()
    }
    mdp = kind.from_arrays(arrays)
    if rational is None:
        return mdp
    fields = {key: _decoded(x) for key, x in json.loads(str(rational)).items()}
    fields.setdefault("discount", None)
    lists: dict[str, Any] = {
        key: tuple(x) if isinstance(x, list) else x for key, x in fields.items()
    }
    exact = RationalModel(**lists)
    return mdp._with_rational(exact)


def _encoded(name: str, x: Any) -> Any:
    if isinstance(x, np.generic):
        x = x.item()
    if x is None or isinstance(x, bool | int | str):
        return x
    if isinstance(x, float):
        return {"float": x.hex()}
    if isinstance(x, Fraction):
        return {"fraction": f"{x.numerator:x}/{x.denominator:x}"}
    if isinstance(x, list | tuple):
        return [_encoded(name, each) for each in x]
    if isinstance(x, np.ndarray):
        return [_encoded(name, each) for each in x.tolist()]
    raise ClaimError(f"{name} is a {type(x).__name__}; an instance cannot store that")


def _decoded(x: Any) -> Any:
    if isinstance(x, list):
        return [_decoded(each) for each in x]
    if isinstance(x, dict):
        if "float" in x:
            return float.fromhex(x["float"])
        top, bottom = x["fraction"].split("/")
        return Fraction(int(top, 16), int(bottom, 16))
    return x
