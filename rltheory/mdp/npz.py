"""`.npz` archives: which are read, and how a model is written.

The problem: a file is somebody else's bytes. Nothing is ever unpickled, every array is checked
for its kind and dimensions here and for its meaning by the model's constructor, and whatever
is wrong comes out as one line that names the file and the fault. Four layouts are known:

1. **rltheory-mdp-1**, what `save` writes: an array ``format`` holding that name, the
   canonical arrays ``mdp.arrays()`` (rows by state and action in compressed form, the discount
   or the horizon, the initial law, rewards of outcomes, the law of rewards), and where the model
   has them ``state_labels`` and ``action_labels``, the bytes of a text with one name a line.
2. **BRIDGE** (Laidlaw, Russell and Dragan, "Bridging RL theory and practice with the effective
   horizon", NeurIPS 2023): integer ``transitions`` (S, A) with -1 where the episode ends, and
   ``rewards`` (S, A); the start is state 0, the horizon is not in the file. Ending stays a
   probability here: no terminal state is added. Other arrays of the archive are not read.
3. **dense**, for files made by hand: ``transitions`` (S, A, S) or, with a horizon,
   (H, S, A, S), ``rewards``, and optionally ``termination``, ``initial``, ``discount``,
   ``horizon``, as the constructors take them.
4. **rltheory-linear-1**, what `save` writes of a `LinearMDP`: its arrays, by name.

Rewards in float32 become the float64 of the same value.
"""

import warnings
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rltheory.errors import ModelError
from rltheory.mdp.arguments import one_hot
from rltheory.mdp.criterion import with_criterion
from rltheory.mdp.drafts import replacing
from rltheory.mdp.episodic import EpisodicMDP
from rltheory.mdp.linear import LINEAR_FORMAT, LinearMDP
from rltheory.mdp.model import MDP

__all__ = ["check_archive", "one_line", "read_npz", "write_npz"]

_FORMAT = "rltheory-mdp-1"
_INTEGER, _REAL, _TEXT = "an integer", "a real number", "a text"
_KINDS = {_INTEGER: "iu", _REAL: "fiu", _TEXT: "U"}
# Key: what its entries are, its dimensions, whether it must be there.
_CANONICAL = {
    "format": (_TEXT, 0, True),
    "n_states": (_INTEGER, 0, True),
    "n_actions": (_INTEGER, 0, False),
    "state_ptr": (_INTEGER, 1, True),
    "action": (_INTEGER, 1, True),
    "row_ptr": (_INTEGER, 1, True),
    "col": (_INTEGER, 1, True),
    "prob": (_REAL, 1, True),
    "reward": (_REAL, 1, True),
    "exit": (_REAL, 1, False),
    "discount": (_REAL, 0, False),
    "horizon": (_INTEGER, 0, False),
    "initial": (_REAL, 1, False),
    "outcome_reward": (_REAL, 1, False),
    "exit_reward": (_REAL, 1, False),
    "law": (_TEXT, 0, False),
    "law_sigma": (_REAL, None, False),
    "law_scale": (_REAL, None, False),
    "law_values": (_REAL, 2, False),
    "law_probabilities": (_REAL, 2, False),
    "state_labels": (_INTEGER, 1, False),
    "action_labels": (_INTEGER, 1, False),
}
_DENSE = {
    "transitions": (_REAL, None, True),
    "rewards": (_REAL, None, True),
    "termination": (_REAL, None, False),
    "initial": (_REAL, 1, False),
    "discount": (_REAL, 0, False),
    "horizon": (_INTEGER, 0, False),
}
_LABELS = ("state_labels", "action_labels")
_Specification = Mapping[str, tuple[str, int | None, bool]]


