"""The checker accepts what `solve` makes, and nothing that is not so.

`sound` below is the checker's rule once more, in Fractions; each of its flags makes one thing
wrong in it. With a flag it accepts a certificate of something false; the package's checker must
reject the same certificate, and accept the true one beside it.
"""

import dataclasses
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

import rltheory as rlt

Arrays = dict[str, Any]
Model = rlt.MDP | rlt.EpisodicMDP
TINY = Fraction(1, 2**1200)


# --- plain facts, in Fractions ------------------------------------------------------------------


class Row(NamedTuple):
    stage: int  # of the rows; 0 when all stages share them
    state: int
    cols: list[int]
    prob: list[Fraction]
    exit: Fraction
    reward: Fraction

    @property
    def sigma(self) -> Fraction:
        return sum(self.prob, self.exit)


def rows_of(arrays: Arrays) -> list[Row]:
    S, exits = int(arrays["n_states"]), list(arrays["exit"])
    out = []
    for k in range(len(arrays["state_ptr"]) - 1):
        for row in range(arrays["state_ptr"][k], arrays["state_ptr"][k + 1]):
            part = slice(arrays["row_ptr"][row], arrays["row_ptr"][row + 1])
            prob = [Fraction(p) for p in np.asarray(arrays["prob"])[part].tolist()]
            leaves = Fraction(exits[row] if exits else 0)
            cols = np.asarray(arrays["col"])[part].tolist()
            out.append(Row(*divmod(k, S), cols, prob, leaves, Fraction(arrays["reward"][row])))
    return out


def staged(x: Any, horizon: int | None) -> list[Any]:
    """Fractions of an array, with an axis of stages in any case."""
    table = np.asarray(x, dtype=object)
    table = table if horizon else table[None]
    return np.vectorize(Fraction, otypes=[object])(table).tolist()


def witnesses(c: rlt.Certificate, horizon: int | None) -> tuple[Any, Any]:
    head, tail, low, high = (
        staged(x, horizon) for x in (c.head, c.tail, c.lower_shift, c.upper_shift)
    )

    def shifted(by: list[Fraction]) -> list[list[Fraction]]:
        stages = zip(head, tail, by, strict=True)
        return [[a + b + k for a, b in zip(x, y, strict=True)] for x, y, k in stages]

    return shifted(low), shifted(high)


class Slack(NamedTuple):
    stage: int
    state: int
    row: int
    slack: Fraction  # how far the inequality holds
    most: Fraction  # how far the shift of the stage can be pushed


def slacks(c: rlt.Certificate, arrays: Arrays, upper: bool) -> list[Slack]:
    """Of every inequality, in the order in which the checker goes through rows."""
    horizon = arrays.get("horizon")
    discount = Fraction(1) if horizon else Fraction(arrays["discount"])
    w = witnesses(c, horizon)[upper]
    policy = np.asarray(c.rows).reshape(-1, int(arrays["n_states"])).tolist()
    shared = len(arrays["state_ptr"]) == int(arrays["n_states"]) + 1
    out = []
    for number, row in enumerate(rows_of(arrays)):
        for h in range(int(horizon or 1)) if shared else [row.stage]:
            if not upper and policy[h][row.state] != number:
                continue
            ahead = w[h + 1] if horizon else w[0]
            mean = sum((p * ahead[t] for p, t in zip(row.prob, row.cols, strict=True)), Fraction(0))
            residual = row.reward + discount * mean / row.sigma - w[h][row.state]
            stays = 0 if horizon else discount * sum(row.prob) / row.sigma
            slack = -residual if upper else residual
            out.append(Slack(h, row.state, number, slack, slack / (1 - stays)))
    return out


# --- the rule once more, with flags that make one thing wrong -----------------------------------


def sound(
    c: rlt.Certificate,
    arrays: Arrays,
    *,
    sigma_is_one: bool = False,
    without_exit: bool = False,
    policy_rows_only: bool = False,
    same_stage: bool = False,
    any_owner: bool = False,
    bounds_ignored: bool = False,
) -> bool:
    """Whether lower <= w <= T_pi w and T v <= v <= upper; sound when no flag is set."""
    horizon, S = arrays.get("horizon"), int(arrays["n_states"])
    discount = Fraction(1) if horizon else Fraction(arrays["discount"])
    w, v = witnesses(c, horizon)
    lower, upper = staged(c.lower, horizon), staged(c.upper, horizon)
    policy = np.asarray(c.rows).reshape(-1, S).tolist()
    pairs = [(h, s) for h in range(len(w)) for s in range(S)]
    if not bounds_ignored and any(lower[h][s] > w[h][s] or upper[h][s] < v[h][s] for h, s in pairs):
        return False
    if horizon and any(w[-1] + v[-1]):
        return False
    rows = rows_of(arrays)
    shared = len(arrays["state_ptr"]) == S + 1
    if not any_owner:
        for h, chosen in enumerate(policy):
            for s, number in enumerate(chosen):
                if (rows[number].state, rows[number].stage) != (s, 0 if shared else h):
                    return False

    def backup(row: Row, x: Any, h: int) -> Fraction:
        ahead = x[h if same_stage or not horizon else h + 1]
        mean = sum((p * ahead[t] for p, t in zip(row.prob, row.cols, strict=True)), Fraction(0))
        sigma = row.sigma - row.exit if without_exit else row.sigma
        return row.reward + discount * mean / (1 if sigma_is_one else sigma)

    for h, chosen in enumerate(policy):
        if any(w[h][s] > backup(rows[k], w, h) for s, k in enumerate(chosen)):
            return False
        for k, row in enumerate(rows):
            tested = k == chosen[row.state] or not policy_rows_only
            here = shared or row.stage == h
            if tested and here and v[h][row.state] < backup(row, v, h):
                return False
    return True


