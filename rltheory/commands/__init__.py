"""The work behind each command of ``rltheory``; the arguments are declared in ``rltheory.cli``."""
