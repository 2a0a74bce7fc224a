"""Every claim that says it is proved in text has its proof in the documentation."""

import re
from pathlib import Path

import pytest

from rltheory.claims.registry import all_claims, topics
from rltheory.errors import ClaimError

THEORY = Path(__file__).parents[2] / "docs" / "theory"


@pytest.mark.parametrize("topic", topics())
def test_proofs_in_text_are_there(topic: str) -> None:
    try:
        claims = all_claims(topic)
    except ClaimError as fault:  # another package's topic that cannot be loaded
        pytest.skip(str(fault))
    pages = sorted(THEORY.glob("*.md"))
    text = "\n".join(page.read_text(encoding="utf-8") for page in pages)
    for claim_id, claim in claims.items():
        if claim.proof != "text":
            continue
        assert f"({claim_id})=\n" in text, f"{claim_id} has no section in docs/theory"
        section = re.split(r"\n\(\S+\)=\n", text.split(f"({claim_id})=\n")[1])[0]
        assert "proof" in section.lower(), claim_id