def arrays_of(model: Model) -> Arrays:
    return model.arrays()


def stated(
    rows: list[int] | list[list[int]],
    lower: Any,
    upper: Any,
    horizon: bool = False,
    policy: Any = None,
) -> rlt.Certificate:
    """The certificate whose witnesses are these bounds, a constant apart in each stage."""
    low, high = (np.array(x, dtype=object) for x in (lower, upper))
    shift = (high - low)[..., 0]
    assert (high - low == (shift[:, None] if horizon else shift)).all()
    return rlt.Certificate(
        "finite-horizon" if horizon else "discounted",
        np.array(rows if policy is None else policy),
        np.array(rows),
        low,
        low * 0,
        shift * 0,
        shift,
        low,
        high,
    )


def rejected(c: rlt.Certificate, model: Any, *words: str) -> None:
    found = rlt.check(c, model)
    assert not found and not found.accepted, found
    for word in words:
        assert word in found.reason, found.reason


# --- what solve makes ---------------------------------------------------------------------------


def solved(seed: int, horizon: int | None = None) -> tuple[Model, rlt.Certificate]:
    mdp = rlt.awkward(seed) if horizon is None else rlt.awkward(seed, horizon=horizon)
    return mdp, rlt.solve(mdp).certificate


def many(count: int) -> Iterator[tuple[Model, rlt.Certificate]]:
    for seed in range(count):
        yield solved(seed, None if seed % 2 else 1 + seed % 7)


def test_accepts_what_solve_makes() -> None:
    kinds = set()
    for mdp, c in many(600):
        found = c.check(mdp)
        assert found and found.accepted is True, found
        assert found == rlt.check(c, mdp) == rlt.check(c, mdp.arrays())
        assert found.reason == (
            f"all inequalities hold at {mdp.n_states} states and {mdp.n_pairs} rows"
        )
        assert sound(c, arrays_of(mdp))
        differ = isinstance(mdp, rlt.EpisodicMDP) and not mdp.is_stationary
        kinds.add((type(mdp).__name__, differ, mdp.storage, mdp.core.has_exits, bool(c.tail.any())))
    assert {(name, differ, kind) for name, differ, kind, *_ in kinds} == {
        (name, differ, kind)
        for name, differ in (("MDP", False), ("EpisodicMDP", False), ("EpisodicMDP", True))
        for kind in ("csr", "dense", "deterministic")
    }
    assert {kind[3:] for kind in kinds} == {(e, t) for e in (False, True) for t in (False, True)}


@pytest.mark.parametrize("method", ["value-iteration", "gauss-seidel", "modified-policy-iteration"])
def test_accepts_what_other_methods_make(method: str) -> None:
    for seed in range(100):
        mdp = rlt.awkward(seed, discount=0.99)
        assert rlt.solve(mdp, method=method).certificate.check(mdp), seed


def test_accepts_certificates_of_exact_models() -> None:
    third = Fraction(1, 3)
    mdp = rlt.MDP([[[third, 1 - third]], [[1, 0]]], [[1], [third]], 2 * third, exact=True)
    exact = rlt.solve_exact(mdp).certificate
    assert exact.check(mdp) and rlt.solve(mdp).certificate.check(mdp)
    # The doubles nearest to it are another model, with another value.
    nearest = rlt.MDP([[[1 / 3, 2 / 3]], [[1.0, 0.0]]], [[1.0], [1 / 3]], 2 / 3)
    rejected(exact, nearest, "witness fails")


# --- witnesses pushed past their slack ----------------------------------------------------------


def pushed(c: rlt.Certificate, upper: bool, stage: int, by: Fraction) -> rlt.Certificate:
    name = "upper_shift" if upper else "lower_shift"
    shift = getattr(c, name)
    if c.criterion == "discounted":
        return dataclasses.replace(c, **{name: Fraction(shift) + by})
    moved = np.array([Fraction(x) for x in shift], dtype=object)
    moved[stage] += by
    return dataclasses.replace(c, **{name: moved})


