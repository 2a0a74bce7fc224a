"""A few verdicts with everything in them that a report shows."""

from rltheory.claims.claim import Claim, Mutant
from rltheory.claims.family import Instance
from rltheory.claims.verdict import MutantVerdict, Verdict
from rltheory.report.verdicts import Run


def claim(claim_id, kind, title, statement, **fields):
    return Claim(
        id=claim_id,
        kind=kind,
        check=lambda i: None,
        title=title,
        statement=statement,
        named={"only": Instance},
        mutants=(Mutant("m", "text"),),
        **fields,
    )


CLAIMS = {
    "plan-contraction": claim(
        "plan-contraction",
        "inequality",
        "Bellman operators contract",
        r"For all $v, w$: $\|Tv-Tw\|\le\gamma\|v-w\|$, *without* exits `S < 3`.",
        source="Puterman 1994, & others",
        provenance=("textbook", "derived"),
    ),
    "false-one": claim("false-one", "inequality", "A <false> claim", r"$$x \le \frac{x}{2}$$"),
    "coin": claim("coin", "high-probability", "Coins", "$P(X>1) <$ 1", delta=0.2),
}

CONFIRMED = Verdict(
    id="plan-contraction",
    title="Bellman operators contract",
    kind="inequality",
    topic="foundations",
    status="confirmed",
    reason="held on named(1), sampled(40)",
    arithmetic="exact",
    coverage="all models of 2 states (SMT), named(1), sampled(40)",
    tightness=1.0,
    tightest="shifted",
    detection_limit=0.99999,
    instances=41,
    informative=40,
    seconds=0.126,
    mutants=(
        MutantVerdict("square", r"modulus $\gamma^2$", "refuted", "instance #0: 1/2 against 1/4"),
        MutantVerdict("smt", "by SMT", "missing", "z3 is not installed"),
    ),
)

REFUTED = Verdict(
    id="false-one",
    title="A <false> claim",
    kind="inequality",
    topic="mine",
    status="refuted",
    reason="instance #0: gap: 1/2 against the bound 1/4",
    arithmetic="float(1e-12)",
    coverage="sampled(1)",
    tightness=2.0,
    tightest="#0",
    detection_limit=1.0,
    instances=1,
    informative=1,
    seconds=0.01,
    mutants=(MutantVerdict("m", "text", "refuted", "instance #0"),),
    counterexample={
        "instance": "#0",
        "parameters": {"states": 2, "weights": [0, 1, 5]},
        "what": "gap",
        "measured": "1/2",
        "bound": "1/4",
        "tolerance": 0,
        "file": "counterexamples/false-one-0123456789.npz",
    },
)

UNDECIDED = Verdict(
    id="coin",
    title="Coins",
    kind="high-probability",
    topic="mine",
    status="undecided",
    reason="fair: 8 failures in 140 trials, delta 0.2",
    arithmetic="random",
    coverage="named(1)",
    instances=1,
    informative=1,
    level=1e-6,
    margin=1.1,
    trials=140,
    seconds=1.5,
    mutants=(MutantVerdict("m", "text", "refuted", "fair: 70 failures"),),
)

VERDICTS = (CONFIRMED, REFUTED, UNDECIDED)

RUN = Run("quick", 3, CLAIMS, version="0.1.0", date="1 May 2026")
