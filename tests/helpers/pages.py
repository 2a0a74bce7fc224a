"""What an HTML page has; elements that are not closed in their order are refused."""

from html.parser import HTMLParser

EMPTY = {"meta", "wbr", "br", "link", "img", "hr", "input", "source"}
"""Elements of HTML that have no end."""


class Reader(HTMLParser):
    """Collects what a page has, and refuses elements that are not closed in their order."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.open, self.tags, self.ids, self.links, self.words = [], [], [], [], []
        self.references, self.classes, self.declared = [], set(), ""
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_decl(self, decl):
        self.declared = decl

    def handle_starttag(self, tag, attrs):
        self._note(tag, dict(attrs))
        if tag not in EMPTY:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self._note(tag, dict(attrs))

    def handle_endtag(self, tag):
        assert self.open and self.open[-1] == tag, (tag, self.open)
        self.open.pop()

    def handle_data(self, data):
        if "style" not in self.open:
            self.words.append(data)

    def _note(self, tag, attributes):
        self.tags.append(tag)
        self.classes |= set(attributes.get("class", "").split())
        if "id" in attributes:
            self.ids.append(attributes["id"])
        for name in ("href", "src", "srcset", "action", "data", "poster", "xlink:href"):
            if name in attributes:
                self.references.append(attributes[name])
