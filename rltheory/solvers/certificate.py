"""A certificate: numbers from which anyone can re-establish lower <= V^policy <= V* <= upper.

The witnesses are the exact sums w = head + tail + lower_shift and v = head + tail + upper_shift
of stored doubles (or fractions). They are inductive in exact arithmetic: w <= T_policy w, and
T v <= v; with a horizon, stage by stage. `lower` and `upper` are their outward roundings: bounds,
but in general not inductive themselves. Nothing here depends on how the numbers were found;
`check` needs neither the compiled core nor the solver.

Theory, error bounds and proofs: docs/theory/certificates.md.
"""

import os
import re
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from rltheory.errors import ModelError
from rltheory.solvers.checker import Check, check

if TYPE_CHECKING:
    from rltheory.solvers.average_certificate import AverageCertificate
    from rltheory.solvers.total_certificate import TotalCertificate

__all__ = ["Certificate"]

T = TypeVar("T")

_FORMAT = "rltheory-certificate-1"
_VALUES = ("head", "tail", "lower", "upper", "lower_shift", "upper_shift")
_FRACTION = re.compile(r"-?[0-9a-f]+/[0-9a-f]+")


@dataclass(frozen=True, eq=False)
class Certificate:
    """Bounds of V^policy and V* with the witnesses that prove them.

    Parameters
    ----------
    criterion : str
        "discounted" or "finite-horizon".
    policy : ndarray of int64, shape (S,) or (H, S)
        Action labels.
    rows : ndarray of int64, shape (S,) or (H, S)
        The model's row of each of these actions.
    head, tail : ndarray, shape (S,) or (H+1, S)
        The value that both witnesses shift.
    lower_shift, upper_shift : float or Fraction, or ndarray of shape (H+1,)
    lower, upper : ndarray, shape (S,) or (H+1, S)
        lower <= V^policy <= V* <= upper.

    Examples
    --------
    >>> import rltheory as rlt
    >>> mdp = rlt.riverswim(discount=0.99)
    >>> certificate = rlt.solve(mdp).certificate
    >>> certificate.check(mdp)
    Check(accepted=True, reason='all inequalities hold at 6 states and 12 rows')
    """

    criterion: str
    policy: NDArray[np.int64]
    rows: NDArray[np.int64]
    head: NDArray[Any]
    tail: NDArray[Any]
    lower_shift: Any
    upper_shift: Any
    lower: NDArray[Any]
    upper: NDArray[Any]

    def check(self, mdp: Any) -> Check:
        """Verify every inequality against the model in exact integers.

        Parameters
        ----------
        mdp : MDP, EpisodicMDP, or mapping
            The model, or its canonical arrays, such as ``np.load`` of a saved model gives.

        Returns
        -------
        Check
            Truthy when accepted; `reason` names the first place where an inequality fails.
        """
        return check(self, mdp)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write everything to an ``.npz`` archive; fractions as hexadecimal texts."""
        write_archive(path, self, _VALUES)

    @classmethod
    def load(
        cls, path: str | os.PathLike[str]
    ) -> "Certificate | AverageCertificate | TotalCertificate":
        """Read a certificate that `save` wrote, of whatever criterion.

        Raises
        ------
        ModelError
            If the file is none; whether its numbers prove anything is what `check` says.
        """
        return read_archive(path, cls._of_archive)

    @classmethod
    def _of_archive(
        cls, archive: Mapping[str, Any]
    ) -> "Certificate | AverageCertificate | TotalCertificate":
        criterion = str(archive["criterion"])
        if criterion == "average":
            from rltheory.solvers.average_certificate import AverageCertificate

            return AverageCertificate.of_archive(archive)
        if criterion == "total":
            from rltheory.solvers.total_certificate import TotalCertificate

            return TotalCertificate.of_archive(archive)
        rows, policy = (integers_of(archive, key) for key in ("rows", "policy"))
        values = {key: numbers_of(archive, key) for key in _VALUES}
        return cls(criterion, policy, rows, **values)


def write_archive(path: str | os.PathLike[str], certificate: Any, values: Sequence[str]) -> None:
    """Write a certificate whose numbers are in the attributes named."""
    if Path(path).suffix != ".npz":
        raise ModelError(f"{path} does not end in .npz; certificates are saved as .npz")
    arrays = {
        "criterion": np.array(certificate.criterion),
        "policy": certificate.policy,
        "rows": certificate.rows,
    }
    arrays |= {name: _storable(getattr(certificate, name)) for name in values}
    with open(path, "wb") as file:
        np.savez(file, allow_pickle=False, format=np.array(_FORMAT), **arrays)


def read_archive(path: str | os.PathLike[str], read: Callable[[Mapping[str, Any]], T]) -> T:
    """What `read` makes of a certificate's archive; whatever is wrong is a ModelError."""
    name = os.fspath(path)
    try:
        with open(name, "rb") as file, np.load(file, allow_pickle=False) as archive:
            if "format" not in archive or str(archive["format"]) != _FORMAT:
                raise ModelError(f"{name} is not a certificate ({_FORMAT})")
            return read(archive)
    except ModelError:
        raise
    except FileNotFoundError:
        raise ModelError(f"{name}: there is no such file") from None
    except (OSError, EOFError, zipfile.BadZipFile, MemoryError) as fault:
        raise ModelError(f"{name} is truncated or damaged: {_one_line(fault)}") from None
    except Exception as fault:
        raise ModelError(f"{name} cannot be read: {_one_line(fault)}") from None


def _storable(x: Any) -> NDArray[Any]:
    array = np.asarray(x)
    if array.dtype != object:
        return array
    texts = [f"{q.numerator:x}/{q.denominator:x}" for q in map(Fraction, array.reshape(-1))]
    return np.array(texts).reshape(array.shape)


def numbers_of(archive: Mapping[str, Any], name: str) -> Any:
    """Doubles or fractions: an array, or one number."""
    array = archive[name]
    if array.dtype.kind == "U":
        numbers = [_fraction(text, name) for text in array.reshape(-1).tolist()]
        out = np.empty(len(numbers), dtype=object)
        out[:] = numbers
        return out.reshape(array.shape) if array.ndim else numbers[0]
    if array.dtype.kind != "f" or array.itemsize != 8:
        raise ModelError(f"`{name}` has dtype {array.dtype}; it must hold doubles or fractions")
    return array if array.ndim else float(array)


def _fraction(text: str, name: str) -> Fraction:
    if not _FRACTION.fullmatch(text):
        raise ModelError(f"`{name}` holds {text[:40]!r}; it must hold fractions")
    top, bottom = (int(part, 16) for part in text.split("/"))
    if bottom == 0:
        raise ModelError(f"`{name}` holds a fraction over 0")
    return Fraction(top, bottom)


def integers_of(archive: Mapping[str, Any], name: str) -> NDArray[np.int64]:
    """An array of integers."""
    array = archive[name]
    if array.dtype.kind != "i":
        raise ModelError(f"`{name}` has dtype {array.dtype}; it must hold integers")
    return array.astype(np.int64)


def _one_line(fault: BaseException) -> str:
    return " ".join(str(fault).split()) or type(fault).__name__
