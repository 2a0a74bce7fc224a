"""Episodes a second of certified exploration (`rltheory.RegularizedBPI`): ours and numpy's.

    python -m benchmarks.demonstrations [--episodes N] [--repeats N]

A random stationary model of 20 states and 4 actions with 20 stages, counts of their own at each.
Planning before every episode, the three sweeps are all the work; in batches that grow by a share of
the episodes played, playing is most of it. numpy (`benchmarks.numpy_bpi`) plays the same episodes
for the same seed, one at a time, or those of a batch all at once; counts are checked. The learners
take turns, and the table has medians of processor time. The certificate asked for is out of reach,
so that all play as many episodes as they are told to.
"""

import argparse
import contextlib
import os
import statistics
import time
from collections.abc import Callable
from typing import Any

__all__ = ["main", "measure"]

DELTA, TEMPERATURE, NEVER = 0.1, 1.0, 1e-12


def ours(mdp: Any, episodes: int, growth: float) -> Callable[[], Any]:
    """A run in the core; it returns the counts."""
    import numpy as np

    import rltheory as rlt
    from rltheory.demonstrations.exploration import explore
    from rltheory.demonstrations.regularized_bpi import regularized_widths

    S, A, H = mdp.n_states, mdp.n_actions, mdp.horizon
    learner = rlt.RegularizedBPI(np.full((S, A), 1.0 / A), TEMPERATURE, NEVER, DELTA, growth)

    def play() -> Any:
        access = rlt.online(mdp, 0)
        known = access.known()
        core = learner.core(known)
        with contextlib.suppress(rlt.ConvergenceError):
            explore(
                core,
                access,
                known,
                lambda n: regularized_widths(n, S, A, H, DELTA, False),
                seed=0,
                growth=growth,
                epsilon=NEVER,
                most_episodes=episodes,
                temperature=TEMPERATURE,
            )
        return core.transitions

    return play


def numpy_loop(mdp: Any, episodes: int, growth: float, together: bool) -> Callable[[], Any]:
    import numpy as np

    from benchmarks.numpy_bpi import play
    from rltheory.demonstrations.regularized_bpi import regularized_widths
    from rltheory.mdp.streams import philox_key

    S, A, H = mdp.n_states, mdp.n_actions, mdp.horizon
    purposes = ("access-starts", "access-transitions", "bpi-stages", "bpi-actions")
    keys = tuple(philox_key(0, purpose) for purpose in purposes)

    def run() -> Any:
        widths = regularized_widths(np.arange(episodes + 1), S, A, H, DELTA, False)
        reference = np.full((S, A), 1.0 / A)
        return play(
            mdp, reference, TEMPERATURE, NEVER, widths, growth, episodes, keys, together=together
        )[1]

    return run


def measure(episodes: int, repeats: int) -> list[tuple[str, float, float, bool]]:
    """(what, episodes a second of ours, of numpy's, whether their counts are the same) of each."""
    from benchmarks.learning import model

    mdp = model()
    few = max(2, episodes // 10)
    cases = [
        ("a plan an episode", few, 0.0, False),
        ("batches of 5 %, one by one", episodes, 0.05, False),
        ("batches of 5 %, all at once", episodes, 0.05, True),
        ("the same, a tenth as long", few, 0.05, True),
    ]
    found = []
    for what, count, growth, together in cases:
        players = (ours(mdp, count, growth), numpy_loop(mdp, count, growth, together))
        same = bool((players[0]() == players[1]()).all())
        seconds: tuple[list[float], list[float]] = ([], [])
        for _ in range(repeats):
            for player, mine in zip(players, seconds, strict=True):
                begin = time.process_time()
                player()
                mine.append(time.process_time() - begin)
        own, other = (count / statistics.median(mine) for mine in seconds)
        found.append((what, own, other, same))
    return found


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--episodes", type=int, default=20_000)
    parser.add_argument("--repeats", type=int, default=5)
    wanted = parser.parse_args(arguments)
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, "1")
    print("certified exploration, S=20, A=4, H=20, episodes a second of processor time, one thread")
    for what, own, other, same in measure(wanted.episodes, wanted.repeats):
        note = "the same counts" if same else "OTHER COUNTS"
        print(f"{what:28s} {own:12,.0f}   numpy {other:10,.0f}   {own / other:6.1f} x   {note}")


if __name__ == "__main__":
    main()
