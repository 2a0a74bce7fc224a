"""Writes the stubs of a core just built: `python write_stubs.py MODULE --output-dir FOLDER`.

An editable install puts a finder in front of PYTHONPATH that would import the core built before.
"""

import sys

from pybind11_stubgen import main

sys.meta_path[:] = [
    finder for finder in sys.meta_path if type(finder).__name__ != "ScikitBuildRedirectingFinder"
]
main()
