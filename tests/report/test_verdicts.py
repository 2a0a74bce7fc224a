"""What the reports share: cells, sentences, counts, JSON; and the terminal table."""

import io
import json
import math
import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from verdicts import CONFIRMED, REFUTED, RUN, UNDECIDED, VERDICTS

from rltheory.claims.verdict import STATUSES
from rltheory.report.terminal import console
from rltheory.report.verdict_table import STYLES, show_verdicts
from rltheory.report.verdicts import (
    COLUMNS,
    STATUS,
    Run,
    as_json,
    cells,
    counts,
    facts,
    fate,
    levels,
    mutants,
    sentence,
    share,
    shortened,
)


def shown(verdicts, run=RUN):
    out = io.StringIO()
    show_verdicts(verdicts, run, console(out))
    return [line.rstrip() for line in out.getvalue().splitlines()]


GOLDEN = """\
claim              status      arithmetic     coverage                                              tightness   detection limit   mutants refuted   seconds
───────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────
plan-contraction   confirmed   exact          all models of 2 states (SMT), named(1), sampled(40)           1            0.9999   1/2 (1 not run)      0.13
false-one          refuted     float(1e-12)   sampled(1)                                                    2                 1               1/1      0.01
coin               undecided   random         named(1)                                                                                        1/1      1.50
false-one is refuted by instance #0: gap: 1/2 against the bound 1/4; parameters states=2, weights=[0, 1, 5]; stored in counterexamples/false-one-0123456789.npz
coin is undecided: fair: 8 failures in 140 trials, delta 0.2
1 confirmed, 1 refuted, 1 undecided; error levels sum to 1e-06, a bound of the probability that chance misjudged 1 random claim
"""  # noqa: E501


def test_table_golden():
    assert shown(VERDICTS) == GOLDEN.splitlines()


def test_a_partial_run_says_so():
    lines = shown(VERDICTS[:1])
    assert "partial: interrupted after 1 of 3 claims; the others have no verdict" in lines
    assert shown([])[0].startswith("partial: interrupted after 0 of 3")
    assert RUN.partial(VERDICTS) == ""
    assert Run().partial(VERDICTS) == ""


@pytest.fixture
def screen(monkeypatch):
    """Lines that a terminal of some width shows, colours apart."""

    class Screen(io.StringIO):
        def isatty(self):
            return True

    def lines(width):
        monkeypatch.setenv("COLUMNS", str(width))
        monkeypatch.setenv("TERM", "xterm-256color")
        out = Screen()
        show_verdicts(VERDICTS, RUN, console(out))
        plain = re.sub(r"\x1b\[[0-9;]*m", "", out.getvalue())
        shown_ = [line.rstrip() for line in plain.splitlines()]
        assert max(map(len, shown_)) <= width
        return shown_

    return lines


def test_wide_terminals_get_the_table(screen):
    assert screen(200)[0] == GOLDEN.splitlines()[0]


def test_narrower_terminals_break_the_coverage(screen):
    lines = screen(125)
    assert lines[0].split() == ["detection", "mutants"]
    assert lines[1].split()[:4] == ["claim", "status", "arithmetic", "coverage"]
    assert " all models of 2 states  " in lines[3]
    assert lines[4].strip().startswith("(SMT), named(1),")


def test_narrow_terminals_get_the_cells_below_each_other(screen):
    lines = screen(60)
    assert "detection limit  0.9999" in lines
    assert "mutants refuted  1/2 (1 not run)" in lines


def test_every_status_has_words_and_a_colour():
    assert set(STATUS) == set(STYLES) == set(STATUSES)


def test_cells_are_in_the_order_of_the_columns():
    assert len(cells(CONFIRMED)) == len(COLUMNS)
    assert cells(UNDECIDED)[4:6] == ("", "")


@given(st.floats(0, 1e6))
def test_rounding_makes_nothing_tighter(x):
    text = share(x)
    assert (float(text) <= x) if x <= 1 else (float(text) >= x)
    assert (text == "1") == (x == 1)
    assert float(text) == pytest.approx(x, rel=2e-3)


