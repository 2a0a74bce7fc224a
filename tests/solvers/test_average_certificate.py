"""Certificates of average reward: what the checker accepts, and every mutant that it rejects."""

import dataclasses
import subprocess
import sys
import tokenize
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import rltheory as rlt
from rltheory.solvers import checker_average
from rltheory.solvers.checker_average import check_average
from tests.helpers.recurrent import recurrent_model

FIELDS = tuple(field.name for field in dataclasses.fields(rlt.AverageCertificate))


def certificate_of(mdp: rlt.MDP) -> rlt.AverageCertificate:
    certificate = rlt.solve(mdp, criterion="average").certificate
    assert isinstance(certificate, rlt.AverageCertificate) and certificate.check(mdp)
    return certificate


def rejected(certificate: Any, model: Any, words: str = "") -> None:
    verdict = check_average(certificate, model)
    assert not verdict and words in verdict.reason, verdict.reason


def stated(mdp: rlt.MDP, rows: list[int], **numbers: Any) -> rlt.AverageCertificate:
    """A certificate written by hand; what is left out is 0."""
    S = mdp.n_states
    vectors = ("lower_gain", "lower_tail", "upper_gain", "upper_tail", "bias", "bias_tail")
    parts: dict[str, Any] = {name: np.array(numbers.get(name, [0.0] * S)) for name in vectors}
    parts |= {"lower": parts["lower_gain"], "upper": parts["upper_gain"]}
    chosen = np.array(rows)
    return rlt.AverageCertificate(
        policy=mdp.actions[chosen], rows=chosen, lower_shift=0.0, upper_shift=0.0, **parts
    )


def walk() -> rlt.MDP:
    """0 and 2 stay and pay 0 and 1; 1 goes to either: gains 0, 1/2, 1."""
    P = [[[1.0, 0, 0]], [[0.5, 0, 0.5]], [[0, 0, 1.0]]]
    return rlt.MDP(P, [[0.0], [0.0], [1.0]])


# --- what the theorem needs ---------------------------------------------------------------


def test_gains_must_not_rise_where_they_are_bounded_from_below() -> None:
    # 0 -> 1 -> 1, all for nothing: g = (5, 0), h = (-5, 0) satisfies g + h <= r + P h alone.
    mdp = rlt.MDP.deterministic([[1], [1]], [[0.0], [0.0]])
    c = stated(mdp, [0, 1], lower_gain=[5.0, 0.0], upper_gain=[5.0, 5.0], bias=[-5.0, 0.0])
    rejected(c, mdp, "state 0 row 0: the lower gain is not what follows it allows")


def test_gains_must_not_fall_where_they_are_bounded_from_above() -> None:
    # 0 stays for nothing or goes to 1, which pays 1: g = (0, 1), h = 0 satisfies the second.
    mdp = rlt.MDP.deterministic([[0, 1], [1, 1]], [[0.0, 0.0], [1.0, 1.0]])
    c = stated(mdp, [0, 2], lower_gain=[0.0, 1.0], upper_gain=[0.0, 1.0])
    rejected(c, mdp, "state 0 row 1: the upper gain is not what follows it allows")
    good = stated(mdp, [1, 2], lower_gain=[1.0, 1.0], upper_gain=[1.0, 1.0], bias=[-1.0, 0.0])
    assert check_average(good, mdp)


def test_rows_must_not_end() -> None:
    mdp = rlt.MDP([[[0.0]]], [[1.0]], termination=[[1.0]])
    rejected(stated(mdp, [0], lower_gain=[1.0], upper_gain=[1.0]), mdp, "the row may end")


def test_where_the_gain_moves_strictly_nothing_else_is_needed() -> None:
    mdp = walk()
    exact = stated(mdp, [0, 1, 2], lower_gain=[0, 0.5, 1.0], upper_gain=[0, 0.5, 1.0],
                   bias=[0.0, -0.5, 0.0])  # fmt: skip
    assert check_average(exact, mdp)
    far = dataclasses.replace(exact, bias=np.array([0.0, 1e6, 0.0]))
    rejected(far, mdp, "state 1 row 1: lower witness fails")
    strict = dataclasses.replace(
        far, lower_gain=np.array([0.0, 0.25, 1.0]), upper_gain=np.array([0.0, 0.75, 1.0]),
        lower=np.array([0.0, 0.25, 1.0]), upper=np.array([0.0, 0.75, 1.0]),
    )  # fmt: skip
    assert check_average(strict, mdp)


def test_what_rows_mean_is_over_their_exact_sum() -> None:
    # Two thirds of the visits pay 1, exactly, in a row whose doubles sum to 1 + 8e-10.
    a, b = Fraction(0.25 * (1 + 8e-10)), Fraction(0.75 * (1 + 8e-10))
    mdp = rlt.MDP([[[float(a), float(b)]], [[float(a), float(b)]]], [[1.0], [0.0]])
    gain = a / (a + b)
    c = rlt.solve_exact(mdp, criterion="average").certificate
    assert c.lower[0] == gain and c.check(mdp)
    assert gain != a


# --- mutants ------------------------------------------------------------------------------