def read_npz(
    name: str, discount: float | None, horizon: int | None
) -> MDP | EpisodicMDP | LinearMDP:
    """The model in an archive; see `rltheory.load`."""
    check_archive(name)
    try:
        # Opened here: numpy leaves a damaged file open.
        with warnings.catch_warnings(), open(name, "rb") as file:
            warnings.simplefilter("ignore")  # numpy's remarks on unusual headers
            with np.load(file, allow_pickle=False) as archive:
                return _from_archive(archive, discount, horizon)
    except ModelError as fault:
        raise ModelError(f"{name}: {fault}") from None
    except (zipfile.BadZipFile, EOFError, OSError, MemoryError) as fault:
        raise ModelError(f"{name} is truncated or damaged: {one_line(fault)}") from None
    except Exception as fault:
        # zipfile, zlib and numpy's header reader raise a dozen further kinds on damaged bytes.
        raise ModelError(f"{name} cannot be read: {one_line(fault)}") from None


def write_npz(mdp: MDP | EpisodicMDP, target: Path) -> None:
    """Write the archive; the same model gives the same bytes. See `rltheory.save`."""
    if mdp.rational is not None:
        raise ModelError(
            f"{target}: an exact model has fractions, which .npz does not hold; .drn does"
        )
    arrays = {key: np.asarray(x) for key, x in mdp.arrays().items() if x is not None}
    for key in _LABELS:
        labels = getattr(mdp, key)
        if labels is not None:
            arrays[key] = np.frombuffer("\n".join(labels).encode(), dtype=np.uint8)
    with replacing(target) as draft, draft.open("xb") as file:
        np.savez(file, allow_pickle=False, format=np.array(_FORMAT), **arrays)


def check_archive(name: str) -> None:
    """Refuse what is not an archive before anything of it is interpreted."""
    try:
        with open(name, "rb") as file:
            start = file.read(8)
    except FileNotFoundError:
        raise ModelError(f"{name}: there is no such file") from None
    except (OSError, ValueError) as fault:
        raise ModelError(f"{name} cannot be opened: {one_line(fault)}") from None
    if start[:2] == b"PK":
        return
    if not start:
        raise ModelError(f"{name} is empty; an .npz archive was expected")
    if start[:6] == b"\x93NUMPY":
        raise ModelError(f"{name} is a single .npy array; an .npz archive was expected")
    if start[0] == 0x80:
        raise ModelError(f"{name} is a pickle; nothing is ever unpickled, only read from .npz")
    raise ModelError(f"{name} is not an .npz archive")


def _from_archive(
    archive: Any, discount: float | None, horizon: int | None
) -> MDP | EpisodicMDP | LinearMDP:
    names = set(archive.files)
    if "format" in names:
        written = str(_read(archive, "format", _TEXT, 0))
        if written == LINEAR_FORMAT:
            if discount is not None or horizon is not None:
                raise ModelError(
                    "it is a linear MDP, with stages of its own; give no discount and no horizon"
                )
            return LinearMDP.from_arrays({key: archive[key] for key in names - {"format"}})
        if written != _FORMAT:
            raise ModelError(
                f"its format is {written!r}; this version reads {_FORMAT!r} and {LINEAR_FORMAT!r}"
            )
        arrays = _read_all(archive, _CANONICAL)
        del arrays["format"]
        states, actions = (_labels(key, arrays.pop(key, None)) for key in _LABELS)
        kind = EpisodicMDP if "horizon" in arrays else MDP
        mdp = kind.from_arrays(arrays).with_labels(states, actions)
        return with_criterion(mdp, discount, horizon)
    if "transitions" not in names:
        raise ModelError(
            f"it has neither `format` ({_FORMAT}) nor `transitions`; it holds "
            f"{', '.join(sorted(names)) or 'nothing'}"
        )
    transitions = _read(archive, "transitions", _REAL, None)
    if transitions.dtype.kind in "iu" and transitions.ndim == 2:
        return _from_bridge(archive, transitions, discount, horizon)
    if transitions.ndim in (3, 4):
        return _from_dense(_read_all(archive, _DENSE), discount, horizon)
    raise ModelError(
        f"`transitions` has shape {transitions.shape} and dtype {transitions.dtype}; known are "
        "(S, A) integers (BRIDGE), (S, A, S) and (H, S, A, S) probabilities"
    )


