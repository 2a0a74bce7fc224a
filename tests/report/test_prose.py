"""Statements in the page: MathML where it can be made, and nothing that a text could smuggle in."""

import sys
from xml.etree import ElementTree

import pytest

from rltheory.report import prose
from rltheory.report.prose import inline, math, paragraphs


@pytest.fixture
def no_latex2mathml(monkeypatch):
    math.cache_clear()
    monkeypatch.setitem(sys.modules, "latex2mathml.converter", None)
    yield
    math.cache_clear()


@pytest.fixture
def latex2mathml():
    math.cache_clear()
    return pytest.importorskip("latex2mathml", reason="the extra report is not installed")


def read(html):
    """The text of an HTML fragment that must be well-formed."""
    return "".join(ElementTree.fromstring(f"<p>{html.replace('<wbr>', '')}</p>").itertext())


def test_markdown():
    html = paragraphs("One *two* **three** `a < b`\n\n- x\n- y\n")
    assert html == (
        "<p>One <em>two</em> <strong>three</strong> <code>a &lt; b</code></p>\n"
        "<ul>\n<li>x</li>\n<li>y</li>\n</ul>"
    )


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "<img src=http://a.b/c>",
        "[link](http://a.b)",
        "![image](http://a.b/c.png)",
        "<http://a.b>",
        r"$\href{http://a.b}{x}$",
        r"$\text{<img src=x>}$",
        r"$\style{color:red}{x}$",
        r"$\class{big}{x}$",
        "$<script>$",
        "&lt;script&gt; &amp;",
    ],
)
def test_texts_bring_no_elements_of_their_own(text):
    for html in (paragraphs(text), inline(text)):
        elements = list(ElementTree.fromstring(f"<div>{html.replace('<wbr>', '')}</div>").iter())
        assert not {e.tag for e in elements} & {"script", "img", "a", "link", "iframe"}
        assert not {name for e in elements for name in e.attrib} & {"href", "src", "style"}


def test_mathml(latex2mathml):
    html = inline(r"for all $v$ : $\frac{1}{1-\gamma}$")
    assert html.startswith("for all <math><mrow><mi>v</mi></mrow></math> : ")
    assert "<mfrac>" in html
    assert "xmlns" not in html
    assert read(html) == "for all v : 11−γ"
    assert 'display="block"' in paragraphs("$$x$$")


def test_formulas_can_be_broken_before_relations_and_after_commas(latex2mathml):
    html = inline(r"$f(x, y)\le g(x),\; h = 1$")
    pieces = [read(piece) for piece in html.split("<wbr>")]
    assert pieces[:3] == ["f(x,y)", "≤g(x),", "h"]
    assert 'form="infix"' in html
    long = inline(r"$P(X_1+X_2+X_3+X_4-\mu_1-\mu_2-\mu_3>\epsilon+\delta_1+\delta_2)\le\delta$")
    assert len(long.split("<wbr>")) > 5
    assert read(long) == "P(X1+X2+X3+X4−μ1−μ2−μ3>ϵ+δ1+δ2)≤δ"


def test_no_line_begins_with_a_full_stop(latex2mathml):
    assert inline("$x = y$.").endswith("</math>.</span>")
    assert inline("$x$ and").endswith("</math> and")


@pytest.mark.parametrize("latex", [r"\frac{", r"\unknown{x}", "a & b", "}{", r"\left(", "x_", ""])
def test_latex_that_is_not_understood_is_shown_as_it_is(latex2mathml, latex):
    html = math(latex)
    if "<math" not in html:
        assert html.startswith('<code class="tex">')
        assert read(html) == latex
    ElementTree.fromstring(f"<p>{html}</p>")


def test_without_latex2mathml_the_latex_is_shown(no_latex2mathml):
    html = inline(r"all $v<w$, $$\frac12$$ done")
    assert html == (
        'all <span class="whole"><code class="tex">v&lt;w</code>,</span> '
        '<div><code class="tex">\\frac12</code></div> done'
    )


def test_dollars_that_are_none(latex2mathml):
    assert inline(r"costs \$5 and `$x$`") == "costs $5 and <code>$x$</code>"
    assert inline("costs 5$") == "costs 5$"
    assert inline("\ue0000\ue001 $x$").count("<math>") == 1


def test_every_symbol_of_a_statement_survives(latex2mathml):
    read(paragraphs(r"$\sum_{s'}P(s'\mid s,a)\,\mathrm{sp}(v)\ge\max_{a\in\mathcal A}\hat r_a$"))
    assert prose.math(r"\begin{pmatrix}1&2\\3&4\end{pmatrix}").count("<mtd>") == 4