def test_a_thousand_witnesses_pushed_past_their_slack() -> None:
    touching = 0
    for seed, (mdp, c) in enumerate(many(1000)):
        arrays = arrays_of(mdp)
        upper = seed % 4 > 1
        held = slacks(c, arrays, upper)
        assert all(x.slack >= 0 for x in held)
        stage = seed % (1 + max(x.stage for x in held))
        here = [x for x in held if x.stage == stage]
        most = min(x.most for x in here)
        first = next(x for x in here if x.most == most)
        touching += most == 0
        sign = -1 if upper else 1
        assert pushed(c, upper, stage, sign * most).check(mdp), seed
        rejected(
            pushed(c, upper, stage, sign * (most + TINY)),
            mdp,
            f"stage {stage} state {first.state} row {first.row}: ",
            f"{'upper' if upper else 'lower'} witness fails",
        )
    assert touching < 900  # most of them had room


def test_one_ulp_past_the_witness_in_one_entry() -> None:
    for mdp, c in many(120):
        outward = {
            "lower": np.nextafter(c.lower, -np.inf),
            "upper": np.nextafter(c.upper, np.inf),
        }
        assert dataclasses.replace(c, **outward).check(mdp)
        for name, towards, words in (
            ("lower", np.inf, "lower is above its witness"),
            ("upper", -np.inf, "upper is below its witness"),
        ):
            bounds = getattr(c, name)
            for at in np.ndindex(bounds.shape):
                moved = bounds.copy()
                moved[at] = np.nextafter(bounds[at], towards)
                h, s = at if bounds.ndim == 2 else (0, *at)
                changed = dataclasses.replace(c, **{name: moved})
                rejected(changed, mdp, f"stage {h} state {s}: {words}")


def tightest(mdp: rlt.MDP) -> rlt.Certificate:
    try:
        return rlt.solve(mdp, tol=0.0).certificate
    except rlt.ConvergenceError as error:
        return error.solution.certificate


def test_the_witness_cannot_be_replaced_by_the_lower_bound() -> None:
    verdicts = {True: 0, False: 0}
    for seed in range(300):
        mdp = rlt.awkward(seed)
        c = tightest(mdp)
        arrays = arrays_of(mdp)
        low = staged(c.lower, None)[0]
        bare = dataclasses.replace(
            c, head=c.lower, tail=c.tail * 0, lower_shift=0.0, upper_shift=0.0, upper=c.lower
        )
        gain = max(-x.slack for x in slacks(bare, arrays, upper=True))
        up = max(Fraction(0), gain) / (1 - Fraction(mdp.discount))  # type: ignore[union-attr,arg-type]
        bare = dataclasses.replace(
            bare, upper_shift=up, upper=np.array([x + up for x in low], dtype=object)
        )
        failing = [x for x in slacks(bare, arrays, upper=False) if x.slack < 0]
        verdicts[not failing] += 1
        if failing:
            rejected(
                bare,
                mdp,
                f"stage 0 state {failing[0].state} row {failing[0].row}: lower witness fails",
            )
        else:
            assert bare.check(mdp)
    assert min(verdicts.values()) > 40


# --- the two rules agree ------------------------------------------------------------------------


def meddled(
    random: np.random.Generator, c: rlt.Certificate, arrays: Arrays
) -> tuple[rlt.Certificate, Arrays]:
    """One number of the certificate or the model changed, by much or by little."""
    arrays = dict(arrays)
    kind = random.integers(6)
    names = ("head", "tail", "lower", "upper", "reward", "prob")
    name = names[kind]
    source = arrays[name] if kind > 3 else getattr(c, name)
    moved = np.array(source, dtype=np.float64)
    if moved.size:
        at = tuple(int(random.integers(n)) for n in moved.shape)
        size = abs(moved[at]) + float(np.abs(np.asarray(arrays["reward"])).max())
        step = float(random.choice([2.0**-52, 1e-12, 1e-9, 0.1])) * random.choice([-1.0, 1.0])
        moved[at] = max(0.0, moved[at] + 1e-9 * step) if name == "prob" else moved[at] + step * size
    if kind > 3:
        return c, arrays | {name: moved}
    return dataclasses.replace(c, **{name: moved}), arrays


def test_agrees_with_the_rule_in_fractions() -> None:
    random = np.random.default_rng(5)
    verdicts = {True: 0, False: 0}
    for mdp, c in many(900):
        changed, arrays = meddled(random, c, arrays_of(mdp))
        verdict = bool(rlt.check(changed, arrays))
        assert verdict == sound(changed, arrays)
        verdicts[verdict] += 1
    assert min(verdicts.values()) > 200


# --- mutants: a rule with one thing wrong accepts something false -------------------------------


def false_and_true(
    model: Model,
    false: rlt.Certificate,
    true: rlt.Certificate,
    reason: str,
    **wrong: bool,
) -> None:
    """`false` passes the rule with one flag set, and only then; `true` passes in any case."""
    arrays = arrays_of(model)
    assert sound(false, arrays, **wrong) and not sound(false, arrays)
    rejected(false, model, reason)
    assert sound(true, arrays) and true.check(model)


HALF = Fraction(1, 2)


