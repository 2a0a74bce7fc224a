"""Texts that are compared with a kept file; ``REWRITE_GOLDEN=1 pytest ...`` writes them anew."""

import os


def compare(path, text):
    """The text must be that of the file."""
    if os.environ.get("REWRITE_GOLDEN"):
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")
