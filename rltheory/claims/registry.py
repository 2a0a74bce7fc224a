"""Where claims are found: the built-in topics, other packages, and scripts.

Modules are named by the entry point group ``rltheory.claims`` (topic = module); the topics of this
project use it like any other package. The claims of a topic are those that its module holds by
name, alone or in a list or tuple. A script is executed under a collector of its own, which also
finds claims that have no name; they do not outlive the call. What is found never depends on what
was imported before.
"""

import re
import runpy
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from rltheory.claims.claim import Claim
from rltheory.errors import ClaimError

__all__ = [
    "all_claims",
    "claims_of_script",
    "find",
    "find_one",
    "module_of_topic",
    "register",
    "script_of",
    "topics",
]

_GROUP = "rltheory.claims"
_SCRIPT_MODULE = "__rltheory_claims__"
_SCRIPT = re.compile(r"(?P<file>.*\.py)(?::(?P<id>[^:/\\]*))?")
_collectors: list[dict[str, Claim]] = []


def register(claim: Claim) -> Claim:
    """Note a claim where one is collected; refuses an id that is there already."""
    if _collectors:
        if claim.id in _collectors[-1]:
            raise ClaimError(f"claim {claim.id!r} is registered twice")
        _collectors[-1][claim.id] = claim
    return claim


@contextmanager
def _collecting() -> Iterator[dict[str, Claim]]:
    found: dict[str, Claim] = {}
    _collectors.append(found)
    try:
        yield found
    finally:
        _collectors.remove(found)


@cache
def topics() -> tuple[str, ...]:
    """The names of all installed topics."""
    return tuple(sorted({point.name for point in entry_points(group=_GROUP)}))


@cache
def _of_topic(topic: str) -> dict[str, Claim]:
    points = [point for point in entry_points(group=_GROUP) if point.name == topic]
    if not points:
        known = ", ".join(topics()) or "none"
        raise ClaimError(f"topic {topic!r} is unknown; known are {known}")
    found: dict[str, Claim] = {}
    for point in points:
        try:
            _add_claims(vars(import_module(point.module)), found)
        except Exception as fault:
            raise ClaimError(
                f"topic {topic!r}: {point.module}: {type(fault).__name__}: {fault}"
            ) from fault
    return {claim_id: replace(claim, topic=topic) for claim_id, claim in sorted(found.items())}


def _add_claims(namespace: Mapping[str, Any], found: dict[str, Claim]) -> None:
    """The claims that a module holds by name, alone or in a list or tuple."""
    for value in list(namespace.values()):
        for claim in value if isinstance(value, list | tuple) else (value,):
            if isinstance(claim, Claim) and found.setdefault(claim.id, claim) is not claim:
                raise ClaimError(f"claim {claim.id!r} is there twice")


def module_of_topic(topic: str) -> str:
    """The module that holds the claims of a topic."""
    return next(point.module for point in entry_points(group=_GROUP) if point.name == topic)


def all_claims(topic: str | None = None) -> dict[str, Claim]:
    """Every registered claim, or those of one topic, by id.

    Raises
    ------
    ClaimError
        If the topic is unknown, or two topics have a claim of the same id.
    """
    if topic is not None:
        return dict(_of_topic(topic))
    found: dict[str, Claim] = {}
    for name in topics():
        for claim_id, claim in _of_topic(name).items():
            if claim_id in found:
                raise ClaimError(
                    f"claim {claim_id!r} is registered by {found[claim_id].topic} and {name}"
                )
            found[claim_id] = claim
    return found


def claims_of_script(path: str | Path) -> dict[str, Claim]:
    """The claims that a Python file defines, by id.

    Raises
    ------
    ClaimError
        If there is no such file, it raises, or it defines no claim.
    """
    file = Path(path)
    if not file.is_file():
        raise ClaimError(f"{file}: there is no such file")
    with _collecting() as collected:
        folder = str(file.resolve().parent)
        sys.path.insert(0, folder)  # as for ``python FILE``: a script may have modules beside it
        try:
            namespace = runpy.run_path(str(file), run_name=_SCRIPT_MODULE)
            # Modules that the script imports may state claims too: those are not its own.
            found = {
                claim_id: claim
                for claim_id, claim in collected.items()
                if getattr(claim.check, "__module__", None) == _SCRIPT_MODULE
            }
            _add_claims(namespace, found)
        except ClaimError as fault:
            raise ClaimError(f"{file}{_line_in(fault, str(file))}: {fault}") from fault
        except (Exception, SystemExit) as fault:
            where = _line_in(fault, str(file))
            raise ClaimError(f"{file}{where}: {type(fault).__name__}: {fault}") from fault
        finally:
            if folder in sys.path:
                sys.path.remove(folder)
    if not found:
        raise ClaimError(f"{file} defines no claim; make one with @rlt.claim(...)")
    return {claim_id: replace(claim, topic=file.stem) for claim_id, claim in found.items()}


def find(what: str) -> dict[str, Claim]:
    """The claims that a word names: an id, ``FILE.py``, or ``FILE.py:ID``."""
    script = script_of(what)
    if script is not None:
        path, wanted = script
        claims = claims_of_script(path)
        if wanted is None:
            return claims
        if wanted not in claims:
            raise ClaimError(f"{path} has no claim {wanted!r}; it has {', '.join(claims)}")
        return {wanted: claims[wanted]}
    claims = all_claims()
    if what not in claims:
        raise ClaimError(f"claim {what!r} is unknown{_similar(what, list(claims))}")
    return {what: claims[what]}


def find_one(what: str) -> Claim:
    """The only claim that a word names."""
    claims = find(what)
    if len(claims) != 1:
        raise ClaimError(f"{what} has {len(claims)} claims; name one: {what}:{next(iter(claims))}")
    return next(iter(claims.values()))


def script_of(what: str) -> tuple[str, str | None] | None:
    """File and claim id (None for all of them) of a word that names a script; else None.

    Examples
    --------
    >>> script_of("my_paper.py:half"), script_of("my_paper.py"), script_of("plan-pdl")
    (('my_paper.py', 'half'), ('my_paper.py', None), None)
    """
    match = _SCRIPT.fullmatch(what)
    return None if match is None else (match["file"], match["id"])


def _similar(what: str, ids: list[str]) -> str:
    from difflib import get_close_matches

    close = get_close_matches(what, ids, n=3)
    return f"; did you mean {' or '.join(close)}?" if close else "; see 'rltheory claims'"


def _line_in(fault: BaseException, file: str) -> str:
    """``:LINE`` of the last frame of the traceback that is in the file."""
    line, trace = "", fault.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == file:
            line = f":{trace.tb_lineno}"
        trace = trace.tb_next
    if isinstance(fault, SyntaxError) and fault.filename == file:
        line = f":{fault.lineno}"
    return line
