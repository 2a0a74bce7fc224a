"""The claims about schedules: golden numbers, what they are tried on, why each mutant fails."""

from fractions import Fraction

import pytest

import rltheory as rlt
from rltheory.claims.verify import instances
from rltheory.lsd_bandits import mirror_claims, ordered_claims, rounding_claims, rounding_trials
from rltheory.lsd_bandits.block_commit import block_commit_certificate
from rltheory.lsd_bandits.families import bandit_of

F = Fraction
CLAIMS = {
    claim.id: claim
    for module in (mirror_claims, ordered_claims, rounding_claims, rounding_trials)
    for claim in module.CLAIMS
}
MUTANTS = [(name, mutant.id) for name, claim in CLAIMS.items() for mutant in claim.mutants]


@pytest.fixture(scope="module")
def verdicts():
    return {name: rlt.verify(claim, budget="quick") for name, claim in CLAIMS.items()}


def test_every_id_is_there() -> None:
    wanted = """mirror round-ratio round-tight derandomise block-commit monotone-needed real-rule
    general-order round-many"""
    assert set(CLAIMS) == {f"lsd-{name}" for name in wanted.split()}


@pytest.mark.parametrize("name", CLAIMS)
def test_all_are_confirmed(name: str, verdicts) -> None:
    verdict = verdicts[name]
    assert verdict.status == "confirmed", verdict
    assert verdict.arithmetic == ("random" if name == "lsd-round-many" else "exact")
    if CLAIMS[name].kind in ("inequality", "lower-bound"):
        assert verdict.detection_limit == 1


REASONS = {
    ("lsd-mirror", "tired"): "real state - virtual state",
    ("lsd-round-ratio", "seven-tenths"): "2101/3125 against the bound 7/10",
    ("lsd-round-ratio", "no-budget"): "1 against the bound 3/2",
    ("lsd-round-ratio", "offsets"): "1/2 against the bound 3/4",
    ("lsd-round-tight", "longer"): "5/9 against the bound 1/2",
    ("lsd-general-order", "unsorted"): "worst round, c LP",
    ("lsd-general-order", "no-recovery"): "0 against the bound 1/2",
    ("lsd-derandomise", "first"): "1/2 against the bound 3/4",
    ("lsd-block-commit", "fourth"): "1/8 against the bound 5/32",
    ("lsd-block-commit", "interleaved"): "11/256 against the bound 3/64",
    ("lsd-monotone-needed", "sorted"): "5/6 against the bound 79/125",
    ("lsd-real-rule", "never"): "13/18 against the bound 2/3",
    ("lsd-round-many", "offsets"): "mean 0.93",
}


@pytest.mark.parametrize(("name", "mutant"), MUTANTS)
def test_every_mutant_is_refuted(name: str, mutant: str, verdicts) -> None:
    (found,) = [m for m in verdicts[name].mutants if m.id == mutant]
    assert found.status == "refuted", found
    assert REASONS.get((name, mutant), "") in found.reason


@pytest.mark.parametrize(
    ("make", "cap", "alpha", "share"),
    [
        (rounding_claims._FIFTH, 2, F(1, 4), F(1, 5)),
        (rounding_claims._SEVEN_TWENTIETHS, 3, F(1, 2), F(7, 20)),
    ],
)
def test_the_smallest_shares_of_blocks(make, cap: int, alpha: Fraction, share: Fraction) -> None:
    relax = rlt.concave_relaxation(bandit_of(make()), exact=True, cap=cap)
    found = rlt.block_commit_average(relax)
    assert found.value == share * relax.value
    assert found.value == rlt.block_commit_average(relax, alpha).value
    assert block_commit_certificate(relax) <= found.value


def test_the_family_of_the_guarantee_has_arms_plays_and_losses() -> None:
    claim = CLAIMS["lsd-round-ratio"]
    seen, lost, slack = set(), 0, 0
    for _, parameters, instance in instances(claim, 60, 0):
        if parameters is None:
            continue
        bandit = bandit_of(instance)
        seen.add((bandit.n_arms, bandit.plays))
        relax = rlt.concave_relaxation(bandit, exact=True)
        average = rlt.expected_average(relax).value
        lost += average < relax.value
        slack += average > rlt.virtual_value(relax)
    assert {(2, 1), (3, 1), (3, 2), (1, 1)} <= seen
    assert lost > 10 and slack > 3


def test_large_instances_are_enumerated() -> None:
    for name, make in mirror_claims._LARGE.items():
        relax = rlt.concave_relaxation(make(), exact=True)
        for select in ("virtual", "real"):
            found = rlt.expected_average(relax, select)
            assert found.method == "enumeration", name
        assert relax.bandit.n_arms in (4, 5, 6)


@pytest.mark.slow
@pytest.mark.parametrize("name", CLAIMS)
def test_standard_budget(name: str) -> None:
    assert rlt.verify(CLAIMS[name], seed=1).status == "confirmed"