def test_upper_is_tested_on_all_rows() -> None:
    # The policy stays for nothing; the other row pays 1 for ever, which is worth 2.
    mdp = rlt.MDP([[[1.0], [1.0]]], [[0.0, 1.0]], 0.5)
    assert rlt.solve_exact(mdp).value == (2,)
    false, true = stated([0], [0], [0]), stated([0], [0], [2])
    reason = "stage 0 state 0 row 1: upper witness fails"
    false_and_true(mdp, false, true, reason, policy_rows_only=True)


def test_lower_is_tested_on_the_policys_rows() -> None:
    mdp = rlt.MDP([[[1.0], [1.0]]], [[0.0, 1.0]], 0.5)
    # That V* >= 2 holds is no reason to say it of the policy.
    rejected(stated([0], [2], [2]), mdp, "stage 0 state 0 row 0: lower witness fails")
    assert stated([1], [2], [2]).check(mdp) and stated([0], [0], [2]).check(mdp)


def test_a_row_of_another_state_is_no_policy() -> None:
    # State 1 pays nothing; with the row of state 0 it would be worth 2 as well.
    mdp = rlt.MDP([[[1.0, 0.0]], [[1.0, 0.0]]], [[1.0], [0.0]], 0.5)
    assert rlt.solve_exact(mdp).value == (2, 1)
    false, true = stated([0, 0], [2, 2], [2, 2]), rlt.solve_exact(mdp).certificate
    reason = "stage 0 state 1: no row, or not the policy's"
    false_and_true(mdp, false, true, reason, any_owner=True)
    for rows in ([1, 1], [1, 0], [0, 2], [0, -1]):
        rejected(dataclasses.replace(true, rows=np.array(rows)), mdp, "no row, or not the policy's")


def test_a_row_of_another_stage_is_no_policy() -> None:
    mdp = rlt.EpisodicMDP(np.ones((2, 1, 1, 1)), [[[3.0]], [[1.0]]], 2)
    true = rlt.solve_exact(mdp).certificate
    assert true.rows.tolist() == [[0], [1]] and true.check(mdp)
    for rows, stage in (([[0], [0]], 1), ([[1], [1]], 0), ([[1], [0]], 0)):
        false = dataclasses.replace(true, rows=np.array(rows))
        rejected(false, mdp, f"stage {stage} state 0: no row, or not the policy's")
    # The row of stage 0 at both stages would earn 6, where 4 is the best.
    false = stated([[0], [0]], [[6], [3], [0]], [[6], [3], [0]], horizon=True)
    false_and_true(mdp, false, true, "stage 1 state 0", any_owner=True)


def test_rows_and_labels_of_every_stage_are_looked_at() -> None:
    # All stages share the rows: action 1 of state 1 is row 3.
    mdp = rlt.EpisodicMDP([[[1, 0], [0, 1.0]], [[1, 0], [0, 1.0]]], [[0, 0], [0, 0]], 2)
    true = rlt.solve_exact(mdp).certificate
    assert mdp.is_stationary and true.rows.tolist() == [[0, 2], [0, 2]] and true.check(mdp)
    for h in (0, 1):
        for rows in ([2, 2], [0, 1]):
            false = dataclasses.replace(true, rows=replaced(true.rows, h, rows))
            rejected(false, mdp, "no row, or not the policy's")
        for labels in ([1, 0], [0, 1], [2, 0]):
            false = dataclasses.replace(true, policy=replaced(true.policy, h, labels))
            rejected(false, mdp, "not the policy's action")


@pytest.mark.parametrize(("defect", "value"), [(-1, "above"), (1, "below")])
def test_a_row_is_divided_by_its_sum(defect: int, value: str) -> None:
    # Off by 2^-34 = 6e-11; over 2^20 steps that is one part in 16,000.
    p, discount = 1 + defect * 2.0**-34, 1 - 2.0**-20
    mdp = rlt.MDP([[[p]]], [[1.0]], discount)
    assert mdp.row_defect.tolist() == [defect * 2.0**-34]
    naive, exact = 1 / (1 - Fraction(discount) * Fraction(p)), Fraction(2**20)
    assert abs(naive - exact) > 60
    assert rlt.solve_exact(mdp).value == (exact,)
    false, true = stated([0], [naive], [naive]), stated([0], [exact], [exact])
    reason = f"{'lower' if naive > exact else 'upper'} witness fails"
    false_and_true(mdp, false, true, reason, sigma_is_one=True)


def test_an_exit_is_part_of_the_sum() -> None:
    # Half of the time it is over: V = 1 + (7/8) (1/2) V. Without the exit, V = 1 + (7/8) V.
    mdp = rlt.MDP([[[0.5]]], [[1.0]], 0.875, termination=[[0.5]])
    false, true = stated([0], [8], [8]), stated([0], [Fraction(16, 9)], [Fraction(16, 9)])
    assert rlt.solve_exact(mdp).value == (Fraction(16, 9),)
    false_and_true(mdp, false, true, "lower witness fails", without_exit=True)
    # Taken away in the model, what is left is no distribution.
    rejected(true, arrays_of(mdp) | {"exit": np.zeros(0)}, "row 0: not a distribution")
    rejected(true, arrays_of(mdp) | {"exit": np.zeros(1)}, "row 0: not a distribution")


