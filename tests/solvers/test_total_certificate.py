"""Certificates of total reward: stored, pushed past their slack, and replaced by false ones.

`accepts` below is the checker's rule once more, in Fractions; each flag makes one thing wrong in
it. With its flag it accepts a certificate of something false, which the checker must reject.
"""

import copy
import subprocess
import sys
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import plain_total
import pytest

import rltheory as rlt
from rltheory import _core
from rltheory.solvers.total_certificate import TotalCertificate

ZERO = Fraction(0)


def certificates(count: int, seed: int) -> list[tuple[rlt.MDP, TotalCertificate]]:
    rng = np.random.default_rng(seed)
    out = []
    while len(out) < count:
        mdp = plain_total.random_model(rng, thirds=True)
        try:
            out.append((mdp, rlt.solve(mdp, criterion="total").certificate))
        except rlt.ModelError:
            continue
    return out


def test_certificates_are_stored(tmp_path: Path) -> None:
    for k, (mdp, certificate) in enumerate(certificates(5, 1)):
        path = tmp_path / f"{k}.npz"
        certificate.save(path)
        loaded = rlt.Certificate.load(path)
        assert isinstance(loaded, TotalCertificate) and loaded.check(mdp)
        for name in ("rows", "policy", "head", "tail", "lower", "upper", "upper_ranking"):
            assert np.array_equal(getattr(loaded, name), getattr(certificate, name))
    exact = rlt.solve_exact(rlt.MDP([[[0.75]]], [[-1.0]], termination=[[0.25]]), criterion="total")
    exact.certificate.save(tmp_path / "exact.npz")
    assert rlt.Certificate.load(tmp_path / "exact.npz").check(exact.mdp)


def test_bounds_moved_by_an_ulp_are_rejected_where_they_are_tight() -> None:
    for mdp, c in certificates(60, 2):
        lower = np.nextafter(np.maximum(c.lower, c.head), np.inf)
        upper = np.nextafter(np.minimum(c.upper, c.head), -np.inf)
        for bad in (replace(c, lower=lower), replace(c, upper=upper)):
            check = bad.check(mdp)
            assert not check and ("above its witness" in check.reason
                                  or "below its witness" in check.reason)  # fmt: skip


def test_bounds_with_shifts_of_each_state_are_the_tightest() -> None:
    rng = np.random.default_rng(5)
    head = rng.normal(size=300) * 10.0 ** rng.integers(-3, 4, 300)
    tail = head * 2.0**-54 * rng.uniform(-1, 1, 300)
    below, above = (head * 10.0 ** rng.integers(-20, 0, 300) * sign for sign in (-1.0, 1.0))
    lower, upper = _core.solvers.round_outward_by(head, tail, below, above)
    for s in range(300):
        exact = [Fraction(head[s]) + Fraction(tail[s]) + Fraction(x[s]) for x in (below, above)]
        assert Fraction(lower[s]) <= exact[0] < Fraction(np.nextafter(lower[s], np.inf))
        assert Fraction(np.nextafter(upper[s], -np.inf)) < exact[1] <= Fraction(upper[s])
    with pytest.raises(ValueError, match="are needed"):
        _core.solvers.round_outward_by(head, tail, below[1:], above)


def witness(c: TotalCertificate, upper: bool) -> list[Fraction]:
    parts = zip(c.head, c.tail, c.upper_ranking if upper else c.lower_ranking, strict=True)
    if upper:
        shrunk = 1 - Fraction(c.upper_repair) * Fraction(c.reward_weight)
        return [
            shrunk * (Fraction(h) + Fraction(t)) + Fraction(c.upper_repair) * Fraction(g)
            for h, t, g in parts
        ]
    return [Fraction(h) + Fraction(t) - Fraction(c.lower_repair) * Fraction(f) for h, t, f in parts]


def ahead(row: plain_total.Row, x: list[Fraction]) -> Fraction:
    return sum((p * x[t] for t, p in row.next.items()), ZERO)


def slack(mdp: rlt.MDP, c: TotalCertificate, upper: bool) -> Fraction:
    """By how much more or less of its ranking the witness could be repaired."""
    w, most = witness(c, upper), []
    f = [Fraction(x) for x in (c.upper_ranking if upper else c.lower_ranking)]
    x = [Fraction(h) + Fraction(t) for h, t in zip(c.head, c.tail, strict=True)]
    k = Fraction(c.reward_weight) if upper else ZERO
    for s, rows in enumerate(plain_total.rows_by_state(mdp)):
        for row in rows:
            if not upper and row.number != c.rows[s]:
                continue
            room = w[s] - row.reward - ahead(row, w)
            room = room if upper else -room
            step = f[s] - ahead(row, f) - k * (x[s] - ahead(row, x))
            assert room >= 0
            if step > 0:
                most.append(room / step)
    return min(most, default=ZERO)


