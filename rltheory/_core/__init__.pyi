"""
The compiled core of rltheory. Its Python face is the package around it.
"""
from __future__ import annotations
from . import support
from . import model
from . import solvers
from . import graph
from . import planning
from . import simulate
from . import learning
from . import topics
__all__: list[str] = ['graph', 'learning', 'model', 'planning', 'simulate', 'solvers', 'support', 'topics']
