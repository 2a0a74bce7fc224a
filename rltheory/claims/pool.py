"""Verifies several claims in one or more processes; each verdict is the same as alone."""

import multiprocessing
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from pathlib import Path

from rltheory.claims.claim import Claim
from rltheory.claims.registry import find
from rltheory.claims.verdict import Verdict
from rltheory.claims.verify import BUDGETS, verify
from rltheory.errors import ClaimError

__all__ = ["Interrupted", "run_pool"]


class Interrupted(KeyboardInterrupt):
    """Ctrl-C, with the verdicts that were reached before it."""

    def __init__(self, verdicts: list[Verdict]) -> None:
        super().__init__("interrupted")
        self.verdicts = verdicts


def run_pool(
    claims: Sequence[Claim | str],
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
    here: dict[str, Claim] = {}
    words: dict[str, str] = {}
    for what in claims:
        if isinstance(what, Claim):
            here[what.id] = what
            continue
        for claim_id, claim in find(what).items():
            path, colon, _ = what.partition(".py")
            words[claim_id] = f"{path}.py:{claim_id}" if colon else claim_id
            here.setdefault(claim_id, claim)
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
    with ProcessPoolExecutor(min(jobs, len(ids)), mp_context=context) as pool:
        left = {
            pool.submit(verify, words[claim_id], budget=budget, seed=seed, store=store)
            for claim_id in ids
        }
        try:
            while left:
                done, left = wait(left, return_when=FIRST_COMPLETED)
                for future in done:
                    reached(future.result())
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            for process in list((pool._processes or {}).values()):
                process.terminate()
            raise