def test_shares_that_are_no_numbers():
    assert share(None) == ""
    assert share(math.inf) == "inf"


def test_mutants():
    assert mutants(CONFIRMED) == "1/2 (1 not run)"
    assert mutants(replace(CONFIRMED, mutants=())) == ""
    assert fate(CONFIRMED.mutants[0]) == "refuted: instance #0: 1/2 against 1/4"
    assert fate(CONFIRMED.mutants[1]) == "not run: z3 is not installed"
    assert fate(replace(CONFIRMED.mutants[0], reason="")) == "refuted"


def test_counts_and_levels():
    assert counts(VERDICTS) == "1 confirmed, 1 refuted, 1 undecided"
    assert levels([CONFIRMED]) == "error levels sum to 0: no verdict depends on chance"
    assert "sum to 2e-06" in levels([UNDECIDED, UNDECIDED])
    assert "2 random claims" in levels([UNDECIDED, UNDECIDED])
    rate = replace(UNDECIDED, kind="rate")
    beside = "those of 1 rate claim are asymptotic and not in it"
    assert levels([rate]) == f"error levels sum to 0; {beside}"
    assert "sum to 1e-06" in levels([rate, UNDECIDED]) and beside in levels([rate, UNDECIDED])
    assert facts(rate)["chance"].endswith(
        "error level 1e-06 (asymptotic), confirmed up to 1.1 times the bound"
    )


def test_sentences():
    assert sentence(CONFIRMED) == "plan-contraction is confirmed: held on named(1), sampled(40)"
    by_model = replace(REFUTED, counterexample={"instance": "SMT over 2 states", "model": "x = 1"})
    assert sentence(by_model) == (
        "false-one is refuted by a model that SMT over 2 states found: x = 1"
    )
    lost = {**REFUTED.counterexample, "not_stored": "disk full"}
    del lost["file"]
    assert sentence(replace(REFUTED, counterexample=lost)).endswith("; not stored: disk full")
    named = {**REFUTED.counterexample, "parameters": None}
    assert "parameters" not in sentence(replace(REFUTED, counterexample=named))


def test_long_reasons_keep_their_ends():
    long = "begin " + "x" * 2000 + " end"
    assert len(shortened(long)) == 400
    assert shortened(long).startswith("begin ") and shortened(long).endswith(" end")
    assert len(sentence(replace(UNDECIDED, reason=long))) < 450


def test_facts():
    assert facts(CONFIRMED) == {
        "evidence": "exact; all models of 2 states (SMT), named(1), sampled(40); 40 of 41 say "
        "something",
        "tightness": "1 on instance shifted",
        "detection limit": "0.9999",
    }
    assert facts(UNDECIDED)["chance"] == (
        "140 trials, error level 1e-06, confirmed up to 1.1 times the bound"
    )
    assert facts(UNDECIDED)["outcome"].startswith("fair: ")
    assert "outcome" not in facts(REFUTED)


def test_json_is_an_array_of_the_records():
    text = as_json(VERDICTS)
    assert json.loads(text) == [json.loads(json.dumps(v.record())) for v in VERDICTS]
    assert text.count("\n") == 5
    assert "seconds" not in as_json(VERDICTS, timing=False)
    assert json.loads(as_json([])) == []


def test_json_has_no_infinity():
    odd = {"parameters": {"x": math.inf, "y": (1, math.nan)}, "what": STATUS.keys()}
    (back,) = json.loads(as_json([replace(REFUTED, tightness=math.inf, counterexample=odd)]))
    assert back["tightness"] == "inf"
    assert back["counterexample"]["parameters"] == {"x": "inf", "y": [1, "nan"]}


def test_settings():
    assert RUN.settings() == ["rltheory 0.1.0", "budget quick", "seed 3", "1 May 2026"]
    assert Run(version="1").settings() == ["rltheory 1"]