@pytest.mark.parametrize("upper", [False, True])
def test_witnesses_past_their_slack_are_rejected(upper: bool) -> None:
    low, high = np.full(8, -1e9), np.full(8, 1e9)
    pushed = 0
    for mdp, c in certificates(150, 3):
        n = mdp.n_states
        wide = replace(c, lower=low[:n], upper=high[:n])
        assert wide.check(mdp)
        name = "upper_repair" if upper else "lower_repair"
        room = slack(mdp, c, upper)
        repair = Fraction(getattr(c, name))
        within = replace(wide, **{name: repair - room})
        past = replace(
            wide, **{name: repair - room * (1 + Fraction(1, 2**60)) - Fraction(1, 2**200)}
        )
        if np.any(np.asarray(c.upper_ranking if upper else c.lower_ranking) > 0.0):
            pushed += 1
            check = past.check(mdp)
            assert not check and ("witness fails" in check.reason or upper)
            # The other tests still hold there, except where a sign of the witness changes.
            assert within.check(mdp) or "ranking fails" in within.check(mdp).reason
        assert not replace(wide, reward_weight=-1.0).check(mdp)
    assert pushed > 50


class Model(dict[str, Any]):
    """A model given by its arrays alone."""

    def arrays(self) -> "Model":
        return self


def one_state(rewards: list[float], exits: list[float]) -> Model:
    n = len(rewards)
    stays = [1.0 - x for x in exits]
    ptr = np.cumsum([0] + [int(p > 0) for p in stays]).tolist()
    return Model(
        n_states=1, state_ptr=[0, n], action=list(range(n)), row_ptr=ptr,
        col=[0] * ptr[-1], prob=[p for p in stays if p > 0], reward=rewards, exit=exits,
    )  # fmt: skip


def claimed(value: float, row: int = 0, **changes: Any) -> TotalCertificate:
    parts: dict[str, Any] = {
        "policy": [row], "rows": [row], "head": [value], "tail": [0.0], "lower_ranking": [0.0],
        "upper_ranking": [0.0], "lower_repair": 0.0, "upper_repair": 0.0, "reward_weight": 0.0,
        "lower": [value], "upper": [value],
    }  # fmt: skip
    return TotalCertificate(**(parts | changes))


STAY_OR_PAY = one_state([0.0, -1.0], [0.0, 1.0])
STAY_OR_EXIT = one_state([0.0, 0.0], [0.0, 1.0])
FALSE = {
    # What is wrong: model, certificate, what is told, and the mistake that would accept it.
    "no ranking below": (
        STAY_OR_EXIT, claimed(5.0, upper=[9.0]), "lower ranking fails", "no lower ranking"
    ),
    "weak decrease below": (
        STAY_OR_EXIT, claimed(5.0, lower_ranking=[1.0], upper=[9.0]), "lower ranking fails",
        "weak decrease",
    ),
    "a positive value in a loop, ranked by another row": (
        STAY_OR_EXIT, claimed(5.0, lower_ranking=[1.0], upper=[9.0]), "lower ranking fails",
        "lower ranking of any row",
    ),
    "no ranking above": (
        STAY_OR_PAY, claimed(-1.0, row=1, lower=[-9.0]), "upper ranking fails", "no upper ranking"
    ),
    "weak decrease above": (
        STAY_OR_PAY, claimed(-1.0, row=1, lower=[-9.0], upper_ranking=[7.0]),
        "upper ranking fails", "weak decrease",
    ),
    "a ranking of the policy's row alone": (
        STAY_OR_PAY, claimed(-1.0, row=1, upper_ranking=[1.0]), "upper ranking fails",
        "upper ranking of the policy's row",
    ),
    "a weight that the loop does not feel": (
        STAY_OR_PAY, claimed(-1.0, row=1, reward_weight=1.0), "upper ranking fails",
        "upper ranking of the policy's row",
    ),
    "a loop that pays": (
        one_state([1.0], [0.0]), claimed(0.0), "upper witness fails", "no upper witness"
    ),
    "a loop that costs": (
        one_state([-1.0], [0.0]), claimed(0.0), "lower witness fails", "no lower witness"
    ),
    "an upper witness of the policy's row alone": (
        one_state([-1.0, 1.0], [1.0, 1.0]), claimed(-1.0, upper_ranking=[9.0]),
        "upper witness fails", "upper witness of the policy's row",
    ),
    "a state that is not held, for nothing": (
        rlt.MDP([[[0.0, 1.0]], [[0.0, 1.0]]], [[0.0], [-1.0]]).arrays(),
        claimed(0.0).__class__(**{
            **{f: getattr(claimed(0.0), f) for f in ("lower_repair", "upper_repair",
                                                     "reward_weight")},
            "policy": [0, 0], "rows": [0, 1],
            **{f: [0.0, 0.0] for f in ("head", "tail", "lower_ranking", "upper_ranking", "lower",
                                       "upper")},
        }),
        "lower witness fails", "no lower witness",
    ),
}  # fmt: skip
MALFORMED = {
    "not a number": (claimed(0.0, upper_ranking=[float("nan")]), "NaN"),
    "infinite": (claimed(0.0, lower=[-float("inf")]), "nfinity"),
    "another state's row": (claimed(0.0, row=2), "not one of the state's"),
    "another action": (claimed(0.0, policy=[1]), "not the policy's action"),
    "too few states": (claimed(0.0, lower=[]), "wrong number of states"),
    "a negative weight": (claimed(0.0, reward_weight=-1.0), "reward_weight is negative"),
    "another criterion": (claimed(0.0, criterion="discounted"), "not for"),
    "lower above its witness": (claimed(0.0, lower=[5e-324]), "above its witness"),
    "upper below its witness": (claimed(0.0, upper=[-5e-324]), "below its witness"),
}