def test_a_shift_is_not_earned_again_after_an_exit() -> None:
    # Residual 1 at w = 0; 1 / (1 - 0.9) = 10 is what an unclipped shift would claim.
    mdp = rlt.MDP([[[0.0]]], [[1.0]], 0.9, termination=[[1.0]])
    true = stated([0], [1], [1])
    assert rlt.solve(mdp).value.tolist() == [1.0] and true.check(mdp)
    for value in (10, 1 + TINY):
        rejected(stated([0], [value], [value]), mdp, "stage 0 state 0 row 0: lower witness fails")
    assert stated([0], [0], [1]).check(mdp)


def test_a_stage_is_compared_with_the_next() -> None:
    mdp = rlt.EpisodicMDP([[[1.0]]], [[0.0]], 2)
    true = stated([[0], [0]], [[0], [0], [0]], [[0], [0], [0]], horizon=True)
    false = stated([[0], [0]], [[100], [0], [0]], [[100], [0], [0]], horizon=True)
    reason = "stage 0 state 0 row 0: lower witness fails"
    false_and_true(mdp, false, true, reason, same_stage=True)
    false = stated([[0], [0]], [[100], [100], [0]], [[100], [100], [0]], horizon=True)
    reason = "stage 1 state 0 row 0: lower witness fails"
    false_and_true(mdp, false, true, reason, same_stage=True)


def test_a_witness_is_zero_at_the_end() -> None:
    mdp = rlt.EpisodicMDP([[[1.0]]], [[1.0]], 1)
    assert stated([[0]], [[1], [0]], [[1], [0]], horizon=True).check(mdp)
    for x in (TINY, -TINY, 5):
        false = stated([[0]], [[1 + x], [x]], [[1 + x], [x]], horizon=True)
        rejected(false, mdp, "stage 1 state 0: a witness is not 0 at the end")
    # One of the two is not enough.
    false = stated([[0]], [[6], [5]], [[6], [0]], horizon=True)
    rejected(false, mdp, "stage 1 state 0: a witness is not 0 at the end")
    false = stated([[0]], [[-4], [0]], [[-4], [-5]], horizon=True)
    false = dataclasses.replace(false, upper=np.array([[-4], [0]], dtype=object))
    rejected(false, mdp, "stage 1 state 0: a witness is not 0 at the end")
    # lower = upper = 0 at the end does not help.
    false = stated([[0]], [[6], [5]], [[6], [5]], horizon=True)
    cover = np.array([[6], [0]], dtype=object)
    rejected(dataclasses.replace(false, lower=cover), mdp, "a witness is not 0 at the end")


def test_bounds_are_held_against_the_witnesses() -> None:
    mdp = rlt.MDP([[[1.0]]], [[1.0]], 0.5)
    true = stated([0], [2], [2])
    for change, reason in (
        ({"lower": np.array([3.0])}, "stage 0 state 0: lower is above its witness"),
        ({"upper": np.array([1.0])}, "stage 0 state 0: upper is below its witness"),
    ):
        false = dataclasses.replace(true, **change)
        false_and_true(mdp, false, true, reason, bounds_ignored=True)


# --- arrays that are no certificate, or no model ------------------------------------------------


def a_model() -> rlt.MDP:
    """Two states, three rows, worth 1 / (1 - discount) = 2 everywhere: row laws do not matter."""
    return rlt.MDP.from_pairs(
        [0, 0, 1],
        [0, 1, 1],
        [[0.5, 0.25], [0.25, 0.5], [0.75, 0.0]],
        [1.25, 1.25, 1.25],
        0.5,
        termination=[0.25] * 3,
    )


VALUE = Fraction(2)


def its_certificate(**changes: Any) -> rlt.Certificate:
    c = stated([1, 2], [VALUE, VALUE], [VALUE, VALUE], policy=[1, 1])
    doubles = {
        name: np.array([float(x) for x in getattr(c, name)])
        for name in ("head", "tail", "lower", "upper")
    }
    c = dataclasses.replace(c, **doubles, lower_shift=0.0, upper_shift=0.0)
    assert c.check(a_model())
    return dataclasses.replace(c, **changes)


def its_arrays(**changes: Any) -> Arrays:
    arrays = arrays_of(a_model())
    assert its_certificate().check(arrays)
    return arrays | changes


def replaced(x: Any, at: int, value: Any) -> Any:
    y = np.array(x)
    y[at] = value
    return y


NOT_FINITE = (np.nan, np.inf, -np.inf)


