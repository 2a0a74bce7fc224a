"""Who runs the blocks: this process, threads, processes of this machine, or a cluster.

Each of these takes a function, blocks, and a number of workers, and gives back what the function
makes of each block, in the order in which they are done. Blocks are taken one by one as workers
become free, so that a later one can be cut to what the earlier ones took.
"""

import ctypes
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any, TypeVar

from rltheory.errors import SweepError

__all__ = ["here", "on_cluster", "processes", "threads"]

Block = TypeVar("Block")
Result = TypeVar("Result")

_PR_SET_PDEATHSIG = 1


def here(
    run: Callable[[Block], Result], blocks: Iterable[Block], jobs: int = 1
) -> Iterator[Result]:
    """One block after the other, in this process."""
    return map(run, blocks)


def threads(run: Callable[[Block], Result], blocks: Iterable[Block], jobs: int) -> Iterator[Result]:
    """In threads of this process, for trials that release the interpreter's lock."""
    yield from _joblib(run, blocks, jobs, backend="threading")


def processes(
    run: Callable[[Block], Result], blocks: Iterable[Block], jobs: int
) -> Iterator[Result]:
    """In processes of this machine, which end when this one does, however it ends."""
    from joblib.externals.loky.process_executor import TerminatedWorkerError

    try:
        yield from _joblib(
            run,
            blocks,
            jobs,
            backend="loky",
            initializer=_end_with_parent,
            initargs=(os.getpid(),),
        )
    except TerminatedWorkerError as fault:
        raise SweepError(
            "a worker process died (killed by the system, out of memory?); what was stored is "
            f"kept, and running again goes on from there: {str(fault).splitlines()[0]}"
        ) from None


def on_cluster(
    run: Callable[[Block], Result], blocks: Iterable[Block], jobs: int, address: str | None = None
) -> Iterator[Result]:
    """On the workers of a dask cluster: at this address, or a local one of `jobs` processes."""
    try:
        from distributed import Client, LocalCluster, as_completed
    except ImportError:
        raise SweepError(
            "the backend dask needs the package distributed: pip install 'rltheory[cluster]'"
        ) from None
    cluster = None
    if address is None:
        cluster = LocalCluster(
            n_workers=jobs, threads_per_worker=1, dashboard_address=None, processes=True
        )
    try:
        with Client(cluster if cluster is not None else address) as client:
            left = iter(blocks)
            ahead = 2 * max(1, len(client.scheduler_info()["workers"]))
            first = [client.submit(run, block, pure=False) for block in islice(left, ahead)]
            done = as_completed(first)
            for future in done:
                yield future.result()
                for block in left:
                    done.add(client.submit(run, block, pure=False))
                    break
    except OSError as fault:
        raise SweepError(f"there is no dask scheduler at {address}: {fault}") from None
    finally:
        if cluster is not None:
            cluster.close()


def _joblib(
    run: Callable[[Block], Result], blocks: Iterable[Block], jobs: int, **options: Any
) -> Iterator[Result]:
    from joblib import Parallel, delayed

    parallel = Parallel(
        n_jobs=jobs, return_as="generator_unordered", batch_size=1, pre_dispatch=2 * jobs, **options
    )
    yield from parallel(delayed(run)(block) for block in blocks)


def _end_with_parent(parent: int) -> None:
    """Called in a worker: leave Ctrl-C to the parent, and do not outlive it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    threading.Thread(target=_watch, args=(parent,), daemon=True).start()


def _watch(parent: int) -> None:
    """Where the kernel cannot be asked, or was asked too late."""
    while os.getppid() == parent:
        time.sleep(1.0)
    os._exit(1)
