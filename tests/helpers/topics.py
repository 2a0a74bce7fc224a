"""A topic of its own, installed in a folder as another package would install it."""

import sys
from contextlib import contextmanager

from rltheory.claims import registry


@contextmanager
def installed(folder, topics):
    """Make topics known: their name to (source of the claims module, table or None).

    They are found through metadata on the import path, so that other processes find them too.
    """
    points = []
    for name, (source, table) in topics.items():
        package = folder / f"topic_{name}"
        package.mkdir()
        (package / "__init__.py").touch()
        (package / "claims.py").write_text(source, encoding="utf-8")
        if table is not None:
            (package / "expected.tsv").write_text(table, encoding="utf-8")
        points.append(f"{name} = topic_{name}.claims")
    info = folder / "topics_of_a_test-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: topics-of-a-test\nVersion: 1\n")
    (info / "entry_points.txt").write_text("\n".join(["[rltheory.claims]", *points, ""]))
    sys.path.insert(0, str(folder))
    _forget()
    try:
        yield
    finally:
        sys.path.remove(str(folder))
        for module in [m for m in sys.modules if m.startswith("topic_")]:
            del sys.modules[module]
        _forget()


def _forget():
    registry.topics.cache_clear()
    registry._of_topic.cache_clear()
