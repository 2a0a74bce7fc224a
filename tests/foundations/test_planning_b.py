"""Claims about losses, differences, variances and certificates: verdicts, and numbers by hand."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

import rltheory as rlt
from rltheory.claims.claim import Claim, Measurement
from rltheory.claims.evidence import violated
from rltheory.claims.family import as_instance
from rltheory.claims.smt import prove
from rltheory.claims.verify import instances
from rltheory.foundations import certificates, differences, losses, variance
from rltheory.foundations.families import law_of_weights, part_of, planning_family, side_by_side
from rltheory.foundations.instances import greedy_loss_pair, leak, tie
from rltheory.foundations.losses import worst_value
from rltheory.foundations.rationals import Planner, episodic_optimum, episodic_value, stages_of
from rltheory.foundations.runs import Runs
from rltheory.foundations.variance import root_of

CLAIMS = {
    claim.id: claim
    for module in (losses, differences, variance, certificates)
    for claim in module.CLAIMS
}
F = Fraction


def on(claim_id: str, name: str) -> dict[str, Measurement]:
    """What the claim measures on a named instance; the largest one of each kind."""
    claim = CLAIMS[claim_id]
    found: dict[str, Measurement] = {}
    for m in claim.check(as_instance(claim.named[name]())):
        if m.what not in found or m.measured > found[m.what].measured:
            found[m.what] = m
    return found


def ratio(m: Measurement) -> Fraction:
    return F(m.measured) / F(m.bound)


# --- verdicts -----------------------------------------------------------------------------

ATTAINED = {  # least detection limit
    "plan-greedy-loss": 1.0,
    "plan-residual-loss": 1.0,
    "plan-simulation": 1.0,
    "plan-total-variance": 1.0,
    "plan-variance-resolvent": 0.99,
    "plan-certificate": 1.0,
    "plan-certificate-total": 1.0,
    "plan-rounding": 0.99,
}
BY_SMT = {
    "plan-greedy-loss",
    "plan-residual-loss",
    "plan-pdl",
    "plan-simulation",
    "plan-flow",
    "plan-certificate",
}


def test_these_are_the_claims() -> None:
    assert set(CLAIMS) == set(ATTAINED) | {"plan-pdl", "plan-flow"}
    assert {claim_id for claim_id, claim in CLAIMS.items() if claim.smt} == BY_SMT


@pytest.mark.parametrize("claim_id", CLAIMS)
def test_confirmed_with_every_mutant_refuted(claim_id: str) -> None:
    verdict = rlt.verify(CLAIMS[claim_id], budget="quick")
    assert verdict.status == "confirmed", verdict.reason
    # Without z3 the mutants that only an SMT solver can refute are not looked at.
    seen = [m for m in verdict.mutants if m.status != "missing"]
    assert {m.status for m in seen} == {"refuted"}
    assert all(m.id.endswith("-smt") for m in verdict.mutants if m not in seen)
    assert verdict.detection_limit is None or verdict.detection_limit >= ATTAINED[claim_id]
    assert (verdict.detection_limit is None) == (claim_id not in ATTAINED)
    certified = claim_id == "plan-variance-resolvent"
    assert verdict.arithmetic == ("certified" if certified else "exact")


@pytest.mark.parametrize("claim_id", sorted(BY_SMT))
def test_proved_for_all_models_of_two_states(claim_id: str) -> None:
    pytest.importorskip("z3")
    query = CLAIMS[claim_id].smt
    assert query is not None
    proof = prove(query)
    assert proof.status == "proved"
    assert "2 states" in proof.size and "every discount" in proof.size
    for m in CLAIMS[claim_id].mutants:
        if m.smt is not None:
            assert prove(m.smt).status == "refuted", m.id


REASONS = {  # what a mutant must be refuted by: the instance, and the inequality that was changed
    "plan-greedy-loss": {
        "once": "pair at 1/10: greedy for a value",
        "discount-squared": "pair at 1/10: greedy for a value",
        "q-as-value": "two loops: greedy for action values",
    },
    "plan-residual-loss": {
        "undiscounted-norm": "tie: greedy, by the norm",
        "once": "tie: greedy, by the norm",
        "plain-extremes": "leave or stay: any policy",
    },
    "plan-pdl": {"old-occupancy": "advantages", "no-factor": "discounted", "full-mass": "horizon"},
    "plan-simulation": {
        "quarter": "leaks at 9/10: classical, discounted",
        "q-quarter": "leaks at 9/10: coupling, discounted",
        "eighth": "leaks at 9/10: classical, horizon",
    },
    "plan-flow": {"whole-start": "flow, discounted", "full-mass": "mass", "averaged": "converse"},
    "plan-total-variance": {
        "discount-once": "split, discounted",
        "no-reward-noise": "split",
        "no-covariance": "split",
        "eighth": "all or nothing: rewards in [0, 1]",
    },
    "plan-variance-resolvent": {
        "exponent": "leak at 9/10: by total variance",
        "half": "by centred rewards",
        "four-fifths": "between at 999/1000: by centred rewards",
    },
    "plan-certificate": {
        "not-divided": "row of another sum: (ii) lower",
        "not-clipped": "ends at once: (ii) lower",
        "policy-side": "better row: (ii) upper",
        "bare-value": "lower at most the policy's value",
    },
    "plan-certificate-total": {
        "no-ranking": "stay or exit: lower",
        "weak-decrease": "stay or exit: lower",
        "policy-ranking": "stay or pay: upper",
    },
    "plan-rounding": {
        "half-ulp": "drift: one after another",
        "one-ulp": "drift: one after another",
        "no-correction": "row off by 1e-10",
        "no-exit": "exit off",
        "no-underflow": "denormal",
    },
}


@pytest.mark.parametrize("claim_id", CLAIMS)
def test_mutants_are_refuted_for_the_right_reason(claim_id: str) -> None:
    pytest.importorskip("gymnasium")  # the bare value is refuted on FrozenLake
    claim = replace(CLAIMS[claim_id], smt=None)
    tested = tuple(m for m in claim.mutants if m.smt is None)
    assert set(REASONS[claim_id]) == {m.id for m in tested}
    for m in rlt.verify(replace(claim, mutants=tested), budget="quick").mutants:
        assert REASONS[claim_id][m.id] in m.reason, m


def measured(claim: Claim, count: int) -> Iterator[tuple[str, Measurement]]:
    for label, _, instance in instances(claim, count, 0):
        for m in claim.check(instance):
            yield label, m


SELDOM = {  # inequalities that nothing is known to attain, or of which one side is always 0
    "planning, horizon",
    "by total variance",
    "by centred rewards",
    "kernel in doubles",
    "kernel in double-double",
    "in pairs",
    "error of the value",
    "loss of the policy",
}


@pytest.mark.parametrize("claim_id", CLAIMS)
def test_every_inequality_is_sharp_somewhere_and_never_idle(claim_id: str) -> None:
    claim = CLAIMS[claim_id]
    sharp: dict[str, float] = defaultdict(float)
    events: dict[str, int] = defaultdict(int)
    positive: set[str] = set()
    for _, m in measured(claim, 40):
        informative = m.event and (m.trivial is None or m.bound < m.trivial)
        events[m.what] += informative
        if informative and m.bound > 0:
            positive.add(m.what)
            sharp[m.what] = max(sharp[m.what], float(ratio(m)))
    events.pop("some runs never end", None)
    assert min(events.values()) >= 2, dict(events)
    if claim.kind != "identity":
        assert {w for w in positive if sharp[w] < 0.95} <= SELDOM, dict(sharp)


@pytest.mark.parametrize("claim_id", CLAIMS)
def test_instances_replay_from_their_files(claim_id: str, tmp_path: Path) -> None:
    claim = CLAIMS[claim_id]
    path = tmp_path / "instance.npz"
    for label, _, instance in instances(replace(claim, named={}), 3, 5):
        rlt.save_instance(instance, path)
        first, again = claim.check(instance), rlt.replay(claim, path)
        assert first == again, label
        assert not any(violated(claim.kind, m) for m in again)


def test_a_search_runs_on_these_families() -> None:
    found = rlt.search_tightest(CLAIMS["plan-simulation"], starts=3, moves=15)
    assert not found.refuted and 0 < found.ratio <= 1


# --- losses -------------------------------------------------------------------------------


@pytest.mark.parametrize("discount", ["1/10", "1/2", "9/10", "99/100"])
def test_greedy_loss_pair_attains_the_bound(discount: str) -> None:
    g, error = F(discount), F(1, 4)
    m = on("plan-greedy-loss", f"pair at {discount}")["greedy for a value"]
    assert m.measured == m.bound == 2 * g * error / (1 - g)


def test_greedy_loss_without_a_tie() -> None:
    m = on("plan-greedy-loss", "pair, no tie")["greedy for a value"]
    assert ratio(m) == 1 - F(1, 50) and m.bound == F(9, 2)
    planner = Planner(greedy_loss_pair(F(9, 10), F(1, 4), F(1, 50)))
    best, _ = planner.optimum()
    assert best == [F(441, 100)] * 2
    q = planner.q([best[0] + F(1, 4), best[1] - F(1, 4)])
    assert q[0][0] > q[0][1], "staying is the only greedy choice"


def test_worst_value_breaks_ties_as_badly_as_possible() -> None:
    planner = Planner(tie(F(9, 10), 1, -1))
    assert worst_value(planner, [[0, 1], [0], [0]]) == [-9, 10, -10]
    assert worst_value(planner, [[0], [0], [0]]) == [9, 10, -10]


def test_residual_loss_by_hand() -> None:
    found = on("plan-residual-loss", "tie")
    by_norm, by_spread = (found[f"greedy, by the {x} of the residual"] for x in ("norm", "spread"))
    assert by_norm.measured == by_norm.bound == by_spread.bound == 18
    worse = on("plan-residual-loss", "worse loop")["any policy"]
    assert worse.measured == worse.bound == 5 and worse.trivial == 10
    leaves = on("plan-residual-loss", "leave or stay")["any policy"]
    assert (leaves.measured, leaves.bound) == (9, 10)


# --- differences --------------------------------------------------------------------------


@pytest.mark.parametrize("g", [F(1, 2), F(9, 10), F(99, 100)])
@pytest.mark.parametrize("eps_r", [F(0), F(1, 3)])
@pytest.mark.parametrize("eps_p", [F(1, 100), F(1, 2), F(2)])
def test_leak_attains_the_simulation_lemma(g: Fraction, eps_r: Fraction, eps_p: Fraction) -> None:
    one, other = leak(g, 0), leak(g, eps_p, 1 - eps_r)
    only, H = [[F(1)]] * 2, 5
    instance = rlt.Instance(
        discounted_mdp=one,
        discounted_twin=other,
        discounted_policy=[only],
        horizon_mdp=one.episodic(H),
        horizon_twin=other.episodic(H),
        horizon_policy=[only] * H,
    )
    found = {m.what: m for m in CLAIMS["plan-simulation"].check(instance)}
    assert ratio(found["coupling, discounted"]) == ratio(found["coupling, horizon"]) == 1
    if eps_r == 0:
        assert ratio(found["span of the value"]) == 1
        assert ratio(found["classical, discounted"]) == (1 - g) / (1 - g + g * eps_p / 2)


def test_simulation_by_hand() -> None:
    # V(1) = 2 and (3/4) / (1 - (1/2)(9/10)) = 15/11 at discount 1/2, leaving by 1/10.
    found = on("plan-simulation", "leaks at 1/2")
    assert found["coupling, discounted"].measured == 2 - F(15, 11)
    # Over 3 stages 3 against 3/4 (1 + 9/10 + 81/100).
    assert found["coupling, horizon"].measured == 3 - F(3, 4) * F(271, 100)
    assert ratio(on("plan-simulation", "two leaks")["planning, discounted"]) > F(99, 100)


def test_occupancies_of_a_chain_that_ends() -> None:
    # State 0 goes to 1 or ends with chances 1/2; state 1 stays or ends with chances 1/4, 3/4.
    moves, ends = [[[0, F(1, 2)]], [[0, F(1, 4)]]], [[F(1, 2)], [F(3, 4)]]
    mdp = rlt.MDP(moves, [[1], [2]], F(2, 5), termination=ends, exact=True)
    runs, only, start = Runs(mdp), [[[F(1)]] * 2], [F(1), F(0)]
    # d(0) = 3/5; d(1) = (2/5)(d(0)/2 + d(1)/4).
    wanted = [[[F(3, 5)], [F(2, 15)]]]
    assert runs.occupancy(only, start) == runs.arrivals(only, start) == wanted
    staged = Runs(mdp.episodic(3))
    wanted = [[[F(1)], [F(0)]], [[F(0)], [F(1, 2)]], [[F(0)], [F(1, 8)]]]
    assert staged.occupancy(only * 3, start) == staged.arrivals(only * 3, start) == wanted
    assert staged.value(only * 3)[0] == [1 + F(1, 2) * 2 + F(1, 8) * 2, 2 + F(1, 2) + F(1, 8)]


# --- variance -----------------------------------------------------------------------------


def test_all_or_nothing_by_hand() -> None:
    found = on("plan-total-variance", "all or nothing")
    assert found["range, horizon"].measured == found["range, horizon"].bound == F(25, 4)
    assert found["rewards in [0, 1], horizon"].bound == 9  # H = 6
    assert found["moves, horizon"].measured == F(25, 4)
    discounted = found["rewards in [0, 1], discounted"]
    assert discounted.measured == discounted.bound == 25  # a quarter of 10^2
    drawn = on("plan-total-variance", "drawn at the start")["rewards in [0, 1], horizon"]
    assert drawn.measured == drawn.bound == 9


def test_variance_of_coins_by_hand() -> None:
    # One state, two stages of a fair coin that pays 1: variance 1/4 + 1/4, none of it from moves.
    mdp = rlt.EpisodicMDP([[[1]]], [[F(1, 2)]], 2, exact=True)
    coins = rlt.Instance(
        horizon_mdp=mdp,
        horizon_start=[F(1)],
        horizon_new=[[[F(1)]]] * 2,
        horizon_laws=["coin"] * 2,
        horizon_tilt=[F(0)],
    )
    found = {m.what: m for m in CLAIMS["plan-total-variance"].check(coins)}
    assert found["moves, horizon"].bound == F(1, 2) and found["moves, horizon"].measured == 0
    assert found["range, horizon"].bound == 1


@pytest.mark.parametrize(
    ("discount", "wanted"), [("9/10", 0.439), ("99/100", 0.457), ("999/1000", 0.459)]
)
def test_ratio_on_leak(discount: str, wanted: float) -> None:
    m = on("plan-variance-resolvent", f"leak at {discount}")["by total variance"]
    assert abs(float(ratio(m)) - wanted) < 5e-4
    assert 0 < m.tolerance < 1e-30


def test_ratios_found_by_search() -> None:
    found = on("plan-variance-resolvent", "between at 999/1000")
    assert float(ratio(found["by total variance"])) == pytest.approx(0.5741, abs=1e-4)
    assert float(ratio(found["by centred rewards"])) == pytest.approx(0.8121, abs=1e-4)
    assert ratio(on("plan-variance-resolvent", "fork at 999/1000")["squares"]) == F(999, 1000)


def test_root_of() -> None:
    for x in (F(0), F(1, 3), F(2), F(10**9)):
        low = root_of(x)
        assert low**2 <= x < (low + F(1, 2**120)) ** 2


# --- certificates -------------------------------------------------------------------------


def test_witnesses_off_by_one() -> None:
    found = on("plan-certificate", "off by 1")
    for side in ("(ii) lower", "(ii) upper"):
        assert found[side].measured == found[side].bound == 1
    # Witness 1.1e8, V = 1e8: off by the residual -1e-8 (1.1e8) (1 - ...) / (1 - discount).
    found = on("plan-certificate", "row of another sum")
    assert found["(ii) lower"].measured == found["(ii) lower"].bound == 10**7


@pytest.mark.parametrize("name", ["FrozenLake-v1", "CliffWalking-v1", "Taxi-v4"])
def test_what_solve_returns_contains_the_exact_optimum(name: str) -> None:
    pytest.importorskip("gymnasium")
    if name == "Taxi-v4":
        pytest.importorskip("flint")
    found = on("plan-certificate", name)
    for what in ("optimum at most upper", "lower at most the policy's value"):
        assert found[what].measured == found[what].bound == 0
    assert found["the exact optimum solves T v = v"].measured == 0
    assert found["rejected by the checker"].measured == 0


def test_total_reward_by_hand() -> None:
    assert on("plan-certificate-total", "stay or exit")["w <= T_pi w, but above V^pi"].bound == 5
    assert on("plan-certificate-total", "stay")["w' >= T w', but below V*"].bound == 1
    found = on("plan-certificate-total", "stays long")
    assert (found["lower"].measured, found["lower"].bound) == (2, 2)
    assert (found["upper"].measured, found["upper"].bound) == (3, 3)


def test_error_of_a_sum_that_drifts() -> None:
    m = on("plan-rounding", "drift")["one after another"]
    assert m.measured == F(1024, 2**54)  # discount 1/2 times 1024 u
    assert ratio(m) > F(99, 100)


# --- helpers ------------------------------------------------------------------------------


def test_laws_of_weights() -> None:
    assert law_of_weights([0, 0]) == [F(1, 2), F(1, 2)]
    assert law_of_weights([0, 1, 3]) == [0, F(1, 4), F(3, 4)]


def test_families_side_by_side() -> None:
    both = side_by_side(a=planning_family(), b=planning_family(exits=False))
    instance = both.instance(both.sample("here", 0, 0))
    one, other = part_of(instance, "a"), part_of(instance, "b")
    assert one is not None and other is not None and part_of(instance, "c") is None
    assert set(one) == set(other) == {"mdp", "value", "other", "policy", "start"}
    assert one.mdp is instance.a_mdp and not Planner(other.mdp).has_exits


def test_episodic_values() -> None:
    # Stage 0 pays 0 to stay or 1 to end, stage 1 pays 2 in state 0.
    mdp = rlt.EpisodicMDP(
        [[[[1], [0]]], [[[1], [1]]]],
        [[[0, 1]], [[2, 0]]],
        2,
        termination=[[[0, 1]], [[0, 0]]],
        exact=True,
    )
    stages = stages_of(mdp)
    assert episodic_optimum(stages) == ([[2], [2], [0]], [[0], [0]])
    assert episodic_value(stages, [[1], [0]]) == [[1], [2], [0]]
    mixed = [[[F(1, 2), F(1, 2)]], [[F(1, 4), F(3, 4)]]]
    assert episodic_value(stages, mixed) == [[F(3, 4)], [F(1, 2)], [0]]