@pytest.mark.parametrize("bad", NOT_FINITE)
def test_numbers_that_are_not_finite(bad: float) -> None:
    c = its_certificate()
    for name in ("head", "tail", "lower", "upper"):
        for s in (0, 1):
            changed = its_certificate(**{name: replaced(getattr(c, name), s, bad)})
            rejected(changed, a_model(), f"stage 0 state {s}: cannot convert")
    for name in ("lower_shift", "upper_shift"):
        rejected(its_certificate(**{name: bad}), a_model(), "stage 0 state 0: cannot convert")
    for name in ("prob", "reward", "exit"):
        array = its_arrays()[name]
        for at in range(len(array)):
            changed = its_arrays(**{name: replaced(array, at, bad)})
            row = int(np.searchsorted(its_arrays()["row_ptr"], at, "right")) - 1
            row = row if name == "prob" else at
            rejected(c, changed, f"state {row // 2} row {row}: cannot convert")
    rejected(c, its_arrays(discount=bad), "certificate or model: cannot convert")


def test_numbers_that_are_not_finite_with_a_horizon() -> None:
    mdp = rlt.EpisodicMDP([[[0.5, 0.5]], [[1.0, 0.0]]], [[1.0], [0.0]], 2)
    c = rlt.solve(mdp).certificate
    assert c.check(mdp)
    for bad in NOT_FINITE:
        for name in ("head", "tail", "lower", "upper"):
            for h, s in np.ndindex(3, 2):
                changed = dataclasses.replace(
                    c,
                    **{name: replaced(getattr(c, name), (h, s), bad)},  # type: ignore[arg-type]
                )
                rejected(changed, mdp, f"stage {h} state {s}: cannot convert")
        for name in ("lower_shift", "upper_shift"):
            changed = dataclasses.replace(c, **{name: replaced(getattr(c, name), 1, bad)})
            rejected(changed, mdp, "stage 1 state 0: cannot convert")


@pytest.mark.parametrize("name", ["rows", "head", "tail", "lower", "upper"])
def test_certificates_of_a_wrong_length(name: str) -> None:
    x = getattr(its_certificate(), name)
    for wrong in (x[:1], x[:0], np.append(x, x[:1])):
        changed = its_certificate(**{name: wrong})
        rejected(changed, a_model(), "certificate or model: wrong number of states")
    mdp, c = solved(8, 3)
    for wrong in (getattr(c, name)[:-1], np.vstack([getattr(c, name)] * 2)):
        rejected(dataclasses.replace(c, **{name: wrong}), mdp, "wrong number of stages")
    for wrong in (getattr(c, name)[:, :-1], np.hstack([getattr(c, name)] * 2)):
        rejected(dataclasses.replace(c, **{name: wrong}), mdp, "wrong number of states")
    assert c.check(mdp)


@pytest.mark.parametrize("name", ["lower_shift", "upper_shift"])
def test_shifts_of_a_wrong_length(name: str) -> None:
    for wrong in (np.zeros(1), np.zeros(2)):
        rejected(its_certificate(**{name: wrong}), a_model(), "stage 0 state 0")
    mdp, c = solved(8, 3)
    for wrong in (getattr(c, name)[:-1], np.zeros(5)):
        rejected(dataclasses.replace(c, **{name: wrong}), mdp, "wrong number of stages")
    rejected(dataclasses.replace(c, **{name: 0.0}), mdp, "certificate or model")


