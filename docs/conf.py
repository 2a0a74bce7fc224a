"""Sphinx settings: sphinx-build -W -b html docs docs/_build/html"""

from importlib.metadata import version as _version

project = "rltheory"
author = "The rltheory developers"
copyright = "the rltheory developers"
version = release = _version("rltheory")

extensions = [
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.mathjax",
    "sphinx.ext.viewcode",
]
exclude_patterns = ["_build", "figures/*.py"]
source_suffix = {".md": "markdown"}

myst_enable_extensions = ["amsmath", "dollarmath"]
myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_typehints = "none"
autosummary_generate = False
numpydoc_show_class_members = False

html_theme = "furo"
html_title = "rltheory"
html_theme_options = {"navigation_with_keys": True}
