"""``rltheory claims``: what can be verified, as a table or as JSON."""

import argparse
import json
import sys
from typing import Any

from rltheory.claims.claim import Claim
from rltheory.claims.registry import all_claims
from rltheory.report import terminal

_COLUMNS = ("claim", "topic", "kind", "shape", "constants", "mutants", "title", "source")


def run(options: argparse.Namespace) -> int:
    """Print the registered claims, or those of one topic, sorted by id."""
    claims = [claim for _, claim in sorted(all_claims(options.topic).items())]
    if options.json:
        print(json.dumps([_record(claim) for claim in claims], indent=1, ensure_ascii=False))
    else:
        rows = list(map(_cells, claims))
        out = terminal.console(sys.stdout)
        terminal.print_rows(out, _COLUMNS, rows, ("mutants",), folded=("title", "source"))
    return 0


def _record(claim: Claim) -> dict[str, Any]:
    return {
        "id": claim.id,
        "topic": claim.topic,
        "title": claim.title,
        "kind": claim.kind,
        "provenance": list(claim.provenance),
        "source": claim.source,
        "mutants": [mutant.id for mutant in claim.mutants],
    }


def _cells(claim: Claim) -> tuple[str, ...]:
    mutants = str(len(claim.mutants))
    return (
        claim.id,
        claim.topic,
        claim.kind,
        *claim.provenance,
        mutants,
        claim.title,
        claim.source,
    )
