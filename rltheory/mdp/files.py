"""Models in files: what `.npz` archives are read, and how a model is written.

The problem: a file is somebody else's bytes. Nothing is ever unpickled, every array is checked
for its kind and dimensions here and for its meaning by the model's constructor, and whatever
is wrong comes out as one line that names the file and the fault. Three layouts are known:

1. **rltheory-mdp-1**, what `save` writes: an array ``format`` holding that name, and the
   canonical arrays ``mdp.arrays()`` (rows by state and action in compressed form, the discount
   or the horizon, the initial law, rewards of outcomes, the law of rewards).
2. **BRIDGE** (Laidlaw, Russell and Dragan, "Bridging RL theory and practice with the effective
   horizon", NeurIPS 2023): integer ``transitions`` (S, A) with -1 where the episode ends, and
   ``rewards`` (S, A); the start is state 0, the horizon is not in the file. Ending stays a
   probability here: no terminal state is added. Other arrays of the archive are not read.
3. **dense**, for files made by hand: ``transitions`` (S, A, S) or, with a horizon,
   (H, S, A, S), ``rewards``, and optionally ``termination``, ``initial``, ``discount``,
   ``horizon``, as the constructors take them.

Rewards in float32 become the float64 of the same value.
"""

import os
import secrets
import warnings
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rltheory.errors import ModelError
from rltheory.mdp.arguments import one_hot
from rltheory.mdp.episodic import EpisodicMDP
from rltheory.mdp.model import MDP

__all__ = ["load", "save", "with_criterion"]

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
}
_DENSE = {
    "transitions": (_REAL, None, True),
    "rewards": (_REAL, None, True),
    "termination": (_REAL, None, False),
    "initial": (_REAL, 1, False),
    "discount": (_REAL, 0, False),
    "horizon": (_INTEGER, 0, False),
}
_Specification = Mapping[str, tuple[str, int | None, bool]]


def load(
    path: str | os.PathLike[str], discount: float | None = None, horizon: int | None = None
) -> MDP | EpisodicMDP:
    """Read a model from an `.npz` archive.

    Parameters
    ----------
    path : str or path
        A file that `save` wrote, one of the BRIDGE dataset, or one with dense arrays.
    discount : float, optional
        Takes the place of the discount in the file.
    horizon : int, optional
        Makes the model episodic. A BRIDGE file needs one of the two.

    Returns
    -------
    MDP or EpisodicMDP

    Raises
    ------
    ModelError
        If there is no such file, it is no archive of numpy arrays, it is damaged, it would
        have to be unpickled, its arrays are not those of a known layout, or they are not a
        model.

    Examples
    --------
    >>> import tempfile
    >>> from rltheory.mdp.files import load, save
    >>> from rltheory.mdp.generators import riverswim
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save(riverswim(discount=0.9), f"{folder}/river.npz")
    ...     load(f"{folder}/river.npz").discount
    0.9
    """
    name = os.fspath(path)
    _check_file(name)
    try:
        # Opened here: numpy leaves a damaged file open.
        with warnings.catch_warnings(), open(name, "rb") as file:
            warnings.simplefilter("ignore")  # numpy's remarks on unusual headers
            with np.load(file, allow_pickle=False) as archive:
                return _from_archive(archive, discount, horizon)
    except ModelError as fault:
        raise ModelError(f"{name}: {fault}") from None
    except (zipfile.BadZipFile, EOFError, OSError, MemoryError) as fault:
        raise ModelError(f"{name} is truncated or damaged: {_one_line(fault)}") from None
    except Exception as fault:
        # zipfile, zlib and numpy's header reader raise a dozen further kinds on damaged bytes.
        raise ModelError(f"{name} cannot be read: {_one_line(fault)}") from None


