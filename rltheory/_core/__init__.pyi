"""
The compiled core of rltheory. Its Python face is the package around it.
"""
from __future__ import annotations
from . import support
from . import model
from . import solvers
from . import planning
__all__: list[str] = ['model', 'planning', 'solvers', 'support']
