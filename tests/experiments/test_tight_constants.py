"""The search for tight constants: its claims are there, and nothing that it finds refutes one."""

from pathlib import Path

import pytest

import rltheory as rlt
from rltheory.sweeps.sweep import load_sweep

PATH = Path(__file__).parents[2] / "experiments" / "tight_constants.py"
CLAIMS = load_sweep(PATH).grid["claim"]


def test_the_claims_can_be_searched() -> None:
    known = {name: claim for topic in ("demonstrations", "mirror_descent")
             for name, claim in rlt.all_claims(topic).items()}  # fmt: skip
    for name in CLAIMS:
        assert known[name].family is not None and not known[name].is_random


@pytest.mark.parametrize("name", CLAIMS[::4])
def test_nothing_found_is_above_its_bound(name: str) -> None:
    found = rlt.search_tightest(name, starts=1, moves=5)
    assert not found.refuted and found.ratio <= 1.0 + 1e-12  # -1: no bound above 0 was met
