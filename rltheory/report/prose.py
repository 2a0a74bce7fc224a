"""Statements as HTML: Markdown, and LaTeX between dollars as MathML.

Browsers set MathML without a script or a font from the network. It needs latex2mathml (the extra
``report``); without it, or for LaTeX that it does not understand, the LaTeX itself is shown.
Nothing in a text can bring a link, an image, raw HTML or a script into the page.
"""

import re
from functools import cache
from html import escape
from typing import Any
from xml.etree import ElementTree

from markdown_it import MarkdownIt

__all__ = ["inline", "paragraphs"]

_MATH = re.compile(
    r"\\.|(?P<ticks>`+).+?(?P=ticks)"  # escaped signs and code are left alone
    r"|\$\$(?P<block>.+?)\$\$|\$(?P<line>[^$]+)\$",
    re.DOTALL,
)
_KEPT = re.compile("\ue000(\\d+)\ue001([.,;:!?)]*)")
_RULES = ["emphasis", "backticks", "list", "newline", "escape"]
_RELATIONS = set("=≠<>≤≥≪≫≈≡∈∉⊂⊆→⇒⟹⇐⟺⇔↦∼")
_SUMS = set("+−")
_OPEN, _CLOSE = set("([{⌊⌈⟨"), set(")]}⌋⌉⟩")
_LONG = 16


def paragraphs(text: str) -> str:
    """Markdown with LaTeX as HTML blocks.

    Examples
    --------
    >>> paragraphs("At *most* one, <b>.")
    '<p>At <em>most</em> one, &lt;b&gt;.</p>'
    """
    return _rendered(text, lambda words: _markdown().render(words)).strip()


def inline(text: str) -> str:
    """The same within a line: a title, or what a mutant has wrong.

    Examples
    --------
    >>> inline("`n` is *odd*")
    '<code>n</code> is <em>odd</em>'
    """
    return _rendered(text, lambda words: _markdown().renderInline(words))


@cache
def _markdown() -> MarkdownIt:
    return MarkdownIt("zero").enable(_RULES)


def _rendered(text: str, render: Any) -> str:
    """Takes the LaTeX out, so that Markdown leaves its signs alone, and puts it back as MathML."""
    kept: list[str] = []

    def keep(match: re.Match[str]) -> str:
        block = match["block"] is not None
        latex = match["block"] if block else match["line"]
        if latex is None:
            return match[0]
        kept.append(math(latex, block))
        return f"\ue000{len(kept) - 1}\ue001"

    words = _MATH.sub(keep, _KEPT.sub("", text))

    def put_back(match: re.Match[str]) -> str:
        before, cut, last = kept[int(match[1])].rpartition("<wbr>")
        if match[2]:  # no line begins with a full stop
            last = f'<span class="whole">{last}{match[2]}</span>'
        return before + cut + last

    return _KEPT.sub(put_back, render(words))


@cache
def math(latex: str, block: bool = False) -> str:
    """LaTeX as MathML; as the LaTeX where that cannot be done."""
    try:
        from latex2mathml.converter import convert
    except ImportError:
        return _as_code(latex, block)
    try:
        root = ElementTree.fromstring(_plain(convert(latex.strip())))
    except Exception:  # latex2mathml has a dozen kinds of errors, and returns broken XML for some
        return _as_code(latex, block)
    for element in root.iter():
        known = not (element.text or "").startswith("\\")  # an unknown command is left as it is
        if not known or {"href", "src", "style", "class"} & element.attrib.keys():
            return _as_code(latex, block)
    if block:
        root.set("display", "block")
        return _written(root)
    root.attrib.pop("display", None)
    return "<wbr>".join(map(_written, _pieces(root)))


def _pieces(root: ElementTree.Element) -> list[ElementTree.Element]:
    """A formula cut before its relations and after its commas: browsers break no formula.

    Pieces that are still long are cut within parentheses too, and before plus and minus.
    """
    row = list(root[0] if len(root) == 1 and root[0].tag == "mrow" else root)
    pieces = []
    for piece in _cut(row, deep=False):
        long = sum(len(element) == 0 for each in piece for element in each.iter()) > _LONG
        pieces += _cut(piece, deep=True) if long else [piece]
    out = []
    for piece in pieces:
        made = ElementTree.Element("math")
        ElementTree.SubElement(made, "mrow").extend(piece)
        out.append(made)
    return out


def _cut(row: list[ElementTree.Element], deep: bool) -> list[list[ElementTree.Element]]:
    pieces: list[list[ElementTree.Element]] = [[]]
    depth, last = 0, ""
    for element in row:
        sign = (element.text or "") if element.tag == "mo" else ""
        depth += (sign in _OPEN) - (sign in _CLOSE)
        before = sign in _RELATIONS and (deep or not depth)
        before |= deep and sign in _SUMS and last not in _OPEN
        if before and pieces[-1]:
            element.set("form", "infix")
            pieces.append([])
        pieces[-1].append(element)
        if sign in (",", ";") and not depth:
            pieces.append([])
        last = sign
    return [piece for piece in pieces if piece]


def _plain(mathml: str) -> str:
    return mathml.replace(' xmlns="http://www.w3.org/1998/Math/MathML"', "")


def _written(element: ElementTree.Element) -> str:
    return ElementTree.tostring(element, encoding="unicode")


def _as_code(latex: str, block: bool) -> str:
    code = f'<code class="tex">{escape(latex.strip())}</code>'
    return f"<div>{code}</div>" if block else code