def _from_bridge(
    archive: Any, next_states: NDArray[Any], discount: float | None, horizon: int | None
) -> MDP | EpisodicMDP:
    if discount is None and horizon is None:
        raise ModelError("a BRIDGE file does not say its horizon; give one (or a discount)")
    if "rewards" not in archive.files:
        raise ModelError("`rewards` is missing")
    rewards = _read(archive, "rewards", _REAL, 2)
    if rewards.shape != next_states.shape or not next_states.size:
        raise ModelError(
            f"`transitions` has shape {next_states.shape} and `rewards` {rewards.shape}; "
            "both must be (S, A) with at least one state and one action"
        )
    mdp = MDP.deterministic(
        np.ascontiguousarray(next_states, dtype=np.int64),
        np.ascontiguousarray(rewards, dtype=np.float64),
        initial=one_hot(0, len(next_states)),
    )
    return with_criterion(mdp, discount, horizon)


def _from_dense(
    arrays: dict[str, Any], discount: float | None, horizon: int | None
) -> MDP | EpisodicMDP:
    if horizon is not None and arrays.get("discount") is None:
        arrays.setdefault("horizon", horizon)  # stages may need it to be a model at all
    if "horizon" in arrays and "discount" in arrays:
        raise ModelError("it holds both `discount` and `horizon`; a model has one of them")
    kind = EpisodicMDP if "horizon" in arrays else MDP
    if kind is MDP and arrays["transitions"].ndim == 4:
        raise ModelError(
            f"`transitions` has shape {arrays['transitions'].shape}, one table a stage: "
            "`horizon` is missing"
        )
    return with_criterion(kind(**arrays), discount, horizon)


def _labels(key: str, codes: NDArray[Any] | None) -> list[str] | None:
    if codes is None:
        return None
    if codes.size and not 0 <= codes.min() <= codes.max() <= 255:
        raise ModelError(f"`{key}` holds what is no byte; it must be the bytes of a text")
    try:
        return codes.astype(np.uint8).tobytes().decode().split("\n")
    except UnicodeDecodeError:
        raise ModelError(f"`{key}` is not a text in UTF-8") from None


def _read_all(archive: Any, specification: _Specification) -> dict[str, Any]:
    """The arrays of a layout, those of dimension 0 as Python numbers."""
    unknown = sorted(set(archive.files) - set(specification))
    if unknown:
        raise ModelError(f"array {unknown[0]!r} is unknown; known are {', '.join(specification)}")
    arrays: dict[str, Any] = {}
    for key, (entries, dimensions, needed) in specification.items():
        if key in archive.files:
            array = _read(archive, key, entries, dimensions)
            if entries != _TEXT:
                plain = np.int64 if entries == _INTEGER else np.float64
                array = np.ascontiguousarray(array, dtype=plain).reshape(array.shape)
            arrays[key] = array.item() if array.ndim == 0 else array
        elif needed:
            raise ModelError(f"`{key}` is missing")
    return arrays


def _read(archive: Any, key: str, entries: str, dimensions: int | None) -> NDArray[Any]:
    """One array of the archive, of the dtype it has there."""
    try:
        array = archive[key]
    except ValueError as fault:
        if "allow_pickle" in str(fault):
            raise ModelError(f"`{key}` holds Python objects, which are never unpickled") from None
        raise
    if not isinstance(array, np.ndarray):
        raise ModelError(f"`{key}` is not a numpy array")
    if array.dtype.kind not in _KINDS[entries] or (entries != _TEXT and array.itemsize > 8):
        raise ModelError(f"`{key}` has dtype {array.dtype}; each entry must be {entries}")
    if dimensions is not None and array.ndim != dimensions:
        raise ModelError(f"`{key}` has shape {array.shape}; it must have {dimensions} dimension(s)")
    if array.dtype.kind == "u" and array.size and array.max() > np.iinfo(np.int64).max:
        raise ModelError(f"`{key}` has an entry of {array.max()}, above 2^63 - 1")
    return array


def one_line(fault: BaseException) -> str:
    """What an exception says, in one line."""
    text = fault.strerror if isinstance(fault, OSError) and fault.strerror else str(fault)
    return " ".join(text.split()) or type(fault).__name__