def test_a_certificate_of_a_larger_or_smaller_model() -> None:
    small, large = rlt.riverswim(4, 0.9), rlt.riverswim(5, 0.9)
    for here, there in ((small, large), (large, small)):
        rejected(rlt.solve(here).certificate, there, "wrong number of states")
    one, two = rlt.riverswim(4).episodic(3), rlt.riverswim(4).episodic(4)
    for a, b in ((one, two), (two, one)):
        rejected(rlt.solve(a).certificate, b, "wrong number of stages")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"state_ptr": [0, 2]}, "model: lengths do not agree"),
        ({"state_ptr": [0, 2, 3, 3]}, "model: lengths do not agree"),
        ({"state_ptr": [0, 2, 2]}, "model: pointers do not agree"),
        ({"state_ptr": [1, 2, 3]}, "model: pointers do not agree"),
        ({"state_ptr": [0, 3, 3]}, "stage 0 state 1: no row, or not the policy's"),
        ({"state_ptr": [0, 0, 3]}, "stage 0 state 0: no row, or not the policy's"),
        ({"state_ptr": [0, 4, 3]}, "stage 0 state 0 row 3: list index out of range"),
        ({"row_ptr": [0, 2, 5]}, "model: lengths do not agree"),
        ({"row_ptr": [0, 2, 4, 6]}, "model: pointers do not agree"),
        ({"row_ptr": [1, 2, 4, 5]}, "model: pointers do not agree"),
        ({"row_ptr": [0, 4, 2, 5]}, "state 0 row 0: columns are not distinct states"),
        ({"row_ptr": [0, 0, 4, 5]}, "state 0 row 0: not a distribution"),
        ({"row_ptr": [0, -1, 4, 5]}, "state 0 row 0: columns are not distinct states"),
        ({"reward": [1.25] * 2}, "model: lengths do not agree"),
        ({"reward": [1.25] * 4}, "model: lengths do not agree"),
        ({"prob": [0.5, 0.25, 0.25, 0.5]}, "model: lengths do not agree"),
        ({"prob": [0.5, 0.25, 0.25, 0.5, 0.75, 0.0]}, "model: lengths do not agree"),
        ({"col": [0, 1, 0, 1]}, "model: lengths do not agree"),
        ({"exit": [0.25] * 2}, "model: lengths do not agree"),
        ({"exit": []}, "stage 0 state 0 row 0: not a distribution"),
        # Every state is worth the same: these rows keep all inequalities.
        ({"prob": [1.0, -0.25, 0.25, 0.5, 0.75]}, "state 0 row 0: not a distribution"),
        ({"prob": [0.5, 0.25, -0.5, 1.25, 0.75]}, "state 0 row 1: not a distribution"),
        ({"prob": [0.5, 0.25, 0.25, 0.5, 1.5], "exit": [0.25, 0.25, -0.5]}, "row 2: not a"),
        ({"col": [0, 0, 0, 1, 0]}, "state 0 row 0: columns are not distinct states"),
        ({"col": [0, 1, 0, 1, 2]}, "state 1 row 2: columns are not distinct states"),
        ({"col": [0, 1, 0, 1, -1]}, "state 1 row 2: columns are not distinct states"),
        ({"col": [0.0, 1.0, 0.0, 1.0, 0.0]}, "state 0 row 0"),
        ({"prob": [0.5, 0.25, 0.25, 0.5, 0.75 + 2e-8]}, "row 2: not a distribution"),
        ({"prob": [0.5, 0.25, 0.25, 0.5, 0.75 - 2e-8]}, "row 2: not a distribution"),
        ({"prob": [0.0] * 5, "exit": [0.0] * 3}, "row 0: not a distribution"),
        ({"prob": [5.0, 2.5, 2.5, 5.0, 7.5], "exit": [2.5] * 3}, "row 0: not a distribution"),
        ({"n_states": 3}, "wrong number of states"),
        ({"n_states": 0}, "wrong number of states"),
        ({"n_states": None}, "certificate or model"),
        ({"discount": None}, "certificate or model: not discounted"),
        ({"horizon": 1}, "certificate or model: not discounted"),
        ({"discount": None, "horizon": 1}, "certificate or model: not discounted"),
        ({"discount": 1.0}, "certificate or model: discount 1.0 is not in [0, 1)"),
        ({"discount": 1.5}, "discount 1.5 is not in [0, 1)"),
        ({"discount": -0.5}, "discount -0.5 is not in [0, 1)"),
        ({"discount": 0.25}, "stage 0 state 0 row 1: lower witness fails"),
        ({"discount": np.nextafter(0.5, 0)}, "stage 0 state 0 row 1: lower witness fails"),
        ({"discount": np.nextafter(0.5, 1)}, "stage 0 state 0 row 0: upper witness fails"),
        ({"discount": Fraction(10**30 - 1, 2 * 10**30)}, "row 1: lower witness fails"),
        ({"reward": [np.nextafter(1.25, 2), 1.25, 1.25]}, "state 0 row 0: upper witness fails"),
        ({"reward": [1.25, np.nextafter(1.25, 0), 1.25]}, "state 0 row 1: lower witness fails"),
    ],
    ids=lambda x: "-".join(x) if isinstance(x, dict) else None,
)
def test_models_of_wrong_arrays(changes: Arrays, reason: str) -> None:
    lists = {name: np.array(x) if isinstance(x, list) else x for name, x in changes.items()}
    rejected(its_certificate(), its_arrays(**lists), reason)
    # The arrays may also be plain lists.
    rejected(its_certificate(), its_arrays(**changes), reason)


def test_a_row_that_is_not_paid_for_less_may_change() -> None:
    # Not every other model is refused: the value only has to be within the bounds.
    assert its_certificate().check(its_arrays(reward=np.array([1.0, 1.25, 1.25])))
    assert its_certificate().check(its_arrays(discount=Fraction(1, 2)))
    assert its_certificate().check({k: plain(x) for k, x in its_arrays().items()})


def plain(x: Any) -> Any:
    return x.tolist() if isinstance(x, np.ndarray) else x


@pytest.mark.parametrize("missing", ["n_states", "state_ptr", "row_ptr", "col", "prob", "exit"])
def test_models_without_one_of_their_arrays(missing: str) -> None:
    arrays = its_arrays()
    del arrays[missing]
    rejected(its_certificate(), arrays)


@pytest.mark.parametrize("criterion", ["", None, 0])
def test_criteria_that_have_no_checker(criterion: Any) -> None:
    rejected(its_certificate(criterion=criterion), a_model(), "no checker yet for")


@pytest.mark.parametrize("criterion", ["average", "total"])
def test_certificates_of_another_criterion(criterion: Any) -> None:
    rejected(its_certificate(criterion=criterion), a_model(), "has no attribute")


