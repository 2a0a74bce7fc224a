"""Files of data: `.npz` archives without pickles.

An archive holds an array ``format`` (``rltheory-trajectories-1`` and so on), the columns under the
names of the fields, and ``provenance``, the bytes of its JSON. The same data give the same bytes.
"""

import json
import warnings
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from rltheory.errors import ModelError
from rltheory.mdp.data.provenance import Provenance
from rltheory.mdp.drafts import replacing
from rltheory.mdp.npz import check_archive, one_line

__all__ = ["pack", "read_data", "unpack", "write_data"]

_Data = TypeVar("_Data")


def write_data(path: Any, kind: str, arrays: Mapping[str, Any], provenance: Provenance) -> None:
    """Write the columns that are not None; the file appears whole or not at all."""
    target = Path(path)
    if target.suffix != ".npz":
        raise ModelError(f"{target} does not end in .npz; data are written as .npz archives")
    with replacing(target) as draft, draft.open("xb") as file:
        np.savez(
            file, allow_pickle=False, format=np.array(_format(kind)), **pack(arrays, provenance)
        )


def read_data(
    path: Any, kind: str, made: Callable[..., _Data], columns: Mapping[str, bool]
) -> _Data:
    """Read an archive and make the data of it: ``made(**columns, provenance=...)``.

    `columns` says of each name whether it must be there.
    """
    name = str(path)
    check_archive(name)
    try:
        # Opened here: numpy leaves a damaged file open.
        with warnings.catch_warnings(), open(name, "rb") as file:
            warnings.simplefilter("ignore")  # numpy's remarks on unusual headers
            with np.load(file, allow_pickle=False) as archive:
                arrays = {key: archive[key] for key in archive.files}
    except (zipfile.BadZipFile, EOFError, OSError, MemoryError) as fault:
        raise ModelError(f"{name} is truncated or damaged: {one_line(fault)}") from None
    except Exception as fault:
        # zipfile, zlib and numpy's header reader raise a dozen further kinds on damaged bytes.
        raise ModelError(f"{name} cannot be read: {one_line(fault)}") from None
    try:
        written = arrays.pop("format", None)
        if written is None or str(written) != _format(kind):
            what = "has no format" if written is None else f"has the format {str(written)!r}"
            raise ModelError(f"it {what}; {_format(kind)!r} is read here")
        return made(**unpack(arrays, columns))
    except ModelError as fault:
        raise ModelError(f"{name}: {fault}") from None


def pack(arrays: Mapping[str, Any], provenance: Provenance) -> dict[str, Any]:
    """The columns that are not None, and the provenance as bytes."""
    text = json.dumps(provenance.to_json(), sort_keys=True)
    kept = {key: np.asarray(x) for key, x in arrays.items() if x is not None}
    return kept | {"provenance": np.frombuffer(text.encode(), dtype=np.uint8)}


def unpack(arrays: Mapping[str, Any], columns: Mapping[str, bool]) -> dict[str, Any]:
    """The arguments that `pack` was given: columns, None where absent, and the provenance."""
    known = [*columns, "provenance"]
    unknown = sorted(set(arrays) - set(known))
    if unknown:
        raise ModelError(f"array {unknown[0]!r} is unknown; known are {', '.join(known)}")
    for key, needed in columns.items():
        if needed and key not in arrays:
            raise ModelError(f"`{key}` is missing")
    if "provenance" not in arrays:
        raise ModelError("`provenance` is missing")
    codes = np.asarray(arrays["provenance"])
    if codes.dtype != np.uint8 or codes.ndim != 1:
        raise ModelError("`provenance` is no array of bytes")
    try:
        fields = json.loads(codes.tobytes().decode())
    except ValueError as fault:
        raise ModelError(f"`provenance` is no JSON: {one_line(fault)}") from None
    found = {key: arrays.get(key) for key in columns}
    return found | {"provenance": Provenance.from_json(fields)}


def _format(kind: str) -> str:
    return f"rltheory-{kind}-1"
