"""How many threads large sweeps use. Results do not depend on it, bit for bit."""

from rltheory import _core
from rltheory.errors import ModelError

__all__ = ["set_threads", "threads"]


def set_threads(count: int) -> None:
    """Use up to `count` threads, at least 1, for sweeps over large models; 1 at the start."""
    if isinstance(count, bool) or not isinstance(count, int) or not 1 <= count <= 4096:
        raise ModelError(f"threads is {count!r}; it must be an integer in 1..4096")
    _core.support.set_threads(count)


def threads() -> int:
    """The number of threads that large sweeps may use."""
    return _core.support.threads()