def save(mdp: MDP | EpisodicMDP, path: str | os.PathLike[str]) -> None:
    """Write a model to an `.npz` archive that `load` reads back as the same model.

    The file appears whole or not at all: it is written under another name in the same folder
    and then renamed. The same model gives the same bytes.

    Parameters
    ----------
    mdp : MDP or EpisodicMDP
    path : str or path
        Ends in ``.npz``; an existing file is replaced.

    Raises
    ------
    ModelError
        If the ending is another, the folder does not exist or cannot be written to, or the
        model is exact (an archive holds doubles, not fractions).
    """
    target = Path(path)
    if target.suffix != ".npz":
        raise ModelError(f"{target} does not end in .npz; models are saved as .npz")
    if mdp.rational is not None:
        raise ModelError(f"{target}: an exact model has fractions, which .npz does not hold")
    arrays = {key: np.asarray(x) for key, x in mdp.arrays().items() if x is not None}
    draft = target.with_name(f".{target.name}.{secrets.token_hex(8)}.part")
    try:
        try:
            with draft.open("xb") as file:
                np.savez(file, allow_pickle=False, format=np.array(_FORMAT), **arrays)
                file.flush()
                os.fsync(file.fileno())
            os.replace(draft, target)
        finally:
            draft.unlink(missing_ok=True)
    except OSError as fault:
        raise ModelError(f"{target} cannot be written: {_one_line(fault)}") from None


def with_criterion(
    mdp: MDP | EpisodicMDP, discount: float | None, horizon: int | None
) -> MDP | EpisodicMDP:
    """The model under another discount, or made episodic; unchanged when both are None.

    Raises
    ------
    ModelError
        If both are given, or the model is episodic and has no discount or another horizon.
    """
    if discount is not None and horizon is not None:
        raise ModelError(
            f"discount {discount} and horizon {horizon} are both given; a model has one of them"
        )
    if isinstance(mdp, EpisodicMDP):
        if discount is not None:
            raise ModelError(
                f"the model is episodic with horizon {mdp.horizon}; a discount does not apply"
            )
        if horizon is not None and horizon != mdp.horizon:
            raise ModelError(f"the model has horizon {mdp.horizon}, not {horizon}")
        return mdp
    if discount is not None:
        return mdp.with_discount(discount)
    return mdp if horizon is None else mdp.episodic(horizon)


def _check_file(name: str) -> None:
    """Refuse what is not an archive before anything of it is interpreted."""
    if Path(name).suffix != ".npz":
        raise ModelError(
            f"{name} ends in {Path(name).suffix or 'nothing'!r}; model files end in .npz"
        )
    try:
        with open(name, "rb") as file:
            start = file.read(8)
    except FileNotFoundError:
        raise ModelError(f"{name}: there is no such file") from None
    except (OSError, ValueError) as fault:
        raise ModelError(f"{name} cannot be opened: {_one_line(fault)}") from None
    if start[:2] == b"PK":
        return
    if not start:
        raise ModelError(f"{name} is empty; an .npz archive was expected")
    if start[:6] == b"\x93NUMPY":
        raise ModelError(f"{name} is a single .npy array; an .npz archive was expected")
    if start[0] == 0x80:
        raise ModelError(f"{name} is a pickle; models are never unpickled, only read from .npz")
    raise ModelError(f"{name} is not an .npz archive")


def _from_archive(archive: Any, discount: float | None, horizon: int | None) -> MDP | EpisodicMDP:
    names = set(archive.files)
    if "format" in names:
        written = _read(archive, "format", _TEXT, 0)
        if str(written) != _FORMAT:
            raise ModelError(f"its format is {str(written)!r}; this version reads {_FORMAT!r}")
        arrays = _read_all(archive, _CANONICAL)
        del arrays["format"]
        kind = EpisodicMDP if "horizon" in arrays else MDP
        return with_criterion(kind.from_arrays(arrays), discount, horizon)
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


def _one_line(fault: BaseException) -> str:
    text = fault.strerror if isinstance(fault, OSError) and fault.strerror else str(fault)
    return " ".join(text.split()) or type(fault).__name__
