"""What each claim of a topic should come out as: the table ``expected.tsv`` beside its module.

Tab-separated, with the header ``id status why`` and one line per registered claim. A run that is
compared with it cannot pass "vacuous" or "undecided" for done, nor lose a claim unnoticed.
Claims of scripts are expected to be confirmed.
"""

import csv
from collections.abc import Iterable
from importlib import import_module
from pathlib import Path

from rltheory.claims.pool import Chosen
from rltheory.claims.registry import all_claims, module_of_topic
from rltheory.claims.verdict import Verdict
from rltheory.errors import ClaimError

__all__ = ["differences", "expected_of_topic"]

_HEADER = ["id", "status", "why"]
_SHOULD_BE = ("confirmed", "refuted", "vacuous", "undecided", "context")


def expected_of_topic(topic: str) -> dict[str, tuple[str, str]]:
    """(status, why) of every claim in the table of a topic; empty where it has none.

    Raises
    ------
    ClaimError
        If the topic is unknown or its table is damaged.
    """
    all_claims(topic)  # that it is known
    home = import_module(module_of_topic(topic)).__file__
    path = Path(home or "").with_name("expected.tsv")
    if not path.is_file():
        return {}
    found: dict[str, tuple[str, str]] = {}
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    if not rows or rows[0] != _HEADER:
        raise ClaimError(f"{path}: the first line must be {', '.join(_HEADER)}, with tabs between")
    for number, row in enumerate(rows[1:], 2):
        if len(row) != len(_HEADER):
            raise ClaimError(f"{path}:{number}: {len(row)} columns; there must be 3")
        claim_id, status, why = row
        if status not in _SHOULD_BE:
            raise ClaimError(
                f"{path}:{number}: a claim should not be {status!r}; {', '.join(_SHOULD_BE)}"
            )
        if claim_id in found:
            raise ClaimError(f"{path}:{number}: {claim_id} is there twice")
        found[claim_id] = (status, why)
    return found


def differences(verdicts: Iterable[Verdict], chosen: Chosen) -> list[str]:
    """One line for each status that is not the expected one, and for each gap of a table.

    The tables of all topics of which a claim was chosen are compared with what is registered.
    """
    lines = []
    topics = {
        claim.topic: expected_of_topic(claim.topic)
        for claim_id, claim in chosen.claims.items()
        if not chosen.is_of_script(claim_id)
    }
    for topic, table in sorted(topics.items()):
        there, claims = table.keys(), all_claims(topic).keys()
        lines += [f"{i} has no line in the table of {topic}" for i in sorted(claims - there)]
        lines += [f"{i} of the table of {topic} is no claim" for i in sorted(there - claims)]
    for verdict in verdicts:
        status, why = "confirmed", ""
        if not chosen.is_of_script(verdict.id):
            if verdict.id not in topics[verdict.topic]:
                continue  # said above
            status, why = topics[verdict.topic][verdict.id]
        if verdict.status != status:
            reason = f" ({why})" if why else ""
            lines.append(f"{verdict.id} is {verdict.status}; expected is {status}{reason}")
    return lines