def mutants(c: rlt.AverageCertificate, mdp: rlt.MDP, s: int) -> dict[str, rlt.AverageCertificate]:
    """Certificates that claim or prove a little too much at state s."""

    def with_entry(name: str, x: float) -> rlt.AverageCertificate:
        array = getattr(c, name).copy()
        array[s] = x
        return dataclasses.replace(c, **{name: array})

    size = float(np.abs(c.upper).max() + np.abs(c.bias).max() + np.abs(mdp.mean_rewards).max())
    push = 1e-6 * size + 1e-12
    out = {
        "lower up by an ulp": with_entry("lower", np.nextafter(c.lower[s], np.inf)),
        "upper down by an ulp": with_entry("upper", np.nextafter(c.upper[s], -np.inf)),
        "lower witness pushed": dataclasses.replace(c, lower_shift=c.lower_shift + push),
        "upper witness pushed": dataclasses.replace(c, upper_shift=c.upper_shift - push),
        "a gain that is no number": with_entry("lower_gain", np.nan),
        "a bias that is infinite": with_entry("bias", np.inf),
        "no row of its state": dataclasses.replace(
            c, rows=np.where(np.arange(len(c.rows)) == s, (c.rows[s] + 1) % mdp.n_pairs, c.rows)
        ),
        "another label": dataclasses.replace(c, policy=c.policy + 1),
        "a state too few": dataclasses.replace(c, bias=c.bias[1:]),
    }
    if mdp.n_pairs == mdp.n_states == 1:
        del out["no row of its state"]
    return out


def test_mutants_are_rejected() -> None:
    count = 0
    for seed in range(100):
        mdp = recurrent_model(seed)
        c = certificate_of(mdp)
        for name, mutant in mutants(c, mdp, seed % mdp.n_states).items():
            assert not mutant.check(mdp), (seed, name)
            count += 1
    assert count > 800


def test_upper_is_tested_on_all_rows() -> None:
    mdp = rlt.riverswim(4)
    c = certificate_of(mdp)
    left = rlt.MDP.from_pairs([0, 1, 2, 3], [0] * 4, mdp.transitions[::2], mdp.mean_rewards[::2])
    worse = certificate_of(left)
    rows = np.arange(0, 8, 2)
    both = dataclasses.replace(
        worse, rows=rows, policy=mdp.actions[rows], upper=worse.upper, upper_gain=worse.upper_gain
    )
    rejected(both, mdp, "upper witness fails")
    assert c.check(mdp) and not c.check(left)


def test_other_criteria_and_models() -> None:
    mdp = rlt.riverswim(4)
    c = certificate_of(mdp)
    rejected(dataclasses.replace(c, criterion="discounted"), mdp, "is not average")
    rejected(c, mdp.episodic(2), "the model has a horizon")
    rejected(c, {}, "n_states")
    rejected(c, rlt.riverswim(5), "wrong number of states")
    assert check_average(c, mdp.arrays()) and c.check(mdp.arrays())
    assert rlt.check(c, mdp)
    discounted = rlt.solve(mdp.with_discount(0.5)).certificate
    assert not check_average(discounted, mdp)


# --- the checker and the file -------------------------------------------------------------


def test_the_checker_is_short() -> None:
    with open(checker_average.__file__, "rb") as file:
        tokens = list(tokenize.tokenize(file.readline))
    skipped = (tokenize.COMMENT, tokenize.NL, tokenize.ENCODING, tokenize.NEWLINE)
    lines = {t.start[0] for t in tokens if t.type not in skipped and t.string.strip()}
    assert len(lines) <= 100


def test_the_checker_needs_neither_the_core_nor_numpy(tmp_path: Path) -> None:
    mdp = rlt.riverswim(4)
    c = certificate_of(mdp)
    as_lists = {k: getattr(c, k).tolist() for k in FIELDS if hasattr(getattr(c, k), "tolist")}
    as_lists |= {k: getattr(c, k) for k in FIELDS if k not in as_lists}
    arrays = {k: x.tolist() if hasattr(x, "tolist") else x for k, x in mdp.arrays().items()}
    script = (
        "import sys\n"
        "sys.modules['rltheory._core'] = sys.modules['numpy'] = None\n"
        "from types import SimpleNamespace\n"
        "from rltheory.solvers.checker_average import check_average\n"
        f"c, arrays = {as_lists!r}, {arrays!r}\n"
        "print(check_average(SimpleNamespace(**c), arrays).reason)\n"
        "c['lower'][0] = c['upper'][0] + 1.0\n"
        "print(check_average(SimpleNamespace(**c), arrays).reason)\n"
    )
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert run.stdout.splitlines() == [
        "all inequalities hold at 4 states and 8 rows",
        "state 0: lower is above its witness",
    ]


@pytest.mark.parametrize("kind", ["doubles", "several gains", "fractions"])
def test_a_file_keeps_everything(kind: str, tmp_path: Path) -> None:
    mdp = {"doubles": rlt.riverswim(4)}.get(kind, walk())
    c: Any = certificate_of(mdp)
    if kind == "fractions":
        c = rlt.solve_exact(mdp, criterion="average").certificate
    path = tmp_path / "kept.npz"
    c.save(path)
    again: Any = rlt.Certificate.load(path)
    assert isinstance(again, rlt.AverageCertificate) and again.check(mdp)
    for name in FIELDS:
        one, other = getattr(c, name), getattr(again, name)
        assert type(one) is type(other), name
        assert np.array_equal(np.asarray(one), np.asarray(other)), name
    with pytest.raises(rlt.ModelError, match=r"does not end in \.npz"):
        c.save(tmp_path / "kept.txt")
