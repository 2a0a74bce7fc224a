"""How much of each bound is used: the tightest instance that a local search finds.

    rltheory sweep experiments/tight_constants.py --jobs 2

From random members of a claim's family, small moves that keep or raise measured / bound; named
instances are not looked at. 1 is attained; what a search does not reach may still be attained by
an instance that is far from all of these (`rltheory verify` says so where it is known), and a ratio
above 1 would refute the claim.
"""

import rltheory as rlt

CLAIMS = [
    "demo-bc-expectation",
    "demo-bc-markov",
    "demo-bc-value",
    "demo-quadratic-gap",
    "demo-cert",
    "demo-cert-size",
    "demo-kl-transport",
    "demo-bernstein-transport",
    "demo-rlhf-det",
    "mdpo-improvement",
    "mdpo-trust-region",
    "mdpo-rate-sublinear",
    "mdpo-rate-geometric",
    "mdpo-rate-gamma",
    "mdpo-rate-entropy",
]


def trial(seed: int, claim: str) -> dict[str, float | bool | int]:
    found = rlt.search_tightest(claim, starts=3, moves=60, seed=seed)
    return {"ratio": found.ratio, "refuted": found.refuted, "looked_at": found.looked_at}


sweep = rlt.Sweep(
    "tight-constants", trial, {"claim": CLAIMS}, seeds=3, title="Largest measured / bound found"
)
