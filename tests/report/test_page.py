"""The HTML page: it needs nothing else, every claim has its place, and equal runs are equal."""

import re
import sys
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import pytest
from golden import compare
from pages import Reader
from verdicts import CLAIMS, CONFIRMED, REFUTED, RUN, UNDECIDED, VERDICTS

from rltheory.mdp.generators import garnet
from rltheory.mdp.gridworld import gridworld
from rltheory.report.answer import of_solution
from rltheory.report.files import ENDINGS, write_report
from rltheory.report.page import page, write_page
from rltheory.report.prose import math
from rltheory.report.verdicts import ARITHMETIC, COVERAGE, MEASURES, STATUS, Run
from rltheory.solvers.solve import solve

GOLDEN = Path(__file__).parent / "golden" / "page.html"


@pytest.fixture
def without_mathml(monkeypatch):
    math.cache_clear()
    monkeypatch.setitem(sys.modules, "latex2mathml.converter", None)
    yield
    math.cache_clear()


@pytest.fixture(scope="module")
def answers():
    maze = gridworld(rows=2, columns=3, discount=0.5)
    lake = gridworld(rows=2, columns=2).episodic(3)
    plain = garnet(states=20, actions=2, branching=3, discount=0.9)
    models = {"gridworld:rows=2": maze, "<lake>": lake, "garnet": plain}
    return [of_solution(source, solve(mdp)) for source, mdp in models.items()]


def body(text):
    return text[text.index("<body>") :]


def test_golden(without_mathml):
    compare(GOLDEN, body(page(VERDICTS, (), RUN)))


@pytest.mark.parametrize("run", [RUN, Run()], ids=["run", "nothing known"])
def test_the_page_stands_alone(run, answers):
    text = page(VERDICTS, answers, run)
    reader = Reader(text)
    assert reader.declared == "doctype html"
    assert all(reference.startswith("#") for reference in reader.references)
    assert not {"script", "link", "img", "iframe", "object", "embed"} & set(reader.tags)
    style = text[text.index("<style>") : text.index("</style>")]
    assert not re.search(r"url\(|@import|http", style)
    assert "http" not in text
    assert 'name="viewport"' in text
    assert "@media print" in style
    assert "prefers-color-scheme: dark" in style


def test_every_claim_has_its_place(answers):
    reader = Reader(page(VERDICTS, answers, RUN))
    assert reader.ids == [verdict.id for verdict in VERDICTS]
    assert {reference[1:] for reference in reader.references} == set(reader.ids)


def test_labels_are_explained_once():
    words = " ".join(Reader(page(VERDICTS, (), RUN)).words)
    for meaning in (STATUS, ARITHMETIC, COVERAGE, MEASURES):
        for text in meaning.values():
            assert words.count(text) == 1


def test_the_template_has_all_it_names():
    here = files("rltheory.report")
    template = here.joinpath("page.html").read_text(encoding="utf-8")
    assert set(re.findall(r"\$(\w+)", template)) == {
        "title", "style", "settings", "summary", "sections",
    }  # fmt: skip
    style = here.joinpath("page.css").read_text(encoding="utf-8")
    assert style.count("{") == style.count("}")
    assert "$" not in page(VERDICTS, (), RUN).replace("$$", "").split("<body>")[0]


def test_classes_have_a_style(answers):
    style = files("rltheory.report").joinpath("page.css").read_text(encoding="utf-8")
    used = Reader(page(VERDICTS, answers, RUN)).classes - set(STATUS) - {"tex"}
    assert {name for name in used if f".{name}" not in style} == set()


def test_statements_are_mathml():
    pytest.importorskip("latex2mathml", reason="the extra report is not installed")
    math.cache_clear()
    text = page(VERDICTS, (), RUN)
    assert '<math display="block">' in text
    assert "γ" in text
    assert "\\frac" not in text
    Reader(text)


def test_texts_are_escaped(answers):
    text = page(VERDICTS, answers, RUN)
    assert "A &lt;false&gt; claim" in text
    assert "Puterman 1994, &amp; others" in text
    assert "<lake>" not in text
    evil = '<script>alert("x")</script>'
    odd = replace(REFUTED, reason=evil, title=evil, tightest=evil, coverage=evil)
    assert "<script" not in page([odd], (), Run(date=evil, budget=evil))


def test_equal_runs_give_equal_pages():
    later = [replace(verdict, seconds=9.9) for verdict in VERDICTS]
    without = [
        re.sub(r'data-label="seconds">[\d.]+', "", page(v, (), RUN)) for v in (VERDICTS, later)
    ]
    assert without[0] == without[1]
    assert page(VERDICTS, (), RUN) == page(VERDICTS, (), RUN)
    assert "1 May 2026" in page(VERDICTS, (), RUN)
    assert "1 May 2026" not in page(VERDICTS, (), replace(RUN, date=""))


def test_a_partial_page_says_so():
    text = page(VERDICTS[:1], (), RUN)
    assert "partial: interrupted after 1 of 3 claims; the others have no verdict" in text
    assert "partial" not in body(page(VERDICTS, (), RUN))
    nothing = Reader(page([], (), RUN))
    assert nothing.ids == []


def test_sharpness():
    text = page(VERDICTS, (), RUN)
    assert text.count('role="img"') == 2, "a claim without tightness has no row"
    assert 'aria-label="tightness 1, detection limit 0.9999"' in text
    assert 'class="dot over" cx="104.00%"' in text
    assert 'class="dot" cx="100.00%"' in text
    assert 'class="ring" cx="100.00%"' in text
    assert "How sharp" not in page([UNDECIDED], (), RUN)
    alone = page([replace(CONFIRMED, detection_limit=None)], (), RUN)
    assert 'class="ring"' not in alone
    low = page([replace(CONFIRMED, detection_limit=-3.0)], (), RUN)
    assert 'class="ring" cx="0.00%"' in low
    far = page([replace(REFUTED, tightness=1.5e9)], (), RUN)
    assert ">2e+09<" in far


def test_counterexamples_and_mutants_are_shown():
    text = " ".join(Reader(page(VERDICTS, (), RUN)).words)
    assert "gap: 1/2 against the bound 1/4; parameters states=2, weights=[0, 1, 5]" in text
    assert "stored in counterexamples/false-one-0123456789.npz" in text
    assert "not run: z3 is not installed" in text
    assert "refuted: instance #0: 1/2 against 1/4" in text


def test_solved_models(answers):
    text = page((), answers, Run(version="0.1.0"))
    reader = Reader(text)
    assert text.count('<svg class="grid"') == 2
    assert "stage 0" in text
    assert "<h1>Solved models</h1>" in text
    assert "Verdicts" not in text
    words = " ".join(reader.words)
    assert "garnet" in words
    assert words.count("certified: every state's optimal value") == 3
    both = page(VERDICTS, answers, RUN)
    assert "<h2>Solved models</h2>" in both and "<h2>Verdicts</h2>" in both


def test_files(tmp_path, answers):
    assert ENDINGS == (".html", ".md")
    write_page(tmp_path / "a.html", VERDICTS, answers, RUN)
    write_report(tmp_path / "b.html", VERDICTS, answers, RUN)
    text = (tmp_path / "a.html").read_text(encoding="utf-8")
    assert text == (tmp_path / "b.html").read_text(encoding="utf-8") == page(VERDICTS, answers, RUN)
    assert set(CLAIMS) == {verdict.id for verdict in VERDICTS}