def accepts(model: Any, c: TotalCertificate, wrong: str = "") -> bool:
    """The checker's rule; `wrong` names the mistake that is made."""
    w, v = witness(c, False), witness(c, True)
    f, g = ([Fraction(x) for x in each] for each in (c.lower_ranking, c.upper_ranking))
    k = Fraction(c.reward_weight)
    step = 0 if wrong == "weak decrease" else 1
    good = k >= 0
    arrays = Model({"exit": [], **model})
    for s, rows in enumerate(plain_total.rows_by_state(arrays)):
        good = good and c.lower[s] <= w[s] and v[s] <= c.upper[s]
        ranked = False
        for row in rows:
            own = row.number == c.rows[s]
            falls = f[s] >= ahead(row, f) + step * (w[s] > 0)
            ranked = ranked or falls
            if own:
                good = good and (w[s] <= row.reward + ahead(row, w) or wrong == "no lower witness")
                if wrong not in ("no lower ranking", "lower ranking of any row"):
                    good = good and falls
            if own or wrong != "upper witness of the policy's row":
                good = good and (v[s] >= row.reward + ahead(row, v) or wrong == "no upper witness")
            if own or wrong != "upper ranking of the policy's row":
                falls = g[s] >= k * row.reward + ahead(row, g) + step * (v[s] < 0)
                good = good and (falls or wrong == "no upper ranking")
        good = good and (ranked or wrong != "lower ranking of any row")
    return good


@pytest.mark.parametrize("name", FALSE)
def test_false_certificates_are_rejected(name: str) -> None:
    model, certificate, words, mistake = FALSE[name]
    check = certificate.check(model)
    assert not check and words in check.reason
    assert not accepts(model, certificate)
    assert accepts(model, certificate, mistake), "the mistake makes no difference"


@pytest.mark.parametrize("name", MALFORMED)
def test_malformed_certificates_are_rejected(name: str) -> None:
    certificate, words = MALFORMED[name]
    check = certificate.check(STAY_OR_EXIT)
    assert not check and words in check.reason


def test_true_ones_beside_them_are_accepted() -> None:
    assert claimed(0.0).check(STAY_OR_PAY) and claimed(0.0).check(STAY_OR_EXIT)
    assert claimed(0.0, row=1).check(STAY_OR_EXIT)
    pays = one_state([-1.0, -1.0], [0.0, 1.0])
    assert claimed(-1.0, row=1, reward_weight=1.0).check(pays)
    leaves = one_state([1.0], [1.0])
    assert claimed(1.0, lower_ranking=[1.0]).check(leaves)
    assert not claimed(1.0).check(leaves), "a positive value has to be ranked"
    staged = copy.copy(STAY_OR_PAY)
    staged["horizon"] = 3
    assert not claimed(0.0).check(Model(staged))


def test_rows_that_do_not_sum_to_one_are_divided_by_their_sum() -> None:
    off = 1.0 + 2.0**-31
    model = one_state([-1.0], [0.5])
    model["prob"], model["exit"] = [0.5 * off], [0.5 * off]
    assert claimed(-2.0, upper_ranking=[2.0]).check(model)
    model["exit"] = [0.5]
    check = claimed(-2.0, upper_ranking=[3.0]).check(model)
    assert not check and "lower witness" in check.reason


def test_the_checker_works_without_the_core_and_without_numpy() -> None:
    code = """
import sys
for name in ("numpy", "scipy", "rltheory._core"):
    sys.modules[name] = None
from types import SimpleNamespace as Record
from rltheory.solvers.checker_total import check_total

model = {"n_states": 1, "state_ptr": [0, 1], "row_ptr": [0, 1], "col": [0], "action": [0],
         "prob": [0.5], "reward": [-1.0], "exit": [0.5]}
claim = Record(criterion="total", policy=[0], rows=[0], head=[-2.0], tail=[0.0], lower=[-2.0],
               upper=[-2.0], lower_ranking=[0.0], upper_ranking=[2.0], lower_repair=0.0,
               upper_repair=0.0, reward_weight=0.0)
print(check_total(claim, model).accepted)
claim.head = claim.lower = [-2.0 + 2**-50]
print(check_total(claim, model).accepted)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("True\nFalse\n", "")
