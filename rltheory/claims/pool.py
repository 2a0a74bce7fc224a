"""Verifies several claims in one or more processes; each verdict is the same as alone."""

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from multiprocessing import connection
from pathlib import Path

from rltheory.claims.claim import Claim
from rltheory.claims.registry import find, script_of
from rltheory.claims.verdict import Verdict
from rltheory.claims.verify import BUDGETS, verify
from rltheory.errors import ClaimError

__all__ = ["Chosen", "Interrupted", "choose", "run_pool"]


class Interrupted(KeyboardInterrupt):
    """Ctrl-C, with the verdicts that were reached before it."""

    def __init__(self, verdicts: list[Verdict]) -> None:
        super().__init__("interrupted")
        self.verdicts = verdicts


@dataclass(frozen=True)
class Chosen:
    """Claims to verify, by id, and the words by which another process finds them.

    Parameters
    ----------
    claims : dict of str to Claim
    words : dict of str to str
        An id or ``FILE.py:ID``; claims that were given as objects have none.
    """

    claims: dict[str, Claim] = field(default_factory=dict)
    words: dict[str, str] = field(default_factory=dict)

    def is_of_script(self, claim_id: str) -> bool:
        """Whether the claim was found in a script."""
        return script_of(self.words.get(claim_id, "")) is not None


def choose(what: Iterable[Claim | str]) -> Chosen:
    """The claims that objects, ids and scripts name, each once.

    Raises
    ------
    ClaimError
        If a word names no claim, or two different claims have the same id.
    """
    chosen = Chosen()
    for each in what:
        if isinstance(each, Claim):
            _choose(chosen, each, None)
            continue
        script = script_of(each)
        for claim_id, claim in find(each).items():
            _choose(chosen, claim, claim_id if script is None else f"{script[0]}:{claim_id}")
    return chosen


def _choose(chosen: Chosen, claim: Claim, word: str | None) -> None:
    known = chosen.claims.setdefault(claim.id, claim)
    if known is claim:
        if word is not None:
            chosen.words[claim.id] = word
    elif word is None or word != chosen.words.get(claim.id):
        where = [chosen.words.get(claim.id, "an object"), word or "an object"]
        raise ClaimError(f"two claims have the id {claim.id!r}: {' and '.join(where)}")


def run_pool(
    chosen: Chosen,
    budget: str,
    seed: int,
    jobs: int,
    store: str | Path | None,
    progress: Callable[[Verdict], None] | None,
) -> list[Verdict]:
    """See `rltheory.claims.verify.verify_many`."""
    if budget not in BUDGETS:
        raise ClaimError(f"budget {budget!r} is unknown; known are {', '.join(BUDGETS)}")
    if isinstance(jobs, bool) or not isinstance(jobs, int) or jobs < 1:
        raise ClaimError(f"jobs is {jobs!r}; it must be an integer of at least 1")
    here, words = chosen.claims, chosen.words
    verdicts: dict[str, Verdict] = {}

    def reached(verdict: Verdict) -> None:
        verdicts[verdict.id] = verdict
        if progress is not None:
            progress(verdict)

    try:
        alone = sorted(here) if jobs == 1 else sorted(here.keys() - words.keys())
        shared = [] if jobs == 1 else sorted(words)
        if shared:
            _share(shared, words, budget, seed, jobs, store, reached)
        for claim_id in alone:
            reached(verify(here[claim_id], budget=budget, seed=seed, store=store))
    except KeyboardInterrupt:
        raise Interrupted([verdicts[claim_id] for claim_id in sorted(verdicts)]) from None
    return [verdicts[claim_id] for claim_id in sorted(verdicts)]


def _share(
    ids: Sequence[str],
    words: dict[str, str],
    budget: str,
    seed: int,
    jobs: int,
    store: str | Path | None,
    reached: Callable[[Verdict], None],
) -> None:
    context = multiprocessing.get_context("spawn")
    workers = min(jobs, len(ids))
    with ProcessPoolExecutor(workers, mp_context=context, initializer=_begin_worker) as pool:
        left = {
            pool.submit(verify, words[claim_id], budget=budget, seed=seed, store=store)
            for claim_id in ids
        }
        try:
            while left:
                done, left = wait(left, return_when=FIRST_COMPLETED)
                for future in done:
                    reached(future.result())
        except BaseException as fault:
            for process in list((pool._processes or {}).values()):
                process.terminate()
            pool.shutdown(wait=False, cancel_futures=True)
            if isinstance(fault, BrokenProcessPool):
                raise ClaimError(
                    f"one of {workers} worker processes died; with one job the claim is named"
                ) from None
            raise


def _begin_worker() -> None:
    """Leave Ctrl-C to the parent, keep standard output for it, and end when it does."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.stdout = sys.stderr
    parent = multiprocessing.parent_process()
    assert parent is not None

    def end_with(sentinel: int) -> None:
        connection.wait([sentinel])
        os._exit(1)

    threading.Thread(target=end_with, args=(parent.sentinel,), daemon=True).start()
