"""``python -m rltheory`` is the command ``rltheory``."""

import sys

from rltheory.cli import main

if __name__ == "__main__":
    sys.exit(main())