def test_criteria_of_other_models() -> None:
    mdp, c = solved(8, 3)
    assert isinstance(mdp, rlt.EpisodicMDP) and mdp.is_stationary and c.check(mdp)
    rejected(dataclasses.replace(c, criterion="discounted"), mdp, "not discounted")
    rejected(its_certificate(criterion="finite-horizon"), a_model(), "not finite-horizon")
    river = rlt.riverswim(3)
    rejected(rlt.solve(river.with_discount(0.5)).certificate, river, "not discounted")
    rejected(rlt.solve(river.episodic(2)).certificate, river, "not finite-horizon")
    # One stage without a discount and a discount of 0 say the same; still they are two things.
    once = rlt.solve(river.episodic(1)).certificate
    rejected(once, river.with_discount(0.0), "not finite-horizon")


@pytest.mark.parametrize("thing", [None, 3, "discounted", [], {}, object()])
def test_things_that_are_no_certificate_or_no_model(thing: Any) -> None:
    rejected(thing, a_model(), "certificate or model")
    rejected(its_certificate(), thing, "certificate or model")


def test_only_an_accepted_check_is_true() -> None:
    assert rlt.Check(True, "") and not rlt.Check(False, "all inequalities hold")
    mdp = a_model()
    found = its_certificate().check(mdp)
    assert found == rlt.Check(True, "all inequalities hold at 2 states and 3 rows")


def test_nothing_is_not_proved() -> None:
    nothing: Arrays = {name: np.zeros(0) for name in ("col", "prob", "reward", "exit", "action")}
    nothing |= {"state_ptr": [0], "row_ptr": [0], "n_states": 0, "discount": 0.5}
    empty = {name: np.zeros(0) for name in ("policy", "rows", "head", "tail", "lower", "upper")}
    c = rlt.Certificate("discounted", **empty, lower_shift=0.0, upper_shift=0.0)
    rejected(c, nothing, "wrong number of states")


def test_an_interrupt_is_not_a_rejection() -> None:
    class Interrupting:
        def arrays(self) -> Arrays:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rlt.check(its_certificate(), Interrupting())


@pytest.mark.parametrize("row", [0.5, Fraction(1, 2)])
def test_rows_that_are_no_integers(row: Any) -> None:
    # Neither row is chosen, and a lower bound of 100 stands where the optimum is 2.
    mdp = rlt.MDP([[[1.0], [1.0]]], [[0.0, 1.0]], 0.5)
    assert stated([0], [0], [100]).check(mdp)
    rejected(stated([row], [100], [100]), mdp, "stage 0 state 0: no row, or not the policy's")


def test_labels_that_are_not_those_of_the_rows() -> None:
    # `policy` is what the reader will play: here, action 0 for ever, worth 0 and not 2.
    mdp = rlt.MDP([[[1.0], [1.0]]], [[0.0, 1.0]], 0.5)
    true = stated([1], [2], [2])
    assert true.policy.tolist() == [1] and true.check(mdp)
    rejected(dataclasses.replace(true, policy=np.array([0])), mdp, "state 0")


# --- without the compiled core ------------------------------------------------------------------

ALONE = textwrap.dedent(
    """
    import sys

    class Refuse:
        def find_spec(self, name, path=None, target=None):
            if name.startswith(("rltheory._core", "scipy", "sympy", "flint")):
                raise ImportError(f"{name} is kept out of this test")

    sys.meta_path.insert(0, Refuse())
    import numpy as np
    from rltheory import Certificate

    try:
        import rltheory._core
    except ImportError:
        pass
    else:
        raise SystemExit("the core was imported after all")
    for path in sys.argv[1:]:
        with np.load(path + "-model.npz") as model:
            print(Certificate.load(path + "-certificate.npz").check(dict(model)))
    """
)


def test_needs_nothing_but_numpy(tmp_path: Path) -> None:
    models: list[Model] = [
        rlt.riverswim(discount=0.99),
        rlt.gridworld(3, 3, discount=0.999),
        rlt.combination_lock(3, horizon=4),
        rlt.random_episodic(3, 2, 3),
    ]
    expected, paths = [], []
    for k, mdp in enumerate(models):
        c = rlt.solve(mdp).certificate
        for name, given in (("good", c), ("bad", dataclasses.replace(c, upper=c.upper - 1.0))):
            path = tmp_path / f"{k}-{name}"
            rlt.save(mdp, f"{path}-model.npz")
            given.save(f"{path}-certificate.npz")
            paths.append(str(path))
            expected.append(str(given.check(mdp)))
            assert given.check(mdp).accepted == (name == "good")
    ran = subprocess.run(
        [sys.executable, "-c", ALONE, *paths],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.splitlines() == expected


def test_takes_an_open_archive(tmp_path: Path) -> None:
    mdp = rlt.riverswim(discount=0.9)
    rlt.save(mdp, tmp_path / "model.npz")
    with np.load(tmp_path / "model.npz") as archive:
        assert rlt.solve(mdp).certificate.check(archive)
