"""The same report as Markdown."""

import re
from pathlib import Path

from golden import compare
from markdown_it import MarkdownIt
from verdicts import REFUTED, RUN, VERDICTS

from rltheory.mdp.gridworld import gridworld
from rltheory.report.answer import of_solution
from rltheory.report.markdown import markdown, write_markdown
from rltheory.report.verdicts import COLUMNS, Run
from rltheory.solvers.solve import solve

GOLDEN = Path(__file__).parent / "golden" / "report.md"


def test_golden():
    compare(GOLDEN, markdown(VERDICTS, (), RUN))


def test_it_is_a_table_for_markdown():
    html = MarkdownIt("commonmark").enable("table").render(markdown(VERDICTS, (), RUN))
    assert html.count("<table>") == 1
    assert html.count("<th") - html.count("<thead") == len(COLUMNS)
    assert html.count("<td") == len(COLUMNS) * len(VERDICTS)
    assert html.count("<h3>") == len(VERDICTS)


def test_bars_in_cells_do_not_break_the_table():
    from dataclasses import replace

    text = markdown([replace(REFUTED, coverage="a | b")], (), Run())
    assert "| a \\| b |" in text


def test_a_partial_report_says_so():
    assert "**partial: interrupted after 1 of 3 claims" in markdown(VERDICTS[:1], (), RUN)
    assert "partial" not in markdown(VERDICTS, (), RUN)


def test_statements_keep_their_latex():
    assert r"$\|Tv-Tw\|\le\gamma\|v-w\|$" in markdown(VERDICTS, (), RUN)


def test_solved_models(tmp_path):
    mdp = gridworld(rows=2, columns=3, discount=0.5)
    answer = of_solution("maze", solve(mdp))
    write_markdown(tmp_path / "r.md", (), [answer], Run(version="0.1.0"))
    text = (tmp_path / "r.md").read_text(encoding="utf-8")
    assert text.startswith("# Solved models\n\nrltheory 0.1.0\n")
    assert re.search(r"\| maze \| start ", text)
    assert "maze: certified: " in text
    assert "```text\nmaze\nvalue " in text
    assert "## Solved models" in markdown(VERDICTS, [answer], RUN)
